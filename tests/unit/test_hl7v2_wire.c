/* test_hl7v2_wire.c - HL7 version 2 on the wire: frames, delimiters, characters, lengths, gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector hl7v2_dissector;

/* A message, and all that is said of it. */
struct row {
    const char *name;
    const char *bytes;
    size_t len;
    const char *events;
};
#define ROW(name, bytes, events)                                                                   \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, events                                                     \
    }
#define N_ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *log = drive_events(&hl7v2_dissector, rows[i].bytes, rows[i].len, NULL);
        if (strcmp(log, rows[i].events) != 0)
            print_error("row: %s\n", rows[i].name);
        assert_string_equal(log, rows[i].events);
        free(log);
        char *differs = drive_law(&hl7v2_dissector, rows[i].bytes, rows[i].len, NULL, 40, 7);
        if (differs != NULL)
            print_error("row: %s: %s\n", rows[i].name, differs);
        assert_null(differs);
    }
}

static const struct row framing[] = {
    ROW("frames follow each other",
        "\013MSH|^~\\&|||||||ACK\r"
        "\034\r"
        "\013MSH|^~\\&|||||||ADT^A04\r"
        "PID|1\r"
        "\034\r",
        "begin ACK\n"
        "field code MSH-9.1 16+3 ACK\n"
        "end\n"
        "begin ADT^A04\n"
        "field code MSH-9.1 38+3 ADT\n"
        "field code MSH-9.2 42+3 A04\n"
        "field number PID-1 50+1 1\n"
        "end\n"),
    ROW("garbage between frames",
        "\013MSH|^~\\&|||||||ACK\r"
        "\034\r"
        "noise MSH|^ more\r"
        "\n"
        "\013MSH|^~\\&|||||||ACK\r"
        "\034\r",
        "begin ACK\n"
        "field code MSH-9.1 16+3 ACK\n"
        "end\n"
        "anomaly 22+1 text outside messages\n"
        "field text - 22+18 noise MSH|^ more\\x0d\\x0a\n"
        "begin ACK\n"
        "field code MSH-9.1 56+3 ACK\n"
        "end\n"),
    ROW("garbage before the first",
        "abc\r"
        "\n"
        "MSH|^~\\&|||||||ACK\r",
        "anomaly 0+1 text outside messages\n"
        "field text - 0+4 abc\\x0d\n"
        "begin ACK\n"
        "field code MSH-9.1 20+3 ACK\n"
        "end\n"),
    ROW("lines end with LF or CRLF",
        "MSH|^~\\&|A\n"
        "PID|1\r"
        "\n"
        "\r"
        "\n"
        "PV1|2",
        "begin message\n"
        "field code MSH-3.1 9+1 A\n"
        "field number PID-1 15+1 1\n"
        "field number PV1-1 24+1 2\n"
        "end\n"),
    ROW("bare messages follow each other",
        "MSH|^~\\&|||||||ACK\r"
        "MSH|^~\\&|||||||ADT\r"
        "EVN|A08\r",
        "begin ACK\n"
        "field code MSH-9.1 15+3 ACK\n"
        "end\n"
        "begin ADT\n"
        "field code MSH-9.1 34+3 ADT\n"
        "field code EVN-1 42+3 A08\n"
        "end\n"),
    ROW("batch",
        "FHS|^~\\&|F\r"
        "BHS|^~\\&|B||||2024\r"
        "MSH|^~\\&|||||||ACK\r"
        "MSH|^~\\&|||||||ACK\r"
        "BTS|2|ok\r"
        "FTS|1\r",
        "begin FHS\n"
        "field code FHS-3.1 9+1 F\n"
        "end\n"
        "begin BHS\n"
        "field code BHS-3.1 20+1 B\n"
        "field date BHS-7 25+4 2024\n"
        "end\n"
        "begin ACK\n"
        "field code MSH-9.1 45+3 ACK\n"
        "end\n"
        "begin ACK\n"
        "field code MSH-9.1 64+3 ACK\n"
        "end\n"
        "begin BTS\n"
        "field number BTS-1 72+1 2\n"
        "field text BTS-2 74+2 ok\n"
        "end\n"
        "begin FTS\n"
        "field number FTS-1 81+1 1\n"
        "end\n"),
    ROW("frame end without CR",
        "\013MSH|^~\\&|||||||ACK\r"
        "\034\013MSH|^~\\&|||||||ACK\r"
        "\034",
        "begin ACK\n"
        "field code MSH-9.1 16+3 ACK\n"
        "end\n"
        "begin ACK\n"
        "field code MSH-9.1 37+3 ACK\n"
        "end\n"),
    ROW("frame without end",
        "\013MSH|^~\\&|||||||ACK\r"
        "\013MSH|^~\\&|||||||ACK\r"
        "NTE|1||x",
        "begin ACK\n"
        "field code MSH-9.1 16+3 ACK\n"
        "anomaly 20+0 message frame without an end\n"
        "end\n"
        "begin ACK\n"
        "field code MSH-9.1 36+3 ACK\n"
        "field number NTE-1 44+1 1\n"
        "field text NTE-3 47+1 x\n"
        "anomaly 48+0 message frame without an end\n"
        "end\n"),
    ROW("control characters inside values",
        "MSH|^~\\&|||||||ACK\r"
        "NTE|1||a\034b\013c\013MSH\td\r",
        "begin ACK\n"
        "field code MSH-9.1 15+3 ACK\n"
        "field number NTE-1 23+1 1\n"
        "field text NTE-3 26+11 a\\x1cb\\x0bc\\x0bMSH\\x09d\n"
        "end\n"),
    ROW("new frame inside a value",
        "\013MSH|^~\\&|||||||ACK\r"
        "NTE|1||ab\013MSH|^~\\&|||||||ACK\r"
        "\034\r",
        "begin ACK\n"
        "field code MSH-9.1 16+3 ACK\n"
        "field number NTE-1 24+1 1\n"
        "field text NTE-3 27+2 ab\n"
        "anomaly 29+0 message frame without an end\n"
        "end\n"
        "begin ACK\n"
        "field code MSH-9.1 45+3 ACK\n"
        "end\n"),
    ROW("line that is no segment",
        "MSH|^~\\&|||||||ACK\r"
        "NTE|1||one\r"
        "two|three^x\r"
        "PI\r"
        "pid|1\r",
        "begin ACK\n"
        "field code MSH-9.1 15+3 ACK\n"
        "field number NTE-1 23+1 1\n"
        "field text NTE-3 26+3 one\n"
        "anomaly 30+0 line is not a segment\n"
        "field text ?\?\?-0.1 30+3 two\n"
        "field text ?\?\?-1.1 34+5 three\n"
        "field text ?\?\?-1.2 40+1 x\n"
        "anomaly 42+0 line is not a segment\n"
        "field text ?\?\?-0.1 42+2 PI\n"
        "anomaly 45+0 line is not a segment\n"
        "field text ?\?\?-0.1 45+3 pid\n"
        "field text ?\?\?-1.1 49+1 1\n"
        "end\n"),
    ROW("byte order mark", "﻿MSH|^~\\&|||||||ACK\r",
        "begin ACK\n"
        "field code MSH-9.1 18+3 ACK\n"
        "end\n"),
    ROW("nothing but text", "MSH, the header, is missing\r",
        "anomaly 0+1 text outside messages\n"
        "field text - 0+28 MSH, the header, is missing\\x0d\n"),
    ROW("header cut short", "\013MSH|^~",
        "begin message\n"
        "anomaly 7+0 message frame without an end\n"
        "end\n"),
    ROW("empty frame",
        "\013\034\r"
        "\013\034\r",
        ""),
    ROW("garbage after the last",
        "\013MSH|^~\\&|||||||ACK\r"
        "\034\r"
        "tail",
        "begin ACK\n"
        "field code MSH-9.1 16+3 ACK\n"
        "end\n"
        "anomaly 22+1 text outside messages\n"
        "field text - 22+4 tail\n"),
};

