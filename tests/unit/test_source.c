/* test_source.c - capture files built by hand, whole, cut and damaged, read back as packets. */
#define _DEFAULT_SOURCE /* mkdtemp, usleep */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/bytes.h"
#include "capture/source.h"
#include "tests/capture_file.h"

/* ---- what a source says, as text ---- */

struct text {
    char *s;
    size_t len, max;
};

__attribute__((format(printf, 2, 3))) static void text_add(struct text *t, const char *fmt, ...)
{
    if (t->max - t->len < 1024) {
        t->max = t->max * 2 + 4096;
        t->s = realloc(t->s, t->max);
        assert_non_null(t->s);
    }
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->s + t->len, 1024, fmt, ap);
    va_end(ap);
    assert_in_range(n, 0, 1023);
    t->len += (size_t)n;
}

static char folder[] = "/tmp/test_source.XXXXXX";

/* Faults name files below the test's folder: cut from the text to make it constant. */
static void on_fault(void *receiver, const struct fault *f)
{
    const char *s = f->text;
    size_t n = strlen(folder);
    text_add(receiver, "fault %s\n", strncmp(s, folder, n) == 0 ? s + n + 1 : s);
}

static void add_packets(struct text *t, const struct source *s, const struct block *b)
{
    for (size_t i = 0; i < b->n_packets; i++) {
        const struct packet *p = &b->packets[i];
        text_add(t, "%u %s/%u t%llu %u/%u at %llu", (unsigned)p->number,
                 strrchr(source_name(s, p->file), '/') + 1, p->link_type,
                 (unsigned long long)p->time_ns, p->len, p->wire_len,
                 (unsigned long long)p->file_off);
        for (uint32_t j = 0; j < p->len && j < 4; j++)
            text_add(t, "%s%02x", j == 0 ? " " : "", p->bytes[j]);
        text_add(t, "\n");
    }
}

static char *read_paths(const char *const *paths, size_t n, const char *filter,
                        struct source_counts *counts)
{
    struct text t = {0};
    text_add(&t, "%s", "");
    struct source_options o = {.filter = filter, .on_fault = on_fault, .receiver = &t};
    struct fault f;
    struct source *s = source_open(paths, n, &o, &f);
    assert_non_null(s);
    struct block *b = block_new();
    enum status status;
    while ((status = source_fill(s, b, &f)) == STATUS_OK)
        add_packets(&t, s, b);
    assert_int_equal(status, STATUS_END);
    assert_int_equal(b->n_packets, 0);
    uint64_t done, total;
    source_progress(s, &done, &total);
    assert_true(total == 0 || done <= total);
    if (counts != NULL)
        source_counts_get(s, counts);
    source_close(s);
    block_free(b);
    return t.s;
}

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void save_bytes(const char *name, const uint8_t *bytes, size_t len)
{
    FILE *to = fopen(path_of(name), "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(bytes, 1, len, to), len);
    assert_int_equal(fclose(to), 0);
}

static char *read_bytes(const char *name, const uint8_t *bytes, size_t len)
{
    save_bytes(name, bytes, len);
    const char *path = path_of(name);
    return read_paths(&path, 1, NULL, NULL);
}

static void expect_file(struct file *f, const char *expected)
{
    char *got = read_bytes("x", f->bytes, f->len);
    assert_string_equal(got, expected);
    free(got);
    drop(f);
}

/* Two packets of 10 and 20 bytes; little-endian microseconds. */
static void small_pcap(struct file *f, uint32_t s)
{
    pcap_header(f, 0xa1b2c3d4, 1);
    pcap_record(f, s, 5, 10, 10, 0xaa);
    pcap_record(f, s + 1, 6, 20, 1500, 0xbb);
}

/* ---- pcap ---- */

static void pcap_orders_and_units(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct file f = {.big = big != 0};
        small_pcap(&f, 100);
        expect_file(&f, "1 x/1 t100000005000 10/10 at 40 aaaaaaaa\n"
                        "2 x/1 t101000006000 20/1500 at 66 bbbbbbbb\n");
        f.big = big != 0;
        pcap_header(&f, 0xa1b23c4d, 113);
        pcap_record(&f, 7, 999999999, 1, 1, 0xcc);
        expect_file(&f, "1 x/113 t7999999999 1/1 at 40 cc\n");
    }
}

