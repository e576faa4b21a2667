/* rule_scan.c - finds all matches of a set in a text.
 *
 * Two scans see candidates: runs of digits (run.c), and Hyperscan for anchors and patterns. Each
 * candidate is then put to the check and the boundary of its rule; what is left is sorted, and
 * matches inside others of their class are dropped. Only such matches: to drop one that overlaps
 * another in part would leave bytes of a person's number uncovered, and would make a match depend
 * on text far away.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/checks.h"
#include "rules/rule_set.h"
#include "rules/run.h"

enum {
    FIRST_MATCHES = 4096,
    RUN_BATCH = 256
};

struct rule_scratch {
    hs_scratch_t *hs; /* NULL when the set has no patterns */
    struct rule_match *found;
    size_t n;
    size_t cap;
};

/* scan is one call's work. */
struct scan {
    const struct rule_set *set;
    struct rule_scratch *scratch;
    const char *text;
    size_t len;
    bool no_memory;
};

struct rule_scratch *rule_scratch_new(const struct rule_set *set)
{
    struct rule_scratch *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->cap = FIRST_MATCHES;
    s->found = malloc(s->cap * sizeof *s->found);
    if (s->found == NULL ||
        (set->patterns != NULL && hs_alloc_scratch(set->patterns, &s->hs) != HS_SUCCESS)) {
        rule_scratch_free(s);
        return NULL;
    }
    return s;
}

void rule_scratch_free(struct rule_scratch *scratch)
{
    if (scratch == NULL)
        return;
    (void)hs_free_scratch(scratch->hs);
    free(scratch->found);
    free(scratch);
}

static void add_match(struct scan *s, uint32_t rule, size_t start, size_t n)
{
    struct rule_scratch *scratch = s->scratch;
    if (scratch->n == scratch->cap) {
        const size_t cap = scratch->cap * 2;
        struct rule_match *found =
            cap > SIZE_MAX / sizeof *found ? NULL : realloc(scratch->found, cap * sizeof *found);
        if (found == NULL) {
            s->no_memory = true;
            return;
        }
        scratch->found = found;
        scratch->cap = cap;
    }
    scratch->found[scratch->n++] = (struct rule_match){rule, (uint32_t)start, (uint32_t)n};
}

/* judge adds the candidate when rule and place hold. */
static void judge(struct scan *s, uint32_t index, const struct candidate *c)
{
    const struct check *check = s->set->rules[index].check;
    if (c->n == 0 || c->n > RULE_MAX_LEN || !boundary_holds(c))
        return;
    const char *p = c->text + c->start;
    if (check != NULL && !check->test(p, c->n))
        return;
    if (memchr(p, RULE_BREAK, c->n) == NULL)
        add_match(s, index, c->start, c->n);
}

static void judge_grown(struct scan *s, uint32_t index, size_t start, size_t n)
{
    const struct rule *rule = &s->set->rules[index];
    struct candidate c = {s->text, s->len, start, n, rule->boundary};
    if (rule->check->grow == NULL || rule->check->grow(&c))
        judge(s, index, &c);
}

/* pass_gate keeps the runs that some rule may want, by length and by the byte before. Most are
 * dropped, and which ones is hard to predict: hence no branch. */
static size_t pass_gate(const struct scan *s, struct digit_run *runs, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const struct digit_run run = runs[i];
        const size_t len = run.len <= RULE_MAX_RUN ? run.len : 0;
        const unsigned before = run.start == 0 ? RULE_BREAK : (unsigned char)s->text[run.start - 1];
        runs[kept] = run;
        kept += s->set->run_gate[len][before / 64] >> (before % 64) & 1;
    }
    return kept;
}