static const struct row delimiters[] = {
    ROW("own delimiters",
        "MSH#*!%$#A##B##1##ADT*A01#1\r"
        "PID###7*a|b^c~d\\e***MR!8***H*NI##LI$x*SI%F%#~\r",
        "begin ADT^A01\n"
        "field code MSH-3.1 9+1 A\n"
        "field code MSH-5.1 12+1 B\n"
        "field date MSH-7 15+1 1\n"
        "field code MSH-9.1 18+3 ADT\n"
        "field code MSH-9.2 22+3 A01\n"
        "field text MSH-10 26+1 1\n"
        "field record_id PID-3.1 34+1 7\n"
        "field code PID-3.2 36+9 a|b^c~d\\e\n"
        "field code PID-3.5 48+2 MR\n"
        "field id_number PID-3[2].1 51+1 8\n"
        "field code PID-3[2].4 55+1 H\n"
        "field code PID-3[2].5 57+2 NI\n"
        "field name PID-5.1 61+2 LI\n"
        "field name PID-5.1.2 64+1 [same] x\n"
        "field name PID-5.2 66+5 [same] [escape hl7] SI%F%\n"
        "field name PID-6.1 72+1 ~\n"
        "end\n"),
    ROW("only two delimiters",
        "MSH|^|A||||||ADT^A08\r"
        "PID|||1^^^H^MR~2&3\\\r",
        "begin ADT^A08\n"
        "field code MSH-3.1 6+1 A\n"
        "field code MSH-9.1 13+3 ADT\n"
        "field code MSH-9.2 17+3 A08\n"
        "field record_id PID-3.1 27+1 1\n"
        "field code PID-3.4 31+1 H\n"
        "field code PID-3.5 33+7 MR~2&3\\\n"
        "end\n"),
    ROW("MSH-2 that is none",
        "MSH|^~\\&ABC13912345678|A||||||ADT^A08\r"
        "PID|1\r",
        "begin ADT^A08\n"
        "field text MSH-2[2].1 6+1 [escape hl7] \\\n"
        "field text MSH-2[2].1.2 8+14 ABC13912345678\n"
        "field code MSH-3.1 23+1 A\n"
        "field code MSH-9.1 30+3 ADT\n"
        "field code MSH-9.2 34+3 A08\n"
        "field number PID-1 42+1 1\n"
        "end\n"),
    ROW("fifth delimiter of later editions",
        "MSH|^~\\&#|A||||||ADT^A08\r"
        "PID|1\r",
        "begin ADT^A08\n"
        "field code MSH-3.1 10+1 A\n"
        "field code MSH-9.1 17+3 ADT\n"
        "field code MSH-9.2 21+3 A08\n"
        "field number PID-1 29+1 1\n"
        "end\n"),
    ROW("escapes",
        "MSH|^~\\&|||||||ADT\r"
        "PID|||||O\\S\\X^\\X4E2D\\~\\.br\\\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 ADT\n"
        "field name PID-5.1 27+5 [escape hl7] O\\S\\X\n"
        "field name PID-5.2 33+7 [same] [escape hl7] \\X4E2D\\\n"
        "field name PID-5[2].1 41+5 [escape hl7] \\.br\\\n"
        "end\n"),
};

