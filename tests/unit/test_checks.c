/* test_checks.c - check digits, dates, prefixes and boundaries against published vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/area.h"
#include "rules/checks.h"
#include "rules/rule.h"
#include "rules/run.h"

struct row {
    const char *text;
    bool valid;
};

typedef bool valid_fn(const char *p, size_t n);

/* Each text is tested as an exact-size heap copy, so that a sanitizer sees an overread. */
static void check_rows(valid_fn *valid, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t len = strlen(rows[i].text);
        char *copy = malloc(len > 0 ? len : 1);
        assert_non_null(copy);
        memcpy(copy, rows[i].text, len);
        if (valid(copy, len) != rows[i].valid)
            fail_msg("%s must be %s", rows[i].text, rows[i].valid ? "valid" : "invalid");
        for (size_t cut = 0; cut < len; cut++) {
            char *part = malloc(cut > 0 ? cut : 1);
            assert_non_null(part);
            memcpy(part, rows[i].text, cut);
            (void)valid(part, cut);
            free(part);
        }
        free(copy);
    }
}

#define CHECK_ROWS(valid, rows) check_rows((valid), (rows), sizeof(rows) / sizeof((rows)[0]))

static void mod_11_2(void **state)
{
    (void)state;
    /* GB 11643-1999 and ISO 7064 examples. */
    assert_int_equal(id18_check_char("11010519491231002"), 'X');
    assert_int_equal(id18_check_char("44052418800101001"), '4');
    /* Each of the 11 remainders gives its own character. */
    const char *expected = "10X98765432";
    char digits[] = "00000000000000000";
    for (unsigned i = 0; i < 11; i++) {
        /* The last weight is 2: i * 2 mod 11 by digits 0..9 and one more by the first, 7. */
        digits[16] = (char)('0' + (i < 10 ? i : 9));
        digits[0] = i < 10 ? '0' : '1';
        const unsigned sum = i < 10 ? 2 * i : 18 + 7;
        assert_int_equal(id18_check_char(digits), expected[sum % 11]);
    }
}

static void citizen_numbers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"11010519491231002X", true},   {"11010519491231002x", true},
        {"440524198001010013", true},   {"433022197907141024", true},
        {"510227200002291233", true},   {"810000199506150017", true},
        {"820000199903010028", true},   {"83000019880229003X", true},
        {"650104201602290010", true},   {"310101190001010011", true},
        {"440524188001010014", false}, /* right check digit, year 1880 */
        {"110105194912310021", false},  {"11010519491231002", false},
        {"11010519491231002XX", false}, {"999999199001011238", false},
        {"370205210001011230", false},  {"110101190002290011", false},
        {"220103198504311235", false},  {"130103198900001237", false},
        {"120103201502290013", false},  {"1101051949123100 2", false},
        {"X10105194912310021", false},  {"", false},
    };
    CHECK_ROWS(id18_is_valid, rows);
}

static void one_wrong_digit_or_a_swap_is_seen(void **state)
{
    (void)state;
    const char good[] = "11010519491231002X";
    for (size_t i = 0; i < 17; i++) {
        for (char d = '0'; d <= '9'; d++) {
            char bad[sizeof good];
            memcpy(bad, good, sizeof good);
            bad[i] = d;
            assert_true(id18_is_valid(bad, 18) == (d == good[i]));
        }
        if (i < 16 && good[i] != good[i + 1]) {
            char bad[sizeof good];
            memcpy(bad, good, sizeof good);
            bad[i] = good[i + 1];
            bad[i + 1] = good[i];
            assert_false(id18_is_valid(bad, 18));
        }
    }
}

static void calendar(void **state)
{
    (void)state;
    assert_true(date_is_valid(2000, 2, 29));
    assert_true(date_is_valid(2024, 2, 29));
    assert_false(date_is_valid(1900, 2, 29));
    assert_false(date_is_valid(2023, 2, 29));
    assert_false(date_is_valid(2024, 2, 30));
    assert_false(date_is_valid(2024, 4, 31));
    assert_true(date_is_valid(2024, 12, 31));
    assert_false(date_is_valid(2024, 0, 1));
    assert_false(date_is_valid(2024, 13, 1));
    assert_false(date_is_valid(2024, 1, 0));
    assert_false(date_is_valid(2024, 1, 32));
}

