/* test_address.c - texts and ranges of IP addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"

static void address_texts(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"1.2.3.4", "1.2.3.4"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* RFC 5952 section 4.2.2 */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
        {"0:0:0:0:0:ffff:c000:201", "::ffff:192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"fe80:0:0:0:0:0:0:a", "fe80::a"},
    };
    char text[ADDRESS_TEXT_MAX];
    struct address a, again;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(address_parse(rows[i][0], strlen(rows[i][0]), &a));
        assert_string_equal(address_format(&a, text, sizeof text), rows[i][1]);
        assert_true(address_parse(text, strlen(text), &again));
        assert_true(address_equal(&a, &again));
    }
    a = (struct address){0};
    assert_string_equal(address_format(&a, text, sizeof text), "-");
}

static void address_texts_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "1.2.3",
        "1.2.3.4.",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4",
        " 1.2.3.4",
        "1.2.3.4 ",
        ":",
        ":::",
        "1:",
        "1::2::3",
        "12345::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "::1:2:3:4:5:6:7:8",
        "g::",
        "::1.2.3",
        "1.2.3.4::",
        "::1.2.3.4:5",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1..2.3",
        ":1",
    };
    struct address a;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (address_parse(rows[i], strlen(rows[i]), &a))
            fail_msg("%s", rows[i]);
    }
}

static void address_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_private, is_local, is_multicast;
    } rows[] = {
        {"10.255.0.1", true, false, false},
        {"172.15.0.1", false, false, false},
        {"172.31.0.1", true, false, false},
        {"172.32.0.1", false, false, false},
        {"192.168.3.4", true, false, false},
        {"100.64.0.1", true, false, false},
        {"100.128.0.1", false, false, false},
        {"127.0.0.1", true, true, false},
        {"169.254.1.1", true, true, false},
        {"0.0.0.0", true, true, false},
        {"8.8.8.8", false, false, false},
        {"224.0.0.1", false, false, true},
        {"255.255.255.255", false, false, true},
        {"fd00::1", true, false, false},
        {"fe80::1", true, true, false},
        {"::1", true, true, false},
        {"::", true, true, false},
        {"2001:db8::1", false, false, false},
        {"ff02::1", false, false, true},
        {"::ffff:10.0.0.1", true, false, false},
        {"::ffff:8.8.8.8", false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address a;
        assert_true(address_parse(rows[i].text, strlen(rows[i].text), &a));
        assert_int_equal(address_is_private(&a), rows[i].is_private);
        assert_int_equal(address_is_local(&a), rows[i].is_local);
        assert_int_equal(address_is_multicast(&a), rows[i].is_multicast);
    }
    struct address a = address_v4((const uint8_t[]){10, 0, 0, 1}),
                   b = address_v4((const uint8_t[]){192, 0, 2, 2});
    assert_true(address_compare(&a, &b) < 0);
    assert_true(address_compare(&b, &a) > 0);
    assert_int_equal(address_compare(&a, &a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_texts),
        cmocka_unit_test(address_texts_refused),
        cmocka_unit_test(address_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
