/* stream.c - TCP bytes in order; the rules stand in stream.h. */
#include "flow/stream.h"

#include <string.h>

enum {
    HELD_BYTES_MAX = 256 * 1024, /* waiting out of order, a direction */
    HELD_COUNT_MAX = 512,
    RECENT_MIN = 256,
    RECENT_MAX = 64 * 1024,
    RECENT_KEPT = 1024, /* a ring larger than this is freed once all is acknowledged */
    PATIENCE = 16,      /* packets of the flow before a hole the peer acknowledged is a gap */
    TTL_SLACK = 4,      /* routes change a little; decoys are made to die on the way */
    ANOMALIES_TOLD = 1000
};

/* held is a segment that waits. */
struct held {
    struct held *next;
    uint64_t off;
    uint32_t len;
    uint32_t cut; /* bytes after these that the capture cut off */
    struct run from;
    uint32_t urgent; /* a doubtful one's urgent pointer: bytes from off, plus one; 0 none */
    bool aside;      /* was given out aside */
    bool contradicted;
    uint8_t bytes[];
};

static uint64_t held_end(const struct held *h)
{
    return h->off + h->len;
}

static void held_free(struct pool *pool, struct held *h)
{
    pool_give(pool, h, sizeof *h + h->len);
}

/* offset_of turns a sequence number into an offset: the one nearest to the next expected. */
static uint64_t offset_of(const struct stream *s, uint32_t seq)
{
    return s->next_off + (uint64_t)(int64_t)(int32_t)(seq - s->next_seq);
}

static const uint64_t first_off = (uint64_t)1 << 32;
static const uint64_t far_off = (uint64_t)1 << 30; /* no window is larger (RFC 7323) */

static void stream_start(struct stream *s, uint32_t seq)
{
    s->next_off = first_off;
    s->next_seq = seq;
    s->started = true;
    s->recent_from = s->next_off;
}

/* ---- recent bytes ------------------------------------------------------------------------- */

static void recent_write(struct stream *s, uint64_t off, const uint8_t *p, size_t len)
{
    size_t mask = s->recent_cap - 1;
    size_t at = (size_t)off & mask;
    size_t head = s->recent_cap - at < len ? s->recent_cap - at : len;
    memcpy(s->recent + at, p, head);
    memcpy(s->recent, p + head, len - head);
}

static void recent_grow(struct stream *s, struct pool *pool, size_t want)
{
    uint32_t cap = s->recent_cap == 0 ? RECENT_MIN : s->recent_cap;
    while (cap < want && cap < RECENT_MAX)
        cap *= 2;
    if (cap == s->recent_cap)
        return;
    uint8_t *old = s->recent;
    uint32_t old_cap = s->recent_cap;
    uint8_t *ring = pool_take(pool, cap);
    if (ring == NULL)
        return;
    s->recent = ring;
    s->recent_cap = cap;
    for (uint64_t off = s->recent_from; old != NULL && off < s->next_off;) {
        size_t at = (size_t)off & (old_cap - 1);
        uint64_t n = s->next_off - off;
        if (n > old_cap - at)
            n = old_cap - at;
        recent_write(s, off, old + at, (size_t)n);
        off += n;
    }
    pool_give(pool, old, old_cap);
}

static void recent_free(struct stream *s, struct pool *pool)
{
    pool_give(pool, s->recent, s->recent_cap);
    s->recent = NULL;
    s->recent_cap = 0;
    s->recent_from = s->next_off;
}

/* recent_add remembers bytes that are about to be delivered at next_off. */
static void recent_add(struct stream *s, struct pool *pool, const uint8_t *p, size_t len)
{
    uint64_t unacked = s->acked > s->recent_from ? s->acked : s->recent_from;
    unacked = s->next_off > unacked ? s->next_off - unacked : 0;
    if (s->recent_cap < RECENT_MAX && unacked + len > s->recent_cap)
        recent_grow(s, pool, (size_t)unacked + len);
    if (s->recent == NULL)
        return;
    if (len > s->recent_cap) {
        size_t skip = len - s->recent_cap;
        recent_write(s, s->next_off + skip, p + skip, len - skip);
    } else {
        recent_write(s, s->next_off, p, len);
    }
    uint64_t end = s->next_off + len;
    if (end - s->recent_from > s->recent_cap)
        s->recent_from = end - s->recent_cap;
}

