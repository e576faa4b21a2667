/* packet_walk.h - the inside of packet decoding: one step a header, from the outside in. */
#ifndef FLOW_PACKET_WALK_H
#define FLOW_PACKET_WALK_H

#include "flow/fragment.h"
#include "flow/packet.h"

enum {
    WALK_STEPS_MAX = 48, /* headers in one packet, all layers together */
    LINK_ETHERNET = 1
};

struct walk;

/* layer_fn reads the header at w->pos, moves over it and sets w->next to who reads what follows, or
 * to NULL when out is complete. Any reason but SKIP_NONE ends the walk. */
typedef enum skip layer_fn(struct walk *w);

/* walk is the place reached in a packet. Places count from `base`: the packet's bytes, or those of
 * a reassembled datagram. Invariant: pos <= end <= wire_end. */
struct walk {
    struct fragments *fragments;
    const struct packet *packet;
    struct datagram *out;
    layer_fn *next;
    const uint8_t *base;
    uint32_t pos;
    uint32_t end;               /* of the captured bytes of the layer */
    uint32_t wire_end;          /* of the layer on the wire */
    const struct piece *pieces; /* of base */
    size_t n_pieces;
    struct piece packet_piece; /* the only one while base is the packet */
    unsigned steps;
    uint16_t ether_type; /* for those who share a type number */
    uint8_t proto;       /* IP protocol for the transport */
    bool ignore_checksums;
    bool outer_bad;            /* an outer checksum is wrong */
    const uint8_t *final_dst;  /* IPv6 destination behind a routing header, or NULL */
    bool has_fallback;         /* a tunnel was opened that may turn out to be none */
    struct datagram *fallback; /* its UDP datagram */
};

/* walk_need says whether n bytes are there; if not, whose fault that is. */
static inline enum skip walk_need(const struct walk *w, uint32_t n)
{
    if (n <= w->end - w->pos)
        return SKIP_NONE;
    return n <= w->wire_end - w->pos ? SKIP_TRUNCATED : SKIP_MALFORMED;
}

/* walk_trim makes the layer end `len` bytes from here; false when the frame is shorter. */
static inline bool walk_trim(struct walk *w, uint32_t len)
{
    if (len > w->wire_end - w->pos)
        return false;
    w->wire_end = w->pos + len;
    if (w->end > w->wire_end)
        w->end = w->wire_end;
    return true;
}

/* walk_finish makes w->pos the payload and ends the walk. */
static inline void walk_finish(struct walk *w, uint8_t proto, enum checksum checksum)
{
    struct datagram *g = w->out;
    g->proto = proto;
    g->checksum = (uint8_t)checksum;
    g->payload = w->base + w->pos;
    g->payload_off = w->pos;
    g->payload_len = w->end - w->pos;
    g->wire_payload_len = w->wire_end - w->pos;
    g->ip_len = (uint32_t)(g->payload + g->payload_len - g->ip);
    if (g->reassembled) {
        g->pieces = w->pieces;
        g->n_pieces = w->n_pieces;
        g->ip = NULL;
        g->ip_len = 0;
    }
    w->next = NULL;
}

/* Who reads what comes after a type number; the type itself decides, nothing is read. */
enum skip walk_link(struct walk *w, uint16_t link_type);
enum skip walk_ether_type(struct walk *w, uint16_t type);
enum skip walk_ip_proto(struct walk *w, uint8_t proto);

layer_fn layer_ethernet, layer_mpls, layer_ppp;
layer_fn layer_ip4, layer_ip6, layer_ip6_chain;
layer_fn layer_gre, layer_ether_ip;
layer_fn layer_tcp, layer_udp;

/* tunnel_enter counts one tunnel more; SKIP_DEPTH when there are too many. */
enum skip tunnel_enter(struct walk *w);

/* tunnel_in_udp looks for a tunnel in the UDP payload at w->pos, whose ports are in w->out, and
 * enters it: true, w->next is set. */
bool tunnel_in_udp(struct walk *w);

/* plausible_ip and plausible_ethernet judge whether such a header at `pos` fits the layer. */
bool plausible_ip(const struct walk *w, uint32_t pos);
bool plausible_ethernet(const struct walk *w, uint32_t pos);

#endif
