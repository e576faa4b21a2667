/* http1_header.c - header and trailer fields: RFC 9110 section 6.3, RFC 9112 section 5. */
#include "dissectors/http1.h"

enum role {
    ROLE_NONE,
    ROLE_TYPE,
    ROLE_LENGTH,
    ROLE_TRANSFER,
    ROLE_CONTENT,
    ROLE_UPGRADE,
    ROLE_LOGIN
};

struct known {
    const char *name;
    uint8_t len;
    uint8_t role;
    uint8_t escape;
    uint8_t value;
};

/* Arguments of an initializer: a name with its length, and what is true of most fields. */
#define NAME(name)    name, sizeof name - 1
#define PLAIN(name)   NAME(name), ROLE_NONE, ESCAPE_NONE, VALUE_TEXT
#define PERCENT(name) NAME(name), ROLE_NONE, ESCAPE_PERCENT, VALUE_TEXT

static const struct known fields[] = {
    {NAME("host"), ROLE_NONE, ESCAPE_NONE, VALUE_HOST},
    {NAME("content-type"), ROLE_TYPE, ESCAPE_NONE, VALUE_TEXT},
    {NAME("content-length"), ROLE_LENGTH, ESCAPE_NONE, VALUE_TEXT},
    {NAME("transfer-encoding"), ROLE_TRANSFER, ESCAPE_NONE, VALUE_TEXT},
    {NAME("content-encoding"), ROLE_CONTENT, ESCAPE_NONE, VALUE_TEXT},
    {NAME("upgrade"), ROLE_UPGRADE, ESCAPE_NONE, VALUE_TEXT},
    {NAME("authorization"), ROLE_LOGIN, ESCAPE_NONE, VALUE_TEXT},
    {NAME("proxy-authorization"), ROLE_LOGIN, ESCAPE_NONE, VALUE_TEXT},
    {NAME("from"), ROLE_NONE, ESCAPE_NONE, VALUE_EMAIL},
    {PERCENT("cookie")},
    {PERCENT("set-cookie")},
    {PERCENT("referer")},
    {PERCENT("location")},
    {PERCENT("content-location")},
    {PERCENT("content-disposition")},
    {PERCENT("destination")},
    {PERCENT("link")},
    {PERCENT("soapaction")},
    {PLAIN("connection")},
    {PLAIN("keep-alive")},
    {PLAIN("proxy-connection")},
    {PLAIN("user-agent")},
    {PLAIN("server")},
    {PLAIN("via")},
    {PLAIN("date")},
    {PLAIN("last-modified")},
    {PLAIN("expires")},
    {PLAIN("age")},
    {PLAIN("cache-control")},
    {PLAIN("pragma")},
    {PLAIN("etag")},
    {PLAIN("vary")},
    {PLAIN("accept")},
    {PLAIN("accept-charset")},
    {PLAIN("accept-encoding")},
    {PLAIN("accept-language")},
    {PLAIN("accept-ranges")},
    {PLAIN("allow")},
    {PLAIN("content-language")},
    {PLAIN("content-range")},
    {PLAIN("content-md5")},
    {PLAIN("digest")},
    {PLAIN("expect")},
    {PLAIN("forwarded")},
    {PLAIN("x-forwarded-for")},
    {PLAIN("x-forwarded-host")},
    {PLAIN("x-forwarded-proto")},
    {PLAIN("x-real-ip")},
    {PLAIN("if-match")},
    {PLAIN("if-none-match")},
    {PLAIN("if-modified-since")},
    {PLAIN("if-unmodified-since")},
    {PLAIN("if-range")},
    {PLAIN("range")},
    {PLAIN("max-forwards")},
    {PLAIN("origin")},
    {PLAIN("prefer")},
    {PLAIN("priority")},
    {PLAIN("proxy-authenticate")},
    {PLAIN("www-authenticate")},
    {PLAIN("authentication-info")},
    {PLAIN("retry-after")},
    {PLAIN("te")},
    {PLAIN("trailer")},
    {PLAIN("warning")},
    {PLAIN("mime-version")},
    {PLAIN("refresh")},
    {PLAIN("alt-svc")},
    {PLAIN("strict-transport-security")},
    {PLAIN("content-security-policy")},
    {PLAIN("x-content-type-options")},
    {PLAIN("x-frame-options")},
    {PLAIN("x-xss-protection")},
    {PLAIN("x-powered-by")},
    {PLAIN("x-requested-with")},
    {PLAIN("x-request-id")},
    {PLAIN("x-correlation-id")},
    {PLAIN("traceparent")},
    {PLAIN("tracestate")},
    {PLAIN("upgrade-insecure-requests")},
    {PLAIN("dnt")},
    {PLAIN("access-control-allow-origin")},
    {PLAIN("access-control-allow-methods")},
    {PLAIN("access-control-allow-headers")},
    {PLAIN("access-control-allow-credentials")},
    {PLAIN("access-control-expose-headers")},
    {PLAIN("access-control-max-age")},
    {PLAIN("access-control-request-method")},
    {PLAIN("access-control-request-headers")},
    {PLAIN("sec-fetch-dest")},
    {PLAIN("sec-fetch-mode")},
    {PLAIN("sec-fetch-site")},
    {PLAIN("sec-fetch-user")},
    {PLAIN("sec-ch-ua")},
    {PLAIN("sec-ch-ua-mobile")},
    {PLAIN("sec-ch-ua-platform")},
    {PLAIN("sec-websocket-key")},
    {PLAIN("sec-websocket-accept")},
    {PLAIN("sec-websocket-version")},
    {PLAIN("sec-websocket-protocol")},
    {PLAIN("sec-websocket-extensions")},
    {PLAIN("http2-settings")},
    {PLAIN("depth")},
    {PLAIN("slug")},
};

