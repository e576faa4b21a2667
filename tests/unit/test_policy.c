/* test_policy.c - the table: what is read, what is refused and where, and what is decided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "decide/policy.h"

/* load reads YAML text by way of a file called policy.yaml; NULL and the fault when it is refused.
 */
static struct policy *load(const char *yaml, size_t len, struct fault *f)
{
    char folder[] = "/tmp/policy-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/policy.yaml", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(yaml, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    struct policy *p = NULL;
    *f = (struct fault){0};
    enum status status = policy_load(path, &p, f);
    (void)unlink(path);
    (void)rmdir(folder);
    assert_int_equal(status == STATUS_OK, p != NULL);
    assert_int_equal(status == STATUS_OK, f->text[0] == '\0');
    return p;
}

static struct policy *good(const char *yaml)
{
    struct fault f;
    struct policy *p = load(yaml, strlen(yaml), &f);
    if (p == NULL)
        fail_msg("refused: %s", f.text);
    return p;
}

/* ---- what is refused ---------------------------------------------------------------------- */

struct wrong {
    const char *yaml, *want; /* the fault behind the file's name */
};

static const struct wrong wrongs[] = {
    {"rows: []\nrow: []\n", ":2:1: "},
    {"version: 2\nrows: []\n", ":1:10: version must be"},
    {"version: x\nrows: []\n", ":1:10: version must be"},
    {"version: 1\n", ":1:1: "},
    {"rows: x\n", ":1:7: rows must be"},
    {"rows:\n", ":1:6: rows must be"},
    {"rows: {}\n", ":1:7: rows must be"},
    {"home: [10.0.0.0/33]\nrows: []\n", ":1:8: home: prefix length must be 0..32"},
    {"home: [2001:db8::/129]\nrows: []\n", ":1:8: home: prefix length must be 0..128"},
    {"home: [10.0.0.0/]\nrows: []\n", ":1:8: home: prefix length must be 0..32"},
    {"home: [10.0.0.0/-1]\nrows: []\n", ":1:8: home: prefix length must be 0..32"},
    {"home: [10.0.0.0/8x]\nrows: []\n", ":1:8: home: prefix length must be 0..32"},
    {"home: [10.0.0.0/99999999999999999999]\nrows: []\n", ":1:8: home: prefix length must be"},
    {"home: [10.0.0]\nrows: []\n", ":1:8: home must be networks such as"},
    {"home: [example.com]\nrows: []\n", ":1:8: home must be networks such as"},
    {"home:\n  - 10.0.0.0/8\n  - nowhere\nrows: []\n", ":3:5: home must be networks such as"},
    {"destinations: [{servers: [a.example]}]\nrows: []\n", ":1:16: "},
    {"destinations: [{name: a}]\nrows: []\n", ":1:16: destination needs networks or servers"},
    {"destinations: [{name: a, networks: [], servers: []}]\nrows: []\n",
     ":1:16: destination needs networks or servers"},
    {"destinations: [{name: a, nets: [10.0.0.0/8]}]\nrows: []\n", ":1:26: "},
    {"destinations: [{name: a, networks: [x]}]\nrows: []\n", ":1:37: networks must be networks"},
    {"destinations: [{name: a, servers: ['*']}]\nrows: []\n", ":1:36: servers must be names"},
    {"destinations: [{name: a, servers: ['a b']}]\nrows: []\n", ":1:36: servers must be names"},
    {"destinations: [{name: a, servers: [.example.com]}]\nrows: []\n", ":1:36: servers must be"},
    {"destinations: [{name: a, servers: [a.*.example]}]\nrows: []\n", ":1:36: servers must be"},
    {"destinations: [{name: a, servers: [a.example]}, {name: a, servers: [b.example]}]\nrows: []\n",
     ":1:56: name 'a' is taken already"},
    {"allow: [a]\nrows: []\n", ":1:9: allow must be the name of one of the destinations, not 'a'"},
    {"allow: a\nrows: []\n", ":1:8: allow must be"},
    {"channels: [{ports: [1]}]\nrows: []\n", ":1:12: "},
    {"channels: [{kind: device, ports: [1]}]\nrows: []\n", ":1:19: kind must be"},
    {"channels: [{kind: device_data}]\nrows: []\n", ":1:12: channel needs a destination or ports"},
    {"channels: [{kind: device_data, ports: [0]}]\nrows: []\n", ":1:40: ports must be 1..65535"},
    {"channels: [{kind: device_data, ports: [1, 65536]}]\nrows: []\n",
     ":1:43: ports must be 1..65535, not 65536"},
    {"channels: [{kind: device_data, ports: 443}]\nrows: []\n", ":1:39: ports must be"},
    {"channels: [{kind: device_data, destination: x}]\nrows: []\n",
     ":1:45: destination must be the name of one"},
    {"channels: [{kind: device_data, port: [1]}]\nrows: []\n", ":1:32: "},
    {"rows: [{}]\n", ":1:8: "},
    {"rows: [{action: stop}]\n", ":1:17: action must be one of pass, deidentify, block"},
    {"rows: [{action: pass, class: phone}]\n", ":1:30: class must be"},
    {"rows: [{action: pass, class: []}]\n", ":1:30: class must have at least one entry"},
    {"rows: [{action: pass, class: [phone, fax]}]\n", ":1:38: class must be personal, opaque or"},
    {"rows: [{action: pass, jurisdiction: []}]\n", ":1:37: jurisdiction must have at least one"},
    {"rows: [{action: pass, jurisdiction: [hk]}]\n", ":1:38: jurisdiction must be inside"},
    {"rows: [{action: pass, jurisdiction: [HKG]}]\n", ":1:38: jurisdiction must be inside"},
    {"rows: [{action: pass, destination: x}]\n", ":1:36: destination must be the name of one"},
    {"rows: [{action: pass, protocol: tls}]\n", ":1:33: protocol must be"},
    {"rows: [{action: pass, channel: any}]\n", ":1:32: channel must be"},
    {"rows: [{action: pass, clas: [phone]}]\n", ":1:23: "},
    {"rows:\n  - action: pass\n  - action: pas\n", ":3:13: action must be"},
    {"rows: []\nfail: [{action: pass, class: [phone]}]\n", ":2:23: "},
    {"rows: []\nfail: [{jurisdiction: [abroad]}]\n", ":2:8: "},
    {"rows: []\nfail: x\n", ":2:7: fail must be"},
};

static void test_wrong(void **state)
{
    const struct wrong *w = *state;
    struct fault f;
    assert_null(load(w->yaml, strlen(w->yaml), &f));
    const char *at = strstr(f.text, "policy.yaml");
    assert_non_null(at);
    if (strncmp(at + strlen("policy.yaml"), w->want, strlen(w->want)) != 0)
        fail_msg("%s is not %s", at, w->want);
}

/* Every list has a limit that is told, and is not cut at it. */
static void test_limits(void **state)
{
    (void)state;
    static const struct {
        const char *head, *entry, *tail, *key;
        unsigned most;
    } lists[] = {
        {"home: [", "10.0.0.0/8", "]\nrows: []\n", "home", 1024},
        {"destinations: [{name: a, networks: [", "10.0.0.0/8", "]}]\nrows: []\n", "networks", 1024},
        {"destinations: [{name: a, servers: [", "a.example", "]}]\nrows: []\n", "servers", 1024},
        {"destinations: [{name: a, servers: [b.example]}]\nallow: [", "a", "]\nrows: []\n", "allow",
         64},
        {"channels: [{kind: device_data, ports: [", "443", "]}]\nrows: []\n", "ports", 64},
        {"channels: [", "{kind: device_data, ports: [1]}", "]\nrows: []\n", "channels", 64},
        {"rows: [{action: pass, protocol: [", "tls", "]}]\n", "protocol", 32},
        {"rows: [{action: pass, jurisdiction: [", "HK", "]}]\n", "jurisdiction", 32},
        {"rows: [", "{action: pass}", "]\n", "rows", 256},
        {"rows: []\nfail: [", "{action: pass}", "]\n", "fail", 256},
    };
    static char yaml[100000];
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (unsigned n = lists[i].most; n <= lists[i].most + 1; n++) {
            size_t len = (size_t)sprintf(yaml, "%s", lists[i].head);
            for (unsigned k = 0; k < n; k++)
                len += (size_t)sprintf(yaml + len, "%s%s", k > 0 ? ", " : "", lists[i].entry);
            len += (size_t)sprintf(yaml + len, "%s", lists[i].tail);
            struct fault f;
            struct policy *p = load(yaml, len, &f);
            assert_int_equal(p != NULL, n == lists[i].most);
            assert_true(p != NULL || (strstr(f.text, lists[i].key) && strstr(f.text, "at most")));
            policy_free(p);
        }
    }
}

