/* traffic.h - packets in, inspected flows out: decode, flow table, streams and inspector of one
 * worker.
 *
 * Every worker sees every packet and decodes its headers; the inspection of a flow belongs to the
 * one worker that its hash names. That needs no queue between workers, and fragments and tunnels
 * need no special road: each worker puts them together for itself.
 */
#ifndef INSPECT_TRAFFIC_H
#define INSPECT_TRAFFIC_H

#include "base/packet.h"
#include "flow/flow.h"
#include "inspect/inspector.h"

struct traffic_options {
    struct inspector_options inspector;
    struct flow_limits flows;
    uint64_t hash_seed; /* the same for all workers */
    unsigned worker, n_workers;
    bool no_hints;         /* do not ask nDPI */
    bool ignore_checksums; /* for captures with altered addresses: sums say nothing */
};

struct traffic_sink {
    struct inspect_sink inspect;
    /* A flow is over; its app is still there. */
    void (*flow)(void *receiver, const struct flow *f, enum flow_end why);
    /* For dumps: a packet that belongs to this worker, decoded. */
    void (*packet)(void *receiver, const struct packet *p, const struct datagram *d, enum skip why);
};

struct traffic;

/* traffic_open: NULL when there is no memory. `inspect.receiver` receives all calls. */
struct traffic *traffic_open(const struct traffic_options *options,
                             const struct traffic_sink *sink);

/* traffic_packet takes the next packet in capture order. */
void traffic_packet(struct traffic *t, const struct packet *p);

/* traffic_finish ends all flows; traffic_close frees it. NULL is allowed for close. */
void traffic_finish(struct traffic *t);
void traffic_close(struct traffic *t);

/* traffic_is_expiring: what is told now is about flows and fragments whose time has come, not about
 * the packet that is being read. */
bool traffic_is_expiring(const struct traffic *t);

/* Counts, valid until traffic_close: of this worker's flows, and of all packets decoded. */
const struct inspector_counts *traffic_counts(const struct traffic *t);
const struct decoder_counts *traffic_decoder_counts(const struct traffic *t);
size_t traffic_memory_peak(const struct traffic *t);
uint64_t traffic_pushed(const struct traffic *t);    /* flows ended because the table was full */
uint64_t traffic_flow_peak(const struct traffic *t); /* most flows at once */

#endif
