/* packet.c - the decoder: walks the headers of one packet and counts what came of it. */
#include "flow/packet.h"

#include <assert.h>
#include <stdlib.h>

#include "flow/packet_walk.h"

struct decoder {
    struct datagram fallback; /* of the packet being decoded */
    bool ignore_checksums;
    struct fragments *fragments;
    struct decoder_counts counts;
};

static const char *const skip_texts[SKIP_COUNT] = {
    [SKIP_NONE] = "decoded",
    [SKIP_LINK_TYPE] = "unknown link type",
    [SKIP_TRUNCATED] = "cut short by the capture",
    [SKIP_MALFORMED] = "malformed header",
    [SKIP_ARP] = "ARP",
    [SKIP_NOT_IP] = "not IP",
    [SKIP_ENCRYPTED] = "encrypted below TCP and UDP",
    [SKIP_IP_CHECKSUM] = "wrong IP header checksum",
    [SKIP_FRAGMENT_WAIT] = "fragment of an incomplete datagram",
    [SKIP_FRAGMENT_DUPLICATE] = "fragment seen before",
    [SKIP_FRAGMENT_OVERLAP] = "fragments that contradict each other",
    [SKIP_FRAGMENT_LIMIT] = "no room for fragments",
    [SKIP_ICMP] = "ICMP",
    [SKIP_IP_PROTOCOL] = "neither TCP nor UDP",
    [SKIP_DEPTH] = "nested too deep",
};

const char *skip_text(enum skip why)
{
    return (unsigned)why < SKIP_COUNT ? skip_texts[why] : "unknown";
}

struct decoder *decoder_new(const struct decoder_limits *limits, abandon_fn *on_abandon,
                            void *receiver)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->fragments = fragments_new(limits, on_abandon, receiver, &d->counts);
    if (d->fragments == NULL) {
        free(d);
        return NULL;
    }
    d->ignore_checksums = limits != NULL && limits->ignore_checksums;
    return d;
}

void decoder_free(struct decoder *d)
{
    if (d == NULL)
        return;
    fragments_free(d->fragments);
    free(d);
}

size_t decoder_expire(struct decoder *d, uint64_t now_ns)
{
    return fragments_expire(d->fragments, now_ns);
}

const struct decoder_counts *decoder_counts_get(const struct decoder *d)
{
    return &d->counts;
}

static enum skip walk_through(struct walk *w)
{
    enum skip why = walk_link(w, w->packet->link_type);
    while (why == SKIP_NONE && w->next != NULL) {
        if (++w->steps > WALK_STEPS_MAX)
            return SKIP_DEPTH;
        why = w->next(w);
    }
    return why;
}

/* What looked like a tunnel but holds nothing a receiver would take stays a UDP datagram, so that
 * its bytes are looked at. */
static bool falls_back(const struct walk *w, enum skip why)
{
    return w->has_fallback && (why == SKIP_TRUNCATED || why == SKIP_MALFORMED ||
                               why == SKIP_IP_CHECKSUM || why == SKIP_NOT_IP || why == SKIP_DEPTH);
}

static void count(struct decoder *d, const struct packet *p, const struct datagram *g)
{
    struct decoder_counts *c = &d->counts;
    c->packets++;
    if (g->why != SKIP_NONE) {
        c->skipped[g->why]++;
        c->skipped_bytes[g->why] += p->len;
        return;
    }
    c->decoded++;
    c->tunnelled += g->tunnel_depth > 0;
    c->truncated += g->payload_len < g->wire_payload_len;
    c->truncated_bytes += g->wire_payload_len - g->payload_len;
    c->checksum_bad += g->checksum == CHECKSUM_BAD;
    c->checksum_partial += g->checksum == CHECKSUM_PARTIAL;
}

enum skip decode_packet(struct decoder *d, const struct packet *p, struct datagram *out)
{
    fragments_release(d->fragments);
    *out = (struct datagram){.window_scale = WINDOW_SCALE_NONE, .payload = p->bytes};
    struct walk w = {
        .fragments = d->fragments,
        .packet = p,
        .ignore_checksums = d->ignore_checksums,
        .out = out,
        .fallback = &d->fallback,
        .base = p->bytes,
        .end = p->len,
        .wire_end = p->wire_len > p->len ? p->wire_len : p->len,
        .packet_piece = {.len = p->len,
                         .file = p->file,
                         .number = p->number,
                         .file_off = p->file_off},
    };
    w.pieces = &w.packet_piece;
    w.n_pieces = 1;
    out->why = walk_through(&w);
    if (falls_back(&w, out->why))
        *out = *w.fallback; /* its why is SKIP_NONE */
    count(d, p, out);
    return out->why;
}

struct piece datagram_place(const struct datagram *g, const struct packet *p, uint32_t pos)
{
    assert(pos < g->payload_len);
    uint32_t off = g->payload_off + pos;
    struct piece found = {pos, g->payload_len - pos, off, p->file, p->number, p->file_off + off};
    if (g->n_pieces == 0)
        return found;
    size_t low = 0, high = g->n_pieces;
    while (high - low > 1) { /* the last piece that begins at or before `off` */
        size_t middle = low + (high - low) / 2;
        if (g->pieces[middle].off <= off)
            low = middle;
        else
            high = middle;
    }
    const struct piece *in = &g->pieces[low];
    uint32_t inside = off - in->off;
    assert(inside < in->len);
    if (in->len - inside < found.len)
        found.len = in->len - inside;
    found.packet_off = in->packet_off + inside;
    found.file = in->file;
    found.number = in->number;
    found.file_off = in->file_off + inside;
    return found;
}
