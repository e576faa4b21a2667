/* test_fragment.c - datagrams cut up, mixed, doubled and contradicted, and put together again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/packet.h"
#include "tests/frame.h"

enum {
    PAYLOAD = 200
};

static uint8_t payload[PAYLOAD];
static uint64_t now_ns;
static char told[4096]; /* what was abandoned */

static void on_abandon(void *receiver, const struct abandoned *a)
{
    (void)receiver;
    size_t n = strlen(told);
    n += (size_t)snprintf(told + n, sizeof told - n, "%s p%u %u of %u:", skip_text(a->why),
                          a->proto, a->have_len, a->total_len);
    uint32_t sum = 0;
    for (size_t i = 0; i < a->n_pieces && n < sizeof told - 100; i++) {
        n += (size_t)snprintf(told + n, sizeof told - n, " %u+%u@%u", a->pieces[i].off,
                              a->pieces[i].len, (unsigned)a->pieces[i].number);
        sum += a->bytes[a->pieces[i].off];
        sum += a->bytes[a->pieces[i].off + a->pieces[i].len - 1];
    }
    (void)snprintf(told + n, sizeof told - n, "%s\n", sum == UINT32_MAX ? "!" : "");
}

/* The transport of the datagram under test: UDP with 200 bytes that tell their place. */
static void transport(struct frame *f, unsigned version)
{
    for (uint32_t i = 0; i < PAYLOAD; i++)
        payload[i] = (uint8_t)(i * 5 + 1);
    frame_start(f, payload, PAYLOAD);
    frame_udp(f, 1111, 2222);
    if (version == 4)
        frame_fix_sum(f->room + f->at, frame_len(f), 17, host_a, host_b, 4);
    else
        frame_fix_sum(f->room + f->at, frame_len(f), 17, host6_a, host6_b, 16);
}

/* One fragment of bytes [off, off + len). */
static void fragment(struct frame *to, unsigned version, const uint8_t *bytes, uint32_t off,
                     uint32_t len, bool more, uint32_t id)
{
    frame_start(to, bytes, len);
    if (version == 4) {
        frame_ip4_part(to, 17, host_a, host_b, (uint16_t)id, (more ? 0x2000u : 0u) | off / 8);
        return;
    }
    uint8_t *p = frame_put(to, NULL, 8);
    p[0] = 17;
    put_u16be(p + 2, off | more);
    put_u32be(p + 4, id);
    frame_ip6(to, 44);
}

/* sent keeps copies of packets, so that places can be looked up in them. */
static struct {
    uint8_t *bytes;
    uint32_t len;
} sent[64];
static uint64_t n_sent;

static struct packet packet_of(const struct frame *f, uint32_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, frame_bytes(f), len);
    size_t i = n_sent++ % 64;
    free(sent[i].bytes);
    sent[i].bytes = copy;
    sent[i].len = len;
    return (struct packet){.bytes = copy,
                           .len = len,
                           .wire_len = frame_len(f),
                           .time_ns = now_ns,
                           .number = n_sent,
                           .file_off = n_sent * 100000,
                           .link_type = 101};
}

static enum skip send_cut(struct decoder *d, const struct frame *f, uint32_t len,
                          struct datagram *g, struct packet *p)
{
    *p = packet_of(f, len);
    return decode_packet(d, p, g);
}

static enum skip send_part(struct decoder *d, unsigned version, const struct frame *whole,
                           uint32_t off, uint32_t len, struct datagram *g, struct packet *p)
{
    static struct frame f;
    fragment(&f, version, frame_bytes(whole) + off, off, len, off + len < frame_len(whole), 9);
    return send_cut(d, &f, frame_len(&f), g, p);
}

static struct decoder *fresh(const struct decoder_limits *limits)
{
    struct decoder *d = decoder_new(limits, on_abandon, NULL);
    assert_non_null(d);
    for (size_t i = 0; i < 64; i++) {
        free(sent[i].bytes);
        sent[i].bytes = NULL;
    }
    n_sent = 0;
    now_ns = 1000;
    told[0] = '\0';
    return d;
}

