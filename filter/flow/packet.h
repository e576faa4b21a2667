/* packet.h - from a captured frame to the innermost IP datagram and its TCP or UDP payload.
 *
 * Opens link layers, tags, labels, tunnels and fragments as a Linux receiver would, and says why
 * when there is nothing to inspect. Knows nothing of flows or of what payloads mean. A decoder
 * belongs to one worker; there are no globals.
 */
#ifndef FLOW_PACKET_H
#define FLOW_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/packet.h"
#include "base/status.h"

enum {
    IP_PROTO_ICMP = 1,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_ICMP6 = 58,
    IP_PROTO_SCTP = 132
};

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80
};

enum {
    TUNNEL_DEPTH_MAX = 4,   /* tunnels opened inside each other */
    WINDOW_SCALE_NONE = 255 /* datagram.window_scale when the option is absent */
};

/* What the TCP or UDP checksum says. An outer checksum (tunnel) that is bad makes the inner one bad
 * too: no receiver would see it. */
enum checksum {
    CHECKSUM_OK,
    CHECKSUM_BAD,     /* a receiver drops this */
    CHECKSUM_PARTIAL, /* left for the sender's network card: the pseudo-header's sum only */
    CHECKSUM_UNKNOWN /* not all bytes captured, or none sent (UDP over IPv4: 0), or protocol without
                      */
};

/* Why a packet gives no TCP or UDP payload. */
enum skip {
    SKIP_NONE,
    SKIP_LINK_TYPE,          /* capture of a link this code does not know */
    SKIP_TRUNCATED,          /* the capture cut headers, or fragments */
    SKIP_MALFORMED,          /* a header contradicts itself or the frame: a receiver drops it */
    SKIP_ARP,                /* and RARP */
    SKIP_NOT_IP,             /* another network protocol */
    SKIP_ENCRYPTED,          /* IPsec ESP: addresses and payload are given; MACsec: only why */
    SKIP_IP_CHECKSUM,        /* IPv4 header checksum is wrong: a receiver drops it */
    SKIP_FRAGMENT_WAIT,      /* a fragment, kept until the others come */
    SKIP_FRAGMENT_DUPLICATE, /* a fragment seen before */
    SKIP_FRAGMENT_OVERLAP,   /* fragments contradict each other: a receiver drops all of them */
    SKIP_FRAGMENT_LIMIT,     /* no room to keep it */
    SKIP_ICMP,               /* ICMP and ICMPv6: addresses and payload are given */
    SKIP_IP_PROTOCOL,        /* neither TCP nor UDP: addresses and payload are given */
    SKIP_DEPTH,              /* tunnels or headers nested too deep */
    SKIP_COUNT
};

/* skip_text is the reason in a few static words, for reports. */
const char *skip_text(enum skip why);

/* piece says where bytes [off, off + len) of a reassembled datagram came from. */
struct piece {
    uint32_t off;
    uint32_t len;
    uint32_t packet_off; /* in the bytes of packet `number` */
    uint32_t file;       /* as in struct packet */
    uint64_t number;
    uint64_t file_off; /* of the piece's first byte in the capture file */
};

/* datagram is the innermost IP datagram of a packet. It borrows from the packet, or from the
 * decoder when reassembled, and is dead at the next call of the decoder. */
struct datagram {
    struct address src, dst;
    uint16_t sport, dport; /* 0 when neither TCP nor UDP */
    uint8_t proto;         /* IP protocol number of the payload's header */
    uint8_t ttl;           /* or hop limit; of the first fragment when reassembled */
    uint8_t checksum;      /* enum checksum */
    uint8_t ip_checksum;   /* enum checksum of the IPv4 header: OK or PARTIAL (zero: left to the
                              card);   UNKNOWN for IPv6 */
    uint8_t tunnel_depth;  /* 0: none opened */
    uint8_t tcp_flags;     /* TCP_* */
    uint8_t window_scale;  /* shift, 0..14 (RFC 7323), or WINDOW_SCALE_NONE */
    bool sack_permitted;
    bool has_timestamps;
    bool tcp_signed;        /* MD5 or TCP-AO option: cannot be rewritten */
    bool reassembled;       /* from fragments: payload_off counts in the reassembled datagram */
    bool fragment_conflict; /* a duplicate fragment held other bytes than the first copy */
    uint16_t vlan;          /* outermost VLAN identifier, 0 when untagged */
    uint16_t window;        /* as on the wire, not scaled */
    uint16_t urgent;        /* urgent pointer; means something with TCP_URG only */
    uint16_t mss;           /* 0 when the option is absent */
    uint32_t tunnel_id; /* innermost VXLAN or GENEVE network, GTP tunnel or GRE key, 0 when none */
    uint32_t seq, ack;
    uint32_t tsval, tsecr;
    const uint8_t *payload;    /* after the TCP or UDP header; never NULL */
    uint32_t payload_len;      /* bytes of it we have */
    uint32_t wire_payload_len; /* as the IP length says; > payload_len when the capture cut it */
    uint32_t payload_off;      /* of payload in packet.bytes, or in the reassembled datagram */
    const uint8_t *ip;         /* innermost IP header, ip_len bytes with all behind it; NULL when
                                  reassembled */
    uint32_t ip_len;
    uint32_t
        surplus_len; /* UDP: bytes of the IP payload behind the UDP length, which routers forward
                        and sockets never see; right behind the payload, at most what we have */
    const struct piece *pieces; /* when reassembled: in order, without holes; else NULL */
    size_t n_pieces;
    enum skip why; /* SKIP_NONE when decoded */
};

