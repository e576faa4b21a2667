/* packet_checksum.c - the Internet checksum (RFC 1071), eight bytes at a time. */
#include <string.h>

#include "base/bytes.h"
#include "flow/packet.h"

static uint64_t load_native(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* The one's complement sum does not care in which byte order words are added (RFC 1071 section 2
 * B), nor how wide they are: halves of 64-bit words are summed apart, so that no carry is lost. */
uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t len)
{
    uint64_t low = 0, high = 0, low2 = 0, high2 = 0;
    while (len >= 32) {
        uint64_t a = load_native(bytes), b = load_native(bytes + 8);
        uint64_t c = load_native(bytes + 16), d = load_native(bytes + 24);
        low += (uint32_t)a;
        high += a >> 32;
        low2 += (uint32_t)b;
        high2 += b >> 32;
        low += (uint32_t)c;
        high += c >> 32;
        low2 += (uint32_t)d;
        high2 += d >> 32;
        bytes += 32;
        len -= 32;
    }
    while (len > 0) {
        uint8_t tail[8] = {0};
        size_t n = len < sizeof tail ? len : sizeof tail;
        memcpy(tail, bytes, n);
        uint64_t word = load_native(tail);
        low += (uint32_t)word;
        high += word >> 32;
        bytes += n;
        len -= n;
    }
    /* Each part is below 2^32 times the number of words: folded before it is added to `sum`. */
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum += (low & UINT32_MAX) + (low >> 32) + (high & UINT32_MAX) + (high >> 32);
    sum += (low2 & UINT32_MAX) + (low2 >> 32) + (high2 & UINT32_MAX) + (high2 >> 32);
    return sum;
}

uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    uint16_t native = (uint16_t)sum;
    uint8_t bytes[2];
    memcpy(bytes, &native, sizeof bytes);
    return load_u16be(bytes);
}
