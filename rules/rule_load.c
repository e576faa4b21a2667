/* rule_load.c - one rule file: from the strict tree to rules that are known to be whole. */
#include <stdlib.h>
#include <string.h>

#include "rules/checks.h"
#include "rules/rule_set.h"

enum {
    MAX_NAME = 63,
    MAX_ANCHOR = 16,
    MIN_RUN = 4 /* shorter runs are everywhere */
};

const char *const rule_value_words[] = {
    "text",    "name",    "birth_date", "record_id", "id_number", "insurance_id", "account",
    "licence", "address", "phone",      "email",     "date",      "uid",          "number",
    "code",    "binary",  "image",      "face",      "opaque",    "host",         NULL,
};

_Static_assert(sizeof rule_value_words / sizeof rule_value_words[0] <= 33, "skip has 32 bits");

static const char *const file_keys[] = {"subject", "rules", NULL};
static const char *const rule_keys[] = {"name",       "class",    "source", "scan",     "digits",
                                        "anchor",     "pattern",  "check",  "boundary", "skip",
                                        "confidence", "examples", NULL};
static const char *const example_keys[] = {"match", "no_match", NULL};
static const char *const scan_words[] = {"regex", "digits", "anchor", NULL};
static const char *const boundary_words[] = {"digits", "word", "none", NULL};

static const char *read_name(const struct config_node *map, struct fault *f)
{
    const struct config_node *node = config_need(map, "name", f);
    const char *name = node == NULL ? "" : config_node_text(node, "", f);
    size_t n = 0;
    while ((name[n] >= 'a' && name[n] <= 'z') ||
           (n > 0 && ((name[n] >= '0' && name[n] <= '9') || name[n] == '_')))
        n++;
    if (config_ok(f) && (n == 0 || n > MAX_NAME || name[n] != '\0'))
        (void)config_fault(node, f, "name must be 1..%d of a-z, 0-9 and _, a letter first",
                           MAX_NAME);
    return name;
}

static enum class read_class(const struct config_node *map, struct fault *f) {
    const char *words[CLASS_COUNT + 1] = {NULL};
        for (int i = 0; i < CLASS_COUNT; i++) words[i] = class_name((enum class)i);
        const struct config_node *node = config_need(map, "class", f);
        return node == NULL ? CLASS_FREE_TEXT : (enum class)config_node_word(node, words, 0, f);
}

static const char *need_text(const struct config_node *map, const char *key, struct fault *f)
{
    const struct config_node *node = config_need(map, key, f);
    const char *text = node == NULL ? "" : config_node_text(node, "", f);
    if (config_ok(f) && text[0] == '\0')
        (void)config_fault(node, f, "%s must not be empty", key);
    return text;
}

static const struct check *read_check(const struct config_node *map, struct fault *f)
{
    const int i = config_word(map, "check", check_names, -1, f);
    return i < 0 ? NULL : check_at((size_t)i);
}

static uint32_t read_skip(const struct config_node *map, struct fault *f)
{
    const struct config_node *list = config_list(map, "skip", f);
    uint32_t skip = 0;
    for (const struct config_node *it = list == NULL ? NULL : list->first; it != NULL;
         it = it->next)
        skip |= UINT32_C(1) << config_node_word(it, rule_value_words, 0, f);
    return skip;
}

/* A key that belongs to one way of scanning must be there with it and absent with the others. */
static const struct config_node *key_of_scan(const struct config_node *map, const char *key,
                                             bool wanted, struct fault *f)
{
    const struct config_node *node = config_get(map, key);
    if (node != NULL && !wanted)
        (void)config_fault(node, f, "%s is for scan: %s", key, key);
    if (node == NULL && wanted)
        (void)config_fault(map, f, "%s is missing here, for scan: %s", key, key);
    return wanted ? node : NULL;
}

static uint64_t read_digits(const struct config_node *map, bool wanted, struct fault *f)
{
    const struct config_node *node = key_of_scan(map, "digits", wanted, f);
    uint64_t digits = 0;
    if (node == NULL)
        return 0;
    const struct config_node *list = config_list(map, "digits", f);
    for (const struct config_node *it = list == NULL ? NULL : list->first; it != NULL;
         it = it->next)
        digits |= UINT64_C(1) << config_node_int(it, MIN_RUN, RULE_MAX_RUN, MIN_RUN, f);
    if (digits == 0)
        (void)config_fault(node, f, "digits must name a length at least");
    return digits;
}

