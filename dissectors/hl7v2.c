/* hl7v2.c - HL7 version 2 messages in vertical-bar encoding (ER7), framed by MLLP or bare.
 *
 * A message starts with MSH at the start of a line or after 0x0B, wherever that stands; files and
 * batches (FHS, BHS, BTS, FTS) are messages of one segment around it. What lies between messages is
 * told as text. UTF-16 messages, whose delimiters are two bytes, are not recognised.
 *
 * A delimiter byte may be the second byte of a wide character. With a GB or Big5 set in MSH-18,
 * such pairs are told apart; with UTF-8 or an 8-bit set none can be meant. With nothing (or ASCII)
 * declared, valid UTF-8 sequences are characters, else a byte from 0x81 on with a byte of GBK's
 * second range after it is one: Latin-1 text that is not declared may lose a delimiter so.
 */
#include <stdio.h>

#include "dissectors/hl7v2_state.h"

static bool is_delimiter(uint8_t c)
{
    return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') &&
           !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_line_end(uint8_t c)
{
    return c == '\r' || c == '\n';
}

/* What may stand before a header segment, and is no text between messages. */
static bool is_framing(uint8_t c)
{
    return is_line_end(c) || c == 0x0b || c == 0x1c;
}

enum start hl7v2_start_at(const struct view *in, size_t at)
{
    static const char names[3][4] = {"MSH", "FHS", "BHS"};
    size_t left = in->len - at;
    const uint8_t *p = in->bytes + at;
    for (size_t i = 0; i < 3; i++) {
        size_t n = left < 3 ? left : 3;
        if (n > 0 && memcmp(p, names[i], n) != 0)
            continue;
        if ((left > 3 && !is_delimiter(p[3])) ||
            (left > 4 && (!is_delimiter(p[4]) || p[4] == p[3])))
            return START_NO;
        if (left >= HL7V2_START)
            return START_YES;
        return in->last ? START_NO : START_SHORT;
    }
    return START_NO;
}

enum start hl7v2_block_ends(const struct view *in, size_t at)
{
    if (at + 1 == in->len)
        return in->last ? START_YES : START_SHORT;
    uint8_t c = in->bytes[at + 1];
    return is_line_end(c) || c == 0x0b ? START_YES : START_NO;
}

bool hl7v2_tell(struct reader *r, enum event_kind kind, size_t at, size_t len, const char *hint)
{
    struct event ev = {
        .kind = (uint8_t)kind,
        .flags = PART_WHOLE,
        .at = {r->in.off + at, len},
        .raw = len > 0 ? r->in.bytes + at : NULL,
        .hint = hint,
    };
    return r->emit(r->receiver, &ev);
}

bool hl7v2_message_end(struct reader *r, size_t at)
{
    if (!(r->s->flags & FLAG_MESSAGE))
        return true;
    r->s->flags &= (uint8_t) ~(FLAG_MESSAGE | FLAG_FRAMED);
    return hl7v2_tell(r, EVENT_END, at, 0, NULL);
}

/* ---- between messages ---------------------------------------------------------------------- */

/* text_tell tells [pos, end) as a part of the text between messages and moves there. */
static bool text_tell(struct reader *r, size_t end, bool last)
{
    struct hl7v2_state *s = r->s;
    bool begun = (s->flags & FLAG_TEXT) != 0;
    if (end == r->pos && !(last && begun))
        return true;
    if (!begun && !hl7v2_tell(r, EVENT_ANOMALY, r->pos, 1, "text outside messages"))
        return false;
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .flags = (uint8_t)((begun ? 0 : PART_FIRST) | (last ? PART_LAST : 0)),
        .at = {r->in.off + r->pos, end - r->pos},
        .raw = r->in.bytes + r->pos,
    };
    s->flags = (uint8_t)(last ? s->flags & ~FLAG_TEXT : s->flags | FLAG_TEXT);
    r->pos = end;
    return r->emit(r->receiver, &ev);
}

/* between_wait holds back [from, len), which may be the start of a header. */
static enum step between_wait(struct reader *r, size_t from)
{
    if (!text_tell(r, from, false))
        return STEP_STOP;
    r->pos = from;
    r->need = r->in.len - from + 1;
    return STEP_MORE;
}

static enum step between_leave(struct reader *r, size_t text_end, size_t header)
{
    if (!text_tell(r, text_end, true))
        return STEP_STOP;
    r->s->flags &= (uint8_t) ~(FLAG_LINE | FLAG_FRAMED);
    if (header > 0 && header > text_end && r->in.bytes[header - 1] == 0x0b)
        r->s->flags |= FLAG_FRAMED;
    r->pos = header;
    r->s->phase = PHASE_HEADER;
    return STEP_ON;
}

