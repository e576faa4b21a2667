/* test_form.c - web forms: keys with a meaning, keys without, however cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector form_dissector;

struct row {
    const char *bytes;
    const char *want;
};

static void check_rows(const struct row *rows)
{
    for (size_t i = 0; rows[i].bytes != NULL; i++) {
        size_t len = strlen(rows[i].bytes);
        char *log = drive_events(&form_dissector, rows[i].bytes, len, NULL);
        assert_string_equal(log, rows[i].want);
        free(log);
        char *differs = drive_law(&form_dissector, rows[i].bytes, len, NULL, 30, 7);
        if (differs != NULL)
            fail_msg("%s: %s", rows[i].bytes, differs);
    }
}

static void keys_give_meaning(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"name=%E7%8E%8B+Lei&phone=13800000000&x=1",
         "field name $.name 5+13 [escape form] %E7%8E%8B+Lei\n"
         "field phone $.phone 25+11 [escape form] 13800000000\n"
         "field text $.* 37+1 [key] [escape form] x\n"
         "field text $.* 39+1 [escape form] 1\n"},
        {"idCard=11&ID-CARD=22&id_card=33", "field id_number $.id_card 7+2 [escape form] 11\n"
                                            "field id_number $.id_card 18+2 [escape form] 22\n"
                                            "field id_number $.id_card 29+2 [escape form] 33\n"},
        {"patient%5Bbirth_date%5D=19700101&p.mobile=5&phone[0]=6&tel[]=7",
         "field birth_date $.birth_date 24+8 [escape form] 19700101\n"
         "field phone $.mobile 42+1 [escape form] 5\n"
         "field phone $.phone 53+1 [escape form] 6\n"
         "field phone $.tel 61+1 [escape form] 7\n"},
        {"%E5%A7%93%E5%90%8D=a", "field name $.姓名 19+1 [escape form] a\n"},
        {"filename=a", "field text $.* 0+8 [key] [escape form] filename\n"
                       "field text $.* 9+1 [escape form] a\n"},
        {NULL, NULL},
    };
    check_rows(rows);
}

static void odd_shapes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", ""},
        {"just words", "field text $.* 0+10 [escape form] just words\n"},
        {"&&a&=b&c=", "field text $.* 2+1 [escape form] a\n"
                      "field text $.* 5+1 [escape form] b\n"
                      "field text $.* 7+1 [key] [escape form] c\n"},
        {"email==a=b", "field email $.email 6+4 [escape form] =a=b\n"},
        {NULL, NULL},
    };
    check_rows(rows);
}

static void long_key_is_a_value(void **state)
{
    (void)state;
    char bytes[1300];
    memset(bytes, 'k', sizeof bytes);
    bytes[900] = '=';
    bytes[1000] = '&';
    memcpy(bytes + 1001, "name=", 5);
    char *differs = drive_law(&form_dissector, bytes, sizeof bytes, NULL, 20, 3);
    if (differs != NULL)
        fail_msg("%s", differs);
    char *log = drive_events(&form_dissector, bytes, sizeof bytes, NULL);
    assert_non_null(strstr(log, "field text $.* 0+1000"));
    assert_non_null(strstr(log, "field name $.name 1006+294"));
    free(log);
}

static void truncated_everywhere(void **state)
{
    (void)state;
    static const char bytes[] = "name=%E7%8E%8B+Lei&unknown=b&phone=1";
    for (size_t n = 0; n < sizeof bytes; n++) {
        char *differs = drive_law(&form_dissector, bytes, n, NULL, 5, (unsigned)n);
        if (differs != NULL)
            fail_msg("%zu: %s", n, differs);
    }
}

static unsigned bid(const char *text)
{
    return form_dissector.probe(
        (struct view){.bytes = (const uint8_t *)text, .len = strlen(text), .last = true});
}

static void probe(void **state)
{
    (void)state;
    assert_true(bid("name=a&phone=13800000000") > 1);
    assert_int_equal(bid("name=a"), 0);
    assert_int_equal(bid("<a href=b&c=d>"), 0);
    assert_int_equal(bid("http://x/?a=b&c=d"), 0);
    assert_int_equal(bid(""), 0);
}

static void gap_is_refused(void **state)
{
    (void)state;
    char *log = drive_gap(&form_dissector, "name=abcdef&phone=1", 19, 8, 14, NULL);
    assert_non_null(strstr(log, "gap refused\n"));
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_give_meaning),
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(long_key_is_a_value),
        cmocka_unit_test(truncated_everywhere),
        cmocka_unit_test(probe),
        cmocka_unit_test(gap_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