/* recent_differs compares bytes at `off`, all of them remembered, with what was delivered there. */
static bool recent_differs(const struct stream *s, uint64_t off, const uint8_t *p, size_t len)
{
    while (len > 0) {
        size_t at = (size_t)off & (s->recent_cap - 1);
        size_t n = len < s->recent_cap - at ? len : s->recent_cap - at;
        if (memcmp(s->recent + at, p, n) != 0)
            return true;
        off += n;
        p += n;
        len -= n;
    }
    return false;
}

/* ---- delivery ----------------------------------------------------------------------------- */

struct path_out {
    struct pool *pool;
    const struct stream_sink *sink;
    void *receiver;
};

static void advance(struct stream *s, uint64_t n)
{
    s->next_off += n;
    s->next_seq += (uint32_t)n;
}

static void tell_gap(struct stream *s, const struct path_out *out, uint64_t missing)
{
    if (missing == 0)
        return;
    recent_free(s, out->pool);
    advance(s, missing);
    s->recent_from = s->next_off;
    s->missing += missing;
    s->stalled_at = 0;
    if (s->has_urgent && s->urgent_off < s->next_off)
        s->has_urgent = false;
    out->sink->gap(out->receiver, missing);
}

static void tell_anomaly(struct stream *s, const struct path_out *out, const char *what,
                         struct run at)
{
    if (++s->anomalies <= ANOMALIES_TOLD)
        out->sink->anomaly(out->receiver, what, at);
    else if (s->anomalies == ANOMALIES_TOLD + 1)
        out->sink->anomaly(out->receiver, "more anomalies than are told one by one", at);
}

/* set_urgent takes an urgent pointer as Linux does: only ahead of what was received, and only a
 * later one moves it. */
static void set_urgent(struct stream *s, uint64_t off)
{
    if (off < s->next_off || off > s->next_off + far_off || (s->has_urgent && off <= s->urgent_off))
        return;
    s->has_urgent = true;
    s->urgent_off = off;
}

/* take_urgent delivers bytes from `off` with the urgent byte among them, up to that byte. Returns
 * how many bytes are done with. */
static size_t take_urgent(struct stream *s, const struct path_out *out, uint64_t off,
                          const uint8_t *p, struct run from)
{
    size_t before = (size_t)(s->urgent_off - off);
    s->has_urgent = false;
    s->urgent_bytes++;
    tell_anomaly(s, out, "urgent byte taken out of the stream",
                 (struct run){from.packet, from.off + before, 1});
    if (before > 0)
        out->sink->bytes(out->receiver, p, before, (struct run){from.packet, from.off, before});
    s->delivered += before;
    return before + 1;
}

/* deliver gives bytes that stand at next_off, without the urgent byte. */
static void deliver(struct stream *s, const struct path_out *out, const uint8_t *p, size_t len,
                    struct run from, uint32_t cut)
{
    uint64_t off = s->next_off;
    recent_add(s, out->pool, p, len);
    advance(s, len);
    s->stalled_at = 0;
    if (cut > 0 && s->next_off + cut > s->cut_to)
        s->cut_to = s->next_off + cut;
    if (s->has_urgent && s->urgent_off < s->next_off) {
        size_t done = take_urgent(s, out, off, p, from);
        p += done;
        len -= done;
        from.off += done;
    }
    if (len > 0) {
        from.len = len;
        s->delivered += len;
        out->sink->bytes(out->receiver, p, len, from);
    }
}

/* old_bytes handles bytes whose place was delivered before. Those whose first copy is remembered
 * are compared with it; of the others nobody can say that they are the same. */
static void old_bytes(struct stream *s, const struct path_out *out, uint64_t off, const uint8_t *p,
                      size_t len, struct run from)
{
    s->repeated += len;
    if (len == 1 && off + 1 == s->next_off && s->acked >= s->next_off)
        return; /* a keep-alive's byte of any value (RFC 9293, 3.8.4) */
    uint64_t known = s->recent != NULL ? s->recent_from : s->next_off;
    size_t forgotten = off >= known ? 0 : known - off < len ? (size_t)(known - off) : len;
    bool differs =
        forgotten < len && recent_differs(s, off + forgotten, p + forgotten, len - forgotten);
    if (differs)
        tell_anomaly(s, out, "segment disagrees with bytes seen before at its place",
                     (struct run){from.packet, from.off, len});
    else
        len = forgotten;
    s->forgotten += forgotten;
    /* What the receiver acknowledged it will not read again, whatever the copy says. */
    if (!differs && off + forgotten <= s->acked)
        return;
    if (len > 0)
        out->sink->aside(out->receiver, p, len, (struct run){from.packet, from.off, len});
}

