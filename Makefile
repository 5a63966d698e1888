SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run serve test test-all check bench clean

# Loom's database and derived files; `make run` and `make serve` share them.
LOOM_DATA_DIR ?= $(CURDIR)/.loom
export LOOM_DATA_DIR
SAMPLES := .cache/samples
MEDIA ?= $(SAMPLES)
BENCH ?= ingest
BIN := .venv/bin
# A test file is never shared out: its fixtures are made once. Kept byte code spares each process a third of a minute.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile
READY := .venv/ready
READY_DEV := .venv/ready-dev

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: $(READY) $(if $(filter $(SAMPLES),$(MEDIA)),$(SAMPLES).made) ## ingest MEDIA=<folder>, by default sample media
	@$(BIN)/cortex ingest "$(MEDIA)" || [ $$? = 3 ]
	@echo "kept in $(LOOM_DATA_DIR); to see it: make serve, or"
	@echo "LOOM_DATA_DIR='$(LOOM_DATA_DIR)' $(BIN)/cortex failures (or show, operators, pipeline list)"

serve: $(READY) ## serve Loom over what make run has ingested
	@$(BIN)/loom serve --worker

test: check ## every check, and the tests that are quick
	@$(PYTEST) -m "not slow"

test-all: check ## every check, and every test
	@$(PYTEST)

check: $(READY_DEV) ## format, lint, types, import walls
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(READY_DEV) ## what is claimed about speed; BENCH=ingest, operators, bus, page or shm; ARGS="photos unchanged" for some of it
	@$(BIN)/python benchmarks/$(BENCH).py $(ARGS)

clean: ## take away .venv, samples and caches; what was ingested stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -d "$(LOOM_DATA_DIR)" ]; then echo "what was ingested stays in $(LOOM_DATA_DIR)"; fi

$(READY): pyproject.toml tools/setup.sh
	@sh tools/setup.sh
	@touch $@

$(READY_DEV): pyproject.toml tools/setup.sh tests/requirements-media.txt
	@sh tools/setup.sh dev
	@touch $(READY) $@

$(SAMPLES).made: tools/samples.py $(wildcard tools/mediakit/*.py) | $(READY)
	@mkdir -p .cache
	@$(BIN)/python tools/samples.py $(SAMPLES)
	@touch $@
