/* drive.c - the law of cutting, as a program. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/drive.h"

struct text {
    char *s;
    size_t len, cap;
};

__attribute__((format(printf, 2, 3))) static void text_add(struct text *t, const char *fmt, ...)
{
    for (;;) {
        size_t room = t->cap - t->len;
        va_list ap;
        va_start(ap, fmt);
        int n = t->s == NULL ? -1 : vsnprintf(t->s + t->len, room, fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < room) {
            t->len += (size_t)n;
            return;
        }
        t->cap = t->cap == 0 ? 4096 : t->cap * 2;
        char *grown = realloc(t->s, t->cap);
        assert(grown != NULL);
        t->s = grown;
        if (t->len == 0)
            t->s[0] = '\0';
    }
}

static const char *const value_names[VALUE_COUNT] = {
    [VALUE_TEXT] = "text",
    [VALUE_NAME] = "name",
    [VALUE_BIRTH_DATE] = "birth_date",
    [VALUE_RECORD_ID] = "record_id",
    [VALUE_ID_NUMBER] = "id_number",
    [VALUE_INSURANCE_ID] = "insurance_id",
    [VALUE_ACCOUNT] = "account",
    [VALUE_LICENCE] = "licence",
    [VALUE_ADDRESS] = "address",
    [VALUE_PHONE] = "phone",
    [VALUE_EMAIL] = "email",
    [VALUE_DATE] = "date",
    [VALUE_UID] = "uid",
    [VALUE_NUMBER] = "number",
    [VALUE_CODE] = "code",
    [VALUE_BINARY] = "binary",
    [VALUE_IMAGE] = "image",
    [VALUE_FACE] = "face",
    [VALUE_OPAQUE] = "opaque",
    [VALUE_HOST] = "host",
};
static const char *const coding_names[] = {
    "none", "gzip", "deflate", "deflate-raw", "br", "zstd", "base64", "quoted-printable", "unknown",
};
static const char *const escape_names[] = {"", " hl7", " json", " xml", " percent", " form"};

/* listener joins the parts of long values and writes the log. */
struct listener {
    const struct dissector *d;
    struct text log;
    struct text fault; /* first broken rule of the contract */
    struct view in;    /* the view being fed */
    uint64_t last_off; /* where the event before began */
    struct event open; /* a long value whose last part has not come */
    bool is_open;
    struct span open_at;
    uint8_t shown[80];
    size_t n_shown;
    uint64_t sum; /* over all bytes of the value, so that joined parts compare whole */
    char open_hint[256];
};

static void show_bytes(struct text *t, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((p[i] >= 0x20 && p[i] < 0x7f) || p[i] >= 0x80)
            text_add(t, "%c", p[i]);
        else
            text_add(t, "\\x%02x", p[i]);
    }
}

static void write_value(struct listener *l)
{
    const struct event *ev = &l->open;
    char place[256] = "";
    if (l->d->path != NULL && ev->n_path > 0)
        (void)l->d->path(ev, place, sizeof place);
    if (ev->kind == EVENT_PAYLOAD) {
        text_add(&l->log, "payload %s", l->open_hint[0] != '\0' ? l->open_hint : "-");
        for (size_t i = 0; i < 4 && ev->coding[i] != CODING_NONE; i++)
            text_add(&l->log, " +%s", coding_names[ev->coding[i]]);
    } else {
        text_add(&l->log, "field %s %s", value_names[ev->value], place[0] != '\0' ? place : "-");
    }
    text_add(&l->log, " %" PRIu64 "+%" PRIu64, l->open_at.off, l->open_at.len);
    if (ev->charset != CHARSET_UNKNOWN)
        text_add(&l->log, " [%s]", charset_name((enum charset)ev->charset));
    if (ev->flags & SAME_VALUE)
        text_add(&l->log, " [same]");
    if (ev->flags & FIELD_NAME)
        text_add(&l->log, " [key]");
    if (ev->escape != ESCAPE_NONE)
        text_add(&l->log, " [escape%s]", escape_names[ev->escape]);
    if (ev->kind == EVENT_FIELD) {
        text_add(&l->log, " ");
        show_bytes(&l->log, l->shown, l->n_shown);
    }
    if (l->open_at.len > sizeof l->shown)
        text_add(&l->log, "... #%016" PRIx64, l->sum);
    text_add(&l->log, "\n");
}

static void fault(struct listener *l, const char *what, const struct event *ev)
{
    if (l->fault.len == 0)
        text_add(&l->fault, "%s: event kind %d at %" PRIu64 "+%" PRIu64 ", view %" PRIu64 "+%zu",
                 what, ev->kind, ev->at.off, ev->at.len, l->in.off, l->in.len);
}