static const struct row characters[] = {
    ROW("GB18030 trail bytes are no delimiters",
        "MSH|^~\\&|||||||ADT^A01|||||||||GB 18030-2000\r"
        "PID|||7||\201|^\202^\213\\~\201&x\2010\2010\201||1996\r"
        "NTE|1||\325~|\325\r",
        "begin ADT^A01\n"
        "field code MSH-9.1 15+3 [gb18030] ADT\n"
        "field code MSH-9.2 19+3 [gb18030] A01\n"
        "field code MSH-18 31+13 [gb18030] GB 18030-2000\n"
        "field record_id PID-3.1 51+1 [gb18030] 7\n"
        "field name PID-5.1 54+2 [gb18030] \201|\n"
        "field name PID-5.2 57+4 [gb18030] [same] \202^\213\\\n"
        "field name PID-5[2].1 62+1 [gb18030] \201\n"
        "field name PID-5[2].1.2 64+7 [gb18030] [same] x\2010\2010\201|\n"
        "field name PID-6.1 72+4 [gb18030] 1996\n"
        "field number NTE-1 81+1 [gb18030] 1\n"
        "field text NTE-3 84+2 [gb18030] \325~\n"
        "field code NTE-4.1 87+1 [gb18030] \325\n"
        "end\n"),
    ROW("Big5 trail bytes are no delimiters",
        "MSH|^~\\&|||||||ADT|||||||||BIG-5\r"
        "PID|||||\263\\\245|^\255~\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 [big5] ADT\n"
        "field code MSH-18 27+5 [big5] BIG-5\n"
        "field name PID-5.1 41+4 [big5] \263\\\245|\n"
        "field name PID-5.2 46+2 [big5] [same] \255~\n"
        "end\n"),
    ROW("undeclared GBK",
        "MSH|^~\\&|||||||ADT\r"
        "PID|||||\201|\325~\263\\^\316\260\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 ADT\n"
        "field name PID-5.1 27+6 \201|\325~\263\\\n"
        "field name PID-5.2 34+2 [same] \316\260\n"
        "end\n"),
    ROW("undeclared UTF-8",
        "MSH|^~\\&|||||||ADT\r"
        "PID|||||陈^伟|😀|\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 ADT\n"
        "field name PID-5.1 27+3 陈\n"
        "field name PID-5.2 31+3 [same] 伟\n"
        "field name PID-6.1 35+4 😀\n"
        "end\n"),
    ROW("declared UTF-8 keeps delimiters after any byte",
        "MSH|^~\\&|||||||ADT|||||||||UTF-8\r"
        "PID|||||\201|\325^\345\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 [utf-8] ADT\n"
        "field code MSH-18 27+5 [utf-8] UTF-8\n"
        "field name PID-5.1 41+1 [utf-8] \201\n"
        "field name PID-6.1 43+1 [utf-8] \325\n"
        "field name PID-6.2 45+1 [utf-8] [same] \345\n"
        "end\n"),
    ROW("8859 keeps delimiters after any byte",
        "MSH|^~\\&|||||||ADT|||||||||8859/1\r"
        "PID|||||H\374|\374^x\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 [iso-8859-1] ADT\n"
        "field code MSH-18 27+6 [iso-8859-1] 8859/1\n"
        "field name PID-5.1 42+2 [iso-8859-1] H\374\n"
        "field name PID-6.1 45+1 [iso-8859-1] \374\n"
        "field name PID-6.2 47+1 [iso-8859-1] [same] x\n"
        "end\n"),
    ROW("ASCII with an alternative",
        "MSH|^~\\&|||||||ADT|||||||||ASCII~GB 18030-2000\r"
        "PID|||||\201|\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 [gb18030] ADT\n"
        "field code MSH-18 27+5 [gb18030] ASCII\n"
        "field code MSH-18[2] 33+13 [gb18030] GB 18030-2000\n"
        "field name PID-5.1 55+2 [gb18030] \201|\n"
        "end\n"),
    ROW("UTF-16 in single bytes is not believed",
        "MSH|^~\\&|||||||ADT|||||||||UNICODE UTF-16\r"
        "PID|||||LI\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 ADT\n"
        "field code MSH-18 27+14 UNICODE UTF-16\n"
        "field name PID-5.1 50+2 LI\n"
        "end\n"),
    ROW("ISO 2022 shifts",
        "MSH|^~\\&|||||||ADT|||||||||~ISO IR87\r"
        "PID|||||YAMADA^TARO~\033$B;3|E^\033(B^\033$BB@O:\033(B|x\r",
        "begin ADT\n"
        "field code MSH-9.1 15+3 [iso-2022] ADT\n"
        "field code MSH-18[2] 28+8 [iso-2022] ISO IR87\n"
        "field name PID-5.1 45+6 [iso-2022] YAMADA\n"
        "field name PID-5.2 52+4 [iso-2022] [same] TARO\n"
        "field name PID-5[2].1 57+11 [iso-2022] \\x1b$B;3|E^\\x1b(B\n"
        "field name PID-5[2].2 69+10 [iso-2022] [same] \\x1b$BB@O:\\x1b(B\n"
        "field name PID-6.1 80+1 [iso-2022] x\n"
        "end\n"),
    ROW("wide character at the end",
        "MSH|^~\\&|||||||ADT|||||||||GB 18030-2000\r"
        "PID|||||LI\325",
        "begin ADT\n"
        "field code MSH-9.1 15+3 [gb18030] ADT\n"
        "field code MSH-18 27+13 [gb18030] GB 18030-2000\n"
        "field name PID-5.1 49+3 [gb18030] LI\325\n"
        "end\n"),
    ROW("undeclared, cut UTF-8 at the end",
        "MSH|^~\\&|||||||ADT\r"
        "PID|||||LI\345\274",
        "begin ADT\n"
        "field code MSH-9.1 15+3 ADT\n"
        "field name PID-5.1 27+4 LI\345\274\n"
        "end\n"),
    ROW("GBK before MSH-18",
        "MSH|^~\\&|\201||||||||ADT^A01|1|P|2.5||||||GBK\r"
        "PID|||||\201|\r",
        "begin message\n"
        "field code MSH-3.1 9+2 \201|\n"
        "field text MSH-10 18+7 ADT^A01\n"
        "field code MSH-11.1 26+1 1\n"
        "field code MSH-12.1 28+1 P\n"
        "field number MSH-13 30+3 2.5\n"
        "field code MSH-19.1 39+3 GBK\n"
        "field name PID-5.1 51+2 \201|\n"
        "end\n"),
};

