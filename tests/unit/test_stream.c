/* test_stream.c - TCP in order: what a Linux receiver would read, gaps told, contradictions
 * reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/stream.h"

/* heard is what a stream's sink was told, as one text: bytes as they are, <gap N>, {aside}, and the
 * number of anomalies. */
struct heard {
    char text[1 << 17];
    size_t len;
    unsigned anomalies;
    uint64_t gap;
    uint64_t aside;
    bool deaf; /* to bytes aside: only counts them */
};

static void add(struct heard *h, const char *s, size_t n)
{
    assert_true(h->len + n < sizeof h->text);
    memcpy(h->text + h->len, s, n);
    h->len += n;
    h->text[h->len] = '\0';
}

static void on_bytes(void *receiver, const uint8_t *bytes, size_t len, struct run from)
{
    assert_int_equal(from.len, len);
    add(receiver, (const char *)bytes, len);
}

static void on_gap(void *receiver, uint64_t missing)
{
    struct heard *h = receiver;
    char s[32];
    add(h, s, (size_t)snprintf(s, sizeof s, "<gap %llu>", (unsigned long long)missing));
    h->gap += missing;
}

static void on_aside(void *receiver, const uint8_t *bytes, size_t len, struct run from)
{
    (void)from;
    struct heard *h = receiver;
    h->aside += len;
    if (h->deaf)
        return;
    add(receiver, "{", 1);
    add(receiver, (const char *)bytes, len);
    add(receiver, "}", 1);
}

static void on_anomaly(void *receiver, const char *what, struct run at)
{
    (void)what;
    (void)at;
    ((struct heard *)receiver)->anomalies++;
}

static const struct stream_sink sink = {on_bytes, on_gap, on_aside, on_anomaly};

/* talk is a connection under test: direction 0 sends data, direction 1 acknowledges. */
struct talk {
    struct stream s[2];
    struct heard heard, back;
    struct pool *pool;
    uint32_t packets;
    uint32_t isn;
};

static struct talk *talk_new(uint32_t isn, bool syn)
{
    struct talk *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->pool = pool_open(64 << 20);
    assert_non_null(t->pool);
    t->isn = isn;
    if (syn) {
        struct tcp_segment a = {.seq = isn, .flags = TCP_SYN, .ttl = 64, .checksum_good = true};
        stream_put(&t->s[0], &t->s[1], &a, ++t->packets, t->pool, &sink, &t->heard, &t->back);
        struct tcp_segment b = {.seq = 7000,
                                .ack = isn + 1,
                                .flags = TCP_SYN | TCP_ACK,
                                .ttl = 60,
                                .checksum_good = true};
        stream_put(&t->s[1], &t->s[0], &b, ++t->packets, t->pool, &sink, &t->back, &t->heard);
    }
    return t;
}

static void talk_end(struct talk *t)
{
    stream_finish(&t->s[0], t->pool, &sink, &t->heard);
    stream_finish(&t->s[1], t->pool, &sink, &t->back);
    assert_int_equal(pool_used(t->pool), 0);
    pool_close(t->pool);
    free(t);
}

struct seg {
    uint32_t at; /* stream offset: 0 is the first byte after SYN */
    const char *bytes;
    uint8_t flags, ttl;
    bool bad;
    uint16_t urgent;
    uint32_t cut;
};

static void put(struct talk *t, struct seg g)
{
    struct tcp_segment a = {
        .bytes = (const uint8_t *)g.bytes,
        .len = (uint32_t)strlen(g.bytes),
        .wire_len = (uint32_t)strlen(g.bytes) + g.cut,
        .from = {t->packets + 1, 54, strlen(g.bytes)},
        .seq = t->isn + 1 + g.at,
        .ack = 7001,
        .flags = (uint8_t)(g.flags | TCP_ACK),
        .ttl = g.ttl != 0 ? g.ttl : 64,
        .checksum_good = !g.bad,
        .checksum_bad = g.bad,
        .urgent = g.urgent,
    };
    stream_put(&t->s[0], &t->s[1], &a, ++t->packets, t->pool, &sink, &t->heard, &t->back);
}

