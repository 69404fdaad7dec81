# Two commands: `make run` starts everything, `make test` proves it. Both install what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test unit check lint types docs demo bench lock clean

run: $(READY)
	@$(BIN)/trackrecord up

test: check
	$(BIN)/python -m pytest

unit: $(READY)
	$(BIN)/python -m pytest -m "not servers and not acceptance"

check: lint types

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy .
	$(BIN)/pyright

docs: $(READY)
	$(BIN)/python -m tools.catalog

demo: $(READY)
	@$(BIN)/trackrecord demo

bench: $(READY)
	$(BIN)/python -m benchmarks

# What is installed is exactly what requirements.lock names, checked by hash.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Trackrecord needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || $(PYTHON) -m virtualenv $(VENV) || \
	  { rm -rf $(VENV); echo "Python has no venv module here: apt-get install python3-venv"; exit 1; }
	@echo "installing the locked dependencies (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --all-extras --python-version 3.11 pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
