/* dicom_tree.c - data elements, sequences and items of a DICOM data set (PS3.5 section 7).
 *
 * Wrong lengths, missing delimiters and unknown elements do not stop it: each byte belongs to some
 * value that is shown, and what fits nowhere is shown as text of the container it lies in.
 */
#include "dissectors/dicom_state.h"

/* What UN and private blocks start with when they hold a sequence. */
static const uint8_t item_le[] = {0xFE, 0xFF, 0x00, 0xE0};
static const uint8_t item_be[] = {0xFF, 0xFE, 0xE0, 0x00};

static uint64_t level_limit(const struct dicom_level *level)
{
    return level->flags & LEVEL_IN_ITEM ? level->item_end : level->end;
}

static bool in_fragments(const struct dicom_level *level)
{
    return level->flags & LEVEL_FRAGMENTS;
}

struct event dicom_event_at(const struct dicom_run *r, enum event_kind kind, uint32_t tag,
                            size_t skip, size_t len)
{
    struct event ev = {
        .kind = (uint8_t)kind,
        .flags = PART_WHOLE,
        .at = {dicom_off(r) + skip, len},
        .raw = len > 0 ? r->in.bytes + r->pos + skip : r->in.bytes,
    };
    if (tag == DICOM_NO_TAG)
        return ev;
    /* A fragment has the place of its pixel data, which stands outside its own items. */
    const struct dicom_level *levels = r->s->levels;
    unsigned depth = r->s->depth;
    if (in_fragments(&levels[depth]))
        depth--;
    unsigned n = 2 * depth + 1, from = n > PATH_MAX_STEPS ? n - PATH_MAX_STEPS : 0;
    for (unsigned i = from; i + 1 < n; i++) {
        const struct dicom_level *level = &levels[i / 2 + 1];
        ev.path[i - from] = i % 2 == 0 ? level->tag : level->item;
    }
    ev.n_path = (uint8_t)(n - from);
    ev.path[n - from - 1] = tag;
    return ev;
}

enum step dicom_tell(struct dicom_run *r, enum dicom_anomaly what)
{
    static const char *const hints[DICOM_ANOMALY_COUNT] = {
        [DICOM_ODD_LENGTH] = "odd length",
        [DICOM_ORDER] = "elements out of order",
        [DICOM_NO_VR] = "element without a VR among explicit ones",
        [DICOM_WITH_VR] = "element with a VR among implicit ones",
        [DICOM_BAD_VR] = "unknown VR",
        [DICOM_PAST_END] = "length past the end of its container",
        [DICOM_LEFT_OVER] = "bytes left over in an item",
        [DICOM_STRAY_DELIMITER] = "item or delimiter where none belongs",
        [DICOM_DELIMITER_LENGTH] = "delimiter with a length",
        [DICOM_NO_DELIMITER] = "delimiter missing",
        [DICOM_NO_ITEM] = "element where an item belongs",
        [DICOM_UNDEFINED_VALUE] = "undefined length of a value",
        [DICOM_NOT_ELEMENT] = "bytes that are no element",
        [DICOM_CUT_SHORT] = "cut short",
        [DICOM_NO_PREAMBLE] = "no preamble",
        [DICOM_NOT_DECLARED] = "not the declared transfer syntax",
    };
    uint32_t bit = UINT32_C(1) << what;
    if (r->s->anomalies & bit)
        return STEP_ON;
    r->s->anomalies |= bit;
    struct event ev = dicom_event_at(r, EVENT_ANOMALY, DICOM_NO_TAG, 0, 0);
    ev.hint = hints[what];
    return r->emit(r->receiver, &ev) ? STEP_ON : STEP_STOP;
}

enum step dicom_more(struct dicom_run *r, uint64_t n)
{
    if (n <= dicom_left(r) || r->in.last)
        return STEP_ON;
    r->need = (size_t)n;
    return STEP_MORE;
}

