/* test_inspector_long.c - long texts through the inspector: windows and their borders, counts that
 * are exact, gaps, limits of memory, what an idle flow keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/detect.h"
#include "tests/record.h"
#include "tests/unit/test_inspector_build.h"

static struct rule_set *rules;

static const char an_id[] = "11010519491231002X";

/* filler of words and line ends that no rule matches. */
static void fill(uint8_t *p, size_t n, bool lines)
{
    static const char words[] = "the pump runs at rate seven and stops when told to stop; ";
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(lines && i % 97 == 96 ? '\n' : words[i % (sizeof words - 1)]);
}

static void check_one(const uint8_t *p, size_t len, size_t at, const char *value, size_t cut)
{
    struct record r;
    record_open(&r, rules, 64 << 20, false);
    record_stream(&r, p, len, &cut, cut > 0, 0);
    char want[200];
    (void)snprintf(want, sizeof want, "id_number id_number_18 tcp/text %zu 0 @%zu %s\n",
                   strlen(value), at, an_id);
    if (strcmp(r.findings.s, want) != 0)
        fail_msg("value at %zu of %zu, cut %zu: %s", at, len, cut, r.findings.s);
    record_close(&r);
}

/* A value at every offset around the borders of windows and of what is kept between them. */
static void test_borders(void **state)
{
    (void)state;
    enum {
        LEN = WINDOW_RAW * 2 + 3000
    };
    static uint8_t p[LEN];
    static const size_t borders[] = {
        WINDOW_RAW,
        WINDOW_RAW - RULE_MAX_LEN,
        WINDOW_RAW - RULE_MAX_LEN - RULE_MAX_AFTER,
        WINDOW_RAW - RULE_MAX_LEN - RULE_MAX_AFTER - RULE_MAX_BEFORE,
        WINDOW_RAW - TAIL_BYTES,
        2 * WINDOW_RAW,
        2 * WINDOW_RAW - RULE_MAX_LEN - RULE_MAX_AFTER,
        2 * WINDOW_RAW - TAIL_BYTES,
    };
    static const char *const forms[] = {an_id, "110105 19491231 002X"};
    for (unsigned lines = 0; lines < 2; lines++) {
        for (size_t b = 0; b < sizeof borders / sizeof borders[0]; b++) {
            for (size_t f = 0; f < 2; f++) {
                size_t n = strlen(forms[f]);
                for (size_t at = borders[b] - n - 2; at <= borders[b] + 2; at++) {
                    fill(p, LEN, lines != 0);
                    p[at - 1] = p[at + n] = ' ';
                    memcpy(p + at, forms[f], n);
                    check_one(p, LEN, at, forms[f], 0);
                }
            }
        }
    }
}

/* Packets of a long text: their borders are borders of windows too. */
static void test_packets(void **state)
{
    (void)state;
    static uint8_t p[6000];
    for (unsigned lines = 0; lines < 2; lines++) {
        for (size_t at = 1440; at <= 1462; at++) {
            for (size_t cut = at - 2; cut <= at + 20; cut++) {
                fill(p, sizeof p, lines != 0);
                p[at - 1] = p[at + 18] = ' ';
                memcpy(p + at, an_id, 18);
                check_one(p, sizeof p, at, an_id, cut);
            }
        }
    }
}

/* Escaped and wide letters take more raw bytes than text: no window may lose any for that. */
static void test_wide(void **state)
{
    (void)state;
    enum {
        LEN = 3 * WINDOW_RAW
    };
    static uint8_t p[LEN];
    /* UTF-16: ids in every 100 letters. */
    unsigned ids = 0;
    size_t n = 0;
    while (n + 400 < LEN) {
        char line[101];
        (void)snprintf(line, sizeof line, "%-40s%s%-41s\n", "note", id_of(ids++), " of a person");
        for (size_t i = 0; i < 100; i++) {
            p[n++] = (uint8_t)line[i];
            p[n++] = 0;
        }
    }
    static const size_t steps[] = {0, 1400, 777, 33};
    for (size_t s = 0; s < 4; s++) {
        struct record r;
        record_open(&r, rules, 64 << 20, false);
        r.quiet = true;
        record_stream(&r, p, n, NULL, 0, steps[s]);
        assert_int_equal(inspector_counts_get(r.inspector)->findings[CLASS_ID_NUMBER], ids);
        assert_int_equal(r.n_misplaced, 0);
        record_close(&r);
    }
    /* JSON with every letter as \uXXXX, one value, no line ends. */
    for (unsigned first = 0; first < 40; first += 3) {
        struct bytes b = {0};
        put(&b, "{\"note\":\"");
        ids = 0;
        for (unsigned i = 0; i < 500; i++) {
            char text[64];
            (void)snprintf(text, sizeof text, "%.*s id %s; ", (int)(i == 0 ? first : 13),
                           "and so it was and will be until the end", id_of(ids++));
            for (const char *t = text; *t != '\0'; t++)
                put_format(&b, "\\u%04x", (unsigned)*t);
        }
        put(&b, "\"}");
        struct record r;
        record_open(&r, rules, 64 << 20, false);
        r.quiet = true;
        record_stream(&r, b.p, b.len, NULL, 0, first % 2 == 0 ? 0 : 1400);
        assert_int_equal(inspector_counts_get(r.inspector)->findings[CLASS_ID_NUMBER], ids);
        record_close(&r);
        free(b.p);
    }
}