static void messages_are_found(void **state)
{
    (void)state;
    check_rows(framing, N_ROWS(framing));
}

static void delimiters_are_the_messages_own(void **state)
{
    (void)state;
    check_rows(delimiters, N_ROWS(delimiters));
}

static void wide_characters_hide_delimiters(void **state)
{
    (void)state;
    check_rows(characters, N_ROWS(characters));
}

/* A message whose OBX-5 is `len` bytes of 'A' between two texts; the caller frees it. */
static char *long_message(const char *before, size_t len, const char *after, size_t *total)
{
    size_t n_before = strlen(before), n_after = strlen(after);
    char *bytes = malloc(n_before + len + n_after);
    assert_non_null(bytes);
    memcpy(bytes, before, n_before);
    memset(bytes + n_before, 'A', len);
    memcpy(bytes + n_before + len, after, n_after);
    *total = n_before + len + n_after;
    return bytes;
}

/* count_parts counts the events of each kind of part. */
struct parts {
    unsigned whole, first, middle, last, ended;
    uint64_t bytes;
};

static bool count_parts(void *receiver, const struct event *ev)
{
    struct parts *p = receiver;
    p->ended += ev->kind == EVENT_END;
    if ((ev->kind != EVENT_FIELD && ev->kind != EVENT_PAYLOAD) || ev->at.len == 1)
        return true;
    switch (ev->flags & PART_WHOLE) {
    case PART_WHOLE:
        p->whole++;
        break;
    case PART_FIRST:
        p->first++;
        break;
    case PART_LAST:
        p->last++;
        break;
    default:
        p->middle++;
        break;
    }
    p->bytes += ev->at.len;
    return true;
}

