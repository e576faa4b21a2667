/* fuzz_packet.c - a few frames in a row for one decoder: link types, tunnels, fragments.
 *
 * Input: link type (1 byte), then frames: length (2 bytes, big-endian, its top bit: cut on the
 * wire), the frame. */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "flow/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    FRAMES_MAX = 64
};

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "fuzz_packet: %s\n", what);
    abort();
}

struct frames {
    uint8_t *bytes[FRAMES_MAX];
    uint32_t len[FRAMES_MAX];
    size_t n;
};

/* Every byte handed out is the byte of the packet it is said to come from. */
static void check_piece(const struct frames *all, const struct piece *at, const uint8_t *bytes)
{
    must(at->number >= 1 && at->number <= all->n, "piece of no packet");
    size_t i = (size_t)at->number - 1;
    must(at->packet_off <= all->len[i] && at->len <= all->len[i] - at->packet_off,
         "piece too long");
    must(memcmp(all->bytes[i] + at->packet_off, bytes, at->len) == 0, "piece of other bytes");
}

static void on_abandon(void *receiver, const struct abandoned *a)
{
    uint64_t have = 0, end = 0;
    for (size_t i = 0; i < a->n_pieces; i++) {
        must(a->pieces[i].off >= end, "pieces overlap");
        check_piece(receiver, &a->pieces[i], a->bytes + a->pieces[i].off);
        end = (uint64_t)a->pieces[i].off + a->pieces[i].len;
        have += a->pieces[i].len;
    }
    must(have == a->have_len && (a->total_len == 0 || end <= a->total_len), "abandoned lengths");
}

static void check_datagram(const struct frames *all, const struct packet *p,
                           const struct datagram *g)
{
    must(g->payload_len <= g->wire_payload_len, "payload longer than on the wire");
    must(g->src.family == g->dst.family && g->src.family >= 4, "families");
    for (uint32_t pos = 0; pos < g->payload_len;) {
        struct piece at = datagram_place(g, p, pos);
        must(at.off == pos && at.len > 0 && at.len <= g->payload_len - pos, "place");
        check_piece(all, &at, g->payload + pos);
        pos += at.len;
    }
}

static void decode(struct decoder *d, struct frames *all, const uint8_t *bytes, uint32_t len,
                   uint16_t link_type, bool cut)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    must(copy != NULL, "memory");
    memcpy(copy, bytes, len);
    all->bytes[all->n] = copy;
    all->len[all->n++] = len;
    struct packet p = {.bytes = copy,
                       .len = len,
                       .wire_len = cut ? len + 40 : len,
                       .time_ns = all->n * UINT64_C(1000000000),
                       .number = all->n,
                       .link_type = link_type};
    struct datagram g;
    enum skip why = decode_packet(d, &p, &g);
    if (why == SKIP_NONE || why == SKIP_ICMP || why == SKIP_IP_PROTOCOL)
        check_datagram(all, &p, &g);
    else
        must(why < SKIP_COUNT && skip_text(why) != NULL, "reason");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint16_t link_types[] = {1, 101, 113, 276, 0, 9, 50, 51, 104, 166};
    struct frames all = {.n = 0};
    struct decoder_limits limits = {.fragment_datagrams = 4, .fragment_bytes = 1};
    struct cursor c = {bytes, len, 0};
    uint8_t link;
    uint16_t head;
    if (!cursor_u8(&c, &link))
        return 0;
    limits.ignore_checksums = (link & 0x80) != 0;
    struct decoder *d = decoder_new(&limits, on_abandon, &all);
    must(d != NULL, "memory");
    while (all.n < FRAMES_MAX && cursor_u16be(&c, &head)) {
        const uint8_t *frame = NULL;
        size_t n = head & 0x7fffu;
        if (n > cursor_left(&c))
            n = cursor_left(&c);
        (void)cursor_take(&c, n, &frame);
        decode(d, &all, frame, (uint32_t)n, link_types[(link & 0x7f) % 10], (head & 0x8000) != 0);
    }
    (void)decoder_expire(d, UINT64_MAX);
    decoder_free(d);
    for (size_t i = 0; i < all.n; i++)
        free(all.bytes[i]);
    return 0;
}
