/* source.c - fills blocks from capture files one after the other, or from an interface. */
#include "capture/source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "capture/files.h"
#include "capture/filter.h"
#include "capture/input.h"
#include "capture/live.h"

enum {
    READ_MIN = 64 * 1024, /* a block with less room and some packets is full */
    STOP_LOOK_MS = 100    /* how often a silent stream looks whether to stop */
};

struct source {
    struct complaints complaints;
    struct filter *filter;
    struct source_counts counts;
    uint64_t number; /* of the last packet */
    atomic_bool stopped;
    struct live *live;
    struct file_list list;
    size_t next_file;
    struct input *in; /* the file being read, or NULL */
    bool in_ended;    /* nothing more comes from it */
    struct records records;
    uint8_t *carry; /* bytes of a record that did not end in the block before */
    size_t carry_len;
    _Atomic uint64_t done_bytes; /* as stored; of the files before this one in done_before */
    uint64_t done_before;
    uint64_t total_bytes;
};

/* A file has ended, or is given up. */
enum fill {
    FILL_FILE_END,
    FILL_FULL, /* the block is, or nothing more comes for now */
    FILL_STOPPED
};

static struct source *source_new(const struct source_options *o, struct fault *f)
{
    struct source *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)fault_set(f, STATUS_MEMORY, "no memory");
        return NULL;
    }
    atomic_init(&s->stopped, false);
    atomic_init(&s->done_bytes, 0);
    s->complaints.tell = o->on_fault;
    s->complaints.receiver = o->receiver;
    return s;
}

static uint64_t sum_sizes(const struct file_list *list)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->files[i].stream)
            return 0;
        sum += list->files[i].size;
    }
    return sum;
}

struct source *source_open(const char *const *paths, size_t n_paths,
                           const struct source_options *options, struct fault *f)
{
    static const struct source_options defaults;
    const struct source_options *o = options != NULL ? options : &defaults;
    struct source *s = source_new(o, f);
    if (s == NULL)
        return NULL;
    if (o->filter != NULL && (s->filter = filter_new(o->filter, f)) == NULL)
        goto failed;
    s->carry = malloc(RECORDS_HOLD_MAX);
    enum status status = s->carry != NULL ? STATUS_OK : STATUS_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < n_paths; i++) {
        status = files_find(&s->list, paths[i], &s->complaints);
        s->complaints.n_file = 0;
    }
    if (status != STATUS_OK) {
        (void)fault_set(f, status, "no memory");
        goto failed;
    }
    files_order(&s->list);
    s->counts.ignored_files = s->list.ignored;
    s->total_bytes = sum_sizes(&s->list);
    return s;
failed:
    source_close(s);
    return NULL;
}

struct source *source_open_live(const char *iface, const struct source_options *options,
                                struct fault *f)
{
    static const struct source_options defaults;
    const struct source_options *o = options != NULL ? options : &defaults;
    struct source *s = source_new(o, f);
    if (s == NULL)
        return NULL;
    s->list.files = calloc(1, sizeof *s->list.files);
    s->list.n = s->list.files != NULL ? 1 : 0;
    if (s->list.n == 0 || (s->list.files[0].path = strdup(iface)) == NULL)
        (void)fault_set(f, STATUS_MEMORY, "no memory");
    else
        s->live = live_open(iface, o, f);
    if (s->live == NULL) {
        source_close(s);
        return NULL;
    }
    return s;
}

void source_close(struct source *s)
{
    if (s == NULL)
        return;
    records_free(&s->records);
    input_close(s->in);
    live_close(s->live);
    filter_free(s->filter);
    files_free(&s->list);
    free(s->carry);
    free(s);
}

void source_stop(struct source *s)
{
    atomic_store(&s->stopped, true);
    if (s->live != NULL)
        live_stop(s->live);
}

static void note_progress(struct source *s)
{
    uint64_t done = s->done_before + (s->in != NULL ? input_stored(s->in) : 0);
    atomic_store_explicit(&s->done_bytes, done, memory_order_relaxed);
}

static void open_next(struct source *s)
{
    const struct capture_file *file = &s->list.files[s->next_file];
    struct fault f;
    s->records = (struct records){
        .name = file->path, .complaints = &s->complaints, .file = (uint32_t)s->next_file};
    s->in_ended = false;
    s->in = input_open(file->path, file->path, &f);
    if (s->in == NULL) {
        complaints_add(&s->complaints, "%s", f.text);
        complaints_file_end(&s->complaints, file->path);
        s->done_before += file->size;
    }
    s->next_file++;
}

static void close_file(struct source *s)
{
    struct records *r = &s->records;
    const struct capture_file *file = &s->list.files[s->next_file - 1];
    uint64_t stored = input_stored(s->in);
    if (r->skip > 0)
        complaints_add(&s->complaints,
                       "%s: at %" PRIu64 ": file ends inside a record, %" PRIu64 " bytes missing",
                       r->name, r->off, r->skip);
    if (r->ended && !input_packed(s->in) && file->size > stored)
        r->lost_bytes += file->size - stored;
    complaints_file_end(&s->complaints, r->name);
    s->counts.lost_bytes += r->lost_bytes;
    s->counts.oversize += r->oversize;
    s->counts.files++;
    s->done_before += file->stream ? stored : file->size;
    input_close(s->in);
    s->in = NULL;
    s->carry_len = 0;
    records_free(r);
    note_progress(s);
}

