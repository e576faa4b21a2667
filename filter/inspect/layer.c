/* layer.c - gives dissectors their bytes and opens the layers that they announce. */
#include "inspect/layer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "inspect/dispatch.h"
#include "inspect/room.h"

enum {
    PROBES_MAX = 8, /* dissectors tried on one layer before it is text for good */
    RUNS_AT_ONCE = 32,
    SAMPLE_BLOCK = 4096, /* bytes of text for which one sample stands */
    SURE = 24,           /* bits that a format must show to take a stream from text */
    DISTRUST = 60        /* confidence that bytes which look random are encrypted */
};

static uint64_t hash_text(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s != '\0'; s++)
        h = (h ^ (uint8_t)*s) * 1099511628211u;
    return h;
}

struct layer *layer_open(struct inspector *in, struct inspection *of, struct layer *parent,
                         unsigned direction, const char *prefix, const char *hint)
{
    struct layer *l = pool_take(in->pool, sizeof *l);
    if (l == NULL)
        return NULL;
    l->inspection = of;
    l->parent = parent;
    l->direction = direction;
    l->depth = parent != NULL ? (uint8_t)(parent->depth + 1) : 0;
    l->no_way_back = parent != NULL && parent->no_way_back;
    l->prefix_size = (uint32_t)strlen(prefix) + 1;
    l->prefix = pool_take(in->pool, l->prefix_size);
    if (hint != NULL && hint[0] != '\0') {
        l->hint_size = (uint32_t)strlen(hint) + 1;
        l->hint = pool_take(in->pool, l->hint_size);
    }
    if (l->prefix == NULL || (hint != NULL && hint[0] != '\0' && l->hint == NULL)) {
        pool_give(in->pool, l->prefix, l->prefix_size);
        pool_give(in->pool, l->hint, l->hint_size);
        pool_give(in->pool, l, sizeof *l);
        return NULL;
    }
    memcpy(l->prefix, prefix, l->prefix_size);
    l->prefix_hash = hash_text(prefix);
    if (l->hint != NULL)
        memcpy(l->hint, hint, l->hint_size);
    l->charset = (uint8_t)dispatch_charset(hint);
    return l;
}

static void state_free(struct inspector *in, struct layer *l)
{
    if (l->dissector != NULL)
        pool_give(in->pool, l->state, l->dissector->state_size);
    l->state = NULL;
    l->dissector = NULL;
}

void room_free_ended(struct inspector *in)
{
    for (struct layer *l = in->ended; l != NULL;) {
        struct layer *next = l->next_ended;
        state_free(in, l);
        extents_free(&l->extents, in->pool);
        assert(l->tail == NULL); /* layer_end took it */
        pool_give(in->pool, l->pending, l->cap_pending);
        pool_give(in->pool, l->prefix, l->prefix_size);
        pool_give(in->pool, l->hint, l->hint_size);
        unpacker_close(l->unpacker);
        pool_give(in->pool, l, sizeof *l);
        l = next;
    }
    in->ended = NULL;
}

void layer_path(const struct layer *l, const char *message, const struct event *ev,
                char buf[FINDING_PATH_MAX])
{
    char place[FINDING_PATH_MAX] = "";
    const struct dissector *d = l->dissector;
    if (ev != NULL && d != NULL && d->path != NULL && ev->n_path > 0)
        (void)d->path(ev, place, sizeof place);
    int n = snprintf(buf, FINDING_PATH_MAX, "%s%s%s%s%s%s%s", l->prefix, d != NULL ? "/" : "",
                     d != NULL ? d->name : "", message != NULL ? "/" : "",
                     message != NULL ? message : "", place[0] != '\0' ? "/" : "", place);
    if (n >= FINDING_PATH_MAX)
        memcpy(buf + FINDING_PATH_MAX - 4, "...", 4);
}

static uint64_t place_hash(const struct layer *l, const struct event *ev, uint8_t n_path)
{
    uint64_t h =
        l->prefix_hash ^ (uint64_t)(uintptr_t)l->dissector ^ (uint64_t)(uintptr_t)l->message * 31;
    for (uint8_t i = 0; i < n_path; i++)
        h = (h ^ ev->path[i]) * 0x9fb21c651e98df25u;
    h ^= h >> 32;
    return h * 0x9fb21c651e98df25u;
}

