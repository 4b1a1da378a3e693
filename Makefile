# One line each: `make help`. Builds go to target/, what is expensive to make again to a cache that `make clean` names.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Cargo and the recipes must agree on where binaries are.
export CARGO_TARGET_DIR := $(CURDIR)/target

BIN := target/bin
# What setup.sh adds to PATH.
ENTER := if [ -f target/environment ]; then . target/environment; fi;

# Which of setup.sh's lists a goal takes; its prerequisites inherit it.
LIST := test
quickstart build images bench: LIST := quickstart

.PHONY: help setup build images generate quickstart test check lint bench soak down clean

help: ## show these lines
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## install what is missing: Debian packages, Go, Rust, cargo-deny
	@integration/setup.sh $(LIST)

build: setup ## compile the workspace, and Kubernetes when the cache lacks it
	@$(ENTER) cargo build --workspace
	@$(ENTER) mkdir -p $(BIN); \
	built=$$(rustc -vV | sed -n 's/^host: //p')/debug; \
	ln -sfn ../$$built/testbed $(BIN)/testbed; \
	ln -sfn ../$$built/liqo-runner $(BIN)/runner; \
	for program in liqoctl liqo-controller-manager liqo-fabric liqo-virtual-kubelet liqo-images; do ln -sfn ../$$built/$$program $(BIN)/$$program; done; \
	kubernetes=$$($(BIN)/testbed kubernetes); \
	ln -sfn "$$kubernetes/kubectl" $(BIN)/kubectl; \
	ln -sfn "$$kubernetes/helm" $(BIN)/helm

images: build ## write the images of Liqo into target/images
	@$(BIN)/liqo-images

generate: setup ## write the custom resource definitions in deploy/crds anew
	@$(ENTER) cargo run -p liqo-api --bin liqo-generate -- deploy/crds

quickstart: images ## start two clusters with overlapping pod CIDRs, and run pods of the one in the other
	@$(ENTER) integration/quickstart/quickstart.sh

test: setup lint build ## everything: format, lints, licences, all test tiers; ends all clusters
	@$(ENTER) integration/run-tiers.sh test

soak: setup build ## the same tests with larger numbers; ends all clusters
	@$(ENTER) integration/run-tiers.sh soak

check: setup lint build ## format, lints, licences and the tests that need no privilege
	@$(ENTER) $(BIN)/runner test --tier unit

lint: setup
	@$(ENTER) set -x; \
	cargo fmt --all --check; \
	cargo clippy --workspace --all-targets -- -D warnings; \
	cargo deny check bans licenses sources

bench: build ## run the benchmarks
	@$(ENTER) integration/bench/run.sh

down: ## end all clusters and remove all that they left
	@$(ENTER) if [ -x $(BIN)/testbed ]; then $(BIN)/testbed down; \
	else echo 'Nothing to end: $(BIN)/testbed was not built. If clusters run, `make build` and then `make down`.'; fi

clean: down ## end all clusters and remove what was compiled here
	@$(ENTER) if command -v cargo >/dev/null; then cargo clean; fi; rm -rf target
	@caches=$${XDG_CACHE_HOME:-$${HOME:+$$HOME/.cache}}; \
	cache=$${LIQO_TESTBED_CACHE:-$${caches:-/var/cache}/liqo-testbed}; \
	if [ -d "$$cache" ]; then \
		echo "Kubernetes, images and tools stay in $$cache ($$(du -sh "$$cache" | cut -f1))."; \
		echo "Remove them with: rm -rf $$cache"; \
	fi
