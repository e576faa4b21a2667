/* hl7v2_value.c - segments, fields, repetitions, components and subcomponents of HL7 v2 (2.6). */
#include "dissectors/hl7v2_state.h"

/* stop says what ended the looking for the end of a value. */
enum stop {
    STOP_SUB = BYTE_SUB,
    STOP_COMPONENT = BYTE_COMPONENT,
    STOP_REPEAT = BYTE_REPEAT,
    STOP_FIELD = BYTE_FIELD,
    STOP_LINE = BYTE_LINE,
    STOP_BLOCK = BYTE_BLOCK_END,
    STOP_START = BYTE_BLOCK_START,
    STOP_LAYER, /* the last byte of the layer */
    STOP_LONG,  /* more than HL7V2_WHOLE bytes without an end */
    STOP_MORE   /* the view is used up */
};

/* ---- telling ------------------------------------------------------------------------------- */

static void place_set(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    struct event *ev = &r->ev;
    ev->n_path = 5;
    ev->path[0] = s->name;
    ev->path[1] = s->field;
    ev->path[2] = s->repetition;
    ev->path[3] =
        s->component == 1 && s->sub == 1 && hl7v2_is_primitive(s->type) ? 0 : s->component;
    ev->path[4] = s->sub;
    ev->charset = s->charset;
}

static bool value_emit(struct reader *r, size_t end, uint8_t part, bool escaped)
{
    struct event *ev = &r->ev;
    ev->flags = (uint8_t)((ev->flags & SAME_VALUE) | part);
    ev->escape = escaped ? ESCAPE_HL7 : ESCAPE_NONE;
    ev->escape_char = escaped ? r->s->delimiters.escape : 0;
    ev->pad = ev->kind == EVENT_FIELD ? ' ' : 0;
    ev->at = (struct span){r->in.off + r->pos, end - r->pos};
    ev->raw = r->in.bytes + r->pos;
    return r->emit(r->receiver, ev);
}

/* kind_set fills in what the value at the position means. */
static void kind_set(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    struct event *ev = &r->ev;
    ev->kind = EVENT_FIELD;
    ev->hint = NULL;
    ev->flags = 0;
    if (s->type == TYPE_ENCAPSULATED && s->component == 5 && s->coding != CODING_NONE) {
        ev->kind = EVENT_PAYLOAD;
        ev->value = VALUE_BINARY;
        ev->hint = hl7v2_media_name(s->media);
        ev->coding[0] = s->coding;
        return;
    }
    ev->coding[0] = CODING_NONE;
    uint8_t kind = hl7v2_kind((enum hl7v2_type)s->type, s->component, s->sub);
    ev->value = kind & KIND_VALUE;
    if ((kind & KIND_TYPED) && s->id_kind != VALUE_COUNT)
        ev->value = s->id_kind;
    if (!(kind & KIND_PART))
        return;
    if (s->flags & FLAG_SEEN)
        ev->flags = SAME_VALUE;
    else if (kind & KIND_TAIL)
        ev->value = VALUE_CODE;
    else
        s->flags |= FLAG_SEEN;
}

/* word_keep remembers the short words that give later values their meaning. */
static void word_keep(struct reader *r, const uint8_t *word, size_t len)
{
    struct hl7v2_state *s = r->s;
    if (s->type == TYPE_VALUE_TYPE && s->component == 1)
        s->obx_type = (uint8_t)hl7v2_value_type(word, len);
    if (s->type != TYPE_ENCAPSULATED || s->sub != 1)
        return;
    if (s->component == 2 || s->component == 3)
        s->media = hl7v2_media_find(word, len, s->media);
    if (s->component == 4) {
        /* Table 0299: A is text as it is. */
        bool text = len == 1 && (word[0] == 'A' || word[0] == 'a');
        bool base64 = len == 6 && bytes_equal_nocase(word, "base64", 6);
        s->coding = text ? CODING_NONE : base64 ? CODING_BASE64 : CODING_UNKNOWN;
    }
}

static bool is_null(const uint8_t *p, size_t n)
{
    return n == 2 && p[0] == '"' && p[1] == '"';
}

/* value_tell tells the whole value [pos, end). */
static bool value_tell(struct reader *r, size_t end)
{
    const uint8_t *p = r->in.bytes + r->pos;
    size_t n = end - r->pos;
    if (n == 0 || is_null(p, n))
        return true;
    if (r->s->type >= TYPE_VALUE_TYPE)
        word_keep(r, p, n);
    place_set(r);
    kind_set(r);
    return value_emit(r, end, PART_WHOLE, r->s->escaped != 0);
}

