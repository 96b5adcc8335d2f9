# The front to CMakeLists.txt and the go command. Every target installs what it
# needs and is missing; see tools/setup.sh.
#
#   make             builds everything into build/
#   make help        prints this list
#   make test        runs every test (2 cores: some minutes)
#   make demo        one registrar, three pool elements, one pool user, and kills
#   make install     DESTDIR=... PREFIX=/usr/local
#   make asan        the C tests with AddressSanitizer, LeakSanitizer and UBSan
#   make test-kernel the tests that need a kernel with SCTP, in a virtual machine
#   make bench-failover  how long a failover takes; RUNS=30; writes docs/reports/failover.md
#   make bench-capi  what a C program sees, beside plain sockets, ZeroMQ and nng; RUNS=5; QUICK=1 for a look, and
#                    ONLY=roundtrip for one measure; writes docs/reports/benchmarks-capi.md
#   make bench-enrp  how long it takes to replace a silent registrar; RUNS=20; writes docs/reports/takeover.md
#   make conformance renews docs/reports/conformance*.md; fails where a requirement lacks a test
#   make conformance-check only looks whether they are up to date (part of make check and make test)
#   make interop     tests against usrsctp and the kernel; writes docs/reports/interoperability.md
#   make interop-rsplib  RSPLIB and this library meet; QUICK=1 for a look; writes docs/reports/interoperability-rsplib.md
#   make bench-rsplib  registrars of both side by side; ROUNDS=5; writes into docs/reports/benchmarks-enrp.md
#   make bench-policies  what the pools of a registrar cost, and how each policy shares sessions out; writes
#                    docs/reports/benchmarks-policies.md and policies.md
#   make bench-sctp  SCTP beside UDP, TCP, usrsctp, pion and the kernel's; QUICK=1 for a look; writes docs/reports/benchmarks.md
#   make scale       groups of registrars as they grow, simulated; writes docs/reports/scale.md
#   make sim         registrars, elements and users in worlds that fail, seed by seed; SEEDS=1000 FIRST=1
#   make sim-sessions  only those worlds in which users and elements talk; SEEDS=1000 FIRST=1
#   make sim-faults  puts known mistakes into the code: the worlds have to find each
#   make sim-sctp    SCTP engines on bad networks, seed by seed; SEEDS=10000 FIRST=0
#   make fuzz        every fuzz test with RUNS=20000 inputs
#   make sim-loss    sessions at 5 % loss: how many fail over by mistake; DAYS=3
#   make soak        molest real groups of registrars; SOAK=10m for how long
#   make check       all that is no test of behaviour (quick, but for the first time): form, vet, staticcheck, dead code, layers, manual, conformance, bench
#   make mutate      which faults in a package do its tests not notice? PKG="./core/internal/policy ..." N=100 SEED=1
#                    TESTS='TestA|TestB' ALSO=./core/internal/sim ALSO_TESTS='TestC'; N faults at random, else all; see tools/mutate
#   make fmt, make clean

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
DEADCODE = golang.org/x/tools/cmd/deadcode@v0.51.0
CMAKE_FLAGS ?=

export PATH := $(PATH):/usr/local/go/bin
MAKEFLAGS += --no-print-directory

.PHONY: help conformance conformance-check all test go-test c-test demo install asan test-kernel interop bench-capi bench-sctp bench-failover bench-enrp bench-policies sim soak fmt clean setup setup-test setup-check setup-go

.DEFAULT_GOAL := all

help:
	@sed -n 's/^#   //p' Makefile

all: configure
	cmake --build $(BUILD) -j $(JOBS)

.PHONY: configure
configure: setup
	@cmake -S . -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_FLAGS) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

setup:
	@tools/setup.sh build

setup-test:
	@tools/setup.sh build test

setup-check:
	@tools/setup.sh check

setup-go:
	@tools/setup.sh

test: setup-test all conformance-check go-test c-test
	@echo
	@echo "All tests passed."
	@tools/not-run.sh

