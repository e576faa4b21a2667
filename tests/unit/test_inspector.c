/* test_inspector.c - streams of whole formats through the inspector, cut in every way: the same
 * findings, at the same places of the stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>

#include "tests/record.h"
#include "tests/unit/test_inspector_build.h"

static struct rule_set *rules;

static void feed(struct record *r, const struct bytes *b, const size_t *cuts, size_t n, size_t step)
{
    record_open(r, rules, 64 << 20, false);
    record_stream(r, b->p, b->len, cuts, n, step);
}

/* assert_text compares two logs and tells the first line that differs. */
static void assert_text(const char *want, const char *got, const char *how, size_t at)
{
    if (strcmp(want, got) == 0)
        return;
    while (*want == *got && *want != '\0') {
        const char *w = strchr(want, '\n'), *g = strchr(got, '\n');
        if (w == NULL || g == NULL || w - want != g - got ||
            memcmp(want, got, (size_t)(w - want)) != 0)
            break;
        want = w + 1;
        got = g + 1;
    }
    fail_msg("%s at %zu\nwhole: %.*s\ncut:   %.*s", how, at, (int)strcspn(want, "\n"), want,
             (int)strcspn(got, "\n"), got);
}

static void assert_same(const struct record *want, const struct record *got, const char *how,
                        size_t at)
{
    assert_text(want->findings.s, got->findings.s, how, at);
    assert_text(want->objects.s, got->objects.s, how, at);
    assert_int_equal(want->n_findings, got->n_findings);
    assert_int_equal(got->n_misplaced, 0);
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* check_cuts feeds the stream whole, byte by byte, in 200 random ways and cut at each of the first
 * offsets, and compares all findings. It leaves the whole feed's record in *want. */
static void check_cuts(const struct bytes *b, struct record *want)
{
    struct record got;
    feed(want, b, NULL, 0, 0);
    assert_int_equal(want->n_misplaced, 0);
    feed(&got, b, NULL, 0, 1);
    assert_same(want, &got, "byte by byte", 1);
    record_close(&got);
    size_t stride = b->len / 1500 + 1;
    for (size_t at = 1; at < b->len; at += stride) {
        feed(&got, b, &at, 1, 0);
        assert_same(want, &got, "cut in two", at);
        record_close(&got);
    }
    uint32_t seed = 99;
    for (unsigned i = 0; i < 200; i++) {
        size_t cuts[40], n = 1 + i % 40;
        for (size_t k = 0; k < n; k++) {
            seed = seed * 1664525u + 1013904223u;
            cuts[k] = (seed >> 4) % (b->len + 1);
        }
        qsort(cuts, n, sizeof cuts[0], by_size);
        feed(&got, b, cuts, n, i % 8 == 7 ? 1 + i : 0);
        assert_same(want, &got, "random cuts", i);
        record_close(&got);
    }
}

/* assert_at checks that line `i` of the findings is of that class and stands where `value` does for
 * the `nth` time in the stream. */
static void assert_at(const struct record *r, const struct bytes *b, unsigned i, const char *class,
                      const char *value, unsigned nth)
{
    const char *line = r->findings.s;
    while (i-- > 0 && line != NULL)
        line = strchr(line, '\n') + 1;
    assert_non_null(line);
    const uint8_t *at = b->p;
    for (; nth > 0; nth--, at++) {
        while ((size_t)(at - b->p) + strlen(value) <= b->len &&
               memcmp(at, value, strlen(value)) != 0)
            at++;
        assert_true((size_t)(at - b->p) + strlen(value) <= b->len);
    }
    char want[40];
    (void)snprintf(want, sizeof want, " @%zu ", (size_t)(at - 1 - b->p));
    const char *place = strstr(line, want), *end = strchr(line, '\n');
    if (strncmp(line, class, strlen(class)) != 0 || place == NULL || place > end)
        fail_msg("no %s%sin: %.*s", class, want, (int)(end - line), line);
}

static void test_text(void **state)
{
    (void)state;
    struct bytes b = {0};
    put(&b, "Discharge of 11010519491231002X, phone 13800138000;\n");
    put(&b, "write to zhang.san@example.com or call 010-62345678.\n");
    put(&b, "In groups: 110105 19491231 002X and 138-0013-8000.\n");
    put(&b, "\xe5\xbc\xa0\xe4\xb8\x89\xef\xbc\x9a\xef\xbc\x91\xef\xbc\x93\xef\xbc\x98\xef\xbc\x90"
            "\xef\xbc\x90\xef\xbc\x91\xef\xbc\x93\xef\xbc\x98\xef\xbc\x90\xef\xbc\x90\xef\xbc\x90"
            "\xe3\x80\x82\n");
    struct record r;
    check_cuts(&b, &r);
    assert_int_equal(r.n_findings, 7);
    assert_at(&r, &b, 0, "id_number", "11010519491231002X", 1);
    assert_at(&r, &b, 1, "phone", "13800138000", 1);
    assert_at(&r, &b, 2, "email", "zhang.san@", 1);
    assert_at(&r, &b, 3, "phone", "010-62345678", 1);
    assert_at(&r, &b, 4, "id_number", "110105 19491231 002X", 1);
    assert_at(&r, &b, 5, "phone", "138-0013-8000", 1);
    assert_at(&r, &b, 6, "phone", "\xef\xbc\x91\xef\xbc\x93\xef\xbc\x98", 1);
    assert_non_null(strstr(r.findings.s, "tcp/text 33 0 @"));
    record_close(&r);
    free(b.p);
}

static const char json_body[] =
    "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"\\u5f20\\u4e09\"}],"
    "\"identifier\":[{\"system\":\"urn:oid:2.16.156.10011.1.3\",\"value\":\"11010519491231002X\"}],"
    "\"telecom\":[{\"system\":\"phone\",\"value\":\"138\\u0030\\u0030138000\"},"
    "{\"system\":\"email\",\"value\":\"zhang.san@example.com\"}],"
    "\"birthDate\":\"1949-12-31\",\"text\":{\"div\":\"call 139-0013-9000 or 13900139000\"}}";

static void test_http_json(void **state)
{
    (void)state;
    struct bytes b = {0};
    for (unsigned i = 0; i < 3; i++) {
        put_format(&b,
                   "POST /fhir/Patient HTTP/1.1\r\nHost: fhir.example.com\r\n"
                   "Content-Type: application/fhir+json\r\nContent-Length: %zu\r\n\r\n",
                   sizeof json_body - 1);
        put(&b, json_body);
    }
    struct record r;
    check_cuts(&b, &r);
    assert_true(r.n_findings >= 3 * 6);
    assert_int_equal(r.n_findings % 3, 0);
    assert_int_equal(r.n_anomalies, 0);
    unsigned each = (unsigned)r.n_findings / 3;
    for (unsigned i = 0; i < 3; i++) {
        assert_at(&r, &b, i * each, "person_name", "\\u5f20", i + 1);
        assert_at(&r, &b, i * each + 1, "id_number", "11010519491231002X", i + 1);
    }
    record_close(&r);
    free(b.p);
}

/* Chunks cut the body anywhere; the way back goes through them. */
static void test_http_chunked(void **state)
{
    (void)state;
    for (size_t chunk = 1; chunk < 200; chunk += chunk < 24 ? 1 : 43) {
        struct bytes b = {0};
        put(&b, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n");
        put_chunked(&b, (const uint8_t *)json_body, sizeof json_body - 1, chunk);
        struct record whole, bytes;
        feed(&whole, &b, NULL, 0, 0);
        feed(&bytes, &b, NULL, 0, 1);
        assert_same(&whole, &bytes, "chunks", chunk);
        assert_true(whole.n_findings >= 6);
        assert_int_equal(whole.n_anomalies, 0);
        /* Every value has a way back, which goes to its first byte. */
        unsigned lines = 0;
        for (const char *at = whole.findings.s; (at = strstr(at, " @")) != NULL; at++)
            lines++;
        assert_int_equal(lines, whole.n_findings);
        if (chunk > 100) {
            assert_at(&whole, &b, 1, "id_number", "1101051949", 1);
        }
        record_close(&whole);
        record_close(&bytes);
        free(b.p);
    }
}

static void test_http_gzip(void **state)
{
    (void)state;
    struct bytes plain = {0}, packed, b = {0};
    put(&plain, "[");
    for (unsigned i = 0; i < 200; i++)
        put_format(&plain, "{\"no\":%u,\"id\":\"%s\"}%s", i, id_of(i), i < 199 ? ",\n" : "]\n");
    packed = gzip_of(&plain);
    put(&b, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
    put_chunked(&b, packed.p, packed.len, 100);
    put(&b, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n\r\n"
            "11010519491231002X");
    struct record r;
    check_cuts(&b, &r);
    assert_int_equal(r.n_findings, 201);
    assert_at(&r, &b, 200, "id_number", "11010519491231002X", 1);
    assert_string_equal(r.anomalies.s, "");
    /* What was compressed has no way back. */
    unsigned back = 0;
    for (const char *at = r.findings.s; (at = strstr(at, " @")) != NULL; at++)
        back++;
    assert_int_equal(back, 1);
    record_close(&r);
    free(plain.p);
    free(packed.p);
    free(b.p);
}

static void test_multipart(void **state)
{
    (void)state;
    struct bytes plain = {0}, coded, body = {0}, b = {0};
    for (unsigned i = 0; i < 30; i++)
        put_format(&plain, "%u;%s;13800138000\r\n", i, id_of(i));
    coded = base64_of(&plain);
    put(&body, "--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nid 11010519491231002X\r\n"
               "--B\r\nContent-Type: text/csv\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    put_bytes(&body, coded.p, coded.len);
    put(&body, "\r\n--B\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
               "1101051949=\r\n1231002=58\r\n--B--\r\n");
    put_format(
        &b,
        "POST /up HTTP/1.1\r\nHost: a.example\r\nContent-Type: multipart/mixed; boundary=B\r\n"
        "Content-Length: %zu\r\n\r\n",
        body.len);
    put_bytes(&b, body.p, body.len);
    struct record r;
    check_cuts(&b, &r);
    assert_int_equal(r.n_findings, 62);
    assert_at(&r, &b, 0, "id_number", "11010519491231002X", 1);
    assert_int_equal(r.n_anomalies, 0);
    record_close(&r);
    free(plain.p);
    free(coded.p);
    free(body.p);
    free(b.p);
}

static void test_hl7(void **state)
{
    (void)state;
    if (dissector_find("hl7v2") == NULL)
        skip();
    struct bytes b = {0};
    for (unsigned i = 0; i < 5; i++)
        put_format(&b,
                   "\x0bMSH|^~\\&|MON|ICU|EMR|HOSP|20260101||ADT^A01^ADT_A01|%u|P|2.5.1\r"
                   "PID|1||MRN%04u^^^HOSP^MR~%s^^^^NI||ZHANG^SAN||19491231|F|||"
                   "1 Road^^Beijing||13800138000|||||\r"
                   "PV1|1|I|ICU^1\rOBX|1|TX|N^note||seen with 139-0013-9000 \\X31\\3900139000\r"
                   "\x1c\r",
                   i, i, id_of(i));
    struct record r;
    check_cuts(&b, &r);
    assert_int_equal(r.n_findings % 5, 0);
    assert_true(r.n_findings >= 5 * 7);
    assert_int_equal(r.n_objects, 5);
    assert_at(&r, &b, 0, "medical_record_number", "MRN0000", 1);
    assert_at(&r, &b, 1, "id_number", id_of(0), 1);
    assert_at(&r, &b, 2, "person_name", "ZHANG^SAN", 1);
    record_close(&r);
    free(b.p);
}

/* Flows that speak by turns, a byte at a time, are told like flows that speak alone. */
static void test_interleaved(void **state)
{
    (void)state;
    static const char message[] = "\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\r"
                                  "PID|1||MRN1^^^H^MR||ZHANG^SAN||19491231|F\r\x1c\r";
    struct record alone, both;
    record_open(&alone, rules, 64 << 20, false);
    record_stream(&alone, (const uint8_t *)message, sizeof message - 1, NULL, 0, 0);
    assert_int_equal(alone.n_findings, 3);
    record_open(&both, rules, 64 << 20, false);
    struct flow other = both.flow;
    for (size_t i = 0; i < sizeof message - 1; i++) {
        record_piece_add(&both, 0, (const uint8_t *)message, i, 1);
        inspector_stream(both.inspector, &other, 0, (const uint8_t *)message + i, 1,
                         (struct run){both.n_pieces, both.pieces[i].off, 1});
    }
    inspector_end(both.inspector, &other);
    record_finish(&both);
    assert_int_equal(both.n_findings, 6);
    assert_int_equal(both.n_misplaced, 0);
    /* Each line stands twice. */
    for (const char *line = alone.findings.s; *line != '\0'; line = strchr(line, '\n') + 1) {
        char one[300];
        (void)snprintf(one, sizeof one, "%.*s\n", (int)strcspn(line, "\n"), line);
        const char *first = strstr(both.findings.s, one);
        assert_non_null(first);
        assert_non_null(strstr(first + 1, one));
    }
    record_close(&alone);
    record_close(&both);
}

/* Both directions of a flow are streams of their own. */
static void test_directions(void **state)
{
    (void)state;
    static const char there[] = "GET /patients/by-number?id=11010519491231002X HTTP/1.1\r\n"
                                "Host: a.example\r\n\r\n";
    static const char back[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n13800138000";
    struct record r;
    record_open(&r, rules, 64 << 20, false);
    for (size_t i = 0; i < sizeof there - 1 || i < sizeof back - 1; i++) {
        if (i < sizeof there - 1)
            record_piece_add(&r, 0, (const uint8_t *)there, i, 1);
        if (i < sizeof back - 1)
            record_piece_add(&r, 1, (const uint8_t *)back, i, 1);
    }
    const struct flow_app *app = inspector_app(&r.flow);
    assert_string_equal(app->dissector[0], "http1");
    assert_string_equal(app->dissector[1], "http1");
    assert_string_equal(app->server, "a.example");
    assert_int_equal(app->findings[0], 1);
    record_finish(&r);
    assert_int_equal(r.n_findings, 2);
    assert_int_equal(inspector_counts_get(r.inspector)->stream_bytes,
                     sizeof there - 1 + sizeof back - 1);
    record_close(&r);
}

/* Datagrams and bytes outside of streams are read one by one; with pieces of their own place. */
static void test_datagrams(void **state)
{
    (void)state;
    struct record r;
    record_open(&r, rules, 64 << 20, false);
    r.flow.proto = IP_PROTO_UDP;
    static const char text[] = "id 11010519491231002X";
    /* Two fragments: the number begins in the second. */
    const struct run runs[] = {{7, 100, 3}, {8, 34, sizeof text - 4}};
    inspector_datagram(r.inspector, &r.flow, 0, (const uint8_t *)text, sizeof text - 1, runs, 2);
    inspector_aside(r.inspector, &r.flow, 0, (const uint8_t *)text, sizeof text - 1,
                    (struct run){9, 60, sizeof text - 1});
    inspector_datagram(r.inspector, &r.flow, 0, (const uint8_t *)"", 0, NULL, 0);
    record_finish(&r);
    assert_string_equal(r.findings.s,
                        "id_number id_number_18 udp/text 18 0 @18446744073709551615 "
                        "11010519491231002X\n"
                        "id_number id_number_18 udp/aside/text 18 0 @18446744073709551615 "
                        "11010519491231002X\n");
    assert_int_equal(inspector_counts_get(r.inspector)->aside_bytes, sizeof text - 1);
    record_close(&r);
}

/* A datagram that breaks off is told once. */
static void test_datagram_cut_off(void **state)
{
    (void)state;
    static const char *const cut[] = {"{\"a\":[1,2,{\"id\":\"11010519491231002X\"",
                                      "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nab",
                                      "<?xml version=\"1.0\"?><a><b>11010519491231002X</b>",
                                      "\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rPID|1||"};
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        struct record r;
        record_open(&r, rules, 64 << 20, false);
        inspector_datagram(r.inspector, &r.flow, 0, (const uint8_t *)cut[i], strlen(cut[i]),
                           &(struct run){1, 54, strlen(cut[i])}, 1);
        record_finish(&r);
        assert_true(r.n_findings <= 1 && r.n_objects <= 1 && r.n_anomalies <= 1);
        record_close(&r);
    }
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
        cmocka_unit_test(test_text),         cmocka_unit_test(test_http_json),
        cmocka_unit_test(test_http_chunked), cmocka_unit_test(test_http_gzip),
        cmocka_unit_test(test_multipart),    cmocka_unit_test(test_hl7),
        cmocka_unit_test(test_directions),   cmocka_unit_test(test_interleaved),
        cmocka_unit_test(test_datagrams),    cmocka_unit_test(test_datagram_cut_off),
    };
    return cmocka_run_group_tests(tests, load_rules, free_rules);
}
