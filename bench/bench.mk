# make bench - seconds and memory beside xenalyze and the floor, all in one run, one table for each kind of trace
# (bench.sh); 10 minutes on two CPUs.
#
# The traces are generated once into $(BUILD)/bench (about 2.5 GB); the same seed gives the same bytes. BENCH_SIZE is
# that of the first one, BENCH_BESIDE that of the others; BENCH_RUNS=5, BENCH_CPU=0. Real captures are those of
# BENCH_CAPTURES that are in the folder TRACES, or in fixtures/.

BENCH          := $(BUILD)/bench
BENCH_SIZE     ?= 1G
BENCH_BESIDE   ?= 256M
BENCH_SEED     := 42
BENCH_BESIDES  := hvm-pv 255-pcpus 1000-domains sched
BENCH_CAPTURES := net-credit2 disk-credit2 schedonly-credit2 mixed-credit

# What simulates each, with its scenario; 255 pCPUs: xenalyze can do no more.
simulated           = simulate -q --seed $(BENCH_SEED) --duration 10m --size $(2) sim/scenarios/stress-$(1).json
bench_full         := $(call simulated,pv,$(BENCH_SIZE))
bench_hvm-pv       := $(call simulated,hvm-pv,$(BENCH_BESIDE))
bench_255-pcpus    := $(call simulated,255-pcpus,$(BENCH_BESIDE))
bench_1000-domains := $(call simulated,1000-domains,$(BENCH_BESIDE))
bench_sched        := $(call simulated,sched,$(BENCH_BESIDE))

title_full         := $(BENCH_SIZE), 8 pCPUs
title_hvm-pv       := $(BENCH_BESIDE), HVM and PV
title_255-pcpus    := $(BENCH_BESIDE), 255 pCPUs
title_1000-domains := $(BENCH_BESIDE), 1000 domains
title_sched        := $(BENCH_BESIDE), sched only

.PHONY: bench
bench: all $(BENCH)/hop $(BENCH)/run $(BENCH)/drain $(patsubst %,$(BENCH)/%.xt,full $(BENCH_BESIDES)) $(BENCH)/full.xt.zst
	@BENCH_RUNS=$(BENCH_RUNS) BENCH_CPU=$(BENCH_CPU) TRACES=$(TRACES) \
	    bench/bench.sh $(BUILD) '$(BENCH_BESIDES)' '$(BENCH_CAPTURES)'

$(BENCH)/hop $(BENCH)/run $(BENCH)/drain $(BENCH)/live: $(BENCH)/%: $(BENCH)/%.o
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $<

.PRECIOUS: $(BENCH)/%.xt
$(BENCH)/%.xt: | $(BUILD)/xenmeter
	@mkdir -p $(@D)
	$(BUILD)/xenmeter $(bench_$*) --output $@.part
	@echo '$(title_$*)' > $(@:.xt=.title)
	@echo '$(bench_$*)' > $(@:.xt=.made)
	@mv $@.part $@

$(BENCH)/full.xt.zst: $(BENCH)/full.xt
	zstd -q -f -3 -T0 -o $@ $<

# make bench-live - report --live 100ms of a trace that comes as xentrace -s 100 writes it: 8 pCPUs, 500,000 records/s, ten seconds. What
# the rows wait for, and the CPU time (live.c); with charges, which wait for their charging periods, and without.
$(BENCH)/live.xt: bench/live.json | $(BUILD)/xenmeter
	@mkdir -p $(@D)
	$(BUILD)/xenmeter simulate -q --seed $(BENCH_SEED) --output $@.part $<
	@mv $@.part $@

.PHONY: bench-live
bench-live: all $(BENCH)/live $(BENCH)/live.xt
	@for charges in '' '-c start_ns,end_ns,domain,running_ns,runnable_ns,blocked_ns'; do \
	    echo "report --live 100ms $$charges"; \
	    $(BENCH)/live $(BENCH)/live.xt $(BUILD)/xenmeter report -q --live 100ms -f csv $$charges - || exit; \
	done

# make bench-fleet - a statement of FLEET_HOSTS hosts with 24 archives each (fleet.sh); 1,000 of them take 9 GB and 15 minutes to make, with
# FLEET_ROWS=1s 45 GB and longer: time by archive does not depend on how many hosts there are, 50 show it.
FLEET_HOSTS ?= 1000
FLEET_ROWS  ?= 5min

$(BENCH)/fleet: $(BENCH)/fleet.o $(BUILD)/libxenmeter.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: bench-fleet
bench-fleet: all $(BENCH)/fleet
	@./.ci/packages time
	@bench/fleet.sh $(BUILD) $(FLEET_HOSTS) $(FLEET_ROWS)

# make bench-check - instructions of reports on small inputs, within 3 % of the recorded ones (instructions.txt): by as much as
# that, a change of speed, either way, is seen here. One that is meant is recorded with it (make bench-record). A minute and a half.
RECORDED := bench/instructions.txt

.PHONY: bench-check
bench-check: all
	@./.ci/packages valgrind
	@bench/check.sh $(BUILD) $(RECORDED)

.PHONY: bench-record
bench-record: all
	@./.ci/packages valgrind
	@bench/check.sh $(BUILD) $(RECORDED) record