static void pcap_modified(void **state)
{
    (void)state;
    struct file f = {0};
    pcap_header(&f, 0xa1b2cd34, 1);
    put32(&f, 9);
    put32(&f, 8);
    put32(&f, 2);
    put32(&f, 3);
    put_fill(&f, 0, 8);
    put_fill(&f, 0xdd, 2);
    expect_file(&f, "1 x/1 t9000008000 2/3 at 48 dddd\n");
}

static void pcap_frame_check_bits_are_no_link_type(void **state)
{
    (void)state;
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 0x24000001);
    pcap_record(&f, 1, 0, 1, 1, 0x11);
    expect_file(&f, "1 x/1 t1000000000 1/1 at 40 11\n");
}

static void pcap_cut_at_every_byte(void **state)
{
    (void)state;
    struct file f = {0};
    small_pcap(&f, 100);
    for (size_t cut = 0; cut <= f.len; cut++) {
        char *got = read_bytes("x", f.bytes, cut);
        bool boundary = cut == 24 || cut == 50 || cut == f.len;
        assert_int_equal(strstr(got, "fault") == NULL, boundary);
        int packets = (cut > 40) + (cut > 66);
        int seen = (strstr(got, "1 x/1 t100") != NULL) + (strstr(got, "2 x/1 t101") != NULL);
        assert_int_equal(seen, packets);
        free(got);
    }
    char *got = read_bytes("x", f.bytes, 70);
    assert_string_equal(got, "fault x: at 50: file ends inside a record, 16 bytes missing\n"
                             "1 x/1 t100000005000 10/10 at 40 aaaaaaaa\n"
                             "2 x/1 t101000006000 4/1500 at 66 bbbbbbbb\n");
    free(got);
    drop(&f);
}

static void faults_are_told_with_their_place(void **state)
{
    (void)state;
    struct file f = {0};
    small_pcap(&f, 100);
    char *got = read_bytes("x", f.bytes, 70);
    free(got);
    struct {
        size_t cut;
        const char *fault;
    } rows[] = {
        {0, "fault x: empty file\n"},
        {3, "fault x: not a pcap or pcapng capture\n"},
        {23, "fault x: at 0: file ends inside its header\n"},
        {30, "fault x: at 24: file ends inside a record, 10 bytes missing\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        got = read_bytes("x", f.bytes, rows[i].cut);
        assert_string_equal(got, rows[i].fault);
        free(got);
    }
    drop(&f);
    put(&f, "any other text, long enough to tell", 35);
    expect_file(&f, "fault x: not a pcap or pcapng capture\n");
    pcap_header(&f, 0xa1b2c3d4, 1);
    f.bytes[4] = 9;
    expect_file(&f, "fault x: at 4: pcap version 9.4 is not known\n");
}

static void pcap_damage_is_passed_over(void **state)
{
    (void)state;
    struct file f = {0};
    small_pcap(&f, 100);
    put32(&f, 102);
    put32(&f, 0);
    put32(&f, 4000000000);
    put32(&f, 4000000000);
    put_fill(&f, 0x77, 100);
    pcap_record(&f, 103, 0, 3, 3, 0x33);
    pcap_record(&f, 104, 0, 4, 4, 0x44);
    expect_file(&f, "fault x: at 86: record length 4000000000 exceeds 262144; 116 bytes lost "
                    "before the next record\n"
                    "1 x/1 t100000005000 10/10 at 40 aaaaaaaa\n"
                    "2 x/1 t101000006000 20/1500 at 66 bbbbbbbb\n"
                    "3 x/1 t103000000000 3/3 at 218 333333\n"
                    "4 x/1 t104000000000 4/4 at 237 44444444\n");
}

static void pcap_damage_without_end(void **state)
{
    (void)state;
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 1);
    pcap_record(&f, 100, 0, 3, 3, 0x33);
    put_fill(&f, 0, 200);
    expect_file(&f, "fault x: at 43: record header of zeros; no further record within 65536 bytes, "
                    "rest not read\n"
                    "1 x/1 t100000000000 3/3 at 40 333333\n");
}

