/* test_detect.c - many values, long values, values at the edge of a window: none lost, none twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/record.h"

static struct rule_set *rules;

enum {
    ROOM = 1 << 20
};

static char text[ROOM];
static size_t len;

__attribute__((format(printf, 1, 2))) static void put(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text + len, ROOM - len, fmt, ap);
    va_end(ap);
    assert_true(n >= 0 && (size_t)n < ROOM - len);
    len += (size_t)n;
}

static void fill(size_t n, char c)
{
    assert_true(len + n < ROOM);
    memset(text + len, c, n);
    len += n;
}

/* feed gives the text in pieces of `step` bytes, 0: whole. */
static void feed(struct record *r, size_t step)
{
    record_open(r, rules, 64 << 20, false);
    record_stream(r, (const uint8_t *)text, len, NULL, 0, step);
    assert_int_equal(r->n_misplaced, 0);
}

static void assert_found(uint64_t n, size_t step)
{
    struct record r;
    feed(&r, step);
    assert_int_equal(r.n_findings, n);
    record_close(&r);
}

/* More separated groups than fields or groups fit into a batch. */
static void test_many_groups(void **state)
{
    (void)state;
    len = 0;
    put("{\"rows\":[\"138 0013 8000\"");
    for (unsigned i = 1; i < 6000; i++)
        put(",\"138 0013 8%03u\"", i % 1000);
    put("]}");
    assert_found(6000, 0);
    assert_found(6000, 60000);
    assert_found(6000, 1400);
    len = 0;
    for (unsigned i = 0; i < 6000; i++)
        put("138 0013 8%03u\n", i % 1000);
    assert_found(6000, 0);
    assert_found(6000, 60000);
    assert_found(6000, 1400);
}

/* A group's value is its digits, its place all of it. */
static void test_group_value(void **state)
{
    (void)state;
    len = 0;
    put("{\"n\":\"call 138-0013-8000 or 110105 19491231 002x\"}");
    struct record r;
    feed(&r, 0);
    assert_non_null(strstr(r.findings.s, " 13 0 @11 13800138000\n"));
    assert_non_null(strstr(r.findings.s, " 20 0 @28 11010519491231002X\n"));
    assert_int_equal(r.n_findings, 2);
    record_close(&r);
}

static void test_many_hits(void **state)
{
    (void)state;
    len = 0;
    put("{\"rows\":[\"");
    for (unsigned i = 0; i < 9000; i++)
        put("%s", i % 1125 == 1124 && i < 8999 ? "a@b.cn\",\"" : "a@b.cn ");
    put("\"]}");
    assert_found(9000, 0);
    assert_found(9000, 1400);
}

/* put_escaped writes every character as an escape of six bytes. */
static void put_escaped(const char *s, bool is_xml)
{
    for (; *s != '\0'; s++)
        put(is_xml ? "&#%03u;" : "\\u%04x", (unsigned)*s);
}

/* What an escaped value is near to: the end of a window in each place. */
static void test_escaped_edges(void **state)
{
    (void)state;
    for (unsigned xml = 0; xml < 2; xml++) {
        for (unsigned back = 0; back < 700; back += 7) {
            len = 0;
            put(xml ? "<?xml version=\"1.0\"?><a><note>" : "{\"note\":\"");
            for (unsigned i = 0; i < 32768 / 6 - back; i++)
                put_escaped("a", xml);
            put_escaped(" 13800138000 ", xml);
            for (unsigned i = 0; i < 2000; i++)
                put_escaped("b", xml);
            put(xml ? "</note></a>" : "\"}");
            assert_found(1, 0);
        }
    }
    assert_found(1, 1400);
    assert_found(1, 700);
}

/* A long value that a gap ends is read as the kind of text it was. */
static void test_gap_keeps_escapes(void **state)
{
    (void)state;
    len = 0;
    put("{\"note\":\"");
    for (unsigned i = 0; i < 40000; i++)
        put_escaped("a", false);
    put_escaped(" 13800138000 ", false);
    for (unsigned i = 0; i < 20; i++)
        put_escaped("b", false);
    struct record r;
    record_open(&r, rules, 64 << 20, false);
    for (size_t at = 0; at < len; at += 1500)
        record_piece_add(&r, 0, (const uint8_t *)text, at, len - at < 1500 ? len - at : 1500);
    inspector_gap(r.inspector, &r.flow, 0, 1000);
    assert_int_equal(r.n_findings, 1);
    assert_non_null(strstr(r.findings.s, "13800138000\n"));
    record_finish(&r);
    record_close(&r);
}

