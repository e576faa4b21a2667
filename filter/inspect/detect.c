/* detect.c - from fields to findings. */
#include "inspect/detect.h"

#include <stdlib.h>
#include <string.h>

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

bool detect_place(const struct layer *l, uint64_t off, uint64_t len, struct run near,
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

void detect_tell(struct inspector *in, struct layer *l, const struct event *ev,
                 const struct told *what, struct run at, bool way_back)
{
    in->counts.findings[what->class]++;
    l->inspection->app.findings[l->direction]++;
    for (struct layer *up = l; up != NULL; up = up->parent)
        up->message_findings++;
    if (in->sink.finding == NULL)
        return;
    const struct known_path *path = layer_known_path(in, l, ev);
    const char *protocol = l->inspection->app.dissector[l->direction];
    struct finding f = {
        .class = what->class,
        .rule = what->rule,
        .confidence = what->confidence,
        .way_back = way_back,
        .at = at,
        .length = what->len,
        .path = path->text,
        .path_hash = path->hash,
        .protocol = protocol != NULL ? protocol : "tcp",
        .value = what->value,
        .value_len = what->value_len < FINDING_VALUE_MAX ? what->value_len : FINDING_VALUE_MAX,
        .flow = l->inspection->flow,
        .direction = l->direction,
        .time_ns = in->now_ns,
    };
    in->sink.finding(in->sink.receiver, &f);
}

/* tell tells a finding in the raw bytes [off, off + what->len) of a layer. */
static void tell(struct inspector *in, struct layer *l, const struct event *ev,
                 const struct told *what, uint64_t off, struct run near)
{
    /* What is told with its first bytes has the place of the first: the rest may be to come. */
    bool begins = what->class == CLASS_OPAQUE || what->class == CLASS_FACE_IMAGE;
    uint64_t here = !begins ? what->len : ev->at.len > 0 ? 1 : 0;
    struct run at;
    bool way_back = detect_place(l, off, here, near, &at);
    detect_tell(in, l, ev, what, at, way_back);
}

static void tell_open(struct inspector *in)
{
    struct open_finding *o = &in->detector.open;
    if (!o->is_open)
        return;
    o->is_open = false;
    struct told what = {o->class, "field", 95, o->len, o->value, o->value_len};
    uint64_t now_ns = in->now_ns;
    in->now_ns = o->time_ns;
    detect_tell(in, o->layer, &o->ev, &what, o->at, o->way_back);
    in->now_ns = now_ns;
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

bool detect_is_placeholder(const uint8_t *p, size_t n)
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

int detect_class(const struct event *ev)
{
    return ev->flags & FIELD_NAME ? -1 : class_of_value[ev->value];
}

static void tell_field(struct inspector *in, const struct field *f, enum class class)
{
    struct detector *d = &in->detector;
    struct open_finding *o = &d->open;
    const uint8_t *text = d->text + f->text;
    if (detect_is_placeholder(text, f->text_len))
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
        o->time_ns = in->now_ns;
        o->value_len = 0;
    }
    /* Its place is asked for now: when it is told, the layer may have forgotten these bytes. */
    struct run at;
    bool way_back = detect_place(f->layer, f->off, f->raw_len, f->near, &at);
    if (!goes_on)
        o->at = at;
    o->way_back = way_back && (o->way_back || !goes_on);
    o->len = f->off + f->raw_len - o->off;
    value_add(o, text + from, to - from);
}

/* joined_digits copies the digits of a separated group without what is between them. */
static uint32_t joined_digits(const uint8_t *text, uint32_t n, uint8_t out[DIGITS_MAX])
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < n && len < DIGITS_MAX; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            out[len++] = text[i];
        else if (text[i] == 'X' || text[i] == 'x')
            out[len++] = 'X';
    }
    return len;
}

static void tell_hit(struct inspector *in, const struct field *f, const struct hit *h)
{
    const struct rule *rule = rule_set_at(in->rules, h->rule);
    struct event ev = event_of(f);
    struct told what = {rule->class, rule->name, rule->confidence, h->len, NULL, h->text_len};
    uint8_t digits[DIGITS_MAX];
    what.value = in->detector.text + h->text;
    if (h->is_group) {
        what.value_len = joined_digits(what.value, h->text_len, digits);
        what.value = digits;
    }
    tell_open(in);
    tell(in, f->layer, &ev, &what, f->off + h->from, f->near);
}

/* ---- matching ----------------------------------------------------------------------------- */

uint32_t detect_raw_at(const struct detector *d, const struct field *f, uint32_t text)
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

