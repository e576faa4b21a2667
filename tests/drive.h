/* drive.h - feeds a dissector bytes, cut at will, and compares what it says.
 *
 * The engine's side of the contract in its smallest form, for unit tests and
 * fuzzing: each view is an exact-size heap copy, so a sanitizer sees a read of
 * one byte too many; parts of long values are joined before comparing.
 */
#ifndef TESTS_DRIVE_H
#define TESTS_DRIVE_H

#include "dissectors/dissector.h"

/* drive_events feeds `len` bytes whole as one layer that ends, and returns a
 * malloc'ed text of the events, one a line, parts joined:
 *
 *     begin ADT
 *     field name PID-5.1 40+6 [same] 张
 *     payload application/json +gzip 120+300
 *     anomaly 12+1 why
 *     end
 *     bad 17 why | limit 17 why | done 17      (only when the feed ended so)
 *
 * A field's line ends with its raw bytes: printable ASCII and UTF-8 as they are, others as \xhh, at
 * most 80 of them. The caller frees it. `hint` as in struct view, or NULL. */
char *drive_events(const struct dissector *d, const void *bytes, size_t len, const char *hint);

/* drive_law checks the law of cutting over `len` bytes: whole, byte by byte, cut in two at each
 * offset (at most 600 offsets, spread), and `n_random` random cuts from `seed`; and on every call
 * that events lie inside the view, in order, that raw is that place, that `need` is honest and
 * within max_view. Returns NULL when all holds, else a malloc'ed text that says what differs. */
char *drive_law(const struct dissector *d, const void *bytes, size_t len, const char *hint,
                unsigned n_random, unsigned seed);

/* drive_gap feeds bytes[0, from), tells a gap of [from, to), then feeds the rest; events as in
 * drive_events, a line "gap refused" and no more when the dissector refuses it. */
char *drive_gap(const struct dissector *d, const void *bytes, size_t len, size_t from, size_t to,
                const char *hint);

/* drive_file reads a whole file into malloc'ed memory; NULL when it cannot. */
uint8_t *drive_file(const char *path, size_t *len);

#endif
