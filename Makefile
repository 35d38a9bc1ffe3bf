# `make demo`, `make test` and `make check` each set up what they need in .venv; a machine needs Python 3.11+ and make.

PORT ?= 8000
DATA_DIR ?= $(or $(MYMOOLAH_DATA_DIR),.data)
PYTEST_ARGS ?=
LOAD ?=
# Tests run on this many cores at most; each worker has databases of its own.
PYTEST_WORKERS ?= 4
# The Python that .venv is made with; by default the first of these that is new enough.
PYTHON ?= python3 python3.13 python3.12 python3.11 python3.14

VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
# Locust has a folder of its own: see requirements-load.txt.
INSTALLED_LOAD := $(VENV)/load/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check load screenshots format migrations constraints clean

help: ## Say what each target does
	@sed -n 's/^\([a-z]*\):.*## /make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(INSTALLED) ## Run everything on this machine until Ctrl-C (PORT=8000 DATA_DIR=.data)
	@exec $(RUN) manage.py demo --port "$(PORT)" --data-dir "$(DATA_DIR)"

test: $(INSTALLED_DEV) ## Run all tests (PYTEST_ARGS="-k wallet" for some)
	@exec $(RUN) -m pytest -n logical --maxprocesses $(PYTEST_WORKERS) $(PYTEST_ARGS)

check: $(INSTALLED_DEV) ## Check format, lint, types, imports, migrations, SQL and deployment files
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	$(RUN) manage.py makemigrations --check --dry-run
	$(VENV)/bin/sqlfluff lint --disable-progress-bar $(wildcard */sql */*/sql)
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

load: $(INSTALLED) $(INSTALLED_LOAD) ## Play a day of a million customers (LOAD="--rate 300 --kill postgres"; PORT, DATA_DIR)
	@exec $(RUN) -m tests.load.day --port "$(PORT)" --data-dir "$(DATA_DIR)" $(LOAD)

screenshots: $(INSTALLED_DEV) ## Take the pictures of docs/back-office.md again (Chromium)
	$(RUN) -m tests.browser.take_screenshots

format: $(INSTALLED_DEV) ## Put the code into the house's format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

migrations: $(INSTALLED_DEV) ## Write migrations for changed models
	$(RUN) manage.py makemigrations
	$(VENV)/bin/ruff format --quiet ./*/migrations

constraints: $(RUN) ## Pin again what the requirements pull in
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
	$(RUN) -m venv "$$fresh" && \
	"$$fresh/bin/python" -m pip install --disable-pip-version-check --requirement requirements-dev.txt && \
	{ echo '# Every package that requirements-dev.txt brings, by `make constraints`.'; \
	  "$$fresh/bin/python" -m pip freeze; } > constraints.txt

clean: ## Remove .venv and caches; the data folder stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis static
	find . -path './.data*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# A .venv that was left half made (it has no pip) is made again.
define install
	@$(RUN) -m pip --version >/dev/null 2>&1 || { rm -f $(RUN); $(MAKE) --no-print-directory $(RUN); }
	@echo "Installing what $(1) lists; the first time takes a few minutes."
	@$(RUN) -m pip install --disable-pip-version-check --constraint constraints.txt --requirement $(1)
endef

$(INSTALLED): $(RUN) requirements.txt constraints.txt
	$(call install,requirements.txt)
	@touch $@

$(INSTALLED_DEV): $(RUN) requirements.txt requirements-otel.txt requirements-dev.txt constraints.txt
	$(call install,requirements-dev.txt)
	@touch $(INSTALLED) $@

$(INSTALLED_LOAD): $(RUN) requirements-load.txt
	@$(RUN) -m pip install --disable-pip-version-check --upgrade --target "$(@D)" --requirement requirements-load.txt
	@touch $@

# Debian's Python comes without ensurepip unless python3-venv is installed; virtualenv serves as well.
$(RUN):
	@found=; \
	for python in $(PYTHON); do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    found=$$python; \
	    for maker in ensurepip virtualenv; do \
	        "$$python" -c "import $$maker" 2>/dev/null || continue; \
	        echo "Making $(VENV) with $$("$$python" --version)."; \
	        exec "$$python" -m "$$(echo $$maker | sed s/ensurepip/venv/)" --clear $(VENV); \
	    done; \
	done; \
	if [ -n "$$found" ]; then \
	    echo "$$found cannot make virtual environments: install python3-venv (apt-get install python3-venv) or virtualenv." >&2; \
	else \
	    echo "MyMoolah needs Python 3.11 or newer, and none of these is: $(PYTHON)." >&2; \
	    echo "Install one, or name yours: make PYTHON=/path/to/python3 ..." >&2; \
	fi; \
	exit 1
