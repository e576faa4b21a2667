/* flow.c - hash chains over fixed slots, and one list by last use for each timeout. */
#include "flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct list {
    struct flow *newest, *oldest;
};

struct flow_table {
    struct flow_limits limits;
    flow_end_fn *on_end;
    void *receiver;
    struct flow *slots;
    struct flow *free; /* chained by `chain` */
    uint32_t n_slots;  /* used at least once */
    uint32_t n, peak;
    uint64_t pushed, number, now_ns;
    struct flow **buckets;
    uint64_t mask;
    struct list lists[FLOW_CLASS_COUNT];
};

struct flow_limits flow_limits_default(void)
{
    return (struct flow_limits){
        .max_flows = 1u << 20,
        .timeout_s = {[FLOW_CLASS_TCP] = 3600,
                      [FLOW_CLASS_OPENING] = 60,
                      [FLOW_CLASS_CLOSED] = 10,
                      [FLOW_CLASS_OTHER] = 120},
    };
}

struct flow_table *flow_table_open(const struct flow_limits *limits, flow_end_fn *on_end,
                                   void *receiver)
{
    struct flow_table *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->limits = *limits;
    t->on_end = on_end;
    t->receiver = receiver;
    uint64_t buckets = 1024;
    while (buckets < t->limits.max_flows)
        buckets *= 2;
    t->mask = buckets - 1;
    t->buckets = calloc(buckets, sizeof(struct flow *));
    t->slots = calloc(t->limits.max_flows, sizeof(struct flow));
    if (t->buckets == NULL || t->slots == NULL) {
        free(t->buckets);
        free(t->slots);
        free(t);
        return NULL;
    }
    return t;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h ^= v;
    h *= 0x9fb21c651e98df25u;
    return h ^ h >> 32;
}

static uint64_t hash_end(const struct address *a, uint16_t port, uint64_t seed)
{
    uint64_t lo, hi = 0;
    if (a->family == 4) {
        lo = load_u32be(a->bytes);
    } else {
        lo = load_u64be(a->bytes);
        hi = load_u64be(a->bytes + 8);
    }
    return mix(mix(mix(seed, lo), hi), port);
}

uint64_t flow_hash(const struct datagram *d, uint64_t seed)
{
    /* A sum is the same whichever end comes first. */
    uint64_t both = hash_end(&d->src, d->sport, seed) + hash_end(&d->dst, d->dport, seed);
    return mix(mix(both, d->proto), seed);
}

static void list_remove(struct flow_table *t, struct flow *f)
{
    struct list *l = &t->lists[f->class];
    if (f->newer != NULL)
        f->newer->older = f->older;
    else
        l->newest = f->older;
    if (f->older != NULL)
        f->older->newer = f->newer;
    else
        l->oldest = f->newer;
}

static void list_add(struct flow_table *t, struct flow *f)
{
    struct list *l = &t->lists[f->class];
    f->newer = NULL;
    f->older = l->newest;
    if (l->newest != NULL)
        l->newest->newer = f;
    else
        l->oldest = f;
    l->newest = f;
}

static void flow_end_now(struct flow_table *t, struct flow *f, enum flow_end why)
{
    t->on_end(t->receiver, f, why);
    list_remove(t, f);
    struct flow **at = &t->buckets[f->hash & t->mask];
    while (*at != f)
        at = &(*at)->chain;
    *at = f->chain;
    memset(f, 0, sizeof *f);
    f->chain = t->free;
    t->free = f;
    t->n--;
}

void flow_table_advance(struct flow_table *t, uint64_t time_ns)
{
    if (time_ns > t->now_ns)
        t->now_ns = time_ns;
    for (unsigned c = 0; c < FLOW_CLASS_COUNT; c++) {
        uint64_t timeout_ns = (uint64_t)t->limits.timeout_s[c] * 1000000000u;
        struct flow *f;
        while ((f = t->lists[c].oldest) != NULL && t->now_ns > f->last_ns &&
               t->now_ns - f->last_ns > timeout_ns)
            flow_end_now(t, f, c == FLOW_CLASS_CLOSED ? FLOW_OVER : FLOW_TIMEOUT);
    }
}

static struct flow *take_slot(struct flow_table *t)
{
    if (t->free == NULL && t->n_slots == t->limits.max_flows) {
        static const uint8_t order[] = {FLOW_CLASS_CLOSED, FLOW_CLASS_OPENING, FLOW_CLASS_OTHER,
                                        FLOW_CLASS_TCP};
        for (size_t i = 0; t->free == NULL; i++) {
            assert(i < sizeof order);
            if (t->lists[order[i]].oldest != NULL)
                flow_end_now(t, t->lists[order[i]].oldest, FLOW_LIMIT);
        }
        t->pushed++;
    }
    struct flow *f = t->free;
    if (f != NULL) {
        t->free = f->chain;
        f->chain = NULL;
    } else {
        f = &t->slots[t->n_slots++];
    }
    return f;
}

