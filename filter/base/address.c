/* address.c - texts and reserved ranges of IP addresses. */
#include "base/address.h"

#include <assert.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct address address_v4(const uint8_t *bytes)
{
    struct address a = {.family = 4};
    memcpy(a.bytes, bytes, 4);
    return a;
}

struct address address_v6(const uint8_t *bytes)
{
    struct address a = {.family = 6};
    memcpy(a.bytes, bytes, 16);
    return a;
}

static char *put_decimal(char *to, unsigned n)
{
    if (n >= 100)
        *to++ = (char)('0' + n / 100);
    if (n >= 10)
        *to++ = (char)('0' + n / 10 % 10);
    *to++ = (char)('0' + n % 10);
    return to;
}

static char *put_v4(char *to, const uint8_t *b)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            *to++ = '.';
        to = put_decimal(to, b[i]);
    }
    return to;
}

static char *put_group(char *to, unsigned group)
{
    static const char digits[] = "0123456789abcdef";
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned nibble = group >> shift & 15;
        if (nibble != 0 || started || shift == 0) {
            *to++ = digits[nibble];
            started = true;
        }
    }
    return to;
}

static unsigned group_at(const uint8_t *b, unsigned i)
{
    return (unsigned)b[2 * i] << 8 | b[2 * i + 1];
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 section 4.2). */
static void zero_run(const uint8_t *b, unsigned *best_at, unsigned *best_len)
{
    *best_at = 8;
    *best_len = 1;
    for (unsigned i = 0; i < 8;) {
        unsigned n = 0;
        while (i + n < 8 && group_at(b, i + n) == 0)
            n++;
        if (n > *best_len) {
            *best_at = i;
            *best_len = n;
        }
        i += n > 0 ? n : 1;
    }
}

static char *put_v6(char *to, const uint8_t *b)
{
    if (memcmp(b, mapped_prefix, sizeof mapped_prefix) == 0) {
        memcpy(to, "::ffff:", 7);
        return put_v4(to + 7, b + 12);
    }
    unsigned run_at, run_len;
    zero_run(b, &run_at, &run_len);
    for (unsigned i = 0; i < 8; i++) {
        if (i == run_at) {
            *to++ = ':';
            i += run_len - 1;
            if (i == 7)
                *to++ = ':';
            continue;
        }
        if (i > 0)
            *to++ = ':';
        to = put_group(to, group_at(b, i));
    }
    return to;
}

char *address_format(const struct address *a, char *text, size_t size)
{
    assert(size >= ADDRESS_TEXT_MAX);
    char *to = text;
    if (a->family == 4)
        to = put_v4(to, a->bytes);
    else if (a->family == 6)
        to = put_v6(to, a->bytes);
    else
        *to++ = '-';
    *to = '\0';
    return text;
}

static bool parse_v4(const char *text, size_t len, uint8_t *out)
{
    size_t pos = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0 && (pos == len || text[pos++] != '.'))
            return false;
        size_t start = pos;
        unsigned n = 0;
        while (pos < len && pos - start < 3 && text[pos] >= '0' && text[pos] <= '9')
            n = n * 10 + (unsigned)(text[pos++] - '0');
        if (pos == start || n > 255 || (text[start] == '0' && pos - start > 1))
            return false;
        out[i] = (uint8_t)n;
    }
    return pos == len;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Reads up to four hexadecimal digits; 0 when there is none. */
static size_t parse_group(const char *text, size_t len, unsigned *out)
{
    size_t n = 0;
    unsigned group = 0;
    while (n < len && n < 4 && hex_value(text[n]) >= 0)
        group = group << 4 | (unsigned)hex_value(text[n++]);
    *out = group;
    return n;
}

/* Puts the groups after "::" at the end and zeros between. */
static bool spread_groups(uint8_t *bytes, size_t n, size_t gap_at)
{
    if (gap_at == SIZE_MAX)
        return n == 16;
    if (n > 14)
        return false;
    size_t tail = n - gap_at;
    memmove(bytes + 16 - tail, bytes + gap_at, tail);
    memset(bytes + gap_at, 0, 16 - n);
    return true;
}

static bool parse_v6(const char *text, size_t len, uint8_t *out)
{
    uint8_t bytes[16] = {0};
    size_t n = 0, pos = 0, gap_at = SIZE_MAX;
    if (len >= 2 && text[0] == ':' && text[1] == ':') {
        gap_at = 0;
        pos = 2;
    }
    while (pos < len) {
        unsigned group;
        size_t digits = parse_group(text + pos, len - pos, &group);
        if (digits == 0 || n > 14)
            return false;
        if (pos + digits < len && text[pos + digits] == '.') {
            if (n > 12 || !parse_v4(text + pos, len - pos, bytes + n))
                return false;
            n += 4;
            break;
        }
        bytes[n++] = (uint8_t)(group >> 8);
        bytes[n++] = (uint8_t)group;
        pos += digits;
        if (pos == len)
            break;
        if (text[pos++] != ':' || pos == len)
            return false;
        if (text[pos] == ':') {
            if (gap_at != SIZE_MAX)
                return false;
            gap_at = n;
            pos++;
        }
    }
    if (!spread_groups(bytes, n, gap_at))
        return false;
    memcpy(out, bytes, 16);
    return true;
}

bool address_parse(const char *text, size_t len, struct address *out)
{
    struct address a = {0};
    if (parse_v4(text, len, a.bytes)) {
        a.family = 4;
    } else {
        memset(a.bytes, 0, sizeof a.bytes);
        if (!parse_v6(text, len, a.bytes))
            return false;
        a.family = 6;
    }
    *out = a;
    return true;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

struct address address_unmap(const struct address *a)
{
    if (a->family == 6 && memcmp(a->bytes, mapped_prefix, sizeof mapped_prefix) == 0)
        return address_v4(a->bytes + 12);
    return *a;
}

bool address_is_private(const struct address *a)
{
    struct address plain = address_unmap(a);
    const uint8_t *b = plain.bytes;
    if (address_is_local(&plain))
        return true;
    if (plain.family == 4)
        return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
               (b[0] == 100 && (b[1] & 0xc0) == 64);
    return plain.family == 6 && (b[0] & 0xfe) == 0xfc;
}

bool address_is_local(const struct address *a)
{
    static const uint8_t zeros[15];
    struct address plain = address_unmap(a);
    const uint8_t *b = plain.bytes;
    if (plain.family == 4)
        return b[0] == 0 || b[0] == 127 || (b[0] == 169 && b[1] == 254);
    if (plain.family != 6)
        return false;
    return (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
           (memcmp(b, zeros, sizeof zeros) == 0 && b[15] <= 1);
}

bool address_is_multicast(const struct address *a)
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    struct address plain = address_unmap(a);
    if (plain.family == 4)
        return (plain.bytes[0] & 0xf0) == 0xe0 || memcmp(plain.bytes, broadcast, 4) == 0;
    return plain.family == 6 && plain.bytes[0] == 0xff;
}
