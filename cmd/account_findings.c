#include <inttypes.h>

#include "account.h"
#include "formats/safe_text.h"

#define SHOWN 10 /* of each kind */

/* By enum account_finding_kind: what several of them are, and whether that is more than a remark. */
static const struct {
    const char *several;
    bool is_wrong;
} kinds[ACCOUNT_FINDINGS] = {
    [ACCOUNT_DAMAGED] = {"archives that cannot be read", true},
    [ACCOUNT_UNPLACED] = {"recordings without times of day", true},
    [ACCOUNT_OVERLAP] = {"recordings that others overlap", false},
    [ACCOUNT_TWO_HOSTS] = {"VMs on two hosts at one moment", true},
    [ACCOUNT_COARSE] = {"recordings that cannot be divided well", false},
    [ACCOUNT_INCONSISTENT] = {"recordings whose numbers contradict each other", true},
};

static const char *word(enum account_finding_kind kind)
{
    return kind == ACCOUNT_DAMAGED || kind == ACCOUNT_UNPLACED || kind == ACCOUNT_INCONSISTENT ? "left out: "
                                                                                               : "";
}

void account_findings_take(struct account_findings *f, enum account_finding_kind kind, const char *file,
                           const char *what)
{
    char name[512];
    bool said = f->quiet && !kinds[kind].is_wrong;
    if (f->counts[kind]++ < SHOWN && !said)
        complain("%s: %s%s", safe_text(name, sizeof name, file), word(kind), what);
}

int account_findings_end(const struct account_findings *f)
{
    int status = EXIT_DONE;
    for (int kind = 0; kind < ACCOUNT_FINDINGS; kind++) {
        if (f->counts[kind] > SHOWN && (!f->quiet || kinds[kind].is_wrong))
            complain("and %" PRIu64 " more %s", f->counts[kind] - SHOWN, kinds[kind].several);
        if (f->counts[kind] > 0 && kinds[kind].is_wrong)
            status = EXIT_FINDING;
    }
    return status;
}
