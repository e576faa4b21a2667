/* detect.c - from fields to findings. */
#include "inspect/detect.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/digits.h"
#include "inspect/normal.h"
#include "inspect/room.h"

/* MAP_NONE as field.map: text bytes are raw bytes. */
static const uint32_t MAP_NONE = UINT32_MAX;

static const int class_of_value[VALUE_COUNT] = {
    [VALUE_TEXT] = -1,
    [VALUE_NAME] = CLASS_PERSON_NAME,
    [VALUE_BIRTH_DATE] = CLASS_BIRTH_DATE,
    [VALUE_RECORD_ID] = CLASS_MEDICAL_RECORD_NUMBER,
    [VALUE_ID_NUMBER] = CLASS_ID_NUMBER,
    [VALUE_INSURANCE_ID] = CLASS_INSURANCE_NUMBER,
    [VALUE_ACCOUNT] = CLASS_ACCOUNT,
    [VALUE_LICENCE] = CLASS_LICENCE_PLATE,
    [VALUE_ADDRESS] = CLASS_ADDRESS,
    [VALUE_PHONE] = CLASS_PHONE,
    [VALUE_EMAIL] = CLASS_EMAIL,
    [VALUE_DATE] = -1,
    [VALUE_UID] = -1,
    [VALUE_NUMBER] = -1,
    [VALUE_CODE] = -1,
    [VALUE_BINARY] = -1,
    [VALUE_IMAGE] = -1,
    [VALUE_FACE] = CLASS_FACE_IMAGE,
    [VALUE_OPAQUE] = CLASS_OPAQUE,
    [VALUE_HOST] = -1,
};

/* ---- telling ------------------------------------------------------------------------------ */

/* place fills where raw bytes [off, off + len) of a layer lie at the root. */
static bool place(const struct layer *l, uint64_t off, uint64_t len, struct run near,
                  struct run *at)
{
    const struct extents *x = &l->extents;
    if (l->tail != NULL && off < l->tail->off + l->tail->n && l->tail->extents.n > 0 &&
        off >= l->tail->off)
        x = &l->tail->extents;
    bool whole = true;
    bool first = true;
    while (len > 0 && whole) {
        struct run r;
        whole = extents_find(x, off, len, &r);
        if (!whole && x != &l->extents) {
            x = &l->extents;
            whole = extents_find(x, off, len, &r);
        }
        if (whole && first)
            *at = r;
        if (whole) {
            off += r.len;
            len -= r.len;
        }
        first = first && !whole;
    }
    if (first)
        *at = near;
    return whole && !l->no_way_back;
}

static void tell(struct inspector *in, struct layer *l, const struct event *ev, enum class class,
                 const char *rule, unsigned confidence, uint64_t off, uint64_t len, struct run near,
                 const uint8_t *value, size_t value_len)
{
    in->counts.findings[class]++;
    l->inspection->app.findings[l->direction]++;
    for (struct layer *up = l; up != NULL; up = up->parent)
        up->message_findings++;
    if (in->sink.finding == NULL)
        return;
    const struct known_path *path = layer_known_path(in, l, ev);
    const char *protocol = l->inspection->app.dissector[l->direction];
    struct finding f = {
        .class = class,
        .rule = rule,
        .confidence = confidence,
        .length = len,
        .path = path->text,
        .path_hash = path->hash,
        .protocol = protocol != NULL ? protocol : "tcp",
        .value = value,
        .value_len = value_len < FINDING_VALUE_MAX ? value_len : FINDING_VALUE_MAX,
        .flow = l->inspection->flow,
        .direction = l->direction,
        .time_ns = in->now_ns,
    };
    /* An opaque value is told with its first bytes: what is still to come has no place yet. */
    uint64_t here = class == CLASS_OPAQUE && len > ev->at.len ? ev->at.len : len;
    f.way_back = place(l, off, here, near, &f.at);
    in->sink.finding(in->sink.receiver, &f);
}

static void tell_open(struct inspector *in)
{
    struct open_finding *o = &in->detector.open;
    if (!o->is_open)
        return;
    o->is_open = false;
    tell(in, o->layer, &o->ev, o->class, "field", 95, o->off, o->len, o->near, o->value,
         o->value_len);
    memset(o->value, 0, o->value_len);
}

static void value_add(struct open_finding *o, const uint8_t *p, size_t n)
{
    if (o->value_len > 0 && o->value_len < FINDING_VALUE_MAX)
        o->value[o->value_len++] = '^';
    if (n > FINDING_VALUE_MAX - o->value_len)
        n = FINDING_VALUE_MAX - o->value_len;
    memcpy(o->value + o->value_len, p, n);
    o->value_len += n;
}

