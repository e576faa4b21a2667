/* address.h - an IPv4 or IPv6 address: its text, its comparison, what the standards reserve. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* address is IPv4 in bytes[0..3] with the rest zero, or IPv6 in all 16, in network order. */
struct address {
    uint8_t family; /* 4 or 6; 0: none */
    uint8_t bytes[16];
};

enum {
    ADDRESS_TEXT_MAX = 46 /* longest text with its NUL */
};

/* address_v4 and address_v6 take 4 and 16 bytes in network order. */
struct address address_v4(const uint8_t *bytes);
struct address address_v6(const uint8_t *bytes);

/* address_format writes the text into `text`, NUL-terminated, and returns `text`: dotted quad, or
 * RFC 5952 (lower case, longest run of zeros shortened, IPv4-mapped with a dotted tail); "-" for
 * family 0. `size` must be at least ADDRESS_TEXT_MAX. */
char *address_format(const struct address *a, char *text, size_t size);

/* address_parse reads `len` bytes that are a whole IPv4 or IPv6 text: no port, zone, prefix or
 * spaces; octets in decimal without a leading zero. Returns false and leaves *out alone otherwise.
 */
bool address_parse(const char *text, size_t len, struct address *out);

bool address_equal(const struct address *a, const struct address *b);

/* address_compare orders by family, then bytes: < 0, 0, > 0. */
int address_compare(const struct address *a, const struct address *b);

/* address_unmap gives the IPv4 address inside an IPv4-mapped (::ffff:0:0/96) one; others unchanged.
 */
struct address address_unmap(const struct address *a);

/* address_is_private: never routed on the public Internet as a destination of its own: RFC 1918,
 * RFC 6598 shared space, RFC 4193 unique local, and all that address_is_local holds for.
 * IPv4-mapped addresses are judged as IPv4. */
bool address_is_private(const struct address *a);

/* address_is_local: this host or this link only: loopback, link-local, unspecified. */
bool address_is_local(const struct address *a);

/* address_is_multicast: 224.0.0.0/4, 255.255.255.255, ff00::/8. */
bool address_is_multicast(const struct address *a);

#endif
