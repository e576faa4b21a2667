/* test_dicom_build.h - builds DICOM data sets and messages byte by byte, and checks rows of a table
 * against what a dissector says of them. All persons in the tests are invented. */
#ifndef TESTS_UNIT_TEST_DICOM_BUILD_H
#define TESTS_UNIT_TEST_DICOM_BUILD_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector dicom_dissector;
extern const struct dissector dicom_ul_dissector;

#define HINT          "application/dicom-dataset"
#define HINT_COMMAND  "application/dicom-command"
#define HINT_IMPLICIT HINT "; transfer-syntax=1.2.840.10008.1.2"
#define HINT_EXPLICIT HINT "; transfer-syntax=1.2.840.10008.1.2.1"
#define HINT_BIG      HINT "; transfer-syntax=1.2.840.10008.1.2.2"
#define HINT_DEFLATED HINT "; transfer-syntax=1.2.840.10008.1.2.1.99"

/* build is a data set in the making. */
struct build {
    uint8_t bytes[256 * 1024];
    size_t len;
    bool implicit;
    bool big;
};

enum {
    UNDEFINED = -1
};

static inline void put(struct build *b, const void *p, size_t n)
{
    assert_true(n <= sizeof b->bytes - b->len);
    memcpy(b->bytes + b->len, p, n);
    b->len += n;
}

static inline void put_text(struct build *b, const char *text)
{
    put(b, text, strlen(text));
}

static inline void put_uint(struct build *b, uint32_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)(v >> 8 * (b->big ? n - 1 - i : i));
        put(b, &byte, 1);
    }
}

static inline void put_tag(struct build *b, uint32_t tag)
{
    put_uint(b, tag >> 16, 2);
    put_uint(b, tag & 0xFFFF, 2);
}

static inline void put_header(struct build *b, uint32_t tag, const char *vr, long len)
{
    put_tag(b, tag);
    if (b->implicit) {
        put_uint(b, (uint32_t)len, 4);
        return;
    }
    put(b, vr, 2);
    if (strstr("OB OD OF OL OV OW SQ SV UC UN UR UT UV", vr) != NULL) {
        put_uint(b, 0, 2);
        put_uint(b, (uint32_t)len, 4);
    } else {
        put_uint(b, (uint32_t)len, 2);
    }
}

static inline void element(struct build *b, uint32_t tag, const char *vr, const char *value)
{
    size_t n = strlen(value);
    put_header(b, tag, vr, (long)(n + n % 2));
    put(b, value, n);
    if (n % 2 != 0)
        put(b, strcmp(vr, "UI") == 0 ? "" : " ", 1);
}

static inline void structure(struct build *b, uint32_t tag, long len)
{
    put_tag(b, tag);
    put_uint(b, (uint32_t)len, 4);
}

static inline void item(struct build *b, long len)
{
    structure(b, 0xFFFEE000, len);
}

static inline void item_end(struct build *b)
{
    structure(b, 0xFFFEE00D, 0);
}

static inline void sequence_end(struct build *b)
{
    structure(b, 0xFFFEE0DD, 0);
}

static inline void preamble(struct build *b)
{
    static const uint8_t zeros[128];
    put(b, zeros, sizeof zeros);
    put(b, "DICM", 4);
}

static inline void meta(struct build *b, const char *syntax)
{
    size_t n = strlen(syntax) + strlen(syntax) % 2;
    put_header(b, 0x00020000, "UL", 4);
    put_uint(b, (uint32_t)(n + 8), 4);
    element(b, 0x00020010, "UI", syntax);
}

/* row is one named test: what `make` builds is said to be `want`. */
struct row {
    const char *name;
    void (*make)(struct build *b);
    const char *hint;
    const char *want;
};

static inline struct build *build_new(const struct row *row)
{
    struct build *b = calloc(1, sizeof *b);
    assert_non_null(b);
    row->make(b);
    return b;
}

static inline void row_check(const struct dissector *d, const struct row *row)
{
    struct build *b = build_new(row);
    char *got = drive_events(d, b->bytes, b->len, row->hint);
    if (getenv("MEDGUAN_SHOW") != NULL)
        (void)printf("== %s\n%s", row->name, got);
    else
        assert_string_equal(got, row->want);
    free(got);
    char *differs = drive_law(d, b->bytes, b->len, row->hint, 30, 1);
    if (differs != NULL)
        fail_msg("%s", differs);
    free(b);
}

/* Every prefix of a row obeys the law too. */
static inline void row_check_prefixes(const struct dissector *d, const struct row *row)
{
    struct build *b = build_new(row);
    for (size_t n = 0; n < b->len && n < 400; n++) {
        char *differs = drive_law(d, b->bytes, n, row->hint, 3, (unsigned)n);
        if (differs != NULL)
            fail_msg("%s, %zu bytes: %s", row->name, n, differs);
    }
    free(b);
}

/* rows_run runs a table, each row as a test of its own, then `more` tests. */
static inline int rows_run(struct row *rows, size_t n_rows, CMUnitTestFunction check,
                           const struct CMUnitTest *more, size_t n_more)
{
    struct CMUnitTest tests[160];
    size_t n = 0;
    assert(n_rows + n_more <= sizeof tests / sizeof tests[0]);
    for (size_t i = 0; i < n_rows; i++)
        tests[n++] = (struct CMUnitTest){rows[i].name, check, NULL, NULL, &rows[i]};
    for (size_t i = 0; i < n_more; i++)
        tests[n++] = more[i];
    for (; n < sizeof tests / sizeof tests[0]; n++)
        tests[n] = (struct CMUnitTest){0};
    return _cmocka_run_group_tests("rows", tests, n_rows + n_more, NULL, NULL);
}

#endif
