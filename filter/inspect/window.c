/* window.c - long values: windows over them that overlap by what a rule may look at. */
#include <assert.h>
#include <string.h>

#include "inspect/detect.h"
#include "inspect/room.h"

enum {
    COLLECT = 1024, /* new bytes of a value that are worth a scan; fewer are collected first */
    AHEAD = RULE_MAX_LEN + RULE_MAX_AFTER + 64, /* an escape cut by the end may look longer */
    SURE_OF_FIELD = 95
};

/* meaning is the finding of a value that is personal by its field: it grows until the value ends.
 */
struct meaning {
    enum class class;
    bool names_somebody; /* some of it was more than mask characters and spaces */
    bool way_back;
    uint64_t len;
    struct run at;
    uint32_t value_len;
    uint8_t value[FINDING_VALUE_MAX];
};

/* ---- the meaning of the value ------------------------------------------------------------- */

/* meaning_grow adds a part that arrives. */
static void meaning_grow(struct layer *l, struct meaning *m, const struct event *ev)
{
    struct run at;
    bool way_back = detect_place(l, ev->at.off, ev->at.len, l->near, &at);
    if (m->len == 0)
        m->at = at;
    m->way_back = m->way_back && way_back;
    m->len += ev->at.len;
}

static struct meaning *meaning_open(struct inspector *in, struct layer *l, const struct event *ev)
{
    int class = detect_class(ev);
    struct meaning *m = class >= 0 ? pool_take(in->pool, sizeof *m) : NULL;
    if (class >= 0 && m == NULL)
        room_miss(in, l, &in->counts.limit_memory, 0);
    if (m == NULL)
        return NULL;
    m->class = (enum class) class;
    m->way_back = true;
    m->at = l->near;
    return m;
}

/* meaning_read takes normal text of the value that no window before this one took. */
static void meaning_read(struct meaning *m, const uint8_t *text, uint32_t n)
{
    m->names_somebody = m->names_somebody || !detect_is_placeholder(text, n);
    while (m->value_len == 0 && n > 0 && (*text <= ' ')) {
        text++;
        n--;
    }
    if (n > FINDING_VALUE_MAX - m->value_len)
        n = FINDING_VALUE_MAX - m->value_len;
    memcpy(m->value + m->value_len, text, n);
    m->value_len += n;
}

static void meaning_tell(struct inspector *in, struct layer *l, const struct event *ev,
                         struct meaning *m)
{
    if (m == NULL)
        return;
    while (m->value_len > 0 && m->value[m->value_len - 1] <= ' ')
        m->value_len--;
    struct told what = {m->class, "field", SURE_OF_FIELD, m->len, m->value, m->value_len};
    if (m->names_somebody)
        detect_tell(in, l, ev, &what, m->at, m->way_back);
    pool_give(in->pool, m, sizeof *m);
}

/* ---- what is kept of it ------------------------------------------------------------------- */

static void tail_free(struct inspector *in, struct tail *t)
{
    if (t == NULL)
        return;
    extents_free(&t->extents, in->pool);
    pool_give(in->pool, t, sizeof *t + t->cap);
}

/* tail_map remembers the way back of raw bytes [off, off + n); `old` knows those before. */
static void tail_map(struct inspector *in, struct layer *l, struct tail *t, const struct tail *old,
                     uint64_t off, uint32_t n)
{
    for (uint64_t at = off; !l->no_way_back && at < off + n;) {
        struct run r;
        bool found = extents_find(&l->extents, at, off + n - at, &r);
        if (!found && old != NULL)
            found = extents_find(&old->extents, at, off + n - at, &r);
        if (!found || !extents_add(&t->extents, in->pool, at, r))
            break;
        at += r.len;
    }
}

/* tail_new copies raw bytes [off, off + n) of a value that goes on. NULL: no memory. */
static struct tail *tail_new(struct inspector *in, struct layer *l, const struct event *ev,
                             const uint8_t *raw, uint32_t n, uint64_t off)
{
    uint32_t cap = n < TAIL_BYTES ? TAIL_BYTES : n;
    struct tail *t = pool_take(in->pool, sizeof *t + cap);
    if (t == NULL)
        return NULL;
    t->cap = cap;
    t->off = off;
    t->n = n;
    t->ev = *ev;
    t->ev.raw = NULL;
    t->ev.hint = NULL;
    if (n > 0)
        memcpy(t->raw, raw, n);
    tail_map(in, l, t, l->tail, off, n);
    return t;
}