static void acknowledge(struct talk *t, uint32_t at)
{
    struct tcp_segment a = {
        .seq = 7001, .ack = t->isn + 1 + at, .flags = TCP_ACK, .ttl = 60, .checksum_good = true};
    stream_put(&t->s[1], &t->s[0], &a, ++t->packets, t->pool, &sink, &t->back, &t->heard);
}

/* row: segments in order of arrival and what must be heard. at == UINT32_MAX ends the list; a
 * segment with bytes NULL is an acknowledgement up to `at`. */
struct row {
    const char *name;
    struct seg seg[8];
    const char *want;
    unsigned anomalies;
};

#define END                                                                                        \
    {                                                                                              \
        UINT32_MAX, "", 0, 0, false, 0, 0                                                          \
    }
#define DATA(at, bytes)                                                                            \
    {                                                                                              \
        at, bytes, 0, 0, false, 0, 0                                                               \
    }
#define ACKED(at)                                                                                  \
    {                                                                                              \
        at, NULL, 0, 0, false, 0, 0                                                                \
    }

static const struct row rows[] = {
    {"in order", {DATA(0, "abc"), DATA(3, "def"), END}, "abcdef", 0},
    {"out of order", {DATA(3, "def"), DATA(0, "abc"), END}, "abcdef", 0},
    {"repeated", {DATA(0, "abc"), DATA(0, "abc"), DATA(3, "def"), END}, "abcdef", 0},
    {"repeated with more", {DATA(0, "abc"), DATA(1, "bcde"), END}, "abcde", 0},
    {"first copy stands", {DATA(0, "abc"), DATA(0, "aXc"), DATA(3, "d"), END}, "abc{aXc}d", 1},
    {"first copy stands when acknowledged",
     {DATA(0, "abc"), ACKED(3), DATA(0, "aXc"), END},
     "abc{aXc}",
     1},
    {"overlap of waiting ones: the earlier start gives both",
     {DATA(2, "CDE"), DATA(4, "xfg"), DATA(0, "ab"), END},
     "{xfg}abCDE{x}fg",
     2}, /* once as it waits, once as its turn comes */
    {"a waiting one inside a later one is replaced",
     {DATA(3, "XX"), DATA(2, "cdefg"), DATA(0, "ab"), END},
     "{XX}abcdefg",
     1},
    {"one inside a waiting one is dropped",
     {DATA(2, "cdefg"), DATA(3, "XX"), DATA(0, "ab"), END},
     "{XX}abcdefg",
     1},
    {"same start, longer, replaces",
     {DATA(2, "XX"), DATA(2, "cdef"), DATA(0, "ab"), END},
     "{XX}abcdef",
     1},
    {"bad checksum is not read",
     {DATA(0, "ab"), {2, "XX", 0, 0, true, 0, 0}, DATA(2, "cd"), ACKED(4), END},
     "abcd{XX}",
     2},
    {"bad checksum that was acknowledged is read",
     {DATA(0, "ab"), {2, "cd", 0, 0, true, 0, 0}, ACKED(4), DATA(4, "ef"), END},
     "abcdef",
     1},
    {"low TTL is not read",
     {DATA(0, "ab"), {2, "XX", 0, 9, false, 0, 0}, DATA(2, "cd"), ACKED(4), END},
     "abcd{XX}",
     2},
    {"urgent byte is taken out",
     {{0, "abXcd", TCP_URG, 0, false, 3, 0}, DATA(5, "e"), END},
     "abcde",
     1},
    {"urgent byte in a later segment",
     {{0, "abc", TCP_URG, 0, false, 4, 0}, DATA(3, "Xde"), END},
     "abcde",
     1},
    {"urgent pointer moves before its byte comes",
     {{0, "abc", TCP_URG, 0, false, 5, 0}, {3, "de", TCP_URG, 0, false, 3, 0}, DATA(5, "Xf"), END},
     "abcdef",
     1},
    {"urgent pointer never moves back",
     {{0, "abc", TCP_URG, 0, false, 6, 0}, {3, "d", TCP_URG, 0, false, 1, 0}, DATA(4, "eXf"), END},
     "abcdef",
     1},
    {"urgent pointer out of order",
     {{3, "dXe", TCP_URG, 0, false, 2, 0}, DATA(0, "abc"), END},
     "abcde",
     1},
    {"urgent pointer zero is the segment's first byte",
     {{0, "Xab", TCP_URG, 0, false, 0, 0}, END},
     "ab",
     1},
    {"urgent pointer of a doubtful segment counts when it does",
     {DATA(0, "ab"), {2, "Xc", TCP_URG, 0, true, 1, 0}, DATA(2, "dc"), ACKED(4), END},
     "abdc{Xc}",
     2},
    {"a cut that a captured segment fills",
     {{5, "f", 0, 0, false, 0, 4}, DATA(6, "ghij"), DATA(0, "abcde"), END},
     "abcdefghij",
     0},
    {"a cut that a captured segment fills in part",
     {{5, "f", 0, 0, false, 0, 6}, DATA(8, "ij"), DATA(0, "abcde"), END},
     "abcdef<gap 2>ij<gap 2>",
     0},
    {"doubtful at the end, where nothing else is",
     {DATA(0, "ab"), {2, "cd", 0, 0, true, 0, 0}, DATA(4, "ef"), END},
     "abcdef",
     1},
    {"doubtful ones that contradict each other at the end",
     {DATA(0, "ab"), {2, "cd", 0, 0, true, 0, 0}, {2, "XX", 0, 0, true, 0, 0}, DATA(4, "ef"), END},
     "ab<gap 2>ef{XX}{cd}",
     2},
    {"a copy of bytes acknowledged and remembered",
     {DATA(0, "abc"), ACKED(3), DATA(0, "abc"), END},
     "abc",
     0},
    {"cut by the capture", {{0, "abc", 0, 0, false, 0, 5}, DATA(8, "ij"), END}, "abc<gap 5>ij", 0},
    {"lost at the end of the capture", {DATA(0, "abc"), DATA(5, "fg"), END}, "abc<gap 2>fg", 0},
};