static void held_done(struct stream *s, const struct path_out *out, struct held *h)
{
    s->held_bytes -= h->len;
    s->n_held--;
    held_free(out->pool, h);
}

static void drop_old_doubts(struct stream *s, const struct path_out *out)
{
    for (struct held **at = &s->doubts; *at != NULL;) {
        struct held *h = *at;
        if (held_end(h) > s->next_off) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        old_bytes(s, out, h->off, h->bytes, h->len, h->from);
        held_done(s, out, h);
    }
}

/* held_aside gives out a waiting segment's bytes that are not read, once. */
static void held_aside(const struct path_out *out, struct held *h)
{
    if (!h->aside)
        out->sink->aside(out->receiver, h->bytes, h->len, h->from);
    h->aside = true;
}

static void deliver_held(struct stream *s, const struct path_out *out, struct held *h)
{
    uint32_t skip = h->off < s->next_off ? (uint32_t)(s->next_off - h->off) : 0;
    if (h->urgent > 0)
        set_urgent(s, h->off + h->urgent - 1);
    if (skip > 0)
        old_bytes(s, out, h->off, h->bytes, skip < h->len ? skip : h->len, h->from);
    if (skip < h->len)
        deliver(s, out, h->bytes + skip, h->len - skip,
                (struct run){h->from.packet, h->from.off + skip, h->len - skip}, h->cut);
    else if (h->cut > 0 && held_end(h) + h->cut > s->cut_to)
        s->cut_to = held_end(h) + h->cut;
    held_done(s, out, h);
}

/* tell_cut tells what the capture cut off as a gap, as far as nothing that waits fills it. */
static bool tell_cut(struct stream *s, const struct path_out *out)
{
    uint64_t to = s->cut_to;
    if (s->held != NULL && s->held->off < to)
        to = s->held->off;
    if (to <= s->next_off)
        return false;
    tell_gap(s, out, to - s->next_off);
    return true;
}

/* drain delivers what has become next in order. */
static void drain(struct stream *s, const struct path_out *out)
{
    for (;;) {
        if (s->held != NULL && s->held->off <= s->next_off) {
            struct held *h = s->held;
            s->held = h->next;
            deliver_held(s, out, h);
            continue;
        }
        /* The receiver acknowledged a place that only a doubtful segment fills. */
        struct held **at = &s->doubts;
        while (*at != NULL && !((*at)->off <= s->next_off && held_end(*at) > s->next_off &&
                                s->acked >= held_end(*at)))
            at = &(*at)->next;
        if (*at != NULL) {
            struct held *h = *at;
            *at = h->next;
            deliver_held(s, out, h);
        } else if (!tell_cut(s, out)) {
            break;
        }
    }
    if (s->doubts != NULL)
        drop_old_doubts(s, out);
}

/* first_differs compares what two waiting segments both have; a starts no later than b. */
static bool first_differs(const struct held *a, const struct held *b)
{
    uint64_t skip = b->off - a->off;
    if (skip >= a->len)
        return false;
    size_t both = a->len - (size_t)skip;
    return memcmp(a->bytes + skip, b->bytes, both < b->len ? both : b->len) != 0;
}

/* lose_overlap reports, once a segment, that it loses bytes which disagree with those kept. */
static void lose_overlap(struct stream *s, const struct path_out *out, struct held *loser)
{
    if (loser->aside)
        return;
    tell_anomaly(s, out, "overlapping segments disagree", loser->from);
    held_aside(out, loser);
}

/* wait_in_order puts a segment among the waiting ones by the receiver's rules. */
static void wait_in_order(struct stream *s, const struct path_out *out, struct held *h)
{
    struct held **at = &s->held;
    for (; *at != NULL && (*at)->off <= h->off; at = &(*at)->next) {
        bool inside = held_end(h) <= held_end(*at);
        if ((*at)->off == h->off && !inside)
            break;
        if (!h->aside && held_end(*at) > h->off && first_differs(*at, h))
            lose_overlap(s, out, h);
        if (inside) {
            held_free(out->pool, h);
            return;
        }
    }
    h->next = *at;
    *at = h;
    s->held_bytes += h->len;
    s->n_held++;
    /* Those it covers are replaced. */
    while (h->next != NULL && h->next->off < held_end(h)) {
        struct held *other = h->next;
        if (!other->aside && first_differs(h, other))
            lose_overlap(s, out, other);
        if (held_end(other) > held_end(h))
            break;
        h->next = other->next;
        held_done(s, out, other);
    }
}

