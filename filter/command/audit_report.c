/* audit_report.c - what an audit found: the summary line, tables for a terminal, a page. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/audit.h"
#include "report/table.h"

enum {
    GROUP_ROWS = 60,
    DESTINATION_ROWS = 30
};

/* ---- sorting ------------------------------------------------------------------------------ */

static unsigned weight(enum action a, bool violation)
{
    return (unsigned)a * 2 + violation;
}

static int by_weight(const void *a, const void *b)
{
    const struct group *x = *(const struct group *const *)a, *y = *(const struct group *const *)b;
    unsigned wx = weight(x->action, x->violation), wy = weight(y->action, y->violation);
    if (wx != wy)
        return wx > wy ? -1 : 1;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    if (x->first_packet != y->first_packet)
        return x->first_packet < y->first_packet ? -1 : 1;
    int c = strcmp(x->path, y->path);
    return c != 0 ? c : (int)x->class - (int)y->class;
}

static int by_findings(const void *a, const void *b)
{
    const struct destination *x = *(const struct destination *const *)a;
    const struct destination *y = *(const struct destination *const *)b;
    if (x->place.outside != y->place.outside)
        return x->place.outside ? -1 : 1;
    if (x->findings != y->findings)
        return x->findings > y->findings ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return address_compare(&x->address, &y->address);
}

static const struct group **sorted_groups(const struct tally *t)
{
    const struct group **all = calloc(t->n_groups + 1u, sizeof *all);
    size_t n = 0;
    for (size_t i = 0; all != NULL && i < GROUPS_MAX * 2; i++)
        if (t->groups[i].hash != 0)
            all[n++] = &t->groups[i];
    if (all != NULL)
        qsort(all, n, sizeof *all, by_weight);
    return all;
}

static const struct destination **sorted_destinations(const struct tally *t)
{
    const struct destination **all = calloc(t->n_destinations + 1u, sizeof *all);
    size_t n = 0;
    for (size_t i = 0; all != NULL && i < DESTINATIONS_MAX * 2; i++)
        if (t->destinations[i].hash != 0)
            all[n++] = &t->destinations[i];
    if (all != NULL)
        qsort(all, n, sizeof *all, by_findings);
    return all;
}

/* ---- what was not inspected ---------------------------------------------------------------- */

/* reason is one row of what was not inspected. */
struct reason {
    const char *what;
    uint64_t n;
    const char *unit;
};

enum {
    REASONS_MAX = SKIP_COUNT + 24
};

static size_t list_reasons(const struct audit_totals *t, struct reason out[REASONS_MAX])
{
    const struct inspector_counts *i = &t->inspector;
    const struct reason all[] = {
        {"missing from streams: lost by the capture, or cut by its snap length", i->gap_bytes,
         "bytes"},
        {"opaque: encrypted or not decodable", i->opaque_bytes, "bytes"},
        {"bodies that could not be decoded to their end", i->limit_decoded, "bodies"},
        {"not a known format and not text: scanned as raw bytes only", i->unrecognised_bytes,
         "bytes"},
        {"pixel data and other values that are no text: passed over", i->passed_over_bytes,
         "bytes"},
        {"outside of streams (contradicting or stray segments): scanned as text", i->aside_bytes,
         "bytes"},
        {"memory limit reached: not inspected", i->refused_bytes, "bytes"},
        {"payload nested too deep: read as text", i->limit_depth, "payloads"},
        {"flows ended early because the table was full", t->pushed_flows, "flows"},
        {"fragments whose datagram never became whole: scanned alone", t->decoder.abandoned_bytes,
         "bytes"},
        {"damaged parts of capture files, skipped", t->source.lost_bytes, "bytes"},
        {"packets too large to read", t->source.oversize, "packets"},
        {"packets taken out by the filter", t->source.filtered, "packets"},
        {"packets lost by the kernel in live capture", t->source.kernel_drops, "packets"},
        {"packets lost by the interface in live capture", t->source.interface_drops, "packets"},
        {"files that are no captures", t->source.ignored_files, "files"},
        {"findings not in the table below (too many places); all are counted", t->tally.groups_lost,
         "findings"},
        {"flows to destinations not in the table below (too many)", t->tally.destinations_lost,
         "flows"},
    };
    size_t n = 0;
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        if (all[k].n > 0)
            out[n++] = all[k];
    for (int s = SKIP_NONE + 1; s < SKIP_COUNT; s++)
        if (t->decoder.skipped[s] > 0 && s != SKIP_ICMP && s != SKIP_IP_PROTOCOL &&
            s != SKIP_FRAGMENT_WAIT)
            out[n++] = (struct reason){skip_text((enum skip)s), t->decoder.skipped[s], "packets"};
    return n;
}

