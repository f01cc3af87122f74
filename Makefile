# Every target sets up what it needs by itself. Python >= 3.11 and make are all a machine must have.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
UV_VERSION := 0.13.9
export XDG_RUNTIME_DIR ?= $(CURDIR)/$(VENV)/run
export DO_NOT_TRACK = 1
export PREFECT_SERVER_ANALYTICS_ENABLED = false
export GX_ANALYTICS_ENABLED = false
# Every command and every run of a flow is a process of its own: compiling what it imports anew each time costs seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test check up bench clean

help:           ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

setup: $(READY) ## install everything from the hashed lock file

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "canbao needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "canbao needs Python's venv, which Debian and Ubuntu pack by itself: apt-get install python3-venv (as root), then make again"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@mkdir -p -m 700 $(VENV)/run
	@$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable . uv==$(UV_VERSION)
	@touch $@

demo: $(READY)  ## rehearse chengjiang-2021 whole; ends by itself
	$(BIN)/canbao rehearse chengjiang-2021

test: $(READY)  ## the whole test suite
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

check: $(READY) ## lint, types, import contract
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: $(READY)    ## database, Prefect server with its UI, worker, deployments, automations; stays until Ctrl-C
	$(BIN)/canbao up

bench: $(READY) ## benchmarks, as ratios against their floor and peers
	$(BIN)/python -m benchmarks

lock:           ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements.lock

clean:          ## remove the environment (not the data in ./var)
	rm -rf $(VENV)