/* Shows n bytes at pos as text that belongs to no element, and goes on after them. */
static enum step show_text(struct dicom_run *r, uint32_t tag, size_t n)
{
    struct event ev = dicom_event_at(r, EVENT_FIELD, tag, 0, n);
    ev.value = VALUE_TEXT;
    ev.flags |= FIXED_LEN;
    bool go_on = r->emit(r->receiver, &ev);
    r->pos += n;
    return go_on ? STEP_ON : STEP_STOP;
}

/* The layer ends inside a header. */
static enum step cut_tail(struct dicom_run *r)
{
    if (!r->s->proven) {
        r->why = "not a DICOM data set";
        return STEP_BAD;
    }
    if (dicom_tell(r, DICOM_CUT_SHORT) == STEP_STOP ||
        show_text(r, DICOM_NO_TAG, dicom_left(r)) == STEP_STOP)
        return STEP_STOP;
    return STEP_END;
}

/* What stands at pos is no element: it and all up to the next known end is text; when no end is
 * known, the rest of the layer is offered to others. */
static enum step not_element(struct dicom_run *r)
{
    if (!r->s->proven) {
        r->why = "not a DICOM data set";
        return STEP_BAD;
    }
    if (dicom_tell(r, DICOM_NOT_ELEMENT) == STEP_STOP)
        return STEP_STOP;
    uint64_t limit = level_limit(dicom_top(r));
    if (limit == DICOM_NO_END)
        return dicom_value_start(
            r,
            (struct dicom_long){.left = DICOM_NO_END, .tag = DICOM_NO_TAG, .kind = EVENT_PAYLOAD});
    uint64_t left = limit - dicom_off(r);
    return dicom_value_start(r, (struct dicom_long){.left = left,
                                                    .total = left,
                                                    .tag = DICOM_ITEM,
                                                    .kind = EVENT_FIELD,
                                                    .value = VALUE_TEXT});
}

/* Leaves the containers whose length has run out. */
static enum step levels_close(struct dicom_run *r)
{
    while (r->s->depth > 0) {
        struct dicom_level *level = dicom_top(r);
        bool in_item = level->flags & LEVEL_IN_ITEM;
        if (dicom_off(r) < level_limit(level))
            break;
        int mask = in_item ? LEVEL_ITEM_UNDEFINED : LEVEL_UNDEFINED;
        if ((level->flags & mask) != 0 && dicom_tell(r, DICOM_NO_DELIMITER) == STEP_STOP)
            return STEP_STOP;
        if (in_item)
            level->flags &= (uint8_t) ~(LEVEL_IN_ITEM | LEVEL_ITEM_UNDEFINED);
        else
            r->s->depth--;
    }
    return STEP_ON;
}

/* Whether what was read is likely an element and not text or noise. */
static bool is_plausible(const struct dicom_run *r, const struct dicom_element *el,
                         const struct dicom_level *level)
{
    if (el->tag > 0xFFFF && el->form == DICOM_FORM_PLAIN && level->encoding != DICOM_IMPLICIT_LE)
        return true;
    bool known = dicom_dict_vr(el->tag) != VR_NONE, odd_group = dicom_is_private(el->tag);
    if (el->tag <= 0xFFFF)
        return r->s->is_command && (known || el->len <= DICOM_WHOLE_MAX);
    if (known)
        return true;
    if (el->form == DICOM_FORM_BAD_VR)
        return odd_group && el->vr_blank;
    return (odd_group || el->tag > level->last_tag) &&
           (el->len == DICOM_UNDEFINED_LEN || el->len <= UINT32_C(1) << 24);
}

/* Bytes that a delimiter claims to have. Most writers that set this length mean nothing by it, so
 * it counts only when no element follows at once. */