/* ---- the summary line --------------------------------------------------------------------- */

static void add_counter(struct text *out, const char *key, uint64_t n)
{
    text_add(out, ",\"");
    text_add(out, key);
    text_add(out, "\":");
    text_number(out, n);
}

void audit_summary_json(const struct audit_totals *t, struct text *out)
{
    const struct tally *y = &t->tally;
    text_add(out, "{\"event\":\"summary\",\"packets\":");
    text_number(out, t->source.packets);
    add_counter(out, "bytes", t->source.bytes);
    add_counter(out, "flows", y->flows);
    add_counter(out, "objects", y->objects);
    text_add(out, ",\"findings\":{");
    bool first = true;
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        if (y->findings[c] == 0)
            continue;
        text_format(out, "%s\"%s\":%" PRIu64, first ? "" : ",", class_name((enum class)c),
                    y->findings[c]);
        first = false;
    }
    text_add(out, "},\"actions\":{");
    for (unsigned a = 0; a < ACTION_COUNT; a++)
        text_format(out, "%s\"%s\":%" PRIu64, a > 0 ? "," : "", action_name((enum action)a),
                    y->actions[a]);
    text_add(out, "}");
    add_counter(out, "violations", y->violations);
    add_counter(out, "outside_flows", y->outside_flows);
    add_counter(out, "not_inspected_flows", y->failed_flows);
    add_counter(out, "anomalies", t->inspector.anomalies);
    text_format(out,
                ",\"limits\":{\"memory\":%" PRIu64 ",\"depth\":%" PRIu64 ",\"decoding\":%" PRIu64
                ",\"flows\":%" PRIu64 "}",
                t->inspector.limit_memory, t->inspector.limit_depth, t->inspector.limit_decoded,
                t->pushed_flows);
    add_counter(out, "stream_bytes", t->inspector.stream_bytes);
    add_counter(out, "not_seen_bytes", t->inspector.gap_bytes);
    add_counter(out, "opaque_bytes", t->inspector.opaque_bytes);
    add_counter(out, "passed_over_bytes", t->inspector.passed_over_bytes);
    add_counter(out, "unrecognised_bytes", t->inspector.unrecognised_bytes);
    add_counter(out, "aside_bytes", t->inspector.aside_bytes);
    add_counter(out, "refused_bytes", t->inspector.refused_bytes);
    add_counter(out, "faults", t->faults);
    add_counter(out, "peak_flows", t->peak_flows);
    add_counter(out, "peak_memory_bytes", t->peak_memory);
    text_add(out, ",\"not_inspected\":[");
    struct reason reasons[REASONS_MAX];
    size_t n = list_reasons(t, reasons);
    for (size_t i = 0; i < n; i++) {
        text_add(out, i > 0 ? ",{\"reason\":" : "{\"reason\":");
        text_json(out, reasons[i].what);
        text_format(out, ",\"n\":%" PRIu64 ",\"unit\":\"%s\"}", reasons[i].n, reasons[i].unit);
    }
    text_format(out, "],\"seconds\":%.3f}\n", t->seconds);
}

/* ---- tables ------------------------------------------------------------------------------- */

