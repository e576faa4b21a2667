/* packet_tunnel.c - what carries packets inside packets: GRE, VXLAN, GENEVE, GTP-U, Teredo. */
#include "base/bytes.h"
#include "flow/packet_walk.h"

enum {
    PORT_GTP_U = 2152,
    PORT_TEREDO = 3544,
    PORT_VXLAN = 4789,
    PORT_GENEVE = 6081,
    PORT_VXLAN_OLD = 8472,
    TYPE_IP4 = 0x0800,
    TYPE_ARP = 0x0806,
    TYPE_BRIDGED = 0x6558,
    TYPE_VLAN = 0x8100,
    TYPE_IP6 = 0x86dd,
    TYPE_PPP = 0x880b,
    TYPE_QINQ = 0x88a8,
    TYPE_ERSPAN2 = 0x88be,
    TYPE_ERSPAN3 = 0x22eb
};

enum skip tunnel_enter(struct walk *w)
{
    if (w->out->tunnel_depth == TUNNEL_DEPTH_MAX)
        return SKIP_DEPTH;
    w->out->tunnel_depth++;
    return SKIP_NONE;
}

bool plausible_ip(const struct walk *w, uint32_t pos)
{
    if (pos > w->end || w->end - pos < 20)
        return false;
    const uint8_t *p = w->base + pos;
    uint32_t wire = w->wire_end - pos;
    if (p[0] >> 4 == 6)
        return w->end - pos >= 40 && load_u16be(p + 4) <= wire - 40;
    uint32_t header = (p[0] & 15u) * 4, total = load_u16be(p + 2);
    if (p[0] >> 4 != 4 || header < 20 || header > w->end - pos || total > wire ||
        (total != 0 && total < header))
        return false;
    return load_u16be(p + 10) == 0 || w->ignore_checksums ||
           checksum_fold(checksum_add(0, p, header)) == 0xffff;
}

/* An Ethernet header, up to two tags, and IP that fits or ARP for IPv4 over Ethernet. */
bool plausible_ethernet(const struct walk *w, uint32_t pos)
{
    if (pos > w->end || w->end - pos < 14)
        return false;
    uint16_t type = load_u16be(w->base + pos + 12);
    pos += 14;
    for (unsigned tags = 0; tags < 2 && (type == TYPE_VLAN || type == TYPE_QINQ); tags++) {
        if (w->end - pos < 4)
            return false;
        type = load_u16be(w->base + pos + 2);
        pos += 4;
    }
    if (type == TYPE_ARP)
        return w->end - pos >= 8 && load_u32be(w->base + pos) == 0x00010800;
    return (type == TYPE_IP4 || type == TYPE_IP6) && plausible_ip(w, pos) &&
           (w->base[pos] >> 4 == 4) == (type == TYPE_IP4);
}

/* Length of the optional words of a GRE header, RFC 2784, RFC 2890; PPTP has version 1 (RFC 2637).
 */
static uint32_t gre_options(unsigned flags)
{
    uint32_t len = (flags & 0x8000) != 0 ? 4 : 0;
    len += (flags & 0x2000) != 0 ? 4 : 0;
    len += (flags & 0x1000) != 0 ? 4 : 0;
    if ((flags & 7) == 1)
        len += (flags & 0x0080) != 0 ? 4 : 0;
    return len;
}

static enum skip gre_payload(struct walk *w, unsigned flags, uint16_t type)
{
    uint32_t extra = 0;
    if (type == TYPE_ERSPAN2)
        extra = (flags & 0x1000) != 0 ? 8 : 0; /* type I has no header of its own */
    else if (type == TYPE_ERSPAN3)
        extra = 12;
    else
        return walk_ether_type(w, type);
    enum skip why = walk_need(w, extra);
    if (why != SKIP_NONE)
        return why;
    if (type == TYPE_ERSPAN3 && (w->base[w->pos + 11] & 1) != 0)
        extra += 8;
    if ((why = walk_need(w, extra)) != SKIP_NONE)
        return why;
    w->pos += extra;
    w->next = layer_ethernet;
    return SKIP_NONE;
}

enum skip layer_gre(struct walk *w)
{
    enum skip why = walk_need(w, 4);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    unsigned flags = load_u16be(p);
    uint16_t type = load_u16be(p + 2);
    if ((flags & 7) > 1 || (flags & 0x4000) != 0)
        return SKIP_NOT_IP;
    uint32_t options = gre_options(flags);
    if ((why = walk_need(w, 4 + options)) != SKIP_NONE)
        return why;
    if ((flags & 0x8000) != 0 && w->end == w->wire_end && !w->ignore_checksums &&
        checksum_fold(checksum_add(0, p, w->end - w->pos)) != 0xffff)
        w->outer_bad = true;
    if ((flags & 0x2000) != 0)
        w->out->tunnel_id = load_u32be(p + 4 + ((flags & 0x8000) != 0 ? 4 : 0));
    w->pos += 4 + options;
    if ((flags & 7) == 1 && w->pos == w->wire_end)
        return SKIP_NOT_IP; /* an acknowledgement only */
    if ((why = tunnel_enter(w)) != SKIP_NONE)
        return why;
    return gre_payload(w, flags, type);
}