const struct known_path *layer_known_path(struct inspector *in, const struct layer *l,
                                          const struct event *ev)
{
    uint8_t n_path = ev != NULL ? ev->n_path : 0;
    struct known_path *k = &in->paths[place_hash(l, ev, n_path) >> 54];
    if (k->filled && k->prefix_hash == l->prefix_hash && k->dissector == l->dissector &&
        k->message == l->message && k->n_path == n_path &&
        (n_path == 0 || memcmp(k->path, ev->path, n_path * sizeof k->path[0]) == 0))
        return k;
    k->filled = true;
    k->prefix_hash = l->prefix_hash;
    k->dissector = l->dissector;
    k->message = l->message;
    k->n_path = n_path;
    if (n_path > 0)
        memcpy(k->path, ev->path, n_path * sizeof k->path[0]);
    layer_path(l, l->message, ev, k->text);
    k->hash = hash_text(k->text);
    return k;
}

void room_anomaly(struct inspector *in, struct layer *l, const char *what, uint64_t off,
                  uint64_t len)
{
    in->counts.anomalies++;
    if (in->sink.anomaly == NULL)
        return;
    struct anomaly a = {
        .what = what,
        .path = layer_known_path(in, l, NULL)->text,
        .at = l->near,
        .length = len,
        .flow = l->inspection->flow,
        .direction = l->direction,
        .time_ns = in->now_ns,
    };
    (void)extents_find(&l->extents, off, len > 0 ? len : 1, &a.at);
    in->sink.anomaly(in->sink.receiver, &a);
}

void room_miss(struct inspector *in, struct layer *l, uint64_t *counter, uint64_t len)
{
    if (counter != NULL)
        (*counter)++;
    in->counts.refused_bytes += len;
    l->inspection->app.missed_bytes[l->direction] += len;
}

/* ---- messages ----------------------------------------------------------------------------- */

static void message_end(struct inspector *in, struct layer *l, uint64_t off, bool whole)
{
    detect_flush(in);
    if (l->message == NULL)
        return;
    in->counts.objects++;
    if (in->sink.object != NULL) {
        struct object o = {
            .dissector = l->dissector->name,
            .kind = l->message,
            .path = layer_known_path(in, l, NULL)->text,
            .n_findings = l->message_findings,
            .length = off - l->message_off,
            .whole = whole,
            .at = l->near,
            .flow = l->inspection->flow,
            .direction = l->direction,
            .time_ns = in->now_ns,
        };
        (void)extents_find(&l->extents, l->message_off, 1, &o.at);
        in->sink.object(in->sink.receiver, &o);
    }
    l->message = NULL;
    if (whole)
        l->n_probes = 0; /* it gets on: dissectors that refused are not held against it */
}

static void message_begin(struct inspector *in, struct layer *l, const struct event *ev)
{
    message_end(in, l, ev->at.off, true);
    l->message = ev->hint != NULL ? ev->hint : "message";
    l->message_off = ev->at.off;
    l->message_findings = 0;
}

/* ---- payloads ----------------------------------------------------------------------------- */

static void child_end(struct inspector *in, struct layer *l)
{
    if (l->child != NULL) {
        struct layer *child = l->child;
        l->child = NULL;
        layer_end(in, child);
    }
}

/* near_set tells a child where the payload bytes that it gets now are at the root. */
static void near_set(const struct layer *l, struct layer *child, const struct event *ev)
{
    if (!extents_find(&l->extents, ev->at.off, ev->at.len > 0 ? ev->at.len : 1, &child->near))
        child->near = l->near;
}