static void run_row(void **state)
{
    const struct row *r = *state;
    struct talk *t = talk_new(1000, true);
    for (size_t i = 0; r->seg[i].at != UINT32_MAX; i++) {
        if (r->seg[i].bytes == NULL)
            acknowledge(t, r->seg[i].at);
        else
            put(t, r->seg[i]);
    }
    stream_finish(&t->s[0], t->pool, &sink, &t->heard);
    assert_string_equal(t->heard.text, r->want);
    assert_int_equal(t->heard.anomalies, r->anomalies);
    talk_end(t);
}

static void sequence_numbers_wrap(void **state)
{
    (void)state;
    struct talk *t = talk_new(UINT32_MAX - 4, true);
    put(t, (struct seg)DATA(0, "abcdefgh"));
    put(t, (struct seg)DATA(12, "mnop"));
    put(t, (struct seg)DATA(8, "ijkl"));
    assert_string_equal(t->heard.text, "abcdefghijklmnop");
    talk_end(t);
}

static void picked_up_in_the_middle(void **state)
{
    (void)state;
    struct talk *t = talk_new(5000, false);
    put(t, (struct seg)DATA(100, "abc"));
    put(t, (struct seg)DATA(103, "def"));
    put(t, (struct seg)DATA(90, "before"));
    assert_string_equal(t->heard.text, "abcdef{before}");
    talk_end(t);
}

static void hole_acknowledged_becomes_a_gap(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, true);
    put(t, (struct seg)DATA(0, "abc"));
    put(t, (struct seg)DATA(10, "klm"));
    acknowledge(t, 13);
    for (int i = 0; i < 20; i++)
        acknowledge(t, 13);
    assert_string_equal(t->heard.text, "abc<gap 7>klm");
    assert_int_equal(t->s[0].missing, 7);
    talk_end(t);
}

