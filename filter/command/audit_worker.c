/* audit_worker.c - one worker of an audit: its share of the traffic, verdicts, lines. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/audit.h"

enum {
    PLACES = 4096, /* cached answers of geo */
    FRAGMENTS = 512
};

/* cached_place is geo's answer for an address. */
struct cached_place {
    struct address address;
    struct place place;
};

/* fragment is the part of a line that is the same for all findings of one direction of a flow. */
struct fragment {
    uint64_t flow; /* first packet of the flow, 0 none */
    uint64_t hash;
    unsigned direction;
    uint16_t len;
    char text[500];
};

struct worker {
    const struct audit *audit;
    struct traffic *traffic;
    struct tagger *tagger;
    struct tally tally;
    struct lines *out;
    uint64_t packet; /* being read; lines belong to it */
    bool finishing;
    uint32_t file;
    struct text *names; /* JSON strings of the source's file names */
    size_t n_names;
    uint64_t time_second;
    char time_text[21];
    struct cached_place places[PLACES];
    struct fragment fragments[FRAGMENTS];
};

/* ---- lines -------------------------------------------------------------------------------- */

void lines_free(struct lines *l)
{
    text_free(&l->text);
    free(l->line);
    *l = (struct lines){0};
}

/* line_end closes the line. Lines stand in the order of packets; when the source has ended, in the
 * order of the flows' first packets. */
static void line_end(struct worker *w, const struct flow *f)
{
    struct lines *l = w->out;
    uint64_t packet = w->finishing && f != NULL ? f->first_packet : w->packet;
    text_bytes(&l->text, "\n", 1);
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 256;
        struct line *grown = realloc(l->line, cap * sizeof *grown);
        if (grown == NULL) {
            l->text.failed = true;
            return;
        }
        l->line = grown;
        l->cap = cap;
    }
    l->line[l->n++] = (struct line){packet, l->text.len};
}

/* LINE_MAX bounds what one line's fixed parts, numbers, path and flow can take. */
enum {
    LINE_ROOM = 4096
};

/* ADD writes a literal at p and moves p behind it. */
#define ADD(p, literal) (memcpy((p), "" literal, sizeof(literal) - 1), (p) += sizeof(literal) - 1)

static char *put_text(char *p, const char *s)
{
    size_t n = strlen(s);
    memcpy(p, s, n);
    return p + n;
}

static char *put_number(char *p, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    memcpy(p, digits + n, sizeof digits - n);
    return p + (sizeof digits - n);
}

static void add_literal(struct text *t, const char *key, const char *value)
{
    text_add(t, key);
    text_add(t, value);
}

static char *put_time(struct worker *w, char *p, uint64_t ns)
{
    uint64_t second = ns / 1000000000u;
    if (w->time_second != second || w->time_text[0] == '\0') {
        struct text whole = {0};
        text_time(&whole, ns);
        if (whole.len >= 20)
            memcpy(w->time_text, whole.s, 20);
        text_free(&whole);
        w->time_second = second;
    }
    memcpy(p, w->time_text, 20);
    uint64_t rest = ns % 1000000000u;
    for (int i = 28; i >= 20; i--, rest /= 10)
        p[i] = (char)('0' + rest % 10);
    p[29] = 'Z';
    return p + 30;
}

static void add_time(struct worker *w, struct text *t, uint64_t ns)
{
    char *p = text_room(t, 30);
    if (p != NULL)
        t->len += (size_t)(put_time(w, p, ns) - p);
}

static void add_source(struct worker *w, struct text *t)
{
    if (w->file < w->n_names)
        text_bytes(t, w->names[w->file].s, w->names[w->file].len);
    else
        text_add(t, "\"\"");
}

static const struct place *place_of(struct worker *w, const struct address *a)
{
    uint32_t h = load_u32be(a->bytes) ^ load_u32be(a->bytes + 12) * 2654435761u;
    struct cached_place *c = &w->places[(h ^ h >> 15) % PLACES];
    if (!address_equal(&c->address, a)) {
        c->address = *a;
        geo_lookup(w->audit->geo, a, &c->place);
    }
    return &c->place;
}

static const char *proto_name(uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_TCP:
        return "tcp";
    case IP_PROTO_UDP:
        return "udp";
    case IP_PROTO_ICMP:
        return "icmp";
    case IP_PROTO_ICMP6:
        return "icmp6";
    case IP_PROTO_SCTP:
        return "sctp";
    default:
        return "ip";
    }
}