/* A file is read whole or not at all. */
static void test_long_file(void **state)
{
    (void)state;
    enum {
        MOST = 1 << 20
    };
    static char yaml[MOST + 100];
    static const char head[] = "rows: []\n#";
    memset(yaml, '#', sizeof yaml);
    memcpy(yaml, head, sizeof head - 1);
    struct fault f;
    struct policy *p = load(yaml, MOST, &f);
    assert_non_null(p);
    policy_free(p);
    static const char tail[] = "\nrow: []\n";
    memcpy(yaml + MOST, tail, sizeof tail - 1);
    assert_null(load(yaml, MOST + sizeof tail - 1, &f));
    assert_null(load("", 0, &f));
    assert_null(load("rows: []\0x", 10, &f));
    p = NULL;
    assert_int_equal(policy_load("/nonexistent/policy.yaml", &p, &f), STATUS_IO);
    assert_int_equal(policy_load("/tmp", &p, &f), STATUS_IO);
    assert_null(p);
    policy_free(NULL);
}

/* ---- what is decided ---------------------------------------------------------------------- */

static struct place place_in(enum region region, const char *country)
{
    struct place p = {.region = region,
                      .outside = region != REGION_INSIDE && region != REGION_LOCAL};
    memcpy(p.country, country, strlen(country) + 1);
    return p;
}

