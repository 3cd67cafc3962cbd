# gatecert: what a new machine needs, these targets install.

GO        ?= go
BIN       := bin/gatecert
TOOLS     := $(CURDIR)/.tools
LINT      := $(TOOLS)/golangci-lint
LINT_VERSION := v2.15.0

.DEFAULT_GOAL := help

## help: list the targets
.PHONY: help
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

## build: the gatecert command in bin/
.PHONY: build
build:
	$(GO) build -o $(BIN) ./cmd/gatecert

# What a release is built with: .goreleaser.yaml, .ko.yaml and the Dockerfile have the same flags, which a test compares. The commit stands
# in the binary, and no path and no time of the build does, so that two builds of a commit are the same bytes. GOOS and GOARCH choose another platform.
STATIC       ?= bin/static/gatecert
STATIC_FLAGS := -trimpath -buildvcs=true '-ldflags=-s -w'
## static: build the command as in a release, without C and debug information, in bin/static
.PHONY: static
static:
	CGO_ENABLED=0 $(GO) build $(STATIC_FLAGS) -o $(STATIC) ./cmd/gatecert

## reproducible: build from two clones in different folders, the second without the build cache, and compare; PLATFORMS=all for all six platforms
.PHONY: reproducible
reproducible:
	packaging/reproducible.sh $(PLATFORMS)

## empty-root: certify the reference gateway with the release binary, in a root folder that contains only the binary and /tmp
.PHONY: empty-root
empty-root: static
	GATECERT_STATIC=$(abspath $(STATIC)) $(GO) test -count=1 -v -run TestTheBinaryAlone ./cmd/gatecert

## size: list what takes up the space in the release binary
.PHONY: size
size: static
	packaging/size.sh $(STATIC)

## packaging: write the shell completions and the man page to build/packaging
.PHONY: packaging
packaging: build
	rm -rf build/packaging && mkdir -p build/packaging/completions
	$(BIN) completion bash >build/packaging/completions/gatecert.bash
	$(BIN) completion zsh >build/packaging/completions/_gatecert
	$(BIN) completion fish >build/packaging/completions/gatecert.fish
	$(BIN) completion powershell >build/packaging/completions/gatecert.ps1
	$(BIN) man >build/packaging/gatecert.1

## deploy-check: lint and render the Helm chart with Helm's own code, and decode all manifests with the types of Kubernetes; takes minutes the first time
.PHONY: deploy-check
deploy-check:
	$(GO) -C deploy/check vet ./...
	$(GO) -C deploy/check test -count=1 ./...

GORELEASER := $(TOOLS)/goreleaser
CYCLONEDX  := $(TOOLS)/cyclonedx-gomod

## release-check: check the configuration with goreleaser
.PHONY: release-check
release-check: $(GORELEASER)
	$(GORELEASER) check

## release-snapshot: build everything in a release except the container image, in dist/; publishes nothing, and takes many minutes on two cores
.PHONY: release-snapshot
release-snapshot: $(GORELEASER) $(CYCLONEDX)
	PATH="$(TOOLS):$$PATH" $(GORELEASER) release --snapshot --clean --skip=ko,publish
	packaging/homebrew.sh dist/checksums.txt >dist/gatecert.rb

## release: publish the release that this commit's tag names, as a draft; .github/workflows/release.yml calls this
.PHONY: release
release: $(GORELEASER) $(CYCLONEDX)
	PATH="$(TOOLS):$$PATH" $(GORELEASER) release --clean
	packaging/homebrew.sh dist/checksums.txt >dist/gatecert.rb

## image-check: build the container image without Docker and its base image, check what it declares, and run it; takes minutes the first time
.PHONY: image-check
image-check: $(TOOLS)/ko $(TOOLS)/crane
	packaging/image.sh $(TOOLS)

$(TOOLS)/ko:
	GOBIN=$(TOOLS) $(GO) install github.com/google/ko@v0.19.1

$(TOOLS)/crane:
	GOBIN=$(TOOLS) $(GO) install github.com/google/go-containerregistry/cmd/crane@v0.22.1

