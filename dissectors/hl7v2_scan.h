/* hl7v2_scan.h - finds, in HL7 v2 text, the bytes that could end a value.
 *
 * Most bytes of a message end nothing, so they are passed over 64 at a time; what is left is looked
 * at by its class. Knows delimiters and character widths, nothing of segments or fields.
 */
#ifndef DISSECTORS_HL7V2_SCAN_H
#define DISSECTORS_HL7V2_SCAN_H

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bytes.h"
#include "base/charset.h"

/* byte_class orders delimiters by what they end: a greater one ends all that a smaller one does. */
enum byte_class {
    BYTE_PLAIN,
    BYTE_HIGH,   /* >= 0x80 where that may be the first byte of a wide character */
    BYTE_SHIFT,  /* ESC, where the set is switched by ISO 2022 sequences */
    BYTE_ESCAPE, /* the escape character */
    BYTE_SUB,
    BYTE_COMPONENT,
    BYTE_REPEAT,
    BYTE_FIELD,
    BYTE_LINE,        /* CR or LF: ends the segment */
    BYTE_BLOCK_END,   /* 0x1C: ends the message when CR, LF, 0x0B or nothing follows */
    BYTE_BLOCK_START, /* 0x0B: starts a message when a header segment follows */
    BYTE_CLASSES
};

/* width says which bytes are one character, so that the second byte of a wide one is never taken
 * for a delimiter: GBK, GB18030 and Big5 allow 0x5C \ 0x5E ^ 0x7C | 0x7E ~ there. */
enum width {
    WIDTH_TRIAL,  /* nothing (or ASCII) declared: valid UTF-8 sequences, else pairs as in GBK */
    WIDTH_SINGLE, /* UTF-8 and 8-bit sets: no byte of a wide character looks like a delimiter */
    WIDTH_PAIRS,  /* GB18030 (its four-byte characters are two pairs here) and Big5 */
    WIDTH_SHIFTED /* ISO 2022: after ESC $ all bytes belong to wide characters, until ESC ( */
};

/* delimiters are MSH-1 and the characters of MSH-2; 0 for one the message does not have. */
struct delimiters {
    uint8_t field, component, repeat, escape, sub;
};

/* scan walks over one view. mask has a bit for each byte of [base, base + 64) not walked over yet
 * that is not BYTE_PLAIN. */
struct scan {
    const uint8_t *bytes;
    size_t len;
    size_t base;
    uint64_t mask;
    uint8_t needles[5];
    uint8_t width;
    bool last; /* no byte follows the view */
    uint8_t classes[256];
};

/* hl7v2_width gives how characters of a declared set are told apart. */
enum width hl7v2_width(enum charset charset);

/* scan_set makes the classes of a message's delimiters; any position is forgotten. */
void scan_set(struct scan *s, const struct delimiters *d, enum width width);

/* scan_wide is the length of the wide character at `at`, whose class is BYTE_HIGH: 1..4, or 0 when
 * it cannot be said before the bytes after the view are here. */
size_t scan_wide(const struct scan *s, size_t at);

static inline uint64_t scan_mask_plain(const struct scan *s, const uint8_t *p, size_t n)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++)
        mask |= (uint64_t)(s->classes[p[i]] != BYTE_PLAIN) << i;
    return mask;
}

#if defined(__SSE2__)
/* scan_mask gives a superset: control characters and high bytes that mean nothing here have their
 * bit set too and are passed over by their class. */
static inline uint64_t scan_mask(const struct scan *s, const uint8_t *p)
{
    const __m128i top = _mm_set1_epi8(0x1f);
    const bool high = s->width == WIDTH_TRIAL || s->width == WIDTH_PAIRS;
    __m128i needle[5];
    for (int k = 0; k < 5; k++)
        needle[k] = _mm_set1_epi8((char)s->needles[k]);
    uint64_t mask = 0;
    for (unsigned q = 0; q < 4; q++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + (size_t)16 * q));
        __m128i hit = _mm_cmpeq_epi8(_mm_min_epu8(x, top), x);
        for (int k = 0; k < 5; k++)
            hit = _mm_or_si128(hit, _mm_cmpeq_epi8(x, needle[k]));
        if (high)
            hit = _mm_or_si128(hit, x);
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << (16 * q);
    }
    return mask;
}
#else
static inline uint64_t scan_mask(const struct scan *s, const uint8_t *p)
{
    return scan_mask_plain(s, p, 64);
}
#endif

static inline void scan_load(struct scan *s, size_t base)
{
    s->base = base;
    size_t left = s->len - base;
    s->mask =
        left >= 64 ? scan_mask(s, s->bytes + base) : scan_mask_plain(s, s->bytes + base, left);
}

/* scan_seek sets the position: the next byte looked at is bytes[at], at <= len. */
static inline void scan_seek(struct scan *s, size_t at)
{
    scan_load(s, at);
}

/* scan_skip moves the position on to bytes[at], after the byte scan_next gave, at <= len. */
static inline void scan_skip(struct scan *s, size_t at)
{
    if (at - s->base < 64)
        s->mask &= ~(uint64_t)0 << (at - s->base);
    else
        scan_load(s, at);
}

/* scan_next gives the place of the next byte that is not plain, and walks over it; len when there
 * is none. */
static inline size_t scan_next(struct scan *s)
{
    while (s->mask == 0) {
        if (s->len - s->base <= 64) {
            s->base = s->len;
            return s->len;
        }
        scan_load(s, s->base + 64);
    }
    size_t at = s->base + (size_t)__builtin_ctzll(s->mask);
    s->mask &= s->mask - 1;
    return at;
}

#endif