/* tail_grow adds bytes that are not worth a scan yet. False: no memory, nothing was added. */
static bool tail_grow(struct inspector *in, struct layer *l, const uint8_t *raw, uint32_t n)
{
    struct tail *t = l->tail;
    if (n > t->cap - t->n) {
        /* No more than the block really holds: a flow may wait with it for long. */
        uint32_t cap = (uint32_t)(pool_capacity(sizeof *t + t->n + n) - sizeof *t);
        struct tail *more = pool_take(in->pool, sizeof *t + cap);
        if (more == NULL)
            return false;
        memcpy(more, t, sizeof *t + t->n);
        more->cap = cap;
        pool_give(in->pool, t, sizeof *t + t->cap);
        l->tail = t = more;
    }
    if (n > 0)
        memcpy(t->raw + t->n, raw, n);
    tail_map(in, l, t, NULL, t->off + t->n, n);
    t->n += n;
    return true;
}

/* ---- windows ------------------------------------------------------------------------------ */

/* window is one look at a value: raw bytes, and what of their text is decided with it. */
struct window {
    const uint8_t *raw;
    uint32_t n;
    uint64_t off;        /* in the layer, of raw[0] */
    struct field *field; /* their text in the batch */
    uint32_t keep_raw;   /* the next window begins with these, */
    uint32_t share_raw;  /* of which those before here are decided */
};

/* share_end finds where the share of this window ends: behind the last line end that is close to
 * the end, or as far before the end as a rule may look. Text coordinates. */
