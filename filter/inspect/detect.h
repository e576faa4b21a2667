/* detect.h - fields in, findings out: rules over normal text. Internal to inspect/.
 *
 * Short fields are collected, joined by RULE_BREAK, and scanned together (detect.c); long values
 * are scanned in windows that overlap by what a rule may look at (window.c). Either way every
 * occurrence is told once.
 */
#ifndef INSPECT_DETECT_H
#define INSPECT_DETECT_H

#include "inspect/digits.h"
#include "inspect/inspector.h"
#include "inspect/layer.h"

enum {
    BATCH_TEXT = 64 * 1024,
    BATCH_FIELDS = 2048,
    BATCH_HITS = 4096,         /* matches for which there is always room */
    BATCH_GROUPS = 512,        /* separated digit groups scanned at once */
    SHORT_MAX = 8 * 1024,      /* raw bytes of a value that is scanned with others */
    WINDOW_RAW = 32 * 1024,    /* raw bytes of a long value scanned at once, and before them */
    WINDOW_BEFORE = 16 * 1024, /* at most so many that were kept */
    DETECT_SHORTEST = 6        /* no rule matches fewer bytes */
};

/* field is one value in the batch. */
struct field {
    struct layer *layer;
    uint64_t off; /* in the layer, of its first raw byte */
    uint32_t raw_len;
    uint32_t text, text_len;       /* in the batch */
    uint32_t map;                  /* index into maps, MAP_NONE: text bytes are raw bytes */
    uint32_t share_from, share_to; /* matches that start there count, in field text */
    bool is_window;                /* a part of a long value: its meaning is told by window.c */
    uint8_t value, flags, n_path;
    uint32_t path[PATH_MAX_STEPS];
    struct run near;
};

/* hit is one accepted match, in raw bytes of its field. */
struct hit {
    uint32_t field, from, len; /* raw, relative to field.off */
    uint32_t text, text_len;   /* in the batch */
    uint32_t rule;
    bool is_group; /* found without the separators that its text has */
};

/* group is separated digits of a field, joined. */
struct group {
    uint32_t field;
    uint32_t text, n;            /* in the batch */
    uint32_t at[DIGITS_MAX + 1]; /* of each digit in the field's text, and behind the last */
};

/* open_finding waits for components that still belong to it. */
struct open_finding {
    bool is_open;
    struct layer *layer;
    enum class class;
    uint64_t off, len;
    uint64_t time_ns; /* of its first component */
    struct event ev;
    struct run at; /* of its first component, at the root */
    bool way_back;
    uint8_t value[FINDING_VALUE_MAX];
    size_t value_len;
};

struct detector {
    struct rule_scratch *scratch;
    uint32_t n_text, n_fields, n_maps;
    uint32_t n_groups, group_text; /* text of groups begins there, behind all fields */
    uint32_t scan_from;            /* text that was not scanned yet */
    uint32_t n_hits, cap_hits;
    struct hit *hits; /* own_hits, or a longer list of the heap while one batch is told */
    struct hit own_hits[BATCH_HITS];
    struct field fields[BATCH_FIELDS];
    struct group groups[BATCH_GROUPS];
    uint32_t maps[BATCH_TEXT * 2];
    uint8_t text[BATCH_TEXT + BATCH_GROUPS * (DIGITS_MAX + 1)];
    uint8_t joined[WINDOW_BEFORE + WINDOW_RAW]; /* raw bytes of a window that were apart */
    struct open_finding open;
};

/* detect_field takes one FIELD event of a layer. */
void detect_field(struct inspector *in, struct layer *l, const struct event *ev);

/* detect_flush scans what was collected and tells all findings. */
void detect_flush(struct inspector *in);

/* detect_pause does the same, but a value whose next component may still come stays open: bytes
 * that are cut between components change nothing. */
void detect_pause(struct inspector *in);

/* detect_turn tells whose bytes come now: a value of another flow that is open waits there. */
void detect_turn(struct inspector *in, struct inspection *of, unsigned direction);

/* detect_break ends a long value where it stands: at a gap or the layer's end. */
void detect_break(struct inspector *in, struct layer *l);

/* detect_loose scans bytes of a layer that no dissector could read, as text. */
void detect_loose(struct inspector *in, struct layer *l, const uint8_t *bytes, size_t len,
                  uint64_t off);

/* detect_opaque tells that a value (or the rest of a layer) cannot be read, once a layer. */
void detect_opaque(struct inspector *in, struct layer *l, const struct event *ev, const char *rule,
                   unsigned confidence);

/* ---- between detect.c and window.c --------------------------------------------------------- */

/* told is what a finding is made of, besides its place. */
struct told {
    enum class class;
    const char *rule;
    unsigned confidence;
    uint64_t len;
    const uint8_t *value;
    size_t value_len;
};

/* detect_tell tells the sink one finding that begins at `at` of the root. */
void detect_tell(struct inspector *in, struct layer *l, const struct event *ev,
                 const struct told *what, struct run at, bool way_back);

/* detect_place fills where raw bytes [off, off + len) of a layer begin at the root, `near` when
 * nobody knows; false unless all of them have a way back. */
bool detect_place(const struct layer *l, uint64_t off, uint64_t len, struct run near,
                  struct run *at);

/* detect_class is the class a value has by its meaning, -1 for none. */
int detect_class(const struct event *ev);

/* detect_put adds a field of n raw bytes at layer offset off to the batch, which has room. */
struct field *detect_put(struct inspector *in, struct layer *l, const struct event *ev,
                         const uint8_t *raw, uint32_t n, uint64_t off);

/* detect_raw_at maps a place in a field's text to its raw bytes. */
uint32_t detect_raw_at(const struct detector *d, const struct field *f, uint32_t text);

/* detect_is_placeholder: a value that names nobody: mask characters, delimiters, spaces. */
bool detect_is_placeholder(const uint8_t *p, size_t n);

/* window_take scans a value that is too long for the batch, or a part of one. */
void window_take(struct inspector *in, struct layer *l, const struct event *ev);

/* window_end ends the value that goes on in a layer, if any: what was kept is scanned. */
void window_end(struct inspector *in, struct layer *l);

#endif
