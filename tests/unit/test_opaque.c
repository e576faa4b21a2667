/* test_opaque.c - QUIC, DTLS and SSH: recognised, and told as opaque. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector quic_dissector;
extern const struct dissector dtls_dissector;
extern const struct dissector ssh_dissector;

static void expect(const struct dissector *d, const void *bytes, size_t len, const char *want)
{
    char *log = drive_events(d, bytes, len, NULL);
    assert_string_equal(log, want);
    free(log);
    assert_null(drive_law(d, bytes, len, NULL, 50, 1));
}

static unsigned bid(const struct dissector *d, const void *bytes, size_t len)
{
    return d->probe((struct view){bytes, len, 0, true, NULL});
}

static void quic(void **state)
{
    (void)state;
    static const char initial[] = "\xc3\x00\x00\x00\x01\x04"
                                  "abcd\x00\x00\x44zz";
    expect(&quic_dissector, initial, sizeof initial - 1,
           "field opaque encrypted 0+15 \xc3\\x00\\x00\\x00\\x01\\x04"
           "abcd\\x00\\x00Dzz\n");
    expect(&quic_dissector, "", 0, "");
    assert_true(bid(&quic_dissector, initial, sizeof initial - 1) >= 40);
    assert_true(bid(&quic_dissector, "\xc3\x6b\x33\x43\xcf\x00\x00", 7) >= 40);
    assert_true(bid(&quic_dissector, "\x80\x00\x00\x00\x00\x00\x00\x01", 8) > 0);
    assert_int_equal(bid(&quic_dissector, "\xc3\x00\x00\x00\x02\x00\x00", 7), 0);
    assert_int_equal(bid(&quic_dissector, "\xc3\x00\x00\x00\x01\x15\x00", 7), 0);
    assert_int_equal(bid(&quic_dissector, "\xc3\x00\x00\x00\x01\x04\x00", 7), 0);
    assert_int_equal(bid(&quic_dissector, "\x43\x00\x00\x00\x01\x00\x00", 7), 0);
}

static void dtls(void **state)
{
    (void)state;
    static const char data[] = "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x05\x00\x02xy";
    expect(&dtls_dissector, data, sizeof data - 1,
           "field opaque encrypted 0+15 \\x17\xfe\xfd\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x05\\x00"
           "\\x02xy\n");
    assert_true(bid(&dtls_dissector, data, sizeof data - 1) > 30);
    assert_int_equal(bid(&dtls_dissector, data, sizeof data - 2), 0);
    assert_int_equal(
        bid(&dtls_dissector, "\x17\x03\x03\x00\x01\x00\x00\x00\x00\x00\x05\x00\x00", 13), 0);
}

static void ssh(void **state)
{
    (void)state;
    static const char open[] = "SSH-2.0-Example_1.0 x\r\n\x00\x01\x02";
    expect(&ssh_dissector, open, sizeof open - 1,
           "field text identification 0+21 [us-ascii] SSH-2.0-Example_1.0 x\n"
           "field opaque encrypted 23+3 \\x00\\x01\\x02\n");
    expect(&ssh_dissector, open, 12, "field text identification 0+12 [us-ascii] SSH-2.0-Exam\n");
    expect(&ssh_dissector, open, 23,
           "field text identification 0+21 [us-ascii] SSH-2.0-Example_1.0 x\n");
    assert_int_equal(bid(&ssh_dissector, open, sizeof open - 1), 64);
    assert_true(bid(&ssh_dissector, "SSH-1.99-x", 10) > 30);
    assert_int_equal(bid(&ssh_dissector, "SSH", 3), 0);
    char endless[300];
    memset(endless, 'a', sizeof endless);
    expect(&ssh_dissector, endless, sizeof endless,
           "bad 0 SSH identification longer than 255 bytes\n");
    char *log = drive_gap(&ssh_dissector, open, sizeof open - 1, 24, 25, NULL);
    assert_string_equal(log, "field text identification 0+21 [us-ascii] SSH-2.0-Example_1.0 x\n"
                             "field opaque encrypted 23+2 \\x00\\x02\n");
    free(log);
    log = drive_gap(&ssh_dissector, open, sizeof open - 1, 4, 6, NULL);
    assert_string_equal(log, "gap refused\n");
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quic),
        cmocka_unit_test(dtls),
        cmocka_unit_test(ssh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
