/* test_normal.c - normal text: every escape, every charset, and the map back to raw bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/normal.h"

/* The same source once more, without its sixteen bytes at a time. */
#undef __SSE2__
#define normal_is_plain normal_is_plain_single
#define normal_write    normal_write_single
bool normal_is_plain(const uint8_t *p, size_t n, enum escape escape, enum charset charset);
size_t normal_write(const uint8_t *p, size_t n, enum escape escape, uint8_t escape_char,
                    enum charset charset, uint8_t *out, uint32_t *map);
#include "filter/inspect/normal.c"
#undef normal_is_plain
#undef normal_write
bool normal_is_plain(const uint8_t *p, size_t n, enum escape escape, enum charset charset);
size_t normal_write(const uint8_t *p, size_t n, enum escape escape, uint8_t escape_char,
                    enum charset charset, uint8_t *out, uint32_t *map);

enum {
    ROOM = 70000
};

static uint8_t out[ROOM];
static uint32_t map[ROOM + 1];

/* write_checked writes into rooms of exact size and checks what holds for every text. */
static size_t write_checked(const uint8_t *p, size_t n, enum escape escape, uint8_t escape_char,
                            enum charset charset)
{
    uint8_t *raw = malloc(n + 1), *text = malloc(n + 1);
    uint32_t *back = calloc(n + 1, sizeof *back);
    assert_true(raw != NULL && text != NULL && back != NULL);
    raw = realloc(raw, n > 0 ? n : 1);
    text = realloc(text, n > 0 ? n : 1);
    assert_true(raw != NULL && text != NULL);
    memcpy(raw, p, n);
    size_t len = normal_write(raw, n, escape, escape_char, charset, text, back);
    assert_true(len <= n);
    assert_int_equal(back[len], n);
    for (size_t i = 0; i < len; i++)
        assert_true(back[i] <= back[i + 1] && back[i] < n);
    assert_memory_equal(raw, p, n);
    assert_int_equal(normal_is_plain(raw, n, escape, charset),
                     normal_is_plain_single(raw, n, escape, charset));
    memcpy(out, text, len);
    memcpy(map, back, (len + 1) * sizeof *back);
    free(raw);
    free(text);
    free(back);
    return len;
}

struct row {
    const char *name;
    uint8_t escape, escape_char, charset;
    const char *raw;
    size_t n; /* 0: strlen(raw) */
    const char *want;
};

#define ID "11010519491231002X"
#define WIDE                                                                                       \
    "\xef\xbc\x91\xef\xbc\x91\xef\xbc\x90\xef\xbc\x91\xef\xbc\x90\xef\xbc\x95\xef\xbc\x91\xef\xbc" \
    "\x99\xef\xbc\x94\xef\xbc\x99\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x91\xef\xbc\x90\xef" \
    "\xbc\x90\xef\xbc\x92\xef\xbc\xb8"
#define WIDE_GB                                                                                    \
    "\xa3\xb1\xa3\xb1\xa3\xb0\xa3\xb1\xa3\xb0\xa3\xb5\xa3\xb1\xa3\xb9\xa3\xb4\xa3\xb9\xa3\xb1\xa3" \
    "\xb2\xa3\xb3\xa3\xb1\xa3\xb0\xa3\xb0\xa3\xb2\xa3\xd8"
#define WIDE_BIG5                                                                                  \
    "\xa2\xb0\xa2\xb0\xa2\xaf\xa2\xb0\xa2\xaf\xa2\xb4\xa2\xb0\xa2\xb8\xa2\xb3\xa2\xb8\xa2\xb0\xa2" \
    "\xb1\xa2\xb2\xa2\xb0\xa2\xaf\xa2\xaf\xa2\xb1\xa2\xe6"
#define BYTES(s) s, sizeof(s) - 1
#define HAN_UTF8 "\xe5\xbc\xa0\xe4\xb8\x89"
#define HAN_GB   "\xd5\xc5\xc8\xfd"

