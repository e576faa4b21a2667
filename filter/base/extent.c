/* extent.c - lists of extents. */
#include "base/extent.h"

#include <string.h>

#include "base/pool.h"

static struct extent *items(struct extents *x)
{
    return x->list != NULL ? x->list : x->one;
}

static bool make_room(struct extents *x, struct pool *pool)
{
    uint32_t cap = x->list != NULL ? x->cap : 2;
    if (x->first + x->n < cap)
        return true;
    if (x->first > 0 && x->n <= cap / 2) {
        memmove(items(x), items(x) + x->first, x->n * sizeof(struct extent));
        x->first = 0;
        return true;
    }
    size_t bytes = (size_t)x->n * 2 * sizeof(struct extent);
    if (bytes < 8 * sizeof(struct extent))
        bytes = 8 * sizeof(struct extent);
    if (bytes > POOL_MAX)
        return false;
    struct extent *grown = pool_take(pool, bytes);
    if (grown == NULL)
        return false;
    memcpy(grown, items(x) + x->first, x->n * sizeof(struct extent));
    if (x->list != NULL)
        pool_give(pool, x->list, x->cap * sizeof(struct extent));
    x->list = grown;
    x->cap = (uint32_t)(bytes / sizeof(struct extent));
    x->first = 0;
    return true;
}

bool extents_add(struct extents *x, struct pool *pool, uint64_t at, struct run run)
{
    if (run.len == 0)
        return true;
    if (x->n > 0) {
        struct extent *e = items(x) + x->first + x->n - 1;
        if (e->run.packet == run.packet && e->run.off + e->run.len == run.off &&
            e->at + e->run.len == at) {
            e->run.len += run.len;
            return true;
        }
    } else {
        x->first = 0;
    }
    if (!make_room(x, pool))
        return false;
    items(x)[x->first + x->n++] = (struct extent){at, run};
    return true;
}

void extents_drop(struct extents *x, uint64_t before)
{
    while (x->n > 0) {
        const struct extent *e = items(x) + x->first;
        if (e->at + e->run.len > before)
            return;
        x->first++;
        x->n--;
    }
    x->first = 0;
}

void extents_free(struct extents *x, struct pool *pool)
{
    if (x->list != NULL)
        pool_give(pool, x->list, x->cap * sizeof(struct extent));
    *x = (struct extents){0};
}

/* find_index gives the extent that holds `off`, or n when none does. */
static uint32_t find_index(const struct extents *x, uint64_t off)
{
    const struct extent *e = (x->list != NULL ? x->list : x->one) + x->first;
    uint32_t lo = 0, hi = x->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (e[mid].at + e[mid].run.len <= off)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < x->n && e[lo].at <= off ? lo : x->n;
}

bool extents_find(const struct extents *x, uint64_t off, uint64_t len, struct run *out)
{
    uint32_t i = find_index(x, off);
    if (i == x->n)
        return false;
    const struct extent *e = (x->list != NULL ? x->list : x->one) + x->first + i;
    uint64_t skip = off - e->at;
    uint64_t left = e->run.len - skip;
    *out = (struct run){e->run.packet, e->run.off + skip, left < len ? left : len};
    return true;
}

int extents_resolve(const struct extents *x, uint64_t off, uint64_t len, struct run *out, int cap)
{
    int n = 0;
    while (len > 0) {
        if (n == cap || !extents_find(x, off, len, &out[n]))
            return -1;
        off += out[n].len;
        len -= out[n].len;
        n++;
    }
    return n;
}
