/* record.h - an inspector whose sink writes down what is said, for unit tests and fuzzing.
 *
 * A stream is fed in pieces, each as a packet of its own; every finding with a way back is taken
 * back to its stream offset, so that two cuts of one stream must give equal texts.
 */
#ifndef TESTS_RECORD_H
#define TESTS_RECORD_H

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "inspect/inspector.h"

struct record_text {
    char *s;
    size_t len, cap;
};

/* record_piece is the bytes [from, from + len) of the stream, sent as packet number i + 1 at offset
 * `off` of it. */
struct record_piece {
    uint64_t from, len, off;
};

struct record {
    struct inspector *inspector;
    struct flow flow;
    struct record_text findings, objects, anomalies; /* one a line */
    const uint8_t *stream;
    size_t stream_len;
    struct record_piece *pieces;
    size_t n_pieces, cap_pieces;
    uint64_t n_findings, n_objects, n_anomalies;
    uint64_t n_misplaced; /* findings whose root place is not in any packet */
    uint64_t last_off;    /* stream offset of the last finding with a way back */
    bool quiet;           /* count only */
    bool root_text;       /* the stream itself was read as text at some time */
};

__attribute__((format(printf, 2, 3))) static inline void record_add(struct record_text *t,
                                                                    const char *fmt, ...)
{
    for (;;) {
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(t->s != NULL ? t->s + t->len : NULL, t->cap - t->len, fmt, ap);
        va_end(ap);
        assert(n >= 0);
        if ((size_t)n < t->cap - t->len) {
            t->len += (size_t)n;
            return;
        }
        t->cap = (t->len + (size_t)n + 1) * 2;
        t->s = realloc(t->s, t->cap);
        assert(t->s != NULL);
    }
}

/* record_root gives the stream offset of a root place, UINT64_MAX when no packet holds it. */
static inline uint64_t record_root(const struct record *r, struct run at)
{
    if (at.packet == 0 || at.packet > r->n_pieces)
        return UINT64_MAX;
    const struct record_piece *p = &r->pieces[at.packet - 1];
    if (at.off < p->off || at.off - p->off >= p->len)
        return UINT64_MAX;
    return p->from + (at.off - p->off);
}

static inline void record_finding(void *receiver, const struct finding *f)
{
    struct record *r = receiver;
    r->n_findings++;
    uint64_t root = record_root(r, f->at);
    r->n_misplaced += root == UINT64_MAX;
    if (f->way_back)
        r->last_off = root;
    if (r->quiet)
        return;
    record_add(&r->findings, "%s %s %s %" PRIu64 " %u ", class_name(f->class), f->rule, f->path,
               f->length, f->direction);
    if (f->way_back)
        record_add(&r->findings, "@%" PRIu64 " ", root);
    for (size_t i = 0; i < f->value_len; i++)
        record_add(&r->findings, f->value[i] >= 0x20 && f->value[i] != 0x7f ? "%c" : "\\x%02x",
                   f->value[i]);
    record_add(&r->findings, "\n");
}

static inline void record_object(void *receiver, const struct object *o)
{
    struct record *r = receiver;
    r->n_objects++;
    if (!r->quiet)
        record_add(&r->objects, "%s %s %s %" PRIu64 " %" PRIu64 "%s\n", o->dissector, o->kind,
                   o->path, o->n_findings, o->length, o->whole ? "" : " cut");
}

static inline void record_anomaly(void *receiver, const struct anomaly *a)
{
    struct record *r = receiver;
    r->n_anomalies++;
    if (!r->quiet)
        record_add(&r->anomalies, "%s %s\n", a->path, a->what);
}

static inline void record_event(void *receiver, const struct dissector *d, const char *path,
                                const struct event *ev)
{
    struct record *r = receiver;
    (void)ev;
    if (strcmp(d->name, "text") == 0 && strncmp(path, "tcp/text", 8) == 0)
        r->root_text = true;
}

/* record_open starts an inspector with a TCP flow in it; `with_events` watches for root_text. */
static inline void record_open(struct record *r, const struct rule_set *rules, size_t memory_bytes,
                               bool with_events)
{
    *r = (struct record){0};
    struct inspector_options options = {.rules = rules, .memory_bytes = memory_bytes};
    struct inspect_sink sink = {.finding = record_finding,
                                .object = record_object,
                                .anomaly = record_anomaly,
                                .event = with_events ? record_event : NULL,
                                .receiver = r};
    r->inspector = inspector_open(&options, &sink);
    assert(r->inspector != NULL);
    r->flow.proto = IP_PROTO_TCP;
    r->flow.port[0] = 40000;
    r->flow.port[1] = 8080;
    record_add(&r->findings, "%s", "");
    record_add(&r->objects, "%s", "");
    record_add(&r->anomalies, "%s", "");
}

/* record_piece_add gives the next bytes of one direction as one packet; a copy of exact size. */
static inline void record_piece_add(struct record *r, unsigned direction, const uint8_t *bytes,
                                    size_t from, size_t len)
{
    if (r->n_pieces == r->cap_pieces) {
        r->cap_pieces = r->cap_pieces > 0 ? r->cap_pieces * 2 : 64;
        r->pieces = realloc(r->pieces, r->cap_pieces * sizeof *r->pieces);
        assert(r->pieces != NULL);
    }
    uint64_t off = 54 + r->n_pieces * 37 % 1000;
    r->pieces[r->n_pieces++] = (struct record_piece){from, len, off};
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes + from, len);
    inspector_now(r->inspector, r->n_pieces);
    inspector_stream(r->inspector, &r->flow, direction, copy, len,
                     (struct run){r->n_pieces, off, len});
    free(copy);
}

/* record_finish ends both directions and checks that no memory is left in use. */
static inline void record_finish(struct record *r)
{
    inspector_finish(r->inspector, &r->flow, 0);
    inspector_finish(r->inspector, &r->flow, 1);
    inspector_end(r->inspector, &r->flow);
    assert(pool_used(inspector_pool(r->inspector)) == 0);
}

static inline void record_close(struct record *r)
{
    inspector_close(r->inspector);
    free(r->findings.s);
    free(r->objects.s);
    free(r->anomalies.s);
    free(r->pieces);
    *r = (struct record){0};
}

/* record_stream feeds a whole stream cut at the ascending offsets of `cuts`, then every `step`
 * bytes (0: not), and ends it. */
static inline void record_stream(struct record *r, const uint8_t *bytes, size_t len,
                                 const size_t *cuts, size_t n_cuts, size_t step)
{
    size_t from = 0;
    for (size_t i = 0; i <= n_cuts; i++) {
        size_t to = i < n_cuts && cuts[i] < len ? cuts[i] : len;
        while (from < to) {
            size_t n = step > 0 && step < to - from ? step : to - from;
            record_piece_add(r, 0, bytes, from, n);
            from += n;
        }
    }
    record_finish(r);
}

#endif
