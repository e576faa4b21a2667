/* mime_value.c - encoded words, addresses and parameters. */
#include <stdio.h>

#include "dissectors/mime_value.h"

enum {
    CHARSET_MAX = 40, /* longest charset name of an encoded word; bytes */
    HINT_CAP = 80
};

/* word is one =?charset?encoding?text?= of a value. */
struct word {
    size_t charset, charset_len;
    size_t text, text_len;
    size_t end; /* behind the closing ?= */
    bool base64;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* word_read reads the encoded word at `at`, where "=?" stands. */
static bool word_read(const uint8_t *p, size_t len, size_t at, struct word *w)
{
    size_t i = at + 2;
    w->charset = i;
    while (i < len && i - w->charset <= CHARSET_MAX && p[i] > ' ' && p[i] < 0x7f && p[i] != '?')
        i++;
    if (len - i < 5 || p[i] != '?' || i == w->charset || p[i + 2] != '?')
        return false;
    /* "utf-8*en": the language (RFC 2231 section 5) is no part of the charset. */
    const uint8_t *star = memchr(p + w->charset, '*', i - w->charset);
    w->charset_len = star != NULL ? (size_t)(star - (p + w->charset)) : i - w->charset;
    if ((p[i + 1] | 0x20) != 'b' && (p[i + 1] | 0x20) != 'q')
        return false;
    w->base64 = (p[i + 1] | 0x20) == 'b';
    w->text = i + 3;
    const uint8_t *q = memchr(p + w->text, '?', len - w->text);
    if (q == NULL || (size_t)(q - p) + 1 >= len || q[1] != '=')
        return false;
    w->text_len = (size_t)(q - p) - w->text;
    w->end = (size_t)(q - p) + 2;
    return true;
}

/* word_find finds the first encoded word in [at, len); false when there is none. */
static bool word_find(const uint8_t *p, size_t len, size_t at, size_t *start, struct word *w)
{
    while (at + 1 < len) {
        const uint8_t *q = memchr(p + at, '=', len - at - 1);
        if (q == NULL)
            return false;
        at = (size_t)(q - p);
        if (p[at + 1] == '?' && word_read(p, len, at, w)) {
            *start = at;
            return true;
        }
        at++;
    }
    return false;
}

/* Text of base64 that ends inside a group of four, or with its filling, cannot be joined. */
static bool words_join(const uint8_t *p, const struct word *a, const struct word *b, size_t b_start)
{
    for (size_t i = a->end; i < b_start; i++)
        if (!is_space(p[i]))
            return false;
    if (a->base64 != b->base64 || a->charset_len != b->charset_len ||
        memcmp(p + a->charset, p + b->charset, a->charset_len) != 0)
        return false;
    return !a->base64 ||
           (a->text_len % 4 == 0 && a->text_len > 0 && p[a->text + a->text_len - 1] != '=');
}

static void emit_word(struct mime_out *o, const struct event *ev, size_t pos, const struct word *w,
                      unsigned flags)
{
    char hint[HINT_CAP];
    (void)snprintf(hint, sizeof hint, "text/plain; charset=%.*s", (int)w->charset_len,
                   (const char *)(o->in.bytes + pos + w->charset));
    struct event out = {
        .kind = EVENT_PAYLOAD,
        .flags = (uint8_t)flags,
        .n_path = ev->n_path,
        .coding = {w->base64 ? CODING_BASE64 : CODING_QUOTED_PRINTABLE},
        .hint = hint,
    };
    memcpy(out.path, ev->path, sizeof out.path);
    mime_emit(o, &out, pos + w->text, w->text_len);
}

static bool is_atext(uint8_t c)
{
    static const char specials[] = "<>()[],;:\\\"'";
    return c > ' ' && c != 0x7f && strchr(specials, c) == NULL;
}

static bool has_word(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] >= 0x80 || (p[i] >= '0' && p[i] <= '9') ||
            ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z'))
            return true;
    return false;
}

static void emit_plain(struct mime_out *o, const struct event *ev, size_t pos, size_t len)
{
    if (len > 0 && has_word(o->in.bytes + pos, len))
        mime_emit_text(o, ev, pos, len);
}

/* Each run of address letters around an '@' is an address, what lies between is text: names,
 * comments, groups. */
static void emit_addresses(struct mime_out *o, const struct event *ev, size_t pos, size_t len)
{
    const uint8_t *p = o->in.bytes + pos;
    size_t done = 0;
    while (done < len) {
        const uint8_t *q = memchr(p + done, '@', len - done);
        if (q == NULL)
            break;
        size_t from = (size_t)(q - p), to = from;
        while (from > done && is_atext(p[from - 1]))
            from--;
        while (to < len && is_atext(p[to]))
            to++;
        emit_plain(o, ev, pos + done, from - done);
        struct event out = *ev;
        out.value = VALUE_EMAIL;
        mime_emit_text(o, &out, pos + from, to - from);
        done = to;
    }
    emit_plain(o, ev, pos + done, len - done);
}

