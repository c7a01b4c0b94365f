# Inspector. `make` lists the targets; `make demo` and `make test` set up all they need.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint pytest test-frameworks wheel clean

BIN := .venv/bin
TRAIN_BIN := .venv-train/bin
# The version the example models were made with. PyTorch's own index has builds without CUDA,
# which are far smaller: `make test-frameworks TORCH=…`, or PIP_EXTRA_INDEX_URL, chooses another.
TORCH := torch==2.13.0
ARGS :=

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-16s %s\n", $$1, $$2}'
	@echo
	@echo 'ARGS="…" hands options on: make demo ARGS=--no-view, make pytest ARGS="-k scores".'
	@echo 'PYTHON=python3.12 chooses the interpreter of a new environment (3.10 or newer).'

setup:  ## make .venv with Inspector in it, and see to missing system libraries
	@tools/setup.sh .venv dev

demo: setup  ## the paper's first experiment: record, score, look
	@$(BIN)/inspector demo $(ARGS)

test: setup lint pytest  ## all checks and tests; needs no training framework

lint: setup  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

pytest: setup  ## the tests alone
	$(BIN)/python -m pytest --ignore=tests/frameworks $(ARGS)

test-frameworks:  ## what needs PyTorch, in its own environment .venv-train (large)
	@tools/setup.sh .venv-train dev,train $(TORCH)
	$(TRAIN_BIN)/python -m pytest tests/frameworks -m frameworks $(ARGS)

wheel: setup  ## build dist/*.whl and dist/*.tar.gz
	$(BIN)/python -m hatchling build

clean:  ## remove the environments and all that was built
	rm -rf .venv .venv-train dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find inspector tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
