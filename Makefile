# Every target does its own set-up: Python 3.11 or newer and make are all that has to be there.
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

.PHONY: help study test test-slow lint docs bench clean

help:
	@echo "make study      install, run the default study and print where its report lies"
	@echo "make test       install and run the tests that take seconds"
	@echo "make test-slow  run the tests that take minutes"
	@echo "make lint       ruff check and ruff format --check"
	@echo "make docs       build docs/_build/html; a warning is an error"
	@echo "make bench      compiled kernels beside the peers that are installed, quick form (minutes)"
	@echo "make clean      remove the environments and everything built"
	@echo "PYTHON=python3.12 chooses the interpreter, WORKERS=4 the test processes"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "remission needs Python 3.11 or newer; '$(PYTHON)' is `$(PYTHON) --version 2>/dev/null || echo not there`." >&2; \
	  echo "Name a newer one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "'$(PYTHON)' cannot make environments; Debian and Ubuntu keep that part in python3-venv." >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# A failed installation leaves no stamp, so the next call tries again.
$(VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	@echo "installing remission and its dependencies into $(VENV) (about a minute)"
	@$(PIP) --editable ".[test]"
	@touch $@

$(VENV)/.with-lint: $(VENV)/.installed
	@$(PIP) --editable ".[lint]"
	@touch $@

$(VENV)/.with-docs: $(VENV)/.installed
	@$(PIP) --editable ".[docs]"
	@touch $@

study: $(VENV)/.installed
	$(BIN)/remission study

test: $(VENV)/.installed
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/.installed
	$(PYTEST) -m slow

lint: $(VENV)/.with-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: $(VENV)/.with-docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# The quick form: minutes, peers as far as they are installed (benchmarks/README.md says how to get them).
bench: $(VENV)/.installed
	$(BIN)/python benchmarks/ode.py --quick

clean:
	rm -rf .venv .venv-plain build dist *.egg-info docs/_build docs/generated docs/gallery docs/tutorials/figures docs/how-to/figures .pytest_cache .ruff_cache
	find models solvers analysis remission tests docs -name __pycache__ -prune -exec rm -rf {} +
