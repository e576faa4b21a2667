/* dicom.c - DICOM data sets: Part 10 files, data sets and command sets of messages, bare ones.
 *
 * Here are the outside of a data set and its long values; dicom_tree.c reads elements. What a file
 * or a message declares of its transfer syntax is a claim that the first element can overrule.
 */
#include <stdio.h>

#include "dissectors/dicom_state.h"

#define HINT_DATA_SET "application/dicom-dataset"
#define HINT_COMMAND  "application/dicom-command"

/* Whether a media type with parameters is of that type. */
static bool hint_is(const char *hint, const char *type)
{
    if (hint == NULL)
        return false;
    size_t n = strlen(type);
    return strnlen(hint, n) == n && bytes_equal_nocase((const uint8_t *)hint, type, n) &&
           (hint[n] == '\0' || hint[n] == ';' || hint[n] == ' ');
}

/* The encoding that the transfer-syntax parameter of a media type declares. */
static enum dicom_encoding hint_encoding(const char *hint)
{
    static const char key[] = "transfer-syntax=";
    const char *at = strstr(hint, key);
    if (at == NULL)
        return DICOM_UNDECLARED;
    at += sizeof key - 1;
    at += *at == '"';
    return dicom_encoding_of((const uint8_t *)at, strcspn(at, "\";, "));
}

static enum step object_begin(struct dicom_run *r, const char *what)
{
    struct event ev = dicom_event_at(r, EVENT_BEGIN, DICOM_NO_TAG, 0, 0);
    ev.hint = what;
    r->s->begun = true;
    return r->emit(r->receiver, &ev) ? STEP_ON : STEP_STOP;
}

static bool preamble_speaks(const uint8_t *p)
{
    for (size_t i = 0; i < DICOM_PREAMBLE_LEN; i++)
        if (p[i] != 0)
            return true;
    return false;
}

static enum step file_start(struct dicom_run *r, size_t header)
{
    r->s->is_file = true;
    r->s->proven = true;
    r->s->phase = DICOM_IN_META;
    r->s->levels[0].encoding = DICOM_EXPLICIT_LE;
    if (object_begin(r, "file") == STEP_STOP)
        return STEP_STOP;
    if (header < DICOM_PREAMBLE_LEN) {
        r->pos += header;
        return dicom_tell(r, DICOM_NO_PREAMBLE);
    }
    enum step st = STEP_ON;
    if (preamble_speaks(r->in.bytes + r->pos)) {
        struct event ev = dicom_event_at(r, EVENT_FIELD, DICOM_NO_TAG, 0, DICOM_PREAMBLE_LEN);
        ev.value = VALUE_TEXT;
        ev.flags |= FIXED_LEN;
        st = r->emit(r->receiver, &ev) ? STEP_ON : STEP_STOP;
    }
    r->pos += header;
    return st;
}

static bool magic_at(const uint8_t *p)
{
    return memcmp(p, "DICM", DICOM_MAGIC_LEN) == 0;
}

/* A layer of which nothing is known but that someone took it for DICOM. */
static enum step start_unknown(struct dicom_run *r)
{
    const size_t header = DICOM_PREAMBLE_LEN + DICOM_MAGIC_LEN;
    enum step st = dicom_more(r, header);
    if (st != STEP_ON)
        return st;
    const uint8_t *p = r->in.bytes + r->pos;
    size_t n = dicom_left(r);
    if (n >= header && magic_at(p + DICOM_PREAMBLE_LEN))
        return file_start(r, header);
    if (n >= DICOM_MAGIC_LEN && magic_at(p))
        return file_start(r, DICOM_MAGIC_LEN);
    bool sure;
    enum dicom_encoding encoding =
        dicom_encoding_judge(p, n < DICOM_JUDGE_LEN ? n : DICOM_JUDGE_LEN, DICOM_UNDECLARED, &sure);
    if (!sure) {
        r->why = "not a DICOM file or data set";
        return STEP_BAD;
    }
    uint32_t tag = dicom_tag_read(p, encoding);
    if (tag >> 16 == 0x0002)
        return file_start(r, 0);
    r->s->is_command = tag <= 0xFFFF;
    r->s->levels[0].encoding = (uint8_t)encoding;
    r->s->phase = DICOM_IN_DATA_SET;
    return object_begin(r, r->s->is_command ? "command" : "object");
}

