/* fragment.c - a table of datagrams that wait for their missing fragments. */
#include "flow/fragment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {
    DEFAULT_DATAGRAMS = 4096,
    DEFAULT_BYTES = 32 * 1024 * 1024,
    LEAST_BYTES = 512 * 1024,
    DEFAULT_TIMEOUT_MS = 30000,
    DATAGRAM_MAX = 65535,           /* IP payload; with its header for IPv4 */
    HELD_MAX = 2 * TUNNEL_DEPTH_MAX /* datagrams completed within one packet */
};

/* stretch is received bytes [start, end) that came in order, one behind the other. */
struct stretch {
    uint32_t start, end;
};

struct waiting {
    struct waiting *next;            /* in its hash chain, or the list of free ones */
    struct waiting *older, *younger; /* by first fragment */
    uint32_t hash;
    struct address src, dst;
    uint32_t id;
    uint64_t network;
    uint8_t match_proto; /* part of the identity for IPv4 (RFC 791), 0 for IPv6 */
    uint8_t proto, ttl;
    bool has_last, cut, conflict;
    uint32_t len;  /* highest end; the whole length once has_last */
    uint32_t meat; /* bytes received as the wire counts */
    uint32_t have; /* bytes captured of them */
    uint64_t first_ns;
    uint8_t *bytes;
    uint32_t capacity;
    struct piece *pieces;
    uint32_t n_pieces, max_pieces;
    struct stretch *stretches; /* sorted, without overlaps: see insert */
    uint32_t n_stretches, max_stretches;
};

struct age {
    struct waiting *oldest, *youngest;
};

struct fragments {
    uint32_t max_waiting, n_waiting;
    uint32_t n_buckets; /* a power of two */
    size_t max_bytes, bytes;
    uint64_t timeout_ns;
    abandon_fn *on_abandon;
    void *receiver;
    struct decoder_counts *counts;
    struct waiting *slots; /* NULL until the first fragment */
    struct waiting **buckets;
    struct waiting *unused;
    struct age ages[2]; /* IPv4, IPv6: they wait for different times */
    struct waiting *held[HELD_MAX];
    size_t n_held;
    uint32_t seed;
};

struct fragments *fragments_new(const struct decoder_limits *limits, abandon_fn *on_abandon,
                                void *receiver, struct decoder_counts *counts)
{
    struct fragments *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    struct decoder_limits l = limits != NULL ? *limits : (struct decoder_limits){0};
    f->max_waiting = l.fragment_datagrams > 0 ? l.fragment_datagrams : DEFAULT_DATAGRAMS;
    f->max_bytes = l.fragment_bytes > 0 ? l.fragment_bytes : DEFAULT_BYTES;
    if (f->max_bytes < LEAST_BYTES)
        f->max_bytes = LEAST_BYTES;
    uint32_t ms = l.fragment_timeout_ms > 0 ? l.fragment_timeout_ms : DEFAULT_TIMEOUT_MS;
    f->timeout_ns = (uint64_t)ms * UINT64_C(1000000);
    f->n_buckets = 64;
    while (f->n_buckets < f->max_waiting && f->n_buckets < UINT32_C(1) << 20)
        f->n_buckets *= 2;
    f->on_abandon = on_abandon;
    f->receiver = receiver;
    f->counts = counts;
    return f;
}

static bool make_slots(struct fragments *f)
{
    if (f->slots != NULL)
        return true;
    f->slots = calloc(f->max_waiting, sizeof *f->slots);
    f->buckets = calloc(f->n_buckets, sizeof *f->buckets);
    if (f->slots == NULL || f->buckets == NULL) {
        free(f->slots);
        free(f->buckets);
        f->slots = NULL;
        f->buckets = NULL;
        return false;
    }
    /* An address the adversary does not see keeps chains short. */
    f->seed = (uint32_t)((uintptr_t)f->slots >> 4) | 1u;
    for (uint32_t i = f->max_waiting; i-- > 0;) {
        f->slots[i].next = f->unused;
        f->unused = &f->slots[i];
    }
    return true;
}

/* Buffers held values: wiped in a way the compiler keeps. */
static void wipe(void *bytes, size_t len)
{
    if (bytes == NULL)
        return;
    memset(bytes, 0, len);
    __asm__ __volatile__("" : : "r"(bytes) : "memory");
}

static size_t memory_of(const struct waiting *w)
{
    return w->capacity + w->max_pieces * sizeof *w->pieces +
           w->max_stretches * sizeof *w->stretches;
}

