/* mime.c - mail messages and multipart bodies.
 *
 * A message is header fields and one body to the end; a multipart body is parts
 * between boundary lines. Each body goes on as a payload with its media type
 * and codings: what is nested is another layer, so nothing here recurses.
 */
#include <stdio.h>

#include "dissectors/mime.h"
#include "dissectors/mime_key.h"

static bool want(struct mime_out *o, size_t need)
{
    o->need = need;
    return false;
}

/* body_event describes the value that is being cut out: a body, or the text around the parts. */
static struct event body_event(const struct mime_state *s)
{
    if (s->epilogue || !s->open)
        return mime_text(s->epilogue ? MIME_PATH_EPILOGUE : MIME_PATH_PREAMBLE);
    if (s->key != 0) {
        struct event ev = mime_text(MIME_PATH_FORM);
        ev.value = (uint8_t)mime_key_value(s->key);
        ev.charset = s->charset;
        ev.n_path = 2;
        ev.path[1] = s->key;
        return ev;
    }
    struct event ev = {
        .kind = EVENT_PAYLOAD,
        .hint = s->content_type[0] != '\0' ? s->content_type
                : s->digest                ? "message/rfc822"
                                           : "text/plain",
    };
    for (size_t i = 0; i < s->n_codings; i++)
        ev.coding[i] = s->coding[i];
    return ev;
}

static void emit_body(struct mime_state *s, struct mime_out *o, size_t len, bool last)
{
    if (len > 0 || s->body_open) {
        struct event ev = body_event(s);
        ev.flags = (uint8_t)((s->body_open ? 0u : PART_FIRST) | (last ? PART_LAST : 0u));
        s->body_open = !last;
        mime_emit(o, &ev, o->pos, len);
    }
    o->pos += len;
}

static void begin_part(struct mime_state *s, struct mime_out *o, const char *kind)
{
    s->has_filename = s->transfer = false;
    s->charset = CHARSET_UNKNOWN;
    s->n_codings = 0;
    s->key = 0;
    s->content_type[0] = '\0';
    s->open = true;
    s->step = MIME_FIELDS;
    mime_emit_mark(o, EVENT_BEGIN, kind, o->pos, 0);
}

static void end_part(struct mime_state *s, struct mime_out *o)
{
    if (s->open)
        mime_emit_mark(o, EVENT_END, NULL, o->pos, 0);
    s->open = false;
}

/* ---- boundary lines, RFC 2046 section 5.1.1 ---- */

enum boundary {
    BOUNDARY_NONE,
    BOUNDARY_MAYBE, /* more bytes are needed to tell */
    BOUNDARY_PART,  /* a part follows */
    BOUNDARY_CLOSE  /* the last one */
};

static enum boundary boundary_tail(const uint8_t *p, size_t len, bool last, size_t *full)
{
    size_t i = 0;
    if (len > 0 && p[0] == '-') {
        if (len == 1)
            return last ? BOUNDARY_NONE : BOUNDARY_MAYBE;
        *full += 2;
        return p[1] == '-' ? BOUNDARY_CLOSE : BOUNDARY_NONE;
    }
    while (i < len && i < MIME_PADDING_MAX && (p[i] == ' ' || p[i] == '\t'))
        i++;
    if (i < len && p[i] == '\r')
        i++;
    if (i == len) {
        *full += i;
        return last ? BOUNDARY_PART : BOUNDARY_MAYBE;
    }
    *full += i + 1;
    return p[i] == '\n' ? BOUNDARY_PART : BOUNDARY_NONE;
}

/* boundary_at tells what starts at a line start; *full is the length of a boundary line. */
static enum boundary boundary_at(const struct mime_state *s, const uint8_t *p, size_t len,
                                 bool last, size_t *full)
{
    size_t n = (size_t)s->boundary_len + 2;
    for (size_t i = 0; i < 2 && i < len; i++)
        if (p[i] != '-')
            return BOUNDARY_NONE;
    if (len < n) {
        if (last || (len > 2 && memcmp(p + 2, s->boundary, len - 2) != 0))
            return BOUNDARY_NONE;
        return BOUNDARY_MAYBE;
    }
    if (memcmp(p + 2, s->boundary, s->boundary_len) != 0)
        return BOUNDARY_NONE;
    *full = n;
    return boundary_tail(p + n, len - n, last, full);
}

static void pass_boundary(struct mime_state *s, struct mime_out *o, enum boundary b, size_t full)
{
    end_part(s, o);
    o->pos += full;
    s->epilogue = b == BOUNDARY_CLOSE;
    s->step = s->epilogue ? MIME_CLOSED : MIME_PART;
}

/* A call of memchr costs more than a short line; lines that are all short must not cost a call
 * each. */
static const uint8_t *find_lf(const uint8_t *p, size_t len)
{
    enum {
        NEAR = 8
    };
    for (size_t i = 0; i < NEAR && i < len; i++)
        if (p[i] == '\n')
            return p + i;
    return len > NEAR ? memchr(p + NEAR, '\n', len - NEAR) : NULL;
}