static bool long_begin(struct reader *r, size_t end)
{
    struct hl7v2_state *s = r->s;
    place_set(r);
    kind_set(r);
    s->flags |= FLAG_LONG;
    s->long_kind = r->ev.kind;
    s->long_value = r->ev.value;
    s->long_flags = r->ev.flags;
    bool on = value_emit(r, end, PART_FIRST, s->delimiters.escape != 0);
    r->pos = end;
    return on;
}

/* long_part tells [pos, end) of a long value; whether it holds the escape character is not known
 * for the parts to come, so all parts say that it may. */
static bool long_part(struct reader *r, size_t end, uint8_t part)
{
    struct hl7v2_state *s = r->s;
    place_set(r);
    r->ev.kind = s->long_kind;
    r->ev.value = s->long_value;
    r->ev.flags = s->long_flags;
    bool payload = s->long_kind == EVENT_PAYLOAD;
    r->ev.hint = payload ? hl7v2_media_name(s->media) : NULL;
    r->ev.coding[0] = payload ? s->coding : (uint8_t)CODING_NONE;
    bool on = value_emit(r, end, part, s->delimiters.escape != 0);
    r->pos = end;
    return on;
}

bool hl7v2_long_end(struct reader *r, size_t end)
{
    r->s->flags &= (uint8_t)~FLAG_LONG;
    return long_part(r, end, PART_LAST);
}

/* ---- looking for the end of a value -------------------------------------------------------- */

/* shift_look follows an ISO 2022 sequence at `at`; false when its second byte is not here. */
static bool shift_look(struct reader *r, size_t at)
{
    if (at + 1 == r->in.len)
        return r->in.last;
    uint8_t c = r->in.bytes[at + 1];
    if (c == '$')
        r->s->shifted = 1;
    else if (c == '(')
        r->s->shifted = 0;
    return true;
}

static size_t stop_at(size_t end, enum stop stop, enum stop *out)
{
    *out = stop;
    return end;
}

/* value_end looks for the end of the value at the position, from where it looked before. It returns
 * the end, and in *out why; for STOP_MORE and STOP_LONG how far the bytes are known to belong to
 * the value, never inside a wide character. */
static size_t value_end(struct reader *r, enum stop *out)
{
    struct hl7v2_state *s = r->s;
    /* Delimiters below the level at which the value may be cut are part of it. */
    const unsigned least = s->type == TYPE_PLAIN ? BYTE_REPEAT : BYTE_SUB;
    const size_t limit = s->flags & FLAG_LONG ? SIZE_MAX : r->pos + HL7V2_WHOLE;
    for (;;) {
        size_t i = scan_next(&r->scan);
        if (i > limit || i >= r->in.len) {
            bool cut = i > limit && !(s->flags & FLAG_LONG);
            return stop_at(i, cut ? STOP_LONG : r->in.last ? STOP_LAYER : STOP_MORE, out);
        }
        unsigned class = r->scan.classes[r->in.bytes[i]];
        if (class >= BYTE_SUB && class <= BYTE_FIELD) {
            if (class >= least && !s->shifted)
                return stop_at(i, (enum stop) class, out);
            continue;
        }
        enum start start = START_NO;
        size_t wide;
        switch (class) {
        case BYTE_PLAIN:
            break;
        case BYTE_ESCAPE:
            s->escaped = 1;
            break;
        case BYTE_HIGH:
            wide = scan_wide(&r->scan, i);
            if (wide == 0)
                return stop_at(i, STOP_MORE, out);
            scan_skip(&r->scan, i + wide);
            break;
        case BYTE_SHIFT:
            if (!shift_look(r, i))
                return stop_at(i, STOP_MORE, out);
            break;
        case BYTE_LINE:
            return stop_at(i, STOP_LINE, out);
        case BYTE_BLOCK_END:
            start = hl7v2_block_ends(&r->in, i);
            break;
        default:
            start = hl7v2_start_at(&r->in, i + 1);
            break;
        }
        if (start == START_YES)
            return stop_at(i, (enum stop) class, out);
        if (start == START_SHORT)
            return stop_at(i, STOP_MORE, out);
    }
}

/* ---- the type code of an identifier -------------------------------------------------------- */

/* id_look looks ahead for CX-5 in this repetition and sets what CX-1 means; false when more bytes
 * are needed. An identifier whose repetition is longer than a whole value means what its field
 * means. */
