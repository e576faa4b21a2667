/* test_config.c - the strict YAML tree: what it accepts, what it refuses and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/config.h"

static struct config *read_good(const char *yaml)
{
    struct config *c = NULL;
    struct fault f = {""};
    const enum status status = config_read("t.yaml", yaml, strlen(yaml), &c, &f);
    assert_string_equal(f.text, "");
    assert_int_equal(status, STATUS_OK);
    assert_non_null(c);
    return c;
}

struct refusal {
    const char *yaml;
    const char *fault;
};

static void refused_with_place_and_reason(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"", "t.yaml:1:1: nothing in this file"},
        {"# only this\n", "t.yaml:1:1: nothing in this file"},
        {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: key \"a\" is repeated, first in line 1"},
        {"a: &x 1\n", "t.yaml:1:4: anchors are not allowed"},
        {"a: &x [1]\n", "t.yaml:1:4: anchors are not allowed"},
        {"a: *x\n", "t.yaml:1:4: aliases are not allowed"},
        {"a: !!str 1\n", "t.yaml:1:4: tags are not allowed"},
        {"a: !!map {}\n", "t.yaml:1:4: tags are not allowed"},
        {"? [1]\n: 2\n", "t.yaml:1:3: a key must be a plain word"},
        {"? {a: 1}\n: 2\n", "t.yaml:1:3: a key must be a plain word"},
        {"\"\": 2\n", "t.yaml:1:1: a key is empty"},
        {"\"a\\n\": 2\n", "t.yaml:1:1: a key holds a control character"},
        {"a: \"b\\0c\"\n", "t.yaml:1:4: a NUL character is not allowed"},
        {"a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document is not allowed"},
        {"a: [1\n", "t.yaml:2:1: while parsing a flow sequence: did not find expected ',' or ']'"},
        {"a: b: c\n", "t.yaml:1:5: mapping values are not allowed in this context"},
        {"a: \xff\n", "t.yaml: byte 3: invalid leading UTF-8 octet"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct config *c = NULL;
        struct fault f = {""};
        const char *yaml = refusals[i].yaml;
        assert_int_equal(config_read("t.yaml", yaml, strlen(yaml), &c, &f), STATUS_FORMAT);
        assert_null(c);
        assert_string_equal(f.text, refusals[i].fault);
    }
}

static void depth_is_limited(void **state)
{
    (void)state;
    char yaml[2 * (CONFIG_MAX_DEPTH + 1) + 1] = "";
    memset(yaml, '[', CONFIG_MAX_DEPTH);
    memset(yaml + CONFIG_MAX_DEPTH, ']', CONFIG_MAX_DEPTH);
    config_free(read_good(yaml));
    memset(yaml, '[', CONFIG_MAX_DEPTH + 1);
    memset(yaml + CONFIG_MAX_DEPTH + 1, ']', CONFIG_MAX_DEPTH + 1);
    struct config *c = NULL;
    struct fault f = {""};
    assert_int_equal(config_read("t.yaml", yaml, strlen(yaml), &c, &f), STATUS_LIMIT);
    assert_string_equal(f.text, "t.yaml:1:33: nested deeper than 32");
}

static void values_and_bytes_are_limited(void **state)
{
    (void)state;
    const size_t n = CONFIG_MAX_NODES;
    char *yaml = malloc(CONFIG_MAX_BYTES + 1);
    assert_non_null(yaml);
    size_t len = 0;
    for (size_t i = 0; i < n; i++, len += 4)
        memcpy(yaml + len, "- 1\n", 4);
    struct config *c = NULL;
    struct fault f = {""};
    assert_int_equal(config_read("t.yaml", yaml, len - 4, &c, &f), STATUS_OK);
    assert_int_equal(config_root(c)->n, n - 1);
    config_free(c);
    assert_int_equal(config_read("t.yaml", yaml, len, &c, &f), STATUS_LIMIT);
    assert_string_equal(f.text, "t.yaml:100000:3: more than 100000 values");
    memset(yaml, '#', CONFIG_MAX_BYTES + 1);
    assert_int_equal(config_read("t.yaml", yaml, CONFIG_MAX_BYTES + 1, &c, &f), STATUS_LIMIT);
    assert_string_equal(f.text, "t.yaml: larger than 1048576 bytes");
    free(yaml);
}

static void many_keys_are_checked_fast(void **state)
{
    (void)state;
    char *yaml = malloc(CONFIG_MAX_BYTES);
    assert_non_null(yaml);
    size_t len = 0;
    for (unsigned i = 0; i < 90000; i++)
        len += (size_t)snprintf(yaml + len, CONFIG_MAX_BYTES - len, "k%u: 1\n", i);
    (void)snprintf(yaml + len, CONFIG_MAX_BYTES - len, "k7: 1\n");
    struct config *c = NULL;
    struct fault f = {""};
    assert_int_equal(config_read("t.yaml", yaml, strlen(yaml), &c, &f), STATUS_FORMAT);
    assert_string_equal(f.text, "t.yaml:90001:1: key \"k7\" is repeated, first in line 8");
    free(yaml);
}

static void tree_keeps_order_and_places(void **state)
{
    (void)state;
    struct config *c = read_good("b: 1\na:\n  - x\n  - 'y z'\n姓名: {k: v}\n");
    const struct config_node *root = config_root(c);
    assert_int_equal(root->kind, CONFIG_MAP);
    assert_int_equal(root->n, 3);
    assert_string_equal(root->first->key, "b");
    const struct config_node *list = root->first->next;
    assert_string_equal(list->key, "a");
    assert_int_equal(list->kind, CONFIG_LIST);
    assert_int_equal(list->line, 3);
    assert_int_equal(list->key_line, 2);
    assert_int_equal(list->n, 2);
    const struct config_node *second = list->first->next;
    assert_string_equal(second->text, "y z");
    assert_true(second->quoted);
    assert_int_equal(second->line, 4);
    assert_int_equal(second->col, 5);
    assert_string_equal(second->key, "a");
    assert_null(second->next);
    const struct config_node *map = config_get(root, "姓名");
    assert_non_null(map);
    assert_int_equal(map->col, 5);
    assert_null(config_get(list, "k"));
    assert_null(config_get(NULL, "k"));
    config_free(c);
}

static const char *const colours[] = {"red", "green", NULL};

static void readers_give_values(void **state)
{
    (void)state;
    struct config *c = read_good("t: text\nq: \"\"\ni: 42\nm: -9223372036854775807\nb: true\n"
                                 "f: false\nw: green\nl: [a, 2]\nd: {x: 1}\nquoted_null: 'null'\n");
    const struct config_node *root = config_root(c);
    struct fault f = {""};
    assert_string_equal(config_text(root, "t", "-", &f), "text");
    assert_string_equal(config_text(root, "q", "-", &f), "");
    assert_string_equal(config_text(root, "quoted_null", "-", &f), "null");
    assert_string_equal(config_text(root, "none", "-", &f), "-");
    assert_int_equal(config_int(root, "i", 0, 42, 7, &f), 42);
    assert_true(config_int(root, "m", INT64_MIN, 0, 7, &f) == -INT64_MAX);
    assert_int_equal(config_int(root, "none", 0, 42, 7, &f), 7);
    assert_true(config_bool(root, "b", false, &f));
    assert_false(config_bool(root, "f", true, &f));
    assert_true(config_bool(root, "none", true, &f));
    assert_int_equal(config_word(root, "w", colours, 0, &f), 1);
    assert_int_equal(config_word(root, "none", colours, 5, &f), 5);
    const struct config_node *list = config_list(root, "l", &f);
    assert_string_equal(config_node_text(list->first, "-", &f), "a");
    assert_int_equal(config_node_int(list->first->next, 0, 9, 1, &f), 2);
    assert_null(config_list(root, "none", &f));
    assert_int_equal(config_int(config_map(root, "d", &f), "x", 0, 9, 0, &f), 1);
    assert_non_null(config_need(root, "t", &f));
    assert_true(config_ok(&f));
    config_free(c);
}

/* Each row's yaml is read with the reader that its first letter names. */
static void readers_say_what_must_be(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"i: 0", "t.yaml:1:4: i must be 4..4096, not 0"},
        {"i: 4097", "t.yaml:1:4: i must be 4..4096, not 4097"},
        {"i: -5", "t.yaml:1:4: i must be 4..4096, not -5"},
        {"i: '5'", "t.yaml:1:4: i must be a whole number 4..4096, not \"5\""},
        {"i: 05", "t.yaml:1:4: i must be a whole number 4..4096, not 05"},
        {"i: -0", "t.yaml:1:4: i must be a whole number 4..4096, not -0"},
        {"i: 5.0", "t.yaml:1:4: i must be a whole number 4..4096, not 5.0"},
        {"i: 0x10", "t.yaml:1:4: i must be a whole number 4..4096, not 0x10"},
        {"i: 99999999999999999999",
         "t.yaml:1:4: i must be a whole number 4..4096, not 99999999999999999999"},
        {"i: [4]", "t.yaml:1:4: i must be a whole number 4..4096, not a list"},
        {"i:", "t.yaml:1:3: i must be a whole number 4..4096, not nothing"},
        {"b: yes", "t.yaml:1:4: b must be true or false, not yes"},
        {"b: 'true'", "t.yaml:1:4: b must be true or false, not \"true\""},
        {"t: null", "t.yaml:1:4: t must be a text, not nothing"},
        {"t: {a: b}", "t.yaml:1:4: t must be a text, not a mapping"},
        {"w: blue", "t.yaml:1:4: w must be one of red, green, not blue"},
        {"l: x", "t.yaml:1:4: l must be a list, not x"},
        {"m: [x]", "t.yaml:1:4: m must be a mapping, not a list"},
        {"i: \"a\\eb\"", "t.yaml:1:4: i must be a whole number 4..4096, not \"a?b\""},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct config *c = read_good(refusals[i].yaml);
        const struct config_node *root = config_root(c);
        struct fault f = {""};
        assert_int_equal(config_int(root, "i", 4, 4096, 9, &f), 9);
        assert_true(config_bool(root, "b", true, &f));
        assert_string_equal(config_text(root, "t", "-", &f), "-");
        assert_int_equal(config_word(root, "w", colours, -1, &f), -1);
        assert_null(config_list(root, "l", &f));
        assert_null(config_map(root, "m", &f));
        assert_false(config_ok(&f));
        assert_string_equal(f.text, refusals[i].fault);
        config_free(c);
    }
}