static void areas(void **state)
{
    (void)state;
    assert_true(area_is_division(110000));
    assert_true(area_is_division(110103)); /* until 2010 */
    assert_true(area_is_division(441900));
    assert_true(area_is_division(830000));
    assert_false(area_is_division(830001));
    assert_false(area_is_division(109999));
    assert_false(area_is_division(0));
    assert_false(area_is_division(999999));
    assert_false(area_is_division(UINT32_MAX));
    unsigned n = 0;
    for (uint32_t code = 0; code < 1000000; code++)
        n += area_is_division(code) ? 1 : 0;
    assert_int_equal(n, 6451);
    assert_true(area_is_phone(10));
    assert_true(area_is_phone(755));
    assert_false(area_is_phone(26));
    assert_false(area_is_phone(0));
    assert_false(area_is_phone(1000));
    assert_true(area_is_mobile(13800));
    assert_true(area_is_mobile(17405));
    assert_false(area_is_mobile(17406));
    assert_false(area_is_mobile(15400));
    assert_false(area_is_mobile(9999));
    assert_false(area_is_mobile(20000));
}

static void mobiles(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"13800138000", true},      {"+8613800138000", true},
        {"+86 13800138000", true},  {"0086-13800138000", true},
        {"(+86)13800138000", true}, {"(0086) 13800138000", true},
        {"(86)-13800138000", true}, {"8613800138000", true},
        {"19912345678", true},      {"12012345678", false},
        {"15412345678", false},     {"1380013800", false},
        {"138001380000", false},    {"+85213800138000", false},
        {"-13800138000", false},    {"+86--13800138000", false},
        {"086-13800138000", false}, {"+86(13800138000", false},
        {"1380013800x", false},     {"", false},
    };
    CHECK_ROWS(mobile_is_valid, rows);
}

static void landlines(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"010-62345678", true},
        {"010 62345678", true},
        {"0755-2123456", true},
        {"(010)62345678", true},
        {"(0755)-81234567", true},
        {"+86-10-62345678", true},
        {"+861062345678", true},
        {"+8675581234567", true},
        {"0086 755 81234567", true},
        {"+86(755)81234567", true},
        {"+86 (0755) 81234567", true},
        {"01062345678", false},
        {"010-12345678", false},
        {"010-92345678", false},
        {"010-623456", false},
        {"010-6234-5678", true},
        {"0355 212 3456", true},
        {"+86 (0755) 8123-4567", true},
        {"0755-2023-0001", false},
        {"010-62-345678", false},
        {"010-6234 -5678", false},
        {"010-62345-678", false},
        {"0086-(0755)-8123-4567", true},
        {"010-623456789", false},
        {"0010-62345678", false},
        {"026-62345678", false},
        {"(010-62345678", false},
        {"010)62345678", false},
        {"10-62345678", false},
        {"86-10-62345678", false},
        {"010--62345678", false},
        {"+86", false},
        {"(", false},
        {"0", false},
        {"", false},
    };
    CHECK_ROWS(landline_is_valid, rows);
}

static void mailboxes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a@b.cn", true},
        {"zhang.san@example.com", true},
        {"a+b%c_d-e@x-y.example", true},
        {"x@xn--fiqs8s.xn--fiqs8s", true},
        {"a@b.c.d.ee", true},
        {"-a@b.cn", true},
        {"a@b.c", false},
        {"a@b", false},
        {"@b.cn", false},
        {"a@.cn", false},
        {"a@b..cn", false},
        {"a@-b.cn", false},
        {"a@b-.cn", false},
        {"a@b.cn.", false},
        {"a@b.cn-", false},
        {".a@b.cn", false},
        {"a.@b.cn", false},
        {"a..b@c.cn", false},
        {"a@b@c.cn", false},
        {"a b@c.cn", false},
        {"a@b.c1", false},
        {"logo@2x.png", false},
        {"a@", false},
        {"", false},
    };
    CHECK_ROWS(email_is_valid, rows);
}

static void mailbox_lengths(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'a', 65);
    memcpy(text + 65, "@b.cn", 5);
    assert_false(email_is_valid(text, 70));
    assert_true(email_is_valid(text + 1, 69));
    /* A label of 63 and one of 64. */
    memcpy(text, "a@", 2);
    memset(text + 2, 'b', 64);
    memcpy(text + 2 + 63, ".cn", 3);
    assert_true(email_is_valid(text, 2 + 63 + 3));
    memset(text + 2, 'b', 64);
    memcpy(text + 2 + 64, ".cn", 3);
    assert_false(email_is_valid(text, 2 + 64 + 3));
    /* 254 bytes in all, and one more. */
    for (size_t i = 2; i < 300; i++)
        text[i] = (i % 10) == 9 ? '.' : 'b';
    memcpy(text + 252, "cn", 2);
    text[251] = '.';
    assert_true(email_is_valid(text, 254));
    memcpy(text + 250, "x.cn", 4);
    assert_true(email_is_valid(text, 254));
    memcpy(text + 250, "xx.cn", 5);
    assert_false(email_is_valid(text, 255));
}

