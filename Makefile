PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install demo test fast lint format bench docs contracts kinesis kafka flink conformance soak clean

help:  ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# The environment is brought up to date only when what it is made from has changed.
MADE_FROM := pyproject.toml constraints.txt scripts/make_environment.py

$(VENV)/.installed: $(MADE_FROM)
	$(PYTHON) scripts/make_environment.py $(VENV)
	@touch $@ $(VENV)/.demo

$(VENV)/.demo: $(MADE_FROM)
	$(PYTHON) scripts/make_environment.py $(VENV) --demo
	@touch $@

install: $(VENV)/.installed  ## Set up the environment in .venv

demo: $(VENV)/.demo  ## A year of real flights through durable functions, with kills, checked against the input
	$(BIN)/python -m examples.flights.demo $(DEMO_ARGS)

test: install  ## All checks and tests
	$(BIN)/python scripts/run_tests.py

fast: install  ## The tests that take less than a minute together
	$(BIN)/python scripts/run_tests.py --fast

lint: install  ## Formatting, types, layers, dependencies
	$(BIN)/python scripts/run_tests.py --lint

format: install  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## Benchmarks beside peers in one table; BENCH_ARGS=--quick takes less than ten minutes
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

docs: install  ## The documentation as pages in build/docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs
	@echo "build/docs/index.html"

contracts: install  ## The contract of ingresses and egresses over every adapter, Kafka's and Kinesis's against servers
	$(BIN)/python -m scripts.kafka_archives
	$(BIN)/python -m pytest -q -m contract

kinesis: install  ## A runtime killed again and again between Kinesis streams whose shards are split and merged
	$(BIN)/python -m pytest -q -m kinesis

kafka: install  ## The tests with a real Kafka broker, fetched from Maven Central once
	$(BIN)/python -m scripts.kafka_archives
	$(BIN)/python -m pytest -q -m broker

flink: install  ## The tests with a real Apache Flink, fetched from Maven Central once
	$(BIN)/python -m scripts.flink_archives
	$(BIN)/python -m pytest -q -m flink

conformance: install  ## Functions of Go, JavaScript, Java and Python on the runtime, as far as their tools are here
	$(BIN)/python -m pytest -q -m conformance

SOAK_MINUTES := 30

soak: install  ## The simulation of the engine with new seeds, for SOAK_MINUTES (30)
	$(BIN)/python -m tests.simulation --soak $(SOAK_MINUTES)

clean:  ## Remove the environment and what tools left behind
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