static const struct row rows[] = {
    {"a stray byte before wide UTF-8", ESCAPE_NONE, 0, CHARSET_UTF8, BYTES("text \xff\n" WIDE "\n"),
     "text \xff\n" ID "\n"},
    {"a stray byte that touches wide UTF-8", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES("\xb1" WIDE "\xb2" HAN_UTF8 "\xb3" WIDE), "\xb1" ID "\xb2" HAN_UTF8 "\xb3" ID},
    {"a stray byte among UTF-8 letters folds none", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES("\xff\xe4\xbd\xa3\xe5\xa3\xb1\xe4\xbd\xa3\xff\xe5\xa3\xb1"),
     "\xff\xe4\xbd\xa3\xe5\xa3\xb1\xe4\xbd\xa3\xff\xe5\xa3\xb1"},
    {"wide UTF-8 and wide GB 18030", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES(WIDE " " WIDE_GB " " HAN_UTF8 WIDE HAN_GB WIDE_GB HAN_GB WIDE),
     ID " " ID " " HAN_UTF8 ID HAN_GB ID HAN_GB ID},
    {"wide GB 18030 declared as UTF-8", ESCAPE_NONE, 0, CHARSET_UTF8, BYTES(HAN_GB WIDE_GB HAN_GB),
     HAN_GB ID HAN_GB},
    {"wide UTF-8 declared as GB 18030", ESCAPE_NONE, 0, CHARSET_GB18030,
     BYTES("\xff" HAN_UTF8 WIDE HAN_UTF8), "\xff" HAN_UTF8 ID HAN_UTF8},
    {"wide GB 18030 out of step", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES("\xb0" WIDE_GB " \xff" WIDE_GB " \x81\xb0" HAN_GB "\xb0" WIDE_GB),
     "\xb0" ID " \xff" ID " \x81\xb0" HAN_GB "\xb0" ID},
    {"letters of GB 18030 that look like UTF-8", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES("\xe5\xb1" WIDE_GB " \xe5\xb1\xb2\xc4" WIDE_GB " \xef\xbc" WIDE_GB
           " \xc4\xe3\xe5\xb1\xb2\xc4\xa3\xb1"
           "3"),
     "\xe5\xb1" ID " \xe5\xb1\xb2\xc4" ID " \xef\xbc" ID " \xc4\xe3\xe5\xb1\xb2\xc4"
     "13"},
    {"a stray byte in wide Big5", ESCAPE_NONE, 0, CHARSET_BIG5,
     BYTES("\xff" WIDE_BIG5 "\xa1\x40"
           "1"),
     "\xff" ID " 1"},
    {"escaped bytes of wide UTF-8 behind a stray one", ESCAPE_PERCENT, 0, CHARSET_UNKNOWN,
     BYTES("%ff%EF%BC%91%ef%bc%92"),
     "\xff"
     "12"},
    {"plain", ESCAPE_NONE, 0, CHARSET_UNKNOWN, BYTES("id " ID "|\r\n"), "id " ID "|\r\n"},
    {"empty", ESCAPE_NONE, 0, CHARSET_UNKNOWN, BYTES(""), ""},
    {"UTF-8 letters stay", ESCAPE_NONE, 0, CHARSET_UTF8, BYTES("\xe5\xbc\xa0\xe4\xbc\x9f 1"),
     "\xe5\xbc\xa0\xe4\xbc\x9f 1"},
    {"GB 18030 letters stay", ESCAPE_NONE, 0, CHARSET_GB18030, BYTES("\xd5\xc5\xce\xb0 1"),
     "\xd5\xc5\xce\xb0 1"},
    {"full width in UTF-8", ESCAPE_NONE, 0, CHARSET_UTF8, BYTES(WIDE), ID},
    {"full width in UTF-8, undeclared", ESCAPE_NONE, 0, CHARSET_UNKNOWN, BYTES("n:" WIDE "."),
     "n:" ID "."},
    {"full width in UTF-8, declared GB", ESCAPE_NONE, 0, CHARSET_GB18030, BYTES(WIDE), ID},
    {"full-width letters, space, mail", ESCAPE_NONE, 0, CHARSET_UTF8,
     BYTES("\xef\xbd\x81\xef\xbc\xa0\xef\xbd\x9a\xef\xbc\x8e\xef\xbd\x9e\xe3\x80\x80-"), "a@z.~ -"},
    {"beyond the full-width forms", ESCAPE_NONE, 0, CHARSET_UTF8,
     BYTES("\xef\xbc\x80\xef\xbd\x9f\xe3\x80\x81"), "\xef\xbc\x80\xef\xbd\x9f\xe3\x80\x81"},
    {"full width in GB 18030", ESCAPE_NONE, 0, CHARSET_GB18030, BYTES(WIDE_GB), ID},
    {"full width in GB 18030, undeclared", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES("\xb5\xe7\xa3\xba" WIDE_GB), "\xb5\xe7:" ID},
    {"space of GB 18030", ESCAPE_NONE, 0, CHARSET_GB18030, BYTES("\xd5\xc5\xa1\xa1\xce\xb0"),
     "\xd5\xc5 \xce\xb0"},
    {"four bytes of GB 18030", ESCAPE_NONE, 0, CHARSET_GB18030,
     BYTES("\xd5\xc5\x81\x39\xef\x30\xa3\xb1\xa3\xb2"),
     "\xd5\xc5\x81\x39\xef\x30"
     "12"},
    {"full width in Big5", ESCAPE_NONE, 0, CHARSET_BIG5, BYTES(WIDE_BIG5), ID},
    {"space of Big5", ESCAPE_NONE, 0, CHARSET_BIG5, BYTES("\xb1\x69\xa1\x40\xb0\xb6"),
     "\xb1\x69 \xb0\xb6"},
    {"UTF-16 little endian", ESCAPE_NONE, 0, CHARSET_UTF16LE,
     BYTES("1\0001\0000\0001\0000\0005\0001\0009\000"), "11010519"},
    {"UTF-16 big endian", ESCAPE_NONE, 0, CHARSET_UTF16BE,
     BYTES("\0001\0001\0000\0001\0000\0005\0001\0009"), "11010519"},
    {"UTF-16 amid binary", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES("\001\377\2001\0001\0000\0001\000\377\377"),
     "\001\377\200"
     "1101\377\377"},
    {"UTF-16 full width", ESCAPE_NONE, 0, CHARSET_UTF16LE,
     BYTES("n\000o\000:\000\x11\xff\x10\xff\x11\xff;\000"), "no:101;"},
    {"zeros that end strings", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES("110105194912\00031002X\000ab\000cd\000ef\000"), "="},
    {"cut in a UTF-8 letter", ESCAPE_NONE, 0, CHARSET_UNKNOWN,
     BYTES("\xbc\xa0\xef\xbc\x91\xef\xbc\x92\xe5\xbc"),
     "\xbc\xa0"
     "12\xe5\xbc"},
    {"JSON letters", ESCAPE_JSON, 0, CHARSET_UTF8, BYTES("a\\\"b\\\\c\\/d\\be\\ff\\ng\\rh\\ti"),
     "a\"b\\c/d\be\ff\ng\rh\ti"},
    {"JSON code points", ESCAPE_JSON, 0, CHARSET_UTF8,
     BYTES("\\u0031\\u0031\\u5f20\\u00e9\\ud83d\\ude00."),
     "11\xe5\xbc\xa0\xc3\xa9\xf0\x9f\x98\x80."},
    {"JSON full width", ESCAPE_JSON, 0, CHARSET_UTF8, BYTES("\\uff11\\uFF18\\u3000x"), "18 x"},
    {"JSON half a pair", ESCAPE_JSON, 0, CHARSET_UTF8, BYTES("\\ud83dx\\ude00\\u00"),
     "\xed\xa0\xbdx\xed\xb8\x80\\u00"},
    {"JSON unknown", ESCAPE_JSON, 0, CHARSET_UTF8, BYTES("\\x1\\u12g4\\"), "\\x1\\u12g4\\"},
    {"XML names", ESCAPE_XML, 0, CHARSET_UTF8, BYTES("&amp;&lt;&gt;&quot;&apos;&nbsp;&"),
     "&<>\"'&nbsp;&"},
    {"XML numbers", ESCAPE_XML, 0, CHARSET_UTF8, BYTES("&#49;&#x31;&#X32;&#x5F20;&#128512;"),
     "112\xe5\xbc\xa0\xf0\x9f\x98\x80"},
    {"XML no numbers", ESCAPE_XML, 0, CHARSET_UTF8, BYTES("&#;&#x;&#4a;&#x110000;&#1114112;&#12"),
     "&#;&#x;&#4a;&#x110000;&#1114112;&#12"},
    {"XML numbers too long", ESCAPE_XML, 0, CHARSET_UTF8,
     BYTES("&#x100000031;&#4294967345;&#000049;"), "&#x100000031;&#4294967345;1"},
    {"percent", ESCAPE_PERCENT, 0, CHARSET_UTF8, BYTES("%31%e5%BC%a0+%4%zz%"),
     "1\xe5\xbc\xa0+%4%zz%"},
    {"form", ESCAPE_FORM, 0, CHARSET_UTF8, BYTES("a+b%2B%EF%BC%91"), "a b+1"},
    {"form in GB 18030", ESCAPE_FORM, 0, CHARSET_UNKNOWN, BYTES("%D5%C5%A3%B1%A3%B2"),
     "\xd5\xc5"
     "12"},
    {"HL7 delimiters", ESCAPE_HL7, '\\', CHARSET_UTF8, BYTES("\\F\\\\S\\\\R\\\\E\\\\T\\"),
     "|^~\\&"},
    {"HL7 hexadecimal", ESCAPE_HL7, '\\', CHARSET_UTF8, BYTES("a\\X313233\\b\\X5\\c\\Xzz\\d"),
     "a123bc\\Xzz\\d"},
    {"HL7 formatting", ESCAPE_HL7, '\\', CHARSET_UTF8, BYTES("\\H\\bold\\N\\\\.br\\next"),
     "boldnext"},
    {"HL7 with another escape", ESCAPE_HL7, '/', CHARSET_UTF8, BYTES("1/F/2\\F\\"), "1|2\\F\\"},
    {"HL7 not ended", ESCAPE_HL7, '\\', CHARSET_UTF8, BYTES("a\\F b"), "a\\F b"},
    {"HL7 hexadecimal of GB 18030", ESCAPE_HL7, '\\', CHARSET_GB18030,
     BYTES("\\XA3B1A3B2A3B3\\\xd5\xc5"), "123\xd5\xc5"},
};