static enum step delimiter_claim(struct dicom_run *r, const struct dicom_element *el, size_t *claim)
{
    *claim = 0;
    if (el->len == 0)
        return STEP_ON;
    enum step st = dicom_more(r, 2 * DICOM_HEADER_MIN + 4);
    if (st != STEP_ON)
        return st;
    if (dicom_tell(r, DICOM_DELIMITER_LENGTH) == STEP_STOP)
        return STEP_STOP;
    struct dicom_level *level = dicom_top(r);
    uint64_t limit = level_limit(level), room = DICOM_NO_END;
    if (limit != DICOM_NO_END)
        room = limit - dicom_off(r) - DICOM_HEADER_MIN;
    struct dicom_element next;
    const uint8_t *p = r->in.bytes + r->pos + DICOM_HEADER_MIN;
    bool follows = dicom_element_read(p, dicom_left(r) - DICOM_HEADER_MIN, level->encoding, room,
                                      &next) == 0 &&
                   (next.tag >> 16 == DICOM_ITEM_GROUP || is_plausible(r, &next, level));
    if (!follows && el->len <= DICOM_WHOLE_MAX && el->len <= room)
        *claim = el->len;
    return STEP_ON;
}

/* Passes the delimiter at pos; `close` leaves the item, the sequence, or nothing. */
enum closing {
    CLOSE_NOTHING,
    CLOSE_ITEM,
    CLOSE_SEQUENCE
};

static enum step delimiter_pass(struct dicom_run *r, const struct dicom_element *el,
                                enum closing closing)
{
    size_t claim;
    enum step st = delimiter_claim(r, el, &claim);
    if (st != STEP_ON)
        return st;
    if (closing == CLOSE_NOTHING && dicom_tell(r, DICOM_STRAY_DELIMITER) == STEP_STOP)
        return STEP_STOP;
    struct dicom_level *level = dicom_top(r);
    bool undefined_item = (level->flags & LEVEL_IN_ITEM) != 0;
    if (closing == CLOSE_SEQUENCE && undefined_item &&
        dicom_tell(r, DICOM_NO_DELIMITER) == STEP_STOP)
        return STEP_STOP;
    if (closing == CLOSE_ITEM)
        level->flags &= (uint8_t) ~(LEVEL_IN_ITEM | LEVEL_ITEM_UNDEFINED);
    else if (closing == CLOSE_SEQUENCE)
        r->s->depth--;
    r->pos += DICOM_HEADER_MIN;
    if (claim == 0)
        return STEP_ON;
    return dicom_value_start(r, (struct dicom_long){.left = claim,
                                                    .total = claim,
                                                    .tag = el->tag,
                                                    .kind = EVENT_FIELD,
                                                    .value = VALUE_TEXT});
}

static enum step fragment_start(struct dicom_run *r, struct dicom_level *level, uint64_t len)
{
    r->pos += DICOM_HEADER_MIN;
    level->item++;
    return dicom_value_start(r, (struct dicom_long){.left = len,
                                                    .total = len,
                                                    .tag = level->tag,
                                                    .kind = EVENT_FIELD,
                                                    .value = VALUE_IMAGE});
}

static bool same_order(enum dicom_encoding a, enum dicom_encoding b)
{
    return (a == DICOM_EXPLICIT_BE) == (b == DICOM_EXPLICIT_BE);
}

/* Inside a UN value the encoding is implicit VR little endian (PS3.5 section 6.2.2 note 2), but
 * writers differ. */
static enum step item_judge(struct dicom_run *r, struct dicom_level *level, uint64_t len)
{
    size_t want = len < DICOM_JUDGE_LEN ? (size_t)len : DICOM_JUDGE_LEN;
    enum step st = dicom_more(r, DICOM_HEADER_MIN + want);
    if (st != STEP_ON)
        return st;
    size_t n = dicom_left(r) - DICOM_HEADER_MIN;
    bool sure;
    enum dicom_encoding was = (enum dicom_encoding)level->encoding;
    enum dicom_encoding is = dicom_encoding_judge(r->in.bytes + r->pos + DICOM_HEADER_MIN,
                                                  n < want ? n : want, was, &sure);
    /* The byte order is that of the item headers, which were already read. */
    if (same_order(is, was))
        level->encoding = (uint8_t)is;
    return STEP_ON;
}

