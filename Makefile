# alertd: two commands, `make quick` and `make test`; `make help` lists the rest. The logic is in scripts/.
PYTHON ?=
VENV ?= .venv
ONCE ?=
ARGS ?=
export PYTHON VENV

bin := $(VENV)/bin
once := $(if $(filter-out 0,$(ONCE)),--once)

.PHONY: help demo quick test bench fuzz lock install clean \
	quick-lint quick-format quick-types quick-imports quick-tests
.DEFAULT_GOAL := help

help:
	@echo 'make demo              run the simulated school; Ctrl-C stops it; ONCE=1 plays one story and exits'
	@echo 'make quick             style, types, imports and the quick tests: before every commit'
	@echo 'make test              quick, and every slow test; installs the system packages they need, if it may'
	@echo 'make bench             run the benchmarks and print their figures'
	@echo 'make fuzz              a million mutated payloads; with atheris (pip install atheris) guided by coverage, too'
	@echo 'make lock              pin the dependencies anew (UPGRADE=1: to the newest versions)'
	@echo 'make clean             remove .venv, .cache and build output'
	@echo 'Settings: PYTHON=python3.13 (3.11 or newer)  VENV=.venv  ARGS="..." (more arguments for demo, bench)'

# Ctrl-C (130) is how a demo ends: the trap keeps make from calling it an error. Every other code is the simulator's own.
demo:
	@scripts/install.sh demo
	@trap : INT; $(bin)/alertd-sim demo $(once) $(ARGS) || \
		{ code=$$?; [ $$code -eq 130 ] && [ -z '$(once)' ] || exit $$code; }

install:
	@scripts/install.sh dev

# Five checks side by side; the output of each stays in one piece, and one failure does not hide another.
quick: install
	@$(MAKE) --no-print-directory --jobs=5 --keep-going --output-sync=target \
		quick-lint quick-format quick-types quick-imports quick-tests
	@echo 'quick: all passed'

quick-lint:
	@$(bin)/ruff check --quiet

quick-format:
	@$(bin)/ruff format --check --quiet || { echo 'run: $(bin)/ruff format'; exit 1; }

quick-types:
	@$(bin)/mypy --no-error-summary

quick-imports:
	@scripts/imports.sh

quick-tests:
	@scripts/quick-tests.sh

test:
	@scripts/test.sh

bench: install
	@$(bin)/pytest -m bench -n 0 -s --timeout=0 $(ARGS)

fuzz: install
	@$(bin)/python -m tests.fuzz.run $(ARGS)
	@$(bin)/python -m tests.fuzz.by_coverage

lock:
	@scripts/lock.sh

clean:
	rm -rf $(VENV) .cache build dist .hypothesis .pytest_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
