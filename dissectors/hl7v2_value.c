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

/* value_emit tells [pos, end); kind, value, hint, coding and SAME_VALUE are set. An event that is
 * not a plain field is one again after it. */
static bool value_emit(struct reader *r, size_t end, uint8_t part, bool escaped)
{
    struct event *ev = &r->ev;
    ev->charset = r->s->charset;
    ev->flags = (uint8_t)((ev->flags & SAME_VALUE) | part);
    ev->escape = escaped ? ESCAPE_HL7 : ESCAPE_NONE;
    ev->escape_char = escaped ? r->s->delimiters.escape : 0;
    ev->at = (struct span){r->in.off + r->pos, end - r->pos};
    ev->raw = r->in.bytes + r->pos;
    if (ev->kind == EVENT_FIELD)
        return r->emit(r->receiver, ev);
    ev->pad = 0;
    bool on = r->emit(r->receiver, ev);
    ev->kind = EVENT_FIELD;
    ev->pad = ' ';
    ev->hint = NULL;
    ev->coding[0] = CODING_NONE;
    return on;
}

/* kind_at is the meaning of the component the reading is in, with KIND_ bits. */
static uint8_t kind_at(const struct reader *r)
{
    const struct hl7v2_state *s = r->s;
    uint32_t component = s->component;
    unsigned type = s->type;
    if (type == TYPE_NAMED && component == 1) {
        type = TYPE_STAFF;
        component = r->ev.path[AT_SUB];
    }
    return component < sizeof hl7v2_shapes[0].kinds ? hl7v2_shapes[type].kinds[component]
                                                    : (uint8_t)VALUE_TEXT;
}

/* part_set tells whether a part of a value goes on with a part before it. */
static inline void part_set(struct hl7v2_state *s, struct event *ev, unsigned kind)
{
    if (s->flags & FLAG_SEEN)
        ev->flags |= SAME_VALUE;
    else if (kind & KIND_TAIL)
        ev->value = VALUE_CODE;
    else
        s->flags |= FLAG_SEEN;
}

/* kind_set fills in what the value at the position means. */
static void kind_set(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    struct event *ev = &r->ev;
    ev->flags = 0;
    if (s->type == TYPE_ENCAPSULATED && s->component == 5 && s->coding != CODING_NONE) {
        ev->kind = EVENT_PAYLOAD;
        ev->value = VALUE_BINARY;
        ev->hint = hl7v2_media_name(s->media);
        ev->coding[0] = s->coding;
        return;
    }
    uint8_t kind = kind_at(r);
    ev->value = kind & KIND_VALUE;
    if ((kind & KIND_TYPED) && s->id_kind != VALUE_COUNT)
        ev->value = s->id_kind;
    if (kind & KIND_PART)
        part_set(s, ev, kind);
}

/* word_keep remembers the short words that give later values their meaning. */
static void word_keep(struct reader *r, const uint8_t *word, size_t len)
{
    struct hl7v2_state *s = r->s;
    if (s->type == TYPE_VALUE_TYPE && s->component == 1)
        s->obx_type = (uint8_t)hl7v2_value_type(word, len);
    if (s->type != TYPE_ENCAPSULATED || r->ev.path[AT_SUB] != 1)
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
    kind_set(r);
    return value_emit(r, end, PART_WHOLE, r->s->escaped != 0);
}

