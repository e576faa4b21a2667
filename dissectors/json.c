/* json.c - JSON texts, one or many after another (RFC 8259, NDJSON, RFC 7464), read as a stream.
 *
 * No tree is built: the state is the chain of keys from the top down to here. Small faults of
 * grammar are told and passed over; what is no JSON at all is left to others. What a value means
 * is said by json_meaning.c.
 */
#include "dissectors/json_reading.h"

static bool begin_text(struct reading *r, bool array)
{
    struct json_state *s = r->s;
    if (array)
        return json_tell_open(r, r->p, "array");
    s->told = 0;
    s->begin_owed = 1;
    return true;
}

static void push(struct json_state *s, bool array)
{
    uint64_t bit = (uint64_t)1 << s->depth;
    bool in_array = s->depth > 0 && (s->arrays >> (s->depth - 1) & 1) != 0;
    uint32_t *step = &s->steps[s->n_steps];
    s->note[s->depth] = 0;
    if (array) {
        s->scope[s->depth] = s->depth == 0 ? SCOPE_ROOT : s->scope[s->depth - 1];
        s->arrays |= bit;
        if (s->depth > 0 && !in_array) {
            step[-1] |= 1;
        } else {
            *step = STEP_UNKEYED | 1u | (s->depth > 0 ? step[-1] & STEP_DEEP : 0);
            s->n_steps++;
        }
        s->expect = EXPECT_VALUE_OR_END;
    } else {
        s->scope[s->depth] = (uint8_t)(s->depth == 0 ? SCOPE_ROOT : json_scope_enter(s));
        s->arrays &= ~bit;
        *step = 0;
        s->n_steps++;
        s->expect = EXPECT_KEY_OR_END;
    }
    s->depth++;
}

static bool open_level(struct reading *r, bool array)
{
    struct json_state *s = r->s;
    const uint8_t *at = r->p;
    if (s->depth == 0 && !begin_text(r, array))
        return false;
    if (s->begin_owed != 0 && s->depth > 0 && !json_tell_begin(r, at, "object"))
        return false;
    r->p++;
    if (s->deep == 0 && s->expect == EXPECT_COLON &&
        !json_tell_anomaly(r, TOLD_COLON, at, "a colon is missing"))
        return false;
    if (s->deep == 0 && s->expect == EXPECT_COMMA &&
        !json_tell_anomaly(r, TOLD_COMMA, at, "a comma is missing"))
        return false;
    if (s->deep == 0 && (s->expect == EXPECT_KEY || s->expect == EXPECT_KEY_OR_END)) {
        json_key_set(s, K_NONE);
        if (!json_tell_anomaly(r, TOLD_KEY, at, "a value where a key should be"))
            return false;
    }
    if (s->depth == JSON_DEPTH) {
        s->deep++;
        return json_tell_anomaly(r, TOLD_DEEP, at, "nested deeper than is followed");
    }
    push(s, array);
    return true;
}

static bool close_level(struct reading *r, bool array)
{
    struct json_state *s = r->s;
    const uint8_t *at = r->p;
    if (s->depth == 0)
        return json_hopeless(r, "a bracket closes nothing");
    r->p++;
    if (s->deep > 0) {
        s->deep--;
        s->expect = EXPECT_COMMA;
        return true;
    }
    bool is_array = (s->arrays >> (s->depth - 1) & 1) != 0;
    if (is_array != array && !json_tell_anomaly(r, TOLD_BRACKET, at, "brackets do not match"))
        return false;
    if ((s->expect == EXPECT_KEY || s->expect == EXPECT_VALUE || s->expect == EXPECT_COLON) &&
        !json_tell_anomaly(r, TOLD_COMMA, at, "a value is missing"))
        return false;
    s->depth--;
    bool merged = is_array && s->depth > 0 && (s->arrays >> (s->depth - 1) & 1) == 0;
    if (merged)
        s->steps[s->n_steps - 1u] &= 0xffff0000u;
    else
        s->n_steps--;
    s->expect = s->depth == 0 ? EXPECT_VALUE : EXPECT_COMMA;
    return s->depth > 0 || json_tell_end(r, at, 1);
}

static bool comma(struct reading *r)
{
    struct json_state *s = r->s;
    const uint8_t *at = r->p++;
    if (s->deep > 0)
        return true;
    if (s->depth == 0)
        return json_tell_anomaly(r, TOLD_COMMA, at, "a comma between texts");
    if (s->expect != EXPECT_COMMA && !json_tell_anomaly(r, TOLD_COMMA, at, "a value is missing"))
        return false;
    if ((s->arrays >> (s->depth - 1) & 1) != 0) {
        uint32_t *step = &s->steps[s->n_steps - 1u];
        *step += (*step & 0xffff) != 0xffff;
        s->expect = EXPECT_VALUE;
    } else {
        s->expect = EXPECT_KEY;
    }
    return true;
}

static bool colon(struct reading *r)
{
    struct json_state *s = r->s;
    const uint8_t *at = r->p++;
    if (s->deep > 0)
        return true;
    if (s->depth == 0) {
        r->p = at;
        return json_hopeless(r, "a colon outside an object");
    }
    if (s->expect != EXPECT_COLON)
        return json_tell_anomaly(r, TOLD_COLON, at, "a colon without a key");
    s->expect = EXPECT_VALUE;
    return true;
}

static bool step(struct reading *r)
{
    switch (*r->p) {
    case '"':
    case '\'':
        return json_string_open(r);
    case '{':
        return open_level(r, false);
    case '[':
        return open_level(r, true);
    case '}':
        return close_level(r, false);
    case ']':
        return close_level(r, true);
    case ',':
        return comma(r);
    case ':':
        return colon(r);
    default:
        return json_bare_open(r);
    }
}

static bool go_token(struct reading *r)
{
    if (r->s->token != TOKEN_BARE)
        return json_string_go(r);
    r->s->token = TOKEN_NONE;
    return json_bare_go(r);
}

/* The byte order mark, and nothing else that RFC 8259 does not have. */
static bool start(struct reading *r)
{
    static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
    size_t n = (size_t)(r->end - r->p);
    if (n == 0)
        return true;
    size_t seen = n < sizeof bom ? n : sizeof bom;
    if (memcmp(r->p, bom, seen) == 0) {
        if (seen < sizeof bom && !r->in.last)
            return reading_more(r, n + 1);
        if (seen == sizeof bom)
            r->p += sizeof bom;
    }
    r->s->started = 1;
    r->s->declared = (uint8_t)content_hint_charset(r->in.hint);
    return true;
}

static bool finish(struct reading *r)
{
    struct json_state *s = r->s;
    if (s->ended != 0)
        return true;
    s->ended = 1;
    if (s->depth == 0)
        return true;
    return json_tell_anomaly(r, 0, r->p, "the layer ends inside a text") &&
           json_tell_end(r, r->p, 0);
}

static struct feed_result json_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    static const uint8_t nothing[1] = {0};
    struct json_state *s = state;
    if (in.len == 0)
        in.bytes = nothing;
    struct reading r = {.s = s, .in = in, .p = in.bytes, .end = in.bytes + in.len};
    r.emit = emit;
    r.receiver = receiver;
    if (s->started == 0 && !start(&r))
        return r.result;
    if (s->token != TOKEN_NONE && (in.len > 0 || in.last) && !go_token(&r))
        return r.result;
    for (;;) {
        if (r.p == r.end)
            break;
        if (*r.p <= ' ') {
            r.p = content_space(r.p, r.end);
            continue;
        }
        if (!step(&r))
            return r.result;
    }
    if (in.last && !finish(&r))
        return r.result;
    return feed_ok(in.len);
}

static const char *const json_media[] = {"application/json",
                                         "+json",
                                         "application/fhir+json",
                                         "application/dicom+json",
                                         "text/json",
                                         "application/x-ndjson",
                                         "application/ndjson",
                                         "application/json-seq",
                                         "application/x-json",
                                         NULL};

const struct dissector json_dissector = {
    .name = "json",
    .spec = "RFC 8259; meanings of HL7 FHIR R4 and DICOM PS3.18 annex F",
    .state_size = sizeof(struct json_state),
    .max_view = CONTENT_WHOLE,
    .max_depth = JSON_DEPTH,
    .media = json_media,
    .probe = json_probe,
    .feed = json_feed,
    .path = json_path,
};