static enum step step_start(struct dicom_run *r)
{
    struct dicom_state *s = r->s;
    s->levels[0].flags = LEVEL_IN_ITEM;
    s->levels[0].end = s->levels[0].item_end = DICOM_NO_END;
    if (dicom_left(r) == 0)
        return STEP_END;
    if (hint_is(r->in.hint, HINT_COMMAND)) {
        s->is_command = true;
        s->levels[0].encoding = DICOM_IMPLICIT_LE;
        s->phase = DICOM_IN_DATA_SET;
        return object_begin(r, "command");
    }
    if (hint_is(r->in.hint, HINT_DATA_SET)) {
        s->declared = (uint8_t)hint_encoding(r->in.hint);
        s->phase = DICOM_AT_DATA_SET;
        return STEP_ON;
    }
    return start_unknown(r);
}

static enum step tell_not_declared(struct dicom_run *r, enum dicom_encoding is)
{
    static const char *const hints[5][4] = {
        [DICOM_IMPLICIT_LE] = {NULL, NULL, "declared implicit LE, is explicit LE",
                               "declared implicit LE, is explicit BE"},
        [DICOM_EXPLICIT_LE] = {NULL, "declared explicit LE, is implicit LE", NULL,
                               "declared explicit LE, is explicit BE"},
        [DICOM_EXPLICIT_BE] = {NULL, "declared explicit BE, is implicit LE",
                               "declared explicit BE, is explicit LE", NULL},
        [DICOM_DEFLATED] = {NULL, "declared deflated, is implicit LE",
                            "declared deflated, is explicit LE",
                            "declared deflated, is explicit BE"},
    };
    struct event ev = dicom_event_at(r, EVENT_ANOMALY, DICOM_NO_TAG, 0, 0);
    ev.hint = hints[r->s->declared][is];
    if (ev.hint == NULL)
        return STEP_ON;
    return r->emit(r->receiver, &ev) ? STEP_ON : STEP_STOP;
}

/* At the first byte of the data set: settles its encoding. */
static enum step step_data_set(struct dicom_run *r)
{
    struct dicom_state *s = r->s;
    if (dicom_left(r) == 0)
        return STEP_END;
    enum step st = dicom_more(r, DICOM_JUDGE_LEN);
    if (st != STEP_ON)
        return st;
    if (!s->begun && object_begin(r, "object") == STEP_STOP)
        return STEP_STOP;
    size_t n = dicom_left(r);
    enum dicom_encoding declared = (enum dicom_encoding)s->declared;
    bool sure;
    enum dicom_encoding is = dicom_encoding_judge(
        r->in.bytes + r->pos, n < DICOM_JUDGE_LEN ? n : DICOM_JUDGE_LEN, declared, &sure);
    s->phase = DICOM_IN_DATA_SET;
    if (!sure && declared == DICOM_DEFLATED)
        return dicom_value_start(r, (struct dicom_long){.left = DICOM_NO_END,
                                                        .tag = DICOM_NO_TAG,
                                                        .kind = EVENT_PAYLOAD,
                                                        .deflated = true});
    if (is == DICOM_UNDECLARED || is == DICOM_DEFLATED)
        is = n >= DICOM_HEADER_MIN && dicom_vr_read(r->in.bytes + r->pos + 4) != VR_NONE
                 ? DICOM_EXPLICIT_LE
                 : DICOM_IMPLICIT_LE;
    s->levels[0].encoding = (uint8_t)is;
    s->levels[0].last_tag = 0;
    return sure && declared != DICOM_UNDECLARED ? tell_not_declared(r, is) : STEP_ON;
}

