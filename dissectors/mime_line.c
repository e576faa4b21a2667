/* mime_line.c - lines and header fields: RFC 5322 section 2.2, RFC 9112 sections 2.2 and 5. */
#include "dissectors/mime_line.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool is_space(uint8_t c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

void mime_emit(struct mime_out *o, const struct event *ev, size_t pos, size_t len)
{
    if (o->stopped)
        return;
    struct event out = *ev;
    out.at = (struct span){o->in.off + pos, len};
    out.raw = o->in.bytes != NULL ? o->in.bytes + pos : NULL;
    o->stopped = !o->emit(o->receiver, &out);
}

void mime_emit_mark(struct mime_out *o, enum event_kind kind, const char *hint, size_t pos,
                    size_t len)
{
    mime_emit(o, &(struct event){.kind = (uint8_t)kind, .hint = hint}, pos, len);
}

void mime_trim(const uint8_t *bytes, size_t *pos, size_t *len)
{
    while (*len > 0 && is_space(bytes[*pos])) {
        *pos += 1;
        *len -= 1;
    }
    while (*len > 0 && is_space(bytes[*pos + *len - 1]))
        *len -= 1;
}

void mime_emit_text(struct mime_out *o, const struct event *ev, size_t pos, size_t len)
{
    const uint8_t *bytes = o->in.bytes;
    mime_trim(bytes, &pos, &len);
    struct event part = *ev;
    unsigned kept = ev->flags;
    unsigned first = PART_FIRST;
    while (len > 0) {
        const uint8_t *nl = memchr(bytes + pos, '\n', len);
        size_t full = nl != NULL ? (size_t)(nl - (bytes + pos)) + 1 : len;
        size_t n = nl != NULL ? full - 1 : len;
        if (nl != NULL && n > 0 && bytes[pos + n - 1] == '\r')
            n--;
        part.flags = (uint8_t)(kept | first | (full == len ? PART_LAST : 0u));
        if (n > 0)
            mime_emit(o, &part, pos, n);
        first = 0;
        pos += full;
        len -= full;
    }
}

struct feed_result mime_result(const struct mime_out *o)
{
    if (o->stopped)
        return feed_stop(o->pos);
    if (o->why != NULL)
        return o->limit ? feed_limit(o->pos, o->why) : feed_bad(o->pos, o->why);
    if (o->pos < o->in.len)
        return feed_more(o->pos, o->need);
    return feed_ok(o->in.len);
}

/* A folded field is long only as a whole, so the search for a bare LF goes over it once, when
 * its end is known. */
static bool has_bare_lf(const uint8_t *p, size_t len)
{
    for (size_t at = 0; at < len;) {
        const uint8_t *nl = memchr(p + at, '\n', len - at);
        if (nl == NULL)
            return false;
        if (nl == p || nl[-1] != '\r')
            return true;
        at = (size_t)(nl - p) + 1;
    }
    return false;
}

static enum mime_found more_line(struct mime_out *o, size_t *seen, size_t at, size_t len)
{
    *seen = at;
    o->need = len + 1;
    return MIME_MORE;
}

enum mime_found mime_line_find(struct mime_out *o, bool folds, size_t *seen, struct mime_line *out)
{
    const uint8_t *p = o->in.bytes + o->pos;
    size_t len = o->in.len - o->pos;
    size_t end = len < MIME_LINE_MAX ? len : MIME_LINE_MAX;
    size_t from = *seen;
    for (;;) {
        const uint8_t *nl = from < end ? memchr(p + from, '\n', end - from) : NULL;
        if (nl == NULL && len >= MIME_LINE_MAX) {
            *seen = 0;
            return MIME_LONG;
        }
        if (nl == NULL && !o->in.last)
            return more_line(o, seen, len, len);
        size_t at = nl != NULL ? (size_t)(nl - p) : len;
        bool empty = at == 0 || (at == 1 && p[0] == '\r');
        if (nl != NULL && folds && !empty) {
            if (at + 1 == len && !o->in.last)
                return more_line(o, seen, at, len);
            if (at + 1 < len && is_blank(p[at + 1])) {
                from = at + 1;
                continue;
            }
        }
        *seen = 0;
        *out = (struct mime_line){
            .len = nl != NULL && at > 0 && p[at - 1] == '\r' ? at - 1 : at,
            .full = nl != NULL ? at + 1 : len,
            .cut = nl == NULL,
        };
        out->bare = has_bare_lf(p, out->full);
        return MIME_WHOLE;
    }
}

