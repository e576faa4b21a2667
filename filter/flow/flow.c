/* flow.c - hash chains over fixed slots, and one list by last use for each timeout. */
#include "flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

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
    uint64_t pushed, number;
    struct clock clock;
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

/* end_order compares the two ends, so that both directions hash the same words. */
static int end_order(const struct datagram *d)
{
    int order = memcmp(d->src.bytes, d->dst.bytes, sizeof d->src.bytes);
    return order != 0 ? order : (int)d->sport - (int)d->dport;
}

uint64_t flow_hash(const struct datagram *d, uint64_t seed)
{
    struct hash_key key = hash_key_derive(seed);
    bool swap = end_order(d) > 0;
    const struct address *a = swap ? &d->dst : &d->src, *b = swap ? &d->src : &d->dst;
    uint64_t sport = swap ? d->dport : d->sport, dport = swap ? d->sport : d->dport;
    uint64_t words[6] = {sport << 48 | dport << 32 | (uint64_t)d->vlan << 16 |
                             (uint64_t)d->src.family << 8 | d->proto,
                         d->tunnel_id};
    if (d->src.family == 4) {
        words[1] |= (uint64_t)load_u32be(a->bytes) << 32;
        words[2] = load_u32be(b->bytes);
        return hash_words(&key, words, 3);
    }
    words[2] = load_u64be(a->bytes);
    words[3] = load_u64be(a->bytes + 8);
    words[4] = load_u64be(b->bytes);
    words[5] = load_u64be(b->bytes + 8);
    return hash_words(&key, words, 6);
}

enum {
    JUMP_PACKETS = 8 /* in a row that agree before time follows them far ahead */
};