/* Gives the memory back and puts the slot among the unused. It is in no list any more. */
static void recycle(struct fragments *f, struct waiting *w)
{
    f->bytes -= memory_of(w);
    wipe(w->bytes, w->capacity);
    free(w->bytes);
    free(w->pieces);
    free(w->stretches);
    *w = (struct waiting){.next = f->unused};
    f->unused = w;
    f->n_waiting--;
}

static struct age *age_of(struct fragments *f, const struct waiting *w)
{
    return &f->ages[w->src.family == 6];
}

static void unlink_waiting(struct fragments *f, struct waiting *w)
{
    struct waiting **at = &f->buckets[w->hash & (f->n_buckets - 1)];
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    struct age *age = age_of(f, w);
    *(w->older != NULL ? &w->older->younger : &age->oldest) = w->younger;
    *(w->younger != NULL ? &w->younger->older : &age->youngest) = w->older;
}

static int by_offset(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;
    return (a->off > b->off) - (a->off < b->off);
}

static void sort_pieces(struct waiting *w)
{
    bool sorted = true;
    for (uint32_t i = 1; sorted && i < w->n_pieces; i++)
        sorted = w->pieces[i - 1].off <= w->pieces[i].off;
    if (!sorted)
        qsort(w->pieces, w->n_pieces, sizeof *w->pieces, by_offset);
}

/* Hands a datagram out as pieces and forgets it. */
static void abandon(struct fragments *f, struct waiting *w, enum skip why)
{
    unlink_waiting(f, w);
    f->counts->abandoned++;
    f->counts->abandoned_bytes += w->have;
    if (f->on_abandon != NULL) {
        sort_pieces(w);
        struct abandoned a = {
            .src = w->src,
            .dst = w->dst,
            .proto = w->proto,
            .why = why,
            .first_ns = w->first_ns,
            .bytes = w->bytes,
            .pieces = w->pieces,
            .n_pieces = w->n_pieces,
            .have_len = w->have,
            .total_len = w->has_last ? w->len : 0,
        };
        f->on_abandon(f->receiver, &a);
    }
    recycle(f, w);
}

void fragments_release(struct fragments *f)
{
    for (size_t i = 0; i < f->n_held; i++)
        recycle(f, f->held[i]);
    f->n_held = 0;
}

void fragments_free(struct fragments *f)
{
    if (f == NULL)
        return;
    fragments_release(f);
    for (unsigned i = 0; i < 2; i++) {
        while (f->ages[i].oldest != NULL) {
            struct waiting *w = f->ages[i].oldest;
            unlink_waiting(f, w);
            recycle(f, w);
        }
    }
    free(f->slots);
    free(f->buckets);
    free(f);
}

static bool too_old(const struct fragments *f, const struct waiting *w, uint64_t now_ns)
{
    uint64_t timeout = w->src.family == 6 ? 2 * f->timeout_ns : f->timeout_ns;
    return now_ns == UINT64_MAX || (now_ns > w->first_ns && now_ns - w->first_ns > timeout);
}

size_t fragments_expire(struct fragments *f, uint64_t now_ns)
{
    size_t n = 0;
    for (unsigned i = 0; i < 2; i++) {
        while (f->ages[i].oldest != NULL && too_old(f, f->ages[i].oldest, now_ns)) {
            abandon(f, f->ages[i].oldest, SKIP_FRAGMENT_WAIT);
            n++;
        }
    }
    return n;
}

static uint32_t mix(uint32_t hash, uint32_t word)
{
    hash ^= word;
    hash *= UINT32_C(0x9e3779b1);
    return hash ^ hash >> 15;
}

static uint32_t hash_of(const struct fragments *f, const struct fragment *in)
{
    uint32_t hash = mix(f->seed, in->id);
    hash = mix(hash, (uint32_t)in->network ^ (uint32_t)(in->network >> 32));
    for (unsigned i = 0; i < (in->src.family == 6 ? 16u : 4u); i += 4) {
        hash = mix(hash, load_u32le(in->src.bytes + i));
        hash = mix(hash, load_u32le(in->dst.bytes + i));
    }
    return hash;
}

static struct waiting *find(struct fragments *f, const struct fragment *in, uint32_t hash)
{
    uint8_t proto = in->src.family == 4 ? in->proto : 0;
    struct waiting *w = f->buckets[hash & (f->n_buckets - 1)];
    while (w != NULL && !(w->hash == hash && w->id == in->id && w->network == in->network &&
                          w->match_proto == proto && address_equal(&w->src, &in->src) &&
                          address_equal(&w->dst, &in->dst)))
        w = w->next;
    return w;
}

/* The datagram that waits longest, other than `keep`. */
static struct waiting *oldest_but(const struct fragments *f, const struct waiting *keep)
{
    struct waiting *best = NULL;
    for (unsigned i = 0; i < 2; i++) {
        struct waiting *w = f->ages[i].oldest;
        if (w == keep && w != NULL)
            w = w->younger;
        if (w != NULL && (best == NULL || w->first_ns < best->first_ns))
            best = w;
    }
    return best;
}

