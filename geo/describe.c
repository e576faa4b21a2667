/* describe.c - the databases and the verdicts in words. */
#include "geo/store.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool contains(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (; text[0] != '\0'; text++)
        if (strncasecmp(text, word, n) == 0)
            return true;
    return false;
}

static void describe_mmdb(const struct geo *geo, struct geo_database *d)
{
    const char *type = d->loaded ? geo->mmdb.mmdb.metadata.database_type : NULL;
    d->name = type != NULL && type[0] != '\0' ? type : file_name(d->path);
    /* Builds of DB-IP's data for npm do not name it inside the file. */
    if (contains(d->name, "dbip") || contains(file_name(d->path), "dbip")) {
        d->name = "DB-IP IP to Country Lite";
        d->licence = "CC BY 4.0";
        d->attribution = "IP Geolocation by DB-IP (https://db-ip.com)";
    } else if (contains(d->name, "geolite2")) {
        d->licence = "GeoLite2 End User License Agreement";
        d->attribution = "This product includes GeoLite2 data created by MaxMind, available from "
                         "https://www.maxmind.com";
    }
    d->n_ranges = d->loaded ? geo->mmdb.mmdb.metadata.node_count : 0;
}

static void describe_ranges(const struct ranges *r, struct geo_database *d)
{
    bool ipfire = contains(r->vendor, "IPFire") || strncmp(d->path, "/usr/share/tor/", 15) == 0;
    d->name = ipfire ? "IPFire Location" : r->vendor[0] != '\0' ? r->vendor : file_name(d->path);
    if (r->licence[0] != '\0')
        d->licence = r->licence;
    else if (ipfire)
        d->licence = "CC BY-SA 4.0";
    if (ipfire)
        d->attribution = "IPFire Location database (https://location.ipfire.org)";
    d->n_ranges = r->n_read;
}

void geo_describe(const struct geo *geo, struct geo_database out[GEO_DATABASES])
{
    for (unsigned i = 0; i < GEO_DATABASES; i++) {
        enum database which = (enum database)i;
        struct geo_database *d = &out[i];
        *d = (struct geo_database){
            .path = geo->path[i],
            .licence = "see its publisher",
            .attribution = "",
            .built = store_built(geo, which),
            .age_days = store_age_days(geo, which),
            .loaded = geo->loaded[i],
            .expired = geo->loaded[i] && geo->expired[i],
        };
        d->old =
            d->loaded && geo->warn_days >= 0 && (d->age_days < 0 || d->age_days > geo->warn_days);
        if (which == DATABASE_MMDB)
            describe_mmdb(geo, d);
        else
            describe_ranges(which == DATABASE_RANGES4 ? &geo->ranges4 : &geo->ranges6, d);
    }
}

int geo_warning(const struct geo_database *d, char *buf, size_t cap)
{
    if (!d->loaded)
        return snprintf(buf, cap, "%s is missing: every address it would judge counts as outside",
                        d->path);
    const char *so = d->expired ? ": nothing counts as inside by it" : ": update it";
    if ((d->old || d->expired) && d->age_days < 0)
        return snprintf(buf, cap, "%s does not say when it was built%s", d->path, so);
    if (d->old || d->expired)
        return snprintf(buf, cap, "%s is %d days old%s", d->path, d->age_days, so);
    return snprintf(buf, cap, "%s", "");
}

const char *region_name(enum region region)
{
    switch (region) {
    case REGION_INSIDE:
        return "inside";
    case REGION_OUTSIDE:
        return "outside";
    case REGION_UNKNOWN:
        return "unknown";
    case REGION_DISAGREE:
        return "disagree";
    case REGION_LOCAL:
        return "local";
    }
    return "unknown";
}

const char *geo_country_label(const char *country, char buf[GEO_LABEL_LEN])
{
    const char *label = strcmp(country, "HK") == 0   ? "中国香港"
                        : strcmp(country, "MO") == 0 ? "中国澳门"
                        : strcmp(country, "TW") == 0 ? "中国台湾"
                        : country[0] == '\0'         ? "-"
                                                     : country;
    (void)snprintf(buf, GEO_LABEL_LEN, "%s", label);
    return buf;
}