static enum step item_start(struct dicom_run *r, const struct dicom_element *el)
{
    struct dicom_level *level = dicom_top(r);
    uint64_t begin = dicom_off(r) + DICOM_HEADER_MIN, room = level->end - begin;
    bool undefined = el->len == DICOM_UNDEFINED_LEN;
    bool past_end = !undefined && el->len > room;
    uint64_t len = undefined || past_end ? room : el->len;
    if (level->flags & LEVEL_JUDGE) {
        enum step st = item_judge(r, level, len);
        if (st != STEP_ON)
            return st;
    }
    if (past_end && dicom_tell(r, DICOM_PAST_END) == STEP_STOP)
        return STEP_STOP;
    if (in_fragments(level) && !undefined)
        return fragment_start(r, level, len);
    if (in_fragments(level)) {
        level->flags &= (uint8_t)~LEVEL_FRAGMENTS;
        if (dicom_tell(r, DICOM_UNDEFINED_VALUE) == STEP_STOP)
            return STEP_STOP;
    }
    level->flags |= LEVEL_IN_ITEM | (undefined ? LEVEL_ITEM_UNDEFINED : 0);
    level->item_end = undefined ? level->end : begin + len;
    level->item++;
    level->last_tag = 0;
    level->charset = level[-1].charset;
    r->pos += DICOM_HEADER_MIN;
    return STEP_ON;
}

/* Between two items of a sequence. */
static enum step step_between(struct dicom_run *r)
{
    struct dicom_level *level = dicom_top(r);
    struct dicom_element el;
    const uint8_t *p = r->in.bytes + r->pos;
    el.tag = dicom_tag_read(p, (enum dicom_encoding)level->encoding);
    el.len = level->encoding == DICOM_EXPLICIT_BE ? load_u32be(p + 4) : load_u32le(p + 4);
    switch (el.tag) {
    case DICOM_ITEM:
        return item_start(r, &el);
    case DICOM_SEQUENCE_END:
        return delimiter_pass(r, &el,
                              level->flags & LEVEL_UNDEFINED ? CLOSE_SEQUENCE : CLOSE_NOTHING);
    case DICOM_ITEM_END:
        return delimiter_pass(r, &el, CLOSE_NOTHING);
    default:
        break;
    }
    if (in_fragments(level)) {
        level->flags &= (uint8_t)~LEVEL_FRAGMENTS;
        return not_element(r);
    }
    if (dicom_tell(r, DICOM_NO_ITEM) == STEP_STOP)
        return STEP_STOP;
    level->flags |= LEVEL_IN_ITEM | LEVEL_ITEM_UNDEFINED;
    level->item_end = level->end;
    level->item++;
    level->last_tag = 0;
    level->charset = level[-1].charset;
    return STEP_ON;
}

/* An item or a delimiter where elements are. */
static enum step step_structure(struct dicom_run *r, const struct dicom_element *el)
{
    struct dicom_level *level = dicom_top(r);
    bool open_item = r->s->depth > 0 && (level->flags & LEVEL_ITEM_UNDEFINED) != 0;
    if (!r->s->proven)
        return not_element(r);
    switch (el->tag) {
    case DICOM_ITEM_END:
        return delimiter_pass(r, el, open_item ? CLOSE_ITEM : CLOSE_NOTHING);
    case DICOM_SEQUENCE_END:
        return delimiter_pass(
            r, el, open_item && (level->flags & LEVEL_UNDEFINED) ? CLOSE_SEQUENCE : CLOSE_NOTHING);
    case DICOM_ITEM:
        if (open_item) {
            level->flags &= (uint8_t) ~(LEVEL_IN_ITEM | LEVEL_ITEM_UNDEFINED);
            return dicom_tell(r, DICOM_NO_DELIMITER);
        }
        if (dicom_tell(r, DICOM_STRAY_DELIMITER) == STEP_STOP)
            return STEP_STOP;
        r->pos += DICOM_HEADER_MIN;
        return STEP_ON;
    default:
        return not_element(r);
    }
}

