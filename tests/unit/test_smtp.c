/* test_smtp.c - SMTP: exact events, whole and cut at every byte, gaps, long lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector smtp_dissector;

struct row {
    const char *name;
    const char *hint;
    const char *bytes;
    size_t len;
    const char *want;
};

#define BYTES(s) s, sizeof s - 1

static void check_row(const struct row *r)
{
    char *log = drive_events(&smtp_dissector, r->bytes, r->len, r->hint);
    if (strcmp(log, r->want) != 0)
        fail_msg("%s:\n--- want\n%s--- got\n%s", r->name, r->want, log);
    free(log);
    char *differs = drive_law(&smtp_dissector, r->bytes, r->len, r->hint, 50, 1);
    if (differs != NULL)
        fail_msg("%s: %s", r->name, differs);
    for (size_t n = 0; n < r->len; n++) {
        differs = drive_law(&smtp_dissector, r->bytes, n, r->hint, 2, (unsigned)n);
        if (differs != NULL)
            fail_msg("%s cut off at %zu: %s", r->name, n, differs);
    }
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_row(&rows[i]);
}

static void client(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a session with stuffed dots and BDAT", NULL,
         BYTES("EHLO ct.example\r\n"
               "AUTH PLAIN AGEAYg==\r\n"
               "MAIL FROM:<a@b.example> SIZE=10\r\n"
               "RCPT TO:<c@d.example>\r\n"
               "DATA\r\n"
               "Subject: x\r\n"
               "\r\n"
               "..dot\r\n"
               ".also\r\n"
               "end\r\n"
               ".\r\n"
               "MAIL FROM:<e@f.example>\r\n"
               "RCPT TO: g@h.example NOTIFY=NEVER\r\n"
               "BDAT 5\r\n"
               "abc\r\n"
               "BDAT 4 LAST\r\n"
               "de\r\n"
               "RSET\r\n"
               "QUIT\r\n"),
         "field text domain 5+10 ct.example\n"
         "field code argument 22+5 PLAIN\n"
         "payload text/plain +base64 28+8\n"
         "begin mail\n"
         "field email sender 49+11 a@b.example\n"
         "field text parameters 62+7 SIZE=10\n"
         "field email recipient 80+11 c@d.example\n"
         "payload message/rfc822 100+31\n"
         "end\n"
         "begin mail\n"
         "field email sender 147+11 e@f.example\n"
         "field email recipient 170+11 g@h.example\n"
         "field text parameters 182+12 NOTIFY=NEVER\n"
         "payload message/rfc822 204+9\n"
         "end\n"},
        {"login in lines", NULL,
         BYTES("AUTH LOGIN\r\n"
               "dXNlcg==\r\n"
               "cGFzcw==\r\n"
               "MAIL FROM:<a@b>\r\n"
               "RSET\r\n"),
         "field code argument 5+5 LOGIN\n"
         "payload text/plain +base64 12+8\n"
         "payload text/plain +base64 22+8\n"
         "begin mail\n"
         "field email sender 43+3 a@b\n"
         "end\n"},
        {"DATA refused", NULL,
         BYTES("MAIL FROM:<a@b>\r\n"
               "DATA\r\n"
               "MAIL FROM:<c@d>\r\n"
               "DATA\r\n"
               "QUIT\r\n"),
         "begin mail\n"
         "field email sender 11+3 a@b\n"
         "end\n"
         "begin mail\n"
         "field email sender 34+3 c@d\n"
         "end\n"},
        {"STARTTLS", NULL,
         BYTES("EHLO a\r\n"
               "STARTTLS\r\n"
               "\026\003\001\000\005hello"),
         "field text domain 5+1 a\n"
         "payload application/tls 18+10\n"},
        {"STARTTLS refused", NULL,
         BYTES("STARTTLS\r\n"
               "NOOP wang\r\n"
               "XCLIENT NAME=a\r\n"),
         "field text argument 15+4 wang\n"
         "field text line 21+14 XCLIENT NAME=a\n"},
        {"lines ended by LF", NULL,
         BYTES("MAIL FROM:<a@b>\n"
               "DATA\n"
               "hi\n"
               ".\n"
               "not a command\n"),
         "begin mail\n"
         "field email sender 11+3 a@b\n"
         "anomaly 24+2 the line that ends a message ended by LF alone\n"
         "payload message/rfc822 21+3\n"
         "end\n"
         "field text line 26+13 not a command\n"},
        {"a dot and no more", NULL,
         BYTES("DATA\r\n"
               "hi\r\n"
               "."),
         "payload message/rfc822 6+4\n"},
        {"empty message", NULL,
         BYTES("MAIL FROM:<>\r\n"
               "DATA\r\n"
               ".\r\n"
               "QUIT\r\n"),
         "begin mail\n"
         "end\n"},
        {"BDAT in odd shapes", NULL,
         BYTES("VRFY wang\r\n"
               "BDAT x\r\n"
               "BDAT 0\r\n"
               "BDAT 2\r\n"
               "hiNOOP\r\n"
               "BDAT 3\r\n"
               "abcBDAT 0 LAST\r\n"
               "\026\002\r\n"),
         "field text argument 5+4 wang\n"
         "anomaly 11+6 BDAT without a size\n"
         "field text line 11+6 BDAT x\n"
         "payload message/rfc822 35+2\n"
         "payload message/rfc822 51+3\n"
         "field text line 67+2 \\x16\\x02\n"},
        {"BDAT cut off", NULL,
         BYTES("BDAT 50 LAST\r\n"
               "abc"),
         "payload message/rfc822 14+3\n"},
    };
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void server(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"replies, then TLS", NULL,
         BYTES("220-mail.example ESMTP\r\n"
               "220 ready\r\n"
               "250 Ok <wang@x.example>\r\n"
               "stray\r\n"
               "354\r\n"
               "220 go\r\n"
               "\026\003\003\001"),
         "field text reply 4+18 mail.example ESMTP\n"
         "field text reply 28+5 ready\n"
         "field text reply 39+19 Ok <wang@x.example>\n"
         "field text line 60+5 stray\n"
         "field text reply 76+2 go\n"
         "payload application/tls 80+4\n"},
        {"a line without an end", NULL, BYTES("550 no such us"),
         "field text reply 4+10 no such us\n"},
    };
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void long_line(void **state)
{
    (void)state;
    enum {
        LONG = 66000
    };
    static char bytes[LONG + 64];
    memset(bytes, 'x', LONG);
    static const char tail[] = "\r\nMAIL FROM:<a@b.example>\r\n";
    memcpy(bytes + LONG, tail, sizeof tail - 1);
    size_t len = LONG + sizeof tail - 1;
    char *log = drive_events(&smtp_dissector, bytes, len, NULL);
    assert_non_null(strstr(log, "field text line 0+66000 xxx"));
    assert_non_null(strstr(log, "field email sender"));
    free(log);
    char *differs = drive_law(&smtp_dissector, bytes, len, NULL, 10, 1);
    if (differs != NULL)
        fail_msg("%s", differs);
}

static void gaps(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t from, to;
        const char *want;
    } rows[] = {
        {"BDAT 9 LAST\r\n012345678QUIT\r\n", 15, 18, "payload message/rfc822 13+6\n"},
        {"BDAT 9 LAST\r\n012345678RSET\r\n", 15, 22, "payload message/rfc822 13+2\n"},
        {"BDAT 9 LAST\r\n012345678QUIT\r\n", 15, 23, "gap refused\n"},
        {"DATA\r\nabcdef\r\n.\r\nEHLO x\r\n", 8, 10,
         "payload message/rfc822 6+6\nfield text domain"},
        {"EHLO abc\r\nQUIT\r\n", 6, 8, "gap refused\n"},
        {"220 abc\r\n250 def\r\n", 6, 13, "field text line 13+3 def\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *log = drive_gap(&smtp_dissector, rows[i].bytes, strlen(rows[i].bytes), rows[i].from,
                              rows[i].to, NULL);
        if (strstr(log, rows[i].want) == NULL)
            fail_msg("%zu: want\n%sgot\n%s", i, rows[i].want, log);
        free(log);
    }
}

static unsigned bid(const char *text)
{
    return smtp_dissector.probe(
        (struct view){.bytes = (const uint8_t *)text, .len = strlen(text), .last = true});
}

static void probe(void **state)
{
    (void)state;
    assert_true(bid("EHLO a\r\n") >= 32);
    assert_true(bid("mail from:<a@b>\r\n") >= 32);
    assert_true(bid("220 ready\r\n") >= 24);
    assert_true(bid("220-ready\r\n") >= 24);
    assert_int_equal(bid("220 \001\002"), 0);
    assert_int_equal(bid("220"), 0);
    assert_int_equal(bid("2200 a"), 0);
    assert_int_equal(bid("hello"), 0);
    assert_int_equal(bid(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client), cmocka_unit_test(server), cmocka_unit_test(long_line),
        cmocka_unit_test(gaps),   cmocka_unit_test(probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
