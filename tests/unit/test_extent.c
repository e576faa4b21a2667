/* test_extent.c - the way back, against a model that writes down the root of every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/extent.h"
#include "base/pool.h"

enum {
    BYTES = 3000
};

/* model: packet 0 is no way back. */
struct model {
    struct {
        uint64_t packet, off;
    } root[BYTES];
    uint64_t len;  /* bytes added so far */
    uint64_t from; /* bytes before are dropped: they may be there or not */
};

static void check_byte(const struct extents *x, const struct model *m, uint64_t at)
{
    struct run r;
    bool found = extents_find(x, at, 1, &r);
    if (at >= m->from)
        assert_int_equal(found, m->root[at].packet != 0);
    if (found) {
        assert_int_equal(r.packet, m->root[at].packet);
        assert_int_equal(r.off, m->root[at].off);
        assert_int_equal(r.len, 1);
    }
}

static void check_range(const struct extents *x, const struct model *m, uint64_t at, uint64_t len,
                        int cap)
{
    struct run runs[64];
    int n = extents_resolve(x, at, len, runs, cap);
    int pieces = 0;
    bool whole = true;
    for (uint64_t i = at; i < at + len; i++) {
        whole = whole && m->root[i].packet != 0;
        pieces += i == at || m->root[i].packet != m->root[i - 1].packet ||
                  m->root[i].off != m->root[i - 1].off + 1;
    }
    if (at >= m->from)
        assert_int_equal(n, whole && pieces <= cap ? pieces : -1);
    uint64_t k = at;
    for (int i = 0; i < n; i++)
        for (uint64_t j = 0; j < runs[i].len; j++, k++) {
            assert_int_equal(runs[i].packet, m->root[k].packet);
            assert_int_equal(runs[i].off + j, m->root[k].off);
        }
    assert_true(n < 0 || k == at + len);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void run_model(uint32_t seed, unsigned longest)
{
    static struct model m;
    memset(&m, 0, sizeof m);
    struct pool *pool = pool_open(8 << 20);
    assert_non_null(pool);
    struct extents x = {0};
    uint64_t packet = 1, off = 0;
    while (m.len < BYTES - longest) {
        unsigned what = next(&seed) % 8;
        uint64_t len = next(&seed) % longest + 1;
        if (what == 0) {
            m.len += len; /* a hole */
        } else if (what < 6) {
            if (what > 1) { /* else it touches the bytes before */
                packet += next(&seed) % 2;
                off = next(&seed) % 1500;
            }
            assert_true(extents_add(&x, pool, m.len, (struct run){packet, off, len}));
            for (uint64_t i = 0; i < len; i++, m.len++, off++) {
                m.root[m.len].packet = packet;
                m.root[m.len].off = off;
            }
        } else {
            m.from += next(&seed) % (m.len - m.from + 1);
            extents_drop(&x, m.from);
        }
        for (unsigned i = 0; i < 4 && m.len > 0; i++) {
            uint64_t at = next(&seed) % m.len;
            check_byte(&x, &m, at);
            uint64_t n = next(&seed) % (m.len - at) + 1;
            check_range(&x, &m, at, n % 200 + 1 < m.len - at ? n % 200 + 1 : m.len - at,
                        (int)(next(&seed) % 64) + 1);
        }
    }
    for (uint64_t at = 0; at < m.len; at++)
        check_byte(&x, &m, at);
    extents_drop(&x, m.len);
    assert_int_equal(x.n, 0);
    extents_free(&x, pool);
    assert_int_equal(pool_used(pool), 0);
    pool_close(pool);
}

static void test_model(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 300; seed++)
        run_model(seed, seed % 3 == 0 ? 2 : seed % 3 == 1 ? 9 : 120);
}

static void test_joins(void **state)
{
    (void)state;
    struct pool *pool = pool_open(1 << 20);
    struct extents x = {0};
    assert_true(extents_add(&x, pool, 10, (struct run){3, 100, 5}));
    assert_true(extents_add(&x, pool, 15, (struct run){3, 105, 5}));
    assert_int_equal(x.n, 1);
    assert_true(extents_add(&x, pool, 20, (struct run){3, 111, 5})); /* off apart */
    assert_true(extents_add(&x, pool, 26, (struct run){3, 116, 5})); /* at apart */
    assert_int_equal(x.n, 3);
    assert_true(extents_add(&x, pool, 31, (struct run){3, 121, 0})); /* nothing */
    assert_int_equal(x.n, 3);
    struct run r;
    assert_false(extents_find(&x, 9, 4, &r));
    assert_false(extents_find(&x, 25, 4, &r));
    assert_true(extents_find(&x, 12, 100, &r));
    assert_int_equal(r.off, 102);
    assert_int_equal(r.len, 8);
    struct run runs[4];
    assert_int_equal(extents_resolve(&x, 10, 15, runs, 4), 2);
    assert_int_equal(extents_resolve(&x, 10, 15, runs, 1), -1);
    assert_int_equal(extents_resolve(&x, 10, 17, runs, 4), -1);
    assert_int_equal(extents_resolve(&x, 10, 0, runs, 4), 0);
    extents_free(&x, pool);
    pool_close(pool);
}

/* Without memory the bytes have no way back, and nothing else changes. */
static void test_no_memory(void **state)
{
    (void)state;
    struct pool *pool = pool_open(2048);
    struct extents x = {0};
    uint64_t n = 0;
    while (extents_add(&x, pool, n * 2, (struct run){1, n * 3, 1}))
        n++;
    assert_true(n >= 2);
    for (uint64_t i = 0; i <= n; i++) {
        struct run r;
        assert_int_equal(extents_find(&x, i * 2, 1, &r), i < n);
        assert_true(i == n || r.off == i * 3);
    }
    extents_drop(&x, n);
    assert_true(extents_add(&x, pool, n * 2 + 10, (struct run){1, 7, 1}));
    extents_free(&x, pool);
    assert_int_equal(pool_used(pool), 0);
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
