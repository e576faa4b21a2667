/* dissector.h - the contract between the engine and one wire or file format.
 *
 * A dissector turns the bytes of one layer into events. It allocates nothing,
 * does no I/O, calls no other dissector and decides nothing: it only says what
 * is where. The engine owns the bytes, the state and the order of calls. A
 * dissector sees base/ only: no packets, flows, rules or policy.
 *
 * The law every dissector obeys, and every test checks: cutting the same bytes
 * differently changes nothing but where a long value is split into parts.
 */
#ifndef DISSECTORS_DISSECTOR_H
#define DISSECTORS_DISSECTOR_H

#include "base/bytes.h"
#include "base/charset.h"

enum event_kind {
    EVENT_BEGIN,   /* a message starts; `hint` is its static kind: "request", "c-store-rq", "ADT" */
    EVENT_END,     /* it ended; everything between can now be judged together */
    EVENT_FIELD,   /* one value of the format, or one part of a long value */
    EVENT_PAYLOAD, /* bytes of another format (or one part of them), to be offered to other
                      dissectors; `hint` is their media type, `coding` how they are packed */
    EVENT_ANOMALY  /* malformed but survivable: `at` says where, `hint` what (static text) */
};

/* What a value means, so that detection and rewriting need not know the format.
 * A dissector says a personal meaning only where the standard gives the field
 * that meaning for a natural person. */
enum value_kind {
    VALUE_TEXT,         /* free or unclassified text: may hold anything */
    VALUE_NAME,         /* name of a person (patient, relative, staff) */
    VALUE_BIRTH_DATE,   /* date or time of birth */
    VALUE_RECORD_ID,    /* identifier of a person within an organisation: medical record number */
    VALUE_ID_NUMBER,    /* identity document number */
    VALUE_INSURANCE_ID, /* insurance or social security number */
    VALUE_ACCOUNT,      /* account of a person: patient account, user name, bank account */
    VALUE_LICENCE,      /* driving licence or licence plate */
    VALUE_ADDRESS,      /* postal address of a person, or a part of one */
    VALUE_PHONE,        /* telephone, fax or pager number of a person */
    VALUE_EMAIL,
    VALUE_DATE,   /* any other date or time */
    VALUE_UID,    /* globally unique identifier of a thing: DICOM UID, UUID */
    VALUE_NUMBER, /* measured or counted number */
    VALUE_CODE,   /* value of a closed list, or a protocol word */
    VALUE_BINARY, /* octets that are not text: passed over, not scanned */
    VALUE_IMAGE,  /* pixel or waveform samples: passed over, not scanned */
    VALUE_FACE,   /* picture of a person's face, as the field says */
    VALUE_OPAQUE, /* encrypted or not decodable: nobody can say what is inside */
    VALUE_HOST,   /* server name: TLS server name, HTTP Host */
    VALUE_COUNT
};

/* How the text of a value was made transportable by its own format. `raw` is
 * always the bytes as they stand on the wire. */
enum escape {
    ESCAPE_NONE,
    ESCAPE_HL7,     /* \F\ \S\ \T\ \R\ \E\ \Xhh..\, with escape_char for the backslash */
    ESCAPE_JSON,    /* \n \" \uXXXX, RFC 8259 section 7 */
    ESCAPE_XML,     /* &amp; &#x4e00; &#19968; */
    ESCAPE_PERCENT, /* %hh, RFC 3986 */
    ESCAPE_FORM     /* %hh and '+' for a space */
};

/* How the bytes of a payload are packed, outermost first in event.coding. */
enum coding {
    CODING_NONE,
    CODING_GZIP,
    CODING_DEFLATE,     /* HTTP's "deflate": zlib (RFC 1950), or raw as some senders do */
    CODING_DEFLATE_RAW, /* RFC 1951 without a wrapper: DICOM deflated syntaxes */
    CODING_BROTLI,
    CODING_ZSTD,
    CODING_BASE64, /* white space ignored */
    CODING_QUOTED_PRINTABLE,
    CODING_UNKNOWN /* declared, but not one of these: opaque */
};

enum {
    PART_FIRST = 1 << 0, /* first part of the value; a short value is PART_WHOLE */
    PART_LAST = 1 << 1,
    PART_WHOLE = PART_FIRST | PART_LAST,
    FIXED_LEN = 1 << 2,  /* a length elsewhere counts these bytes: keep the size */
    SAME_VALUE = 1 << 3, /* goes on with the value of the event before, as a component of it with
                            nothing but delimiters between: HL7 PID-5.2 after PID-5.1. Counted
                            once together. */
    FIELD_NAME = 1 << 4  /* the bytes name a field (a JSON key, a header), not its value */
};

enum {
    PATH_MAX_STEPS = 8
};

