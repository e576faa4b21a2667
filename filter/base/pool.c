/* pool.c - pages in stretches that split and join; slabs of small blocks made of them.
 *
 * All free memory is zero but for the links of free blocks inside a slab, so that nothing needs to
 * be wiped twice.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include "base/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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
#include <sanitizer/lsan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)     ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define __lsan_register_root_region(p, n)   ((void)(p), (void)(n))
#define __lsan_unregister_root_region(p, n) ((void)(p), (void)(n))
#endif

enum {
    PAGE_BYTES = 4096,
    GROW_PAGES = 256,
    SMALLEST = 32,
    SLAB_PAGES = 6, /* 24 KiB: every small class divides it */
    SLAB_BLOCK_MAX = 6144,
    N_SLAB_CLASSES = 16, /* 32 .. 6144 */
    BINS = POOL_MAX / PAGE_BYTES,
    BIN_WORDS = (BINS + 63) / 64
};

struct free_block {
    struct free_block *next;
};

enum page_kind {
    PAGE_INSIDE, /* not the first of a slab or block, or the edge of no free stretch */
    PAGE_FREE,   /* the first and the last page of a free stretch */
    PAGE_SLAB,
    PAGE_LARGE
};

/* page is what is known of one page; of a slab, a large block or a free stretch its first page
 * knows all. */
struct page {
    struct page *next, *prev; /* free stretches of a bin; slabs with room of a class */
    struct free_block *free;  /* slab: blocks given back */
    uint32_t n;               /* pages; on the last page of a free stretch too */
    uint16_t live;            /* slab: blocks held */
    uint16_t begun;           /* slab: blocks ever handed out, from the front */
    uint16_t all;             /* slab: blocks it has */
    uint8_t kind;             /* enum page_kind */
    uint8_t class;            /* slab */
    uint8_t back;             /* in a slab: pages to its first */
};

