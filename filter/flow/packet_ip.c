/* packet_ip.c - IPv4, IPv6 with its extension headers, and their fragments. */
#include "base/bytes.h"
#include "flow/packet_walk.h"

enum {
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_ESP = 50,
    NEXT_AH = 51,
    NEXT_NONE = 59,
    NEXT_DESTINATION = 60,
    NEXT_MOBILITY = 135,
    NEXT_HIP = 139,
    NEXT_SHIM6 = 140,
    IP6_HEADERS_MAX = 16
};

static uint64_t network_of(const struct datagram *g)
{
    return (uint64_t)g->vlan << 40 | (uint64_t)g->tunnel_depth << 32 | g->tunnel_id;
}

/* Keeps what is at w->pos as a fragment; when it completes a datagram, the walk goes on in that. */
static enum skip take_fragment(struct walk *w, uint32_t id, uint32_t off, bool more, uint8_t proto)
{
    struct fragment in = {
        .src = w->out->src,
        .dst = w->out->dst,
        .id = id,
        .network = network_of(w->out),
        .proto = proto,
        .ttl = w->out->ttl,
        .more = more,
        .off = off,
        .len = w->end - w->pos,
        .wire_len = w->wire_end - w->pos,
        .bytes = w->base + w->pos,
        .pieces = w->pieces,
        .n_pieces = w->n_pieces,
        .pieces_off = w->pos,
        .time_ns = w->packet->time_ns,
    };
    struct assembled whole;
    enum skip why = fragments_add(w->fragments, &in, &whole);
    if (why != SKIP_NONE)
        return why;
    w->base = whole.bytes;
    w->pos = 0;
    w->end = w->wire_end = whole.len;
    w->pieces = whole.pieces;
    w->n_pieces = whole.n_pieces;
    w->proto = whole.proto;
    w->out->ttl = whole.ttl;
    w->out->reassembled = true;
    w->out->fragment_conflict = w->out->fragment_conflict || whole.conflict;
    return SKIP_NONE;
}

static enum skip check_ip4_sum(struct walk *w, const uint8_t *p, uint32_t header)
{
    w->out->ip_checksum = w->ignore_checksums ? CHECKSUM_UNKNOWN : CHECKSUM_OK;
    if (w->ignore_checksums)
        return SKIP_NONE;
    if (checksum_fold(checksum_add(0, p, header)) == 0xffff)
        return SKIP_NONE;
    w->out->ip_checksum = CHECKSUM_PARTIAL;
    return load_u16be(p + 10) == 0 ? SKIP_NONE : SKIP_IP_CHECKSUM;
}

/* RFC 791 section 3.1. */
enum skip layer_ip4(struct walk *w)
{
    enum skip why = walk_need(w, 20);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    uint32_t header = (p[0] & 15u) * 4, total = load_u16be(p + 2);
    if (p[0] >> 4 != 4 || header < 20)
        return SKIP_MALFORMED;
    if (total == 0) /* a super-packet longer than the field can say */
        total = w->wire_end - w->pos;
    if (total < header || !walk_trim(w, total))
        return SKIP_MALFORMED;
    if ((why = walk_need(w, header)) != SKIP_NONE)
        return why;
    if ((why = check_ip4_sum(w, p, header)) != SKIP_NONE)
        return why;
    w->out->ip = p;
    w->out->src = address_v4(p + 12);
    w->out->dst = address_v4(p + 16);
    w->out->ttl = p[8];
    w->proto = p[9];
    w->final_dst = NULL;
    w->pos += header;
    unsigned fragment = load_u16be(p + 6);
    if ((fragment & 0x3fff) != 0) {
        why = take_fragment(w, load_u16be(p + 4), (fragment & 0x1fffu) * 8,
                            (fragment & 0x2000) != 0, w->proto);
        if (why != SKIP_NONE)
            return why;
    }
    return walk_ip_proto(w, w->proto);
}

/* RFC 8200 section 3. A payload length of 0 is a jumbogram (RFC 2675) or a super-packet. */
enum skip layer_ip6(struct walk *w)
{
    enum skip why = walk_need(w, 40);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    uint32_t len = load_u16be(p + 4);
    if (p[0] >> 4 != 6)
        return SKIP_MALFORMED;
    w->pos += 40;
    if (len == 0 && p[6] != NEXT_NONE)
        len = w->wire_end - w->pos;
    if (!walk_trim(w, len))
        return SKIP_MALFORMED;
    w->out->ip = p;
    w->out->src = address_v6(p + 8);
    w->out->dst = address_v6(p + 24);
    w->out->ttl = p[7];
    w->out->ip_checksum = CHECKSUM_UNKNOWN;
    w->proto = p[6];
    w->final_dst = NULL;
    w->next = layer_ip6_chain;
    return SKIP_NONE;
}

