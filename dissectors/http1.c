/* http1.c - HTTP/1.0 and 1.1, one direction of a connection.
 *
 * A row of messages: start line, fields, body, trailers; after CONNECT or an
 * upgrade, another protocol to the end. Bodies go on as payloads with the media
 * type and the codings the message declares; what they mean is not asked here.
 */
#include <assert.h>
#include <stdio.h>

#include "dissectors/http1.h"
#include "dissectors/mime_key.h"

static_assert(sizeof(struct http1) <= 512, "a flow keeps one of these a direction");

void http1_say(struct http1 *s, struct mime_out *o, enum http1_anomaly what, size_t pos, size_t len)
{
    static const char *const texts[HTTP1_ANOMALIES] = {
        [HTTP1_BARE_LF] = "line ended by LF alone",
        [HTTP1_BARE_CR] = "CR inside a field",
        [HTTP1_FOLDED] = "folded field",
        [HTTP1_SPACE] = "white space before the colon",
        [HTTP1_NO_COLON] = "field without a name",
        [HTTP1_TWO_LENGTHS] = "Content-Length twice",
        [HTTP1_LENGTH_AND_CODING] = "Content-Length with Transfer-Encoding",
        [HTTP1_CHUNKED_NOT_LAST] = "chunked is not the last transfer coding",
        [HTTP1_MANY_CODINGS] = "too many codings",
        [HTTP1_TWO_TYPES] = "Content-Type twice",
        [HTTP1_CHUNK_EXTENSION] = "chunk extension",
        [HTTP1_TARGET_SPACE] = "white space in the target",
        [HTTP1_NO_BODY] = "a response follows where a body was announced",
        [HTTP1_CUT] = "stream ends inside a message",
        [HTTP1_LONG_LINE] = "line longer than 64 KiB",
    };
    if (s->said & 1u << what)
        return;
    s->said |= 1u << what;
    mime_emit_mark(o, EVENT_ANOMALY, texts[what], pos, len);
}

static bool bad(struct mime_out *o, const char *why)
{
    o->why = why;
    return false;
}

static bool want(struct mime_out *o, size_t need)
{
    o->need = need;
    return false;
}

/* The codings of a body, outermost first: transfer codings were applied after content codings,
 * and each list names them in the order they were applied (RFC 9110 section 8.4). */
static void set_codings(const struct http1 *s, struct event *ev)
{
    unsigned n = 0;
    if (s->n_transfer + s->n_content > 4) {
        ev->coding[0] = CODING_UNKNOWN;
        return;
    }
    for (unsigned i = s->n_transfer; i > 0; i--)
        ev->coding[n++] = s->transfer[i - 1];
    for (unsigned i = s->n_content; i > 0; i--)
        ev->coding[n++] = s->content[i - 1];
}

static void emit_body(struct http1 *s, struct mime_out *o, size_t len, bool last)
{
    struct event ev = {
        .kind = EVENT_PAYLOAD,
        .flags = (uint8_t)((s->body_open ? 0u : PART_FIRST) | (last ? PART_LAST : 0u)),
        .hint = s->content_type[0] != '\0' ? s->content_type : NULL,
    };
    if (s->step == HTTP1_TUNNEL) {
        ev.hint = s->websocket ? "application/websocket" : NULL;
    } else {
        set_codings(s, &ev);
        if (s->step != HTTP1_TO_END)
            ev.flags |= FIXED_LEN;
        if (s->step == HTTP1_BODY)
            ev.total = s->length;
    }
    s->body_open = !last;
    mime_emit(o, &ev, o->pos, len);
    o->pos += len;
}

static void close_body(struct http1 *s, struct mime_out *o)
{
    if (s->body_open)
        emit_body(s, o, 0, true);
}

static void end_message(struct http1 *s, struct mime_out *o, enum http1_step next)
{
    mime_emit_mark(o, EVENT_END, NULL, o->pos, 0);
    s->open = false;
    s->step = (uint8_t)next;
}

static void end_body(struct http1 *s, struct mime_out *o)
{
    close_body(s, o);
    bool tunnel = !s->response && (s->connect || s->upgrade);
    end_message(s, o, tunnel ? HTTP1_AWAIT : HTTP1_START);
}