uint64_t clock_follow(struct clock *c, uint64_t time_ns)
{
    static const uint64_t hour_ns = UINT64_C(3600000000000);
    if (c->now_ns == 0 || time_ns <= c->now_ns || time_ns - c->now_ns <= hour_ns) {
        c->n_ahead = 0;
        if (time_ns > c->now_ns)
            c->now_ns = time_ns;
        return c->now_ns;
    }
    uint64_t apart = time_ns > c->ahead_ns ? time_ns - c->ahead_ns : c->ahead_ns - time_ns;
    if (c->n_ahead == 0 || apart > hour_ns)
        c->n_ahead = 0;
    c->ahead_ns = time_ns;
    if (++c->n_ahead >= JUMP_PACKETS) {
        c->now_ns = time_ns;
        c->n_ahead = 0;
    }
    return c->now_ns;
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

uint64_t flow_table_time(struct flow_table *t, uint64_t time_ns)
{
    return clock_follow(&t->clock, time_ns);
}

void flow_table_advance(struct flow_table *t)
{
    uint64_t now_ns = t->clock.now_ns;
    for (unsigned c = 0; c < FLOW_CLASS_COUNT; c++) {
        uint64_t timeout_ns = (uint64_t)t->limits.timeout_s[c] * 1000000000u;
        struct flow *f;
        while ((f = t->lists[c].oldest) != NULL && now_ns > f->used_ns &&
               now_ns - f->used_ns > timeout_ns)
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
        if (f->hash != hash || f->proto != d->proto || f->vlan != d->vlan ||
            f->tunnel_id != d->tunnel_id)
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

static bool is_doubtful(const struct flow *f, const struct datagram *d, unsigned direction)
{
    return stream_doubts(&f->stream[direction],
                         d->checksum == CHECKSUM_BAD || d->checksum == CHECKSUM_PARTIAL, d->ttl);
}

/* syn_is_new: a SYN for another sequence space than its direction has, where that is over; or one
 * that outranks the decoy which came first. Else the peer decides by its answer. */
static bool syn_is_new(const struct flow *f, const struct datagram *d, unsigned direction)
{
    const struct stream *s = &f->stream[direction];
    if (!s->started || stream_first_seq(s) == d->seq + 1 || is_doubtful(f, d, direction))
        return false;
    if (f->class == FLOW_CLASS_CLOSED || stream_is_over(s))
        return true;
    return s->from_syn && !s->strict && d->checksum == CHECKSUM_OK && stream_is_untouched(s) &&
           !f->stream[direction ^ 1u].started;
}

/* answer_is_new: the peer took a SYN with another number than the stream began with: it has another
 * connection there, whatever else was seen. */
static bool answer_is_new(const struct flow *f, const struct datagram *d, unsigned direction)
{
    const struct stream *s = &f->stream[direction ^ 1u], *own = &f->stream[direction];
    if (!s->started || is_doubtful(f, d, direction))
        return false;
    if (own->started && stream_first_seq(own) == d->seq + 1)
        return false; /* sent again */
    return d->ack - stream_first_seq(s) > (s->from_syn ? f->syn_len[direction ^ 1u] : 0);
}

/* data_is_new: the first segment after a SYN that nobody was seen to answer, where only one
 * direction was captured. */
static bool data_is_new(const struct flow *f, const struct datagram *d, unsigned direction)
{
    return f->again[direction] && !f->stream[direction ^ 1u].started &&
           d->seq == f->again_seq[direction] && !is_doubtful(f, d, direction);
}

static bool begins_anew(struct flow *f, const struct datagram *d, unsigned direction)
{
    if (d->proto != IP_PROTO_TCP)
        return false;
    switch (d->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) {
    case TCP_SYN:
        if (syn_is_new(f, d, direction))
            return true;
        if (f->stream[direction].started && stream_first_seq(&f->stream[direction]) != d->seq + 1 &&
            !is_doubtful(f, d, direction)) {
            f->again[direction] = true;
            f->again_seq[direction] = d->seq + 1;
            f->again_ttl[direction] = d->ttl;
        }
        return false;
    case TCP_SYN | TCP_ACK:
        return answer_is_new(f, d, direction);
    case TCP_ACK:
        return f->again[direction] && data_is_new(f, d, direction);
    default:
        return false;
    }
}

static struct flow *flow_new(struct flow_table *t, const struct datagram *d, uint64_t hash,
                             uint64_t time_ns, uint64_t packet)
{
    struct flow *f = take_slot(t);
    f->address[0] = d->src;
    f->address[1] = d->dst;
    f->port[0] = d->sport;
    f->port[1] = d->dport;
    f->proto = d->proto;
    f->vlan = d->vlan;
    f->tunnel_id = d->tunnel_id;
    f->class = d->proto == IP_PROTO_TCP ? FLOW_CLASS_OPENING : FLOW_CLASS_OTHER;
    f->hash = hash;
    f->number = ++t->number;
    f->first_ns = time_ns;
    f->first_packet = packet;
    f->chain = t->buckets[hash & t->mask];
    t->buckets[hash & t->mask] = f;
    if (++t->n > t->peak)
        t->peak = t->n;
    return f;
}

static void swap_ends(struct flow *f)
{
    struct address a = f->address[0];
    uint16_t port = f->port[0];
    f->address[0] = f->address[1];
    f->port[0] = f->port[1];
    f->address[1] = a;
    f->port[1] = port;
}

/* flow_again ends a flow and makes the next one of the same ends. When the answer or the data told
 * of it, the stream that its unheeded SYN began is begun now. */
static struct flow *flow_again(struct flow_table *t, struct flow *old, const struct datagram *d,
                               uint64_t time_ns, uint64_t packet, unsigned *direction)
{
    bool is_answer = (d->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    bool has_syn = is_answer || (d->tcp_flags & TCP_SYN) == 0;
    unsigned from = is_answer ? *direction ^ 1u : *direction;
    uint32_t seq = is_answer ? d->ack : d->seq;
    bool strict = old->stream[from].strict;
    bool known = old->again[from] && old->again_seq[from] == seq;
    uint8_t ttl = known ? old->again_ttl[from] : old->stream[from].ttl;
    uint64_t hash = old->hash;
    flow_end_now(t, old, FLOW_OVER);
    struct flow *f = flow_new(t, d, hash, time_ns, packet);
    *direction = is_answer ? 1 : 0;
    if (is_answer)
        swap_ends(f);
    if (has_syn)
        stream_begin(&f->stream[0], seq, ttl, strict);
    return f;
}

struct flow *flow_find(struct flow_table *t, const struct datagram *d, uint64_t hash,
                       uint64_t time_ns, uint64_t packet, unsigned *direction)
{
    struct flow *f = find_existing(t, d, hash, direction);
    if (f == NULL) {
        f = flow_new(t, d, hash, time_ns, packet);
        *direction = 0;
    } else if (begins_anew(f, d, *direction)) {
        f = flow_again(t, f, d, time_ns, packet, direction);
    } else {
        list_remove(t, f);
    }
    if ((d->tcp_flags & TCP_SYN) && !f->stream[*direction].started)
        f->syn_len[*direction] = d->wire_payload_len;
    f->used_ns = t->clock.now_ns;
    if (time_ns > f->last_ns)
        f->last_ns = time_ns;
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