/* datagram_place says where payload byte `pos` < payload_len was captured: the returned piece
 * starts there (off == pos, counted in the payload) and goes on as long as bytes follow each other
 * in one packet. `p` is the packet decode_packet was called with. */
struct piece datagram_place(const struct datagram *g, const struct packet *p, uint32_t pos);

/* abandoned is a datagram given up before all its fragments came, handed out so that what there is
 * can be scanned. `pieces` are in order, with holes between them where off + len < the next off;
 * bytes of piece i are at bytes + pieces[i].off. Offset 0 is the byte after the IP header (IPv6:
 * after the fragment header); `proto` is what that byte starts. */
struct abandoned {
    struct address src, dst;
    uint8_t proto;
    enum skip why;     /* SKIP_FRAGMENT_WAIT: time or end; _OVERLAP; _LIMIT: pushed out by others;
                          SKIP_TRUNCATED: all came, but the capture cut some */
    uint64_t first_ns; /* time of the first fragment that came */
    const uint8_t *bytes;
    const struct piece *pieces;
    size_t n_pieces;
    uint32_t have_len;  /* bytes there are in all pieces */
    uint32_t total_len; /* of the whole datagram, 0 when its last fragment was never seen */
};

/* abandon_fn receives an abandoned datagram; it is dead when the call returns. */
typedef void abandon_fn(void *receiver, const struct abandoned *a);

struct decoder_limits {
    uint32_t fragment_datagrams;  /* waiting at once; 0: 4096 */
    uint32_t fragment_bytes;      /* of memory for all of them; 0: 32 MiB, at least 512 KiB */
    uint32_t fragment_timeout_ms; /* of capture time, twice that for IPv6; 0: 30000, as Linux */
    bool ignore_checksums; /* for captures with altered addresses: no IPv4 header is dropped for its
                              checksum, TCP and UDP ones are CHECKSUM_UNKNOWN */
};

/* decoder_counts is what was not plain; all in packets unless said otherwise. */
struct decoder_counts {
    uint64_t packets;
    uint64_t decoded; /* gave a datagram */
    uint64_t skipped[SKIP_COUNT];
    uint64_t skipped_bytes[SKIP_COUNT]; /* captured bytes of those packets */
    uint64_t tunnelled;                 /* decoded from inside a tunnel */
    uint64_t fragments;                 /* fragments seen */
    uint64_t reassembled;               /* datagrams completed */
    uint64_t fragment_conflicts;        /* duplicates with other bytes than the first copy */
    uint64_t abandoned;                 /* datagrams given up */
    uint64_t abandoned_bytes;           /* bytes they held */
    uint64_t truncated;                 /* decoded, but with payload cut by the capture */
    uint64_t truncated_bytes;           /* how much of it is missing */
    uint64_t checksum_bad;
    uint64_t checksum_partial;
};

struct decoder;

/* decoder_new makes a decoder; NULL limits are defaults; `on_abandon` may be NULL. NULL when there
 * is no memory. Fragments take memory as they come, never above the limit. */
struct decoder *decoder_new(const struct decoder_limits *limits, abandon_fn *on_abandon,
                            void *receiver);

/* decoder_free wipes and frees; fragments still waiting are forgotten (call decoder_expire first).
 */
void decoder_free(struct decoder *d);

/* decode_packet decodes one packet into *out, valid until the next call with this decoder.
 * SKIP_NONE: out is TCP or UDP. SKIP_ICMP, SKIP_IP_PROTOCOL: addresses, proto and payload are set,
 * ports are 0. Any other reason: only why is set. on_abandon may be called meanwhile. */
enum skip decode_packet(struct decoder *d, const struct packet *p, struct datagram *out);

/* decoder_expire gives up datagrams whose first fragment is older than the timeout at `now_ns`
 * (capture time); UINT64_MAX: all of them. Each goes to on_abandon. Returns how many. */
size_t decoder_expire(struct decoder *d, uint64_t now_ns);

/* decoder_counts_get: valid as long as the decoder. */
const struct decoder_counts *decoder_counts_get(const struct decoder *d);

/* checksum_add adds bytes to an RFC 1071 sum (host order, any start value from an earlier call over
 * an even number of bytes); checksum_fold gives the 16-bit sum in network meaning, not
 * complemented. */
uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t len);
uint16_t checksum_fold(uint64_t sum);

#endif
