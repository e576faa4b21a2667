/* store.h - what an open struct geo holds. Private to geo/. */
#ifndef GEO_STORE_H
#define GEO_STORE_H

#include "geo/country.h"
#include "geo/geo.h"
#include "geo/ranges.h"

#include <stdatomic.h>

enum database {
    DATABASE_MMDB,
    DATABASE_RANGES4,
    DATABASE_RANGES6
};

enum {
    STORE_PATH = 4096 /* bytes of a path with its NUL */
};

struct home {
    struct address prefix;
    unsigned bits;
};

struct geo {
    struct country_file mmdb;
    struct ranges ranges4, ranges6;
    char path[GEO_DATABASES][STORE_PATH];
    bool loaded[GEO_DATABASES];
    _Atomic int64_t now;
    atomic_bool expired[GEO_DATABASES]; /* the file may no longer say inside */
    int warn_days, expire_days;         /* GEO_NEVER: never */
    struct home *home;
    size_t n_home;
};

/* store_built is the build time of a file, seconds since 1970, 0 when unknown or not loaded. */
int64_t store_built(const struct geo *geo, enum database which);

/* store_age_days is its age, -1 when unknown. A file from the future is 0 days old. */
int32_t store_age_days(const struct geo *geo, enum database which);

#endif
