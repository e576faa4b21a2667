/* http1_start.c - request and status lines: RFC 9112 sections 3 and 4. */
#include "dissectors/http1.h"
#include "dissectors/mime_key.h"

static const char *const methods[] = {
    "GET",        "POST",    "PUT",   "HEAD",     "OPTIONS",   "DELETE",
    "PATCH",      "CONNECT", "TRACE", "PROPFIND", "PROPPATCH", "MKCOL",
    "COPY",       "MOVE",    "LOCK",  "UNLOCK",   "REPORT",    "SEARCH",
    "MKCALENDAR", "ACL",     "MERGE", "CHECKOUT", "CHECKIN",   "VERSION-CONTROL",
    "LINK",       "UNLINK",  "PURGE", "NOTIFY",   "SUBSCRIBE", "UNSUBSCRIBE",
    "M-SEARCH",   "QUERY",   NULL,
};

enum {
    METHOD_MAX = 32
};

bool http1_method_known(const uint8_t *p, size_t n, bool prefix)
{
    for (size_t i = 0; methods[i] != NULL; i++) {
        size_t len = strlen(methods[i]);
        if ((prefix ? n <= len : n == len) && memcmp(p, methods[i], n) == 0)
            return true;
    }
    return false;
}

static bool is_token(uint8_t c)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr(marks, c) != NULL);
}

size_t http1_method_len(const uint8_t *p, size_t len)
{
    static const char version[] = "HTTP/";
    for (size_t i = 0; i < len && i <= METHOD_MAX; i++) {
        if (p[i] == ' ' && i > 0)
            return i;
        if (i == 4 && p[4] == '/' && memcmp(p, version, 4) == 0)
            return 5;
        if (!is_token(p[i]))
            return SIZE_MAX;
    }
    return len > METHOD_MAX ? SIZE_MAX : 0;
}

static struct event text_event(uint32_t path, enum value_kind value, enum escape escape)
{
    return (struct event){
        .kind = EVENT_FIELD,
        .value = (uint8_t)value,
        .escape = (uint8_t)escape,
        .n_path = 1,
        .path = {path},
    };
}

static void emit_one(struct mime_out *o, struct event ev, size_t pos, size_t len)
{
    mime_emit_text(o, &ev, pos, len);
}

/* One "key=value" of a query. A key nobody knows is text as well. */
static void emit_pair(struct mime_out *o, size_t pos, size_t len)
{
    const uint8_t *p = o->in.bytes + pos;
    const uint8_t *equals = memchr(p, '=', len);
    size_t key_len = equals != NULL ? (size_t)(equals - p) : 0;
    uint32_t key = mime_key_find(p, key_len);
    struct event ev = text_event(HTTP1_PATH_QUERY, VALUE_TEXT, ESCAPE_FORM);
    ev.n_path = 2;
    ev.path[1] = key;
    if (key_len > 0 && key == 0) {
        ev.flags = FIELD_NAME;
        emit_one(o, ev, pos, key_len);
        ev.flags = 0;
    }
    ev.value = (uint8_t)mime_key_value(key);
    size_t skip = equals != NULL ? key_len + 1 : 0;
    emit_one(o, ev, pos + skip, len - skip);
}

static void emit_query(struct mime_out *o, size_t pos, size_t len)
{
    while (len > 0) {
        const uint8_t *p = o->in.bytes + pos;
        const uint8_t *amp = memchr(p, '&', len);
        size_t n = amp != NULL ? (size_t)(amp - p) : len;
        emit_pair(o, pos, n);
        n += amp != NULL ? 1 : 0;
        pos += n;
        len -= n;
    }
}

static void emit_target(struct http1 *s, struct mime_out *o, size_t pos, size_t len)
{
    const uint8_t *p = o->in.bytes + pos;
    if (memchr(p, ' ', len) != NULL || memchr(p, '\t', len) != NULL)
        http1_say(s, o, HTTP1_TARGET_SPACE, pos, len);
    if (s->connect) {
        emit_one(o, text_event(HTTP1_PATH_TARGET, VALUE_HOST, ESCAPE_NONE), pos, len);
        return;
    }
    const uint8_t *mark = memchr(p, '?', len);
    size_t n = mark != NULL ? (size_t)(mark - p) : len;
    emit_one(o, text_event(HTTP1_PATH_TARGET, VALUE_TEXT, ESCAPE_PERCENT), pos, n);
    if (mark != NULL)
        emit_query(o, pos + n + 1, len - n - 1);
}

