# The tests. `make test` runs them all, two or more at a time; `make test-cli` and the like run one.
#
#   unit        the parts, each by itself
#   siblings    core scheduling, clocks that leave the others, joined captures
#   truth       running time against what the hypervisor itself counted
#   charges     charges against what the driver domain itself counted
#   threads     charges by CPU times of threads against what the driver domain recorded of its switches
#   errors      charges by every method against that, and how far each is off on the mean
#   fit         fitted weights against what packets and requests cost the driver domain
#   charges-simulated  charges against the truth of the simulated host
#   tasks       charges per task of generated driver domains, against their known truth
#   invariants  where every nanosecond went, at every granularity
#   road        file, pipe, compressed, live: the same bytes come out
#   jobs        any number of threads: the same bytes come out
#   unrecorded  pCPUs and times of which nothing was recorded
#   clock       frequencies: measured, given, wrong, unknown, known from elsewhere
#   cases       reported situations, one small capture of each: what must come out
#   cli         options, messages, exit codes
#   config      the configuration file, --strict
#   terminal    tables in terminals of several widths, colours, the pager (tmux)
#   dump        every record: lines, filters, formats, counts
#   every-event every event, layout and variant, written and read again
#   xenalyze    every record beside what xenalyze says of it, where that is installed (Debian: xen-utils-common)
#   charge      who used the driver domains: options, formats, sums
#   debt        the ledger of debts: policies, sums, every road
#   guard       ShareGuard: policies, decisions, every road
#   guard-simulated  and in control of a simulated host
#   apply       debts applied to a host: plans, commands, what is undone
#   hooks       what holds guests back, with real nft and tc
#   service     the unit of systemd that records a host
#   own-load    charges where a driver domain's own work is known beforehand
#   charge-fit  weights fitted to measured times: options, formats
#   blame       who had the pCPU that others waited for: options, formats, sums
#   top         the screen: its numbers beside report's, keys, what hangs, crashes (tmux)
#   diff        two captures compared: from every kind of file, chance, conditions, hostile reports
#   simulate    the simulated host: traces, truth, wrong scenarios
#   experiments the house of the experiments: tables, pictures, claims, what goes wrong
#   metrics     Prometheus: text, a live file, the server, and what Prometheus makes of them
#   xenmon      XenMon's logs
#   databases   SQLite files, CSV read into typed tables by sqlite3 and DuckDB
#   io-counts   outside counters, read and written
#   ftrace      Linux' own trace of a driver domain: recorded
#   dom0-trace  and charged by
#   archive     archives: made, read, merged, cut short
#   archive-damage  archives that are damaged or lie
#   host-facts  names and times of day that a trace does not have itself: archives, files, formats, --time
#   parts       parts of a recording: together they are the trace
#   record      a recorder: crashes, restarts, set clocks, limits (WEEKS_DAYS=N: for so many simulated days)
#   flight      its flight recorder: rules, signals, sizes, what a crash leaves
#   salvage     archives of recordings that were cut short, completed
#   damage      cut, flipped and hostile input
#   faults      memory, reads, writes and other calls that fail, in every command (FAULTS_EVERY=1: every one of them)
#   docs        manual, completion and README against the program
#   bounded     memory, and a generated trace against its known truth
#   hosts       generated hosts with random losses, masks, cuts: the truth lies within what is reported (always
#               the same, HOSTS_RUNS of them from HOSTS_SEED on; HOSTS_SECONDS=N: new ones for so long)
#   large       4 GiB through a pipe; not part of `make test`
#   xen         in domain 0 of a real Xen, emulated: 40 minutes, root, 7 GB of memory; not part of `make test`. PART='measure guard': these
#               parts; see tests/xen/test-xen

.DEFAULT_GOAL := all

TESTS      := unit siblings truth charges threads errors fit charges-simulated tasks invariants road jobs clock unrecorded cases cli config terminal dump every-event xenalyze charge charge-fit own-load debt guard guard-simulated apply hooks service blame top diff simulate experiments xenmon databases io-counts ftrace dom0-trace archive archive-damage host-facts salvage parts record flight damage faults bounded docs hosts metrics
ASAN_TESTS := unit siblings clock unrecorded cases cli config dump every-event charge charge-fit own-load debt guard guard-simulated apply hooks blame top diff simulate xenmon databases io-counts ftrace dom0-trace archive archive-damage host-facts parts road jobs damage metrics faults
# Those that read whole captures, those of TRACES too.
ASAN_CAPTURE_TESTS := truth charges threads fit invariants road dump xenalyze
ASAN_BUILD := build-asan
TRACES     ?=

