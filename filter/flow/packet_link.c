/* packet_link.c - link layers, tags and labels down to IP. */
#include "base/bytes.h"
#include "flow/packet_walk.h"

enum {
    ETHER_IP4 = 0x0800,
    ETHER_ARP = 0x0806,
    ETHER_RARP = 0x8035,
    ETHER_BRIDGED = 0x6558, /* transparent Ethernet bridging */
    ETHER_VLAN = 0x8100,
    ETHER_IP6 = 0x86dd,
    ETHER_PPP = 0x880b,
    ETHER_MPLS = 0x8847,
    ETHER_MPLS_UPSTREAM = 0x8848,
    ETHER_PPPOE_SESSION = 0x8864,
    ETHER_QINQ = 0x88a8,
    ETHER_MACSEC = 0x88e5,
    ETHER_QINQ_OLD = 0x9100,
    ETHER_QINQ_OLD2 = 0x9200,
    ETHER_QINQ_OLD3 = 0x9300,
    ETHER_LENGTH_MAX = 1500 /* a type field up to here is the length of an LLC frame */
};

static layer_fn layer_vlan, layer_llc, layer_pppoe, layer_macsec, layer_cooked, layer_cooked2,
    layer_null, layer_raw, layer_hdlc;

enum skip walk_ether_type(struct walk *w, uint16_t type)
{
    w->ether_type = type;
    switch (type) {
    case ETHER_IP4:
        w->next = layer_ip4;
        return SKIP_NONE;
    case ETHER_IP6:
        w->next = layer_ip6;
        return SKIP_NONE;
    case ETHER_VLAN:
    case ETHER_QINQ:
    case ETHER_QINQ_OLD:
    case ETHER_QINQ_OLD2:
    case ETHER_QINQ_OLD3:
        w->next = layer_vlan;
        return SKIP_NONE;
    case ETHER_MPLS:
    case ETHER_MPLS_UPSTREAM:
        w->next = layer_mpls;
        return SKIP_NONE;
    case ETHER_PPPOE_SESSION:
        w->next = layer_pppoe;
        return SKIP_NONE;
    case ETHER_PPP:
        w->next = layer_ppp;
        return SKIP_NONE;
    case ETHER_BRIDGED:
        w->next = layer_ethernet;
        return SKIP_NONE;
    case ETHER_MACSEC:
        w->next = layer_macsec;
        return SKIP_NONE;
    case ETHER_ARP:
    case ETHER_RARP:
        return SKIP_ARP;
    default:
        return SKIP_NOT_IP;
    }
}

static enum skip type_or_length(struct walk *w, uint16_t type)
{
    if (type > ETHER_LENGTH_MAX)
        return walk_ether_type(w, type);
    if (!walk_trim(w, type))
        return SKIP_MALFORMED;
    w->next = layer_llc;
    return SKIP_NONE;
}

enum skip layer_ethernet(struct walk *w)
{
    enum skip why = walk_need(w, 14);
    if (why != SKIP_NONE)
        return why;
    uint16_t type = load_u16be(w->base + w->pos + 12);
    w->pos += 14;
    return type_or_length(w, type);
}

static enum skip layer_vlan(struct walk *w)
{
    enum skip why = walk_need(w, 4);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    if (w->out->vlan == 0)
        w->out->vlan = load_u16be(p) & 0x0fff;
    w->pos += 4;
    return type_or_length(w, load_u16be(p + 2));
}

/* IEEE 802.2 LLC with SNAP (RFC 1042), or IP by its own access point. */
static enum skip layer_llc(struct walk *w)
{
    enum skip why = walk_need(w, 3);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    if (p[0] == 0x06 && p[1] == 0x06) {
        w->pos += 3;
        return walk_ether_type(w, ETHER_IP4);
    }
    if (p[0] != 0xaa || p[1] != 0xaa || p[2] != 0x03)
        return SKIP_NOT_IP;
    why = walk_need(w, 8);
    if (why != SKIP_NONE)
        return why;
    bool plain = p[3] == 0 && p[4] == 0 && (p[5] == 0 || p[5] == 0xf8);
    w->pos += 8;
    return plain ? walk_ether_type(w, load_u16be(p + 6)) : SKIP_NOT_IP;
}

