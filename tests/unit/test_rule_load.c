/* test_rule_load.c - rule files: which are refused and in which words, folders, the hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/rule.h"

#define RULE_HEAD "subject: s\nrules:\n  - name: r\n    class: phone\n    source: s\n"
#define RULE_TAIL                                                                                  \
    "    boundary: word\n    confidence: 5\n    examples: {match: [a], no_match: [b]}\n"

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *fault;
    } rows[] = {
        {"", "t.yaml:1:1: nothing in this file"},
        {"subject: s\n", "t.yaml:1:1: rules is missing here"},
        {"subject: s\nrules: []\n", "t.yaml: no rules here"},
        {"subject: s\nrules: [5]\n", "t.yaml:2:9: rules must be a mapping, not 5"},
        {"subject: s\nrule: []\n",
         "t.yaml:2:1: unknown key \"rule\", did you mean rules? Allowed: subject, rules"},
        {"subject: s\nrules: [{name: A}]\n",
         "t.yaml:2:16: name must be 1..63 of a-z, 0-9 and _, a letter first"},
        {"subject: s\nrules: [{name: r}]\n", "t.yaml:2:9: class is missing here"},
        {"subject: s\nrules: [{name: r, class: passport, source: s}]\n",
         "t.yaml:2:9: pattern is missing here"},
        {RULE_HEAD "    pattern: 'a('\n" RULE_TAIL,
         "t.yaml:6:14: pattern: Missing close parenthesis for group started at index 1."},
        {RULE_HEAD "    pattern: 'a*'\n" RULE_TAIL, "t.yaml:6:14: pattern matches an empty text"},
        {RULE_HEAD "    pattern: 'a+'\n" RULE_TAIL,
         "t.yaml:6:14: pattern can match more than 256 bytes: bound its repeats"},
        {RULE_HEAD "    pattern: 'a[^\\x1e]b.'\n" RULE_TAIL,
         "t.yaml:6:14: pattern can match the byte 1e between fields: write [^\\x1e] for a dot, "
         "[^\\x1e...] for a negated class"},
        {RULE_HEAD "    pattern: '\\[[]a.]\\.\\W'\n" RULE_TAIL, NULL},
        {RULE_HEAD "    pattern: '[^a]'\n" RULE_TAIL, NULL},
        {RULE_HEAD "    pattern: 'a$'\n" RULE_TAIL,
         "t.yaml:6:14: pattern looks at the end of the text: use boundary"},
        {RULE_HEAD "    pattern: a\n    digits: [5]\n" RULE_TAIL,
         "t.yaml:7:13: digits is for scan: digits"},
        {RULE_HEAD "    pattern: a\n    scan: digits\n" RULE_TAIL,
         "t.yaml:3:5: digits is missing here, for scan: digits"},
        {RULE_HEAD "    pattern: a\n    scan: digits\n    digits: [3]\n" RULE_TAIL,
         "t.yaml:8:14: digits must be 4..32, not 3"},
        {RULE_HEAD "    pattern: a\n    scan: digits\n    digits: [11]\n" RULE_TAIL,
         "t.yaml:3:5: check is missing here, for scan: digits"},
        {RULE_HEAD
         "    pattern: a\n    scan: anchor\n    anchor: 'a b'\n    check: email\n" RULE_TAIL,
         "t.yaml:8:13: anchor must be 1..16 printable ASCII characters"},
        {RULE_HEAD "    pattern: a\n    scan: anchor\n    anchor: '@'\n    check: luhn\n" RULE_TAIL,
         "t.yaml:3:5: check luhn cannot start from an anchor"},
        {RULE_HEAD "    pattern: a\n    check: id81\n" RULE_TAIL,
         "t.yaml:7:12: check must be one of email, id18, landline_cn, luhn, mobile_cn, not id81"},
        {RULE_HEAD "    pattern: a\n    skip: [uuid]\n" RULE_TAIL, NULL},
        {RULE_HEAD "    pattern: a\n    boundary: word\n    confidence: 101\n",
         "t.yaml:8:17: confidence must be 0..100, not 101"},
        {RULE_HEAD "    pattern: a\n    boundary: word\n    confidence: 5\n",
         "t.yaml:3:5: examples is missing here"},
        {RULE_HEAD
         "    pattern: a\n    boundary: word\n    confidence: 5\n    examples: {match: [a]}\n",
         "t.yaml:9:15: examples must have one no_match at least"},
        {RULE_HEAD "    pattern: a\n" RULE_TAIL "  - name: r\n    class: phone\n    source: s\n"
                   "    pattern: b\n" RULE_TAIL,
         "t.yaml:10:11: rule r is also in t.yaml, line 3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rule_set *set = NULL;
        struct fault f = {"old"};
        assert_int_equal(rule_set_read("t.yaml", rows[i].yaml, strlen(rows[i].yaml), &set, &f),
                         STATUS_FORMAT);
        assert_null(set);
        if (rows[i].fault != NULL)
            assert_string_equal(f.text, rows[i].fault);
    }
}

static void patterns_that_stay_in_a_field_are_taken(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "'a\\.b'", "'[a.]b'", "'[]a.]b'", "'[^\\x1e.]b'", "'\\d\\w\\s[[:alpha:].]'", "'\\[a\\]'"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, "%s    pattern: %s\n%s", RULE_HEAD, patterns[i],
                       RULE_TAIL);
        struct rule_set *set = NULL;
        struct fault f = {""};
        (void)rule_set_read("t.yaml", yaml, strlen(yaml), &set, &f);
        assert_string_equal(f.text, "");
        rule_set_free(set);
    }
}

static void folders_are_loaded_in_order(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_rules_XXXXXX";
    assert_non_null(mkdtemp(dir));
    char path[128];
    struct rule_set *set = NULL;
    struct fault f = {""};
    assert_int_equal(rule_set_load(dir, &set, &f), STATUS_FORMAT);
    static const char *const names[] = {"b.yaml", "a.yaml", ".c.yaml", "d.txt"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fprintf(file,
                      "subject: s\nrules:\n  - name: r%zu\n    class: phone\n    source: s\n"
                      "    pattern: a\n" RULE_TAIL,
                      i);
        assert_int_equal(fclose(file), 0);
    }
    assert_int_equal(rule_set_load(dir, &set, &f), STATUS_OK);
    assert_int_equal(rule_set_count(set), 2);
    assert_string_equal(rule_set_at(set, 0)->name, "r1");
    assert_string_equal(rule_set_at(set, 1)->name, "r0");
    rule_set_free(set);
    /* The same file on its own, and the folder by the environment. */
    (void)snprintf(path, sizeof path, "%s/a.yaml", dir);
    assert_int_equal(rule_set_load(path, &set, &f), STATUS_OK);
    assert_int_equal(rule_set_count(set), 1);
    rule_set_free(set);
    char first[RULE_HASH_LEN];
    assert_int_equal(rule_set_load(SOURCE_DIR "/rules", &set, &f), STATUS_OK);
    memcpy(first, rule_set_hash(set), sizeof first);
    rule_set_free(set);
    assert_int_equal(setenv("MEDGUAN_DATADIR", SOURCE_DIR, 1), 0);
    assert_int_equal(rule_set_load(NULL, &set, &f), STATUS_OK);
    assert_string_equal(rule_set_hash(set), first);
    rule_set_free(set);
    assert_int_equal(setenv("MEDGUAN_DATADIR", "/nonexistent", 1), 0);
    assert_int_equal(rule_set_load(NULL, &set, &f), STATUS_IO);
    assert_string_equal(f.text, "/nonexistent/rules: No such file or directory");
    assert_int_equal(unsetenv("MEDGUAN_DATADIR"), 0);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(dir), 0);
}