static bool step_start(struct http1 *s, struct mime_out *o)
{
    static const char no_start[] = "not an HTTP start line";
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    /* What is no start line is refused at once, not when 64 KiB of it have come. */
    if (p[0] != '\r' && p[0] != '\n' && http1_method_len(p, left) == SIZE_MAX)
        return bad(o, no_start);
    struct mime_line line;
    switch (mime_line_find(o, false, &s->seen, &line)) {
    case MIME_MORE:
        return false;
    case MIME_LONG:
        if (!http1_start_long(s, o))
            return bad(o, no_start);
        s->step = HTTP1_LONG;
        return true;
    case MIME_WHOLE:
        break;
    }
    if (line.len == 0 || (line.cut && line.len == 1 && p[0] == '\r')) {
        o->pos += line.full; /* empty lines before a start line: RFC 9112 section 2.2 */
        return true;
    }
    if (!http1_start(s, o, &line))
        return bad(o, no_start);
    s->step = HTTP1_FIELDS;
    return true;
}

static bool bodiless(const struct http1 *s)
{
    return s->response && (s->status < 200 || s->status == 204 || s->status == 304);
}

/* Where the body of a message that has one starts: chunked wins over a length. */
static enum http1_step body_step(const struct http1 *s)
{
    if (s->has_codings)
        return s->chunked ? HTTP1_CHUNK : HTTP1_TO_END;
    return s->has_length ? HTTP1_BODY : HTTP1_TO_END;
}

/* How the body ends: RFC 9112 section 6.3, in its order. */
static bool end_fields(struct http1 *s, struct mime_out *o)
{
    if (s->trailers) {
        end_message(s, o, HTTP1_START);
        return true;
    }
    if (s->response && s->status == 101) {
        end_message(s, o, HTTP1_TUNNEL);
        return true;
    }
    if (bodiless(s)) {
        end_body(s, o);
        return true;
    }
    if (s->has_codings && s->has_length)
        http1_say(s, o, HTTP1_LENGTH_AND_CODING, o->pos, 0);
    if (s->n_transfer + s->n_content > 4)
        http1_say(s, o, HTTP1_MANY_CODINGS, o->pos, 0);
    if (s->has_codings && !s->chunked)
        http1_say(s, o, HTTP1_CHUNKED_NOT_LAST, o->pos, 0);
    if (!s->has_codings && s->length_bad)
        return bad(o, "Content-Length that says nothing certain");
    if (!s->has_codings && (s->has_length ? s->length == 0 : !s->response)) {
        end_body(s, o);
        return true;
    }
    s->left = s->length;
    s->step = (uint8_t)(s->response ? HTTP1_PEEK : body_step(s));
    return true;
}

static bool step_fields(struct http1 *s, struct mime_out *o)
{
    struct mime_line line;
    switch (mime_line_find(o, true, &s->seen, &line)) {
    case MIME_MORE:
        return false;
    case MIME_LONG:
        http1_field_long(s, o);
        s->step = HTTP1_LONG;
        return true;
    case MIME_WHOLE:
        break;
    }
    if (line.len > 0 || line.cut) {
        http1_field(s, o, &line);
        return true;
    }
    if (line.bare)
        http1_say(s, o, HTTP1_BARE_LF, o->pos, 1);
    o->pos += line.full;
    return end_fields(s, o);
}

static struct event long_event(const struct http1 *s)
{
    return (struct event){
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .escape = s->line_escape,
        .n_path = 1,
        .path = {s->line_path},
    };
}

static bool step_long(struct http1 *s, struct mime_out *o)
{
    struct event ev = long_event(s);
    if (mime_long_feed(o, &s->line, &ev) != MIME_WHOLE)
        return false;
    s->step = HTTP1_FIELDS;
    return true;
}

/* The answer to HEAD announces a body and sends none; the request went the other way. A body
 * that opens like a status line is taken for the next answer. */
static bool step_peek(struct http1 *s, struct mime_out *o)
{
    static const char next[] = "HTTP/1.";
    enum http1_step body = body_step(s);
    size_t left = o->in.len - o->pos;
    size_t n = left < sizeof next - 1 ? left : sizeof next - 1;
    bool same = memcmp(o->in.bytes + o->pos, next, n) == 0;
    bool whole_body = body == HTTP1_BODY && n >= s->left && n < sizeof next - 1;
    if (same && n < sizeof next - 1 && !whole_body && !o->in.last)
        return want(o, n + 1);
    if (same && n == sizeof next - 1 && !(body == HTTP1_BODY && s->left < n)) {
        http1_say(s, o, HTTP1_NO_BODY, o->pos, 0);
        end_message(s, o, HTTP1_START);
        return true;
    }
    s->step = (uint8_t)body;
    return true;
}

static size_t here(const struct mime_out *o, uint64_t left)
{
    size_t n = o->in.len - o->pos;
    return n < left ? n : (size_t)left;
}

