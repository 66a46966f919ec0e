# `make` alone lists what there is. ARGS is passed on: make run ARGS="--home ~/other"
MAKEFLAGS += --no-print-directory
# The whole suite runs as three processes, a file in one of them: most of it waits for real parts. In the order of the
# folders, for the long tests come before those of tests/unit, and nobody waits for the last of them.
PARALLEL = --numprocesses 3 --dist loadfile --no-loadscope-reorder
.DEFAULT_GOAL := help
.PHONY: help run demo setup test check format proto bench clean

help: ## this list
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' \
	  Makefile

##@ Use it
run: ## set everything up and start the whole system here; Ctrl-C stops it
	@scripts/setup runtime
	@exec .venv/bin/handrail up $(ARGS)

demo: ## play one synthetic person's story on the running system
	@scripts/setup runtime
	@.venv/bin/handrail demo $(ARGS)

##@ Change it
setup: ## make .venv with everything for development
	@scripts/setup dev

test: setup ## every check, then the whole test suite on real parts
	@scripts/check || checks=failed; \
	.venv/bin/python -m pytest $(or $(ARGS),$(PARALLEL)) || exit; \
	test -z "$$checks" || { echo "The tests passed, but a check above did not."; exit 1; }

check: setup ## formatting, lint, types, layers, spelling, generated code
	@scripts/check

format: setup ## format the Python code and put right what ruff can
	@.venv/bin/ruff check --fix-only
	@.venv/bin/ruff format

proto: setup ## generate the Python code of proto/ again
	@scripts/proto

bench: setup ## measure, and print one table
	@.venv/bin/python -m bench $(ARGS)

##@ Tidy
clean: ## remove .venv and every cache; people's data in .handrail stays
	@rm -rf .venv .setup.log .coverage* .hypothesis .*_cache dist build htmlcov
	@find . -name __pycache__ -not -path './.handrail/*' -prune -exec rm -rf {} +