static enum step tell_oddities(struct dicom_run *r, const struct dicom_element *el, bool past_end)
{
    struct dicom_level *level = dicom_top(r);
    static const enum dicom_anomaly of_form[] = {
        [DICOM_FORM_NO_VR] = DICOM_NO_VR,
        [DICOM_FORM_WITH_VR] = DICOM_WITH_VR,
        [DICOM_FORM_BAD_VR] = DICOM_BAD_VR,
    };
    if (el->form != DICOM_FORM_PLAIN && dicom_tell(r, of_form[el->form]) == STEP_STOP)
        return STEP_STOP;
    if (el->tag <= level->last_tag && el->tag > 0 && dicom_tell(r, DICOM_ORDER) == STEP_STOP)
        return STEP_STOP;
    level->last_tag = el->tag;
    if (el->len != DICOM_UNDEFINED_LEN && el->len % 2 != 0 &&
        dicom_tell(r, DICOM_ODD_LENGTH) == STEP_STOP)
        return STEP_STOP;
    return past_end ? dicom_tell(r, DICOM_PAST_END) : STEP_ON;
}

struct opening {
    uint64_t len; /* DICOM_NO_END: undefined */
    enum dicom_encoding encoding;
    int flags;
    bool past_end;
};

static enum step sequence_open(struct dicom_run *r, const struct dicom_element *el,
                               struct opening how)
{
    if (r->s->depth == DICOM_DEPTH) {
        r->why = "sequences nested too deep";
        return STEP_LIMIT;
    }
    if (tell_oddities(r, el, how.past_end) == STEP_STOP)
        return STEP_STOP;
    struct dicom_level *level = dicom_top(r);
    uint64_t begin = dicom_off(r) + el->header;
    level[1] = (struct dicom_level){
        .end = how.len == DICOM_NO_END ? level_limit(level) : begin + how.len,
        .tag = el->tag,
        .encoding = (uint8_t)how.encoding,
        .charset = level->charset,
        .flags = (uint8_t)(how.flags | (how.len == DICOM_NO_END ? LEVEL_UNDEFINED : 0)),
    };
    r->s->depth++;
    r->pos += el->header;
    return STEP_ON;
}

/* Encoding of the items that stand at `p`: none when there are none. */
static enum dicom_encoding items_at(const uint8_t *p, size_t n)
{
    if (n < DICOM_HEADER_MIN)
        return DICOM_UNDECLARED;
    if (memcmp(p, item_le, sizeof item_le) == 0 ||
        dicom_tag_read(p, DICOM_IMPLICIT_LE) == DICOM_SEQUENCE_END)
        return DICOM_IMPLICIT_LE;
    if (memcmp(p, item_be, sizeof item_be) == 0 ||
        dicom_tag_read(p, DICOM_EXPLICIT_BE) == DICOM_SEQUENCE_END)
        return DICOM_EXPLICIT_BE;
    return DICOM_UNDECLARED;
}

static enum step undefined_open(struct dicom_run *r, const struct dicom_element *el,
                                enum dicom_vr vr)
{
    enum step st = dicom_more(r, (uint64_t)el->header + DICOM_HEADER_MIN);
    if (st != STEP_ON)
        return st;
    struct dicom_level *level = dicom_top(r);
    enum dicom_encoding items =
        items_at(r->in.bytes + r->pos + el->header, dicom_left(r) - el->header);
    struct opening how = {.len = DICOM_NO_END, .encoding = (enum dicom_encoding)level->encoding};
    bool samples = vr == VR_OB || vr == VR_OW || vr == VR_OD || vr == VR_OF || vr == VR_OL ||
                   vr == VR_OV || el->tag == DICOM_PIXELS;
    if (items != DICOM_UNDECLARED && !same_order(items, how.encoding)) {
        how.encoding = items;
        how.flags = LEVEL_JUDGE;
    }
    if (samples && items != DICOM_UNDECLARED) {
        how.flags = LEVEL_FRAGMENTS;
        return sequence_open(r, el, how);
    }
    if (vr == VR_SQ && el->vr == VR_SQ && el->form == DICOM_FORM_PLAIN)
        return sequence_open(r, el, how);
    if (items == DICOM_UNDECLARED) {
        if (dicom_tell(r, DICOM_UNDEFINED_VALUE) == STEP_STOP)
            return STEP_STOP;
        return not_element(r);
    }
    how.encoding = el->form == DICOM_FORM_WITH_VR ? DICOM_EXPLICIT_LE : items;
    how.flags = LEVEL_JUDGE;
    return sequence_open(r, el, how);
}

