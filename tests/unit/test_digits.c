/* test_digits.c - separated digit groups: every shape, none twice, wide steps as single ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/digits.h"

/* The same source once more, without its sixteen bytes at a time. */
#undef __SSE2__
#define digits_find digits_find_single
void digits_find(const uint8_t *text, uint32_t n, uint32_t field, digits_fn *fn, void *receiver);
#include "filter/inspect/digits.c"
#undef digits_find
void digits_find(const uint8_t *text, uint32_t n, uint32_t field, digits_fn *fn, void *receiver);

enum {
    TOLD_MAX = 1 << 20
};

struct told {
    char text[TOLD_MAX];
    size_t len;
    unsigned n;
    const uint8_t *from;
};

static void on_group(void *receiver, uint32_t field, const uint8_t *digits, const uint32_t *at,
                     uint32_t n)
{
    struct told *t = receiver;
    assert_int_equal(field, 77);
    assert_true(n > 0 && n <= DIGITS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(i == 0 || at[i] > at[i - 1]);
        assert_true(digits[i] == t->from[at[i]] || (digits[i] == 'X' && t->from[at[i]] == 'x'));
    }
    t->n++;
    if (t->len + 64 < sizeof t->text)
        t->len += (size_t)snprintf(t->text + t->len, 64, "%u:%.*s\n", (unsigned)at[0], (int)n,
                                   (const char *)digits);
}

static struct told found, single, wanted;

static void find(struct told *t, const char *text, size_t n,
                 void (*fn)(const uint8_t *, uint32_t, uint32_t, digits_fn *, void *))
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    assert_non_null(copy);
    memcpy(copy, text, n);
    t->len = t->n = 0;
    t->text[0] = '\0';
    t->from = copy;
    fn(copy, (uint32_t)n, 77, on_group, t);
    free(copy);
}

/* ---- the model ---------------------------------------------------------------------------- */

static bool digit_at(const char *t, size_t n, size_t i)
{
    return i < n && t[i] >= '0' && t[i] <= '9';
}

static bool separator_at(const char *t, size_t n, size_t i)
{
    return i < n && strchr(" -._", t[i]) != NULL && t[i] != '\0';
}

/* group_from tells the groups whose first run begins at `from`. */
static void group_from(const char *t, size_t n, size_t from)
{
    char digits[64];
    size_t k = 0, runs = 0, len[32] = {0};
    for (size_t i = from; k <= 18 && runs < 32;) {
        while (digit_at(t, n, i) && k < 40) {
            digits[k++] = t[i++];
            len[runs]++;
        }
        runs++;
        size_t x = separator_at(t, n, i) ? i + 1 : i;
        bool has_x = k == 17 && x < n && (t[x] == 'X' || t[x] == 'x');
        bool mobile = k == 11 && digits[0] == '1' &&
                      (runs == 11 || (runs == 3 && len[0] == 3 && len[1] == 4) ||
                       (runs == 2 && (len[0] == 3 || len[0] == 4 || len[0] == 7)));
        if ((has_x && (runs > 1 || x > i)) || (k == 18 && runs > 1) || (mobile && runs > 1))
            wanted.len += (size_t)snprintf(wanted.text + wanted.len, 64, "%zu:%.*s%s\n", from,
                                           (int)k, digits, has_x ? "X" : "");
        if (!separator_at(t, n, i) || !digit_at(t, n, i + 1))
            return;
        i++;
    }
}

/* has_joint: the run at i has a neighbour; a lone one is for ordinary rules. */
static bool has_joint(const char *t, size_t n, size_t i)
{
    size_t end = i;
    while (digit_at(t, n, end))
        end++;
    return (separator_at(t, n, end) && digit_at(t, n, end + 1)) ||
           (i > 1 && separator_at(t, n, i - 1) && digit_at(t, n, i - 2));
}

static void model(const char *t, size_t n)
{
    wanted.len = 0;
    wanted.text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        if (digit_at(t, n, i) && (i == 0 || !digit_at(t, n, i - 1)) && has_joint(t, n, i))
            group_from(t, n, i);
}

static void check(const char *t, size_t n)
{
    find(&found, t, n, digits_find);
    find(&single, t, n, digits_find_single);
    assert_string_equal(found.text, single.text);
    model(t, n);
    assert_string_equal(found.text, wanted.text);
}

/* ---- rows --------------------------------------------------------------------------------- */

struct row {
    const char *name, *text, *want;
};

