/* records.h - from the bytes of a capture file (pcap, pcapng) to packets in a block. No I/O here.
 */
#ifndef CAPTURE_RECORDS_H
#define CAPTURE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/source.h"

enum {
    /* Most bytes records_walk may need to see at once: the search after damage and a record. */
    RECORDS_HOLD_MAX = SOURCE_RESYNC_MAX + SOURCE_PACKET_MAX + 64 * 1024,
    INTERFACES_MAX = 65536
};

_Static_assert((int)RECORDS_HOLD_MAX < (int)BLOCK_BYTES, "a block holds what a walk needs");

/* complaints is where faults go: all are counted, the first ones of a file told. */
struct complaints {
    source_fault_fn *tell; /* or NULL */
    void *receiver;
    uint64_t n;      /* in all */
    unsigned n_file; /* of this file */
};

/* complaints_add counts and tells one fault; complaints_file_end sums up those not told. */
__attribute__((format(printf, 2, 3))) void complaints_add(struct complaints *c, const char *fmt,
                                                          ...);
void complaints_file_end(struct complaints *c, const char *name);

enum record_format {
    FORMAT_UNKNOWN,
    FORMAT_PCAP,
    FORMAT_PCAPNG
};

/* clock is how a pcapng interface counts time. */
struct clock {
    bool binary;       /* units of 2^-shift seconds */
    uint8_t shift;     /* 0..63 */
    uint64_t multiply; /* decimal: ns of a unit, or 0 */
    uint64_t divide;   /* decimal: units of a ns when multiply is 0 */
    int64_t offset_s;
};

struct interface {
    uint16_t link_type;
    uint32_t snaplen; /* 0: no limit */
    struct clock clock;
};

/* records is the reading state of one file. Zeroed, then name, file and complaints set. */
struct records {
    const char *name; /* for faults */
    struct complaints *complaints;
    uint32_t file; /* written into packets */
    enum record_format format;
    uint64_t off;        /* of the next byte to be shown */
    uint64_t skip;       /* bytes still to be passed over before the next record */
    bool ended;          /* read no more of this file */
    uint64_t oversize;   /* packets passed over as too large */
    uint64_t lost_bytes; /* passed over as damaged */
    uint64_t last_ns;    /* time of the last packet, 0 before it */
    bool swapped;        /* byte order is not little-endian */
    /* pcap */
    uint32_t record_header; /* 16, or 24 in the "modified" format */
    uint32_t fraction_ns;   /* ns of a unit of the fraction: 1 or 1000 */
    uint32_t snaplen;
    uint16_t link_type;
    bool lengths_swapped; /* versions before 2.3 */
    bool lengths_mixed;   /* version 2.3 */
    /* pcapng */
    struct interface *interfaces;
    size_t n_interfaces, max_interfaces;
};

/* records_looks_right says whether a file that starts with these bytes is a capture. */
bool records_looks_right(const uint8_t *bytes, size_t len);

/* records_walk appends the packets that lie whole in bytes[0, len) to `b` until it is full, and
 * returns how many bytes it is done with; the rest is to be shown again with more behind it.
 * bytes[0] is at r->off. `last`: nothing follows. Packets point into `bytes`. Faults go to
 * r->complaints. */
size_t records_walk(struct records *r, const uint8_t *bytes, size_t len, bool last,
                    struct block *b);

/* records_free frees what the state holds. */
void records_free(struct records *r);

/* The formats, called by records_walk only. */
bool pcap_looks_right(const uint8_t *bytes, size_t len);
size_t pcap_records_start(struct records *r, const uint8_t *bytes, size_t len);
size_t pcap_records_walk(struct records *r, const uint8_t *bytes, size_t len, bool last,
                         struct block *b);
bool pcapng_looks_right(const uint8_t *bytes, size_t len);
size_t pcapng_records_walk(struct records *r, const uint8_t *bytes, size_t len, bool last,
                           struct block *b);

#endif
