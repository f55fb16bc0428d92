/* Answers MKL's questions whether it runs on an AMD processor of the Zen family: docs/platforms.md. */
int mkl_serv_intel_cpu(void) { return 0; }
int mkl_serv_intel_cpu_true(void) { return 0; }
int mkl_serv_cpuiszen(void) { return 1; }
