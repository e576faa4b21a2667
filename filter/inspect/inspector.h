/* inspector.h - bytes of flows in, findings out: one worker's whole inspection.
 *
 * It opens layers, asks dissectors, runs rules over what they say, and tells the sink. It decides
 * nothing: policy comes after. One inspector belongs to one thread.
 */
#ifndef INSPECT_INSPECTOR_H
#define INSPECT_INSPECTOR_H

#include "inspect/finding.h"
#include "rules/rule.h"

struct inspector_options {
    const struct rule_set *rules; /* constant, shared, outlives the inspector */
    size_t memory_bytes;          /* limit for streams, layers and states of all flows */
};

struct inspector_counts {
    uint64_t findings[CLASS_COUNT];
    uint64_t objects, anomalies;
    uint64_t stream_bytes;       /* given to dissectors, TCP and UDP payload */
    uint64_t passed_over_bytes;  /* pixel data and other values that are not text */
    uint64_t opaque_bytes;       /* encrypted or not decodable */
    uint64_t unrecognised_bytes; /* scanned as bytes: no format recognised, and not text */
    uint64_t gap_bytes;          /* missing from streams */
    uint64_t aside_bytes;        /* outside of streams, scanned as text */
    uint64_t refused_bytes;      /* not inspected: memory limit */
    uint64_t limit_memory;       /* how often that limit was reached */
    uint64_t limit_depth;        /* payloads nested too deep, read as text */
    uint64_t limit_decoded;      /* bodies that could not be decoded to their end */
};

/* flow_app is what an inspected flow is: filled while it goes on. */
struct flow_app {
    const char *dissector[2]; /* by direction: name of the outermost dissector, NULL none yet */
    const char *hint;         /* what nDPI calls it, or NULL */
    bool hint_done;
    uint8_t n_hint_packets;
    void *ndpi_flow; /* nDPI's own, while it is being asked */
    char server[64]; /* first name of a server that the flow itself said (TLS, HTTP), lower case; ""
                        none or too long. A claim of the client; never printed. */
    uint64_t findings[2];
    uint64_t missed_bytes[2]; /* not inspected as they should be: no memory, nested too deep, not
                                 decodable; gaps are counted apart */
    uint64_t opaque_bytes[2];
    uint64_t gap_bytes[2];
    uint64_t unrecognised_bytes[2];
};

struct inspector;

/* inspector_open: NULL when there is no memory. inspector_close takes NULL too. */
struct inspector *inspector_open(const struct inspector_options *options,
                                 const struct inspect_sink *sink);
void inspector_close(struct inspector *in);

/* inspector_pool is the memory that streams of the same flows use too. */
struct pool *inspector_pool(struct inspector *in);

/* inspector_now sets the time of the packet being read. */
void inspector_now(struct inspector *in, uint64_t time_ns);

/* inspector_stream gives the next bytes of one direction of a TCP flow, in order. */
void inspector_stream(struct inspector *in, struct flow *f, unsigned direction,
                      const uint8_t *bytes, size_t len, struct run from);

/* inspector_gap tells that bytes of that direction are missing. */
void inspector_gap(struct inspector *in, struct flow *f, unsigned direction, uint64_t missing);

/* inspector_aside gives bytes that belong to no stream: scanned as text. */
void inspector_aside(struct inspector *in, struct flow *f, unsigned direction, const uint8_t *bytes,
                     size_t len, struct run from);

/* inspector_datagram gives one whole datagram; runs as for extents. */
void inspector_datagram(struct inspector *in, struct flow *f, unsigned direction,
                        const uint8_t *bytes, size_t len, const struct run *runs, size_t n_runs);

/* inspector_opaque tells of bytes that are encrypted by their very protocol (IPsec). */
void inspector_opaque(struct inspector *in, struct flow *f, unsigned direction, uint64_t len,
                      struct run at);

/* inspector_note tells an anomaly of the flow itself; static text. */
void inspector_note(struct inspector *in, struct flow *f, unsigned direction, const char *what,
                    struct run at);

/* inspector_finish ends one direction: what is open is told as cut off. */
void inspector_finish(struct inspector *in, struct flow *f, unsigned direction);

/* inspector_end forgets the flow; both directions were finished. */
void inspector_end(struct inspector *in, struct flow *f);

/* inspector_app: NULL when nothing of the flow was inspected yet. */
struct flow_app *inspector_app(const struct flow *f);

const struct inspector_counts *inspector_counts_get(const struct inspector *in);

#endif
