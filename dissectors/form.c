/* form.c - fields of a web form, as a request body or a query carries them.
 *
 * "key=value&key=value", percent-escaped. What a key means is asked of
 * mime_key; a key nobody knows is text that may itself say something.
 */
#include <stdio.h>

#include "dissectors/mime_key.h"
#include "dissectors/mime_line.h"

enum {
    KEY_MAX = 512 /* longer, it is a value without a key; bytes */
};

struct form_state {
    size_t seen;
    uint32_t key;
    bool in_value;
    bool open; /* a part of a value was sent, its last was not */
    bool ended;
};

static void emit_value(struct form_state *s, struct mime_out *o, size_t len, bool last)
{
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = (uint8_t)mime_key_value(s->key),
        .escape = ESCAPE_FORM,
        .flags = (uint8_t)((s->open ? 0u : PART_FIRST) | (last ? PART_LAST : 0u)),
        .n_path = 1,
        .path = {s->key},
    };
    if (len > 0 || s->open) {
        s->open = !last;
        mime_emit(o, &ev, o->pos, len);
    }
    o->pos += len;
}

static void emit_key(struct mime_out *o, size_t len)
{
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .escape = ESCAPE_FORM,
        .flags = PART_WHOLE | FIELD_NAME,
        .n_path = 1,
    };
    if (len > 0)
        mime_emit(o, &ev, o->pos, len);
}

static bool step_value(struct form_state *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    const uint8_t *amp = memchr(p, '&', left);
    emit_value(s, o, amp != NULL ? (size_t)(amp - p) : left, amp != NULL);
    if (amp == NULL)
        return false;
    o->pos++;
    s->in_value = false;
    return true;
}

/* A key ends at '='; what ends at '&', or not at all, is a value without one. */
static bool step_key(struct form_state *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    size_t end = left < KEY_MAX ? left : KEY_MAX;
    size_t i = s->seen;
    while (i < end && p[i] != '=' && p[i] != '&')
        i++;
    if (i == end && left < KEY_MAX && !o->in.last) {
        s->seen = i;
        o->need = left + 1;
        return false;
    }
    s->seen = 0;
    s->key = 0;
    s->in_value = true;
    if (i < end && p[i] == '=') {
        s->key = mime_key_find(p, i);
        if (s->key == 0)
            emit_key(o, i);
        o->pos += i + 1;
    }
    return true;
}

static struct feed_result form_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct form_state *s = state;
    struct mime_out o = {.emit = emit, .receiver = receiver, .in = in};
    if (s->ended)
        return feed_ok(in.len);
    while (!o.stopped && o.pos < in.len)
        if (!(s->in_value ? step_value(s, &o) : step_key(s, &o)))
            break;
    if (in.last && !o.stopped) {
        emit_value(s, &o, 0, true);
        s->ended = true;
    }
    return mime_result(&o);
}

static bool is_form_char(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '{' && c != '"' && c != '\\';
}

/* Without a media type only what can hardly be anything else: "word=...&...=". */
static unsigned form_probe(struct view head)
{
    size_t equals = 0, amps = 0;
    size_t n = head.len < PROBE_LEN ? head.len : PROBE_LEN;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = head.bytes[i];
        if (!is_form_char(c) || (equals == 0 && (c == '/' || c == '?' || c == ':' || c == '&')))
            return 0;
        equals += c == '=';
        amps += c == '&';
    }
    return n > 0 && head.bytes[0] != '=' && equals >= 2 && amps >= 1 ? 16 : 0;
}

static int form_path(const struct event *ev, char *buf, size_t cap)
{
    return snprintf(buf, cap, "$.%s", mime_key_name(ev->path[0]));
}

static const char *const form_media[] = {"application/x-www-form-urlencoded", NULL};

const struct dissector form_dissector = {
    .name = "form",
    .spec = "WHATWG URL, application/x-www-form-urlencoded",
    .state_size = sizeof(struct form_state),
    .max_view = KEY_MAX,
    .media = form_media,
    .probe = form_probe,
    .feed = form_feed,
    .path = form_path,
};
