/* checks.c - boundaries, dates, check digits, and the list of checks. Phones are check_phone.c,
 * mailboxes check_email.c. */
#include "rules/checks.h"

#include <string.h>

#include "rules/area.h"
#include "rules/glyph.h"
#include "rules/rule.h"

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool date_is_valid(unsigned year, unsigned month, unsigned day)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

/* A dot and a digit before: the tail of a UID or of a decimal number. */
static bool starts_apart(const struct candidate *c, bool underscore)
{
    if (c->start == 0)
        return true;
    const char before = c->text[c->start - 1];
    if (is_alnum(before) || (underscore && before == '_'))
        return false;
    if (c->boundary != BOUNDARY_DIGITS || before != '.')
        return true;
    return c->start < 2 || !is_digit(c->text[c->start - 2]);
}

/* ends_whole tells that ".0" or ".00" follows and then nothing more of a number: a whole number as
 * spreadsheets and data frames write it. */
static bool ends_whole(const char *after, size_t left)
{
    size_t zeros = 0;
    while (zeros < 2 && zeros + 1 < left && after[zeros + 1] == '0')
        zeros++;
    if (zeros == 0)
        return false;
    if (zeros + 1 == left)
        return true;
    const char next = after[zeros + 1];
    if (next == '.')
        return zeros + 2 == left || !is_digit(after[zeros + 2]);
    return !is_alnum(next);
}

static bool ends_apart(const struct candidate *c, bool underscore)
{
    const size_t end = c->start + c->n;
    if (end >= c->len)
        return true;
    const char *after = c->text + end;
    const size_t left = c->len - end;
    if (is_alnum(after[0]) || (underscore && after[0] == '_'))
        return false;
    if (c->boundary != BOUNDARY_DIGITS || after[0] != '.')
        return true;
    return left < 2 || !is_digit(after[1]) || ends_whole(after, left);
}

bool boundary_holds(const struct candidate *c)
{
    if (c->boundary == BOUNDARY_NONE)
        return true;
    const bool underscore = c->boundary == BOUNDARY_WORD;
    return starts_apart(c, underscore) && ends_apart(c, underscore);
}

char id18_check_char(const char *digits)
{
    static const uint8_t weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof weights; i++)
        sum += weights[i] * digit_of(digits[i]);
    return "10X98765432"[sum % 11];
}

bool id18_is_valid(const char *p, size_t n)
{
    if (n != 18 || !all_digits(p, 17))
        return false;
    const char last = p[17] == 'x' ? 'X' : p[17];
    const uint32_t year = number_of(p + 6, 4);
    return year >= 1900 && year <= 2099 &&
           date_is_valid(year, number_of(p + 10, 2), number_of(p + 12, 2)) &&
           id18_check_char(p) == last && area_is_division(number_of(p, 6));
}

/* The 18th character may be the letter X, which is no part of the run. */
static bool id18_grow(struct candidate *c)
{
    const size_t end = c->start + c->n;
    if (c->n == 17 && end < c->len && (c->text[end] == 'X' || c->text[end] == 'x'))
        c->n = 18;
    return c->n == 18;
}

bool luhn_is_valid(const char *p, size_t n)
{
    if (n < 8 || n > 19 || !all_digits(p, n))
        return false;
    unsigned sum = 0, digits = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned digit = digit_of(p[i]);
        const unsigned twice = digit * 2;
        const bool doubled = (n - i) % 2 == 0;
        sum += !doubled ? digit : twice > 9 ? twice - 9 : twice;
        digits |= digit;
    }
    return sum % 10 == 0 && digits != 0;
}

static const struct check checks[] = {
    {.name = "email", .test = email_is_valid, .grow = email_grow},
    {.name = "id18", .test = id18_is_valid, .grow = id18_grow},
    {.name = "landline_cn",
     .test = landline_is_valid,
     .grow = landline_grow,
     .may_follow = landline_may_follow},
    {.name = "luhn", .test = luhn_is_valid},
    {.name = "mobile_cn", .test = mobile_is_valid, .grow = mobile_grow},
};

const char *const check_names[] = {"email", "id18", "landline_cn", "luhn", "mobile_cn", NULL};

const struct check *check_at(size_t i)
{
    return &checks[i];
}