static void first_fault_stays(void **state)
{
    (void)state;
    struct config *c = read_good("a: x\nb: y\n");
    struct fault f = {""};
    (void)config_int(config_root(c), "b", 0, 1, 0, &f);
    (void)config_int(config_root(c), "a", 0, 1, 0, &f);
    assert_string_equal(f.text, "t.yaml:2:4: b must be a whole number 0..1, not y");
    config_free(c);
}

static void unknown_key_names_the_nearest(void **state)
{
    (void)state;
    static const char *const allowed[] = {"hold_kib", "fail", NULL};
    struct config *c = read_good("fail: 1\nhold_kb: 2\n");
    struct fault f = {""};
    assert_false(config_keys(config_root(c), allowed, &f));
    assert_string_equal(f.text, "t.yaml:2:1: unknown key \"hold_kb\", did you mean hold_kib? "
                                "Allowed: hold_kib, fail");
    config_free(c);
    c = read_good("zebra: 1\n");
    f.text[0] = '\0';
    assert_false(config_keys(config_root(c), allowed, &f));
    assert_string_equal(f.text, "t.yaml:1:1: unknown key \"zebra\". Allowed: hold_kib, fail");
    f.text[0] = '\0';
    assert_null(config_need(config_root(c), "fail", &f));
    assert_string_equal(f.text, "t.yaml:1:1: fail is missing here");
    config_free(c);
    c = read_good("[1]");
    f.text[0] = '\0';
    assert_false(config_keys(config_root(c), allowed, &f));
    assert_string_equal(f.text, "t.yaml:1:1: it must be a mapping, not a list");
    config_free(c);
}