# The tests in tests/go run what is built; with RSERPOOL_BIN they fail where it is missing.
go-test: all
	RSERPOOL_BIN="$(abspath $(BUILD))/bin" go test -race ./...

c-test: all
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

demo: configure
	cmake --build $(BUILD) -j $(JOBS) --target rserpool rserpool-core rserpool-tool echo_pe echo_pu
	@go run ./tests/demo -bin $(BUILD)/bin

install: all
	DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true

asan: setup
	cmake -S . -B $(BUILD)-asan -DRSERPOOL_SANITIZE=ON $(CMAKE_FLAGS) >/dev/null
	cmake --build $(BUILD)-asan -j $(JOBS)
	ctest --test-dir $(BUILD)-asan --output-on-failure -L sanitize -j $(JOBS)

# On a kernel with SCTP the library chooses it by itself.
test-kernel: all
	tests/vm/suite -b "$(BUILD)"

# Failures stand in the page, and make it fail.
conformance: setup
	go run ./tools/conformance

conformance-check: setup-go
	go run ./tools/conformance -check

interop: setup
	@out=$$(mktemp -d) && status=0; \
	RSERPOOL_TEST_IDLE=2m go test -v -timeout 30m ./core/internal/transport/interop >$$out/usrsctp || status=1; \
	tests/vm/suite -l -- -test.v >$$out/kernel || status=1; \
	go run ./core/internal/transport/interop/table $$out/usrsctp $$out/kernel >docs/reports/interoperability.md; \
	grep -h -A 5 -e '--- FAIL' $$out/usrsctp $$out/kernel; rm -rf $$out; exit $$status

# One scenario of each kind, for every submission.
RSPLIB_QUICK = TestOurRegistrar/their_PU_resolves|TestTheirRegistrar/our_PU_.the_C_program..is_served|TestPeers/updates_in_both

.PHONY: interop-rsplib bench-rsplib
interop-rsplib: all
	tests/rsplib/run -b "$(BUILD)" $(if $(QUICK),,-p docs/reports/interoperability-rsplib.md) -l "$(BUILD)/rsplib-logs" -- -test.v \
	  -test.run '$(if $(QUICK),$(RSPLIB_QUICK),TestOurRegistrar|TestTheirRegistrar|TestPeers)'

bench-rsplib: all
	tests/rsplib/run -b "$(BUILD)" -f docs/reports/benchmarks-enrp.md -l "$(BUILD)/rsplib-logs" -- -test.v -test.run 'TestDownload|TestTakeover' -rounds $(or $(ROUNDS),5)

bench-failover: all
	go run ./tests/failover -bin $(BUILD)/bin -runs $(or $(RUNS),30) -o docs/reports/failover.md

bench-capi: all
	@echo "measuring for some minutes; the more idle the machine is, the better"
	go run ./tests/bench -build $(BUILD) $(if $(QUICK),-runs $(or $(RUNS),1) -share 0.1,-runs $(or $(RUNS),5)) \
	  $(if $(ONLY),-only $(ONLY)) $(if $(QUICK)$(ONLY),,-o docs/reports/benchmarks-capi.md)

bench-enrp: setup
	go test ./tests/go/cluster -run TestSilentRegistrarIsReplaced -timeout 0 -v -takeovers $(or $(RUNS),20) -takeover-report $(CURDIR)/docs/reports/takeover.md

bench-policies: setup
	go run ./core/internal/handlespace/figures -o docs/reports/benchmarks-policies.md
	go run ./core/internal/sim/shares -o docs/reports/policies.md

bench-sctp: setup
	@echo "measuring for some minutes; the more idle the machine is, the better"
	cd core/bench && go run . -vm $(CURDIR)/tests/vm/run $(if $(QUICK),-quick,-o ../../docs/reports/benchmarks.md)

# A seed that fails prints the command that plays it again.
sim: setup
	go test ./core/internal/sim -run 'TestWorld|TestShipped|TestRolling|TestLone|TestSessions' -v -timeout 0 -args -seeds $(or $(SEEDS),1000) -first $(or $(FIRST),1)