static void data_in_the_syn(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, false);
    struct tcp_segment a = {.bytes = (const uint8_t *)"hello",
                            .len = 5,
                            .wire_len = 5,
                            .from = {1, 54, 5},
                            .seq = 1000,
                            .flags = TCP_SYN,
                            .ttl = 64,
                            .checksum_good = true};
    stream_put(&t->s[0], &t->s[1], &a, 1, t->pool, &sink, &t->heard, &t->back);
    put(t, (struct seg)DATA(5, " world"));
    assert_string_equal(t->heard.text, "hello world");
    talk_end(t);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* However a stream is cut, ordered, repeated and overlapped, with bytes that agree, it is read the
 * same; and nothing is left in the pool. */
static void any_cut_reads_the_same(void **state)
{
    (void)state;
    enum {
        LEN = 4000
    };
    static char bytes[LEN + 1];
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (char)('!' + (i * 7 + i / 90) % 90);
    for (unsigned seed = 1; seed <= 400; seed++) {
        unsigned r = seed;
        struct talk *t = talk_new(seed * 77777777u, true);
        t->heard.deaf = true; /* copies of what is forgotten */
        uint32_t sent = 0;
        while (sent < LEN) {
            /* Anything that starts up to 300 behind or 600 ahead of what is read so far. */
            uint32_t read = (uint32_t)t->s[0].delivered;
            uint32_t at = read + next_random(&r) % 600;
            at = at > 300 ? at - next_random(&r) % 300 : at;
            uint32_t len = 1 + next_random(&r) % 200;
            if (next_random(&r) % 3 == 0)
                at = read;
            if (at >= LEN)
                at = read;
            if (at + len > LEN)
                len = LEN - at;
            char part[256];
            memcpy(part, bytes + at, len);
            part[len] = '\0';
            put(t, (struct seg){at, part, 0, 0, false, 0, 0});
            if (next_random(&r) % 4 == 0)
                acknowledge(t, (uint32_t)t->s[0].delivered);
            sent = (uint32_t)t->s[0].delivered;
        }
        assert_int_equal(t->heard.len, LEN);
        assert_memory_equal(t->heard.text, bytes, LEN);
        assert_int_equal(t->heard.anomalies, 0);
        assert_true(t->heard.aside <= t->s[0].forgotten);
        talk_end(t);
    }
}

/* No memory to wait with: bytes may be lost as gaps, but nothing else happens. */
static void no_memory_is_a_gap(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, true);
    pool_close(t->pool);
    t->pool = pool_open(0);
    put(t, (struct seg)DATA(0, "abc"));
    put(t, (struct seg)DATA(5, "fgh"));
    put(t, (struct seg)DATA(3, "de"));
    assert_string_equal(t->heard.text, "abc<gap 2>fgh{de}");
    talk_end(t);
}

/* What was delivered and acknowledged is not read again by the receiver, and not remembered here.
 */
static void forgotten_bytes_are_counted(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, true);
    static char bytes[1401];
    memset(bytes, 'a', 1400);
    put(t, (struct seg)DATA(0, bytes));
    acknowledge(t, 1400);
    put(t, (struct seg)DATA(100, "hidden"));
    assert_string_equal(t->heard.text + 1400, "");
    assert_int_equal(t->s[0].forgotten, 6);
    assert_int_equal(t->heard.anomalies, 0);
    acknowledge(t, 1400);
    put(t, (struct seg)DATA(1399, "x")); /* keep-alive */
    assert_int_equal(t->heard.aside, 0);
    talk_end(t);
}

/* However many doubtful segments come, they never become true by their number. */
static void many_doubts_go_aside(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, true);
    t->heard.deaf = true;
    put(t, (struct seg)DATA(0, "ab"));
    for (uint32_t i = 0; i < 520; i++)
        put(t, (struct seg){2 + i * 4, "XXXX", 0, 0, true, 0, 0});
    for (uint32_t i = 0; i < 300; i++)
        put(t, (struct seg)DATA(2 + i * 7, "honest "));
    assert_int_equal(t->heard.len, 2 + 300 * 7);
    assert_null(strchr(t->heard.text, 'X'));
    stream_finish(&t->s[0], t->pool, &sink, &t->heard);
    assert_null(strchr(t->heard.text, 'X'));
    assert_int_equal(t->heard.aside, 520 * 4);
    talk_end(t);
}