/* 6,000 in one stream are 6,000, in whatever form and however cut. */
static void test_exact_count(void **state)
{
    (void)state;
    static const char *const forms[] = {"%s\n", "%s ", "id=%s;", "<id>%s</id>\r\n", "%s|"};
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        struct bytes b = {0};
        put(&b, "numbers: ");
        for (unsigned i = 0; i < 6000; i++) {
            char one[64];
            (void)snprintf(one, sizeof one, "%s", id_of(i));
            for (const char *at = forms[f]; *at != '\0'; at++) {
                if (at[0] == '%' && at[1] == 's') {
                    put(&b, one);
                    at++;
                } else {
                    put_bytes(&b, (const uint8_t *)at, 1);
                }
            }
        }
        static const size_t steps[] = {0, 1460, 131, 7};
        for (size_t s = 0; s < 4; s++) {
            struct record r;
            record_open(&r, rules, 64 << 20, false);
            r.quiet = true;
            record_stream(&r, b.p, b.len, NULL, 0, steps[s]);
            if (inspector_counts_get(r.inspector)->findings[CLASS_ID_NUMBER] != 6000)
                fail_msg("form %zu step %zu: %u of 6000", f, steps[s],
                         (unsigned)inspector_counts_get(r.inspector)->findings[CLASS_ID_NUMBER]);
            assert_int_equal(r.n_misplaced, 0);
            record_close(&r);
        }
        free(b.p);
    }
}

/* Groups of digits everywhere: no number of them makes the rules miss one. */
static void test_many_groups(void **state)
{
    (void)state;
    struct bytes b = {0};
    for (unsigned i = 0; i < 3000; i++)
        put_format(&b, "%.6s %.8s %.4s, 12 34 56 78 90 12 34 56 78\n", id_of(i), id_of(i) + 6,
                   id_of(i) + 14);
    struct record r;
    record_open(&r, rules, 64 << 20, false);
    r.quiet = true;
    record_stream(&r, b.p, b.len, NULL, 0, 0);
    assert_int_equal(inspector_counts_get(r.inspector)->findings[CLASS_ID_NUMBER], 3000);
    record_close(&r);
    free(b.p);
    /* The same as short fields of JSON: more of them than a batch holds. */
    b = (struct bytes){0};
    put(&b, "[");
    for (unsigned i = 0; i < 6000; i++)
        put_format(&b, "\"%.6s %.8s %.4s\"%s", id_of(i), id_of(i) + 6, id_of(i) + 14,
                   i < 5999 ? "," : "]");
    record_open(&r, rules, 64 << 20, false);
    r.quiet = true;
    record_stream(&r, b.p, b.len, NULL, 0, 0);
    assert_int_equal(inspector_counts_get(r.inspector)->findings[CLASS_ID_NUMBER], 6000);
    record_close(&r);
    free(b.p);
    /* And many matches in little text. */
    b = (struct bytes){0};
    for (unsigned i = 0; i < 40000; i++)
        put(&b, "a@b.cn ");
    record_open(&r, rules, 64 << 20, false);
    r.quiet = true;
    record_stream(&r, b.p, b.len, NULL, 0, 0);
    assert_int_equal(inspector_counts_get(r.inspector)->findings[CLASS_EMAIL], 40000);
    record_close(&r);
    free(b.p);
}

static void test_far(void **state)
{
    (void)state;
    enum {
        LEN = 10 << 20
    };
    uint8_t *p = malloc(LEN + 100);
    assert_non_null(p);
    for (unsigned lines = 0; lines < 2; lines++) {
        fill(p, LEN, lines != 0);
        p[LEN] = ' ';
        memcpy(p + LEN + 1, an_id, 18);
        struct record r;
        record_open(&r, rules, 64 << 20, false);
        record_stream(&r, p, LEN + 19, NULL, 0, 1460);
        assert_int_equal(r.n_findings, 1);
        assert_int_equal(r.last_off, LEN + 1);
        assert_true(pool_peak(inspector_pool(r.inspector)) < 64 << 10);
        record_close(&r);
    }
    free(p);
}