static void cell_grouped(struct table *t, uint64_t n)
{
    struct text text = {0};
    text_grouped(&text, n);
    table_cell_format(t, "%.*s", (int)text.len, text.s);
    text_free(&text);
}

static void cell_size(struct table *t, uint64_t bytes)
{
    struct text text = {0};
    text_size(&text, bytes);
    table_cell_format(t, "%.*s", (int)text.len, text.s);
    text_free(&text);
}

static void cell_end(struct table *t, const struct address *a, uint16_t port)
{
    char address[ADDRESS_TEXT_MAX];
    (void)address_format(a, address, sizeof address);
    if (port == 0)
        table_cell(t, address);
    else
        table_cell_format(t, a->family == 6 ? "[%s]:%u" : "%s:%u", address, (unsigned)port);
}

static void cell_place(struct table *t, const struct place *p)
{
    char label[GEO_LABEL_LEN];
    table_cell_format(t, "%s %s", geo_country_label(p->country, label), region_name(p->region));
}

static void heads(struct table *t, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        table_cell(t, words[i]);
}

/* fill_groups fills the findings table; returns rows left out. */
static size_t fill_groups(const struct audit_totals *a, struct table *t, size_t most)
{
    static const char *const words[] = {"destination", "where", "class",
                                        "place",       "count", "action"};
    t->n_columns = 6;
    t->right = 1u << 4;
    heads(t, words, 6);
    const struct group **all = sorted_groups(&a->tally);
    size_t n = all != NULL ? a->tally.n_groups : 0;
    for (size_t i = 0; i < n && i < most; i++) {
        const struct group *g = all[i];
        cell_end(t, &g->destination, g->port);
        cell_place(t, &g->place);
        table_cell(t, class_name(g->class));
        table_cell(t, g->path);
        cell_grouped(t, g->n);
        table_cell_format(t, "%s%s", action_name(g->action), g->violation ? " VIOLATION" : "");
    }
    free(all);
    return n > most ? n - most : 0;
}

static size_t fill_destinations(const struct audit_totals *a, struct table *t, size_t most)
{
    static const char *const words[] = {"destination", "where",    "flows",      "received",
                                        "personal",    "block",    "deidentify", "opaque",
                                        "not seen",    "protocols"};
    t->n_columns = 10;
    t->right = 0x1fc;
    heads(t, words, 10);
    const struct destination **all = sorted_destinations(&a->tally);
    size_t n = all != NULL ? a->tally.n_destinations : 0;
    for (size_t i = 0; i < n && i < most; i++) {
        const struct destination *d = all[i];
        cell_end(t, &d->address, 0);
        cell_place(t, &d->place);
        cell_grouped(t, d->flows);
        cell_size(t, d->bytes);
        cell_grouped(t, d->findings);
        cell_grouped(t, d->actions[ACTION_BLOCK]);
        cell_grouped(t, d->actions[ACTION_DEIDENTIFY]);
        cell_size(t, d->opaque_bytes);
        cell_size(t, d->not_seen_bytes);
        table_cell_format(t, "%s%s%s%s%s", d->apps[0] != NULL ? d->apps[0] : "-",
                          d->apps[1] != NULL ? " " : "", d->apps[1] != NULL ? d->apps[1] : "",
                          d->apps[2] != NULL ? " " : "", d->apps[2] != NULL ? d->apps[2] : "");
    }
    free(all);
    return n > most ? n - most : 0;
}

static size_t fill_reasons(const struct audit_totals *a, struct table *t)
{
    struct reason reasons[REASONS_MAX];
    size_t n = list_reasons(a, reasons);
    static const char *const words[] = {"amount", "unit", "what"};
    t->n_columns = 3;
    t->right = 1;
    heads(t, words, 3);
    for (size_t i = 0; i < n; i++) {
        cell_grouped(t, reasons[i].n);
        table_cell(t, reasons[i].unit);
        table_cell(t, reasons[i].what);
    }
    return n;
}

static void title(struct text *out, const char *words, bool colour)
{
    text_format(out, "\n%s%s%s\n", colour ? "\033[1;36m" : "", words, colour ? "\033[0m" : "");
}