static void scan_runs(struct scan *s)
{
    const struct rule_set *set = s->set;
    struct digit_run runs[RUN_BATCH];
    size_t at = 0, n;
    while ((n = run_find(s->text, s->len, set->min_run, &at, runs, RUN_BATCH)) > 0) {
        n = pass_gate(s, runs, n);
        for (size_t i = 0; i < n; i++) {
            const size_t len = runs[i].len;
            for (unsigned j = set->run_first[len]; j < set->run_first[len + 1]; j++)
                judge_grown(s, set->run_rules[j], runs[i].start, len);
        }
        if (s->no_memory)
            return;
    }
}

static int on_pattern(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                      void *receiver)
{
    (void)flags;
    struct scan *s = receiver;
    const struct rule *rule = &s->set->rules[id];
    if (rule->scan == SCAN_ANCHOR) {
        judge_grown(s, id, (size_t)to - rule->anchor_len, rule->anchor_len);
    } else {
        const struct candidate c = {s->text, s->len, (size_t)from, (size_t)(to - from),
                                    rule->boundary};
        judge(s, id, &c);
    }
    return s->no_memory ? 1 : 0;
}

/* comes_first orders matches by start, the better of those that start together first. */
static bool comes_first(const struct rule_set *set, const struct rule_match *a,
                        const struct rule_match *b)
{
    if (a->start != b->start)
        return a->start < b->start;
    if (a->len != b->len)
        return a->len > b->len;
    const uint8_t x = set->rules[a->rule].confidence, y = set->rules[b->rule].confidence;
    return x != y ? x > y : a->rule < b->rule;
}

/* sift_down restores the heap below `i`; the heap's top is the match that comes last. */
static void sift_down(const struct rule_set *set, struct rule_match *m, size_t i, size_t n)
{
    const struct rule_match moved = m[i];
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && comes_first(set, &m[child], &m[child + 1]))
            child++;
        if (!comes_first(set, &moved, &m[child]))
            break;
        m[i] = m[child];
        i = child;
    }
    m[i] = moved;
}

/* sort_matches is a heap sort: no memory, and no input makes it slow. Matches mostly come in
 * order, which is seen first. */
static void sort_matches(const struct rule_set *set, struct rule_match *m, size_t n)
{
    size_t i = 1;
    while (i < n && !comes_first(set, &m[i], &m[i - 1]))
        i++;
    if (i >= n)
        return;
    for (i = n / 2; i > 0; i--)
        sift_down(set, m, i - 1, n);
    for (i = n - 1; i > 0; i--) {
        const struct rule_match last = m[0];
        m[0] = m[i];
        m[i] = last;
        sift_down(set, m, 0, i);
    }
}

static void tell_matches(const struct rule_set *set, const struct rule_match *m, size_t n,
                         rule_match_fn *fn, void *receiver)
{
    uint32_t reached[CLASS_COUNT] = {0};
    for (size_t i = 0; i < n; i++) {
        const enum class class = set->rules[m[i].rule].class;
        const uint32_t end = m[i].start + m[i].len;
        if (end <= reached[class])
            continue;
        reached[class] = end;
        fn(receiver, &m[i]);
    }
}

enum status rule_set_scan(const struct rule_set *set, struct rule_scratch *scratch,
                          const char *text, size_t len, rule_match_fn *fn, void *receiver)
{
    if (len > RULE_MAX_TEXT)
        return STATUS_LIMIT;
    if (len == 0)
        return STATUS_OK;
    struct scan s = {.set = set, .scratch = scratch, .text = text, .len = len};
    scratch->n = 0;
    if (set->min_run > 0)
        scan_runs(&s);
    if (set->patterns != NULL && !s.no_memory) {
        const hs_error_t error =
            hs_scan(set->patterns, text, (unsigned)len, 0, scratch->hs, on_pattern, &s);
        if (error != HS_SUCCESS)
            return STATUS_MEMORY;
    }
    if (s.no_memory)
        return STATUS_MEMORY;
    sort_matches(set, scratch->found, scratch->n);
    tell_matches(set, scratch->found, scratch->n, fn, receiver);
    return STATUS_OK;
}
