/* The names of the methods by which driver domains are charged, and what each looks at. */
#ifndef XENMETER_FORMATS_CHARGE_WORDS_H
#define XENMETER_FORMATS_CHARGE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "metrics/measure/charge.h"
#include "metrics/measure/weight_fit.h"

struct charge_method_name {
    const char *name; /* as --charge-by and JSON have it */
    unsigned method;  /* one of enum charge_method */
};

/* All but CHARGE_AUTO. */
extern const struct charge_method_name charge_method_names[];
extern const size_t charge_method_names_n;

#define LENGTH_BYTES     32
#define CHARGE_PER_BYTES (sizeof "interval=" + LENGTH_BYTES)

/* "100ms", as options have it; writes into `to` and returns it. */
const char *length_in_words(char to[LENGTH_BYTES], uint64_t ns);

/* "task", "execution" or "interval=100ms", as --charge-per has it; writes into `to` and returns it, or a constant. */
const char *charge_per_in_words(char to[CHARGE_PER_BYTES], const struct charge_options *options);

/* Whether events of this kind have a say under these methods and weights. */
bool charge_looks_at(const struct charge_options *options, unsigned methods, enum io_kind kind);

/* Fitted weights as --weights takes them: "send=0.551,recv=1.49"; those without a weight are left out. */
void fit_add_weights(struct buffer *b, const struct fitted_weights *fit);

#endif
