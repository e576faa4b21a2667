/* fuzz_rules.c - any bytes as a rule file, and any bytes as text for rules of every kind of scan:
 * matches come in order, inside the text and its fields, and as a window would tell them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rules/checks.h"
#include "rules/rule.h"

enum {
    MAX_FOUND = 8192
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* clang-format off */
#define REST "source: s, confidence: 50, examples: {match: [a], no_match: [b]}}\n"

static const char yaml[] =
    "subject: every kind of scan\n"
    "rules:\n"
    "  - {name: id, class: id_number, scan: digits, digits: [17, 18],\n"
    "     check: id18, pattern: '\\d{17}[0-9Xx]',\n"
    "     boundary: digits, " REST
    "  - {name: mobile, class: phone, scan: digits, digits: [11, 13, 15],\n"
    "     check: mobile_cn, pattern: '1\\d{10}',\n"
    "     boundary: digits, " REST
    "  - {name: line, class: phone, scan: digits, digits: [4, 7, 8, 10, 11, 13],\n"
    "     check: landline_cn, pattern: '\\d-\\d',\n"
    "     boundary: digits, " REST
    "  - {name: card, class: bank_card, scan: digits, digits: [12, 16, 19],\n"
    "     check: luhn, pattern: '\\d{12}',\n"
    "     boundary: word, " REST
    "  - {name: mail, class: email, scan: anchor, anchor: '@',\n"
    "     check: email, pattern: '@',\n"
    "     boundary: word, " REST
    "  - {name: any_mail, class: account, scan: anchor, anchor: '@',\n"
    "     check: email, pattern: '@',\n"
    "     boundary: none, " REST
    "  - {name: passport, class: passport, pattern: '[EG][0-9]{8}',\n"
    "     boundary: digits, " REST
    "  - {name: spread, class: free_text, pattern: 'a[^\\x1e]{0,20}b',\n"
    "     boundary: none, " REST;
/* clang-format on */

struct found {
    struct rule_match at[MAX_FOUND];
    size_t n;
};

static struct rule_set *set;
static struct rule_scratch *scratch;
static struct found whole, window;

static void keep(void *receiver, const struct rule_match *m)
{
    struct found *f = receiver;
    if (f->n < MAX_FOUND)
        f->at[f->n++] = *m;
}

static void check_match(const struct rule_match *m, const char *text, size_t len)
{
    const struct rule *r = rule_set_at(set, m->rule);
    assert(m->len > 0 && m->len <= RULE_MAX_LEN);
    assert(m->start < len && m->len <= len - m->start);
    assert(memchr(text + m->start, RULE_BREAK, m->len) == NULL);
    const struct candidate c = {text, len, m->start, m->len, r->boundary};
    assert(boundary_holds(&c));
    assert(r->check == NULL || r->check->test(text + m->start, m->len));
}

static void scan_into(struct found *f, const char *text, size_t len)
{
    f->n = 0;
    assert(rule_set_scan(set, scratch, text, len, keep, f) == STATUS_OK);
    for (size_t i = 0; i < f->n; i++) {
        check_match(&f->at[i], text, len);
        assert(i == 0 || f->at[i - 1].start <= f->at[i].start);
    }
}

/* The share [from, to) of the text must be told alike by its window. */
static void check_window(const char *text, size_t len, size_t from, size_t to)
{
    const size_t first = from < RULE_MAX_BEFORE ? 0 : from - RULE_MAX_BEFORE;
    const size_t ahead = RULE_MAX_LEN + RULE_MAX_AFTER;
    const size_t last = len - to < ahead ? len : to + ahead;
    if (last == first)
        return;
    char *copy = malloc(last - first);
    assert(copy != NULL);
    memcpy(copy, text + first, last - first);
    scan_into(&window, copy, last - first);
    free(copy);
    size_t i = 0;
    for (size_t j = 0; j < window.n; j++) {
        struct rule_match m = window.at[j];
        m.start += (uint32_t)first;
        if (m.start < from || m.start >= to)
            continue;
        while (i < whole.n && whole.at[i].start < from)
            i++;
        assert(i < whole.n && memcmp(&m, &whole.at[i], sizeof m) == 0);
        i++;
    }
    while (i < whole.n && whole.at[i].start < from)
        i++;
    assert(i == whole.n || whole.at[i].start >= to);
}

static void fuzz_text(const uint8_t *bytes, size_t len)
{
    if (set == NULL) {
        struct fault f = {""};
        const enum status status = rule_set_read("fuzz.yaml", yaml, strlen(yaml), &set, &f);
        assert(status == STATUS_OK);
        scratch = rule_scratch_new(set);
        assert(scratch != NULL);
    }
    if (len < 2)
        return;
    const size_t from = bytes[0] * 16U, share = bytes[1] * 4U;
    const char *text = (const char *)bytes + 2;
    len -= 2;
    scan_into(&whole, text, len);
    if (whole.n < MAX_FOUND && from < len)
        check_window(text, len, from, len - from < share ? len : from + share);
}

/* A first byte of 0 says text; anything else is a rule file. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len > 0 && bytes[0] == 0) {
        fuzz_text(bytes + 1, len - 1);
        return 0;
    }
    struct rule_set *read = NULL;
    struct fault f = {""};
    if (rule_set_read("fuzz.yaml", bytes, len, &read, &f) == STATUS_OK)
        assert(rule_set_count(read) > 0 && f.text[0] == '\0');
    else
        assert(read == NULL && f.text[0] != '\0');
    rule_set_free(read);
    return 0;
}
