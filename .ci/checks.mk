# make lint      clang-format, clang-tidy, cppcheck, shellcheck, mandoc, and both compilers with -Werror
# make lint-analyze  what clang's analyzer finds on the paths through every function; 20 minutes on two CPUs (lint-analyze)
# make valgrind  every command on a small trace under valgrind
# make coverage  which lines and branches tests run (coverage)
# make valgrind-unit  the unit tests under valgrind
# make nightly   what takes too long for .ci/run (nightly)
# make fuzz      see tests/fuzz/fuzz.mk
#
# Each check has a target of its own (lint-format, lint-tidy, ...); make lint runs them side by side. clang-tidy leaves
# a stamp for every file that passed, and looks only at what has changed since.

include tests/fuzz/fuzz.mk

LINT_PACKAGES     := gcc clang clang-tidy clang-format cppcheck shellcheck mandoc
VALGRIND_PACKAGES := valgrind

LINT         := $(BUILD)/lint
LINT_C       := $(wildcard */*.c */*/*.c)
LINT_H       := $(wildcard */*.h */*/*.h)
LINT_SCRIPTS  = $(shell grep -rlE '^\#!.*[/ ](ba)?sh' .ci bench tests cmd fixtures sim share)
LINT_TARGETS := lint-format lint-cppcheck lint-shell lint-man lint-gcc lint-clang lint-tidy

.PHONY: lint-deps
lint-deps: deps
	@./.ci/packages $(LINT_PACKAGES)

# As many at a time as there are CPUs, unless make was told another number.
.PHONY: lint
lint: lint-deps
	@$(MAKE) --no-print-directory -k -O $(if $(filter -j%,$(MAKEFLAGS)),,-j"$$(nproc)") $(LINT_TARGETS)

.PHONY: lint-format
lint-format:
	clang-format --dry-run -Werror $(LINT_C) $(LINT_H)

.PHONY: lint-tidy lint-analyze
lint-tidy: $(LINT_C:%.c=$(LINT)/%.tidy)
lint-analyze: $(LINT_C:%.c=$(LINT)/%.analyzed)

# Of all the checks of .clang-tidy the analyzer's take nearly all the time.
$(LINT)/%.tidy:     LINT_CHECKS := -clang-analyzer-*
$(LINT)/%.analyzed: LINT_CHECKS :=

# One file at a time: in one process clang-tidy 14 takes every va_list after the first file for uninitialised.
$(LINT)/%.tidy $(LINT)/%.analyzed: %.c $(LINT_H) $(wildcard */*.def */*/*.def) .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet --checks='$(LINT_CHECKS)' $< -- $(ALL_CFLAGS) 2> $@.err || { cat $@.err; exit 1; }
	@touch $@

.PHONY: lint-cppcheck
lint-cppcheck:
	cppcheck --quiet --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --std=c11 \
	    -D_GNU_SOURCE -I. --suppress=missingIncludeSystem $(LINT_C)

.PHONY: lint-shell
lint-shell: # SC2002: cat FILE | is how a pipe gets into a test; SC2119: a function's argument may be optional
	shellcheck -x --exclude=SC2002,SC2119 $(LINT_SCRIPTS)

.PHONY: lint-man
lint-man:
	$(if $(wildcard man/*.[1-9]),mandoc -T lint -W warning $(wildcard man/*.[1-9]),@echo 'no manual pages')

.PHONY: lint-gcc lint-clang
lint-gcc lint-clang: lint-%:
	@$(MAKE) --no-print-directory -s BUILD=$(LINT)/$* CC=$* CFLAGS='-O2 -g -Werror' lint-build

# Everything there is to compile.
.PHONY: lint-build
lint-build: $(BUILD)/xenmeter $(LINT_C:%.c=$(BUILD)/%.o)

VALGRIND := valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=all $(BUILD)/xenmeter
SMALL    := $(BUILD)/valgrind/small

.PHONY: valgrind
valgrind: all
	@./.ci/packages $(VALGRIND_PACKAGES)
	@mkdir -p $(BUILD)/valgrind
	jq '.trace = { "sweep_ms": 2, "lost": 0.1 }' sim/scenarios/stress-hvm-pv.json | \
	    $(VALGRIND) simulate --size 400K --truth $(SMALL).json --output $(SMALL).xt -
	$(VALGRIND) simulate --duration 300ms --output /dev/null sim/scenarios/stress-churn.json
	zstd -q -f -o $(SMALL).xt.zst $(SMALL).xt
	for by in domain vcpu pcpu domain-pcpu; do \
	    $(VALGRIND) report -q -b $$by -g total,100ms,execution -f json $(SMALL).xt.zst > /dev/null && \
	    $(VALGRIND) dump -q --count -b $$by $(SMALL).xt > /dev/null || exit 1; \
	done
	$(VALGRIND) report -q < $(SMALL).xt > /dev/null
	for format in table csv json jsonl; do \
	    $(VALGRIND) charge -q -g total,100ms -f $$format $(SMALL).xt > /dev/null || exit 1; \
	done
	$(VALGRIND) debt -q --reserve '0=10%,*=5%' --feedback 10ms --spread 3 -g interval,total -f json $(SMALL).xt > /dev/null
	$(VALGRIND) guard -q --limit '*=5%' --window 10ms -g interval,total -f json $(SMALL).xt > /dev/null || test $$? = 1
	for format in text csv jsonl; do $(VALGRIND) dump -q -f $$format $(SMALL).xt > /dev/null || exit 1; done
	$(VALGRIND) info -q -v $(SMALL).xt > /dev/null
	$(VALGRIND) archive create -q --with-trace -g 100ms,execution $(SMALL).xt -o $(SMALL).xma
	$(VALGRIND) archive verify $(SMALL).xma
	$(VALGRIND) report -q -b vcpu -t 0.01,0.02 $(SMALL).xma > /dev/null
	$(VALGRIND) charge -q $(SMALL).xma > /dev/null

.PHONY: coverage
coverage:
	@./.ci/coverage

# valgrind computes a long double with the 64 bits of a double, so that tests of exact times fail in it: what counts is its
# own report, of errors and of what is definitely lost.
VALGRIND_LOG := $(BUILD)/valgrind/unit.log

.PHONY: valgrind-unit
valgrind-unit: all test-tools
	@./.ci/packages $(VALGRIND_PACKAGES)
	@mkdir -p $(BUILD)/valgrind
	valgrind -q --log-file=$(VALGRIND_LOG) --leak-check=full --show-leak-kinds=definite $(BUILD)/unit-tests > $(BUILD)/valgrind/unit.txt; \
	    test $$? -le 1 && grep -q 'Run Summary' $(BUILD)/valgrind/unit.txt && ! grep . $(VALGRIND_LOG)

.PHONY: nightly
nightly:
	@TRACES=$(TRACES) ./.ci/nightly
