/* rule_digest.c - the hash of a set, by which evidence says which rules decided. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "rules/checks.h"
#include "rules/rule_set.h"

static int compare_rules(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a;
    const struct rule *y = *(const struct rule *const *)b;
    return strcmp(x->name, y->name);
}

/* Each text goes with its NUL, so that no two sets of texts run together into the same bytes. */
static bool add_text(EVP_MD_CTX *md, const char *text)
{
    return EVP_DigestUpdate(md, text, strlen(text) + 1) == 1;
}

static bool add_rule(EVP_MD_CTX *md, const struct rule *r)
{
    char numbers[128];
    (void)snprintf(numbers, sizeof numbers, "%u %u %u %llx %lx", (unsigned)r->confidence,
                   (unsigned)r->scan, (unsigned)r->boundary, (unsigned long long)r->digits,
                   (unsigned long)r->skip);
    return add_text(md, r->name) && add_text(md, class_name(r->class)) &&
           add_text(md, r->pattern) && add_text(md, r->anchor != NULL ? r->anchor : "") &&
           add_text(md, r->check != NULL ? r->check->name : "") && add_text(md, numbers);
}

bool rule_set_digest(const struct rule_set *set, char out[RULE_HASH_LEN])
{
    bool ok = false;
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const struct rule **sorted = malloc(set->n_rules * sizeof *sorted);
    if (md == NULL || sorted == NULL)
        goto out;
    for (size_t i = 0; i < set->n_rules; i++)
        sorted[i] = &set->rules[i];
    qsort(sorted, set->n_rules, sizeof *sorted, compare_rules);
    ok = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 && add_text(md, "medguan rules 1");
    for (size_t i = 0; ok && i < set->n_rules; i++)
        ok = add_rule(md, sorted[i]);
    ok = ok && EVP_DigestFinal_ex(md, hash, &len) == 1 && len * 2 + 1 == RULE_HASH_LEN;
    for (unsigned i = 0; ok && i < len; i++)
        (void)snprintf(out + 2 * (size_t)i, 3, "%02x", hash[i]);
out:
    free((void *)sorted);
    EVP_MD_CTX_free(md);
    return ok;
}