.PHONY: sim-sessions
sim-sessions: setup
	go test ./core/internal/sim -run TestSessions -v -timeout 0 -args -seeds $(or $(SEEDS),1000) -first $(or $(FIRST),1)

# The fuzz tests are found by their names: package and function.
.PHONY: fuzz
fuzz: setup
	@grep -rn '^func Fuzz' --include='*_test.go' core capi cmd | sed 's,/[^/]*:[0-9]*:func \(Fuzz[A-Za-z]*\).*, \1,' | sort -u | \
	while read -r package name; do \
	  echo "$$package $$name"; go test "./$$package" -run '^$$' -fuzz "^$$name$$" -fuzztime $(or $(RUNS),20000)x >$(BUILD).fuzz 2>&1 || \
	  { cat $(BUILD).fuzz; exit 1; }; \
	done; status=$$?; rm -f $(BUILD).fuzz; exit $$status

.PHONY: scale
scale: setup
	go run ./core/internal/sim/scale >$(BUILD).scale && mv $(BUILD).scale docs/reports/scale.md

.PHONY: sim-faults
sim-faults: setup
	go test ./core/internal/sim -run TestWorldsFindFaults -v -timeout 20m -args -faults

.PHONY: sim-loss
sim-loss: setup
	go test ./core/internal/session -run TestFalseFailovers -v -timeout 0 -args -lossy-days $(or $(DAYS),3)

.PHONY: sim-sctp
# SCTP engines on bad networks: 10^4 seeds take some minutes, a night 10^6. A
# seed that fails prints the command that plays it again.
sim-sctp: setup
	go test ./core/internal/sctp -run 'TestSim$$' -v -timeout 0 -args -seeds $(or $(SEEDS),10000) -first $(or $(FIRST),0)

soak: setup
	go test ./tests/go/cluster -v -timeout 0 -soak $(or $(SOAK),5m)

# Needs no build. core/bench is a module of its own, which ./... leaves out, and is
# looked at by itself.
.PHONY: check check-form check-tidy check-vet check-dead check-layers check-manual check-bench
check: setup-check check-form check-tidy check-vet check-dead check-layers check-manual conformance-check check-bench
	@echo "All checks passed."

check-form:
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "run make fmt for:"; echo "$$unformatted"; exit 1; }
	tools/c-format.sh check

check-tidy:
	go mod tidy -diff
	cd core/bench && go mod tidy -diff

check-vet:
	go vet ./...
	go run $(STATICCHECK) ./...

# What no program and no test reaches. C reaches what capi/core/exports_test.go lists.
check-dead:
	@for module in . core/bench; do \
		dead=$$(cd $$module && go run $(DEADCODE) -test ./...) || exit 1; \
		[ -z "$$dead" ] || { echo "in $$module, to be removed or used:"; echo "$$dead"; exit 1; }; \
	done

check-layers:
	go test ./core/internal/arch

check-manual:
	tests/c/test_manual.sh .
	@status=0; tests/c/test_manual_format.sh . || status=$$?; [ $$status = 77 ] || exit $$status

check-bench:
	cd core/bench && go vet ./... && go test ./...

.PHONY: mutate
mutate: setup-go
	@[ -n "$(PKG)" ] || { echo 'usage: make mutate PKG="./core/internal/policy ..."; see the head of the Makefile' >&2; exit 2; }
	go run ./tools/mutate $(if $(N),-n $(N)) $(if $(SEED),-seed $(SEED)) $(if $(TESTS),-tests '$(TESTS)') \
		$(if $(ALSO),-also $(ALSO)) $(if $(ALSO_TESTS),-also-tests '$(ALSO_TESTS)') $(PKG)

fmt: setup-check
	gofmt -w .
	tools/c-format.sh write

clean:
	rm -rf $(BUILD) $(BUILD)-asan