static struct waiting *take_slot(struct fragments *f, const struct fragment *in, uint32_t hash)
{
    if (f->unused == NULL) {
        struct waiting *oldest = oldest_but(f, NULL);
        if (oldest == NULL)
            return NULL;
        abandon(f, oldest, SKIP_FRAGMENT_LIMIT);
    }
    struct waiting *w = f->unused;
    f->unused = w->next;
    f->n_waiting++;
    *w = (struct waiting){
        .hash = hash,
        .src = in->src,
        .dst = in->dst,
        .id = in->id,
        .network = in->network,
        .match_proto = in->src.family == 4 ? in->proto : 0,
        .proto = in->proto,
        .ttl = in->ttl,
        .first_ns = in->time_ns,
    };
    struct waiting **bucket = &f->buckets[hash & (f->n_buckets - 1)];
    w->next = *bucket;
    *bucket = w;
    struct age *age = age_of(f, w);
    w->older = age->youngest;
    *(age->youngest != NULL ? &age->youngest->younger : &age->oldest) = w;
    age->youngest = w;
    return w;
}

/* Grows an array of w to hold `need` elements within the limit; older datagrams give way. */
static bool grow(struct fragments *f, const struct waiting *w, void **array, uint32_t *max,
                 uint32_t need, size_t element, uint32_t least)
{
    if (need <= *max)
        return true;
    uint32_t more = *max > 0 ? *max : least;
    while (more < need)
        more *= 2;
    size_t extra = (size_t)(more - *max) * element;
    while (f->bytes + extra > f->max_bytes) {
        struct waiting *oldest = oldest_but(f, w);
        if (oldest == NULL)
            return false;
        abandon(f, oldest, SKIP_FRAGMENT_LIMIT);
    }
    void *to = malloc(more * element);
    if (to == NULL)
        return false;
    size_t old = (size_t)*max * element;
    if (old > 0)
        memcpy(to, *array, old);
    memset((uint8_t *)to + old, 0, more * element - old);
    wipe(*array, old);
    free(*array);
    *array = to;
    *max = more;
    f->bytes += extra;
    return true;
}

static bool make_room(struct fragments *f, struct waiting *w, uint32_t end, size_t n_pieces)
{
    void *bytes = w->bytes, *pieces = w->pieces, *stretches = w->stretches;
    bool ok = grow(f, w, &bytes, &w->capacity, end, 1, 4096);
    w->bytes = bytes;
    ok = ok && grow(f, w, &pieces, &w->max_pieces, w->n_pieces + (uint32_t)n_pieces,
                    sizeof *w->pieces, 8);
    w->pieces = pieces;
    ok = ok &&
         grow(f, w, &stretches, &w->max_stretches, w->n_stretches + 1, sizeof *w->stretches, 8);
    w->stretches = stretches;
    return ok;
}

enum insert {
    INSERT_NEW,
    INSERT_DUPLICATE,
    INSERT_OVERLAP
};

/* The order of a Linux receiver's tree: what comes right behind the highest byte lengthens the last
 * stretch; anything else becomes a stretch of its own, also when it touches others. */
static enum insert insert(struct waiting *w, uint32_t start, uint32_t end)
{
    struct stretch *all = w->stretches;
    uint32_t n = w->n_stretches, low = 0, high = n;
    if (n == 0 || all[n - 1].end < end) {
        if (n > 0 && start < all[n - 1].end)
            return INSERT_OVERLAP;
        if (n > 0 && start == all[n - 1].end)
            all[n - 1].end = end;
        else
            all[w->n_stretches++] = (struct stretch){start, end};
        return INSERT_NEW;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (end <= all[middle].start)
            high = middle;
        else if (start >= all[middle].end)
            low = middle + 1;
        else if (start >= all[middle].start && end <= all[middle].end)
            return INSERT_DUPLICATE;
        else
            return INSERT_OVERLAP;
    }
    memmove(all + low + 1, all + low, (n - low) * sizeof *all);
    all[low] = (struct stretch){start, end};
    w->n_stretches++;
    return INSERT_NEW;
}

/* Whether the fragment's end can be true together with what came before; notes the length. */
static bool end_fits(struct waiting *w, uint32_t end, bool more)
{
    if (!more) {
        if (end < w->len || (w->has_last && end != w->len))
            return false;
        w->has_last = true;
        w->len = end;
    } else if (end > w->len) {
        if (w->has_last)
            return false;
        w->len = end;
    }
    return true;
}