/* mark_skip passes over a byte order mark that opens the layer; false: more bytes are needed. */
static bool mark_skip(struct reader *r)
{
    size_t n = r->in.len < 3 ? r->in.len : 3;
    if (memcmp(r->in.bytes, "\xef\xbb\xbf", n) != 0)
        return true;
    if (n == 3)
        r->pos = 3;
    return n == 3 || r->in.last;
}

static enum step between_read(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    const struct view *in = &r->in;
    if (in->off + r->pos == 0 && !mark_skip(r))
        return between_wait(r, 0);
    if ((s->flags & FLAG_LINE) && r->pos < in->len) {
        enum start start = hl7v2_start_at(in, r->pos);
        if (start == START_YES)
            return between_leave(r, r->pos, r->pos);
        if (start == START_SHORT)
            return between_wait(r, r->pos);
        s->flags &= (uint8_t)~FLAG_LINE;
    }
    for (size_t i = r->pos; i < in->len; i++) {
        if (!is_framing(in->bytes[i]))
            continue;
        enum start start = hl7v2_start_at(in, i + 1);
        if (start == START_YES)
            return between_leave(r, i, i + 1);
        if (start == START_SHORT)
            return between_wait(r, i);
        if (i == r->pos && !(s->flags & FLAG_TEXT))
            r->pos = i + 1;
    }
    return text_tell(r, in->len, in->last) ? STEP_MORE : STEP_STOP;
}

/* ---- header segments ----------------------------------------------------------------------- */

/* word is a component of the header, borrowed from the view. */
struct word {
    const uint8_t *bytes;
    size_t len;
};

/* header_field finds field `field` (3..) of a header segment of n bytes. A field that does not end
 * inside the n bytes, though the segment goes on, is not found. Wide characters are told apart by
 * trial, nothing being known yet. */
static struct word header_field(struct reader *r, size_t n, bool ended, unsigned field)
{
    const uint8_t *p = r->in.bytes + r->pos;
    size_t from = 4;
    unsigned now = 2;
    scan_seek(&r->scan, r->pos + from);
    for (;;) {
        size_t i = scan_next(&r->scan) - r->pos;
        unsigned class = i < n ? r->scan.classes[p[i]] : BYTE_FIELD;
        if (class == BYTE_HIGH) {
            size_t wide = scan_wide(&r->scan, r->pos + i);
            scan_skip(&r->scan, r->pos + i + (wide > 0 ? wide : 1));
        }
        if (class != BYTE_FIELD)
            continue;
        if (i >= n && (!ended || now != field))
            return (struct word){p, 0};
        if (now == field)
            return (struct word){p + from, (i < n ? i : n) - from};
        from = i + 1;
        now++;
    }
}

/* word_cut takes the first part of *rest, up to a byte of that class, and leaves what follows. */
static struct word word_cut(const struct scan *scan, struct word *rest, enum byte_class class)
{
    struct word first = *rest;
    for (size_t i = 0; i < rest->len; i++)
        if (scan->classes[rest->bytes[i]] == class) {
            first.len = i;
            rest->bytes += i + 1;
            rest->len -= i + 1;
            return first;
        }
    rest->bytes += rest->len;
    rest->len = 0;
    return first;
}

static struct delimiters header_delimiters(const uint8_t *p, size_t n)
{
    struct delimiters d = {.field = p[3]};
    uint8_t *const places[] = {&d.component, &d.repeat, &d.escape, &d.sub};
    for (size_t i = 0; i < 4 && 4 + i < n && p[4 + i] != d.field; i++) {
        uint8_t c = p[4 + i];
        bool used = false;
        for (size_t k = 0; k < i; k++)
            used = used || *places[k] == c;
        if (is_delimiter(c) && !used)
            *places[i] = c;
    }
    return d;
}

/* header_charset reads MSH-18. The first set says what the message is written in; others
 * (2.15.9.18) are escaped to, which in practice only says more where the first is ASCII. */
static enum charset header_charset(struct reader *r, struct word rest)
{
    enum charset charset = CHARSET_UNKNOWN;
    for (int i = 0; i < 3 && (charset == CHARSET_UNKNOWN || charset == CHARSET_ASCII); i++) {
        struct word word = word_cut(&r->scan, &rest, BYTE_REPEAT);
        enum charset set = hl7v2_charset(word.bytes, word.len);
        charset = set != CHARSET_UNKNOWN ? set : charset;
    }
    return charset;
}