/* While segments are left, checksums are made with the last address of the way (RFC 8200 8.1). */
static void read_routing(struct walk *w, const uint8_t *p, uint32_t len)
{
    uint32_t n = (len - 8) / 16, last = 0;
    if (p[3] == 0 || n == 0)
        return;
    if (p[2] == 0)
        last = n - 1;
    else if (p[2] != 2 && p[2] != 4)
        return;
    w->final_dst = p + 8 + 16 * last;
}

/* RFC 8200 section 4.5; one that is the whole datagram (RFC 6946) is no fragment. */
static enum skip read_fragment_header(struct walk *w)
{
    enum skip why = walk_need(w, 8);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    uint32_t off = load_u16be(p + 2) & 0xfff8u;
    bool more = (p[3] & 1) != 0;
    w->proto = p[0];
    w->pos += 8;
    return off == 0 && !more ? SKIP_NONE : take_fragment(w, load_u32be(p + 4), off, more, p[0]);
}

static enum skip pass_header(struct walk *w, uint32_t len)
{
    enum skip why = walk_need(w, len);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    if (w->proto == NEXT_ROUTING)
        read_routing(w, p, len);
    w->proto = p[0];
    w->pos += len;
    return SKIP_NONE;
}

/* The extension headers from w->pos on; w->proto says what the first is. */
enum skip layer_ip6_chain(struct walk *w)
{
    for (unsigned headers = 0; headers < IP6_HEADERS_MAX; headers++) {
        enum skip why;
        switch (w->proto) {
        case NEXT_HOP_BY_HOP:
        case NEXT_ROUTING:
        case NEXT_DESTINATION:
        case NEXT_MOBILITY:
        case NEXT_HIP:
        case NEXT_SHIM6:
            if ((why = walk_need(w, 8)) == SKIP_NONE)
                why = pass_header(w, (w->base[w->pos + 1] + 1u) * 8);
            break;
        case NEXT_FRAGMENT:
            why = read_fragment_header(w);
            break;
        default:
            return walk_ip_proto(w, w->proto);
        }
        if (why != SKIP_NONE)
            return why;
    }
    return SKIP_DEPTH;
}

/* RFC 4302: protects, does not hide. */
static enum skip layer_ah(struct walk *w)
{
    enum skip why = walk_need(w, 12);
    if (why == SKIP_NONE)
        why = walk_need(w, (w->base[w->pos + 1] + 2u) * 4);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    w->proto = p[0];
    w->pos += (p[1] + 2u) * 4;
    if (w->out->src.family == 4)
        return walk_ip_proto(w, w->proto);
    w->next = layer_ip6_chain;
    return SKIP_NONE;
}

static enum skip unopened(struct walk *w, uint8_t proto, enum skip why)
{
    walk_finish(w, proto, CHECKSUM_UNKNOWN);
    return why;
}

static enum skip enter(struct walk *w, layer_fn *next)
{
    w->next = next;
    return tunnel_enter(w);
}

enum skip walk_ip_proto(struct walk *w, uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_TCP:
        w->next = layer_tcp;
        return SKIP_NONE;
    case IP_PROTO_UDP:
        w->next = layer_udp;
        return SKIP_NONE;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMP6:
        return unopened(w, proto, SKIP_ICMP);
    case 4: /* IPv4 in IP, RFC 2003 */
        return enter(w, layer_ip4);
    case 41: /* IPv6 in IP, RFC 4213 and RFC 2473 */
        return enter(w, layer_ip6);
    case 47:
        w->next = layer_gre;
        return SKIP_NONE;
    case 97:
        w->next = layer_ether_ip;
        return SKIP_NONE;
    case 137: /* MPLS in IP, RFC 4023 */
        return enter(w, layer_mpls);
    case NEXT_AH:
        w->next = layer_ah;
        return SKIP_NONE;
    case NEXT_ESP:
        return unopened(w, proto, SKIP_ENCRYPTED);
    default:
        return unopened(w, proto, SKIP_IP_PROTOCOL);
    }
}