static struct parts feed_whole(const char *bytes, size_t len)
{
    struct parts p = {0};
    void *s = calloc(1, hl7v2_dissector.state_size);
    assert_non_null(s);
    struct view in = {(const uint8_t *)bytes, len, 0, true, NULL};
    struct feed_result r = hl7v2_dissector.feed(s, in, count_parts, &p);
    assert_int_equal(r.status, FEED_OK);
    assert_int_equal(r.consumed, len);
    free(s);
    return p;
}

static void only_length_makes_a_value_long(void **state)
{
    (void)state;
    const size_t most = hl7v2_dissector.max_view - 16;
    for (size_t len = most - 1; len <= most + 2; len++) {
        size_t n;
        char *bytes = long_message("MSH|^~\\&|\rNTE|||", len, "|\r", &n);
        struct parts p = feed_whole(bytes, n);
        assert_int_equal(p.bytes, len);
        assert_int_equal(p.whole, len <= most);
        assert_int_equal(p.first, len > most);
        assert_int_equal(p.last, len > most);
        assert_int_equal(p.ended, 1);
        free(bytes);
    }
}

static void long_values_obey_the_law(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
        size_t len;
    } rows[] = {
        {"MSH|^~\\&|\rOBX|1|ED|X||^application^pdf^Base64^", "||||||F\rNTE|1\r", 70000},
        {"MSH|^~\\&|\rNTE|||", "\\T\\ & ^ \xe5\xbc\xa0~b\r", 66000},
        {"MSH|^~\\&|\rPID|||", "^^^H^NI~2\r", 65521},
        {"MSH|^~\\&|\rPID|||", "^^^H^NI~2\r", 65515},
        {"MSH|^~\\&|\rPID|||||", "", 65530},
        {"MSH|^~\\&|", "|||||||ADT^A01\rPID|1\r", 4090},
        {"MSH|^~\\&|||||||ADT^A01|", "\rPID|1\r", 4096},
        {"\013MSH|^~\\&|||||||ADT^A01\r\034\r", "\013MSH|^~\\&|\r", 70000},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        size_t n;
        char *bytes = long_message(rows[i].before, rows[i].len, rows[i].after, &n);
        char *whole = drive_events(&hl7v2_dissector, bytes, n, NULL);
        assert_null(strstr(whole, "event kind"));
        free(whole);
        /* Long values are dear to cut everywhere: that each cut lands near their ends is enough. */
        if (i >= 5 || i % 2 == 0) {
            char *differs = drive_law(&hl7v2_dissector, bytes, n, NULL, 0, 3);
            if (differs != NULL)
                print_error("row %zu: %.2000s\n", i, differs);
            assert_null(differs);
        }
        free(bytes);
    }
}

static void header_longer_than_the_limit(void **state)
{
    (void)state;
    size_t n;
    char *bytes = long_message("MSH|^~\\&|", 5000, "|||||||ADT^A01\rPID|||1\r", &n);
    char *log = drive_events(&hl7v2_dissector, bytes, n, NULL);
    assert_non_null(strstr(log, "begin message\n"));
    assert_non_null(strstr(log, "field record_id PID-3.1 "));
    free(log);
    free(bytes);
}

