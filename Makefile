# make help lists the targets. JOBS=n runs n stages side by side (default: the cores there are); PRESET=paper makes `ui` and `status` show
# the other preset.
PRESET ?= quick
PYTHON ?= python3

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/src
export DVC_NO_ANALYTICS := true
export MLFLOW_DISABLE_TELEMETRY := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Else glibc gives large tensors back to the system at every step and faults them in again: 20 to 30 % of the CPU time of likelihoods
# under convolutional decoders. The bits are the same; the peak memory of a stage was up to 35 % higher.
export MALLOC_MMAP_THRESHOLD_ := 17179869184
export MALLOC_TRIM_THRESHOLD_ := 17179869184

RUN = python -m regen.runner $(if $(JOBS),--jobs $(JOBS)) $(if $(CLUSTER),--cluster $(CLUSTER))

.PHONY: help report paper status graph verify test ui lint clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

# The scripts of a virtual environment hold its absolute path: after a move, or in a copy of the folder, they would run the other folder's.
ifneq ($(shell cat .venv/installed 2>/dev/null),$(CURDIR))
.PHONY: .venv/installed
endif

.venv/installed: requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("error: expected Python 3.11 or later, got %d.%d; run make PYTHON=python3.12" % v[:2])'
	@if [ -s $@ ] && [ "$$(cat $@)" != "$(CURDIR)" ]; then echo ".venv was made for $$(cat $@), not for $(CURDIR): making it anew"; rm -rf .venv; fi
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	@echo "$(CURDIR)" > $@

report: .venv/installed ## regenerate the report of the preset quick (JOBS=2: two stages at once; CLUSTER=tcp://HOST:8786: on many machines)
	@$(RUN) --without paper dvc.yaml
	@python scripts/account.py quick
	@echo "report: reports/quick/report.html and reports/quick/report.md"

paper: .venv/installed ## run the reports' own schedules on real data (more than a day; README.md, "Data")
	@$(RUN) paper/dvc.yaml
	@python scripts/account.py paper
	@echo "report: reports/paper/report.html and reports/paper/report.md"

status: .venv/installed ## say what would run, by kind of stage
	@$(RUN) --dry $(if $(filter paper,$(PRESET)),paper/)dvc.yaml

graph: .venv/installed ## draw the pipeline by sorts of stages, as Mermaid text
	@$(RUN) --graph $(if $(filter paper,$(PRESET)),paper/)dvc.yaml

verify: .venv/installed ## run everything again in a clean copy and compare (PRESET=paper VARIANT="a b": these alone; TWICE=1: two runs; CLUSTER=: the last run on its workers)
	@python scripts/verify.py $(if $(JOBS),--jobs $(JOBS)) $(if $(TWICE),--twice) $(if $(CLUSTER),--cluster $(CLUSTER)) $(PRESET) $(VARIANT)

test: .venv/installed ## run the tests
	@python -m pytest -n auto --dist loadfile

ui: .venv/installed ## show all runs in MLflow on 127.0.0.1:5000 (PRESET=paper: the other preset)
	@python stages track $(PRESET)
	@echo "open http://127.0.0.1:5000/#/experiments?workflowType=machine_learning (Ctrl-C ends it)"
	@mlflow server --backend-store-uri sqlite:///mlflow/$(PRESET)/mlflow.db --host 127.0.0.1 --port 5000 --workers 1

lint: .venv/installed ## check style and types
	ruff check .
	ruff format --check .
	mypy

clean: ## remove what the pipeline made and git ignores; DVC's cache and .venv stay
	rm -rf configs data features models mlflow logs checkpoints dvc_plots .pytest_cache .ruff_cache .mypy_cache
