/* geo.c - `medguan geo`: what the country databases say of an address, and how old they are. */
#include "geo/geo.h"
#include "base/log.h"
#include "command/command.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "Usage: medguan geo lookup [OPTION]... ADDRESS...\n"
    "       medguan geo info [OPTION]...\n"
    "\n"
    "lookup  says of each IPv4 or IPv6 address whether it is inside mainland China.\n"
    "        '-' reads addresses from standard input, one a line.\n"
    "info    describes the databases: build, age, licence.\n"
    "\n"
    "  --mmdb FILE     country MMDB instead of the one that ships (first opinion)\n"
    "  --ranges4 FILE  IPv4 ranges instead of /usr/share/tor/geoip (second opinion)\n"
    "  --ranges6 FILE  IPv6 ranges instead of /usr/share/tor/geoip6\n"
    "  --home NETWORK  a network of this site, as 198.51.100.0/24; may be repeated\n"
    "  --json          JSON Lines instead of a table\n"
    "  --help          this text\n"
    "\n"
    "Verdicts:\n"
    "  inside    both databases say CN\n"
    "  outside   both name a country and neither says CN; Hong Kong, Macao and Taiwan\n"
    "            are outside the mainland\n"
    "  unknown   a database has no answer or is older than 365 days\n"
    "  disagree  one says CN and the other does not\n"
    "  local     the site's own network: private, link-local, multicast, --home\n"
    "All but inside and local are treated as abroad.\n"
    "\n"
    "Exit status: 0 all inside or local (info: databases in order), 1 some are not (info: some\n"
    "are old), 2 wrong usage, an address that is none, or a database that cannot be read.\n"
    "\n"
    "Examples:\n"
    "  medguan geo lookup 114.114.114.114 8.8.8.8\n"
    "  medguan geo lookup --home 203.0.113.0/24 --json - < addresses.txt\n"
    "  medguan geo info\n";

/* asked is the command line, read. */
struct asked {
    struct geo_options databases;
    const char *home[GEO_MAX_HOME];
    bool json;
    bool help;
};

/* told counts what was answered. */
struct told {
    uint64_t regions[REGION_LOCAL + 1];
    uint64_t addresses, outside;
    bool failed;
};

__attribute__((format(printf, 1, 2))) static void complain(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("medguan geo: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputs("\nTry 'medguan geo --help'.\n", stderr);
    va_end(ap);
}

static bool read_options(int argc, char **argv, struct asked *a)
{
    enum {
        MMDB = 1,
        RANGES4,
        RANGES6,
        HOME,
        JSON,
        HELP
    };
    static const struct option known[] = {
        {"mmdb", required_argument, NULL, MMDB},
        {"ranges4", required_argument, NULL, RANGES4},
        {"ranges6", required_argument, NULL, RANGES6},
        {"home", required_argument, NULL, HOME},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    opterr = 0;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        switch (c) {
        case MMDB:
            a->databases.mmdb_path = optarg;
            break;
        case RANGES4:
            a->databases.ranges4_path = optarg;
            break;
        case RANGES6:
            a->databases.ranges6_path = optarg;
            break;
        case HOME:
            if (a->databases.n_home == GEO_MAX_HOME) {
                complain("--home: more than %d networks", GEO_MAX_HOME);
                return false;
            }
            a->home[a->databases.n_home++] = optarg;
            break;
        case JSON:
            a->json = true;
            break;
        case HELP:
        case 'h':
            a->help = true;
            break;
        case ':':
            complain("option %s needs a value", argv[optind - 1]);
            return false;
        default:
            complain("unknown option %s", argv[optind - 1]);
            return false;
        }
    }
    a->databases.home = a->home;
    return true;
}

static void print_json_text(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            (void)printf("\\%c", c);
        else if (c < 0x20)
            (void)printf("\\u%04x", c);
        else
            (void)putchar(c);
    }
    (void)putchar('"');
}

/* Columns a text takes on a terminal: Chinese letters take two. */
static int columns(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        n += c < 0x80 ? 1 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    }
    return n;
}

