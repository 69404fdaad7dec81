# Two commands: `make run` starts everything, `make test` tests it. Both install what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUN_READY := $(VENV)/.ready-run
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
  --python-version 3.11
LOCK = $(COMPILE) pyproject.toml
PEERS_LOCK = $(COMPILE) benchmarks/peers/requirements.in

# Compiled modules are kept: without them every process, and every test run, compiles them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run dev test unit fuzz-api kill-processes machines mutants check lint types docs examples demo bench lock clean

run: $(RUN_READY)
	@$(BIN)/trackrecord up

# As `run`, and starts everything again whenever a Python file of the product changes.
dev: $(READY)
	@$(BIN)/watchfiles --filter python --sigint-timeout 60 --ignore-paths tests,benchmarks,tools,$(VENV) \
	  "$(BIN)/trackrecord up" .

# In two processes side by side, because one takes too long; what the second one says is shown at the end.
HALF := $(addprefix tests/,api audit commands domain projections security)
IN_TWO = half=$$(mktemp); $(1) $(HALF) >$$half 2>&1 & trap "kill $$!" INT TERM; \
	$(1) $(addprefix --ignore=,$(HALF)); rest=$$?; \
	wait $$!; code=$$?; cat $$half; rm $$half; exit $$((code + rest))

test: check
	@$(call IN_TWO,$(BIN)/python -m pytest)

# Temporary files are kept in memory where that is possible: no unit test is about a real disk.
UNIT = $(BIN)/python -m pytest -q -m "not servers and not acceptance" --hypothesis-profile=quick
unit: $(READY)
	@export TMPDIR=$$(test -w /dev/shm && echo /dev/shm || echo "$$TMPDIR"); $(call IN_TWO,$(UNIT))

# Generated requests to a real server, other ones each time: 15 minutes, or what FUZZ_EXAMPLES asks for.
fuzz-api: $(READY)
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-100} FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} \
	  $(BIN)/python -m pytest tests/fuzzing

# Kills each of eight processes every few seconds for a minute, while customers work, and reads 10,000
# writes at the other API process; not part of CI, which does so for a few seconds.
kill-processes: $(READY)
	ROUNDS_OF_KILLS=$${ROUNDS_OF_KILLS:-8} PAIRS=$${PAIRS:-10000} \
	  $(BIN)/python -m pytest -o faulthandler_timeout=0 tests/acceptance/killing/test_many_processes.py

# Tries many more stories with each state machine than CI does, a minute for each of them.
machines: $(READY)
	MACHINE_EXAMPLES=$${MACHINE_EXAMPLES:-1000} $(BIN)/python -m pytest --timeout=0 \
	  tests/commands/machines tests/commands/test_machine.py tests/commands/test_machine_of_tasks.py \
	  tests/commands/test_people_machine.py

# Changes the rules one at a time and names the changes that no test notices; not part of CI.
mutants: $(READY)
	$(BIN)/python -m tools.mutants

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

# Records what tests compare with: the stored form of each new event, the shape of each new version of
# a read model, and the examples of the API's description, from the exchanges of its tests.
examples: $(READY)
	$(BIN)/python -m tests.eventstore.examples
	$(BIN)/python -m tests.projections.test_fingerprints
	RECORD_EXAMPLES=1 $(BIN)/python -m pytest -q tests/commands/work/test_status_table.py tests/api \
	  --ignore tests/api/test_examples.py
	$(BIN)/python -m tools.catalog openapi.json http.md

demo: $(RUN_READY)
	@$(BIN)/trackrecord demo

bench: $(READY)
	$(BIN)/python -m benchmarks

# What is installed is exactly what a lock names, checked by hash: requirements-run.lock holds what
# the product runs on, requirements.lock the development tools as well. Nothing is compiled ahead:
# Python compiles the few modules that are imported, and most never are.
$(RUN_READY): requirements-run.lock pyproject.toml | $(BIN)/python
	@echo "installing what the product runs on (once) ..."
	@$(PIP) --no-compile --require-hashes -r requirements-run.lock
	@$(PIP) --no-compile --no-deps --no-build-isolation -e .
	@touch $(RUN_READY)

$(READY): requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing the locked dependencies (once) ..."
	@$(PIP) --no-compile --require-hashes -r requirements.lock
	@$(PIP) --no-compile --no-deps --no-build-isolation -e .
	@touch $(READY) $(RUN_READY)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Trackrecord needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || $(PYTHON) -m virtualenv $(VENV) || \
	  { rm -rf $(VENV); echo "Python has no venv module here: apt-get install python3-venv"; exit 1; }

lock: $(READY)
	$(LOCK) --extra embedded --extra build -o requirements-run.lock
	$(LOCK) --all-extras -c requirements-run.lock -o requirements.lock
	$(PEERS_LOCK) -o benchmarks/peers/requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
