/* test_rules.c - rules as they ship, and the law of scanning: what a set tells is what its
 * patterns, checks and boundaries mean, whatever way it looks for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hs/hs.h>

#include "dissectors/dissector.h"
#include "rules/checks.h"
#include "rules/rule.h"
#include "tests/drive.h"

enum {
    MAX_FOUND = 20000
};

/* found is what a scan told. */
struct found {
    struct rule_match at[MAX_FOUND];
    size_t n;
};

static void keep(void *receiver, const struct rule_match *m)
{
    struct found *f = receiver;
    assert_true(f->n < MAX_FOUND);
    f->at[f->n++] = *m;
}

/* tools is the shipped set and one thread's scratch. */
struct tools {
    struct rule_set *set;
    struct rule_scratch *scratch;
    struct found found;
    struct found other;
};

static struct tools tools;

static int open_tools(void **state)
{
    (void)state;
    struct fault f = {""};
    if (rule_set_load(SOURCE_DIR "/rules", &tools.set, &f) != STATUS_OK) {
        print_error("%s\n", f.text);
        return 1;
    }
    tools.scratch = rule_scratch_new(tools.set);
    return tools.scratch == NULL;
}

static int close_tools(void **state)
{
    (void)state;
    rule_scratch_free(tools.scratch);
    rule_set_free(tools.set);
    return 0;
}

static void scan_text(const struct rule_set *set, struct rule_scratch *scratch, const char *text,
                      size_t len, struct found *found)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    found->n = 0;
    assert_int_equal(rule_set_scan(set, scratch, copy, len, keep, found), STATUS_OK);
    free(copy);
}

static bool tells_rule(const char *text, size_t rule)
{
    scan_text(tools.set, tools.scratch, text, strlen(text), &tools.found);
    for (size_t i = 0; i < tools.found.n; i++) {
        if (tools.found.at[i].rule == rule)
            return true;
    }
    return false;
}

static void examples_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < rule_set_count(tools.set); i++) {
        const struct rule *r = rule_set_at(tools.set, i);
        for (size_t j = 0; r->match[j] != NULL; j++) {
            if (!tells_rule(r->match[j], i))
                fail_msg("rule %s must find %s", r->name, r->match[j]);
        }
        for (size_t j = 0; r->no_match[j] != NULL; j++) {
            if (tells_rule(r->no_match[j], i))
                fail_msg("rule %s must not find %s", r->name, r->no_match[j]);
        }
    }
}

static void words_are_those_of_the_dissectors(void **state)
{
    (void)state;
    size_t n = 0;
    while (rule_value_words[n] != NULL)
        n++;
    assert_int_equal(n, VALUE_COUNT);
    assert_string_equal(rule_value_words[VALUE_TEXT], "text");
    assert_string_equal(rule_value_words[VALUE_RECORD_ID], "record_id");
    assert_string_equal(rule_value_words[VALUE_LICENCE], "licence");
    assert_string_equal(rule_value_words[VALUE_UID], "uid");
    assert_string_equal(rule_value_words[VALUE_OPAQUE], "opaque");
    assert_string_equal(rule_value_words[VALUE_HOST], "host");
}

static void schema_knows_every_word(void **state)
{
    (void)state;
    size_t len = 0;
    uint8_t *bytes = drive_file(SOURCE_DIR "/rules/rules.schema.json", &len);
    assert_non_null(bytes);
    char *schema = calloc(len + 1, 1);
    assert_non_null(schema);
    memcpy(schema, bytes, len);
    free(bytes);
    char word[80];
    for (int i = 0; i < CLASS_COUNT; i++) {
        (void)snprintf(word, sizeof word, "\"%s\"", class_name((enum class)i));
        assert_non_null(strstr(schema, word));
    }
    for (size_t i = 0; check_names[i] != NULL; i++) {
        (void)snprintf(word, sizeof word, "\"%s\"", check_names[i]);
        assert_non_null(strstr(schema, word));
    }
    for (size_t i = 0; rule_value_words[i] != NULL; i++) {
        (void)snprintf(word, sizeof word, "\"%s\"", rule_value_words[i]);
        assert_non_null(strstr(schema, word));
    }
    free(schema);
}

