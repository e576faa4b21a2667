/* audit_run.c - blocks of packets to workers, their lines to the output in one order.
 *
 * The reader fills blocks in a ring; every worker reads every block and takes its own flows; when
 * all have, the reader writes what they said and fills the block again. Nothing else is shared.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/audit.h"

enum {
    WORKERS_MAX = 64,
    SPARE_BLOCKS = 32 /* how far one worker may be ahead of another: flows are not even */
};

struct slot {
    struct block *block;
    struct lines *lines; /* one a worker */
    unsigned left;       /* workers that have not read it */
};

struct ring {
    const struct audit *audit;
    FILE *out;
    struct worker *workers[WORKERS_MAX];
    struct lines finish[WORKERS_MAX];
    struct slot *slots;
    size_t n_slots;
    uint64_t filled, written; /* blocks since the start */
    bool over;
    bool write_failed;
    pthread_mutex_t lock;
    pthread_cond_t has_block, is_done;
};

struct seat {
    struct ring *ring;
    unsigned number;
};

/* place_compare orders lines by packet; of one packet, first those of flows whose time came with
 * it, by their first packets. Equal: of one worker. */
static int place_compare(const struct line *a, const struct line *b)
{
    if (a->packet != b->packet)
        return a->packet < b->packet ? -1 : 1;
    return (a->flow > b->flow) - (a->flow < b->flow);
}

static int by_place(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = place_compare(x, y);
    return order != 0 ? order : (x->from > y->from) - (x->from < y->from);
}

/* write_lines writes the lines of all workers about one block by packet; a packet's lines all come
 * from the one worker that owns its flow, in the order they were said. */
static void write_lines(struct ring *r, struct lines *lines)
{
    unsigned n = r->audit->n_workers;
    size_t at[WORKERS_MAX] = {0};
    for (unsigned w = 0; w < n; w++)
        if (lines[w].text.failed)
            r->write_failed = true;
    for (unsigned w = 0; w < n; w++)
        if (lines[w].shuffled)
            qsort(lines[w].line, lines[w].n, sizeof(struct line), by_place);
    bool plain = n == 1 && !lines[0].shuffled;
    if (plain && r->out != NULL && lines[0].text.len > 0) {
        if (fwrite(lines[0].text.s, 1, lines[0].text.len, r->out) != lines[0].text.len)
            r->write_failed = true;
    }
    while (!plain && r->out != NULL) {
        unsigned best = n;
        for (unsigned w = 0; w < n; w++)
            if (at[w] < lines[w].n && (best == n || place_compare(&lines[w].line[at[w]],
                                                                  &lines[best].line[at[best]]) < 0))
                best = w;
        if (best == n)
            break;
        struct lines *l = &lines[best];
        const struct line *first = &l->line[at[best]], *last = first;
        while (++at[best] < l->n && place_compare(first, last + 1) == 0 &&
               last[1].from == last->end)
            last++;
        size_t len = last->end - first->from;
        if (fwrite(l->text.s + first->from, 1, len, r->out) != len)
            r->write_failed = true;
    }
    for (unsigned w = 0; w < n; w++) {
        text_clear(&lines[w].text);
        lines[w].n = 0;
        lines[w].shuffled = false;
    }
}

static void *work(void *argument)
{
    struct seat *seat = argument;
    struct ring *r = seat->ring;
    struct worker *w = r->workers[seat->number];
    for (uint64_t next = 0;; next++) {
        (void)pthread_mutex_lock(&r->lock);
        while (r->filled == next && !r->over)
            (void)pthread_cond_wait(&r->has_block, &r->lock);
        bool done = r->filled == next;
        (void)pthread_mutex_unlock(&r->lock);
        if (done)
            break;
        struct slot *s = &r->slots[next % r->n_slots];
        worker_block(w, s->block, &s->lines[seat->number]);
        (void)pthread_mutex_lock(&r->lock);
        if (--s->left == 0)
            (void)pthread_cond_signal(&r->is_done);
        (void)pthread_mutex_unlock(&r->lock);
    }
    worker_finish(w, &r->finish[seat->number]);
    return NULL;
}

/* write_oldest waits for the oldest block in the ring and writes its lines. */
static void write_oldest(struct ring *r)
{
    struct slot *s = &r->slots[r->written % r->n_slots];
    (void)pthread_mutex_lock(&r->lock);
    while (s->left > 0)
        (void)pthread_cond_wait(&r->is_done, &r->lock);
    (void)pthread_mutex_unlock(&r->lock);
    write_lines(r, s->lines);
    r->written++;
}

static void ring_close(struct ring *r)
{
    for (size_t i = 0; r->slots != NULL && i < r->n_slots; i++) {
        block_free(r->slots[i].block);
        for (unsigned w = 0; r->slots[i].lines != NULL && w < r->audit->n_workers; w++)
            lines_free(&r->slots[i].lines[w]);
        free(r->slots[i].lines);
    }
    free(r->slots);
    for (unsigned w = 0; w < r->audit->n_workers; w++) {
        lines_free(&r->finish[w]);
        worker_close(r->workers[w]);
    }
}