static bool step_body(struct http1 *s, struct mime_out *o)
{
    size_t n = here(o, s->left);
    s->left -= n;
    emit_body(s, o, n, s->left == 0);
    if (s->left == 0)
        end_body(s, o);
    return true;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* chunk_size reads "1a0 ;ext" up to the semicolon; *rest is where an extension starts. */
static const char *chunk_size(const uint8_t *p, size_t len, uint64_t *size, size_t *rest)
{
    uint64_t value = 0;
    size_t i = 0;
    for (; i < len && hex_value(p[i]) >= 0; i++) {
        if (value >> 59 != 0)
            return "chunk size overflow";
        value = value << 4 | (uint64_t)hex_value(p[i]);
    }
    if (i == 0)
        return "not a chunk size";
    while (i < len && (p[i] == ' ' || p[i] == '\t'))
        i++;
    if (i < len && p[i] != ';')
        return "not a chunk size";
    *size = value;
    *rest = i < len ? i + 1 : len;
    return NULL;
}

/* An extension inside a body cannot be a value of its own there: the body is one value. */
static void chunk_extension(struct http1 *s, struct mime_out *o, size_t pos, size_t len)
{
    if (len == 0)
        return;
    http1_say(s, o, HTTP1_CHUNK_EXTENSION, pos, len);
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .n_path = 1,
        .path = {HTTP1_PATH_EXTENSION},
    };
    if (!s->body_open)
        mime_emit_text(o, &ev, pos, len);
}

static bool step_chunk(struct http1 *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    struct mime_line line;
    if (hex_value(p[0]) < 0)
        return bad(o, "not a chunk size");
    switch (mime_line_find(o, false, &s->seen, &line)) {
    case MIME_MORE:
        return false;
    case MIME_LONG:
        o->limit = true;
        return bad(o, "chunk extension longer than 64 KiB");
    case MIME_WHOLE:
        break;
    }
    size_t rest = 0;
    const char *why = chunk_size(p, line.len, &s->left, &rest);
    if (why != NULL)
        return bad(o, why);
    if (s->left == 0)
        close_body(s, o);
    if (line.bare)
        http1_say(s, o, HTTP1_BARE_LF, o->pos, line.full);
    chunk_extension(s, o, o->pos + rest, line.len - rest);
    o->pos += line.full;
    s->trailers = s->left == 0;
    s->step = s->left == 0 ? HTTP1_FIELDS : HTTP1_CHUNK_BODY;
    return true;
}

static bool step_chunk_body(struct http1 *s, struct mime_out *o)
{
    size_t n = here(o, s->left);
    s->left -= n;
    emit_body(s, o, n, false);
    if (s->left == 0)
        s->step = HTTP1_CHUNK_END;
    return true;
}

static bool step_chunk_end(struct http1 *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    if (p[0] == '\r' && left == 1 && !o->in.last)
        return want(o, 2);
    bool cut = p[0] == '\r' && left == 1;
    if (p[0] != '\n' && !cut && !(p[0] == '\r' && p[1] == '\n'))
        return bad(o, "chunk without an end");
    if (p[0] == '\n')
        http1_say(s, o, HTTP1_BARE_LF, o->pos, 1);
    o->pos += p[0] == '\n' || cut ? 1 : 2;
    s->step = HTTP1_CHUNK;
    return true;
}

static bool step_to_end(struct http1 *s, struct mime_out *o)
{
    emit_body(s, o, o->in.len - o->pos, false);
    return true;
}

/* A refused CONNECT or upgrade is followed by more requests, a granted one by anything. */
static bool step_await(struct http1 *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    size_t n = 0;
    while (n < left && p[n] != ' ' && http1_method_known(p, n + 1, true))
        n++;
    if (n == left && !o->in.last)
        return want(o, left + 1);
    bool request = n < left && p[n] == ' ' && http1_method_known(p, n, false);
    s->step = request ? HTTP1_START : HTTP1_TUNNEL;
    return true;
}

static bool step(struct http1 *s, struct mime_out *o)
{
    switch ((enum http1_step)s->step) {
    case HTTP1_START:
        return step_start(s, o);
    case HTTP1_FIELDS:
        return step_fields(s, o);
    case HTTP1_LONG:
        return step_long(s, o);
    case HTTP1_PEEK:
        return step_peek(s, o);
    case HTTP1_BODY:
        return step_body(s, o);
    case HTTP1_CHUNK:
        return step_chunk(s, o);
    case HTTP1_CHUNK_BODY:
        return step_chunk_body(s, o);
    case HTTP1_CHUNK_END:
        return step_chunk_end(s, o);
    case HTTP1_TO_END:
    case HTTP1_TUNNEL:
        return step_to_end(s, o);
    case HTTP1_AWAIT:
        return step_await(s, o);
    }
    return false;
}