/* show writes found matches as "rule start+len" with spaces between. */
static const char *show(const struct rule_set *set, const struct found *found)
{
    static char text[4096];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < found->n && used < sizeof text - 100; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %u+%u", i > 0 ? ", " : "",
                                 rule_set_at(set, found->at[i].rule)->name,
                                 (unsigned)found->at[i].start, (unsigned)found->at[i].len);
    return text;
}

static void assert_shipped(const char *text, size_t len, const char *expected)
{
    scan_text(tools.set, tools.scratch, text, len, &tools.found);
    assert_string_equal(show(tools.set, &tools.found), expected);
}

static void places_are_exact(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"id 11010519491231002X, tel +86 13800138000.", "id_number_18 3+18, phone_mobile 27+15"},
        {"(0755) 81234567/010-62345678", "phone_landline 0+15, phone_landline 16+12"},
        {"x0086-13800138000", "phone_mobile 6+11"},
        {"tel+8613800138000", "phone_mobile 4+13"},
        {"+86-0755-81234567", "phone_landline 0+17"},
        {"a@b.cn,c.d@e.com;", "email_address 0+6, email_address 7+9"},
        {"mail:a..b@c.cn", "email_address 8+6"},
        {"a@b.cn@c.cn", "email_address 0+6, email_address 2+9"},
        {"a@b.com.123", "email_address 0+7"},
        {"13800138000@163.com", "email_address 0+19, phone_mobile 0+11"},
        {"13800138000.0", "phone_mobile 0+11"},
        {"no one", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_shipped(rows[i][0], strlen(rows[i][0]), rows[i][1]);
}

static void fields_are_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"\x1e"
         "13800138000\x1e"
         "13800138000\x1e",
         "phone_mobile 1+11, phone_mobile 13+11"},
        {"7\x1e"
         "13800138000\x1e"
         "7",
         "phone_mobile 2+11"},
        {"010-\x1e"
         "62345678",
         ""},
        {"010\x1e"
         "62345678",
         ""},
        {"+86\x1e"
         "13800138000",
         "phone_mobile 4+11"},
        {"138001\x1e"
         "38000",
         ""},
        {"zhang\x1e@b.cn", ""},
        {"zhang@b\x1e.cn", ""},
        {"zhang@b.cn\x1e.com", "email_address 0+10"},
        {"11010519491231002\x1eX", ""},
        {"1.2\x1e.110105194912310038", "id_number_18 5+18"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_shipped(rows[i].text, strlen(rows[i].text), rows[i].expected);
}

static void each_occurrence_counts_once(void **state)
{
    (void)state;
    static const char *const values[] = {"11010519491231002X", "13800138000", "0755-81234567",
                                         "a@b.cn"};
    for (size_t v = 0; v < 4; v++) {
        const size_t unit = strlen(values[v]) + 1, n = 6000;
        char *text = malloc(unit * n);
        assert_non_null(text);
        for (size_t i = 0; i < n; i++) {
            memcpy(text + i * unit, values[v], unit - 1);
            text[(i + 1) * unit - 1] = i % 3 == 0 ? RULE_BREAK : i % 3 == 1 ? '|' : '\n';
        }
        scan_text(tools.set, tools.scratch, text, unit * n, &tools.found);
        assert_int_equal(tools.found.n, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(tools.found.at[i].start, i * unit);
            assert_int_equal(tools.found.at[i].len, unit - 1);
        }
        free(text);
    }
}

/* --- the law: a match is a place that the pattern, the check and the boundary all accept, of the
 * longest of its class --- */

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return *seed >> 16 & 0x7fff;
}

