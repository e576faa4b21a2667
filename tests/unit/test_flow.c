/* test_flow.c - the flow table: who belongs together, when a connection begins anew, whose time it
 * is; and the keyed hash below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "flow/flow.h"

enum {
    SECOND = 1000000000
};

struct ends {
    unsigned n;
    enum flow_end why;
};

static void on_end(void *receiver, struct flow *flow, enum flow_end why)
{
    struct ends *e = receiver;
    assert_true(flow->number > 0);
    e->n++;
    e->why = why;
}

/* net is a table and a pair of hosts: 1 opens connections, 2 answers. */
struct net {
    struct flow_table *table;
    struct pool *pool;
    struct ends ends;
    uint64_t packets, time_ns;
};

static void on_bytes(void *r, const uint8_t *bytes, size_t len, struct run from)
{
    (void)r, (void)bytes, (void)len, (void)from;
}

static void on_gap(void *r, uint64_t missing)
{
    (void)r, (void)missing;
}

static void on_anomaly(void *r, const char *what, struct run at)
{
    (void)r, (void)what, (void)at;
}

static const struct stream_sink sink = {on_bytes, on_gap, on_bytes, on_anomaly};

static void net_open(struct net *n)
{
    *n = (struct net){.time_ns = UINT64_C(1700000000) * SECOND};
    struct flow_limits limits = flow_limits_default();
    limits.max_flows = 64;
    n->table = flow_table_open(&limits, on_end, &n->ends);
    n->pool = pool_open(1 << 20);
    assert_non_null(n->table);
    assert_non_null(n->pool);
}

static void net_close(struct net *n)
{
    flow_table_close(n->table);
    pool_close(n->pool);
}

struct sent {
    uint8_t host, flags, ttl;
    enum checksum sum;
    uint32_t seq, ack, len;
    uint16_t vlan;
    uint32_t tunnel;
};

static struct datagram datagram_of(struct sent s)
{
    struct datagram d = {
        .src = {.family = 4, .bytes = {10, 0, 0, s.host}},
        .dst = {.family = 4, .bytes = {10, 0, 0, (uint8_t)(3 - s.host)}},
        .sport = s.host == 1 ? 40000 : 104,
        .dport = s.host == 1 ? 104 : 40000,
        .proto = IP_PROTO_TCP,
        .ttl = s.ttl != 0 ? s.ttl : 64,
        .checksum = (uint8_t)s.sum,
        .tcp_flags = s.flags,
        .seq = s.seq,
        .ack = s.ack,
        .vlan = s.vlan,
        .tunnel_id = s.tunnel,
        .payload = (const uint8_t *)"0123456789abcdef",
        .payload_len = s.len,
        .wire_payload_len = s.len,
    };
    return d;
}

/* put sends one packet through table and stream, and gives the number of its flow. */
static uint64_t put(struct net *n, struct sent s)
{
    struct datagram d = datagram_of(s);
    unsigned direction;
    (void)flow_table_time(n->table, n->time_ns += SECOND / 1000);
    struct flow *f =
        flow_find(n->table, &d, flow_hash(&d, 7), n->time_ns, ++n->packets, &direction);
    struct tcp_segment seg = {
        .bytes = d.payload,
        .len = s.len,
        .wire_len = s.len,
        .from = {n->packets, 54, s.len},
        .seq = s.seq,
        .ack = s.ack,
        .flags = s.flags,
        .ttl = d.ttl,
        .checksum_good = s.sum == CHECKSUM_OK,
        .checksum_bad = s.sum == CHECKSUM_BAD,
    };
    stream_put(&f->stream[direction], &f->stream[direction ^ 1u], &seg, (uint32_t)n->packets,
               n->pool, &sink, NULL, NULL);
    return f->number;
}

static struct flow *flow_of(struct net *n, unsigned *direction)
{
    struct datagram d = datagram_of((struct sent){.host = 1, .flags = TCP_RST});
    return flow_find(n->table, &d, flow_hash(&d, 7), n->time_ns, n->packets, direction);
}

static const struct sent syn = {.host = 1, .flags = TCP_SYN, .seq = 1000};
static const struct sent answer = {.host = 2, .flags = TCP_SYN | TCP_ACK, .seq = 5000, .ack = 1001};
static const struct sent data = {.host = 1, .flags = TCP_ACK, .seq = 1001, .ack = 5001, .len = 10};

static void handshake(struct net *n)
{
    assert_int_equal(put(n, syn), 1);
    assert_int_equal(put(n, answer), 1);
    assert_int_equal(put(n, data), 1);
    assert_int_equal(put(n, (struct sent){.host = 2, .flags = TCP_ACK, .seq = 5001, .ack = 1011}),
                     1);
}

