/* geo.c - opens the databases, joins their answers to one verdict. */
#include "geo/geo.h"
#include "geo/reserved.h"
#include "geo/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef MEDGUAN_DATADIR
#define MEDGUAN_DATADIR "/usr/share/medguan"
#endif

static const char mmdb_file[] = "dbip-country.mmdb";
static const char ranges4_file[] = "/usr/share/tor/geoip";
static const char ranges6_file[] = "/usr/share/tor/geoip6";

/* A refusal names the remedy, so that a person need not look for it. */
static const char mmdb_remedy[] =
    "it comes with medguan; name another country MMDB with --mmdb FILE, or set MEDGUAN_DATADIR to "
    "the folder of dbip-country.mmdb";
static const char ranges_remedy[] =
    "install the package tor-geoipdb, or name another file of ranges";

static enum status find_mmdb(char out[STORE_PATH], struct fault *f)
{
    const char *folder = getenv("MEDGUAN_DATADIR");
    bool named = folder != NULL && folder[0] != '\0';
    if (snprintf(out, STORE_PATH, "%s/%s", named ? folder : MEDGUAN_DATADIR, mmdb_file) >=
        STORE_PATH)
        return fault_set(f, STATUS_USAGE, "MEDGUAN_DATADIR: path too long");
#ifdef MEDGUAN_SOURCE_DATADIR
    /* The installed file comes first: a build's source path may later belong to anybody. */
    static const char source[] = MEDGUAN_SOURCE_DATADIR "/dbip-country.mmdb";
    if (!named && access(out, F_OK) != 0 && access(source, R_OK) == 0)
        memcpy(out, source, sizeof source);
#endif
    return STATUS_OK;
}

static enum status set_path(char out[STORE_PATH], const char *path, struct fault *f)
{
    size_t len = strlen(path);
    if (len == 0 || len >= STORE_PATH)
        return fault_set(f, STATUS_USAGE, "geo database: the path must be 1..%d bytes",
                         STORE_PATH - 1);
    memcpy(out, path, len + 1);
    return STATUS_OK;
}

static enum status set_paths(struct geo *geo, const struct geo_options *o, struct fault *f)
{
    enum status st = o->mmdb_path != NULL ? set_path(geo->path[DATABASE_MMDB], o->mmdb_path, f)
                                          : find_mmdb(geo->path[DATABASE_MMDB], f);
    if (st == STATUS_OK)
        st = set_path(geo->path[DATABASE_RANGES4],
                      o->ranges4_path != NULL ? o->ranges4_path : ranges4_file, f);
    if (st == STATUS_OK)
        st = set_path(geo->path[DATABASE_RANGES6],
                      o->ranges6_path != NULL ? o->ranges6_path : ranges6_file, f);
    return st;
}

static enum status load(struct geo *geo, enum database which, bool allow_missing, struct fault *f)
{
    const char *path = geo->path[which];
    struct fault why = {""};
    errno = 0;
    enum status st = which == DATABASE_MMDB      ? country_open(&geo->mmdb, path, &why)
                     : which == DATABASE_RANGES4 ? ranges_load(&geo->ranges4, 4, path, &why)
                                                 : ranges_load(&geo->ranges6, 6, path, &why);
    bool missing = st == STATUS_IO && (errno == ENOENT || errno == ENOTDIR);
    geo->loaded[which] = st == STATUS_OK;
    if (st == STATUS_OK || (missing && allow_missing))
        return STATUS_OK;
    if (missing)
        return fault_set(f, st, "%.256s: %s", why.text,
                         which == DATABASE_MMDB ? mmdb_remedy : ranges_remedy);
    return fault_set(f, st, "%s", why.text);
}

static enum status read_bits(const char *text, const char *home, unsigned max, unsigned *bits,
                             struct fault *f)
{
    unsigned v = 0;
    size_t n = strspn(text, "0123456789");
    for (size_t i = 0; i < n && v <= max; i++)
        v = v * 10 + (unsigned)(text[i] - '0');
    if (n == 0 || n > 3 || text[n] != '\0' || v == 0 || v > max)
        return fault_set(f, STATUS_USAGE, "home network %.64s: the prefix length must be 1..%u",
                         home, max);
    *bits = v;
    return STATUS_OK;
}

