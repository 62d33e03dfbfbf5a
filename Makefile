# Two commands do everything: `make demo` and `make test`. What they make is kept: a second run builds nothing.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV     := .venv
PREVIEW  := .cache/preview
MUTATION := .cache/mutation/venv
MUTANTS  := 400
# Twice as many workers as cores: a test often waits for a server's answer, or for one that never comes.
BESIDE    = -n $$((2 * $$(getconf _NPROCESSORS_ONLN))) --dist worksteal
PYTHON   := $(VENV)/bin/python
LAB      := $(PYTHON) -m tests.lab
READY    := $(VENV)/.made-from-lock
export PATH := $(CURDIR)/$(VENV)/bin:$(CURDIR)/.lab/bin:$(PATH)

.PHONY: help demo demo-down test check unit programs lint contracts contracts-usage docs dashboards-preview sanity preflight charts molecule test-kill test-loss test-uninstall test-alerts test-explain test-mimir lab-build lab-up venv bench clean coverage charts-outdated charts-mirror mutation test-upgrade

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | column -ts "$$(printf '\t')"

venv: $(READY)
$(READY): requirements/dev.txt
	@test ! -L $(VENV) || { echo "$(VENV) is a link: what it leads to is somebody else's, and would be emptied; make it there, or remove the link" >&2; exit 1; }
	python=$$(sh tests/find-python) && "$$python" -m venv --clear $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	touch $@

demo: $(READY) ## deploy the stack and a small running platform on the lab's kind cluster, and prove that it works
	@$(MAKE) --no-print-directory -j2 lab-build lab-up
	$(LAB) images
	$(LAB) platform
	ansible-playbook site.yml -i inventories/lab

demo-down: $(READY) ## remove what `make demo` started
	$(LAB) down

test: $(READY) ## every test: what needs no cluster beside the lab's builds, then the charts and the stack on the lab
	$(PYTHON) -m tests.stages

check: unit contracts lint programs docs ## what needs no cluster: unit tests first, then contracts, linters, real programs, the reference

unit: $(READY) ## unit tests (helm is built for them once: some minutes)
	$(PYTHON) -m tests.lab.toolchain helm
	$(PYTHON) -m pytest -q $(BESIDE) --junitxml=.lab/junit-unit.xml

programs: $(READY) ## what we say beside what promtool, amtool and Alertmanager say; whole playbooks, killed processes, deadlines, hostile archives
	$(PYTHON) -m tests.lab.toolchain promtool amtool alertmanager
	$(PYTHON) -m pytest -q $(BESIDE) tests/integration/programs --junitxml=.lab/junit-programs.xml

coverage: $(READY) ## how many lines and branches of plugins/ the tests take (not part of `make test`)
	$(PYTHON) -m tests.lab.toolchain helm promtool amtool alertmanager
	$(PYTHON) -m pytest -q $(BESIDE) --cov --cov-report=term:skip-covered --cov-fail-under=95 tests/unit tests/integration/programs

mutation: $(READY) $(MUTATION)/.made-from-lock ## how many of MUTANTS changes of the parser a test notices (20 minutes; not part of `make test`)
	tests/mutation/run $(MUTANTS)

$(MUTATION)/.made-from-lock: requirements/mutation.txt
	$(PYTHON) -m venv --clear $(MUTATION)
	$(MUTATION)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

lint: $(READY) ## ruff, mypy, yamllint, ansible-lint
	ruff check .
	ruff format --check .
	MYPYPATH=collections mypy tests/lab tests/stages.py tools
	MYPYPATH=collections mypy -p ansible_collections.ias.observability.plugins
	yamllint --strict .
	ansible-lint --offline -q

contracts: $(READY) ## what contracts/ promises, checked without a cluster
	$(PYTHON) -m tests.lab.toolchain promtool amtool
	$(PYTHON) -m tools.contracts check