enum step dicom_value_start(struct dicom_run *r, struct dicom_long value)
{
    r->s->value = value;
    r->s->after = r->s->phase;
    r->s->phase = DICOM_IN_VALUE;
    return STEP_ON;
}

static struct event value_part(const struct dicom_run *r, size_t n)
{
    const struct dicom_long *v = &r->s->value;
    struct event ev = dicom_event_at(r, (enum event_kind)v->kind, v->tag, 0, n);
    ev.value = v->value;
    ev.charset = v->charset;
    ev.pad = v->pad;
    ev.total = v->total;
    ev.flags = v->started ? 0 : PART_FIRST;
    if (v->left != DICOM_NO_END)
        ev.flags |= FIXED_LEN;
    if (v->deflated) {
        ev.coding[0] = CODING_DEFLATE_RAW;
        ev.hint = HINT_DATA_SET "; transfer-syntax=1.2.840.10008.1.2.1";
    }
    return ev;
}

static enum step step_value(struct dicom_run *r)
{
    struct dicom_long *v = &r->s->value;
    size_t n = dicom_left(r);
    if (n > v->left)
        n = (size_t)v->left;
    bool endless = v->left == DICOM_NO_END;
    bool done = !endless && n == v->left;
    if (n == 0 && !done && !r->in.last)
        return STEP_END;
    struct event ev = value_part(r, n);
    if (done || r->in.last)
        ev.flags |= PART_LAST;
    bool go_on = r->emit(r->receiver, &ev);
    r->pos += n;
    v->started = true;
    if (!endless)
        v->left -= n;
    if (!go_on)
        return STEP_STOP;
    if (done) {
        r->s->phase = r->s->after;
        return STEP_ON;
    }
    if (r->in.last && !endless && dicom_tell(r, DICOM_CUT_SHORT) == STEP_STOP)
        return STEP_STOP;
    return STEP_END;
}

/* After the last byte of the layer. */
static enum step object_end(struct dicom_run *r)
{
    struct dicom_state *s = r->s;
    s->phase = DICOM_ENDED;
    if (!s->begun)
        return STEP_END;
    if (s->depth > 0 && dicom_tell(r, DICOM_CUT_SHORT) == STEP_STOP)
        return STEP_STOP;
    s->depth = 0;
    struct event ev = dicom_event_at(r, EVENT_END, DICOM_NO_TAG, 0, 0);
    return r->emit(r->receiver, &ev) ? STEP_END : STEP_STOP;
}

static enum step step_on(struct dicom_run *r)
{
    switch ((enum dicom_phase)r->s->phase) {
    case DICOM_AT_START:
        return step_start(r);
    case DICOM_IN_META:
    case DICOM_IN_DATA_SET:
        return dicom_step_element(r);
    case DICOM_AT_DATA_SET:
        return step_data_set(r);
    case DICOM_IN_VALUE:
        return step_value(r);
    case DICOM_ENDED:
        break;
    }
    r->pos = r->in.len;
    return STEP_END;
}

static struct feed_result dicom_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct dicom_run r = {.s = state, .in = in, .emit = emit, .receiver = receiver};
    enum step st;
    do
        st = step_on(&r);
    while (st == STEP_ON);
    if (st == STEP_END && in.last && r.s->phase != DICOM_ENDED)
        st = object_end(&r);
    switch (st) {
    case STEP_MORE:
        return feed_more(r.pos, r.need);
    case STEP_STOP:
        return feed_stop(r.pos);
    case STEP_BAD:
        return feed_bad(r.pos, r.why);
    case STEP_LIMIT:
        return feed_limit(r.pos, r.why);
    case STEP_ON:
    case STEP_END:
        break;
    }
    return feed_ok(r.pos);
}