/* Content up to the next boundary line. The line end before a boundary is part of it, so a line
 * end at the end of the view is kept back. */
static bool step_content(struct mime_state *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t len = o->in.len - o->pos, at = 0, full = 0;
    enum boundary b = s->line_start ? boundary_at(s, p, len, o->in.last, &full) : BOUNDARY_NONE;
    if (b == BOUNDARY_MAYBE)
        return want(o, len + 1);
    s->line_start = false;
    if (b != BOUNDARY_NONE) {
        pass_boundary(s, o, b, full);
        return true;
    }
    while (at < len) {
        const uint8_t *nl = find_lf(p + at, len - at);
        if (nl == NULL)
            break;
        size_t end = (size_t)(nl - p);
        at = end + 1;
        if (at < len && p[at] != '-')
            continue;
        b = boundary_at(s, p + at, len - at, o->in.last, &full);
        if (b == BOUNDARY_NONE)
            continue;
        size_t cr = end > 0 && p[end - 1] == '\r' ? 1 : 0;
        emit_body(s, o, end - cr, b != BOUNDARY_MAYBE);
        if (b == BOUNDARY_MAYBE)
            return want(o, len - (end - cr) + 1);
        o->pos += cr + 1;
        pass_boundary(s, o, b, full);
        return true;
    }
    size_t kept = !o->in.last && p[len - 1] == '\r' ? 1 : 0;
    emit_body(s, o, len - kept, false);
    return kept == 0 || want(o, kept + 1);
}

static bool step_closed(struct mime_state *s, struct mime_out *o)
{
    static const char space[] = " \t\r\n";
    if (memchr(space, o->in.bytes[o->pos], sizeof space - 1) != NULL)
        o->pos++;
    else
        s->step = MIME_TO_END;
    return true;
}

/* The boundary as the first line that starts with "--" writes it. */
static bool step_search(struct mime_state *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t len = o->in.len - o->pos;
    size_t look = len < MIME_BOUNDARY_MAX + 8 ? len : MIME_BOUNDARY_MAX + 8;
    const uint8_t *nl = memchr(p, '\n', s->line_start ? look : len);
    if (s->line_start) {
        bool dashes = p[0] == '-' && (len < 2 || p[1] == '-');
        if (dashes && nl == NULL && len < MIME_BOUNDARY_MAX + 8 && !o->in.last)
            return want(o, len + 1);
        size_t n = nl != NULL ? (size_t)(nl - p) : len;
        size_t start = 2, text = n > 2 ? n - 2 : 0;
        if (dashes && len >= 2)
            mime_trim(p, &start, &text);
        if (dashes && (nl != NULL || len < MIME_BOUNDARY_MAX + 8) && text > 0 &&
            text <= MIME_BOUNDARY_MAX && start == 2) {
            memcpy(s->boundary, p + 2, text);
            s->boundary_len = (uint8_t)text;
            emit_body(s, o, 0, true);
            pass_boundary(s, o, BOUNDARY_PART, nl != NULL ? n + 1 : n);
            return true;
        }
        nl = memchr(p, '\n', len);
    }
    s->line_start = nl != NULL;
    emit_body(s, o, nl != NULL ? (size_t)(nl - p) + 1 : len, false);
    return true;
}

/* ---- fields ---- */

static void end_fields(struct mime_state *s)
{
    /* A form field is a value when it is nothing but text. */
    if (s->has_filename || s->n_codings > 0 ||
        (s->content_type[0] != '\0' && strncmp(s->content_type, "text/plain", 10) != 0))
        s->key = 0;
    s->step = s->message ? MIME_TO_END : MIME_BODY;
    s->line_start = true;
}

static bool step_fields(struct mime_state *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t len = o->in.len - o->pos, full = 0;
    if (!s->message) {
        enum boundary b = boundary_at(s, p, len, o->in.last, &full);
        if (b == BOUNDARY_MAYBE)
            return want(o, len + 1);
        if (b != BOUNDARY_NONE) {
            pass_boundary(s, o, b, full);
            return true;
        }
    }
    struct mime_line line;
    switch (mime_line_find(o, true, &s->seen, &line)) {
    case MIME_MORE:
        return false;
    case MIME_LONG:
        mime_field_long(s, o);
        return true;
    case MIME_WHOLE:
        break;
    }
    if (line.len > 0)
        mime_field(s, o, line.len);
    else
        end_fields(s);
    o->pos += line.full;
    return true;
}

static bool step_long(struct mime_state *s, struct mime_out *o)
{
    struct event ev = mime_text(s->line_path);
    if (mime_long_feed(o, &s->line, &ev) != MIME_WHOLE)
        return false;
    s->step = MIME_FIELDS;
    return true;
}

/* ---- the layer ---- */

static bool has_prefix(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return text != NULL && strlen(text) >= n &&
           bytes_equal_nocase((const uint8_t *)text, prefix, n);
}

