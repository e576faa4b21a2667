/* audit.c - `medguan audit`: captures in, findings and a summary out. */
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "command/audit.h"
#include "command/command.h"
#include "report/progress.h"

enum {
    MEMORY_MIB = 2048,
    MEMORY_MIB_MIN = 16,
    MEMORY_MIB_MAX = 1 << 20,
    FLOWS = 1 << 20,
    FLOWS_MAX = 1 << 24,
    THREADS_MAX = 64,
    THREADS_DEFAULT_MAX = 8
};

static const char usage[] =
    "usage: medguan audit [OPTIONS] CAPTURE|DIR|-|INTERFACE...\n"
    "\n"
    "Finds personal information in captured traffic, says to which jurisdiction it went and what\n"
    "policy does about it. Captures: pcap and pcapng, plain, gzip or zstd; folders are read in "
    "the\n"
    "order of capture time; - is standard input; an interface is captured live until Ctrl-C.\n"
    "\n"
    "What counts and what is done:\n"
    "  --policy FILE        policy in YAML (default: built in; see medguan policy show)\n"
    "  --rules PATH         rule file or folder (default: those installed)\n"
    "  --geo FILE           country database in MMDB form (default: DB-IP Lite as installed)\n"
    "  --home CIDR          a network of the site, treated as local; may be repeated\n"
    "  --key FILE           key for the tags of values (default: a random one for this run)\n"
    "Output:\n"
    "  --json FILE|-        JSON Lines: findings, flows, objects, anomalies, a summary\n"
    "  --report FILE        a page in HTML\n"
    "  --dump WHAT          packets, events, findings or verdicts as text lines\n"
    "  --show-values        with --dump findings or verdicts, to a terminal only: the values too\n"
    "Traffic:\n"
    "  --filter EXPR        only packets that match (pcap-filter syntax)\n"
    "  --seconds N          stop a live capture after N seconds\n"
    "  --no-hints           do not ask nDPI for names of unknown applications\n"
    "  --ignore-checksums   for captures whose addresses were altered: bad sums say nothing\n"
    "Limits:\n"
    "  --threads N          1..64 (default: one a processor, at most 8)\n"
    "  --memory-mib N       16..1048576 for streams of all flows (default 2048)\n"
    "  --max-flows N        1..16777216 at once (default 1048576)\n"
    "  --help\n"
    "\n"
    "Exit codes: 0 policy passes all that was seen; 1 something to act on; 2 usage, environment "
    "or\n"
    "unreadable input, which is named; the rest is still done.\n"
    "\n"
    "Examples:\n"
    "  medguan audit ward7.pcap\n"
    "  medguan audit --json findings.jsonl --report audit.html captures/\n"
    "  zcat old.pcap.gz | medguan audit --policy site.yaml -\n"
    "  medguan audit --filter 'tcp port 104 or tcp port 2575' --seconds 600 eth1\n";

struct options {
    const char *policy, *rules, *geo, *key, *json, *report, *filter;
    const char *home[GEO_MAX_HOME];
    size_t n_home;
    long seconds, threads, memory_mib, max_flows;
    enum dump dump;
    bool show_values, no_hints, ignore_checksums;
};

enum {
    OPT_POLICY = 256,
    OPT_RULES,
    OPT_GEO,
    OPT_HOME,
    OPT_KEY,
    OPT_JSON,
    OPT_REPORT,
    OPT_DUMP,
    OPT_SHOW_VALUES,
    OPT_FILTER,
    OPT_SECONDS,
    OPT_NO_HINTS,
    OPT_IGNORE_CHECKSUMS,
    OPT_THREADS,
    OPT_MEMORY,
    OPT_FLOWS,
    OPT_HELP
};

