/* capture_file.h - writes pcap and pcapng files into memory, in either byte order, for tests. */
#ifndef TESTS_CAPTURE_FILE_H
#define TESTS_CAPTURE_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>

struct file {
    uint8_t *bytes;
    size_t len, max;
    bool big; /* byte order */
};

static inline void put(struct file *f, const void *bytes, size_t len)
{
    if (f->len + len > f->max) {
        f->max = (f->len + len) * 2;
        f->bytes = realloc(f->bytes, f->max);
        assert_non_null(f->bytes);
    }
    if (len > 0)
        memcpy(f->bytes + f->len, bytes, len);
    f->len += len;
}

static inline void put_uint(struct file *f, uint64_t n, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        unsigned shift = 8 * (f->big ? size - 1 - i : i);
        uint8_t byte = (uint8_t)(n >> shift);
        put(f, &byte, 1);
    }
}

static inline void put32(struct file *f, uint64_t n)
{
    put_uint(f, n, 4);
}

static inline void put_fill(struct file *f, uint8_t byte, size_t len)
{
    while (len-- > 0)
        put(f, &byte, 1);
}

static inline void drop(struct file *f)
{
    free(f->bytes);
    *f = (struct file){0};
}

static inline void pcap_header(struct file *f, uint32_t magic, uint32_t link_type)
{
    put32(f, magic);
    put_uint(f, 2, 2);
    put_uint(f, 4, 2);
    put32(f, 0);
    put32(f, 0);
    put32(f, 65535);
    put32(f, link_type);
}

static inline void pcap_record(struct file *f, uint32_t s, uint32_t fraction, uint32_t len,
                               uint32_t wire_len, uint8_t fill)
{
    put32(f, s);
    put32(f, fraction);
    put32(f, len);
    put32(f, wire_len);
    put_fill(f, fill, len);
}

static inline void ng_block(struct file *f, uint32_t type, const uint8_t *body, size_t len)
{
    size_t whole = (len + 3) / 4 * 4 + 12;
    put32(f, type);
    put32(f, whole);
    put(f, body, len);
    put_fill(f, 0, whole - 12 - len);
    put32(f, whole);
}

static inline void ng_section(struct file *f)
{
    struct file body = {.big = f->big};
    put32(&body, 0x1a2b3c4d);
    put_uint(&body, 1, 2);
    put_uint(&body, 0, 2);
    put_uint(&body, UINT64_MAX, 8);
    ng_block(f, 0x0a0d0d0a, body.bytes, body.len);
    drop(&body);
}

/* tsresol 0: the option is left out; offset_s 0 likewise. */
static inline void ng_interface(struct file *f, uint16_t link_type, uint32_t snaplen,
                                uint8_t tsresol, int64_t offset_s)
{
    struct file body = {.big = f->big};
    put_uint(&body, link_type, 2);
    put_uint(&body, 0, 2);
    put32(&body, snaplen);
    put_uint(&body, 2, 2); /* if_name, to be passed over */
    put_uint(&body, 3, 2);
    put(&body, "eth\0", 4);
    if (tsresol != 0) {
        put_uint(&body, 9, 2);
        put_uint(&body, 1, 2);
        put_uint(&body, tsresol, 1);
        put_fill(&body, 0, 3);
    }
    if (offset_s != 0) {
        put_uint(&body, 14, 2);
        put_uint(&body, 8, 2);
        put_uint(&body, (uint64_t)offset_s, 8);
    }
    put32(&body, 0);
    ng_block(f, 1, body.bytes, body.len);
    drop(&body);
}

static inline void ng_packet(struct file *f, uint32_t interface, uint64_t units, uint32_t len,
                             uint32_t wire_len, uint8_t fill)
{
    struct file body = {.big = f->big};
    put32(&body, interface);
    put32(&body, units >> 32);
    put32(&body, units & UINT32_MAX);
    put32(&body, len);
    put32(&body, wire_len);
    put_fill(&body, fill, (len + 3) / 4 * 4);
    put32(&body, 0x00080001); /* a comment, to be passed over */
    put(&body, "comment.", 8);
    ng_block(f, 6, body.bytes, body.len);
    drop(&body);
}

static inline size_t gzip_into(uint8_t *to, size_t size, const uint8_t *from, size_t len)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, from, len);
    z.next_in = copy;
    z.avail_in = (uInt)len;
    z.next_out = to;
    z.avail_out = (uInt)size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = size - z.avail_out;
    (void)deflateEnd(&z);
    free(copy);
    return n;
}

/* Packet i of a big file: its length, its bytes. */
static inline uint32_t packet_len(uint32_t i)
{
    return i % 97 == 0 ? 60000 + i % 5000 : 1 + i * 7 % 1500;
}

static inline void fill_packet(uint8_t *to, uint32_t i, uint32_t len)
{
    for (uint32_t j = 0; j < len; j++)
        to[j] = (uint8_t)(i * 31 + j);
}

static inline void big_pcap(struct file *f, uint32_t n)
{
    static uint8_t bytes[65536];
    pcap_header(f, 0xa1b2c3d4, 1);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = packet_len(i);
        put32(f, 1000 + i);
        put32(f, 0);
        put32(f, len);
        put32(f, len);
        fill_packet(bytes, i, len);
        put(f, bytes, len);
    }
}

#endif
