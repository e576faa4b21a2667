/* audit.h - what the files of `medguan audit` share. */
#ifndef COMMAND_AUDIT_H
#define COMMAND_AUDIT_H

#include "capture/source.h"
#include "command/tag.h"
#include "command/tally.h"
#include "geo/geo.h"
#include "inspect/traffic.h"
#include "report/text.h"

#include <stdio.h>

enum dump {
    DUMP_NONE,
    DUMP_PACKETS,
    DUMP_EVENTS,
    DUMP_FINDINGS,
    DUMP_VERDICTS
};

/* audit is constant while workers run, but for the source, which the reader alone uses. */
struct audit {
    struct source *source;
    bool live; /* the source is an interface */
    struct policy *policy;
    struct geo *geo;
    struct rule_set *rules;
    uint8_t key[32];
    bool json; /* lines of JSON are wanted */
    enum dump dump;
    bool show_values; /* to a terminal only */
    unsigned n_workers;
    size_t memory_bytes;
    uint32_t max_flows;
    uint64_t hash_seed;
    bool no_hints;
    bool ignore_checksums;
};

/* lines is what a worker has written about one block, each line with the packet it belongs to, so
 * that the lines of all workers can be put in one order. */
struct lines {
    struct text text;
    struct line {
        uint64_t packet;
        uint64_t flow;    /* first packet of a flow whose time has come; UINT64_MAX: the packet's */
        size_t from, end; /* in text */
    } * line;
    size_t n, cap;
    bool shuffled; /* not in the order of packet and flow */
};

struct worker;

/* worker_open: NULL when there is no memory. */
struct worker *worker_open(const struct audit *a, unsigned number);
void worker_close(struct worker *w);

/* worker_block inspects the worker's share of a block, writing to `out`; worker_finish ends all its
 * flows. */
void worker_block(struct worker *w, const struct block *b, struct lines *out);
void worker_finish(struct worker *w, struct lines *out);

const struct tally *worker_tally(const struct worker *w);
const struct traffic *worker_traffic(const struct worker *w);

void lines_free(struct lines *l);

/* audit_totals is everything counted, of all workers. */
struct audit_totals {
    struct tally tally;
    struct inspector_counts inspector;
    struct decoder_counts decoder;
    struct source_counts source;
    uint64_t pushed_flows, peak_flows, peak_memory;
    uint64_t faults;
    double seconds;
    bool write_failed;
};

/* audit_run reads the source to its end through n workers. `out` receives lines in packet order
 * (NULL: none); on_progress is called between blocks. STATUS_OK unless memory or threads fail. */
enum status audit_run(const struct audit *a, FILE *out,
                      void (*on_progress)(void *receiver, uint64_t findings), void *receiver,
                      struct audit_totals *totals, struct fault *f);

/* audit_summary_json adds the summary line; audit_report writes the tables for a person. */
void audit_summary_json(const struct audit_totals *t, struct text *out);
/* audit_page writes the same as an HTML page of its own. */
void audit_page(const struct audit *a, const struct audit_totals *t, struct text *out);
void audit_report(const struct audit *a, const struct audit_totals *t, struct text *out,
                  bool colour);

#endif