/* The device lost power: its side never closed. Its next SYN has a lower number. */
static void answered_syn_begins_anew(void **state)
{
    (void)state;
    struct net n;
    net_open(&n);
    handshake(&n);
    struct sent again = syn, agreed = answer, next = data;
    again.seq = 500;
    agreed.ack = 501;
    agreed.seq = 90000;
    next.seq = 501;
    assert_int_equal(put(&n, again), 1);
    assert_int_equal(put(&n, agreed), 2);
    assert_int_equal(n.ends.n, 1);
    assert_int_equal(n.ends.why, FLOW_OVER);
    assert_int_equal(put(&n, next), 2);
    unsigned direction;
    struct flow *f = flow_of(&n, &direction);
    assert_int_equal(f->number, 2);
    assert_int_equal(direction, 0); /* who opened it */
    assert_int_equal(f->address[0].bytes[3], 1);
    assert_int_equal(f->stream[0].delivered, 10);
    assert_true(f->stream[0].from_syn);
    /* An answer sent again changes nothing. */
    assert_int_equal(put(&n, agreed), 2);
    net_close(&n);
}

static void decoy_syn_begins_nothing(void **state)
{
    (void)state;
    static const struct sent decoys[] = {
        {.host = 1, .flags = TCP_SYN, .seq = 500000000, .sum = CHECKSUM_BAD},
        {.host = 1, .flags = TCP_SYN, .seq = 500000000, .ttl = 3},
        {.host = 1, .flags = TCP_SYN, .seq = 500000000},
    };
    for (size_t i = 0; i < sizeof decoys / sizeof decoys[0]; i++) {
        struct net n;
        net_open(&n);
        assert_int_equal(put(&n, syn), 1);
        assert_int_equal(put(&n, decoys[i]), 1);
        assert_int_equal(put(&n, answer), 1);
        assert_int_equal(put(&n, decoys[i]), 1);
        assert_int_equal(put(&n, data), 1);
        assert_int_equal(n.ends.n, 0);
        unsigned direction;
        assert_int_equal(flow_of(&n, &direction)->stream[0].delivered, 10);
        net_close(&n);
    }
}

/* A decoy that comes first gives way to what the peer answers, or to a SYN with a good sum. */
static void decoy_syn_first(void **state)
{
    (void)state;
    struct sent decoy = {.host = 1, .flags = TCP_SYN, .seq = 500000000};
    for (unsigned bad = 0; bad < 2; bad++) {
        struct net n;
        net_open(&n);
        decoy.sum = bad ? CHECKSUM_BAD : CHECKSUM_OK;
        assert_int_equal(put(&n, decoy), 1);
        assert_int_equal(put(&n, syn), 1 + bad);
        assert_int_equal(put(&n, answer), 2);
        assert_int_equal(put(&n, data), 2);
        unsigned direction;
        assert_int_equal(flow_of(&n, &direction)->stream[0].delivered, 10);
        net_close(&n);
    }
}

static void closed_connection_begins_anew_at_syn(void **state)
{
    (void)state;
    struct net n;
    net_open(&n);
    handshake(&n);
    assert_int_equal(put(&n, (struct sent){.host = 1, .flags = TCP_FIN | TCP_ACK, .seq = 1011}), 1);
    struct sent again = syn;
    again.seq = 500;
    again.sum = CHECKSUM_BAD;
    assert_int_equal(put(&n, again), 1);
    again.sum = CHECKSUM_OK;
    assert_int_equal(put(&n, again), 2);
    net_close(&n);
}

/* Only one direction was captured: its data tells which SYN counts. */
static void one_way_begins_anew_with_data(void **state)
{
    (void)state;
    struct net n;
    net_open(&n);
    assert_int_equal(put(&n, syn), 1);
    assert_int_equal(put(&n, data), 1);
    struct sent again = syn, next = data;
    again.seq = 500;
    next.seq = 501;
    assert_int_equal(put(&n, again), 1);
    assert_int_equal(put(&n, next), 2);
    unsigned direction;
    assert_int_equal(flow_of(&n, &direction)->stream[0].delivered, 10);
    net_close(&n);
}

static void answer_to_data_in_a_syn(void **state)
{
    (void)state;
    struct net n;
    net_open(&n);
    struct sent with = syn, both = answer;
    with.len = 10;
    both.ack = 1011;
    assert_int_equal(put(&n, with), 1);
    assert_int_equal(put(&n, both), 1);
    net_close(&n);
}

static void networks_kept_apart(void **state)
{
    (void)state;
    struct net n;
    net_open(&n);
    struct sent s = syn;
    assert_int_equal(put(&n, s), 1);
    s.vlan = 7;
    assert_int_equal(put(&n, s), 2);
    s.tunnel = 9;
    assert_int_equal(put(&n, s), 3);
    s.vlan = 0;
    assert_int_equal(put(&n, s), 4);
    struct sent back = answer;
    back.vlan = 7;
    assert_int_equal(put(&n, back), 2);
    net_close(&n);
}