static void test_row(void **state)
{
    const struct row *r = *state;
    size_t len =
        write_checked((const uint8_t *)r->raw, r->n, r->escape, r->escape_char, r->charset);
    /* "=": stays as it is. */
    const char *want = strcmp(r->want, "=") == 0 ? r->raw : r->want;
    assert_int_equal(len, want == r->raw ? r->n : strlen(want));
    assert_memory_equal(out, want, len);
}

/* Each normal byte maps to the first raw byte of what it was made from. */
static void test_map(void **state)
{
    (void)state;
    static const char raw[] = "a\\u0031\\n\xef\xbc\x92\xe5\xbc\xa0z";
    static const uint32_t want[] = {0, 1, 7, 9, 12, 12, 12, 15, 16};
    size_t len = write_checked((const uint8_t *)raw, sizeof raw - 1, ESCAPE_JSON, 0, CHARSET_UTF8);
    assert_int_equal(len, 8);
    for (size_t i = 0; i <= len; i++)
        assert_int_equal(map[i], want[i]);
}

/* What must be folded is seen wherever it lies to the wide steps. */
static void test_plain_places(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        size_t n;
    } wide[] = {{BYTES("\xef\xbc\x91\xef\xbc\x92")},
                {BYTES("\xa3\xb1\xa3\xb2")},
                {BYTES("1\0002\0003\000")},
                {BYTES("\0001\0002\0003")}};
    uint8_t text[400];
    for (size_t kind = 0; kind < 4; kind++) {
        for (size_t before = 0; before < 150; before++) {
            for (size_t after = 0; after < 70; after += 1 + after % 3) {
                size_t n = before + wide[kind].n + after;
                memset(text, kind < 2 ? 'a' : 1, sizeof text);
                memcpy(text + before, wide[kind].raw, wide[kind].n);
                assert_false(normal_is_plain(text, n, ESCAPE_NONE, CHARSET_UNKNOWN));
                size_t len = write_checked(text, n, ESCAPE_NONE, 0, CHARSET_UNKNOWN);
                assert_int_equal(len, before + (kind < 2 ? 2 : 3) + after);
                assert_int_equal(out[before], '1');
                assert_int_equal(out[before + 1], '2');
                assert_int_equal(map[before], before);
            }
        }
    }
}