/* What the outer format says decides; without it, a layer of parts starts with a boundary. */
static bool step_first(struct mime_state *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t len = o->in.len - o->pos;
    bool parts = has_prefix(o->in.hint, "multipart/");
    s->line_start = true;
    if (parts) {
        s->digest = has_prefix(o->in.hint, "multipart/digest");
        if (mime_param_copy(o->in.hint, "boundary", s->boundary, sizeof s->boundary)) {
            s->boundary_len = (uint8_t)strlen(s->boundary);
            s->step = MIME_PREAMBLE;
            return true;
        }
    } else if (!has_prefix(o->in.hint, "message/")) {
        if (p[0] == '-' && len == 1 && !o->in.last)
            return want(o, 2);
        parts = p[0] == '-' && len > 1 && p[1] == '-';
    }
    s->message = !parts;
    s->step = MIME_SEARCH;
    if (s->message)
        begin_part(s, o, "message");
    return true;
}

static bool step(struct mime_state *s, struct mime_out *o)
{
    switch ((enum mime_step)s->step) {
    case MIME_FIRST:
        return step_first(s, o);
    case MIME_SEARCH:
        return step_search(s, o);
    case MIME_PREAMBLE:
    case MIME_BODY:
        return step_content(s, o);
    case MIME_PART:
        begin_part(s, o, "part");
        return true;
    case MIME_FIELDS:
        return step_fields(s, o);
    case MIME_FIELD_LONG:
        return step_long(s, o);
    case MIME_CLOSED:
        return step_closed(s, o);
    case MIME_TO_END:
        emit_body(s, o, o->in.len - o->pos, false);
        return true;
    }
    return false;
}

static struct feed_result mime_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct mime_state *s = state;
    struct mime_out o = {.emit = emit, .receiver = receiver, .in = in};
    if (s->ended)
        return feed_ok(in.len);
    while (!o.stopped && o.pos < in.len)
        if (!step(s, &o))
            break;
    if (in.last && !o.stopped) {
        struct event ev = mime_text(s->line_path);
        if (s->step == MIME_FIELD_LONG)
            mime_long_end(&o, &s->line, &ev);
        emit_body(s, &o, 0, true);
        end_part(s, &o);
        s->ended = true;
    }
    return mime_result(&o);
}

/* A body goes on behind a gap and ends at the next boundary; if the gap took one, two bodies are
 * joined, and what reads them is told of the same gap. */
static bool mime_gap(void *state, struct span missing)
{
    struct mime_state *s = state;
    (void)missing;
    s->line_start = false;
    return s->step == MIME_PREAMBLE || s->step == MIME_BODY || s->step == MIME_CLOSED ||
           s->step == MIME_TO_END;
}

/* Names a mail may start with: a line of ordinary text can, too, so the bid is their length. */
static unsigned mime_probe(struct view head)
{
    static const char *const starts[] = {
        "Received: ",   "Return-Path: ", "Delivered-To: ", "MIME-Version: ",
        "Message-ID: ", "From: ",        "To: ",           "Date: ",
        "Subject: ",    "Reply-To: ",    "X-Mailer: ",     "Content-Type: ",
        NULL,
    };
    for (size_t i = 0; starts[i] != NULL; i++) {
        size_t n = strlen(starts[i]);
        if (head.len > n && bytes_equal_nocase(head.bytes, starts[i], n))
            return (unsigned)n * 8;
    }
    if (head.len < 4 || head.bytes[0] != '-' || head.bytes[1] != '-')
        return 0;
    const uint8_t *nl = memchr(head.bytes, '\n', head.len);
    size_t next = nl != NULL ? (size_t)(nl - head.bytes) + 1 : head.len;
    static const char content[] = "Content-";
    if (head.len - next >= 8 && next > 4 && bytes_equal_nocase(head.bytes + next, content, 8))
        return 80;
    return 0;
}

static int mime_path(const struct event *ev, char *buf, size_t cap)
{
    static const char *const params[] = {
        [0] = "",
        [MIME_PARAM_NAME] = ".name",
        [MIME_PARAM_FILENAME] = ".filename",
    };
    uint32_t first = ev->path[0];
    if (first == MIME_PATH_PREAMBLE || first == MIME_PATH_EPILOGUE)
        return snprintf(buf, cap, "%s", first == MIME_PATH_PREAMBLE ? "preamble" : "epilogue");
    if (first == MIME_PATH_FORM)
        return snprintf(buf, cap, "$.%s", mime_key_name(ev->n_path > 1 ? ev->path[1] : 0));
    uint32_t param = ev->n_path > 1 && ev->path[1] <= MIME_PARAM_FILENAME ? ev->path[1] : 0;
    return snprintf(buf, cap, "%s%s", mime_field_name(first), params[param]);
}

static const char *const mime_media[] = {"multipart/",      "message/rfc822", "message/global",
                                         "message/partial", "message/news",   NULL};

const struct dissector mime_dissector = {
    .name = "mime",
    .spec = "RFC 5322, RFC 2045 to 2047, RFC 7578, RFC 2387",
    .state_size = sizeof(struct mime_state),
    .max_view = MIME_VIEW_MAX,
    .media = mime_media,
    .probe = mime_probe,
    .feed = mime_feed,
    .gap = mime_gap,
    .path = mime_path,
};
