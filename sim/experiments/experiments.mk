# make experiments   runs the experiments on the simulated host in minutes (ONLY="2 5": these): tables, and data and
#                    pictures in $(BUILD)/experiments. How to add one: lib.sh.

EXPERIMENT_PACKAGES := jq gnuplot-nox
ONLY                ?=

.PHONY: experiment-deps
experiment-deps: deps
	@./.ci/packages $(EXPERIMENT_PACKAGES)

.PHONY: experiments
experiments: all experiment-deps
	@BUILD=$(BUILD) sim/experiments/run $(ONLY)