/* The elements that change how others are read. */
static void value_note(struct dicom_run *r, uint32_t tag, const uint8_t *value, size_t len)
{
    struct dicom_state *s = r->s;
    if (tag == 0x00080005)
        dicom_top(r)->charset = (uint8_t)dicom_charset_of(value, len);
    else if (tag == 0x00020010 && s->phase == DICOM_IN_META)
        s->declared = (uint8_t)dicom_encoding_of(value, len);
    else if (tag == 0x00020000 && s->phase == DICOM_IN_META && len == 4)
        s->meta_end = dicom_off(r) + load_u32le(value);
}

static enum step value_whole(struct dicom_run *r, const struct dicom_element *el,
                             struct dicom_meaning meaning, size_t len, bool past_end)
{
    enum step st = dicom_more(r, el->header + len);
    if (st != STEP_ON)
        return st;
    if (tell_oddities(r, el, past_end) == STEP_STOP)
        return STEP_STOP;
    size_t here = dicom_left(r) - el->header;
    bool cut = here < len;
    size_t n = cut ? here : len;
    struct event ev = dicom_event_at(r, EVENT_FIELD, el->tag, el->header, n);
    ev.value = meaning.value;
    ev.pad = meaning.pad;
    ev.flags |= FIXED_LEN;
    ev.charset = meaning.has_charset ? dicom_top(r)->charset : (uint8_t)CHARSET_UNKNOWN;
    bool go_on = r->emit(r->receiver, &ev);
    r->pos += el->header + n;
    value_note(r, el->tag, ev.raw, n);
    if (!go_on)
        return STEP_STOP;
    return cut ? dicom_tell(r, DICOM_CUT_SHORT) : STEP_ON;
}

static enum step value_read(struct dicom_run *r, const struct dicom_element *el, enum dicom_vr vr,
                            uint64_t len, bool past_end)
{
    const struct dicom_level *level = dicom_top(r);
    struct dicom_meaning meaning =
        dicom_meaning_of(el->tag, vr, (uint32_t)len, r->s->depth > 0 ? level->tag : 0);
    bool passed_over = meaning.value == VALUE_IMAGE || meaning.value == VALUE_BINARY;
    if (len <= DICOM_WHOLE_MAX && !passed_over && !meaning.is_payload)
        return value_whole(r, el, meaning, (size_t)len, past_end);
    if (tell_oddities(r, el, past_end) == STEP_STOP)
        return STEP_STOP;
    r->pos += el->header;
    return dicom_value_start(
        r, (struct dicom_long){
               .left = len,
               .total = len,
               .tag = el->tag,
               .kind = (uint8_t)(meaning.is_payload ? EVENT_PAYLOAD : EVENT_FIELD),
               .value = meaning.value,
               .charset = meaning.has_charset ? level->charset : (uint8_t)CHARSET_UNKNOWN,
               .pad = meaning.pad,
           });
}