/* app_name: what our dissector read, or else what nDPI calls it. */
static const char *app_name(const struct flow_app *app)
{
    for (unsigned d = 0; app != NULL && d < 2; d++)
        if (app->dissector[d] != NULL && strcmp(app->dissector[d], "text") != 0)
            return app->dissector[d];
    return app != NULL && app->hint != NULL ? app->hint : "unknown";
}

static void add_place(struct text *t, const struct place *p)
{
    add_literal(t, "\"country\":\"", p->country);
    add_literal(t, "\",\"second\":\"", p->second);
    add_literal(t, "\",\"jurisdiction\":\"", region_name(p->region));
    add_literal(t, "\",\"outside\":", p->outside ? "true" : "false");
}

static void add_ends(struct text *t, const struct flow *f, unsigned direction)
{
    char src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX];
    add_literal(t, "\"src\":\"", address_format(&f->address[direction], src, sizeof src));
    text_add(t, "\",\"sport\":");
    text_number(t, f->port[direction]);
    add_literal(t, ",\"dst\":\"", address_format(&f->address[direction ^ 1u], dst, sizeof dst));
    text_add(t, "\",\"dport\":");
    text_number(t, f->port[direction ^ 1u]);
    add_literal(t, ",\"proto\":\"", proto_name(f->proto));
    add_literal(t, "\",\"app\":\"", app_name(inspector_app(f)));
    text_add(t, "\"");
}

/* fragment_of gives ,"flow":{...},"geo":{...} of one direction of a flow. */
static const struct fragment *fragment_of(struct worker *w, const struct flow *f,
                                          unsigned direction)
{
    struct fragment *g = &w->fragments[(f->hash + direction) % FRAGMENTS];
    if (g->flow == f->first_packet && g->hash == f->hash && g->direction == direction)
        return g;
    struct text made = {0};
    text_add(&made, ",\"flow\":{");
    add_ends(&made, f, direction);
    text_add(&made, "},\"geo\":{");
    add_place(&made, place_of(w, &f->address[direction ^ 1u]));
    text_add(&made, "}");
    g->flow = f->first_packet;
    g->hash = f->hash;
    g->direction = direction;
    /* Two addresses, two ports and the words of place and protocol: always less than there is. */
    g->len = (uint16_t)(made.len <= sizeof g->text && !made.failed ? made.len : 0);
    if (g->len > 0)
        memcpy(g->text, made.s, made.len);
    text_free(&made);
    return g;
}

static void add_flow(struct worker *w, struct text *t, const struct flow *f, unsigned direction)
{
    const struct fragment *g = fragment_of(w, f, direction);
    text_bytes(t, g->text, g->len);
}

/* ---- verdicts ----------------------------------------------------------------------------- */

/* server_port is the port by which a flow is known: of the side that was spoken to. */
static uint16_t server_port(const struct flow *f)
{
    return f->port[1];
}

static struct matter matter_of(struct worker *w, const struct flow *f, unsigned direction)
{
    const struct flow_app *app = inspector_app(f);
    const char *protocol = app != NULL ? app->dissector[direction] : NULL;
    return (struct matter){
        .protocol = protocol != NULL ? protocol : proto_name(f->proto),
        .server = app != NULL && direction == 0 ? app->server : "",
        .destination = &f->address[direction ^ 1u],
        .port = server_port(f),
        .place = place_of(w, &f->address[direction ^ 1u]),
    };
}