static bool id_look(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    const uint8_t *p = r->in.bytes;
    size_t i = r->pos + s->peeked;
    const size_t limit = r->pos + HL7V2_WHOLE;
    uint8_t own = hl7v2_kind((enum hl7v2_type)s->type, 1, 1) & KIND_VALUE;
    for (;; i++) {
        bool over = i >= r->in.len;
        if (i > limit || (over && r->in.last && s->peek_component < 4)) {
            s->id_kind = own;
            return true;
        }
        unsigned class = over ? BYTE_FIELD : r->scan.classes[p[i]];
        if (over && !r->in.last)
            break;
        if (class == BYTE_HIGH) {
            size_t wide = scan_wide(&r->scan, i);
            if (wide == 0)
                break;
            i += wide - 1;
        }
        if (class < BYTE_SUB)
            continue;
        size_t from = r->pos + s->peek_from;
        if (s->peek_component == 4) {
            s->id_kind = hl7v2_id_kind(p + from, i - from, own);
            return true;
        }
        if (class > BYTE_COMPONENT) {
            s->id_kind = own;
            return true;
        }
        if (class == BYTE_COMPONENT) {
            s->peek_component++;
            s->peek_from = (uint32_t)(i + 1 - r->pos);
        }
    }
    s->peeked = (uint32_t)(i - r->pos);
    return false;
}

/* id_wanted tells that the value at the position is an identifier whose type is not known yet. */
static bool id_wanted(const struct hl7v2_state *s)
{
    return s->component == 1 && s->id_kind == VALUE_COUNT && s->type >= TYPE_RECORD &&
           s->type <= TYPE_NUMBERED;
}

/* ---- fields and segments ------------------------------------------------------------------- */

static void value_enter(struct hl7v2_state *s)
{
    s->looked = 0;
    s->escaped = 0;
}

static void repetition_enter(struct hl7v2_state *s)
{
    s->component = 1;
    s->sub = 1;
    s->id_kind = VALUE_COUNT;
    s->peeked = 0;
    s->peek_component = 0;
    s->peek_from = 0;
    s->media = 0;
    s->coding = CODING_NONE;
    s->shifted = 0;
    s->flags &= (uint8_t)~FLAG_SEEN;
}

static void field_enter(struct hl7v2_state *s, uint32_t field)
{
    const struct hl7v2_segment *segment = hl7v2_segment_at(s->segment);
    s->field = field;
    s->type = field < segment->n ? segment->types[field] : (uint8_t)TYPE_TEXT;
    if (s->type == TYPE_VALUE)
        s->type = s->obx_type;
    s->repetition = 1;
    repetition_enter(s);
}

void hl7v2_segment_enter(struct reader *r, const uint8_t *name, uint32_t field)
{
    struct hl7v2_state *s = r->s;
    s->name = (uint32_t)name[0] << 16 | (uint32_t)name[1] << 8 | name[2];
    s->segment = (uint8_t)hl7v2_segment_find(name);
    s->obx_type = TYPE_TEXT;
    s->phase = PHASE_VALUES;
    field_enter(s, field);
    value_enter(s);
}

static bool is_name(const uint8_t *p)
{
    for (size_t i = 0; i < 3; i++) {
        bool digit = i > 0 && p[i] >= '0' && p[i] <= '9';
        if (!digit && (p[i] < 'A' || p[i] > 'Z'))
            return false;
    }
    return true;
}

/* message_leave ends the message at the position, of which `framing` bytes are no text. */
static enum step message_leave(struct reader *r, size_t framing)
{
    struct hl7v2_state *s = r->s;
    if (framing == 0 && (s->flags & FLAG_FRAMED) &&
        !hl7v2_tell(r, EVENT_ANOMALY, r->pos, 0, "message frame without an end"))
        return STEP_STOP;
    if (!hl7v2_message_end(r, r->pos))
        return STEP_STOP;
    r->pos += framing;
    s->phase = PHASE_BETWEEN;
    s->flags |= FLAG_LINE;
    return STEP_ON;
}

static enum step wait_more(struct reader *r)
{
    r->need = r->in.len - r->pos + 1;
    return STEP_MORE;
}

/* line_enter begins a line that is no segment: all of it is text. */
static enum step line_enter(struct reader *r)
{
    static const uint8_t none[3] = {0, 0, 0};
    if (!hl7v2_tell(r, EVENT_ANOMALY, r->pos, 0, "line is not a segment"))
        return STEP_STOP;
    hl7v2_segment_enter(r, none, 0);
    return STEP_ON;
}