static enum step defined_read(struct dicom_run *r, const struct dicom_element *el, enum dicom_vr vr,
                              uint64_t room)
{
    struct dicom_level *level = dicom_top(r);
    bool past_end = el->len > room - el->header;
    uint64_t len = past_end ? room - el->header : el->len;
    struct opening how = {
        .len = len, .encoding = (enum dicom_encoding)level->encoding, .past_end = past_end};
    if (el->vr == VR_SQ && el->form == DICOM_FORM_PLAIN)
        return sequence_open(r, el, how);
    bool maybe =
        vr == VR_SQ || vr == VR_UN || vr == VR_NONE || (vr == VR_OB && dicom_is_private(el->tag));
    if (maybe && len >= DICOM_HEADER_MIN) {
        enum step st = dicom_more(r, (uint64_t)el->header + DICOM_HEADER_MIN);
        if (st != STEP_ON)
            return st;
        how.encoding = items_at(r->in.bytes + r->pos + el->header, dicom_left(r) - el->header);
        how.flags = LEVEL_JUDGE;
        if (how.encoding != DICOM_UNDECLARED) {
            if (el->form == DICOM_FORM_WITH_VR && how.encoding == DICOM_IMPLICIT_LE)
                how.encoding = DICOM_EXPLICIT_LE;
            return sequence_open(r, el, how);
        }
    }
    return value_read(r, el, vr == VR_SQ ? VR_UN : vr, len, past_end);
}

static enum step step_member(struct dicom_run *r, uint64_t room)
{
    struct dicom_level *level = dicom_top(r);
    struct dicom_element el;
    enum dicom_encoding encoding = (enum dicom_encoding)level->encoding;
    size_t need = dicom_element_read(r->in.bytes + r->pos, dicom_left(r), encoding, room, &el);
    if (need > room || (need == 0 && el.header > room))
        return not_element(r);
    if (need > 0)
        return dicom_more(r, need) == STEP_MORE ? STEP_MORE : cut_tail(r);
    if (el.tag >> 16 == DICOM_ITEM_GROUP)
        return step_structure(r, &el);
    if (!is_plausible(r, &el, level))
        return not_element(r);
    r->s->proven = true;
    enum dicom_vr vr = (enum dicom_vr)el.vr;
    if (vr == VR_UN && encoding != DICOM_IMPLICIT_LE) {
        /* A known attribute that a writer did not know: it means what it always does. */
        vr = dicom_dict_vr(el.tag);
        if (vr == VR_NONE)
            vr = VR_UN;
    }
    if (el.len == DICOM_UNDEFINED_LEN)
        return undefined_open(r, &el, vr);
    return defined_read(r, &el, vr, room);
}

/* File meta information ends where group 0002 does (PS3.10 section 7.1). A deflated data set does
 * not begin with a tag: there the group length decides. */
static bool meta_is_over(const struct dicom_run *r)
{
    const struct dicom_state *s = r->s;
    if (s->declared == DICOM_DEFLATED && s->meta_end != 0)
        return dicom_off(r) >= s->meta_end;
    return dicom_left(r) >= 4 &&
           dicom_tag_read(r->in.bytes + r->pos, DICOM_EXPLICIT_LE) >> 16 != 0x0002;
}

enum step dicom_step_element(struct dicom_run *r)
{
    if (levels_close(r) == STEP_STOP)
        return STEP_STOP;
    if (dicom_left(r) == 0)
        return STEP_END;
    struct dicom_state *s = r->s;
    struct dicom_level *level = dicom_top(r);
    if (s->phase == DICOM_IN_META && s->depth == 0 && meta_is_over(r)) {
        s->phase = DICOM_AT_DATA_SET;
        return STEP_ON;
    }
    uint64_t limit = level_limit(level);
    uint64_t room = limit == DICOM_NO_END ? DICOM_NO_END : limit - dicom_off(r);
    enum step st = dicom_more(r, room < DICOM_HEADER_MIN ? room : DICOM_HEADER_MIN);
    if (st != STEP_ON)
        return st;
    if (room < DICOM_HEADER_MIN && dicom_left(r) >= room) {
        if (dicom_tell(r, DICOM_LEFT_OVER) == STEP_STOP)
            return STEP_STOP;
        return show_text(r, DICOM_ITEM, (size_t)room);
    }
    if (dicom_left(r) < DICOM_HEADER_MIN)
        return cut_tail(r);
    if (s->depth > 0 && !(level->flags & LEVEL_IN_ITEM))
        return step_between(r);
    return step_member(r, room);
}
