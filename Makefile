# make help lists the targets. JOBS=n runs n stages side by side (default: the cores there are); PRESET=paper makes `status`, `graph`,
# `verify`, `train` and `ui` work on the other preset, and PRESET=quick `models`.
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

# VARIANT="a b": the stages of these alone.
STAGES_OF = $(if $(VARIANT),$$(python scripts/stages_of.py $(1) $(VARIANT)),$(2))

# Bare `dvc status`, `dvc pull` and so on speak of all pipelines that DVC finds. This file, which git ignores, hides that of paper while
# nothing of paper is here; a target that works on paper takes it away: docs/dvc.md.
HIDE_PAPER = test -e configs/paper || test -e models/paper || echo '*' > paper/.dvcignore
SHOW_PAPER = $(if $(filter paper,$(PRESET) $@),rm -f paper/.dvcignore)

.PHONY: help report paper status graph verify train models own test ui lint clean
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

report: .venv/installed ## regenerate the report of the preset quick (JOBS=2: two stages at once; CLUSTER=tcp://HOST:8786: on many machines; VARIANT="a b": these alone)
	@$(HIDE_PAPER)
	@stages="$(call STAGES_OF,quick,dvc.yaml)" && $(RUN) --without paper $$stages
	@python scripts/account.py quick
	@echo $(if $(VARIANT),"$(foreach name,$(VARIANT),results/quick/$(name) reports/quick/figures/$(name))","report: file://$(CURDIR)/reports/quick/site/index.html")

paper: .venv/installed ## run the reports' own schedules on real data (more than a day; README.md, "Data"; VARIANT="a b": these alone)
	@mkdir -p configs/paper # a `make report` that starts now sees it
	@$(SHOW_PAPER)
	@stages="$(call STAGES_OF,paper,paper/dvc.yaml)" && $(RUN) $$stages
	@python scripts/account.py paper
	@$(if $(VARIANT),,dvc repro --quiet --force --single-item paper/dvc.yaml:report) # with the times of the trainings, which are known now
	@echo $(if $(VARIANT),"$(foreach name,$(VARIANT),results/paper/$(name) reports/paper/figures/$(name))","report: file://$(CURDIR)/reports/paper/site/index.html")

status: .venv/installed ## say what would run, by kind of stage
	@$(SHOW_PAPER)
	@$(RUN) --dry $(if $(filter paper,$(PRESET)),paper/)dvc.yaml

graph: .venv/installed ## draw the pipeline by sorts of stages, as Mermaid text
	@$(SHOW_PAPER)
	@$(RUN) --graph $(if $(filter paper,$(PRESET)),paper/)dvc.yaml

verify: .venv/installed ## run everything again in a clean copy and compare (PRESET=paper VARIANT="a b": these alone; TWICE=1: two runs; CLUSTER=: the last run on its workers)
	@python scripts/verify.py $(if $(JOBS),--jobs $(JOBS)) $(if $(TWICE),--twice) $(if $(CLUSTER),--cluster $(CLUSTER)) $(PRESET) $(VARIANT)

train: .venv/installed ## train chosen variants into a folder that can be carried, trained/PRESET (VARIANT="a b"; DEVICE=cuda; PRESET=paper)
	@$(SHOW_PAPER)
	@$(if $(VARIANT),,echo 'error: train: expected variants, got none; name some, VARIANT="a b"' >&2; exit 2;) python scripts/train.py --device $(or $(DEVICE),auto) $(PRESET) $(VARIANT)

models: .venv/installed ## put the weights of paper into one archive with a card, regen-models-paper.tar (PRESET=quick: of quick)
	@python scripts/models.py $(if $(filter command% environment%,$(origin PRESET)),$(PRESET),paper)

own: .venv/installed ## bring images of your own, a folder or an .npz file (NAME=pets FROM=~/pictures; CONTRIBUTING.md)
	@python scripts/own.py "$(NAME)" "$(FROM)"

test: .venv/installed ## run the tests
	@python -m pytest -n auto --dist loadfile

ui: .venv/installed ## show all runs in MLflow on 127.0.0.1 (PRESET=paper: the other preset; PORT=5001: another port than 5000)
	@python scripts/ui.py $(PRESET) $(or $(PORT),5000)

lint: .venv/installed ## check style and types
	ruff check .
	ruff format --check .
	mypy

clean: ## remove what the pipeline makes anew and git ignores; checkpoints, DVC's cache, .venv, MLflow's store, own/, trained/, archives of weights stay
	rm -rf configs data features models logs dvc_plots .pytest_cache .ruff_cache .mypy_cache
	rm -rf reports/quick/figures reports/quick/site reports/quick/report.md reports/*/made.html