struct pool {
    uint8_t *bytes;
    struct page *pages;
    size_t n_pages, limit_pages; /* in use or free; at most */
    size_t used, peak;
    uint64_t refused;
    struct page *roomy[N_SLAB_CLASSES]; /* slabs with a free block */
    struct page *empty[N_SLAB_CLASSES]; /* one of them that is empty, kept against flutter */
    struct page *bin[BINS];             /* free stretches of 1, 2, .. pages; the last: or more */
    uint64_t bin_bits[BIN_WORDS];
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
    if (p == NULL)
        return NULL;
    p->limit_pages = limit_bytes / PAGE_BYTES + (limit_bytes % PAGE_BYTES != 0);
    if (p->limit_pages == 0)
        return p;
    if (p->limit_pages > UINT32_MAX) {
        free(p);
        return NULL;
    }
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    p->bytes = MAP_FAILED;
    p->pages = mmap(NULL, p->limit_pages * sizeof *p->pages, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (p->pages != MAP_FAILED)
        p->bytes = mmap(NULL, p->limit_pages * PAGE_BYTES, PROT_NONE, flags, -1, 0);
    if (p->bytes == MAP_FAILED) {
        if (p->pages != MAP_FAILED)
            (void)munmap(p->pages, p->limit_pages * sizeof *p->pages);
        free(p);
        return NULL;
    }
    __lsan_register_root_region(p->bytes, p->limit_pages * PAGE_BYTES);
    return p;
}

void pool_close(struct pool *p)
{
    if (p == NULL)
        return;
    if (p->limit_pages > 0) {
        size_t len = p->limit_pages * PAGE_BYTES;
        __lsan_unregister_root_region(p->bytes, len);
        ASAN_UNPOISON_MEMORY_REGION(p->bytes, p->n_pages * PAGE_BYTES);
        explicit_bzero(p->bytes, p->n_pages * PAGE_BYTES);
        (void)munmap(p->bytes, len);
        (void)munmap(p->pages, p->limit_pages * sizeof *p->pages);
    }
    free(p);
}

static void *page_bytes(const struct pool *p, const struct page *at)
{
    return p->bytes + (size_t)(at - p->pages) * PAGE_BYTES;
}

/* ---- stretches of pages ------------------------------------------------------------------- */

static void list_add(struct page **list, struct page *at)
{
    at->prev = NULL;
    at->next = *list;
    if (at->next != NULL)
        at->next->prev = at;
    *list = at;
}

static void list_remove(struct page **list, struct page *at)
{
    if (at->prev != NULL)
        at->prev->next = at->next;
    else
        *list = at->next;
    if (at->next != NULL)
        at->next->prev = at->prev;
    at->next = at->prev = NULL;
}

static unsigned bin_of(size_t n)
{
    return n < BINS ? (unsigned)n - 1 : BINS - 1;
}

static void stretch_add(struct pool *p, struct page *at, uint32_t n)
{
    unsigned b = bin_of(n);
    at[0].kind = at[n - 1].kind = PAGE_FREE;
    at[0].n = at[n - 1].n = n;
    list_add(&p->bin[b], at);
    p->bin_bits[b / 64] |= (uint64_t)1 << b % 64;
}

static void stretch_remove(struct pool *p, struct page *at)
{
    unsigned b = bin_of(at->n);
    list_remove(&p->bin[b], at);
    if (p->bin[b] == NULL)
        p->bin_bits[b / 64] &= ~((uint64_t)1 << b % 64);
    at[at->n - 1].kind = PAGE_INSIDE;
    at->kind = PAGE_INSIDE;
}

/* stretch_give makes n wiped pages free and joins them with free neighbours. */
static void stretch_give(struct pool *p, struct page *at, uint32_t n)
{
    ASAN_POISON_MEMORY_REGION(page_bytes(p, at), (size_t)n * PAGE_BYTES);
    at->kind = PAGE_INSIDE;
    struct page *after = at + n;
    if (after < p->pages + p->n_pages && after->kind == PAGE_FREE) {
        n += after->n;
        stretch_remove(p, after);
    }
    if (at > p->pages && at[-1].kind == PAGE_FREE) {
        struct page *before = at - at[-1].n;
        n += before->n;
        stretch_remove(p, before);
        at = before;
    }
    stretch_add(p, at, n);
}

static bool grow(struct pool *p, uint32_t n)
{
    size_t left = p->limit_pages - p->n_pages;
    size_t more = n > GROW_PAGES ? n : GROW_PAGES;
    if (more > left)
        more = left;
    struct page *at = p->pages + p->n_pages;
    if (more == 0 || mprotect(page_bytes(p, at), more * PAGE_BYTES, PROT_READ | PROT_WRITE) != 0)
        return false;
    p->n_pages += more;
    stretch_give(p, at, (uint32_t)more);
    return true;
}

/* stretch_find gives a free stretch of at least n pages, of nearly as few as there are. */
static struct page *stretch_find(const struct pool *p, uint32_t n)
{
    unsigned b = bin_of(n);
    uint64_t bits = p->bin_bits[b / 64] & ~(uint64_t)0 << b % 64;
    for (unsigned w = b / 64;; bits = p->bin_bits[w]) {
        if (bits != 0)
            return p->bin[w * 64 + (unsigned)__builtin_ctzll(bits)];
        if (++w == BIN_WORDS)
            return NULL;
    }
}

/* stretch_take gives n pages, all zero; under AddressSanitizer still not to be touched. */
static struct page *stretch_take(struct pool *p, uint32_t n)
{
    struct page *at = stretch_find(p, n);
    if (at == NULL && grow(p, n))
        at = stretch_find(p, n); /* what it grew by may be less than n, or join what was free */
    if (at == NULL)
        return NULL;
    uint32_t rest = at->n - n;
    stretch_remove(p, at);
    if (rest > 0)
        stretch_add(p, at + n, rest);
    at->n = n;
    return at;
}

/* ---- slabs -------------------------------------------------------------------------------- */

static void slab_free(struct pool *p, struct page *s)
{
    list_remove(&p->roomy[s->class], s);
    ASAN_UNPOISON_MEMORY_REGION(page_bytes(p, s), (size_t)s->n * PAGE_BYTES);
    memset(page_bytes(p, s), 0, (size_t)s->n * PAGE_BYTES); /* links of free blocks */
    for (uint32_t i = 0; i < s->n; i++)
        s[i].kind = PAGE_INSIDE;
    stretch_give(p, s, s->n);
}

/* empty_free gives the empty slabs that were kept to all classes; false: there were none. */
static bool empty_free(struct pool *p)
{
    bool any = false;
    for (unsigned c = 0; c < N_SLAB_CLASSES; c++) {
        if (p->empty[c] == NULL)
            continue;
        slab_free(p, p->empty[c]);
        p->empty[c] = NULL;
        any = true;
    }
    return any;
}

/* slab_pages takes pages for a slab: at the limit fewer, as long as a block fits. */
static struct page *slab_pages(struct pool *p, size_t block_bytes)
{
    uint32_t least = (uint32_t)((block_bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    do {
        for (uint32_t n = SLAB_PAGES; n >= least; n--) {
            struct page *s = stretch_take(p, n);
            if (s != NULL)
                return s;
        }
    } while (empty_free(p));
    return NULL;
}

static struct page *slab_new(struct pool *p, unsigned c, size_t block_bytes)
{
    struct page *s = slab_pages(p, block_bytes);
    if (s == NULL)
        return NULL;
    for (uint32_t i = 0; i < s->n; i++) {
        s[i].kind = PAGE_SLAB;
        s[i].back = (uint8_t)i;
    }
    s->class = (uint8_t)c;
    s->free = NULL;
    s->live = s->begun = 0;
    s->all = (uint16_t)((size_t)s->n * PAGE_BYTES / block_bytes);
    list_add(&p->roomy[c], s);
    return s;
}

static void *slab_take(struct pool *p, unsigned c, size_t bytes)
{
    struct page *s = p->roomy[c];
    if (s == NULL)
        s = slab_new(p, c, bytes);
    if (s == NULL)
        return NULL;
    if (p->empty[c] == s)
        p->empty[c] = NULL;
    void *block = s->free;
    if (block != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(block, bytes);
        s->free = s->free->next;
        memset(block, 0, sizeof(struct free_block));
    } else {
        block = (uint8_t *)page_bytes(p, s) + s->begun++ * bytes;
        ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    }
    if (++s->live == s->all)
        list_remove(&p->roomy[c], s);
    return block;
}

static void slab_give(struct pool *p, struct page *s, void *block, size_t bytes)
{
    struct free_block *f = block;
    f->next = s->free;
    s->free = f;
    ASAN_POISON_MEMORY_REGION(f, bytes);
    if (s->live-- == s->all)
        list_add(&p->roomy[s->class], s);
    if (s->live > 0)
        return;
    if (p->empty[s->class] == NULL)
        p->empty[s->class] = s;
    else
        slab_free(p, s);
}

/* ---- blocks ------------------------------------------------------------------------------- */

static void *large_take(struct pool *p, size_t bytes)
{
    uint32_t n = (uint32_t)(bytes / PAGE_BYTES);
    struct page *at = stretch_take(p, n);
    if (at == NULL && empty_free(p))
        at = stretch_take(p, n);
    if (at == NULL)
        return NULL;
    at->kind = PAGE_LARGE;
    ASAN_UNPOISON_MEMORY_REGION(page_bytes(p, at), bytes);
    return page_bytes(p, at);
}

void *pool_take(struct pool *p, size_t size)
{
    assert(size <= POOL_MAX);
    size_t bytes;
    unsigned c = class_of(size, &bytes);
    void *block = bytes <= SLAB_BLOCK_MAX ? slab_take(p, c, bytes) : large_take(p, bytes);
    if (block == NULL) {
        p->refused++;
        return NULL;
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
    struct page *at = p->pages + (size_t)((uint8_t *)block - p->bytes) / PAGE_BYTES;
    memset(block, 0, bytes);
    p->used -= bytes;
    if (bytes <= SLAB_BLOCK_MAX) {
        assert(at->kind == PAGE_SLAB);
        at -= at->back;
        assert(at->class == c);
        slab_give(p, at, block, bytes);
    } else {
        assert(at->kind == PAGE_LARGE && at->n == bytes / PAGE_BYTES);
        stretch_give(p, at, at->n);
    }
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