/* to builds a matter; the texts live on in statics. */
static struct matter to(const char *address, enum region region, const char *country,
                        enum class class)
{
    static struct address a;
    static struct place p;
    assert_true(address_parse(address, strlen(address), &a));
    p = place_in(region, country);
    return (struct matter){.class = class,
                           .way_back = true,
                           .protocol = "hl7v2",
                           .server = "",
                           .destination = &a,
                           .port = 2575,
                           .place = &p};
}

static void assert_verdict(struct verdict v, enum action action, enum verdict_by by, uint32_t row)
{
    assert_int_equal(v.action, action);
    assert_int_equal(v.by, by);
    assert_int_equal(v.row, row);
}

static void test_shipped(void **state)
{
    (void)state;
    struct policy *p = NULL;
    struct fault f = {0};
    assert_int_equal(policy_load(NULL, &p, &f), STATUS_OK);
    assert_string_equal(policy_name(p), "built-in");
    assert_string_equal(policy_text(p), policy_default_text);
    assert_int_equal(strlen(policy_hash(p)), 64);
    assert_int_equal(policy_rows(p), 4);
    size_t n;
    (void)policy_home(p, &n);
    assert_int_equal(n, 0);
    static const enum region abroad[] = {REGION_OUTSIDE, REGION_UNKNOWN, REGION_DISAGREE};
    for (int c = 0; c < CLASS_COUNT; c++) {
        struct matter m = to("192.0.2.1", REGION_OUTSIDE, "US", (enum class)c);
        for (size_t i = 0; i < 3; i++) {
            struct place place = place_in(abroad[i], "US");
            m.place = &place;
            m.way_back = true;
            struct verdict v = policy_decide(p, &m);
            assert_verdict(v, c == CLASS_OPAQUE ? ACTION_BLOCK : ACTION_DEIDENTIFY, BY_ROW,
                           c == CLASS_OPAQUE ? 3 : 2);
            assert_false(v.downgraded);
            m.way_back = false;
            v = policy_decide(p, &m);
            assert_int_equal(v.action, ACTION_BLOCK);
            assert_int_equal(v.downgraded, c != CLASS_OPAQUE);
            assert_verdict(policy_fail(p, &m), ACTION_BLOCK, BY_FAIL, 2);
        }
        for (int here = 0; here < 2; here++) {
            struct place place = place_in(here ? REGION_INSIDE : REGION_LOCAL, here ? "CN" : "");
            m.place = &place;
            struct verdict v = policy_decide(p, &m);
            assert_verdict(v, ACTION_PASS, BY_ROW, 4);
            assert_false(v.downgraded || v.violation);
            assert_verdict(policy_fail(p, &m), ACTION_PASS, BY_FAIL, 1);
        }
    }
    char words[200];
    for (uint32_t row = 1; row <= 4; row++) {
        int len = policy_row_text(p, row, words, sizeof words);
        assert_true(len > 0 && len < (int)sizeof words);
    }
    policy_free(p);
}

