/* test_mime.c - mail and multipart: exact events, whole and cut at every byte, gaps, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector mime_dissector;

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
    char *log = drive_events(&mime_dissector, r->bytes, r->len, r->hint);
    if (strcmp(log, r->want) != 0)
        fail_msg("%s:\n--- want\n%s--- got\n%s", r->name, r->want, log);
    free(log);
    char *differs = drive_law(&mime_dissector, r->bytes, r->len, r->hint, 50, 1);
    if (differs != NULL)
        fail_msg("%s: %s", r->name, differs);
    for (size_t n = 0; n < r->len; n++) {
        differs = drive_law(&mime_dissector, r->bytes, n, r->hint, 2, (unsigned)n);
        if (differs != NULL)
            fail_msg("%s cut off at %zu: %s", r->name, n, differs);
    }
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_row(&rows[i]);
}

static void multipart(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"STOW-RS, two instances",
         "multipart/related; type=\"application/dicom\"; boundary=\"b 1\"",
         BYTES("--b 1\r\n"
               "Content-Type: application/dicom\r\n"
               "\r\n"
               "DICM\r\n"
               "-\r\n"
               "--b\r\n"
               "x\r\n"
               "--b 1 \t\r\n"
               "Content-Type: application/dicom\r\n"
               "Content-Location: /a\r\n"
               "\r\n"
               "\000\r\000\n"
               "--b 1--\r\n"),
         "begin part\n"
         "field text content-type 21+17 application/dicom\n"
         "payload application/dicom 42+15\n"
         "end\n"
         "begin part\n"
         "field text content-type 82+17 application/dicom\n"
         "field text content-location 119+2 /a\n"
         "payload application/dicom 125+3\n"
         "end\n"},
        {"preamble and epilogue", "multipart/mixed; boundary=xx",
         BYTES("For readers\r\n"
               "without MIME.\r\n"
               "--xx\r\n"
               "\r\n"
               "body\r\n"
               "--xx--\r\n"
               "\r\n"
               "the\r\n"
               "end"),
         "field text preamble 0+26 For readers\\x0d\\x0awithout MIME.\n"
         "begin part\n"
         "payload text/plain 36+4\n"
         "end\n"
         "field text epilogue 52+8 the\\x0d\\x0aend\n"},
        {"empty parts", "multipart/mixed; boundary=xx",
         BYTES("--xx\r\n"
               "\r\n"
               "\r\n"
               "--xx\r\n"
               "\r\n"
               "--xx\r\n"
               "Subject: s\r\n"
               "--xx--"),
         "begin part\n"
         "end\n"
         "begin part\n"
         "end\n"
         "begin part\n"
         "field text subject 33+1 s\n"
         "end\n"},
        {"lines ended by LF", "multipart/mixed; boundary=xx",
         BYTES("--xx\n"
               "Content-Type: text/csv\n"
               "\n"
               "a\n"
               "\n"
               "--xx\n"
               "\n"
               "b\n"
               "--xx--\n"),
         "begin part\n"
         "field text content-type 19+8 text/csv\n"
         "payload text/csv 29+2\n"
         "end\n"
         "begin part\n"
         "payload text/plain 38+1\n"
         "end\n"},
        {"no last boundary", "multipart/mixed; boundary=xx",
         BYTES("--xx\r\n"
               "Content-Type: text/csv\r\n"
               "\r\n"
               "a\r\n"
               "--x"),
         "begin part\n"
         "field text content-type 20+8 text/csv\n"
         "payload text/csv 32+6\n"
         "end\n"},
        {"almost a boundary", "multipart/mixed; boundary=xx",
         BYTES("--xx\r\n"
               "\r\n"
               "--xxx\r\n"
               "--xx-\r\n"
               " --xx\r\n"
               "\r--xx\r\n"
               "--xx x\r\n"
               "--xx--"),
         "begin part\n"
         "payload text/plain 8+34\n"
         "end\n"},
        {"nested: the inner one is another layer", "multipart/mixed; boundary=o",
         BYTES("--o\r\n"
               "Content-Type: multipart/alternative;\r\n"
               " boundary=\"o1\"\r\n"
               "\r\n"
               "--o1\r\n"
               "\r\n"
               "x\r\n"
               "--o1--\r\n"
               "--o--"),
         "begin part\n"
         "field text content-type 19+21 multipart/alternative\n"
         "field text content-type 44+12 boundary=\"o1\n"
         "payload multipart/alternative; boundary=\"o1\" 61+17\n"
         "end\n"},
        {"a digest", "Multipart/Digest; boundary=d",
         BYTES("--d\r\n"
               "\r\n"
               "From: a\r\n"
               "\r\n"
               "b\r\n"
               "--d--"),
         "begin part\n"
         "payload message/rfc822 7+12\n"
         "end\n"},
        {"boundary not told", "multipart/form-data",
         BYTES("hi\r\n"
               "-\r\n"
               "--\r\n"
               "--zz\r\n"
               "\r\n"
               "A\n"
               "--zz--"),
         "field text preamble 0+11 hi\\x0d\\x0a-\\x0d\\x0a--\\x0d\\x0a\n"
         "begin part\n"
         "payload text/plain 19+1\n"
         "end\n"},
        {"no hint at all", NULL,
         BYTES("--zz\r\n"
               "Content-Type: text/csv\r\n"
               "\r\n"
               "1,2\r\n"
               "--zz--\r\n"),
         "begin part\n"
         "field text content-type 20+8 text/csv\n"
         "payload text/csv 32+3\n"
         "end\n"},
    };
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void form_data(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"fields and a file", "multipart/form-data; boundary=xx",
         BYTES("--xx\r\n"
               "Content-Disposition: form-data; name=\"phone\"\r\n"
               "\r\n"
               "13800000000\r\n"
               "--xx\r\n"
               "Content-Disposition: form-data; name=memo\r\n"
               "\r\n"
               "some text\r\n"
               "--xx\r\n"
               "Content-Disposition: form-data; name=\"Name\"\r\n"
               "Content-Type: text/plain; charset=gb2312\r\n"
               "\r\n"
               "\315\365\300\327\r\n"
               "--xx--\r\n"),
         "begin part\n"
         "field text content-disposition 27+9 form-data\n"
         "field text content-disposition.name 44+5 phone\n"
         "field phone $.phone 54+11 13800000000\n"
         "end\n"
         "begin part\n"
         "field text content-disposition 94+9 form-data\n"
         "field text content-disposition.name 110+4 memo\n"
         "payload text/plain 118+9\n"
         "end\n"
         "begin part\n"
         "field text content-disposition 156+9 form-data\n"
         "field text content-disposition.name 173+4 Name\n"
         "field text content-type 194+10 text/plain\n"
         "field text content-type 206+14 charset=gb2312\n"
         "field name $.name 224+4 [gb18030] \315\365\300\327\n"
         "end\n"},
        {"base64 and codings", "multipart/form-data; boundary=xx",
         BYTES("--xx\r\n"
               "Content-Encoding: gzip, br\r\n"
               "Content-Disposition: form-data; name=\"name\"; filename=\"wang lei.txt\"; "
               "filename*=UTF-8''%E7%8E%8B; x=1\r\n"
               "Content-Type: text/plain\r\n"
               "Content-Transfer-Encoding: base64\r\n"
               "\r\n"
               "SGVs\r\n"
               "bG8=\r\n"
               "--xx--\r\n"),
         "begin part\n"
         "field text content-encoding 24+8 gzip, br\n"
         "field text content-disposition 55+9 form-data\n"
         "field text content-disposition.name 72+4 name\n"
         "field text content-disposition.filename 89+12 wang lei.txt\n"
         "field text content-disposition.filename 114+16 [escape percent] UTF-8''%E7%8E%8B\n"
         "field text content-disposition 132+3 x=1\n"
         "field text content-type 151+10 text/plain\n"
         "field text content-transfer-encoding 190+6 base64\n"
         "payload text/plain +base64 +br +gzip 200+10\n"
         "end\n"},
        {"a field that is not text", "multipart/form-data; boundary=xx",
         BYTES("--xx\r\n"
               "Content-Disposition: form-data; name=\"patient_id\"\r\n"
               "Content-Type: application/json\r\n"
               "\r\n"
               "{}\r\n"
               "--xx--"),
         "begin part\n"
         "field text content-disposition 27+9 form-data\n"
         "field text content-disposition.name 44+10 patient_id\n"
         "field text content-type 71+16 application/json\n"
         "payload application/json 91+2\n"
         "end\n"},
    };
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void messages(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"mail with encoded words", "message/rfc822",
         BYTES("Received: from a (a [10.0.0.1])\r\n"
               " by b\r\n"
               "From: \"Wang, Lei\" <wang.lei@hospital.example>, b@c.example (Bob)\r\n"
               "To: =?utf-8?B?546L6Zu3?= <x@y.example>\r\n"
               "Subject: =?utf-8?B?546L?=\r\n"
               " =?utf-8?B?6Zu3?= and =?gb2312*zh?Q?a_=CD=F5?= =?x?= =?u?z?a?=\r\n"
               "X-Patient: 1\r\n"
               "Content-Type: text/plain; charset=gb2312; name=\"=?utf-8?Q?a?=\"\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n"
               "\r\n"
               "body\r\n"
               "."),
         "begin message\n"
         "field text received 10+26 from a (a [10.0.0.1]) by b\n"
         "field text from 46+13 \"Wang, Lei\" <\n"
         "field email from 59+25 wang.lei@hospital.example\n"
         "field email from 87+11 b@c.example\n"
         "field text from 99+5 (Bob)\n"
         "payload text/plain; charset=utf-8 +base64 120+8\n"
         "field email to 132+11 x@y.example\n"
         "payload text/plain; charset=utf-8 +base64 165+8\n"
         "field text subject 191+3 and\n"
         "payload text/plain; charset=gb2312 +quoted-printable 209+8\n"
         "field text subject 220+15 =?x?= =?u?z?a?=\n"
         "field text header 237+9 [key] X-Patient\n"
         "field text header 248+1 1\n"
         "field text content-type 265+10 text/plain\n"
         "field text content-type 277+14 charset=gb2312\n"
         "payload text/plain; charset=utf-8 +quoted-printable 309+1\n"
         "field text content-transfer-encoding 342+16 quoted-printable\n"
         "payload text/plain; charset=gb2312; name=\"=?utf-8?Q?a?=\" +quoted-printable 362+7\n"
         "end\n"},
        {"words that cannot be joined", "message/rfc822",
         BYTES("Subject: =?utf-8?B?5w==?= =?utf-8?B?546L?= =?gbk?B?546L?=\r\n"
               " =?gbk?Q?a?=\r\n"
               " =?gbk?Q?b?=\r\n"
               "\r\n"),
         "begin message\n"
         "payload text/plain; charset=utf-8 +base64 19+4\n"
         "payload text/plain; charset=utf-8 +base64 36+4\n"
         "payload text/plain; charset=gbk +base64 51+4\n"
         "payload text/plain; charset=gbk +quoted-printable 68+2\n"
         "end\n"},
        {"found by its first field", NULL,
         BYTES("From: a@b.example\n"
               "\n"
               "hello"),
         "begin message\n"
         "field email from 6+11 a@b.example\n"
         "payload text/plain 19+5\n"
         "end\n"},
        {"a body in base64", NULL,
         BYTES("MIME-Version: 1.0\r\n"
               "Content-Type: application/pdf;\r\n"
               "\tname*0*=UTF-8''%E7; name*1*=%8E%8B\r\n"
               "Content-Transfer-Encoding: BASE64\r\n"
               "\r\n"
               "JVBE\r\n"
               "Ri0="),
         "begin message\n"
         "field text mime-version 14+3 1.0\n"
         "field text content-type 33+15 application/pdf\n"
         "field text content-type.name 60+10 [escape percent] UTF-8''%E7\n"
         "field text content-type.name 80+6 [escape percent] %8E%8B\n"
         "field text content-transfer-encoding 115+6 BASE64\n"
         "payload application/pdf;	name*0*=UTF-8''%E7; name*1*=%8E%8B +base64 125+10\n"
         "end\n"},
        {"a body of parts is another layer", "message/rfc822",
         BYTES("Content-Type: multipart/mixed; boundary=q\r\n"
               "\r\n"
               "--q\r\n"
               "\r\n"
               "a\r\n"
               "--q--"),
         "begin message\n"
         "field text content-type 14+15 multipart/mixed\n"
         "field text content-type 31+10 boundary=q\n"
         "payload multipart/mixed; boundary=q 45+15\n"
         "end\n"},
        {"fields only", "message/rfc822", BYTES("Subject: only this"),
         "begin message\n"
         "field text subject 9+9 only this\n"
         "end\n"},
        {"no field at all", "message/rfc822",
         BYTES("what is this\r\n"
               "X-Y: z\r\n"
               "\r\n"),
         "begin message\n"
         "field text header 0+12 what is this\n"
         "field text header 19+1 z\n"
         "end\n"},
    };
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void long_field(void **state)
{
    (void)state;
    enum {
        LONG = 66000
    };
    static char bytes[LONG + 64] = "Subject: ";
    memset(bytes + 9, 's', LONG);
    static const char tail[] = "\r\n more\r\nTo: a@b.example\r\n\r\nbody";
    memcpy(bytes + 9 + LONG, tail, sizeof tail - 1);
    size_t len = 9 + LONG + sizeof tail - 1;
    char *log = drive_events(&mime_dissector, bytes, len, "message/rfc822");
    assert_non_null(strstr(log, "field text subject 9+66005 sss"));
    assert_non_null(strstr(log, "field email to"));
    assert_non_null(strstr(log, "payload text/plain"));
    free(log);
    char *differs = drive_law(&mime_dissector, bytes, len, "message/rfc822", 10, 1);
    if (differs != NULL)
        fail_msg("%s", differs);
}

static void long_boundaries(void **state)
{
    (void)state;
    for (size_t n = 198; n <= 202; n++) {
        char hint[256] = "multipart/mixed; boundary=";
        char bytes[700] = "--";
        memset(hint + strlen(hint), 'b', n);
        memset(bytes + 2, 'b', n);
        strcat(bytes, "\r\nContent-Type: text/csv\r\n\r\na\r\n--");
        memset(bytes + strlen(bytes), 'b', n);
        strcat(bytes, "--");
        /* A hint is cut at 255 bytes, a boundary that is too long is read as text. */
        const char *hints[] = {hint, "multipart/mixed"};
        for (size_t i = 0; i < 2; i++) {
            char *log = drive_events(&mime_dissector, bytes, strlen(bytes), hints[i]);
            assert_non_null(strstr(log, n <= 200 ? "payload text/csv" : "field text preamble 0+"));
            free(log);
            char *differs = drive_law(&mime_dissector, bytes, strlen(bytes), hints[i], 10, 1);
            if (differs != NULL)
                fail_msg("%zu: %s", n, differs);
        }
    }
}

