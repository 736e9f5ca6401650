.PHONY: help demo demo-postgres demo-console demo-relay test test-postgres lint fmt generate verify bench figures torture

help: ## print this list
	@sed -n "s/^\([a-z-]*\): ## /  make \1@/p" Makefile | tr @ "\t" | expand -t 22

demo: ## generate, migrate, run examples/shop: on SQLite, or where DATABASE_URL points to
	@.ci/demo

demo-postgres: ## the same on a private PostgreSQL
	@.ci/demo postgres

demo-console: ## keep the shop open and serve the console of its log, until ctrl-c; ARGS=postgres for that
	@.ci/demo-console $(ARGS)

demo-relay: ## relay the events of the shop to NATS JetStream, which is stopped in the middle
	@.ci/demo-relay

test: ## run all tests on a real PostgreSQL; ARGS="-run Name" goes to go test
	@.ci/test $(ARGS)

test-postgres: ## run the tests of what stands on PostgreSQL on VERSION=16, 17 or 18, by a package of npm
	@.ci/test-postgres $(or $(VERSION),18) $(ARGS)

lint: ## vet and lint, with the tools of tools/go.mod
	@.ci/lint

fmt: ## format the Go code as the linters want it
	@.ci/lint fmt

generate: ## run every go:generate line
	@for module in $$(.ci/modules); do go generate -C $$module ./... || exit 1; done

verify: ## fail if something generated, go.mod or go.sum is stale
	@.ci/verify

bench: ## compare with the figures to beat; ARGS="--run append" goes to the bench of the store
	@.ci/bench $(ARGS)

figures: ## run the bench and write its table into docs/figures.md
	@.ci/figures

torture: ## attack the store for five minutes; ARGS="-duration=1m" for less
	@.ci/torture $(ARGS)