static struct event event_of(const struct field *f)
{
    struct event ev = {.kind = EVENT_FIELD,
                       .value = f->value,
                       .flags = f->flags,
                       .n_path = f->n_path,
                       .at = {f->off, f->raw_len}};
    memcpy(ev.path, f->path, sizeof ev.path);
    return ev;
}

/* is_placeholder: a value that names nobody: mask characters, delimiters, spaces. */
static bool is_placeholder(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i];
        if (c == 0xef && i + 2 < n && p[i + 1] == 0xbc && p[i + 2] == 0x8a) {
            i += 2; /* U+FF0A full-width asterisk */
            continue;
        }
        if (c > 0x20 && c != '*' && c != '^' && c != '=' && c != '-' && c != '_' && c != '.' &&
            c != '"' && c != '&' && c != ',' && c != '?' && c != '/' && c != '\\')
            return false;
    }
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\0' || (c >= '\t' && c <= '\r');
}

/* trim narrows [*from, *to) of a text to what is not spaces or padding around it. */
static void trim(const uint8_t *text, uint32_t *from, uint32_t *to)
{
    while (*from < *to && is_blank(text[*from]))
        (*from)++;
    while (*to > *from && is_blank(text[*to - 1]))
        (*to)--;
}

static void tell_field(struct inspector *in, const struct field *f, enum class class)
{
    struct detector *d = &in->detector;
    struct open_finding *o = &d->open;
    const uint8_t *text = d->text + f->text;
    if (is_placeholder(text, f->text_len))
        return;
    /* Equal values have equal tags: a pad to even length in DICOM is no part of the value. */
    uint32_t from = 0, to = f->text_len;
    trim(text, &from, &to);
    bool goes_on = (f->flags & SAME_VALUE) && o->is_open && o->layer == f->layer &&
                   o->class == class && o->ev.n_path >= 2 && f->n_path >= 2 &&
                   memcmp(o->ev.path, f->path, 2 * sizeof f->path[0]) == 0;
    if (!goes_on) {
        tell_open(in);
        o->is_open = true;
        o->layer = f->layer;
        o->class = class;
        o->off = f->off;
        o->ev = event_of(f);
        o->near = f->near;
        o->value_len = 0;
    }
    o->len = f->off + f->raw_len - o->off;
    value_add(o, text + from, to - from);
}

static void tell_hit(struct inspector *in, const struct field *f, const struct hit *h)
{
    const struct rule *rule = rule_set_at(in->rules, h->rule);
    struct event ev = event_of(f);
    tell_open(in);
    tell(in, f->layer, &ev, rule->class, rule->name, rule->confidence, f->off + h->from, h->len,
         f->near, in->detector.text + h->text, h->text_len);
}

/* ---- matching ----------------------------------------------------------------------------- */

static uint32_t raw_at(const struct detector *d, const struct field *f, uint32_t text)
{
    return f->map == MAP_NONE ? text : d->maps[f->map + text];
}