static void pcap_length_beyond_the_file(void **state)
{
    (void)state;
    struct file f = {0};
    small_pcap(&f, 100);
    pcap_record(&f, 102, 0, 3, 3, 0x33);
    f.bytes[24 + 8 + 2] = 1; /* the first record claims 65536 bytes more */
    expect_file(&f, "fault x: at 24: record length exceeds the file; 26 bytes lost before the next "
                    "record\n"
                    "1 x/1 t101000006000 20/1500 at 66 bbbbbbbb\n"
                    "2 x/1 t102000000000 3/3 at 102 333333\n");
}

static void pcap_oversize_packet_is_passed_over(void **state)
{
    (void)state;
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 1);
    memset(f.bytes + 16, 0x7f, 4); /* snaplen */
    pcap_record(&f, 1, 0, 1000000, 1000000, 0x10);
    pcap_record(&f, 2, 0, SOURCE_PACKET_MAX, SOURCE_PACKET_MAX, 0x20);
    expect_file(&f, "fault x: at 24: packet of 1000000 bytes exceeds 262144, passed over\n"
                    "1 x/1 t2000000000 262144/262144 at 1000056 20202020\n");
}

static void many_faults_are_summed_up(void **state)
{
    (void)state;
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 1);
    for (uint32_t i = 0; i < 20; i++) {
        pcap_record(&f, 10, 1, 2, 2, 1);
        pcap_record(&f, 10, 1, 2, 2, 1);
        put_fill(&f, 0xff, 16);
    }
    pcap_record(&f, 10, 1, 2, 2, 1);
    pcap_record(&f, 10, 1, 2, 2, 1);
    save_bytes("x", f.bytes, f.len);
    drop(&f);
    const char *path = path_of("x");
    struct source_counts counts;
    char *got = read_paths(&path, 1, NULL, &counts);
    unsigned told = 0;
    for (const char *at = got; (at = strstr(at, "fault x")) != NULL; at++)
        told++;
    assert_int_equal(told, SOURCE_FAULTS_PER_FILE + 1);
    assert_non_null(strstr(got, "fault x: 4 more faults in this file\n"));
    assert_int_equal(counts.faults, 20);
    assert_int_equal(counts.lost_bytes, 20 * 16);
    assert_int_equal(counts.packets, 42);
    free(got);
}

/* ---- pcapng ---- */

static void ng_old_and_simple(struct file *f)
{
    struct file body = {.big = f->big};
    put_uint(&body, 1, 2);
    put_uint(&body, 0xffff, 2);
    put32(&body, 0);
    put32(&body, 3000000);
    put32(&body, 5);
    put32(&body, 6);
    put_fill(&body, 0x50, 5);
    ng_block(f, 2, body.bytes, body.len);
    body.len = 0;
    put32(&body, 9);
    put_fill(&body, 0x51, 9);
    ng_block(f, 3, body.bytes, body.len);
    drop(&body);
}

static void ng_sections_in_both_orders(void **state)
{
    (void)state;
    struct file f = {0};
    for (int big = 0; big < 2; big++) {
        f.big = big != 0;
        ng_section(&f);
        ng_interface(&f, 1, 0, 0, 0);
        ng_interface(&f, 101, 4, 9, 0);
        ng_packet(&f, 0, 2000000, 3, 3, 0x61);
        ng_block(&f, 5, (const uint8_t *)"statistics", 10);
        ng_block(&f, 0x80000123, (const uint8_t *)"local use", 9);
        ng_packet(&f, 1, 2000000, 4, 60, 0x62);
    }
    ng_interface(&f, 113, 0, 0, 0);
    ng_old_and_simple(&f);
    expect_file(&f, "1 x/1 t2000000000 3/3 at 128 616161\n"
                    "2 x/101 t2000000 4/60 at 224 62626262\n"
                    "3 x/1 t2000000000 3/3 at 372 616161\n"
                    "4 x/101 t2000000 4/60 at 468 62626262\n"
                    "5 x/101 t3000000 5/6 at 548 50505050\n"
                    "6 x/1 t3000000 9/9 at 572 51515151\n");
}