static void add_finding_json(struct worker *w, const struct finding *f, const struct verdict *v)
{
    struct text *t = &w->out->text;
    const struct text none = {(char *)(uintptr_t) "\"\"", 2, 2, false};
    const struct text *source = w->file < w->n_names ? &w->names[w->file] : &none;
    char *p = text_room(t, LINE_ROOM + source->len);
    if (p == NULL)
        return;
    char *start = p;
    ADD(p, "{\"event\":\"finding\",\"time\":\"");
    p = put_time(w, p, f->time_ns);
    ADD(p, "\",\"source\":");
    memcpy(p, source->s, source->len);
    p += source->len;
    ADD(p, ",\"packet\":");
    p = put_number(p, f->at.packet);
    ADD(p, ",\"offset\":");
    p = put_number(p, f->at.off);
    ADD(p, ",\"path\":\"");
    p = put_text(p, f->path);
    ADD(p, "\",\"class\":\"");
    p = put_text(p, class_name(f->class));
    ADD(p, "\",\"rule\":\"");
    p = put_text(p, f->rule);
    ADD(p, "\",\"action\":\"");
    p = put_text(p, action_name(v->action));
    if (v->violation)
        ADD(p, "\",\"violation\":true,\"length\":");
    else
        ADD(p, "\",\"length\":");
    p = put_number(p, f->length);
    ADD(p, ",\"tag\":\"");
    if (f->value_len > 0) {
        tagger_tag(w->tagger, f->class, f->value, f->value_len, p);
        p += TAG_TEXT - 1;
    }
    ADD(p, "\",\"confidence\":");
    p = put_number(p, f->confidence);
    p = put_text(p, f->way_back ? ",\"way_back\":true" : ",\"way_back\":false");
    const struct fragment *g = fragment_of(w, f->flow, f->direction);
    memcpy(p, g->text, g->len);
    p += g->len;
    ADD(p, "}");
    t->len += (size_t)(p - start);
    line_end(w, f->flow);
}

static void dump_finding(struct worker *w, const struct finding *f, const struct verdict *v)
{
    struct text *t = &w->out->text;
    char dst[ADDRESS_TEXT_MAX];
    text_format(t, "%" PRIu64 "+%" PRIu64 "+%" PRIu64 " %s %s %s", f->at.packet, f->at.off,
                f->length, f->path, class_name(f->class), f->rule);
    if (w->audit->dump == DUMP_VERDICTS) {
        static const char *const by[] = {"allow", "row", "fail", "default"};
        text_format(t, " -> %s %s %s",
                    address_format(&f->flow->address[f->direction ^ 1u], dst, sizeof dst),
                    region_name(place_of(w, &f->flow->address[f->direction ^ 1u])->region),
                    action_name(v->action));
        text_format(t, " by %s", by[v->by]);
        if (v->row > 0)
            text_format(t, " %u", (unsigned)v->row);
        text_format(t, "%s%s", v->downgraded ? " (no way back)" : "",
                    v->violation ? " violation" : "");
    }
    if (w->audit->show_values) {
        text_add(t, " ");
        for (size_t i = 0; i < f->value_len; i++)
            if (f->value[i] >= 0x20 && f->value[i] != 0x7f)
                text_bytes(t, (const char *)&f->value[i], 1);
    }
    line_end(w, f->flow);
}

static void on_finding(void *receiver, const struct finding *f)
{
    struct worker *w = receiver;
    struct matter m = matter_of(w, f->flow, f->direction);
    m.class = f->class;
    m.way_back = f->way_back;
    m.protocol = f->protocol;
    struct verdict v = policy_decide(w->audit->policy, &m);
    tally_finding(&w->tally, f, &v, m.destination, server_port(f->flow), m.place);
    if (w->out == NULL)
        return;
    if (w->audit->json)
        add_finding_json(w, f, &v);
    else if (w->audit->dump == DUMP_FINDINGS || w->audit->dump == DUMP_VERDICTS)
        dump_finding(w, f, &v);
}

static void on_object(void *receiver, const struct object *o)
{
    struct worker *w = receiver;
    w->tally.objects++;
    if (!w->audit->json || w->out == NULL)
        return;
    struct text *t = &w->out->text;
    text_add(t, "{\"event\":\"object\",\"time\":\"");
    add_time(w, t, o->time_ns);
    text_add(t, "\",\"source\":");
    add_source(w, t);
    text_add(t, ",\"packet\":");
    text_number(t, o->at.packet);
    add_literal(t, ",\"path\":\"", o->path);
    add_literal(t, "\",\"format\":\"", o->dissector);
    add_literal(t, "\",\"kind\":\"", o->kind);
    text_add(t, "\",\"length\":");
    text_number(t, o->length);
    text_add(t, ",\"findings\":");
    text_number(t, o->n_findings);
    add_literal(t, ",\"whole\":", o->whole ? "true" : "false");
    add_flow(w, t, o->flow, o->direction);
    text_add(t, "}");
    line_end(w, o->flow);
}