static void nearest_word(void **state)
{
    (void)state;
    static const char *const words[] = {"boundary", "confidence", "class", NULL};
    assert_string_equal(config_nearest("bounadry", words), "boundary");
    assert_string_equal(config_nearest("clas", words), "class");
    assert_string_equal(config_nearest("confidence", words), "confidence");
    assert_null(config_nearest("pattern", words));
    assert_null(config_nearest("", words));
}

static void files_are_read(void **state)
{
    (void)state;
    struct config *c = NULL;
    struct fault f = {""};
    assert_int_equal(config_load("/nonexistent/x.yaml", &c, &f), STATUS_IO);
    assert_string_equal(f.text, "/nonexistent/x.yaml: No such file or directory");
    assert_int_equal(config_load("/", &c, &f), STATUS_IO);
    char path[] = "/tmp/test_config_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: 5\n", 5), 5);
    assert_int_equal(close(fd), 0);
    f.text[0] = '\0';
    assert_int_equal(config_load(path, &c, &f), STATUS_OK);
    assert_int_equal(config_int(config_root(c), "a", 0, 9, 0, &f), 5);
    config_free(c);
    assert_int_equal(unlink(path), 0);
    config_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_with_place_and_reason),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(values_and_bytes_are_limited),
        cmocka_unit_test(many_keys_are_checked_fast),
        cmocka_unit_test(tree_keeps_order_and_places),
        cmocka_unit_test(readers_give_values),
        cmocka_unit_test(readers_say_what_must_be),
        cmocka_unit_test(first_fault_stays),
        cmocka_unit_test(unknown_key_names_the_nearest),
        cmocka_unit_test(nearest_word),
        cmocka_unit_test(files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