static const struct option long_options[] = {
    {"policy", required_argument, NULL, OPT_POLICY},
    {"rules", required_argument, NULL, OPT_RULES},
    {"geo", required_argument, NULL, OPT_GEO},
    {"home", required_argument, NULL, OPT_HOME},
    {"key", required_argument, NULL, OPT_KEY},
    {"json", required_argument, NULL, OPT_JSON},
    {"report", required_argument, NULL, OPT_REPORT},
    {"dump", required_argument, NULL, OPT_DUMP},
    {"show-values", no_argument, NULL, OPT_SHOW_VALUES},
    {"filter", required_argument, NULL, OPT_FILTER},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"no-hints", no_argument, NULL, OPT_NO_HINTS},
    {"ignore-checksums", no_argument, NULL, OPT_IGNORE_CHECKSUMS},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"memory-mib", required_argument, NULL, OPT_MEMORY},
    {"max-flows", required_argument, NULL, OPT_FLOWS},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *name, const char *text, long lo, long hi, long *out)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || v < lo || v > hi) {
        log_write(LOG_ERROR, "--%s must be %ld..%ld, not %s", name, lo, hi, text);
        return false;
    }
    *out = v;
    return true;
}

static bool read_dump(const char *text, enum dump *out)
{
    static const char *const words[] = {"", "packets", "events", "findings", "verdicts"};
    for (int i = DUMP_PACKETS; i <= DUMP_VERDICTS; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (enum dump)i;
            return true;
        }
    }
    log_write(LOG_ERROR, "--dump must be packets, events, findings or verdicts, not %s", text);
    return false;
}

/* read_options: -1 go on, otherwise the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
    int c;
    bool ok = true;
    optind = 1;
    while (ok && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case OPT_POLICY:
            o->policy = optarg;
            break;
        case OPT_RULES:
            o->rules = optarg;
            break;
        case OPT_GEO:
            o->geo = optarg;
            break;
        case OPT_HOME:
            ok = o->n_home < GEO_MAX_HOME;
            if (ok)
                o->home[o->n_home++] = optarg;
            break;
        case OPT_KEY:
            o->key = optarg;
            break;
        case OPT_JSON:
            o->json = optarg;
            break;
        case OPT_REPORT:
            o->report = optarg;
            break;
        case OPT_DUMP:
            ok = read_dump(optarg, &o->dump);
            break;
        case OPT_SHOW_VALUES:
            o->show_values = true;
            break;
        case OPT_FILTER:
            o->filter = optarg;
            break;
        case OPT_SECONDS:
            ok = read_number("seconds", optarg, 1, 1 << 30, &o->seconds);
            break;
        case OPT_NO_HINTS:
            o->no_hints = true;
            break;
        case OPT_IGNORE_CHECKSUMS:
            o->ignore_checksums = true;
            break;
        case OPT_THREADS:
            ok = read_number("threads", optarg, 1, THREADS_MAX, &o->threads);
            break;
        case OPT_MEMORY:
            ok = read_number("memory-mib", optarg, MEMORY_MIB_MIN, MEMORY_MIB_MAX, &o->memory_mib);
            break;
        case OPT_FLOWS:
            ok = read_number("max-flows", optarg, 1, FLOWS_MAX, &o->max_flows);
            break;
        case OPT_HELP:
            (void)fputs(usage, stdout);
            return EXIT_NOTHING;
        default:
            ok = false; /* getopt named it */
            break;
        }
    }
    if (ok && optind == argc) {
        log_write(LOG_ERROR, "no capture named");
        ok = false;
    }
    if (ok && o->show_values && (o->dump < DUMP_FINDINGS || isatty(STDOUT_FILENO) != 1)) {
        log_write(LOG_ERROR, "--show-values needs --dump findings or verdicts, and a terminal");
        ok = false;
    }
    if (ok && o->json != NULL && o->dump != DUMP_NONE) {
        log_write(LOG_ERROR, "--json and --dump exclude each other");
        ok = false;
    }
    if (!ok)
        (void)fputs("Try 'medguan audit --help'.\n", stderr);
    return ok ? -1 : EXIT_TROUBLE;
}

/* ---- setting up --------------------------------------------------------------------------- */

static void on_fault(void *receiver, const struct fault *f)
{
    (void)receiver;
    log_write(LOG_ERROR, "%s", f->text);
}

