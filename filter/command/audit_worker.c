/* audit_worker.c - one worker of an audit: its share of the traffic, verdicts, counts. */
#include <stdlib.h>
#include <string.h>

#include "command/audit_seat.h"

void lines_free(struct lines *l)
{
    text_free(&l->text);
    free(l->line);
    *l = (struct lines){0};
}

void line_end(struct worker *w, const struct flow *f)
{
    struct lines *l = w->out;
    uint64_t packet = w->finishing && f != NULL ? f->first_packet : w->packet;
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
    bool expired = !w->finishing && f != NULL && traffic_is_expiring(w->traffic);
    struct line line = {packet, expired ? f->first_packet : UINT64_MAX, 0, l->text.len};
    if (l->n > 0) {
        const struct line *last = &l->line[l->n - 1];
        line.from = last->end;
        l->shuffled = l->shuffled || line.packet < last->packet ||
                      (line.packet == last->packet && line.flow < last->flow);
    }
    l->line[l->n++] = line;
}

const struct place *place_of(struct worker *w, const struct address *a)
{
    uint32_t h = load_u32be(a->bytes) ^ load_u32be(a->bytes + 12) * 2654435761u;
    struct cached_place *c = &w->places[(h ^ h >> 15) % PLACES];
    if (!address_equal(&c->address, a)) {
        c->address = *a;
        geo_lookup(w->audit->geo, a, &c->place);
    }
    return &c->place;
}

const char *proto_name(uint8_t proto)
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

const char *app_name(const struct flow_app *app)
{
    for (unsigned d = 0; app != NULL && d < 2; d++)
        if (app->dissector[d] != NULL && strcmp(app->dissector[d], "text") != 0)
            return app->dissector[d];
    return app != NULL && app->hint != NULL ? app->hint : "unknown";
}

/* ---- verdicts ----------------------------------------------------------------------------- */

/* server_port is the port by which a flow is known: of the side that was spoken to. */
static uint16_t server_port(const struct flow *f)
{
    if (f->proto == IP_PROTO_TCP && f->stream[0].from_syn)
        return f->port[1];
    /* The capture began in the middle: services live at lower ports. */
    return f->port[0] < f->port[1] ? f->port[0] : f->port[1];
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

static void on_finding(void *receiver, const struct finding *f)
{
    struct worker *w = receiver;
    struct matter m = matter_of(w, f->flow, f->direction);
    m.class = f->class;
    m.way_back = f->way_back;
    m.protocol = f->protocol;
    struct verdict v = policy_decide(w->audit->policy, &m);
    tally_finding(&w->tally, f, &v, m.destination, m.port, m.place);
    if (w->out == NULL)
        return;
    if (w->audit->json)
        json_finding(w, f, &v);
    else if (w->audit->dump == DUMP_FINDINGS || w->audit->dump == DUMP_VERDICTS)
        dump_finding(w, f, &v);
}

static void on_object(void *receiver, const struct object *o)
{
    struct worker *w = receiver;
    w->tally.objects++;
    if (w->audit->json && w->out != NULL)
        json_object(w, o);
}

static void on_anomaly(void *receiver, const struct anomaly *a)
{
    struct worker *w = receiver;
    if (w->audit->json && w->out != NULL)
        json_anomaly(w, a);
}

static void on_event(void *receiver, const struct dissector *d, const char *path,
                     const struct event *ev)
{
    struct worker *w = receiver;
    if (w->out != NULL)
        dump_event(w, d, path, ev);
}

static void on_packet(void *receiver, const struct packet *p, const struct datagram *d,
                      enum skip why)
{
    struct worker *w = receiver;
    if (w->out != NULL)
        dump_packet(w, p, d, why);
}

/* ---- flows -------------------------------------------------------------------------------- */

/* not_seen is what was missing from a stream, or could not be inspected. */
static uint64_t not_seen(const struct flow_app *app, unsigned direction)
{
    return app != NULL ? app->gap_bytes[direction] + app->missed_bytes[direction] : 0;
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
    if (w->audit->json && w->out != NULL)
        json_flow(w, f, ends[why]);
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
