# SPDX-License-Identifier: Apache-2.0
#
# The front door. `make` alone lists what there is; each target first installs what it needs (tools/setup).

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

JOBS ?= $(shell nproc)
PRESET ?= dev
PREFIX ?= /usr/local
FOR ?= build test lint
# Variables given on make's command line reach the scripts that read them.
export DEBEMAIL DEBFULLNAME CRASH_CYCLES FRESH_BUILD_SECONDS FRESH_UNIT_SECONDS FUZZ_SECONDS FUZZ_ONLY FUZZ_REPORT LINT_ALL LINT_BASE JOBS
# The thread sanitizer would go on behind what it finds.
TSAN_OPTIONS ?= halt_on_error=1
export TSAN_OPTIONS

# configure(PRESET): quick when nothing changed, and picks up a changed preset.
define configure
	cmake --preset $(1) > build/$(1).configure.log 2>&1 || { cat build/$(1).configure.log; exit 1; }
endef

##@ Use it

.PHONY: build
build: setup-build ## Build the program: build/release/bin/leat
	@mkdir -p build
	@$(call configure,release)
	@ninja -C build/release -j $(JOBS) leat

.PHONY: demo
demo: setup-demo build ## Play real events through it and print a scorecard  [DEMO="--telemetry --drop sent"]
	@ninja -C build/release -j $(JOBS) flight_delays
	@examples/demo/run $(DEMO)

.PHONY: run
run: setup-demo build ## The same, and stay up until Ctrl-C
	@ninja -C build/release -j $(JOBS) flight_delays
	@examples/demo/run --stay $(DEMO)

.PHONY: install
install: build ## Install the program, its unit, the streams library  [PREFIX=/usr/local DESTDIR=]
	@ninja -C build/release -j $(JOBS) leat_sdk
	@cmake -B build/release -DCMAKE_INSTALL_PREFIX=$(PREFIX) > build/release.configure.log
	@cmake --install build/release

