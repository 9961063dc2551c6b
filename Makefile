# couponql's commands. `make` alone lists them; CONTRIBUTING.md says when to use which.
# Needed: Go (the version in go.mod), a C++ compiler for DuckDB, git. Node and Chromium are needed
# only for `make playground`, `make console` and the checks in a browser.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Targets write to the same tree and share two cores at most: one after the other, whatever -j says.
.NOTPARALLEL:

# The driver of DuckDB is C++.
export CGO_ENABLED := 1

# Development tools have a module file of their own, so that the product's go.mod stays short.
TOOL := go tool -modfile=tools/go.mod

VERSION ?= $(shell git describe --tags --always --dirty)
TEST_TIMEOUT ?= 60m
BENCH ?= .
BENCHTIME ?= 1s
COUNT ?= 1
DURATION ?= 10m

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Run

.PHONY: build
build: ## Build the server as bin/couponql (VERSION=v1.2.3 for a release)
	go build $(if $(VERSION),-ldflags '-X main.release=$(VERSION)') -o bin/couponql .

.PHONY: run
run: build ## Build and start the server with its files in data/ (ARGS="--listen …")
	mkdir -p data
	bin/couponql serve --data data/couponql.duckdb --outbox data/outbox $(ARGS)

.PHONY: demo
demo: build ## Make a shop with two months of history in data/, unless it is there, and serve it (ARGS="--listen …")
	mkdir -p data
	test -e data/demo.duckdb || bin/couponql demo --data data/demo.duckdb
	bin/couponql serve --data data/demo.duckdb --outbox data/demo.duckdb.outbox --timezone Europe/Berlin --enable-sql $(ARGS)

##@ Change

.PHONY: generate
generate: ## Write the Go code that follows from graph/*.graphqls, and the client of examples/go
	go generate ./...
	go -C examples/go generate ./...

.PHONY: tidy
tidy: ## Bring go.mod and go.sum in line with the imports
	go mod tidy
	go -C tools mod tidy
	go -C tools/supply mod tidy
	go -C examples/go mod tidy

.PHONY: format
format: ## Format all Go code
	$(TOOL) golangci-lint fmt

.PHONY: playground
playground: ## Rebuild the playground's embedded assets from npm (results are committed)
	npm --prefix playground/assets ci
	node playground/assets/build.mjs

.PHONY: console
console: ## Rebuild the console's embedded files from their sources (results are committed)
	npm --prefix console/source ci
	npm --prefix console/source run generate
	npm --prefix console/source run check
	npm --prefix console/source run build

.PHONY: picture
picture: build ## Take README's pictures of the console and the playground anew, with demo data in Chromium
	tools/picture

##@ Check

.PHONY: check
check: ## Everything a change must pass; fixes what it can and says so
	@before=$$(tools/tree-hash); \
	$(MAKE) --no-print-directory generate tidy format lint vet markers test; \
	after=$$(tools/tree-hash); \
	if [ "$$before" != "$$after" ]; then \
		echo; echo 'make check changed these files:'; \
		git diff-tree -r --name-status "$$before" "$$after"; \
		echo 'They were not what `make generate`, `make tidy` and `make format` make of their sources,'; \
		echo 'or a test wrote them. Look at them, commit them, and run `make check` again.'; \
		exit 1; \
	fi; \
	echo 'make check: all passed'

.PHONY: lint
lint: ## Run the linters of .golangci.yaml
	$(TOOL) golangci-lint run
	cd examples/go && go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run
	cd tools/supply && go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run

.PHONY: vet
vet: ## Run go vet
	go vet ./...

.PHONY: markers
markers: ## Look for what the generator leaves behind when schema and code part
	@! grep -rn --include='*.go' '!!! WARNING !!!' resolvers || \
		{ echo 'gqlgen moved code it did not know to the end of a file: keep what is ours in another file'; exit 1; }
	@! grep -rn --include='*.go' 'not implemented' resolvers || \
		{ echo 'gqlgen added a method that nobody has written: write it, or bind the field to the domain'; exit 1; }
	@! find graph -name '*.go' ! -name '*.generated.go' ! -name '*_test.go' | grep . || \
		{ echo 'graph holds the schema and generated code: hand-written Go belongs to resolvers or coupon'; exit 1; }

.PHONY: test
test: ## Run all tests with the race detector, in random order
	go test -race -shuffle=on -timeout=$(TEST_TIMEOUT) ./...

.PHONY: test-successor
test-successor: ## Run all tests on the DuckDB driver's successor, in a temporary copy
	tools/test-successor

.PHONY: browser
browser: build ## Try the playground with demo data in a real browser
	tools/browser

.PHONY: console-browser
console-browser: build ## Work in the console in a real browser, from an empty server to redemptions
	tools/console

.PHONY: tus
tus: build ## Try resumable uploads with a client of the tus protocol (needs Node)
	npm --prefix tools/tus ci
	node tools/tus/check.mjs bin/couponql

.PHONY: conformance
conformance: build ## Try the protocol with an audit and the clients of others, each at the reference job (needs Node)
	npm --prefix tools/conformance ci
	npm --prefix tools/conformance test

.PHONY: examples
examples: build ## Generate the example clients anew and let them do the reference job with a server (needs Node)
	tools/examples

.PHONY: compatibility
compatibility: ## Look for what the schema breaks since the last release, unless CHANGELOG.md says so (needs Node)
	npm --prefix tools/compatibility ci
	node tools/compatibility/check.mjs docs/schema graph/testdata/schema.graphql CHANGELOG.md

.PHONY: vuln
vuln: ## Look up known vulnerabilities in what the program calls (GOVULNDB=file:///… where the internet is out of reach)
	tools/vuln

.PHONY: sbom
sbom: build ## Write the bill of materials of the server, bin/couponql.cdx.json, and check its licenses (VERSION=…)
	go -C tools/supply test ./...
	go -C tools/supply run . --binary $(CURDIR)/bin/couponql --version '$(VERSION)' --output $(CURDIR)/bin/couponql.cdx.json \
		--page playground,$(CURDIR)/playground/static/LICENSES.txt,$(CURDIR)/playground/assets/package-lock.json \
		--page console,$(CURDIR)/console/static/LICENSES.txt,$(CURDIR)/console/source/package-lock.json

.PHONY: soak
soak: build ## Load the server, kill it, fill its disk; look for what it lost, gave twice or leaks (DURATION=10m ARGS="--seed 7 --keep …")
	go run ./soak --binary bin/couponql --duration $(DURATION) $(ARGS)

##@ Measure

.PHONY: bench
bench: ## Measure the server beside raw DuckDB SQL (ARGS="--codes 1000000 --bulk 5000000 --json …")
	go run ./bench $(ARGS)

.PHONY: bench-peers
bench-peers: ## Measure bulk and a large delivery beside PostgreSQL too, which root installs on Debian (ARGS="--bulk 1000000 …")
	tools/postgres
	go run ./bench --bulk 5000000 --audience 1000000 --peers $(ARGS)

.PHONY: microbench
microbench: ## Run the Go benchmarks (BENCH=regexp BENCHTIME=1s COUNT=1)
	go test -run='^$$' -bench='$(BENCH)' -benchtime=$(BENCHTIME) -benchmem -count=$(COUNT) -p=1 ./...