static enum status open_source(const struct options *o, char **paths, int n_paths, struct audit *a,
                               struct fault *f)
{
    struct source_options options = {.filter = o->filter, .on_fault = on_fault};
    struct stat st;
    a->live = n_paths == 1 && strcmp(paths[0], "-") != 0 && stat(paths[0], &st) != 0 &&
              (if_nametoindex(paths[0]) != 0 || strcmp(paths[0], "any") == 0);
    if (a->live) {
        a->source = source_open_live(paths[0], &options, f);
    } else {
        const char **list = calloc((size_t)n_paths, sizeof *list);
        for (int i = 0; list != NULL && i < n_paths; i++)
            list[i] = paths[i];
        if (list != NULL)
            a->source = source_open(list, (size_t)n_paths, &options, f);
        free(list);
    }
    return a->source != NULL ? STATUS_OK : STATUS_IO;
}

static enum status open_geo(const struct options *o, struct audit *a, struct fault *f)
{
    size_t n_policy;
    const char *const *of_policy = policy_home(a->policy, &n_policy);
    const char **home = calloc(n_policy + o->n_home + 1, sizeof *home);
    if (home == NULL)
        return fault_set(f, STATUS_MEMORY, "no memory for the home networks");
    for (size_t i = 0; i < n_policy; i++)
        home[i] = of_policy[i];
    for (size_t i = 0; i < o->n_home; i++)
        home[n_policy + i] = o->home[i];
    struct geo_options options = {
        .mmdb_path = o->geo,
        .home = home,
        .n_home = n_policy + o->n_home,
        .now = (int64_t)time(NULL),
        .allow_missing = o->geo == NULL,
    };
    enum status status = geo_open(&options, &a->geo, f);
    free(home);
    if (status != STATUS_OK)
        return status;
    struct geo_database databases[GEO_DATABASES];
    geo_describe(a->geo, databases);
    for (size_t i = 0; i < GEO_DATABASES; i++) {
        char warning[256];
        if (geo_warning(&databases[i], warning, sizeof warning) > 0)
            log_write(LOG_WARN, "%s", warning);
    }
    return STATUS_OK;
}

static enum status open_all(const struct options *o, char **paths, int n_paths, struct audit *a,
                            struct fault *f)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus < 1)
        cpus = 1;
    if (cpus > THREADS_DEFAULT_MAX)
        cpus = THREADS_DEFAULT_MAX;
    a->n_workers = (unsigned)(o->threads > 0 ? o->threads : cpus);
    a->memory_bytes = (size_t)o->memory_mib << 20;
    a->max_flows = (uint32_t)o->max_flows;
    a->json = o->json != NULL;
    a->dump = o->dump;
    a->show_values = o->show_values;
    a->no_hints = o->no_hints;
    a->ignore_checksums = o->ignore_checksums;
    enum status status = tagger_key(o->key, a->key, f);
    if (status == STATUS_OK)
        status = policy_load(o->policy, &a->policy, f);
    if (status == STATUS_OK)
        status = rule_set_load(o->rules, &a->rules, f);
    if (status == STATUS_OK)
        status = open_geo(o, a, f);
    if (status == STATUS_OK)
        status = open_source(o, paths, n_paths, a, f);
    memcpy(&a->hash_seed, a->key, sizeof a->hash_seed);
    return status;
}

static void close_all(struct audit *a)
{
    source_close(a->source);
    geo_close(a->geo);
    rule_set_free(a->rules);
    policy_free(a->policy);
}

/* ---- running ------------------------------------------------------------------------------ */

struct watch {
    struct progress progress;
    struct source *source;
};

static void on_progress(void *receiver, uint64_t findings)
{
    struct watch *w = receiver;
    uint64_t done, total;
    source_progress(w->source, &done, &total);
    progress_show(&w->progress, done, total, findings);
}

static struct source *stopping;

static void on_signal(int number)
{
    (void)number;
    if (stopping != NULL)
        source_stop(stopping);
}

static void catch_signals(struct source *s, long seconds)
{
    struct sigaction action = {.sa_handler = on_signal};
    stopping = s;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGALRM, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    if (seconds > 0)
        (void)alarm((unsigned)seconds);
}

static bool write_all(FILE *out, const struct text *t)
{
    return !t->failed && (t->len == 0 || fwrite(t->s, 1, t->len, out) == t->len);
}