struct event {
    uint8_t kind;                  /* enum event_kind */
    uint8_t value;                 /* enum value_kind, for FIELD */
    uint8_t charset;               /* enum charset, as the format declares it for this value */
    uint8_t escape;                /* enum escape */
    uint8_t escape_char;           /* for ESCAPE_HL7, else 0 */
    uint8_t pad;                   /* byte that may fill a shortened FIXED_LEN value, or 0 */
    uint8_t flags;                 /* PART_*, FIXED_LEN, SAME_VALUE, FIELD_NAME */
    uint8_t n_path;                /* steps used in path */
    uint8_t coding[4];             /* enum coding for PAYLOAD, outermost first, CODING_NONE ends */
    uint32_t path[PATH_MAX_STEPS]; /* numeric place in the format; the dissector's own meaning */
    struct span at;                /* where raw lies in this layer: inside the view */
    uint64_t total;                /* length of the whole long value when known, else 0 */
    const uint8_t *raw;            /* at.len bytes, valid only during the call */
    const char *hint; /* NUL-terminated. PAYLOAD: media type with parameters, valid only
                         during the call. Others: static text. NULL: nothing to say. */
};

/* event_fn receives one event. It returns false to stop the dissector; it can
 * say nothing else back. */
typedef bool event_fn(void *receiver, const struct event *ev);

enum feed_status {
    FEED_OK,    /* the whole view is consumed */
    FEED_MORE,  /* show the unconsumed bytes again once at least `need` of them are here */
    FEED_STOP,  /* the receiver asked to stop */
    FEED_BAD,   /* not this format, or broken beyond repair, at view.off + consumed */
    FEED_LIMIT, /* a limit of this dissector was reached at view.off + consumed */
    FEED_DONE   /* the format ended by itself at view.off + consumed; what follows is another's */
};

struct feed_result {
    enum feed_status status;
    size_t consumed; /* bytes of the view done with; never shown again */
    size_t need;     /* FEED_MORE: view.len - consumed < need <= max_view */
    const char *why; /* static text for FEED_BAD and FEED_LIMIT, else NULL */
};

struct dissector {
    const char *name; /* "hl7v2": lower case, used in rules, records and test folders */
    const char *spec; /* the standard it follows, with edition */
    size_t
        state_size;  /* bytes of state per layer; the engine gives them zeroed, no init, no free */
    size_t max_view; /* largest contiguous view it may ask for, bytes */
    unsigned max_depth; /* deepest nesting it follows, 0 if the format is flat */

    const char *const *media; /* media types it answers to, NULL-terminated, or NULL. "type/sub"
                                 matches exactly, "+xml" as a suffix, "text/" as a prefix */
    const uint16_t *ports;    /* registered or customary ports, 0-terminated, or NULL: a hint */

    /* probe bids for a layer: how many bits of `head` it recognised, 0 for none. The highest
     * bid wins; equal bids go by the order of all_dissectors. `head` is the first bytes of the
     * layer: all of them when head.last, else at least PROBE_LEN. */
    unsigned (*probe)(struct view head);

    /* feed reads as much of `in` as it can and emits events in byte order. Every event lies
     * inside `in`. When in.last is set it may not answer FEED_MORE. An empty view with
     * in.last says that the layer ended. */
    struct feed_result (*feed)(void *state, struct view in, event_fn *emit, void *receiver);

    /* gap tells that `missing` bytes of the layer will never be seen; bytes not consumed before
     * it are lost to the dissector too and lie inside `missing`. True: it goes on at the end of
     * `missing` (inside a value passed over, or by finding the next message). False or NULL: it
     * refuses, and the layer is probed anew. It emits nothing. */
    bool (*gap)(void *state, struct span missing);

    /* path writes the human name of ev->path, e.g. "PID-5.1", as snprintf does. It may write
     * no byte that came from the wire. NULL: the format has no places. */
    int (*path)(const struct event *ev, char *buf, size_t cap);
};

/* PROBE_LEN is how many bytes of head a probe is promised when the layer has them. */
enum {
    PROBE_LEN = 64
};

/* all_dissectors: the one list a new dissector is added to; NULL at the end, `text` last. */
extern const struct dissector *const all_dissectors[];

/* dissector_find gives the dissector of that name, or NULL. */
const struct dissector *dissector_find(const char *name);

/* Answers a dissector gives; one spelling for all. */
static inline struct feed_result feed_ok(size_t consumed)
{
    return (struct feed_result){.status = FEED_OK, .consumed = consumed};
}

static inline struct feed_result feed_more(size_t consumed, size_t need)
{
    return (struct feed_result){.status = FEED_MORE, .consumed = consumed, .need = need};
}

static inline struct feed_result feed_stop(size_t consumed)
{
    return (struct feed_result){.status = FEED_STOP, .consumed = consumed};
}

static inline struct feed_result feed_bad(size_t consumed, const char *why)
{
    return (struct feed_result){.status = FEED_BAD, .consumed = consumed, .why = why};
}

static inline struct feed_result feed_limit(size_t consumed, const char *why)
{
    return (struct feed_result){.status = FEED_LIMIT, .consumed = consumed, .why = why};
}

static inline struct feed_result feed_done(size_t consumed)
{
    return (struct feed_result){.status = FEED_DONE, .consumed = consumed};
}

#endif