/* wait keeps a copy of the segment until its turn. False: no room. */
static bool wait_for_turn(struct stream *s, const struct path_out *out, uint64_t off,
                          const struct tcp_segment *seg, bool doubtful)
{
    struct held *h =
        seg->len + sizeof *h <= POOL_MAX ? pool_take(out->pool, sizeof *h + seg->len) : NULL;
    if (h == NULL)
        return false;
    h->off = off;
    h->len = seg->len;
    h->cut = seg->wire_len - seg->len;
    h->from = (struct run){seg->from.packet, seg->from.off, seg->len};
    h->urgent = 0;
    h->aside = h->contradicted = false;
    memcpy(h->bytes, seg->bytes, seg->len);
    if (!doubtful) {
        wait_in_order(s, out, h);
        return true;
    }
    if (seg->flags & TCP_URG)
        h->urgent = seg->urgent > 0 ? seg->urgent : 1u;
    h->next = s->doubts;
    s->doubts = h;
    s->held_bytes += h->len;
    s->n_held++;
    return true;
}

/* drop_doubts gives up on the doubtful: what nobody acknowledged is not what a receiver read. */
static void drop_doubts(struct stream *s, const struct path_out *out)
{
    while (s->doubts != NULL) {
        struct held *h = s->doubts;
        s->doubts = h->next;
        held_aside(out, h);
        held_done(s, out, h);
    }
}

/* skip_hole gives up on the bytes before the first that waits. */
static void skip_hole(struct stream *s, const struct path_out *out)
{
    if (s->held != NULL && s->held->off > s->next_off)
        tell_gap(s, out, s->held->off - s->next_off);
    drain(s, out);
}

static bool is_over_limit(const struct stream *s)
{
    return s->held_bytes > HELD_BYTES_MAX || s->n_held > HELD_COUNT_MAX;
}

/* acknowledge takes the peer's acknowledgement of this stream. */
static void acknowledge(struct stream *s, const struct path_out *out, uint32_t ack,
                        uint32_t n_packets)
{
    uint64_t off = offset_of(s, ack);
    if (off > s->acked && off <= s->next_off + ((uint64_t)1 << 30))
        s->acked = off;
    if (s->acked >= s->next_off && s->recent_cap > RECENT_KEPT && s->held == NULL)
        recent_free(s, out->pool);
    if (s->doubts != NULL)
        drain(s, out);
    if (s->held == NULL)
        return;
    /* The peer has bytes that we do not: either they are late in the capture, or lost to it. */
    if (s->acked > s->next_off && s->stalled_at == 0)
        s->stalled_at = n_packets;
    if (s->stalled_at != 0 && n_packets - s->stalled_at > PATIENCE)
        skip_hole(s, out);
}

bool stream_doubts(const struct stream *s, bool checksum_bad, uint8_t ttl)
{
    return (checksum_bad && s->strict) || ttl + TTL_SLACK < s->ttl;
}

static bool is_doubtful(const struct stream *s, const struct tcp_segment *seg)
{
    return stream_doubts(s, seg->checksum_bad, seg->ttl);
}

/* put_doubtful lets a doubtful segment wait for its acknowledgement, if there is room. */
static void put_doubtful(struct stream *s, const struct path_out *out, uint64_t off,
                         const struct tcp_segment *seg)
{
    bool room = s->n_held < HELD_COUNT_MAX && s->held_bytes + seg->len <= HELD_BYTES_MAX;
    if (!room || !wait_for_turn(s, out, off, seg, true))
        out->sink->aside(out->receiver, seg->bytes, seg->len, seg->from);
}