static const struct row rows[] = {
    {"4-4-4-4-2X", "1101 0519 4912 3100 2X", "0:11010519491231002X\n"},
    {"6-8-4", "110105-19491231-002X", "0:11010519491231002X\n"},
    {"6-8-4 lower x", "110105 19491231 002x", "0:11010519491231002X\n"},
    {"X apart", "110105 19491231 002 X", "0:11010519491231002X\n"},
    {"X apart by a hyphen", "no 110105.19491231.002-x.", "3:11010519491231002X\n"},
    {"18 digits", "4405 2419 8001 0100 13", "0:440524198001010013\n"},
    {"one by one", "4 4 0 5 2 4 2 9 8 0 0 2 0 2 0 0 2 3", "0:440524298002020023\n"},
    {"underscores", "440524_19800101_0013", "0:440524198001010013\n"},
    {"mixed separators", "440524-1980.0101 0013", "0:440524198001010013\n"},
    {"mobile 3-4-4", "138-0013-8000", "0:13800138000\n"},
    {"mobile 3-8", "138 00138000", "0:13800138000\n"},
    {"mobile 4-7", "1380.0138000", "0:13800138000\n"},
    {"mobile 7-4", "1380013_8000", "0:13800138000\n"},
    {"mobile one by one", "1 3 8 0 0 1 3 8 0 0 0", "0:13800138000\n"},
    {"behind letters", "Tel 138-0013-8000, home", "4:13800138000\n"},
    {"two in a line", "138-0013-8000 / 139-0013-8000", "0:13800138000\n16:13900138000\n"},
    {"mobile of another shape", "13-80013-8000", ""},
    {"eleven, not a mobile", "238-0013-8000", ""},
    {"two separators", "138--0013-8000", ""},
    {"a run alone", "440524198001010013", ""},
    {"17 and X without a joint", "11010519491231002X", ""},
    {"19 digits", "4405 2419 8001 0100 135", ""},
    {"10 digits", "138-0013-800", ""},
    {"nothing", "", ""},
    {"separators only", "- - - - - . . _", ""},
    {"starts with a separator", " 138-0013-8000", "1:13800138000\n"},
    {"X too late", "110105 19491231 002  X", ""},
    {"an ID behind a number", "7 440524 19800101 0013", "2:440524198001010013\n"},
    {"an ID before a number", "440524 19800101 0013 7", "0:440524198001010013\n"},
};

static void test_row(void **state)
{
    const struct row *r = *state;
    find(&found, r->text, strlen(r->text), digits_find);
    assert_string_equal(found.text, r->want);
    check(r->text, strlen(r->text));
}

/* A group at every place of a text around the step of sixteen bytes. */
static void test_places(void **state)
{
    (void)state;
    char text[160];
    for (size_t at = 0; at < 100; at++) {
        for (size_t after = 0; after < 40; after++) {
            memset(text, 'a', sizeof text);
            memcpy(text + at, "138-0013-8000", 13);
            find(&found, text, at + 13 + after, digits_find);
            assert_int_equal(found.n, 1);
            check(text, at + 13 + after);
        }
    }
}

/* Long sequences: every group once, however many runs there are. */
static void test_long(void **state)
{
    (void)state;
    static char text[20000];
    for (size_t width = 1; width <= 9; width++) {
        for (size_t n_runs = 2; n_runs < 400; n_runs += n_runs < 150 ? 1 : 37) {
            size_t n = 0;
            for (size_t r = 0; r < n_runs; r++) {
                for (size_t i = 0; i < width; i++)
                    text[n++] = (char)('0' + (r * 7 + i * 3 + 1) % 10);
                text[n++] = " -._"[r % 4];
            }
            check(text, n - 1);
            size_t joined = 18 / width;
            if (width > 1 && joined * width == 18 && width != 4)
                assert_int_equal(found.n, n_runs >= joined ? n_runs - joined + 1 : 0);
        }
    }
}

static void test_random(void **state)
{
    (void)state;
    static const char letters[] = "0123456789012345678911111   ---..__Xxab\n";
    uint32_t seed = 3;
    char text[700];
    for (unsigned round = 0; round < 20000; round++) {
        size_t n = 0;
        unsigned digits = round % 4;
        while (n < sizeof text - 40 && n < (round % 5 == 0 ? 600 : 60)) {
            seed = seed * 1664525u + 1013904223u;
            unsigned r = seed >> 9;
            if (digits == 0 || r % 16 < digits * 5)
                text[n++] = letters[r / 16 % 23];
            else
                text[n++] = letters[r / 16 % (sizeof letters - 1)];
        }
        check(text, n);
    }
}

int main(void)
{
    struct CMUnitTest tests[64] = {cmocka_unit_test(test_places), cmocka_unit_test(test_long),
                                   cmocka_unit_test(test_random)};
    size_t n = 3;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        tests[n++] =
            (struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i]};
    return _cmocka_run_group_tests("digits", tests, n, NULL, NULL);
}
