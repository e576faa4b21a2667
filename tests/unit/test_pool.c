/* test_pool.c - size classes, the hard limit, wiping, blocks that join again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

static void test_capacity(void **state)
{
    (void)state;
    size_t last = 0;
    for (size_t size = 0; size <= POOL_MAX; size += size < 70000 ? 1 : 997) {
        size_t capacity = pool_capacity(size);
        assert_true(capacity >= size && capacity >= 32);
        assert_true(capacity >= last);
        assert_int_equal(capacity % 16, 0);
        assert_true(size < 32 || capacity < size + size / 2 + 1);
        assert_int_equal(pool_capacity(capacity), capacity);
        last = capacity;
    }
    assert_int_equal(pool_capacity(POOL_MAX), POOL_MAX);
}

static void test_zeroed_and_wiped(void **state)
{
    (void)state;
    struct pool *p = pool_open(8 << 20);
    assert_non_null(p);
    for (size_t size = 0; size <= POOL_MAX; size = size * 2 + 1) {
        size_t capacity = pool_capacity(size);
        uint8_t *a = pool_take(p, size);
        assert_non_null(a);
        assert_int_equal((uintptr_t)a % 16, 0);
        assert_true(is_zero(a, capacity));
        memset(a, 0xa5, capacity);
        assert_int_equal(pool_used(p), capacity);
        pool_give(p, a, size);
        assert_int_equal(pool_used(p), 0);
        uint8_t *b = pool_take(p, size);
        assert_ptr_equal(a, b); /* used again for its class */
        assert_true(is_zero(b, capacity));
        pool_give(p, b, size);
    }
    pool_give(p, NULL, 100);
    assert_int_equal(pool_used(p), 0);
    assert_int_equal(pool_peak(p), POOL_MAX);
    pool_close(p);
    pool_close(NULL);
}

static void test_limit(void **state)
{
    (void)state;
    static const size_t limits[] = {0, 31, 32, 1000, 40 << 10, 100 << 10, 1 << 20, 5 << 20};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct pool *p = pool_open(limits[i]);
        assert_non_null(p);
        size_t n = 0;
        while (pool_take(p, 32) != NULL)
            n++;
        /* A limit is not only kept, it is also there to be used: rounded up to 4 KiB. */
        assert_int_equal(n * 32, (limits[i] + 4095) / 4096 * 4096);
        assert_int_equal(pool_used(p), n * 32);
        assert_int_equal(pool_refused(p), 1);
        assert_null(pool_take(p, POOL_MAX));
        assert_int_equal(pool_refused(p), 2);
        pool_close(p);
    }
}

/* What a slab has left when a large block does not fit in it serves small ones. */
static void test_rest_of_slab(void **state)
{
    (void)state;
    struct pool *p = pool_open(2 << 20);
    assert_non_null(p);
    assert_non_null(pool_take(p, (1 << 18) + (1 << 17)));
    assert_non_null(pool_take(p, 1 << 18));
    assert_non_null(pool_take(p, 1 << 19)); /* does not fit in the first slab */
    assert_non_null(pool_take(p, 1 << 19));
    size_t n = 0;
    while (pool_take(p, 4096) != NULL)
        n++;
    assert_true(n >= (((size_t)1 << 18) + (1 << 17)) / 4096);
    pool_close(p);
}

struct block {
    uint8_t *p;
    size_t size;
    uint8_t mark;
};

/* At the limit small blocks come out of large free ones. */
static void test_split(void **state)
{
    (void)state;
    struct pool *p = pool_open(1 << 20);
    assert_non_null(p);
    void *large[2];
    for (size_t i = 0; i < 2; i++)
        assert_non_null(large[i] = pool_take(p, POOL_MAX));
    memset(large[0], 0xa5, POOL_MAX);
    assert_null(pool_take(p, 40));
    pool_give(p, large[0], POOL_MAX);
    size_t n = 0;
    for (uint8_t *b; (b = pool_take(p, 40)) != NULL; n++)
        assert_true(is_zero(b, 48));
    assert_true(n >= POOL_MAX / 48 / 3 * 2);
    pool_close(p);
}

static size_t take_all(struct pool *p, size_t size, void **blocks, size_t cap)
{
    size_t n = 0;
    while (n < cap && (blocks[n] = pool_take(p, size)) != NULL)
        n++;
    assert_true(n < cap);
    return n;
}

