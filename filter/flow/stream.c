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
    TTL_SLACK = 4       /* routes change a little; decoys are made to die on the way */
};

/* held is a segment that waits. */
struct held {
    struct held *next;
    uint64_t off;
    uint32_t len;
    uint32_t cut; /* bytes after these that the capture cut off */
    struct run from;
    uint16_t urgent; /* offset of the urgent byte in it plus one, 0 none */
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

static void stream_start(struct stream *s, uint32_t seq)
{
    s->next_off = (uint64_t)1 << 32;
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

/* recent_differs compares bytes at `off` with what was delivered there; bytes no longer remembered
 * count as equal. */
static bool recent_differs(const struct stream *s, uint64_t off, const uint8_t *p, size_t len)
{
    if (s->recent == NULL)
        return false;
    uint64_t from = off > s->recent_from ? off : s->recent_from;
    uint64_t to = off + len < s->next_off ? off + len : s->next_off;
    while (from < to) {
        size_t at = (size_t)from & (s->recent_cap - 1);
        uint64_t n = to - from;
        if (n > s->recent_cap - at)
            n = s->recent_cap - at;
        if (memcmp(s->recent + at, p + (from - off), (size_t)n) != 0)
            return true;
        from += n;
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
    out->sink->gap(out->receiver, missing);
}

/* deliver gives bytes that stand at next_off, without the urgent byte, then the part the capture
 * cut off as a gap. */
static void deliver(struct stream *s, const struct path_out *out, const uint8_t *p, size_t len,
                    struct run from, uint32_t cut, uint32_t urgent)
{
    recent_add(s, out->pool, p, len);
    advance(s, len);
    s->stalled_at = 0;
    if (urgent > 0 && urgent <= len) {
        size_t before = urgent - 1;
        out->sink->anomaly(out->receiver, "urgent byte taken out of the stream",
                           (struct run){from.packet, from.off + before, 1});
        if (before > 0)
            out->sink->bytes(out->receiver, p, before, (struct run){from.packet, from.off, before});
        s->delivered += before;
        p += urgent;
        len -= urgent;
        from.off += urgent;
    }
    if (len > 0) {
        from.len = len;
        s->delivered += len;
        out->sink->bytes(out->receiver, p, len, from);
    }
    if (cut > 0)
        tell_gap(s, out, cut);
}

/* old_bytes handles bytes whose place was delivered before. */
static void old_bytes(struct stream *s, const struct path_out *out, uint64_t off, const uint8_t *p,
                      size_t len, struct run from)
{
    s->repeated += len;
    if (!recent_differs(s, off, p, len))
        return;
    out->sink->anomaly(out->receiver, "segment disagrees with bytes seen before at its place",
                       (struct run){from.packet, from.off, len});
    out->sink->aside(out->receiver, p, len, (struct run){from.packet, from.off, len});
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
        s->held_bytes -= h->len;
        s->n_held--;
        held_free(out->pool, h);
    }
}

static void deliver_held(struct stream *s, const struct path_out *out, struct held *h)
{
    uint32_t skip = h->off < s->next_off ? (uint32_t)(s->next_off - h->off) : 0;
    if (skip > 0)
        old_bytes(s, out, h->off, h->bytes, skip < h->len ? skip : h->len, h->from);
    if (skip < h->len)
        deliver(s, out, h->bytes + skip, h->len - skip,
                (struct run){h->from.packet, h->from.off + skip, h->len - skip}, h->cut,
                h->urgent > skip ? h->urgent - skip : 0);
    s->held_bytes -= h->len;
    s->n_held--;
    held_free(out->pool, h);
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
        if (*at == NULL)
            break;
        struct held *h = *at;
        *at = h->next;
        deliver_held(s, out, h);
    }
    if (s->doubts != NULL)
        drop_old_doubts(s, out);
}

/* wait_in_order puts a segment among the waiting ones by the receiver's rules. */
static void wait_in_order(struct stream *s, const struct path_out *out, struct held *h)
{
    struct held **at = &s->held;
    while (*at != NULL && (*at)->off < h->off) {
        if (held_end(h) <= held_end(*at)) {
            /* Inside one that waits: dropped. */
            uint32_t skip = (uint32_t)(h->off - (*at)->off);
            if (memcmp((*at)->bytes + skip, h->bytes, h->len) != 0) {
                out->sink->anomaly(out->receiver, "overlapping segments disagree", h->from);
                out->sink->aside(out->receiver, h->bytes, h->len, h->from);
            }
            held_free(out->pool, h);
            return;
        }
        if (held_end(*at) > h->off) {
            uint32_t skip = (uint32_t)(h->off - (*at)->off);
            uint32_t both = (*at)->len - skip;
            if (memcmp((*at)->bytes + skip, h->bytes, both < h->len ? both : h->len) != 0) {
                out->sink->anomaly(out->receiver, "overlapping segments disagree", h->from);
                out->sink->aside(out->receiver, h->bytes, h->len, h->from);
            }
        }
        at = &(*at)->next;
    }
    if (*at != NULL && (*at)->off == h->off && held_end(h) <= held_end(*at)) {
        if (memcmp((*at)->bytes, h->bytes, h->len) != 0) {
            out->sink->anomaly(out->receiver, "overlapping segments disagree", h->from);
            out->sink->aside(out->receiver, h->bytes, h->len, h->from);
        }
        held_free(out->pool, h);
        return;
    }
    h->next = *at;
    *at = h;
    s->held_bytes += h->len;
    s->n_held++;
    /* Those it covers are replaced. */
    while (h->next != NULL && h->next->off < held_end(h)) {
        struct held *other = h->next;
        uint32_t skip = (uint32_t)(other->off - h->off);
        uint32_t both = h->len - skip;
        if (memcmp(h->bytes + skip, other->bytes, both < other->len ? both : other->len) != 0) {
            out->sink->anomaly(out->receiver, "overlapping segments disagree", other->from);
            out->sink->aside(out->receiver, other->bytes, other->len, other->from);
        }
        if (held_end(other) > held_end(h))
            break;
        h->next = other->next;
        s->held_bytes -= other->len;
        s->n_held--;
        held_free(out->pool, other);
    }
}

/* wait keeps a copy of the segment until its turn. False: no room. */
static bool wait_for_turn(struct stream *s, const struct path_out *out, uint64_t off,
                          const struct tcp_segment *seg, uint32_t urgent, bool doubtful)
{
    struct held *h =
        seg->len + sizeof *h <= POOL_MAX ? pool_take(out->pool, sizeof *h + seg->len) : NULL;
    if (h == NULL)
        return false;
    h->off = off;
    h->len = seg->len;
    h->cut = seg->wire_len - seg->len;
    h->from = (struct run){seg->from.packet, seg->from.off, seg->len};
    h->urgent = (uint16_t)(urgent <= seg->len ? urgent : 0);
    memcpy(h->bytes, seg->bytes, seg->len);
    if (!doubtful) {
        wait_in_order(s, out, h);
        return true;
    }
    h->next = s->doubts;
    s->doubts = h;
    s->held_bytes += h->len;
    s->n_held++;
    return true;
}

/* first_waiting is the offset of the first byte that waits beyond a hole, 0 when none does. */
static uint64_t first_waiting(const struct stream *s)
{
    uint64_t first = s->held != NULL ? s->held->off : 0;
    for (const struct held *h = s->doubts; h != NULL; h = h->next)
        if (first == 0 || h->off < first)
            first = h->off;
    return first;
}

static void accept_doubts(struct stream *s, const struct path_out *out)
{
    for (struct held *h = s->doubts; h != NULL;) {
        struct held *next = h->next;
        s->held_bytes -= h->len;
        s->n_held--;
        wait_in_order(s, out, h);
        h = next;
    }
    s->doubts = NULL;
    drain(s, out);
}

/* skip_hole gives up on the bytes before the first that waits. */
static void skip_hole(struct stream *s, const struct path_out *out)
{
    if (s->doubts != NULL)
        accept_doubts(s, out);
    uint64_t first = first_waiting(s);
    if (first > s->next_off)
        tell_gap(s, out, first - s->next_off);
    drain(s, out);
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

static bool is_doubtful(const struct stream *s, const struct tcp_segment *seg)
{
    return (seg->checksum_bad && s->strict) || seg->ttl + TTL_SLACK < s->ttl;
}

static void put_payload(struct stream *s, const struct path_out *out, struct tcp_segment seg,
                        uint32_t n_packets)
{
    uint32_t urgent = (seg.flags & TCP_URG) && seg.urgent > 0 ? seg.urgent : 0;
    uint64_t off = offset_of(s, seg.seq);
    bool doubtful = is_doubtful(s, &seg);
    if (doubtful)
        out->sink->anomaly(out->receiver,
                           seg.checksum_bad ? "segment with a bad checksum"
                                            : "segment whose TTL is far below the connection's",
                           seg.from);
    if (off < s->next_off && !s->from_syn && s->delivered == 0 && s->missing == 0)
        s->next_off = off; /* nothing was delivered yet */
    if (off + seg.len <= s->next_off && off < s->next_off) {
        if (!s->from_syn && off < s->recent_from && off + seg.len <= (uint64_t)1 << 32)
            out->sink->aside(out->receiver, seg.bytes, seg.len, seg.from);
        else
            old_bytes(s, out, off, seg.bytes, seg.len, seg.from);
        return;
    }
    if (off == s->next_off && s->held == NULL && !doubtful) {
        deliver(s, out, seg.bytes, seg.len, seg.from, seg.wire_len - seg.len, urgent);
    } else if (off > s->next_off + ((uint64_t)1 << 30)) {
        out->sink->anomaly(out->receiver, "segment far outside the window", seg.from);
        out->sink->aside(out->receiver, seg.bytes, seg.len, seg.from);
        return;
    } else if (!wait_for_turn(s, out, off, &seg, urgent, doubtful)) {
        /* No room to wait: what is next is taken now, at the price of a gap. */
        skip_hole(s, out);
        if (off > s->next_off)
            tell_gap(s, out, off - s->next_off);
        uint32_t skip = (uint32_t)(s->next_off - off);
        if (skip < seg.len)
            deliver(s, out, seg.bytes + skip, seg.len - skip,
                    (struct run){seg.from.packet, seg.from.off + skip, seg.len - skip},
                    seg.wire_len - seg.len, 0);
    }
    drain(s, out);
    if (s->held_bytes > HELD_BYTES_MAX || s->n_held > HELD_COUNT_MAX)
        skip_hole(s, out);
    if (s->held != NULL && s->acked > s->next_off && s->stalled_at == 0)
        s->stalled_at = n_packets;
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
    if (!s->started && (data.len > 0 || (data.flags & (TCP_SYN | TCP_FIN)))) {
        stream_start(s, data.seq);
        s->from_syn = (data.flags & TCP_SYN) != 0;
        s->ttl = data.ttl;
    }
    if (s->started && data.wire_len > 0) {
        if (data.len > 0)
            put_payload(s, &out, data, n_packets);
        else if (offset_of(s, data.seq) == s->next_off)
            tell_gap(s, &out, data.wire_len);
    }
    if (data.checksum_good)
        s->strict = true;
    if ((data.flags & TCP_FIN) && !is_doubtful(s, &data))
        s->fin_off = offset_of(s, data.seq) + data.wire_len;
    if ((data.flags & TCP_RST) && !is_doubtful(s, &data))
        s->reset = true;
    if ((data.flags & TCP_ACK) && peer->started && !is_doubtful(s, &data))
        acknowledge(peer, &back, data.ack, n_packets);
}

void stream_finish(struct stream *s, struct pool *pool, const struct stream_sink *sink,
                   void *receiver)
{
    struct path_out out = {pool, sink, receiver};
    while (s->held != NULL || s->doubts != NULL)
        skip_hole(s, &out);
    /* The peer acknowledged bytes that never came; FIN takes one number of its own. */
    uint64_t end = s->fin_off != 0 && s->acked == s->fin_off + 1 ? s->fin_off : s->acked;
    if (s->started && end > s->next_off + 1 && end - s->next_off < (uint64_t)1 << 30)
        tell_gap(s, &out, end - s->next_off);
    recent_free(s, pool);
}

bool stream_is_over(const struct stream *s)
{
    return s->reset || (s->fin_off != 0 && s->next_off >= s->fin_off);
}
