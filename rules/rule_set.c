/* rule_set.c - a set of rules: finds the files, compiles the patterns, owns it all. */
#include "rules/rule_set.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rules/checks.h"
#include "rules/glyph.h"

#ifndef MEDGUAN_DATADIR
#define MEDGUAN_DATADIR "/usr/share/medguan"
#endif

enum {
    PATH_BYTES = 4096
};

static enum status no_memory(struct fault *f)
{
    return fault_set(f, STATUS_MEMORY, "rules: no memory");
}

static enum status io_fault(const char *path, int error, struct fault *f)
{
    char why[128] = "";
    if (strerror_r(error, why, sizeof why) != 0)
        (void)snprintf(why, sizeof why, "cannot be read");
    return fault_set(f, STATUS_IO, "%.300s: %s", path, why);
}

/* adopt loads the rules of a tree and keeps it, also when a rule is refused. */
static enum status adopt(struct rule_set *set, struct config *file, struct fault *f)
{
    struct config **files = realloc(set->files, (set->n_files + 1) * sizeof(struct config *));
    if (files == NULL) {
        config_free(file);
        return no_memory(f);
    }
    set->files = files;
    set->files[set->n_files++] = file;
    return rule_load(set, config_root(file), f);
}

static enum status add_file(struct rule_set *set, const char *path, struct fault *f)
{
    struct config *file = NULL;
    const enum status status = config_load(path, &file, f);
    return status == STATUS_OK ? adopt(set, file, f) : status;
}

static bool is_rule_file(const char *name)
{
    const size_t len = strlen(name);
    return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".yaml") == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* list_files fills names with malloc'ed file names, sorted. */
static enum status list_files(const char *dir, char **names, size_t *n, struct fault *f)
{
    DIR *d = opendir(dir);
    if (d == NULL)
        return io_fault(dir, errno, f);
    enum status status = STATUS_OK;
    *n = 0;
    for (struct dirent *e; status == STATUS_OK && (e = readdir(d)) != NULL;) {
        if (!is_rule_file(e->d_name))
            continue;
        if (*n == RULE_MAX_FILES)
            status =
                fault_set(f, STATUS_LIMIT, "%.300s: more than %d rule files", dir, RULE_MAX_FILES);
        else if ((names[*n] = strdup(e->d_name)) == NULL)
            status = no_memory(f);
        else
            ++*n;
    }
    (void)closedir(d);
    qsort(names, *n, sizeof *names, compare_names);
    return status;
}

static enum status add_folder(struct rule_set *set, const char *dir, struct fault *f)
{
    char *names[RULE_MAX_FILES];
    size_t n = 0;
    enum status status = list_files(dir, names, &n, f);
    for (size_t i = 0; i < n; i++) {
        char path[PATH_BYTES];
        const int len = snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (status == STATUS_OK && (len < 0 || (size_t)len >= sizeof path))
            status = fault_set(f, STATUS_USAGE, "%.300s: path too long", dir);
        if (status == STATUS_OK)
            status = add_file(set, path, f);
        free(names[i]);
    }
    return status;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* default_folder writes where the shipped rules are. */
static enum status default_folder(char out[PATH_BYTES], struct fault *f)
{
    const char *data_dir = getenv("MEDGUAN_DATADIR");
#ifdef MEDGUAN_SOURCE_RULES
    if (data_dir == NULL && is_folder(MEDGUAN_SOURCE_RULES)) {
        (void)snprintf(out, PATH_BYTES, "%s", MEDGUAN_SOURCE_RULES);
        return STATUS_OK;
    }
#endif
    if (data_dir == NULL)
        data_dir = MEDGUAN_DATADIR;
    const int len = snprintf(out, PATH_BYTES, "%s/rules", data_dir);
    if (len < 0 || len >= PATH_BYTES)
        return fault_set(f, STATUS_USAGE, "MEDGUAN_DATADIR: path too long");
    return STATUS_OK;
}

/* anchor_pattern writes a literal as a pattern. */
static char *anchor_pattern(const struct rule *rule)
{
    char *text = malloc(rule->anchor_len * (size_t)4 + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < rule->anchor_len; i++)
        (void)snprintf(text + 4 * i, 5, "\\x%02x", (unsigned char)rule->anchor[i]);
    return text;
}

/* expressions are the columns hs_compile_multi wants. */
struct expressions {
    const char **patterns;
    unsigned *flags;
    unsigned *ids;
    char **anchors; /* malloc'ed texts among patterns */
    unsigned n;
    unsigned n_anchors;
};

static bool expressions_new(struct expressions *x, size_t cap)
{
    *x = (struct expressions){
        .patterns = calloc(cap, sizeof *x->patterns),
        .flags = calloc(cap, sizeof *x->flags),
        .ids = calloc(cap, sizeof *x->ids),
        .anchors = calloc(cap, sizeof *x->anchors),
    };
    return x->patterns != NULL && x->flags != NULL && x->ids != NULL && x->anchors != NULL;
}

static void expressions_free(struct expressions *x)
{
    for (unsigned i = 0; i < x->n_anchors; i++)
        free(x->anchors[i]);
    free(x->anchors);
    free(x->ids);
    free(x->flags);
    free((void *)x->patterns);
}

static bool expressions_add(struct expressions *x, const struct rule *rule, unsigned id)
{
    if (rule->scan == SCAN_DIGITS)
        return true;
    x->ids[x->n] = id;
    if (rule->scan == SCAN_ANCHOR) {
        char *text = anchor_pattern(rule);
        if (text == NULL)
            return false;
        x->anchors[x->n_anchors++] = text;
        x->patterns[x->n] = text;
        x->flags[x->n] = 0;
    } else {
        x->patterns[x->n] = rule->pattern;
        x->flags[x->n] = rule_flags(rule->pattern) | HS_FLAG_SOM_LEFTMOST;
    }
    x->n++;
    return true;
}

static enum status compile_patterns(struct rule_set *set, struct fault *f)
{
    struct expressions x;
    enum status status = STATUS_OK;
    if (!expressions_new(&x, set->n_rules)) {
        status = no_memory(f);
        goto out;
    }
    for (size_t i = 0; i < set->n_rules; i++) {
        if (!expressions_add(&x, &set->rules[i], (unsigned)i)) {
            status = no_memory(f);
            goto out;
        }
    }
    if (x.n == 0)
        goto out;
    hs_compile_error_t *error = NULL;
    if (hs_compile_multi(x.patterns, x.flags, x.ids, x.n, HS_MODE_BLOCK, NULL, &set->patterns,
                         &error) != HS_SUCCESS) {
        if (error != NULL && error->expression >= 0) {
            const struct rule *rule = &set->rules[x.ids[error->expression]];
            status = fault_set(f, STATUS_FORMAT, "%s:%u: rule %s: %s", rule->file,
                               (unsigned)rule->line, rule->name, error->message);
        } else {
            status = fault_set(f, STATUS_FORMAT, "rules: %s",
                               error != NULL ? error->message : "no memory for patterns");
        }
        (void)hs_free_compile_error(error);
    }
out:
    expressions_free(&x);
    return status;
}

/* open_gate notes after which bytes the rule may want a run of n digits. */
static void open_gate(uint64_t gate[4], const struct rule *rule, size_t n)
{
    for (unsigned b = 0; b < 256; b++) {
        const char before = (char)(unsigned char)b;
        const bool glued = rule->boundary != BOUNDARY_NONE && is_alnum(before);
        if (!glued && (rule->check->may_follow == NULL || rule->check->may_follow(before, n)))
            gate[b / 64] |= UINT64_C(1) << (b % 64);
    }
}

/* index_runs lists for each length of a run the rules that want it. */
static enum status index_runs(struct rule_set *set, struct fault *f)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n_rules; i++) {
        for (uint64_t d = set->rules[i].digits; d != 0; d &= d - 1)
            n++;
    }
    set->run_rules = calloc(n + 1, sizeof *set->run_rules);
    if (set->run_rules == NULL)
        return no_memory(f);
    uint16_t used = 0;
    for (size_t len = 0; len <= RULE_MAX_RUN; len++) {
        set->run_first[len] = used;
        for (size_t i = 0; i < set->n_rules; i++) {
            if ((set->rules[i].digits >> len & 1) == 0)
                continue;
            set->run_rules[used++] = (uint16_t)i;
            open_gate(set->run_gate[len], &set->rules[i], len);
        }
        if (used > 0 && set->min_run == 0)
            set->min_run = len;
    }
    set->run_first[RULE_MAX_RUN + 1] = used;
    return STATUS_OK;
}

