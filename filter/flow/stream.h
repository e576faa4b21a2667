/* stream.h - one direction of a TCP connection, put in order as a Linux receiver would.
 *
 * What is delivered is what the receiver's socket reads:
 *  - bytes before the next expected one are old: the first copy stands, later ones are compared;
 *  - of segments that wait out of order, the one that starts earlier gives the bytes both have; one
 *    that lies wholly inside a waiting one is dropped; one that covers a waiting one replaces it
 *    (net/ipv4/tcp_input.c, tcp_data_queue_ofo);
 *  - the urgent byte is taken out of the stream (no SO_OOBINLINE), as it is by default: the place
 *    the pointer says, in whichever segment its byte comes; a later pointer moves the place as long
 *    as its byte has not come (tcp_check_urg). An urgent byte that came is taken as read at once;
 *  - a segment that a receiver would probably never see (bad checksum where good ones came before,
 * a TTL far below the connection's) waits apart: a proper segment outranks it, and it counts only
 *    once the receiver has acknowledged its bytes; or at the end, where nothing else fills its
 * place and nothing contradicts it. One that finds no room goes out aside. Bytes that disagree with
 * what was delivered are reported and given out aside, so that they are inspected too; so are
 * copies of bytes that are no longer remembered, without a report. Missing bytes are told as a gap,
 * never skipped in silence. Of a stream's anomalies 1,000 are told.
 */
#ifndef FLOW_STREAM_H
#define FLOW_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/extent.h"
#include "base/pool.h"
#include "flow/packet.h"

/* stream_sink receives what a stream has to say; `receiver` is the caller's own. Bytes are borrowed
 * for the call. */
struct stream_sink {
    /* The next bytes in order and where they came from: from.len == len. */
    void (*bytes)(void *receiver, const uint8_t *bytes, size_t len, struct run from);
    /* `missing` bytes of the stream were not captured. */
    void (*gap)(void *receiver, uint64_t missing);
    /* Bytes that are not part of the stream as the receiver reads it, but were on the wire. */
    void (*aside)(void *receiver, const uint8_t *bytes, size_t len, struct run from);
    /* Something that a well-behaved pair of hosts does not do; static text. */
    void (*anomaly)(void *receiver, const char *what, struct run at);
};

struct held;

/* stream is zeroed before use. Offsets count sequence numbers, from 2^32 at the first one seen, so
 * that an older segment still has an offset. */
struct stream {
    uint64_t next_off;     /* first offset not delivered */
    uint64_t acked;        /* one past the highest offset the peer acknowledged, 0 unknown */
    uint64_t fin_off;      /* offset of FIN, 0 not seen */
    struct held *held;     /* waiting out of order, by offset */
    struct held *doubts;   /* waiting for an acknowledgement, by arrival */
    uint8_t *recent;       /* ring of delivered bytes, to compare with later copies */
    uint64_t recent_from;  /* first offset in the ring */
    uint64_t delivered;    /* bytes given to the sink */
    uint64_t missing;      /* bytes told as gaps */
    uint64_t repeated;     /* bytes seen again */
    uint64_t forgotten;    /* of these: the first copy is not remembered; given out aside
                              unless the receiver acknowledged them */
    uint64_t urgent_off;   /* offset of the urgent byte that is still to come, if has_urgent */
    uint64_t cut_to;       /* the capture cut off bytes up to this offset */
    uint64_t anomalies;    /* all, told or not */
    uint64_t urgent_bytes; /* taken out of the stream */
    uint32_t next_seq;     /* sequence number of next_off */
    uint32_t recent_cap;
    uint32_t held_bytes;
    uint32_t stalled_at; /* the flow's packet count when a gap was first suspected, 0 none */
    uint16_t n_held;
    uint8_t ttl;   /* of the first segment */
    bool started;  /* next_seq is known */
    bool from_syn; /* it is known from a SYN: nothing came before */
    bool strict;   /* a good checksum was seen: bad ones are now doubtful */
    bool has_urgent;
    bool reset;      /* RST was seen where the receiver takes it */
    bool ttl_unsure; /* the first segment had a bad checksum */
};

/* tcp_segment is what the stream needs of one packet. */
struct tcp_segment {
    const uint8_t *bytes;
    uint32_t len;      /* captured payload */
    uint32_t wire_len; /* payload on the wire, >= len */
    struct run from;   /* where bytes[0..len) lie */
    uint32_t seq, ack;
    uint16_t urgent; /* pointer as on the wire, from seq; with TCP_URG only */
    uint8_t flags;   /* TCP_* as on the wire */
    uint8_t ttl;
    bool checksum_good, checksum_bad; /* neither: could not be told */
};

/* stream_put takes one segment of this direction; `peer` is the other direction, whose data it
 * acknowledges. `n_packets` is the flow's packet count, for patience with late segments. Each
 * direction speaks to its own sink receiver. */
void stream_put(struct stream *s, struct stream *peer, const struct tcp_segment *seg,
                uint32_t n_packets, struct pool *pool, const struct stream_sink *sink,
                void *receiver, void *peer_receiver);

/* stream_finish gives out what still waits, telling gaps, and frees everything. */
void stream_finish(struct stream *s, struct pool *pool, const struct stream_sink *sink,
                   void *receiver);

/* stream_doubts: a receiver would probably never see such a segment of this direction. */
bool stream_doubts(const struct stream *s, bool checksum_bad, uint8_t ttl);

/* stream_begin starts a zeroed stream whose SYN is known: `seq` is the number after it. */
void stream_begin(struct stream *s, uint32_t seq, uint8_t ttl, bool strict);

/* stream_first_seq is the sequence number at which a started stream was first seen: the one after
 * its SYN, if that was captured. */
uint32_t stream_first_seq(const struct stream *s);

/* stream_is_untouched: started, and neither bytes nor gaps came since. */
bool stream_is_untouched(const struct stream *s);

/* stream_is_over: FIN was seen and all before it was delivered, or RST was seen. */
bool stream_is_over(const struct stream *s);

#endif