/* IEEE 802.1AE: opened when it protects integrity only. The check value behind is trimmed by IP. */
static enum skip layer_macsec(struct walk *w)
{
    enum skip why = walk_need(w, 6);
    if (why != SKIP_NONE)
        return why;
    uint8_t tag = w->base[w->pos];
    if ((tag & 0x0c) != 0)
        return SKIP_ENCRYPTED;
    uint32_t len = (tag & 0x20) != 0 ? 14 : 6;
    why = walk_need(w, len + 2);
    if (why != SKIP_NONE)
        return why;
    w->pos += len + 2;
    return walk_ether_type(w, load_u16be(w->base + w->pos - 2));
}

/* Labels say nothing of what they carry: the first nibble and the fit of the header must do (RFC
 * 4928). */
enum skip layer_mpls(struct walk *w)
{
    enum skip why;
    unsigned labels = 0;
    do {
        if ((why = walk_need(w, 4)) != SKIP_NONE)
            return why;
        w->pos += 4;
        if (++labels > 16)
            return SKIP_DEPTH;
    } while ((w->base[w->pos - 2] & 1) == 0);
    if ((why = walk_need(w, 1)) != SKIP_NONE)
        return why;
    unsigned nibble = w->base[w->pos] >> 4;
    if ((nibble == 4 || nibble == 6) && plausible_ip(w, w->pos)) {
        w->next = nibble == 4 ? layer_ip4 : layer_ip6;
    } else if (plausible_ethernet(w, w->pos)) {
        w->next = layer_ethernet;
    } else if (nibble == 0 && w->end - w->pos > 4 && plausible_ethernet(w, w->pos + 4)) {
        w->pos += 4; /* pseudowire control word, RFC 4385 */
        w->next = layer_ethernet;
    } else {
        return SKIP_NOT_IP;
    }
    return SKIP_NONE;
}

/* RFC 2516 section 4, session stage. */
static enum skip layer_pppoe(struct walk *w)
{
    enum skip why = walk_need(w, 6);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    if (p[0] != 0x11 || p[1] != 0)
        return SKIP_NOT_IP;
    w->pos += 6;
    if (!walk_trim(w, load_u16be(p + 4)))
        return SKIP_MALFORMED;
    w->next = layer_ppp;
    return SKIP_NONE;
}

/* RFC 1661, with the address and control bytes of RFC 1662 or without, protocol compressed or not.
 */
enum skip layer_ppp(struct walk *w)
{
    enum skip why = walk_need(w, 1);
    if (why == SKIP_NONE && w->base[w->pos] == 0xff) {
        if ((why = walk_need(w, 2)) != SKIP_NONE)
            return why;
        w->pos += w->base[w->pos + 1] == 0x03 ? 2 : 0;
        why = walk_need(w, 1);
    }
    if (why != SKIP_NONE)
        return why;
    unsigned proto = w->base[w->pos++];
    if ((proto & 1) == 0) {
        if ((why = walk_need(w, 1)) != SKIP_NONE)
            return why;
        proto = proto << 8 | w->base[w->pos++];
    }
    switch (proto) {
    case 0x21:
        return walk_ether_type(w, ETHER_IP4);
    case 0x57:
        return walk_ether_type(w, ETHER_IP6);
    case 0x281:
        return walk_ether_type(w, ETHER_MPLS);
    case 0x53: /* encryption control */
    case 0xfd: /* compressed, or encrypted by MPPE */
        return SKIP_ENCRYPTED;
    default:
        return SKIP_NOT_IP;
    }
}

