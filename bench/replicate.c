/*
 * replicate.c - makes a big capture of a small one: replicate IN OUT COPIES.
 *
 * Every copy has other flows: the low 16 bits of both addresses (IPv4 and IPv6) are XORed with the
 * number of the copy, and checksums follow by RFC 1624. Prefixes stay, so an address keeps its
 * country. Packets are STEP_US apart, each later than the one before. Ethernet pcap only, with or
 * without VLAN tags; what is no IP is copied as it is. Addresses inside a tunnel stay.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_HEADER = 24,
    RECORD_HEADER = 16,
    PACKET_MAX = 262144,
    STEP_US = 10,
    SINK_BYTES = 1 << 20,
    START_S = 1710462600,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_ICMP6 = 58,
    PROTO_OPTIONS = 60,
    COPIES_MAX = 65536,
};

struct capture {
    uint8_t *bytes;
    size_t len;
};

static uint32_t read_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void write_le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint16_t read_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void write_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* checksum_replace: HC' = ~(~HC + ~m + m'), RFC 1624 eqn. 3. */
static void checksum_replace(uint8_t *at, uint16_t was, uint16_t is)
{
    uint32_t sum = (uint32_t)(uint16_t)~read_be16(at) + (uint16_t)~was + is;

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    write_be16(at, (uint16_t)~sum);
}

/* checksum_of finds the transport checksum that covers the addresses, or NULL. */
static uint8_t *checksum_of(uint8_t *transport, size_t len, unsigned proto)
{
    size_t at = proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 : 2;

    if ((proto != PROTO_TCP && proto != PROTO_UDP && proto != PROTO_ICMP6) || len < at + 2)
        return NULL;
    if (proto == PROTO_UDP && read_be16(transport + at) == 0)
        return NULL; /* not used: RFC 768 */
    return transport + at;
}

/* address_vary XORs the last two bytes of one address; both checksums, if any, follow. */
static void address_vary(uint8_t *low, uint16_t mask, uint8_t *sum, uint8_t *transport_sum)
{
    uint16_t was = read_be16(low);
    uint16_t is = was ^ mask;

    write_be16(low, is);
    if (sum)
        checksum_replace(sum, was, is);
    if (transport_sum)
        checksum_replace(transport_sum, was, is);
}

static void ipv4_vary(uint8_t *ip, size_t len, uint16_t mask)
{
    size_t head = (size_t)(ip[0] & 15) * 4;
    uint8_t *transport_sum = NULL;

    if (len < 20 || ip[0] >> 4 != 4 || head < 20 || head > len)
        return;
    if ((read_be16(ip + 6) & 0x1fff) == 0 && ip[9] != PROTO_ICMP6)
        transport_sum = checksum_of(ip + head, len - head, ip[9]);
    address_vary(ip + 14, mask, ip + 10, transport_sum);
    address_vary(ip + 18, mask, ip + 10, transport_sum);
}

/* ipv6_transport walks extension headers to the transport; its offset, or len when there is none.
 */
static size_t ipv6_transport(const uint8_t *ip, size_t len, unsigned *proto)
{
    size_t at = 40;

    *proto = ip[6];
    while (at + 8 <= len) {
        if (*proto == PROTO_FRAGMENT && read_be16(ip + at + 2) >> 3 != 0)
            return len;
        if (*proto != 0 && *proto != PROTO_ROUTING && *proto != PROTO_FRAGMENT &&
            *proto != PROTO_OPTIONS)
            return at;
        size_t extent = *proto == PROTO_FRAGMENT ? 8 : ((size_t)ip[at + 1] + 1) * 8;
        *proto = ip[at];
        at += extent;
    }
    return len;
}

static void ipv6_vary(uint8_t *ip, size_t len, uint16_t mask)
{
    uint8_t *transport_sum = NULL;
    unsigned proto = 0;
    size_t at;

    if (len < 40 || ip[0] >> 4 != 6)
        return;
    at = ipv6_transport(ip, len, &proto);
    if (at < len)
        transport_sum = checksum_of(ip + at, len - at, proto);
    address_vary(ip + 22, mask, NULL, transport_sum);
    address_vary(ip + 38, mask, NULL, transport_sum);
}