/* Every payload byte is right, and is found again in the packet it came in. */
static void check_whole(const struct datagram *g, const struct packet *p)
{
    assert_int_equal(g->why, SKIP_NONE);
    assert_true(g->reassembled);
    assert_int_equal(g->checksum, CHECKSUM_OK);
    assert_int_equal(g->payload_len, PAYLOAD);
    assert_memory_equal(g->payload, payload, PAYLOAD);
    for (uint32_t i = 0; i < PAYLOAD; i++) {
        struct piece at = datagram_place(g, p, i);
        assert_in_range(at.number, 1, n_sent);
        size_t k = (size_t)(at.number - 1) % 64;
        assert_true(at.packet_off + at.len <= sent[k].len);
        assert_memory_equal(sent[k].bytes + at.packet_off, payload + i, at.len);
        assert_int_equal(at.file_off, at.number * 100000 + at.packet_off);
    }
}

static void four_in_all_orders(void **state)
{
    (void)state;
    static struct frame whole;
    for (unsigned version = 4; version <= 6; version += 2) {
        transport(&whole, version);
        const uint32_t offs[5] = {0, 48, 104, 160, frame_len(&whole)};
        for (unsigned order = 0; order < 256; order++) {
            unsigned at[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
            unsigned seen = 1u << at[0] | 1u << at[1] | 1u << at[2] | 1u << at[3];
            if (seen != 15)
                continue;
            struct decoder *d = fresh(NULL);
            struct datagram g;
            struct packet p;
            for (unsigned i = 0; i < 4; i++) {
                enum skip why = send_part(d, version, &whole, offs[at[i]],
                                          offs[at[i] + 1] - offs[at[i]], &g, &p);
                assert_int_equal(why, i < 3 ? SKIP_FRAGMENT_WAIT : SKIP_NONE);
            }
            check_whole(&g, &p);
            assert_int_equal(decoder_counts_get(d)->fragments, 4);
            assert_int_equal(decoder_counts_get(d)->reassembled, 1);
            assert_int_equal(decoder_expire(d, UINT64_MAX), 0);
            decoder_free(d);
        }
    }
}

/* step is one fragment of a play; bytes [off, off + len) of the datagram, or others of 0xee. */
struct step {
    uint32_t off, len;
    int more; /* -1: as the place in the datagram says */
    bool other;
    enum skip why;
};

struct play {
    const char *name;
    unsigned version; /* 0: both */
    struct step steps[6];
    const char *told;
};

static const struct play plays[] = {
    {"duplicate",
     0,
     {{0, 48, -1, false, SKIP_FRAGMENT_WAIT},
      {0, 48, -1, false, SKIP_FRAGMENT_DUPLICATE},
      {48, 160, -1, false, SKIP_NONE}},
     ""},
    {"duplicate inside a stretch",
     0,
     {{0, 48, -1, false, SKIP_FRAGMENT_WAIT},
      {48, 48, -1, false, SKIP_FRAGMENT_WAIT},
      {24, 48, -1, false, SKIP_FRAGMENT_DUPLICATE},
      {96, 112, -1, false, SKIP_NONE}},
     ""},
    {"duplicate with other bytes: the first copy stays",
     0,
     {{0, 48, -1, false, SKIP_FRAGMENT_WAIT},
      {0, 48, -1, true, SKIP_FRAGMENT_DUPLICATE},
      {48, 160, -1, false, SKIP_NONE}},
     ""},
    {"overlap behind",
     0,
     {{0, 48, -1, false, SKIP_FRAGMENT_WAIT}, {40, 48, -1, true, SKIP_FRAGMENT_OVERLAP}},
     "fragments that contradict each other p17 48 of 0: 0+48@1\n"},
    {"overlap before, other order",
     0,
     {{40, 48, -1, true, SKIP_FRAGMENT_WAIT}, {0, 48, -1, false, SKIP_FRAGMENT_OVERLAP}},
     "fragments that contradict each other p17 48 of 0: 40+48@1\n"},
    {"around",
     0,
     {{48, 48, -1, false, SKIP_FRAGMENT_WAIT}, {40, 64, -1, false, SKIP_FRAGMENT_OVERLAP}},
     "fragments that contradict each other p17 48 of 0: 48+48@1\n"},
    {"two stretches that touch are not one",
     0,
     {{48, 48, -1, false, SKIP_FRAGMENT_WAIT},
      {0, 48, -1, false, SKIP_FRAGMENT_WAIT},
      {24, 48, -1, false, SKIP_FRAGMENT_OVERLAP}},
     "fragments that contradict each other p17 96 of 0: 0+48@2 48+48@1\n"},
    {"second end differs",
     0,
     {{48, 160, -1, false, SKIP_FRAGMENT_WAIT}, {208, 8, 0, true, SKIP_FRAGMENT_OVERLAP}},
     "fragments that contradict each other p17 160 of 208: 48+160@1\n"},
    {"bytes behind the end",
     0,
     {{48, 160, -1, false, SKIP_FRAGMENT_WAIT}, {208, 8, 1, true, SKIP_FRAGMENT_OVERLAP}},
     "fragments that contradict each other p17 160 of 208: 48+160@1\n"},
    {"end before bytes that came",
     0,
     {{104, 48, -1, false, SKIP_FRAGMENT_WAIT}, {48, 48, 0, false, SKIP_FRAGMENT_OVERLAP}},
     "fragments that contradict each other p17 48 of 0: 104+48@1\n"},
    {"empty",
     0,
     {{0, 48, -1, false, SKIP_FRAGMENT_WAIT}, {48, 0, 1, false, SKIP_FRAGMENT_OVERLAP}},
     "fragments that contradict each other p17 48 of 0: 0+48@1\n"},
    {"anew after an overlap",
     0,
     {{0, 48, -1, false, SKIP_FRAGMENT_WAIT},
      {40, 48, -1, true, SKIP_FRAGMENT_OVERLAP},
      {0, 48, -1, false, SKIP_FRAGMENT_WAIT},
      {48, 160, -1, false, SKIP_NONE}},
     "fragments that contradict each other p17 48 of 0: 0+48@1\n"},
    {"IPv4: odd middle is cut to eights",
     4,
     {{0, 51, 1, false, SKIP_FRAGMENT_WAIT}, {48, 160, -1, false, SKIP_NONE}},
     ""},
    {"IPv6: odd middle is dropped",
     6,
     {{0, 51, 1, false, SKIP_MALFORMED}, {0, 48, -1, false, SKIP_FRAGMENT_WAIT}},
     "fragment of an incomplete datagram p17 48 of 0: 0+48@2\n"},
};

static void act(const struct play *play, unsigned version)
{
    static struct frame whole, f;
    static uint8_t other[PAYLOAD];
    memset(other, 0xee, sizeof other);
    transport(&whole, version);
    struct decoder *d = fresh(NULL);
    for (size_t i = 0; i < 6; i++) {
        const struct step *s = &play->steps[i];
        if (s->off == 0 && s->len == 0)
            break;
        bool more = s->more < 0 ? s->off + s->len < frame_len(&whole) : s->more > 0;
        fragment(&f, version, s->other ? other : frame_bytes(&whole) + s->off, s->off, s->len, more,
                 9);
        struct datagram g;
        struct packet p;
        enum skip why = send_cut(d, &f, frame_len(&f), &g, &p);
        if (why != s->why)
            fail_msg("%s, IPv%u, step %zu: %s", play->name, version, i, skip_text(why));
        if (why == SKIP_NONE) {
            check_whole(&g, &p);
            bool conflict = strstr(play->name, "other bytes") != NULL;
            assert_int_equal(g.fragment_conflict, conflict);
            assert_int_equal(decoder_counts_get(d)->fragment_conflicts, conflict);
        }
    }
    (void)decoder_expire(d, UINT64_MAX);
    if (strcmp(told, play->told) != 0)
        fail_msg("%s, IPv%u: told %s", play->name, version, told);
    decoder_free(d);
}

static void overlaps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        if (plays[i].version != 6)
            act(&plays[i], 4);
        if (plays[i].version != 4)
            act(&plays[i], 6);
    }
}