/* Numbers, counts and filters the packets that were added from index `from` on. */
static void take_packets(struct source *s, struct block *b, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < b->n_packets; i++) {
        struct packet *p = &b->packets[i];
        p->number = ++s->number;
        s->counts.bytes += p->len;
        s->counts.truncated += p->len < p->wire_len;
        if (s->filter != NULL && !filter_passes(s->filter, p, &s->complaints))
            continue;
        if (kept != i)
            b->packets[kept] = *p;
        kept++;
    }
    s->counts.packets = s->number;
    s->counts.filtered += b->n_packets - kept;
    b->n_packets = kept;
}

/* The stretch of block memory in use: [start, end) was read and not yet walked. */
struct stretch {
    size_t start, end;
};

static void pass_over(struct records *r, struct stretch *at)
{
    size_t left = at->end - at->start;
    size_t n = r->skip < left ? (size_t)r->skip : left;
    r->skip -= n;
    r->off += n;
    at->start += n;
}

/* Walks what is there, over records to be passed over, until more bytes are needed. */
static void walk(struct source *s, struct block *b, struct stretch *at)
{
    struct records *r = &s->records;
    size_t from = b->n_packets, done;
    do {
        pass_over(r, at);
        done = records_walk(r, b->memory + at->start, at->end - at->start, s->in_ended, b);
        at->start += done;
    } while (!r->ended && r->skip > 0 && at->end > at->start);
    take_packets(s, b, from);
}

/* Whether reading may go on: false for a stream that has nothing now and a block that has
 * something, or when stopped. */
static bool may_read(struct source *s, const struct block *b)
{
    while (!input_ready(s->in, b->n_packets > 0 ? 0 : STOP_LOOK_MS))
        if (b->n_packets > 0 || atomic_load(&s->stopped))
            return false;
    return true;
}

static void read_more(struct source *s, struct block *b, struct stretch *at)
{
    struct fault f;
    size_t got;
    assert(at->end < b->capacity);
    enum status status = input_read(s->in, b->memory + at->end, b->capacity - at->end, &got, &f);
    if (status == STATUS_OK)
        at->end += got;
    else
        s->in_ended = true;
    if (status != STATUS_OK && status != STATUS_END) {
        complaints_add(&s->complaints, "%s", f.text);
        if (at->end == at->start && s->records.off == 0)
            s->records.ended = true; /* nothing came at all: all is said */
    }
    note_progress(s);
}

static enum fill keep_rest(struct source *s, struct block *b, const struct stretch *at)
{
    s->carry_len = at->end - at->start;
    assert(s->carry_len <= RECORDS_HOLD_MAX);
    memcpy(s->carry, b->memory + at->start, s->carry_len);
    return FILL_FULL;
}

/* Makes room in a block that no packet points into. */
static void move_down(struct block *b, struct stretch *at)
{
    memmove(b->memory, b->memory + at->start, at->end - at->start);
    at->end -= at->start;
    at->start = 0;
}

static enum fill fill_from_file(struct source *s, struct block *b, struct stretch *at)
{
    at->start = at->end;
    memcpy(b->memory + at->end, s->carry, s->carry_len);
    at->end += s->carry_len;
    s->carry_len = 0;
    for (;;) {
        if (at->end > at->start || s->in_ended)
            walk(s, b, at);
        if (s->records.ended || (s->in_ended && at->start == at->end)) {
            close_file(s);
            return FILL_FILE_END;
        }
        if (b->n_packets == b->max_packets)
            return keep_rest(s, b, at);
        if (b->n_packets == 0 && at->start > 0)
            move_down(b, at);
        else if (b->capacity - at->end < READ_MIN && at->end - at->start <= RECORDS_HOLD_MAX)
            return keep_rest(s, b, at);
        if (s->in_ended)
            continue;
        if (!may_read(s, b))
            return atomic_load(&s->stopped) ? FILL_STOPPED : keep_rest(s, b, at);
        read_more(s, b, at);
    }
}

static enum status fill_from_files(struct source *s, struct block *b)
{
    struct stretch at = {0};
    uint64_t faults = s->complaints.n;
    enum fill fill = FILL_FILE_END;
    while (fill == FILL_FILE_END && !atomic_load(&s->stopped)) {
        if (b->n_packets > 0 && b->capacity - at.end < READ_MIN)
            break;
        if (b->n_packets == 0)
            at.end = 0;
        if (s->in == NULL && s->next_file == s->list.n)
            break;
        if (s->in == NULL)
            open_next(s);
        if (s->in != NULL)
            fill = fill_from_file(s, b, &at);
    }
    return b->n_packets > 0 || s->complaints.n > faults ? STATUS_OK : STATUS_END;
}

enum status source_fill(struct source *s, struct block *b, struct fault *f)
{
    b->n_packets = 0;
    if (atomic_load(&s->stopped))
        return STATUS_END;
    if (s->live == NULL)
        return fill_from_files(s, b);
    enum status status = live_fill(s->live, b, f);
    take_packets(s, b, 0);
    return status;
}

size_t source_names(const struct source *s)
{
    return s->list.n;
}

const char *source_name(const struct source *s, size_t i)
{
    assert(i < s->list.n);
    return s->list.files[i].path;
}

void source_progress(const struct source *s, uint64_t *done_bytes, uint64_t *total_bytes)
{
    *done_bytes = atomic_load_explicit(&s->done_bytes, memory_order_relaxed);
    *total_bytes = s->total_bytes;
}

void source_counts_get(const struct source *s, struct source_counts *out)
{
    *out = s->counts;
    out->faults = s->complaints.n;
    if (s->live != NULL)
        live_drops(s->live, &out->kernel_drops, &out->interface_drops);
}