contracts-usage: $(READY) ## metrics that no panel, rule, objective or runbook reads; LIVE=1: and what a cluster may leave out
	KUBECONFIG="$${KUBECONFIG:-.lab/kubeconfig}" $(PYTHON) -m tools.contracts usage $(if $(LIVE),--live)

docs: $(READY) ## the reference of modules and roles, as HTML in .cache/docs/html; any warning fails
	tests/docs/run

dashboards-preview: $(READY) $(PREVIEW)/.made-from-lock ## what the lab's dashboards show now, as HTML below .lab/preview
	KUBECONFIG="$${KUBECONFIG:-.lab/kubeconfig}" $(PYTHON) -m tools.preview.ask .lab/preview
	$(PREVIEW)/bin/python -m tools.preview.draw .lab/preview

$(PREVIEW)/.made-from-lock: requirements/preview.txt
	$(PYTHON) -m venv --clear $(PREVIEW)
	$(PREVIEW)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

sanity: $(READY) ## ansible-test sanity, on a built copy of the collection
	tests/sanity/run

preflight: $(READY) ## site.yml against clusters that are not fit: one message each, nothing written
	$(PYTHON) -m pytest -q tests/integration/preflight --junitxml=.lab/junit-preflight.xml

charts-outdated: $(READY) ## newer versions of the pinned charts (asks their registries), and tags that were moved
	@$(PYTHON) -m tools.charts outdated

charts-mirror: $(READY) ## every chart and image that is pinned, one a line, for a mirror
	@$(PYTHON) -m tools.charts mirror

charts: $(READY) ## the configurations that the charts render, checked by the programs that read them
	$(PYTHON) -m pytest -q tests/integration/charts --junitxml=.lab/junit-charts.xml

molecule: $(READY) ## the stack on the lab: create, converge, idempotence, check mode, verify, destroy
	molecule test

test-kill: $(READY) ## kill site.yml at every step; a second run must converge (not part of `make test`)
	@$(MAKE) --no-print-directory -j2 lab-build lab-up
	$(LAB) images
	$(LAB) platform
	$(PYTHON) -m pytest -q tests/integration/kill

test-uninstall: $(READY) ## remove the stack with and without its data (10 minutes; not part of `make test`)
	@$(MAKE) --no-print-directory -j2 lab-build lab-up
	$(LAB) images
	$(LAB) platform
	$(PYTHON) -m pytest -q tests/integration/uninstall

test-loss: demo ## numbered lines and spans while each program of the stack is restarted (5 minutes; not part of `make test`)
	$(PYTHON) -m pytest -q -s tests/integration/loss

test-upgrade: demo ## upgrades that break something, taken back (15 minutes; not part of `make test`)
	$(PYTHON) -m pytest -q tests/integration/upgrade

test-alerts: $(READY) ## real alerts by the platform's fault switches, without a cluster (26 minutes; not part of `make test`)
	$(PYTHON) -m tests.lab.toolchain prometheus alertmanager
	$(PYTHON) -m pytest -q tests/integration/alerts

test-mimir: $(READY) ## Mimir reads its configurations; Loki, Tempo and Mimir write to a real S3 server (10 minutes of building once; not part of `make test`)
	$(PYTHON) -m tests.lab.toolchain helm mimir versitygw loki tempo
	$(PYTHON) -m pytest -q $(BESIDE) tests/integration/mimir

test-explain: $(READY) ## seeded causes: each must be the first line of what explain_info says (a minute; not part of `make test`)
	$(PYTHON) -m tests.lab.toolchain prometheus alertmanager loki tempo
	$(PYTHON) -m pytest -q tests/integration/explain

lab-build: $(READY) ## what the lab needs, built (about 50 minutes once where nothing can be pulled; then kept)
	$(LAB) build

lab-up: $(READY) ## the lab's cluster alone
	$(LAB) up

bench: $(READY) ## ratios against peers, as JSON
	$(PYTHON) -m tests.bench

clean: ## remove what was built in this checkout (the user's cache stays)
	test ! -e .lab || $(LAB) down --purge
	rm -rf $(VENV) .lab .cache build