/* Long runs are divided piece by piece: a wide text folds wherever in them it stands. */
static void test_long_runs(void **state)
{
    (void)state;
    static const char *const wides[] = {WIDE, WIDE_GB};
    static const char *const hans[] = {HAN_UTF8, HAN_GB};
    uint8_t text[2000];
    for (unsigned i = 0; i < 4; i++) {
        const char *wide = wides[i % 2], *han = hans[i / 2];
        for (size_t before = 0; before < 130; before++) {
            size_t n = 0;
            text[n++] = 0xff;
            for (size_t k = 0; k < before; k++, n += strlen(han))
                memcpy(text + n, han, strlen(han));
            size_t at = n;
            memcpy(text + n, wide, strlen(wide));
            n += strlen(wide);
            memcpy(text + n, han, strlen(han));
            n += strlen(han);
            (void)write_checked(text, n, ESCAPE_NONE, 0, CHARSET_UNKNOWN);
            assert_memory_equal(out, text, at);
            assert_memory_equal(out + at, ID, sizeof ID - 1);
            assert_memory_equal(out + at + sizeof ID - 1, han, strlen(han));
            assert_int_equal(map[at + 1] - map[at], strlen(wide) / (sizeof ID - 1));
        }
    }
}

/* Random texts of all kinds: what write_checked asserts, and plain text unchanged. */
static void test_random(void **state)
{
    (void)state;
    static const char *const pieces[] = {"1",
                                         "23",
                                         " ",
                                         "\\",
                                         "\\u",
                                         "0031",
                                         "\\u5f20",
                                         "&#",
                                         "&amp;",
                                         ";",
                                         "%",
                                         "4e",
                                         "+",
                                         "\\X",
                                         "\\F\\",
                                         "\xef\xbc",
                                         "\x91",
                                         "\xa3\xb1",
                                         "\xe5\xbc\xa0",
                                         "\xff",
                                         "\x81\x30",
                                         "\n",
                                         "abcdefghijklmnop",
                                         "\xef\xbc\x91",
                                         "\xa2\xaf",
                                         "\xd5\xc5",
                                         "|",
                                         "X",
                                         "&#x31;",
                                         "\xed\xa0\x80"};
    static const enum escape escapes[] = {ESCAPE_NONE, ESCAPE_HL7,     ESCAPE_JSON,
                                          ESCAPE_XML,  ESCAPE_PERCENT, ESCAPE_FORM};
    uint8_t text[2000];
    uint32_t seed = 5;
    for (unsigned round = 0; round < 60000; round++) {
        size_t n = 0, want = round % 7 == 0 ? 900 : round % 80;
        while (n < want) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t r = seed >> 8;
            if (r % 8 == 0) {
                text[n++] = (uint8_t)(r >> 3);
            } else if (r % 64 == 1) {
                text[n++] = 0;
            } else {
                const char *piece = pieces[(r >> 6) % (sizeof pieces / sizeof pieces[0])];
                memcpy(text + n, piece, strlen(piece));
                n += strlen(piece);
            }
        }
        (void)write_checked(text, n, escapes[round % 6], '\\',
                            (enum charset)(round / 6 % (CHARSET_ISO2022 + 1)));
        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t)(text[i] % 0x7f == 0 ? 'q' : text[i] % 0x7f);
        assert_int_equal(write_checked(text, n, ESCAPE_NONE, 0, CHARSET_UNKNOWN), n);
        assert_memory_equal(out, text, n);
        assert_true(normal_is_plain(text, n, ESCAPE_NONE, CHARSET_UNKNOWN));
    }
}

int main(void)
{
    struct CMUnitTest tests[64] = {cmocka_unit_test(test_map), cmocka_unit_test(test_plain_places),
                                   cmocka_unit_test(test_random), cmocka_unit_test(test_long_runs)};
    size_t n = 4;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        tests[n++] =
            (struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i]};
    return _cmocka_run_group_tests("normal", tests, n, NULL, NULL);
}
