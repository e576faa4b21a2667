/* pool.c - size classes of powers of two and their halves, one free list each. */
#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Under AddressSanitizer a block that nobody holds may not be touched. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define POOL_POISON 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define POOL_POISON 1
#endif
#ifdef POOL_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

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

/* class_bytes_of is the size of the blocks of a class. */
static size_t class_bytes_of(unsigned c)
{
    size_t bytes = (size_t)SMALLEST << c / 2;
    return c % 2 == 0 ? bytes : bytes + bytes / 2;
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
        ASAN_UNPOISON_MEMORY_REGION(s->bytes, s->size);
        memset(s->bytes, 0, s->used);
        free(s);
        s = next;
    }
    free(p);
}

static void free_add(struct pool *p, unsigned c, void *block, size_t bytes)
{
    struct free_block *f = block;
    ASAN_UNPOISON_MEMORY_REGION(f, sizeof *f);
    f->next = p->free[c];
    p->free[c] = f;
    ASAN_POISON_MEMORY_REGION(f + 1, bytes - sizeof *f);
}

/* carve makes free blocks of wiped memory, largest first; it returns what no class fits in. */
static size_t carve(struct pool *p, uint8_t *at, size_t left)
{
    while (left >= SMALLEST) {
        size_t bytes;
        unsigned c = class_of(left, &bytes);
        while (bytes > left)
            bytes = class_bytes_of(--c);
        free_add(p, c, at, bytes);
        at += bytes;
        left -= bytes;
    }
    return left;
}

/* slab_retire makes free blocks of what a slab has left. */
static void slab_retire(struct pool *p, struct slab *s)
{
    size_t left = s->size - s->used;
    ASAN_UNPOISON_MEMORY_REGION(s->bytes + s->used, left);
    memset(s->bytes + s->used, 0, left);
    s->used = s->size - carve(p, s->bytes + s->used, left);
}

/* split takes a block out of a larger free one, when nothing else is left. */
static void *split(struct pool *p, unsigned c, size_t bytes)
{
    for (unsigned from = c + 1; from < N_CLASSES; from++) {
        struct free_block *f = p->free[from];
        if (f == NULL)
            continue;
        size_t whole = class_bytes_of(from);
        p->free[from] = f->next;
        ASAN_UNPOISON_MEMORY_REGION(f, whole);
        memset(f, 0, sizeof *f);
        (void)carve(p, (uint8_t *)f + bytes, whole - bytes);
        return f;
    }
    return NULL;
}

static void *slab_take(struct pool *p, size_t bytes)
{
    struct slab *s = p->slabs;
    if (s == NULL || s->size - s->used < bytes) {
        size_t left = p->limit - p->reserved, size = left < SLAB_BYTES ? left : SLAB_BYTES;
        if (size < bytes)
            return NULL;
        struct slab *fresh = malloc(sizeof *fresh + size);
        if (fresh == NULL)
            return NULL;
        if (s != NULL)
            slab_retire(p, s);
        *fresh = (struct slab){.next = s, .size = size};
        ASAN_POISON_MEMORY_REGION(fresh->bytes, size);
        p->slabs = s = fresh;
        p->reserved += size;
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
        ASAN_UNPOISON_MEMORY_REGION(block, bytes);
        memset(block, 0, sizeof(struct free_block));
    } else {
        block = slab_take(p, bytes);
        if (block != NULL) {
            ASAN_UNPOISON_MEMORY_REGION(block, bytes);
            memset(block, 0, bytes);
        } else {
            block = split(p, c, bytes);
        }
        if (block == NULL) {
            p->refused++;
            return NULL;
        }
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
    free_add(p, c, block, bytes);
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