/* What no row matches is closed for abroad and open for the rest. */
static void test_no_rows(void **state)
{
    (void)state;
    struct policy *p = good("rows: []\n");
    struct matter m = to("192.0.2.1", REGION_UNKNOWN, "", CLASS_PHONE);
    assert_verdict(policy_decide(p, &m), ACTION_BLOCK, BY_DEFAULT, 0);
    assert_verdict(policy_fail(p, &m), ACTION_BLOCK, BY_DEFAULT, 0);
    m = to("10.0.0.1", REGION_LOCAL, "", CLASS_PHONE);
    assert_verdict(policy_decide(p, &m), ACTION_PASS, BY_DEFAULT, 0);
    assert_verdict(policy_fail(p, &m), ACTION_PASS, BY_DEFAULT, 0);
    policy_free(p);
}

static void test_order(void **state)
{
    (void)state;
    struct policy *p = good("rows:\n"
                            "  - {class: [phone], jurisdiction: [abroad], action: pass}\n"
                            "  - {class: [personal], protocol: [hl7v2], action: block}\n"
                            "  - {class: [phone, opaque], action: block}\n"
                            "  - {action: deidentify}\n");
    struct matter m = to("192.0.2.1", REGION_OUTSIDE, "US", CLASS_PHONE);
    assert_verdict(policy_decide(p, &m), ACTION_PASS, BY_ROW, 1);
    m = to("192.0.2.1", REGION_LOCAL, "", CLASS_PHONE);
    assert_verdict(policy_decide(p, &m), ACTION_BLOCK, BY_ROW, 2);
    m.protocol = "http1";
    assert_verdict(policy_decide(p, &m), ACTION_BLOCK, BY_ROW, 3);
    m.class = CLASS_ID_NUMBER;
    assert_verdict(policy_decide(p, &m), ACTION_DEIDENTIFY, BY_ROW, 4);
    m.protocol = "hl7v";
    assert_verdict(policy_decide(p, &m), ACTION_DEIDENTIFY, BY_ROW, 4);
    m.class = CLASS_OPAQUE;
    m.protocol = "hl7v2";
    assert_verdict(policy_decide(p, &m), ACTION_BLOCK, BY_ROW, 3);
    policy_free(p);
}