/* put_later lets a segment wait; without room what is next is taken now, at the price of a gap. */
static void put_later(struct stream *s, const struct path_out *out, uint64_t off,
                      const struct tcp_segment *seg)
{
    if (wait_for_turn(s, out, off, seg, false))
        return;
    drop_doubts(s, out);
    if (wait_for_turn(s, out, off, seg, false))
        return;
    while (s->held != NULL && s->held->off < off)
        skip_hole(s, out);
    if (off > s->next_off)
        tell_gap(s, out, off - s->next_off);
    uint64_t skip = s->next_off - off;
    if (skip > 0)
        old_bytes(s, out, off, seg->bytes, skip < seg->len ? (size_t)skip : seg->len, seg->from);
    if (skip < seg->len)
        deliver(s, out, seg->bytes + skip, seg->len - (size_t)skip,
                (struct run){seg->from.packet, seg->from.off + skip, seg->len - skip},
                seg->wire_len - seg->len);
}

static void put_payload(struct stream *s, const struct path_out *out, const struct tcp_segment *seg,
                        uint32_t n_packets)
{
    uint64_t off = offset_of(s, seg->seq);
    bool doubtful = is_doubtful(s, seg);
    if (doubtful)
        tell_anomaly(s, out,
                     seg->checksum_bad ? "segment with a bad checksum"
                                       : "segment whose TTL is far below the connection's",
                     seg->from);
    if (off < s->next_off && !s->from_syn && !doubtful && s->delivered == 0 && s->missing == 0) {
        /* Nothing was delivered yet: the stream begins here. */
        s->next_off = s->recent_from = off;
        s->next_seq = seg->seq;
    }
    if (off + seg->len <= s->next_off && off < s->next_off) {
        old_bytes(s, out, off, seg->bytes, seg->len, seg->from);
        if (!doubtful && seg->wire_len > seg->len && off + seg->wire_len > s->cut_to)
            s->cut_to = off + seg->wire_len;
        if (s->cut_to > s->next_off)
            drain(s, out);
        return;
    }
    if (off == s->next_off && s->held == NULL && !doubtful) {
        deliver(s, out, seg->bytes, seg->len, seg->from, seg->wire_len - seg->len);
    } else if (off > s->next_off + far_off) {
        tell_anomaly(s, out, "segment far outside the window", seg->from);
        out->sink->aside(out->receiver, seg->bytes, seg->len, seg->from);
        return;
    } else if (doubtful) {
        put_doubtful(s, out, off, seg);
    } else {
        put_later(s, out, off, seg);
    }
    drain(s, out);
    if (is_over_limit(s) && s->doubts != NULL)
        drop_doubts(s, out);
    if (is_over_limit(s))
        skip_hole(s, out);
    if (s->held != NULL && s->acked > s->next_off && s->stalled_at == 0)
        s->stalled_at = n_packets;
}

/* put_cut notes payload of which the capture kept nothing. */
static void put_cut(struct stream *s, const struct path_out *out, const struct tcp_segment *seg)
{
    uint64_t off = offset_of(s, seg->seq);
    if (off > s->next_off || is_doubtful(s, seg) || off + seg->wire_len <= s->cut_to)
        return;
    s->cut_to = off + seg->wire_len;
    drain(s, out);
}

/* put_reset: the receiver takes RST only at the very byte it expects (RFC 5961, 3.2). */
static void put_reset(struct stream *s, const struct stream *peer, const struct tcp_segment *seg)
{
    if (s->started) {
        uint64_t off = offset_of(s, seg->seq);
        bool after_fin = s->fin_off == s->next_off && off == s->fin_off + 1;
        s->reset |= off == s->next_off || after_fin || (s->acked > s->next_off && off == s->acked);
    } else {
        /* A refusal answers the SYN it names. */
        s->reset |= (seg->flags & TCP_ACK) && peer->started && seg->ack == peer->next_seq;
    }
}

static void put_fin(struct stream *s, const struct tcp_segment *seg)
{
    uint64_t off = offset_of(s, seg->seq) + seg->wire_len;
    if (off >= s->next_off && off - s->next_off <= far_off &&
        (s->fin_off == 0 || s->fin_off > s->next_off))
        s->fin_off = off;
}

static void put_start(struct stream *s, const struct tcp_segment *seg)
{
    if (!s->started && (seg->len > 0 || (seg->flags & (TCP_SYN | TCP_FIN)))) {
        stream_start(s, seg->seq);
        s->from_syn = (seg->flags & TCP_SYN) != 0;
        s->ttl = seg->ttl;
        s->ttl_unsure = seg->checksum_bad;
    }
    if (s->ttl_unsure && seg->checksum_good) {
        s->ttl = seg->ttl;
        s->ttl_unsure = false;
    }
}

