# The two commands of the README are `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.demo
ORACLES := $(VENV)/.oracles
# Every process of ours would compile every module again.
unexport PYTHONDONTWRITEBYTECODE
export OPSMETRICS_HOME ?= .opsmetrics
export DAGSTER_HOME ?= $(CURDIR)/dagster_home

.PHONY: demo test bench calibration check fmt dagster spark-cluster docs pictures sbom hashes audit clean

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL = $(PIP) -c constraints.txt
# `make demo HASHED=1`, `make test HASHED=1`: only files whose digests stand in requirements/ are installed. Without it
# versions are held and files are believed: for platforms on which something is built, and indexes with wheels of their own.
ifdef HASHED
all_of = $(PIP) --require-hashes --no-deps -r requirements/build.txt -r requirements/$(1).txt && $(PIP) --no-deps --no-build-isolation -e .
else
all_of = $(INSTALL) -e '.[$(1)]'
endif

$(VENV)/pyvenv.cfg:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	$(call all_of,dev)
	touch $@ $(DEMO_STAMP)

# The demo needs neither Spark nor what tests are made of: half of the disk space.
$(DEMO_STAMP): pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	$(call all_of,demo)
	touch $@

$(ORACLES): $(STAMP) tests/oracles.py
	$(BIN)/python -m tests.oracles
	touch $@

# `make demo DEMO_FLAGS=--no-app` builds and ends; other flags: `opsmetrics demo --help`.
DEMO_FLAGS ?=

demo: $(DEMO_STAMP)  ## build the fictional organisation's scorecard and open the app
	$(BIN)/opsmetrics demo $(DEMO_FLAGS)

check: $(STAMP)  ## lint, types, import rules; library and SQL tests but for whole runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/sqruff lint --quiet --parsing-errors sql
	$(BIN)/pyrefly check --summary=none
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --maxprocesses 2 --dist loadfile --no-loadscope-reorder -m "not whole_run" tests/opsmetrics tests/sql

test: $(STAMP) $(ORACLES)  ## everything
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/sqruff lint --quiet --parsing-errors sql
	$(BIN)/pyrefly check --summary=none
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

bench: $(STAMP) $(ORACLES)  ## measure everything against its physical limit; writes docs/performance.md
	$(INSTALL) -e '.[bench]'
	$(BIN)/python -m benchmarks

calibration: $(STAMP)  ## hold scores of simulated teams against their promises; writes docs/calibration.md
	$(BIN)/python -m calibration

fmt: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqruff fix --quiet sql

# `make dagster DAGSTER_FLAGS=--write` lets runs be started from the page.
DAGSTER_FLAGS ?=

dagster: $(STAMP)  ## the Dagster page and daemon on loopback
	$(BIN)/opsmetrics dagster dev $(DAGSTER_FLAGS)

spark-cluster: $(STAMP)  ## a Spark cluster of two workers on loopback, until Ctrl-C
	$(BIN)/python deploy/spark_cluster.py

docs: $(STAMP)  ## write the generated documents again
	$(BIN)/python -m tools.docs

pictures: $(ORACLES)  ## take a picture of every page of the demo for the documents
	$(BIN)/python tests/browser/pictures.py

sbom: $(STAMP)  ## list every package with version and licence (CycloneDX)
	$(BIN)/python -m tools.sbom

hashes:  ## write requirements/ again: every package with the digests of its files; asks the package index
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.9'
	$(VENV)/lock/bin/python -m tools.hashes

audit: $(STAMP)  ## ask the advisory service about every pinned version; needs the open internet
	$(INSTALL) '.[audit]'
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

clean:
	rm -rf $(VENV) .opsmetrics
