/* test_tls.c - TLS: what hellos and certificates say, however recorded and cut; the rest opaque.
 *
 * The captured halves in tests/fuzz/corpus/tls are of openssl s_client and s_server with made-up
 * certificates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector tls_dissector;

#define CORPUS SOURCE_DIR "/tests/fuzz/corpus/tls/"

static void expect(const void *bytes, size_t len, const char *want)
{
    char *log = drive_events(&tls_dissector, bytes, len, NULL);
    assert_string_equal(log, want);
    free(log);
    char *differs = drive_law(&tls_dissector, bytes, len, NULL, 50, 1);
    if (differs != NULL)
        print_error("%s\n", differs);
    assert_null(differs);
}

static unsigned bid(const void *bytes, size_t len)
{
    return tls_dissector.probe((struct view){bytes, len, 0, true, NULL});
}

/* A ClientHello for pacs.example that offers h2 and x. */
static const uint8_t hello[] = {
    0x16, 3,    1,    0,   87,                                                     /* record */
    1,    0,    0,    83,                                                          /* message */
    3,    3,    1,    2,   3,   4,    5,    6,   7,   8,   9,   10,  11,  12,  13, /* random */
    14,   15,   16,   17,  18,  19,   20,   21,  22,  23,  24,  25,  26,  27,  28,
    29,   30,   31,   32,  2,   0xaa, 0xbb, /* session */
    0,    2,    0x13, 1,   1,   0,          /* ciphers */
    0,    38,                               /* extensions */
    0,    0,    0,    17,  0,   15,   0,    0,   12,  'p', 'a', 'c', 's', '.', 'e',
    'x',  'a',  'm',  'p', 'l', 'e',                            /* server name */
    0,    16,   0,    7,   0,   5,    2,    'h', '2', 1,   'x', /* ALPN */
    0xfe, 0x0d, 0,    2,   0,   0,                              /* encrypted hello */
};

static const char hello_events[] =
    "begin client_hello\n"
    "field host client_hello.server_name 63+12 [us-ascii] pacs.example\n"
    "field code client_hello.alpn 82+2 [us-ascii] h2\n"
    "field code client_hello.alpn 85+1 [us-ascii] x\n"
    "anomaly 90+0 encrypted client hello: the true server name may be hidden\n"
    "end\n";

static void client_hello(void **state)
{
    (void)state;
    assert_int_equal(sizeof hello, 92);
    expect(hello, sizeof hello, hello_events);
    assert_true(bid(hello, sizeof hello) > 40);
}

static void server_hello_and_what_follows(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x16, 3,  3,  0,  53, 2,    0,    0,   49, 3,   3,   1,  2,    3,  4,  5,
        6,    7,  8,  9,  10, 11,   12,   13,  14, 15,  16,  17, 18,   19, 20, 21,
        22,   23, 24, 25, 26, 27,   28,   29,  30, 31,  32,  0,  0x13, 1,  0, /* hello */
        0,    9,  0,  16, 0,  5,    0,    3,   2,  'h', '2',                  /* ALPN */
        0x15, 3,  3,  0,  2,  1,    112,          /* alert in the clear */
        0x14, 3,  3,  0,  1,  1,                  /* change cipher spec */
        0x16, 3,  3,  0,  4,  0xde, 0xad, 1,   2, /* encrypted */
        0x15, 3,  3,  0,  2,  'a',  'b',          /* encrypted alert */
        0x17, 3,  3,  0,  0,                      /* nothing */
        0x17, 3,  3,  0,  3,  'x',  'y',  'z',
    };
    expect(bytes, sizeof bytes,
           "begin server_hello\n"
           "field code server_hello.version 9+2 \\x03\\x03\n"
           "field code server_hello.alpn 56+2 [us-ascii] h2\n"
           "end\n"
           "field opaque record.handshake 76+4 \xde\xad\\x01\\x02\n"
           "field opaque record.alert 85+2 ab\n"
           "field opaque record.application_data 97+3 xyz\n");
}

static uint8_t *captured(const char *name, size_t *len)
{
    char path[512];
    (void)snprintf(path, sizeof path, CORPUS "%s", name);
    uint8_t *bytes = drive_file(path, len);
    assert_non_null(bytes);
    return bytes;
}

