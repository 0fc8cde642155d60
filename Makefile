# Thin words over one Python entry point: python3 local/bootstrap.py VERB, which makes .venv first.
# STACK=native or STACK=compose choose other stacks; PYTHON=python3.13 another Python.
PYTHON ?= python3
VERBS := emulate up down clean status health migrate lint fmt fuzz kafka-topics db-stats bundle lock bill
TOOLS := loadgen traffic replay demo acceptance soak

.DEFAULT_GOAL := help
.PHONY: help test logs bench bench-quick faults dead doctor $(VERBS) $(TOOLS)

help:
	@$(PYTHON) local/bootstrap.py --help

$(VERBS):
	@$(PYTHON) local/bootstrap.py $@

$(TOOLS):
	@$(PYTHON) local/bootstrap.py $@ $(ARGS)

test:
	@$(PYTHON) local/bootstrap.py test $(ARGS)

bench:
	@$(PYTHON) local/bootstrap.py bench $(ONLY)

bench-quick:
	@$(PYTHON) local/bootstrap.py bench --quick $(ONLY)

faults:
	@$(PYTHON) local/bootstrap.py faults --n $(or $(N),200)

doctor:
	@$(PYTHON) local/bootstrap.py doctor $(ARGS)

dead:
	@$(PYTHON) local/bootstrap.py dead $(or $(ARGS),list)

logs:
	@$(PYTHON) local/bootstrap.py logs

logs-%:
	@$(PYTHON) local/bootstrap.py logs $* --follow
