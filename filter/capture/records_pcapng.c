/* records_pcapng.c - blocks of the pcapng format (draft-ietf-opsawg-pcapng). */
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "capture/records.h"

#define BLOCK_SECTION   UINT32_C(0x0a0d0d0a)
#define BLOCK_INTERFACE UINT32_C(1)
#define BLOCK_OLD       UINT32_C(2) /* obsolete Packet Block */
#define BLOCK_SIMPLE    UINT32_C(3)
#define BLOCK_NAMES     UINT32_C(4)
#define BLOCK_STATS     UINT32_C(5)
#define BLOCK_ENHANCED  UINT32_C(6)
#define BLOCK_SECRETS   UINT32_C(10)
#define BYTE_ORDER      UINT32_C(0x1a2b3c4d)

enum {
    BLOCK_MIN = 12,                                        /* type and length at both ends */
    BLOCK_HOLD_MAX = RECORDS_HOLD_MAX - SOURCE_RESYNC_MAX, /* longer ones are passed over unread */
    BLOCK_SANE_MAX = 128 * 1024 * 1024,                    /* a longer one is damage */
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14
};

/* ngblock is one block in hand: its body lies between the lengths. */
struct ngblock {
    uint32_t type;
    uint64_t at; /* in the file */
    const uint8_t *body;
    size_t len;
};

static uint32_t load_u32(const struct records *r, const uint8_t *p)
{
    return r->swapped ? load_u32be(p) : load_u32le(p);
}

static uint16_t load_u16(const struct records *r, const uint8_t *p)
{
    return r->swapped ? load_u16be(p) : load_u16le(p);
}

static uint64_t load_u64(const struct records *r, const uint8_t *p)
{
    return r->swapped ? load_u64be(p) : load_u64le(p);
}

bool pcapng_looks_right(const uint8_t *bytes, size_t len)
{
    return len >= 12 && load_u32le(bytes) == BLOCK_SECTION &&
           (load_u32le(bytes + 8) == BYTE_ORDER || load_u32be(bytes + 8) == BYTE_ORDER);
}

static uint64_t power10(unsigned n)
{
    uint64_t power = 1;
    while (n-- > 0)
        power *= 10;
    return power;
}

static void clock_resolution(struct clock *c, uint8_t resolution)
{
    unsigned n = resolution & 0x7f;
    c->binary = (resolution & 0x80) != 0;
    c->shift = (uint8_t)(n < 63 ? n : 63);
    c->multiply = n <= 9 ? power10(9 - n) : 0;
    c->divide = n > 9 && n <= 28 ? power10(n - 9) : UINT64_MAX;
}