static bool ring_open(struct ring *r, const struct audit *a, FILE *out)
{
    *r = (struct ring){.audit = a, .out = out};
    r->n_slots = a->n_workers > 1 ? a->n_workers + SPARE_BLOCKS : 1;
    r->slots = calloc(r->n_slots, sizeof *r->slots);
    bool ok = r->slots != NULL;
    for (size_t i = 0; ok && i < r->n_slots; i++) {
        r->slots[i].block = block_new();
        r->slots[i].lines = calloc(a->n_workers, sizeof(struct lines));
        ok = r->slots[i].block != NULL && r->slots[i].lines != NULL;
    }
    for (unsigned w = 0; ok && w < a->n_workers; w++) {
        r->workers[w] = worker_open(a, w);
        ok = r->workers[w] != NULL;
    }
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->has_block, NULL);
    (void)pthread_cond_init(&r->is_done, NULL);
    return ok;
}

static uint64_t findings_now(const struct ring *r)
{
    /* A glance for the progress line; the numbers of other threads may be a moment old. */
    if (r->audit->n_workers > 1)
        return 0;
    uint64_t n = 0;
    for (size_t c = 0; c < CLASS_COUNT; c++)
        n += worker_tally(r->workers[0])->findings[c];
    return n;
}

static enum status read_alone(struct ring *r, void (*on_progress)(void *, uint64_t), void *receiver,
                              struct fault *f)
{
    struct slot *s = &r->slots[0];
    enum status status;
    while ((status = source_fill(r->audit->source, s->block, f)) == STATUS_OK) {
        worker_block(r->workers[0], s->block, &s->lines[0]);
        write_lines(r, s->lines);
        on_progress(receiver, findings_now(r));
        if (r->write_failed)
            break;
    }
    worker_finish(r->workers[0], &r->finish[0]);
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status read_together(struct ring *r, void (*on_progress)(void *, uint64_t),
                                 void *receiver, struct fault *f)
{
    pthread_t threads[WORKERS_MAX];
    struct seat seats[WORKERS_MAX];
    unsigned n = 0;
    enum status status = STATUS_OK;
    for (; n < r->audit->n_workers; n++) {
        seats[n] = (struct seat){r, n};
        if (pthread_create(&threads[n], NULL, work, &seats[n]) != 0) {
            status = fault_set(f, STATUS_MEMORY, "cannot start worker thread %u", n);
            break;
        }
    }
    while (status == STATUS_OK && !r->write_failed) {
        if (r->filled - r->written == r->n_slots)
            write_oldest(r);
        struct slot *s = &r->slots[r->filled % r->n_slots];
        status = source_fill(r->audit->source, s->block, f);
        if (status != STATUS_OK)
            break;
        (void)pthread_mutex_lock(&r->lock);
        s->left = r->audit->n_workers;
        r->filled++;
        (void)pthread_cond_broadcast(&r->has_block);
        (void)pthread_mutex_unlock(&r->lock);
        on_progress(receiver, 0);
    }
    while (n == r->audit->n_workers && r->written < r->filled)
        write_oldest(r);
    (void)pthread_mutex_lock(&r->lock);
    r->over = true;
    (void)pthread_cond_broadcast(&r->has_block);
    (void)pthread_mutex_unlock(&r->lock);
    for (unsigned i = 0; i < n; i++)
        (void)pthread_join(threads[i], NULL);
    return status == STATUS_END ? STATUS_OK : status;
}

static void add_inspector(struct inspector_counts *to, const struct inspector_counts *from)
{
    /* All members are counters of the same type. */
    uint64_t *t = (uint64_t *)to;
    const uint64_t *f = (const uint64_t *)from;
    for (size_t i = 0; i < sizeof *to / sizeof *t; i++)
        t[i] += f[i];
}

static void add_up(struct ring *r, struct audit_totals *totals)
{
    for (unsigned w = 0; w < r->audit->n_workers; w++) {
        const struct traffic *t = worker_traffic(r->workers[w]);
        tally_merge(&totals->tally, worker_tally(r->workers[w]));
        add_inspector(&totals->inspector, traffic_counts(t));
        totals->peak_memory += traffic_memory_peak(t);
        totals->pushed_flows += traffic_pushed(t);
        totals->peak_flows += traffic_flow_peak(t);
    }
    /* Every worker decodes every packet: one of them speaks for all. */
    totals->decoder = *traffic_decoder_counts(worker_traffic(r->workers[0]));
    source_counts_get(r->audit->source, &totals->source);
    totals->faults = totals->source.faults;
    totals->write_failed = r->write_failed;
}

enum status audit_run(const struct audit *a, FILE *out,
                      void (*on_progress)(void *receiver, uint64_t findings), void *receiver,
                      struct audit_totals *totals, struct fault *f)
{
    struct ring *r = calloc(1, sizeof *r);
    if (r == NULL || !tally_open(&totals->tally)) {
        free(r);
        return fault_set(f, STATUS_MEMORY, "no memory for the audit");
    }
    enum status status = STATUS_MEMORY;
    if (!ring_open(r, a, out))
        (void)fault_set(f, STATUS_MEMORY, "no memory for %u workers", a->n_workers);
    else if (a->n_workers == 1)
        status = read_alone(r, on_progress, receiver, f);
    else
        status = read_together(r, on_progress, receiver, f);
    if (r->workers[a->n_workers - 1] != NULL) {
        write_lines(r, r->finish);
        add_up(r, totals);
    }
    ring_close(r);
    free(r);
    return status;
}
