/* test_geo.c - verdicts on addresses, from made-up databases and from those that ship. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "command/command.h"
#include "geo/geo.h"
#include "geo/ranges.h"

#define TINY SOURCE_DIR "/tests/unit/geo/"

enum {
    DAY = 86400
};

static const int64_t built = 1780272000; /* 2026-06-01 */

static struct geo_options tiny_options(void)
{
    return (struct geo_options){.mmdb_path = TINY "tiny.mmdb",
                                .ranges4_path = TINY "ranges4",
                                .ranges6_path = TINY "ranges6",
                                .now = built + 30 * DAY};
}

static struct geo *opened(const struct geo_options *o)
{
    struct geo *geo = NULL;
    struct fault f = {""};
    enum status st = geo_open(o, &geo, &f);
    if (st != STATUS_OK)
        print_error("%s\n", f.text);
    assert_int_equal(st, STATUS_OK);
    return geo;
}

static struct place looked_up(const struct geo *geo, const char *text)
{
    struct address a;
    struct place p;
    assert_true(address_parse(text, strlen(text), &a));
    geo_lookup(geo, &a, &p);
    return p;
}

static void expect(const struct geo *geo, const char *text, const char *want)
{
    struct place p = looked_up(geo, text);
    char got[64];
    (void)snprintf(got, sizeof got, "%s %s/%s%s", region_name(p.region), p.country, p.second,
                   p.embedded ? " embedded" : "");
    if (strcmp(got, want) != 0)
        fail_msg("%s: %s, not %s", text, got, want);
    assert_int_equal(p.outside, p.region != REGION_INSIDE && p.region != REGION_LOCAL);
}

struct row {
    const char *address, *want;
};

static const struct row verdicts[] = {
    {"20.0.0.0", "inside CN/CN"},
    {"20.0.255.255", "inside CN/CN"},
    {"19.255.255.255", "unknown /"},
    {"20.1.2.3", "outside US/US"},
    {"20.2.2.3", "outside US/CA"},
    {"20.3.2.3", "disagree CN/HK"},
    {"20.11.2.3", "disagree US/CN"},
    {"20.4.2.3", "outside HK/HK"},
    {"20.8.2.3", "outside TW/TW"},
    {"20.9.2.3", "outside MO/MO"},
    {"20.5.2.3", "unknown CN/"},
    {"20.6.2.3", "unknown /CN"},
    {"20.7.2.3", "unknown /"},
    {"20.10.2.3", "unknown CN/"},
    {"2400:1::1", "inside CN/CN"},
    {"2400:1:ffff:ffff:ffff:ffff:ffff:ffff", "inside CN/CN"},
    {"2400:2::", "outside US/US"},
    {"2400:3::1", "disagree CN/SG"},
    {"2400:4::1", "unknown /"},
    /* IPv4 inside IPv6 */
    {"::ffff:20.0.1.1", "inside CN/CN embedded"},
    {"::ffff:20.1.1.1", "outside US/US embedded"},
    {"::ffff:10.0.0.1", "local / embedded"},
    {"64:ff9b::20.0.1.1", "inside CN/CN embedded"},
    {"64:ff9b::10.0.0.1", "unknown / embedded"},
    {"64:ff9b:1::20.0.1.1", "unknown /"},
    {"2002:1401:0101::1", "outside US/US embedded"},
    {"2002:1400:0101::1", "inside CN/CN embedded"},
    {"2002:c0a8:0101::1", "unknown / embedded"},
    {"2001:0:1401:101:0:0:ebff:fefe", "inside CN/CN embedded"}, /* the server's is not asked */
    {"2001:0:1400:101:0:0:ebfe:fefe", "outside US/US embedded"},
    /* the site's own */
    {"10.1.2.3", "local /"},
    {"172.16.0.1", "local /"},
    {"172.31.255.255", "local /"},
    {"172.32.0.1", "unknown /"},
    {"192.168.255.255", "local /"},
    {"100.64.0.1", "local /"},
    {"100.128.0.1", "unknown /"},
    {"169.254.1.1", "local /"},
    {"127.0.0.1", "local /"},
    {"0.0.0.0", "local /"},
    {"0.1.2.3", "local /"},
    {"224.0.0.251", "local /"},
    {"255.255.255.255", "local /"},
    {"::", "local /"},
    {"::1", "local /"},
    {"fe80::1", "local /"},
    {"fd00::1", "local /"},
    {"ff02::fb", "local /"},
    /* nobody's */
    {"192.0.2.1", "unknown /"},
    {"198.18.0.1", "unknown /"},
    {"203.0.113.1", "unknown /"},
    {"240.0.0.1", "unknown /"},
    {"2001:db8::1", "unknown /"},
    {"3fff::1", "unknown /"},
    {"2001:2::1", "unknown /"},
    {"100::1", "unknown /"},
    {"4000::1", "unknown /"},
};

