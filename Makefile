# make            build build/xenmeter
# make demo       install what is missing, build, show the main job on a real capture
# make test       install what is missing, build, pass the tests (TRACES=DIR: more captures to judge by)
# make install    PREFIX=/usr/local DESTDIR=
# make lint       clang-format, clang-tidy, cppcheck, shellcheck, both compilers with -Werror
# make asan       the tests under AddressSanitizer and UndefinedBehaviorSanitizer
# make tsan       the tests that use threads under ThreadSanitizer
# make fuzz       libFuzzer on what reads traces and archives (FUZZ_SECONDS=60, FUZZ_SEED=N repeats a run); executions/s, coverage, findings
# make experiments  what schedulers, the ledger and charges do on a simulated host; minutes (ONLY="2 5": these experiments)
# make bench      speed and memory beside xenalyze and the bare floor (TRACES=DIR: on captures, too)
# make test-xen   in domain 0 of a real Xen, emulated by QEMU; 40 minutes, as root (PART="measure guard": these parts)
# make bench-live   how late the rows of report --live come, and its CPU time
# make bench-fleet  statements of 1,000 hosts with 24 archives each: seconds and memory (FLEET_HOSTS=N, FLEET_ROWS=1s)
# make bench-check  instructions of small reports beside the recorded ones (make bench-record: records them)
# make nightly    what takes too long for CI: long fuzzing, 4 GiB, captures under sanitizers, every fault, valgrind, bench
# make coverage   lines and branches by folder that unit tests, fuzz corpora and some suites run (COVERAGE_SUITES='cli dump'); 10 minutes
# make clean

PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
BUILD   ?= build
CFLAGS  ?= -O2 -g
PKGS    := libzstd libxxhash jansson gmp

# Libraries that it is built with where they are there: zlib reads gzip, liblzma reads xz, sqlite3 writes databases, libmicrohttpd
# serves metrics, ncursesw shows the screen of `top`, xencall and xenforeignmemory put back what Xen traced before a recording.
# `make WITHOUT=zlib` leaves one out.
OPTIONAL := zlib liblzma sqlite3 libmicrohttpd ncursesw xencall xenforeignmemory

include tests/tests.mk
include bench/bench.mk
include sim/experiments/experiments.mk

# When a recipe runs: `deps` may have installed them just before.
optional  = $(shell for p in $(filter-out $(WITHOUT),$(OPTIONAL)); do ! pkg-config --exists $$p || echo $$p; done)
WARNINGS := -Wall -Wextra -Wpedantic
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(WARNINGS) -I. -pthread $(shell pkg-config --cflags $(PKGS) $(optional)) \
             $(patsubst %,-DHAVE_%,$(optional)) $(CFLAGS)
LIBS       = $(shell pkg-config --libs $(PKGS) $(filter-out libmicrohttpd,$(optional))) -ldl -lm -pthread
# libmicrohttpd is loaded when it is needed (cmd/http_library.h), by the name that a program linked with it asks for.
HTTP_LIBRARY = $(shell readelf -d "$$($(CC) -print-file-name=libmicrohttpd.so)" 2>/dev/null | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
$(BUILD)/cmd/http_library.o: ALL_CFLAGS += $(patsubst %,-DHTTP_LIBRARY='"%"',$(HTTP_LIBRARY))

LAYERS      := parser/source parser/decode parser/order parser metrics/model metrics/measure metrics/control metrics/relation metrics formats archive account host act record sim screen
LIBRARY_SRC := $(wildcard $(LAYERS:%=%/*.c))
CMD_SRC     := $(wildcard cmd/*.c)
objects      = $(patsubst %.c,$(BUILD)/%.o,$(1))

LIBRARY := $(BUILD)/libxenmeter.a

.PHONY: all
all: deps $(BUILD)/xenmeter

$(BUILD)/xenmeter: $(call objects,$(CMD_SRC)) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(call objects,$(LIBRARY_SRC))
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c | deps
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.c,$(BUILD)/%.d,$(wildcard */*.c */*/*.c))

# Debian's packages that building and testing need; installed when they are missing.
PACKAGES := gcc libc6-dev pkg-config libzstd-dev libxxhash-dev libjansson-dev libgmp-dev zlib1g-dev liblzma-dev libsqlite3-dev libmicrohttpd-dev libncurses-dev libxen-dev libcunit1-dev zstd jq xxhash sqlite3 nftables iproute2 iputils-ping tmux less curl bc

.PHONY: deps
deps:
	@./.ci/packages $(PACKAGES)

.PHONY: demo
demo: all
	@echo; echo '$$ xenmeter info fixtures/membuf-credit2.xt.zst'
	@$(BUILD)/xenmeter info fixtures/membuf-credit2.xt.zst
	@echo; echo '$$ xenmeter report fixtures/membuf-credit2.xt.zst'
	@$(BUILD)/xenmeter report fixtures/membuf-credit2.xt.zst
	@echo; echo '$$ xenmeter charge fixtures/membuf-credit2.xt.zst'
	@$(BUILD)/xenmeter charge fixtures/membuf-credit2.xt.zst
	@echo; echo '$$ xenmeter report -b vcpu -g 1s fixtures/membuf-credit2.xt.zst'
	@$(BUILD)/xenmeter report -b vcpu -g 1s fixtures/membuf-credit2.xt.zst

# The page about events says what the tables say. Not part of `all`: that it is up to date is a test.
EVENT_TABLES := parser/decode/events.def parser/decode/hypercalls.def parser/decode/names.def
man/xenmeter-events.7: man/events.awk $(EVENT_TABLES)
	LC_ALL=C awk -f man/events.awk $(EVENT_TABLES) > $@.tmp && mv $@.tmp $@

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 755 $(BUILD)/xenmeter $(DESTDIR)$(PREFIX)/bin/
	install -m 644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -d $(DESTDIR)$(PREFIX)/share/xenmeter/hooks
	install -m 755 $(filter-out %.sh,$(wildcard share/hooks/*)) $(DESTDIR)$(PREFIX)/share/xenmeter/hooks/
	install -m 644 share/hooks/common.sh $(DESTDIR)$(PREFIX)/share/xenmeter/hooks/
	install -d $(DESTDIR)$(PREFIX)/share/xenmeter/prometheus $(DESTDIR)$(PREFIX)/share/xenmeter/grafana
	install -m 644 share/prometheus/xenmeter.rules.yml $(DESTDIR)$(PREFIX)/share/xenmeter/prometheus/
	install -m 644 share/grafana/xenmeter.json $(DESTDIR)$(PREFIX)/share/xenmeter/grafana/
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|g' share/systemd/xenmeter-record.service | \
		install -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/system/xenmeter-record.service
	$(BUILD)/xenmeter help --completion bash | \
		install -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/bash-completion/completions/xenmeter
	$(BUILD)/xenmeter help --completion zsh | \
		install -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_xenmeter

include .ci/checks.mk

.PHONY: clean
clean:
	rm -rf $(BUILD) build-asan build-tsan build-coverage build-coverage.log