static bool same_end(const struct flow *f, unsigned i, const struct address *a, uint16_t port)
{
    return f->port[i] == port && f->address[i].family == a->family &&
           memcmp(f->address[i].bytes, a->bytes, sizeof a->bytes) == 0;
}

static struct flow *find_existing(struct flow_table *t, const struct datagram *d, uint64_t hash,
                                  unsigned *direction)
{
    for (struct flow *f = t->buckets[hash & t->mask]; f != NULL; f = f->chain) {
        if (f->hash != hash || f->proto != d->proto)
            continue;
        if (same_end(f, 0, &d->src, d->sport) && same_end(f, 1, &d->dst, d->dport)) {
            *direction = 0;
            return f;
        }
        if (same_end(f, 1, &d->src, d->sport) && same_end(f, 0, &d->dst, d->dport)) {
            *direction = 1;
            return f;
        }
    }
    return NULL;
}

/* begins_anew: a SYN for a connection that had its SYN elsewhere in sequence space and is over, or
 * whose data went far from there. */
static bool begins_anew(const struct flow *f, const struct datagram *d, unsigned direction)
{
    if (d->proto != IP_PROTO_TCP || (d->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false;
    const struct stream *s = &f->stream[direction];
    if (!s->started || s->next_seq == d->seq + 1)
        return false;
    return f->class == FLOW_CLASS_CLOSED || stream_is_over(s) ||
           (s->from_syn && s->delivered == 0 && s->missing == 0);
}

struct flow *flow_find(struct flow_table *t, const struct datagram *d, uint64_t hash,
                       uint64_t time_ns, uint64_t packet, unsigned *direction)
{
    if (time_ns > t->now_ns)
        t->now_ns = time_ns;
    struct flow *f = find_existing(t, d, hash, direction);
    if (f != NULL && begins_anew(f, d, *direction)) {
        flow_end_now(t, f, FLOW_OVER);
        f = NULL;
    }
    if (f == NULL) {
        f = take_slot(t);
        f->address[0] = d->src;
        f->address[1] = d->dst;
        f->port[0] = d->sport;
        f->port[1] = d->dport;
        f->proto = d->proto;
        f->vlan = d->vlan;
        f->class = d->proto == IP_PROTO_TCP ? FLOW_CLASS_OPENING : FLOW_CLASS_OTHER;
        f->hash = hash;
        f->number = ++t->number;
        f->first_ns = t->now_ns;
        f->first_packet = packet;
        f->chain = t->buckets[hash & t->mask];
        t->buckets[hash & t->mask] = f;
        *direction = 0;
        if (++t->n > t->peak)
            t->peak = t->n;
    } else {
        list_remove(t, f);
    }
    f->last_ns = t->now_ns;
    list_add(t, f);
    return f;
}

void flow_set_class(struct flow_table *t, struct flow *f, enum flow_class class)
{
    if (f->class == class)
        return;
    list_remove(t, f);
    f->class = (uint8_t) class;
    list_add(t, f);
}

static int by_number(const void *a, const void *b)
{
    const struct flow *x = *(struct flow *const *)a, *y = *(struct flow *const *)b;
    return (x->number > y->number) - (x->number < y->number);
}

void flow_table_close(struct flow_table *t)
{
    if (t == NULL)
        return;
    struct flow **all = calloc(t->n > 0 ? t->n : 1, sizeof(struct flow *));
    size_t n = 0;
    for (uint32_t i = 0; all != NULL && i < t->n_slots; i++)
        if (t->slots[i].number != 0)
            all[n++] = &t->slots[i];
    if (all != NULL)
        qsort(all, n, sizeof(struct flow *), by_number);
    for (size_t i = 0; i < n; i++)
        flow_end_now(t, all[i], FLOW_FINISH);
    free(all);
    for (unsigned c = 0; c < FLOW_CLASS_COUNT; c++)
        while (t->lists[c].oldest != NULL)
            flow_end_now(t, t->lists[c].oldest, FLOW_FINISH);
    free(t->slots);
    free(t->buckets);
    free(t);
}

uint32_t flow_table_count(const struct flow_table *t)
{
    return t->n;
}

uint32_t flow_table_peak(const struct flow_table *t)
{
    return t->peak;
}

uint64_t flow_table_pushed(const struct flow_table *t)
{
    return t->pushed;
}