static void two_opinions_make_a_verdict(void **state)
{
    (void)state;
    static const char *const files[] = {TINY "tiny.mmdb", TINY "nested.mmdb"};
    for (size_t k = 0; k < 2; k++) {
        struct geo_options o = tiny_options();
        o.mmdb_path = files[k];
        struct geo *geo = opened(&o);
        for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
            expect(geo, verdicts[i].address, verdicts[i].want);
        geo_close(geo);
    }
}

static void no_address_is_unknown(void **state)
{
    (void)state;
    struct geo_options o = tiny_options();
    struct geo *geo = opened(&o);
    struct place p;
    geo_lookup(geo, &(struct address){0}, &p);
    assert_int_equal(p.region, REGION_UNKNOWN);
    assert_true(p.outside);
    geo_close(geo);
}

static void home_networks_are_local(void **state)
{
    (void)state;
    static const char *const home[] = {"20.1.0.0/17", "203.0.113.9", "2400:2::/47", "20.0.0.64/26"};
    struct geo_options o = tiny_options();
    o.home = home;
    o.n_home = 4;
    struct geo *geo = opened(&o);
    static const struct row rows[] = {
        {"20.1.127.255", "local /"},
        {"20.1.128.0", "outside US/US"},
        {"203.0.113.9", "local /"},
        {"203.0.113.10", "unknown /"},
        {"2400:2:1::1", "local /"},
        {"2400:2:2::1", "outside US/US"},
        {"::ffff:20.1.0.1", "local / embedded"},
        {"20.0.0.127", "local /"},
        {"20.0.0.128", "inside CN/CN"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(geo, rows[i].address, rows[i].want);
    geo_close(geo);
}

static void broken_home_networks_are_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"10.0.0.1/8", "home network 10.0.0.1/8: bits are set beyond the prefix; did you mean "
                       "10.0.0.0/8?"},
        {"10.0.0.0/33", "home network 10.0.0.0/33: the prefix length must be 1..32"},
        {"10.0.0.0/0", "home network 10.0.0.0/0: the prefix length must be 1..32"},
        {"10.0.0.0/", "home network 10.0.0.0/: the prefix length must be 1..32"},
        {"2400::/129", "home network 2400::/129: the prefix length must be 1..128"},
        {"here", "home network here: not an address; write it as 198.51.100.0/24 or "
                 "2001:db8::/32"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct geo_options o = tiny_options();
        o.home = &rows[i].address;
        o.n_home = 1;
        struct geo *geo;
        struct fault f = {""};
        assert_int_equal(geo_open(&o, &geo, &f), STATUS_USAGE);
        assert_string_equal(f.text, rows[i].want);
        assert_null(geo);
    }
}

static void an_old_database_cannot_say_inside(void **state)
{
    (void)state;
    struct geo_options o = tiny_options();
    o.now = built + 365 * DAY;
    struct geo *geo = opened(&o);
    expect(geo, "20.0.0.1", "inside CN/CN");
    geo_age(geo, built + 366 * DAY);
    expect(geo, "20.0.0.1", "unknown CN/CN");
    expect(geo, "2400:1::1", "unknown CN/CN");
    expect(geo, "20.1.0.1", "outside US/US");
    expect(geo, "20.3.0.1", "disagree CN/HK");
    expect(geo, "10.0.0.1", "local /");
    struct geo_database d[GEO_DATABASES];
    geo_describe(geo, d);
    assert_true(d[0].expired && d[0].old && d[0].age_days == 366);
    geo_close(geo);
    o.expire_days = GEO_NEVER;
    o.now = built + 5000 * (int64_t)DAY;
    geo = opened(&o);
    expect(geo, "20.0.0.1", "inside CN/CN");
    geo_close(geo);
}

