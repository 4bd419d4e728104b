# make venv        a virtual environment with everything, in .venv
# make demo        the whole way on a synthetic movie, or: make demo MOVIE=movie.tif MASKS=masks.tif OUT=folder
# make test        every check: style, types, architecture, documentation, tests
# make docs        the documentation as web pages, in docs/_build, its pictures taken anew from the real window
# make web-pages   the same with the pictures as they are
# make test-pyside6 the window's tests with PySide6, in .venv-pyside6
# make screenshot  the pictures of the documentation and of README alone
# make bench       timings

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo test lint types architecture test-core test-gui test-pyside6 system-packages docs docs-pages web-pages screenshot bench clean

PYTHON ?= python3
VENV ?= .venv
PYSIDE ?= .venv-pyside6
OUT ?= demo-result
MOVIE ?=
MASKS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.docs-installed
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d%d" % sys.version_info[:2])' 2>/dev/null)
CONSTRAINTS := $(wildcard constraints/py$(VERSION).txt)

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

venv: $(STAMP)

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo not there); say e.g. make venv PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e ".[all]" --group dev
	touch $@

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) --group docs
	touch $@

demo: $(STAMP)
	$(BIN)/napari-tap-events demo $(if $(MOVIE),"$(MOVIE)") $(if $(MASKS),--masks "$(MASKS)") --out "$(OUT)" --resume

test: lint types architecture web-pages test-core test-gui

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

architecture: $(STAMP)
	$(BIN)/lint-imports

# two tests at a time, each with one thread
test-core: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not gui" -n 2 --no-xvfb

# the same, each process on a screen that nobody sees
test-gui: $(STAMP) system-packages
	OMP_NUM_THREADS=1 LP_NUM_THREADS=1 $(BIN)/pytest -m gui -n 2

# the window's tests on the other Qt binding; PySide6 6.12 loses count of None on Python 3.11 and crashes in napari itself
test-pyside6: pyproject.toml $(CONSTRAINTS) system-packages
	test -x $(PYSIDE)/bin/python || $(PYTHON) -m venv $(PYSIDE)
	$(PYSIDE)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(PYSIDE)/bin/python -m pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e ".[pyside6,report,eval,video,io,plots]" "pyside6<6.11" --group dev
	QT_API=pyside6 OMP_NUM_THREADS=1 LP_NUM_THREADS=1 $(PYSIDE)/bin/python -m pytest -m gui -n 2 -o qt_api=pyside6

system-packages:
	@scripts/system-packages.sh

docs: docs-pages screenshot web-pages
	@echo "docs/_build/index.html"

# the pages that the program writes about itself
docs-pages: $(STAMP)
	$(BIN)/python docs/command_line.py
	$(BIN)/python docs/settings_page.py

web-pages: $(DOCS_STAMP)
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build

# drives the real window through the whole work: some minutes
screenshot: $(STAMP) system-packages
	scripts/with-display.sh $(BIN)/python docs/screenshots.py

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf "$(VENV)" build dist
