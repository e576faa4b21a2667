/* checks.h - the arithmetic of identifiers: what a regular expression cannot say.
 *
 * A check is named by a rule (`check: id18`). `test` decides on an exact text; `grow` finds the
 * exact place from where a scan saw something. Both read only what they are given.
 */
#ifndef RULES_CHECKS_H
#define RULES_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* candidate is a place in a text that may become a match: text[start, start + n), with
 * start + n <= len. RULE_BREAK bytes are part of `text`; no identifier holds one. */
struct candidate {
    const char *text;
    size_t len;
    size_t start;
    size_t n;
    uint8_t boundary; /* enum rule_boundary the match will have to keep */
};

struct check {
    const char *name;
    /* test tells that the n bytes at p, whole, are such an identifier. */
    bool (*test)(const char *p, size_t n);
    /* grow is given a run of digits or an anchor and sets start and n to the longest place around
     * it that `test` and the boundary accept; false: there is none. It looks no further than
     * RULE_MAX_LEN from the place it is given. NULL: the place given is exact. */
    bool (*grow)(struct candidate *c);
    /* may_follow tells that grow may accept a run of n digits with this byte before it (RULE_BREAK
     * at the start of a text): most runs in most texts are settled by it. NULL: any byte. */
    bool (*may_follow)(char before, size_t n);
};

/* check_names lists what a rule may name, NULL-terminated. */
extern const char *const check_names[];

/* check_at gives the check of check_names[i]. */
const struct check *check_at(size_t i);

/* boundary_holds tells that what stands next to the candidate is allowed by its boundary. */
bool boundary_holds(const struct candidate *c);

/* date_is_valid tells that the day exists in the Gregorian calendar; any year, month 1..12. */
bool date_is_valid(unsigned year, unsigned month, unsigned day);

/* id18_is_valid: citizen identification number, GB 11643-1999: 17 digits and a check character
 * 0-9, X or x. Division code since 1980 or a residence permit's (81, 82, 83), birth date that
 * exists, 1900..2099, and the check of ISO 7064 MOD 11-2. `n` is 18. */
bool id18_is_valid(const char *p, size_t n);

/* id18_check_char computes the 18th character, '0'..'9' or 'X', of 17 digits. */
char id18_check_char(const char *digits);

/* mobile_is_valid: mainland mobile number, 11 digits, after +86, 0086, 86, bare or in
 * parentheses, and at most one space or hyphen. */
bool mobile_is_valid(const char *p, size_t n);

/* landline_is_valid: mainland fixed line: area code that exists and 7 or 8 digits from 2..8:
 * 010-xxxxxxxx, (0755)xxxxxxx, +86 755 xxxxxxxx, +8610xxxxxxxx. */
bool landline_is_valid(const char *p, size_t n);

/* email_is_valid: mailbox of RFC 5321 with a dot-atom of [A-Za-z0-9._%+-], at most 64 bytes, and a
 * domain name of two labels or more, the last of letters; 254 bytes in all. */
bool email_is_valid(const char *p, size_t n);

/* luhn_is_valid: 8..19 digits with the check digit of ISO/IEC 7812-1 Annex B, not all 0. */
bool luhn_is_valid(const char *p, size_t n);

/* The functions of checks.c's table that live in files of their own. */
bool mobile_grow(struct candidate *c);
bool landline_grow(struct candidate *c);
bool landline_may_follow(char before, size_t n);
bool email_grow(struct candidate *c);

#endif
