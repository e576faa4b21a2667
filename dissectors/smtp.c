/* smtp.c - mail on its way: one direction of an SMTP connection.
 *
 * The client's side is commands and messages, the server's is replies; which of
 * them it is, the first byte tells. Messages go on as payloads, without the
 * dots that transparency adds.
 */
#include <assert.h>
#include <stdio.h>

#include "dissectors/mime_line.h"

enum smtp_step {
    SMTP_FIRST,
    SMTP_COMMAND,
    SMTP_LONG,  /* inside a line longer than MIME_LINE_MAX */
    SMTP_ASKED, /* after DATA: the message, or a command because the server refused */
    SMTP_DATA,  /* inside the message that ends with a dot */
    SMTP_BDAT,  /* inside a counted piece of a message: RFC 3030 */
    SMTP_REPLY, /* at a reply line */
    SMTP_TUNNEL /* TLS, to the end */
};

/* First step of a path. */
enum {
    PATH_DOMAIN = 1,
    PATH_SENDER,
    PATH_RECIPIENT,
    PATH_PARAMETERS,
    PATH_LOGIN,
    PATH_ARGUMENT,
    PATH_LINE,
    PATH_REPLY
};

struct smtp_state {
    size_t seen;
    uint64_t left; /* of a BDAT piece */
    struct mime_long line;
    uint8_t step;
    uint8_t logins; /* lines that may answer an AUTH challenge */
    bool server;
    bool last_piece; /* BDAT ... LAST */
    bool line_start; /* the next byte of the message starts a line */
    bool said_bare;
    bool open;      /* a part of a payload was sent, its last was not */
    bool mail_open; /* BEGIN was sent, END was not */
    bool ended;
};
static_assert(sizeof(struct smtp_state) <= 64, "a flow keeps one of these a direction");

static bool want(struct mime_out *o, size_t need)
{
    o->need = need;
    return false;
}

static void emit_field(struct mime_out *o, uint32_t path, enum value_kind value, size_t pos,
                       size_t len)
{
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = (uint8_t)value,
        .n_path = 1,
        .path = {path},
    };
    mime_emit_text(o, &ev, pos, len);
}

static void emit_login(struct mime_out *o, size_t pos, size_t len)
{
    struct event ev = {
        .kind = EVENT_PAYLOAD,
        .n_path = 1,
        .path = {PATH_LOGIN},
        .coding = {CODING_BASE64},
        .hint = "text/plain",
    };
    mime_emit_text(o, &ev, pos, len);
}

static void emit_part(struct smtp_state *s, struct mime_out *o, size_t len, bool last)
{
    struct event ev = {
        .kind = EVENT_PAYLOAD,
        .flags = (uint8_t)((s->open ? 0u : PART_FIRST) | (last ? PART_LAST : 0u)),
        .hint = s->step == SMTP_TUNNEL ? "application/tls" : "message/rfc822",
    };
    if (len > 0 || s->open) {
        s->open = !last;
        mime_emit(o, &ev, o->pos, len);
    }
    o->pos += len;
}

static void end_mail(struct smtp_state *s, struct mime_out *o)
{
    emit_part(s, o, 0, true);
    if (s->mail_open)
        mime_emit_mark(o, EVENT_END, NULL, o->pos, 0);
    s->mail_open = false;
}

static void begin_mail(struct smtp_state *s, struct mime_out *o)
{
    end_mail(s, o);
    mime_emit_mark(o, EVENT_BEGIN, "mail", o->pos, 0);
    s->mail_open = true;
}

static bool starts_with(const uint8_t *p, size_t len, const char *word)
{
    size_t n = strlen(word);
    return len >= n && bytes_equal_nocase(p, word, n);
}

/* A verb is followed by a space or the end of the line. */
static bool is_verb(const uint8_t *p, size_t len, const char *verb)
{
    size_t n = strlen(verb);
    return starts_with(p, len, verb) && (len == n || p[n] == ' ' || p[n] == '\t');
}

/* "<a@b> SIZE=10", "<@relay:a@b>" or, from careless senders, "a@b". */
static void emit_mailbox(struct mime_out *o, uint32_t path, size_t pos, size_t len)
{
    const uint8_t *bytes = o->in.bytes;
    mime_trim(bytes, &pos, &len);
    if (len == 0)
        return;
    bool angle = bytes[pos] == '<';
    const uint8_t *end = memchr(bytes + pos, angle ? '>' : ' ', len);
    size_t n = end != NULL ? (size_t)(end - (bytes + pos)) : len;
    emit_field(o, path, VALUE_EMAIL, pos + angle, n - angle);
    size_t skip = end != NULL ? n + 1 : n;
    emit_field(o, PATH_PARAMETERS, VALUE_TEXT, pos + skip, len - skip);
}

