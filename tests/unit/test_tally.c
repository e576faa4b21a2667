/* test_tally.c - rows are found again, merged, limited, and not to be made to collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "command/tally.h"

static const struct place abroad = {.outside = true};

static struct address address_of(uint64_t high, uint64_t low)
{
    uint8_t bytes[16];
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(high >> 8 * i);
        bytes[8 + i] = (uint8_t)(low >> 8 * i);
    }
    return address_v6(bytes);
}

static struct finding finding_of(enum class class, const char *path, uint64_t path_hash,
                                 uint64_t packet)
{
    return (struct finding){
        .class = class, .path = path, .path_hash = path_hash, .at = {packet, 0, 1}};
}

static const struct group *only_group(const struct tally *t)
{
    const struct group *one = NULL;
    for (size_t i = 0; i < GROUPS_MAX * 2; i++) {
        if (t->groups[i].hash == 0)
            continue;
        assert_null(one);
        one = &t->groups[i];
    }
    assert_non_null(one);
    return one;
}

/* Repetitions are one place; class, action, port and destination are told apart. */
static void test_groups(void **state)
{
    (void)state;
    struct tally t;
    assert_true(tally_open(&t));
    struct address a = address_of(1, 2), b = address_of(1, 3);
    struct verdict pass = {.action = ACTION_PASS}, block = {.action = ACTION_BLOCK};
    for (uint64_t i = 0; i < 300; i++) {
        char path[40];
        (void)snprintf(path, sizeof path, "tcp/json/$.a[%u].b", (unsigned)i);
        struct finding f = finding_of(CLASS_PHONE, path, i + 1, 9 + i);
        tally_finding(&t, &f, &block, &a, 80, &abroad);
    }
    assert_int_equal(t.n_groups, 1);
    assert_string_equal(only_group(&t)->path, "tcp/json/$.a[].b");
    assert_int_equal(only_group(&t)->n, 300);
    assert_int_equal(only_group(&t)->first_packet, 9);
    struct finding f = finding_of(CLASS_PHONE, "tcp/json/$.a[1].b", 2, 1);
    tally_finding(&t, &f, &pass, &a, 80, &abroad);
    tally_finding(&t, &f, &block, &a, 81, &abroad);
    tally_finding(&t, &f, &block, &b, 80, &abroad);
    f.class = CLASS_EMAIL;
    tally_finding(&t, &f, &block, &a, 80, &abroad);
    assert_int_equal(t.n_groups, 5);
    assert_int_equal(t.n_destinations, 2);
    assert_int_equal(tally_destination(&t, &a, &abroad)->findings, 303);
    assert_int_equal(tally_destination(&t, &b, &abroad)->findings, 1);
    assert_int_equal(t.actions[ACTION_BLOCK], 303);
    tally_close(&t);
}

/* Two workers have keys of their own, and their rows meet all the same. */
static void test_merge(void **state)
{
    (void)state;
    struct tally total, part[2];
    assert_true(tally_open(&total));
    for (size_t w = 0; w < 2; w++) {
        assert_true(tally_open(&part[w]));
        for (uint64_t i = 0; i < 500; i++) {
            char path[40];
            (void)snprintf(path, sizeof path, "tcp/x/%u", (unsigned)(i % 50));
            struct finding f = finding_of(CLASS_PHONE, path, i % 50, 100 - w);
            struct verdict v = {.action = ACTION_BLOCK};
            struct address a = address_of(i % 7, 0);
            tally_finding(&part[w], &f, &v, &a, 80, &abroad);
            tally_destination(&part[w], &a, &abroad)->bytes += 10;
        }
    }
    assert_true(part[0].key.k0 != part[1].key.k0 || part[0].key.k1 != part[1].key.k1);
    for (size_t w = 0; w < 2; w++)
        tally_merge(&total, &part[w]);
    assert_int_equal(total.n_groups, part[0].n_groups);
    assert_int_equal(total.n_groups, 350);
    assert_int_equal(total.n_destinations, 7);
    assert_int_equal(total.findings[CLASS_PHONE], 1000);
    uint64_t n = 0, bytes = 0;
    for (size_t i = 0; i < GROUPS_MAX * 2; i++) {
        n += total.groups[i].n;
        assert_true(total.groups[i].hash == 0 || total.groups[i].first_packet == 99);
    }
    for (size_t i = 0; i < DESTINATIONS_MAX * 2; i++)
        bytes += total.destinations[i].bytes;
    assert_int_equal(n, 1000);
    assert_int_equal(bytes, 10000);
    for (size_t w = 0; w < 2; w++)
        tally_close(&part[w]);
    tally_close(&total);
}

/* Full tables say no, count it, and still know what they have. */
static void test_full(void **state)
{
    (void)state;
    struct tally t;
    assert_true(tally_open(&t));
    for (uint64_t i = 0; i < DESTINATIONS_MAX + 10; i++) {
        struct address a = address_of(5, i);
        assert_true((tally_destination(&t, &a, &abroad) != NULL) == (i < DESTINATIONS_MAX));
    }
    assert_int_equal(t.destinations_lost, 10);
    struct address known = address_of(5, 77);
    assert_non_null(tally_destination(&t, &known, &abroad));
    struct verdict v = {.action = ACTION_BLOCK};
    for (uint64_t i = 0; i < GROUPS_MAX + 10; i++) {
        char path[40];
        (void)snprintf(path, sizeof path, "tcp/y/%u", (unsigned)i);
        struct finding f = finding_of(CLASS_PHONE, path, i, i);
        tally_finding(&t, &f, &v, &known, 80, &abroad);
    }
    assert_int_equal(t.groups_lost, 10);
    assert_int_equal(t.findings[CLASS_PHONE], GROUPS_MAX + 10);
    tally_close(&t);
}

/* undo gives the high half of an address for which hash, a multiplication without a key, was one
 * and the same for every low half. */
static uint64_t undo(uint64_t low, uint64_t target)
{
    const uint64_t by = 0x9fb21c651e98df25u;
    uint64_t h = (14695981039346656037u ^ 6) * by;
    h = (h ^ low) * by;
    h ^= h >> 29;
    return h ^ target;
}

/* Addresses chosen so that a hash without a key puts them all into one chain lie no closer than
 * others. */
static void test_collisions(void **state)
{
    (void)state;
    enum {
        CHOSEN = 40000
    };
    struct tally t;
    assert_true(tally_open(&t));
    for (uint64_t i = 0; i < CHOSEN; i++) {
        struct address a = address_of(i, undo(i, 0x1234567));
        assert_non_null(tally_destination(&t, &a, &abroad));
    }
    size_t chain = 0, longest = 0;
    for (size_t i = 0; i < DESTINATIONS_MAX * 2; i++) {
        chain = t.destinations[i].hash != 0 ? chain + 1 : 0;
        longest = chain > longest ? chain : longest;
    }
    assert_in_range(longest, 1, 300);
    assert_int_equal(t.n_destinations, CHOSEN);
    tally_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_collisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