UNIT_SRC   := $(wildcard tests/unit/*.c tests/reference/*.c)
TEST_TOOLS := $(patsubst tests/lib/%.c,$(BUILD)/tests/%,$(wildcard tests/lib/*.c)) $(BUILD)/every-event $(BUILD)/faults $(BUILD)/faults.so

.PHONY: test
test: all test-tools
	@$(MAKE) --no-print-directory -k -O -j"$$(nproc)" $(TESTS:%=test-%)

.PHONY: test-tools
test-tools: $(TEST_TOOLS) $(if $(UNIT_SRC),$(BUILD)/unit-tests)

$(BUILD)/unit-tests: $(UNIT_SRC:%.c=$(BUILD)/%.o) $(BUILD)/libxenmeter.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcunit $(LIBS)

$(BUILD)/tests/forge: $(BUILD)/tests/fuzz/repack.o

$(BUILD)/tests/%: $(BUILD)/tests/lib/%.o $(BUILD)/libxenmeter.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libxenmeter.a $(LIBS)

.PRECIOUS: $(BUILD)/tests/lib/%.o

# It has no code of the program in it, so that the two agree only if both have understood the tables of events alike.
$(BUILD)/every-event: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/every-event/*.c))
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Makes calls of a program fail: a program that runs it, and a library that stands before libc. That is never instrumented.
$(BUILD)/faults: $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/faults/shim%,$(wildcard tests/faults/*.c)))
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/faults.so: $(wildcard tests/faults/shim*.c tests/faults/*.h)
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O1 -g -I. -fPIC -shared -o $@ $(filter %.c,$^) -lgcc_s

# It knows of the analyser nothing but the program's face; of the library it takes the simulator.
$(BUILD)/hosts: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/hosts/*.c)) $(BUILD)/libxenmeter.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: test-unit
test-unit: all test-tools
	@if [ -x $(BUILD)/unit-tests ]; then $(BUILD)/unit-tests; else echo 'no unit tests'; fi

.PHONY: test-truth
test-truth: all
	@BUILD=$(BUILD) tests/truth/truth.sh fixtures $(TRACES)

.PHONY: test-charges
test-charges: all
	@BUILD=$(BUILD) tests/truth/charges.sh fixtures $(TRACES)

.PHONY: test-threads
test-threads: all
	@BUILD=$(BUILD) tests/truth/threads.sh fixtures $(TRACES)

.PHONY: test-errors test-fit charge-errors
test-errors: all test-tools
	@BUILD=$(BUILD) tests/truth/errors.sh fixtures $(TRACES)

test-fit: all
	@BUILD=$(BUILD) tests/truth/fit.sh fixtures $(TRACES)

# The tables of README.md and xenmeter-charge(1): how far charges are off, and fitted weights. XENMETER=PROGRAM: another program's.
charge-errors: all test-tools
	@BUILD=$(BUILD) PLAIN=1 tests/truth/errors.sh $(or $(TRACES),fixtures)
	@BUILD=$(BUILD) PLAIN=1 tests/truth/fit.sh $(or $(TRACES),fixtures)

.PHONY: test-xenalyze
test-xenalyze: all
	@BUILD=$(BUILD) tests/xenalyze.sh $(TRACES)

# The same hosts each time, those of which something was found first; new ones with HOSTS_SECONDS.
HOSTS_RUNS    ?= 160
HOSTS_SEED    ?= 426

.PHONY: test-hosts
test-hosts: all $(BUILD)/hosts
	@grep -v '^#' tests/hosts/found.txt | while read -r host; do \
	    $(BUILD)/hosts --program $(BUILD)/xenmeter --runs 1 --no-shrink $$host >$(BUILD)/host.txt || { cat $(BUILD)/host.txt; exit 1; }; done
	@$(BUILD)/hosts --program $(BUILD)/xenmeter $(if $(HOSTS_SECONDS),--seconds $(HOSTS_SECONDS),--runs $(HOSTS_RUNS) --seed $(HOSTS_SEED))

.PHONY: test-simulate
test-simulate: all
	@BUILD=$(BUILD) tests/simulate.sh $(TRACES)

SHELL_TESTS := $(filter-out unit simulate truth charges threads errors fit xenalyze hosts,$(TESTS))
.PHONY: $(SHELL_TESTS:%=test-%)
$(SHELL_TESTS:%=test-%): all test-tools
	@BUILD=$(BUILD) tests/$(@:test-%=%).sh

test-experiments: experiment-deps

.PHONY: test-large
test-large: all test-tools
	@BUILD=$(BUILD) tests/bounded.sh large

.PHONY: test-xen
test-xen: all
	@BUILD=$(BUILD) PART='$(PART)' tests/xen/test-xen

# Those that use threads, under ThreadSanitizer.
TSAN_TESTS := jobs
TSAN_UNITS := ring ahead frames disk screen
TSAN_BUILD := build-tsan
TSAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
TSAN_MAKE   = TSAN_OPTIONS=halt_on_error=1 $(MAKE) --no-print-directory BUILD=$(TSAN_BUILD) CFLAGS='$(TSAN_FLAGS)'

.PHONY: tsan tsan-units
tsan: deps
	@$(TSAN_MAKE) all test-tools
	@QUICK=1 JOBS=3 $(TSAN_MAKE) -k -O -j"$$(nproc)" tsan-units $(TSAN_TESTS:%=test-%)

tsan-units: test-tools
	@for suite in $(TSAN_UNITS); do $(BUILD)/unit-tests $$suite || exit 1; done

# The tests that feed the program strange things, under AddressSanitizer and UndefinedBehaviorSanitizer.
ASAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

ASAN_MAKE   = $(MAKE) --no-print-directory BUILD=$(ASAN_BUILD) CFLAGS='$(ASAN_FLAGS)'

.PHONY: asan asan-captures
asan: deps
	@$(ASAN_MAKE) all test-tools
	@QUICK=1 $(ASAN_MAKE) -k -O -j"$$(nproc)" $(ASAN_TESTS:%=test-%)

asan-captures: deps
	@$(ASAN_MAKE) all test-tools
	@$(ASAN_MAKE) -k -O -j"$$(nproc)" $(ASAN_CAPTURE_TESTS:%=test-%)
