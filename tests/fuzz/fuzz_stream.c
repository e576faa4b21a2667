/* fuzz_stream.c - both directions of one TCP connection, segment by segment.
 *
 * Input: one byte (1: all bytes agree with their place, and no urgent ones; 2: hardly any memory),
 * then 8 bytes a segment: direction and doubts, TCP flags, sequence offset (2, big-endian, signed),
 * length (1, times 8 when even), cut, acknowledged offset (2).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "flow/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "fuzz_stream: %s\n", what);
    abort();
}

struct side {
    struct stream stream;
    uint64_t bytes, gaps, aside, anomalies, put;
    uint32_t isn;
    bool agree;
};

static uint8_t byte_at(uint32_t seq)
{
    return (uint8_t)(seq * 2654435761u >> 24);
}

/* In a stream whose bytes agree, each comes out at its own place. */
static void on_bytes(void *receiver, const uint8_t *bytes, size_t len, struct run from)
{
    struct side *s = receiver;
    must(from.len == len && len > 0, "length of a run");
    s->bytes += len;
    for (size_t i = 0; s->agree && i < len; i++)
        must(bytes[i] == byte_at(s->stream.next_seq - (uint32_t)(len - i)), "byte out of place");
}

static void on_gap(void *receiver, uint64_t missing)
{
    must(missing > 0, "empty gap");
    ((struct side *)receiver)->gaps += missing;
}

static void on_aside(void *receiver, const uint8_t *bytes, size_t len, struct run from)
{
    struct side *s = receiver;
    must(from.len == len && len > 0 && bytes != NULL, "length aside");
    s->aside += len;
}

static void on_anomaly(void *receiver, const char *what, struct run at)
{
    (void)at;
    must(what != NULL, "anomaly without words");
    ((struct side *)receiver)->anomalies++;
}

static const struct stream_sink sink = {on_bytes, on_gap, on_aside, on_anomaly};

/* load_offset is a signed offset of two bytes, as it is added to a sequence number. */
static uint32_t load_offset(const uint8_t *p)
{
    uint32_t v = load_u16be(p);
    return v < 0x8000u ? v : v - 0x10000u;
}

static void put(struct side sides[2], const uint8_t *op, uint32_t number, struct pool *pool)
{
    unsigned direction = op[0] & 1;
    struct side *here = &sides[direction], *there = &sides[direction ^ 1u];
    uint32_t len = op[4] % 2 == 0 ? op[4] * 8u : op[4];
    uint8_t *copy = malloc(len > 0 ? len : 1);
    must(copy != NULL, "memory");
    uint32_t seq = here->isn + load_offset(op + 2);
    uint8_t flags = here->agree ? (uint8_t)(op[1] & ~TCP_URG) : op[1];
    uint32_t first = seq + ((flags & TCP_SYN) ? 1 : 0);
    for (uint32_t i = 0; i < len; i++)
        copy[i] = here->agree ? byte_at(first + i) : (uint8_t)(op[5] + i);
    struct tcp_segment seg = {
        .bytes = copy,
        .len = len,
        .wire_len = len + (op[0] & 0x40 ? op[5] : 0),
        .from = {number, 54, len},
        .seq = seq,
        .ack = there->isn + load_offset(op + 6),
        .urgent = op[5],
        .flags = flags,
        .ttl = op[0] & 0x08 ? 3 : 64,
        .checksum_good = (op[0] & 0x06) == 0,
        .checksum_bad = (op[0] & 0x06) == 2,
    };
    here->put += len;
    stream_put(&here->stream, &there->stream, &seg, number, pool, &sink, here, there);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1)
        return 0;
    struct pool *pool = pool_open(bytes[0] & 2 ? 4096 : 1 << 22);
    must(pool != NULL, "memory");
    struct side sides[2] = {{.isn = 0xfffffff0u}, {.isn = 77}};
    sides[0].agree = sides[1].agree = (bytes[0] & 1) != 0;
    uint32_t number = 0;
    for (size_t at = 1; len - at >= 8; at += 8)
        put(sides, bytes + at, ++number, pool);
    for (unsigned d = 0; d < 2; d++) {
        struct side *s = &sides[d];
        stream_finish(&s->stream, pool, &sink, s);
        must(s->bytes == s->stream.delivered && s->gaps == s->stream.missing, "counts");
        must(s->bytes + s->stream.urgent_bytes <= s->put, "more bytes than came");
        must(s->stream.n_held == 0 && s->stream.held_bytes == 0, "still waiting");
        must(s->anomalies <= 1001 && s->anomalies <= s->stream.anomalies + 1, "anomalies told");
    }
    must(pool_used(pool) == 0, "memory kept");
    pool_close(pool);
    return 0;
}