static void add_totals(const struct audit *a, const struct audit_totals *t, struct text *out)
{
    text_format(out, "%" PRIu64 " %s, ", t->source.files, t->source.files == 1 ? "file" : "files");
    text_grouped(out, t->source.packets);
    text_add(out, " packets, ");
    text_size(out, t->source.bytes);
    text_add(out, ", ");
    text_grouped(out, t->tally.flows);
    text_add(out, " flows (");
    text_grouped(out, t->tally.outside_flows);
    text_add(out, " abroad), ");
    text_grouped(out, t->tally.objects);
    text_format(out, " objects, %.2f s\npolicy %s, sha256 %.16s...; %zu rules, sha256 %.16s...\n",
                t->seconds, policy_name(a->policy), policy_hash(a->policy),
                rule_set_count(a->rules), rule_set_hash(a->rules));
}

static void add_verdict(const struct audit_totals *t, struct text *out, bool colour)
{
    const struct tally *y = &t->tally;
    uint64_t all =
        y->actions[ACTION_PASS] + y->actions[ACTION_DEIDENTIFY] + y->actions[ACTION_BLOCK];
    bool clean = y->actions[ACTION_DEIDENTIFY] + y->actions[ACTION_BLOCK] + y->violations == 0;
    text_add(out, colour ? (clean ? "\033[1;32m" : "\033[1;31m") : "");
    if (all == 0) {
        text_add(out, "Nothing personal and nothing opaque was found.");
    } else {
        text_grouped(out, all);
        text_add(out, " findings: pass ");
        text_grouped(out, y->actions[ACTION_PASS]);
        text_add(out, ", deidentify ");
        text_grouped(out, y->actions[ACTION_DEIDENTIFY]);
        text_add(out, ", block ");
        text_grouped(out, y->actions[ACTION_BLOCK]);
        if (y->violations > 0)
            text_format(out, "; %" PRIu64 " violations: personal information as device data",
                        y->violations);
    }
    text_add(out, colour ? "\033[0m\n" : "\n");
    if (y->failed_flows > 0)
        text_format(out, "%" PRIu64 " directions of flows abroad were not inspected whole.\n",
                    y->failed_flows);
}

void audit_report(const struct audit *a, const struct audit_totals *t, struct text *out,
                  bool colour)
{
    add_totals(a, t, out);
    add_verdict(t, out, colour);
    if (t->tally.n_groups > 0) {
        struct table table = {0};
        size_t left = fill_groups(t, &table, GROUP_ROWS);
        title(out, "Findings", colour);
        table_write(&table, out, 2, colour);
        if (left > 0)
            text_format(out, "  and %zu more places (--json lists every finding)\n", left);
        table_free(&table);
    }
    if (t->tally.n_destinations > 0) {
        struct table table = {0};
        size_t left = fill_destinations(t, &table, DESTINATION_ROWS);
        title(out, "Destinations", colour);
        table_write(&table, out, 2, colour);
        if (left > 0)
            text_format(out, "  and %zu more destinations\n", left);
        table_free(&table);
    }
    struct table table = {0};
    if (fill_reasons(t, &table) > 0) {
        title(out, "Not inspected, or not wholly", colour);
        table_write(&table, out, 2, colour);
    }
    table_free(&table);
    if (t->inspector.anomalies > 0)
        text_format(out, "\n%" PRIu64 " anomalies (--json lists them)\n", t->inspector.anomalies);
    if (t->faults > 0)
        text_format(out, "\n%" PRIu64 " faults in the input, named above\n", t->faults);
}

/* ---- the page ----------------------------------------------------------------------------- */

