# make fuzz           libFuzzer on every target below, for FUZZ_SECONDS together; FUZZ_SEED=N repeats a run,
#                     FUZZ_WORKERS=N runs so many processes of a target at a time (0: one a CPU); an input that takes
#                     more than FUZZ_TIMEOUT seconds is a finding
# make fuzz-road      one target alone, for all of FUZZ_SECONDS
# make fuzz-findings  the findings in FUZZ_FINDINGS again, one by one
#
# tests/fuzz/corpus-archive holds a byte that says what it is (archive.c), then a small archive or the text of a member.
# tests/fuzz/corpus holds inputs of up to 5 KiB: a byte of choices (road.c and dump.c, each in its own way), then
# the first windows of a capture, each with its first records: real ones (real-*), simulated ones (made-*), and
# what a run once found (found-*).
#
# tests/fuzz/corpus-truth holds bytes that decide what a made host does (tests/reference/truth.h).
# tests/fuzz/corpus-pairs holds a byte that chooses the pair (pairs.c), then a capture, or bytes for a made host.
# tests/fuzz/corpus-extracts holds a byte of choices (extracts.c), then the text of an extract, or an index.
# tests/fuzz/corpus-texts holds a byte that chooses the reader (texts.c), then its text.
#
# What a run adds stays in $(BUILD)/fuzz/corpus-TARGET, what libFuzzer printed in $(BUILD)/fuzz/TARGET.log; findings
# are FUZZ_FINDINGS/TARGET-*. A target ends with one line: executions, executions/s, coverage.

FUZZ_SECONDS  ?= 60
ifndef FUZZ_SEED
FUZZ_SEED     := $(shell date +%s)
endif
FUZZ_WORKERS  ?= 1
FUZZ_BUILD    := $(BUILD)/fuzz
FUZZ_FINDINGS ?= $(FUZZ_BUILD)/findings
FUZZ_CC       ?= clang
FUZZ_CFLAGS   := -O2 -gline-tables-only -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# Compares are not traced: mutations here know the format (mutate.c, dictionaries), and inputs take half as long.
FUZZ_CFLAGS   += -fno-sanitize-coverage=trace-cmp
# Inputs are small: batches of few events, so that there are several, and what depends on where one ends is found.
FUZZ_CFLAGS   += -DBATCH_EVENTS=37
# Few pCPUs, and small tables of what the clock and the cores are found by: setting up large ones would take nearly all of the
# time, and their ends would not be reached.
FUZZ_CFLAGS   += -DPCPUS_MAX=95 -DCLOCK_MARKS=1024 -DSWITCHES=512 -DPLACES=1024
FUZZ_PACKAGES := clang libclang-rt-14-dev
FUZZ_OBJECTS   = $(LIBRARY_SRC:%.c=$(FUZZ_BUILD)/%.o)
FUZZ_LIBRARY  := $(FUZZ_BUILD)/libxenmeter.a
# An input that hangs, or takes much memory, is a finding as well. libFuzzer goes by the time of day: what is far from a hang must not be a
# finding on a machine that is slow, or stands still for a while.
FUZZ_TIMEOUT  ?= 120
FUZZ_GUARD    := -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=$(FUZZ_TIMEOUT)
# Weights by the rarity of features would take longer than the inputs.
FUZZ_OPTIONS  := -entropic=0