static void emit_between(struct mime_out *o, const struct event *ev, bool addresses, size_t pos,
                         size_t len)
{
    if (addresses)
        emit_addresses(o, ev, pos, len);
    else
        emit_plain(o, ev, pos, len);
}

void mime_emit_words(struct mime_out *o, const struct event *ev, bool addresses, size_t pos,
                     size_t len)
{
    const uint8_t *p = o->in.bytes + pos;
    struct word w;
    size_t start, done = 0;
    if (len == 0)
        return;
    bool found = word_find(p, len, 0, &start, &w);
    while (found) {
        emit_between(o, ev, addresses, pos + done, start - done);
        unsigned first = PART_FIRST;
        bool joins;
        do {
            struct word next = w;
            size_t next_start = len;
            found = word_find(p, len, w.end, &next_start, &next);
            joins = found && words_join(p, &w, &next, next_start);
            emit_word(o, ev, pos, &w, first | (joins ? 0u : PART_LAST));
            first = 0;
            done = w.end;
            start = next_start;
            w = next;
        } while (joins);
    }
    emit_between(o, ev, addresses, pos + done, len - done);
}

/* param is one "name=value" of a value with parameters; offsets in the value. */
struct param {
    size_t start; /* of the name */
    size_t name_len;
    size_t text, text_len; /* the content, without quotes */
};

/* param_next reads the parameter at *at, behind a semicolon, and moves behind the next one. */
static bool param_next(const uint8_t *p, size_t len, size_t *at, struct param *out)
{
    size_t i = *at;
    while (i < len && (is_space(p[i]) || p[i] == ';'))
        i++;
    if (i >= len)
        return false;
    out->start = i;
    while (i < len && p[i] != '=' && p[i] != ';')
        i++;
    out->name_len = i - out->start;
    while (out->name_len > 0 && is_space(p[out->start + out->name_len - 1]))
        out->name_len--;
    if (i < len && p[i] == '=')
        i++;
    while (i < len && is_space(p[i]))
        i++;
    bool quoted = i < len && p[i] == '"';
    i += quoted;
    out->text = i;
    while (i < len && p[i] != (quoted ? '"' : ';'))
        i += quoted && p[i] == '\\' && i + 1 < len ? 2u : 1u;
    out->text_len = i - out->text;
    while (i < len && p[i] != ';')
        i++;
    while (!quoted && out->text_len > 0 && is_space(p[out->text + out->text_len - 1]))
        out->text_len--;
    *at = i;
    return true;
}

/* RFC 2231: "filename*", "filename*0", "filename*0*" are all the filename. */
static uint32_t param_step(const uint8_t *name, size_t len, bool *extended)
{
    const uint8_t *star = memchr(name, '*', len);
    size_t n = star != NULL ? (size_t)(star - name) : len;
    *extended = len > 0 && name[len - 1] == '*';
    if (mime_is(name, n, "name"))
        return MIME_PARAM_NAME;
    if (mime_is(name, n, "filename"))
        return MIME_PARAM_FILENAME;
    return 0;
}

static void emit_param(struct mime_out *o, const struct event *ev, size_t pos,
                       const struct param *m, struct mime_params *out)
{
    bool extended;
    uint32_t which = param_step(o->in.bytes + pos + m->start, m->name_len, &extended);
    if (which == 0) {
        size_t end = m->text + m->text_len;
        mime_emit_words(o, ev, false, pos + m->start, end - m->start);
        return;
    }
    struct event named = *ev;
    named.n_path = 2;
    named.path[1] = which;
    named.escape = extended ? ESCAPE_PERCENT : ESCAPE_NONE;
    mime_emit_words(o, &named, false, pos + m->text, m->text_len);
    if (which == MIME_PARAM_NAME)
        out->name = (struct span){pos + m->text, m->text_len};
    else
        out->has_filename = true;
}

void mime_emit_params(struct mime_out *o, const struct event *ev, size_t pos, size_t len,
                      struct mime_params *out)
{
    const uint8_t *p = o->in.bytes + pos;
    if (len == 0)
        return;
    const uint8_t *semicolon = memchr(p, ';', len);
    size_t at = semicolon != NULL ? (size_t)(semicolon - p) : len;
    mime_emit_words(o, ev, false, pos, at);
    struct param m;
    while (param_next(p, len, &at, &m))
        emit_param(o, ev, pos, &m, out);
}

bool mime_param_copy(const char *value, const char *name, char *out, size_t cap)
{
    size_t len = strlen(value);
    const uint8_t *p = (const uint8_t *)value;
    const char *semicolon = strchr(value, ';');
    size_t at = semicolon != NULL ? (size_t)(semicolon - value) : len;
    struct param m;
    while (param_next(p, len, &at, &m)) {
        if (!mime_is(p + m.start, m.name_len, name))
            continue;
        if (m.text_len == 0 || m.text_len >= cap)
            return false;
        memcpy(out, p + m.text, m.text_len);
        out[m.text_len] = '\0';
        return true;
    }
    return false;
}
