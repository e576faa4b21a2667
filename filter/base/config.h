/* config.h - a YAML file as a strict tree with a place for every node.
 *
 * Strict: one document, mappings with scalar keys that are never repeated, sequences and scalars.
 * Anchors, aliases and tags are refused, so what a person reads is what the program reads. A scalar
 * has no type of its own: who reads it says what it must be, and a refusal names file, line,
 * column, key and what is allowed:
 *
 *     policy.yaml:35:7: hold_kib must be 4..4096, not 0
 *
 * The readers (config_int and its like) keep the first fault and then only give defaults, so that
 * a caller reads a whole mapping and asks once, at its end, whether all was well:
 *
 *     config_keys(map, (const char *const[]){"hold_kib", "fail", NULL}, f);
 *     o->hold_kib = (uint32_t)config_int(map, "hold_kib", 4, 4096, 256, f);
 *     o->fail = config_word(map, "fail", fail_words, FAIL_CLOSED, f);
 *     return config_ok(f) ? STATUS_OK : STATUS_FORMAT;
 *
 * Knows nothing of what is configured.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    CONFIG_MAX_BYTES = 1024 * 1024, /* of one file */
    CONFIG_MAX_DEPTH = 32,          /* mappings and sequences inside each other */
    CONFIG_MAX_NODES = 100000       /* mappings, sequences and scalars, keys not counted */
};

enum config_kind {
    CONFIG_SCALAR,
    CONFIG_MAP,
    CONFIG_LIST
};

/* config_node is one value and its place. Constant after loading; owned by its tree. */
struct config_node {
    enum config_kind kind;
    bool quoted;       /* SCALAR: in quotes or a block, so "4" and "null" are texts */
    uint32_t line;     /* of the value's first character, from 1 */
    uint32_t col;      /* in characters, from 1 */
    uint32_t key_line; /* of the key, for a value in a mapping; else as line and col */
    uint32_t key_col;
    uint32_t n;       /* MAP, LIST: number of children */
    const char *key;  /* in a mapping: its key; in a sequence: the key of the sequence; root: "" */
    const char *text; /* SCALAR: UTF-8, NUL-terminated, no NUL inside, never NULL; else NULL */
    size_t text_len;  /* bytes */
    const struct config_node *first; /* MAP, LIST: children in the order of the file */
    const struct config_node *next;  /* the next child of the same parent, or NULL */
    const char *file;                /* name for faults */
};

/* config is one loaded file. */
struct config;

/* config_load reads a file. STATUS_IO when it cannot be read, STATUS_FORMAT, STATUS_LIMIT or
 * STATUS_MEMORY, each with the reason in `f`. The caller frees *out with config_free. */
enum status config_load(const char *path, struct config **out, struct fault *f);

/* config_read is config_load for `len` bytes in memory; `name` stands in faults for the file. */
enum status config_read(const char *name, const void *bytes, size_t len, struct config **out,
                        struct fault *f);

/* config_free releases the tree and every text it gave out. NULL is allowed. */
void config_free(struct config *c);

/* config_root is the topmost value, never NULL. */
const struct config_node *config_root(const struct config *c);

/* config_ok tells that no fault was noted: its text is empty. Start with `struct fault f = {0}`. */
static inline bool config_ok(const struct fault *f)
{
    return f->text[0] == '\0';
}

/* config_fault notes "file:line:col: " and the reason, unless `f` holds an earlier fault. The place
 * is that of the value. Returns STATUS_FORMAT. */
__attribute__((format(printf, 3, 4))) enum status
config_fault(const struct config_node *at, struct fault *f, const char *fmt, ...);

/* config_get finds the value of a key; NULL when `map` is NULL, is no mapping or has no such key.
 */
const struct config_node *config_get(const struct config_node *map, const char *key);

/* config_keys demands that `map` is a mapping and that each of its keys is one of `allowed`
 * (NULL-terminated). The fault names the key, the nearest allowed one and all that are allowed. */
bool config_keys(const struct config_node *map, const char *const *allowed, struct fault *f);

/* config_need demands that `map` has the key and gives its value, else notes a fault and gives
 * NULL. */
const struct config_node *config_need(const struct config_node *map, const char *key,
                                      struct fault *f);

/* The readers below take a value by its key. An absent key gives `absent` (or NULL); a present one
 * that is not what it must be, also an empty one or null, notes a fault and gives `absent` too. */

/* config_text gives a scalar as text, borrowed from the tree. */
const char *config_text(const struct config_node *map, const char *key, const char *absent,
                        struct fault *f);

/* config_int gives a plain decimal whole number, lo..hi. */
int64_t config_int(const struct config_node *map, const char *key, int64_t lo, int64_t hi,
                   int64_t absent, struct fault *f);

/* config_bool gives true or false, written so. */
bool config_bool(const struct config_node *map, const char *key, bool absent, struct fault *f);

/* config_word gives the index of the value in `words` (NULL-terminated). */
int config_word(const struct config_node *map, const char *key, const char *const *words,
                int absent, struct fault *f);

/* config_list gives a sequence, whose children the caller walks by first and next. */
const struct config_node *config_list(const struct config_node *map, const char *key,
                                      struct fault *f);

/* config_map gives a mapping. */
const struct config_node *config_map(const struct config_node *map, const char *key,
                                     struct fault *f);

/* The same for a value in hand, such as a child of a sequence. */
const char *config_node_text(const struct config_node *node, const char *absent, struct fault *f);
int64_t config_node_int(const struct config_node *node, int64_t lo, int64_t hi, int64_t absent,
                        struct fault *f);
int config_node_word(const struct config_node *node, const char *const *words, int absent,
                     struct fault *f);

/* config_nearest gives the word of `words` (NULL-terminated) that `text` was probably meant to be:
 * fewest letters to change, and at most a third of them; NULL when none is near. */
const char *config_nearest(const char *text, const char *const *words);

#endif