static void value_part(struct listener *l, const struct event *ev)
{
    if (ev->flags & PART_FIRST) {
        if (l->is_open)
            fault(l, "a value began before the last part of another", ev);
        l->open = *ev;
        l->open.raw = NULL;
        l->open_at = (struct span){ev->at.off, 0};
        l->n_shown = 0;
        l->sum = 14695981039346656037u;
        (void)snprintf(l->open_hint, sizeof l->open_hint, "%s", ev->hint != NULL ? ev->hint : "");
        l->is_open = true;
    } else if (!l->is_open) {
        fault(l, "a part without a first part", ev);
        return;
    } else if (ev->kind != l->open.kind || ev->value != l->open.value ||
               ev->n_path != l->open.n_path ||
               memcmp(ev->path, l->open.path, sizeof ev->path[0] * ev->n_path) != 0) {
        fault(l, "a part differs from the first part in kind, value or path", ev);
    }
    for (size_t i = 0; i < ev->at.len; i++) {
        if (l->n_shown < sizeof l->shown)
            l->shown[l->n_shown++] = ev->raw[i];
        l->sum = (l->sum ^ ev->raw[i]) * 1099511628211u;
    }
    l->open_at.len += ev->at.len;
    if (ev->flags & PART_LAST) {
        write_value(l);
        l->is_open = false;
    }
}

static bool listen(void *receiver, const struct event *ev)
{
    struct listener *l = receiver;
    if (ev->at.off < l->in.off || ev->at.off - l->in.off > l->in.len ||
        ev->at.len > l->in.len - (ev->at.off - l->in.off))
        fault(l, "an event lies outside the view", ev);
    else if (ev->at.len > 0 && ev->raw != l->in.bytes + (ev->at.off - l->in.off))
        fault(l, "raw is not the place it names", ev);
    else if (ev->at.off < l->last_off)
        fault(l, "an event goes back", ev);
    else if (ev->n_path > PATH_MAX_STEPS)
        fault(l, "more path steps than there are", ev);
    if (l->fault.len > 0)
        return true;
    l->last_off = ev->at.off;
    switch (ev->kind) {
    case EVENT_BEGIN:
        text_add(&l->log, "begin %s\n", ev->hint != NULL ? ev->hint : "-");
        break;
    case EVENT_END:
        text_add(&l->log, "end\n");
        break;
    case EVENT_ANOMALY:
        text_add(&l->log, "anomaly %" PRIu64 "+%" PRIu64 " %s\n", ev->at.off, ev->at.len,
                 ev->hint != NULL ? ev->hint : "-");
        break;
    default:
        value_part(l, ev);
        break;
    }
    return true;
}

/* feeder holds the bytes given and not consumed, as the engine's window does. */
struct feeder {
    struct listener l;
    void *state;
    const uint8_t *bytes;
    size_t from, to; /* bytes[from, to) were given and are not consumed */
    size_t need;
    const char *hint;
    bool over;
};

static void feeder_start(struct feeder *f, const struct dissector *d, const uint8_t *bytes,
                         const char *hint)
{
    *f = (struct feeder){.l.d = d, .bytes = bytes, .hint = hint};
    f->state = calloc(1, d->state_size > 0 ? d->state_size : 1);
    assert(f->state != NULL);
    text_add(&f->l.log, "%s", "");
}

static void feeder_stop(struct feeder *f)
{
    free(f->state);
    free(f->l.fault.s);
    free(f->l.log.s);
}

static void feeder_give(struct feeder *f, size_t to, bool last)
{
    f->to = to;
    if (f->over || (!last && f->to - f->from < f->need))
        return;
    size_t len = f->to - f->from;
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert(copy != NULL);
    if (len > 0)
        memcpy(copy, f->bytes + f->from, len);
    f->l.in = (struct view){copy, len, f->from, last, f->hint};
    struct feed_result r = f->l.d->feed(f->state, f->l.in, listen, &f->l);
    if (r.consumed > len)
        fault(&f->l, "consumed more than was there", &(struct event){0});
    f->from += r.consumed;
    f->need = 0;
    switch (r.status) {
    case FEED_OK:
        if (r.consumed != len)
            fault(&f->l, "FEED_OK without consuming all", &(struct event){0});
        break;
    case FEED_MORE:
        f->need = r.need;
        if (last)
            fault(&f->l, "FEED_MORE in the last view", &(struct event){0});
        if (r.need <= len - r.consumed || r.need > f->l.d->max_view)
            fault(&f->l, "FEED_MORE with a dishonest need", &(struct event){0});
        break;
    case FEED_STOP:
        fault(&f->l, "FEED_STOP though nobody asked", &(struct event){0});
        break;
    case FEED_BAD:
    case FEED_LIMIT:
    case FEED_DONE:
        /* An open long value ends where the dissector gave up. */
        if (f->l.is_open) {
            write_value(&f->l);
            f->l.is_open = false;
        }
        text_add(&f->l.log, "%s %zu%s%s\n",
                 r.status == FEED_BAD     ? "bad"
                 : r.status == FEED_LIMIT ? "limit"
                                          : "done",
                 f->from, r.why != NULL ? " " : "", r.why != NULL ? r.why : "");
        f->over = true;
        break;
    }
    if (f->l.fault.len > 0)
        f->over = true;
    free(copy);
}