static void ages_are_warned_about(void **state)
{
    (void)state;
    struct geo_options o = tiny_options();
    o.now = built + 90 * DAY;
    struct geo *geo = opened(&o);
    struct geo_database d[GEO_DATABASES];
    char text[256];
    geo_describe(geo, d);
    for (unsigned i = 0; i < GEO_DATABASES; i++) {
        assert_int_equal(d[i].built, built);
        assert_int_equal(d[i].age_days, 90);
        (void)geo_warning(&d[i], text, sizeof text);
        assert_string_equal(text, "");
    }
    assert_string_equal(d[0].name, "Tiny");
    assert_string_equal(d[1].name, "Nobody");
    assert_string_equal(d[1].licence, "CC0-1.0");
    assert_int_equal(d[1].n_ranges, 10);
    geo_age(geo, built + 91 * DAY);
    geo_describe(geo, d);
    (void)geo_warning(&d[0], text, sizeof text);
    assert_string_equal(text, TINY "tiny.mmdb is 91 days old: update it");
    geo_age(geo, built - DAY);
    geo_describe(geo, d);
    assert_int_equal(d[0].age_days, 0);
    geo_close(geo);
}

static void missing_files_name_the_remedy(void **state)
{
    (void)state;
    struct geo_options o = tiny_options();
    struct geo *geo;
    struct fault f = {""};
    o.ranges4_path = "/nowhere/geoip";
    assert_int_equal(geo_open(&o, &geo, &f), STATUS_IO);
    assert_string_equal(f.text, "/nowhere/geoip: No such file or directory: install the package "
                                "tor-geoipdb, or name another file of ranges");
    o.allow_missing = true;
    geo = opened(&o);
    expect(geo, "20.0.0.1", "unknown CN/");
    expect(geo, "2400:1::1", "inside CN/CN");
    struct geo_database d[GEO_DATABASES];
    geo_describe(geo, d);
    assert_false(d[1].loaded);
    char text[256];
    (void)geo_warning(&d[1], text, sizeof text);
    assert_non_null(strstr(text, "/nowhere/geoip is missing"));
    geo_close(geo);
    o = tiny_options();
    o.mmdb_path = "/nowhere/x.mmdb";
    assert_int_equal(geo_open(&o, &geo, &f), STATUS_IO);
    assert_non_null(strstr(f.text, "MEDGUAN_DATADIR"));
    o.allow_missing = true;
    geo = opened(&o);
    expect(geo, "20.0.0.1", "unknown /CN");
    geo_close(geo);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    struct geo_options o = tiny_options();
    struct geo *geo;
    struct fault f = {""};
    o.allow_missing = true;
    o.mmdb_path = TINY "ranges4";
    assert_int_equal(geo_open(&o, &geo, &f), STATUS_FORMAT);
    assert_non_null(strstr(f.text, "not a MaxMind database"));
    o.mmdb_path = TINY "asn.mmdb";
    assert_int_equal(geo_open(&o, &geo, &f), STATUS_FORMAT);
    assert_string_equal(f.text,
                        TINY "asn.mmdb: holds no countries (country_code or country.iso_code)");
    o = tiny_options();
    o.ranges6_path = TINY "ranges4";
    assert_int_equal(geo_open(&o, &geo, &f), STATUS_FORMAT);
    assert_string_equal(f.text, TINY "ranges4:5: an address range must be FIRST,LAST,CC");
}

