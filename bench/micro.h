/* micro.h - what is measured, and with which bytes: shared by the files of micro. */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include "dissectors/dissector.h"

/* input is what one dissector is fed: a whole layer, owned. */
struct input {
    uint8_t *bytes;
    size_t len;
    size_t step;    /* bytes that come at once: a TCP segment; len for datagrams and files */
    char hint[256]; /* media type, "" none */
};

/* pass is what one run over an input gave. */
struct pass {
    uint64_t events;
    size_t consumed;
    const char *why; /* NULL: to the end */
};

/* input_for gives the input of a dissector: cut out of a golden capture or made. False: none is
 * known. input_free takes a zeroed one too. */
bool input_for(const struct dissector *d, struct input *out);
void input_free(struct input *in);

/* input_text fills `len` malloc'ed bytes with invented text: 'h' HL7, 'c' rows of numbers, 'l'
 * lines of a log. */
uint8_t *input_text(char form, size_t len);

/* pass_over feeds the input to a dissector as one layer that ends; `state` has d->state_size bytes.
 * Each event goes to `emit`. */
struct pass pass_over(const struct dissector *d, const struct input *in, void *state,
                      event_fn *emit, void *receiver);

/* must ends the program when `ok` is false. */
void must(bool ok, const char *what);

#endif
