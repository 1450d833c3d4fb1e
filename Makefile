# Two words are enough: `make demo` shows what voxsphere does, `make test` proves it. Both set up what they lack.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# The development corpus lies beside the checkout where it is at all; tests that need it say so when it is not.
VOXSPHERE_CORPUS ?= $(if $(wildcard ../shared/corpus/manifest.tsv),$(abspath ../shared/corpus))
export VOXSPHERE_CORPUS
# Spinning OpenMP threads slow each other down on a shared machine; two test workers with one thread each do not.
export OMP_WAIT_POLICY ?= PASSIVE
export HF_HUB_DISABLE_TELEMETRY = 1

.DEFAULT_GOAL := help
.PHONY: help demo test check format docs clean

help:           ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed  ## decide who is speaking in a real conversation; writes demo.html
	$(BIN)/voxsphere demo --out demo.html

test: $(VENV)/.installed-dev  ## all tests
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.installed-dev  ## format, lint, types, floors, fast tests, the README's snippets
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not slow"

format: $(VENV)/.installed-dev  ## put the code into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:          ## remove what make built
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }

# Without a GPU the CPU build of torch is asked for first; where no package source offers one, the ordinary one serves.
$(VENV)/.torch: constraints.txt | $(VENV)/bin/python
	@if command -v nvidia-smi >/dev/null; then $(PIP) install -c constraints.txt torch; \
	elif $(PIP) install -q torch==2.13.0+cpu 2>/dev/null; then echo "torch: the CPU build"; \
	else echo "torch: no CPU build in your package index, taking the ordinary one (larger)"; \
	  $(PIP) install -c constraints.txt torch; fi
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/.torch
	$(PIP) install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.torch
	$(PIP) install -q -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed
