/* room.h - what the files of inspect/ share: the inspector and what it keeps of a flow. Internal.
 */
#ifndef INSPECT_ROOM_H
#define INSPECT_ROOM_H

#include "base/pool.h"
#include "inspect/detect.h"
#include "inspect/inspector.h"
#include "inspect/layer.h"

struct inspection {
    struct flow *flow;
    struct layer *root[2];
    struct open_finding *waiting[2]; /* by direction: a value whose next component may come, NULL */
    struct flow_app app;
};

struct inspector {
    struct inspect_sink sink;
    const struct rule_set *rules;
    const struct dissector *text; /* the last bidder */
    struct pool *pool;
    struct unpack_budget unpack_budget;
    uint64_t now_ns;
    struct inspector_counts counts;
    struct layer *ended; /* to be freed when no finding can need them */
    struct known_path paths[KNOWN_PATHS];
    struct detector detector;
};

/* room_anomaly tells an anomaly in a layer. */
void room_anomaly(struct inspector *in, struct layer *l, const char *what, uint64_t off,
                  uint64_t len);

/* room_miss counts bytes of a layer that were not inspected as they should be. */
void room_miss(struct inspector *in, struct layer *l, uint64_t *counter, uint64_t len);

/* room_free_ended frees layers that ended before. */
void room_free_ended(struct inspector *in);

#endif