# A tag must name the version that stands in the source.
.PHONY: release-version
release-version:
	@[ "$(SNAPSHOT)" = true ] || [ "$(TAG)" = "v$$(sed -n 's/^const Number = "\(.*\)"/\1/p' internal/version/version.go)" ] || \
	  { echo "the tag $(TAG) is not the version in internal/version" >&2; exit 1; }

$(GORELEASER):
	GOBIN=$(TOOLS) $(GO) install github.com/goreleaser/goreleaser/v2@v2.14.0

$(CYCLONEDX):
	GOBIN=$(TOOLS) $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0

## run: certify the built-in reference gateway; matrix on the terminal, page in reports/latest/report.html
.PHONY: run
run: build
	$(BIN) run

## test: run gofmt, go vet, and all tests except those of test-whole and test-clock, most of them with the race detector; takes five to nine minutes on two cores
.PHONY: test
test: chromium nginx haproxy
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt these files:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=1 $(GO_TEST) -race -p 4 -timeout 12m $(RACE_FLAGS) $(LONGEST) ./...  # more packages than cores: many tests mostly wait
	$(GO_TEST) -p 4 $(call only,$(NORACE_FILES))
	$(GO) -C $(ZOO) vet ./...
	$(GO) -C $(SIDE_BY_SIDE) vet ./...
	$(GO) -C $(ZOO) test ./...  # a sample, which waits for half a minute at most

## test-whole: run the slow tests, many of which run the whole contract again; takes a minute
.PHONY: test-whole
test-whole:
	$(GO_TEST) -p 4 $(call only,$(WHOLE_FILES))

## test-clock: run the tests that measure times on the real clock; needs an idle machine, and takes a minute
.PHONY: test-clock
test-clock:
	$(GO) test -p 1 $(call only,$(CLOCK_FILES))

# A third of the garbage collections, for a tenth of the time of all tests.
GO_TEST := GOGC=400 $(GO) test

# These come first, so that nothing waits for them at the end.
LONGEST := . ./cmd/gatecert ./targets/reference ./load ./load/limits ./load/fleet

# SQLite is C turned into Go, and not ours to check: watching it takes a quarter of the time of all tests. Its driver is watched: it
# uses sync.Map, and the linker would take the copy without the race detector for everybody, who then seem to race.
RACE_FLAGS := '-gcflags=modernc.org/...=-race=false -d=checkptr=0' -gcflags=modernc.org/sqlite=

# What is too slow with the race detector stands in files that are built without it. Those called whole_test.go are for
# test-whole, those called clock_test.go for test-clock.
BUILT_WITHOUT_RACE = $(shell grep -rl --include='*_test.go' '^//go:build !race' .)
NORACE_FILES = $(filter-out %/whole_test.go %/clock_test.go,$(BUILT_WITHOUT_RACE))
WHOLE_FILES = $(filter %/whole_test.go,$(BUILT_WITHOUT_RACE))
CLOCK_FILES = $(filter %/clock_test.go,$(BUILT_WITHOUT_RACE))
# The tests of some files, and their packages.
only = -run '^($(subst $(space),|,$(shell sed -nE 's/^func (Test[A-Za-z0-9]*).*/\1/p' $(1))))$$' $(sort $(dir $(1)))
empty :=
space := $(empty) $(empty)

## peer-portkey: certify the Portkey gateway from npm and compare with targets/portkey/expected.txt
.PHONY: peer-portkey
peer-portkey: build
	targets/portkey/peer.sh

## hall: make this repository's hall of results in build/hall/site; includes the run of make peer-portkey, if there is one
.PHONY: hall
hall: build
	docs/hall/make.sh

# What client libraries make of the answers. Neither run nor test needs them: the Go libraries take minutes to compile.
CLIENTS_JSON := reports/clients.json

## clients: build and install real client libraries, and show how they handle every row on the reference gateway; takes minutes the first time
.PHONY: clients
clients: build clients-install
	$(BIN) clients --out $(CLIENTS_JSON) --against clients/recorded.json

## clients-ci: the same for one client library of Go and one of npm, in about 90 seconds; skips libraries that cannot be installed
.PHONY: clients-ci
clients-ci: build
	clients/ci.sh $(BIN)

## clients-install: only install the client libraries
.PHONY: clients-install
clients-install:
	$(GO) -C clients/go build -o $(CURDIR)/bin/gatecert-clients .
	@if command -v npm >/dev/null; then cd clients/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; else echo "no npm: its clients are left out"; fi

