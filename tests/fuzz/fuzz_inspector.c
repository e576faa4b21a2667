/* fuzz_inspector.c - a whole inspector over two cuts of the same stream: equal findings and
 * objects, every root place in a packet, all memory given back.
 *
 * The first byte seeds the cuts: its low bits say how, and with the highest bit a gap is told in
 * the middle, in both runs at the same place. The rest is the stream.
 */
#include "tests/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    MEMORY = 64 << 20,
    CUTS = 6
};

static struct rule_set *rules;

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* cut_counts: text that nobody could name is left for a format where a packet begins as one does:
 * there the cuts count, as they must. */
static bool cut_counts(const uint8_t *p, size_t len, size_t at)
{
    static const char first[] = "\x01\x02\x04\x16MGPDHOCT";
    return at < len && memchr(first, p[at], sizeof first - 1) != NULL;
}

static void feed(struct record *r, const uint8_t *bytes, size_t len, const size_t *cuts,
                 size_t n_cuts, size_t gap_from, size_t gap_to)
{
    record_open(r, rules, MEMORY, true);
    size_t from = 0;
    for (size_t i = 0; i <= n_cuts; i++) {
        size_t to = i < n_cuts ? cuts[i] : len;
        while (from < to) {
            if (from >= gap_from && from < gap_to) {
                inspector_gap(r->inspector, &r->flow, 0, gap_to - gap_from);
                from = gap_to;
                continue;
            }
            size_t n = to - from;
            if (from < gap_from && n > gap_from - from)
                n = gap_from - from;
            record_piece_add(r, 0, bytes, from, n);
            from += n;
        }
    }
    record_finish(r);
    if (r->n_misplaced > 0) {
        (void)fprintf(stderr, "a finding without a place\n%s", r->findings.s);
        abort();
    }
}

/* has_wide_forms: full-width punctuation is folded where a window holds full-width letters or
 * digits, so that in such text the cuts may count a little. */
static bool has_wide_forms(const uint8_t *p, size_t len)
{
    static const uint8_t lead[] = {0xa1, 0xa2, 0xa3, 0xe3, 0xef, 0xff};
    for (size_t i = 0; i < len; i++)
        if (memchr(lead, p[i], sizeof lead) != NULL)
            return true;
    return false;
}

static void differ(const struct record *a, const struct record *b)
{
    (void)fprintf(stderr, "--- whole\n%s%s--- cut\n%s%s", a->findings.s, a->objects.s,
                  b->findings.s, b->objects.s);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (rules == NULL) {
        struct fault f = {{0}};
        enum status status = rule_set_load(NULL, &rules, &f);
        assert(status == STATUS_OK);
    }
    if (len < 3)
        return 0;
    uint32_t seed = bytes[0];
    bytes++;
    len--;
    size_t gap_from = len, gap_to = len;
    if (seed & 0x80) {
        gap_from = len / 2;
        gap_to = gap_from + len / 8 + 1;
    }
    size_t cuts[CUTS], n_cuts = seed % (CUTS + 1);
    for (size_t i = 0; i < n_cuts; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = (seed >> 8) % (len + 1);
        while (at < len && cut_counts(bytes, len, at))
            at++;
        cuts[i] = at > gap_from && at < gap_to ? gap_to < len ? gap_to : len : at;
    }
    qsort(cuts, n_cuts, sizeof cuts[0], by_size);
    struct record whole, cut;
    feed(&whole, bytes, len, NULL, 0, gap_from, gap_to);
    feed(&cut, bytes, len, cuts, n_cuts, gap_from, gap_to);
    /* And where it holds the start of an MLLP block, it is left with the packet behind that; the
     * packet behind a gap begins where it must. */
    bool left_by_block = whole.root_text && (gap_to < len || memchr(bytes, 0x0b, len) != NULL);
    bool same_findings =
        strcmp(whole.findings.s, cut.findings.s) == 0 || has_wide_forms(bytes, len);
    if (!left_by_block && (!same_findings || strcmp(whole.objects.s, cut.objects.s) != 0))
        differ(&whole, &cut);
    record_close(&whole);
    record_close(&cut);
    return 0;
}