_Static_assert(RULE_MAX_RULES *(RULE_MAX_RUN + 1) <= UINT16_MAX, "run_first has 16 bits");

/* finish makes a set whose rules are all there ready to scan, or frees it. */
static enum status finish(struct rule_set *set, enum status status, const char *name,
                          struct rule_set **out, struct fault *f)
{
    if (status == STATUS_OK && set->n_rules == 0)
        status = fault_set(f, STATUS_FORMAT, "%.300s: no rules here", name);
    if (status == STATUS_OK)
        status = index_runs(set, f);
    if (status == STATUS_OK)
        status = compile_patterns(set, f);
    if (status == STATUS_OK && !rule_set_digest(set, set->hash))
        status = no_memory(f);
    if (status == STATUS_OK)
        *out = set;
    else
        rule_set_free(set);
    return status;
}

enum status rule_set_load(const char *dir, struct rule_set **out, struct fault *f)
{
    struct fault ignored = {""};
    f = f == NULL ? &ignored : f;
    f->text[0] = '\0';
    *out = NULL;
    char folder[PATH_BYTES] = "";
    if (dir == NULL) {
        const enum status status = default_folder(folder, f);
        if (status != STATUS_OK)
            return status;
        dir = folder;
    }
    struct rule_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return no_memory(f);
    return finish(set, is_folder(dir) ? add_folder(set, dir, f) : add_file(set, dir, f), dir, out,
                  f);
}

enum status rule_set_read(const char *name, const void *yaml, size_t len, struct rule_set **out,
                          struct fault *f)
{
    struct fault ignored = {""};
    f = f == NULL ? &ignored : f;
    f->text[0] = '\0';
    *out = NULL;
    struct config *file = NULL;
    const enum status status = config_read(name, yaml, len, &file, f);
    if (status != STATUS_OK)
        return status;
    struct rule_set *set = calloc(1, sizeof *set);
    if (set == NULL) {
        config_free(file);
        return no_memory(f);
    }
    return finish(set, adopt(set, file, f), name, out, f);
}

void rule_set_free(struct rule_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->n_rules; i++)
        rule_clear(&set->rules[i]);
    free(set->rules);
    for (size_t i = 0; i < set->n_files; i++)
        config_free(set->files[i]);
    free(set->files);
    free(set->run_rules);
    (void)hs_free_database(set->patterns);
    free(set);
}

size_t rule_set_count(const struct rule_set *set)
{
    return set->n_rules;
}

const struct rule *rule_set_at(const struct rule_set *set, size_t i)
{
    return &set->rules[i];
}

const char *rule_set_hash(const struct rule_set *set)
{
    return set->hash;
}

bool rule_skips(const struct rule *rule, const char *word)
{
    for (size_t i = 0; rule_value_words[i] != NULL; i++) {
        if (strcmp(rule_value_words[i], word) == 0)
            return (rule->skip >> i & 1) != 0;
    }
    return false;
}
