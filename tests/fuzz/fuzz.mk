# make fuzz           libFuzzer on the whole road from bytes to rows, for FUZZ_SECONDS
# make fuzz-findings  the findings in FUZZ_FINDINGS again, one by one
#
# tests/fuzz/corpus holds inputs of up to 4 KiB: a byte of choices (road.c), then the first windows of a capture, each
# with its first records: real ones (real-*), simulated ones (made-*), and what a run once found (found-*). What a run
# adds stays in $(BUILD)/fuzz/corpus.

FUZZ_SECONDS  ?= 60
FUZZ_BUILD    := $(BUILD)/fuzz
FUZZ_FINDINGS ?= $(FUZZ_BUILD)/findings
FUZZ_CC       ?= clang
FUZZ_CFLAGS   := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_PACKAGES := clang libclang-rt-14-dev
FUZZ_OBJECTS   = $(patsubst %.c,$(FUZZ_BUILD)/%.o,$(LIBRARY_SRC) tests/fuzz/road.c tests/fuzz/mutate.c)
# A slow input or one that takes much memory is a finding as well.
FUZZ_GUARD    := -rss_limit_mb=512 -malloc_limit_mb=256 -timeout=5

$(FUZZ_BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(ALL_CFLAGS) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_BUILD)/road: $(FUZZ_OBJECTS)
	$(FUZZ_CC) $(ALL_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

-include $(FUZZ_OBJECTS:.o=.d)

.PHONY: fuzz-deps
fuzz-deps: deps
	@./.ci/packages $(FUZZ_PACKAGES)

.PHONY: fuzz
fuzz: fuzz-deps
	@$(MAKE) --no-print-directory $(FUZZ_BUILD)/road
	@mkdir -p $(FUZZ_BUILD)/corpus $(FUZZ_FINDINGS)
	$(FUZZ_BUILD)/road $(FUZZ_GUARD) $(if $(FUZZ_SEED),-seed=$(FUZZ_SEED)) -max_len=8192 -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	    -dict=tests/fuzz/xentrace.dict -artifact_prefix=$(FUZZ_FINDINGS)/ $(FUZZ_BUILD)/corpus tests/fuzz/corpus

.PHONY: fuzz-findings
fuzz-findings: $(FUZZ_BUILD)/road
	$(FUZZ_BUILD)/road $(FUZZ_GUARD) $(wildcard $(FUZZ_FINDINGS)/*)
