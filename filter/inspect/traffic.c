/* traffic.c - the way of one packet. */
#include "inspect/traffic.h"

#include <stdlib.h>

#include "inspect/hint.h"

enum {
    RUNS_MAX = 64,        /* fragments of one datagram that keep their way back */
    EXPIRE_NS = 100000000 /* how often timeouts are looked at, of capture time */
};

struct traffic {
    struct traffic_options options;
    struct traffic_sink sink;
    struct decoder *decoder;
    struct flow_table *flows;
    struct inspector *inspector;
    struct hinter *hinter;
    uint64_t expired_ns;
    bool expiring;
    uint64_t pushed, flow_peak; /* of the table, once it is closed */
};

/* side is the receiver of a stream's sink: which direction of which flow. */
struct side {
    struct traffic *traffic;
    struct flow *flow;
    unsigned direction;
};

static void on_bytes(void *receiver, const uint8_t *bytes, size_t len, struct run from)
{
    struct side *s = receiver;
    inspector_stream(s->traffic->inspector, s->flow, s->direction, bytes, len, from);
}

static void on_gap(void *receiver, uint64_t missing)
{
    struct side *s = receiver;
    inspector_gap(s->traffic->inspector, s->flow, s->direction, missing);
}

static void on_aside(void *receiver, const uint8_t *bytes, size_t len, struct run from)
{
    struct side *s = receiver;
    inspector_aside(s->traffic->inspector, s->flow, s->direction, bytes, len, from);
}

static void on_anomaly(void *receiver, const char *what, struct run at)
{
    struct side *s = receiver;
    inspector_note(s->traffic->inspector, s->flow, s->direction, what, at);
}

static const struct stream_sink stream_sink = {on_bytes, on_gap, on_aside, on_anomaly};

static void on_flow_end(void *receiver, struct flow *f, enum flow_end why)
{
    struct traffic *t = receiver;
    for (unsigned d = 0; d < 2; d++) {
        struct side s = {t, f, d};
        if (f->proto == IP_PROTO_TCP)
            stream_finish(&f->stream[d], inspector_pool(t->inspector), &stream_sink, &s);
        inspector_finish(t->inspector, f, d);
    }
    if (t->sink.flow != NULL)
        t->sink.flow(t->sink.inspect.receiver, f, why);
    hinter_forget(t->hinter, f);
    inspector_end(t->inspector, f);
}

/* on_abandon: fragments whose datagram never became whole are read as they are. */
static void on_abandon(void *receiver, const struct abandoned *a)
{
    struct traffic *t = receiver;
    struct datagram d = {.src = a->src, .dst = a->dst, .proto = a->proto};
    uint64_t hash = flow_hash(&d, t->options.hash_seed);
    if ((hash >> 32) % t->options.n_workers != t->options.worker || a->n_pieces == 0)
        return;
    unsigned direction;
    struct flow *f = flow_find(t->flows, &d, hash, a->first_ns, a->pieces[0].number, &direction);
    inspector_note(t->inspector, f, direction, skip_text(a->why),
                   (struct run){a->pieces[0].number, a->pieces[0].packet_off, a->have_len});
    for (size_t i = 0; i < a->n_pieces; i++) {
        const struct piece *p = &a->pieces[i];
        struct run run = {p->number, p->packet_off, p->len};
        inspector_datagram(t->inspector, f, direction, a->bytes + p->off, p->len, &run, 1);
    }
}

struct traffic *traffic_open(const struct traffic_options *options, const struct traffic_sink *sink)
{
    struct traffic *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->options = *options;
    t->sink = *sink;
    struct decoder_limits limits = {.ignore_checksums = options->ignore_checksums};
    t->decoder = decoder_new(&limits, on_abandon, t);
    t->flows = flow_table_open(&options->flows, on_flow_end, t);
    t->inspector = inspector_open(&options->inspector, &sink->inspect);
    t->hinter = options->no_hints ? NULL : hinter_open();
    if (t->decoder == NULL || t->flows == NULL || t->inspector == NULL) {
        traffic_close(t);
        return NULL;
    }
    return t;
}

void traffic_close(struct traffic *t)
{
    if (t == NULL)
        return;
    if (t->inspector != NULL)
        flow_table_close(t->flows);
    decoder_free(t->decoder);
    hinter_close(t->hinter);
    inspector_close(t->inspector);
    free(t);
}