/* Without memory for what must be kept, all that is there is decided, and the loss is counted. */
static void test_no_memory(void **state)
{
    (void)state;
    len = 0;
    fill(3000, 'a');
    size_t first = len;
    put(" 13800138000 ");
    struct record r;
    record_open(&r, rules, 4 << 20, false);
    record_piece_add(&r, 0, (const uint8_t *)text, 0, first);
    static void *blocks[1 << 16];
    size_t n = 0;
    struct pool *pool = inspector_pool(r.inspector);
    for (size_t size = 1 << 16; size > 64; size -= size / 16)
        while (n < 1 << 16 && (blocks[n] = pool_take(pool, size)) != NULL)
            n++;
    fill(2000, 'b');
    record_piece_add(&r, 0, (const uint8_t *)text, first, len - first - 990);
    record_piece_add(&r, 0, (const uint8_t *)text, len - 990, 990);
    assert_int_equal(r.n_findings, 1);
    assert_true(inspector_counts_get(r.inspector)->limit_memory > 0);
    inspector_close(r.inspector);
    r.inspector = NULL;
    record_close(&r);
}

/* A name that comes in parts is one finding as long as all of them, however they are cut. */
static void test_long_name(void **state)
{
    (void)state;
    len = 0;
    put("<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\"><recordTarget>"
        "<patientRole><patient><name><family>");
    size_t at = len;
    for (unsigned i = 0; i < 20000; i++)
        put("ZHANG ");
    size_t name = len - at;
    put("</family></name></patient></patientRole></recordTarget></ClinicalDocument>");
    static const size_t steps[] = {0, 60000, 1400, 97};
    char want[100];
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct record r;
        feed(&r, steps[i]);
        assert_int_equal(r.n_findings, 1);
        (void)snprintf(want, sizeof want, " %zu 0 @%zu ZHANG ZHANG ", name, at);
        if (strstr(r.findings.s, want) == NULL)
            fail_msg("not%sbut %.200s", want, r.findings.s);
        assert_true(r.findings.len > 512);
        record_close(&r);
    }
}

/* Text in the smallest pieces is found as in large ones. */
static void test_small_pieces(void **state)
{
    (void)state;
    len = 0;
    for (unsigned i = 0; i < 300; i++) {
        put("id 11010519491231002X and 138-0013-8000 or a%u@example.com", i);
        fill(i, '.');
        put(i % 3 ? " " : "\n");
    }
    struct record whole, cut;
    feed(&whole, 0);
    assert_int_equal(whole.n_findings, 900);
    static const size_t steps[] = {1, 2, 3, 19, 256, 1023, 1025};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        feed(&cut, steps[i]);
        assert_string_equal(whole.findings.s, cut.findings.s);
        record_close(&cut);
    }
    record_close(&whole);
}

/* feed_until gives more of the text byte by byte, up to `to`. */
static void feed_until(struct record *r, size_t to)
{
    size_t from = r->n_pieces > 0 ? (size_t)r->pieces[r->n_pieces - 1].from + 1 : 0;
    for (size_t at = from; at < to; at++)
        record_piece_add(r, 0, (const uint8_t *)text, at, 1);
}

/* Small pieces wait until there is enough to look at, or a line ends, or the stream. */
static void test_waiting(void **state)
{
    (void)state;
    len = 0;
    fill(100, 'x');
    put(" 13800138000 ");
    fill(2000, 'x');
    put(" 13800138000\n");
    size_t line = len;
    fill(100, 'x');
    put(" 13800138000");
    struct record r;
    record_open(&r, rules, 64 << 20, false);
    feed_until(&r, 600);
    assert_int_equal(r.n_findings, 0);
    feed_until(&r, 1600);
    assert_int_equal(r.n_findings, 1);
    feed_until(&r, line);
    assert_int_equal(r.n_findings, 2);
    feed_until(&r, len);
    assert_int_equal(r.n_findings, 2);
    record_finish(&r);
    assert_int_equal(r.n_findings, 3);
    assert_non_null(strstr(r.findings.s, " 11 0 @101 13800138000\n"));
    assert_int_equal(r.n_misplaced, 0);
    record_close(&r);
}

static int load_rules(void **state)
{
    (void)state;
    struct fault f = {0};
    return rule_set_load(SOURCE_DIR "/rules", &rules, &f) == STATUS_OK ? 0 : -1;
}

static int free_rules(void **state)
{
    (void)state;
    rule_set_free(rules);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_groups),       cmocka_unit_test(test_group_value),
        cmocka_unit_test(test_many_hits),         cmocka_unit_test(test_escaped_edges),
        cmocka_unit_test(test_gap_keeps_escapes), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_long_name),         cmocka_unit_test(test_small_pieces),
        cmocka_unit_test(test_waiting),
    };
    return cmocka_run_group_tests(tests, load_rules, free_rules);
}
