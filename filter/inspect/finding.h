/* finding.h - what the inspector says: findings, objects, anomalies. One struct an arrow. */
#ifndef INSPECT_FINDING_H
#define INSPECT_FINDING_H

#include "base/extent.h"
#include "dissectors/dissector.h"
#include "flow/flow.h"
#include "rules/class.h"

enum {
    FINDING_PATH_MAX = 256, /* bytes of a path with its NUL; longer ones are cut with "..." */
    FINDING_VALUE_MAX = 512 /* bytes of a value given for its digest */
};

/* finding: one rule, or the meaning of one field, matched one place. Everything it points to is
 * borrowed for the call. */
struct finding {
    enum class class;
    const char *rule;     /* name of the rule, or "field" when the format gives the meaning */
    unsigned confidence;  /* 1..100 */
    bool way_back;        /* every byte of it is a byte of a packet or file: it can be rewritten in
                             place. False inside compressed or encoded bodies. */
    struct run at;        /* where it begins at the root; packet 0 and offset in a file */
    uint64_t length;      /* raw bytes in the layer that holds it */
    const char *path;     /* the way in: "tcp/hl7v2/ADT/PID-5.1" */
    uint64_t path_hash;   /* the same for the same path */
    const char *protocol; /* name of the outermost dissector: "hl7v2", "http1", "tls" */
    const uint8_t *value; /* normalised text of the value, for its keyed digest only */
    size_t value_len;     /* at most FINDING_VALUE_MAX */
    const struct flow *flow; /* NULL: from a file */
    unsigned direction;      /* 0: sent by flow->address[0] */
    uint64_t time_ns;        /* of the packet being read */
};

/* object: a message of a format ended, or was cut off by the end of its layer. */
struct object {
    const char *dissector; /* "hl7v2" */
    const char *kind;      /* "ADT", "c-store-rq", "request" */
    const char *path;
    uint64_t n_findings; /* inside it and its inner layers */
    uint64_t length;     /* bytes of its layer from begin to end */
    bool whole;          /* false: its end was never seen */
    struct run at;
    const struct flow *flow;
    unsigned direction;
    uint64_t time_ns;
};

/* anomaly: malformed, contradictory or cut off, but survived. */
struct anomaly {
    const char *what; /* static text */
    const char *path; /* "tcp" for the stream itself */
    struct run at;
    uint64_t length;
    const struct flow *flow;
    unsigned direction;
    uint64_t time_ns;
};

/* inspect_sink receives what is said; members may be NULL. */
struct inspect_sink {
    void (*finding)(void *receiver, const struct finding *f);
    void (*object)(void *receiver, const struct object *o);
    void (*anomaly)(void *receiver, const struct anomaly *a);
    /* For dumps: every event with the path of its layer and the dissector that said it. */
    void (*event)(void *receiver, const struct dissector *d, const char *path,
                  const struct event *ev);
    void *receiver;
};

#endif
