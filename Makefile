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
.PHONY: help setup demo test test-long trials check up bench browser lock clean

help:           ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

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

# PERSONS=171400 is the true size; with fewer, targets are cut to the size of the place.
PERSONS ?= 20000
demo: $(READY)  ## rehearse chengjiang-2021 whole; ends by itself
	$(BIN)/canbao rehearse chengjiang-2021 --persons $(PERSONS)

# What belongs to which: tests/conftest.py. ARGUMENTS=--durations=40 says where the time goes.
PYTEST := $(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder $(ARGUMENTS)

test: $(READY)  ## everything that guards a change, in minutes
	$(PYTEST) -m "not long"

test-long: $(READY) browser ## whole rehearsals, an installation, Prefect's pages in a browser, kills, broken files
	$(PYTEST) -rs -m long

trials: $(READY) ## full campaigns of kills, broken files, accuracy and large places: hours; their figures go into docs/
	CANBAO_KILLS=200 KILLS=50 $(BIN)/python -m pytest -q -n 0 -p no:cacheprovider --timeout=0 -m long \
	    tests/record/test_sweep_survives.py tests/tasks/test_comparison_kills.py tests/tasks/test_comparison_runs.py
	$(BIN)/python -m benchmarks fuzz --files 10000
	$(BIN)/python -m benchmarks accuracy "$$(mktemp -d)" bozhou-2018:100000:72 lianyungang-2016:100000:73
	$(BIN)/python -m benchmarks intake
	$(BIN)/python -m benchmarks sweep
	$(BIN)/python -m benchmarks comparison --persons 1000000
	$(BIN)/python -m benchmarks orchestration --persons 1000000 --rounds 3

# The browser of the tests is the machine's own: its package brings what it needs to run, and Chinese letters.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk; \
	else \
	    echo "No Chromium here. The tests of Prefect's pages need one: apt-get install chromium fonts-noto-cjk" >&2; \
	fi

check: $(READY) ## lint, types, import contract
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: $(READY)    ## database, Prefect server with its UI, worker, deployments, automations; stays until Ctrl-C
	CANBAO_ALLOW_ROOT=1 $(BIN)/canbao up

bench: $(READY) ## benchmarks, as ratios against their floor and peers
	$(BIN)/python -m benchmarks

lock:           ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements.lock

clean:          ## remove the environment (not the data in ./var)
	rm -rf $(VENV)