static void child_open(struct inspector *in, struct layer *l, const struct event *ev)
{
    child_end(in, l);
    struct event begins = *ev; /* for all that is known now, it goes on */
    begins.flags &= (uint8_t)~PART_LAST;
    if (l->depth + 1 >= LAYER_DEPTH_MAX) {
        in->counts.limit_depth++;
        if (ev->coding[0] != CODING_NONE)
            detect_opaque(in, l, &begins, "nested too deep", 90);
        return;
    }
    l->child = layer_open(in, l->inspection, l, l->direction, layer_known_path(in, l, NULL)->text,
                          ev->hint);
    if (l->child == NULL) {
        in->counts.limit_memory++;
        return;
    }
    near_set(l, l->child, ev);
    if (ev->charset != CHARSET_UNKNOWN)
        l->child->charset = ev->charset;
    if (ev->coding[0] == CODING_NONE) {
        /* What begins with the layer's own first byte is not the layer's own format again. */
        l->child->refused = ev->at.off == 0 ? l->dissector : NULL;
        return;
    }
    l->child->no_way_back = true;
    const char *why;
    l->child->unpacker = unpacker_open(ev->coding, &in->unpack_budget, &why);
    if (l->child->unpacker == NULL) {
        *(why == unpack_no_memory ? &in->counts.limit_memory : &in->counts.limit_decoded) += 1;
        detect_opaque(in, l->child, &begins, why, 90);
        child_end(in, l);
    }
}

struct decoded_to {
    struct inspector *in;
    struct layer *layer;
};

static void on_decoded(void *receiver, const uint8_t *bytes, size_t len)
{
    struct decoded_to *to = receiver;
    layer_feed(to->in, to->layer, bytes, len, NULL, 0, false);
}

/* undecodable: the rest of a coded body cannot be read. */
static void undecodable(struct inspector *in, struct layer *child, const char *why)
{
    struct event ev = {.kind = EVENT_FIELD, .value = VALUE_OPAQUE, .at = {child->off, 0}};
    *(why == unpack_no_memory ? &in->counts.limit_memory : &in->counts.limit_decoded) += 1;
    if (child->n_pending > 0)
        detect_loose(in, child, child->pending, child->n_pending, child->off - child->n_pending);
    child->n_pending = 0;
    room_anomaly(in, child, why, child->off, 0);
    detect_opaque(in, child, &ev, "not decodable", 80);
    unpacker_close(child->unpacker);
    child->unpacker = NULL;
    child->dead = true;
}

/* feed_mapped gives payload bytes with the runs they lie in, some at a time. */
static void feed_mapped(struct inspector *in, struct layer *l, struct layer *child,
                        const struct event *ev)
{
    const uint8_t *p = ev->raw;
    uint64_t off = ev->at.off, left = ev->at.len;
    while (left > 0) {
        struct run runs[RUNS_AT_ONCE];
        size_t n_runs = 0;
        uint64_t n = 0;
        while (n < left && n_runs < RUNS_AT_ONCE && !l->no_way_back &&
               extents_find(&l->extents, off + n, left - n, &runs[n_runs]))
            n += runs[n_runs++].len;
        if (n_runs == 0)
            n = left; /* no way back from here */
        layer_feed(in, child, p, (size_t)n, runs, n_runs, false);
        p += n;
        off += n;
        left -= n;
    }
}

static void payload(struct inspector *in, struct layer *l, const struct event *ev)
{
    if (ev->flags & PART_FIRST)
        child_open(in, l, ev);
    struct layer *child = l->child;
    if (child == NULL) {
        if (ev->at.len > 0) {
            struct event loose = {.kind = EVENT_FIELD,
                                  .value = VALUE_TEXT,
                                  .flags = ev->flags & PART_WHOLE,
                                  .at = ev->at,
                                  .raw = ev->raw};
            room_miss(in, l, NULL, ev->at.len);
            detect_field(in, l, &loose);
        }
    } else if (ev->at.len > 0) {
        near_set(l, child, ev);
        if (child->unpacker != NULL) {
            const char *why = unpacker_feed(child->unpacker, ev->raw, ev->at.len, on_decoded,
                                            &(struct decoded_to){in, child});
            if (why != NULL)
                undecodable(in, child, why);
        } else {
            feed_mapped(in, l, child, ev);
        }
    }
    if (ev->flags & PART_LAST)
        child_end(in, l);
}

/* ---- feeding ------------------------------------------------------------------------------ */

/* sample_text looks at the first bytes of every block of a text that nobody could name, wherever
 * the cuts are: where they look random, the block is opaque. */
