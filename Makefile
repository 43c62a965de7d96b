# Every target works in a fresh clone: what is missing is installed first, into .venv.
# `make quickstart ARGS=--once` passes arguments on; VENV and PYTHON can be set on the command line.

SHELL := /bin/bash
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
FOLDERS := actions cli core ingestion_sources local_hub recipes search_service
EXTRAS := actions,dev,local,postgres,qdrant,search

export DATAHUB_TELEMETRY_ENABLED := false

.DEFAULT_GOAL := help
.PHONY: help install lint format typecheck test test-fast build quickstart openapi clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(STAMP) ## Create .venv with everything that development and the quickstart need

$(STAMP): pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else f"Cannot install: {sys.executable} is Python {v[0]}.{v[1]}. Set PYTHON to a Python 3.11.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (about two minutes the first time) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade 'pip>=24' 'setuptools>=77'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@$(BIN)/dataspoke model fetch
	@touch $(STAMP)

lint: install ## Check style (ruff) and the arrows of the design (import-linter)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

format: install ## Rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Type checkers do not follow the editable install's import hook: give mypy a folder of links.
typecheck: install ## Check types (mypy --strict)
	@mkdir -p .typing/dataspoke
	@for folder in $(FOLDERS); do ln -sfn ../../$$folder .typing/dataspoke/$$folder; done
	$(BIN)/mypy

test: install ## Run all tests
	$(BIN)/pytest $(ARGS)

test-fast: install ## Run the tests that start no long-lived processes
	$(BIN)/pytest -m 'not slow' $(ARGS)

build: install ## Build the sdist and the wheel into dist/
	rm -rf build dist
	$(BIN)/python -m build

quickstart: install ## Run the main job on a book-shop warehouse: DataHub-compatible hub, ingestion, search
	$(BIN)/dataspoke quickstart $(ARGS)

openapi: install ## Write docs/openapi.json from the search service
	$(BIN)/python -m dataspoke.search_service.openapi docs/openapi.json

clean: ## Remove what the targets made, but not .venv
	rm -rf build dist .typing .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
