# The two commands that do all the set-up on a fresh machine: `make run` and `make test`.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin

.PHONY: run test lint check clean

run: $(VENV)/.run
	@for example in resume.txt skills.txt resume.pdf; do \
	  echo; echo "== matcher match data/examples/$$example --top 3"; \
	  $(BIN)/matcher match data/examples/$$example --top 3; \
	done

test: $(VENV)/.dev
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

SOURCES = pyproject.toml build_hook.py $(wildcard matcher/*.py api/*.py api/*.json data/catalog/*.toml data/catalog/facts/*.json models/encoder/*)

$(VENV)/.venv:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.venv $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt .
	@touch $@

$(VENV)/.dev: $(VENV)/.venv $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist
