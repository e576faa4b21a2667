/* json_tell.c - the events of the JSON dissector. */
#include "dissectors/json_reading.h"

static bool stopped(struct reading *r)
{
    r->result = feed_stop((size_t)(r->p - r->in.bytes));
    return false;
}

static bool give(struct reading *r, const struct event *ev)
{
    return r->emit(r->receiver, ev) || stopped(r);
}

/* The object's begin waits for its first key, which may say what it is. */
bool json_tell_begin(struct reading *r, const uint8_t *at, const char *hint)
{
    struct json_state *s = r->s;
    if (s->begin_owed == 0)
        return true;
    s->begin_owed = 0;
    struct event ev = {
        .kind = EVENT_BEGIN, .at = {reading_offset(r, at), 0}, .raw = at, .hint = hint};
    return give(r, &ev);
}

bool json_tell_open(struct reading *r, const uint8_t *at, const char *hint)
{
    struct event ev = {
        .kind = EVENT_BEGIN, .at = {reading_offset(r, at), 0}, .raw = at, .hint = hint};
    r->s->told = 0;
    return give(r, &ev);
}

bool json_tell_end(struct reading *r, const uint8_t *at, size_t len)
{
    struct event ev = {.kind = EVENT_END, .at = {reading_offset(r, at), len}, .raw = at};
    r->s->started = 2;
    return json_tell_begin(r, at, "object") && give(r, &ev);
}

bool json_tell_anomaly(struct reading *r, unsigned bit, const uint8_t *at, const char *what)
{
    struct json_state *s = r->s;
    if ((s->told & bit) != 0)
        return true;
    s->told = (uint8_t)(s->told | bit);
    struct event ev = {
        .kind = EVENT_ANOMALY, .at = {reading_offset(r, at), 0}, .raw = at, .hint = what};
    return json_tell_begin(r, at, "object") && give(r, &ev);
}

static void path_fill(struct json_state *s, struct event *ev)
{
    size_t n = s->n_steps;
    if (s->deep > 0)
        s->steps[n++] = STEP_DEEP;
    const uint32_t *from = n > PATH_MAX_STEPS ? s->steps + (n - PATH_MAX_STEPS) : s->steps;
    memcpy(ev->path, from, sizeof ev->path);
    if (n > PATH_MAX_STEPS) {
        ev->path[0] |= STEP_CUT;
        n = PATH_MAX_STEPS;
    }
    ev->n_path = (uint8_t)n;
}

/* A value, whole or in part; the meaning is that of its first part. */
bool json_tell_value(struct reading *r, const uint8_t *p, size_t n, unsigned flags)
{
    struct json_state *s = r->s;
    if (!json_tell_begin(r, p, "object"))
        return false;
    struct event ev;
    ev.kind = (uint8_t)s->part_kind;
    ev.value = (uint8_t)s->part_value;
    ev.charset = (uint8_t)s->part_charset;
    ev.escape = (uint8_t)s->part_escape;
    ev.escape_char = 0;
    ev.pad = 0;
    ev.flags = (uint8_t)(flags | s->part_flags);
    memset(ev.coding, CODING_NONE, sizeof ev.coding);
    if (s->part_kind == EVENT_PAYLOAD)
        ev.coding[0] = CODING_BASE64;
    path_fill(s, &ev);
    ev.at = (struct span){reading_offset(r, p), n};
    ev.total = 0;
    ev.raw = p;
    ev.hint = s->part_kind == EVENT_PAYLOAD ? content_media_text((uint8_t)s->part_media) : NULL;
    return give(r, &ev);
}

bool json_hopeless(struct reading *r, const char *why)
{
    size_t consumed = (size_t)(r->p - r->in.bytes);
    bool between = r->s->depth == 0 && r->s->started == 2;
    r->result = between ? feed_done(consumed) : feed_bad(consumed, why);
    return false;
}

bool json_value_over(struct reading *r)
{
    struct json_state *s = r->s;
    if (s->deep > 0)
        return true;
    s->expect = s->depth == 0 ? EXPECT_VALUE : EXPECT_COMMA;
    return s->depth > 0 || json_tell_end(r, r->p, 0);
}