static void frame_vary(uint8_t *frame, size_t len, uint16_t mask)
{
    size_t at = 12;

    while (at + 4 <= len && (read_be16(frame + at) == 0x8100 || read_be16(frame + at) == 0x88a8))
        at += 4;
    if (at + 2 > len)
        return;
    if (read_be16(frame + at) == 0x0800)
        ipv4_vary(frame + at + 2, len - at - 2, mask);
    else if (read_be16(frame + at) == 0x86dd)
        ipv6_vary(frame + at + 2, len - at - 2, mask);
}

/* capture_load reads a whole file; the caller frees bytes. False with errno set when it cannot. */
static bool capture_load(const char *path, struct capture *out)
{
    FILE *file = fopen(path, "rb");
    long size = -1;

    if (!file)
        return false;
    if (fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    rewind(file);
    out->len = size > 0 ? (size_t)size : 0;
    out->bytes = malloc(out->len + 1);
    if (size < 0 || !out->bytes || fread(out->bytes, 1, out->len, file) != out->len) {
        free(out->bytes);
        out->bytes = NULL;
    }
    fclose(file);
    return out->bytes != NULL;
}

/* copy_write writes one varied copy of all records; the clock goes on from where it was. */
static bool copy_write(const struct capture *in, uint16_t mask, uint64_t *clock_us, FILE *sink)
{
    static uint8_t record[RECORD_HEADER + PACKET_MAX];
    size_t at = FILE_HEADER;

    while (in->len - at >= RECORD_HEADER) {
        size_t captured = read_le32(in->bytes + at + 8);

        if (captured > PACKET_MAX || captured > in->len - at - RECORD_HEADER)
            break;
        memcpy(record, in->bytes + at, RECORD_HEADER + captured);
        write_le32(record, (uint32_t)(START_S + *clock_us / 1000000));
        write_le32(record + 4, (uint32_t)(*clock_us % 1000000));
        *clock_us += STEP_US;
        if (mask)
            frame_vary(record + RECORD_HEADER, captured, mask);
        if (fwrite(record, 1, RECORD_HEADER + captured, sink) != RECORD_HEADER + captured)
            return false;
        at += RECORD_HEADER + captured;
    }
    return true;
}

int main(int argc, char **argv)
{
    static char sink_bytes[SINK_BYTES];
    struct capture in = {0};
    uint64_t clock_us = 0;
    unsigned long copies = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    FILE *sink;
    bool done = true;

    if (copies == 0 || copies > COPIES_MAX) {
        fprintf(stderr, "usage: replicate IN.pcap OUT.pcap COPIES (1..%d)\n", COPIES_MAX);
        return 2;
    }
    if (!capture_load(argv[1], &in)) {
        fprintf(stderr, "replicate: %s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    if (in.len < FILE_HEADER || read_le32(in.bytes) != 0xa1b2c3d4 ||
        read_le32(in.bytes + 20) != 1) {
        fprintf(stderr, "replicate: %s: not a little-endian Ethernet pcap of microseconds\n",
                argv[1]);
        free(in.bytes);
        return 2;
    }
    sink = fopen(argv[2], "wb");
    if (!sink) {
        fprintf(stderr, "replicate: %s: %s\n", argv[2], strerror(errno));
        free(in.bytes);
        return 2;
    }
    setvbuf(sink, sink_bytes, _IOFBF, sizeof sink_bytes);
    done = fwrite(in.bytes, 1, FILE_HEADER, sink) == FILE_HEADER;
    for (unsigned long i = 0; done && i < copies; i++)
        done = copy_write(&in, (uint16_t)i, &clock_us, sink);
    if (fclose(sink) != 0)
        done = false;
    if (!done)
        fprintf(stderr, "replicate: %s: %s\n", argv[2], strerror(errno));
    free(in.bytes);
    return done ? 0 : 2;
}