.PHONY: package
package: setup-package build ## Make the Debian packages, build/release/*.deb, and install them on a copy of this machine (root)  [DEBFULLNAME= DEBEMAIL=]
	@ninja -C build/release -j $(JOBS) leat_sdk
	@rm -f build/release/*.deb
	@cd build/release && cpack -G DEB
	@python3 -B tests/package/deb_test.py build/release --packages build/release || [ $$? -eq 3 ]

##@ Work on it

.PHONY: setup
setup: ## Install the packages that targets need  [FOR="build test lint"]
	@tools/setup $(FOR)

.PHONY: test
test: setup-test ## Build and run the tests  [PRESET=dev|asan|tsan TESTS=regex LABELS=unit|compile|sim|system]
	@case $(PRESET) in asan|tsan) tools/setup sanitizers;; esac
	@mkdir -p build
	@$(call configure,$(PRESET))
	@ninja -C build/$(PRESET) -j $(JOBS)
	@ctest --test-dir build/$(PRESET) -j $(JOBS) --output-on-failure --no-tests=error --timeout 300 \
	  -L '$(or $(LABELS),unit|compile|sim|system)' $(if $(TESTS),-R '$(TESTS)')

.PHONY: lint
lint: setup-lint ## Layout, clang-tidy and house rules of what changed  [LINT_ALL=1 LINT_BASE=commit]
	@python3 -B tools/lint.py

.PHONY: format
format: setup-format ## Lay out all C++ sources with clang-format
	@git ls-files '*.h' '*.cc' '*.def' | xargs clang-format-19 -i
	@git diff --stat

.PHONY: clean
clean: ## Remove build/
	rm -rf build

##@ Prove it

.PHONY: fuzz
fuzz: setup-fuzz ## Run every fuzz target  [FUZZ_SECONDS=60 FUZZ_ONLY=regex FUZZ_REPORT=file]
	@mkdir -p build
	@$(call configure,fuzz)
	@ninja -C build/fuzz -j $(JOBS)
	@python3 -B tools/fuzz.py

.PHONY: sanitizers
sanitizers: setup-test setup-sanitizers ## All tests under address, behaviour and thread sanitizers; hours  [SANITIZERS="--preset asan --kind unit --report FILE"]
	@mkdir -p build
	@$(call configure,asan)
	@$(call configure,tsan)
	@ninja -C build/asan -j $(JOBS)
	@ninja -C build/tsan -j $(JOBS)
	@python3 -B tools/sanitizers.py $(SANITIZERS)

.PHONY: crash
crash: setup-crash ## Power cuts, kills, failpoints, mutants (root)  [CRASH_CYCLES=200 CRASH="all --fs ext4,xfs"]
	@mkdir -p build
	@$(call configure,dev)
	@ninja -C build/dev -j $(JOBS) leat crash_worker txn_worker streams_worker
	@tests/crash/run $(or $(CRASH),all) $(if $(CRASH_CYCLES),--cycles $(CRASH_CYCLES))

.PHONY: security
security: setup-security build ## Every API x every missing right x every mechanism, and strangers, beside Apache Kafka
	@python3 tests/security/matrix.py build/release/bin/leat --report docs/proof/rights.md
	@python3 tests/security/matrix.py build/release/bin/leat --open --way SCRAM-SHA-256 --report docs/proof/rights.md
	@for mutant in deny host prefix principal; do python3 tests/security/matrix.py build/release/bin/leat --mutant $$mutant --only ListOffsets || exit 1; done
	@python3 tests/security/strangers.py build/release/bin/leat --report docs/proof/strangers.md
	@python3 tests/security/tools.py build/release/bin/leat
	@python3 tests/system/garbage.py build/release/bin/leat --handshakes 100000 --append docs/proof/strangers.md

.PHONY: interop
interop: setup-interop build ## Foreign clients on Leat and on Apache Kafka  [INTEROP=short]
	@tests/interop/run $(if $(INTEROP),--$(INTEROP))
ifndef INTEROP
	@tests/interop/topic_effects.py build/release/bin/leat --mutants --report docs/proof/effects.md
	@python3 -B tests/interop/error_codes.py build/release/bin/leat --report docs/proof/error-codes.md
	@python3 -B tests/security/logins.py build/release/bin/leat --append docs/proof/error-codes.md
	@python3 -B tests/interop/metrics_push.py build/release/bin/leat
	@$(call configure,dev)
	@ninja -C build/dev -j $(JOBS) streams_case_runner leat record_writer_app word_count streams_live_app streams_operators_app stream_endpoint_app
	@python3 -B tools/wirecorpus/make_corpus.py --check
	@python3 -B tests/streams/topics.py
	@python3 -B tests/system/on_kafka.py build/dev
	@tests/streams/run --seed $$(date +%s) --cases 10000 --report docs/proof/streams-differential.md
	@python3 -B tests/streams/mutants.py --report docs/proof/streams-differential.md
	@ninja -C build/release -j $(JOBS) leat_sdk
	@python3 -B tests/package/package_test.py build/release/bin/leat build/release --kafka 4.3.1
	@python3 -B tests/package/deb_test.py build/release
endif

.PHONY: scale
scale: setup-scale build ## 10,000 idle connections and 10,000 partitions beside a live load; 5 minutes
	@ninja -C build/release -j $(JOBS) loadgen
	@tests/scale/run --report docs/proof/scale.md

.PHONY: fresh
fresh: setup-fresh ## The commit on a new Debian 12 with only git and make (root); an hour  [FRESH="--report FILE FOLDER build demo test unit"]
	@tests/fresh/run $(FRESH)

.PHONY: bench
bench: setup-bench build ## Measure beside Apache Kafka  [BENCH="--table backbone|security|streams --rounds 5 --report FILE"]
	@ninja -C build/release -j $(JOBS) loadgen null_broker streams_load streams_data
	@bench/run $(BENCH)

##@ Find your way

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z]+:.*## / {n = split($$2, part, "  \\["); printf "  make %-9s %s\n", $$1, part[1]; \
	  if (n > 1) printf "                 %s\n", "[" part[2]}' Makefile
	@echo
	@echo "Values in [] may be given on the command line, for example: make fuzz FUZZ_SECONDS=600 FUZZ_ONLY=wire_produce"
	@echo "JOBS=$(JOBS) sets how many compilers run at once. CONTRIBUTING.md has the daily loop."

# setup-X: what target X needs; silent work when all is there.
setup-%:
	@tools/setup $*
