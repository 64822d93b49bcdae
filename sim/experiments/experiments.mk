# make experiments   runs the experiments on the simulated host in minutes (ONLY="2 5": these): tables, and data and
#                    pictures in $(BUILD)/experiments. SEED=N: other random numbers. How to add one: lib.sh.

EXPERIMENT_PACKAGES := jq gnuplot-nox
ONLY                ?=
SEED                ?=

.PHONY: experiment-deps
experiment-deps: deps
	@./.ci/packages $(EXPERIMENT_PACKAGES)

.PHONY: experiments
experiments: all experiment-deps
	@BUILD=$(BUILD) SEED=$(SEED) sim/experiments/run $(ONLY)

# The tables in the manual page, from the results that are there.
.PHONY: experiments-page
experiments-page:
	awk -v results=$(BUILD)/experiments -f sim/experiments/page.awk man/xenmeter-experiments.7 >$(BUILD)/experiments/page.7
	mv $(BUILD)/experiments/page.7 man/xenmeter-experiments.7