static const char *read_anchor(const struct config_node *map, bool wanted, struct fault *f)
{
    const struct config_node *node = key_of_scan(map, "anchor", wanted, f);
    if (node == NULL)
        return NULL;
    const char *anchor = config_node_text(node, "", f);
    size_t n = 0;
    while (anchor[n] > ' ' && anchor[n] <= '~')
        n++;
    if (n == 0 || n > MAX_ANCHOR || anchor[n] != '\0')
        (void)config_fault(node, f, "anchor must be 1..%d printable ASCII characters", MAX_ANCHOR);
    return anchor;
}

unsigned rule_flags(const char *pattern)
{
    for (const char *p = pattern; *p != '\0'; p++) {
        if ((unsigned char)*p >= 0x80)
            return HS_FLAG_DOTALL | HS_FLAG_UTF8;
    }
    return HS_FLAG_DOTALL;
}

/* crosses_fields tells that the pattern holds something that also matches the byte between fields:
 * a dot, \D \N \P \S \W, or a negated class that does not begin with \x1e. The leftmost start of a
 * match would then lie in another field, and the match in this one would be lost. */
static bool crosses_fields(const char *pattern)
{
    bool in_class = false;
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            if (strchr("DNPSW", *p) != NULL)
                return true;
        } else if (in_class && p[0] == '[' && p[1] == ':') {
            if (p[2] == '^')
                return true;
            const char *end = strstr(p, ":]"); /* [:alpha:] */
            p = end != NULL ? end + 1 : p;
        } else if (in_class) {
            in_class = *p != ']';
        } else if (*p == '[') {
            const bool negated = p[1] == '^';
            if (negated && strncmp(p + 2, "\\x1e", 4) != 0)
                return true;
            p += negated ? 1 : 0;
            p += p[1] == ']' ? 1 : 0; /* a bracket that stands first is a letter */
            in_class = true;
        } else if (*p == '.') {
            return true;
        }
    }
    return false;
}

/* check_pattern refuses what Hyperscan does not understand, and lengths we do not carry. */
static void check_pattern(const struct config_node *node, const struct rule *rule, struct fault *f)
{
    if (node->text_len > RULE_MAX_PATTERN) {
        (void)config_fault(node, f, "pattern is longer than %d bytes", RULE_MAX_PATTERN);
        return;
    }
    hs_expr_info_t *found = NULL;
    hs_compile_error_t *error = NULL;
    if (hs_expression_info(rule->pattern, rule_flags(rule->pattern), &found, &error) !=
        HS_SUCCESS) {
        (void)config_fault(node, f, "pattern: %s",
                           error != NULL ? error->message : "this processor cannot match patterns");
        (void)hs_free_compile_error(error);
        return;
    }
    if (found->min_width == 0)
        (void)config_fault(node, f, "pattern matches an empty text");
    else if (rule->scan == SCAN_REGEX && found->max_width > RULE_MAX_LEN)
        (void)config_fault(node, f, "pattern can match more than %d bytes: bound its repeats",
                           RULE_MAX_LEN);
    else if (rule->scan == SCAN_REGEX && crosses_fields(rule->pattern))
        (void)config_fault(node, f,
                           "pattern can match the byte 1e between fields: write "
                           "[^\\x1e] for a dot, [^\\x1e...] for a negated class");
    else if (found->matches_only_at_eod || found->matches_at_eod)
        (void)config_fault(node, f, "pattern looks at the end of the text: use boundary");
    free(found);
}

static const char **read_example_list(const struct config_node *map, const char *key,
                                      struct fault *f)
{
    const struct config_node *list = map == NULL ? NULL : config_list(map, key, f);
    if (map != NULL && config_ok(f) && (list == NULL || list->n == 0))
        (void)config_fault(list != NULL ? list : map, f, "examples must have one %s at least", key);
    const size_t n = list == NULL ? 0 : list->n;
    const char **texts = calloc(n + 1, sizeof *texts);
    if (texts == NULL) {
        if (config_ok(f))
            (void)fault_set(f, STATUS_MEMORY, "no memory for examples");
        return NULL;
    }
    size_t i = 0;
    for (const struct config_node *it = list == NULL ? NULL : list->first; it != NULL;
         it = it->next)
        texts[i++] = config_node_text(it, "", f);
    return texts;
}

