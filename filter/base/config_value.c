/* config_value.c - reads values from the strict tree, or says in one line why it cannot. */
#include "base/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SHOWN_BYTES = 40, /* of a value that a fault repeats */
    WORD_BYTES = 63   /* longest word that config_nearest compares */
};

/* shown is a value as a fault repeats it. */
struct shown {
    char text[SHOWN_BYTES + 16];
};

static struct shown show(const struct config_node *node)
{
    struct shown s = {""};
    if (node->kind != CONFIG_SCALAR) {
        (void)snprintf(s.text, sizeof s.text, "%s",
                       node->kind == CONFIG_MAP ? "a mapping" : "a list");
        return s;
    }
    size_t len = node->text_len;
    bool cut = false;
    if (len > SHOWN_BYTES) {
        cut = true;
        len = SHOWN_BYTES;
        while (len > 0 && ((unsigned char)node->text[len] & 0xC0) == 0x80)
            len--;
    }
    const char *quote = node->quoted ? "\"" : "";
    (void)snprintf(s.text, sizeof s.text, "%s%.*s%s%s", quote, (int)len, node->text,
                   cut ? "..." : "", quote);
    for (char *p = s.text; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            *p = '?';
    }
    return s;
}

static bool is_nothing(const struct config_node *node)
{
    if (node->kind != CONFIG_SCALAR || node->quoted)
        return false;
    return node->text_len == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

__attribute__((format(printf, 5, 0))) static enum status place_fault(const char *file,
                                                                     uint32_t line, uint32_t col,
                                                                     struct fault *f,
                                                                     const char *fmt, va_list ap)
{
    if (!config_ok(f))
        return STATUS_FORMAT;
    char reason[400];
    (void)vsnprintf(reason, sizeof reason, fmt, ap);
    return fault_set(f, STATUS_FORMAT, "%s:%u:%u: %s", file, (unsigned)line, (unsigned)col, reason);
}

enum status config_fault(const struct config_node *at, struct fault *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const enum status status = place_fault(at->file, at->line, at->col, f, fmt, ap);
    va_end(ap);
    return status;
}

__attribute__((format(printf, 3, 4))) static void key_fault(const struct config_node *at,
                                                            struct fault *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)place_fault(at->file, at->key_line, at->key_col, f, fmt, ap);
    va_end(ap);
}

/* must_be says "KEY must be WHAT, not VALUE". */
static void must_be(const struct config_node *node, struct fault *f, const char *what)
{
    const char *key = node->key[0] != '\0' ? node->key : "it";
    if (is_nothing(node))
        (void)config_fault(node, f, "%.40s must be %s, not nothing", key, what);
    else
        (void)config_fault(node, f, "%.40s must be %s, not %s", key, what, show(node).text);
}

/* join_words writes "a, b, c", as many as have room. */
static void join_words(char *buf, size_t cap, const char *const *words)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; words[i] != NULL; i++) {
        const int n = snprintf(buf + used, cap - used, "%s%s", i > 0 ? ", " : "", words[i]);
        if (n < 0 || (size_t)n >= cap - used) {
            (void)snprintf(buf + used, cap - used, "%s", ", ...");
            return;
        }
        used += (size_t)n;
    }
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* letters_between is the number of letters to insert, delete, replace or swap with their
 * neighbour to make `b` of `a`. */
static unsigned letters_between(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][WORD_BYTES + 1] = {{0}};
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            const unsigned change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = least(change, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[b_len];
}

const char *config_nearest(const char *text, const char *const *words)
{
    const size_t len = strlen(text);
    if (len == 0 || len > WORD_BYTES)
        return NULL;
    const char *nearest = NULL;
    unsigned best = (unsigned)len / 3 + 1;
    for (; *words != NULL; words++) {
        const size_t word_len = strlen(*words);
        if (word_len > WORD_BYTES)
            continue;
        const unsigned n = letters_between(text, len, *words, word_len);
        if (n < best) {
            best = n;
            nearest = *words;
        }
    }
    return nearest;
}

const struct config_node *config_get(const struct config_node *map, const char *key)
{
    if (map == NULL || map->kind != CONFIG_MAP)
        return NULL;
    const struct config_node *child = map->first;
    while (child != NULL && strcmp(child->key, key) != 0)
        child = child->next;
    return child;
}

static bool word_in(const char *text, const char *const *words)
{
    while (*words != NULL && strcmp(*words, text) != 0)
        words++;
    return *words != NULL;
}