enum {
    N_FIELDS = sizeof fields / sizeof fields[0],
    SHORT_NAME = 5 /* an unknown name up to this long cannot hide anything */
};

static const struct known unknown = {PLAIN("header")};

const char *http1_field_name(uint32_t path)
{
    uint32_t i = path - HTTP1_PATH_HEADER;
    return i > 0 && i <= N_FIELDS ? fields[i - 1].name : unknown.name;
}

static uint32_t field_path(const uint8_t *name, size_t len)
{
    for (uint32_t i = 0; len > 0 && i < N_FIELDS; i++)
        if (len == fields[i].len && (name[0] | 0x20) == fields[i].name[0] &&
            bytes_equal_nocase(name, fields[i].name, len))
            return HTTP1_PATH_HEADER + i + 1;
    return HTTP1_PATH_HEADER;
}

static const struct known *field_of(uint32_t path)
{
    return path > HTTP1_PATH_HEADER ? &fields[path - HTTP1_PATH_HEADER - 1] : &unknown;
}

/* A list such as "5, 5" is allowed when all are equal: RFC 9112 section 6.3. */
static void take_length(struct http1 *s, struct mime_out *o, size_t pos, const uint8_t *p,
                        size_t len)
{
    const uint8_t *token;
    size_t n;
    bool any = false;
    while (mime_token(&p, &len, &token, &n)) {
        uint64_t value = 0;
        bool good = n > 0 && n <= 18;
        for (size_t i = 0; i < n && good; i++) {
            good = token[i] >= '0' && token[i] <= '9';
            value = value * 10 + (uint64_t)(token[i] & 0x0f);
        }
        if (s->has_length) {
            http1_say(s, o, HTTP1_TWO_LENGTHS, pos, 0);
            good = good && value == s->length;
        }
        s->length_bad = s->length_bad || !good;
        s->length = value;
        s->has_length = any = true;
    }
    s->length_bad = s->length_bad || !any;
}

static void add_coding(uint8_t *list, uint8_t *n, enum coding c)
{
    if (c == CODING_NONE)
        return;
    if (*n < HTTP1_CODINGS)
        list[(*n)++] = (uint8_t)c;
}

static void take_transfer(struct http1 *s, struct mime_out *o, size_t pos, const uint8_t *p,
                          size_t len)
{
    const uint8_t *token;
    size_t n;
    s->has_codings = true;
    while (mime_token(&p, &len, &token, &n)) {
        if (s->chunked)
            http1_say(s, o, HTTP1_CHUNKED_NOT_LAST, pos, 0);
        s->chunked = mime_is(token, n, "chunked");
        if (!s->chunked)
            add_coding(s->transfer, &s->n_transfer, mime_coding(token, n));
    }
}

static void take_content(struct http1 *s, const uint8_t *p, size_t len)
{
    const uint8_t *token;
    size_t n;
    while (mime_token(&p, &len, &token, &n))
        add_coding(s->content, &s->n_content, mime_coding(token, n));
}

static void take_upgrade(struct http1 *s, const uint8_t *p, size_t len)
{
    const uint8_t *token;
    size_t n;
    while (mime_token(&p, &len, &token, &n)) {
        s->upgrade = true;
        s->websocket = s->websocket || mime_is(token, n, "websocket");
    }
}

