/* check_phone.c - mainland mobile numbers and fixed lines. */
#include <string.h>

#include "rules/area.h"
#include "rules/checks.h"
#include "rules/glyph.h"

enum {
    MOBILE_LEN = 11,
    LANDLINE_MAX = 23 /* "+86 (0755) 81234567" and the like */
};

/* Country prefixes, longest first, so that a match takes in as much as it can. */
static const char *const prefixes[] = {"(0086)", "(+86)", "(86)", "0086", "+86", "86"};

static bool is_separator(char c)
{
    return c == ' ' || c == '-';
}

/* is_prefix tells that the n bytes at p are a country prefix and at most one separator. */
static bool is_prefix(const char *p, size_t n)
{
    if (n > 0 && is_separator(p[n - 1]))
        n--;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strlen(prefixes[i]) == n && memcmp(prefixes[i], p, n) == 0)
            return true;
    }
    return false;
}

bool mobile_is_valid(const char *p, size_t n)
{
    if (n < MOBILE_LEN)
        return false;
    const size_t before = n - MOBILE_LEN;
    const char *number = p + before;
    return all_digits(number, MOBILE_LEN) && area_is_mobile(number_of(number, 5)) &&
           (before == 0 || is_prefix(p, before));
}

/* The run ends with the number; a country prefix may be in the run or before it. */
bool mobile_grow(struct candidate *c)
{
    const size_t end = c->start + c->n;
    if (c->n < MOBILE_LEN)
        return false;
    const size_t number = end - MOBILE_LEN;
    if (!area_is_mobile(number_of(c->text + number, 5)))
        return false;
    const size_t longest = sizeof "(0086)-" - 1;
    for (size_t back = number < longest ? number : longest; back > 0; back--) {
        c->start = number - back;
        c->n = end - c->start;
        if (is_prefix(c->text + c->start, back) && boundary_holds(c))
            return true;
    }
    c->start = number;
    c->n = MOBILE_LEN;
    return true;
}

/* skip_country moves over +86 or 0086 and at most one separator. */
static bool skip_country(const char *p, size_t n, size_t *at)
{
    size_t i = 0;
    if (n >= 3 && memcmp(p, "+86", 3) == 0)
        i = 3;
    else if (n >= 4 && memcmp(p, "0086", 4) == 0)
        i = 4;
    if (i == 0)
        return false;
    if (i < n && is_separator(p[i]))
        i++;
    *at = i;
    return true;
}

bool landline_is_valid(const char *p, size_t n)
{
    size_t i = 0;
    const bool country = skip_country(p, n, &i);
    const bool paren = i < n && p[i] == '(';
    if (paren)
        i++;
    if (i < n && p[i] == '0')
        i++;
    else if (!country)
        return false;
    if (i >= n || p[i] == '0')
        return false;
    /* Area codes have two digits from 1 and 2, three from the others. */
    const size_t area_len = p[i] == '1' || p[i] == '2' ? 2 : 3;
    if (n - i < area_len || !all_digits(p + i, area_len) ||
        !area_is_phone(number_of(p + i, area_len)))
        return false;
    i += area_len;
    if (paren && (i >= n || p[i++] != ')'))
        return false;
    const bool apart = i < n && is_separator(p[i]);
    if (apart)
        i++;
    else if (!paren && !country)
        return false;
    const size_t local = n - i;
    return (local == 7 || local == 8) && p[i] >= '2' && p[i] <= '8' && all_digits(p + i, local);
}

/* The run ends with the local number; area code and country are in it or before it. What stands
 * before the run says most of the time that this is no phone number. */
bool landline_grow(struct candidate *c)
{
    const size_t run = c->start, end = c->start + c->n;
    const char before = run > 0 ? c->text[run - 1] : '\0';
    const bool may_be = before == '-' || before == ' ' || (before == ')' && c->n <= 8) ||
                        (before == '+' && c->n > 8) ||
                        (c->n > 12 && memcmp(c->text + run, "0086", 4) == 0);
    if (!may_be)
        return false;
    for (size_t start = end < LANDLINE_MAX ? 0 : end - LANDLINE_MAX; start <= run; start++) {
        const char first = c->text[start];
        if (first != '+' && first != '(' && first != '0')
            continue;
        c->start = start;
        c->n = end - start;
        if (landline_is_valid(c->text + start, c->n) && boundary_holds(c))
            return true;
    }
    return false;
}