static void long_part(struct mime_out *o, struct mime_long *l, const struct event *ev, size_t len,
                      unsigned flags)
{
    struct event part = *ev;
    part.flags = (uint8_t)(ev->flags | flags | (l->started ? 0u : PART_FIRST));
    l->started = true;
    mime_emit(o, &part, o->pos, len);
    o->pos += len;
}

enum mime_found mime_long_feed(struct mime_out *o, struct mime_long *l, const struct event *ev)
{
    while (o->pos < o->in.len) {
        const uint8_t *p = o->in.bytes + o->pos;
        size_t len = o->in.len - o->pos;
        const uint8_t *nl = memchr(p, '\n', len);
        size_t end = nl != NULL ? (size_t)(nl - p) : len;
        size_t cr = (nl != NULL || !o->in.last) && end > 0 && p[end - 1] == '\r' ? 1 : 0;
        if (end - cr > 0)
            long_part(o, l, ev, end - cr, 0);
        if (nl == NULL) {
            o->need = cr + 1;
            return MIME_MORE;
        }
        bool known = end + 1 < len || o->in.last || !l->folds;
        if (!known) {
            o->need = cr + 2;
            return MIME_MORE;
        }
        if (l->folds && end + 1 < len && is_blank(p[end + 1])) {
            o->pos += cr + 1;
            continue;
        }
        long_part(o, l, ev, 0, PART_LAST);
        o->pos += cr + 1;
        return MIME_WHOLE;
    }
    return MIME_MORE;
}

void mime_long_end(struct mime_out *o, struct mime_long *l, const struct event *ev)
{
    long_part(o, l, ev, 0, PART_LAST);
}

struct mime_header mime_header_split(const uint8_t *p, size_t len)
{
    struct mime_header h = {0};
    const uint8_t *colon = memchr(p, ':', len);
    size_t name = colon != NULL ? (size_t)(colon - p) : 0;
    size_t n = name;
    while (n > 0 && is_blank(p[n - 1]))
        n--;
    bool named = n > 0;
    for (size_t i = 0; i < n && named; i++)
        named = p[i] > 0x20 && p[i] < 0x7f;
    h.space = named ? n < name : len > 0 && is_blank(p[0]);
    h.name_len = named ? n : 0;
    h.value = named ? name + 1 : 0;
    h.value_len = len - h.value;
    mime_trim(p, &h.value, &h.value_len);
    return h;
}

void mime_copy(char *out, size_t cap, const uint8_t *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n + 1 < cap && p[i] != '\0'; i++)
        if (p[i] != '\r' && p[i] != '\n')
            out[n++] = (char)p[i];
    out[n] = '\0';
}

bool mime_is(const uint8_t *p, size_t len, const char *text)
{
    return strlen(text) == len && bytes_equal_nocase(p, text, len);
}

bool mime_token(const uint8_t **p, size_t *left, const uint8_t **token, size_t *len)
{
    while (*left > 0 && (is_space(**p) || **p == ',')) {
        *p += 1;
        *left -= 1;
    }
    if (*left == 0)
        return false;
    *token = *p;
    const uint8_t *comma = memchr(*p, ',', *left);
    size_t n = comma != NULL ? (size_t)(comma - *p) : *left;
    *p += n;
    *left -= n;
    const uint8_t *semicolon = memchr(*token, ';', n);
    if (semicolon != NULL)
        n = (size_t)(semicolon - *token);
    while (n > 0 && is_space((*token)[n - 1]))
        n--;
    *len = n;
    return true;
}

enum coding mime_coding(const uint8_t *p, size_t len)
{
    static const struct {
        const char *name;
        enum coding coding;
    } table[] = {
        {"gzip", CODING_GZIP},
        {"x-gzip", CODING_GZIP},
        {"deflate", CODING_DEFLATE},
        {"br", CODING_BROTLI},
        {"zstd", CODING_ZSTD},
        {"base64", CODING_BASE64},
        {"quoted-printable", CODING_QUOTED_PRINTABLE},
        {"identity", CODING_NONE},
        {"7bit", CODING_NONE},
        {"8bit", CODING_NONE},
        {"binary", CODING_NONE},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (mime_is(p, len, table[i].name))
            return table[i].coding;
    return CODING_UNKNOWN;
}
