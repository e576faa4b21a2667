/* pool.h - memory in size classes with a hard limit in bytes; one owner, no locks.
 *
 * The address range of the limit is reserved once and filled as needed, 1 MiB at a time; it goes
 * back to the system when the pool closes. Small blocks of one class share slabs of 24 KiB; a slab
 * that is empty, and every large block given back, is free for all classes and joins its free
 * neighbours. Freed blocks are wiped at once, since they may have held values. Its own notes take 1
 * % more.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool;

/* pool_open makes an empty pool that will hold at most limit_bytes, rounded up to 4 KiB. NULL: no
 * memory, or no such range of addresses. */
struct pool *pool_open(size_t limit_bytes);

/* pool_close returns everything, also blocks never freed. NULL is allowed. */
void pool_close(struct pool *p);

/* pool_take gives `size` zeroed bytes, 16-byte aligned, size <= POOL_MAX; NULL at the limit. */
void *pool_take(struct pool *p, size_t size);

/* pool_give takes a block back; `size` as it was asked for. NULL is allowed. */
void pool_give(struct pool *p, void *block, size_t size);

/* pool_capacity is the number of bytes that a block asked for with `size` really holds. */
size_t pool_capacity(size_t size);

/* pool_used is the bytes handed out now; pool_peak the most there ever were; pool_refused how often
 * the limit said no. */
size_t pool_used(const struct pool *p);
size_t pool_peak(const struct pool *p);
uint64_t pool_refused(const struct pool *p);

enum {
    POOL_MAX = 1 << 19
};

#endif