/* RFC 4954: "AUTH mechanism [initial-response]", then lines of base64. */
static void read_auth(struct smtp_state *s, struct mime_out *o, size_t pos, size_t len)
{
    mime_trim(o->in.bytes, &pos, &len);
    const uint8_t *space = len > 0 ? memchr(o->in.bytes + pos, ' ', len) : NULL;
    size_t n = space != NULL ? (size_t)(space - (o->in.bytes + pos)) : len;
    emit_field(o, PATH_ARGUMENT, VALUE_CODE, pos, n);
    emit_login(o, pos + n, len - n);
    s->logins = 3;
}

/* RFC 3030: "BDAT size [LAST]". */
static bool read_bdat(struct smtp_state *s, struct mime_out *o, const uint8_t *p, size_t len)
{
    size_t i = 4, digits = 0;
    uint64_t size = 0;
    while (i < len && p[i] == ' ')
        i++;
    for (; i < len && p[i] >= '0' && p[i] <= '9'; i++, digits++) {
        if (digits == 18)
            break;
        size = size * 10 + (uint64_t)(p[i] - '0');
    }
    while (i < len && p[i] == ' ')
        i++;
    s->last_piece = mime_is(p + i, len - i, "LAST");
    if (digits == 0 || (i < len && !s->last_piece)) {
        mime_emit_mark(o, EVENT_ANOMALY, "BDAT without a size", o->pos, len);
        return false;
    }
    s->left = size;
    s->step = SMTP_BDAT;
    return true;
}

static bool is_base64(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '+' || c == '/' || c == '='))
            return false;
    }
    return len > 0;
}

static void read_rest(struct smtp_state *s, struct mime_out *o, const uint8_t *p, size_t len)
{
    static const char *const quiet[] = {"RSET", "QUIT", "NOOP", "STARTTLS", "HELP", NULL};
    static const char *const asking[] = {"VRFY", "EXPN", "HELP", "NOOP", NULL};
    for (size_t i = 0; quiet[i] != NULL; i++)
        if (mime_is(p, len, quiet[i])) {
            if (i < 2)
                end_mail(s, o);
            s->logins = 0;
            return;
        }
    if (s->logins > 0 && is_base64(p, len)) {
        s->logins--;
        emit_login(o, o->pos, len);
        return;
    }
    s->logins = 0;
    for (size_t i = 0; asking[i] != NULL; i++)
        if (is_verb(p, len, asking[i])) {
            emit_field(o, PATH_ARGUMENT, VALUE_TEXT, o->pos + 4, len - 4);
            return;
        }
    emit_field(o, PATH_LINE, VALUE_TEXT, o->pos, len);
}

/* o->pos stays on the line: the caller moves over it. */
static void read_command(struct smtp_state *s, struct mime_out *o, size_t len)
{
    const uint8_t *p = o->in.bytes + o->pos;
    if (is_verb(p, len, "BDAT") && read_bdat(s, o, p, len))
        return;
    emit_part(s, o, 0, true); /* only BDAT goes on with a message */
    if (is_verb(p, len, "EHLO") || is_verb(p, len, "HELO") || is_verb(p, len, "LHLO")) {
        end_mail(s, o);
        emit_field(o, PATH_DOMAIN, VALUE_TEXT, o->pos + 4, len - 4);
    } else if (starts_with(p, len, "MAIL FROM:")) {
        begin_mail(s, o);
        emit_mailbox(o, PATH_SENDER, o->pos + 10, len - 10);
    } else if (starts_with(p, len, "RCPT TO:")) {
        emit_mailbox(o, PATH_RECIPIENT, o->pos + 8, len - 8);
    } else if (is_verb(p, len, "AUTH")) {
        read_auth(s, o, o->pos + 4, len - 4);
        return;
    } else if (mime_is(p, len, "DATA")) {
        s->step = SMTP_ASKED;
    } else {
        read_rest(s, o, p, len);
        return;
    }
    s->logins = 0;
}

