/* json_state.h - what the JSON dissector remembers of a layer, shared by its two halves: json.c
 * reads the grammar, json_meaning.c says what a value means by where it stands. */
#ifndef DISSECTORS_JSON_STATE_H
#define DISSECTORS_JSON_STATE_H

#include "dissectors/json_content.h"
#include "dissectors/known_names.h"

enum {
    JSON_DEPTH = 64, /* levels whose kind and key are known; deeper ones are only counted */
};

/* A step of a path: known name in bits 16..29, array index plus one in the low 16 bits (0: no
 * index, 65535: that or more), STEP_CUT on the first step when outer ones are left out. */
#define STEP_CUT     0x80000000u /* outer steps are left out before this one */
#define STEP_UNKEYED 0x40000000u /* the name is that of an outer step: only the index is shown */
#define STEP_DEEP    0x3fff0000u /* all levels beyond JSON_DEPTH */

static inline enum known_name step_name(uint32_t step)
{
    return (enum known_name)(step >> 16 & 0x3fff);
}

/* What an object is, by how it was reached and what stood in it so far. */
enum json_scope {
    SCOPE_PLAIN,
    SCOPE_ROOT,       /* may turn out to be a FHIR resource */
    SCOPE_PERSON,     /* resource that describes a person */
    SCOPE_RESOURCE,   /* any other resource */
    SCOPE_BINARY,     /* resource Binary */
    SCOPE_REFERENCE,  /* reference to a person; or a back end's "patient" object */
    SCOPE_CONTACT,    /* contact person */
    SCOPE_NAME,       /* HumanName */
    SCOPE_TELECOM,    /* ContactPoint of a person */
    SCOPE_IDENTIFIER, /* Identifier of a person; note: what its value is, as enum value_kind */
    SCOPE_IDENTIFIER_TYPE,
    SCOPE_ADDRESS,
    SCOPE_ATTACHMENT, /* note: its media type */
    SCOPE_PHOTO,      /* attachment that shows a person */
    SCOPE_TAG = 32    /* DICOM JSON element; plus what its values mean, as enum value_kind */
};

struct json_state {
    uint64_t arrays; /* bit i: level i is an array */
    uint64_t deep;   /* levels open beyond JSON_DEPTH */
    /* one step an object and its key, with an array directly under the key; an array elsewhere has
     * its own. The space above is for reading eight at once and for STEP_DEEP. */
    uint32_t steps[JSON_DEPTH + PATH_MAX_STEPS];
    uint8_t scope[JSON_DEPTH]; /* enum json_scope; an array has that of the object around it */
    uint8_t note[JSON_DEPTH];  /* what a sibling seen before said; see enum json_scope */
    uint32_t scanned;          /* bytes of the open token already looked at */
    uint8_t depth, n_steps;
    uint8_t expect;      /* enum json_expect */
    uint8_t token;       /* enum json_token: the token bytes are being gathered for */
    uint8_t delimiter;   /* that ends the open string */
    uint8_t escaped;     /* the open string has a backslash */
    uint8_t is_key;      /* the open string is a key */
    uint8_t started;     /* the first bytes of the layer were judged */
    uint8_t ended;       /* the end of the layer was told */
    uint8_t begin_owed;  /* the object is open, its EVENT_BEGIN waits for its first key */
    uint8_t told;        /* anomalies told of this text, a bit each */
    uint8_t declared;    /* enum charset of the hint */
    struct high_run run; /* before the next part of a long string */
    /* of the long value being given in parts */
    uint16_t part_kind, part_value, part_charset, part_escape, part_media, part_flags;
};
_Static_assert(sizeof(struct json_state) <= 512, "state of a layer");

/* A meaning, as json_meaning_string answers it in one word: enum value_kind in the low byte, and
 * for a payload its content_media and the length of what stands before it ("data:...;base64,"). */
enum {
    MEANING_VALUE = 0xff,
    MEANING_PAYLOAD = 1 << 8, /* base64, not a field */
    MEANING_MEDIA_SHIFT = 16, /* eight bits */
    MEANING_PREFIX_SHIFT = 24 /* seven bits */
};

/* json_owner_level is the level of the object that holds the current key: arrays between do not
 * count. The depth is not 0. */
static inline size_t json_owner_level(const struct json_state *s)
{
    size_t level = s->depth;
    while (level > 1 && (s->arrays >> (level - 1) & 1) != 0)
        level--;
    return level - 1;
}

/* json_scope_enter is the scope of an object opened under the current key. */
enum json_scope json_scope_enter(const struct json_state *s);

/* json_meaning_string says what the string under the current key is, n bytes that are all of it or
 * at least CONTENT_WHOLE, and remembers what it says of its siblings. */
uint32_t json_meaning_string(struct json_state *s, const uint8_t *p, size_t n);

/* json_meaning_number does so for the number under the current key. */
uint32_t json_meaning_number(const struct json_state *s);

/* json_unescape decodes n bytes with backslashes into out: the length, or cap + 1 when it does not
 * fit. Lone surrogates and unknown escapes become '?'. */
size_t json_unescape(const uint8_t *p, size_t n, uint8_t *out, size_t cap);

#endif
