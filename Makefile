# Everything is installed into .venv (and .venv-outflow for the real Outflow that the tests run).

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test check format lint types contracts wheel bench soak screenshots man clean

help:
	@echo "make demo         a pipeline that records itself, and the monitor on it"
	@echo "make test         all tests, those against PostgreSQL and real Outflow among them"
	@echo "make check        format, lint, types, import contracts, tests, wheel"
	@echo "make bench        the figures of the README, as ratios to bare programs (FIGURES='tick diff': those)"
	@echo "make soak         what must harm nobody, for longer than in the tests (SOAK=10: ten times as long)"
	@echo "make screenshots  the pictures of the README, and those the tests compare"
	@echo "make man          the manual pages, from what the programs understand"

.make/venv: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@mkdir -p .make && touch $@

.make/outflow: Makefile
	$(PYTHON) -m venv .venv-outflow
	.venv-outflow/bin/python -m pip install --quiet 'outflow==0.9.2' 'SQLAlchemy<2' psycopg2-binary 'setuptools<81'
	@mkdir -p .make && touch $@

setup: .make/venv

demo: .make/venv
	@$(BIN)/python examples/demo.py

test: .make/venv .make/outflow
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

format: .make/venv
	$(BIN)/ruff format --check .

lint: .make/venv
	$(BIN)/ruff check .

types: .make/venv
	$(BIN)/mypy

contracts: .make/venv
	$(BIN)/lint-imports --no-cache

wheel: .make/venv
	$(BIN)/python -m build --outdir dist .

check: format lint types contracts test wheel

bench: .make/venv .make/outflow
	$(BIN)/python -m benchmarks $(FIGURES) --json dist/figures.json

soak: .make/venv .make/outflow
	@mkdir -p dist
	OUTFLOW_SOAK=$(or $(SOAK),10) $(BIN)/python -m pytest tests/soak --tally dist/soak.json

screenshots: .make/venv
	$(BIN)/python screenshots/make.py

man: .make/venv
	$(BIN)/outflow-tui man outflow-tui > docs/man/outflow-tui.1
	$(BIN)/outflow-tui man outflow-db > docs/man/outflow-db.1

clean:
	rm -rf .make .venv .venv-outflow dist
