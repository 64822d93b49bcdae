#include "record_actions.h"

#include "unscheduled.h"

static void learn_from(uint8_t *actions, const unsigned *slots)
{
    for (; *slots != EVENT_UNRECOGNISED; slots++)
        actions[*slots] |= RECORD_LEARN;
}

static void set_actions(const struct decoder *d, uint8_t *actions, bool raw, enum stream_mode mode)
{
    static const unsigned always[] = {EVENT_CPU_CHANGE, EVENT_LOST_RECORDS, EVENT_RUNSTATE_CHANGE,
                                      EVENT_CREDIT_ACCOUNT_STOP, 0};
    static const unsigned current[] = {EVENT_CONTINUE_RUNNING, 0};
    /* Runstate changes follow a SWITCH, and CONTINUE_RUNNING an INFCONT: where these are, they say who is current. */
    static const unsigned switches[] = {EVENT_SWITCH, EVENT_SWITCH_INFCONT, 0};
    static const unsigned tickles[] = {EVENT_CREDIT_TICKLE, EVENT_CREDIT2_TICKLE, EVENT_RTDS_TICKLE, 0};
    static const unsigned who[] = {EVENT_RUNSTATE_CHANGE, EVENT_CONTINUE_RUNNING, EVENT_LOST_RECORDS, 0};
    static const unsigned exits[] = {EVENT_VMX_EXIT, 0};
    const struct event_interest *i = &d->interest;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++) {
        bool model = i->model[slot] || (d->without_runstates && i->model_without_runstates[slot]);
        actions[slot] = (uint8_t)((raw && i->raw[slot] ? EVENT_RAW : 0) | (model ? EVENT_MODEL : 0));
    }
    for (const unsigned *slot = io_slots; i->io && *slot != EVENT_UNRECOGNISED; slot++)
        actions[*slot] |= EVENT_MODEL;
    for (const unsigned *slot = io_filtered_slots; i->io && *slot != EVENT_UNRECOGNISED; slot++)
        actions[*slot] |= *slot == EVENT_HYPERCALL_V2 ? RECORD_HYPERCALL : RECORD_FILTERED;
    for (const unsigned *slot = who; d->names_siblings && *slot != EVENT_UNRECOGNISED; slot++)
        actions[*slot] |= RECORD_WHO;
    actions[EVENT_UNRECOGNISED] |= RECORD_LEARN;
    learn_from(actions, always);
    if (d->follows_current)
        learn_from(actions, current);
    if (d->learns_tickles)
        learn_from(actions, tickles);
    if (d->without_runstates || d->raw)
        learn_from(actions, switches);
    if (d->raw && !d->svm_exits)
        learn_from(actions, exits);
    if (i->model[EVENT_RUNSTATE_CHANGE] && !d->only_switches) {
        actions[EVENT_SWITCH_INFPREV] |= RECORD_SWITCH;
        actions[EVENT_SWITCH_INFNEXT] |= RECORD_SWITCH;
    }
    if (d->model)
        unscheduled_set_actions(mode, actions);
}

static void set_clock_actions(uint8_t *actions, bool measures_clock)
{
    static const unsigned clock[] = {EVENT_SWITCH_INFPREV, EVENT_SWITCH_INFNEXT, EVENT_SWITCH_INFCONT,
                                     EVENT_LOST_RECORDS};
    for (unsigned k = 0; k < sizeof clock / sizeof clock[0]; k++)
        actions[clock[k]] =
            (uint8_t)((actions[clock[k]] & ~EVENT_CLOCK) | (measures_clock ? EVENT_CLOCK : 0));
}

static void set_all_clock_actions(struct decoder *d)
{
    for (enum stream_mode mode = 0; mode < STREAM_MODES; mode++)
        for (unsigned heeds = 0; heeds < IO_HEEDS; heeds++) {
            set_clock_actions(d->actions[0][mode][heeds].of, d->measures_clock);
            set_clock_actions(d->actions[1][mode][heeds].of, d->measures_clock);
        }
}

/* The actions of all that is heeded are set: those of less do without the records that are not. */
static void heed_less(struct slot_actions actions[IO_HEEDS])
{
    for (unsigned heeds = 0; heeds < IO_HEEDS - 1; heeds++) {
        actions[heeds] = actions[IO_HEEDS - 1];
        for (const unsigned *slot = io_filtered_slots; *slot != EVENT_UNRECOGNISED; slot++)
            if (!io_filter_heeds(*slot, heeds))
                actions[heeds].of[*slot] &= (uint8_t)~RECORD_FILTERED;
    }
}

void record_set_actions(struct decoder *d)
{
    for (enum stream_mode mode = 0; mode < STREAM_MODES; mode++)
        for (unsigned raw = 0; raw < 2; raw++) {
            set_actions(d, d->actions[raw][mode][IO_HEEDS - 1].of, raw, mode);
            heed_less(d->actions[raw][mode]);
        }
    set_all_clock_actions(d);
}

void decoder_measure_clock(struct decoder *d, bool wanted)
{
    d->measures_clock = wanted;
    set_all_clock_actions(d);
}

void decoder_want_without_runstates(struct decoder *d, bool wanted)
{
    bool only_switches = wanted && d->sweep > 0;
    bool others = d->without_runstates != wanted || d->only_switches != only_switches;
    d->without_runstates = wanted;
    d->only_switches = only_switches;
    if (others)
        record_set_actions(d);
}

void decoder_name_siblings(struct decoder *d, bool wanted)
{
    d->names_siblings = d->raw && wanted;
    record_set_actions(d);
}