/* outer_charset is the set that the layer's media type names, for messages that name none. */
static enum charset outer_charset(const char *hint)
{
    static const char key[] = "charset=";
    const size_t n = sizeof key - 1;
    for (size_t left = hint != NULL ? strlen(hint) : 0; left > n; left--, hint++) {
        if (!bytes_equal_nocase((const uint8_t *)hint, key, n))
            continue;
        const char *name = hint + n + (hint[n] == '"');
        return hl7v2_charset((const uint8_t *)name, strcspn(name, "\"; "));
    }
    return CHARSET_UNKNOWN;
}

/* header_encoding is where values begin: behind MSH-2 when that is delimiters and nothing else, up
 * to the next field separator or the end of the segment; else at MSH-2. */
static size_t header_encoding(const uint8_t *p, size_t n)
{
    size_t i = 4;
    while (i < n && i <= 9 && is_delimiter(p[i]) && p[i] != p[3])
        i++;
    return i == n || (i <= 9 && p[i] == p[3]) ? i : 4;
}

static enum step header_read(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    const uint8_t *p = r->in.bytes + r->pos;
    size_t left = r->in.len - r->pos;
    size_t most = left < HL7V2_HEADER ? left : HL7V2_HEADER;
    size_t n = s->looked > HL7V2_START ? s->looked : HL7V2_START;
    while (n < most && !is_framing(p[n]))
        n++;
    bool ended = n < most || (n == left && n < HL7V2_HEADER && r->in.last);
    if (n == left && n < HL7V2_HEADER && !r->in.last) {
        s->looked = (uint32_t)n;
        r->need = left + 1;
        return STEP_MORE;
    }
    s->looked = 0;
    bool message = p[0] == 'M';
    s->delimiters = header_delimiters(p, n);
    s->charset = CHARSET_UNKNOWN;
    scan_set(&r->scan, &s->delimiters, WIDTH_TRIAL);
    const char *name = hl7v2_segment_at(hl7v2_segment_find(p))->name;
    if (message) {
        struct word trigger = header_field(r, n, ended, 9);
        struct word type = word_cut(&r->scan, &trigger, BYTE_COMPONENT);
        trigger = word_cut(&r->scan, &trigger, BYTE_COMPONENT);
        name = hl7v2_message(type.bytes, type.len, trigger.bytes, trigger.len);
        enum charset charset = header_charset(r, header_field(r, n, ended, 18));
        s->charset = (uint8_t)(charset != CHARSET_UNKNOWN ? charset : outer_charset(r->in.hint));
        scan_set(&r->scan, &s->delimiters, hl7v2_width((enum charset)s->charset));
    }
    r->set = true;
    r->ev.charset = s->charset;
    s->flags |= FLAG_MESSAGE;
    if (!hl7v2_tell(r, EVENT_BEGIN, r->pos, 0, name))
        return STEP_STOP;
    size_t from = r->pos + header_encoding(p, n);
    hl7v2_segment_enter(r, p, 2);
    r->pos = from;
    return STEP_ON;
}

/* ---- the dissector ------------------------------------------------------------------------- */

/* layer_end ends what is open when no byte will follow. */
static bool layer_end(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    if ((s->flags & FLAG_LONG) && !hl7v2_long_end(r, r->pos))
        return false;
    if ((s->flags & FLAG_TEXT) && !text_tell(r, r->pos, true))
        return false;
    if ((s->flags & FLAG_FRAMED) && (s->flags & FLAG_MESSAGE) &&
        !hl7v2_tell(r, EVENT_ANOMALY, r->pos, 0, "message frame without an end"))
        return false;
    return hl7v2_message_end(r, r->pos);
}

/* lost_tell ends what a gap cut off. */
static bool lost_tell(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    s->flags &= (uint8_t)~FLAG_LOST;
    if ((s->flags & FLAG_LONG) && !hl7v2_long_end(r, 0))
        return false;
    if (!hl7v2_message_end(r, 0))
        return false;
    s->flags |= FLAG_LINE;
    s->phase = PHASE_BETWEEN;
    s->looked = 0;
    return true;
}

static enum step read_on(struct reader *r)
{
    switch ((enum hl7v2_phase)r->s->phase) {
    case PHASE_HEADER:
        return header_read(r);
    case PHASE_SEGMENT:
        return hl7v2_segment_read(r);
    case PHASE_VALUES:
        return hl7v2_values_read(r);
    case PHASE_BETWEEN:
        break;
    }
    return between_read(r);
}