static void gaps(void **state)
{
    (void)state;
    static const char bytes[] =
        "--xx\r\nContent-Type: text/csv\r\n\r\n0123456789\r\n--xx\r\n\r\nb\r\n--xx--";
    static const struct {
        size_t from, to;
        const char *want;
    } rows[] = {
        {36, 40, "payload text/csv 32+6\nend\nbegin part\npayload text/plain 52+1\nend\n"},
        {36, 46, "payload text/csv 32+11\nend\n"}, /* a boundary is lost */
        {10, 14, "gap refused\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *log = drive_gap(&mime_dissector, bytes, sizeof bytes - 1, rows[i].from, rows[i].to,
                              "multipart/mixed; boundary=xx");
        if (strstr(log, rows[i].want) == NULL)
            fail_msg("%zu: want\n%sgot\n%s", i, rows[i].want, log);
        free(log);
    }
}

static unsigned bid(const char *text)
{
    return mime_dissector.probe(
        (struct view){.bytes = (const uint8_t *)text, .len = strlen(text), .last = true});
}

static void probe(void **state)
{
    (void)state;
    assert_true(bid("--xx\r\nContent-Type: a/b\r\n") >= 64);
    assert_true(bid("Received: from a") >= 64);
    assert_true(bid("from: a@b.example\r\n") >= 32);
    assert_int_equal(bid("--- a/file\n+++ b/file\n"), 0);
    assert_int_equal(bid("From here on"), 0);
    assert_int_equal(bid("--"), 0);
    assert_int_equal(bid(""), 0);
}

/* Many starts of words that never end must not cost a look over the whole field each. */
static void hostile_words(void **state)
{
    (void)state;
    static char bytes[60000] = "Subject: ";
    for (size_t i = 9; i + 8 < sizeof bytes - 4; i += 8)
        memcpy(bytes + i, "=?u?q?x ", 8);
    memcpy(bytes + sizeof bytes - 4, "\r\n\r\n", 4);
    char *log = drive_events(&mime_dissector, bytes, sizeof bytes, "message/rfc822");
    assert_non_null(strstr(log, "field text subject 9+"));
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipart),  cmocka_unit_test(form_data),       cmocka_unit_test(messages),
        cmocka_unit_test(long_field), cmocka_unit_test(long_boundaries), cmocka_unit_test(gaps),
        cmocka_unit_test(probe),      cmocka_unit_test(hostile_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
