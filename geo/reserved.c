/* reserved.c - the special-purpose address registries, as far as a verdict depends on them. */
#include "geo/reserved.h"

#include <string.h>

struct network {
    struct address prefix;
    unsigned bits;
};

#define NETWORK4(a, b, c, d, bits)                                                                 \
    {                                                                                              \
        {4, {a, b, c, d}}, bits                                                                    \
    }
#define NETWORK6(a, b, c, d, e, f, g, h, bits)                                                     \
    {                                                                                              \
        {6, {a, b, c, d, e, f, g, h}}, bits                                                        \
    }

static const struct network nobody[] = {
    NETWORK4(192, 0, 0, 0, 24),   /* protocol assignments, RFC 6890 */
    NETWORK4(192, 0, 2, 0, 24),   /* documentation, RFC 5737 */
    NETWORK4(192, 88, 99, 0, 24), /* 6to4 relays, RFC 7526 */
    NETWORK4(198, 18, 0, 0, 15),  /* benchmarking, RFC 2544 */
    NETWORK4(198, 51, 100, 0, 24), NETWORK4(203, 0, 113, 0, 24),
    NETWORK4(240, 0, 0, 0, 4), /* reserved, RFC 1112 */
    /* All that is neither global unicast (2000::/3) nor carries an IPv4 address. */
    NETWORK6(0, 0, 0, 0, 0, 0, 0, 0, 3), NETWORK6(0x40, 0, 0, 0, 0, 0, 0, 0, 2),
    NETWORK6(0x80, 0, 0, 0, 0, 0, 0, 0, 1),
    NETWORK6(0x20, 0x01, 0, 0, 0, 0, 0, 0, 23),       /* protocol assignments, RFC 2928 */
    NETWORK6(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 32), /* documentation, RFC 3849 */
    NETWORK6(0x3f, 0xff, 0, 0, 0, 0, 0, 0, 20),       /* documentation, RFC 9637 */
};

bool reserved_prefix(const struct address *a, const struct address *prefix, unsigned bits)
{
    if (a->family != prefix->family || memcmp(a->bytes, prefix->bytes, bits / 8) != 0)
        return false;
    unsigned rest = 8 - bits % 8;
    return rest == 8 || (a->bytes[bits / 8] ^ prefix->bytes[bits / 8]) >> rest == 0;
}

enum carrying reserved_carried(const struct address *a, struct address *inner)
{
    static const struct network mapped = {{6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96};
    static const struct network nat64 = NETWORK6(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 96);
    static const struct network sixtofour = NETWORK6(0x20, 0x02, 0, 0, 0, 0, 0, 0, 16);
    static const struct network teredo = NETWORK6(0x20, 0x01, 0, 0, 0, 0, 0, 0, 32);
    if (a->family != 6)
        return CARRYING_NOTHING;
    if (reserved_prefix(a, &mapped.prefix, mapped.bits)) {
        *inner = address_v4(a->bytes + 12);
        return CARRYING_MAPPED;
    }
    if (reserved_prefix(a, &nat64.prefix, nat64.bits)) {
        *inner = address_v4(a->bytes + 12);
        return CARRYING_TUNNEL;
    }
    if (reserved_prefix(a, &sixtofour.prefix, sixtofour.bits)) {
        *inner = address_v4(a->bytes + 2);
        return CARRYING_TUNNEL;
    }
    if (reserved_prefix(a, &teredo.prefix, teredo.bits)) {
        /* The client's address, each bit turned over (RFC 4380 section 4). */
        uint8_t turned[4];
        for (unsigned i = 0; i < 4; i++)
            turned[i] = (uint8_t)~a->bytes[12 + i];
        *inner = address_v4(turned);
        return CARRYING_TUNNEL;
    }
    return CARRYING_NOTHING;
}

bool reserved_for_site(const struct address *a)
{
    return address_is_private(a) || address_is_multicast(a);
}

bool reserved_for_nobody(const struct address *a)
{
    for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++)
        if (reserved_prefix(a, &nobody[i].prefix, nobody[i].bits))
            return true;
    return a->family != 4 && a->family != 6;
}
