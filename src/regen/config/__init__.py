"""params.yaml, checked and resolved into one frozen object a purpose."""
