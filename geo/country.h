/* country.h - a country database as an MMDB file, read with libmaxminddb. Private to geo/. */
#ifndef GEO_COUNTRY_H
#define GEO_COUNTRY_H

#include "base/status.h"

#include <maxminddb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    COUNTRY_MEMO = 1024 /* entries remembered; a country database has some 250 */
};

/* country_file is one open MMDB; zeroed, it has no answers. */
struct country_file {
    MMDB_s mmdb;
    bool open;
    _Atomic uint64_t *memo; /* COUNTRY_MEMO: (place of an entry + 1) << 16 | its letters */
    bool nested;            /* country.iso_code as MaxMind writes it, not a flat country_code */
};

/* country_open maps the file. STATUS_IO: it cannot be read, and errno says why; STATUS_FORMAT: it
 * is no MMDB, or holds no countries. */
enum status country_open(struct country_file *c, const char *path, struct fault *f);

void country_close(struct country_file *c);

/* country_find writes the country of an address (4 or 16 bytes, network order) to out and returns
 * true, or writes "" and returns false: not in the file, no country there, or the file is damaged
 * at that place. */
bool country_find(const struct country_file *c, unsigned family, const uint8_t *address,
                  char out[3]);

#endif