static bool dicom_gap(void *state, struct span missing)
{
    struct dicom_state *s = state;
    if (s->phase != DICOM_IN_VALUE || s->value.left == DICOM_NO_END || missing.len > s->value.left)
        return false;
    s->value.left -= missing.len;
    return true;
}

/* Bids of the probe, in bits that hardly agree by chance. */
enum {
    BID_MAGIC = 40,
    BID_ELEMENT = 12, /* each element after the first that fits */
    BID_FIRST = 20,
    BID_FEW = 8 /* an empty preamble, or only the word of a media type */
};

static unsigned probe_elements(struct view head, enum dicom_encoding encoding)
{
    struct dicom_element el = {0};
    uint32_t last_tag = 0;
    unsigned bid = 0;
    for (size_t at = 0; at < head.len && bid < BID_MAGIC;) {
        if (dicom_element_read(head.bytes + at, head.len - at, encoding, UINT64_MAX, &el) != 0)
            break;
        if (el.form != DICOM_FORM_PLAIN || (at > 0 && el.tag <= last_tag))
            return 0;
        if (at == 0)
            bid = BID_FIRST;
        else if (dicom_dict_vr(el.tag) != VR_NONE)
            bid += BID_ELEMENT;
        last_tag = el.tag;
        if (el.vr == VR_SQ || el.len > head.len - at)
            break;
        at += (size_t)el.header + el.len;
    }
    return bid;
}

static unsigned dicom_probe(struct view head)
{
    const size_t header = DICOM_PREAMBLE_LEN + DICOM_MAGIC_LEN;
    if (head.len >= header && magic_at(head.bytes + DICOM_PREAMBLE_LEN))
        return BID_MAGIC;
    bool hinted = hint_is(head.hint, "application/dicom") || hint_is(head.hint, HINT_DATA_SET) ||
                  hint_is(head.hint, HINT_COMMAND);
    if (head.len < DICOM_HEADER_MIN)
        return 0;
    if (magic_at(head.bytes))
        return BID_FIRST;
    bool sure;
    size_t n = head.len < DICOM_JUDGE_LEN ? head.len : DICOM_JUDGE_LEN;
    enum dicom_encoding encoding = dicom_encoding_judge(head.bytes, n, DICOM_UNDECLARED, &sure);
    if (sure)
        return probe_elements(head, encoding);
    bool zeros = head.len >= PROBE_LEN && head.len < header;
    for (size_t i = 0; zeros && i < head.len; i++)
        zeros = head.bytes[i] == 0;
    return hinted || zeros ? BID_FEW : 0;
}

static int dicom_path(const struct event *ev, char *buf, size_t cap)
{
    char text[160];
    size_t n = 0;
    /* An even number of steps: outer ones did not fit, and the first left is an item. */
    bool is_item = ev->n_path % 2 == 0;
    text[0] = '\0';
    if (is_item && ev->n_path > 0)
        n += (size_t)snprintf(text, sizeof text, "..");
    for (unsigned i = 0; i < ev->n_path && i < PATH_MAX_STEPS; i++, is_item = !is_item) {
        unsigned step = ev->path[i];
        int wrote =
            is_item ? snprintf(text + n, sizeof text - n, "[%u].", step)
                    : snprintf(text + n, sizeof text - n, "(%04X,%04X)", step >> 16, step & 0xFFFF);
        n += (size_t)wrote;
    }
    return snprintf(buf, cap, "%s", text);
}

static const char *const dicom_media[] = {"application/dicom", HINT_DATA_SET, HINT_COMMAND, NULL};

const struct dissector dicom_dissector = {
    .name = "dicom",
    .spec = "DICOM PS3.5, PS3.6, PS3.7 annex E and PS3.10, 2025b",
    .state_size = sizeof(struct dicom_state),
    .max_view = DICOM_WHOLE_MAX + 32,
    .max_depth = DICOM_DEPTH,
    .media = dicom_media,
    .probe = dicom_probe,
    .feed = dicom_feed,
    .gap = dicom_gap,
    .path = dicom_path,
};
