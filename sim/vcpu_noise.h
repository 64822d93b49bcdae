/*
 * vcpu_noise.h - what vCPUs ask of Xen for reasons of their own, at the rates of the scenario: hypercalls of memory management,
 * emulated instructions, traps and page faults of PV guests, exits of HVM guests.
 */
#ifndef XENMETER_SIM_NOISE_H
#define XENMETER_SIM_NOISE_H

#include "sim/host.h"

/* Draws when the vCPU makes the first one, after so much running time: v->noise_ns. */
void noise_init(struct sim_host *host, struct sim_vcpu *v);

/* The vCPU runs, and it is time: the records, on its pCPU at its clock; v->noise_ns is drawn anew. */
void noise_make(struct sim_vcpu *v);

#endif
