/* test_dispatch.c - which dissector a layer gets, what nobody knows looks like, charsets of hints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/dispatch.h"

static const uint16_t no_ports[2] = {0, 0};

static const struct dissector *choose(const char *head, size_t n, const char *hint,
                                      const uint16_t ports[2], const struct dissector *refused,
                                      unsigned *bits)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    assert_non_null(copy);
    memcpy(copy, head, n);
    struct view v = {copy, n, 0, true, hint};
    const struct dissector *d = dispatch_choose(v, ports, refused, bits);
    assert_non_null(d);
    free(copy);
    return d;
}

struct row {
    const char *name, *head;
    size_t n;
    const char *hint, *want;
};

#define BYTES(s) s, sizeof(s) - 1

static const struct row rows[] = {
    {"a request", BYTES("POST /fhir HTTP/1.1\r\nHost: a.example\r\n"), NULL, "http1"},
    {"a response", BYTES("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"), NULL, "http1"},
    {"an MLLP block", BYTES("\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\r"), NULL, "hl7v2"},
    {"a message without a block", BYTES("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\r"), NULL,
     "hl7v2"},
    {"a JSON object", BYTES("{\"resourceType\":\"Patient\",\"id\":\"1\"}"), NULL, "json"},
    {"an XML document", BYTES("<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\">"),
     NULL, "xml"},
    {"a client hello",
     BYTES("\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03"
           "0123456789abcdef0123456789abcdef"),
     NULL, "tls"},
    {"an association",
     BYTES("\x01\x00\x00\x00\x00\xcd\x00\x01\x00\x00"
           "STORESCP        SCU             "),
     NULL, "dicom_ul"},
    {"an SSH greeting", BYTES("SSH-2.0-OpenSSH_9.2\r\n"), NULL, "ssh"},
    {"a mail server", BYTES("220 mail.example.com ESMTP\r\n"), NULL, "smtp"},
    {"prose", BYTES("Dear colleague, the patient was seen again on Monday, and is well."), NULL,
     "text"},
    {"prose said to be JSON", BYTES("Dear colleague, the patient was seen again on Monday."),
     "application/json", "text"},
    {"JSON said to be plain text", BYTES("{\"resourceType\":\"Patient\",\"id\":\"1\"}"),
     "text/plain", "json"},
    {"a web form by its type", BYTES("name=Zhang+San&id=1"), "application/x-www-form-urlencoded",
     "form"},
    {"nothing", BYTES(""), NULL, "text"},
};

static void test_row(void **state)
{
    const struct row *r = *state;
    unsigned bits;
    assert_string_equal(choose(r->head, r->n, r->hint, no_ports, NULL, &bits)->name, r->want);
    /* No port gates: with a customary port of another format it is the same. */
    static const uint16_t ports[][2] = {{40000, 104}, {2575, 40000}, {443, 1}, {25, 0}};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
        assert_string_equal(choose(r->head, r->n, r->hint, ports[i], NULL, &bits)->name, r->want);
}

/* A hint adds to a bid that was made, and to none that was not. */
static void test_bonus(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":1}";
    unsigned plain, typed, ported, other;
    (void)choose(json, 7, NULL, no_ports, NULL, &plain);
    static const char *const same[] = {"application/json", "Application/JSON; charset=utf-8",
                                       " application/json", "application/json\t;x"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        (void)choose(json, 7, same[i], no_ports, NULL, &typed);
        assert_true(typed > plain);
    }
    static const char *const different[] = {
        "application/jsonx", "application/jso", "json", "x/application/json", "",
        ";application/json"};
    for (size_t i = 0; i < sizeof different / sizeof different[0]; i++) {
        (void)choose(json, 7, different[i], no_ports, NULL, &other);
        assert_int_equal(other, plain);
    }
    static const char xml[] = "<a>1</a>";
    (void)choose(xml, 8, NULL, no_ports, NULL, &plain);
    (void)choose(xml, 8, "image/svg+xml", no_ports, NULL, &typed);
    assert_true(typed > plain);
    static const char http[] = "GET / HTTP/1.1\r\n\r\n";
    (void)choose(http, sizeof http - 1, NULL, no_ports, NULL, &plain);
    for (unsigned side = 0; side < 2; side++) {
        const uint16_t ports[2] = {side == 0 ? 8080 : 40000, side == 1 ? 8080 : 40000};
        (void)choose(http, sizeof http - 1, NULL, ports, NULL, &ported);
        assert_true(ported > plain);
    }
}