static const struct row bad_ranges[] = {
    {"1,2,CN\n1,2\n", "t:2: an address range must be FIRST,LAST,CC"},
    {"1;2;CN\n", "t:1: an address range must be FIRST,LAST,CC"},
    {",2,CN\n", "t:1: an address range must be FIRST,LAST,CC"},
    {"1,4294967296,CN\n", "t:1: an address range must be FIRST,LAST,CC"},
    {"1.2.3,2,CN\n", "t:1: an address range must be FIRST,LAST,CC"},
    {"1.2.3.256,2,CN\n", "t:1: an address range must be FIRST,LAST,CC"},
    {"256.2.3.4,2,CN\n", "t:1: an address range must be FIRST,LAST,CC"},
    {"# x\n\n1,2,cn\n", "t:3: a country must be two capital letters or ??"},
    {"1,2,?N\n", "t:1: a country must be two capital letters or ??"},
    {"1,2,C\n", "t:1: a country must be two capital letters or ??"},
    {"1,2,CHN\n", "t:1: nothing may follow the country"},
    {"1,2,CN,x\n", "t:1: nothing may follow the country"},
    {"2,1,CN\n", "t:1: the range ends before it begins"},
    {"1,5,CN\n5,9,US\n",
     "t:2: the range does not come after the one before: ranges must be sorted and apart"},
    {"5,9,??\n1,2,US\n",
     "t:2: the range does not come after the one before: ranges must be sorted and apart"},
    {"# nothing\n", "t: no address range in the file"},
    {"1,2,??\n", "t: no address range in the file"},
};

static enum status read_text(struct ranges *r, unsigned family, const char *text, struct fault *f)
{
    ranges_start(r, family, "t");
    enum status st = ranges_add(r, (const uint8_t *)text, strlen(text), f);
    return st == STATUS_OK ? ranges_finish(r, f) : st;
}

static void broken_ranges_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_ranges / sizeof bad_ranges[0]; i++) {
        struct ranges r;
        struct fault f = {""};
        assert_int_equal(read_text(&r, 4, bad_ranges[i].address, &f), STATUS_FORMAT);
        assert_string_equal(f.text, bad_ranges[i].want);
        ranges_free(&r);
    }
}

static void forms_of_ipv6_ranges(void **state)
{
    (void)state;
    static const char *const good[] = {
        "::,::1,CN\n",
        "1:2:3:4:5:6:7:8,1:2:3:4:5:6:7:9,CN\n",
        "1::,1:2:3:4:5:6:7::,CN\n",
        "::2:3:4:5:6:7:8,0001::,CN\n",
        "ABCD::,abcd::ffff,CN\r\n",
    };
    static const char *const bad[] = {
        "1,2,CN\n",
        ":1::,2::,CN\n",
        "1::2::3,4::,CN\n",
        "1:::2,4::,CN\n",
        "12345::,fffff::,CN\n",
        "fffff::,ffff::1,CN\n",
        "1:2:3:4:5:6:7:8:9,a::,CN\n",
        "1:2:3:4:5:6:7:8::,a::,CN\n",
        "1:2:3:4::5:6:7:8,a::,CN\n",
        "1:2:3:4:5:6:7:,a::,CN\n",
        "::1.2.3.4,a::,CN\n",
        "1:2:3,a::,CN\n",
        ",a::,CN\n",
    };
    struct ranges r;
    struct fault f = {""};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(read_text(&r, 6, good[i], &f), STATUS_OK);
        ranges_free(&r);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (read_text(&r, 6, bad[i], &f) == STATUS_OK)
            fail_msg("%s was read", bad[i]);
        ranges_free(&r);
    }
}

static void neighbours_are_joined(void **state)
{
    (void)state;
    struct ranges r;
    struct fault f = {""};
    char country[3];
    assert_int_equal(read_text(&r, 4,
                               "1.0.0.0,1.0.0.9,CN\n1.0.0.10,1.0.0.20,CN\n"
                               "1.0.0.21,1.0.0.30,US\n1.0.0.32,1.0.0.40,US\n",
                               &f),
                     STATUS_OK);
    assert_int_equal(r.n, 3);
    assert_true(ranges_find(&r, (const uint8_t[]){1, 0, 0, 20}, country));
    assert_string_equal(country, "CN");
    assert_false(ranges_find(&r, (const uint8_t[]){1, 0, 0, 31}, country));
    assert_false(ranges_find(&r, (const uint8_t[]){0, 0, 0, 0}, country));
    assert_false(ranges_find(&r, (const uint8_t[]){255, 0, 0, 31}, country));
    ranges_free(&r);
    assert_int_equal(
        read_text(&r, 6, "1::,1::ffff:ffff:ffff:ffff,CN\n1:0:0:1::,1:0:0:1::,CN\n", &f), STATUS_OK);
    assert_int_equal(r.n, 1);
    ranges_free(&r);
}

