# The habits of the house, one word each. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
SHARED ?= ../shared
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE ?=
.PHONY: help demo demo-check test lint format bench bench-cql bench-immunizations conformance docs truth pins clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 24

# One stamp file per requirements file: the environment is rebuilt only when a pin changes.
$(VENV)/.runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gapsvc needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "installing the pinned tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt --requirement requirements-dev.txt
	@touch $@

demo: $(VENV)/.runtime ## sandbox EHR -> pull -> evaluate -> gaps, and leave the service running (DATA=folder for your own NDJSON)
	@$(BIN)/python -m gapsvc demo $(if $(DATA),--data $(DATA))

demo-check: $(VENV)/.runtime ## the same, then exit
	@$(BIN)/python -m gapsvc demo --exit $(if $(DATA),--data $(DATA))

test: $(VENV)/.dev ## every test (those of PostgreSQL and of pages in Chromium too, where they can be had)
	@scripts/with-postgres.sh scripts/with-chromium.sh $(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(VENV)/.dev ## format, style, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --project pyproject.toml
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

format: $(VENV)/.dev ## rewrite to the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.runtime ## figures: ingest, evaluation, care-gaps (printed, never asserted)
	@$(BIN)/python -m benchmarks

bench-cql: $(VENV)/.runtime ## figures of the CQL engine: a measure of the size of CMS117, start-up, single clauses
	@$(BIN)/python -m benchmarks.cql $(ARGS)

bench-immunizations: $(VENV)/.runtime ## figures of the immunization engine: a child with 25 doses, the schedule's load
	@$(BIN)/python -m benchmarks.immunizations $(ARGS)

conformance: $(VENV)/.runtime ## HL7's CQL cases and CDC's CDSi cases, where ../shared (or SHARED=folder) has them
	@for engine in compiled reference; do echo "CQL, $$engine:"; \
	  $(BIN)/python -m cql_like conformance --engine $$engine $(SHARED)/conformance/cql/*.xml | tail -1; done
	@$(BIN)/python -m gapsvc forecast --conformance $(SHARED)/conformance/cdsi/*.jsonl | grep agree

docs: $(VENV)/.dev ## write docs/cql from the spec tests, docs/visits.md and VisitSchedule.cql from the visit schedule, docs/measures/cases.md
	@$(BIN)/python scripts/make_cql_docs.py
	@$(BIN)/python -m scripts.list_cases
	@$(BIN)/python scripts/make_visit_schedule.py

truth: $(VENV)/.runtime ## every evaluated gap of 21,000 sandbox children against their planned truth
	@$(BIN)/python -m scripts.check_truth $(ARGS)

pins: $(VENV)/.dev ## rewrite requirements*.txt from requirements*.in
	$(BIN)/pip-compile -q --strip-extras --no-annotate --no-emit-find-links --no-header -o requirements.txt requirements.in
	$(BIN)/pip-compile -q --strip-extras --no-annotate --no-emit-find-links --no-header -o requirements-dev.txt requirements-dev.in

clean: ## remove the environment and local state
	rm -rf $(VENV) var .pytest_cache .ruff_cache .hypothesis