/* A number with a gap in it is not found; those around it are, at their places. */
static void test_gaps(void **state)
{
    (void)state;
    static uint8_t p[4000];
    for (size_t from = 1990; from < 2030; from++) {
        for (size_t missing = 1; missing < 60; missing += 13) {
            fill(p, sizeof p, true);
            memcpy(p + 1000, " 11010519491231002X ", 20);
            memcpy(p + 2000, " 11010519491231002X ", 20);
            memcpy(p + 3000, " 11010519491231002X ", 20);
            struct record r;
            record_open(&r, rules, 64 << 20, false);
            record_piece_add(&r, 0, p, 0, from);
            inspector_gap(r.inspector, &r.flow, 0, missing);
            record_piece_add(&r, 0, p, from + missing, sizeof p - from - missing);
            record_finish(&r);
            bool hit = from < 2019 && from + missing > 2001;
            assert_int_equal(r.n_findings, hit ? 2 : 3);
            assert_int_equal(r.n_misplaced, 0);
            assert_non_null(strstr(r.findings.s, "@1001 "));
            assert_non_null(strstr(r.findings.s, "@3001 "));
            assert_int_equal(inspector_counts_get(r.inspector)->gap_bytes, missing);
            record_close(&r);
        }
    }
}

/* With little memory nothing breaks, what was not read is counted, and all is given back. */
static void test_memory_limit(void **state)
{
    (void)state;
    struct bytes b = {0};
    put(&b, "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
    struct bytes body = {0};
    put(&body, "{\"list\":[");
    for (unsigned i = 0; i < 300; i++)
        put_format(&body, "{\"id\":\"%s\",\"note\":\"%0200u\"},", id_of(i), i);
    put(&body, "0]}");
    put_chunked(&b, body.p, body.len, 333);
    uint64_t found_most = 0;
    for (size_t limit = 0; limit < 1 << 20; limit += limit < 16 << 10 ? 1 << 10 : 37 << 10) {
        for (size_t step = 0; step <= 1400; step += 700) {
            struct record r;
            record_open(&r, rules, limit, false);
            record_stream(&r, b.p, b.len, NULL, 0, step);
            const struct inspector_counts *c = inspector_counts_get(r.inspector);
            assert_true(c->findings[CLASS_ID_NUMBER] <= 300);
            if (c->findings[CLASS_ID_NUMBER] < 300)
                assert_true(c->limit_memory > 0 && c->refused_bytes > 0);
            assert_true(pool_peak(inspector_pool(r.inspector)) <= limit + 4096); /* whole pages */
            if (c->findings[CLASS_ID_NUMBER] > found_most)
                found_most = c->findings[CLASS_ID_NUMBER];
            record_close(&r);
        }
    }
    assert_int_equal(found_most, 300);
    free(b.p);
    free(body.p);
}

/* ---- idle flows ---------------------------------------------------------------------------- */

/* idle_bytes is what one flow keeps, its slot included, when both directions wait after a message.
 */
static size_t idle_bytes(const char *there, const char *back, const char *name)
{
    struct record r;
    record_open(&r, rules, 64 << 20, false);
    r.quiet = true;
    for (unsigned i = 0; i < 3; i++) {
        record_piece_add(&r, 0, (const uint8_t *)there, 0, strlen(there));
        record_piece_add(&r, 1, (const uint8_t *)back, 0, strlen(back));
    }
    size_t pool = pool_used(inspector_pool(r.inspector));
    printf("note: an idle %s flow keeps %zu bytes: slot %zu, inspection %zu\n", name,
           pool + sizeof(struct flow), sizeof(struct flow), pool);
    record_finish(&r);
    record_close(&r);
    return pool + sizeof(struct flow);
}

static void test_idle(void **state)
{
    (void)state;
    static char body[8000];
    (void)snprintf(body, sizeof body,
                   "POST /fhir HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\n"
                   "Content-Length: 4000\r\n\r\n{\"id\":\"%s\",\"x\":\"%03900u\"}%66s",
                   an_id, 1u, " ");
    size_t http = idle_bytes(
        body, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok", "HTTP");
    size_t hl7 = idle_bytes("\x0bMSH|^~\\&|MON|ICU|EMR|HOSP|20260101||ADT^A01|1|P|2.5.1\r"
                            "PID|1||MRN1^^^H^MR||ZHANG^SAN||19491231|F\r\x1c\r",
                            "\x0bMSH|^~\\&|EMR|HOSP|MON|ICU|20260101||ACK^A01|1|P|2.5.1\r"
                            "MSA|AA|1\r\x1c\r",
                            "HL7");
    static char line[600];
    fill((uint8_t *)line, 590, true);
    line[589] = '\n';
    size_t text = idle_bytes(line, line, "text, by lines,");
    line[589] = 'x';
    fill((uint8_t *)line, 589, false);
    size_t prose = idle_bytes(line, line, "text without line ends");
    (void)prose;
    assert_true(http <= 4096 && hl7 <= 4096 && text <= 4096);
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
        cmocka_unit_test(test_borders),     cmocka_unit_test(test_packets),
        cmocka_unit_test(test_wide),        cmocka_unit_test(test_exact_count),
        cmocka_unit_test(test_many_groups), cmocka_unit_test(test_far),
        cmocka_unit_test(test_gaps),        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, load_rules, free_rules);
}