static void read_reply(struct mime_out *o, size_t len)
{
    const uint8_t *p = o->in.bytes + o->pos;
    bool code = len >= 3 && p[0] >= '2' && p[0] <= '5' && p[1] >= '0' && p[1] <= '9' &&
                p[2] >= '0' && p[2] <= '9' && (len == 3 || p[3] == ' ' || p[3] == '-');
    size_t skip = !code ? 0 : len == 3 ? 3 : 4;
    emit_field(o, code ? PATH_REPLY : PATH_LINE, VALUE_TEXT, o->pos + skip, len - skip);
}

/* TLS starts where a line would: a handshake record (RFC 8446 section 5.1) is no text. */
static bool is_tls(const struct mime_out *o, bool *known)
{
    static const uint8_t handshake[] = {0x16, 0x03};
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    size_t n = left < 2 ? left : 2;
    bool same = memcmp(p, handshake, n) == 0;
    *known = !same || n == 2 || o->in.last;
    return same && n == 2;
}

static struct event long_event(void)
{
    return (struct event){
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .n_path = 1,
        .path = {PATH_LINE},
    };
}

static bool step_line(struct smtp_state *s, struct mime_out *o)
{
    bool known;
    if (is_tls(o, &known)) {
        end_mail(s, o);
        s->step = SMTP_TUNNEL;
        return true;
    }
    if (!known)
        return want(o, 2);
    struct mime_line line;
    switch (mime_line_find(o, false, &s->seen, &line)) {
    case MIME_MORE:
        return false;
    case MIME_LONG:
        emit_part(s, o, 0, true);
        s->line = (struct mime_long){.folds = false};
        s->step = SMTP_LONG;
        return true;
    case MIME_WHOLE:
        break;
    }
    if (s->server)
        read_reply(o, line.len);
    else
        read_command(s, o, line.len);
    o->pos += line.full;
    /* An empty piece ends at once; it may be the last. */
    if (s->step == SMTP_BDAT && s->left == 0) {
        s->step = SMTP_COMMAND;
        if (s->last_piece)
            end_mail(s, o);
    }
    return true;
}

static bool step_first(struct smtp_state *s, struct mime_out *o)
{
    uint8_t c = o->in.bytes[o->pos];
    s->server = c >= '0' && c <= '9';
    s->step = s->server ? SMTP_REPLY : SMTP_COMMAND;
    return true;
}

static bool step_long(struct smtp_state *s, struct mime_out *o)
{
    struct event ev = long_event();
    if (mime_long_feed(o, &s->line, &ev) != MIME_WHOLE)
        return false;
    s->step = s->server ? SMTP_REPLY : SMTP_COMMAND;
    return true;
}

/* No mail starts like these lines; a client whose DATA was refused goes on with one of them. */
static bool step_asked(struct smtp_state *s, struct mime_out *o)
{
    static const char *const commands[] = {"QUIT\r\n", "RSET\r\n", "MAIL FROM:<", NULL};
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    s->step = SMTP_DATA;
    s->line_start = true;
    for (size_t i = 0; commands[i] != NULL; i++) {
        size_t n = strlen(commands[i]);
        if (!bytes_equal_nocase(p, commands[i], left < n ? left : n))
            continue;
        if (left < n && !o->in.last) {
            s->step = SMTP_ASKED;
            return want(o, left + 1);
        }
        if (left >= n)
            s->step = SMTP_COMMAND;
    }
    return true;
}

/* A dot at the start of a line: alone it ends the message, else it is not part of it. */
static bool read_dot(struct smtp_state *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    size_t n = 1;
    if (left > n && p[n] == '\r')
        n++;
    if (left == n && !o->in.last)
        return want(o, left + 1);
    bool alone = left == n || p[n] == '\n';
    if (!alone) {
        o->pos++;
        s->line_start = false;
        return true;
    }
    if (n == 1 && left > n && !s->said_bare) {
        s->said_bare = true;
        mime_emit_mark(o, EVENT_ANOMALY, "the line that ends a message ended by LF alone", o->pos,
                       2);
    }
    end_mail(s, o);
    o->pos += left == n ? n : n + 1;
    s->step = SMTP_COMMAND;
    return true;
}

static bool step_data(struct smtp_state *s, struct mime_out *o)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t left = o->in.len - o->pos;
    if (s->line_start && p[0] == '.')
        return read_dot(s, o);
    size_t at = 0;
    for (;;) {
        const uint8_t *nl = at < left ? memchr(p + at, '\n', left - at) : NULL;
        at = nl != NULL ? (size_t)(nl - p) + 1 : left;
        if (nl == NULL || (at < left && p[at] == '.'))
            break;
    }
    s->line_start = p[at - 1] == '\n';
    emit_part(s, o, at, false);
    return true;
}