static void sample_text(struct inspector *in, struct layer *l, const struct event *ev)
{
    if (l->dissector != in->text)
        return;
    for (uint64_t at = 0; at < ev->at.len;) {
        uint64_t place = (ev->at.off + at) % SAMPLE_BLOCK, left = ev->at.len - at;
        if (place >= PROBE_LEN) {
            at += SAMPLE_BLOCK - place;
            continue;
        }
        uint64_t n = PROBE_LEN - place < left ? PROBE_LEN - place : left;
        if (place == 0)
            l->n_sample = 0;
        if (place == l->n_sample) {
            memcpy(l->sample + place, ev->raw + at, (size_t)n);
            l->n_sample = (uint8_t)(place + n);
        }
        if (l->n_sample == PROBE_LEN) {
            struct view head = {l->sample, PROBE_LEN, 0, true, NULL};
            l->n_sample = 0;
            if (dispatch_look(head) == LOOK_RANDOM) {
                in->counts.opaque_bytes += SAMPLE_BLOCK;
                l->inspection->app.opaque_bytes[l->direction] += SAMPLE_BLOCK;
                detect_opaque(in, l, ev, "looks encrypted", DISTRUST);
            }
        }
        at += n;
    }
}

struct listener {
    struct inspector *in;
    struct layer *layer;
};

static bool on_event(void *receiver, const struct event *ev)
{
    struct listener *to = receiver;
    struct inspector *in = to->in;
    struct layer *l = to->layer;
    if (in->sink.event != NULL) {
        char path[FINDING_PATH_MAX];
        layer_path(l, ev->kind == EVENT_BEGIN ? ev->hint : l->message, ev, path);
        in->sink.event(in->sink.receiver, l->dissector, path, ev);
    }
    switch (ev->kind) {
    case EVENT_BEGIN:
        message_begin(in, l, ev);
        break;
    case EVENT_END:
        child_end(in, l);
        message_end(in, l, ev->at.off + ev->at.len, true);
        break;
    case EVENT_FIELD:
        if ((ev->flags & PART_WHOLE) != PART_WHOLE || ev->at.len >= PROBE_LEN)
            sample_text(in, l, ev);
        detect_field(in, l, ev);
        break;
    case EVENT_PAYLOAD:
        payload(in, l, ev);
        break;
    default:
        room_anomaly(in, l, ev->hint != NULL ? ev->hint : "malformed", ev->at.off, ev->at.len);
        break;
    }
    return true;
}

/* choose finds the dissector of a layer from its head. False: more bytes are needed. */
static bool choose(struct inspector *in, struct layer *l, const uint8_t *p, size_t n, bool last)
{
    if (n == 0 || (n < PROBE_LEN && !last))
        return false;
    /* However much the first packet brought, the choice is made by as much. */
    size_t n_head = n < PROBE_LEN ? n : PROBE_LEN;
    struct view head = {p, n_head, l->off - n, last && n < PROBE_LEN, l->hint};
    const uint16_t *ports = l->depth == 0 && l->inspection->flow != NULL
                                ? l->inspection->flow->port
                                : (const uint16_t[2]){0, 0};
    unsigned bits;
    const struct dissector *d =
        l->n_probes < PROBES_MAX ? dispatch_choose(head, ports, l->refused, &bits) : in->text;
    l->n_probes++;
    l->dissector = d;
    l->state = pool_take(in->pool, d->state_size > 0 ? d->state_size : 1);
    if (l->state == NULL) {
        l->dissector = NULL;
        l->dead = true;
        room_miss(in, l, &in->counts.limit_memory, n);
        detect_loose(in, l, p, n, l->off - n);
        return false;
    }
    const char **name = &l->inspection->app.dissector[l->direction];
    if (l->depth == 0 && (*name == NULL || strcmp(*name, "text") == 0))
        *name = d->name;
    l->binary = false;
    if (d == in->text) {
        enum look look = dispatch_look(head);
        l->binary = look != LOOK_TEXT;
    }
    return true;
}

