# Two commands do everything: make book, make test. Both make their own environment first.
# What a recipe does is in book/build.py, for machines without make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: book lab test notebooks site pdf times bench lock clean

book: notebooks site

lab: .venv/ready
	$(BIN)/jupyter lab --ServerApp.root_dir=$(CURDIR) --LabApp.default_url=/lab/tree/notebooks/01_the_question.ipynb

# A core for each of the two: with more threads BLAS waits for itself.
test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

notebooks: .venv/ready
	$(BIN)/python book/build.py notebooks

site: .venv/ready
	$(BIN)/python book/build.py site

# Prints the built site to one file; needs Chromium, as the site tests do.
pdf: site
	$(BIN)/python book/pdf.py

# How long each chapter runs, for the line under its title; on a quiet machine.
times: .venv/ready
	$(BIN)/python book/run_times.py

# Writes book/bench.md. The peers live in an environment of their own; `make bench QUICK=--quick` is a trial.
bench: .venv-bench/ready
	PYTHONPATH=book .venv-bench/bin/python -m bench $(QUICK)

# The lock is compiled with uv, from PyPI: pip install uv
lock:
	uv pip compile pyproject.toml --extra course --extra files --extra scale --extra test --universal \
	    --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	    -o requirements.txt

clean:
	rm -rf .venv .venv-bench book/_build book/node_modules

.venv/ready: requirements.txt pyproject.toml book/package-lock.json
	$(PYTHON) book/build.py environment
	touch $@

.venv-bench/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e .[bench]
	touch $@