static void read_examples(const struct config_node *map, struct rule *rule, struct fault *f)
{
    const struct config_node *node = config_need(map, "examples", f);
    if (node != NULL && !config_keys(node, example_keys, f))
        node = NULL;
    rule->match = read_example_list(node, "match", f);
    rule->no_match = read_example_list(node, "no_match", f);
}

static void read_rule(const struct config_node *map, struct rule *rule, struct fault *f)
{
    *rule = (struct rule){.file = map->file, .line = map->line};
    if (!config_keys(map, rule_keys, f))
        return;
    rule->name = read_name(map, f);
    rule->class = read_class(map, f);
    rule->source = need_text(map, "source", f);
    rule->scan = (uint8_t)config_word(map, "scan", scan_words, SCAN_REGEX, f);
    rule->digits = read_digits(map, rule->scan == SCAN_DIGITS, f);
    rule->anchor = read_anchor(map, rule->scan == SCAN_ANCHOR, f);
    rule->anchor_len = rule->anchor == NULL ? 0 : (uint8_t)strnlen(rule->anchor, MAX_ANCHOR);
    rule->pattern = need_text(map, "pattern", f);
    rule->check = read_check(map, f);
    (void)config_need(map, "boundary", f);
    rule->boundary = (uint8_t)config_word(map, "boundary", boundary_words, BOUNDARY_DIGITS, f);
    rule->skip = read_skip(map, f);
    (void)config_need(map, "confidence", f);
    rule->confidence = (uint8_t)config_int(map, "confidence", 0, 100, 0, f);
    if (rule->scan != SCAN_REGEX && rule->check == NULL)
        (void)config_fault(map, f, "check is missing here, for scan: %s", scan_words[rule->scan]);
    else if (rule->scan == SCAN_ANCHOR && rule->check->grow == NULL)
        (void)config_fault(map, f, "check %s cannot start from an anchor", rule->check->name);
    if (config_ok(f))
        check_pattern(config_get(map, "pattern"), rule, f);
    read_examples(map, rule, f);
}

void rule_clear(struct rule *rule)
{
    free((void *)(uintptr_t)rule->match);
    free((void *)(uintptr_t)rule->no_match);
}

static enum status add_rule(struct rule_set *set, const struct config_node *map, struct fault *f)
{
    if (set->n_rules == RULE_MAX_RULES) {
        (void)config_fault(map, f, "more than %d rules", RULE_MAX_RULES);
        return STATUS_LIMIT;
    }
    if (set->n_rules == set->cap_rules) {
        const size_t cap = set->cap_rules == 0 ? 32 : set->cap_rules * 2;
        struct rule *rules = realloc(set->rules, cap * sizeof *rules);
        if (rules == NULL)
            return fault_set(f, STATUS_MEMORY, "no memory for rules");
        set->rules = rules;
        set->cap_rules = cap;
    }
    struct rule *rule = &set->rules[set->n_rules++];
    read_rule(map, rule, f);
    for (size_t i = 0; config_ok(f) && i + 1 < set->n_rules; i++) {
        if (strcmp(set->rules[i].name, rule->name) == 0)
            (void)config_fault(config_get(map, "name"), f, "rule %s is also in %s, line %u",
                               rule->name, set->rules[i].file, (unsigned)set->rules[i].line);
    }
    return config_ok(f) ? STATUS_OK : STATUS_FORMAT;
}

enum status rule_load(struct rule_set *set, const struct config_node *root, struct fault *f)
{
    if (!config_keys(root, file_keys, f))
        return STATUS_FORMAT;
    (void)need_text(root, "subject", f);
    (void)config_need(root, "rules", f);
    const struct config_node *list = config_list(root, "rules", f);
    if (!config_ok(f))
        return STATUS_FORMAT;
    for (const struct config_node *it = list->first; it != NULL; it = it->next) {
        const enum status status = add_rule(set, it, f);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