/* keep remembers unconsumed bytes until `need` of them are there. `p` may lie in l->pending. */
static void keep(struct inspector *in, struct layer *l, const uint8_t *p, size_t n, size_t need)
{
    l->need = (uint32_t)need;
    if (n > 0 && n > l->cap_pending) {
        size_t size = need > n ? need : n;
        if (size > POOL_MAX)
            size = n;
        uint8_t *room = size <= POOL_MAX ? pool_take(in->pool, size) : NULL;
        if (room == NULL) {
            room_miss(in, l, &in->counts.limit_memory, n);
            detect_loose(in, l, p, n, l->off - n);
            l->n_pending = 0;
            l->dead = true;
            return;
        }
        memcpy(room, p, n);
        pool_give(in->pool, l->pending, l->cap_pending);
        l->pending = room;
        l->cap_pending = (uint32_t)pool_capacity(size);
    } else if (n > 0) {
        memmove(l->pending, p, n);
    } else if (l->cap_pending > 0) {
        pool_give(in->pool, l->pending, l->cap_pending);
        l->pending = NULL;
        l->cap_pending = 0;
    }
    l->n_pending = (uint32_t)n;
}

/* refuse takes the layer from a dissector that gave it up, or ended by itself. */
static void refuse(struct inspector *in, struct layer *l, const struct feed_result *r, size_t left)
{
    uint64_t at = l->off - left;
    const struct dissector *d = l->dissector;
    child_end(in, l);
    detect_break(in, l);
    message_end(in, l, at, r->status == FEED_DONE);
    if (r->status != FEED_DONE)
        room_anomaly(in, l, r->why != NULL ? r->why : "format broken off", at, left);
    l->refused = r->status == FEED_DONE && r->consumed > 0 ? NULL : d;
    detect_flush(in);
    state_free(in, l);
}

/* next_mark finds where a format that shows SURE bits may begin: at the start of a packet, or where
 * an MLLP block starts; len when nowhere. Almost all text has no such place. */
static size_t next_mark(const uint8_t *p, size_t len)
{
    enum {
        LEAST = 16
    };
    static const char first[] = "\x01\x02\x04\x16MGPDHOCT";
    if (len >= LEAST && memchr(first, p[0], sizeof first - 1) != NULL)
        return 0;
    for (const uint8_t *at = p; len >= LEAST && at != NULL && at <= p + len - LEAST; at++) {
        at = memchr(at, 0x0b, (size_t)(p + len - LEAST - at) + 1);
        if (at == NULL)
            break;
        if (memcmp(at + 1, "MSH", 3) == 0)
            return (size_t)(at - p);
    }
    return len;
}

/* leave_text takes a stream from text when a packet begins as a format does: a capture may start in
 * the middle of a message, and a banner or a line may come before. */
static void leave_text(struct inspector *in, struct layer *l, const uint8_t *p, size_t n, bool last)
{
    struct view head = {p, n, l->off - n, last, l->hint};
    const uint16_t *ports = l->inspection->flow->port;
    unsigned bits;
    const struct dissector *d = dispatch_choose(head, ports, NULL, &bits);
    if (d == in->text || bits < SURE || l->n_probes >= PROBES_MAX)
        return;
    detect_break(in, l);
    message_end(in, l, l->off - n, true);
    detect_flush(in);
    state_free(in, l);
    l->refused = NULL;
}

static void consume(struct inspector *in, struct layer *l, const uint8_t *p, size_t n, bool last)
{
    struct listener to = {in, l};
    if (n == 0)
        p = (const uint8_t *)"";
    for (;;) {
        if (l->dissector == NULL && !choose(in, l, p, n, last)) {
            if (!l->dead)
                keep(in, l, p, n, PROBE_LEN);
            return;
        }
        struct view v = {p, n, l->off - n, last, l->hint};
        struct feed_result r = l->dissector->feed(l->state, v, on_event, &to);
        assert(r.consumed <= n);
        p += r.consumed;
        n -= r.consumed;
        assert(r.status != FEED_OK || n == 0);
        if (r.status == FEED_MORE && last)
            r = feed_bad(r.consumed, "ends in the middle of a message");
        if (r.status == FEED_OK || r.status == FEED_MORE) {
            keep(in, l, p, n, r.status == FEED_MORE ? r.need : 0);
            return;
        }
        if (r.status == FEED_STOP) {
            l->dead = true;
            keep(in, l, p, 0, 0);
            return;
        }
        refuse(in, l, &r, n);
        if (n == 0) {
            keep(in, l, p, 0, 0);
            return;
        }
    }
}