static void table_html(const struct table *t, struct text *out)
{
    const char *cell = t->cells.s;
    text_add(out, "<table>\n");
    for (size_t i = 0; i < t->n_cells && !t->cells.failed; i++) {
        size_t column = i % t->n_columns;
        const char *tag = i < t->n_columns ? "th" : "td";
        if (column == 0)
            text_add(out, "<tr>");
        text_format(out, "<%s%s>", tag, t->right >> column & 1 ? " class=n" : "");
        text_html(out, cell);
        text_format(out, "</%s>", tag);
        if (column + 1 == t->n_columns)
            text_add(out, "</tr>\n");
        cell += strlen(cell) + 1;
    }
    text_add(out, "</table>\n");
}

static void section_html(struct text *out, const char *heading, struct table *t, size_t left)
{
    text_format(out, "<h2>%s</h2>\n", heading);
    table_html(t, out);
    if (left > 0)
        text_format(out, "<p>and %zu more rows; JSON Lines hold all of them.</p>\n", left);
    table_free(t);
}

/* bars draws how many findings of each class met which action. */
static void bars_html(const struct audit_totals *t, struct text *out)
{
    uint64_t most = 1;
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        if (t->tally.findings[c] > most)
            most = t->tally.findings[c];
    text_add(out, "<h2>Findings by class</h2>\n<div class=bars>\n");
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        uint64_t n = t->tally.findings[c];
        if (n == 0)
            continue;
        text_format(out, "<div><span>%s</span><i style=\"width:%.1f%%\"></i><b>",
                    class_name((enum class)c), 60.0 * (double)n / (double)most);
        text_grouped(out, n);
        text_add(out, "</b></div>\n");
    }
    text_add(out, "</div>\n");
}

void audit_page(const struct audit *a, const struct audit_totals *t, struct text *out)
{
    text_add(out,
             "<!doctype html>\n<html lang=en><meta charset=utf-8><title>medguan audit</title>\n"
             "<meta name=viewport content=\"width=device-width\">\n<style>\n"
             "body{font:15px/1.5 system-ui,\"Noto Sans CJK SC\",sans-serif;margin:2em auto;"
             "max-width:78em;padding:0 1em;color:#1c2430}\n"
             "h1{font-size:1.5em}h2{font-size:1.1em;margin:2em 0 .5em}\n"
             "table{border-collapse:collapse;width:100%;font-size:13px}\n"
             "th,td{text-align:left;padding:.3em .6em;border-bottom:1px solid #dde3ea;"
             "vertical-align:top;overflow-wrap:anywhere}\n"
             "th{background:#f3f6f9}.n{text-align:right;white-space:nowrap}\n"
             ".bars div{display:flex;align-items:center;gap:.6em;margin:.15em 0}\n"
             ".bars span{width:14em;text-align:right}.bars i{background:#2f6fab;height:1em}\n"
             ".v{padding:.6em 1em;border-left:4px solid #2f6fab;background:#f3f6f9;"
             "white-space:pre-line}\nfooter{margin:3em 0;color:#667;font-size:12px}\n</style>\n"
             "<h1>medguan audit</h1>\n<p class=v>");
    struct text plain = {0};
    add_totals(a, t, &plain);
    add_verdict(t, &plain, false);
    text_bytes(&plain, "", 1);
    if (!plain.failed)
        text_html(out, plain.s);
    text_free(&plain);
    text_add(out, "</p>\n");
    if (t->tally.n_groups > 0) {
        bars_html(t, out);
        struct table table = {0};
        size_t left = fill_groups(t, &table, 2000);
        section_html(out, "Findings", &table, left);
    }
    if (t->tally.n_destinations > 0) {
        struct table table = {0};
        size_t left = fill_destinations(t, &table, 2000);
        section_html(out, "Destinations", &table, left);
    }
    struct table table = {0};
    if (fill_reasons(t, &table) > 0)
        section_html(out, "Not inspected, or not wholly", &table, 0);
    else
        table_free(&table);
    text_add(out, "<footer>No personal value stands in this page. IP Geolocation by "
                  "<a href=\"https://db-ip.com\">DB-IP</a> (CC BY 4.0); IPFire Location ranges by "
                  "Debian's tor-geoipdb (CC BY-SA 4.0).</footer>\n</html>\n");
}