static void take_type(struct http1 *s, struct mime_out *o, size_t pos, const uint8_t *p, size_t len)
{
    if (s->content_type[0] != '\0')
        http1_say(s, o, HTTP1_TWO_TYPES, pos, 0);
    else
        mime_copy(s->content_type, sizeof s->content_type, p, len);
}

static void take_role(struct http1 *s, struct mime_out *o, enum role role, size_t pos, size_t len)
{
    const uint8_t *p = o->in.bytes + pos;
    if (s->trailers)
        return;
    switch (role) {
    case ROLE_TYPE:
        take_type(s, o, pos, p, len);
        break;
    case ROLE_LENGTH:
        take_length(s, o, pos, p, len);
        break;
    case ROLE_TRANSFER:
        take_transfer(s, o, pos, p, len);
        break;
    case ROLE_CONTENT:
        take_content(s, p, len);
        break;
    case ROLE_UPGRADE:
        take_upgrade(s, p, len);
        break;
    case ROLE_NONE:
    case ROLE_LOGIN:
        break;
    }
}

/* RFC 7617: the token holds user and password. It is emitted as what it is, packed text. */
static bool emit_basic(struct mime_out *o, uint32_t path, size_t pos, size_t len)
{
    const uint8_t *p = o->in.bytes + pos;
    if (len < 7 || !bytes_equal_nocase(p, "basic", 5) || (p[5] != ' ' && p[5] != '\t'))
        return false;
    struct event ev = {
        .kind = EVENT_PAYLOAD,
        .n_path = 1,
        .path = {path},
        .coding = {CODING_BASE64},
        .hint = "text/plain",
    };
    mime_emit_text(o, &ev, pos + 5, len - 5);
    return true;
}

static void emit_value(struct mime_out *o, uint32_t path, size_t pos, size_t len)
{
    const struct known *k = field_of(path);
    if (k->role == ROLE_LOGIN && emit_basic(o, path, pos, len))
        return;
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = k->value,
        .escape = k->escape,
        .n_path = 1,
        .path = {path},
    };
    mime_emit_text(o, &ev, pos, len);
}

static void emit_name(struct mime_out *o, uint32_t path, size_t pos, size_t len)
{
    if (path != HTTP1_PATH_HEADER || len <= SHORT_NAME)
        return;
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .flags = FIELD_NAME,
        .n_path = 1,
        .path = {path},
    };
    mime_emit_text(o, &ev, pos, len);
}

static void say_shape(struct http1 *s, struct mime_out *o, const struct mime_line *line,
                      const struct mime_header *h)
{
    const uint8_t *p = o->in.bytes + o->pos;
    if (line->bare)
        http1_say(s, o, HTTP1_BARE_LF, o->pos, line->full);
    if (memchr(p, '\n', line->len) != NULL)
        http1_say(s, o, HTTP1_FOLDED, o->pos, line->full);
    if (h->name_len == 0)
        http1_say(s, o, HTTP1_NO_COLON, o->pos, line->len);
    else if (h->space)
        http1_say(s, o, HTTP1_SPACE, o->pos, h->value);
    for (size_t at = 0; at < line->len;) {
        const uint8_t *cr = memchr(p + at, '\r', line->len - at);
        if (cr == NULL)
            break;
        at = (size_t)(cr - p) + 1;
        if (at < line->len && p[at] != '\n') {
            http1_say(s, o, HTTP1_BARE_CR, o->pos, line->len);
            break;
        }
    }
}

void http1_field(struct http1 *s, struct mime_out *o, const struct mime_line *line)
{
    const uint8_t *p = o->in.bytes + o->pos;
    struct mime_header h = mime_header_split(p, line->len);
    uint32_t path = field_path(p, h.name_len);
    say_shape(s, o, line, &h);
    emit_name(o, path, o->pos, h.name_len);
    /* Anomalies of the value are told at its start, so before it. */
    take_role(s, o, field_of(path)->role, o->pos + h.value, h.value_len);
    emit_value(o, path, o->pos + h.value, h.value_len);
    o->pos += line->full;
}

void http1_field_long(struct http1 *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    struct mime_header h = mime_header_split(p, MIME_LINE_MAX);
    uint32_t path = field_path(p, h.name_len);
    http1_say(s, o, HTTP1_LONG_LINE, o->pos, 0);
    emit_name(o, path, o->pos, h.name_len);
    /* Framing that hides behind 64 KiB is not followed. */
    const struct known *k = field_of(path);
    if (k->role == ROLE_LENGTH || k->role == ROLE_TRANSFER)
        s->length_bad = true;
    s->line = (struct mime_long){.folds = true};
    s->line_path = path;
    s->line_escape = k->escape;
    o->pos += h.value;
}