/* random_text joins pieces that nearly make identifiers. */
static size_t random_text(unsigned *seed, char *out, size_t cap)
{
    static const char *const pieces[] = {"13800138000",
                                         "1991234567",
                                         "86",
                                         "+86",
                                         "0086",
                                         "(86)",
                                         "(+86)",
                                         "010",
                                         "0755",
                                         "755",
                                         "(010)",
                                         "(0755)",
                                         "62345678",
                                         "2123456",
                                         "81234567",
                                         "-",
                                         " ",
                                         "-",
                                         " ",
                                         ".",
                                         ".0",
                                         ".00",
                                         "\x1e",
                                         "1",
                                         "0",
                                         "9",
                                         "11010519491231002X",
                                         "11010519491231002",
                                         "X",
                                         "x",
                                         "440524198001010013",
                                         "83000019880229003",
                                         "a",
                                         "B",
                                         "_",
                                         "@",
                                         "@",
                                         ".cn",
                                         ".com",
                                         "b.c",
                                         "xn--",
                                         "-a",
                                         "..",
                                         "%",
                                         "+",
                                         "张",
                                         "，",
                                         "|",
                                         "\n",
                                         "1.2.840.",
                                         "20231201",
                                         "2.png",
                                         "E12345678",
                                         "E1234567",
                                         "ab",
                                         "abc",
                                         "京A12345",
                                         "京"};
    const size_t n_pieces = sizeof pieces / sizeof pieces[0];
    const size_t want = 10 + next_random(seed) % (cap - 40);
    size_t len = 0;
    while (len < want) {
        const char *piece = pieces[next_random(seed) % n_pieces];
        const size_t n = strlen(piece);
        if (len + n > cap)
            break;
        memcpy(out + len, piece, n);
        len += n;
    }
    return len;
}

static int accept(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                  void *receiver)
{
    (void)id;
    (void)from;
    (void)to;
    (void)flags;
    *(bool *)receiver = true;
    return 1;
}

/* whole_pattern is a rule's pattern that must match a text whole. */
struct whole_pattern {
    hs_database_t *db;
    hs_scratch_t *scratch;
};

static struct whole_pattern compile_whole(const struct rule *r)
{
    char text[RULE_MAX_PATTERN + 16];
    (void)snprintf(text, sizeof text, "\\A(?:%s)\\z", r->pattern);
    unsigned flags = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH;
    for (const char *p = text; *p != '\0'; p++)
        flags |= (unsigned char)*p >= 0x80 ? HS_FLAG_UTF8 : 0U;
    struct whole_pattern w = {NULL, NULL};
    hs_compile_error_t *error = NULL;
    if (hs_compile(text, flags, HS_MODE_BLOCK, NULL, &w.db, &error) != HS_SUCCESS)
        fail_msg("%s: %s", r->name, error->message);
    assert_int_equal(hs_alloc_scratch(w.db, &w.scratch), HS_SUCCESS);
    return w;
}

static void free_whole(struct whole_pattern *w)
{
    (void)hs_free_scratch(w->scratch);
    (void)hs_free_database(w->db);
}

static bool holds(const struct rule *r, const struct whole_pattern *w, const char *text, size_t len,
                  size_t start, size_t n)
{
    const struct candidate c = {text, len, start, n, r->boundary};
    if (memchr(text + start, RULE_BREAK, n) != NULL || !boundary_holds(&c) ||
        (r->check != NULL && !r->check->test(text + start, n)))
        return false;
    bool matches = false;
    (void)hs_scan(w->db, text + start, (unsigned)n, 0, w->scratch, accept, &matches);
    return matches;
}

/* by_definition finds all places by trying every one, and drops those inside others. */
static void by_definition(const struct rule_set *set, const struct whole_pattern *whole,
                          const char *text, size_t len, size_t longest, struct found *found)
{
    uint32_t reached[CLASS_COUNT] = {0};
    found->n = 0;
    for (size_t start = 0; start < len; start++) {
        for (size_t n = len - start < longest ? len - start : longest; n > 0; n--) {
            uint32_t best[CLASS_COUNT];
            memset(best, 0xff, sizeof best);
            for (uint32_t i = 0; i < rule_set_count(set); i++) {
                const struct rule *r = rule_set_at(set, i);
                if (start + n <= reached[r->class] || !holds(r, &whole[i], text, len, start, n))
                    continue;
                if (best[r->class] == UINT32_MAX ||
                    r->confidence > rule_set_at(set, best[r->class])->confidence)
                    best[r->class] = i;
            }
            for (size_t c = 0; c < CLASS_COUNT; c++) {
                if (best[c] == UINT32_MAX)
                    continue;
                reached[c] = (uint32_t)(start + n);
                found->at[found->n++] = (struct rule_match){best[c], (uint32_t)start, (uint32_t)n};
            }
        }
    }
}

