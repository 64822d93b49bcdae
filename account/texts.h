/* Texts that are kept once each, however often they come: two that are equal have one address. */
#ifndef XENMETER_ACCOUNT_TEXTS_H
#define XENMETER_ACCOUNT_TEXTS_H

/* All zero is an empty one. */
struct texts {
    void *tree; /* of tsearch */
};

/* The text, which lives until texts_free. NULL: no memory. */
const char *texts_keep(struct texts *t, const char *text);
void texts_free(struct texts *t);

#endif
