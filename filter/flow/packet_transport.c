/* packet_transport.c - TCP and UDP headers and their checksums. */
#include "base/bytes.h"
#include "flow/packet_walk.h"

static uint64_t pseudo_sum(const struct walk *w, uint8_t proto, uint32_t len)
{
    const struct datagram *g = w->out;
    const uint8_t tail[8] = {(uint8_t)(len >> 24),
                             (uint8_t)(len >> 16),
                             (uint8_t)(len >> 8),
                             (uint8_t)(len & 0xff),
                             0,
                             0,
                             0,
                             proto};
    size_t size = g->src.family == 6 ? 16 : 4;
    uint64_t sum = checksum_add(0, tail, sizeof tail);
    sum = checksum_add(sum, g->src.bytes, size);
    return checksum_add(sum, w->final_dst != NULL ? w->final_dst : g->dst.bytes, size);
}

/* Judges the checksum field `seen` of the segment at w->pos. What a sender left to its network card
 * holds the sum of the pseudo-header, with the length or (some, for segmentation) without. */
static enum checksum judge(const struct walk *w, uint8_t proto, uint16_t seen)
{
    if (w->end != w->wire_end || w->ignore_checksums)
        return CHECKSUM_UNKNOWN;
    uint32_t len = w->end - w->pos;
    uint64_t pseudo = pseudo_sum(w, proto, len);
    if (checksum_fold(checksum_add(pseudo, w->base + w->pos, len)) == 0xffff)
        return CHECKSUM_OK;
    if (seen == checksum_fold(pseudo) || seen == checksum_fold(pseudo_sum(w, proto, 0)))
        return CHECKSUM_PARTIAL;
    return CHECKSUM_BAD;
}

/* Options that matter when the connection opens count in SYN only (RFC 9293 section 3.2). */
static void read_syn_option(struct datagram *g, const uint8_t *p)
{
    switch (p[0]) {
    case 2:
        if (p[1] == 4)
            g->mss = load_u16be(p + 2);
        break;
    case 3: /* RFC 7323 section 2.3: more than 14 means 14 */
        if (p[1] == 3)
            g->window_scale = p[2] < 14 ? p[2] : 14;
        break;
    case 4:
        g->sack_permitted = p[1] == 2;
        break;
    default:
        break;
    }
}

static void read_timestamps(struct datagram *g, const uint8_t *p)
{
    g->has_timestamps = true;
    g->tsval = load_u32be(p);
    g->tsecr = load_u32be(p + 4);
}

static void read_options(struct datagram *g, const uint8_t *p, uint32_t len)
{
    if (len == 12 && load_u32be(p) == 0x0101080a) { /* the usual case: two fillers and timestamps */
        read_timestamps(g, p + 4);
        return;
    }
    while (len > 0 && p[0] != 0) {
        uint32_t size = p[0] == 1 ? 1 : len > 1 ? p[1] : 0;
        if (size == 0 || size > len || (size < 2 && p[0] != 1))
            return;
        if (p[0] == 8 && size == 10)
            read_timestamps(g, p + 2);
        else if (p[0] == 19 || p[0] == 29)
            g->tcp_signed = true;
        else if (p[0] != 1 && (g->tcp_flags & TCP_SYN) != 0)
            read_syn_option(g, p);
        p += size;
        len -= size;
    }
}

/* RFC 9293 section 3.1. */
enum skip layer_tcp(struct walk *w)
{
    enum skip why = walk_need(w, 20);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    uint32_t header = (uint32_t)(p[12] >> 4) * 4;
    if (header < 20)
        return SKIP_MALFORMED;
    if ((why = walk_need(w, header)) != SKIP_NONE)
        return why;
    struct datagram *g = w->out;
    g->sport = load_u16be(p);
    g->dport = load_u16be(p + 2);
    g->seq = load_u32be(p + 4);
    g->ack = load_u32be(p + 8);
    g->tcp_flags = p[13];
    g->window = load_u16be(p + 14);
    g->urgent = load_u16be(p + 18);
    if (header > 20)
        read_options(g, p + 20, header - 20);
    enum checksum checksum = judge(w, IP_PROTO_TCP, load_u16be(p + 16));
    w->pos += header;
    walk_finish(w, IP_PROTO_TCP, w->outer_bad ? CHECKSUM_BAD : checksum);
    return SKIP_NONE;
}

static enum checksum judge_udp(const struct walk *w, uint16_t seen)
{
    if (seen != 0)
        return judge(w, IP_PROTO_UDP, seen);
    /* None sent. IPv6 receivers drop that (RFC 8200 section 8.1), but for tunnels (RFC 6935). */
    return w->out->src.family == 4 || w->ignore_checksums ? CHECKSUM_UNKNOWN : CHECKSUM_BAD;
}

/* RFC 768; a length of 0 is an IPv6 jumbogram (RFC 2675) or a super-packet. */
enum skip layer_udp(struct walk *w)
{
    enum skip why = walk_need(w, 8);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    uint32_t len = load_u16be(p + 4), wire = w->wire_end - w->pos;
    if (len == 0 && (w->out->src.family == 6 || wire > UINT16_MAX))
        len = wire;
    uint32_t have = w->end - w->pos;
    if (len < 8 || !walk_trim(w, len))
        return SKIP_MALFORMED;
    struct datagram *g = w->out;
    g->surplus_len = have > len ? have - len : 0;
    g->sport = load_u16be(p);
    g->dport = load_u16be(p + 2);
    enum checksum checksum = judge_udp(w, load_u16be(p + 6));
    w->pos += 8;
    walk_finish(w, IP_PROTO_UDP, w->outer_bad ? CHECKSUM_BAD : checksum);
    if (tunnel_in_udp(w)) {
        bool no_sum = load_u16be(p + 6) == 0;
        w->outer_bad = w->outer_bad || (checksum == CHECKSUM_BAD && !no_sum);
    }
    return SKIP_NONE;
}