static void ng_clocks(void **state)
{
    (void)state;
    static const struct {
        uint8_t tsresol;
        int64_t offset_s;
        uint64_t units;
        uint64_t ns;
    } rows[] = {
        {0, 0, 1500000, 1500000000},
        {6, 0, 1500000, 1500000000},
        {3, 0, 1500, 1500000000},
        {9, 0, 1500000000, 1500000000},
        {12, 0, 1500000000000, 1500000000},
        {0x8a, 0, 1536, 1500000000},                         /* 2^-10 */
        {0xa0, 0, UINT64_C(0x180000000), 1500000000},        /* 2^-32 */
        {0xbf, 0, UINT64_C(0xc000000000000000), 1500000000}, /* 2^-63 */
        {0x80, 0, 7, 7000000000},                            /* seconds */
        {9, 100, 5, 100000000005},
        {9, -1, 1500000000, 500000000},
        {9, -2, 1500000000, 0},
        {3, 0, UINT64_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct file f = {.big = i % 2 == 1};
        ng_section(&f);
        ng_interface(&f, 1, 0, rows[i].tsresol, rows[i].offset_s);
        ng_packet(&f, 0, rows[i].units, 0, 0, 0);
        char *got = read_bytes("x", f.bytes, f.len);
        char expected[64];
        (void)snprintf(expected, sizeof expected, "1 x/1 t%llu 0/0",
                       (unsigned long long)rows[i].ns);
        assert_memory_equal(got, expected, strlen(expected));
        free(got);
        drop(&f);
    }
}

static void ng_cut_at_every_byte(void **state)
{
    (void)state;
    struct file f = {.big = true};
    ng_section(&f);
    ng_interface(&f, 1, 0, 0, 0);
    size_t first = f.len;
    ng_packet(&f, 0, 1, 5, 5, 0x71);
    size_t second = f.len;
    ng_packet(&f, 0, 2, 6, 6, 0x72);
    for (size_t cut = 0; cut <= f.len; cut++) {
        char *got = read_bytes("x", f.bytes, cut);
        bool boundary = cut == 28 || cut == first || cut == second || cut == f.len;
        assert_int_equal(strstr(got, "fault") == NULL, boundary);
        int seen = (strstr(got, "1 x/1") != NULL) + (strstr(got, "2 x/1") != NULL);
        assert_int_equal(seen, (cut > first + 28) + (cut > second + 28));
        free(got);
    }
    drop(&f);
}

static void ng_damage(void **state)
{
    (void)state;
    struct file f = {0};
    ng_section(&f);
    ng_packet(&f, 0, 1, 5, 5, 0x71);
    ng_interface(&f, 1, 0, 0, 0);
    size_t at = f.len;
    ng_packet(&f, 0, 1, 5, 5, 0x72);
    f.bytes[at + 20] = 99; /* packet length */
    at = f.len;
    ng_packet(&f, 0, 1, 5, 5, 0x73);
    f.bytes[f.len - 4] ^= 1; /* second block length */
    at = f.len;
    ng_packet(&f, 0, 2000, 5, 5, 0x74);
    f.bytes[at + 6] = 0x99; /* block length */
    f.bytes[at + 7] = 0x99;
    ng_packet(&f, 0, 3000, 5, 5, 0x75);
    ng_interface(&f, 1, 0, 0, 0);
    expect_file(&f,
                "fault x: at 28: interface 0 is not described\n"
                "fault x: at 112: packet length 99 exceeds its block\n"
                "fault x: at 164: the two lengths of the block differ; 104 bytes lost before the "
                "next block\n"
                "1 x/1 t3000000 5/5 at 296 75757575\n");
}

/* ---- packed files ---- */

static const char small_expected[] = "1 x/1 t100000005000 10/10 at 40 aaaaaaaa\n"
                                     "2 x/1 t101000006000 20/1500 at 66 bbbbbbbb\n";

static void gzip_members(void **state)
{
    (void)state;
    struct file f = {0};
    small_pcap(&f, 100);
    uint8_t packed[4096];
    size_t n = gzip_into(packed, sizeof packed, f.bytes, 31);
    n += gzip_into(packed + n, sizeof packed - n, f.bytes + 31, f.len - 31);
    char *got = read_bytes("x", packed, n);
    assert_string_equal(got, small_expected);
    free(got);
    memset(packed + n, 0, 100);
    got = read_bytes("x", packed, n + 100);
    assert_string_equal(got, small_expected);
    free(got);
    memcpy(packed + n, "foreign", 7);
    got = read_bytes("x", packed, n + 7);
    assert_non_null(strstr(got, ": bytes that are not packed follow the packed ones\n"));
    assert_non_null(strstr(got, "2 x/1"));
    free(got);
    for (size_t cut = 1; cut < n; cut++) {
        got = read_bytes("x", packed, cut);
        assert_non_null(strstr(got, "fault"));
        free(got);
    }
    packed[n - 6] ^= 1; /* check sum of the second member */
    got = read_bytes("x", packed, n);
    assert_non_null(strstr(got, "incorrect data check"));
    assert_non_null(strstr(got, "2 x/1"));
    free(got);
    drop(&f);
}

static void zstd_frames(void **state)
{
    (void)state;
    static const uint8_t skippable[] = {0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3};
    struct file f = {0};
    small_pcap(&f, 100);
    uint8_t packed[4096];
    memcpy(packed, skippable, sizeof skippable);
    size_t n = sizeof skippable;
    n += ZSTD_compress(packed + n, sizeof packed - n, f.bytes, 31, 3);
    n += ZSTD_compress(packed + n, sizeof packed - n, f.bytes + 31, f.len - 31, 3);
    char *got = read_bytes("x", packed, n);
    assert_string_equal(got, small_expected);
    free(got);
    for (size_t cut = 1; cut < n; cut++) {
        got = read_bytes("x", packed, cut);
        assert_true(cut == sizeof skippable || strstr(got, "fault") != NULL);
        free(got);
    }
    drop(&f);
    put(&f,
        "\xfd"
        "7zXZ\0and so on",
        15);
    expect_file(&f, "fault x: packed with xz: unpack it first\n");
}

/* ---- many packets, many files ---- */

static void check_blocks(struct block **blocks, size_t n_blocks, uint32_t n, uint64_t base)
{
    static uint8_t bytes[65536];
    uint32_t i = 0;
    for (size_t k = 0; k < n_blocks; k++) {
        for (size_t j = 0; j < blocks[k]->n_packets; j++, i++) {
            const struct packet *p = &blocks[k]->packets[j];
            assert_int_equal(p->number, i + 1);
            assert_int_equal(p->len, packet_len(i));
            fill_packet(bytes, i, p->len);
            assert_memory_equal(p->bytes, bytes, p->len);
            assert_true(p->file_off > base);
        }
    }
    assert_int_equal(i, n);
}

static void blocks_stay_alive(void **state)
{
    (void)state;
    enum {
        N = 3000,
        BLOCKS = 40
    };
    struct file f = {0};
    big_pcap(&f, N);
    save_bytes("big", f.bytes, f.len);
    const char *path = path_of("big");
    struct source *s = source_open(&path, 1, NULL, NULL);
    struct block *blocks[BLOCKS];
    size_t n = 0;
    do {
        assert_true(n < BLOCKS);
        blocks[n++] = block_new();
    } while (source_fill(s, blocks[n - 1], NULL) == STATUS_OK);
    uint64_t done, total;
    source_progress(s, &done, &total);
    assert_int_equal(done, f.len);
    assert_int_equal(total, f.len);
    source_close(s);
    check_blocks(blocks, n, N, 0);
    while (n > 0)
        block_free(blocks[--n]);
    drop(&f);
}

struct feeder {
    const struct file *file;
    const char *path;
    size_t piece;
};

static void *feed(void *arg)
{
    const struct feeder *w = arg;
    int fd = open(w->path, O_WRONLY);
    for (size_t at = 0; at < w->file->len;) {
        size_t n = w->file->len - at < w->piece ? w->file->len - at : w->piece;
        ssize_t sent = write(fd, w->file->bytes + at, n);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    (void)close(fd);
    return NULL;
}

static void pipe_in_pieces(void **state)
{
    (void)state;
    struct file f = {0};
    big_pcap(&f, 300);
    char path[512];
    (void)snprintf(path, sizeof path, "%s", path_of("pipe"));
    assert_int_equal(mkfifo(path, 0600), 0);
    static const size_t pieces[] = {1009, 65536, 1 << 20};
    for (size_t i = 0; i < 3; i++) {
        struct feeder w = {&f, path, pieces[i]};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, feed, &w), 0);
        const char *one = path;
        struct source *s = source_open(&one, 1, NULL, NULL);
        struct block *b = block_new();
        uint64_t n = 0, total = 1, done;
        while (source_fill(s, b, NULL) == STATUS_OK) {
            for (size_t j = 0; j < b->n_packets; j++)
                assert_int_equal(b->packets[j].len, packet_len((uint32_t)n++));
        }
        assert_int_equal(n, 300);
        source_progress(s, &done, &total);
        assert_int_equal(total, 0);
        assert_int_equal(done, f.len);
        source_close(s);
        block_free(b);
        (void)pthread_join(thread, NULL);
    }
    (void)unlink(path);
    drop(&f);
}