static bool long_begin(struct reader *r, size_t end)
{
    struct hl7v2_state *s = r->s;
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
    const unsigned least = hl7v2_shapes[s->type].whole ? BYTE_REPEAT : BYTE_SUB;
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
    uint8_t own = hl7v2_shapes[s->type].kinds[1] & KIND_VALUE;
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

/* ---- values -------------------------------------------------------------------------------- */

/* value_next goes on behind a delimiter inside the segment. */
static inline void value_next(struct reader *r, const struct hl7v2_segment *segment, unsigned class)
{
    struct hl7v2_state *s = r->s;
    if (class == BYTE_FIELD) {
        field_enter(r, segment, r->ev.path[AT_FIELD] + 1);
    } else if (class == BYTE_COMPONENT) {
        r->ev.path[AT_COMPONENT] = ++s->component;
        r->ev.path[AT_SUB] = 1;
    } else if (class == BYTE_REPEAT) {
        r->ev.path[AT_REPETITION]++;
        repetition_enter(r);
    } else {
        r->ev.path[AT_COMPONENT] = s->component;
        r->ev.path[AT_SUB]++;
    }
}

/* value_leave goes on behind what ended the value, at the position. */
static enum step value_leave(struct reader *r, enum stop stop)
{
    struct hl7v2_state *s = r->s;
    s->looked = 0;
    s->escaped = 0;
    if (stop == STOP_BLOCK || stop == STOP_START)
        return hl7v2_message_leave(r, stop == STOP_BLOCK);
    if (stop == STOP_LAYER)
        return STEP_MORE;
    if (stop == STOP_LINE)
        s->phase = PHASE_SEGMENT;
    else
        value_next(r, hl7v2_segment_at(s->segment), (unsigned)stop);
    r->pos++;
    return STEP_ON;
}

/* value_read reads one value, or a part of a long one. */
static enum step value_read(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    enum stop stop;
    size_t end = value_end(r, &stop);
    if (stop == STOP_LONG) {
        if (!long_begin(r, end))
            return STEP_STOP;
        scan_seek(&r->scan, end);
        return STEP_ON;
    }
    bool is_long = (s->flags & FLAG_LONG) != 0;
    if (stop == STOP_MORE && is_long && end > r->pos && !long_part(r, end, 0))
        return STEP_STOP;
    if (stop == STOP_MORE || (!is_long && end > r->pos && id_wanted(s) && !id_look(r))) {
        s->looked = (uint32_t)(end - r->pos);
        return hl7v2_wait(r);
    }
    if (is_long ? !hl7v2_long_end(r, end) : !value_tell(r, end))
        return STEP_STOP;
    r->pos = end;
    return value_leave(r, stop);
}

/* quick_tell is value_tell for a type that is not special. */
static inline bool quick_tell(struct reader *r, const struct hl7v2_shape *shape, uint32_t component,
                              size_t end)
{
    struct event *ev = &r->ev;
    const uint8_t *p = r->in.bytes + r->pos;
    size_t n = end - r->pos;
    if (is_null(p, n))
        return true;
    unsigned kind = component < sizeof shape->kinds ? shape->kinds[component] : VALUE_TEXT;
    ev->flags = PART_WHOLE;
    ev->value = kind & KIND_VALUE;
    if (kind & KIND_PART)
        part_set(r->s, ev, kind);
    ev->at.off = r->in.off + r->pos;
    ev->at.len = n;
    ev->raw = p;
    return r->emit(r->receiver, ev);
}

/* values_quick reads values as value_read does while nothing but delimiters is met and each can be
 * understood alone, which is nearly always. It stops at the start of the value that is not so. */
static bool values_quick(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    struct scan *scan = &r->scan;
    const struct hl7v2_segment *segment = hl7v2_segment_at(s->segment);
    const struct hl7v2_shape *shape = &hl7v2_shapes[s->type];
    r->ev.escape = ESCAPE_NONE;
    r->ev.escape_char = 0;
    for (;;) {
        while (scan->mask == 0) {
            if (scan->len - scan->base <= 64)
                return true;
            scan_load(scan, scan->base + 64);
        }
        size_t end = scan->base + (size_t)__builtin_ctzll(scan->mask);
        unsigned class = scan->classes[r->in.bytes[end]];
        if (class < BYTE_SUB || class > BYTE_LINE || end - r->pos > HL7V2_WHOLE)
            return true;
        uint32_t component = s->component;
        if (end > r->pos) {
            if (component < 16 && (shape->special >> component & 1))
                return true;
            if (shape->whole && class < BYTE_REPEAT) {
                scan->mask &= scan->mask - 1;
                continue;
            }
            if (!quick_tell(r, shape, component, end))
                return false;
        }
        scan->mask &= scan->mask - 1;
        r->pos = end + 1;
        if (class == BYTE_LINE) {
            s->phase = PHASE_SEGMENT;
            return true;
        }
        value_next(r, segment, class);
        shape = &hl7v2_shapes[s->type];
    }
}

enum step hl7v2_values_read(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    if (!r->set) {
        scan_set(&r->scan, &s->delimiters, hl7v2_width((enum charset)s->charset));
        r->set = true;
    }
    scan_skip(&r->scan, r->pos + s->looked);
    enum step step = STEP_ON;
    while (step == STEP_ON && s->phase == PHASE_VALUES) {
        if (!(s->flags & FLAG_LONG) && s->looked == 0 && !values_quick(r))
            return STEP_STOP;
        if (s->phase == PHASE_VALUES)
            step = value_read(r);
    }
    return step;
}