static enum status read_home(const char *text, struct home *out, struct fault *f)
{
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (!address_parse(text, len, &out->prefix))
        return fault_set(f, STATUS_USAGE,
                         "home network %.64s: not an address; write it as 198.51.100.0/24 or "
                         "2001:db8::/32",
                         text);
    out->bits = out->prefix.family == 4 ? 32 : 128;
    if (slash != NULL) {
        enum status st = read_bits(slash + 1, text, out->bits, &out->bits, f);
        if (st != STATUS_OK)
            return st;
    }
    struct address network = out->prefix;
    for (unsigned i = out->bits; i < 128; i++)
        network.bytes[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
    if (!address_equal(&network, &out->prefix)) {
        char name[ADDRESS_TEXT_MAX];
        return fault_set(f, STATUS_USAGE,
                         "home network %.64s: bits are set beyond the prefix; did you mean %s/%u?",
                         text, address_format(&network, name, sizeof name), out->bits);
    }
    return STATUS_OK;
}

static enum status read_homes(struct geo *geo, const struct geo_options *o, struct fault *f)
{
    if (o->n_home == 0)
        return STATUS_OK;
    if (o->n_home > GEO_MAX_HOME)
        return fault_set(f, STATUS_LIMIT, "more than %d home networks", GEO_MAX_HOME);
    geo->home = calloc(o->n_home, sizeof geo->home[0]);
    if (geo->home == NULL)
        return fault_set(f, STATUS_MEMORY, "home networks: no memory");
    for (size_t i = 0; i < o->n_home; i++) {
        enum status st = read_home(o->home[i], &geo->home[i], f);
        if (st != STATUS_OK)
            return st;
    }
    geo->n_home = o->n_home;
    return STATUS_OK;
}

enum status geo_open(const struct geo_options *options, struct geo **out, struct fault *f)
{
    *out = NULL;
    struct geo *geo = calloc(1, sizeof *geo);
    if (geo == NULL)
        return fault_set(f, STATUS_MEMORY, "geo: no memory");
    geo->warn_days = options->warn_days == 0 ? GEO_WARN_DAYS : options->warn_days;
    geo->expire_days = options->expire_days == 0 ? GEO_EXPIRE_DAYS : options->expire_days;
    enum status st = read_homes(geo, options, f);
    if (st == STATUS_OK)
        st = set_paths(geo, options, f);
    for (unsigned i = 0; st == STATUS_OK && i < GEO_DATABASES; i++)
        st = load(geo, (enum database)i, options->allow_missing, f);
    if (st != STATUS_OK) {
        geo_close(geo);
        return st;
    }
    geo_age(geo, options->now);
    *out = geo;
    return STATUS_OK;
}

void geo_close(struct geo *geo)
{
    if (geo == NULL)
        return;
    country_close(&geo->mmdb);
    ranges_free(&geo->ranges4);
    ranges_free(&geo->ranges6);
    free(geo->home);
    free(geo);
}

int64_t store_built(const struct geo *geo, enum database which)
{
    if (!geo->loaded[which])
        return 0;
    if (which != DATABASE_MMDB)
        return which == DATABASE_RANGES4 ? geo->ranges4.built : geo->ranges6.built;
    uint64_t built = geo->mmdb.mmdb.metadata.build_epoch;
    return built > INT32_MAX * UINT64_C(64) ? 0 : (int64_t)built;
}

int32_t store_age_days(const struct geo *geo, enum database which)
{
    int64_t built = store_built(geo, which);
    int64_t now = atomic_load_explicit(&geo->now, memory_order_relaxed);
    if (built <= 0)
        return -1;
    int64_t days = now > built ? (now - built) / 86400 : 0;
    return days > INT32_MAX ? INT32_MAX : (int32_t)days;
}

void geo_age(struct geo *geo, int64_t now)
{
    atomic_store_explicit(&geo->now, now, memory_order_relaxed);
    for (unsigned i = 0; i < GEO_DATABASES; i++) {
        int32_t days = store_age_days(geo, (enum database)i);
        bool expired = geo->expire_days >= 0 && (days < 0 || days > geo->expire_days);
        atomic_store_explicit(&geo->expired[i], expired, memory_order_relaxed);
    }
}

static bool is_home(const struct geo *geo, const struct address *a)
{
    for (size_t i = 0; i < geo->n_home; i++)
        if (reserved_prefix(a, &geo->home[i].prefix, geo->home[i].bits))
            return true;
    return false;
}

static bool has_expired(const struct geo *geo, unsigned family)
{
    enum database ranges = family == 4 ? DATABASE_RANGES4 : DATABASE_RANGES6;
    return atomic_load_explicit(&geo->expired[DATABASE_MMDB], memory_order_relaxed) ||
           atomic_load_explicit(&geo->expired[ranges], memory_order_relaxed);
}

static enum region join(const struct geo *geo, const struct address *a, struct place *out)
{
    bool one = country_find(&geo->mmdb, a->family, a->bytes, out->country);
    bool two = ranges_find(a->family == 4 ? &geo->ranges4 : &geo->ranges6, a->bytes, out->second);
    if (!one || !two)
        return REGION_UNKNOWN;
    bool one_inside = strcmp(out->country, "CN") == 0, two_inside = strcmp(out->second, "CN") == 0;
    if (one_inside != two_inside)
        return REGION_DISAGREE;
    if (!one_inside)
        return REGION_OUTSIDE;
    return has_expired(geo, a->family) ? REGION_UNKNOWN : REGION_INSIDE;
}

static enum region judge(const struct geo *geo, const struct address *address, struct place *out)
{
    struct address inner;
    if (is_home(geo, address))
        return REGION_LOCAL;
    enum carrying carried = reserved_carried(address, &inner);
    out->embedded = carried != CARRYING_NOTHING;
    if (!out->embedded)
        inner = *address;
    if (out->embedded && is_home(geo, &inner))
        return REGION_LOCAL;
    /* A tunnel to a private address leads to somebody else's network, if anywhere. */
    if (reserved_for_site(&inner))
        return carried == CARRYING_TUNNEL ? REGION_UNKNOWN : REGION_LOCAL;
    if (reserved_for_nobody(&inner))
        return REGION_UNKNOWN;
    return join(geo, &inner, out);
}

void geo_lookup(const struct geo *geo, const struct address *address, struct place *out)
{
    *out = (struct place){0};
    out->region = judge(geo, address, out);
    out->outside = out->region != REGION_INSIDE && out->region != REGION_LOCAL;
}