void layer_feed(struct inspector *in, struct layer *l, const uint8_t *bytes, size_t len,
                const struct run *runs, size_t n_runs, bool last)
{
    if (l->dead) {
        room_miss(in, l, NULL, len);
        return;
    }
    /* Findings of fields that wait in the batch still need their way back. */
    if (l->extents.n > 0 && in->detector.n_fields > 0)
        detect_pause(in);
    extents_drop(&l->extents, l->extents_before);
    uint64_t at = l->off;
    for (size_t i = 0; i < n_runs; i++) {
        (void)extents_add(&l->extents, in->pool, at, runs[i]);
        at += runs[i].len;
    }
    if (n_runs > 0)
        l->near = runs[0];
    l->off += len;
    if (l->n_pending == 0) {
        size_t mark = l->dissector == in->text && l->depth == 0 && l->inspection->flow != NULL
                          ? next_mark(bytes, len)
                          : len;
        if (mark < len) {
            l->off -= len - mark;
            if (mark > 0)
                consume(in, l, bytes, mark, false);
            l->off += len - mark;
            leave_text(in, l, bytes + mark, len - mark, last);
            bytes += mark;
            len -= mark;
        }
        consume(in, l, bytes, len, last);
    } else {
        size_t held = l->n_pending, all = held + len;
        if (all > l->cap_pending) {
            uint8_t *room = all <= POOL_MAX ? pool_take(in->pool, all) : NULL;
            if (room == NULL) {
                room_miss(in, l, &in->counts.limit_memory, all);
                l->off -= len;
                detect_loose(in, l, l->pending, held, l->off - held);
                l->off += len;
                detect_loose(in, l, bytes, len, l->off - len);
                l->dead = true;
                return;
            }
            memcpy(room, l->pending, held);
            pool_give(in->pool, l->pending, l->cap_pending);
            l->pending = room;
            l->cap_pending = (uint32_t)pool_capacity(all);
        }
        if (len > 0)
            memcpy(l->pending + held, bytes, len);
        l->n_pending = (uint32_t)all;
        if (last || all >= l->need)
            consume(in, l, l->pending, all, last);
    }
    l->extents_before = l->off - l->n_pending;
}

void layer_gap(struct inspector *in, struct layer *l, uint64_t missing)
{
    if (l->dead) {
        l->off += missing;
        return;
    }
    size_t held = l->n_pending;
    struct span span = {l->off - held, held + missing};
    detect_break(in, l);
    if (held > 0)
        detect_loose(in, l, l->pending, held, l->off - held);
    keep(in, l, l->pending, 0, 0);
    room_anomaly(in, l, "bytes of the stream are missing", l->off, missing);
    const struct dissector *d = l->dissector;
    l->off += missing;
    l->extents_before = l->off;
    if (d == NULL)
        return;
    if (d->gap != NULL && d->gap(l->state, span)) {
        if (l->child != NULL && l->child->unpacker != NULL)
            undecodable(in, l->child, "compressed body has a gap");
        else if (l->child != NULL)
            layer_gap(in, l->child, span.len);
        return;
    }
    child_end(in, l);
    message_end(in, l, l->off - missing, false);
    detect_flush(in);
    state_free(in, l);
    l->refused = NULL;
    l->n_probes = 0;
}

void layer_end(struct inspector *in, struct layer *l)
{
    if (l->unpacker != NULL && !l->dead) {
        const char *why = unpacker_end(l->unpacker, on_decoded, &(struct decoded_to){in, l});
        if (why != NULL)
            undecodable(in, l, why);
    }
    if (!l->dead && (l->dissector != NULL || l->n_pending > 0))
        consume(in, l, l->pending, l->n_pending, true);
    child_end(in, l);
    detect_break(in, l);
    message_end(in, l, l->off, false);
    l->dead = true;
    if (l->parent != NULL && l->parent->child == l)
        l->parent->child = NULL;
    l->next_ended = in->ended;
    in->ended = l;
}
