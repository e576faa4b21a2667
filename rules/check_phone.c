/* check_phone.c - mainland mobile numbers and fixed lines. */
#include <string.h>

#include "rules/area.h"
#include "rules/checks.h"
#include "rules/glyph.h"

enum {
    MOBILE_LEN = 11,
    GROUP_LEN = 4,
    LANDLINE_MAX = 22 /* "0086-(0755)-8123-4567" and the like */
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

/* skip_country moves over +86 and perhaps a separator, or 0086 and a separator. */
static bool skip_country(const char *p, size_t n, size_t *at)
{
    const bool plus = n >= 3 && memcmp(p, "+86", 3) == 0;
    if (!plus && (n < 5 || memcmp(p, "0086", 4) != 0 || !is_separator(p[4])))
        return false;
    const size_t i = plus ? 3 : 4;
    *at = i < n && is_separator(p[i]) ? i + 1 : i;
    return true;
}

/* is_local tells that the n bytes at p are seven or eight digits from 2..8, perhaps with a
 * separator before the last four. Years stand so in serial numbers: 0755-2023-0001. */
static bool is_local(const char *p, size_t n)
{
    if (n < 7 || p[0] < '2' || p[0] > '8')
        return false;
    const size_t head = n - GROUP_LEN;
    if (!all_digits(p + head, GROUP_LEN))
        return false;
    if (!is_separator(p[head - 1]))
        return n <= 8 && all_digits(p, head);
    const size_t first = head - 1;
    const bool is_year = first == 4 && memcmp(p, "20", 2) == 0;
    return (first == 3 || first == 4) && all_digits(p, first) && !is_year;
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
    return is_local(p + i, n - i);
}

/* The run is the last group of a local number, a local number, or one with its area code. */
bool landline_may_follow(char before, size_t n)
{
    return is_separator(before) || (before == ')' && n <= 8) || (before == '+' && n > 8);
}

/* The run ends with the local number; area code and country are in it or before it. */
bool landline_grow(struct candidate *c)
{
    const size_t run = c->start, end = c->start + c->n;
    if (run == 0 || !landline_may_follow(c->text[run - 1], c->n))
        return false;
    if (c->n == GROUP_LEN && (run < 7 || !all_digits(c->text + run - 4, 3)))
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
