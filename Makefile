# SPDX-License-Identifier: GPL-2.0-or-later
# Short names for what CMake and CTest do; see CMakePresets.json.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
TEST_JOBS ?= 5
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 3600
KIND ?= i386

all: release

# What is installed; and the same with warnings as errors.
release dev:
	@tools/setup --check build
	cmake --preset $@
	cmake --build --preset $@ -j $(JOBS)

# The same with clang.
clang:
	@tools/setup --check build clang
	cmake --preset $@
	cmake --build --preset $@ -j $(JOBS)

# What the tables know, put into the manual's pages about addresses and options.
manual:
	@tools/setup --check build
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target manual_tables
	@build/release/manual_tables > build/release/tables && \
	for page in man/catena-options.7 man/catena-addresses.7; do \
	    awk -f tools/manual_tables.awk build/release/tables $$page > $$page.new || told=1; \
	    mv $$page.new $$page; done; [ -z "$$told" ]

# What there is to make.
help:
	@awk '/^#/ { text = text (text ? " " : "") substr($$0, 3); next } \
	    /^[a-z][-a-z ]*:/ && !/:=/ { sub(/:.*/, ""); printf "%-14s %s\n", $$0, text } { text = "" }' Makefile

# Before a commit, in a minute: unit tests, lint, the shell tests of what has changed.
check: release
	@tools/setup build test
	tools/check

# The main job, shown with servers started on loopback.
demo:
	@tools/setup build demo
	@$(MAKE) --no-print-directory release
	tools/demo build/release/catena

# All tests.
test:
	@tools/setup build test
	@$(MAKE) --no-print-directory release
	ctest --preset release -j $(TEST_JOBS)

# Programs of others, which are many and large, as peers; two at a time, for they have time limits of their own.
peers: release
	@tools/setup build test peers
	ctest --test-dir build/release -L '^peers$$' --output-on-failure -j 2

# The same tests with sanitizers.
asan tsan:
	@tools/setup build test clang
	cmake --preset $@
	cmake --build --preset $@ -j $(JOBS)
	ctest --preset $@ -j $(TEST_JOBS)

# Each fuzz target for FUZZ_SECONDS.
fuzz:
	@tools/setup build clang
	cmake --preset fuzz
	cmake --build --preset fuzz -j $(JOBS)
	tests/fuzz/run build/fuzz $(FUZZ_SECONDS)

# Beside the peers found on this machine: make bench BENCH='--only tcp_oneway'
bench:
	@tools/setup build bench
	@$(MAKE) --no-print-directory release
	cmake --build --preset release --target bench_tools
	bench/run $(BENCH)

# Every allocation and system call of the scenarios failed in turn, with sanitizers.
torture:
	@tools/setup build clang
	cmake --preset asan
	cmake --build --preset asan -j $(JOBS) --target catena_torture xio_torture torture
	build/asan/tests/torture -o build/asan/tests/catena_torture $(SCENARIOS)

# The program broken in one place after the other: do the tests notice? make mutate MUTATE='src/engine'
mutate:
	@tools/setup build test
	tools/mutate $(MUTATE)

# The load tests in their full size, for which ulimit -Hn should allow 20,200 descriptors; and for an
# hour, or SOAK_SECONDS.
load: release
	@tools/setup build test
	ulimit -n $$(ulimit -Hn); LOAD_SEQUENTIAL=10000 LOAD_AT_ONCE=500 LOAD_HELD=10000 bats --timing tests/load

# The same for an hour, or SOAK_SECONDS.
soak: release
	@tools/setup build test
	ulimit -n $$(ulimit -Hn); LOAD_AT_ONCE=500 \
	LOAD_SOAK=$$(($(SOAK_SECONDS) / $$(grep -h -c '^@test' tests/load/*.bats | awk '{ n += $$1 } END { print n }'))) \
	bats --timing tests/load

# Into DESTDIR, if that is set; built without the tests.
install:
	@tools/setup --check build
	cmake --preset release -B build/install -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	cmake --build build/install -j $(JOBS)
	umask 022; DESTDIR="$(DESTDIR)" cmake --install build/install

# What install has put there.
uninstall:
	xargs -r -d '\n' -I {} rm -f "$(DESTDIR){}" < build/install/install_manifest.txt

# Debian packages, out of what is committed, in build/deb.
deb:
	@tools/setup build deb
	packaging/deb build/deb

# ... which are then installed and tried in a bare Debian; as root.
try-deb: deb
	packaging/try-deb build/deb

# Packages of what is committed by the recipes for Fedora and its kin, Arch and Alpine, in build/<that name>.
rpm arch alpine:
	@tools/setup build recipes
	packaging/$@/build build/$@

# An image in which the program is process 1, made with buildah on a bare Debian and tried; as root.
try-image:
	@tools/setup image
	packaging/try-image

# Is what is built the same, byte for byte, when it is built a second time somewhere else? make reproducible KINDS='release deb rpm'
reproducible:
	@tools/setup build deb recipes
	tools/reproducible $(KINDS)

# The program alone in one file, with its libraries, for any Linux: build/static/catena. PORTING.md says what it lacks.
static:
	@tools/setup build musl
	tools/elsewhere musl

# Built and tested as another machine has it: make elsewhere KIND=i386, or arm64; FOR_CTEST='-R chains/tls'; i386 as root.
elsewhere:
	@tools/setup build test $(KIND)
	tools/elsewhere $(KIND) $(FOR_CTEST)

# The manual as web pages, in build/html.
html: release
	@tools/setup build test
	tools/manual_html build/html man/*.[0-9]

# What was built.
clean:
	rm -rf build

.PHONY: all manual help check release dev clang demo test peers asan tsan fuzz torture mutate bench load soak install uninstall deb try-deb rpm arch alpine try-image reproducible static elsewhere html clean