static uint32_t field_at(const struct detector *d, uint32_t text)
{
    uint32_t lo = 0, hi = d->n_fields;
    while (lo + 1 < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (d->fields[mid].text <= text)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static void on_match(void *receiver, const struct rule_match *m)
{
    struct inspector *in = receiver;
    struct detector *d = &in->detector;
    uint32_t i = field_at(d, m->start);
    const struct field *f = &d->fields[i];
    uint32_t from = m->start - f->text;
    const struct rule *rule = rule_set_at(in->rules, m->rule);
    if (from < f->share_from || from >= f->share_to || from + m->len > f->text_len ||
        (rule->skip >> f->value & 1) || d->n_hits == BATCH_HITS)
        return;
    uint32_t raw = raw_at(d, f, from);
    d->hits[d->n_hits++] = (struct hit){
        .field = f->parent,
        .from = raw,
        .len = raw_at(d, f, from + m->len) - raw,
        .text = m->start,
        .text_len = m->len,
        .rule = m->rule,
    };
}

static int by_place(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->len < y->len) - (x->len > y->len);
}

/* covers: the hit is the whole value but for spaces around it. */
static bool covers(const struct detector *d, const struct field *f, const struct hit *h)
{
    uint32_t from = 0, to = f->text_len;
    trim(d->text + f->text, &from, &to);
    return h->from <= raw_at(d, f, from) && h->from + h->len >= raw_at(d, f, to);
}

/* judge tells the findings of one field: its meaning, and what rules found in it. */
static void judge(struct inspector *in, const struct field *f, const struct hit *hits, uint32_t n)
{
    int meant =
        (f->flags & (FIELD_NAME | PART_FIRST)) == PART_FIRST ? class_of_value[f->value] : -1;
    bool covered = false;
    for (uint32_t i = 0; i < n; i++)
        covered = covered || covers(&in->detector, f, &hits[i]);
    if (meant >= 0 && !covered)
        tell_field(in, f, (enum class)meant);
    for (uint32_t i = 0; i < n;) {
        /* Of one class, what overlaps is one finding; compacted groups may be told twice. */
        struct hit whole = hits[i];
        enum class class = rule_set_at(in->rules, whole.rule)->class;
        uint32_t next = i + 1;
        while (next < n && hits[next].from < whole.from + whole.len &&
               rule_set_at(in->rules, hits[next].rule)->class == class) {
            uint32_t end = hits[next].from + hits[next].len;
            if (end > whole.from + whole.len)
                whole.len = end - whole.from;
            next++;
        }
        i = next;
        if (covered || (int)class != meant)
            tell_hit(in, f, &whole);
    }
}

static bool add_text(struct detector *d, uint32_t n)
{
    return d->n_fields < BATCH_FIELDS && d->n_text + n + 1 <= BATCH_TEXT;
}

/* group_add puts a digit group without its separators behind the batch, as a field of its own. */
static void group_add(void *receiver, uint32_t field, const uint8_t *digits, const uint32_t *at,
                      uint32_t n)
{
    struct inspector *in = receiver;
    struct detector *d = &in->detector;
    if (d->n_fields == BATCH_FIELDS || d->n_text + n + 1 > sizeof d->text ||
        d->n_maps + n + 1 > sizeof d->maps / sizeof d->maps[0])
        return;
    const struct field *from = &d->fields[field];
    struct field *f = &d->fields[d->n_fields++];
    *f = *from;
    f->parent = field;
    f->text = d->n_text;
    f->text_len = n;
    f->map = d->n_maps;
    bool ours = at[0] >= from->share_from && at[0] < from->share_to;
    f->share_from = 0;
    f->share_to = ours ? n : 0;
    memcpy(d->text + d->n_text, digits, n);
    for (uint32_t i = 0; i < n; i++)
        d->maps[d->n_maps++] = raw_at(d, from, at[i]);
    d->maps[d->n_maps++] = raw_at(d, from, at[n - 1] + 1);
    d->text[d->n_text + n] = RULE_BREAK;
    d->n_text += n + 1;
}

static void scan_batch(struct inspector *in)
{
    struct detector *d = &in->detector;
    uint32_t n_fields = d->n_fields;
    for (uint32_t i = 0; i < n_fields; i++)
        if (d->fields[i].text_len >= DIGITS_SHORTEST)
            digits_find(d->text + d->fields[i].text, d->fields[i].text_len, i, group_add, in);
    if (d->n_text > 0 && rule_set_scan(in->rules, d->scratch, (const char *)d->text, d->n_text,
                                       on_match, in) != STATUS_OK)
        in->counts.limit_memory++;
    if (d->n_fields > n_fields)
        qsort(d->hits, d->n_hits, sizeof d->hits[0], by_place);
    uint32_t h = 0;
    for (uint32_t i = 0; i < n_fields; i++) {
        uint32_t first = h;
        while (h < d->n_hits && d->hits[h].field == i)
            h++;
        if (h > first || class_of_value[d->fields[i].value] >= 0)
            judge(in, &d->fields[i], d->hits + first, h - first);
    }
    tell_open(in);
    memset(d->text, 0, d->n_text);
    d->n_text = d->n_fields = d->n_hits = d->n_maps = 0;
}

void detect_flush(struct inspector *in)
{
    if (in->detector.n_fields > 0)
        scan_batch(in);
    if (in->ended != NULL)
        room_free_ended(in);
}

/* put_field writes the normal text of raw bytes behind the batch. */
static struct field *put_field(struct detector *d, struct layer *l, const struct event *ev,
                               const uint8_t *raw, uint32_t n, uint64_t off)
{
    struct field *f = &d->fields[d->n_fields];
    f->layer = l;
    f->off = off;
    f->raw_len = n;
    f->text = d->n_text;
    f->parent = d->n_fields;
    f->value = ev->value;
    f->flags = ev->flags;
    f->n_path = ev->n_path;
    memcpy(f->path, ev->path, sizeof f->path);
    f->near = l->near;
    enum charset charset =
        (enum charset)(ev->charset != CHARSET_UNKNOWN ? ev->charset : l->charset);
    if (normal_is_plain(raw, n, (enum escape)ev->escape, charset)) {
        memcpy(d->text + d->n_text, raw, n);
        f->text_len = n;
        f->map = MAP_NONE;
    } else {
        f->map = d->n_maps;
        f->text_len = (uint32_t)normal_write(raw, n, (enum escape)ev->escape, ev->escape_char,
                                             charset, d->text + d->n_text, d->maps + d->n_maps);
        d->n_maps += f->text_len + 1;
    }
    f->share_from = 0;
    f->share_to = f->text_len;
    d->n_text += f->text_len;
    d->text[d->n_text++] = RULE_BREAK;
    d->n_fields++;
    return f;
}

/* ---- long values -------------------------------------------------------------------------- */

static void tail_free(struct inspector *in, struct layer *l)
{
    if (l->tail == NULL)
        return;
    extents_free(&l->tail->extents, in->pool);
    pool_give(in->pool, l->tail, sizeof *l->tail + TAIL_BYTES);
    l->tail = NULL;
}

/* tail_keep remembers the raw bytes [off, off + n) for the next window. */
static void tail_keep(struct inspector *in, struct layer *l, const uint8_t *raw, uint32_t n,
                      uint64_t off, uint32_t before)
{
    struct tail *t = n > 0 ? pool_take(in->pool, sizeof *t + TAIL_BYTES) : NULL;
    if (t == NULL) {
        tail_free(in, l);
        return;
    }
    t->off = off;
    t->n = n;
    t->before = before;
    memcpy(t->raw, raw, n);
    for (uint64_t at = off; !l->no_way_back && at < off + n;) {
        struct run r;
        bool found = extents_find(&l->extents, at, off + n - at, &r);
        if (!found && l->tail != NULL)
            found = extents_find(&l->tail->extents, at, off + n - at, &r);
        if (!found || !extents_add(&t->extents, in->pool, at, r))
            break;
        at += r.len;
    }
    tail_free(in, l);
    l->tail = t;
}

/* window_cut finds where the share of this window ends: behind the last line end that is close to
 * the end, or as far before the end as a rule may look. Text coordinates. */
static uint32_t window_cut(const uint8_t *text, uint32_t n, uint32_t from, bool *clean)
{
    uint32_t ahead = RULE_MAX_LEN + RULE_MAX_AFTER;
    uint32_t low = n > ahead ? n - ahead : 0;
    if (low < from)
        low = from;
    for (uint32_t i = n; i > low; i--) {
        if (text[i - 1] == '\n') {
            *clean = true;
            return i;
        }
    }
    *clean = false;
    return low;
}

/* scan_window scans one window of a long value: the tail of the last one and `raw` behind it. */
static void scan_window(struct inspector *in, struct layer *l, const struct event *ev,
                        const uint8_t *raw, uint32_t n, uint64_t off, bool last)
{
    struct detector *d = &in->detector;
    uint32_t kept = l->tail != NULL ? l->tail->n : 0;
    uint32_t before = l->tail != NULL ? l->tail->before : 0;
    /* The joined raw bytes stand in the second half of the text buffer while they are normalised.
     */
    uint8_t *joined = d->text + BATCH_TEXT;
    if (kept > 0) {
        memcpy(joined, l->tail->raw, kept);
        if (n > 0)
            memcpy(joined + kept, raw, n);
        raw = joined;
        n += kept;
        off -= kept;
    }
    struct field *f = put_field(d, l, ev, raw, n, off);
    while (f->share_from < f->text_len && raw_at(d, f, f->share_from) < before)
        f->share_from++;
    bool clean = true;
    f->share_to =
        last ? f->text_len : window_cut(d->text + f->text, f->text_len, f->share_from, &clean);
    uint32_t keep_text = f->share_to;
    if (!clean) {
        uint32_t back = f->share_to > RULE_MAX_BEFORE ? f->share_to - RULE_MAX_BEFORE : 0;
        for (keep_text = back; keep_text < f->share_to; keep_text++)
            if (keep_text > back && d->text[f->text + keep_text - 1] == '\n')
                break;
        if (keep_text == f->share_to)
            keep_text = back;
    }
    uint32_t keep_raw = last ? n : raw_at(d, f, keep_text);
    uint32_t share_raw = last ? n : raw_at(d, f, f->share_to);
    if (n - keep_raw > TAIL_BYTES)
        keep_raw = n - TAIL_BYTES;
    /* The copy of what is kept must be taken before the scan wipes the batch. */
    uint8_t copy[TAIL_BYTES];
    uint32_t n_copy = n - keep_raw;
    memcpy(copy, raw + keep_raw, n_copy);
    scan_batch(in);
    memset(joined, 0, kept > 0 ? n : 0);
    tail_keep(in, l, copy, n_copy, off + keep_raw, share_raw > keep_raw ? share_raw - keep_raw : 0);
}

static void detect_long(struct inspector *in, struct layer *l, const struct event *ev)
{
    detect_flush(in);
    struct event part = *ev;
    uint64_t off = ev->at.off;
    const uint8_t *raw = ev->raw;
    uint64_t left = ev->at.len;
    if ((ev->flags & PART_FIRST) && l->tail != NULL)
        detect_break(in, l);
    do {
        uint32_t n = left > WINDOW_RAW ? WINDOW_RAW : (uint32_t)left;
        bool last = n == left && (ev->flags & PART_LAST);
        scan_window(in, l, &part, raw, n, off, last);
        part.flags &= (uint8_t)~PART_FIRST; /* its meaning is told once, with the first window */
        raw += n;
        off += n;
        left -= n;
    } while (left > 0);
}

void detect_break(struct inspector *in, struct layer *l)
{
    if (l->tail == NULL)
        return;
    struct event ev = {.kind = EVENT_FIELD, .value = VALUE_TEXT};
    detect_flush(in);
    scan_window(in, l, &ev, NULL, 0, l->tail->off + l->tail->n, true);
    tail_free(in, l);
}

void detect_loose(struct inspector *in, struct layer *l, const uint8_t *bytes, size_t len,
                  uint64_t off)
{
    struct event ev = {.kind = EVENT_FIELD,
                       .value = VALUE_TEXT,
                       .flags = PART_WHOLE,
                       .at = {off, len},
                       .raw = bytes};
    detect_break(in, l);
    detect_long(in, l, &ev);
}

void detect_opaque(struct inspector *in, struct layer *l, const struct event *ev, const char *rule,
                   unsigned confidence)
{
    if (l->opaque_told)
        return;
    l->opaque_told = true;
    detect_flush(in);
    tell(in, l, ev, CLASS_OPAQUE, rule, confidence, ev->at.off,
         ev->total > ev->at.len ? ev->total : ev->at.len, l->near, NULL, 0);
}

/* note_server remembers which server the flow says it talks to, for destination lists. */
static void note_server(struct flow_app *app, const struct event *ev)
{
    if (app->server[0] != '\0' || (ev->flags & PART_WHOLE) != PART_WHOLE || ev->at.len == 0 ||
        ev->at.len >= sizeof app->server)
        return;
    size_t n = 0;
    while (n < ev->at.len && ev->raw[n] > ' ' && ev->raw[n] < 0x7f && ev->raw[n] != ':') {
        uint8_t c = ev->raw[n];
        app->server[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    app->server[n] = '\0';
}

void detect_field(struct inspector *in, struct layer *l, const struct event *ev)
{
    struct detector *d = &in->detector;
    if (ev->value == VALUE_HOST)
        note_server(&l->inspection->app, ev);
    switch (ev->value) {
    case VALUE_BINARY:
    case VALUE_IMAGE:
        in->counts.passed_over_bytes += ev->at.len;
        return;
    case VALUE_FACE:
        in->counts.passed_over_bytes += ev->at.len;
        if (ev->flags & PART_FIRST) {
            detect_flush(in);
            tell(in, l, ev, CLASS_FACE_IMAGE, "field", 90, ev->at.off, ev->at.len, l->near, NULL,
                 0);
        }
        return;
    case VALUE_OPAQUE:
        in->counts.opaque_bytes += ev->at.len;
        l->inspection->app.opaque_bytes[l->direction] += ev->at.len;
        detect_opaque(in, l, ev, "encrypted", 95);
        return;
    default:
        break;
    }
    if ((ev->flags & PART_WHOLE) != PART_WHOLE || ev->at.len > SHORT_MAX) {
        if (l->binary) {
            in->counts.unrecognised_bytes += ev->at.len;
            l->inspection->app.unrecognised_bytes[l->direction] += ev->at.len;
        }
        detect_long(in, l, ev);
        return;
    }
    if (ev->at.len < DETECT_SHORTEST && class_of_value[ev->value] < 0)
        return;
    uint32_t n = (uint32_t)ev->at.len;
    if (!add_text(d, n) && !(ev->flags & SAME_VALUE))
        detect_flush(in);
    if (add_text(d, n))
        put_field(d, l, ev, ev->raw, n, ev->at.off);
    else
        detect_long(in, l, ev);
}
