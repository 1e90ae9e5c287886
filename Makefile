PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo check test lint style docs bench facility clean

# Each environment is made anew when what it installs has changed.
$(VENV)/.demo: pyproject.toml setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

INSTALL = sh tests/install_packages.sh $(BIN)/python

$(VENV)/.test: pyproject.toml packages/facility/pyproject.toml setup.py $(wildcard tests/install_*.sh)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable '.[test,lint,docs]' --editable 'packages/facility[test]'
	$(INSTALL) --editable '.[root]' || echo "ROOT is not to be had: its tests will skip"
	$(INSTALL) --editable '.[xrootd]' || echo "XRootD is not to be had: its tests will skip"
	sh tests/install_servers.sh || echo "servers are not to be had: their tests will skip"
	touch $@

demo: $(VENV)/.demo
	$(BIN)/python examples/demo.py build/demo

# As root with the system's Python, which the users' servers can run as well.
FACILITY_PYTHON ?= $(shell test "$$(id -u)" -eq 0 && command -v /usr/bin/python3 || echo $(PYTHON))
FACILITY_VENV ?= .venv-facility

$(FACILITY_VENV)/.facility: pyproject.toml packages/facility/pyproject.toml setup.py
	test -x $(FACILITY_VENV)/bin/python || $(FACILITY_PYTHON) -m venv $(FACILITY_VENV)
	$(FACILITY_VENV)/bin/python -m pip install --quiet --editable . --editable packages/facility
	touch $@

facility: $(FACILITY_VENV)/.facility
	$(FACILITY_VENV)/bin/flavorframe facility up

# Hundreds of processes import the packages: from their bytecode, whatever the environment says.
check test: export PYTHONDONTWRITEBYTECODE =

# What a change needs, in five minutes: style, and the tests that start and compile nothing.
check: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m pytest -n auto --dist loadgroup -m "not (root or servers or browser or slow)"

# One more than there are cores: much of the time tests wait for servers.
test: $(VENV)/.test
	$(BIN)/python -m pytest -n $$(($$(nproc) + 1)) --dist loadgroup

lint: $(VENV)/.test style

SCHEMA = $(BIN)/check-jsonschema --builtin-schema
style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SCHEMA) vendor.github-workflows .github/workflows/*.yml
	$(SCHEMA) vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(SCHEMA) vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA) vendor.citation-file-format CITATION.cff

docs: $(VENV)/.test
	$(BIN)/mkdocs build --strict

bench: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -m benchmarks

clean:
	rm -rf build $(VENV) $(FACILITY_VENV)
