# make bench - seconds and memory beside xenalyze and the floor, all in one run, one table (bench.sh).
#
# The traces are generated once into $(BUILD)/bench (about 3.5 GB); the same seed gives the same bytes. BENCH_SIZE is
# that of the first one, BENCH_BESIDE that of the others; BENCH_RUNS=5, BENCH_CPU=0.

BENCH        := $(BUILD)/bench
BENCH_SIZE   ?= 1G
BENCH_BESIDE ?= 256M
BENCH_SEED   := 42
BENCH_TRACES := full beside-64-pcpus beside-255-pcpus beside-sched beside-1000-domains

bench_full                := --size $(BENCH_SIZE) --pcpus 8 --domains 20 --vcpus 4
bench_beside-64-pcpus     := --size $(BENCH_BESIDE) --pcpus 64 --domains 160 --vcpus 4
# 255: xenalyze can do no more
bench_beside-255-pcpus    := --size $(BENCH_BESIDE) --pcpus 255 --domains 640 --vcpus 4
bench_beside-sched        := --size $(BENCH_BESIDE) --pcpus 8 --domains 20 --vcpus 4 --mix sched
bench_beside-1000-domains := --size $(BENCH_BESIDE) --pcpus 8 --domains 1000 --vcpus 4

title_full                := $(BENCH_SIZE), 8 pCPUs
title_beside-64-pcpus     := $(BENCH_BESIDE), 64 pCPUs
title_beside-255-pcpus    := $(BENCH_BESIDE), 255 pCPUs
title_beside-sched        := $(BENCH_BESIDE), sched only
title_beside-1000-domains := $(BENCH_BESIDE), 1000 domains

.PHONY: bench
bench: all $(BENCH)/hop $(BENCH)/run $(BENCH_TRACES:%=$(BENCH)/%.xt) $(BENCH)/full.xt.zst
	@BENCH_RUNS=$(BENCH_RUNS) BENCH_CPU=$(BENCH_CPU) bench/bench.sh $(BUILD)

$(BENCH)/hop $(BENCH)/run: $(BENCH)/%: $(BENCH)/%.o
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $<

.PRECIOUS: $(BENCH)/%.xt
$(BENCH)/%.xt: | $(BUILD)/tracegen
	@mkdir -p $(@D)
	$(BUILD)/tracegen --seed $(BENCH_SEED) $(bench_$*) --output $@.part
	@echo '$(title_$*)' > $(@:.xt=.title)
	@mv $@.part $@

$(BENCH)/full.xt.zst: $(BENCH)/full.xt
	zstd -q -f -3 -T0 -o $@ $<
