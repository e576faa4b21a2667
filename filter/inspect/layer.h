/* layer.h - coordinate spaces: a stream, a body in it, a part in that. Internal to inspect/.
 *
 * A layer holds what its dissector has not consumed yet and the way back of those bytes. Its child
 * is the payload that is open in it; there is one at a time, since formats speak in order.
 */
#ifndef INSPECT_LAYER_H
#define INSPECT_LAYER_H

#include "inspect/finding.h"
#include "inspect/unpack.h"

struct inspector;
struct inspection;

/* tail is what a long value that goes on is known by: raw bytes that a rule could still match
 * across, or that were not looked at yet, their place and way back. window.c owns it. */
struct meaning;
struct tail {
    uint64_t off;     /* in the layer, of raw[0] */
    uint32_t n;       /* raw bytes kept, of cap */
    uint32_t before;  /* the first of them that are context only: matches there were decided */
    uint32_t scanned; /* the first of them that were in a window before */
    uint32_t cap;     /* room for raw bytes: a block of sizeof(struct tail) + cap */
    struct meaning *meaning; /* of a value that is personal by its field, else NULL */
    struct event ev;         /* the value: kind, escape, charset, path; no raw */
    struct extents extents;
    uint8_t raw[];
};

enum {
    TAIL_BYTES = 1024, /* least room in a tail */
    LAYER_DEPTH_MAX = 12
};

struct layer {
    struct layer *parent, *child;
    struct inspection *inspection;
    unsigned direction;
    const struct dissector *dissector; /* NULL until probed */
    void *state;
    uint64_t off;     /* of the next byte to come */
    uint8_t *pending; /* unconsumed bytes that end at off */
    uint32_t n_pending, cap_pending;
    uint32_t need; /* feed again when this many are here */
    struct extents extents;
    uint64_t extents_before;   /* what the dissector is done with: dropped at the next feed */
    struct unpacker *unpacker; /* coded bytes come in, decoded ones are this layer's */
    bool no_way_back;          /* this layer or one around it is decoded */
    bool dead;                 /* nothing more is read: refused, stopped or ended */
    bool opaque_told;
    bool binary;     /* scanned as text, but does not look like it */
    uint8_t charset; /* enum charset declared for the whole layer */
    uint8_t depth;
    uint8_t n_probes; /* dissectors tried, against endless refusal */
    const struct dissector *refused;
    uint8_t sample[PROBE_LEN]; /* first bytes of a block of text, to see whether they look random */
    uint8_t n_sample;
    struct run near; /* root place of the bytes being read, for layers without a way back */
    char *hint;      /* NUL-terminated, hint_size bytes of the pool */
    uint32_t hint_size;
    struct tail *tail;
    const char *message; /* kind of the open message, NULL when none is */
    uint64_t message_off;
    uint64_t message_findings;
    char *prefix; /* path of the layers around: "tcp/http1/request", prefix_size bytes */
    uint32_t prefix_size;
    uint64_t prefix_hash;
    struct layer *next_ended; /* ended layers wait here until findings are told */
};

/* layer_open makes a root layer (parent NULL) or the child of `parent`. NULL: no memory. `hint` is
 * copied; `prefix` is the path of what is around it. */
struct layer *layer_open(struct inspector *in, struct inspection *of, struct layer *parent,
                         unsigned direction, const char *prefix, const char *hint);

/* layer_feed gives the next bytes, and in order the runs they lie in at the root: none when they
 * have no way back. `last`: the layer ends with them. */
void layer_feed(struct inspector *in, struct layer *l, const uint8_t *bytes, size_t len,
                const struct run *runs, size_t n_runs, bool last);

/* layer_gap tells that `missing` bytes will never be seen. */
void layer_gap(struct inspector *in, struct layer *l, uint64_t missing);

/* layer_end ends it and the layers inside it; it is freed once findings are told. */
void layer_end(struct inspector *in, struct layer *l);

/* layer_path writes the path of a place in the layer: prefix/dissector/message/field. */
void layer_path(const struct layer *l, const char *message, const struct event *ev,
                char buf[FINDING_PATH_MAX]);

/* known_path is a path that was written before: the same places come again and again. */
struct known_path {
    uint64_t prefix_hash;
    const struct dissector *dissector; /* NULL: the entry is empty, or the layer has none yet */
    const char *message;
    uint8_t n_path;
    uint32_t path[PATH_MAX_STEPS];
    bool filled;
    uint64_t hash; /* of text */
    char text[FINDING_PATH_MAX];
};

enum {
    KNOWN_PATHS = 1024
};

/* layer_known_path gives the path of a place in the layer's open message; ev may be NULL. Valid
 * until the next call. */
const struct known_path *layer_known_path(struct inspector *in, const struct layer *l,
                                          const struct event *ev);

#endif