/* What a burst of blocks of one size took can serve every other size afterwards. */
static void test_any_class_after_any(void **state)
{
    (void)state;
    enum {
        LIMIT = 3 << 20,
        MOST = LIMIT / 32 + 1
    };
    static const size_t sizes[] = {32, 1000, 48, 5000, 6144, 6145, 65536, POOL_MAX, 100, 2000};
    static void *blocks[MOST];
    struct pool *p = pool_open(LIMIT);
    assert_non_null(p);
    for (unsigned order = 0; order < 3; order++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            size_t n = take_all(p, sizes[i], blocks, MOST);
            assert_int_equal(n, LIMIT / pool_capacity(sizes[i]));
            for (size_t k = 0; k < n; k++) {
                assert_true(is_zero(blocks[k], pool_capacity(sizes[i])));
                memset(blocks[k], 0x5a, pool_capacity(sizes[i]));
            }
            /* Given back forwards, backwards, or every other one first. */
            for (size_t k = 0; k < n; k++) {
                size_t at = order == 0   ? k
                            : order == 1 ? n - 1 - k
                                         : (k * 2) % n + (n % 2 == 0 && k * 2 >= n);
                pool_give(p, blocks[at], sizes[i]);
            }
            assert_int_equal(pool_used(p), 0);
        }
    }
    pool_close(p);
}

/* A block that stays holds its slab, and no more. */
static void test_one_stays(void **state)
{
    (void)state;
    enum {
        LIMIT = 4 << 20
    };
    static void *blocks[LIMIT / 1024 + 1];
    struct pool *p = pool_open(LIMIT);
    assert_non_null(p);
    size_t n = take_all(p, 1000, blocks, LIMIT / 1024 + 1);
    for (size_t i = 0; i < n; i++)
        if (i != n / 2)
            pool_give(p, blocks[i], 1000);
    assert_int_equal(pool_used(p), 1024);
    size_t large = 0;
    while (pool_take(p, 65536) != NULL)
        large++;
    assert_in_range(large, LIMIT / 65536 - 2, LIMIT / 65536 - 1);
    pool_close(p);
}

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#ifdef WATCHED
#include <sanitizer/asan_interface.h>

static void test_poisoned(void **state)
{
    (void)state;
    struct pool *p = pool_open(1 << 20);
    assert_non_null(p);
    static const size_t sizes[] = {40, 1000, 5000, 20000, POOL_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *b = pool_take(p, sizes[i]);
        size_t capacity = pool_capacity(sizes[i]);
        assert_non_null(b);
        assert_null(__asan_region_is_poisoned(b, capacity));
        assert_true(__asan_address_is_poisoned(b + capacity));
        pool_give(p, b, sizes[i]);
        for (size_t k = 0; k < capacity; k += 8)
            assert_true(__asan_address_is_poisoned(b + k));
    }
    pool_close(p);
}
#endif

static void test_random(void **state)
{
    (void)state;
    enum {
        BLOCKS = 500
    };
    static struct block blocks[BLOCKS];
    struct pool *p = pool_open(6 << 20);
    assert_non_null(p);
    uint32_t seed = 7;
    size_t used = 0, peak = 0;
    for (unsigned step = 0; step < 40000; step++) {
        seed = seed * 1664525u + 1013904223u;
        struct block *b = &blocks[(seed >> 8) % BLOCKS];
        if (b->p != NULL) {
            for (size_t i = 0; i < b->size; i += 61)
                assert_int_equal(b->p[i], b->mark);
            pool_give(p, b->p, b->size);
            used -= pool_capacity(b->size);
            b->p = NULL;
        } else {
            b->size = (seed >> 4) % ((seed & 15) == 0 ? POOL_MAX + 1 : 3000);
            b->mark = (uint8_t)(step | 1);
            b->p = pool_take(p, b->size);
            if (b->p == NULL)
                continue;
            assert_true(is_zero(b->p, b->size));
            memset(b->p, b->mark, b->size);
            used += pool_capacity(b->size);
        }
        if (used > peak)
            peak = used;
        assert_int_equal(pool_used(p), used);
        assert_true(used <= 6 << 20);
    }
    assert_int_equal(pool_peak(p), peak);
    assert_true(pool_refused(p) > 0);
    for (size_t i = 0; i < BLOCKS; i++)
        pool_give(p, blocks[i].p, blocks[i].size);
    assert_int_equal(pool_used(p), 0);
    pool_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_zeroed_and_wiped),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_rest_of_slab),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_any_class_after_any),
        cmocka_unit_test(test_one_stays),
#ifdef WATCHED
        cmocka_unit_test(test_poisoned),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
