# Two words are enough: `make demo` and `make test`. Both set up what they need in .venv; a second call is instant.

VENV    := .venv
BIN     := $(VENV)/bin
# Official clients of Azure Batch, each in an environment of its own, as their users have them.
CLIENTS := .clients
# More than there are processors: tests wait for processes, clouds and clocks about as long as they compute.
WORKERS ?= 3
# The tests start thousands of processes, and each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# --no-compile: modules are compiled when first imported; that is a fraction of the tree
PIP      = PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile

.PHONY: demo test check lint types layers pytest acceptance clients bench simulate-faults docs screenshots fix clean system-parts help
.DEFAULT_GOAL := help

help:
	@echo "make demo    two occurrences of examples/recurrent on this machine: a pool goes 0 -> 1 -> 0 nodes twice"
	@echo "make test    lint, types, layers and all tests"
	@echo "make check   lint, types and layers only"
	@echo "make acceptance  the official clients of Azure Batch (two SDKs, the Azure CLI, npm) at \`ebbtide serve\`; 0.5 GB"
	@echo "make bench   tasks a second beside other ways to run a command on a node, formulas beside Python by hand, ..."
	@echo "make simulate-faults SEEDS=n  the controller in n storms of faults; JOBS=2 processes, TO=file goes on where it"
	@echo "             was cut off, SEED=7 tells one story, with as few incidents as it takes if it fails"
	@echo "make docs    write the reference of the formula language into docs/"
	@echo "make screenshots  take the pictures of reports in docs/images again; needs Chromium"
	@echo "make fix     let ruff mend what it can"
	@echo "make clean   remove everything that make made"

demo: $(VENV)/runtime
	@examples/recurrent/demo.sh $(abspath $(BIN))/ebbtide .demo

test: system-parts check pytest

check: lint types layers

lint: $(VENV)/dev
	@$(BIN)/ruff check --quiet .

types: $(VENV)/dev
	@$(BIN)/mypy

layers: $(VENV)/dev
	@report=$$($(BIN)/lint-imports --no-cache --no-logo 2>&1) || { echo "$$report"; exit 1; }

pytest: $(VENV)/dev clients
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

acceptance: $(VENV)/dev clients $(CLIENTS)/az/made $(CLIENTS)/npm/made
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests/acceptance

# The two SDKs are small, and belong to `make test`; the Azure CLI is not.
clients: $(CLIENTS)/sdk15/made $(CLIENTS)/sdk14/made

bench: $(VENV)/bench system-parts
	@$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY)) $(ARGS)

simulate-faults: $(VENV)/dev
	@$(BIN)/python -m tests.simulation $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(TO),--to $(TO)) \
		$(if $(SEED),--seed $(SEED)) $(ARGS)

docs: $(VENV)/dev
	@$(BIN)/python -m tests.architecture.write_reference

screenshots: $(VENV)/dev
	@$(BIN)/python -m tests.architecture.write_screenshots >/dev/null

fix: $(VENV)/dev
	@$(BIN)/ruff check --fix .

clean:
	@if [ -d .demo ] && [ -x $(BIN)/ebbtide ]; then $(BIN)/ebbtide down --state .demo --now; fi
	rm -rf $(VENV) $(CLIENTS) .demo .bench build dist .import_linter_cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The tests start an OpenSSH server of their own (never a service); without one they say which tests are skipped.
system-parts:
	@.ci/system-parts

$(VENV)/python: .ci/venv
	@.ci/venv $(VENV) $(PYTHON)
	@touch $@

$(VENV)/runtime: $(VENV)/python pyproject.toml constraints.txt
	@echo "Setting up $(VENV) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/dev: $(VENV)/python pyproject.toml constraints.txt
	@echo "Setting up $(VENV) with the development tools ..."
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/runtime

$(VENV)/bench: $(VENV)/dev
	@echo "Setting up $(VENV) with what the benchmarks compare with ..."
	@$(PIP) -e '.[bench]'
	@touch $@

$(CLIENTS)/npm/made: tests/acceptance/npm/package.json
	@mkdir -p $(@D)
	@cp $< $(@D)/package.json
	@npm install --silent --no-audit --no-fund --no-package-lock --prefix $(@D)
	@touch $@

$(CLIENTS)/%/made: tests/acceptance/requirements/%.txt .ci/venv
	@echo "Setting up $(@D), an official client of Azure Batch ..."
	@.ci/venv $(@D) $(PYTHON)
	@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-compile -r $<
	@touch $@