static void expect_captured(const char *name, const char *const *lines)
{
    size_t len;
    uint8_t *bytes = captured(name, &len);
    char *log = drive_events(&tls_dissector, bytes, len, NULL);
    const char *at = log;
    for (; *lines != NULL; lines++) {
        at = strstr(at, *lines);
        if (at == NULL)
            fail_msg("%s: no \"%s\" here:\n%s", name, *lines, log);
        at += strlen(*lines);
    }
    free(log);
    assert_null(drive_law(&tls_dissector, bytes, len, NULL, 50, 1));
    assert_true(bid(bytes, PROBE_LEN) > 40);
    free(bytes);
}

static void certificate_of_a_person(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "begin client_hello\n",
        "field host client_hello.server_name 115+12 [us-ascii] pacs.example\n",
        "end\nbegin certificate\n",
        "field text certificate[0].issuer.O 315+19 [utf-8] Example Hospital CA\n",
        "field text certificate[0].subject.O 408+12 [utf-8] 示例医院\n",
        "field name certificate[0].subject.SN 451+3 [utf-8] 王\n",
        "field name certificate[0].subject.GN 465+6 [utf-8] 小明\n",
        "field text certificate[0].subject.CN 482+9 [utf-8] 王小明\n",
        "field email certificate[0].subject.emailAddress 508+30 [us-ascii] "
        "wang.xiaoming@hospital.example\n",
        "field email certificate[0].subjectAltName.email 853+30",
        "field account certificate[0].subjectAltName.other 901+23 [utf-8] "
        "wangxm@hospital.example\n",
        "field text certificate[0].subjectAltName.directory.CN 939+18",
        "field id_number certificate[0].identifyCode 971+20 \\x13\\x12110101199003070000\n",
        "end\n",
        "field opaque record.handshake 1717+40",
        "field opaque record.application_data 1762+30",
        NULL,
    };
    expect_captured("tls12_client", lines);
}

static void certificate_of_a_server(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "field host certificate[0].subject.CN 292+12 [utf-8] pacs.example\n"
        "field host certificate[0].subjectAltName.dns 617+12 [us-ascii] pacs.example\n"
        "field host certificate[0].subjectAltName.dns 631+14 [us-ascii] *.ward.example\n"
        "field binary certificate[0].subjectAltName.ip 647+4",
        "field text certificate[0].subjectAltName.uri 653+22 [us-ascii] https://pacs.example/x\n"
        "field code certificate[1].issuer.C 1140+2 [us-ascii] CN\n",
        "field text certificate[1].subject.CN 1275+4 [utf-8] Root\nend\n"
        "field opaque record.handshake 3652+40",
        NULL,
    };
    expect_captured("tls12_server", lines);
}

/* Made by hand: every kind of place that is told, a name in UTF-16, Chinese identity extensions. */
static void certificate_made_by_hand(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = captured("certificate", &len);
    expect(bytes, len,
           "begin certificate\n"
           "field text certificate[0].issuer.O 49+2 [utf-8] CA\n"
           "field text certificate[0].subject.CN 66+6 [utf-8] 张三\n"
           "field name certificate[0].subject.GN 83+2 [utf-16be] N\\x09\n"
           "field account certificate[0].subject.UID 103+2 [us-ascii] u1\n"
           "field email certificate[0].subjectAltName.email 126+11 [us-ascii] z@x.example\n"
           "field host certificate[0].subjectAltName.dns 139+9 [us-ascii] x.example\n"
           "field text certificate[0].subjectAltName.uri 150+3 [us-ascii] u:x\n"
           "field binary certificate[0].subjectAltName.ip 155+4 \xc0\\x00\\x02\\x01\n"
           "field account certificate[0].subjectAltName.other 177+3 [utf-8] z@x\n"
           "field text certificate[0].subjectAltName.directory.CN 195+6 [utf-8] 张三\n"
           "field name certificate[0].subjectAltName.directory.GN 212+2 [utf-16be] N\\x09\n"
           "field account certificate[0].subjectAltName.directory.UID 232+2 [us-ascii] u1\n"
           "field id_number certificate[0].identifyCode 248+20 \\x13\\x12110101199003070000\n"
           "field id_number certificate[0].identifyCode 283+1 1\n"
           "field insurance_id certificate[0].insuranceNumber 298+5 \\x13\\x03123\n"
           "end\n");
    free(bytes);
}