static void test_countries(void **state)
{
    (void)state;
    struct policy *p = good("rows:\n"
                            "  - {jurisdiction: [HK, MO], action: pass}\n"
                            "  - {jurisdiction: [disagree, SG], action: deidentify}\n"
                            "  - {jurisdiction: [any], action: block}\n");
    static const struct {
        enum region region;
        const char *country;
        uint32_t row;
    } rows[] = {{REGION_OUTSIDE, "HK", 1},  {REGION_UNKNOWN, "MO", 1}, {REGION_DISAGREE, "HK", 1},
                {REGION_DISAGREE, "CN", 2}, {REGION_OUTSIDE, "SG", 2}, {REGION_OUTSIDE, "US", 3},
                {REGION_UNKNOWN, "", 3},    {REGION_INSIDE, "CN", 3},  {REGION_LOCAL, "HK", 3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct matter m = to("192.0.2.1", rows[i].region, rows[i].country, CLASS_PHONE);
        assert_int_equal(policy_decide(p, &m).row, rows[i].row);
    }
    policy_free(p);
}

static const char lists_yaml[] =
    "destinations:\n"
    "  - {name: four, networks: [203.0.113.64/26, 198.51.100.7, 192.0.2.129/25]}\n"
    "  - {name: six, networks: ['2001:db8:8000::/33', '::ffff:100.64.0.0/106', '::1']}\n"
    "  - {name: all, networks: [0.0.0.0/0]}\n"
    "  - {name: named, servers: ['*.Example.com', one.example.org]}\n"
    "rows:\n"
    "  - {destination: four, action: pass}\n"
    "  - {destination: six, action: pass}\n"
    "  - {destination: named, action: pass}\n"
    "  - {destination: all, action: pass}\n"
    "  - {action: block}\n";

static void test_networks(void **state)
{
    (void)state;
    struct policy *p = good(lists_yaml);
    static const struct {
        const char *address;
        uint32_t row;
    } rows[] = {{"203.0.113.64", 1},
                {"203.0.113.127", 1},
                {"203.0.113.63", 4},
                {"203.0.113.128", 4},
                {"::ffff:203.0.113.65", 1}, /* as IPv4 */
                {"198.51.100.7", 1},
                {"198.51.100.6", 4},
                {"192.0.2.128", 1}, /* host bits of the network do not count */
                {"192.0.2.127", 4},
                {"2001:db8:8000::1", 2},
                {"2001:db8:ffff::1", 2},
                {"2001:db8:7fff::1", 5},
                {"100.64.1.2", 2}, /* an IPv4-mapped network is the IPv4 one */
                {"::ffff:100.127.1.2", 2},
                {"100.128.0.0", 4},
                {"::1", 2},
                {"::2", 5}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct matter m = to(rows[i].address, REGION_OUTSIDE, "US", CLASS_PHONE);
        assert_int_equal(policy_decide(p, &m).row, rows[i].row);
    }
    policy_free(p);
}

static void test_servers(void **state)
{
    (void)state;
    struct policy *p = good(lists_yaml);
    static const struct {
        const char *server;
        uint32_t row;
    } rows[] = {{"a.example.com", 3},
                {"a.b.EXAMPLE.com", 3},
                {"example.com", 5},
                {"badexample.com", 5},
                {".example.com", 5},
                {"one.example.org", 3},
                {"ONE.example.org", 3},
                {"one.example.org.", 3},
                {"a.example.com.", 3},
                {"two.one.example.org", 5},
                {"one.example.or", 5},
                {"", 5},
                {".", 5},
                {"a.example.com.evil.net", 5}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct matter m = to("2001:db8::1", REGION_OUTSIDE, "US", CLASS_PHONE);
        m.server = rows[i].server;
        assert_int_equal(policy_decide(p, &m).row, rows[i].row);
    }
    policy_free(p);
}

static void test_channels(void **state)
{
    (void)state;
    struct policy *p =
        good("destinations:\n"
             "  - {name: maker, networks: [203.0.113.0/24], servers: [up.example.net]}\n"
             "allow: [maker]\n"
             "channels:\n"
             "  - {kind: device_data, destination: maker, ports: [8883, 443]}\n"
             "  - {kind: medical_data, destination: maker}\n"
             "  - {kind: device_data, ports: [1883]}\n"
             "rows:\n"
             "  - {channel: device_data, class: [personal], action: deidentify}\n"
             "  - {channel: medical_data, action: pass}\n");
    struct matter m = to("203.0.113.9", REGION_OUTSIDE, "US", CLASS_PHONE);
    m.port = 443;
    /* An allowed destination does not allow personal information among device data. */
    struct verdict v = policy_decide(p, &m);
    assert_verdict(v, ACTION_DEIDENTIFY, BY_ROW, 1);
    assert_true(v.violation && v.channel == CHANNEL_DEVICE && !v.downgraded);
    m.way_back = false;
    v = policy_decide(p, &m);
    assert_true(v.violation && v.downgraded && v.action == ACTION_BLOCK);
    /* What is opaque may be anything: no violation, and allowed. */
    m.class = CLASS_OPAQUE;
    v = policy_decide(p, &m);
    assert_verdict(v, ACTION_PASS, BY_ALLOW, 0);
    assert_false(v.violation);
    /* Bytes that were not seen are no violation. */
    m.class = CLASS_PHONE;
    v = policy_fail(p, &m);
    assert_verdict(v, ACTION_PASS, BY_ALLOW, 0);
    assert_false(v.violation);
    /* The same destination at another port carries medical data: allowed, even to be rewritten. */
    m.port = 104;
    v = policy_decide(p, &m);
    assert_verdict(v, ACTION_PASS, BY_ALLOW, 0);
    assert_true(!v.violation && v.channel == CHANNEL_MEDICAL && !v.downgraded);
    /* By server name alone. */
    m = to("192.0.2.1", REGION_OUTSIDE, "US", CLASS_PHONE);
    m.server = "Up.example.net";
    m.port = 8883;
    assert_true(policy_decide(p, &m).violation);
    assert_int_equal(policy_channel(p, m.destination, 8884, m.server), CHANNEL_MEDICAL);
    assert_int_equal(policy_channel(p, m.destination, 8883, ""), CHANNEL_MEDICAL);
    /* By port alone. */
    m.server = "";
    m.port = 1883;
    v = policy_decide(p, &m);
    assert_true(v.violation);
    assert_verdict(v, ACTION_DEIDENTIFY, BY_ROW, 1);
    m.port = 1884;
    assert_verdict(policy_decide(p, &m), ACTION_PASS, BY_ROW, 2);
    policy_free(p);
}

static void test_fail_rows(void **state)
{
    (void)state;
    struct policy *p = good("rows: [{action: pass}]\n"
                            "fail:\n"
                            "  - {protocol: [tls], jurisdiction: [abroad], action: pass}\n"
                            "  - {jurisdiction: [HK], action: deidentify}\n"
                            "  - {jurisdiction: [abroad], action: block}\n");
    struct matter m = to("192.0.2.1", REGION_OUTSIDE, "HK", CLASS_COUNT);
    m.protocol = "tls";
    assert_verdict(policy_fail(p, &m), ACTION_PASS, BY_FAIL, 1);
    m.protocol = "tcp";
    m.way_back = false;
    struct verdict v = policy_fail(p, &m);
    assert_verdict(v, ACTION_BLOCK, BY_FAIL, 2);
    assert_true(v.downgraded);
    m = to("192.0.2.1", REGION_LOCAL, "", CLASS_COUNT);
    assert_verdict(policy_fail(p, &m), ACTION_PASS, BY_DEFAULT, 0);
    policy_free(p);
}

static void test_home(void **state)
{
    (void)state;
    struct policy *p = good("home: [198.51.100.0/24, '2001:db8::/32', 192.0.2.1]\nrows: []\n");
    size_t n;
    const char *const *home = policy_home(p, &n);
    assert_int_equal(n, 3);
    assert_string_equal(home[0], "198.51.100.0/24");
    assert_string_equal(home[1], "2001:db8::/32");
    assert_string_equal(home[2], "192.0.2.1");
    policy_free(p);
}

int main(void)
{
    struct CMUnitTest tests[100] = {
        cmocka_unit_test(test_limits),   cmocka_unit_test(test_long_file),
        cmocka_unit_test(test_shipped),  cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_order),    cmocka_unit_test(test_countries),
        cmocka_unit_test(test_networks), cmocka_unit_test(test_servers),
        cmocka_unit_test(test_channels), cmocka_unit_test(test_fail_rows),
        cmocka_unit_test(test_home),
    };
    size_t n = 11;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++)
        tests[n++] = (struct CMUnitTest){wrongs[i].want, test_wrong, NULL, NULL,
                                         (void *)(uintptr_t)&wrongs[i]};
    return _cmocka_run_group_tests("policy", tests, n, NULL, NULL);
}
