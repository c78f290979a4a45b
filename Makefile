# RankAlpha orchestration. `make up` runs the pipeline on this machine, `make test` runs all checks; both install what
# they need. Ports and folders are settings: make up RANKALPHA_AIRFLOW_PORT=8081

# python3, or else the newest in the range that has its version in its name
IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(IN_RANGE)' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
# byte code is compiled once, here: otherwise each process of Airflow compiles what it imports; the target says where
INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(@D)
unexport PYTHONDONTWRITEBYTECODE  # that of this project is kept too, whatever the shell says

# three on two cores, because the day with `make up` mostly waits; what runs whole stacks is enough with two
RUN_TESTS := $(BIN)/python -m pytest --numprocesses
QUICK := tests/e2e tests/airflow tests/unit tests/docs tests/scheduler tests/engine/test_smoke.py
REST := tests/together tests/pages tests/engine tests/compose tests/faults tests/alone tests/markets tests/running

.DEFAULT_GOAL := help
.PHONY: help up down status logs clean backup restore rerun demo publish-anyway publish-version health lineage verify rebuild-history evaluate compare plan promote calendar airflow check lint types style test test-all test-rest test-docker test-faults test-soak test-histories test-next validate format audit docs reference bench screenshots lock

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

up: .venv/embedded  ## start the stack and follow the start-up batch until it is graded
	@$(BIN)/rankalpha up $(ARGS)

down: .venv/embedded  ## stop the stack; its state stays
	@$(BIN)/rankalpha down

status: .venv/embedded  ## show the stack's processes, Airflow's health, the newest batch and the addresses
	@$(BIN)/rankalpha status

logs: .venv/embedded  ## follow the logs of all processes, or of some: make logs ARGS=scheduler
	@$(BIN)/rankalpha logs $(ARGS)

clean: .venv/embedded  ## stop the stack and remove all of its state; YES=1 does not ask
	@$(BIN)/rankalpha clean $(if $(YES),--yes)

backup: .venv/embedded  ## write database, data and keys into one file below backups/, or into FILE=…
	@$(BIN)/rankalpha backup $(FILE)

restore: .venv/embedded  ## replace all state by a backup: make restore FILE=…; YES=1 does not ask
	@$(BIN)/rankalpha restore $(if $(YES),--yes) $(FILE)

rerun: .venv/embedded  ## re-run a batch or fill a missed day: make rerun ARGS="--day 2026-11-22"
	@$(BIN)/rankalpha rerun $(ARGS)

demo: .venv/embedded  ## fill the last days with batches of the sample: make demo ARGS="--days 30"
	@$(BIN)/rankalpha demo $(ARGS)

health: .venv/embedded  ## show where each batch stands, how long its stages take, and what is wrong
	@$(BIN)/rankalpha health $(ARGS)

publish-anyway: .venv/embedded  ## publish a blocked batch once: ARGS='--batch … --dataset scores --reason "…"'
	@$(BIN)/rankalpha publish-anyway $(ARGS)

publish-version: .venv/embedded  ## publish an earlier version again: ARGS='--batch … --dataset prices --version … --reason "…"'
	@$(BIN)/rankalpha publish-version $(ARGS)

lineage: .venv/embedded  ## show the graph of datasets, or what a batch was made of: ARGS="--batch 2026-11-22T06:00:00"
	@$(BIN)/rankalpha lineage $(ARGS)

verify: .venv/embedded  ## compare the data on the disk with what a batch published: ARGS="--batch 2026-11-22T06:00:00"
	@$(BIN)/rankalpha verify $(ARGS)

rebuild-history: .venv/embedded  ## write the record of grades again from what is on the disk: ARGS="--market nyse"
	@$(BIN)/rankalpha rebuild-history $(ARGS)

evaluate: .venv/embedded  ## show how well the grades have foretold returns: ARGS="--json"
	@$(BIN)/rankalpha evaluate $(ARGS)

compare: .venv/embedded  ## show how a variant's grades differ from the champion's: ARGS="--variant challenger --batches 20"
	@$(BIN)/rankalpha compare $(ARGS)

plan: .venv/embedded  ## show what another image, setting or weight would change in past batches: ARGS="--sentiment-weight 0.3"
	@$(BIN)/rankalpha plan $(ARGS)

promote: .venv/embedded  ## make a variant's way the champion's: ARGS='--variant challenger --reason "…"'
	@$(BIN)/rankalpha promote $(ARGS)

calendar: .venv/embedded  ## show sessions, holidays and the batches with nothing new: ARGS="--year 2026 --market nyse"
	@$(BIN)/rankalpha calendar $(ARGS)

airflow: .venv/embedded  ## run an Airflow command in the stack: make airflow ARGS="dags list"
	@$(BIN)/rankalpha airflow $(ARGS)

check: lint  ## lint, types, unit tests and the DAG set; five minutes
	$(RUN_TESTS) 3 tests/airflow tests/unit tests/docs

