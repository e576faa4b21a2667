/* test_text.c - the plain text dissector: one long value, however cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector text_dissector;

static void whole_layer_is_one_value(void **state)
{
    (void)state;
    char *log = drive_events(&text_dissector, "any text", 8, NULL);
    assert_string_equal(log, "field text - 0+8 any text\n");
    free(log);
}

static void empty_layer_says_nothing(void **state)
{
    (void)state;
    char *log = drive_events(&text_dissector, "", 0, NULL);
    assert_string_equal(log, "");
    free(log);
}

static void law(void **state)
{
    (void)state;
    assert_null(drive_law(&text_dissector, "cut me anywhere", 15, NULL, 50, 1));
}

static void gap_goes_on(void **state)
{
    (void)state;
    char *log = drive_gap(&text_dissector, "abcdefgh", 8, 2, 4, NULL);
    assert_string_equal(log, "field text - 0+6 abefgh\n");
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_layer_is_one_value),
        cmocka_unit_test(empty_layer_says_nothing),
        cmocka_unit_test(law),
        cmocka_unit_test(gap_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