static struct feed_result hl7v2_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    static const uint8_t nothing[1];
    struct hl7v2_state *s = state;
    if (in.len == 0)
        in.bytes = nothing;
    struct reader r = {.s = s, .in = in, .emit = emit, .receiver = receiver};
    r.ev =
        (struct event){.kind = EVENT_FIELD, .charset = s->charset, .pad = ' ', .n_path = N_STEPS};
    memcpy(r.ev.path, s->path, sizeof s->path);
    r.scan.bytes = in.bytes;
    r.scan.len = in.len;
    r.scan.last = in.last;
    if (!(s->flags & FLAG_STARTED))
        s->flags |= FLAG_STARTED | FLAG_LINE;
    if ((s->flags & FLAG_LOST) && !lost_tell(&r))
        return feed_stop(0);
    enum step step = STEP_ON;
    while (step == STEP_ON && (r.pos < in.len || s->phase == PHASE_VALUES))
        step = read_on(&r);
    memcpy(s->path, r.ev.path, sizeof s->path);
    if (step == STEP_STOP)
        return feed_stop(r.pos);
    if (in.last)
        return layer_end(&r) ? feed_ok(in.len) : feed_stop(in.len);
    return r.pos < in.len ? feed_more(r.pos, r.need) : feed_ok(in.len);
}

static bool hl7v2_gap(void *state, struct span missing)
{
    struct hl7v2_state *s = state;
    (void)missing;
    s->flags |= FLAG_STARTED | FLAG_LOST;
    return true;
}

/* probe: a header segment, behind 0x0B or not. */
static unsigned hl7v2_probe(struct view head)
{
    size_t at = 0;
    if (head.len >= 3 && memcmp(head.bytes, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < head.len && at < 8 && is_framing(head.bytes[at]))
        at++;
    if (hl7v2_start_at(&head, at) != START_YES)
        return 0;
    const uint8_t *p = head.bytes + at;
    size_t n = head.len - at;
    unsigned bits = 8 * 4;
    /* MSH-2: up to five delimiters, all different, then the field separator. */
    size_t i = 4;
    while (i < n && i < 9 && is_delimiter(p[i]) && p[i] != p[3] &&
           memchr(p + 4, p[i], i - 4) == NULL)
        i++;
    if (i == n || p[i] != p[3])
        return i == n ? bits : 1;
    bits += 8 * (unsigned)(i - 3);
    return bits + (at > 0 && p[-1] == 0x0b ? 8 : 0);
}

static int hl7v2_path(const struct event *ev, char *buf, size_t cap)
{
    static const char unknown[] = "???";
    if (ev->n_path < N_STEPS)
        return snprintf(buf, cap, "-");
    uint8_t name[3] = {(uint8_t)(ev->path[0] >> 16), (uint8_t)(ev->path[0] >> 8),
                       (uint8_t)ev->path[0]};
    unsigned place = hl7v2_segment_find(name);
    const char *text = place > 0 ? hl7v2_segment_at(place)->name : name[0] == 'Z' ? "Z--" : unknown;
    char repetition[16] = "", component[16] = "", sub[16] = "";
    if (ev->path[2] > 1)
        (void)snprintf(repetition, sizeof repetition, "[%u]", (unsigned)ev->path[2]);
    if (ev->path[3] > 0)
        (void)snprintf(component, sizeof component, ".%u", (unsigned)ev->path[3]);
    if (ev->path[4] > 1)
        (void)snprintf(sub, sizeof sub, ".%u", (unsigned)ev->path[4]);
    return snprintf(buf, cap, "%s-%u%s%s%s", text, (unsigned)ev->path[1], repetition, component,
                    sub);
}

static const char *const hl7v2_media[] = {
    "application/hl7-v2",   "x-application/hl7-v2+er7",
    "x-application/hl7-v2", "application/edi-hl7v2",
    "text/hl7v2",           NULL,
};
static const uint16_t hl7v2_ports[] = {2575, 6661, 0};

const struct dissector hl7v2_dissector = {
    .name = "hl7v2",
    .spec = "HL7 v2.5.1 chapter 2 (ER7), MLLP release 1",
    .state_size = sizeof(struct hl7v2_state),
    .max_view = HL7V2_VIEW,
    .media = hl7v2_media,
    .ports = hl7v2_ports,
    .probe = hl7v2_probe,
    .feed = hl7v2_feed,
    .gap = hl7v2_gap,
    .path = hl7v2_path,
};