static uint32_t group_at(const struct detector *d, uint32_t text)
{
    uint32_t lo = 0, hi = d->n_groups;
    while (lo + 1 < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (d->groups[mid].text <= text)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* hits_grow makes room for more hits until the batch is told. */
static bool hits_grow(struct detector *d)
{
    size_t size = (size_t)d->cap_hits * sizeof d->hits[0];
    struct hit *more = realloc(d->hits != d->own_hits ? d->hits : NULL, size * 2);
    if (more == NULL)
        return false;
    if (d->hits == d->own_hits)
        memcpy(more, d->own_hits, size);
    d->hits = more;
    d->cap_hits *= 2;
    return true;
}

static void add_hit(struct inspector *in, uint32_t field, uint32_t from, uint32_t to,
                    const struct rule_match *m, bool is_group)
{
    struct detector *d = &in->detector;
    const struct field *f = &d->fields[field];
    uint32_t raw = detect_raw_at(d, f, from), len = detect_raw_at(d, f, to) - raw;
    if (d->n_hits == d->cap_hits && !hits_grow(d)) {
        room_miss(in, f->layer, &in->counts.limit_memory, len);
        return;
    }
    d->hits[d->n_hits++] = (struct hit){
        .field = field,
        .from = raw,
        .len = len,
        .text = f->text + from,
        .text_len = to - from,
        .rule = m->rule,
        .is_group = is_group,
    };
}

static void on_match(void *receiver, const struct rule_match *m)
{
    struct inspector *in = receiver;
    struct detector *d = &in->detector;
    const struct rule *rule = rule_set_at(in->rules, m->rule);
    uint32_t start = d->scan_from + m->start;
    if (start >= d->group_text) {
        const struct group *g = &d->groups[group_at(d, start)];
        uint32_t from = start - g->text;
        if (from + m->len <= g->n && !(rule->skip >> d->fields[g->field].value & 1))
            add_hit(in, g->field, g->at[from], g->at[from + m->len - 1] + 1, m, true);
        return;
    }
    uint32_t i = field_at(d, start);
    const struct field *f = &d->fields[i];
    uint32_t from = start - f->text;
    if (from < f->share_from || from >= f->share_to || from + m->len > f->text_len ||
        (rule->skip >> f->value & 1))
        return;
    add_hit(in, i, from, from + m->len, m, false);
}

static int by_place(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->len != y->len)
        return x->len < y->len ? 1 : -1;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    return (int)x->is_group - (int)y->is_group;
}

/* covers: the hit is the whole value but for spaces around it. */
static bool covers(const struct detector *d, const struct field *f, const struct hit *h)
{
    uint32_t from = 0, to = f->text_len;
    trim(d->text + f->text, &from, &to);
    return h->from <= detect_raw_at(d, f, from) && h->from + h->len >= detect_raw_at(d, f, to);
}

/* judge tells the findings of one field: its meaning, and what rules found in it. */
static void judge(struct inspector *in, const struct field *f, const struct hit *hits, uint32_t n)
{
    int meant = f->flags & FIELD_NAME ? -1 : class_of_value[f->value];
    bool covered = false;
    for (uint32_t i = 0; i < n && !f->is_window; i++)
        covered = covered || covers(&in->detector, f, &hits[i]);
    if (meant >= 0 && !covered && !f->is_window)
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

/* scan_text scans what is in the batch and was not scanned yet; there is room for groups then. */
static void scan_text(struct inspector *in)
{
    struct detector *d = &in->detector;
    uint32_t n = d->n_text - d->scan_from;
    if (n > 0 && rule_set_scan(in->rules, d->scratch, (const char *)d->text + d->scan_from, n,
                               on_match, in) != STATUS_OK)
        room_miss(in, d->fields[0].layer, &in->counts.limit_memory, n);
    memset(d->text + d->group_text, 0, d->n_text - d->group_text);
    d->scan_from = d->n_text = d->group_text;
    d->n_groups = 0;
}

/* group_add puts a digit group without its separators behind the batch. */
static void group_add(void *receiver, uint32_t field, const uint8_t *digits, const uint32_t *at,
                      uint32_t n)
{
    struct inspector *in = receiver;
    struct detector *d = &in->detector;
    const struct field *f = &d->fields[field];
    if (at[0] < f->share_from || at[0] >= f->share_to)
        return;
    if (d->n_groups == BATCH_GROUPS)
        scan_text(in);
    struct group *g = &d->groups[d->n_groups++];
    g->field = field;
    g->text = d->n_text;
    g->n = n;
    memcpy(g->at, at, n * sizeof at[0]);
    g->at[n] = at[n - 1] + 1;
    memcpy(d->text + d->n_text, digits, n);
    d->text[d->n_text + n] = RULE_BREAK;
    d->n_text += n + 1;
}

static void scan_batch(struct inspector *in)
{
    struct detector *d = &in->detector;
    d->hits = d->own_hits;
    d->cap_hits = BATCH_HITS;
    d->group_text = d->n_text;
    d->scan_from = 0;
    bool has_groups = false;
    for (uint32_t i = 0; i < d->n_fields; i++)
        if (d->fields[i].text_len >= DIGITS_SHORTEST)
            digits_find(d->text + d->fields[i].text, d->fields[i].text_len, i, group_add, in);
    has_groups = d->n_groups > 0;
    scan_text(in);
    if (has_groups)
        qsort(d->hits, d->n_hits, sizeof d->hits[0], by_place);
    uint32_t h = 0;
    for (uint32_t i = 0; i < d->n_fields; i++) {
        uint32_t first = h;
        while (h < d->n_hits && d->hits[h].field == i)
            h++;
        if (h > first || class_of_value[d->fields[i].value] >= 0)
            judge(in, &d->fields[i], d->hits + first, h - first);
    }
    memset(d->text, 0, d->n_text);
    if (d->hits != d->own_hits)
        free(d->hits);
    d->n_text = d->n_fields = d->n_hits = d->n_maps = 0;
}

void detect_pause(struct inspector *in)
{
    if (in->detector.n_fields > 0)
        scan_batch(in);
    if (in->ended != NULL)
        room_free_ended(in);
}

void detect_flush(struct inspector *in)
{
    if (in->detector.n_fields > 0)
        scan_batch(in);
    tell_open(in);
    if (in->ended != NULL)
        room_free_ended(in);
}

/* stash puts the open finding aside until its flow speaks again; without memory it is told. */
static void stash(struct inspector *in)
{
    struct open_finding *o = &in->detector.open;
    struct open_finding *waiting = pool_take(in->pool, sizeof *waiting);
    if (waiting == NULL) {
        tell_open(in);
        return;
    }
    *waiting = *o;
    o->layer->inspection->waiting[o->layer->direction] = waiting;
    o->is_open = false;
    memset(o->value, 0, o->value_len);
}

void detect_turn(struct inspector *in, struct inspection *of, unsigned direction)
{
    struct open_finding *o = &in->detector.open;
    if (o->is_open && (o->layer->inspection != of || o->layer->direction != direction))
        stash(in);
    if (of->waiting[direction] != NULL) {
        *o = *of->waiting[direction];
        pool_give(in->pool, of->waiting[direction], sizeof *o);
        of->waiting[direction] = NULL;
    }
}

struct field *detect_put(struct inspector *in, struct layer *l, const struct event *ev,
                         const uint8_t *raw, uint32_t n, uint64_t off)
{
    struct detector *d = &in->detector;
    struct field *f = &d->fields[d->n_fields];
    f->layer = l;
    f->off = off;
    f->raw_len = n;
    f->text = d->n_text;
    f->is_window = false;
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

void detect_break(struct inspector *in, struct layer *l)
{
    if (l->tail != NULL)
        window_end(in, l);
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
    window_take(in, l, &ev);
}

/* known_len is the length of a value as far as its first part tells it: 0 when it goes on and
 * nothing says how far. How long the part is that came first is the sender's choice of packets. */
static uint64_t known_len(const struct event *ev)
{
    bool whole = (ev->flags & PART_WHOLE) == PART_WHOLE;
    return whole && ev->at.len > ev->total ? ev->at.len : ev->total;
}

void detect_opaque(struct inspector *in, struct layer *l, const struct event *ev, const char *rule,
                   unsigned confidence)
{
    if (l->opaque_told)
        return;
    l->opaque_told = true;
    detect_flush(in);
    struct told what = {CLASS_OPAQUE, rule, confidence, known_len(ev), NULL, 0};
    tell(in, l, ev, &what, ev->at.off, l->near);
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
    if (ev->flags & PART_FIRST)
        detect_break(in, l);
    switch (ev->value) {
    case VALUE_BINARY:
    case VALUE_IMAGE:
        in->counts.passed_over_bytes += ev->at.len;
        return;
    case VALUE_FACE:
        in->counts.passed_over_bytes += ev->at.len;
        if (ev->flags & PART_FIRST) {
            detect_flush(in);
            struct told what = {CLASS_FACE_IMAGE, "field", 90, known_len(ev), NULL, 0};
            tell(in, l, ev, &what, ev->at.off, l->near);
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
        window_take(in, l, ev);
        return;
    }
    if (ev->at.len < DETECT_SHORTEST && class_of_value[ev->value] < 0)
        return;
    uint32_t n = (uint32_t)ev->at.len;
    if (!add_text(d, n))
        detect_pause(in);
    if (add_text(d, n))
        (void)detect_put(in, l, ev, ev->raw, n, ev->at.off);
    else
        window_take(in, l, ev);
}