REFERENCE := $(patsubst tests/%.c,%,$(wildcard tests/reference/*.c))
# What makes and changes captures.
FUZZ_MUTATE   := fuzz/mutate unit/damaged_windows unit/random_host unit/bytes

# Each target is one line below:
#     $(eval $(call fuzz_target,NAME,files in tests/ without .c,folder in tests/fuzz,dictionary in tests/fuzz or nothing,longest input))
FUZZ_TARGETS :=
define fuzz_target
FUZZ_TARGETS += $(1)
$(FUZZ_BUILD)/$(1): $(2:%=$(FUZZ_BUILD)/tests/%.o)
-include $(2:%=$(FUZZ_BUILD)/tests/%.d)
# The same for coverage (.ci/coverage), with the tables' own sizes, and with the folder of its corpus beside it.
$(BUILD)/coverage/$(1): $(2:%=$(BUILD)/tests/%.o) $(BUILD)/libxenmeter.a
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_CFLAGS) -fsanitize=fuzzer -o $$@ $$^ $$(LIBS)
	@echo tests/fuzz/$(3) > $$@.corpus
.PHONY: fuzz-$(1)
fuzz-$(1): $(FUZZ_BUILD)/$(1)
	@FUZZ_BUILD=$(FUZZ_BUILD) FINDINGS=$(FUZZ_FINDINGS) SEED=$$(FUZZ_SEED) SECONDS_EACH=$$(FUZZ_EACH) FUZZ_WORKERS=$(FUZZ_WORKERS) \
	    tests/fuzz/run $(1) tests/fuzz/$(3) $(FUZZ_GUARD) $(FUZZ_OPTIONS) -max_len=$(5) $(if $(4),-dict=tests/fuzz/$(4))
endef

# All of the time for a target that is asked for by its name.
FUZZ_EACH = $(if $(filter fuzz,$(MAKECMDGOALS)),$(shell echo $$(($(FUZZ_SECONDS) / $(words $(FUZZ_TARGETS))))),$(FUZZ_SECONDS))

$(FUZZ_BUILD)/%.o: %.c | fuzz-deps
	@mkdir -p $(@D)
	$(FUZZ_CC) $(ALL_CFLAGS) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_LIBRARY): $(FUZZ_OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

-include $(FUZZ_OBJECTS:%.o=%.d)

.PHONY: fuzz-deps
fuzz-deps: deps
	@./.ci/packages $(FUZZ_PACKAGES)

$(eval $(call fuzz_target,road,fuzz/road fuzz/report fuzz/debt_relation fuzz/joins $(FUZZ_MUTATE) fuzz/fuzz_store fuzz/chosen unit/bytes_feed unit/mixture,corpus,xentrace.dict,8192))
$(eval $(call fuzz_target,dump,fuzz/dump fuzz/sheet_file $(FUZZ_MUTATE) fuzz/fuzz_store fuzz/chosen unit/bytes_feed,corpus,xentrace.dict,8192))
$(eval $(call fuzz_target,archives,fuzz/archive fuzz/member_texts fuzz/repack fuzz/fuzz_store unit/bytes_feed,corpus-archive,archive.dict,16384))

$(eval $(call fuzz_target,truth,fuzz/truth unit/bytes unit/bytes_feed $(REFERENCE),corpus-truth,,2048))
$(eval $(call fuzz_target,pairs,fuzz/pairs fuzz/archived_input fuzz/ways fuzz/read_back fuzz/read_text fuzz/checks $(FUZZ_MUTATE) fuzz/fuzz_store reference/made_host unit/bytes_feed unit/snapshots_kept unit/run_program,corpus-pairs,xentrace.dict,8192))
$(eval $(call fuzz_target,texts,fuzz/texts fuzz/text_again fuzz/fuzz_store unit/bytes_feed,corpus-texts,texts.dict,4096))
$(eval $(call fuzz_target,extracts,fuzz/extracts,corpus-extracts,archive.dict,16384))

# Commands are parsed, and not run: their objects as they are, but for the name of the program's own main().
FUZZ_COMMANDS := $(CMD_SRC:%.c=$(FUZZ_BUILD)/%.o)
$(FUZZ_BUILD)/cmd/main.o: FUZZ_CFLAGS += -Dmain=xenmeter_main
$(FUZZ_BUILD)/texts: $(FUZZ_COMMANDS)
-include $(FUZZ_COMMANDS:%.o=%.d)

$(FUZZ_TARGETS:%=$(FUZZ_BUILD)/%): $(FUZZ_LIBRARY)
	$(FUZZ_CC) $(ALL_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(FUZZ_LIBRARY) $(LIBS)

# Each target is made apart, so that make -k fuzz goes on after a finding.
.PHONY: fuzz
fuzz: $(FUZZ_TARGETS:%=fuzz-%)

# Without a file to run libFuzzer would look for new ones.
.PHONY: fuzz-findings
fuzz-findings: $(FUZZ_TARGETS:%=$(FUZZ_BUILD)/%)
	$(foreach target,$(FUZZ_TARGETS),$(if $(wildcard $(FUZZ_FINDINGS)/$(target)-*),\
	    $(FUZZ_BUILD)/$(target) $(FUZZ_GUARD) $(wildcard $(FUZZ_FINDINGS)/$(target)-*) &&)) true

.PHONY: coverage-targets
coverage-targets: $(FUZZ_TARGETS:%=$(BUILD)/coverage/%)