## clients-record: store the results of make clients, which docs/clients.md and gatecert explain show
.PHONY: clients-record
clients-record:
	cp $(CLIENTS_JSON) clients/recorded.json
	$(GO) test ./cmd/gatecert -run 'TestClientsPage|TestWhatIsSaidOfClients' -update-clients

## clients-test: test how a real client handles faults of the gateway
.PHONY: clients-test
clients-test:
	GATECERT_CLIENTS=1 $(GO) test -count=1 -timeout 10m -v -run 'RealClient' ./internal/clients

## selftest: run the contract against every mutant and every permitted behaviour of the reference gateway
.PHONY: selftest
selftest: build
	$(BIN) selftest --out reports/selftest

## selftest-load: the same for the load cases
.PHONY: selftest-load
selftest-load: build
	$(BIN) selftest --load --parallel 8 --out reports/selftest-load

## bench: benchmark a whole run, the judge and the decoders
.PHONY: bench
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./contract ./exchange ./targets/reference/convert .

# It is a module of its own: what it needs, gatecert does not.
SIDE_BY_SIDE := load/sidebyside
ROUNDS ?= 10

## bench-load: compare the load engine, vegeta and fortio on the same server, and measure the memory of a million requests and of 10,000 streams; prints the tables of docs/load.md. Needs an idle machine for five minutes; ROUNDS=1 takes one
.PHONY: bench-load
bench-load:
	$(GO) -C $(SIDE_BY_SIDE) run . -rounds $(ROUNDS)

## side-by-side: only the comparison with vegeta and fortio
.PHONY: side-by-side
side-by-side:
	$(GO) -C $(SIDE_BY_SIDE) run . -rounds $(ROUNDS) -compare

## accept-limits: infer and verify rate limits hundreds of times, in three parts, each of which takes less than an hour
.PHONY: accept-limits
accept-limits: accept-limits-infer accept-limits-verify accept-limits-clock

ACCEPT_LIMITS := GATECERT_ACCEPTANCE=1 $(GO) test -count=1 -parallel 8 -timeout 1h -v ./load/limits

## accept-limits-infer: infer simulated limits: five kinds in three sizes, twenty runs each, and others; prints how many were right and within the intervals
.PHONY: accept-limits-infer
accept-limits-infer:
	$(ACCEPT_LIMITS) -run Infer -skip ReferenceGateways

## accept-limits-verify: verify simulated limiters, declared correctly and wrongly, and with each fault; includes 1,000 of each kind that keep their limit
.PHONY: accept-limits-verify
accept-limits-verify:
	$(ACCEPT_LIMITS) -run Verif -skip ReferenceGateways

## accept-limits-clock: infer and verify the limits of reference gateways on the real clock
.PHONY: accept-limits-clock
accept-limits-clock:
	$(ACCEPT_LIMITS) -run ReferenceGateways

# How often the acceptances of load measure; a machine that does nothing else is right in 19 of 20.
RUNS ?= 20

## accept-capacity: search for the capacity of servers whose capacity is known, on a real clock, and 400 times in a simulation; prints a table. Takes an hour and a half; RUNS=1 takes five minutes
.PHONY: accept-capacity
accept-capacity:
	GATECERT_ACCEPTANCE=1 GATECERT_RUNS=$(RUNS) $(GO) test -count=1 -timeout 5h -v -run 'TestSearchFindsTheCapacity' ./load

## accept-compare: compare two servers, one of which takes 2 ms longer by its own clock, and one server with itself; prints a table. Takes 16 minutes; RUNS=1 takes one
.PHONY: accept-compare
accept-compare:
	GATECERT_ACCEPTANCE=1 GATECERT_RUNS=$(RUNS) $(GO) test -count=1 -timeout 5h -v -run 'TestComparisonFindsWhatIsAdded' ./load

## accept-model: measure the streams of a simulated model, one and a thousand at a time; prints a table. Takes ten minutes; RUNS=1 takes half a minute
.PHONY: accept-model
accept-model:
	GATECERT_ACCEPTANCE=1 GATECERT_RUNS=$(RUNS) $(GO) test -count=1 -timeout 5h -v -run 'TestModelOfAProcess' ./load