static void luhn(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"4111111111111111", true}, /* a widely published test number */
        {"79927398713", true},      /* the textbook example */
        {"79927398710", false},
        {"4111111111111112", false},
        {"0000000000000000", false},
        {"411111111111111x", false},
        {"18", false},
        {"", false},
    };
    CHECK_ROWS(luhn_is_valid, rows);
}

struct neighbours {
    const char *before;
    const char *after;
    bool digits; /* what each boundary says */
    bool word;
};

static void boundaries(void **state)
{
    (void)state;
    static const struct neighbours rows[] = {
        {"", "", true, true},         {" ", " ", true, true},    {"号", "。", true, true},
        {"\x1e", "\x1e", true, true}, {"a", "", false, false},   {"", "Z", false, false},
        {"0", "", false, false},      {"", "9", false, false},   {"_", "", true, false},
        {"", "_", true, false},       {"1.", "", false, true},   {"", ".1", false, true},
        {"a.", "", true, true},       {".", "", true, true},     {"", ".", true, true},
        {"", ".a", true, true},       {"", ".0", true, true},    {"", ".00", true, true},
        {"", ".0|", true, true},      {"", ".000", false, true}, {"", ".0.1", false, true},
        {"", ".0a", false, true},     {"", ".01", false, true},  {"", ".0.", true, true},
        {"", "-1", true, true},       {"-", "", true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];
        const int len = snprintf(text, sizeof text, "%s12345%s", rows[i].before, rows[i].after);
        char *copy = malloc((size_t)len);
        assert_non_null(copy);
        memcpy(copy, text, (size_t)len);
        struct candidate c = {copy, (size_t)len, strlen(rows[i].before), 5, BOUNDARY_DIGITS};
        if (boundary_holds(&c) != rows[i].digits)
            fail_msg("digits: %s", text);
        c.boundary = BOUNDARY_WORD;
        if (boundary_holds(&c) != rows[i].word)
            fail_msg("word: %s", text);
        c.boundary = BOUNDARY_NONE;
        assert_true(boundary_holds(&c));
        free(copy);
    }
}

static void checks_are_listed(void **state)
{
    (void)state;
    size_t n = 0;
    for (; check_names[n] != NULL; n++) {
        assert_string_equal(check_at(n)->name, check_names[n]);
        assert_non_null(check_at(n)->test);
    }
    assert_int_equal(n, 5);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return *seed >> 16 & 0x7fff;
}

static size_t
all_runs(size_t (*find)(const char *, size_t, size_t, size_t *, struct digit_run *, size_t),
         const char *text, size_t len, size_t min_len, size_t cap, struct digit_run *out)
{
    size_t at = 0, total = 0, n;
    struct digit_run batch[64];
    while ((n = find(text, len, min_len, &at, batch, cap)) > 0) {
        memcpy(out + total, batch, n * sizeof *batch);
        total += n;
    }
    assert_int_equal(at, len);
    return total;
}

static void runs_of_digits(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        const size_t len = next_random(&seed) % 400;
        const unsigned density = next_random(&seed) % 100;
        char *text = malloc(len > 0 ? len : 1);
        assert_non_null(text);
        for (size_t i = 0; i < len; i++)
            text[i] = next_random(&seed) % 100 < density
                          ? (char)('0' + next_random(&seed) % 10)
                          : "/:a \x1e\xe4\xff"[next_random(&seed) % 7];
        const size_t min_len = 1 + next_random(&seed) % 20;
        struct digit_run plain[512], fast[512];
        const size_t n_plain = all_runs(run_find_plain, text, len, min_len, 64, plain);
        const size_t n_fast = all_runs(run_find, text, len, min_len, 33 + (size_t)round % 32, fast);
        assert_int_equal(n_plain, n_fast);
        assert_memory_equal(plain, fast, n_plain * sizeof *plain);
        const size_t n_few = all_runs(run_find, text, len, min_len, 1 + (size_t)round % 5, fast);
        assert_int_equal(n_plain, n_few);
        assert_memory_equal(plain, fast, n_plain * sizeof *plain);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mod_11_2),
        cmocka_unit_test(citizen_numbers),
        cmocka_unit_test(one_wrong_digit_or_a_swap_is_seen),
        cmocka_unit_test(calendar),
        cmocka_unit_test(areas),
        cmocka_unit_test(mobiles),
        cmocka_unit_test(landlines),
        cmocka_unit_test(mailboxes),
        cmocka_unit_test(mailbox_lengths),
        cmocka_unit_test(luhn),
        cmocka_unit_test(boundaries),
        cmocka_unit_test(checks_are_listed),
        cmocka_unit_test(runs_of_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
