/* fragment.h - puts IPv4 and IPv6 datagrams together from their fragments, as a Linux receiver
 * does.
 *
 * Rules (Linux 5.0 and later, net/ipv4/inet_fragment.c in behaviour; RFC 791, RFC 8200 section 4.5,
 * RFC 5722): any order; a fragment that lies wholly inside a stretch already received is a
 * duplicate and ignored; any other overlap, a second end that differs, bytes behind the end, or an
 * empty fragment throws the whole datagram away. A thrown-away identification may start anew.
 */
#ifndef FLOW_FRAGMENT_H
#define FLOW_FRAGMENT_H

#include "flow/packet.h"

/* fragment is one fragment: `len` captured bytes of the `wire_len` at offset `off`. */
struct fragment {
    struct address src, dst;
    uint32_t id;
    uint64_t network; /* VLAN and tunnel it came in: fragments of different networks never meet */
    uint8_t proto;    /* IPv4: protocol; IPv6: next header of the fragment header */
    uint8_t ttl;
    bool more;    /* not the last */
    uint32_t off; /* bytes, multiple of 8 */
    uint32_t len;
    uint32_t wire_len;
    const uint8_t *bytes;
    const struct piece *pieces; /* where bytes came from, in order and without holes */
    size_t n_pieces;
    uint32_t pieces_off; /* of bytes[0], as the pieces count */
    uint64_t time_ns;
};

/* assembled is a whole datagram, valid until fragments_release. */
struct assembled {
    const uint8_t *bytes;
    uint32_t len;
    uint8_t proto; /* of the first fragment */
    uint8_t ttl;
    bool conflict;
    const struct piece *pieces;
    size_t n_pieces;
};

struct fragments;

/* fragments_new: see decoder_new. `counts` takes the counts of fragments and must outlive it. */
struct fragments *fragments_new(const struct decoder_limits *limits, abandon_fn *on_abandon,
                                void *receiver, struct decoder_counts *counts);
void fragments_free(struct fragments *f);

/* fragments_add keeps a fragment. SKIP_NONE: it was the last one missing and *out is set; else why
 * there is nothing. */
enum skip fragments_add(struct fragments *f, const struct fragment *in, struct assembled *out);

/* fragments_release frees what fragments_add gave out. */
void fragments_release(struct fragments *f);

/* fragments_expire: see decoder_expire. */
size_t fragments_expire(struct fragments *f, uint64_t now_ns);

#endif