/* Cuts the pieces of the fragment's first `len` bytes out of those of the packet it lies in. */
static void copy_pieces(struct waiting *w, const struct fragment *in, uint32_t len)
{
    uint32_t from = in->pieces_off, to = from + len;
    for (size_t i = 0; i < in->n_pieces; i++) {
        struct piece piece = in->pieces[i];
        uint32_t start = piece.off > from ? piece.off : from;
        uint32_t end = piece.off + piece.len < to ? piece.off + piece.len : to;
        if (start >= end)
            continue;
        uint32_t skipped = start - piece.off;
        piece.off = in->off + (start - from);
        piece.len = end - start;
        piece.packet_off += skipped;
        piece.file_off += skipped;
        w->pieces[w->n_pieces++] = piece;
    }
}

static void copy_in(struct waiting *w, const struct fragment *in, uint32_t wire_len)
{
    uint32_t len = in->len < wire_len ? in->len : wire_len;
    if (len > 0)
        memcpy(w->bytes + in->off, in->bytes, len);
    copy_pieces(w, in, len);
    w->cut = w->cut || len < wire_len;
    w->meat += wire_len;
    w->have += len;
    if (in->off == 0) {
        w->proto = in->proto;
        w->ttl = in->ttl;
    }
}

static enum skip complete(struct fragments *f, struct waiting *w, struct assembled *out)
{
    if (w->cut || f->n_held == HELD_MAX) {
        enum skip why = w->cut ? SKIP_TRUNCATED : SKIP_FRAGMENT_LIMIT;
        abandon(f, w, why);
        return why;
    }
    unlink_waiting(f, w);
    sort_pieces(w);
    f->held[f->n_held++] = w;
    f->counts->reassembled++;
    *out = (struct assembled){
        .bytes = w->bytes,
        .len = w->len,
        .proto = w->proto,
        .ttl = w->ttl,
        .conflict = w->conflict,
        .pieces = w->pieces,
        .n_pieces = w->n_pieces,
    };
    return SKIP_NONE;
}

/* A duplicate is dropped by receivers; that it says something else is worth knowing. */
static void note_duplicate(struct fragments *f, struct waiting *w, const struct fragment *in,
                           uint32_t wire_len)
{
    uint32_t len = in->len < wire_len ? in->len : wire_len;
    if (w->cut || memcmp(w->bytes + in->off, in->bytes, len) == 0)
        return;
    w->conflict = true;
    f->counts->fragment_conflicts++;
}

static enum skip add_to(struct fragments *f, struct waiting *w, const struct fragment *in,
                        uint32_t wire_len, struct assembled *out)
{
    uint32_t end = in->off + wire_len;
    if (wire_len == 0 || !end_fits(w, end, in->more)) {
        abandon(f, w, SKIP_FRAGMENT_OVERLAP);
        return SKIP_FRAGMENT_OVERLAP;
    }
    if (!make_room(f, w, end, in->n_pieces)) {
        abandon(f, w, SKIP_FRAGMENT_LIMIT);
        return SKIP_FRAGMENT_LIMIT;
    }
    switch (insert(w, in->off, end)) {
    case INSERT_DUPLICATE:
        note_duplicate(f, w, in, wire_len);
        return SKIP_FRAGMENT_DUPLICATE;
    case INSERT_OVERLAP:
        abandon(f, w, SKIP_FRAGMENT_OVERLAP);
        return SKIP_FRAGMENT_OVERLAP;
    case INSERT_NEW:
        break;
    }
    copy_in(w, in, wire_len);
    return w->has_last && w->meat == w->len ? complete(f, w, out) : SKIP_FRAGMENT_WAIT;
}

enum skip fragments_add(struct fragments *f, const struct fragment *in, struct assembled *out)
{
    f->counts->fragments++;
    uint32_t header = in->src.family == 4 ? 20 : 0, wire_len = in->wire_len;
    if (in->off > DATAGRAM_MAX || wire_len > DATAGRAM_MAX - header ||
        in->off > DATAGRAM_MAX - header - wire_len)
        return SKIP_MALFORMED;
    if (in->more && wire_len % 8 != 0) {
        if (in->src.family == 6)
            return SKIP_MALFORMED;
        wire_len -= wire_len % 8; /* as Linux does for IPv4 */
    }
    if (!make_slots(f))
        return SKIP_FRAGMENT_LIMIT;
    (void)fragments_expire(f, in->time_ns);
    uint32_t hash = hash_of(f, in);
    struct waiting *w = find(f, in, hash);
    if (w == NULL)
        w = take_slot(f, in, hash);
    if (w == NULL)
        return SKIP_FRAGMENT_LIMIT;
    return add_to(f, w, in, wire_len, out);
}
