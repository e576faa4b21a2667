/* geo.h - in which country an address is, and whether that is inside mainland China.
 *
 * No database is right everywhere, and calling an address inside that is not is a leak. So an
 * address is inside only where two databases made independently of each other both say CN: the
 * first is a country MMDB (DB-IP Lite ships with the program), the second the text ranges of
 * Debian's package tor-geoipdb. Whatever else they say, together or apart, is not inside.
 *
 * It sees base/ only: no packets, flows or policy.
 */
#ifndef GEO_GEO_H
#define GEO_GEO_H

#include "base/address.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* region is the verdict on an address. */
enum region {
    REGION_INSIDE,   /* mainland China: both databases say CN */
    REGION_OUTSIDE,  /* both databases name a country and neither says CN */
    REGION_UNKNOWN,  /* a database has no answer, or is too old to be believed, or the address is of
                        a range that belongs to no country (documentation, benchmarking...) */
    REGION_DISAGREE, /* one database says CN, the other another country */
    REGION_LOCAL     /* the site's own network: private, link-local, loopback, multicast, broadcast,
                        unspecified, or one of the home networks */
};

/* place is what is known of an address. Hong Kong, Macao and Taiwan have their own country codes
 * and are outside the mainland. */
struct place {
    enum region region;
    char country[3]; /* ISO 3166-1 alpha-2 as the first database says, "" when it has no answer */
    char second[3];  /* the same of the second database */
    bool outside;    /* to be treated as abroad: region is neither inside nor local */
    bool embedded;   /* judged by the IPv4 address an IPv6 address carries: IPv4-mapped, 6to4
                        (RFC 3056), NAT64 (RFC 6052), Teredo (RFC 4380) */
};

enum {
    GEO_WARN_DAYS = 90,    /* default age from which a database is called old */
    GEO_EXPIRE_DAYS = 365, /* default age from which it can no longer say inside */
    GEO_NEVER = -1,        /* as an age: never */
    GEO_MAX_HOME = 1024,   /* home networks at most */
    GEO_DATABASES = 3,     /* files: the MMDB, IPv4 ranges, IPv6 ranges */
    GEO_LABEL_LEN = 16     /* bytes of the longest country label with its NUL */
};

/* geo_options says where the databases are. All zero but `now` is a good choice. */
struct geo_options {
    const char *mmdb_path;    /* country MMDB: country.iso_code as MaxMind has it, or a flat
                                 country_code. NULL: dbip-country.mmdb in $MEDGUAN_DATADIR when that
                                 is set, else in the data folder of the installed program, else in
                                 the source tree of a development build */
    const char *ranges4_path; /* text ranges of IPv4; NULL: /usr/share/tor/geoip */
    const char *ranges6_path; /* text ranges of IPv6; NULL: /usr/share/tor/geoip6 */
    const char *const *home;  /* n_home networks of the site, "ADDR/BITS" or "ADDR" */
    size_t n_home;            /* at most GEO_MAX_HOME */
    int64_t now;              /* seconds since 1970, by which databases are aged */
    int warn_days;            /* 0: GEO_WARN_DAYS */
    int expire_days;          /* 0: GEO_EXPIRE_DAYS */
    bool allow_missing; /* a database file that is not there is no fault: it has no answers, so
                           that every address not local is unknown */
};

/* geo_database describes one database file, for people and for evidence. Texts live as long as the
 * struct geo. */
struct geo_database {
    const char *name;        /* "DB-IP IP to Country Lite", "IPFire Location", or the file's own
                                database type */
    const char *path;        /* the file */
    const char *licence;     /* "CC BY 4.0", "CC BY-SA 4.0", or "see its publisher" */
    const char *attribution; /* what must be said where results are shown, or "" */
    int64_t built;           /* build time, seconds since 1970; 0 when the file does not say */
    int32_t age_days;        /* at options.now or geo_age; -1 when the file does not say */
    uint64_t n_ranges;       /* ranges (text) or tree nodes (MMDB) */
    bool loaded;             /* false: the file is missing, and that was allowed */
    bool old;                /* older than warn_days, or of unknown age */
    bool expired;            /* older than expire_days, or of unknown age: never says inside */
};

struct geo;

/* geo_open loads the databases; *out is the caller's, to give to geo_close. STATUS_IO: a file
 * cannot be read, and the fault says which package or file brings it. STATUS_FORMAT: a file is
 * broken; the fault names file and line. STATUS_USAGE: a home network is not one. */
enum status geo_open(const struct geo_options *options, struct geo **out, struct fault *f);

/* geo_close frees it; NULL is allowed. */
void geo_close(struct geo *geo);

/* geo_lookup judges one address. It allocates nothing and may be called by several threads. */
void geo_lookup(const struct geo *geo, const struct address *address, struct place *out);

/* geo_age ages the databases anew, for programs that run for months; may be called while other
 * threads look up. */
void geo_age(struct geo *geo, int64_t now);

/* geo_describe fills one description a database file, always GEO_DATABASES of them: first the MMDB,
 * then the ranges of IPv4 and of IPv6. */
void geo_describe(const struct geo *geo, struct geo_database out[GEO_DATABASES]);

/* geo_warning writes what a person should know about one of those files ("... is 175 days old"), as
 * snprintf does; an empty text when there is nothing to say. */
int geo_warning(const struct geo_database *database, char *buf, size_t cap);

/* region_name is the word of a verdict: "inside", "outside", "unknown", "disagree", "local". */
const char *region_name(enum region region);

/* geo_country_label writes how a country code is shown: HK, MO and TW as 中国香港, 中国澳门,
 * 中国台湾, others as they are, "-" for no code. Returns `buf`. */
const char *geo_country_label(const char *country, char buf[GEO_LABEL_LEN]);

#endif
