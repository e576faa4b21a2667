/* text.c - growing text. */
#include "report/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_free(struct text *t)
{
    free(t->s);
    *t = (struct text){0};
}

void text_clear(struct text *t)
{
    t->len = 0;
}

char *text_room(struct text *t, size_t n)
{
    if (t->cap - t->len < n) {
        size_t cap = t->cap < 4096 ? 4096 : t->cap * 2;
        while (cap - t->len < n)
            cap *= 2;
        char *grown = realloc(t->s, cap);
        if (grown == NULL) {
            t->failed = true;
            return NULL;
        }
        t->s = grown;
        t->cap = cap;
    }
    return t->s + t->len;
}

void text_bytes(struct text *t, const char *s, size_t n)
{
    char *to = text_room(t, n);
    if (to != NULL) {
        memcpy(to, s, n);
        t->len += n;
    }
}

void text_add(struct text *t, const char *s)
{
    text_bytes(t, s, strlen(s));
}

void text_number(struct text *t, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    text_bytes(t, digits + n, sizeof digits - n);
}

void text_format(struct text *t, const char *fmt, ...)
{
    for (size_t want = 128;;) {
        char *to = text_room(t, want);
        if (to == NULL)
            return;
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(to, want, fmt, ap);
        va_end(ap);
        if (n < 0)
            return;
        if ((size_t)n < want) {
            t->len += (size_t)n;
            return;
        }
        want = (size_t)n + 1;
    }
}

static size_t utf8_len(const unsigned char *p)
{
    size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

void text_json(struct text *t, const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    text_bytes(t, "\"", 1);
    while (*p != '\0') {
        size_t plain = 0;
        while (p[plain] >= 0x20 && p[plain] < 0x7f && p[plain] != '"' && p[plain] != '\\')
            plain++;
        text_bytes(t, (const char *)p, plain);
        p += plain;
        if (*p == '\0')
            break;
        size_t len = *p >= 0x80 ? utf8_len(p) : 0;
        if (len > 0)
            text_bytes(t, (const char *)p, len);
        else if (*p == '"' || *p == '\\')
            text_format(t, "\\%c", *p);
        else if (*p < 0x80)
            text_format(t, "\\u%04x", *p);
        else
            text_add(t, "\\ufffd");
        p += len > 0 ? len : 1;
    }
    text_bytes(t, "\"", 1);
}

void text_html(struct text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '&':
            text_add(t, "&amp;");
            break;
        case '<':
            text_add(t, "&lt;");
            break;
        case '>':
            text_add(t, "&gt;");
            break;
        case '"':
            text_add(t, "&quot;");
            break;
        case '\'':
            text_add(t, "&#39;");
            break;
        default:
            text_bytes(t, s, 1);
            break;
        }
    }
}

static void put_digits(char *to, uint64_t v, int n)
{
    while (n-- > 0) {
        to[n] = (char)('0' + v % 10);
        v /= 10;
    }
}

void text_time(struct text *t, uint64_t ns)
{
    /* Days to a civil date (proleptic Gregorian), from the era that starts on 1 March 0000. */
    uint64_t seconds = ns / 1000000000u, days = seconds / 86400, left = seconds % 86400;
    uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    uint64_t year = yoe + era * 400 + (month <= 2);
    char out[] = "0000-00-00T00:00:00.000000000Z";
    put_digits(out, year, 4);
    put_digits(out + 5, month, 2);
    put_digits(out + 8, day, 2);
    put_digits(out + 11, left / 3600, 2);
    put_digits(out + 14, left / 60 % 60, 2);
    put_digits(out + 17, left % 60, 2);
    put_digits(out + 20, ns % 1000000000u, 9);
    text_bytes(t, out, sizeof out - 1);
}

void text_grouped(struct text *t, uint64_t v)
{
    char digits[27];
    size_t n = sizeof digits;
    int k = 0;
    do {
        if (k > 0 && k % 3 == 0)
            digits[--n] = ',';
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
        k++;
    } while (v > 0);
    text_bytes(t, digits + n, sizeof digits - n);
}

void text_size(struct text *t, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double v = (double)bytes;
    size_t u = 0;
    while (v >= 1000 && u < 5) {
        v /= 1000;
        u++;
    }
    text_format(t, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
}
