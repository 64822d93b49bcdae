#include "formats/charge_words.h"

#include <inttypes.h>
#include <stdio.h>

#define WEIGHT_DIGITS 6

const struct charge_method_name charge_method_names[] = {
    {"grants", CHARGE_GRANTS},       {"copies", CHARGE_COPIES},
    {"transfers", CHARGE_TRANSFERS}, {"notifications", CHARGE_NOTIFICATIONS},
    {"packets", CHARGE_PACKETS},     {"threads", CHARGE_THREADS},
};
const size_t charge_method_names_n = sizeof charge_method_names / sizeof *charge_method_names;

bool charge_looks_at(const struct charge_options *options, unsigned methods, enum io_kind kind)
{
    return methods & charge_method_of_kind[kind] && options->weights[kind] > 0;
}

const char *length_in_words(char to[LENGTH_BYTES], uint64_t ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
    size_t i = 0;
    while (ns % units[i].ns) /* the last one divides all */
        i++;
    snprintf(to, LENGTH_BYTES, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
    return to;
}

const char *charge_per_in_words(char to[CHARGE_PER_BYTES], const struct charge_options *options)
{
    char length[LENGTH_BYTES];
    if (options->interval_ns == 0)
        return options->per_execution ? "execution" : "task";
    snprintf(to, CHARGE_PER_BYTES, "interval=%s", length_in_words(length, options->interval_ns));
    return to;
}

void fit_add_weights(struct buffer *b, const struct fitted_weights *fit)
{
    const char *before = "";
    for (const struct fitted_weight *w = fit->kinds; w < fit->kinds + fit->n; w++)
        if (w->weight >= 0) {
            buffer_printf(b, "%s%s=", before, io_weight_names[w->kind]);
            buffer_decimal(b, w->weight, WEIGHT_DIGITS);
            before = ",";
        }
}
