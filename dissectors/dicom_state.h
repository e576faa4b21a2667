/* dicom_state.h - what the data set dissector remembers between two views, shared by dicom.c (the
 * outside: files, start and end, long values) and dicom_tree.c (elements, sequences, items). */
#ifndef DISSECTORS_DICOM_STATE_H
#define DISSECTORS_DICOM_STATE_H

#include "dissectors/dicom_element.h"
#include "dissectors/dicom_meaning.h"
#include "dissectors/dissector.h"

enum {
    DICOM_DEPTH = 16,         /* sequences within sequences */
    DICOM_WHOLE_MAX = 65536,  /* longest value that is shown in one piece, bytes */
    DICOM_PREAMBLE_LEN = 128, /* PS3.10 section 7.1 */
    DICOM_MAGIC_LEN = 4
};

/* DICOM_NO_TAG: a place outside all elements. */
#define DICOM_NO_TAG UINT32_MAX

/* DICOM_NO_END: no length bounds this container. */
#define DICOM_NO_END UINT64_MAX

enum dicom_phase {
    DICOM_AT_START,
    DICOM_IN_META,     /* group 0002 of a file, explicit VR little endian */
    DICOM_AT_DATA_SET, /* the encoding of the data set is not settled yet */
    DICOM_IN_DATA_SET,
    DICOM_IN_VALUE, /* inside a value too long to be shown in one piece */
    DICOM_ENDED
};

enum {
    LEVEL_IN_ITEM = 1 << 0,        /* inside an item, not between two */
    LEVEL_ITEM_UNDEFINED = 1 << 1, /* a delimiter ends the item */
    LEVEL_UNDEFINED = 1 << 2,      /* a delimiter ends the sequence */
    LEVEL_FRAGMENTS = 1 << 3,      /* items are fragments of pixel data, PS3.5 section A.4 */
    LEVEL_JUDGE = 1 << 4           /* carried as UN: each item is asked for its encoding */
};

/* dicom_level is one sequence and its open item. Ends are offsets in the layer, never beyond the
 * ends around them. Level 0 is the data set itself. */
struct dicom_level {
    uint64_t end;      /* of the sequence */
    uint64_t item_end; /* of the item */
    uint32_t tag;      /* of the sequence */
    uint32_t item;     /* number of the item, from 1 */
    uint32_t last_tag; /* of the element before, for their order */
    uint8_t encoding;  /* enum dicom_encoding */
    uint8_t charset;   /* enum charset; items begin with that of the level around them */
    uint8_t flags;
};

/* dicom_long is the value being shown in parts. */
struct dicom_long {
    uint64_t left;  /* bytes to come, DICOM_NO_END when the layer's end ends it */
    uint64_t total; /* 0 when not known */
    uint32_t tag;   /* DICOM_NO_TAG: has no place */
    uint8_t kind;   /* EVENT_FIELD or EVENT_PAYLOAD */
    uint8_t value;
    uint8_t charset;
    uint8_t pad;
    bool deflated; /* the payload is a deflated data set */
    bool started;  /* its first part was shown */
    bool cut;      /* its claimed length went past the end of its container */
};

struct dicom_state {
    struct dicom_level levels[DICOM_DEPTH + 1];
    struct dicom_long value;
    uint64_t meta_end;  /* where (0002,0000) says the meta information ends, 0 when not said */
    uint32_t anomalies; /* bit per enum dicom_anomaly: told once an object */
    uint8_t phase;      /* enum dicom_phase */
    uint8_t after;      /* the phase that follows DICOM_IN_VALUE */
    uint8_t depth;
    uint8_t declared; /* enum dicom_encoding of the transfer syntax */
    bool is_file;
    bool is_command;
    bool begun;  /* EVENT_BEGIN was sent */
    bool proven; /* an element was read: it is DICOM */
};

enum dicom_anomaly {
    DICOM_ODD_LENGTH,
    DICOM_ORDER,
    DICOM_NO_VR,
    DICOM_WITH_VR,
    DICOM_BAD_VR,
    DICOM_PAST_END,
    DICOM_LEFT_OVER,
    DICOM_STRAY_DELIMITER,
    DICOM_DELIMITER_LENGTH,
    DICOM_NO_DELIMITER,
    DICOM_NO_ITEM,
    DICOM_UNDEFINED_VALUE,
    DICOM_NOT_ELEMENT,
    DICOM_CUT_SHORT,
    DICOM_NO_PREAMBLE,
    DICOM_NOT_DECLARED,
    DICOM_ANOMALY_COUNT
};

/* dicom_run is one call of feed: the view, how far it is read, and the listener. */
struct dicom_run {
    struct dicom_state *s;
    struct view in;
    size_t pos;
    event_fn *emit;
    void *receiver;
    size_t need;     /* for STEP_MORE */
    const char *why; /* for STEP_BAD and STEP_LIMIT */
};

enum step {
    STEP_ON,   /* go on */
    STEP_MORE, /* show at least `need` bytes from pos on */
    STEP_END,  /* all bytes of the view are read */
    STEP_STOP,
    STEP_BAD,
    STEP_LIMIT
};

/* dicom_step_element reads one element, item or delimiter of the data set or file meta. */
enum step dicom_step_element(struct dicom_run *r);

/* dicom_event_at makes an event of `len` bytes at pos + `skip`, with the place of `tag` in the
 * open sequences. */
struct event dicom_event_at(const struct dicom_run *r, enum event_kind kind, uint32_t tag,
                            size_t skip, size_t len);

/* dicom_tell emits an anomaly at pos, the first time its kind is met; STEP_ON or STEP_STOP. */
enum step dicom_tell(struct dicom_run *r, enum dicom_anomaly what);

/* dicom_more asks for n bytes from pos on; STEP_ON when they are here or will never be. */
enum step dicom_more(struct dicom_run *r, uint64_t n);

/* dicom_value_start goes on with `left` bytes from pos on as a long value. */
enum step dicom_value_start(struct dicom_run *r, struct dicom_long value);

static inline size_t dicom_left(const struct dicom_run *r)
{
    return r->in.len - r->pos;
}

static inline uint64_t dicom_off(const struct dicom_run *r)
{
    return r->in.off + r->pos;
}

static inline struct dicom_level *dicom_top(struct dicom_run *r)
{
    return &r->s->levels[r->s->depth];
}

#endif