static void on_anomaly(void *receiver, const struct anomaly *a)
{
    struct worker *w = receiver;
    if (!w->audit->json || w->out == NULL)
        return;
    struct text *t = &w->out->text;
    text_add(t, "{\"event\":\"anomaly\",\"time\":\"");
    add_time(w, t, a->time_ns);
    text_add(t, "\",\"source\":");
    add_source(w, t);
    text_add(t, ",\"packet\":");
    text_number(t, a->at.packet);
    text_add(t, ",\"offset\":");
    text_number(t, a->at.off);
    add_literal(t, ",\"path\":\"", a->path);
    add_literal(t, "\",\"what\":\"", a->what);
    text_add(t, "\",\"length\":");
    text_number(t, a->length);
    add_flow(w, t, a->flow, a->direction);
    text_add(t, "}");
    line_end(w, a->flow);
}

static void on_event(void *receiver, const struct dissector *d, const char *path,
                     const struct event *ev)
{
    static const char *const kinds[] = {"begin", "end", "field", "payload", "anomaly"};
    struct worker *w = receiver;
    if (w->out == NULL)
        return;
    text_format(&w->out->text, "%" PRIu64 " %s %s %s %" PRIu64 "+%" PRIu64, w->packet, d->name,
                kinds[ev->kind], path, ev->at.off, ev->at.len);
    if (ev->kind == EVENT_ANOMALY && ev->hint != NULL)
        text_format(&w->out->text, " %s", ev->hint);
    line_end(w, NULL);
}

/* ---- flows -------------------------------------------------------------------------------- */

static uint64_t not_seen(const struct flow_app *app, unsigned direction)
{
    return app != NULL ? app->gap_bytes[direction] : 0;
}

/* tally_flow counts one direction of a flow that is over. */
static bool tally_direction(struct worker *w, const struct flow *f, unsigned direction)
{
    const struct flow_app *app = inspector_app(f);
    struct matter m = matter_of(w, f, direction);
    struct destination *d = tally_destination(&w->tally, m.destination, m.place);
    if (d != NULL) {
        d->flows++;
        d->bytes += f->bytes[direction];
        d->not_seen_bytes += not_seen(app, direction);
        if (app != NULL) {
            d->opaque_bytes += app->opaque_bytes[direction];
            d->unrecognised_bytes += app->unrecognised_bytes[direction];
        }
        if (f->bytes[direction] > 0)
            destination_app(d, app_name(app));
    }
    if (not_seen(app, direction) > 0 && policy_fail(w->audit->policy, &m).action != ACTION_PASS)
        w->tally.failed_flows++;
    return m.place->outside;
}

static void on_flow(void *receiver, const struct flow *f, enum flow_end why)
{
    static const char *const ends[] = {"closed", "timeout", "limit", "end"};
    struct worker *w = receiver;
    w->tally.flows++;
    w->tally.flow_ends[why]++;
    bool outside = false;
    for (unsigned d = 0; d < 2; d++)
        if (f->packets[d] > 0)
            outside = tally_direction(w, f, d) || outside;
    w->tally.outside_flows += outside;
    if (!w->audit->json || w->out == NULL)
        return;
    const struct flow_app *app = inspector_app(f);
    struct text *t = &w->out->text;
    text_add(t, "{\"event\":\"flow\",\"time\":\"");
    add_time(w, t, f->first_ns);
    text_add(t, "\",\"source\":");
    add_source(w, t);
    text_add(t, ",\"packet\":");
    text_number(t, f->first_packet);
    text_add(t, ",");
    add_ends(t, f, 0);
    if (app != NULL && app->hint != NULL)
        add_literal(t, ",\"hint\":\"", app->hint);
    text_add(t, app != NULL && app->hint != NULL ? "\",\"seconds\":" : ",\"seconds\":");
    uint64_t ms = (f->last_ns - f->first_ns) / 1000000;
    text_number(t, ms / 1000);
    text_format(t, ".%03u", (unsigned)(ms % 1000));
    text_add(t, ",\"packets\":[");
    text_number(t, f->packets[0]);
    text_add(t, ",");
    text_number(t, f->packets[1]);
    text_add(t, "],\"bytes\":[");
    text_number(t, f->bytes[0]);
    text_add(t, ",");
    text_number(t, f->bytes[1]);
    text_add(t, "],\"findings\":[");
    text_number(t, app != NULL ? app->findings[0] : 0);
    text_add(t, ",");
    text_number(t, app != NULL ? app->findings[1] : 0);
    text_add(t, "],\"not_seen_bytes\":[");
    text_number(t, not_seen(app, 0));
    text_add(t, ",");
    text_number(t, not_seen(app, 1));
    text_add(t, "],\"opaque_bytes\":[");
    text_number(t, app != NULL ? app->opaque_bytes[0] : 0);
    text_add(t, ",");
    text_number(t, app != NULL ? app->opaque_bytes[1] : 0);
    add_literal(t, "],\"end\":\"", ends[why]);
    text_add(t, "\",\"geo\":{");
    add_place(t, place_of(w, &f->address[1]));
    text_add(t, "}}");
    line_end(w, f);
}