static void in_a_tunnel(void **state)
{
    (void)state;
    static struct frame whole, inner, outer;
    transport(&whole, 6);
    struct decoder *d = fresh(NULL);
    struct datagram g;
    struct packet p;
    enum skip why = SKIP_NONE;
    /* Two IPv6 fragments, each in an IPv4 packet, each of these in three fragments, backwards. */
    for (unsigned i = 0; i < 2; i++) {
        fragment(&inner, 6, frame_bytes(&whole) + 104 * i, 104 * i, 104, i == 0, 5);
        for (int k = 2; k >= 0; k--) {
            uint32_t off = (uint32_t)k * 48;
            uint32_t len = k == 2 ? frame_len(&inner) - off : 48;
            frame_start(&outer, frame_bytes(&inner) + off, len);
            frame_ip4_part(&outer, 41, host_a, host_b, (uint16_t)(20 + i),
                           (k < 2 ? 0x2000u : 0u) | off / 8);
            why = send_cut(d, &outer, frame_len(&outer), &g, &p);
        }
        assert_int_equal(why, i == 0 ? SKIP_FRAGMENT_WAIT : SKIP_NONE);
    }
    check_whole(&g, &p);
    assert_int_equal(g.tunnel_depth, 1);
    assert_int_equal(decoder_counts_get(d)->reassembled, 3);
    decoder_free(d);
}