void stream_put(struct stream *s, struct stream *peer, const struct tcp_segment *seg,
                uint32_t n_packets, struct pool *pool, const struct stream_sink *sink,
                void *receiver, void *peer_receiver)
{
    struct path_out out = {pool, sink, receiver};
    struct path_out back = {pool, sink, peer_receiver};
    struct tcp_segment data = *seg;
    if (data.flags & TCP_SYN)
        data.seq++;
    if (!s->started || s->ttl_unsure)
        put_start(s, &data);
    bool proper = !is_doubtful(s, &data);
    if (s->started) {
        if ((data.flags & (TCP_URG | TCP_SYN)) == TCP_URG && proper &&
            offset_of(s, data.seq) + data.len >= s->acked)
            set_urgent(s, offset_of(s, data.seq) + (data.urgent > 0 ? data.urgent - 1u : 0));
        if (data.len > 0)
            put_payload(s, &out, &data, n_packets);
        else if (data.wire_len > 0)
            put_cut(s, &out, &data);
    }
    if (data.checksum_good)
        s->strict = true;
    if ((data.flags & TCP_FIN) && proper)
        put_fin(s, &data);
    if ((data.flags & TCP_RST) && proper)
        put_reset(s, peer, &data);
    if ((data.flags & TCP_ACK) && peer->started && proper)
        acknowledge(peer, &back, data.ack, n_packets);
}

/* judge_doubts marks those of the doubtful that contradict each other. */
static void judge_doubts(struct stream *s)
{
    for (struct held *a = s->doubts; a != NULL; a = a->next)
        for (struct held *b = a->next; b != NULL; b = b->next) {
            struct held *low = a->off <= b->off ? a : b, *high = low == a ? b : a;
            if (first_differs(low, high))
                low->contradicted = high->contradicted = true;
        }
}

/* accept_doubt takes, at the end, a doubtful segment that begins no later than the next byte, ends
 * before any that waits, and that nothing contradicts. */
static bool accept_doubt(struct stream *s, const struct path_out *out)
{
    for (struct held **at = &s->doubts; *at != NULL; at = &(*at)->next) {
        struct held *h = *at;
        if (h->contradicted || h->off > s->next_off || held_end(h) <= s->next_off ||
            (s->held != NULL && held_end(h) > s->held->off))
            continue;
        *at = h->next;
        deliver_held(s, out, h);
        return true;
    }
    return false;
}

/* finish_hole is the end of the hole at next_off: the first that waits, also of the doubtful. */
static uint64_t finish_hole(const struct stream *s)
{
    uint64_t first = s->held != NULL ? s->held->off : UINT64_MAX;
    for (const struct held *h = s->doubts; h != NULL; h = h->next)
        if (!h->contradicted && h->off > s->next_off && h->off < first &&
            (s->held == NULL || held_end(h) <= s->held->off))
            first = h->off;
    return first;
}

void stream_finish(struct stream *s, struct pool *pool, const struct stream_sink *sink,
                   void *receiver)
{
    struct path_out out = {pool, sink, receiver};
    judge_doubts(s);
    while (s->held != NULL || s->doubts != NULL) {
        drain(s, &out);
        if (accept_doubt(s, &out))
            continue;
        uint64_t first = finish_hole(s);
        if (first == UINT64_MAX)
            drop_doubts(s, &out);
        else if (first > s->next_off)
            tell_gap(s, &out, first - s->next_off);
    }
    drain(s, &out);
    /* The peer acknowledged bytes that never came; FIN takes one number of its own. */
    uint64_t end = s->fin_off != 0 && s->acked == s->fin_off + 1 ? s->fin_off : s->acked;
    if (s->started && end > s->next_off + 1 && end - s->next_off < far_off)
        tell_gap(s, &out, end - s->next_off);
    recent_free(s, pool);
}

void stream_begin(struct stream *s, uint32_t seq, uint8_t ttl, bool strict)
{
    stream_start(s, seq);
    s->from_syn = true;
    s->ttl = ttl;
    s->strict = strict;
}

uint32_t stream_first_seq(const struct stream *s)
{
    return s->next_seq - (uint32_t)(s->next_off - first_off);
}

bool stream_is_untouched(const struct stream *s)
{
    return s->started && s->next_off == first_off && s->n_held == 0;
}

bool stream_is_over(const struct stream *s)
{
    return s->reset || (s->fin_off != 0 && s->next_off >= s->fin_off);
}