static void on_packet(void *receiver, const struct packet *p, const struct datagram *d,
                      enum skip why)
{
    struct worker *w = receiver;
    if (w->out == NULL)
        return;
    struct text *t = &w->out->text;
    char src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX];
    text_format(t, "%" PRIu64 " %u", p->number, (unsigned)p->len);
    if (why == SKIP_NONE || why == SKIP_ICMP || why == SKIP_IP_PROTOCOL)
        text_format(t, " %s %s:%u > %s:%u payload %u+%u", proto_name(d->proto),
                    address_format(&d->src, src, sizeof src), (unsigned)d->sport,
                    address_format(&d->dst, dst, sizeof dst), (unsigned)d->dport,
                    (unsigned)d->payload_off, (unsigned)d->payload_len);
    if (d->proto == IP_PROTO_TCP && why == SKIP_NONE)
        text_format(t, " seq %u ack %u flags %02x", (unsigned)d->seq, (unsigned)d->ack,
                    (unsigned)d->tcp_flags);
    if (why != SKIP_NONE)
        text_format(t, " %s", skip_text(why));
    line_end(w, NULL);
}

/* ---- the worker --------------------------------------------------------------------------- */

struct worker *worker_open(const struct audit *a, unsigned number)
{
    struct worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->audit = a;
    w->n_names = source_names(a->source);
    w->names = calloc(w->n_names + 1, sizeof *w->names);
    bool ok = tally_open(&w->tally) && w->names != NULL;
    for (size_t i = 0; ok && i < w->n_names; i++)
        text_json(&w->names[i], source_name(a->source, i));
    w->tagger = tagger_open(a->key);
    struct flow_limits flows = flow_limits_default();
    flows.max_flows = a->max_flows / a->n_workers + 1;
    struct traffic_options options = {
        .inspector = {.rules = a->rules, .memory_bytes = a->memory_bytes / a->n_workers},
        .flows = flows,
        .hash_seed = a->hash_seed,
        .worker = number,
        .n_workers = a->n_workers,
        .no_hints = a->no_hints,
        .ignore_checksums = a->ignore_checksums,
    };
    struct traffic_sink sink = {
        .inspect = {on_finding, on_object, on_anomaly, a->dump == DUMP_EVENTS ? on_event : NULL, w},
        .flow = on_flow,
        .packet = a->dump == DUMP_PACKETS ? on_packet : NULL,
    };
    if (ok && w->tagger != NULL)
        w->traffic = traffic_open(&options, &sink);
    if (w->traffic == NULL) {
        worker_close(w);
        return NULL;
    }
    return w;
}

void worker_close(struct worker *w)
{
    if (w == NULL)
        return;
    w->out = NULL;
    traffic_close(w->traffic);
    tagger_close(w->tagger);
    tally_close(&w->tally);
    for (size_t i = 0; w->names != NULL && i < w->n_names; i++)
        text_free(&w->names[i]);
    free(w->names);
    free(w);
}

void worker_block(struct worker *w, const struct block *b, struct lines *out)
{
    w->out = out;
    for (size_t i = 0; i < b->n_packets; i++) {
        w->packet = b->packets[i].number;
        w->file = b->packets[i].file;
        traffic_packet(w->traffic, &b->packets[i]);
    }
    w->out = NULL;
}

void worker_finish(struct worker *w, struct lines *out)
{
    w->out = out;
    w->finishing = true;
    traffic_finish(w->traffic);
    w->out = NULL;
}

const struct tally *worker_tally(const struct worker *w)
{
    return &w->tally;
}

const struct traffic *worker_traffic(const struct worker *w)
{
    return w->traffic;
}
