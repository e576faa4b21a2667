/* fuzz_config.c - any bytes as a YAML file: a tree within its limits, or one line that says why. */
#include "base/config.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const words[] = {"pattern", "class", "check", NULL};

static size_t walk(const struct config_node *node, unsigned depth)
{
    size_t n = 1;
    assert(depth <= CONFIG_MAX_DEPTH);
    assert(node->line > 0 && node->col > 0 && node->key != NULL);
    assert((node->kind == CONFIG_SCALAR) == (node->text != NULL));
    if (node->kind == CONFIG_SCALAR) {
        assert(strlen(node->text) == node->text_len);
        (void)config_nearest(node->text, words);
    }
    struct fault f = {""};
    (void)config_keys(node, words, &f);
    (void)config_node_text(node, NULL, &f);
    (void)config_node_int(node, -5, 5, 0, &f);
    (void)config_node_word(node, words, 0, &f);
    (void)config_bool(node, "class", false, &f);
    assert(memchr(f.text, '\n', strlen(f.text)) == NULL);
    uint32_t children = 0;
    for (const struct config_node *child = node->first; child != NULL; child = child->next) {
        n += walk(child, depth + 1);
        children++;
    }
    assert(children == node->n);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct config *c = NULL;
    struct fault f = {""};
    if (config_read("fuzz.yaml", bytes, len, &c, &f) == STATUS_OK) {
        assert(c != NULL && config_ok(&f));
        assert(walk(config_root(c), 0) <= CONFIG_MAX_NODES);
        config_free(c);
    } else {
        assert(c == NULL && !config_ok(&f));
    }
    return 0;
}
