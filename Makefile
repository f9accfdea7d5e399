# Two commands matter: `make demo` and `make test`. Both set up everything they need.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# --no-compile: Python compiles what is used when it is first used, which halves the installation.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile --constraint constraints.txt

.PHONY: demo up test soak check packages clean

demo: $(VENV)/.installed
	@$(BIN)/galvanod demo $(ARGS)

up: $(VENV)/.installed
	@$(BIN)/galvanod up $(ARGS)

test: $(VENV)/.installed-test packages
	@tests/run $(BIN)/python $(ARGS)

# Hours of kills and faults, the long system tests, and examples nobody has tried; see tests/soak.
soak: $(VENV)/.installed-test packages
	GALVANOD_SOAK=1 $(BIN)/python -m pytest tests/soak tests/system tests/chaos tests/protocols tests/drivers tests/simulators -s $(ARGS)

# What every commit must pass.
check: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@tests/run $(BIN)/python -q $(ARGS)

# Debian packages that some tests need; without them those tests are skipped, and say so.
packages:
	@tests/packages mosquitto chromium postgresql

clean:
	rm -rf $(VENV) build dist *.egg-info

$(BIN)/python:
	@tests/packages --for-venv $(PYTHON)
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing galvanod and what it needs into $(VENV)" >&2
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "installing the test tools into $(VENV)" >&2
	@$(INSTALL) --editable '.[test,clients]'
	@touch $@
