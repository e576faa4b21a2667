/* digits.h - digit groups written with separators: 1101 0519 4912 3100 2X, 138-0013-8000.
 *
 * Internal to inspect/: rules see each such group once more without its separators.
 */
#ifndef INSPECT_DIGITS_H
#define INSPECT_DIGITS_H

#include <stddef.h>
#include <stdint.h>

enum {
    DIGITS_SHORTEST = 12, /* shortest text that can hold such a group */
    DIGITS_MAX = 19
};

/* digits_fn receives one group: n digits (the last may be X), and where each stands in the text. */
typedef void digits_fn(void *receiver, uint32_t field, const uint8_t *digits, const uint32_t *at,
                       uint32_t n);

/* digits_find tells the groups in text[0..n): runs of digits, single separators (space, hyphen,
 * dot) between them, that together have 18 digits, or 11 in the groups of a mobile number, or one
 * by one. */
void digits_find(const uint8_t *text, uint32_t n, uint32_t field, digits_fn *fn, void *receiver);

#endif