static void second_hello_after_a_cipher_change_for_show(void **state)
{
    (void)state;
    static const char *const client[] = {
        "begin client_hello\n", "begin client_hello\nfield host client_hello.server_name 335+12",
        "field opaque record.application_data 536+69", NULL};
    static const char *const server[] = {
        "begin server_hello\n",
        "begin server_hello\nfield code server_hello.version 108+2 \\x03\\x03\n"
        "field code server_hello.selected_version 184+2 \\x03\\x04\nend\n"
        "field opaque record.application_data 296+23",
        NULL};
    expect_captured("tls13_retry_client", client);
    expect_captured("tls13_retry_server", server);
}

/* Records the handshake up to the cipher change anew, n bytes a record. */
static size_t recorded_anew(const uint8_t *in, size_t len, size_t n, uint8_t *out)
{
    size_t o = 0, held = 0;
    uint8_t *messages = malloc(len);
    assert_non_null(messages);
    for (size_t i = 0; i + 5 <= len && in[i] == 0x16;) {
        size_t body = (size_t)in[i + 3] << 8 | in[i + 4];
        memcpy(messages + held, in + i + 5, body);
        held += body;
        i += 5 + body;
    }
    for (size_t i = 0; i < held; i += n) {
        size_t body = held - i < n ? held - i : n;
        memcpy(out + o, "\x16\x03\x03", 3);
        out[o + 3] = (uint8_t)(body >> 8);
        out[o + 4] = (uint8_t)body;
        memcpy(out + o + 5, messages + i, body);
        o += 5 + body;
    }
    free(messages);
    return o;
}

/* Takes the offsets out of a log. */
static char *without_offsets(char *log)
{
    char *to = log;
    for (const char *p = log; *p != '\0';) {
        size_t digits = strspn(p, "0123456789");
        if (p > log && p[-1] == ' ' && digits > 0 && p[digits] == '+')
            p += digits;
        *to++ = *p++;
    }
    *to = '\0';
    return log;
}

static void messages_over_record_borders(void **state)
{
    (void)state;
    static const char *const names[] = {"tls12_client", "tls12_server", "tls13_client"};
    static const size_t sizes[] = {1, 2, 3, 5, 7, 16, 64, 100, 333, 1024, 16384};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        size_t len;
        uint8_t *bytes = captured(names[k], &len);
        uint8_t *anew = malloc(len * 6);
        assert_non_null(anew);
        size_t n = recorded_anew(bytes, len, 16384, anew);
        char *want = without_offsets(drive_events(&tls_dissector, anew, n, NULL));
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            n = recorded_anew(bytes, len, sizes[i], anew);
            char *got = without_offsets(drive_events(&tls_dissector, anew, n, NULL));
            assert_string_equal(got, want);
            free(got);
            assert_null(drive_law(&tls_dissector, anew, n, NULL, 10, 1));
        }
        free(want);
        free(anew);
        free(bytes);
    }
}

static void ends_at_every_byte(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = captured("tls12_client", &len);
    for (size_t n = 0; n <= len; n++) {
        char *log = drive_events(&tls_dissector, bytes, n, NULL);
        assert_null(strstr(log, "event kind"));
        assert_null(strstr(log, "never ended"));
        free(log);
    }
    for (size_t n = 0; n <= len; n += 37)
        assert_null(drive_law(&tls_dissector, bytes, n, NULL, 5, 1));
    free(bytes);
}

static void ends_are_told(void **state)
{
    (void)state;
    expect(hello, 3, "anomaly 3+0 ends inside a record header\n");
    expect(hello, 70,
           "begin client_hello\n"
           "field host client_hello.server_name 63+7 [us-ascii] pacs.ex\n"
           "anomaly 70+0 ends inside a handshake message\n"
           "end\n");
    static const uint8_t cut[] = {0x17, 3, 3, 0, 9, 'a', 'b'};
    expect(cut, sizeof cut, "field opaque record.application_data 5+2 ab\n");
    expect(cut, 5, "");
}

