/* inspector.c - flows to layers. */
#include "inspect/inspector.h"

#include <stdlib.h>
#include <string.h>

#include "inspect/room.h"

enum {
    UNPACK_SHARE = 4 /* one part in so many of the memory is for content codings */
};

struct inspector *inspector_open(const struct inspector_options *options,
                                 const struct inspect_sink *sink)
{
    struct inspector *in = calloc(1, sizeof *in);
    if (in == NULL)
        return NULL;
    in->sink = *sink;
    in->rules = options->rules;
    in->text = dissector_find("text");
    in->unpack_budget.limit = options->memory_bytes / UNPACK_SHARE;
    in->pool = pool_open(options->memory_bytes - in->unpack_budget.limit);
    in->detector.scratch = rule_scratch_new(options->rules);
    if (in->pool == NULL || in->detector.scratch == NULL) {
        inspector_close(in);
        return NULL;
    }
    return in;
}

void inspector_close(struct inspector *in)
{
    if (in == NULL)
        return;
    if (in->pool != NULL)
        room_free_ended(in);
    rule_scratch_free(in->detector.scratch);
    pool_close(in->pool);
    free(in);
}

struct pool *inspector_pool(struct inspector *in)
{
    return in->pool;
}

void inspector_now(struct inspector *in, uint64_t time_ns)
{
    in->now_ns = time_ns;
}

const struct inspector_counts *inspector_counts_get(const struct inspector *in)
{
    return &in->counts;
}

struct flow_app *inspector_app(const struct flow *f)
{
    struct inspection *of = f->inspection;
    return of != NULL ? &of->app : NULL;
}

static struct inspection *inspection_of(struct inspector *in, struct flow *f)
{
    if (f->inspection == NULL) {
        struct inspection *of = pool_take(in->pool, sizeof *of);
        if (of == NULL) {
            in->counts.limit_memory++;
            return NULL;
        }
        of->flow = f;
        f->inspection = of;
    }
    return f->inspection;
}

static const char *transport_name(const struct flow *f)
{
    return f->proto == IP_PROTO_TCP ? "tcp" : f->proto == IP_PROTO_UDP ? "udp" : "ip";
}

static struct layer *root_of(struct inspector *in, struct inspection *of, unsigned direction)
{
    if (of->root[direction] == NULL) {
        of->root[direction] = layer_open(in, of, NULL, direction, transport_name(of->flow), NULL);
        if (of->root[direction] == NULL)
            in->counts.limit_memory++;
    }
    return of->root[direction];
}

void inspector_stream(struct inspector *in, struct flow *f, unsigned direction,
                      const uint8_t *bytes, size_t len, struct run from)
{
    struct inspection *of = inspection_of(in, f);
    struct layer *root = of != NULL ? root_of(in, of, direction) : NULL;
    in->counts.stream_bytes += len;
    if (root == NULL) {
        in->counts.refused_bytes += len;
        if (of != NULL)
            of->app.missed_bytes[direction] += len;
        return;
    }
    detect_turn(in, of, direction);
    layer_feed(in, root, bytes, len, &from, 1, false);
    detect_pause(in);
}

void inspector_gap(struct inspector *in, struct flow *f, unsigned direction, uint64_t missing)
{
    struct inspection *of = inspection_of(in, f);
    in->counts.gap_bytes += missing;
    if (of == NULL)
        return;
    of->app.gap_bytes[direction] += missing;
    struct layer *root = root_of(in, of, direction);
    detect_turn(in, of, direction);
    if (root != NULL)
        layer_gap(in, root, missing);
    detect_flush(in);
}

/* alone reads bytes as a layer of their own. */
static void alone(struct inspector *in, struct inspection *of, unsigned direction,
                  const char *prefix, const uint8_t *bytes, size_t len, const struct run *runs,
                  size_t n_runs)
{
    struct layer *l = layer_open(in, of, NULL, direction, prefix, NULL);
    if (l == NULL) {
        in->counts.limit_memory++;
        in->counts.refused_bytes += len;
        of->app.missed_bytes[direction] += len;
        return;
    }
    detect_turn(in, of, direction);
    layer_feed(in, l, bytes, len, runs, n_runs, true);
    layer_end(in, l);
    detect_flush(in);
}

void inspector_aside(struct inspector *in, struct flow *f, unsigned direction, const uint8_t *bytes,
                     size_t len, struct run from)
{
    struct inspection *of = inspection_of(in, f);
    if (of == NULL) {
        in->counts.refused_bytes += len;
        return;
    }
    in->counts.aside_bytes += len;
    alone(in, of, direction, f->proto == IP_PROTO_TCP ? "tcp/aside" : "udp/aside", bytes, len,
          &from, 1);
}

void inspector_datagram(struct inspector *in, struct flow *f, unsigned direction,
                        const uint8_t *bytes, size_t len, const struct run *runs, size_t n_runs)
{
    struct inspection *of = inspection_of(in, f);
    in->counts.stream_bytes += len;
    if (of != NULL)
        alone(in, of, direction, transport_name(f), bytes, len, runs, n_runs);
    else
        in->counts.refused_bytes += len;
}

void inspector_opaque(struct inspector *in, struct flow *f, unsigned direction, uint64_t len,
                      struct run at)
{
    struct inspection *of = inspection_of(in, f);
    struct layer *root = of != NULL ? root_of(in, of, direction) : NULL;
    in->counts.opaque_bytes += len;
    if (root == NULL) {
        in->counts.refused_bytes += len;
        return;
    }
    of->app.opaque_bytes[direction] += len;
    root->near = at;
    detect_turn(in, of, direction);
    struct event ev = {
        .kind = EVENT_FIELD, .value = VALUE_OPAQUE, .flags = PART_WHOLE, .at = {0, len}};
    detect_opaque(in, root, &ev, "encrypted", 99);
}

void inspector_note(struct inspector *in, struct flow *f, unsigned direction, const char *what,
                    struct run at)
{
    in->counts.anomalies++;
    if (in->sink.anomaly == NULL)
        return;
    struct anomaly a = {
        .what = what,
        .path = transport_name(f),
        .at = at,
        .length = at.len,
        .flow = f,
        .direction = direction,
        .time_ns = in->now_ns,
    };
    in->sink.anomaly(in->sink.receiver, &a);
}

void inspector_finish(struct inspector *in, struct flow *f, unsigned direction)
{
    struct inspection *of = f->inspection;
    if (of == NULL || of->root[direction] == NULL)
        return;
    struct layer *root = of->root[direction];
    of->root[direction] = NULL;
    detect_turn(in, of, direction);
    layer_end(in, root);
    detect_flush(in);
}

void inspector_end(struct inspector *in, struct flow *f)
{
    inspector_finish(in, f, 0);
    inspector_finish(in, f, 1);
    pool_give(in->pool, f->inspection, sizeof(struct inspection));
    f->inspection = NULL;
}
