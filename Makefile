# Two commands do everything: make book, make test. Both make their own environment first.
PYTHON ?= python3
BIN := .venv/bin
SITE := book/_build/html
TEXTS := $(wildcard notebooks/*.md)

.PHONY: book lab test notebooks site pdf times bench lock clean

book: notebooks site

lab: .venv/ready
	$(BIN)/jupyter lab --ServerApp.root_dir=$(CURDIR) --LabApp.default_url=/lab/tree/notebooks/01_the_question.ipynb

test: .venv/ready
	$(BIN)/python -m pytest -n 2 --dist loadfile

notebooks: .venv/ready
	$(BIN)/jupytext --quiet --to ipynb --update $(TEXTS)
	$(BIN)/jupyter nbconvert --log-level=ERROR --to notebook --execute --inplace \
	    --ExecutePreprocessor.record_timing=False $(TEXTS:.md=.ipynb)
	# nbconvert joins what a busy machine printed in pieces before it runs the cells, so once more after
	$(BIN)/jupyter nbconvert --log-level=ERROR --to notebook --inplace --coalesce-streams $(TEXTS:.md=.ipynb)
	$(BIN)/python book/readme_figure.py

site: .venv/ready
	rm -rf book/_build
	$(BIN)/jupyter-book build . --config book/_config.yml --toc book/_toc.yml --path-output book/ -W -n --keep-going
	@echo
	@echo "The course: open $(CURDIR)/$(SITE)/index.html"
	@echo "or serve it: $(BIN)/python -m http.server --directory $(SITE) 8000   and open http://localhost:8000"

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
	$(PYTHON) -c "import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else 'needs Python 3.11 to 3.13; try make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix book --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

.venv-bench/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e .[bench]
	touch $@