/* Without memory a doubtful segment goes out aside too. */
static void doubts_without_memory_go_aside(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, true);
    put(t, (struct seg)DATA(0, "ab"));
    struct pool *pool = t->pool;
    t->pool = pool_open(0);
    put(t, (struct seg){2, "XX", 0, 0, true, 0, 0});
    pool_close(t->pool);
    t->pool = pool;
    put(t, (struct seg)DATA(2, "cd"));
    assert_string_equal(t->heard.text, "ab{XX}cd");
    talk_end(t);
}

/* A segment that overlaps many is reported and given out aside once. */
static void one_aside_a_segment(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, true);
    t->heard.deaf = true;
    static char part[101];
    for (uint32_t i = 0; i < 200; i++) {
        memset(part, (int)('a' + i % 20), 100);
        put(t, (struct seg)DATA(10 + i, part));
    }
    unsigned before = t->heard.anomalies;
    uint64_t aside = t->heard.aside;
    assert_true(before < 200);
    static char wide[5];
    memset(wide, 'Z', 4);
    for (unsigned i = 0; i < 3000; i++)
        put(t, (struct seg)DATA(60, wide));
    assert_int_equal(t->heard.aside, aside + UINT64_C(3000) * 4);
    assert_int_equal(t->heard.anomalies, 1001); /* the last one says that more are not told */
    assert_int_equal(t->s[0].anomalies, before + 3000);
    talk_end(t);
}

/* FIN overtakes all data of a stream picked up in the middle. */
static void fin_before_the_data(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, false);
    put(t, (struct seg){9, "", TCP_FIN, 0, false, 0, 0});
    put(t, (struct seg)DATA(0, "abc"));
    put(t, (struct seg)DATA(3, "def"));
    assert_false(stream_is_over(&t->s[0]));
    put(t, (struct seg)DATA(6, "ghi"));
    assert_string_equal(t->heard.text, "abcdefghi");
    assert_true(stream_is_over(&t->s[0]));
    talk_end(t);
}

static void reset_counts_at_its_place_only(void **state)
{
    (void)state;
    struct talk *t = talk_new(1000, true);
    put(t, (struct seg)DATA(0, "abc"));
    put(t, (struct seg){500, "", TCP_RST, 0, false, 0, 0});
    put(t, (struct seg){3, "", TCP_RST, 0, true, 0, 0});
    put(t, (struct seg){3, "", TCP_RST, 9, false, 0, 0});
    put(t, (struct seg){0, "", TCP_FIN, 0, false, 0, 0}); /* before what came */
    assert_false(stream_is_over(&t->s[0]));
    put(t, (struct seg){3, "", TCP_RST, 0, false, 0, 0});
    assert_true(t->s[0].reset);
    talk_end(t);
    t = talk_new(1000, true);
    put(t, (struct seg){0, "abc", TCP_FIN, 0, false, 0, 0});
    put(t, (struct seg){5, "", TCP_RST, 0, false, 0, 0});
    assert_false(t->s[0].reset);
    put(t, (struct seg){4, "", TCP_RST, 0, false, 0, 0}); /* FIN took a number */
    assert_true(t->s[0].reset);
    talk_end(t);
}

int main(void)
{
    enum {
        N = sizeof rows / sizeof rows[0]
    };
    struct CMUnitTest tests[N + 16];
    size_t n = 0;
    for (; n < N; n++)
        tests[n] =
            (struct CMUnitTest){rows[n].name, run_row, NULL, NULL, (void *)(uintptr_t)&rows[n]};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(sequence_numbers_wrap);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(picked_up_in_the_middle);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(hole_acknowledged_becomes_a_gap);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(data_in_the_syn);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(any_cut_reads_the_same);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(no_memory_is_a_gap);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(forgotten_bytes_are_counted);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(many_doubts_go_aside);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(doubts_without_memory_go_aside);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(one_aside_a_segment);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(fin_before_the_data);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(reset_counts_at_its_place_only);
    return _cmocka_run_group_tests("stream", tests, n, NULL, NULL);
}