static void a_range_may_cover_many_keys(void **state)
{
    (void)state;
    struct ranges r;
    struct fault f = {""};
    char country[3];
    assert_int_equal(read_text(&r, 4, "0,4294967294,US\n4294967295,4294967295,CN\n", &f),
                     STATUS_OK);
    assert_true(ranges_find(&r, (const uint8_t[]){128, 7, 0, 20}, country));
    assert_string_equal(country, "US");
    assert_true(ranges_find(&r, (const uint8_t[]){255, 255, 255, 255}, country));
    assert_string_equal(country, "CN");
    ranges_free(&r);
}

static void dates_of_headers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t built;
    } rows[] = {
        {"# Generated: Thu, 25 Jun 2026 04:33:59 GMT\n1,2,CN\n", 1782345600},
        {"# Generated: 2024-02-29\n1,2,CN\n", 1709164800},
        {"# Generated: 1970-01-01\n1,2,CN\n", 0},
        {"# Generated: yesterday\n1,2,CN\n", 0},
        {"# Generated: Thu, 25 Foo 2026 04:33:59 GMT\n1,2,CN\n", 0},
        {"# Generated: Thu,\n1,2,CN\n", 0},
        {"# Generated: 2026-13-01\n1,2,CN\n", 0},
        {"1,2,CN\n", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ranges r;
        struct fault f = {""};
        assert_int_equal(read_text(&r, 4, rows[i].text, &f), STATUS_OK);
        assert_int_equal(r.built, rows[i].built);
        ranges_free(&r);
    }
}

static void labels(void **state)
{
    (void)state;
    char buf[GEO_LABEL_LEN];
    assert_string_equal(geo_country_label("HK", buf), "中国香港");
    assert_string_equal(geo_country_label("MO", buf), "中国澳门");
    assert_string_equal(geo_country_label("TW", buf), "中国台湾");
    assert_string_equal(geo_country_label("CN", buf), "CN");
    assert_string_equal(geo_country_label("US", buf), "US");
    assert_string_equal(geo_country_label("", buf), "-");
}

/* The databases that ship: addresses nobody disputes. Skipped where tor-geoipdb is not installed.
 */
static void shipped_databases(void **state)
{
    (void)state;
    if (access("/usr/share/tor/geoip", R_OK) != 0 || access("/usr/share/tor/geoip6", R_OK) != 0)
        skip();
    struct geo_options o = {.mmdb_path = SOURCE_DIR "/geo/dbip-country.mmdb",
                            .now = built + 100 * DAY};
    struct geo *geo = opened(&o);
    static const char *const inside[] = {
        "114.114.114.114", "166.111.4.1",  "202.96.128.86", "202.106.0.20",
        "240e::1",         "2408:8000::1", "2001:da8::1",   "52.80.0.1",
    };
    static const char *const not_inside[] = {
        "8.8.8.8",      "1.1.1.1",    "18.162.0.1",   "16.162.0.1",      "43.198.0.1",
        "2406:da1e::1", "168.95.1.1", "202.175.3.8",  "2001:4860::8888", "47.88.0.1",
        "8.208.0.1",    "43.153.0.1", "159.138.0.10", "149.129.64.10",
    };
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        if (looked_up(geo, inside[i]).region != REGION_INSIDE)
            fail_msg("%s is not inside", inside[i]);
    for (size_t i = 0; i < sizeof not_inside / sizeof not_inside[0]; i++)
        if (!looked_up(geo, not_inside[i]).outside)
            fail_msg("%s is inside", not_inside[i]);
    struct geo_database d[GEO_DATABASES];
    geo_describe(geo, d);
    assert_string_equal(d[0].name, "DB-IP IP to Country Lite");
    assert_string_equal(d[0].licence, "CC BY 4.0");
    assert_string_equal(d[1].name, "IPFire Location");
    assert_string_equal(d[2].licence, "CC BY-SA 4.0");
    assert_true(d[0].n_ranges > 100000 && d[1].n_ranges > 100000 && d[2].n_ranges > 100000);
    geo_close(geo);
}