static void print_cell(const char *text, int width)
{
    int gap = width - columns(text);
    (void)printf("%s%*s", text, gap > 0 ? gap : 1, "");
}

static void print_place(const struct address *address, const struct place *p, bool json)
{
    char text[ADDRESS_TEXT_MAX], label[GEO_LABEL_LEN];
    (void)address_format(address, text, sizeof text);
    (void)geo_country_label(p->country[0] != '\0' ? p->country : p->second, label);
    if (json) {
        (void)printf("{\"event\":\"address\",\"address\":\"%s\",\"verdict\":\"%s\",\"outside\":%s,"
                     "\"country\":\"%s\",\"second\":\"%s\",\"label\":\"%s\",\"embedded\":%s}\n",
                     text, region_name(p->region), p->outside ? "true" : "false", p->country,
                     p->second, label, p->embedded ? "true" : "false");
        return;
    }
    print_cell(text, 26);
    print_cell(label, 10);
    print_cell(region_name(p->region), 10);
    print_cell(p->country[0] != '\0' ? p->country : "-", 7);
    (void)printf("%s%s\n", p->second[0] != '\0' ? p->second : "-",
                 p->embedded ? "       by the IPv4 address inside" : "");
}

static void answer(const struct geo *geo, const struct address *address, bool json, struct told *t)
{
    struct place p;
    geo_lookup(geo, address, &p);
    t->addresses++;
    t->regions[p.region]++;
    t->outside += p.outside ? 1 : 0;
    print_place(address, &p, json);
}

static void lookup_lines(const struct geo *geo, bool json, struct told *t)
{
    char line[256];
    uint64_t n = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct address address;
        size_t len = strcspn(line, "\r\n");
        const char *from = line + strspn(line, " \t");
        bool whole = line[len] != '\0';
        n++;
        while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
            len--;
        for (int c = 0; !whole && (c = getchar()) != '\n' && c != EOF;)
            from = line;
        size_t head = (size_t)(from - line);
        if (head >= len || *from == '#')
            continue;
        if (address_parse(from, len - head, &address)) {
            answer(geo, &address, json, t);
        } else {
            log_write(LOG_ERROR, "standard input:%" PRIu64 ": not an address", n);
            t->failed = true;
        }
    }
    if (ferror(stdin)) {
        log_write(LOG_ERROR, "standard input: cannot be read");
        t->failed = true;
    }
}

static void warn(const struct geo *geo)
{
    struct geo_database d[GEO_DATABASES];
    geo_describe(geo, d);
    for (size_t i = 0; i < GEO_DATABASES; i++) {
        char text[512];
        if (geo_warning(&d[i], text, sizeof text) > 0)
            log_write(LOG_WARN, "%s", text);
    }
}

static int lookup(const struct geo *geo, int n, char **addresses, bool json)
{
    struct told t = {0};
    warn(geo);
    if (!json)
        (void)printf("%-26s%-10s%-10s%-7s%s\n", "ADDRESS", "COUNTRY", "VERDICT", "FIRST", "SECOND");
    for (int i = 0; i < n; i++) {
        struct address address;
        if (strcmp(addresses[i], "-") == 0) {
            lookup_lines(geo, json, &t);
        } else if (address_parse(addresses[i], strlen(addresses[i]), &address)) {
            answer(geo, &address, json, &t);
        } else {
            log_write(LOG_ERROR, "%s: not an IPv4 or IPv6 address", addresses[i]);
            t.failed = true;
        }
    }
    if (json)
        (void)printf("{\"event\":\"summary\",\"addresses\":%" PRIu64 ",\"inside\":%" PRIu64
                     ",\"outside\":%" PRIu64 ",\"unknown\":%" PRIu64 ",\"disagree\":%" PRIu64
                     ",\"local\":%" PRIu64 "}\n",
                     t.addresses, t.regions[REGION_INSIDE], t.regions[REGION_OUTSIDE],
                     t.regions[REGION_UNKNOWN], t.regions[REGION_DISAGREE],
                     t.regions[REGION_LOCAL]);
    return t.failed ? EXIT_TROUBLE : t.outside > 0 ? EXIT_ACT : EXIT_NOTHING;
}

