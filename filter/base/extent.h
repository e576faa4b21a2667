/* extent.h - the way back: which packet (or file) bytes the bytes of a layer are.
 *
 * Cutting and joining (TCP reassembly, chunked bodies, multipart, P-DATA fragments) are all lists
 * of extents; nobody has to know which. Decoded layers have none: no way back.
 */
#ifndef BASE_EXTENT_H
#define BASE_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* run is bytes that lie together at the root: `len` bytes from offset `off` of packet number
 * `packet` (1-based), or of the file itself when packet is 0. */
struct run {
    uint64_t packet;
    uint64_t off;
    uint64_t len;
};

/* extent says: the bytes [at, at + run.len) of the layer are the bytes of `run`. */
struct extent {
    uint64_t at;
    struct run run;
};

/* extents is a list sorted by `at`, without overlaps; gaps in it are bytes without a way back. It
 * only ever drops from the front and grows at the end. Zeroed memory is an empty list. */
struct extents {
    struct extent *list;
    uint32_t first, n, cap;
    struct extent one[2]; /* room for the usual case, used while list is NULL */
};

struct pool;

/* extents_add appends: [at, at + run.len) is `run`. Joined with the last extent when they touch on
 * both sides. False: no memory in the pool (the bytes then have no way back). */
bool extents_add(struct extents *x, struct pool *pool, uint64_t at, struct run run);

/* extents_drop forgets everything before layer offset `before`. */
void extents_drop(struct extents *x, uint64_t before);

/* extents_free returns the list's memory; the list is empty after. */
void extents_free(struct extents *x, struct pool *pool);

/* extents_resolve cuts [off, off + len) into runs, in order, into out[0..cap). It returns their
 * number, or -1 when a byte has no root byte or the runs do not fit: never part of an answer. */
int extents_resolve(const struct extents *x, uint64_t off, uint64_t len, struct run *out, int cap);

/* extents_find gives the run that begins at `off`, as long as it goes (at most len); false when
 * the byte has no way back. */
bool extents_find(const struct extents *x, uint64_t off, uint64_t len, struct run *out);

#endif
