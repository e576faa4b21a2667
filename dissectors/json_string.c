/* json_string.c - JSON strings: keys and values, whole or in parts. */
#include "dissectors/json_reading.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    KEY_HIDES = 5,    /* an unknown key of more bytes may hold a value itself */
    SURROGATE_LEN = 6 /* \uXXXX */
};

/* Finds the delimiter or a backslash in p[i, n); adds to *high when bytes >= 0x80 are passed (or
 * stand up to 15 bytes behind the find). */
static inline size_t find_special(const uint8_t *p, size_t i, size_t n, uint8_t delimiter,
                                  unsigned *high)
{
#ifdef __SSE2__
    const __m128i quotes = _mm_set1_epi8((char)delimiter);
    const __m128i slashes = _mm_set1_epi8('\\');
    while (n - i >= 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(chunk, quotes), _mm_cmpeq_epi8(chunk, slashes));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        *high |= (unsigned)_mm_movemask_epi8(chunk);
        if (mask != 0)
            return i + (unsigned)__builtin_ctz(mask);
        i += 16;
    }
#endif
    for (; i < n; i++) {
        if (p[i] == delimiter || p[i] == '\\')
            return i;
        *high |= p[i] & 0x80u;
    }
    return n;
}

/* scan is where a look through a string stands. */
struct scan {
    size_t at;          /* bytes passed */
    size_t last_escape; /* where the last backslash stood, SIZE_MAX: nowhere */
    unsigned high;      /* some byte was perhaps >= 0x80 */
    bool escaped;
    bool closed; /* p[at] is the delimiter */
};

/* The backslash at p[i] is the second byte of a GBK character, not an escape. */
static bool is_trail(const struct json_state *s, const uint8_t *p, size_t i)
{
    if (i > 0 ? p[i - 1] < 0x80 : s->run.odd == 0)
        return false;
    struct high_run run = s->run;
    high_run_over(&run, p, i);
    return high_run_splits(&run);
}

static void scan_string(const struct json_state *s, const uint8_t *p, size_t n, struct scan *k)
{
    for (;;) {
        k->at = find_special(p, k->at, n, s->delimiter, &k->high);
        if (k->at == n)
            return;
        if (p[k->at] == s->delimiter) {
            k->closed = true;
            return;
        }
        if (is_trail(s, p, k->at)) {
            k->at++;
            continue;
        }
        k->escaped = true;
        k->last_escape = k->at;
        if (n - k->at < 2)
            return;
        k->high |= p[k->at + 1] & 0x80u;
        k->at += 2;
    }
}

static bool is_hex4(const uint8_t *p)
{
    for (size_t i = 0; i < 4; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || ((p[i] | 32) >= 'a' && (p[i] | 32) <= 'f')))
            return false;
    return true;
}

/* Where a part may end at the latest: not in a character, an escape or a surrogate pair. */
static size_t part_end(const uint8_t *p, const struct scan *k)
{
    size_t at = k->at;
    if (k->last_escape != SIZE_MAX && at - k->last_escape <= SURROGATE_LEN) {
        const uint8_t *e = p + k->last_escape;
        size_t left = at - k->last_escape;
        if (left < 2 || (e[1] == 'u' && left < SURROGATE_LEN))
            return k->last_escape;
        if (left == SURROGATE_LEN && e[1] == 'u' && is_hex4(e + 2) && (e[2] | 32) == 'd' &&
            (e[3] | 32) >= '8' && (e[3] | 32) <= 'b')
            return k->last_escape;
    }
    return at - content_tail(p, at);
}

static bool has_high(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 0x80)
            return true;
    return false;
}

/* A value hides behind a name that is not in the table: it is a long one, or two Chinese
 * characters. Eight digits are a DICOM tag, but not in the range of years. */
static bool key_hides(enum known_name name, const uint8_t *p, size_t n)
{
    if (name == K_tag_any)
        return n != 8 || p[0] == '1' || p[0] == '2';
    return name == K_NONE && (n > KEY_HIDES || (n >= 4 && has_high(p, n)));
}

