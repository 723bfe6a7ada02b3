# Everything sets itself up in .venv: Python 3.11 and make are all that must be there.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test soak bench lint docs gallery wheel lock clean
.DEFAULT_GOAL := help

help:              ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/ready: requirements.lock tests/duckdb-1.5.5.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade \
		--target .venv/duckdb-1.5.5 --requirement tests/duckdb-1.5.5.lock
	@touch $@

demo: .venv/ready  ## a ledger, its positions and one page, from the announced deployments of 2025 and 2026
	$(BIN)/quotaledger demo --out demo

lint: .venv/ready  ## style, types and the import arrow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

test: lint         ## lint, then every test
	$(BIN)/python -m pytest

soak: .venv/ready  ## what takes long: 200 kills at random moments, 200 random histories with crashes between any two steps
	$(BIN)/python -m pytest tests/faults --kills 200
	$(BIN)/python -m tests.simulator --seeds 200

bench: .venv/ready  ## what the ledger costs, as ratios to floors measured in the same run; writes benchmarks.json; BENCH=--large for more
	$(BIN)/python -m tests.benchmarks $(BENCH)

docs: .venv/ready  ## write docs/views.md, docs/questions.md, the notebook, docs/hostile-sql.md and schemas/openapi.json
	$(BIN)/python -m tests.dictionary
	$(BIN)/python -m tests.questions
	$(BIN)/python -m tests.sandbox.page
	$(BIN)/python -m tests.openapi

gallery: .venv/ready ## write docs/gallery.md and its pictures of the reports, with /usr/bin/chromium
	$(BIN)/python -m tests.gallery

wheel: .venv/ready ## dist/quotaledger-VERSION-py3-none-any.whl, which pip installs anywhere
	$(BIN)/hatchling build --target wheel

lock: .venv/ready  ## pin every dependency anew
	$(BIN)/pip-compile --quiet --strip-extras --extra dev --extra maps --extra pandas --allow-unsafe --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --output-file requirements.lock pyproject.toml
	echo duckdb==1.5.5 | $(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --output-file tests/duckdb-1.5.5.lock -

clean:             ## remove what the targets made
	rm -rf .venv demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
