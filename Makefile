# Everything is installed into .venv (and .venv-outflow for the real Outflow that the tests run).

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test check format lint types contracts locked wheel bench figures soak screenshots man lock audit clean

help:
	@echo "make demo         a pipeline that records itself, and the monitor on it"
	@echo "make test         all tests, those against PostgreSQL and real Outflow among them"
	@echo "make check        format, lint, types, import contracts, what is installed, tests, wheel"
	@echo "make bench        the figures of the README, as ratios to bare programs (FIGURES='tick diff': those)"
	@echo "make figures      the same, written into the README"
	@echo "make soak         what must harm nobody, for longer than in the tests (SOAK=10: ten times as long)"
	@echo "make screenshots  the pictures of the README, and those the tests compare"
	@echo "make lock         requirements.lock anew, with the newest versions that pyproject.toml allows"
	@echo "make audit        known holes in what is locked; asks an advisory database, so it is no part of check"
	@echo "make man          the manual pages, from what the programs understand"

.make/venv: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@mkdir -p .make && touch $@

OUTFLOW := tests/real_outflow/requirements

.make/outflow: $(OUTFLOW).lock
	$(PYTHON) -m venv .venv-outflow
	.venv-outflow/bin/python -m pip install --quiet --require-hashes --requirement $<
	@mkdir -p .make && touch $@

.make/tools:
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/python -m pip install --quiet uv pip-audit
	@mkdir -p .make && touch $@

LOCKED := --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-annotate --upgrade --quiet

lock: .make/tools
	.venv-tools/bin/uv pip compile $(LOCKED) --custom-compile-command 'make lock' --extra dev pyproject.toml -o requirements.lock
	.venv-tools/bin/uv pip compile $(LOCKED) --custom-compile-command 'make lock' $(OUTFLOW).in -o $(OUTFLOW).lock

audit: .make/tools
	@.venv-tools/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock \
		|| { echo "make audit: holes are listed above, or else the advisory database could not be asked: no audit." >&2; exit 1; }

setup: .make/venv

demo: .make/venv
	@$(BIN)/python examples/demo.py

# one process more than there are processors: many tests wait
test: .make/venv .make/outflow
	$(BIN)/python -m pytest --numprocesses $$(($$(nproc) + 1)) --maxprocesses 4 --dist worksteal

format: .make/venv
	$(BIN)/ruff format --check .

lint: .make/venv
	$(BIN)/ruff check .

types: .make/venv
	$(BIN)/mypy

contracts: .make/venv
	$(BIN)/lint-imports --no-cache

locked: .make/venv
	$(BIN)/python -m pip check

wheel: .make/venv
	$(BIN)/python -m build --no-isolation --outdir dist .

check: format lint types contracts locked test wheel

bench: .make/venv .make/outflow
	$(BIN)/python -m benchmarks $(FIGURES) --json dist/figures.json

figures: bench
	$(BIN)/python -m benchmarks.quoted dist/figures.json

soak: .make/venv .make/outflow
	@mkdir -p dist
	OUTFLOW_SOAK=$(or $(SOAK),10) $(BIN)/python -m pytest tests/soak tests/hostile tests/faults tests/core/test_changes.py tests/core/test_journal.py \
		--timeout 0 --tally dist/soak.json

screenshots: .make/venv
	$(BIN)/python screenshots/make.py

man: .make/venv
	$(BIN)/outflow-tui man outflow-tui > docs/man/outflow-tui.1
	$(BIN)/outflow-tui man outflow-db > docs/man/outflow-db.1

clean:
	rm -rf .make .venv .venv-outflow dist