static enum known_name key_name(const uint8_t *p, size_t n, bool escaped)
{
    uint8_t plain[64];
    if (escaped) {
        n = json_unescape(p, n, plain, sizeof plain);
        if (n > sizeof plain)
            return K_NONE;
        p = plain;
    }
    enum known_name name = known_name_find(p, n);
    if (name == K_NONE && n == 8 && is_hex4(p) && is_hex4(p + 4))
        return K_tag_any;
    return name;
}

static void part_is_key(struct json_state *s)
{
    s->part_kind = EVENT_FIELD;
    s->part_value = VALUE_TEXT;
    s->part_flags = FIELD_NAME;
}

bool json_key_finish(struct reading *r, const uint8_t *p, size_t n, bool escaped)
{
    struct json_state *s = r->s;
    enum known_name name = key_name(p, n, escaped);
    json_key_set(s, name);
    if (name == K_resourceType)
        return true;
    if (s->begin_owed != 0 && !json_tell_begin(r, p, "object"))
        return false;
    if (!key_hides(name, p, n))
        return true;
    part_is_key(s);
    s->part_charset = (uint8_t)content_charset(p, n, (enum charset)s->declared, false);
    s->part_escape = escaped ? ESCAPE_JSON : ESCAPE_NONE;
    return json_tell_value(r, p, n, PART_WHOLE);
}

/* What the open string is, decided on all of it or on its first CONTENT_WHOLE bytes: the length of
 * what stands before the value proper. */
static size_t judge_string(struct json_state *s, const uint8_t *p, size_t n, const struct scan *k,
                           bool cut)
{
    uint32_t meaning = json_meaning_string(s, p, n);
    bool text = (meaning & MEANING_PAYLOAD) == 0;
    s->part_kind = text ? EVENT_FIELD : EVENT_PAYLOAD;
    s->part_value = (uint8_t)(meaning & MEANING_VALUE);
    s->part_media = (uint8_t)(meaning >> MEANING_MEDIA_SHIFT);
    s->part_flags = 0;
    s->part_escape = k->escaped || (cut && text) ? ESCAPE_JSON : ESCAPE_NONE;
    /* The common case first: ASCII throughout, in a layer of UTF-8. */
    bool ascii = k->high == 0 && !cut && s->declared <= CHARSET_UTF8;
    s->part_charset = ascii
                          ? CHARSET_UTF8
                          : (uint8_t)content_charset(p, n, (enum charset)s->declared, cut && text);
    return meaning >> MEANING_PREFIX_SHIFT;
}

static bool finish_string(struct reading *r, const uint8_t *p, size_t n, const struct scan *k)
{
    struct json_state *s = r->s;
    if (s->begin_owed != 0) {
        /* The first key was resourceType. */
        enum known_name type = known_name_find(p, n);
        if (!json_tell_begin(r, p, known_name_is_resource(type) ? known_name_text(type) : "object"))
            return false;
    }
    if (n == 0)
        return json_value_over(r);
    size_t prefix = judge_string(s, p, n, k, false);
    return json_tell_value(r, p + prefix, n - prefix, PART_WHOLE) && json_value_over(r);
}

/* The layer ended inside a string: what is there is its value. */
static bool unclosed(struct reading *r, const uint8_t *at)
{
    return json_tell_anomaly(r, 0, at, "the layer ends inside a string");
}

static bool go_long(struct reading *r)
{
    struct json_state *s = r->s;
    size_t n = (size_t)(r->end - r->p);
    struct scan k = {.last_escape = SIZE_MAX};
    scan_string(s, r->p, n, &k);
    size_t cut = k.closed ? k.at : r->in.last ? n : part_end(r->p, &k);
    bool over = k.closed || r->in.last;
    if ((cut > 0 || over) && !json_tell_value(r, r->p, cut, over ? PART_LAST : 0))
        return false;
    high_run_over(&s->run, r->p, cut);
    r->p += cut;
    if (!over)
        return cut == n || reading_more(r, n - cut + 1);
    s->token = TOKEN_NONE;
    s->run = (struct high_run){0};
    if (k.closed)
        r->p++;
    else if (!unclosed(r, r->p))
        return false;
    return s->is_key != 0 || json_value_over(r);
}