static enum skip cooked_type(struct walk *w, uint16_t type)
{
    enum {
        COOKED_802_3 = 1,
        COOKED_802_2 = 4
    };
    if (type == COOKED_802_2) {
        w->next = layer_llc;
        return SKIP_NONE;
    }
    if (type == COOKED_802_3)
        return SKIP_NOT_IP;
    return type > ETHER_LENGTH_MAX ? walk_ether_type(w, type) : SKIP_NOT_IP;
}

static enum skip layer_cooked(struct walk *w)
{
    enum skip why = walk_need(w, 16);
    if (why != SKIP_NONE)
        return why;
    w->pos += 16;
    return cooked_type(w, load_u16be(w->base + w->pos - 2));
}

static enum skip layer_cooked2(struct walk *w)
{
    enum skip why = walk_need(w, 20);
    if (why != SKIP_NONE)
        return why;
    w->pos += 20;
    return cooked_type(w, load_u16be(w->base + w->pos - 20));
}

/* BSD loopback: a family number in the byte order of the host that captured. */
static enum skip layer_null(struct walk *w)
{
    enum skip why = walk_need(w, 4);
    if (why != SKIP_NONE)
        return why;
    uint32_t family = load_u32be(w->base + w->pos);
    if (family > 0xffff)
        family = load_u32le(w->base + w->pos);
    w->pos += 4;
    switch (family) {
    case 2:
        return walk_ether_type(w, ETHER_IP4);
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        return walk_ether_type(w, ETHER_IP6);
    default:
        return SKIP_NOT_IP;
    }
}

static enum skip layer_raw(struct walk *w)
{
    enum skip why = walk_need(w, 1);
    if (why != SKIP_NONE)
        return why;
    unsigned version = w->base[w->pos] >> 4;
    if (version != 4 && version != 6)
        return SKIP_NOT_IP;
    return walk_ether_type(w, version == 4 ? ETHER_IP4 : ETHER_IP6);
}

/* Cisco HDLC, or PPP in HDLC framing. */
static enum skip layer_hdlc(struct walk *w)
{
    enum skip why = walk_need(w, 4);
    if (why != SKIP_NONE)
        return why;
    const uint8_t *p = w->base + w->pos;
    if (p[0] == 0xff) {
        w->next = layer_ppp;
        return SKIP_NONE;
    }
    w->pos += 4;
    return p[0] == 0x0f || p[0] == 0x8f ? walk_ether_type(w, load_u16be(p + 2)) : SKIP_NOT_IP;
}

/* pppd writes the direction where the address byte was. */
static enum skip layer_pppd(struct walk *w)
{
    enum skip why = walk_need(w, 2);
    if (why != SKIP_NONE)
        return why;
    w->pos += w->base[w->pos + 1] == 0x03 ? 2 : 1;
    w->next = layer_ppp;
    return SKIP_NONE;
}

enum skip walk_link(struct walk *w, uint16_t link_type)
{
    static const struct {
        uint16_t link_type;
        layer_fn *layer;
    } layers[] = {
        {LINK_ETHERNET, layer_ethernet},
        {101, layer_raw}, /* LINKTYPE_RAW, and DLT_RAW of several systems */
        {12, layer_raw},
        {14, layer_raw},
        {228, layer_raw}, /* LINKTYPE_IPV4, LINKTYPE_IPV6 */
        {229, layer_raw},
        {113, layer_cooked},
        {276, layer_cooked2},
        {0, layer_null}, /* LINKTYPE_NULL, LINKTYPE_LOOP */
        {108, layer_null},
        {9, layer_ppp},
        {50, layer_hdlc}, /* PPP_HDLC */
        {51, layer_pppoe},
        {104, layer_hdlc}, /* C_HDLC */
        {166, layer_pppd},
    };
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        if (layers[i].link_type == link_type) {
            w->next = layers[i].layer;
            return SKIP_NONE;
        }
    }
    return SKIP_LINK_TYPE;
}