static void *stop_soon(void *arg)
{
    (void)usleep(50000);
    source_stop(arg);
    return NULL;
}

static void silent_pipe_can_be_stopped(void **state)
{
    (void)state;
    char path[512];
    (void)snprintf(path, sizeof path, "%s", path_of("pipe"));
    assert_int_equal(mkfifo(path, 0600), 0);
    int keep = open(path, O_RDWR);
    const char *one = path;
    struct source *s = source_open(&one, 1, NULL, NULL);
    struct block *b = block_new();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, s), 0);
    assert_int_equal(source_fill(s, b, NULL), STATUS_END);
    (void)pthread_join(thread, NULL);
    source_close(s);
    block_free(b);
    (void)close(keep);
    (void)unlink(path);
}

static void save_small(const char *name, uint32_t s)
{
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 1);
    pcap_record(&f, s, 0, 1, 1, 0x11);
    save_bytes(name, f.bytes, f.len);
    drop(&f);
}

static void folders_are_read_in_capture_order(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("dir"), 0700), 0);
    assert_int_equal(mkdir(path_of("dir/deep"), 0700), 0);
    save_small("dir/a.pcap", 30);
    save_small("dir/b.pcap", 20);
    save_small("dir/deep/c.pcap", 10);
    save_small("dir/deep/d.pcap", 20);
    save_bytes("dir/notes.txt", (const uint8_t *)"not a capture at all", 20);
    save_bytes("dir/empty", (const uint8_t *)"", 0);
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 1);
    save_bytes("dir/no packets.pcap", f.bytes, f.len);
    drop(&f);
    assert_int_equal(symlink("nowhere", path_of("dir/link")), 0);
    assert_int_equal(symlink("..", path_of("dir/deep/up")), 0);
    char dir[512], twice[512], gone[512];
    (void)snprintf(dir, sizeof dir, "%s", path_of("dir/"));
    (void)snprintf(twice, sizeof twice, "%s", path_of("dir/b.pcap"));
    (void)snprintf(gone, sizeof gone, "%s", path_of("gone.pcap"));
    const char *paths[] = {gone, dir, twice};
    struct source_counts counts;
    char *got = read_paths(paths, 3, NULL, &counts);
    assert_string_equal(got, "fault gone.pcap: cannot open: No such file or directory\n"
                             "1 c.pcap/1 t10000000000 1/1 at 40 11\n"
                             "2 b.pcap/1 t20000000000 1/1 at 40 11\n"
                             "3 d.pcap/1 t20000000000 1/1 at 40 11\n"
                             "4 a.pcap/1 t30000000000 1/1 at 40 11\n");
    assert_int_equal(counts.ignored_files, 3);
    assert_int_equal(counts.files, 5);
    assert_int_equal(counts.faults, 1);
    free(got);
}