test: lint  ## the same, Airflow's scheduler code on PostgreSQL, and a day with `make up`; seven minutes
	$(RUN_TESTS) 3 --junitxml=reports/test.xml $(QUICK)

test-all: test test-rest  ## all tests: running stacks and, with a Docker engine, containers; 50 minutes
	@$(BIN)/python -m tests.support.total reports/test.xml reports/rest.xml

test-rest: .venv/dev
	$(RUN_TESTS) 2 --junitxml=reports/rest.xml $(REST)

lint: .venv/dev
	@$(MAKE) --no-print-directory --jobs 2 --output-sync types style

types: .venv/dev
	$(BIN)/mypy rankalpha datasets dags scripts apps

style: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/deptry rankalpha datasets dags scripts bench
	$(BIN)/deptry apps --non-dev-dependency-groups services --ignore DEP002
	$(BIN)/codespell

test-docker: .venv/dev  ## the tests of the containers and the compose stack alone; they need a Docker engine
	$(BIN)/python -m pytest tests/engine tests/compose

test-faults: .venv/dev  ## kill each part of the stack at each moment of a batch; 40 minutes on a Docker engine
	FAULTS=all $(BIN)/python -m pytest -s tests/faults

test-soak: .venv/dev  ## a batch every two minutes for 24 hours, amid deaths: nothing grows for ever; SOAK_HOURS=1 is shorter
	$(BIN)/python -m pytest -s tests/soak

test-histories: .venv/dev  ## 212 random histories amid pauses, deaths and two schedulers, 50 markets at once: graded once; a variant that is the same
	HISTORIES=all $(BIN)/python -m pytest tests/scheduler/test_joins.py tests/alone/test_random_histories.py \
		tests/markets/test_markets.py tests/markets/test_same.py tests/running/test_version_histories.py \
		tests/unit/rankalpha/operators/test_reuse_histories.py tests/together/test_reuse_week.py \
		tests/unit/rankalpha/operators/test_version_histories.py

# stacks that the tests start install from LOCK too
test-next: .venv-next/dev  ## what `make test` runs, on Airflow's newest version, pre-releases too; ten minutes
	LOCK=requirements/next/dev.txt .venv-next/bin/python -m pytest --numprocesses 3 --junitxml=reports/next.xml \
		tests/e2e tests/airflow tests/unit tests/scheduler

validate: .venv/dev  ## check the DAG set alone: it imports, keeps its policy, and its graph is as in the snapshot
	$(BIN)/python -m pytest -q tests/airflow

format: .venv/dev  ## format and fix what ruff can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

audit: .venv/dev  ## report known vulnerabilities of the locked dependencies; never fails
	@$(BIN)/python scripts/audit.py

docs: .venv/docs  ## build the documentation as a site that needs no network: site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet  # what it warns of: the theme is cared for until May 2027
	@echo "Open site/index.html in a browser"

reference: .venv/dev  ## write docs/reference from the code
	@$(BIN)/python -m scripts.reference

bench: .venv/dev  ## measure against stock Airflow, with table, JSON and charts in bench/results/
	$(BIN)/python bench/run.py

screenshots: .venv/dev  ## take the documentation's pictures from the running stack
	$(BIN)/python scripts/screenshots.py

lock: .venv/build  ## resolve the requirements again
	$(COMPILE) pyproject.toml --all-extras --group build --group embedded \
		--group services --group docs --group dev -o requirements/dev.txt
	$(COMPILE) -c requirements/dev.txt pyproject.toml --group embedded --group services -o requirements/embedded.txt
	$(COMPILE) -c requirements/dev.txt pyproject.toml --extra celery -o requirements/airflow.txt
	$(COMPILE) -c requirements/dev.txt --group services -o requirements/services.txt
	$(COMPILE) -c requirements/dev.txt --group build -o requirements/build.txt
	$(COMPILE) -c requirements/dev.txt --group docs -o requirements/docs.txt
	cp requirements/dev.txt requirements/next/dev.txt  # what it holds is kept where Airflow's next version allows it
	$(filter-out -U,$(COMPILE)) --override requirements/next/airflow.in pyproject.toml --all-extras --group build \
		--group embedded --group services --group docs --group dev -o requirements/next/dev.txt

COMPILE := $(BIN)/uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header

.venv/build: requirements/build.txt
	@$(or $(PYTHON),false) -c '$(IN_RANGE)' || { echo "Python 3.11 to 3.14 is needed, and $(if $(PYTHON),$(PYTHON) \
	is another one,PATH has none); install one, or name it: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@echo "Installing into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@touch $@

.venv/embedded .venv/dev .venv/docs: .venv/%: requirements/%.txt .venv/build pyproject.toml
	@$(INSTALL) --require-hashes -r $<
	@$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

.venv-next/dev: requirements/next/dev.txt .venv/build pyproject.toml
	@$(BIN)/python -m venv .venv-next
	@$(INSTALL) --require-hashes -r $<
	@$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@