/* feeder_log ends the feeding and gives the log, or the fault; *broken tells which (NULL is
 * allowed): the log holds bytes of the input, so its text proves nothing. */
static char *feeder_log(struct feeder *f, bool *broken)
{
    if (f->l.fault.len == 0 && f->l.is_open && !f->over)
        fault(&f->l, "a long value never ended", &(struct event){0});
    bool is_broken = f->l.fault.len > 0;
    if (broken != NULL)
        *broken = is_broken;
    struct text *t = is_broken ? &f->l.fault : &f->l.log;
    char *s = t->s;
    t->s = NULL;
    feeder_stop(f);
    return s;
}

static char *fed_whole(const struct dissector *d, const void *bytes, size_t len, const char *hint,
                       bool *broken)
{
    struct feeder f;
    feeder_start(&f, d, bytes, hint);
    feeder_give(&f, len, true);
    return feeder_log(&f, broken);
}

char *drive_events(const struct dissector *d, const void *bytes, size_t len, const char *hint)
{
    return fed_whole(d, bytes, len, hint, NULL);
}

char *drive_gap(const struct dissector *d, const void *bytes, size_t len, size_t from, size_t to,
                const char *hint)
{
    struct feeder f;
    feeder_start(&f, d, bytes, hint);
    feeder_give(&f, from, false);
    struct span missing = {f.from, to - f.from};
    if (!f.over && (d->gap == NULL || !d->gap(f.state, missing))) {
        text_add(&f.l.log, "gap refused\n");
        f.over = true;
    }
    f.from = to;
    f.need = 0;
    feeder_give(&f, len, true);
    return feeder_log(&f, NULL);
}

static bool same(char *want, char *got, const char *how, size_t at, char **differs)
{
    bool ok = strcmp(want, got) == 0;
    if (!ok) {
        struct text t = {0};
        text_add(&t, "%s at %zu differs\n--- whole\n%s--- cut\n%s", how, at, want, got);
        *differs = t.s;
    }
    free(got);
    return ok;
}

static char *fed_by(const struct dissector *d, const uint8_t *bytes, size_t len, const char *hint,
                    const size_t *cuts, size_t n_cuts, size_t step)
{
    struct feeder f;
    feeder_start(&f, d, bytes, hint);
    for (size_t i = 0; i < n_cuts; i++)
        feeder_give(&f, cuts[i], false);
    for (size_t at = step; step > 0 && at < len; at += step)
        feeder_give(&f, at, false);
    feeder_give(&f, len, true);
    return feeder_log(&f, NULL);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

char *drive_law(const struct dissector *d, const void *bytes, size_t len, const char *hint,
                unsigned n_random, unsigned seed)
{
    char *differs = NULL;
    bool broken;
    char *whole = fed_whole(d, bytes, len, hint, &broken);
    /* A broken contract in the whole feed is a fault by itself. */
    if (broken)
        return whole;
    bool ok = same(whole, fed_by(d, bytes, len, hint, NULL, 0, 1), "byte by byte", 1, &differs);
    size_t step = len / 600 + 1;
    for (size_t at = 0; ok && at <= len; at += step)
        ok = same(whole, fed_by(d, bytes, len, hint, &at, 1, 0), "cut", at, &differs);
    for (unsigned i = 0; ok && i < n_random && len > 0; i++) {
        size_t cuts[12];
        size_t n = 1 + next_random(&seed) % 12;
        for (size_t k = 0; k < n; k++)
            cuts[k] = next_random(&seed) % (len + 1);
        qsort(cuts, n, sizeof cuts[0], by_size);
        ok = same(whole, fed_by(d, bytes, len, hint, cuts, n, 0), "random cuts", i, &differs);
    }
    free(whole);
    return differs;
}

uint8_t *drive_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    uint8_t *p = NULL;
    if (fseek(f, 0, SEEK_END) == 0) {
        long n = ftell(f);
        rewind(f);
        p = n >= 0 ? malloc((size_t)n + 1) : NULL;
        if (p != NULL)
            *len = fread(p, 1, (size_t)n, f);
    }
    (void)fclose(f);
    return p;
}