static void no_paths_end_at_once(void **state)
{
    (void)state;
    struct source *s = source_open(NULL, 0, NULL, NULL);
    struct block *b = block_new();
    assert_int_equal(source_fill(s, b, NULL), STATUS_END);
    source_close(s);
    block_free(b);
}

/* ---- filters ---- */

static void filters(void **state)
{
    (void)state;
    struct file f = {0};
    ng_section(&f);
    ng_interface(&f, 1, 0, 0, 0);
    ng_interface(&f, 147, 0, 0, 0); /* user's own: nothing can be filtered there */
    ng_packet(&f, 0, 1, 60, 60, 0x08);
    ng_packet(&f, 1, 2, 60, 60, 0x09);
    ng_packet(&f, 0, 3, 80, 80, 0x0a);
    save_bytes("x", f.bytes, f.len);
    drop(&f);
    const char *path = path_of("x");
    struct source_counts counts;
    char *got = read_paths(&path, 1, "greater 70", &counts);
    assert_non_null(strstr(got, "3 x/1 t3000 80/80"));
    assert_null(strstr(got, "1 x/1"));
    assert_int_equal(counts.packets, 3);
    free(got);
    got = read_paths(&path, 1, "ether proto 0x0a0a", &counts);
    assert_non_null(strstr(got, "fault link type 147 is not filtered: filter \"ether proto"));
    assert_non_null(strstr(got, "2 x/147 t2000"));
    assert_non_null(strstr(got, "3 x/1 t3000"));
    assert_int_equal(counts.filtered, 1);
    free(got);
    struct source_options o = {.filter = "no such word"};
    struct fault fault;
    assert_null(source_open(&path, 1, &o, &fault));
    assert_non_null(strstr(fault.text, "filter \"no such word\": "));
}