static void lengths_are_claims(void **state)
{
    (void)state;
    uint8_t bad[sizeof hello];
    static const struct {
        size_t at;
        uint8_t value;
        const char *want;
    } rows[] = {
        {43, 0xff,
         "begin client_hello\nanomaly 44+0 handshake message not read: a length runs past "
         "its end\nend\n"},
        {53, 0xff,
         "begin client_hello\nanomaly 54+0 handshake message not read: a length runs past "
         "its end\nend\n"},
        {57, 0x80,
         "begin client_hello\nanomaly 58+0 handshake message not read: a length runs past "
         "its end\nend\n"},
        {62, 40,
         "begin client_hello\nanomaly 63+0 handshake message not read: a length runs past "
         "its end\nend\n"},
        {81, 0,
         "begin client_hello\nfield host client_hello.server_name 63+12 [us-ascii] "
         "pacs.example\nanomaly 82+0 handshake message not read: a length runs past its "
         "end\nend\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(bad, hello, sizeof hello);
        bad[rows[i].at] = rows[i].value;
        expect(bad, sizeof bad, rows[i].want);
    }
    memcpy(bad, hello, sizeof hello);
    bad[8] = 10; /* the message is shorter than a hello can be, and garbage follows it */
    expect(
        bad, sizeof bad,
        "begin client_hello\n"
        "anomaly 9+0 handshake message not read: a length runs past its end\n"
        "end\n"
        "anomaly 23+0 unknown handshake message: taken as encrypted\n"
        "field opaque record.handshake 23+69 "
        "\\x0d\\x0e\\x0f\\x10\\x11\\x12\\x13\\x14\\x15\\x16\\x17\\x18\\x19\\x1a\\x1b\\x1c\\x1d"
        "\\x1e\\x1f \\x02\xaa\xbb"
        "\\x00\\x02\\x13\\x01\\x01\\x00\\x00&\\x00\\x00\\x00\\x11\\x00\\x0f\\x00\\x00\\x0c"
        "pacs.example\\x00\\x10\\x00\\x07\\x00\\x05\\x02h2\\x01x\xfe\\x0d\\x00\\x02\\x00\\x00\n");
}

static void broken_certificates(void **state)
{
    (void)state;
    /* Certificate message with two certificates; the first is broken in several ways. */
    static const struct {
        uint8_t der[8];
        bool broken;
    } rows[] = {
        {{0x30, 6, 0x30, 4, 0x02, 2, 1, 2}, false},   /* says nothing */
        {{0x30, 7, 0x30, 4, 0x02, 2, 1, 2}, true},    /* runs past its end */
        {{0x30, 6, 0x30, 5, 0x02, 2, 1, 2}, true},    /* so does the inner one */
        {{0x30, 6, 0x30, 4, 0x02, 3, 1, 2}, true},    /* and the innermost */
        {{0x30, 0x80, 0x30, 4, 0x02, 2, 0, 0}, true}, /* indefinite length */
        {{0x30, 0x84, 0, 0, 0, 2, 0, 0}, true},       /* length of four bytes */
        {{0x3f, 6, 0x30, 4, 0x02, 2, 1, 2}, true},    /* tag number of several bytes */
        {{0x04, 6, 0x30, 4, 0x02, 2, 1, 2}, false},   /* no certificate, passed over */
        {{0x30, 0x83, 0, 0, 3, 0x30, 1, 0}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[64] = {0x16, 3, 3, 0, 29, 11, 0, 0, 25, 0, 0, 22, 0, 0, 8};
        memcpy(bytes + 15, rows[i].der, 8);
        static const uint8_t second[] = {0, 0, 8, 0x30, 6, 0x30, 4, 0x02, 2, 1, 2};
        memcpy(bytes + 23, second, sizeof second);
        char *log = drive_events(&tls_dissector, bytes, 34, NULL);
        bool told = strstr(log, "certificate not read: broken DER") != NULL;
        if (told != rows[i].broken)
            fail_msg("row %zu: %s", i, log);
        free(log);
        assert_null(drive_law(&tls_dissector, bytes, 34, NULL, 20, 1));
    }
}

static void not_tls(void **state)
{
    (void)state;
    uint8_t bytes[sizeof hello + 6];
    memcpy(bytes, hello, sizeof hello);
    memcpy(bytes + sizeof hello, "HTTP/1", 6);
    char want[1024];
    (void)snprintf(want, sizeof want, "%sbad 92 not a TLS record\n", hello_events);
    expect(bytes, sizeof bytes, want);
    assert_int_equal(bid("HTTP/1.1", 8), 0);
    assert_int_equal(bid("\x16\x03\x01\xff\xff\x01", 6), 0);
    assert_int_equal(bid("\x16\x05\x01\x00\x10\x01", 6), 0);
    assert_int_equal(bid("", 0), 0);
}

static void bids(void **state)
{
    (void)state;
    unsigned data = bid("\x17\x03\x03\x01\x00zzzz", 9);
    unsigned again = bid("\x17\x03\x03\x00\x02zz\x17\x03\x03\x00\x02", 12);
    assert_true(data > 8 && data < 32 && again > data);
    assert_int_equal(bid("\x17\x03\x03\x00\x02zzabcde", 12), 0);
    assert_true(bid("\x14\x03\x03\x00\x01\x01", 6) > 40);
    assert_true(bid("\x16\x03\x03\x00\x28\x9b\x01\x02\x03\x04\x05", 11) < data);
    assert_true(bid("\x16\x01\x01\x00\x28\x01\x00\x00\x26\x01\x01", 11) > 40); /* TLCP */
    assert_true(bid("\x80\x2e\x01\x03\x01\x00\x15", 7) > 1);
}

static void old_hello(void **state)
{
    (void)state;
    static const uint8_t v3[] = {0x80, 6, 1, 3, 1, 0, 0, 0, 0x17, 3, 1, 0, 1, 'x'};
    static const uint8_t v2[] = {0x80, 6, 1, 0, 2, 0, 0, 0, 0x17, 3, 1, 0, 1, 'x'};
    expect(v3, sizeof v3,
           "begin client_hello\nanomaly 0+0 SSL 2.0 client hello: not read\nend\n"
           "field opaque record.application_data 13+1 x\n");
    expect(v2, sizeof v2,
           "begin client_hello\nanomaly 0+0 SSL 2.0 client hello: not read\nend\n"
           "field opaque record.application_data 8+6 \\x17\\x03\\x01\\x00\\x01x\n");
}

static void picked_up_in_the_middle(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x16, 3, 3, 0, 4, 0x9b, 1, 2, 3, 0x16, 3, 3, 0, 2, 1, 0};
    expect(bytes, sizeof bytes,
           "field opaque record.handshake 5+4 \x9b\\x01\\x02\\x03\n"
           "field opaque record.handshake 14+2 \\x01\\x00\n");
}

static void expect_gap(const void *bytes, size_t len, size_t from, size_t to, const char *want)
{
    char *log = drive_gap(&tls_dissector, bytes, len, from, to, NULL);
    assert_string_equal(log, want);
    free(log);
}

static void gaps(void **state)
{
    (void)state;
    static const uint8_t data[] = "\x17\x03\x03\x00\x05"
                                  "abcde"
                                  "\x17\x03\x03\x00\x02"
                                  "fg";
    size_t len = sizeof data - 1;
    expect_gap(data, len, 6, 8,
               "field opaque record.application_data 5+3 ade\n"
               "field opaque record.application_data 15+2 fg\n");
    expect_gap(data, len, 6, 10,
               "field opaque record.application_data 5+1 a\n"
               "field opaque record.application_data 15+2 fg\n");
    expect_gap(data, len, 5, 10, "field opaque record.application_data 15+2 fg\n");
    expect_gap(data, len, 6, 11, "gap refused\n");
    expect_gap(data, len, 10, 11, "field opaque record.application_data 5+5 abcde\ngap refused\n");
    /* In the random of a hello nothing is lost; in its name it is. */
    expect_gap(hello, sizeof hello, 15, 25, hello_events);
    expect_gap(hello, sizeof hello, 64, 66, "begin client_hello\ngap refused\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_hello),
        cmocka_unit_test(server_hello_and_what_follows),
        cmocka_unit_test(certificate_of_a_person),
        cmocka_unit_test(certificate_of_a_server),
        cmocka_unit_test(certificate_made_by_hand),
        cmocka_unit_test(second_hello_after_a_cipher_change_for_show),
        cmocka_unit_test(messages_over_record_borders),
        cmocka_unit_test(ends_at_every_byte),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(lengths_are_claims),
        cmocka_unit_test(broken_certificates),
        cmocka_unit_test(not_tls),
        cmocka_unit_test(bids),
        cmocka_unit_test(old_hello),
        cmocka_unit_test(picked_up_in_the_middle),
        cmocka_unit_test(gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
