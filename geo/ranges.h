/* ranges.h - a country database as text: sorted address ranges, one a line, "first,last,CC".
 *
 * The format of Tor's geoip files, which Debian's tor-geoipdb installs: IPv4 addresses as decimal
 * numbers (dotted ones are read too), IPv6 addresses as RFC 4291 section 2.2 writes them, '#' at
 * the start of a comment. Private to geo/.
 */
#ifndef GEO_RANGES_H
#define GEO_RANGES_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RANGES_MAX_LINE = 512,               /* bytes of a line, its end included */
    RANGES_MAX_COUNT = 16 * 1024 * 1024, /* ranges of a file */
    RANGES_KEYS = 1 << 16,               /* values of the first 16 bits, by which a search starts */
    RANGES_WORDS = 48                    /* bytes kept of a header's text, its NUL included */
};

/* ranges is one loaded file. Zeroed, it is empty and has no answers. */
struct ranges {
    unsigned family;          /* 4 or 6 */
    uint32_t n;               /* ranges held; neighbours of one country are joined */
    uint32_t cap;             /* ranges there is room for */
    uint32_t *first4, *last4; /* family 4: n each, ascending, apart */
    uint64_t (*first6)[2];    /* family 6: high and low half */
    uint64_t (*last6)[2];
    uint16_t *country;          /* n, letters as first << 8 | second */
    uint32_t *index;            /* RANGES_KEYS + 1: how many ranges begin below key << 16 */
    int64_t built;              /* from "# Generated:", seconds since 1970, 0 when not said */
    char vendor[RANGES_WORDS];  /* from "# Vendor:", printable ASCII, or "" */
    char licence[RANGES_WORDS]; /* from "# License:", likewise */
    const char *path;           /* for faults; the caller's */
    uint64_t line;              /* lines read */
    uint64_t n_read;            /* ranges read, those of no country and joined ones included */
    uint64_t end[2];            /* last address of the range before; valid when n_read > 0 */
};

/* ranges_start empties *r for a file of that family; `path` is borrowed. */
void ranges_start(struct ranges *r, unsigned family, const char *path);

/* ranges_add reads whole lines: bytes[len - 1] is '\n'. STATUS_FORMAT: a line is broken, or its
 * range does not come after the one before; STATUS_LIMIT, STATUS_MEMORY. The fault names file and
 * line. */
enum status ranges_add(struct ranges *r, const uint8_t *bytes, size_t len, struct fault *f);

/* ranges_finish makes it ready to be searched. STATUS_FORMAT: there was no range at all. */
enum status ranges_finish(struct ranges *r, struct fault *f);

/* ranges_load does all three with a file. STATUS_IO: it cannot be read, and errno says why. */
enum status ranges_load(struct ranges *r, unsigned family, const char *path, struct fault *f);

/* ranges_free frees what is held and empties *r. */
void ranges_free(struct ranges *r);

/* ranges_find writes the country of an address (4 or 16 bytes, network order) to out and returns
 * true, or writes "" and returns false. */
bool ranges_find(const struct ranges *r, const uint8_t *address, char out[3]);

#endif
