# make fuzz           libFuzzer on the road from bytes to the rows of a report, on that to the lines of a dump,
#                     and on what reads archives, for FUZZ_SECONDS together
# make fuzz-findings  the findings in FUZZ_FINDINGS again, one by one
#
# tests/fuzz/corpus-archive holds a byte that says what it is (archive.c), then a small archive or the text of a member.
# tests/fuzz/corpus holds inputs of up to 5 KiB: a byte of choices (road.c and dump.c, each in its own way), then
# the first windows of a capture, each with its first records: real ones (real-*), simulated ones (made-*), and
# what a run once found (found-*). What a run adds stays in $(BUILD)/fuzz/corpus, corpus-dump and corpus-archive;
# findings of the latter two are FUZZ_FINDINGS/dump-* and archive-*.

FUZZ_SECONDS  ?= 60
FUZZ_BUILD    := $(BUILD)/fuzz
FUZZ_FINDINGS ?= $(FUZZ_BUILD)/findings
FUZZ_CC       ?= clang
FUZZ_CFLAGS   := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# Inputs are small: batches of few events, so that there are several, and what depends on where one ends is found.
FUZZ_CFLAGS   += -DBATCH_EVENTS=37
FUZZ_PACKAGES := clang libclang-rt-14-dev
FUZZ_LIBRARY   = $(patsubst %.c,$(FUZZ_BUILD)/%.o,$(LIBRARY_SRC))
FUZZ_ROAD      = $(patsubst %,$(FUZZ_BUILD)/tests/%.o,fuzz/road fuzz/debts fuzz/joins fuzz/mutate fuzz/store unit/mixture)
FUZZ_DUMP      = $(patsubst %,$(FUZZ_BUILD)/tests/fuzz/%.o,dump sheet mutate store)
FUZZ_ARCHIVE   = $(patsubst %,$(FUZZ_BUILD)/tests/fuzz/%.o,archive member_texts repack store)
FUZZ_TARGETS   = $(FUZZ_BUILD)/road $(FUZZ_BUILD)/dump $(FUZZ_BUILD)/archives
FUZZ_OPTIONS   = $(FUZZ_GUARD) $(if $(FUZZ_SEED),-seed=$(FUZZ_SEED)) \
                 -max_total_time=$$(($(FUZZ_SECONDS) / 3)) -print_final_stats=1
# A slow input or one that takes much memory is a finding as well.
FUZZ_GUARD    := -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=5

$(FUZZ_BUILD)/%.o: %.c | fuzz-deps
	@mkdir -p $(@D)
	$(FUZZ_CC) $(ALL_CFLAGS) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_BUILD)/road: $(FUZZ_ROAD)
$(FUZZ_BUILD)/dump: $(FUZZ_DUMP)
$(FUZZ_BUILD)/archives: $(FUZZ_ARCHIVE)
$(FUZZ_TARGETS): $(FUZZ_LIBRARY)
	$(FUZZ_CC) $(ALL_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

-include $(patsubst %.o,%.d,$(FUZZ_LIBRARY) $(FUZZ_ROAD) $(FUZZ_DUMP) $(FUZZ_ARCHIVE))

.PHONY: fuzz-deps
fuzz-deps: deps
	@./.ci/packages $(FUZZ_PACKAGES)

# Apart, so that make -k fuzz goes on after a finding.
.PHONY: fuzz fuzz-road fuzz-dump fuzz-archives
fuzz: fuzz-road fuzz-dump fuzz-archives

fuzz-road: $(FUZZ_BUILD)/road
	@mkdir -p $(FUZZ_BUILD)/corpus $(FUZZ_FINDINGS)
	$< $(FUZZ_OPTIONS) -max_len=8192 \
	    -dict=tests/fuzz/xentrace.dict -artifact_prefix=$(FUZZ_FINDINGS)/ $(FUZZ_BUILD)/corpus tests/fuzz/corpus

fuzz-dump: $(FUZZ_BUILD)/dump
	@mkdir -p $(FUZZ_BUILD)/corpus-dump $(FUZZ_FINDINGS)
	$< $(FUZZ_OPTIONS) -max_len=8192 \
	    -dict=tests/fuzz/xentrace.dict -artifact_prefix=$(FUZZ_FINDINGS)/dump- $(FUZZ_BUILD)/corpus-dump tests/fuzz/corpus

fuzz-archives: $(FUZZ_BUILD)/archives
	@mkdir -p $(FUZZ_BUILD)/corpus-archive $(FUZZ_FINDINGS)
	$< $(FUZZ_OPTIONS) -max_len=16384 \
	    -dict=tests/fuzz/archive.dict -artifact_prefix=$(FUZZ_FINDINGS)/archive- $(FUZZ_BUILD)/corpus-archive tests/fuzz/corpus-archive

# Without a file to run libFuzzer would look for new ones.
DUMP_FOUND    = $(wildcard $(FUZZ_FINDINGS)/dump-*)
ARCHIVE_FOUND = $(wildcard $(FUZZ_FINDINGS)/archive-*)
ROAD_FOUND    = $(filter-out $(DUMP_FOUND) $(ARCHIVE_FOUND),$(wildcard $(FUZZ_FINDINGS)/*))

.PHONY: fuzz-findings
fuzz-findings: $(FUZZ_TARGETS)
	$(if $(ROAD_FOUND),$(FUZZ_BUILD)/road $(FUZZ_GUARD) $(ROAD_FOUND))
	$(if $(DUMP_FOUND),$(FUZZ_BUILD)/dump $(FUZZ_GUARD) $(DUMP_FOUND))
	$(if $(ARCHIVE_FOUND),$(FUZZ_BUILD)/archives $(FUZZ_GUARD) $(ARCHIVE_FOUND))