/* A string of more than CONTENT_WHOLE bytes: judge it by those, give them, and go on. */
static bool begin_long(struct reading *r)
{
    struct json_state *s = r->s;
    struct scan k = {.last_escape = SIZE_MAX};
    scan_string(s, r->p, CONTENT_WHOLE, &k);
    size_t prefix = 0;
    if (s->is_key != 0) {
        json_key_set(s, K_NONE);
        part_is_key(s);
        s->part_charset =
            (uint8_t)content_charset(r->p, CONTENT_WHOLE, (enum charset)s->declared, true);
        s->part_escape = ESCAPE_JSON;
    } else {
        prefix = judge_string(s, r->p, CONTENT_WHOLE, &k, true);
    }
    size_t cut = part_end(r->p, &k);
    if (!json_tell_value(r, r->p + prefix, cut - prefix, PART_FIRST))
        return false;
    s->run = (struct high_run){0};
    high_run_over(&s->run, r->p, cut);
    r->p += cut;
    s->token = TOKEN_LONG;
    return go_long(r);
}

static bool go_string(struct reading *r)
{
    struct json_state *s = r->s;
    size_t avail = (size_t)(r->end - r->p);
    size_t n = avail < CONTENT_WHOLE ? avail : CONTENT_WHOLE;
    struct scan k = {.at = s->scanned,
                     .last_escape = SIZE_MAX,
                     .high = s->escaped & 0x80u,
                     .escaped = (s->escaped & 1) != 0};
    scan_string(s, r->p, n, &k);
    const uint8_t *content = r->p;
    if (k.closed) {
        s->token = TOKEN_NONE;
        r->p += k.at + 1;
        return s->is_key != 0 ? json_key_finish(r, content, k.at, k.escaped)
                              : finish_string(r, content, k.at, &k);
    }
    if (avail >= CONTENT_WHOLE)
        return begin_long(r);
    if (!r->in.last) {
        s->scanned = (uint32_t)k.at;
        s->escaped = (uint8_t)((k.escaped ? 1 : 0) | (k.high != 0 ? 0x80 : 0));
        return reading_more(r, avail + 1);
    }
    s->token = TOKEN_NONE;
    r->p = r->end;
    k.high = 1;
    if (s->is_key != 0) {
        /* Not known to be the whole key: say it as it stands. */
        json_key_set(s, K_NONE);
        part_is_key(s);
        s->part_charset = (uint8_t)content_charset(content, avail, (enum charset)s->declared, true);
        s->part_escape = k.escaped ? ESCAPE_JSON : ESCAPE_NONE;
        return json_tell_value(r, content, avail, PART_WHOLE) && unclosed(r, r->end);
    }
    return finish_string(r, content, avail, &k) && unclosed(r, r->end);
}

bool json_string_open(struct reading *r)
{
    struct json_state *s = r->s;
    const uint8_t *at = r->p;
    if (*at == '\'' && s->depth == 0)
        return json_hopeless(r, "no JSON token");
    if (*at == '\'' && !json_tell_anomaly(r, TOLD_QUOTE, at, "a string in single quotes"))
        return false;
    s->is_key = 0;
    if (s->deep > 0) {
        /* Levels beyond are not known: a key is said as a value. */
    } else if (s->expect == EXPECT_KEY || s->expect == EXPECT_KEY_OR_END) {
        s->is_key = 1;
    } else if (s->expect == EXPECT_COMMA) {
        if (!json_tell_anomaly(r, TOLD_COMMA, at, "a comma is missing"))
            return false;
        s->is_key = (s->arrays >> (s->depth - 1) & 1) == 0;
    } else if (s->expect == EXPECT_COLON) {
        if (!json_tell_anomaly(r, TOLD_COLON, at, "a colon is missing"))
            return false;
    }
    if (s->depth == 0) {
        if (!json_tell_open(r, at, "scalar"))
            return false;
    }
    s->delimiter = *at;
    s->token = TOKEN_STRING;
    s->scanned = 0;
    s->escaped = 0;
    r->p++;
    return go_string(r);
}

bool json_string_go(struct reading *r)
{
    return r->s->token == TOKEN_LONG ? go_long(r) : go_string(r);
}
