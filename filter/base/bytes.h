/* bytes.h - the only way the program touches bytes it did not write itself.
 *
 * A span is a place, a view is borrowed bytes at a place, a cursor reads a view
 * from the front. Nothing here allocates; nothing here knows what bytes mean.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* span is a place in a layer: byte offset from the layer's first byte, and
 * length in bytes. It holds no pointer, so it stays true after buffers move. */
struct span {
    uint64_t off;
    uint64_t len;
};

/* view is bytes we may look at now: bytes[0] sits at offset `off` of its layer.
 * A view borrows: it is dead when the call that received it returns. */
struct view {
    const uint8_t *bytes; /* never NULL when len > 0 */
    size_t len;
    uint64_t off;
    bool last;        /* no byte will ever follow bytes[len - 1] */
    const char *hint; /* what the outer format says of this layer: a media type with its
                         parameters, NUL-terminated, at most 255 bytes; NULL when nothing
                         was said. The same in all views of a layer. It is a claim. */
};

/* cursor reads a view from the front. Every read either succeeds whole and
 * moves, or fails and leaves the cursor and the output untouched. */
struct cursor {
    const uint8_t *bytes;
    size_t len;
    size_t pos; /* invariant: pos <= len */
};

/* cursor_over starts at the first byte of `v`. */
static inline struct cursor cursor_over(struct view v)
{
    return (struct cursor){.bytes = v.bytes, .len = v.len, .pos = 0};
}

/* cursor_left is the number of bytes not read yet. */
static inline size_t cursor_left(const struct cursor *c)
{
    return c->len - c->pos;
}

/* cursor_take gives the next n bytes, borrowed from the view. */
static inline bool cursor_take(struct cursor *c, size_t n, const uint8_t **out)
{
    if (n > c->len - c->pos)
        return false;
    *out = c->bytes + c->pos;
    c->pos += n;
    return true;
}

/* cursor_skip moves over n bytes. */
static inline bool cursor_skip(struct cursor *c, size_t n)
{
    if (n > c->len - c->pos)
        return false;
    c->pos += n;
    return true;
}

static inline bool cursor_u8(struct cursor *c, uint8_t *out)
{
    const uint8_t *p;
    if (!cursor_take(c, 1, &p))
        return false;
    *out = p[0];
    return true;
}

static inline uint16_t load_u16be(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | (unsigned)p[1]);
}

static inline uint16_t load_u16le(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[1] << 8 | (unsigned)p[0]);
}

static inline uint32_t load_u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline uint32_t load_u32le(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | (uint32_t)p[0];
}

static inline uint64_t load_u64be(const uint8_t *p)
{
    return (uint64_t)load_u32be(p) << 32 | load_u32be(p + 4);
}

static inline uint64_t load_u64le(const uint8_t *p)
{
    return (uint64_t)load_u32le(p + 4) << 32 | load_u32le(p);
}

static inline bool cursor_u16be(struct cursor *c, uint16_t *out)
{
    const uint8_t *p;
    if (!cursor_take(c, 2, &p))
        return false;
    *out = load_u16be(p);
    return true;
}

static inline bool cursor_u16le(struct cursor *c, uint16_t *out)
{
    const uint8_t *p;
    if (!cursor_take(c, 2, &p))
        return false;
    *out = load_u16le(p);
    return true;
}

/* cursor_u24be reads a three-byte length, as TLS handshakes have. */
static inline bool cursor_u24be(struct cursor *c, uint32_t *out)
{
    const uint8_t *p;
    if (!cursor_take(c, 3, &p))
        return false;
    *out = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | (uint32_t)p[2];
    return true;
}

static inline bool cursor_u32be(struct cursor *c, uint32_t *out)
{
    const uint8_t *p;
    if (!cursor_take(c, 4, &p))
        return false;
    *out = load_u32be(p);
    return true;
}

static inline bool cursor_u32le(struct cursor *c, uint32_t *out)
{
    const uint8_t *p;
    if (!cursor_take(c, 4, &p))
        return false;
    *out = load_u32le(p);
    return true;
}

/* cursor_within takes the next n bytes as a cursor of their own, so that a
 * length-prefixed content cannot read past its box. */
static inline bool cursor_within(struct cursor *c, size_t n, struct cursor *out)
{
    const uint8_t *p;
    if (!cursor_take(c, n, &p))
        return false;
    *out = (struct cursor){.bytes = p, .len = n, .pos = 0};
    return true;
}

/* bytes_equal_nocase compares n bytes with an ASCII text of n letters, case folded. */
static inline bool bytes_equal_nocase(const uint8_t *p, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t a = p[i], b = (uint8_t)text[i];
        if (a >= 'A' && a <= 'Z')
            a = (uint8_t)(a + 32);
        if (b >= 'A' && b <= 'Z')
            b = (uint8_t)(b + 32);
        if (a != b)
            return false;
    }
    return true;
}

#endif