static void time_follows_when_packets_agree(void **state)
{
    (void)state;
    const uint64_t start = UINT64_C(1700000000) * SECOND, far = UINT64_C(4000000000) * SECOND;
    struct clock c = {0};
    assert_int_equal(clock_follow(&c, start), start);
    assert_int_equal(clock_follow(&c, start - SECOND), start);
    assert_int_equal(clock_follow(&c, start + 3 * UINT64_C(600) * SECOND),
                     start + 3 * UINT64_C(600) * SECOND);
    const uint64_t now = c.now_ns;
    /* One that is wrong, or many between right ones, change nothing. */
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(clock_follow(&c, far + i), now);
        assert_int_equal(clock_follow(&c, now), now);
    }
    /* Nor do those which do not agree. */
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(clock_follow(&c, far + i * 7200 * SECOND), now);
    (void)clock_follow(&c, now);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(clock_follow(&c, far + i), now);
    assert_int_equal(clock_follow(&c, far + 8), far + 8);
    assert_int_equal(clock_follow(&c, now), far + 8);
}

static void one_wrong_time_ends_no_flow(void **state)
{
    (void)state;
    struct net n;
    net_open(&n);
    handshake(&n);
    (void)flow_table_time(n.table, UINT64_C(4000000000) * SECOND);
    flow_table_advance(n.table);
    assert_int_equal(n.ends.n, 0);
    (void)flow_table_time(n.table, n.time_ns + UINT64_C(3000) * SECOND);
    flow_table_advance(n.table);
    assert_int_equal(n.ends.n, 1); /* it never left the class of those that open: here 60 s */
    assert_int_equal(n.ends.why, FLOW_TIMEOUT);
    net_close(&n);
}

/* SipHash-1-3 under the key zero, as Python 3.11 computes it with PYTHONHASHSEED=0. */
static void hash_is_siphash(void **state)
{
    (void)state;
    const struct hash_key zero = {0, 0};
    uint8_t bytes[24];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_true(hash_keyed(&zero, "a", 1) == 0x407448d2b89b1813u);
    assert_true(hash_keyed(&zero, "abcdefgh", 8) == 0x3f7b849c0b8e35eau);
    assert_true(hash_keyed(&zero, bytes, 15) == 0xf30eb725bb91c9eau);
    assert_true(hash_keyed(&zero, bytes, 24) == 0x31185a47af932f3au);
    const uint64_t words[] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u, 0x1716151413121110u};
    assert_true(hash_words(&zero, words, 3) == 0x31185a47af932f3au);
    struct hash_key a = hash_key_random(), b = hash_key_random();
    assert_true(a.k0 != b.k0 && a.k1 != b.k1);
}

/* Inputs that collided under every seed when the hash was a plain product. */
static void chosen_flows_do_not_collide(void **state)
{
    (void)state;
    static uint8_t seen[1 << 16];
    unsigned twice = 0;
    for (unsigned x = 0; x < 256; x++)
        for (unsigned y = 0; y < 256; y++) {
            uint64_t lo = UINT64_C(0x123456789abc) ^ (uint64_t)x << 56, d = (uint64_t)y << 56;
            uint64_t hi = UINT64_C(0x0123456789abcdef) ^ d ^ d >> 32;
            struct datagram g = {.src = {.family = 6}, .dst = {.family = 6}, .proto = IP_PROTO_UDP};
            for (unsigned i = 0; i < 8; i++) {
                g.dst.bytes[i] = (uint8_t)(lo >> (56 - 8 * i));
                g.dst.bytes[8 + i] = (uint8_t)(hi >> (56 - 8 * i));
            }
            uint8_t *slot = &seen[flow_hash(&g, 99) & 0xffff];
            twice += *slot;
            *slot = 1;
        }
    assert_true(twice < 30000); /* chance: 24,109 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answered_syn_begins_anew),
        cmocka_unit_test(decoy_syn_begins_nothing),
        cmocka_unit_test(decoy_syn_first),
        cmocka_unit_test(closed_connection_begins_anew_at_syn),
        cmocka_unit_test(one_way_begins_anew_with_data),
        cmocka_unit_test(answer_to_data_in_a_syn),
        cmocka_unit_test(networks_kept_apart),
        cmocka_unit_test(time_follows_when_packets_agree),
        cmocka_unit_test(one_wrong_time_ends_no_flow),
        cmocka_unit_test(hash_is_siphash),
        cmocka_unit_test(chosen_flows_do_not_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
