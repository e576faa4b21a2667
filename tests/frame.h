/* frame.h - builds frames from the inside out for tests: payload first, then header before header.
 */
#ifndef TESTS_FRAME_H
#define TESTS_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"

enum {
    FRAME_MAX = 80 * 1024
};

/* frame holds its bytes at the end of the room: [at, FRAME_MAX). */
struct frame {
    size_t at;
    uint8_t room[FRAME_MAX];
};

static inline const uint8_t *frame_bytes(const struct frame *f)
{
    return f->room + f->at;
}

static inline uint32_t frame_len(const struct frame *f)
{
    return (uint32_t)(FRAME_MAX - f->at);
}

/* frame_put writes `len` bytes before what there is and returns where they lie. */
static inline uint8_t *frame_put(struct frame *f, const void *bytes, size_t len)
{
    f->at -= len;
    if (bytes != NULL)
        memcpy(f->room + f->at, bytes, len);
    else
        memset(f->room + f->at, 0, len);
    return f->room + f->at;
}

static inline void frame_start(struct frame *f, const void *payload, size_t len)
{
    f->at = FRAME_MAX;
    (void)frame_put(f, payload, len);
}

static inline void put_u16be(uint8_t *p, uint32_t n)
{
    p[0] = (uint8_t)(n >> 8);
    p[1] = (uint8_t)n;
}

static inline void put_u32be(uint8_t *p, uint32_t n)
{
    put_u16be(p, n >> 16);
    put_u16be(p + 2, n & 0xffff);
}

/* The checksum as RFC 1071 writes it down, one word at a time: the measure of the fast one. */
static inline uint32_t slow_sum(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i += 2) {
        sum += (uint32_t)p[i] << 8 | (i + 1 < len ? p[i + 1] : 0u);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static inline void frame_udp(struct frame *f, uint16_t sport, uint16_t dport)
{
    uint8_t *p = frame_put(f, NULL, 8);
    put_u16be(p, sport);
    put_u16be(p + 2, dport);
    put_u16be(p + 4, frame_len(f));
}

/* `options` are padded already. */
static inline void frame_tcp(struct frame *f, uint16_t sport, uint16_t dport, uint32_t seq,
                             uint8_t flags, const void *options, size_t options_len)
{
    if (options_len > 0)
        (void)frame_put(f, options, options_len);
    uint8_t *p = frame_put(f, NULL, 20);
    put_u16be(p, sport);
    put_u16be(p + 2, dport);
    put_u32be(p + 4, seq);
    put_u32be(p + 8, 77);
    p[12] = (uint8_t)((20 + options_len) / 4 << 4);
    p[13] = flags;
    put_u16be(p + 14, 5000);
}

/* Where the checksum of a transport header is, or -1. */
static inline int frame_sum_at(uint8_t proto)
{
    return proto == 6 ? 16 : proto == 17 ? 6 : -1;
}

static inline void frame_fix_sum(uint8_t *segment, uint32_t len, uint8_t proto, const uint8_t *src,
                                 const uint8_t *dst, size_t address_len)
{
    int at = frame_sum_at(proto);
    if (at < 0)
        return;
    uint32_t sum = slow_sum(0, src, address_len);
    sum = slow_sum(sum, dst, address_len);
    sum = slow_sum(sum + proto + (len >> 16) + (len & 0xffff), NULL, 0);
    put_u16be(segment + at, 0);
    sum = slow_sum(sum, segment, len);
    sum = (sum & 0xffff) + (sum >> 16);
    put_u16be(segment + at, ~sum & 0xffff);
}

/* frame_ip4 wraps the transport and fixes all checksums. flags_off as in the header: 0x2000 more
 * fragments, the rest the offset in eights; the transport checksum is left alone in fragments. */
static inline void frame_ip4_part(struct frame *f, uint8_t proto, const uint8_t *src,
                                  const uint8_t *dst, uint16_t id, uint32_t flags_off)
{
    if (flags_off == 0)
        frame_fix_sum(f->room + f->at, frame_len(f), proto, src, dst, 4);
    uint8_t *p = frame_put(f, NULL, 20);
    p[0] = 0x45;
    put_u16be(p + 2, frame_len(f));
    put_u16be(p + 4, id);
    put_u16be(p + 6, flags_off);
    p[8] = 64;
    p[9] = proto;
    memcpy(p + 12, src, 4);
    memcpy(p + 16, dst, 4);
    put_u16be(p + 10, ~slow_sum(0, p, 20) & 0xffff);
}

static const uint8_t host_a[4] = {10, 0, 0, 1}, host_b[4] = {192, 0, 2, 2};
static const uint8_t host6_a[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t host6_b[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

static inline void frame_ip4(struct frame *f, uint8_t proto)
{
    frame_ip4_part(f, proto, host_a, host_b, 1, 0);
}

/* frame_ip6 wraps; `proto` is the next header, whose checksum is fixed when it is a transport. */
static inline void frame_ip6(struct frame *f, uint8_t proto)
{
    frame_fix_sum(f->room + f->at, frame_len(f), proto, host6_a, host6_b, 16);
    uint32_t len = frame_len(f);
    uint8_t *p = frame_put(f, NULL, 40);
    p[0] = 0x60;
    put_u16be(p + 4, len);
    p[6] = proto;
    p[7] = 63;
    memcpy(p + 8, host6_a, 16);
    memcpy(p + 24, host6_b, 16);
}

static inline void frame_ethernet(struct frame *f, uint16_t type)
{
    static const uint8_t stations[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    put_u16be(frame_put(f, NULL, 2), type);
    (void)frame_put(f, stations, sizeof stations);
}

#endif