static void atomic_fragments_wait_for_nobody(void **state)
{
    (void)state;
    static struct frame whole, f;
    transport(&whole, 6);
    struct decoder *d = fresh(NULL);
    struct datagram g;
    struct packet p;
    assert_int_equal(send_part(d, 6, &whole, 0, 48, &g, &p), SKIP_FRAGMENT_WAIT);
    fragment(&f, 6, frame_bytes(&whole), 0, frame_len(&whole), false, 9);
    assert_int_equal(send_cut(d, &f, frame_len(&f), &g, &p), SKIP_NONE);
    assert_false(g.reassembled);
    assert_int_equal(g.payload_len, PAYLOAD);
    assert_int_equal(send_part(d, 6, &whole, 48, 160, &g, &p), SKIP_NONE);
    check_whole(&g, &p);
    decoder_free(d);
}

static void time_runs_out(void **state)
{
    (void)state;
    static struct frame whole;
    for (unsigned version = 4; version <= 6; version += 2) {
        uint64_t timeout = version == 4 ? UINT64_C(30000000000) : UINT64_C(60000000000);
        transport(&whole, version);
        struct decoder *d = fresh(NULL);
        struct datagram g;
        struct packet p;
        assert_int_equal(send_part(d, version, &whole, 0, 48, &g, &p), SKIP_FRAGMENT_WAIT);
        assert_int_equal(decoder_expire(d, now_ns + timeout), 0);
        now_ns += timeout + 1;
        assert_int_equal(send_part(d, version, &whole, 48, 160, &g, &p), SKIP_FRAGMENT_WAIT);
        assert_string_equal(told, "fragment of an incomplete datagram p17 48 of 0: 0+48@1\n");
        assert_int_equal(decoder_counts_get(d)->abandoned, 1);
        assert_int_equal(decoder_counts_get(d)->abandoned_bytes, 48);
        assert_int_equal(decoder_expire(d, now_ns + timeout + 1), 1);
        assert_int_equal(decoder_counts_get(d)->abandoned_bytes, 208);
        decoder_free(d);
    }
}

static void the_oldest_gives_way(void **state)
{
    (void)state;
    static struct frame whole, f;
    struct decoder_limits limits = {.fragment_datagrams = 3};
    struct decoder *d = fresh(&limits);
    struct datagram g;
    struct packet p;
    transport(&whole, 4);
    for (uint32_t id = 0; id < 5; id++) {
        fragment(&f, 4, frame_bytes(&whole), 0, 48, true, id);
        now_ns++;
        assert_int_equal(send_cut(d, &f, frame_len(&f), &g, &p), SKIP_FRAGMENT_WAIT);
    }
    assert_string_equal(told, "no room for fragments p17 48 of 0: 0+48@1\n"
                              "no room for fragments p17 48 of 0: 0+48@2\n");
    decoder_free(d);
    limits = (struct decoder_limits){.fragment_bytes = 1};
    d = fresh(&limits);
    for (uint32_t id = 0; id < 200; id++) { /* 64 KiB each, of 512 KiB */
        fragment(&f, 4, frame_bytes(&whole), 65000, 48, true, id);
        told[0] = '\0';
        assert_int_equal(send_cut(d, &f, frame_len(&f), &g, &p), SKIP_FRAGMENT_WAIT);
    }
    assert_in_range(decoder_counts_get(d)->abandoned, 190, 195);
    decoder_free(d);
}