static void test_refused(void **state)
{
    (void)state;
    unsigned bits;
    static const char json[] = "{\"resourceType\":\"Patient\"}";
    const struct dissector *d = choose(json, sizeof json - 1, NULL, no_ports, NULL, &bits);
    assert_string_equal(d->name, "json");
    assert_ptr_not_equal(choose(json, sizeof json - 1, NULL, no_ports, d, &bits), d);
    /* Text reads everything, even when it refused. */
    const struct dissector *text = dissector_find("text");
    assert_ptr_equal(choose("abc", 3, NULL, no_ports, text, &bits), text);
}

/* ---- looks -------------------------------------------------------------------------------- */

static enum look look_at(const uint8_t *p, size_t n)
{
    return dispatch_look((struct view){p, n, 0, false, NULL});
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void test_look(void **state)
{
    (void)state;
    static const char prose[] = "The pump runs at rate 7.5 and stops when it is told to stop; 1234";
    for (size_t n = 0; n < sizeof prose; n++)
        assert_int_equal(look_at((const uint8_t *)prose, n), LOOK_TEXT);
    uint32_t seed = 1;
    unsigned random = 0, text_random = 0;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t p[64];
        for (size_t i = 0; i < sizeof p; i++)
            p[i] = (uint8_t)next(&seed);
        random += look_at(p, sizeof p) == LOOK_RANDOM;
        /* Letters of GB 2312, of UTF-8 and base64 are no random bytes. */
        for (size_t i = 0; i < sizeof p; i += 2) {
            p[i] = (uint8_t)(0xb0 + next(&seed) % 0x28);
            p[i + 1] = (uint8_t)(0xa1 + next(&seed) % 94);
        }
        text_random += look_at(p, sizeof p) == LOOK_RANDOM;
        for (size_t i = 0; i + 2 < sizeof p; i += 3) {
            uint32_t code = 0x4e00 + next(&seed) % 0x5000;
            p[i] = (uint8_t)(0xe0 | code >> 12);
            p[i + 1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
            p[i + 2] = (uint8_t)(0x80 | (code & 0x3f));
        }
        text_random += look_at(p, sizeof p) == LOOK_RANDOM;
        for (size_t i = 0; i < sizeof p; i++)
            p[i] = (uint8_t) "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                [next(&seed) % 64];
        text_random += look_at(p, sizeof p) == LOOK_RANDOM;
    }
    assert_true(random > 1900);
    assert_true(text_random < 20);
    uint8_t zeros[64] = {0};
    assert_int_equal(look_at(zeros, sizeof zeros), LOOK_BINARY);
    for (size_t i = 0; i < sizeof zeros; i++)
        zeros[i] = (uint8_t)(i % 8 == 0 ? i : 0);
    assert_int_equal(look_at(zeros, sizeof zeros), LOOK_BINARY);
}

static void test_charset(void **state)
{
    (void)state;
    static const struct {
        const char *hint;
        enum charset want;
    } hints[] = {{NULL, CHARSET_UNKNOWN},
                 {"", CHARSET_UNKNOWN},
                 {"text/plain", CHARSET_UNKNOWN},
                 {"text/plain; charset=utf-8", CHARSET_UTF8},
                 {"text/plain;charset=GB2312", CHARSET_GB18030},
                 {"text/plain; Charset=\"gb18030\"", CHARSET_GB18030},
                 {"text/plain; format=flowed; charset=big5; x=1", CHARSET_BIG5},
                 {"text/plain; charset=", CHARSET_UNKNOWN},
                 {"text/plain; charset=\"", CHARSET_UNKNOWN},
                 {"text/plain; charset=klingon", CHARSET_UNKNOWN},
                 {"text/plain; mycharset=utf-8", CHARSET_UNKNOWN},
                 {"charset=utf-8", CHARSET_UNKNOWN},
                 {"text/plain; charset=utf-8 x", CHARSET_UTF8},
                 {";", CHARSET_UNKNOWN},
                 {";;; \t charset=ISO-8859-1", CHARSET_LATIN1}};
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        assert_int_equal(dispatch_charset(hints[i].hint), hints[i].want);
}

int main(void)
{
    struct CMUnitTest tests[32] = {cmocka_unit_test(test_bonus), cmocka_unit_test(test_refused),
                                   cmocka_unit_test(test_look), cmocka_unit_test(test_charset)};
    size_t n = 4;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        tests[n++] =
            (struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i]};
    return _cmocka_run_group_tests("dispatch", tests, n, NULL, NULL);
}
