/* run.h - maximal runs of ASCII digits in a text, many bytes at once. Private to rules/. */
#ifndef RULES_RUN_H
#define RULES_RUN_H

#include <stddef.h>

/* digit_run is text[start, start + len): all digits, and no digit beside it. */
struct digit_run {
    size_t start;
    size_t len;
};

/* run_find writes the runs of at least min_len (1..64) digits in text[*at, len), ascending, at most
 * cap (> 0) of them, and returns how many. *at starts as 0 and says where to go on; 0 runs: that
 * was all. */
size_t run_find(const char *text, size_t len, size_t min_len, size_t *at, struct digit_run *out,
                size_t cap);

/* run_find_plain is the same, byte by byte: for other machines, and to compare with in tests. */
size_t run_find_plain(const char *text, size_t len, size_t min_len, size_t *at,
                      struct digit_run *out, size_t cap);

#endif