/* write_file writes a text to a new file; false and an error line when it cannot. */
static bool write_file(const char *path, const struct text *t)
{
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && write_all(f, t);
    if (f != NULL && fclose(f) != 0)
        ok = false;
    if (!ok)
        log_write(LOG_ERROR, "%s: cannot be written: %s", path, strerror(errno));
    return ok;
}

/* write_results writes summary, tables and page; *page_ok tells about the page, which was named
 * when it could not be written. */
static bool write_results(const struct options *o, const struct audit *a,
                          const struct audit_totals *t, FILE *out, bool *page_ok)
{
    struct text text = {0};
    bool ok = true;
    *page_ok = true;
    if (a->json) {
        audit_summary_json(t, &text);
        ok = write_all(out, &text);
        text_clear(&text);
    }
    bool to_terminal = isatty(STDOUT_FILENO) == 1;
    if (a->dump == DUMP_NONE && (o->json == NULL || strcmp(o->json, "-") != 0)) {
        audit_report(a, t, &text, to_terminal);
        ok = write_all(stdout, &text) && fflush(stdout) == 0 && ok;
        text_clear(&text);
    }
    if (o->report != NULL) {
        audit_page(a, t, &text);
        *page_ok = write_file(o->report, &text);
    }
    text_free(&text);
    return ok;
}

static bool is_clean(const struct audit_totals *t)
{
    return t->tally.actions[ACTION_DEIDENTIFY] == 0 && t->tally.actions[ACTION_BLOCK] == 0 &&
           t->tally.violations == 0 && t->tally.failed_flows == 0 &&
           t->inspector.refused_bytes == 0;
}

static int run(const struct options *o, struct audit *a)
{
    FILE *out = NULL;
    if (o->json != NULL && strcmp(o->json, "-") != 0) {
        out = fopen(o->json, "wb");
        if (out == NULL) {
            log_write(LOG_ERROR, "%s: cannot be written: %s", o->json, strerror(errno));
            return EXIT_TROUBLE;
        }
    } else if (o->json != NULL || o->dump != DUMP_NONE) {
        out = stdout;
    }
    static char buffer[1 << 18];
    if (out != NULL)
        (void)setvbuf(out, buffer, _IOFBF, sizeof buffer);
    struct watch watch = {.source = a->source};
    progress_start(&watch.progress);
    catch_signals(a->source, o->seconds);
    struct audit_totals totals = {0};
    struct fault f = {0};
    enum status status = audit_run(a, out, on_progress, &watch, &totals, &f);
    stopping = NULL;
    totals.seconds = progress_seconds(&watch.progress);
    progress_clear(&watch.progress);
    if (status != STATUS_OK)
        log_write(LOG_ERROR, "%s", f.text);
    bool page_ok, nothing = status == STATUS_OK && !a->live && !totals.write_failed &&
                            totals.source.files == 0 && totals.source.packets == 0 &&
                            totals.faults == 0;
    if (nothing)
        log_write(LOG_ERROR, "no capture was found");
    bool written = write_results(o, a, &totals, out, &page_ok) && !totals.write_failed;
    if (out != NULL && (out == stdout ? fflush(out) : fclose(out)) != 0)
        written = false;
    if (!written)
        log_write(LOG_ERROR, "%s: results could not be written whole: %s",
                  o->json != NULL ? o->json : "standard output",
                  errno != 0 ? strerror(errno) : "no memory");
    bool clean = is_clean(&totals);
    uint64_t faults = totals.faults;
    tally_close(&totals.tally);
    if (status != STATUS_OK || !written || !page_ok || nothing || faults > 0)
        return EXIT_TROUBLE;
    return clean ? EXIT_NOTHING : EXIT_ACT;
}

int command_audit(int argc, char **argv)
{
    struct options o = {.memory_mib = MEMORY_MIB, .max_flows = FLOWS};
    int code = read_options(argc, argv, &o);
    if (code >= 0)
        return code;
    struct audit a = {0};
    struct fault f = {0};
    if (open_all(&o, argv + optind, argc - optind, &a, &f) != STATUS_OK) {
        log_write(LOG_ERROR, "%s", f.text);
        code = EXIT_TROUBLE;
    } else {
        code = run(&o, &a);
    }
    close_all(&a);
    return code;
}
