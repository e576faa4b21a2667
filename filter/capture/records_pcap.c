/* records_pcap.c - records of the classic pcap format (draft-ietf-opsawg-pcap). */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "capture/records.h"

enum {
    FILE_HEADER = 24,
    OVERSIZE_MAX = 128 * 1024 * 1024, /* a longer record is damage, whatever the header allows */
    TIME_SPREAD_S = 366 * 24 * 3600   /* between neighbours, when searching after damage */
};

#define MAGIC_MICRO    UINT32_C(0xa1b2c3d4)
#define MAGIC_NANO     UINT32_C(0xa1b23c4d)
#define MAGIC_MODIFIED UINT32_C(0xa1b2cd34)

struct record {
    uint32_t seconds;
    uint32_t fraction;
    uint32_t len;
    uint32_t wire_len;
};

static uint32_t load_u32(const struct records *r, const uint8_t *p)
{
    return r->swapped ? load_u32be(p) : load_u32le(p);
}

static uint16_t load_u16(const struct records *r, const uint8_t *p)
{
    return r->swapped ? load_u16be(p) : load_u16le(p);
}

static bool is_magic(uint32_t magic)
{
    return magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_MODIFIED;
}

bool pcap_looks_right(const uint8_t *bytes, size_t len)
{
    return len >= 4 && (is_magic(load_u32le(bytes)) || is_magic(load_u32be(bytes)));
}

size_t pcap_records_start(struct records *r, const uint8_t *bytes, size_t len)
{
    if (len < FILE_HEADER) {
        complaints_add(r->complaints, "%s: at 0: file ends inside its header", r->name);
        r->ended = true;
        return 0;
    }
    r->swapped = is_magic(load_u32be(bytes));
    uint32_t magic = load_u32(r, bytes);
    unsigned major = load_u16(r, bytes + 4), minor = load_u16(r, bytes + 6);
    if (major != 2) {
        complaints_add(r->complaints, "%s: at 4: pcap version %u.%u is not known", r->name, major,
                       minor);
        r->ended = true;
        return 0;
    }
    r->format = FORMAT_PCAP;
    r->lengths_swapped = minor < 3;
    r->lengths_mixed = minor == 3;
    r->record_header = magic == MAGIC_MODIFIED ? 24 : 16;
    r->fraction_ns = magic == MAGIC_NANO ? 1 : 1000;
    r->snaplen = load_u32(r, bytes + 16);
    /* The high half of the field tells of frame check sequences; IP lengths leave them out. */
    r->link_type = (uint16_t)load_u32(r, bytes + 20);
    return FILE_HEADER;
}

static struct record record_at(const struct records *r, const uint8_t *p)
{
    struct record rec = {load_u32(r, p), load_u32(r, p + 4), load_u32(r, p + 8),
                         load_u32(r, p + 12)};
    if (r->lengths_swapped || (r->lengths_mixed && rec.len > rec.wire_len)) {
        uint32_t len = rec.len;
        rec.len = rec.wire_len;
        rec.wire_len = len;
    }
    return rec;
}

/* Whether four words could be a record header, when nothing else says that one is here. */
static bool record_plausible(const struct records *r, const struct record *rec)
{
    if (rec->len == 0 || rec->len > SOURCE_PACKET_MAX || rec->wire_len < rec->len ||
        rec->wire_len > OVERSIZE_MAX || rec->fraction >= UINT32_C(1000000000) / r->fraction_ns)
        return false;
    uint64_t before = r->last_ns / UINT64_C(1000000000);
    uint64_t gap = before > rec->seconds ? before - rec->seconds : rec->seconds - before;
    return before == 0 || gap <= TIME_SPREAD_S;
}

/* Looks for two records in a row behind damage at bytes[0]. Gives the distance to the first,
 * SIZE_MAX when there is none, or 0 when more bytes must be seen. */
static size_t find_record(const struct records *r, const uint8_t *bytes, size_t len, bool last)
{
    for (size_t at = 1; at <= SOURCE_RESYNC_MAX; at++) {
        if (len < r->record_header || at > len - r->record_header)
            return last ? SIZE_MAX : 0;
        struct record rec = record_at(r, bytes + at);
        if (!record_plausible(r, &rec))
            continue;
        size_t next = at + r->record_header + rec.len;
        if (next == len && last)
            return at;
        if (next > len || len - next < r->record_header) {
            if (!last)
                return 0;
            continue;
        }
        struct record after = record_at(r, bytes + next);
        if (record_plausible(r, &after))
            return at;
    }
    return SIZE_MAX;
}

