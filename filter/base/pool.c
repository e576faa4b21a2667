/* pool.c - size classes of powers of two and their halves, one free list each. */
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLAB_BYTES = 1 << 20,
    SMALLEST = 32,
    N_CLASSES = 30
};

struct slab {
    struct slab *next;
    size_t used, size;
    _Alignas(16) uint8_t bytes[];
};

struct free_block {
    struct free_block *next;
};

struct pool {
    size_t limit, reserved, used, peak;
    uint64_t refused;
    struct slab *slabs;
    struct free_block *free[N_CLASSES];
};

/* class_of gives the index and the size of the smallest class that holds `size`:
 * 32, 48, 64, 96, 128, 192, ... */
static unsigned class_of(size_t size, size_t *class_bytes)
{
    size_t bytes = SMALLEST;
    unsigned i = 0;
    while (bytes < size) {
        if (bytes + bytes / 2 >= size) {
            *class_bytes = bytes + bytes / 2;
            return i + 1;
        }
        bytes *= 2;
        i += 2;
    }
    *class_bytes = bytes;
    return i;
}

struct pool *pool_open(size_t limit_bytes)
{
    struct pool *p = calloc(1, sizeof *p);
    if (p != NULL)
        p->limit = limit_bytes;
    return p;
}

void pool_close(struct pool *p)
{
    if (p == NULL)
        return;
    for (struct slab *s = p->slabs; s != NULL;) {
        struct slab *next = s->next;
        memset(s->bytes, 0, s->used);
        free(s);
        s = next;
    }
    free(p);
}

static void *slab_take(struct pool *p, size_t bytes)
{
    struct slab *s = p->slabs;
    if (s == NULL || s->size - s->used < bytes) {
        if (p->limit - p->reserved < SLAB_BYTES)
            return NULL;
        s = malloc(sizeof *s + SLAB_BYTES);
        if (s == NULL)
            return NULL;
        s->next = p->slabs;
        s->used = 0;
        s->size = SLAB_BYTES;
        p->slabs = s;
        p->reserved += SLAB_BYTES;
    }
    void *block = s->bytes + s->used;
    s->used += bytes;
    return block;
}

void *pool_take(struct pool *p, size_t size)
{
    assert(size <= POOL_MAX);
    size_t bytes;
    unsigned c = class_of(size, &bytes);
    void *block = p->free[c];
    if (block != NULL) {
        p->free[c] = p->free[c]->next;
        memset(block, 0, sizeof(struct free_block));
    } else {
        block = slab_take(p, bytes);
        if (block == NULL) {
            p->refused++;
            return NULL;
        }
        memset(block, 0, bytes);
    }
    p->used += bytes;
    if (p->used > p->peak)
        p->peak = p->used;
    return block;
}

void pool_give(struct pool *p, void *block, size_t size)
{
    if (block == NULL)
        return;
    size_t bytes;
    unsigned c = class_of(size, &bytes);
    memset(block, 0, bytes);
    struct free_block *f = block;
    f->next = p->free[c];
    p->free[c] = f;
    p->used -= bytes;
}

size_t pool_capacity(size_t size)
{
    size_t bytes;
    (void)class_of(size, &bytes);
    return bytes;
}

size_t pool_used(const struct pool *p)
{
    return p->used;
}

size_t pool_peak(const struct pool *p)
{
    return p->peak;
}

uint64_t pool_refused(const struct pool *p)
{
    return p->refused;
}
