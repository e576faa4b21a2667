/* reserved.h - addresses that no country has, and IPv4 addresses carried in IPv6 ones. Private to
 * geo/. */
#ifndef GEO_RESERVED_H
#define GEO_RESERVED_H

#include "base/address.h"

enum carrying {
    CARRYING_NOTHING,
    CARRYING_MAPPED, /* ::ffff:0:0/96: the IPv4 address itself, written as IPv6 (RFC 4291) */
    CARRYING_TUNNEL  /* 6to4 (RFC 3056), NAT64 (RFC 6052), Teredo (RFC 4380): packets go through
                        a relay to that IPv4 address */
};

/* reserved_carried finds the IPv4 address inside *a; *inner is set when there is one. */
enum carrying reserved_carried(const struct address *a, struct address *inner);

/* reserved_for_site holds for addresses that never leave the site's own network. */
bool reserved_for_site(const struct address *a);

/* reserved_for_nobody holds for addresses of the IANA special-purpose registries (RFC 6890) that
 * name no host in any country: documentation, benchmarking, relays, not yet assigned. */
bool reserved_for_nobody(const struct address *a);

/* reserved_prefix holds when the first `bits` bits of *a and *prefix are equal, and so the family.
 */
bool reserved_prefix(const struct address *a, const struct address *prefix, unsigned bits);

#endif