/* A record header at bytes[0] that cannot be. Gives the bytes to pass over, 0 to see more first. */
static size_t pass_damage(struct records *r, const uint8_t *bytes, size_t len, bool last,
                          uint64_t at, const char *what)
{
    size_t gap = find_record(r, bytes, len, last);
    if (gap == 0)
        return 0;
    if (gap == SIZE_MAX) {
        complaints_add(r->complaints,
                       "%s: at %" PRIu64 ": %s; no further record within %d bytes, rest not read",
                       r->name, at, what, (int)SOURCE_RESYNC_MAX);
        r->ended = true;
        r->lost_bytes += len;
        return len;
    }
    complaints_add(r->complaints, "%s: at %" PRIu64 ": %s; %zu bytes lost before the next record",
                   r->name, at, what, gap);
    r->lost_bytes += gap;
    return gap;
}

static size_t pass_bad_length(struct records *r, const uint8_t *bytes, size_t len, bool last,
                              uint64_t at, uint32_t claim)
{
    char what[64];
    (void)snprintf(what, sizeof what, "record length %" PRIu32 " exceeds %d", claim,
                   (int)SOURCE_PACKET_MAX);
    return pass_damage(r, bytes, len, last, at, what);
}

static void add_packet(struct records *r, const struct record *rec, const uint8_t *bytes,
                       uint32_t have, uint64_t off, struct block *b)
{
    uint64_t ns =
        (uint64_t)rec->seconds * UINT64_C(1000000000) + (uint64_t)rec->fraction * r->fraction_ns;
    r->last_ns = ns;
    b->packets[b->n_packets++] = (struct packet){
        .bytes = bytes,
        .len = have,
        .wire_len = rec->wire_len > rec->len ? rec->wire_len : rec->len,
        .time_ns = ns,
        .file_off = off,
        .file = r->file,
        .link_type = r->link_type,
    };
}

/* The file ends inside a record, or its length is damage: then there may be records behind it. What
 * there is of a packet is handed out. Gives the bytes done with. */
static size_t end_inside(struct records *r, const uint8_t *bytes, size_t left, uint64_t at,
                         struct block *b)
{
    struct record rec = {0};
    size_t missing = r->record_header - left;
    bool whole_header = left >= r->record_header;
    if (whole_header) {
        rec = record_at(r, bytes);
        missing = rec.len - (left - r->record_header);
        if (find_record(r, bytes, left, true) != SIZE_MAX)
            return pass_damage(r, bytes, left, true, at, "record length exceeds the file");
    }
    complaints_add(r->complaints,
                   "%s: at %" PRIu64 ": file ends inside a record, %zu bytes missing", r->name, at,
                   missing);
    r->ended = true;
    if (left > r->record_header)
        add_packet(r, &rec, bytes + r->record_header, (uint32_t)(left - r->record_header),
                   at + r->record_header, b);
    return left;
}

static bool oversize(struct records *r, const struct record *rec, uint64_t at)
{
    if (rec->len > OVERSIZE_MAX || rec->len > r->snaplen)
        return false;
    complaints_add(r->complaints,
                   "%s: at %" PRIu64 ": packet of %" PRIu32 " bytes exceeds %d, passed over",
                   r->name, at, rec->len, (int)SOURCE_PACKET_MAX);
    r->oversize++;
    r->skip = rec->len;
    return true;
}

/* One record at bytes[0]. Gives the bytes done with, 0 to see more first. */
static size_t step(struct records *r, const uint8_t *bytes, size_t left, bool last, uint64_t at,
                   struct block *b)
{
    if (left < r->record_header)
        return last ? end_inside(r, bytes, left, at, b) : 0;
    struct record rec = record_at(r, bytes);
    if (rec.len > SOURCE_PACKET_MAX) {
        if (oversize(r, &rec, at))
            return r->record_header;
        return pass_bad_length(r, bytes, left, last, at, rec.len);
    }
    if ((rec.seconds | rec.fraction | rec.len | rec.wire_len) == 0)
        return pass_damage(r, bytes, left, last, at, "record header of zeros");
    if (rec.len > left - r->record_header)
        return last ? end_inside(r, bytes, left, at, b) : 0;
    add_packet(r, &rec, bytes + r->record_header, rec.len, at + r->record_header, b);
    return r->record_header + rec.len;
}

size_t pcap_records_walk(struct records *r, const uint8_t *bytes, size_t len, bool last,
                         struct block *b)
{
    size_t pos = 0;
    while (!r->ended && r->skip == 0 && b->n_packets < b->max_packets && pos < len) {
        size_t n = step(r, bytes + pos, len - pos, last, r->off + pos, b);
        if (n == 0)
            break;
        pos += n;
    }
    return pos;
}
