/* glyph.h - single characters of ASCII text, and numbers of a few digits. Private to rules/. */
#ifndef RULES_GLYPH_H
#define RULES_GLYPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool is_alnum(char c)
{
    return is_digit(c) || is_letter(c);
}

static inline unsigned digit_of(char c)
{
    return (unsigned)(c - '0');
}

static inline bool all_digits(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && is_digit(p[i]))
        i++;
    return i == n;
}

/* number_of reads n digits, n <= 9. */
static inline uint32_t number_of(const char *p, size_t n)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + digit_of(p[i]);
    return value;
}

#endif
