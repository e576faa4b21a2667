/* json_reading.h - one call of the JSON dissector, shared by the files that read its grammar:
 * json.c structure, json_string.c strings, json_bare.c numbers and literals, json_tell.c events. */
#ifndef DISSECTORS_JSON_READING_H
#define DISSECTORS_JSON_READING_H

#include "dissectors/json_state.h"

enum json_expect {
    EXPECT_VALUE, /* also between texts */
    EXPECT_VALUE_OR_END,
    EXPECT_KEY,
    EXPECT_KEY_OR_END,
    EXPECT_COLON,
    EXPECT_COMMA
};

enum json_token {
    TOKEN_NONE,
    TOKEN_STRING, /* gathering a string that may still come whole */
    TOKEN_LONG,   /* giving a long string in parts */
    TOKEN_BARE    /* number, literal, or a key without quotes */
};

/* Faults of grammar, each told once a text: a file that has one has it a thousand times. */
enum {
    TOLD_COMMA = 1 << 0,
    TOLD_COLON = 1 << 1,
    TOLD_QUOTE = 1 << 2,
    TOLD_BRACKET = 1 << 3,
    TOLD_LITERAL = 1 << 4,
    TOLD_KEY = 1 << 5,
    TOLD_DEEP = 1 << 6
};

/* reading is one call of feed: the state, the view and how far it is read. */
struct reading {
    struct json_state *s;
    struct view in;
    const uint8_t *p, *end;
    event_fn *emit;
    void *receiver;
    struct feed_result result; /* when a step says no */
};

static inline uint64_t reading_offset(const struct reading *r, const uint8_t *p)
{
    return r->in.off + (uint64_t)(p - r->in.bytes);
}

/* Every step below answers true to go on; false leaves the answer of feed in r->result. */

static inline bool reading_more(struct reading *r, size_t need)
{
    r->result = feed_more((size_t)(r->p - r->in.bytes), need);
    return false;
}

/* json_tell_begin says the begin that waited for its object's first key, if one waits. */
bool json_tell_begin(struct reading *r, const uint8_t *at, const char *hint);
/* json_tell_open says the begin of a text that is no object. */
bool json_tell_open(struct reading *r, const uint8_t *at, const char *hint);
bool json_tell_end(struct reading *r, const uint8_t *at, size_t len);
/* json_tell_anomaly tells each `bit` (TOLD_...) once a text; bit 0 every time. */
bool json_tell_anomaly(struct reading *r, unsigned bit, const uint8_t *at, const char *what);
/* json_tell_value gives a value, whole or in part; s->part_* say what it is. */
bool json_tell_value(struct reading *r, const uint8_t *p, size_t n, unsigned flags);
/* json_hopeless leaves the bytes from r->p on to others: after a complete text they are none of
 * ours, inside one it is broken. */
bool json_hopeless(struct reading *r, const char *why);

/* json_key_set makes `name` the current key. */
static inline void json_key_set(struct json_state *s, enum known_name name)
{
    s->steps[s->n_steps - 1u] = (uint32_t)name << 16;
    s->expect = EXPECT_COLON;
}

/* json_string_open reads the string whose quote is at r->p; json_string_go goes on with the one
 * that a former view left open. */
bool json_string_open(struct reading *r);
bool json_string_go(struct reading *r);
/* json_key_finish takes a complete key of n bytes, quoted or bare. */
bool json_key_finish(struct reading *r, const uint8_t *p, size_t n, bool escaped);

/* json_bare_open reads what is no string, at r->p; json_bare_go goes on with it. */
bool json_bare_open(struct reading *r);
bool json_bare_go(struct reading *r);

/* json_value_over is called after each value: a text that is no object or array ends with it. */
bool json_value_over(struct reading *r);

/* json_probe and json_path are those of struct dissector; json_is_number and json_is_literal tell
 * what n characters without quotes are. */
unsigned json_probe(struct view head);
int json_path(const struct event *ev, char *buf, size_t cap);
bool json_is_number(const uint8_t *p, size_t n);
bool json_is_literal(const uint8_t *p, size_t n);
bool json_ends_bare(uint8_t c);

#endif
