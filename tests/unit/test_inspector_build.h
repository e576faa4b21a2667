/* test_inspector_build.h - streams made for tests of the inspector: text, chunks, codings, invented
 * numbers. */
#ifndef TESTS_UNIT_TEST_INSPECTOR_BUILD_H
#define TESTS_UNIT_TEST_INSPECTOR_BUILD_H

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct bytes {
    uint8_t *p;
    size_t len, cap;
};

static inline void put_bytes(struct bytes *b, const uint8_t *p, size_t n)
{
    if (b->len + n + 1 > b->cap) {
        b->cap = (b->len + n + 1) * 2;
        b->p = realloc(b->p, b->cap);
        assert(b->p != NULL);
    }
    if (n > 0)
        memcpy(b->p + b->len, p, n);
    b->len += n;
}

static inline void put(struct bytes *b, const char *s)
{
    put_bytes(b, (const uint8_t *)s, strlen(s));
}

__attribute__((format(printf, 2, 3))) static inline void put_format(struct bytes *b,
                                                                    const char *fmt, ...)
{
    char s[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(s, sizeof s, fmt, ap);
    va_end(ap);
    assert(n >= 0 && (size_t)n < sizeof s);
    put_bytes(b, (const uint8_t *)s, (size_t)n);
}

static inline void put_chunked(struct bytes *b, const uint8_t *p, size_t n, size_t chunk)
{
    for (size_t at = 0; at < n; at += chunk) {
        size_t k = chunk < n - at ? chunk : n - at;
        put_format(b, "%zx\r\n", k);
        put_bytes(b, p + at, k);
        put(b, "\r\n");
    }
    put(b, "0\r\n\r\n");
}

static inline struct bytes gzip_of(const struct bytes *in)
{
    struct bytes out = {malloc(in->len + 1000), 0, in->len + 1000};
    z_stream z = {0};
    int ready = deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    assert(ready == Z_OK && out.p != NULL);
    z.next_in = in->p;
    z.avail_in = (uInt)in->len;
    z.next_out = out.p;
    z.avail_out = (uInt)out.cap;
    int done = deflate(&z, Z_FINISH);
    assert(done == Z_STREAM_END);
    out.len = out.cap - z.avail_out;
    (void)deflateEnd(&z);
    return out;
}

static inline struct bytes base64_of(const struct bytes *in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct bytes out = {0};
    for (size_t i = 0, n = 0; i < in->len; i += 3) {
        size_t k = in->len - i < 3 ? in->len - i : 3;
        uint32_t v = (uint32_t)in->p[i] << 16 | (k > 1 ? (uint32_t)in->p[i + 1] << 8 : 0) |
                     (k > 2 ? in->p[i + 2] : 0u);
        char quad[5] = "====";
        for (size_t j = 0; j <= k; j++)
            quad[j] = digits[v >> (18 - 6 * j) & 63];
        put(&out, quad);
        if (++n % 19 == 0)
            put(&out, "\r\n");
    }
    return out;
}

/* id_of makes a resident number that nobody has: valid by GB 11643, of sequence 900..999, born in
 * 1901 or later. One static text, overwritten by the next call but three. */
static inline const char *id_of(unsigned i)
{
    static char texts[4][19];
    static unsigned turn;
    static const unsigned weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    char *s = texts[turn++ % 4];
    (void)snprintf(s, sizeof texts[0], "110105%04u%02u%02u9%02u", 1901 + i / 33600 % 100,
                   1 + i / 2800 % 12, 1 + i / 100 % 28, i % 100);
    unsigned sum = 0;
    for (size_t k = 0; k < 17; k++)
        sum += (unsigned)(s[k] - '0') * weights[k];
    s[17] = "10X98765432"[sum % 11];
    s[18] = '\0';
    return s;
}

#endif
