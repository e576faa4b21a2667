/* config.c - builds the strict tree from libyaml's events. Reading values is config_value.c. */
#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

enum {
    BLOCK_BYTES = 16384,
    NAME_KEPT = 200 /* bytes of a file's name that faults show: its end */
};

/* block is a piece of the tree's memory; nodes and texts never move. */
struct block {
    struct block *next;
    size_t used;
    size_t size;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct config {
    struct block *blocks;
    const struct config_node *root;
    const char *file;
};

/* level is an open mapping or sequence while the tree is built. */
struct level {
    struct config_node *node;
    struct config_node *last;
    const char *key; /* waiting for its value; NULL: a key is next */
    yaml_mark_t key_mark;
};

struct build {
    struct config *config;
    yaml_parser_t yaml;
    struct fault *fault;
    struct level levels[CONFIG_MAX_DEPTH];
    unsigned depth;
    size_t n_nodes;
    bool document_seen;
};

static void *tree_take(struct config *c, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    size = (size + align - 1) / align * align;
    struct block *b = c->blocks;
    if (b == NULL || b->size - b->used < size) {
        const size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        b = malloc(sizeof *b + room);
        if (b == NULL)
            return NULL;
        *b = (struct block){.next = c->blocks, .size = room};
        c->blocks = b;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    return p;
}

static const char *tree_text(struct config *c, const void *bytes, size_t len)
{
    char *text = tree_take(c, len + 1);
    if (text != NULL) {
        if (len > 0)
            memcpy(text, bytes, len);
        text[len] = '\0';
    }
    return text;
}

__attribute__((format(printf, 4, 5))) static enum status
build_fault(struct build *b, enum status status, yaml_mark_t at, const char *fmt, ...)
{
    char reason[320];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    return fault_set(b->fault, status, "%s:%zu:%zu: %s", b->config->file, at.line + 1,
                     at.column + 1, reason);
}

static enum status build_no_memory(struct build *b)
{
    return fault_set(b->fault, STATUS_MEMORY, "%s: no memory", b->config->file);
}

static enum status yaml_fault(struct build *b)
{
    const yaml_parser_t *y = &b->yaml;
    if (y->error == YAML_MEMORY_ERROR)
        return build_no_memory(b);
    const char *problem = y->problem != NULL ? y->problem : "not YAML";
    if (y->error == YAML_READER_ERROR)
        return fault_set(b->fault, STATUS_FORMAT, "%s: byte %zu: %s", b->config->file,
                         y->problem_offset, problem);
    const char *context = y->context != NULL ? y->context : "";
    return build_fault(b, STATUS_FORMAT, y->problem_mark, "%s%s%s", context,
                       context[0] != '\0' ? ": " : "", problem);
}

static int compare_keys(const void *a, const void *b)
{
    const struct config_node *x = *(const struct config_node *const *)a;
    const struct config_node *y = *(const struct config_node *const *)b;
    const int order = strcmp(x->key, y->key);
    if (order != 0)
        return order;
    if (x->key_line != y->key_line)
        return x->key_line < y->key_line ? -1 : 1;
    return x->key_col < y->key_col ? -1 : 1;
}

/* Sorted, so that a mapping of 100,000 keys costs no 100,000 squared comparisons. */
static enum status check_repeated_keys(struct build *b, const struct config_node *map)
{
    if (map->n < 2)
        return STATUS_OK;
    const struct config_node **sorted = malloc(map->n * sizeof *sorted);
    if (sorted == NULL)
        return build_no_memory(b);
    size_t n = 0;
    for (const struct config_node *child = map->first; child != NULL; child = child->next)
        sorted[n++] = child;
    qsort(sorted, n, sizeof *sorted, compare_keys);
    const struct config_node *repeated = NULL, *earlier = NULL;
    for (size_t i = 1; i < n; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0 &&
            (repeated == NULL || sorted[i]->key_line < repeated->key_line)) {
            repeated = sorted[i];
            earlier = sorted[i - 1];
        }
    }
    free(sorted);
    if (repeated == NULL)
        return STATUS_OK;
    const yaml_mark_t at = {0, repeated->key_line - 1, repeated->key_col - 1};
    return build_fault(b, STATUS_FORMAT, at, "key \"%.40s\" is repeated, first in line %u",
                       repeated->key, (unsigned)earlier->key_line);
}

static struct config_node *add_node(struct build *b, enum config_kind kind, yaml_mark_t mark)
{
    struct config_node *node = tree_take(b->config, sizeof *node);
    if (node == NULL)
        return NULL;
    *node = (struct config_node){
        .kind = kind,
        .line = (uint32_t)mark.line + 1,
        .col = (uint32_t)mark.column + 1,
        .key_line = (uint32_t)mark.line + 1,
        .key_col = (uint32_t)mark.column + 1,
        .key = "",
        .file = b->config->file,
    };
    if (b->depth == 0) {
        b->config->root = node;
        return node;
    }
    struct level *in = &b->levels[b->depth - 1];
    if (in->node->kind == CONFIG_MAP) {
        node->key = in->key;
        node->key_line = (uint32_t)in->key_mark.line + 1;
        node->key_col = (uint32_t)in->key_mark.column + 1;
        in->key = NULL;
    } else {
        node->key = in->node->key;
    }
    if (in->last == NULL)
        in->node->first = node;
    else
        in->last->next = node;
    in->last = node;
    in->node->n++;
    return node;
}

static bool is_printable(const char *text)
{
    while (*text != '\0' && (unsigned char)*text >= ' ' && *text != 0x7F)
        text++;
    return *text == '\0';
}

static bool key_is_next(const struct build *b)
{
    return b->depth > 0 && b->levels[b->depth - 1].node->kind == CONFIG_MAP &&
           b->levels[b->depth - 1].key == NULL;
}

static enum status check_extras(struct build *b, yaml_mark_t at, const yaml_char_t *anchor,
                                const yaml_char_t *tag)
{
    if (anchor != NULL)
        return build_fault(b, STATUS_FORMAT, at, "anchors are not allowed");
    if (tag != NULL)
        return build_fault(b, STATUS_FORMAT, at, "tags are not allowed");
    if (b->n_nodes == CONFIG_MAX_NODES)
        return build_fault(b, STATUS_LIMIT, at, "more than %d values", CONFIG_MAX_NODES);
    return STATUS_OK;
}

static enum status build_scalar(struct build *b, const yaml_event_t *ev)
{
    enum status status =
        check_extras(b, ev->start_mark, ev->data.scalar.anchor, ev->data.scalar.tag);
    if (status != STATUS_OK)
        return status;
    const yaml_char_t *bytes = ev->data.scalar.value;
    const size_t len = ev->data.scalar.length;
    if (memchr(bytes, '\0', len) != NULL)
        return build_fault(b, STATUS_FORMAT, ev->start_mark, "a NUL character is not allowed");
    const char *text = tree_text(b->config, bytes, len);
    if (text == NULL)
        return build_no_memory(b);
    if (key_is_next(b)) {
        if (len == 0)
            return build_fault(b, STATUS_FORMAT, ev->start_mark, "a key is empty");
        if (!is_printable(text))
            return build_fault(b, STATUS_FORMAT, ev->start_mark, "a key holds a control character");
        b->levels[b->depth - 1].key = text;
        b->levels[b->depth - 1].key_mark = ev->start_mark;
        return STATUS_OK;
    }
    struct config_node *node = add_node(b, CONFIG_SCALAR, ev->start_mark);
    if (node == NULL)
        return build_no_memory(b);
    b->n_nodes++;
    node->text = text;
    node->text_len = len;
    node->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return STATUS_OK;
}

static enum status build_open(struct build *b, enum config_kind kind, const yaml_event_t *ev)
{
    const bool is_map = kind == CONFIG_MAP;
    enum status status = check_extras(
        b, ev->start_mark, is_map ? ev->data.mapping_start.anchor : ev->data.sequence_start.anchor,
        is_map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag);
    if (status != STATUS_OK)
        return status;
    if (key_is_next(b))
        return build_fault(b, STATUS_FORMAT, ev->start_mark, "a key must be a plain word");
    if (b->depth == CONFIG_MAX_DEPTH)
        return build_fault(b, STATUS_LIMIT, ev->start_mark, "nested deeper than %d",
                           CONFIG_MAX_DEPTH);
    struct config_node *node = add_node(b, kind, ev->start_mark);
    if (node == NULL)
        return build_no_memory(b);
    b->n_nodes++;
    b->levels[b->depth++] = (struct level){.node = node};
    return STATUS_OK;
}

static enum status build_close(struct build *b)
{
    assert(b->depth > 0);
    const struct config_node *node = b->levels[--b->depth].node;
    return node->kind == CONFIG_MAP ? check_repeated_keys(b, node) : STATUS_OK;
}

static enum status build_event(struct build *b, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->document_seen)
            return build_fault(b, STATUS_FORMAT, ev->start_mark,
                               "a second document is not allowed");
        b->document_seen = true;
        return STATUS_OK;
    case YAML_ALIAS_EVENT:
        return build_fault(b, STATUS_FORMAT, ev->start_mark, "aliases are not allowed");
    case YAML_SCALAR_EVENT:
        return build_scalar(b, ev);
    case YAML_SEQUENCE_START_EVENT:
        return build_open(b, CONFIG_LIST, ev);
    case YAML_MAPPING_START_EVENT:
        return build_open(b, CONFIG_MAP, ev);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return build_close(b);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT:
        return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status build_tree(struct build *b)
{
    for (;;) {
        yaml_event_t ev;
        if (!yaml_parser_parse(&b->yaml, &ev))
            return yaml_fault(b);
        const bool end = ev.type == YAML_STREAM_END_EVENT;
        const enum status status = build_event(b, &ev);
        yaml_event_delete(&ev);
        if (status != STATUS_OK)
            return status;
        if (end)
            break;
    }
    if (b->config->root == NULL)
        return fault_set(b->fault, STATUS_FORMAT, "%s:1:1: nothing in this file", b->config->file);
    return STATUS_OK;
}

static struct config *config_new(const char *name)
{
    struct config *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    const size_t len = strlen(name);
    c->file = len <= NAME_KEPT ? tree_text(c, name, len)
                               : tree_text(c, name + len - NAME_KEPT, NAME_KEPT);
    if (c->file == NULL) {
        config_free(c);
        return NULL;
    }
    return c;
}

enum status config_read(const char *name, const void *bytes, size_t len, struct config **out,
                        struct fault *f)
{
    *out = NULL;
    if (len > CONFIG_MAX_BYTES)
        return fault_set(f, STATUS_LIMIT, "%.200s: larger than %d bytes", name, CONFIG_MAX_BYTES);
    struct config *c = config_new(name);
    if (c == NULL)
        return fault_set(f, STATUS_MEMORY, "%.200s: no memory", name);
    struct build b = {.config = c, .fault = f};
    enum status status;
    if (yaml_parser_initialize(&b.yaml)) {
        yaml_parser_set_encoding(&b.yaml, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&b.yaml, len > 0 ? bytes : (const void *)"", len);
        status = build_tree(&b);
        yaml_parser_delete(&b.yaml);
    } else {
        status = build_no_memory(&b);
    }
    if (status == STATUS_OK)
        *out = c;
    else
        config_free(c);
    return status;
}

static enum status read_fault(const char *path, int error, struct fault *f)
{
    char why[128] = "";
    if (error == 0 || strerror_r(error, why, sizeof why) != 0)
        (void)snprintf(why, sizeof why, "read error");
    return fault_set(f, STATUS_IO, "%.300s: %s", path, why);
}

enum status config_load(const char *path, struct config **out, struct fault *f)
{
    *out = NULL;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return read_fault(path, errno, f);
    enum status status;
    unsigned char *bytes = malloc(CONFIG_MAX_BYTES + 1);
    if (bytes == NULL) {
        status = fault_set(f, STATUS_MEMORY, "%.300s: no memory", path);
        goto out;
    }
    errno = 0;
    const size_t len = fread(bytes, 1, CONFIG_MAX_BYTES + 1, file);
    if (ferror(file))
        status = read_fault(path, errno, f);
    else
        status = config_read(path, bytes, len, out, f);
    free(bytes);
out:
    (void)fclose(file);
    return status;
}

void config_free(struct config *c)
{
    if (c == NULL)
        return;
    for (struct block *b = c->blocks; b != NULL;) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
    free(c);
}

const struct config_node *config_root(const struct config *c)
{
    assert(c->root != NULL);
    return c->root;
}