static uint64_t multiply_capped(uint64_t a, uint64_t b)
{
    return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Units of the interface's clock as ns since 1970, capped to what 64 bits hold. */
static uint64_t clock_ns(const struct clock *c, uint64_t units)
{
    uint64_t ns;
    if (c->binary) {
        uint64_t fraction = c->shift == 0 ? 0 : units & ((UINT64_C(1) << c->shift) - 1);
        unsigned shift = c->shift;
        if (shift > 32) {
            fraction >>= shift - 32;
            shift = 32;
        }
        ns = add_capped(multiply_capped(units >> c->shift, UINT64_C(1000000000)),
                        fraction * UINT64_C(1000000000) >> shift);
    } else {
        ns = c->multiply > 0 ? multiply_capped(units, c->multiply) : units / c->divide;
    }
    if (c->offset_s >= 0)
        return add_capped(ns, multiply_capped((uint64_t)c->offset_s, UINT64_C(1000000000)));
    uint64_t back = multiply_capped(-(uint64_t)c->offset_s, UINT64_C(1000000000));
    return ns > back ? ns - back : 0;
}

static void complain(struct records *r, uint64_t at, const char *what)
{
    complaints_add(r->complaints, "%s: at %" PRIu64 ": %s", r->name, at, what);
}

static void read_interface_options(struct records *r, struct interface *i, struct cursor c)
{
    const uint8_t *head, *value;
    while (cursor_take(&c, 4, &head)) {
        uint16_t code = load_u16(r, head), len = load_u16(r, head + 2);
        if (code == 0 || !cursor_take(&c, len, &value))
            return;
        if (code == OPTION_TSRESOL && len == 1)
            clock_resolution(&i->clock, value[0]);
        else if (code == OPTION_TSOFFSET && len == 8)
            i->clock.offset_s = (int64_t)load_u64(r, value);
        if (!cursor_skip(&c, (4u - len % 4u) % 4u))
            return;
    }
}

static bool interface_room(struct records *r, const struct ngblock *block)
{
    if (r->n_interfaces < r->max_interfaces)
        return true;
    size_t max = r->max_interfaces > 0 ? 2 * r->max_interfaces : 8;
    struct interface *more = NULL;
    if (max <= INTERFACES_MAX)
        more = realloc(r->interfaces, max * sizeof *more);
    if (more == NULL) {
        complain(r, block->at, "too many interfaces, rest not read");
        r->ended = true;
        return false;
    }
    r->interfaces = more;
    r->max_interfaces = max;
    return true;
}

static void read_interface(struct records *r, const struct ngblock *block)
{
    if (block->len < 8) {
        complain(r, block->at, "interface description is too short");
        return;
    }
    if (!interface_room(r, block))
        return;
    struct interface i = {.link_type = load_u16(r, block->body),
                          .snaplen = load_u32(r, block->body + 4)};
    clock_resolution(&i.clock, 6);
    read_interface_options(r, &i, (struct cursor){block->body, block->len, 8});
    r->interfaces[r->n_interfaces++] = i;
}

static void read_section(struct records *r, const struct ngblock *block)
{
    r->n_interfaces = 0;
    if (block->len < 16) {
        complain(r, block->at, "section header is too short");
        return;
    }
    unsigned major = load_u16(r, block->body + 4);
    if (major == 1)
        return;
    complaints_add(r->complaints,
                   "%s: at %" PRIu64 ": pcapng version %u is not known, rest not read", r->name,
                   block->at, major);
    r->ended = true;
}

static void add_packet(struct records *r, const struct ngblock *block, size_t head, uint32_t len,
                       uint32_t wire_len, uint16_t link_type, struct block *b)
{
    b->packets[b->n_packets++] = (struct packet){
        .bytes = block->body + head,
        .len = len,
        .wire_len = wire_len > len ? wire_len : len,
        .time_ns = r->last_ns,
        .file_off = block->at + 8 + head,
        .file = r->file,
        .link_type = link_type,
    };
}

/* The Enhanced Packet Block and the obsolete Packet Block, which differ in their first words. */
static void read_packet(struct records *r, const struct ngblock *block, struct block *b)
{
    if (block->len < 20) {
        complain(r, block->at, "packet block is too short");
        return;
    }
    const uint8_t *p = block->body;
    uint32_t i = block->type == BLOCK_OLD ? load_u16(r, p) : load_u32(r, p);
    uint64_t units = (uint64_t)load_u32(r, p + 4) << 32 | load_u32(r, p + 8);
    uint32_t len = load_u32(r, p + 12), wire_len = load_u32(r, p + 16);
    if (i >= r->n_interfaces) {
        complaints_add(r->complaints, "%s: at %" PRIu64 ": interface %" PRIu32 " is not described",
                       r->name, block->at, i);
    } else if (len > block->len - 20) {
        complaints_add(r->complaints,
                       "%s: at %" PRIu64 ": packet length %" PRIu32 " exceeds its block", r->name,
                       block->at, len);
    } else if (len > SOURCE_PACKET_MAX) {
        complaints_add(r->complaints,
                       "%s: at %" PRIu64 ": packet of %" PRIu32 " bytes exceeds %d, passed over",
                       r->name, block->at, len, (int)SOURCE_PACKET_MAX);
        r->oversize++;
    } else {
        r->last_ns = clock_ns(&r->interfaces[i].clock, units);
        add_packet(r, block, 20, len, wire_len, r->interfaces[i].link_type, b);
    }
}

/* The Simple Packet Block has no time: it gets that of the packet before it. */
static void read_simple(struct records *r, const struct ngblock *block, struct block *b)
{
    if (block->len < 4 || r->n_interfaces == 0) {
        complain(r, block->at,
                 block->len < 4 ? "packet block is too short" : "interface 0 is not described");
        return;
    }
    uint32_t wire_len = load_u32(r, block->body), len = wire_len;
    uint32_t snaplen = r->interfaces[0].snaplen;
    if (snaplen > 0 && len > snaplen)
        len = snaplen;
    if (len > block->len - 4)
        len = (uint32_t)(block->len - 4);
    if (len > SOURCE_PACKET_MAX) {
        complain(r, block->at, "packet is too large, passed over");
        r->oversize++;
        return;
    }
    add_packet(r, block, 4, len, wire_len, r->interfaces[0].link_type, b);
}

static void read_block(struct records *r, const struct ngblock *block, struct block *b)
{
    switch (block->type) {
    case BLOCK_SECTION:
        read_section(r, block);
        break;
    case BLOCK_INTERFACE:
        read_interface(r, block);
        break;
    case BLOCK_ENHANCED:
    case BLOCK_OLD:
        read_packet(r, block, b);
        break;
    case BLOCK_SIMPLE:
        read_simple(r, block, b);
        break;
    default: /* names, statistics, secrets, custom blocks: nothing of packets */
        break;
    }
}

/* The byte order of a section stands inside its header and rules its own length already. */
static bool section_order(const uint8_t *bytes, bool *swapped)
{
    if (load_u32le(bytes + 8) != BYTE_ORDER && load_u32be(bytes + 8) != BYTE_ORDER)
        return false;
    *swapped = load_u32be(bytes + 8) == BYTE_ORDER;
    return true;
}

/* Block length with its padding; some writers leave the padding out of the field. */
static size_t padded(uint32_t total)
{
    return ((size_t)total + 3) & ~(size_t)3;
}

/* Types in use, custom and local ones: others with a great length are more likely damage. */
static bool may_be_long(uint32_t type)
{
    return (type > 0 && type < 0x1000) || type == UINT32_C(0x40000bad) || type == BLOCK_SECTION ||
           (type & UINT32_C(0x80000000)) != 0;
}

/* What is wrong with the block header at bytes[0] (12 bytes at least); NULL when nothing is. */
static const char *header_wrong(const uint8_t *bytes, bool swapped)
{
    uint32_t type = swapped ? load_u32be(bytes) : load_u32le(bytes);
    bool order = swapped;
    if (type == BLOCK_SECTION && !section_order(bytes, &order))
        return "section header without byte order";
    uint32_t total = order ? load_u32be(bytes + 4) : load_u32le(bytes + 4);
    if (total < BLOCK_MIN)
        return "block length is below 12";
    if (total > BLOCK_SANE_MAX || (total > BLOCK_HOLD_MAX && !may_be_long(type)))
        return "block length is too large";
    return NULL;
}

static bool known_type(uint32_t type)
{
    return (type >= BLOCK_INTERFACE && type <= BLOCK_ENHANCED) || type == BLOCK_SECRETS ||
           type == BLOCK_SECTION;
}

/* Looks for a whole block of a known type behind damage at bytes[0]; results as in find_record of
 * the pcap format. */
static size_t find_block(const struct records *r, const uint8_t *bytes, size_t len, bool last)
{
    for (size_t at = 1; at <= SOURCE_RESYNC_MAX; at++) {
        if (len < BLOCK_MIN || at > len - BLOCK_MIN)
            return last ? SIZE_MAX : 0;
        const uint8_t *p = bytes + at;
        bool swapped = r->swapped;
        uint32_t type = swapped ? load_u32be(p) : load_u32le(p);
        if (!known_type(type) || (type == BLOCK_SECTION && !section_order(p, &swapped)))
            continue;
        uint32_t total = swapped ? load_u32be(p + 4) : load_u32le(p + 4);
        if (total < BLOCK_MIN || total % 4 != 0 || total > BLOCK_HOLD_MAX)
            continue;
        if (total > len - at) {
            if (!last)
                return 0;
            continue;
        }
        const uint8_t *tail = p + total - 4;
        if ((swapped ? load_u32be(tail) : load_u32le(tail)) == total)
            return at;
    }
    return SIZE_MAX;
}

static size_t pass_damage(struct records *r, const uint8_t *bytes, size_t len, bool last,
                          uint64_t at, const char *what)
{
    size_t gap = find_block(r, bytes, len, last);
    if (gap == 0)
        return 0;
    if (gap == SIZE_MAX) {
        complaints_add(r->complaints,
                       "%s: at %" PRIu64 ": %s; no further block within %d bytes, rest not read",
                       r->name, at, what, (int)SOURCE_RESYNC_MAX);
        r->ended = true;
        r->lost_bytes += len;
        return len;
    }
    complaints_add(r->complaints, "%s: at %" PRIu64 ": %s; %zu bytes lost before the next block",
                   r->name, at, what, gap);
    r->lost_bytes += gap;
    return gap;
}

/* A block too long to hold: packets in it are too large, other blocks say nothing of packets. */
static void pass_long_block(struct records *r, uint32_t type, uint32_t total, uint64_t at)
{
    r->skip = padded(total) - 8;
    if (type == BLOCK_SECTION || type == BLOCK_INTERFACE) {
        complain(r, at, "section or interface description is too long, rest not read");
        r->ended = true;
    } else if (type == BLOCK_ENHANCED || type == BLOCK_OLD || type == BLOCK_SIMPLE) {
        complaints_add(r->complaints,
                       "%s: at %" PRIu64 ": packet block of %" PRIu32
                       " bytes exceeds %d, passed over",
                       r->name, at, total, (int)BLOCK_HOLD_MAX);
        r->oversize++;
    }
}

/* The file ends inside a block. What there is of an enhanced packet block is handed out. */
static void add_cut_block(struct records *r, const uint8_t *bytes, size_t left, uint64_t at,
                          uint32_t total, struct block *b)
{
    complaints_add(r->complaints, "%s: at %" PRIu64 ": file ends inside a block, %zu bytes missing",
                   r->name, at, padded(total) - left);
    r->ended = true;
    if (left <= 28 || load_u32(r, bytes) != BLOCK_ENHANCED)
        return;
    uint32_t i = load_u32(r, bytes + 8), len = load_u32(r, bytes + 20);
    uint32_t have = (uint32_t)left - 28;
    if (i >= r->n_interfaces || len > total - 32)
        return;
    struct ngblock block = {BLOCK_ENHANCED, at, bytes + 8, left - 8};
    uint32_t wire_len = load_u32(r, bytes + 24);
    r->last_ns = clock_ns(&r->interfaces[i].clock,
                          (uint64_t)load_u32(r, bytes + 12) << 32 | load_u32(r, bytes + 16));
    add_packet(r, &block, 20, len < have ? len : have, wire_len > len ? wire_len : len,
               r->interfaces[i].link_type, b);
}

/* One block at bytes[0]. Gives the bytes done with, 0 to see more first. */
static size_t step(struct records *r, const uint8_t *bytes, size_t left, bool last, uint64_t at,
                   struct block *b)
{
    if (left < BLOCK_MIN) {
        if (!last)
            return 0;
        complaints_add(r->complaints, "%s: at %" PRIu64 ": file ends inside a block header",
                       r->name, at);
        r->ended = true;
        return left;
    }
    const char *wrong = header_wrong(bytes, r->swapped);
    if (wrong != NULL)
        return pass_damage(r, bytes, left, last, at, wrong);
    uint32_t type = load_u32(r, bytes);
    bool swapped = r->swapped;
    if (type == BLOCK_SECTION)
        (void)section_order(bytes, &swapped);
    uint32_t total = swapped ? load_u32be(bytes + 4) : load_u32le(bytes + 4);
    if (total > BLOCK_HOLD_MAX) {
        pass_long_block(r, type, total, at);
        return 8;
    }
    if (padded(total) > left) {
        if (!last)
            return 0;
        if (find_block(r, bytes, left, true) != SIZE_MAX)
            return pass_damage(r, bytes, left, true, at, "block length exceeds the file");
        add_cut_block(r, bytes, left, at, total, b);
        return left;
    }
    const uint8_t *tail = bytes + padded(total) - 4;
    if ((swapped ? load_u32be(tail) : load_u32le(tail)) != total)
        return pass_damage(r, bytes, left, last, at, "the two lengths of the block differ");
    r->swapped = swapped;
    struct ngblock block = {type, at, bytes + 8, padded(total) - BLOCK_MIN};
    read_block(r, &block, b);
    return padded(total);
}

size_t pcapng_records_walk(struct records *r, const uint8_t *bytes, size_t len, bool last,
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