static uint32_t share_end(const uint8_t *text, uint32_t n, uint32_t from, bool *clean)
{
    uint32_t low = n > AHEAD ? n - AHEAD : 0;
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

/* context_begin finds where the text begins that a rule may look back at from `share_to`. */
static uint32_t context_begin(const uint8_t *text, uint32_t share_to)
{
    uint32_t back = share_to > RULE_MAX_BEFORE ? share_to - RULE_MAX_BEFORE : 0;
    for (uint32_t at = share_to; at > back + 1; at--)
        if (text[at - 1] == '\n')
            return at;
    return back;
}

/* window_divide says what is decided now and what is kept for the next window. */
static void window_divide(const struct detector *d, struct window *w, uint32_t before)
{
    struct field *f = w->field;
    const uint8_t *text = d->text + f->text;
    while (f->share_from < f->text_len && detect_raw_at(d, f, f->share_from) < before)
        f->share_from++;
    bool clean;
    f->share_to = share_end(text, f->text_len, f->share_from, &clean);
    /* Escapes may stand for nothing: of text that is kept there may be any number of raw bytes. */
    while (f->share_to < f->text_len &&
           w->n - detect_raw_at(d, f, f->share_to) > WINDOW_BEFORE - COLLECT)
        f->share_to++;
    uint32_t keep = clean ? f->share_to : context_begin(text, f->share_to);
    while (keep < f->share_to && w->n - detect_raw_at(d, f, keep) > WINDOW_BEFORE - COLLECT)
        keep++;
    w->keep_raw = detect_raw_at(d, f, keep);
    w->share_raw = detect_raw_at(d, f, f->share_to);
    assert(w->share_raw >= w->keep_raw && w->n - w->keep_raw <= WINDOW_BEFORE - COLLECT);
}

/* window_all makes the window decide all that is in it. */
static void window_all(struct window *w)
{
    w->field->share_to = w->field->text_len;
}

/* window_join puts the bytes that were kept before new ones. */
static struct window window_join(struct detector *d, const struct tail *t, const uint8_t *raw,
                                 uint32_t n, uint64_t off)
{
    struct window w = {.raw = raw, .n = n, .off = off};
    if (t == NULL || t->n == 0)
        return w;
    assert(t->n + n <= sizeof d->joined);
    memcpy(d->joined, t->raw, t->n);
    if (n > 0)
        memcpy(d->joined + t->n, raw, n);
    return (struct window){.raw = d->joined, .n = t->n + n, .off = off - t->n};
}

/* window_keep makes the tail for the next window, if there is anything to remember. Without memory
 * for it all is decided now, and what a rule would have matched across is counted as missed. */
static struct tail *window_keep(struct inspector *in, struct layer *l, const struct event *ev,
                                struct window *w)
{
    uint32_t n = w->n - w->keep_raw;
    bool has_meaning = l->tail != NULL && l->tail->meaning != NULL;
    if (n == 0 && !has_meaning)
        return NULL;
    struct tail *t = tail_new(in, l, ev, w->raw + w->keep_raw, n, w->off + w->keep_raw);
    if (t == NULL) {
        room_miss(in, l, &in->counts.limit_memory, n);
        return NULL;
    }
    t->before = w->share_raw - w->keep_raw;
    t->scanned = n;
    return t;
}

/* window_scan scans what was kept and n bytes of the value behind it. */
static void window_scan(struct inspector *in, struct layer *l, const struct event *ev,
                        const uint8_t *raw, uint32_t n, uint64_t off, bool last)
{
    struct detector *d = &in->detector;
    struct tail *old = l->tail, *next = NULL;
    struct meaning *m = old != NULL ? old->meaning : NULL;
    struct event rest = *ev;
    rest.flags &= (uint8_t)~PART_FIRST;
    detect_flush(in);
    struct window w = window_join(d, old, raw, n, off);
    if (w.n > 0) {
        struct field *f = w.field = detect_put(in, l, ev, w.raw, w.n, w.off);
        f->is_window = m != NULL;
        window_divide(d, &w, old != NULL ? old->before : 0);
        if (!last)
            next = window_keep(in, l, &rest, &w);
        if (next == NULL)
            window_all(&w);
        if (m != NULL)
            meaning_read(m, d->text + f->text + f->share_from, f->share_to - f->share_from);
        detect_flush(in);
    }
    if (w.raw == d->joined)
        memset(d->joined, 0, w.n);
    if (next != NULL)
        next->meaning = m;
    else
        meaning_tell(in, l, &rest, m);
    tail_free(in, old);
    l->tail = next;
}

/* is_worth_a_scan: small pieces of a value wait, so that no byte is looked at often. A line end
 * decides all that is before it. */
static bool is_worth_a_scan(const struct tail *t, const uint8_t *raw, uint32_t n)
{
    uint32_t waiting = t != NULL ? t->n - t->scanned : 0;
    return n >= COLLECT || waiting + n >= COLLECT || memchr(raw, '\n', n) != NULL;
}

static void window_part(struct inspector *in, struct layer *l, const struct event *ev,
                        const uint8_t *raw, uint32_t n, uint64_t off, bool last)
{
    if (!last && l->tail != NULL && !is_worth_a_scan(l->tail, raw, n) && tail_grow(in, l, raw, n))
        return;
    window_scan(in, l, ev, raw, n, off, last);
}

/* window_begin remembers a value that does not end with its first part. */
static void window_begin(struct inspector *in, struct layer *l, const struct event *ev)
{
    struct meaning *m = meaning_open(in, l, ev);
    if (m == NULL &&
        is_worth_a_scan(NULL, ev->raw, ev->at.len < COLLECT ? (uint32_t)ev->at.len : COLLECT))
        return;
    l->tail = tail_new(in, l, ev, NULL, 0, ev->at.off);
    if (l->tail != NULL)
        l->tail->meaning = m;
    else
        pool_give(in->pool, m, sizeof *m);
}

void window_take(struct inspector *in, struct layer *l, const struct event *ev)
{
    struct event part = *ev;
    uint64_t off = ev->at.off, left = ev->at.len;
    const uint8_t *raw = ev->raw;
    bool ends = (ev->flags & PART_LAST) != 0;
    /* Places in a window are counted from its first byte: a folded header, whose parts leave out
     * the line ends, is a window for each line. */
    if (l->tail != NULL && off != l->tail->off + l->tail->n)
        window_end(in, l);
    if (l->tail == NULL && (!ends || left > WINDOW_RAW))
        window_begin(in, l, ev);
    if (l->tail != NULL && l->tail->meaning != NULL)
        meaning_grow(l, l->tail->meaning, ev);
    do {
        uint32_t n = left > WINDOW_RAW ? WINDOW_RAW : (uint32_t)left;
        window_part(in, l, &part, raw, n, off, ends && n == left);
        part.flags &= (uint8_t)~PART_FIRST;
        raw += n;
        off += n;
        left -= n;
    } while (left > 0);
}

void window_end(struct inspector *in, struct layer *l)
{
    struct event ev = l->tail->ev;
    window_scan(in, l, &ev, NULL, 0, l->tail->off + l->tail->n, true);
}