static void hash_of(const char *yaml, char out[RULE_HASH_LEN])
{
    struct rule_set *set = NULL;
    struct fault f = {""};
    (void)rule_set_read("t.yaml", yaml, strlen(yaml), &set, &f);
    assert_string_equal(f.text, "");
    assert_int_equal(strlen(rule_set_hash(set)), RULE_HASH_LEN - 1);
    memcpy(out, rule_set_hash(set), RULE_HASH_LEN);
    rule_set_free(set);
}

#define HASH_RULE(name, more)                                                                      \
    "  - name: " name "\n    class: phone\n    source: s\n    pattern: a\n" more

static void hash_is_of_what_decides(void **state)
{
    (void)state;
    char first[RULE_HASH_LEN], other[RULE_HASH_LEN];
    hash_of("subject: s\nrules:\n" HASH_RULE("x", RULE_TAIL) HASH_RULE("y", RULE_TAIL), first);
    hash_of("# remark\nsubject: t\nrules:\n" HASH_RULE("y", RULE_TAIL) HASH_RULE("x", RULE_TAIL),
            other);
    assert_string_equal(first, other);
    hash_of("subject: s\nrules:\n" HASH_RULE("x", RULE_TAIL) HASH_RULE("z", RULE_TAIL), other);
    assert_string_not_equal(first, other);
    hash_of("subject: s\nrules:\n" HASH_RULE("x", RULE_TAIL)
                HASH_RULE("y", "    skip: [uid]\n" RULE_TAIL),
            other);
    assert_string_not_equal(first, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(patterns_that_stay_in_a_field_are_taken),
        cmocka_unit_test(folders_are_loaded_in_order),
        cmocka_unit_test(hash_is_of_what_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