static void end_stream(struct http1 *s, struct mime_out *o)
{
    s->ended = true;
    if (s->step == HTTP1_LONG) {
        struct event ev = long_event(s);
        mime_long_end(o, &s->line, &ev);
    }
    close_body(s, o);
    if (!s->open)
        return;
    if (s->step == HTTP1_PEEK)
        s->step = (uint8_t)body_step(s);
    if (s->step != HTTP1_TO_END)
        http1_say(s, o, HTTP1_CUT, o->pos, 0);
    end_message(s, o, HTTP1_START);
}

static struct feed_result http1_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct http1 *s = state;
    struct mime_out o = {.emit = emit, .receiver = receiver, .in = in};
    if (s->ended)
        return feed_ok(in.len);
    if (s->step == HTTP1_BODY && s->left == 0)
        end_body(s, &o); /* a gap took the last of it */
    while (!o.stopped && o.pos < in.len)
        if (!step(s, &o))
            break;
    if (in.last && !o.stopped && o.why == NULL)
        end_stream(s, &o);
    return mime_result(&o);
}

/* A gap is harmless only inside a body, where bytes are counted and not read. */
static bool http1_gap(void *state, struct span missing)
{
    struct http1 *s = state;
    if (s->step == HTTP1_PEEK)
        s->step = (uint8_t)body_step(s);
    switch ((enum http1_step)s->step) {
    case HTTP1_TO_END:
    case HTTP1_TUNNEL:
        return true;
    case HTTP1_BODY:
    case HTTP1_CHUNK_BODY:
        if (missing.len > s->left)
            return false;
        s->left -= missing.len;
        if (s->left == 0 && s->step == HTTP1_CHUNK_BODY)
            s->step = HTTP1_CHUNK_END;
        return true;
    default:
        return false;
    }
}

/* probe_target: what may follow a method, and a version that shows already. */
static unsigned probe_target(const uint8_t *p, size_t len, bool connect)
{
    unsigned bits = 0;
    if (len > 0 && (p[0] == '/' || p[0] == '*' || (p[0] | 0x20) == 'h' || connect))
        bits += 8;
    for (size_t i = 0; i + 8 <= len; i++)
        if (memcmp(p + i, " HTTP/1.", 8) == 0)
            return bits + 64;
    return bits;
}

static unsigned http1_probe(struct view head)
{
    struct cursor c = cursor_over(head);
    const uint8_t *p;
    while (cursor_left(&c) > 0 && (c.bytes[c.pos] == '\r' || c.bytes[c.pos] == '\n'))
        c.pos++;
    size_t left = cursor_left(&c);
    if (left == 0 || !cursor_take(&c, left, &p))
        return 0;
    if (left >= 9 && memcmp(p, "HTTP/1.", 7) == 0 && hex_value(p[7]) >= 0 && p[8] == ' ')
        return 72;
    size_t n = http1_method_len(p, left);
    if (n == 0 || n == SIZE_MAX || p[n - 1] == '/')
        return 0;
    unsigned bits = probe_target(p + n + 1, left - n - 1, mime_is(p, n, "CONNECT"));
    if (http1_method_known(p, n, false))
        return bits >= 8 ? (unsigned)(n + 1) * 8 + bits : 0;
    return bits >= 64 ? bits : 0;
}

static int http1_path(const struct event *ev, char *buf, size_t cap)
{
    static const char *const names[] = {
        [HTTP1_PATH_METHOD] = "method", [HTTP1_PATH_TARGET] = "path",
        [HTTP1_PATH_QUERY] = "query",   [HTTP1_PATH_STATUS] = "status",
        [HTTP1_PATH_REASON] = "reason", [HTTP1_PATH_EXTENSION] = "chunk-extension",
    };
    uint32_t first = ev->n_path > 0 ? ev->path[0] : 0;
    if (first >= HTTP1_PATH_HEADER)
        return snprintf(buf, cap, "%s", http1_field_name(first));
    if (first == HTTP1_PATH_QUERY && ev->n_path > 1)
        return snprintf(buf, cap, "query.%s", mime_key_name(ev->path[1]));
    return snprintf(buf, cap, "%s", first > 0 ? names[first] : "");
}

static const char *const http1_media[] = {"message/http", "application/http", NULL};
static const uint16_t http1_ports[] = {80, 8080, 8000, 8008, 8042, 8081, 8888, 3128, 0};

const struct dissector http1_dissector = {
    .name = "http1",
    .spec = "RFC 9110, RFC 9112 (2022)",
    .state_size = sizeof(struct http1),
    .max_view = MIME_VIEW_MAX,
    .media = http1_media,
    .ports = http1_ports,
    .probe = http1_probe,
    .feed = http1_feed,
    .gap = http1_gap,
    .path = http1_path,
};
