# Needs GNU make and tar, and jq for `make sbom`. Variables in capitals may be set: make image IMAGE=registry.example/status_exporter:1.0
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VERSION           ?= $(shell git describe --tags --always --dirty)
REVISION          ?= $(shell git rev-parse HEAD)
BRANCH            ?= $(shell git rev-parse --abbrev-ref HEAD)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
IMAGE             ?= status_exporter
FUZZTIME          ?= 1m
DURATION          ?= 2m
TARGETS           ?= 3000
ONLY              ?=
PLATFORMS         ?= linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 windows-amd64

GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION   := v1.8.0

version_package := github.com/prometheus/common/version
ldflags := -s -w \
	-X $(version_package).Version=$(VERSION) \
	-X $(version_package).Revision=$(REVISION) \
	-X $(version_package).Branch=$(BRANCH) \
	-X $(version_package).BuildUser=make \
	-X $(version_package).BuildDate=$(shell date -u -d @$(SOURCE_DATE_EPOCH) +%Y%m%d-%H:%M:%S)
# The same sources give the same bytes, whatever the directory.
go_build := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(ldflags)'

golangci_lint := .tools/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
govulncheck   := .tools/govulncheck-$(GOVULNCHECK_VERSION)/govulncheck

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## The binary for this machine: ./status_exporter
	$(go_build) -o status_exporter .

.PHONY: test
test: ## All tests, with the race detector and in random order
	go test -race -shuffle=on ./...

.PHONY: test-container
test-container: ## The image and the compose file, run by Docker
	go test -tags container -count=1 -v ./test/container

.PHONY: lint
lint: $(golangci_lint) ## golangci-lint at its pinned version
	$(golangci_lint) run

.PHONY: vet
vet: ## go vet for Linux, macOS and Windows
	for os in linux darwin windows; do GOOS=$$os CGO_ENABLED=0 go vet ./...; done

.PHONY: vulncheck
vulncheck: $(govulncheck) ## Known vulnerabilities in what the code calls
	$(govulncheck) ./...

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME (1m)
	grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | sed 's/:func / /' | \
	while read -r file name; do \
		echo "== $$name ($${file%/*})"; \
		go test -run='^$$' -fuzz="^$$name$$" -fuzztime=$(FUZZTIME) "$${file%/*}" </dev/null; \
	done

.PHONY: faults
faults: ## The exporter against targets that do what they should not
	go test -count=1 -v ./test/faults

.PHONY: soak
soak: ## The exporter under load for DURATION (2m), with TARGETS (3000)
	SOAK_DURATION=$(DURATION) SOAK_TARGETS=$(TARGETS) go test -count=1 -v -timeout 0 ./test/soak

.PHONY: bench
bench: build ## What a scrape costs, beside a server written for each document by hand
	cd bench && go run . -exporter ../status_exporter

.PHONY: bench-scale
bench-scale: build ## How the exporter grows, with targets, series, rules, … or what of it contains ONLY
	cd bench && go run . -role=scale -exporter ../status_exporter -only '$(ONLY)'

.PHONY: image
image: dist/linux-$(shell go env GOARCH)/status_exporter ## The container image IMAGE (status_exporter)
	docker build --build-arg TARGETARCH=$(shell go env GOARCH) --tag $(IMAGE) .

.PHONY: release
release: $(PLATFORMS:%=dist/status_exporter-$(VERSION).%.tar.gz) ## Archives for PLATFORMS with checksums, in dist/
	cd dist && sha256sum $(PLATFORMS:%=status_exporter-$(VERSION).%.tar.gz) | tee sha256sums.txt

.PHONY: sbom
sbom: dist/status_exporter-$(VERSION).cdx.json ## What the binary is made of, as CycloneDX, in dist/

.PHONY: clean
clean: ## Remove what make has built
	rm -rf dist .tools status_exporter

# Built anew each time: the go command knows best what has changed.
.PHONY: FORCE
.PRECIOUS: dist/%/status_exporter
dist/%/status_exporter: FORCE
	platform=$*; GOOS=$${platform%-*} GOARCH=$${platform#*-} $(go_build) -o $@ .

documents := $(wildcard LICENSE NOTICE README.md CHANGELOG.md SECURITY.md)

dist/status_exporter-$(VERSION).%.tar.gz: dist/%/status_exporter
	directory=dist/status_exporter-$(VERSION).$*; \
	rm -rf $$directory; mkdir $$directory; \
	cp $< $(documents) $$directory; \
	case $* in windows-*) mv $$directory/status_exporter{,.exe};; esac; \
	tar --create --directory=dist --sort=name --format=ustar --mtime=@$(SOURCE_DATE_EPOCH) \
		--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX $${directory#dist/} | gzip -9 --no-name > $@; \
	rm -r $$directory

dist/status_exporter-$(VERSION).cdx.json: dist/linux-amd64/status_exporter
	go version -m -json $< | \
	jq --arg version '$(VERSION)' --arg date $(SOURCE_DATE_EPOCH) -f .ci/sbom.jq > $@

$(golangci_lint):
	GOBIN=$(CURDIR)/$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(govulncheck):
	GOBIN=$(CURDIR)/$(@D) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
