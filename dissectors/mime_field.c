/* mime_field.c - header fields of messages and parts: RFC 5322, RFC 2045, RFC 2183, RFC 7578. */
#include "dissectors/mime.h"
#include "dissectors/mime_key.h"

enum role {
    ROLE_NONE,
    ROLE_ADDRESS,
    ROLE_TYPE,
    ROLE_DISPOSITION,
    ROLE_TRANSFER,
    ROLE_CONTENT
};

static const struct {
    const char *name;
    enum role role;
} fields[] = {
    {"from", ROLE_ADDRESS},
    {"to", ROLE_ADDRESS},
    {"cc", ROLE_ADDRESS},
    {"bcc", ROLE_ADDRESS},
    {"reply-to", ROLE_ADDRESS},
    {"sender", ROLE_ADDRESS},
    {"return-path", ROLE_ADDRESS},
    {"delivered-to", ROLE_ADDRESS},
    {"resent-from", ROLE_ADDRESS},
    {"resent-to", ROLE_ADDRESS},
    {"resent-cc", ROLE_ADDRESS},
    {"resent-sender", ROLE_ADDRESS},
    {"disposition-notification-to", ROLE_ADDRESS},
    {"x-original-to", ROLE_ADDRESS},
    {"content-type", ROLE_TYPE},
    {"content-disposition", ROLE_DISPOSITION},
    {"content-transfer-encoding", ROLE_TRANSFER},
    {"content-encoding", ROLE_CONTENT},
    {"subject", ROLE_NONE},
    {"date", ROLE_NONE},
    {"message-id", ROLE_NONE},
    {"in-reply-to", ROLE_NONE},
    {"references", ROLE_NONE},
    {"received", ROLE_NONE},
    {"comments", ROLE_NONE},
    {"keywords", ROLE_NONE},
    {"mime-version", ROLE_NONE},
    {"content-id", ROLE_NONE},
    {"content-location", ROLE_NONE},
    {"content-description", ROLE_NONE},
    {"content-length", ROLE_NONE},
    {"content-language", ROLE_NONE},
    {"organization", ROLE_NONE},
    {"user-agent", ROLE_NONE},
    {"x-mailer", ROLE_NONE},
    {"x-priority", ROLE_NONE},
    {"importance", ROLE_NONE},
    {"dkim-signature", ROLE_NONE},
    {"authentication-results", ROLE_NONE},
    {"received-spf", ROLE_NONE},
    {"thread-topic", ROLE_NONE},
    {"thread-index", ROLE_NONE},
    {"list-id", ROLE_NONE},
    {"list-unsubscribe", ROLE_NONE},
    {"precedence", ROLE_NONE},
    {"auto-submitted", ROLE_NONE},
};

enum {
    N_FIELDS = sizeof fields / sizeof fields[0],
    SHORT_NAME = 5 /* an unknown name up to this long cannot hide anything */
};

const char *mime_field_name(uint32_t path)
{
    uint32_t i = path - MIME_PATH_FIELD;
    return i > 0 && i <= N_FIELDS ? fields[i - 1].name : "header";
}

static uint32_t field_path(const uint8_t *name, size_t len)
{
    for (uint32_t i = 0; len > 0 && i < N_FIELDS; i++)
        if ((name[0] | 0x20) == fields[i].name[0] && mime_is(name, len, fields[i].name))
            return MIME_PATH_FIELD + i + 1;
    return MIME_PATH_FIELD;
}

struct event mime_text(uint32_t path)
{
    return (struct event){
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .n_path = 1,
        .path = {path},
    };
}

static void take_type(struct mime_state *s, const uint8_t *p, size_t len)
{
    char charset[MIME_TYPE_CAP];
    if (s->content_type[0] != '\0')
        return;
    mime_copy(s->content_type, sizeof s->content_type, p, len);
    if (mime_param_copy(s->content_type, "charset", charset, sizeof charset))
        s->charset = (uint8_t)charset_from_name((const uint8_t *)charset, strlen(charset));
}

/* The transfer encoding was applied last, whichever field comes first. */
static void take_codings(struct mime_state *s, enum role role, const uint8_t *p, size_t len)
{
    const uint8_t *token;
    size_t n;
    while (mime_token(&p, &len, &token, &n)) {
        enum coding c = mime_coding(token, n);
        if (c == CODING_NONE || (role == ROLE_TRANSFER && s->transfer))
            continue;
        size_t at = role == ROLE_CONTENT && s->transfer ? 1 : 0;
        if (s->n_codings == MIME_CODINGS) {
            s->coding[0] = CODING_UNKNOWN;
            continue;
        }
        memmove(s->coding + at + 1, s->coding + at, s->n_codings - at);
        s->coding[at] = (uint8_t)c;
        s->n_codings++;
        s->transfer = s->transfer || role == ROLE_TRANSFER;
    }
}

static void emit_disposition(struct mime_state *s, struct mime_out *o, const struct event *ev,
                             size_t pos, size_t len)
{
    static const char form[] = "form-data";
    struct mime_params params = {0};
    bool is_form =
        len >= sizeof form - 1 && bytes_equal_nocase(o->in.bytes + pos, form, sizeof form - 1);
    mime_emit_params(o, ev, pos, len, &params);
    s->has_filename = params.has_filename;
    if (is_form && params.name.len > 0)
        s->key = mime_key_find(o->in.bytes + params.name.off, (size_t)params.name.len);
}

static void emit_name(struct mime_out *o, uint32_t path, size_t len)
{
    if (path != MIME_PATH_FIELD || len <= SHORT_NAME)
        return;
    struct event ev = mime_text(path);
    ev.flags = FIELD_NAME;
    mime_emit_text(o, &ev, o->pos, len);
}

void mime_field(struct mime_state *s, struct mime_out *o, size_t len)
{
    const uint8_t *p = o->in.bytes + o->pos;
    struct mime_header h = mime_header_split(p, len);
    uint32_t path = field_path(p, h.name_len);
    enum role role = path > MIME_PATH_FIELD ? fields[path - MIME_PATH_FIELD - 1].role : ROLE_NONE;
    struct event ev = mime_text(path);
    struct mime_params params = {0};
    size_t pos = o->pos + h.value;
    emit_name(o, path, h.name_len);
    switch (role) {
    case ROLE_TYPE:
        take_type(s, p + h.value, h.value_len);
        mime_emit_params(o, &ev, pos, h.value_len, &params);
        break;
    case ROLE_DISPOSITION:
        emit_disposition(s, o, &ev, pos, h.value_len);
        break;
    case ROLE_TRANSFER:
    case ROLE_CONTENT:
        take_codings(s, role, p + h.value, h.value_len);
        mime_emit_words(o, &ev, false, pos, h.value_len);
        break;
    case ROLE_ADDRESS:
    case ROLE_NONE:
        mime_emit_words(o, &ev, role == ROLE_ADDRESS, pos, h.value_len);
        break;
    }
}

void mime_field_long(struct mime_state *s, struct mime_out *o)
{
    struct mime_header h = mime_header_split(o->in.bytes + o->pos, MIME_LINE_MAX);
    s->line_path = field_path(o->in.bytes + o->pos, h.name_len);
    s->line = (struct mime_long){.folds = true};
    s->step = MIME_FIELD_LONG;
    emit_name(o, s->line_path, h.name_len);
    o->pos += h.value;
}