static enum step header_enter(struct reader *r, bool batch_end)
{
    struct hl7v2_state *s = r->s;
    uint8_t framed = s->flags & FLAG_FRAMED;
    if (!hl7v2_message_end(r, r->pos))
        return STEP_STOP;
    s->flags |= framed;
    s->phase = PHASE_HEADER;
    if (!batch_end)
        return STEP_ON;
    const uint8_t *name = r->in.bytes + r->pos;
    s->flags |= FLAG_MESSAGE;
    if (!hl7v2_tell(r, EVENT_BEGIN, r->pos, 0, hl7v2_segment_at(hl7v2_segment_find(name))->name))
        return STEP_STOP;
    hl7v2_segment_enter(r, name, 0);
    r->pos += 3;
    return STEP_ON;
}

enum step hl7v2_segment_read(struct reader *r)
{
    const uint8_t *p = r->in.bytes + r->pos;
    size_t left = r->in.len - r->pos;
    enum start start = START_NO;
    if (p[0] == '\r' || p[0] == '\n') {
        r->pos++;
        return STEP_ON;
    }
    if (p[0] == 0x1c)
        start = hl7v2_block_ends(&r->in, r->pos);
    if (p[0] == 0x0b)
        start = hl7v2_start_at(&r->in, r->pos + 1);
    if (start == START_YES)
        return message_leave(r, p[0] == 0x1c);
    if (start == START_NO)
        start = hl7v2_start_at(&r->in, r->pos);
    if (start == START_YES)
        return header_enter(r, false);
    if (start == START_SHORT)
        return wait_more(r);
    size_t n = left < 3 ? left : 3;
    for (size_t i = 0; i < n; i++)
        if (p[i] < ' ')
            return line_enter(r);
    if (left < 4 && !r->in.last)
        return wait_more(r);
    if (left < 3 || !is_name(p) || (left > 3 && p[3] != r->s->delimiters.field && p[3] >= ' '))
        return line_enter(r);
    if (memcmp(p, "BTS", 3) == 0 || memcmp(p, "FTS", 3) == 0)
        return header_enter(r, true);
    hl7v2_segment_enter(r, p, 0);
    r->pos += 3;
    return STEP_ON;
}

/* value_leave goes on behind the delimiter at the position. */
static enum step value_leave(struct reader *r, enum stop stop)
{
    struct hl7v2_state *s = r->s;
    value_enter(s);
    switch (stop) {
    case STOP_SUB:
        s->sub++;
        break;
    case STOP_COMPONENT:
        s->component++;
        s->sub = 1;
        break;
    case STOP_REPEAT:
        s->repetition++;
        repetition_enter(s);
        break;
    case STOP_FIELD:
        field_enter(s, s->field + 1);
        break;
    case STOP_BLOCK:
        return message_leave(r, 1);
    case STOP_START:
        return message_leave(r, 0);
    case STOP_LAYER:
        return STEP_MORE;
    default:
        s->phase = PHASE_SEGMENT;
        break;
    }
    r->pos++;
    return STEP_ON;
}

enum step hl7v2_values_read(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    if (!r->set) {
        scan_set(&r->scan, &s->delimiters, hl7v2_width((enum charset)s->charset));
        r->set = true;
    }
    scan_seek(&r->scan, r->pos + s->looked);
    for (;;) {
        enum stop stop;
        size_t end = value_end(r, &stop);
        if (stop == STOP_MORE) {
            if (s->flags & FLAG_LONG) {
                if (end > r->pos && !long_part(r, end, 0))
                    return STEP_STOP;
            }
            s->looked = (uint32_t)(end - r->pos);
            return wait_more(r);
        }
        if (stop == STOP_LONG) {
            if (!long_begin(r, end))
                return STEP_STOP;
            scan_seek(&r->scan, end);
            continue;
        }
        if (s->flags & FLAG_LONG) {
            if (!hl7v2_long_end(r, end))
                return STEP_STOP;
        } else {
            if (end > r->pos && id_wanted(s) && !id_look(r)) {
                s->looked = (uint32_t)(end - r->pos);
                return wait_more(r);
            }
            if (!value_tell(r, end))
                return STEP_STOP;
        }
        r->pos = end;
        enum step step = value_leave(r, stop);
        if (step != STEP_ON || s->phase != PHASE_VALUES)
            return step;
    }
}