/* ---- live ---- */

static void live_interface(void **state)
{
    (void)state;
    struct fault f;
    assert_null(source_open_live("nosuch0", NULL, &f));
    assert_non_null(strstr(f.text, "nosuch0: cannot capture"));
    struct source_options o = {.timeout_ms = 10, .buffer_bytes = 1 << 20};
    struct source *s = source_open_live("lo", &o, &f);
    if (s == NULL)
        skip(); /* needs a privilege */
    assert_string_equal(source_name(s, 0), "lo");
    struct block *b = block_new();
    for (int i = 0; i < 3; i++)
        assert_int_equal(source_fill(s, b, &f), STATUS_OK);
    source_stop(s);
    assert_int_equal(source_fill(s, b, &f), STATUS_END);
    source_close(s);
    block_free(b);
}

/* ---- real captures, where there are any ---- */

static void samples(void **state)
{
    (void)state;
    const char *path = getenv("MEDGUAN_SAMPLES");
    if (path == NULL || path[0] == '\0')
        skip();
    struct source_counts counts;
    free(read_paths(&path, 1, NULL, &counts));
    assert_true(counts.packets > 0);
    assert_int_equal(counts.faults, 0);
}

static int make_folder(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[600];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_orders_and_units),
        cmocka_unit_test(pcap_modified),
        cmocka_unit_test(pcap_frame_check_bits_are_no_link_type),
        cmocka_unit_test(pcap_cut_at_every_byte),
        cmocka_unit_test(faults_are_told_with_their_place),
        cmocka_unit_test(pcap_damage_is_passed_over),
        cmocka_unit_test(pcap_damage_without_end),
        cmocka_unit_test(pcap_length_beyond_the_file),
        cmocka_unit_test(pcap_oversize_packet_is_passed_over),
        cmocka_unit_test(many_faults_are_summed_up),
        cmocka_unit_test(ng_sections_in_both_orders),
        cmocka_unit_test(ng_clocks),
        cmocka_unit_test(ng_cut_at_every_byte),
        cmocka_unit_test(ng_damage),
        cmocka_unit_test(gzip_members),
        cmocka_unit_test(zstd_frames),
        cmocka_unit_test(blocks_stay_alive),
        cmocka_unit_test(pipe_in_pieces),
        cmocka_unit_test(silent_pipe_can_be_stopped),
        cmocka_unit_test(folders_are_read_in_capture_order),
        cmocka_unit_test(no_paths_end_at_once),
        cmocka_unit_test(filters),
        cmocka_unit_test(live_interface),
        cmocka_unit_test(samples),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
