/* digits.c - finds separated digit groups; almost all text has none, and that must cost little. */
#include "inspect/digits.h"

#include <stdbool.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    RUNS_MAX = 64,
    ID_DIGITS = 18,
    MOBILE_DIGITS = 11
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_separator(uint8_t c)
{
    return c == ' ' || c == '-' || c == '.' || c == '_';
}

/* next_joint gives the next separator at or after i that has a digit on both sides; n when there is
 * none. */
static uint32_t next_joint(const uint8_t *t, uint32_t i, uint32_t n)
{
    if (i == 0)
        i = 1;
#ifdef __SSE2__
    const __m128i zero = _mm_set1_epi8('0' - 1), nine = _mm_set1_epi8('9' + 1);
    for (; i + 17 <= n; i += 16) {
        __m128i left = _mm_loadu_si128((const __m128i *)(const void *)(t + i - 1));
        __m128i mid = _mm_loadu_si128((const __m128i *)(const void *)(t + i));
        __m128i right = _mm_loadu_si128((const __m128i *)(const void *)(t + i + 1));
        __m128i l = _mm_and_si128(_mm_cmpgt_epi8(left, zero), _mm_cmplt_epi8(left, nine));
        __m128i r = _mm_and_si128(_mm_cmpgt_epi8(right, zero), _mm_cmplt_epi8(right, nine));
        __m128i s = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(mid, _mm_set1_epi8(' ')),
                                              _mm_cmpeq_epi8(mid, _mm_set1_epi8('-'))),
                                 _mm_or_si128(_mm_cmpeq_epi8(mid, _mm_set1_epi8('.')),
                                              _mm_cmpeq_epi8(mid, _mm_set1_epi8('_'))));
        int mask = _mm_movemask_epi8(_mm_and_si128(_mm_and_si128(l, r), s));
        if (mask != 0)
            return i + (uint32_t)__builtin_ctz((unsigned)mask);
    }
#endif
    for (; i + 1 < n; i++)
        if (is_separator(t[i]) && is_digit(t[i - 1]) && is_digit(t[i + 1]))
            return i;
    return n;
}

struct run_of_digits {
    uint32_t at, n;
};

/* tell joins runs [from, to) to one group; an X may follow the last as its check digit. */
static void tell(const uint8_t *t, uint32_t n, const struct run_of_digits *runs, unsigned from,
                 unsigned to, bool x, uint32_t x_at, uint32_t field, digits_fn *fn, void *receiver)
{
    uint8_t digits[DIGITS_MAX];
    uint32_t at[DIGITS_MAX];
    uint32_t k = 0;
    (void)n;
    for (unsigned i = from; i < to; i++) {
        for (uint32_t j = 0; j < runs[i].n && k < DIGITS_MAX - 1; j++) {
            digits[k] = t[runs[i].at + j];
            at[k++] = runs[i].at + j;
        }
    }
    if (x) {
        digits[k] = 'X';
        at[k++] = x_at;
    }
    fn(receiver, field, digits, at, k);
}

/* is_mobile_shape: 3-4-4, 3-8, 4-7, 7-4 or all single. */
static bool is_mobile_shape(const struct run_of_digits *r, unsigned n)
{
    if (n == MOBILE_DIGITS)
        return true;
    if (n == 3)
        return r[0].n == 3 && r[1].n == 4;
    return n == 2 && (r[0].n == 3 || r[0].n == 4 || r[0].n == 7);
}

/* check_x looks for the X of a check digit after position `end`, with or without a separator. */
static bool check_x(const uint8_t *t, uint32_t n, uint32_t end, uint32_t *x_at)
{
    if (end < n && is_separator(t[end]))
        end++;
    if (end >= n || (t[end] != 'X' && t[end] != 'x'))
        return false;
    *x_at = end;
    return true;
}

/* tell_groups tells the groups that begin with one of the first `n_from` runs. */
static void tell_groups(const uint8_t *t, uint32_t n, const struct run_of_digits *runs,
                        unsigned n_runs, unsigned n_from, uint32_t field, digits_fn *fn,
                        void *receiver)
{
    for (unsigned from = 0; from < n_from; from++) {
        uint32_t sum = 0;
        for (unsigned to = from; to < n_runs && sum <= ID_DIGITS; to++) {
            sum += runs[to].n;
            uint32_t end = runs[to].at + runs[to].n, x_at = 0;
            bool x = sum == ID_DIGITS - 1 && check_x(t, n, end, &x_at);
            bool joined = to > from || (x && x_at > end);
            if ((x || sum == ID_DIGITS) && joined)
                tell(t, n, runs, from, to + 1, x, x_at, field, fn, receiver);
            else if (sum == MOBILE_DIGITS && joined && t[runs[from].at] == '1' &&
                     is_mobile_shape(runs + from, to + 1 - from))
                tell(t, n, runs, from, to + 1, false, 0, field, fn, receiver);
        }
    }
}

/* read_runs reads the runs of a sequence from `at` on; it returns their number and sets *end behind
 * the last. */
static unsigned read_runs(const uint8_t *t, uint32_t n, uint32_t at,
                          struct run_of_digits runs[RUNS_MAX], uint32_t *end)
{
    unsigned n_runs = 0;
    while (n_runs < RUNS_MAX) {
        *end = at;
        while (*end < n && is_digit(t[*end]))
            ++*end;
        runs[n_runs++] = (struct run_of_digits){at, *end - at};
        if (*end + 1 >= n || !is_separator(t[*end]) || !is_digit(t[*end + 1]))
            break;
        at = *end + 1;
    }
    return n_runs;
}

void digits_find(const uint8_t *t, uint32_t n, uint32_t field, digits_fn *fn, void *receiver)
{
    uint32_t i = 0;
    while ((i = next_joint(t, i, n)) < n) {
        struct run_of_digits runs[RUNS_MAX];
        uint32_t at = i, end;
        while (at > 0 && is_digit(t[at - 1]) && i - at < ID_DIGITS)
            at--;
        unsigned n_runs = read_runs(t, n, at, runs, &end);
        /* A group has at most 18 runs: of a longer sequence, tell those that surely end in here. */
        while (n_runs == RUNS_MAX) {
            tell_groups(t, n, runs, n_runs, RUNS_MAX - ID_DIGITS, field, fn, receiver);
            n_runs = read_runs(t, n, runs[RUNS_MAX - ID_DIGITS].at, runs, &end);
        }
        tell_groups(t, n, runs, n_runs, n_runs, field, fn, receiver);
        i = end < n ? end + 1 : n;
    }
}