## accept-fleet: kill a worker at random moments, find the same capacity with four workers and with one process, and send 10,000/s for half a minute; RUNS=30 kills 30 times
.PHONY: accept-fleet
accept-fleet:
	GATECERT_ACCEPTANCE=1 GATECERT_RUNS=$(RUNS) $(GO) test -count=1 -timeout 2h -v -run 'TestAWorkerIsKilled|TestTheFleet' ./load/fleet

## bench-fleet: measure the time and memory for adding up the results of 10, 100 and 1,000 workers
.PHONY: bench-fleet
bench-fleet:
	$(GO) test -run NONE -bench Join -benchtime 3x ./load

# The zoo is a module of its own: what it needs, gatecert does not.
ZOO := load/limits/zoo
RUNS ?= 1
ZOO_PARALLEL ?= 12
ZOO_ONLY ?=
ZOO_CONTINUE ?=
ZOO_TABLE ?= $(CURDIR)/reports/zoo.txt

## zoo: verify and infer the limits of third-party libraries and servers; prints a table. RUNS=20 makes 20 runs, half of them with all cores busy, ZOO_ONLY=nginx selects some limiters, ZOO_CONTINUE=1 continues an interrupted series
.PHONY: zoo
zoo: nginx haproxy
	@mkdir -p $(dir $(ZOO_TABLE))
	GATECERT_ACCEPTANCE=1 GATECERT_ZOO_RUNS=$(RUNS) GATECERT_ZOO_PARALLEL=$(ZOO_PARALLEL) GATECERT_ZOO_ONLY='$(ZOO_ONLY)' GATECERT_ZOO_CONTINUE=$(ZOO_CONTINUE) GATECERT_ZOO_TABLE=$(ZOO_TABLE) \
	  $(GO) -C $(ZOO) test -count=1 -timeout 24h -parallel 64 -v -run TestZoo .

## accept-judge: certify a second gateway, whose faults and permitted behaviours were not written for the judge; takes minutes
.PHONY: accept-judge
accept-judge:
	GATECERT_ACCEPTANCE=1 $(GO) test -count=1 -parallel 8 -timeout 2h -v ./internal/secondgateway

## accept-kill: kill a hundred runs and load runs at random moments, and check that their logs, and those of earlier runs, survive
.PHONY: accept-kill
accept-kill:
	GATECERT_ACCEPTANCE=1 $(GO) test -count=1 -parallel 4 -run TestEvidenceSurvivesAKill ./cmd/gatecert

## accept-watch: watch a gateway every 20 s while it is killed, broken and repaired, for half an hour; GATECERT_MINUTES=3 for less
.PHONY: accept-watch
accept-watch:
	GATECERT_ACCEPTANCE=1 $(GO) test -count=1 -timeout 3h -v -run TestAWatchForHalfAnHour ./cmd/gatecert

## accept-repeat: check that 50 full runs in a row, half of them with all cores busy, give the same verdicts; GATECERT_RUNS=6 for fewer; takes an hour
.PHONY: accept-repeat
accept-repeat:
	GATECERT_ACCEPTANCE=1 $(GO) test -count=1 -timeout 5h -v -run TestFullRunsGiveTheSameVerdicts ./cmd/gatecert

## lint: run golangci-lint with the configuration in .golangci.yml
.PHONY: lint
lint: $(LINT)
	$(LINT) run ./...

$(LINT):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

# The report page is tested in a real browser. On Debian, root installs it here; elsewhere it must be installed already.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	    apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "no chromium: tests of the report page will be skipped"

# A limit on every key is tested with nginx in front of the reference gateway.
.PHONY: nginx
nginx:
	@command -v nginx >/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	    apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light >/dev/null; } || \
	  echo "no nginx: its test will be skipped"

# Rate limits of HAProxy are verified too.
.PHONY: haproxy
haproxy:
	@command -v haproxy >/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	    apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends haproxy >/dev/null; } || \
	  echo "no haproxy: its tests will be skipped"

## clean: remove binaries and reports
.PHONY: clean
clean:
	rm -rf bin build dist reports/zoo.txt reports/zoo.txt.jsonl reports/latest reports/load reports/[0-9]*T[0-9]*-* reports/selftest reports/peer-* .peers