static int compare_matches(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct rule_match));
}

static void assert_same(const struct rule_set *set, struct found *scanned, struct found *expected,
                        const char *text, size_t len)
{
    for (size_t i = 1; i < scanned->n; i++)
        assert_true(scanned->at[i - 1].start <= scanned->at[i].start);
    /* Matches of different classes at one place come in any order. */
    qsort(scanned->at, scanned->n, sizeof scanned->at[0], compare_matches);
    qsort(expected->at, expected->n, sizeof expected->at[0], compare_matches);
    if (scanned->n == expected->n &&
        memcmp(scanned->at, expected->at, scanned->n * sizeof scanned->at[0]) == 0)
        return;
    print_error("text: %.*s\nscanned:  %s\n", (int)len, text, show(set, scanned));
    fail_msg("expected: %s", show(set, expected));
}

static void scan_is_what_the_rules_mean(const struct rule_set *set, struct rule_scratch *scratch,
                                        unsigned rounds, unsigned seed)
{
    struct whole_pattern whole[64];
    const size_t n_rules = rule_set_count(set);
    assert_true(n_rules <= 64);
    for (size_t i = 0; i < n_rules; i++)
        whole[i] = compile_whole(rule_set_at(set, i));
    for (unsigned round = 0; round < rounds; round++) {
        char text[120];
        const size_t len = random_text(&seed, text, sizeof text);
        scan_text(set, scratch, text, len, &tools.found);
        by_definition(set, whole, text, len, sizeof text, &tools.other);
        assert_same(set, &tools.found, &tools.other, text, len);
    }
    for (size_t i = 0; i < n_rules; i++)
        free_whole(&whole[i]);
}

static void shipped_rules_mean_what_they_say(void **state)
{
    (void)state;
    scan_is_what_the_rules_mean(tools.set, tools.scratch, 1500, 11);
}

static const char mixed_yaml[] =
    "subject: rules of all kinds of scan\n"
    "rules:\n"
    "  - name: passport\n"
    "    class: passport\n"
    "    source: test\n"
    "    pattern: '[EG][A-HJ-NP-Z]?\\d{7,8}'\n"
    "    boundary: digits\n"
    "    confidence: 60\n"
    "    examples: {match: [E12345678], no_match: [E123]}\n"
    "  - name: plate\n"
    "    class: licence_plate\n"
    "    source: test\n"
    "    pattern: '[京津沪张][A-Z][0-9]{5}'\n"
    "    boundary: digits\n"
    "    confidence: 60\n"
    "    examples: {match: [京A12345], no_match: [京A1234]}\n"
    "  - name: card\n"
    "    class: bank_card\n"
    "    source: test\n"
    "    scan: digits\n"
    "    digits: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]\n"
    "    pattern: '\\d{8,19}'\n"
    "    check: luhn\n"
    "    boundary: digits\n"
    "    confidence: 60\n"
    "    examples: {match: ['4111111111111111'], no_match: ['4111111111111112']}\n"
    "  - name: eight\n"
    "    class: account\n"
    "    source: test\n"
    "    pattern: '\\d{8}'\n"
    "    boundary: word\n"
    "    confidence: 40\n"
    "    examples: {match: ['12345678'], no_match: ['1234567']}\n"
    "  - name: eight_or_more\n"
    "    class: account\n"
    "    source: test\n"
    "    pattern: '\\d{8,10}'\n"
    "    boundary: word\n"
    "    confidence: 50\n"
    "    examples: {match: ['12345678'], no_match: ['1234567']}\n"
    "  - name: mail\n"
    "    class: email\n"
    "    source: test\n"
    "    scan: anchor\n"
    "    anchor: '@'\n"
    "    pattern: '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+'\n"
    "    check: email\n"
    "    boundary: none\n"
    "    confidence: 40\n"
    "    examples: {match: [a@b.cn], no_match: [a@b]}\n";