static void format_date(int64_t seconds, char buf[16])
{
    time_t at = (time_t)seconds;
    struct tm tm;
    if (seconds <= 0 || gmtime_r(&at, &tm) == NULL || strftime(buf, 16, "%Y-%m-%d", &tm) == 0)
        (void)snprintf(buf, 16, "not said");
}

static void print_database(const struct geo_database *d, bool json)
{
    char built[16], warning[512];
    format_date(d->built, built);
    (void)geo_warning(d, warning, sizeof warning);
    if (!json) {
        (void)printf("%s\n", d->name);
        (void)printf("  file         %s\n", d->path);
        if (d->loaded)
            (void)printf("  built        %s%s\n  entries      %" PRIu64 "\n", built,
                         d->age_days < 0 ? ", age unknown" : "", d->n_ranges);
        if (d->loaded && d->age_days >= 0)
            (void)printf("  age          %d days\n", d->age_days);
        (void)printf("  licence      %s\n", d->licence);
        if (d->attribution[0] != '\0')
            (void)printf("  attribution  %s\n", d->attribution);
        if (warning[0] != '\0')
            (void)printf("  warning      %s\n", warning);
        return;
    }
    (void)printf("{\"event\":\"database\",\"name\":");
    print_json_text(d->name);
    (void)printf(",\"file\":");
    print_json_text(d->path);
    (void)printf(",\"loaded\":%s,\"built\":", d->loaded ? "true" : "false");
    if (d->built > 0)
        (void)printf("\"%s\",\"age_days\":%d", built, d->age_days);
    else
        (void)printf("null,\"age_days\":null");
    (void)printf(",\"entries\":%" PRIu64 ",\"old\":%s,\"expired\":%s,\"licence\":", d->n_ranges,
                 d->old ? "true" : "false", d->expired ? "true" : "false");
    print_json_text(d->licence);
    (void)printf(",\"attribution\":");
    print_json_text(d->attribution);
    (void)printf("}\n");
}

static int describe(const struct geo *geo, bool json)
{
    struct geo_database d[GEO_DATABASES];
    int code = EXIT_NOTHING;
    geo_describe(geo, d);
    for (size_t i = 0; i < GEO_DATABASES; i++) {
        if (!d[i].loaded)
            code = EXIT_TROUBLE;
        else if ((d[i].old || d[i].expired) && code == EXIT_NOTHING)
            code = EXIT_ACT;
        print_database(&d[i], json);
    }
    return code;
}

int command_geo(int argc, char **argv)
{
    struct asked asked = {.databases.now = (int64_t)time(NULL)};
    if (!read_options(argc, argv, &asked))
        return EXIT_TROUBLE;
    if (asked.help) {
        (void)fputs(usage, stdout);
        return EXIT_NOTHING;
    }
    if (optind >= argc) {
        complain("lookup or info?");
        return EXIT_TROUBLE;
    }
    const char *what = argv[optind];
    int n = argc - optind - 1;
    bool is_lookup = strcmp(what, "lookup") == 0;
    if (!is_lookup && strcmp(what, "info") != 0) {
        complain("%s: not lookup or info", what);
        return EXIT_TROUBLE;
    }
    if (is_lookup ? n == 0 : n != 0) {
        complain(is_lookup ? "lookup needs an address" : "info takes no address");
        return EXIT_TROUBLE;
    }
    struct geo *geo;
    struct fault f = {""};
    asked.databases.allow_missing = !is_lookup;
    if (geo_open(&asked.databases, &geo, &f) != STATUS_OK) {
        log_write(LOG_ERROR, "%s", f.text);
        return EXIT_TROUBLE;
    }
    int code =
        is_lookup ? lookup(geo, n, argv + optind + 1, asked.json) : describe(geo, asked.json);
    geo_close(geo);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        log_write(LOG_ERROR, "standard output: cannot be written");
        return EXIT_TROUBLE;
    }
    return code;
}