/* put_piece gives one contiguous piece of TCP payload to its stream. */
static void put_segment(struct traffic *t, struct flow *f, unsigned direction,
                        const struct packet *p, const struct datagram *d)
{
    struct side here = {t, f, direction}, there = {t, f, direction ^ 1u};
    struct tcp_segment seg = {
        .seq = d->seq,
        .ack = d->ack,
        .urgent = d->urgent,
        .flags = d->tcp_flags,
        .ttl = d->ttl,
        .checksum_good = d->checksum == CHECKSUM_OK,
        /* A sum left to the sender's card is good only where the sender never shows another. */
        .checksum_bad = d->checksum == CHECKSUM_BAD || d->checksum == CHECKSUM_PARTIAL,
    };
    uint32_t n_packets = (uint32_t)(f->packets[0] + f->packets[1]);
    uint32_t done = 0;
    do {
        struct piece at = {.len = 0, .packet_off = d->payload_off, .number = p->number};
        if (d->payload_len > 0)
            at = datagram_place(d, p, done);
        if (at.len > d->payload_len - done)
            at.len = d->payload_len - done;
        bool last = done + at.len == d->payload_len;
        struct tcp_segment part = seg;
        part.bytes = d->payload + done;
        part.len = at.len;
        part.wire_len = last ? d->wire_payload_len - done : at.len;
        part.from = (struct run){at.number, at.packet_off, at.len};
        part.seq = seg.seq + done;
        if (done > 0)
            part.flags &= (uint8_t)~TCP_SYN;
        if (done > 0 && (seg.flags & TCP_SYN))
            part.seq++;
        if (!last)
            part.flags &= (uint8_t)~TCP_FIN;
        if (done > 0)
            part.flags &= (uint8_t)~TCP_URG;
        stream_put(&f->stream[direction], &f->stream[direction ^ 1u], &part, n_packets,
                   inspector_pool(t->inspector), &stream_sink, &here, &there);
        done += at.len;
    } while (done < d->payload_len);
    if (f->class == FLOW_CLASS_OPENING && (f->stream[0].delivered + f->stream[1].delivered) > 0)
        flow_set_class(t->flows, f, FLOW_CLASS_TCP);
    if (f->class != FLOW_CLASS_CLOSED &&
        (f->stream[0].reset || f->stream[1].reset ||
         (stream_is_over(&f->stream[0]) && stream_is_over(&f->stream[1]))))
        flow_set_class(t->flows, f, FLOW_CLASS_CLOSED);
}

static void put_datagram(struct traffic *t, struct flow *f, unsigned direction,
                         const struct packet *p, const struct datagram *d)
{
    struct run runs[RUNS_MAX];
    size_t n = 0;
    for (uint32_t done = 0; done < d->payload_len && n < RUNS_MAX; n++) {
        struct piece at = datagram_place(d, p, done);
        runs[n] = (struct run){at.number, at.packet_off, at.len};
        done += at.len;
    }
    if (d->payload_len > 0)
        inspector_datagram(t->inspector, f, direction, d->payload, d->payload_len, runs, n);
    if (d->surplus_len > 0 && !d->reassembled) {
        struct run behind = {p->number, d->payload_off + d->payload_len, d->surplus_len};
        inspector_note(t->inspector, f, direction, "bytes behind the UDP length", behind);
        inspector_aside(t->inspector, f, direction, d->payload + d->payload_len, d->surplus_len,
                        behind);
    }
    if (d->wire_payload_len > d->payload_len)
        inspector_gap(t->inspector, f, direction, d->wire_payload_len - d->payload_len);
}

void traffic_packet(struct traffic *t, const struct packet *p)
{
    struct datagram d;
    enum skip why = decode_packet(t->decoder, p, &d);
    /* Time goes on for every worker alike, whosever packet it is. */
    uint64_t now_ns = flow_table_time(t->flows, p->time_ns);
    if (now_ns > t->expired_ns + EXPIRE_NS) {
        t->expired_ns = now_ns;
        t->expiring = true;
        flow_table_advance(t->flows);
        (void)decoder_expire(t->decoder, now_ns);
        t->expiring = false;
    }
    bool has_addresses = why == SKIP_NONE || why == SKIP_ICMP || why == SKIP_IP_PROTOCOL ||
                         (why == SKIP_ENCRYPTED && d.src.family != 0);
    if (!has_addresses) {
        if (t->sink.packet != NULL && t->options.worker == 0)
            t->sink.packet(t->sink.inspect.receiver, p, &d, why);
        return;
    }
    uint64_t hash = flow_hash(&d, t->options.hash_seed);
    if ((hash >> 32) % t->options.n_workers != t->options.worker)
        return;
    inspector_now(t->inspector, p->time_ns);
    if (t->sink.packet != NULL)
        t->sink.packet(t->sink.inspect.receiver, p, &d, why);
    unsigned direction;
    struct flow *f = flow_find(t->flows, &d, hash, p->time_ns, p->number, &direction);
    f->packets[direction]++;
    f->bytes[direction] += d.wire_payload_len;
    if (d.fragment_conflict)
        inspector_note(t->inspector, f, direction, "fragments disagree",
                       (struct run){p->number, 0, p->len});
    if (d.proto == IP_PROTO_TCP && why == SKIP_NONE)
        put_segment(t, f, direction, p, &d);
    else if (why == SKIP_ENCRYPTED)
        inspector_opaque(t->inspector, f, direction, d.wire_payload_len,
                         (struct run){p->number, d.payload_off, d.payload_len});
    else if (d.payload_len > 0)
        put_datagram(t, f, direction, p, &d);
    if (t->hinter != NULL && d.payload_len > 0)
        hinter_packet(t->hinter, f, &d);
}

void traffic_finish(struct traffic *t)
{
    (void)decoder_expire(t->decoder, UINT64_MAX);
    t->pushed = flow_table_pushed(t->flows);
    t->flow_peak = flow_table_peak(t->flows);
    flow_table_close(t->flows);
    t->flows = NULL;
}

const struct inspector_counts *traffic_counts(const struct traffic *t)
{
    return inspector_counts_get(t->inspector);
}

const struct decoder_counts *traffic_decoder_counts(const struct traffic *t)
{
    return decoder_counts_get(t->decoder);
}

uint64_t traffic_pushed(const struct traffic *t)
{
    return t->flows != NULL ? flow_table_pushed(t->flows) : t->pushed;
}

uint64_t traffic_flow_peak(const struct traffic *t)
{
    return t->flows != NULL ? flow_table_peak(t->flows) : t->flow_peak;
}

bool traffic_is_expiring(const struct traffic *t)
{
    return t->expiring;
}

size_t traffic_memory_peak(const struct traffic *t)
{
    return pool_peak(inspector_pool(t->inspector));
}