static bool step_bdat(struct smtp_state *s, struct mime_out *o)
{
    size_t left = o->in.len - o->pos;
    size_t n = left < s->left ? left : (size_t)s->left;
    s->left -= n;
    emit_part(s, o, n, s->left == 0 && s->last_piece);
    if (s->left > 0)
        return true;
    s->step = SMTP_COMMAND;
    if (s->last_piece)
        end_mail(s, o);
    return true;
}

static bool step(struct smtp_state *s, struct mime_out *o)
{
    switch ((enum smtp_step)s->step) {
    case SMTP_FIRST:
        return step_first(s, o);
    case SMTP_COMMAND:
    case SMTP_REPLY:
        return step_line(s, o);
    case SMTP_LONG:
        return step_long(s, o);
    case SMTP_ASKED:
        return step_asked(s, o);
    case SMTP_DATA:
        return step_data(s, o);
    case SMTP_BDAT:
        return step_bdat(s, o);
    case SMTP_TUNNEL:
        emit_part(s, o, o->in.len - o->pos, false);
        return true;
    }
    return false;
}

static struct feed_result smtp_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct smtp_state *s = state;
    struct mime_out o = {.emit = emit, .receiver = receiver, .in = in};
    if (s->ended)
        return feed_ok(in.len);
    if (s->step == SMTP_BDAT && s->left == 0)
        (void)step_bdat(s, &o); /* a gap took the last of it */
    while (!o.stopped && o.pos < in.len)
        if (!step(s, &o))
            break;
    if (in.last && !o.stopped) {
        struct event ev = long_event();
        if (s->step == SMTP_LONG)
            mime_long_end(&o, &s->line, &ev);
        end_mail(s, &o);
        s->ended = true;
    }
    return mime_result(&o);
}

/* Replies are read line by line again. In a message the mail goes on, even when the gap took its
 * end: commands read as mail are text still. */
static bool smtp_gap(void *state, struct span missing)
{
    struct smtp_state *s = state;
    s->seen = 0;
    switch ((enum smtp_step)s->step) {
    case SMTP_TUNNEL:
    case SMTP_REPLY:
        return true;
    case SMTP_DATA:
        s->line_start = false;
        return true;
    case SMTP_BDAT:
        if (missing.len > s->left)
            return false;
        s->left -= missing.len;
        return true;
    default:
        return false;
    }
}

static unsigned smtp_probe(struct view head)
{
    static const char *const starts[] = {"EHLO ", "HELO ", "LHLO ", "MAIL FROM:", "RCPT TO:", NULL};
    for (size_t i = 0; starts[i] != NULL; i++)
        if (starts_with(head.bytes, head.len, starts[i]))
            return (unsigned)strlen(starts[i]) * 8;
    if (head.len < 5 || memcmp(head.bytes, "220", 3) != 0 ||
        (head.bytes[3] != ' ' && head.bytes[3] != '-'))
        return 0;
    for (size_t i = 4; i < head.len && head.bytes[i] != '\n'; i++)
        if (head.bytes[i] < ' ' && head.bytes[i] != '\r' && head.bytes[i] != '\t')
            return 0;
    return 32;
}

static int smtp_path(const struct event *ev, char *buf, size_t cap)
{
    static const char *const names[] = {
        [PATH_DOMAIN] = "domain",       [PATH_SENDER] = "sender",
        [PATH_RECIPIENT] = "recipient", [PATH_PARAMETERS] = "parameters",
        [PATH_LOGIN] = "auth",          [PATH_ARGUMENT] = "argument",
        [PATH_LINE] = "line",           [PATH_REPLY] = "reply",
    };
    uint32_t first = ev->path[0];
    return snprintf(buf, cap, "%s", first > 0 && first <= PATH_REPLY ? names[first] : "");
}

static const uint16_t smtp_ports[] = {25, 587, 2525, 0};

const struct dissector smtp_dissector = {
    .name = "smtp",
    .spec = "RFC 5321, RFC 3030, RFC 4954",
    .state_size = sizeof(struct smtp_state),
    .max_view = MIME_VIEW_MAX,
    .ports = smtp_ports,
    .probe = smtp_probe,
    .feed = smtp_feed,
    .gap = smtp_gap,
    .path = smtp_path,
};