/* Runs the command and keeps what it wrote to standard output. */
static int commanded(const char *const *words, char *said, size_t cap)
{
    char *argv[16] = {NULL};
    int argc = 0;
    for (; words[argc] != NULL; argc++)
        argv[argc] = strdup(words[argc]);
    FILE *out = tmpfile();
    int kept = dup(STDOUT_FILENO);
    assert_non_null(out);
    (void)fflush(stdout);
    assert_true(kept >= 0 && dup2(fileno(out), STDOUT_FILENO) >= 0);
    int code = command_geo(argc, argv);
    (void)fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    (void)close(kept);
    rewind(out);
    said[fread(said, 1, cap - 1, out)] = '\0';
    (void)fclose(out);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return code;
}

/* Only verdicts that do not depend on the day. */
static void the_command(void **state)
{
    (void)state;
#define TINY_FILES                                                                                 \
    "--mmdb", TINY "tiny.mmdb", "--ranges4", TINY "ranges4", "--ranges6", TINY "ranges6"
    static const struct {
        const char *words[16];
        int code;
        const char *said;
    } rows[] = {
        {{"geo", "lookup", TINY_FILES, "10.0.0.1"}, 0, "local"},
        {{"geo", "lookup", TINY_FILES, "20.4.0.1"}, 1, "中国香港  outside   HK     HK\n"},
        {{"geo", "lookup", TINY_FILES, "--json", "20.3.0.1"},
         1,
         "{\"event\":\"address\",\"address\":\"20.3.0.1\",\"verdict\":\"disagree\",\"outside\":"
         "true,"
         "\"country\":\"CN\",\"second\":\"HK\",\"label\":\"CN\",\"embedded\":false}\n"
         "{\"event\":\"summary\",\"addresses\":1,\"inside\":0,\"outside\":0,\"unknown\":0,"
         "\"disagree\":1,\"local\":0}\n"},
        {{"geo", "lookup", TINY_FILES, "20.1.0.1", "--home", "20.1.0.0/16"}, 0, "local"},
        {{"geo", "lookup", TINY_FILES, "20.1.0.300"}, 2, ""},
        {{"geo", "lookup", TINY_FILES, "--home", "20.1.0.1/16", "20.1.0.1"}, 2, ""},
        {{"geo", "lookup", TINY_FILES, "--jason", "20.1.0.1"}, 2, ""},
        {{"geo", "lookup", TINY_FILES}, 2, ""},
        {{"geo", "lookup", "--mmdb"}, 2, ""},
        {{"geo", "look"}, 2, ""},
        {{"geo"}, 2, ""},
        {{"geo", "--help"}, 0, "Examples:"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[4096];
        assert_int_equal(commanded(rows[i].words, said, sizeof said), rows[i].code);
        if (strstr(said, rows[i].said) == NULL)
            fail_msg("no \"%s\" in \"%s\"", rows[i].said, said);
    }
    static const char *const words[] = {"geo", "info", "--json", TINY_FILES, NULL};
    char said[4096];
    (void)commanded(words, said, sizeof said);
    assert_non_null(strstr(said, "{\"event\":\"database\",\"name\":\"Tiny\",\"file\":\"" TINY
                                 "tiny.mmdb\",\"loaded\":true,\"built\":\"2026-06-01\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_opinions_make_a_verdict),
        cmocka_unit_test(no_address_is_unknown),
        cmocka_unit_test(home_networks_are_local),
        cmocka_unit_test(broken_home_networks_are_refused),
        cmocka_unit_test(an_old_database_cannot_say_inside),
        cmocka_unit_test(ages_are_warned_about),
        cmocka_unit_test(missing_files_name_the_remedy),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(broken_ranges_are_refused),
        cmocka_unit_test(forms_of_ipv6_ranges),
        cmocka_unit_test(neighbours_are_joined),
        cmocka_unit_test(a_range_may_cover_many_keys),
        cmocka_unit_test(dates_of_headers),
        cmocka_unit_test(labels),
        cmocka_unit_test(the_command),
        cmocka_unit_test(shipped_databases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
