/* detect.h - fields in, findings out: rules over normal text. Internal to inspect/.
 *
 * Short fields are collected, joined by RULE_BREAK, and scanned together; long values are scanned
 * in windows that overlap by what a rule may look at. Either way every occurrence is told once.
 */
#ifndef INSPECT_DETECT_H
#define INSPECT_DETECT_H

#include "inspect/inspector.h"
#include "inspect/layer.h"

enum {
    BATCH_TEXT = 64 * 1024,
    BATCH_FIELDS = 2048,
    BATCH_HITS = 8192,
    SHORT_MAX = 8 * 1024,   /* raw bytes of a value that is scanned with others */
    WINDOW_RAW = 32 * 1024, /* raw bytes of a long value scanned at once */
    DETECT_SHORTEST = 6     /* no rule matches fewer bytes */
};

/* field is one value in the batch. */
struct field {
    struct layer *layer;
    uint64_t off; /* in the layer, of its first raw byte */
    uint32_t raw_len;
    uint32_t text, text_len;       /* in the batch */
    uint32_t map;                  /* index into maps, MAP_NONE: text bytes are raw bytes */
    uint32_t share_from, share_to; /* matches that start there count, in field text */
    uint32_t parent; /* of a compacted digit group: the field it was made from, else itself */
    uint8_t value, flags, n_path;
    uint32_t path[PATH_MAX_STEPS];
    struct run near;
};

/* hit is one accepted match, in raw bytes of its field. */
struct hit {
    uint32_t field, from, len; /* raw, relative to field.off */
    uint32_t text, text_len;   /* in the batch */
    uint32_t rule;
};

/* open_finding waits for components that still belong to it. */
struct open_finding {
    bool is_open;
    struct layer *layer;
    enum class class;
    uint64_t off, len;
    struct event ev;
    struct run near;
    uint8_t value[FINDING_VALUE_MAX];
    size_t value_len;
};

struct detector {
    struct rule_scratch *scratch;
    uint32_t n_text, n_fields, n_hits, n_maps;
    struct field fields[BATCH_FIELDS];
    struct hit hits[BATCH_HITS];
    uint32_t maps[BATCH_TEXT * 2];
    uint8_t text[BATCH_TEXT * 2];
    struct open_finding open;
};

/* detect_field takes one FIELD event of a layer. */
void detect_field(struct inspector *in, struct layer *l, const struct event *ev);

/* detect_flush scans what was collected and tells the findings. */
void detect_flush(struct inspector *in);

/* detect_break ends a long value where it stands: at a gap or the layer's end. */
void detect_break(struct inspector *in, struct layer *l);

/* detect_loose scans bytes of a layer that no dissector could read, as text. */
void detect_loose(struct inspector *in, struct layer *l, const uint8_t *bytes, size_t len,
                  uint64_t off);

/* detect_opaque tells that a value (or the rest of a layer) cannot be read, once a layer. */
void detect_opaque(struct inspector *in, struct layer *l, const struct event *ev, const char *rule,
                   unsigned confidence);

#endif
