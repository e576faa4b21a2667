/* rule_set.h - the inside of a set, shared by loading, compiling and scanning. Private to rules/.
 */
#ifndef RULES_RULE_SET_H
#define RULES_RULE_SET_H

#include <hs/hs.h>

#include "base/config.h"
#include "rules/rule.h"

struct rule_set {
    struct rule *rules;
    size_t n_rules;
    size_t cap_rules;
    struct config **files; /* the trees whose texts the rules borrow */
    size_t n_files;

    hs_database_t *patterns; /* SCAN_REGEX and SCAN_ANCHOR; NULL when there are none */
    size_t min_run;          /* shortest run of digits any rule wants; 0: none wants any */
    /* Rules that want runs of n digits: run_rules[run_first[n]] to run_rules[run_first[n + 1]]. */
    uint16_t run_first[RULE_MAX_RUN + 2];
    uint16_t *run_rules;
    /* Bit b of run_gate[n]: a rule may want a run of n digits with byte b before it. */
    uint64_t run_gate[RULE_MAX_RUN + 1][4];

    char hash[RULE_HASH_LEN];
};

/* rule_load adds the rules of one file, whose tree the set has taken over. The fault names the
 * place. */
enum status rule_load(struct rule_set *set, const struct config_node *root, struct fault *f);

/* rule_clear frees what rule_load gave one rule. */
void rule_clear(struct rule *rule);

/* rule_flags are the flags a pattern is compiled with, but for the start of matches. */
unsigned rule_flags(const char *pattern);

/* rule_set_digest writes the hash of all rules; false: no memory. */
bool rule_set_digest(const struct rule_set *set, char out[RULE_HASH_LEN]);

#endif
