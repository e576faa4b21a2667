/* fuzz_source.c - any bytes as a capture file: read as a file, and walked whole and in pieces. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "capture/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "fuzz_source: %s\n", what);
    abort();
}

static void check_packet(const struct packet *p, const uint8_t *from, size_t len)
{
    must(p->len <= p->wire_len && p->len <= SOURCE_PACKET_MAX, "lengths");
    must(p->bytes >= from && p->bytes + p->len <= from + len, "packet outside its memory");
}

/* sum is what a walk found, to compare two of them. */
struct sum {
    uint64_t packets, hash, faults, off;
};

static void add(struct sum *sum, uint64_t n)
{
    sum->hash = (sum->hash ^ n) * UINT64_C(0x9e3779b97f4a7c15);
    sum->hash ^= sum->hash >> 29;
}

static void add_packets(struct sum *sum, struct block *b, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < b->n_packets; i++) {
        const struct packet *p = &b->packets[i];
        check_packet(p, from, len);
        add(sum, p->file_off);
        add(sum, p->len);
        add(sum, p->wire_len);
        add(sum, p->time_ns);
        add(sum, p->link_type);
        for (uint32_t j = 0; j < p->len; j += 7)
            add(sum, p->bytes[j]);
    }
    sum->packets += b->n_packets;
    b->n_packets = 0;
}

/* Shows the file in windows that grow by `step` bytes; each is an exact-size copy. */
static struct sum walk(const uint8_t *bytes, size_t len, size_t step, struct block *b)
{
    struct sum sum = {0};
    struct complaints complaints = {0};
    struct records r = {.name = "x", .complaints = &complaints};
    size_t start = 0, end = 0;
    bool last = false;
    while (!r.ended && !(last && start == end)) {
        end = len - end > step ? end + step : len;
        last = end == len;
        while (!r.ended) {
            size_t skip = r.skip < end - start ? (size_t)r.skip : end - start;
            r.skip -= skip;
            r.off += skip;
            start += skip;
            uint8_t *view = malloc(end - start + 1);
            must(view != NULL, "memory");
            memcpy(view, bytes + start, end - start);
            size_t done = records_walk(&r, view, end - start, last, b);
            must(done <= end - start, "walked too far");
            add_packets(&sum, b, view, end - start);
            free(view);
            start += done;
            must(start == r.off, "offset");
            if (done == 0 || start == end)
                break;
        }
        must(!last || r.ended || start == end, "stuck at the end");
    }
    sum.faults = complaints.n;
    sum.off = r.off;
    records_free(&r);
    return sum;
}

static void count_fault(void *receiver, const struct fault *f)
{
    must(f->text[0] != '\0', "fault without words");
    ++*(uint64_t *)receiver;
}

static uint64_t read_file(const uint8_t *bytes, size_t len, struct block *b)
{
    int fd = memfd_create("x", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len, "memfd");
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const char *one = path;
    uint64_t told = 0, packets = 0;
    struct source_options o = {.on_fault = count_fault, .receiver = &told};
    struct fault f;
    struct source *s = source_open(&one, 1, &o, &f);
    must(s != NULL, "open");
    enum status status;
    while ((status = source_fill(s, b, &f)) == STATUS_OK) {
        for (size_t i = 0; i < b->n_packets; i++) {
            check_packet(&b->packets[i], b->memory, b->capacity);
            must(b->packets[i].number == ++packets, "number");
        }
    }
    must(status == STATUS_END, "end");
    source_close(s);
    (void)close(fd);
    b->n_packets = 0;
    return packets;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct block *b;
    if (b == NULL)
        b = block_new();
    if (b == NULL || len > 256 * 1024)
        return 0;
    uint64_t packets = read_file(bytes, len, b);
    if (!records_looks_right(bytes, len))
        return 0;
    struct sum whole = walk(bytes, len, len, b);
    must(whole.packets == packets, "file and walk differ");
    struct sum pieces = walk(bytes, len, 1 + len / 9, b);
    must(memcmp(&whole, &pieces, sizeof whole) == 0, "pieces differ");
    if (len < 500) {
        pieces = walk(bytes, len, 1, b);
        must(memcmp(&whole, &pieces, sizeof whole) == 0, "single bytes differ");
    }
    return 0;
}
