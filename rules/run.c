/* run.c - finds runs of digits: 64 bytes become a mask of 64 bits, and runs of bits are found by
 * shifts. SSE2 is part of every x86-64; other machines go byte by byte. */
#include "rules/run.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rules/glyph.h"

size_t run_find_plain(const char *text, size_t len, size_t min_len, size_t *at,
                      struct digit_run *out, size_t cap)
{
    size_t n = 0, i = *at;
    while (i < len && n < cap) {
        const size_t start = i;
        while (i < len && is_digit(text[i]))
            i++;
        if (i - start >= min_len)
            out[n++] = (struct digit_run){start, i - start};
        if (i == start)
            i++;
    }
    *at = i;
    return n;
}

#if defined(__SSE2__) && defined(__GNUC__)

#include <emmintrin.h>

enum {
    BLOCK = 64
};

static uint64_t mask16(const char *p)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i value = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i is = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
    return (uint64_t)(unsigned)_mm_movemask_epi8(is);
}

/* Bit i: p[i] is a digit. */
static uint64_t digit_mask(const char *p, size_t left)
{
    char tail[BLOCK];
    if (left < BLOCK) {
        memset(tail, 0, sizeof tail);
        memcpy(tail, p, left);
        p = tail;
    }
    return mask16(p) | mask16(p + 16) << 16 | mask16(p + 32) << 32 | mask16(p + 48) << 48;
}

static unsigned low_zeros(uint64_t m)
{
    return (unsigned)__builtin_ctzll(m);
}

/* Bits from which min_len ones follow. */
static uint64_t starts_of(uint64_t m, size_t min_len)
{
    for (size_t width = 1; width < min_len;) {
        const size_t step = width < min_len - width ? width : min_len - width;
        m &= m >> step;
        width += step;
    }
    return m;
}

/* finder is one call's work. */
struct finder {
    struct digit_run *out;
    size_t n;
    size_t min_len;
    bool is_open; /* a run reaches the end of the block before */
    size_t open;  /* where it started */
};

static void put_run(struct finder *f, size_t start, size_t end)
{
    if (end - start >= f->min_len)
        f->out[f->n++] = (struct digit_run){start, end - start};
}

/* find_in_block adds the runs that end in the block of mask m at `base`. */
static void find_in_block(struct finder *f, uint64_t m, size_t base)
{
    if (f->is_open) {
        if (m == UINT64_MAX)
            return;
        const unsigned head = low_zeros(~m);
        put_run(f, f->open, base + head);
        f->is_open = false;
        m &= UINT64_MAX << head;
    }
    if (m >> (BLOCK - 1) != 0) {
        const unsigned tail = m == UINT64_MAX ? BLOCK : (unsigned)__builtin_clzll(~m);
        f->is_open = true;
        f->open = base + BLOCK - tail;
        m = tail == BLOCK ? 0 : m & UINT64_MAX >> tail;
    }
    for (uint64_t starts = starts_of(m, f->min_len); starts != 0;) {
        const unsigned start = low_zeros(starts);
        const unsigned end = start + low_zeros(~(m >> start));
        put_run(f, base + start, base + end);
        starts &= UINT64_MAX << end; /* end < BLOCK: the last bit of m is clear */
    }
}

size_t run_find(const char *text, size_t len, size_t min_len, size_t *at, struct digit_run *out,
                size_t cap)
{
    /* At most 32 runs and an open one end in a block. */
    if (cap < BLOCK / 2 + 1)
        return run_find_plain(text, len, min_len, at, out, cap);
    struct finder f = {.out = out, .min_len = min_len};
    size_t base = *at;
    while (base < len && f.n + BLOCK / 2 + 1 <= cap) {
        const uint64_t m = digit_mask(text + base, len - base);
        if (m != 0 || f.is_open)
            find_in_block(&f, m, base);
        base += BLOCK;
    }
    if (f.is_open && base < len) {
        *at = f.open; /* the open run is found again */
        return f.n;
    }
    if (f.is_open)
        put_run(&f, f.open, len);
    *at = base < len ? base : len;
    return f.n;
}

#else

size_t run_find(const char *text, size_t len, size_t min_len, size_t *at, struct digit_run *out,
                size_t cap)
{
    return run_find_plain(text, len, min_len, at, out, cap);
}

#endif