static void cut_captures_are_handed_out(void **state)
{
    (void)state;
    static struct frame whole, f;
    transport(&whole, 4);
    struct decoder *d = fresh(NULL);
    struct datagram g;
    struct packet p;
    fragment(&f, 4, frame_bytes(&whole), 0, 104, true, 9);
    assert_int_equal(send_cut(d, &f, 20 + 60, &g, &p), SKIP_FRAGMENT_WAIT);
    assert_int_equal(send_part(d, 4, &whole, 104, 104, &g, &p), SKIP_TRUNCATED);
    assert_string_equal(told, "cut short by the capture p17 164 of 208: 0+60@1 104+104@2\n");
    decoder_free(d);
}

static void different_datagrams_do_not_mix(void **state)
{
    (void)state;
    static struct frame whole, f;
    transport(&whole, 4);
    struct decoder *d = fresh(NULL);
    struct datagram g;
    struct packet p;
    assert_int_equal(send_part(d, 4, &whole, 0, 48, &g, &p), SKIP_FRAGMENT_WAIT);
    fragment(&f, 4, frame_bytes(&whole) + 48, 48, 160, false, 10); /* other identification */
    assert_int_equal(send_cut(d, &f, frame_len(&f), &g, &p), SKIP_FRAGMENT_WAIT);
    frame_start(&f, frame_bytes(&whole) + 48, 160); /* other protocol */
    frame_ip4_part(&f, 6, host_a, host_b, 9, 48 / 8);
    assert_int_equal(send_cut(d, &f, frame_len(&f), &g, &p), SKIP_FRAGMENT_WAIT);
    frame_start(&f, frame_bytes(&whole) + 48, 160); /* other way */
    frame_ip4_part(&f, 17, host_b, host_a, 9, 48 / 8);
    assert_int_equal(send_cut(d, &f, frame_len(&f), &g, &p), SKIP_FRAGMENT_WAIT);
    assert_int_equal(send_part(d, 4, &whole, 48, 160, &g, &p), SKIP_NONE);
    check_whole(&g, &p);
    assert_int_equal(decoder_expire(d, UINT64_MAX), 3);
    decoder_free(d);
}

static void too_long_is_refused(void **state)
{
    (void)state;
    static struct frame f;
    static uint8_t zeros[2000];
    struct decoder *d = fresh(NULL);
    struct datagram g;
    struct packet p;
    fragment(&f, 4, zeros, 65520, 1000, false, 1);
    assert_int_equal(send_cut(d, &f, frame_len(&f), &g, &p), SKIP_MALFORMED);
    fragment(&f, 6, zeros, 65528, 16, false, 1);
    assert_int_equal(send_cut(d, &f, frame_len(&f), &g, &p), SKIP_MALFORMED);
    decoder_free(d);
}

static void eight_bytes_each_backwards(void **state)
{
    (void)state;
    static struct frame whole, f;
    static uint8_t big[65000];
    frame_start(&whole, big, sizeof big);
    frame_udp(&whole, 1, 2);
    frame_fix_sum(whole.room + whole.at, frame_len(&whole), 17, host_a, host_b, 4);
    struct decoder *d = fresh(NULL);
    struct datagram g;
    struct packet p;
    enum skip why = SKIP_NONE;
    uint32_t last = frame_len(&whole) / 8 * 8;
    for (uint32_t off = last + 8; off > 0; off -= 8) {
        uint32_t at = off - 8, len = frame_len(&whole) - at < 8 ? frame_len(&whole) - at : 8;
        if (len == 0)
            continue;
        fragment(&f, 4, frame_bytes(&whole) + at, at, len, at + len < frame_len(&whole), 3);
        why = send_cut(d, &f, frame_len(&f), &g, &p);
    }
    assert_int_equal(why, SKIP_NONE);
    assert_int_equal(g.checksum, CHECKSUM_OK);
    assert_int_equal(g.payload_len, sizeof big);
    assert_int_equal(g.n_pieces, (frame_len(&whole) + 7) / 8);
    decoder_free(d);
}

static int clean(void **state)
{
    (void)state;
    decoder_free(fresh(NULL));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_in_all_orders),
        cmocka_unit_test(overlaps),
        cmocka_unit_test(in_a_tunnel),
        cmocka_unit_test(atomic_fragments_wait_for_nobody),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(the_oldest_gives_way),
        cmocka_unit_test(cut_captures_are_handed_out),
        cmocka_unit_test(different_datagrams_do_not_mix),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(eight_bytes_each_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
