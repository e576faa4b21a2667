/* hl7v2_state.h - what the HL7 v2 dissector remembers between views, and its reader of one view.
 *
 * Shared by hl7v2.c (messages and what lies between them) and hl7v2_value.c (segments and values).
 */
#ifndef DISSECTORS_HL7V2_STATE_H
#define DISSECTORS_HL7V2_STATE_H

#include "dissectors/dissector.h"
#include "dissectors/hl7v2_fields.h"
#include "dissectors/hl7v2_scan.h"

enum {
    HL7V2_VIEW = 64 * 1024,
    /* Longest value given in one piece; the rest of the view is room to look ahead. */
    HL7V2_WHOLE = HL7V2_VIEW - 16,
    /* Longest header segment of which MSH-9 and MSH-18 are read before the message begins. */
    HL7V2_HEADER = 4096,
    HL7V2_START = 5 /* bytes that tell the start of a header: MSH and two delimiters */
};

enum hl7v2_phase {
    PHASE_BETWEEN, /* no message: the next header is looked for */
    PHASE_HEADER,  /* at MSH, FHS or BHS */
    PHASE_SEGMENT, /* at the start of another segment */
    PHASE_VALUES,  /* inside a segment, at the start of a value or inside a long one */
};

enum hl7v2_flag {
    FLAG_STARTED = 1 << 0, /* not the first view of the layer */
    FLAG_MESSAGE = 1 << 1, /* EVENT_BEGIN was told, EVENT_END not */
    FLAG_FRAMED = 1 << 2,  /* the message began with 0x0B */
    FLAG_LONG = 1 << 3,    /* inside a long value, its first part was told */
    FLAG_LINE = 1 << 4,    /* between: a header may start right here */
    FLAG_TEXT = 1 << 5,    /* between: a long text was begun */
    FLAG_LOST = 1 << 6,    /* a gap, of which nothing was told yet */
    FLAG_SEEN = 1 << 7     /* a part of the value of this repetition was told */
};

/* Steps of event.path, 1-based as in the standard. */
enum {
    AT_SEGMENT, /* the three bytes of its name; 0: none, a line of text */
    AT_FIELD,   /* 0 for a line of text */
    AT_REPETITION,
    AT_COMPONENT, /* 0: the type has one, and this is all of it */
    AT_SUB,
    N_STEPS
};

/* hl7v2_state is at most 256 bytes. */
struct hl7v2_state {
    uint8_t phase;
    uint8_t flags;
    struct delimiters delimiters;
    uint8_t charset;
    uint8_t segment;   /* place in the table, 0: unknown */
    uint8_t type;      /* hl7v2_type of the field */
    uint8_t obx_type;  /* hl7v2_type of OBX-5 */
    uint8_t id_kind;   /* value_kind of CX-1 in this repetition, VALUE_COUNT: not known yet */
    uint8_t media;     /* ED-2 and ED-3, for hl7v2_media_name */
    uint8_t coding;    /* ED-4 as enum coding, CODING_NONE: text */
    uint8_t escaped;   /* the value being looked at holds the escape character */
    uint8_t shifted;   /* it is inside a wide character run of ISO 2022 */
    uint8_t long_kind; /* of a long value: event_kind, value_kind, flags */
    uint8_t long_value;
    uint8_t long_flags;
    uint8_t peek_component; /* components passed while CX-5 is looked for */
    uint32_t component;
    uint32_t path[N_STEPS]; /* of the value, while no view is read */
    uint32_t looked;        /* bytes after the position that were looked at before */
    uint32_t peeked;        /* the same for the search of CX-5 */
    uint32_t peek_from;     /* where CX-5 begins after the position */
};

/* step says how a part of the reading ended. */
enum step {
    STEP_ON,   /* go on by the phase */
    STEP_MORE, /* reader.need more bytes after reader.pos, or none when the view is used up */
    STEP_STOP  /* the receiver asked to stop */
};

struct reader {
    struct hl7v2_state *s;
    struct view in;
    event_fn *emit;
    void *receiver;
    size_t pos;      /* start of the value, segment or text being read; all before is done with */
    size_t need;     /* bytes from pos on that are needed */
    bool set;        /* scan has the classes of the message */
    struct event ev; /* the event to tell next; its path is where the reading is */
    struct scan scan;
};

/* start_at tells whether a header segment starts at bytes[at]: MSH, FHS or BHS with delimiters. */
enum start {
    START_NO,
    START_YES,
    START_SHORT /* so far, but more bytes are needed */
};
enum start hl7v2_start_at(const struct view *in, size_t at);

/* hl7v2_block_ends tells whether the 0x1C at bytes[at] ends the message. */
enum start hl7v2_block_ends(const struct view *in, size_t at);

/* hl7v2_segment_read reads the name of a segment and enters its fields. */
enum step hl7v2_segment_read(struct reader *r);

/* hl7v2_values_read reads values until the segment, the message or the view ends. */
enum step hl7v2_values_read(struct reader *r);

/* hl7v2_segment_enter begins segment `name`, whose first value, of field `field`, starts at the
 * position. */
void hl7v2_segment_enter(struct reader *r, const uint8_t *name, uint32_t field);

/* hl7v2_message_leave ends the message at the position, where `framing` bytes are no text. */
enum step hl7v2_message_leave(struct reader *r, size_t framing);

/* hl7v2_wait says that one more byte is needed than there are. */
enum step hl7v2_wait(struct reader *r);

/* hl7v2_long_end tells the last part of a long value, [pos, end). */
bool hl7v2_long_end(struct reader *r, size_t end);

/* hl7v2_tell emits an event without bytes of its own. */
bool hl7v2_tell(struct reader *r, enum event_kind kind, size_t at, size_t len, const char *hint);

/* hl7v2_message_end tells the end of the message, if one is open. */
bool hl7v2_message_end(struct reader *r, size_t at);

/* repetition_enter begins a repetition of the field. */
static inline void repetition_enter(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    const struct hl7v2_shape *shape = &hl7v2_shapes[s->type];
    s->component = 1;
    r->ev.path[AT_COMPONENT] = !shape->primitive;
    r->ev.path[AT_SUB] = 1;
    s->flags &= (uint8_t)~FLAG_SEEN;
    s->shifted = 0;
    if (shape->special == 0)
        return;
    s->id_kind = VALUE_COUNT;
    s->peeked = 0;
    s->peek_component = 0;
    s->peek_from = 0;
    s->media = 0;
    s->coding = CODING_NONE;
}

/* field_enter begins a field of `segment`. */
static inline void field_enter(struct reader *r, const struct hl7v2_segment *segment,
                               uint32_t field)
{
    struct hl7v2_state *s = r->s;
    r->ev.path[AT_FIELD] = field;
    r->ev.path[AT_REPETITION] = 1;
    s->type = field < segment->n ? segment->types[field] : (uint8_t)TYPE_TEXT;
    if (s->type == TYPE_VALUE)
        s->type = s->obx_type;
    repetition_enter(r);
}

#endif