static void each_truncation_obeys_the_law(void **state)
{
    (void)state;
    static const char bytes[] =
        "\013MSH|^~\\&|||||||ADT^A01|||||||||GB "
        "18030-2000\rPID|||1^^^H^NI~2||\xd5\x7c^\xb3\x5c|\"\"\r"
        "OBX||ED|||^AP^PDF^Base64^QUJD\r\nx\rNTE|||a\\T\\b\034\r\n\013FHS|^~\\&|\r\034\r!";
    for (size_t len = 0; len < sizeof bytes; len++) {
        char *differs = drive_law(&hl7v2_dissector, bytes, len, NULL, 10, (unsigned)len);
        if (differs != NULL)
            print_error("length %zu: %s\n", len, differs);
        assert_null(differs);
    }
}

struct gap_row {
    const char *name, *bytes;
    const char *from, *to; /* the gap begins and ends before these bytes */
    const char *events;
};

static void gaps_end_at_the_next_message(void **state)
{
    (void)state;
    static const struct gap_row rows[] = {
        {"inside a value", "MSH|^~\\&|\rPID|||||LI^SI|x\rPV1|1\r\013MSH|^~\\&|\rNTE|1\r\034\r",
         "SI", "x",
         "begin message\nfield name PID-5.1 18+2 LI\nend\nanomaly 24+1 text outside messages\n"
         "field text - 24+8 x\\x0dPV1|1\\x0d\nbegin message\nfield number NTE-1 47+1 1\nend\n"},
        {"up to a message", "\013MSH|^~\\&|\rPID|||1\r\034\r\013MSH|^~\\&|\rNTE|1\r\034\r", "1\r",
         "MSH|^~\\&|\rNTE", "begin message\nend\nbegin message\nfield number NTE-1 36+1 1\nend\n"},
        {"inside a header", "\013MSH|^~\\&|A|B\rPID|||1\r\034\r\013MSH|^~\\&|\rNTE|1\r\034\r",
         "A|B", "ID|||",
         "anomaly 15+1 text outside messages\nfield text - 15+9 ID|||1\\x0d\\x1c\\x0d\n"
         "begin message\nfield number NTE-1 39+1 1\nend\n"},
        {"nothing after", "MSH|^~\\&|\rPID|||1\rPV1|1", "PV1", "",
         "begin message\nfield record_id PID-3.1 16+1 1\nend\n"},
        {"between messages", "abc def\013MSH|^~\\&|\r", "c d", "ef",
         "anomaly 0+1 text outside messages\nfield text - 0+4 abef\nbegin message\n"
         "anomaly 18+0 message frame without an end\nend\n"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        const char *bytes = rows[i].bytes;
        size_t len = strlen(bytes), from = (size_t)(strstr(bytes, rows[i].from) - bytes);
        size_t to = rows[i].to[0] == '\0' ? len : (size_t)(strstr(bytes, rows[i].to) - bytes);
        char *log = drive_gap(&hl7v2_dissector, bytes, len, from, to, NULL);
        if (strcmp(log, rows[i].events) != 0)
            print_error("row: %s\n", rows[i].name);
        assert_string_equal(log, rows[i].events);
        free(log);
    }
}

static void a_gap_ends_a_long_value(void **state)
{
    (void)state;
    size_t n;
    char *bytes = long_message("MSH|^~\\&|\rNTE|||", 140000, "|1\rMSH|^~\\&|\r", &n);
    char *log = drive_gap(&hl7v2_dissector, bytes, n, 100000, 120000, NULL);
    assert_null(strstr(log, "event kind"));
    assert_non_null(strstr(log, "field text NTE-3 16+99984 "));
    assert_non_null(strstr(log, "end\nanomaly 120000+1 text outside messages\n"));
    free(log);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_found),
        cmocka_unit_test(delimiters_are_the_messages_own),
        cmocka_unit_test(wide_characters_hide_delimiters),
        cmocka_unit_test(only_length_makes_a_value_long),
        cmocka_unit_test(long_values_obey_the_law),
        cmocka_unit_test(header_longer_than_the_limit),
        cmocka_unit_test(each_truncation_obeys_the_law),
        cmocka_unit_test(gaps_end_at_the_next_message),
        cmocka_unit_test(a_gap_ends_a_long_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