/* RFC 3378. */
enum skip layer_ether_ip(struct walk *w)
{
    enum skip why = walk_need(w, 2);
    if (why != SKIP_NONE)
        return why;
    if (w->base[w->pos] != 0x30)
        return SKIP_NOT_IP;
    w->pos += 2;
    w->next = layer_ethernet;
    return tunnel_enter(w);
}

/* inner is what a tunnel header says: where the packet inside begins and who reads it. */
struct inner {
    uint32_t pos;
    uint32_t id;
    layer_fn *next;
};

/* RFC 7348 section 5. */
static bool find_vxlan(const struct walk *w, const uint8_t *p, uint32_t len, struct inner *in)
{
    if (len < 8 || (p[0] & 0x08) == 0 || (p[0] & 0x01) != 0)
        return false;
    *in = (struct inner){w->pos + 8, load_u32be(p + 4) >> 8, layer_ethernet};
    return true;
}

/* RFC 8926 section 3.4. */
static bool find_geneve(const struct walk *w, const uint8_t *p, uint32_t len, struct inner *in)
{
    if (len < 8 || p[0] >> 6 != 0)
        return false;
    uint16_t type = load_u16be(p + 2);
    *in = (struct inner){w->pos + 8 + (p[0] & 0x3fu) * 4, load_u32be(p + 4) >> 8, layer_ethernet};
    if (type == TYPE_IP4 || type == TYPE_IP6)
        in->next = type == TYPE_IP4 ? layer_ip4 : layer_ip6;
    return type == TYPE_IP4 || type == TYPE_IP6 || type == TYPE_BRIDGED;
}

/* 3GPP TS 29.281 section 5.1: a user packet (message type 255), with extension headers. */
static bool find_gtp(const struct walk *w, const uint8_t *p, uint32_t len, struct inner *in)
{
    if (len < 8 || (p[0] & 0xf0) != 0x30 || p[1] != 255)
        return false;
    uint32_t at = 8;
    if ((p[0] & 7) != 0) {
        if (len < 12)
            return false;
        at = 12;
        uint8_t next = (p[0] & 4) != 0 ? p[11] : 0;
        for (unsigned n = 0; next != 0; n++) {
            if (n > 8 || at >= len || p[at] == 0 || p[at] * 4u > len - at)
                return false;
            at += p[at] * 4u;
            next = p[at - 1];
        }
    }
    if (at >= len)
        return false;
    *in = (struct inner){w->pos + at, load_u32be(p + 4), p[at] >> 4 == 4 ? layer_ip4 : layer_ip6};
    return true;
}

/* RFC 4380 section 5.1.1: authentication and origin, both optional, then IPv6. */
static bool find_teredo(const struct walk *w, const uint8_t *p, uint32_t len, struct inner *in)
{
    uint32_t at = 0;
    if (len >= 4 && p[0] == 0 && p[1] == 1) {
        at = 13u + p[2] + p[3];
    }
    if (len >= 8 && at <= len - 8 && p[at] == 0 && p[at + 1] == 0)
        at += 8;
    if (at >= len || p[at] >> 4 != 6)
        return false;
    *in = (struct inner){w->pos + at, 0, layer_ip6};
    return true;
}

static bool find_inner(const struct walk *w, struct inner *in)
{
    const uint8_t *p = w->base + w->pos;
    uint32_t len = w->end - w->pos;
    switch (w->out->dport) {
    case PORT_VXLAN:
    case PORT_VXLAN_OLD:
        return find_vxlan(w, p, len, in);
    case PORT_GENEVE:
        return find_geneve(w, p, len, in);
    case PORT_GTP_U:
        return find_gtp(w, p, len, in);
    case PORT_TEREDO:
        return find_teredo(w, p, len, in);
    default:
        return w->out->sport == PORT_TEREDO && find_teredo(w, p, len, in);
    }
}

bool tunnel_in_udp(struct walk *w)
{
    struct inner in;
    if (w->out->tunnel_depth == TUNNEL_DEPTH_MAX || !find_inner(w, &in) || in.pos > w->end)
        return false;
    bool ethernet = in.next == layer_ethernet;
    if (!(ethernet ? plausible_ethernet(w, in.pos) : plausible_ip(w, in.pos)))
        return false;
    if (!ethernet && (w->base[in.pos] >> 4 == 4) != (in.next == layer_ip4))
        return false;
    *w->fallback = *w->out;
    w->has_fallback = true;
    w->out->tunnel_id = in.id;
    w->pos = in.pos;
    w->next = in.next;
    return tunnel_enter(w) == SKIP_NONE;
}
