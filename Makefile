# `make` alone prints the targets.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))) python3)
VENV := .venv
BIN := $(VENV)/bin
# Locks carry hashes; addresses of registries come from the machine, never from here.
SYNC := $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11 --universal --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo up test check lint contracts bench lock clean

help: ## Print the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.run ## Start everything, do the main job on a demo region, stay up (ARGS=--once stops by itself)
	@$(BIN)/opora demo $(ARGS)

up: $(VENV)/.run ## Start the system without demo data
	@$(BIN)/opora up $(ARGS)

test: $(VENV)/.dev ## Run every test
	@$(BIN)/python -m pytest $(ARGS)

check: lint test ## Format, lint, types, import rules, tests: what CI runs

lint: $(VENV)/.dev ## Format, lint, types and import rules only
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

contracts: $(VENV)/.run ## Write openapi/*.json from the code
	@$(BIN)/opora contracts

bench: $(VENV)/.dev ## Measure speed and memory as ratios
	@$(BIN)/python -m bench $(ARGS)

lock: $(VENV)/.uv ## Resolve requirements*.in into the hashed locks
	@$(COMPILE) bootstrap.in -o bootstrap.txt
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt

clean: ## Remove the environment and the demo data
	rm -rf $(VENV) .opora .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.uv: bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Нужен Python 3.11 или новее (PYTHON=/путь/к/python3 make ...)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Не удалось создать .venv: установите пакет python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.txt
	@touch $@

# The two environments are one venv: the development lock contains the running one.
$(VENV)/.run: $(VENV)/.uv requirements.txt pyproject.toml
	@if [ ! -e $(VENV)/.dev ]; then $(SYNC) requirements.txt && $(MAKE) --no-print-directory install; fi
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements-dev.txt pyproject.toml
	@$(SYNC) requirements-dev.txt && $(MAKE) --no-print-directory install
	@touch $@ $(VENV)/.run

.PHONY: install
install:
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q services gateway demo