static void begin(struct http1 *s, struct mime_out *o, bool response)
{
    size_t from = offsetof(struct http1, response);
    memset((unsigned char *)s + from, 0, sizeof *s - from);
    s->response = response;
    s->open = true;
    mime_emit_mark(o, EVENT_BEGIN, response ? "response" : "request", o->pos, 0);
}

static void emit_method(struct http1 *s, struct mime_out *o, size_t len)
{
    const uint8_t *p = o->in.bytes + o->pos;
    enum value_kind value = http1_method_known(p, len, false) ? VALUE_CODE : VALUE_TEXT;
    s->connect = mime_is(p, len, "CONNECT");
    emit_one(o, text_event(HTTP1_PATH_METHOD, value, ESCAPE_NONE), o->pos, len);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_version(const uint8_t *p, size_t len)
{
    return len >= 8 && memcmp(p, "HTTP/1.", 7) == 0 && is_digit(p[7]);
}

/* A target may hold spaces that should have been escaped: the version is looked for from behind. */
static bool start_request(struct http1 *s, struct mime_out *o, size_t method, size_t len)
{
    const uint8_t *p = o->in.bytes + o->pos;
    while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
        len--;
    if (len < method + 10 || p[len - 9] != ' ' || !is_version(p + len - 8, 8))
        return false;
    begin(s, o, false);
    emit_method(s, o, method);
    size_t at = method, n = len - 9 - method;
    mime_trim(p, &at, &n);
    emit_target(s, o, o->pos + at, n);
    return true;
}

/* status_len is the length of "HTTP/1.1 200", or 0. */
static size_t status_len(const uint8_t *p, size_t len)
{
    if (!is_version(p, len) || len < 12 || p[8] != ' ' || !is_digit(p[9]) || !is_digit(p[10]) ||
        !is_digit(p[11]) || (len > 12 && p[12] != ' '))
        return 0;
    return 12;
}

static void emit_status(struct http1 *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos + 9;
    s->status = (uint16_t)((p[0] & 15) * 100 + (p[1] & 15) * 10 + (p[2] & 15));
    emit_one(o, text_event(HTTP1_PATH_STATUS, VALUE_CODE, ESCAPE_NONE), o->pos + 9, 3);
}

bool http1_start(struct http1 *s, struct mime_out *o, const struct mime_line *line)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t method = http1_method_len(p, line->len);
    if (method == 0 || method == SIZE_MAX)
        return false;
    if (p[method - 1] == '/') {
        size_t n = status_len(p, line->len);
        if (n == 0)
            return false;
        begin(s, o, true);
        emit_status(s, o);
        emit_one(o, text_event(HTTP1_PATH_REASON, VALUE_TEXT, ESCAPE_NONE), o->pos + n,
                 line->len - n);
    } else if (!start_request(s, o, method, line->len)) {
        return false;
    }
    if (line->bare)
        http1_say(s, o, HTTP1_BARE_LF, o->pos + line->full - 1, 1);
    o->pos += line->full;
    return true;
}

bool http1_start_long(struct http1 *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t method = http1_method_len(p, MIME_LINE_MAX);
    if (method == 0 || method == SIZE_MAX)
        return false;
    bool response = p[method - 1] == '/';
    size_t skip = response ? status_len(p, MIME_LINE_MAX) : method + 1;
    if (skip == 0)
        return false;
    begin(s, o, response);
    http1_say(s, o, HTTP1_LONG_LINE, o->pos, 0);
    if (response)
        emit_status(s, o);
    else
        emit_method(s, o, method);
    s->line = (struct mime_long){.folds = false};
    s->line_path = response ? HTTP1_PATH_REASON : HTTP1_PATH_TARGET;
    s->line_escape = response ? ESCAPE_NONE : ESCAPE_PERCENT;
    o->pos += skip;
    return true;
}
