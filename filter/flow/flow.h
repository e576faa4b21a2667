/* flow.h - the table of flows: both directions of a 5-tuple, with limits and timeouts.
 *
 * A flow's slot is fixed; the table never grows past its limit: when it is full, the flow that was
 * silent longest ends first, and that is counted. Ends are told before the slot is used again.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "base/address.h"
#include "flow/packet.h"
#include "flow/stream.h"

enum flow_end {
    FLOW_OVER,    /* both directions closed, or reset */
    FLOW_TIMEOUT, /* silent for too long */
    FLOW_LIMIT,   /* pushed out of a full table */
    FLOW_FINISH   /* the source ended */
};

/* flow_class: how long a silent flow is remembered. */
enum flow_class {
    FLOW_CLASS_TCP,     /* data or a whole handshake was seen */
    FLOW_CLASS_OPENING, /* TCP that only began */
    FLOW_CLASS_CLOSED,  /* TCP that ended: late segments still belong to it */
    FLOW_CLASS_OTHER,   /* UDP and the rest */
    FLOW_CLASS_COUNT
};

struct flow {
    struct address address[2]; /* [0]: who sent the first packet seen */
    uint16_t port[2];
    uint8_t proto; /* IP protocol */
    uint8_t class; /* enum flow_class */
    uint16_t vlan; /* outermost, as in struct datagram */
    bool again[2]; /* TCP: a SYN of this direction had another number than its stream */
    uint8_t again_ttl[2];
    uint32_t tunnel_id;         /* as in struct datagram */
    uint32_t again_seq[2];      /* the number after that SYN's */
    uint32_t syn_len[2];        /* bytes that came in the SYN which began the stream */
    uint64_t hash;              /* flow_hash of its packets */
    uint64_t number;            /* counts from 1 in the order of first packets of this table */
    uint64_t first_ns, last_ns; /* of its packets, as captured */
    uint64_t used_ns;           /* when the table last gave it out, by the table's clock */
    uint64_t first_packet;      /* number of its first packet */
    uint64_t packets[2],
        bytes[2];            /* by direction: [0] from address[0]; bytes of payload on the wire */
    struct stream stream[2]; /* TCP only, by direction of the data */
    void *inspection;        /* the inspector's, NULL at first */
    struct flow *chain;      /* the table's own from here */
    struct flow *newer, *older;
};

struct flow_limits {
    uint32_t max_flows;                   /* 1..16,777,216 */
    uint32_t timeout_s[FLOW_CLASS_COUNT]; /* of capture time */
};

/* flow_end_fn is told that a flow is over: what still waits in its streams may be taken out. */
typedef void flow_end_fn(void *receiver, struct flow *flow, enum flow_end why);

struct flow_table;

/* flow_limits_default: 1,048,576 flows; 3600, 60, 10 and 120 seconds. */
struct flow_limits flow_limits_default(void);

/* flow_table_open reserves all slots (touched only when used). NULL: no memory. `seed` makes the
 * hash unpredictable, so that nobody can aim at one chain. */
struct flow_table *flow_table_open(const struct flow_limits *limits, flow_end_fn *on_end,
                                   void *receiver);

/* flow_table_close ends every flow (FLOW_FINISH), oldest first packet first, and frees the table.
 */
void flow_table_close(struct flow_table *t);

/* flow_hash is the same for both directions of a flow, and well spread in all its bits; nobody who
 * does not know the seed can choose flows that collide. The outermost VLAN and the innermost tunnel
 * belong to a flow: networks kept apart may use the same addresses. */
uint64_t flow_hash(const struct datagram *d, uint64_t seed);

/* clock is the time that packets agree on; zeroed before use. */
struct clock {
    uint64_t now_ns;
    uint64_t ahead_ns; /* where the last packets say it is, more than an hour ahead */
    unsigned n_ahead;  /* how many of them in a row */
};

/* clock_follow takes the time of the next packet and gives the time now: never backwards, and more
 * than an hour ahead only once 8 packets in a row agree (within an hour of each other). */
uint64_t clock_follow(struct clock *c, uint64_t time_ns);

/* flow_table_time tells the time of the next packet, whosever it is, and gives the time by the
 * table's clock (clock_follow). */
uint64_t flow_table_time(struct flow_table *t, uint64_t time_ns);

/* flow_table_advance ends the flows whose time has come by the table's clock. */
void flow_table_advance(struct flow_table *t);

/* flow_find gives the flow of a datagram, making it if need be, marks it used and tells
 * which direction the datagram goes in *direction: 0 from address[0].
 *
 * A TCP connection begins anew, as another flow, when the peer answers (SYN and ACK) a SYN that is
 * not the one its stream began with; at a SYN already where the connection is over or its own SYN
 * was a decoy; and at the first segment after a SYN when the peer was never captured. A segment
 * that a receiver would probably never see (stream_doubts) begins nothing. */
struct flow *flow_find(struct flow_table *t, const struct datagram *d, uint64_t hash,
                       uint64_t time_ns, uint64_t packet, unsigned *direction);

/* flow_set_class moves the flow among those with the same timeout. */
void flow_set_class(struct flow_table *t, struct flow *f, enum flow_class class);

/* flow_table_count: flows now; flow_table_peak: the most at once; flow_table_pushed: ended because
 * the table was full. */
uint32_t flow_table_count(const struct flow_table *t);
uint32_t flow_table_peak(const struct flow_table *t);
uint64_t flow_table_pushed(const struct flow_table *t);

#endif