bool config_keys(const struct config_node *map, const char *const *allowed, struct fault *f)
{
    if (map->kind != CONFIG_MAP) {
        must_be(map, f, "a mapping");
        return false;
    }
    for (const struct config_node *child = map->first; child != NULL; child = child->next) {
        if (word_in(child->key, allowed))
            continue;
        char list[240];
        join_words(list, sizeof list, allowed);
        const char *nearest = config_nearest(child->key, allowed);
        if (nearest != NULL)
            key_fault(child, f, "unknown key \"%.40s\", did you mean %s? Allowed: %s", child->key,
                      nearest, list);
        else
            key_fault(child, f, "unknown key \"%.40s\". Allowed: %s", child->key, list);
        return false;
    }
    return true;
}

const struct config_node *config_need(const struct config_node *map, const char *key,
                                      struct fault *f)
{
    const struct config_node *node = config_get(map, key);
    if (node == NULL)
        (void)config_fault(map, f, "%s is missing here", key);
    return node;
}

const char *config_node_text(const struct config_node *node, const char *absent, struct fault *f)
{
    if (node->kind == CONFIG_SCALAR && !is_nothing(node))
        return node->text;
    must_be(node, f, "a text");
    return absent;
}

/* scalar_int reads -?(0|[1-9][0-9]*) within int64_t. */
static bool scalar_int(const struct config_node *node, int64_t *out)
{
    if (node->kind != CONFIG_SCALAR || node->quoted)
        return false;
    const char *p = node->text;
    const bool negative = *p == '-';
    if (negative)
        p++;
    if (*p == '\0' || (*p == '0' && (p[1] != '\0' || negative)))
        return false;
    int64_t value = 0;
    for (; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        const int64_t digit = *p - '0';
        if (value > (INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? -value : value;
    return true;
}

int64_t config_node_int(const struct config_node *node, int64_t lo, int64_t hi, int64_t absent,
                        struct fault *f)
{
    int64_t value = 0;
    const bool is_int = scalar_int(node, &value);
    if (is_int && value >= lo && value <= hi)
        return value;
    char what[80];
    (void)snprintf(what, sizeof what, "%s%lld..%lld", is_int ? "" : "a whole number ",
                   (long long)lo, (long long)hi);
    must_be(node, f, what);
    return absent;
}

int config_node_word(const struct config_node *node, const char *const *words, int absent,
                     struct fault *f)
{
    if (node->kind == CONFIG_SCALAR) {
        for (int i = 0; words[i] != NULL; i++) {
            if (strcmp(words[i], node->text) == 0)
                return i;
        }
    }
    char list[240], what[320];
    join_words(list, sizeof list, words);
    (void)snprintf(what, sizeof what, "one of %s", list);
    must_be(node, f, what);
    return absent;
}

const char *config_text(const struct config_node *map, const char *key, const char *absent,
                        struct fault *f)
{
    const struct config_node *node = config_get(map, key);
    return node == NULL ? absent : config_node_text(node, absent, f);
}

int64_t config_int(const struct config_node *map, const char *key, int64_t lo, int64_t hi,
                   int64_t absent, struct fault *f)
{
    const struct config_node *node = config_get(map, key);
    return node == NULL ? absent : config_node_int(node, lo, hi, absent, f);
}

bool config_bool(const struct config_node *map, const char *key, bool absent, struct fault *f)
{
    const struct config_node *node = config_get(map, key);
    if (node == NULL)
        return absent;
    if (node->kind == CONFIG_SCALAR && !node->quoted) {
        if (strcmp(node->text, "true") == 0)
            return true;
        if (strcmp(node->text, "false") == 0)
            return false;
    }
    must_be(node, f, "true or false");
    return absent;
}

int config_word(const struct config_node *map, const char *key, const char *const *words,
                int absent, struct fault *f)
{
    const struct config_node *node = config_get(map, key);
    return node == NULL ? absent : config_node_word(node, words, absent, f);
}

const struct config_node *config_list(const struct config_node *map, const char *key,
                                      struct fault *f)
{
    const struct config_node *node = config_get(map, key);
    if (node == NULL || node->kind == CONFIG_LIST)
        return node;
    must_be(node, f, "a list");
    return NULL;
}

const struct config_node *config_map(const struct config_node *map, const char *key,
                                     struct fault *f)
{
    const struct config_node *node = config_get(map, key);
    if (node == NULL || node->kind == CONFIG_MAP)
        return node;
    must_be(node, f, "a mapping");
    return NULL;
}