static void any_rules_mean_what_they_say(void **state)
{
    (void)state;
    struct rule_set *set = NULL;
    struct fault f = {""};
    (void)rule_set_read("mixed.yaml", mixed_yaml, strlen(mixed_yaml), &set, &f);
    assert_string_equal(f.text, "");
    struct rule_scratch *scratch = rule_scratch_new(set);
    assert_non_null(scratch);
    scan_text(set, scratch, "G12345678 京A12345 12345678", 29, &tools.found);
    assert_string_equal(show(set, &tools.found), "passport 0+9, plate 10+9, eight_or_more 20+8");
    scan_is_what_the_rules_mean(set, scratch, 1500, 13);
    rule_scratch_free(scratch);
    rule_set_free(set);
}

/* A window tells the matches of its share as the whole text does. */
static void windows_tell_the_same(void **state)
{
    (void)state;
    unsigned seed = 17;
    for (unsigned round = 0; round < 300; round++) {
        static char text[3000];
        size_t len = 0;
        while (len + 150 < sizeof text)
            len += random_text(&seed, text + len, 120);
        if (round % 4 == 0)
            memset(text + 1000, 'a' + (int)round % 26, 70); /* a long local part, perhaps */
        scan_text(tools.set, tools.scratch, text, len, &tools.found);
        const size_t from = next_random(&seed) % len;
        const size_t to = from + next_random(&seed) % (len - from);
        const size_t first = from < RULE_MAX_BEFORE ? 0 : from - RULE_MAX_BEFORE;
        const size_t last =
            len - to < RULE_MAX_LEN + RULE_MAX_AFTER ? len : to + RULE_MAX_LEN + RULE_MAX_AFTER;
        scan_text(tools.set, tools.scratch, text + first, last - first, &tools.other);
        size_t i = 0;
        for (size_t j = 0; j < tools.other.n; j++) {
            struct rule_match m = tools.other.at[j];
            m.start += (uint32_t)first;
            if (m.start < from || m.start >= to)
                continue;
            while (i < tools.found.n && tools.found.at[i].start < from)
                i++;
            assert_true(i < tools.found.n);
            assert_memory_equal(&m, &tools.found.at[i], sizeof m);
            i++;
        }
        while (i < tools.found.n && tools.found.at[i].start < from)
            i++;
        assert_true(i == tools.found.n || tools.found.at[i].start >= to);
    }
}

static void skips_by_word(void **state)
{
    (void)state;
    const struct rule *r = NULL;
    for (size_t i = 0; i < rule_set_count(tools.set); i++) {
        r = rule_set_at(tools.set, i);
        if (strcmp(r->name, "id_number_18") == 0)
            break;
    }
    assert_string_equal(r->name, "id_number_18");
    assert_true(rule_skips(r, "uid"));
    assert_false(rule_skips(r, "number"));
    assert_false(rule_skips(r, "nonsense"));
    assert_true((r->skip >> VALUE_UID & 1) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_hold),
        cmocka_unit_test(words_are_those_of_the_dissectors),
        cmocka_unit_test(schema_knows_every_word),
        cmocka_unit_test(places_are_exact),
        cmocka_unit_test(fields_are_apart),
        cmocka_unit_test(each_occurrence_counts_once),
        cmocka_unit_test(shipped_rules_mean_what_they_say),
        cmocka_unit_test(any_rules_mean_what_they_say),
        cmocka_unit_test(windows_tell_the_same),
        cmocka_unit_test(skips_by_word),
    };
    return cmocka_run_group_tests(tests, open_tools, close_tools);
}
