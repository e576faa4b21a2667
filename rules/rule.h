/* rule.h - what counts as personal, as data: rules from YAML files, and finding them in text.
 *
 * The text to scan is normalised: valid UTF-8, full-width ASCII folded to ASCII, letters in any
 * case. Several fields may be joined by the byte RULE_BREAK: no match spans it, and it bounds a
 * match as the ends of the text do.
 *
 * Knows nothing of formats, fields, events or policy.
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "rules/class.h"

enum {
    RULE_BREAK = 0x1E, /* RS: between two fields of one text */

    /* A match that starts at s is decided by the bytes [s - RULE_MAX_BEFORE,
     * s + RULE_MAX_LEN + RULE_MAX_AFTER) alone. A long text may therefore be scanned in windows
     * that overlap by that much, taking from each window the matches that start in its own share.
     */
    RULE_MAX_LEN = 256,                             /* longest match, bytes */
    RULE_MAX_LOOK = 64,                             /* read beside a match, each side, bytes */
    RULE_MAX_BEFORE = RULE_MAX_LEN + RULE_MAX_LOOK, /* a longer match around it may count */
    RULE_MAX_AFTER = RULE_MAX_LOOK,

    RULE_MAX_RULES = 1024,      /* in a set */
    RULE_MAX_FILES = 256,       /* in a folder */
    RULE_MAX_PATTERN = 4096,    /* bytes of a pattern */
    RULE_MAX_RUN = 32,          /* longest run of digits that `scan: digits` looks at */
    RULE_MAX_TEXT = 0x7fffffff, /* longest text of one scan, bytes */
    RULE_HASH_LEN = 65          /* SHA-256 in lower-case hexadecimal, with its NUL */
};

/* How candidates of a rule are found; its check then gives the exact place. */
enum rule_scan {
    SCAN_REGEX,  /* by the pattern itself */
    SCAN_DIGITS, /* at maximal runs of ASCII digits of the lengths in `digits` */
    SCAN_ANCHOR  /* at the literal text `anchor` */
};

/* What may not stand next to a match. */
enum rule_boundary {
    BOUNDARY_DIGITS, /* [0-9A-Za-z], nor a dot with a digit behind it, as in DICOM UIDs and decimal
                        numbers; but ".0" and ".00" may follow, as spreadsheets write whole numbers
                      */
    BOUNDARY_WORD,   /* [0-9A-Za-z_] */
    BOUNDARY_NONE
};

/* rule_value_words are the kinds of value that `skip` may name, NULL-terminated, in the order of
 * enum value_kind of dissectors/dissector.h: "text", "name", "birth_date"... */
extern const char *const rule_value_words[];

struct check;

/* rule is one row of a rule file. Constant after loading; texts live as long as the set. */
struct rule {
    const char *name; /* "id_number_18": [a-z][a-z0-9_]*, unique in its set */
    enum class class;
    uint8_t confidence; /* 0..100 */
    uint8_t scan;       /* enum rule_scan */
    uint8_t boundary;   /* enum rule_boundary */
    uint8_t anchor_len;
    uint32_t skip;               /* bit i: does not apply to values of rule_value_words[i] */
    uint64_t digits;             /* SCAN_DIGITS: bit n: to runs of n digits, n <= RULE_MAX_RUN */
    const char *anchor;          /* SCAN_ANCHOR: 1..16 bytes of ASCII, else NULL */
    const char *pattern;         /* Hyperscan's syntax; the shape of a match, always given */
    const char *source;          /* the standard or publication the form is taken from */
    const struct check *check;   /* or NULL: the pattern is enough */
    const char *const *match;    /* examples that hold a match, NULL-terminated */
    const char *const *no_match; /* and that do not */
    const char *file;            /* where it was read, for people */
    uint32_t line;
};

/* rule_match is one occurrence: text[start, start + len) by rule_set_at(set, rule). */
struct rule_match {
    uint32_t rule;
    uint32_t start;
    uint32_t len; /* 1..RULE_MAX_LEN */
};

typedef void rule_match_fn(void *receiver, const struct rule_match *m);

/* rule_set is constant after loading and shared by threads; rule_scratch is one thread's. */
struct rule_set;
struct rule_scratch;

/* rule_set_load reads a rule file, or all *.yaml of a folder in the order of their names. NULL is
 * the folder "rules" in $MEDGUAN_DATADIR when that is set, else in the source tree of a development
 * build, else of the installed program. The fault names file, line, column and what must be. The
 * caller frees *out with rule_set_free. */
enum status rule_set_load(const char *dir, struct rule_set **out, struct fault *f);

/* rule_set_read makes a set of one file in memory; `name` stands in faults for it. */
enum status rule_set_read(const char *name, const void *yaml, size_t len, struct rule_set **out,
                          struct fault *f);

/* rule_set_free takes NULL too. No scratch made from the set may be used afterwards. */
void rule_set_free(struct rule_set *set);

/* rule_set_count is the number of rules, at least 1. */
size_t rule_set_count(const struct rule_set *set);

/* rule_set_at gives rule `i` < rule_set_count, in the order of files and of rules in them. */
const struct rule *rule_set_at(const struct rule_set *set, size_t i);

/* rule_set_hash is the SHA-256 over what decides matches: two sets with the same hash, used by the
 * same program, find the same. Order of rules, layout, examples and sources do not count. */
const char *rule_set_hash(const struct rule_set *set);

/* rule_skips tells that a rule does not apply to the value kind of that word. */
bool rule_skips(const struct rule *rule, const char *word);

/* rule_scratch_new gives the working memory for one thread and one set; NULL: no memory. The
 * caller frees it with rule_scratch_free before the set. */
struct rule_scratch *rule_scratch_new(const struct rule_set *set);
void rule_scratch_free(struct rule_scratch *scratch);

/* rule_set_scan finds all matches in `len` bytes of text and tells each once, by ascending start,
 * longer ones first, checks and boundaries already verified. A match inside another of the same
 * class is not told: the longest wins, of equal places the one of the highest confidence, then the
 * first rule. Matches that overlap in part, or of different classes, are all told.
 *
 * STATUS_LIMIT: len > RULE_MAX_TEXT. STATUS_MEMORY: no room for more matches (12 bytes each; 4,096
 * are there from the start). Then nothing was told: the text must be taken as not inspected. */
enum status rule_set_scan(const struct rule_set *set, struct rule_scratch *scratch,
                          const char *text, size_t len, rule_match_fn *fn, void *receiver);

#endif
