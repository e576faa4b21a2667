/* json_bare.c - what stands in JSON without quotes: numbers, literals, and keys of senders who
 * leave the quotes out. */
#include "dissectors/json_reading.h"

enum {
    BARE_MAX = 4096, /* a number of more characters is none */
    LONG_DIGITS = 8, /* a number of so many digits may be an identifier */
    SHORT_NUMBER = 5 /* one of fewer characters says nothing */
};

bool json_ends_bare(uint8_t c)
{
    return c <= ' ' || c == ',' || c == ':' || c == '}' || c == ']' || c == '"' || c == '{' ||
           c == '[';
}

static bool starts_bare(uint8_t c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == '_' || c == '$' ||
           ((c | 32) >= 'a' && (c | 32) <= 'z');
}

bool json_is_number(const uint8_t *p, size_t n)
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] >= '0' && p[i] <= '9')
            digits++;
        else if (memchr("+-.eExXabcdfABCDF", p[i], 17) == NULL)
            return false;
    }
    return digits > 0 && (p[0] <= '9');
}

static bool is_word(const uint8_t *p, size_t n, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == n && memcmp(*words, p, n) == 0)
            return true;
    return false;
}

bool json_is_literal(const uint8_t *p, size_t n)
{
    static const char *const literals[] = {"true", "false", "null", NULL};
    return is_word(p, n, literals);
}

static size_t count_digits(const uint8_t *p, size_t n)
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++)
        digits += p[i] >= '0' && p[i] <= '9';
    return digits;
}

static bool give_number(struct reading *r, const uint8_t *p, size_t n)
{
    struct json_state *s = r->s;
    uint32_t value = json_meaning_number(s) & MEANING_VALUE;
    if (value == VALUE_TEXT) {
        if (n < SHORT_NUMBER)
            return true;
        value = count_digits(p, n) >= LONG_DIGITS ? VALUE_TEXT : VALUE_NUMBER;
    }
    s->part_kind = EVENT_FIELD;
    s->part_value = (uint8_t)value;
    s->part_flags = 0;
    s->part_charset = CHARSET_UTF8;
    s->part_escape = ESCAPE_NONE;
    return json_tell_value(r, p, n, PART_WHOLE);
}

static bool bare_key(struct reading *r, const uint8_t *p, size_t n)
{
    struct json_state *s = r->s;
    if (!json_tell_anomaly(r, TOLD_KEY, p, "a key without quotes"))
        return false;
    r->p = p + n;
    s->token = TOKEN_NONE;
    return json_key_finish(r, p, n, false);
}

static bool bare_value(struct reading *r, const uint8_t *p, size_t n)
{
    static const char *const others[] = {"NaN",  "Infinity", "-Infinity", "undefined",
                                         "None", "True",     "False",     NULL};
    struct json_state *s = r->s;
    bool number = json_is_number(p, n);
    bool literal = !number && json_is_literal(p, n);
    if (!number && !literal) {
        if (!is_word(p, n, others))
            return json_hopeless(r, "no JSON value");
        if (!json_tell_anomaly(r, TOLD_LITERAL, p, "a literal JSON does not have"))
            return false;
    }
    if (s->depth == 0) {
        if (!json_tell_open(r, p, "scalar"))
            return false;
    }
    if (!json_tell_begin(r, p, "object"))
        return false;
    r->p = p + n;
    s->token = TOKEN_NONE;
    return (!number || give_number(r, p, n)) && json_value_over(r);
}

bool json_bare_go(struct reading *r)
{
    struct json_state *s = r->s;
    size_t avail = (size_t)(r->end - r->p);
    size_t max = avail < BARE_MAX ? avail : BARE_MAX;
    size_t n = s->scanned;
    while (n < max && !json_ends_bare(r->p[n]))
        n++;
    if (n == BARE_MAX)
        return json_hopeless(r, "a number without end");
    if (n == avail && !r->in.last) {
        s->token = TOKEN_BARE;
        s->scanned = (uint32_t)n;
        return reading_more(r, avail + 1);
    }
    if (s->deep == 0 && (s->expect == EXPECT_KEY || s->expect == EXPECT_KEY_OR_END))
        return bare_key(r, r->p, n);
    if (s->deep == 0 && s->expect == EXPECT_COMMA)
        return json_hopeless(r, "a word where a comma should be");
    if (s->deep == 0 && s->expect == EXPECT_COLON &&
        !json_tell_anomaly(r, TOLD_COLON, r->p, "a colon is missing"))
        return false;
    return bare_value(r, r->p, n);
}

bool json_bare_open(struct reading *r)
{
    r->s->scanned = 0;
    if (!starts_bare(*r->p))
        return json_hopeless(r, "no JSON token");
    return json_bare_go(r);
}
