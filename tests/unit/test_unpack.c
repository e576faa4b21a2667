/* test_unpack.c - content codings undone, however the coded bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "inspect/unpack.h"

enum {
    PLAIN = 70000,
    CODED = 400000
};

struct bytes {
    uint8_t *p;
    size_t len;
};

/* got collects what an unpacker gives out; `count_only` for what is too long to keep. */
struct got {
    uint8_t *p;
    size_t len, cap;
    bool count_only;
    const char *wrong;
};

static void on_decoded(void *receiver, const uint8_t *bytes, size_t len)
{
    struct got *g = receiver;
    assert_true(len > 0);
    if (!g->count_only) {
        if (g->len + len > g->cap) {
            g->cap = (g->len + len) * 2;
            g->p = realloc(g->p, g->cap);
            assert_non_null(g->p);
        }
        memcpy(g->p + g->len, bytes, len);
    }
    g->len += len;
}

/* decode feeds coded bytes `step` at a time, cut also at `cut`; each piece is a copy of its own. */
static struct got decode(const uint8_t coding[4], struct bytes in, size_t step, size_t cut)
{
    struct got g = {0};
    struct unpack_budget budget = {.limit = 64 << 20};
    const char *why;
    struct unpacker *d = unpacker_open(coding, &budget, &why);
    assert_non_null(d);
    assert_null(why);
    for (size_t at = 0; at < in.len && g.wrong == NULL;) {
        size_t n = step < in.len - at ? step : in.len - at;
        if (at < cut && n > cut - at)
            n = cut - at;
        uint8_t *piece = malloc(n);
        assert_non_null(piece);
        memcpy(piece, in.p + at, n);
        g.wrong = unpacker_feed(d, piece, n, on_decoded, &g);
        free(piece);
        at += n;
    }
    const char *end = unpacker_end(d, on_decoded, &g);
    if (g.wrong == NULL)
        g.wrong = end;
    assert_true(budget.used > 0 && budget.used <= budget.limit);
    unpacker_close(d);
    assert_int_equal(budget.used, 0);
    return g;
}

static void assert_same(const struct got *a, const uint8_t *p, size_t len)
{
    assert_int_equal(a->len, len);
    if (len > 0)
        assert_memory_equal(a->p, p, len);
}

static void check_cuts(const uint8_t coding[4], struct bytes in, const uint8_t *plain, size_t len,
                       const char *wrong)
{
    struct got whole = decode(coding, in, in.len + 1, 0);
    if (wrong == NULL)
        assert_null(whole.wrong);
    else
        assert_string_equal(whole.wrong, wrong);
    if (plain != NULL)
        assert_same(&whole, plain, len);
    for (size_t step = 1; step < 20; step += 3) {
        struct got g = decode(coding, in, step, 0);
        assert_same(&g, whole.p, whole.len);
        assert_ptr_equal(g.wrong, whole.wrong);
        free(g.p);
    }
    for (size_t i = 0; i < 600 && i <= in.len; i++) {
        size_t cut = in.len <= 600 ? i : i < 300 ? i : in.len - 600 + i;
        struct got g = decode(coding, in, in.len + 1, cut);
        assert_same(&g, whole.p, whole.len);
        assert_ptr_equal(g.wrong, whole.wrong);
        free(g.p);
    }
    free(whole.p);
}

/* ---- encoders ----------------------------------------------------------------------------- */

static struct bytes deflate_with(struct bytes in, int window_bits)
{
    struct bytes out = {malloc(CODED), 0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = in.p;
    z.avail_in = (uInt)in.len;
    z.next_out = out.p;
    z.avail_out = CODED;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.len = CODED - z.avail_out;
    (void)deflateEnd(&z);
    return out;
}

static struct bytes base64_of(struct bytes in, size_t line)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct bytes out = {malloc(CODED), 0};
    for (size_t i = 0, n = 0; i < in.len; i += 3) {
        size_t k = in.len - i < 3 ? in.len - i : 3;
        uint32_t v = (uint32_t)in.p[i] << 16 | (k > 1 ? (uint32_t)in.p[i + 1] << 8 : 0) |
                     (k > 2 ? in.p[i + 2] : 0u);
        for (size_t j = 0; j < 4; j++)
            out.p[out.len++] = j <= k ? (uint8_t)digits[v >> (18 - 6 * j) & 63] : '=';
        if (line > 0 && ++n % line == 0) {
            out.p[out.len++] = '\r';
            out.p[out.len++] = '\n';
        }
    }
    return out;
}

static struct bytes quoted_of(struct bytes in)
{
    struct bytes out = {malloc(CODED), 0};
    for (size_t i = 0, column = 0; i < in.len; i++) {
        if (column > 70) {
            out.len += (size_t)sprintf((char *)out.p + out.len, "=%s", i % 2 ? "\r\n" : "\n");
            column = 0;
        }
        if (in.p[i] >= 33 && in.p[i] < 127 && in.p[i] != '=') {
            out.p[out.len++] = in.p[i];
            column++;
        } else {
            out.len += (size_t)sprintf((char *)out.p + out.len, i % 3 ? "=%02X" : "=%02x", in.p[i]);
            column += 3;
        }
    }
    return out;
}

/* brotli_of stores: RFC 7932 with uncompressed meta-blocks, window of 64 KiB. */
static struct bytes brotli_of(struct bytes in)
{
    struct bytes out = {malloc(CODED), 0};
    unsigned shift = 1; /* behind the bit of WBITS */
    for (size_t at = 0; at < in.len;) {
        size_t n = in.len - at < 30000 ? in.len - at : 30000;
        uint32_t head = ((uint32_t)(n - 1) << 3 | 1u << 19) << shift;
        for (size_t i = 0; i < 3; i++)
            out.p[out.len++] = (uint8_t)(head >> 8 * i);
        memcpy(out.p + out.len, in.p + at, n);
        out.len += n;
        at += n;
        shift = 0;
    }
    out.p[out.len++] = (uint8_t)(3 << shift);
    return out;
}

static struct bytes encode(uint8_t coding, struct bytes in)
{
    struct bytes out = {NULL, 0};
    switch (coding) {
    case CODING_GZIP:
        return deflate_with(in, 15 + 16);
    case CODING_DEFLATE:
        return deflate_with(in, 15);
    case CODING_DEFLATE_RAW:
        return deflate_with(in, -15);
    case CODING_BROTLI:
        return brotli_of(in);
    case CODING_ZSTD:
        out.p = malloc(CODED);
        out.len = ZSTD_compress(out.p, CODED, in.p, in.len, 3);
        assert_false(ZSTD_isError(out.len));
        return out;
    case CODING_BASE64:
        return base64_of(in, 19);
    default:
        return quoted_of(in);
    }
}

/* plain makes text with runs that compress well and bytes of all values. */
static struct bytes plain_of(size_t len)
{
    struct bytes b = {malloc(len + 1), len};
    uint32_t seed = 11;
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        b.p[i] = i / 500 % 3 == 0   ? (uint8_t)(seed >> 24)
                 : i / 500 % 3 == 1 ? 'a'
                                    : (uint8_t)("MSH|^~\\&="[i % 9]);
    }
    return b;
}

static const uint8_t codings[] = {
    CODING_GZIP, CODING_DEFLATE, CODING_DEFLATE_RAW,     CODING_BROTLI,
    CODING_ZSTD, CODING_BASE64,  CODING_QUOTED_PRINTABLE};

static void test_each(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 100, 3000, 16384, 16385, PLAIN};
    for (size_t c = 0; c < sizeof codings; c++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct bytes plain = plain_of(sizes[s]), coded = encode(codings[c], plain);
            const uint8_t coding[4] = {codings[c]};
            check_cuts(coding, coded, plain.p, plain.len, NULL);
            free(coded.p);
            free(plain.p);
        }
    }
}

/* What the reference encoder makes of the same line forty times. */
static void test_brotli(void **state)
{
    (void)state;
    static uint8_t coded[] = {0xa1, 0x78, 0x1b, 0xc0, 0x2f, 0x50, 0x27, 0x8b, 0xf5, 0x0f,
                              0x82, 0x99, 0xd2, 0xad, 0x2b, 0xa2, 0xc2, 0x28, 0x81, 0x14,
                              0xff, 0x06, 0x84, 0x92, 0x8a, 0xc2, 0x1c, 0xc9, 0xb6, 0x01};
    static const char line[] = "id=11010519491231002X;";
    uint8_t plain[40 * (sizeof line - 1)];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)line[i % (sizeof line - 1)];
    check_cuts((const uint8_t[4]){CODING_BROTLI}, (struct bytes){coded, sizeof coded}, plain,
               sizeof plain, NULL);
}

/* HTTP's "deflate" is sent without its wrapper by some. */
static void test_deflate_raw_as_deflate(void **state)
{
    (void)state;
    struct bytes plain = plain_of(3000), coded = deflate_with(plain, -15);
    check_cuts((const uint8_t[4]){CODING_DEFLATE}, coded, plain.p, plain.len, NULL);
    free(coded.p);
    free(plain.p);
}

static void test_chains(void **state)
{
    (void)state;
    struct bytes plain = plain_of(5000);
    for (size_t a = 0; a < sizeof codings; a++) {
        for (size_t b = 0; b < sizeof codings; b++) {
            struct bytes inner = encode(codings[b], plain), outer = encode(codings[a], inner);
            check_cuts((const uint8_t[4]){codings[a], codings[b]}, outer, plain.p, plain.len, NULL);
            free(inner.p);
            free(outer.p);
        }
    }
    struct bytes one = encode(CODING_GZIP, plain), two = encode(CODING_ZSTD, one),
                 three = encode(CODING_BASE64, two), four = encode(CODING_BROTLI, three);
    check_cuts((const uint8_t[4]){CODING_BROTLI, CODING_BASE64, CODING_ZSTD, CODING_GZIP}, four,
               plain.p, plain.len, NULL);
    free(one.p);
    free(two.p);
    free(three.p);
    free(four.p);
    free(plain.p);
}

/* RFC 1952 2.2 and RFC 8878 3.1: members and frames may follow each other. */
static void test_members(void **state)
{
    (void)state;
    static const uint8_t both[] = {CODING_GZIP, CODING_ZSTD};
    for (size_t c = 0; c < 2; c++) {
        struct bytes plain = plain_of(900);
        struct bytes a = encode(both[c], (struct bytes){plain.p, 300});
        struct bytes b = encode(both[c], (struct bytes){plain.p + 300, 600});
        memcpy(a.p + a.len, b.p, b.len);
        a.len += b.len;
        check_cuts((const uint8_t[4]){both[c]}, a, plain.p, plain.len, NULL);
        free(a.p);
        free(b.p);
        free(plain.p);
    }
}

static void test_truncated(void **state)
{
    (void)state;
    for (size_t c = 0; c < 5; c++) {
        const uint8_t coding[4] = {codings[c]};
        struct bytes plain = plain_of(3000), coded = encode(codings[c], plain);
        for (size_t len = 1; len < coded.len; len += len < 40 ? 1 : 97) {
            struct got g = decode(coding, (struct bytes){coded.p, len}, 50, 0);
            assert_non_null(g.wrong);
            assert_non_null(strstr(g.wrong, "ends too early"));
            assert_true(g.len < plain.len || len + 20 > coded.len);
            assert_memory_equal(g.p != NULL ? g.p : plain.p, plain.p, g.len);
            free(g.p);
        }
        free(coded.p);
        free(plain.p);
    }
}

static void test_damaged(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof codings; c++) {
        const uint8_t coding[4] = {codings[c]};
        struct bytes plain = plain_of(2000), coded = encode(codings[c], plain);
        for (size_t i = 0; i < coded.len; i += i < 60 ? 1 : 53) {
            coded.p[i] ^= (uint8_t)(1u << i % 8);
            struct got whole = decode(coding, coded, coded.len, 0);
            struct got bytes = decode(coding, coded, 1, 0);
            assert_same(&bytes, whole.p, whole.len);
            assert_ptr_equal(bytes.wrong, whole.wrong);
            free(whole.p);
            free(bytes.p);
            coded.p[i] ^= (uint8_t)(1u << i % 8);
        }
        free(coded.p);
        free(plain.p);
    }
}

/* Nothing hides behind the end of a compressed body; zeros are padding. */
static void test_behind(void **state)
{
    (void)state;
    for (size_t c = 0; c < 4; c++) {
        const uint8_t coding[4] = {codings[c]};
        struct bytes plain = plain_of(500), coded = encode(codings[c], plain);
        memset(coded.p + coded.len, 0, 5);
        check_cuts(coding, (struct bytes){coded.p, coded.len + 5}, plain.p, plain.len, NULL);
        memcpy(coded.p + coded.len, "hidden", 6);
        check_cuts(coding, (struct bytes){coded.p, coded.len + 6}, plain.p, plain.len,
                   "bytes follow the end of compressed data");
        free(coded.p);
        free(plain.p);
    }
}

struct row {
    const char *name;
    uint8_t coding;
    const char *in, *out, *wrong;
};

static const char other[] = "base64 data holds other bytes";

static const struct row rows[] = {
    {"base64 of RFC 4648", CODING_BASE64, "Zm9vYmFy", "foobar", NULL},
    {"one padding", CODING_BASE64, "Zm9vYmE=", "fooba", NULL},
    {"two paddings", CODING_BASE64, "Zm9vYg==", "foob", NULL},
    {"no padding", CODING_BASE64, "Zm9vYg", "foob", NULL},
    {"one digit left", CODING_BASE64, "Zm9vY", "foo", NULL},
    {"URL alphabet", CODING_BASE64, "-_-_", "\xfb\xff\xbf", NULL},
    {"white space", CODING_BASE64, " Z m\t9v\r\nYm\nFy\n", "foobar", NULL},
    {"joined bodies", CODING_BASE64, "Zm9vYg==Zm9vYmE=Zm9v", "foobfoobafoo", NULL},
    {"JSON solidus", CODING_BASE64, "\\/\\/8=", "\xff\xff", NULL},
    {"JSON line ends", CODING_BASE64, "Zm9v\\r\\nYmFy\\n", "foobar", NULL},
    {"JSON code points", CODING_BASE64, "\\u002b_-\\u002FZm9vYg\\u003d\\u003D",
     "\xfb\xff\xbf"
     "foob",
     NULL},
    {"JSON escape of another letter", CODING_BASE64, "Zm9vYmFy\\x", "foobar", other},
    {"JSON code point beyond ASCII", CODING_BASE64, "Zm9v\\u4e00", "foo", other},
    {"another byte", CODING_BASE64, "Zm9vYmFy!Zm9v", "foobar", other},
    {"quoted", CODING_QUOTED_PRINTABLE, "a=3Db=e5=BC=A0", "a=b\xe5\xbc\xa0", NULL},
    {"soft line breaks", CODING_QUOTED_PRINTABLE, "1101=\r\n0519=\n4912", "110105194912", NULL},
    {"not an escape", CODING_QUOTED_PRINTABLE, "a=zz b= c", "a=zz b= c", NULL},
    {"equals before an escape", CODING_QUOTED_PRINTABLE, "==41=4=42=\r=43", "=A=4B=\rC", NULL},
    {"cut escape", CODING_QUOTED_PRINTABLE, "ab=4", "ab=4", NULL},
    {"cut equals", CODING_QUOTED_PRINTABLE, "ab=", "ab=", NULL},
};

static void test_row(void **state)
{
    const struct row *r = *state;
    struct bytes in = {(uint8_t *)(uintptr_t)r->in, strlen(r->in)};
    check_cuts((const uint8_t[4]){r->coding}, in, (const uint8_t *)r->out, strlen(r->out),
               r->wrong);
}

static void test_refused(void **state)
{
    (void)state;
    static const uint8_t unknown[][4] = {
        {CODING_UNKNOWN}, {CODING_GZIP, CODING_UNKNOWN}, {CODING_GZIP, 200}};
    struct unpack_budget budget = {.limit = 1 << 20};
    const char *why;
    for (size_t i = 0; i < 3; i++) {
        assert_null(unpacker_open(unknown[i], &budget, &why));
        assert_string_equal(why, "unknown coding");
        assert_int_equal(budget.used, 0);
    }
    assert_null(unpacker_open((const uint8_t[4]){CODING_NONE}, &budget, &why));
    assert_null(why);
    unpacker_close(NULL);
}

/* Unpackers alive at once have a limit in bytes, and closing gives their places back. */
static void test_budget_open(void **state)
{
    (void)state;
    static struct unpacker *all[200];
    for (size_t c = 0; c < sizeof codings; c++) {
        const uint8_t coding[4] = {codings[c]};
        struct unpack_budget budget = {.limit = 2 << 20};
        size_t counts[2] = {0, 0};
        const char *why;
        for (unsigned round = 0; round < 2; round++) {
            size_t n = 0;
            while (n < 200 && (all[n] = unpacker_open(coding, &budget, &why)) != NULL) {
                assert_true(budget.used <= budget.limit);
                n++;
            }
            assert_in_range(n, 5, 199);
            assert_ptr_equal(why, unpack_no_memory);
            size_t used = budget.used;
            assert_null(unpacker_open((const uint8_t[4]){codings[c], codings[c]}, &budget, &why));
            assert_ptr_equal(why, unpack_no_memory);
            assert_int_equal(budget.used, used);
            counts[round] = n;
            while (n > 0)
                unpacker_close(all[--n]);
            assert_int_equal(budget.used, 0);
        }
        assert_int_equal(counts[0], counts[1]);
    }
}

/* Windows that come later than the unpacker are charged too. */
static void test_budget_window(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof codings; c++) {
        const uint8_t coding[4] = {codings[c]};
        struct bytes plain = plain_of(PLAIN), coded = encode(codings[c], plain);
        unsigned refused = 0;
        bool whole = false;
        for (size_t limit = 1000; limit < 4 << 20 && !whole; limit += limit / 16) {
            struct unpack_budget budget = {.limit = limit};
            struct got g = {.count_only = true};
            struct unpacker *d = unpacker_open(coding, &budget, &g.wrong);
            if (d != NULL)
                g.wrong = unpacker_feed(d, coded.p, coded.len, on_decoded, &g);
            assert_true(budget.used <= limit);
            whole = g.wrong == NULL;
            if (!whole)
                assert_ptr_equal(g.wrong, unpack_no_memory);
            refused += !whole && d != NULL;
            unpacker_close(d);
            assert_int_equal(budget.used, 0);
        }
        assert_true(whole);
        if (codings[c] == CODING_GZIP || codings[c] == CODING_ZSTD)
            assert_true(refused > 0);
        free(coded.p);
        free(plain.p);
    }
}

enum {
    BLOCKS = 34000 /* of 128 KiB */
};

/* bomb_of is a zstd frame with a window of 2 MiB: blocks of one repeated byte, each followed by one
 * of n_plain bytes as they are. */
static struct bytes bomb_of(size_t n_plain)
{
    static const uint8_t head[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58};
    struct bytes b = {calloc(BLOCKS, n_plain + 7 + 1), sizeof head};
    assert_non_null(b.p);
    memcpy(b.p, head, sizeof head);
    for (uint32_t i = 0; i < 2 * BLOCKS; i++) {
        bool repeated = i % 2 == 0;
        if (!repeated && n_plain == 0)
            continue;
        uint32_t block = repeated ? 1u << 1 | (128u << 10) << 3 : (uint32_t)n_plain << 3;
        b.p[b.len++] = (uint8_t)block;
        b.p[b.len++] = (uint8_t)(block >> 8);
        b.p[b.len++] = (uint8_t)(block >> 16);
        memset(b.p + b.len, '1', repeated ? 1 : n_plain);
        b.len += repeated ? 1 : n_plain;
    }
    return b;
}

static struct got blow_up(struct bytes bomb, size_t limit, size_t step)
{
    struct unpack_budget budget = {.limit = limit};
    struct got g = {.count_only = true};
    struct unpacker *d = unpacker_open((const uint8_t[4]){CODING_ZSTD}, &budget, &g.wrong);
    assert_non_null(d);
    for (size_t at = 0; at < bomb.len && g.wrong == NULL; at += step) {
        size_t n = bomb.len - at < step ? bomb.len - at : step;
        g.wrong = unpacker_feed(d, bomb.p + at, n, on_decoded, &g);
        assert_true(budget.used <= limit);
    }
    assert_non_null(g.wrong);
    assert_ptr_equal(unpacker_feed(d, bomb.p, 10, on_decoded, &g), g.wrong);
    unpacker_close(d);
    assert_int_equal(budget.used, 0);
    free(bomb.p);
    return g;
}

/* A body that grows more than 1,000-fold stops at 64 MiB, in whatever pieces it comes. */
static void test_growth(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 1460, SIZE_MAX / 2};
    for (size_t i = 0; i < 3; i++) {
        struct got g = blow_up(bomb_of(0), 16 << 20, steps[i]);
        assert_string_equal(g.wrong, "decoded body grows too fast");
        assert_in_range(g.len, 63 << 20, 64 << 20);
    }
}

/* One that grows less stops at 4 GiB. */
static void test_bomb(void **state)
{
    (void)state;
    struct got g = blow_up(bomb_of(140), 16 << 20, 1460);
    assert_string_equal(g.wrong, "decoded body exceeds 4 GiB");
    assert_true(g.len > (size_t)3 << 30 && g.len <= (size_t)4 << 30);
}

/* A window that the budget has no room for is refused before it is taken. */
static void test_zstd_window(void **state)
{
    (void)state;
    struct got g = blow_up(bomb_of(0), 1 << 20, 1);
    assert_ptr_equal(g.wrong, unpack_no_memory);
    assert_int_equal(g.len, 0);
}

/* Frames follow each other, also frames to be skipped; a format of zstd's past is none. */
static void test_zstd_frames(void **state)
{
    (void)state;
    static const uint8_t skipped[] = {0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};
    static const uint8_t old[] = {0x25, 0xb5, 0x2f, 0xfd, 0, 0};
    const uint8_t coding[4] = {CODING_ZSTD};
    struct bytes plain = plain_of(600), coded = encode(CODING_ZSTD, plain);
    struct bytes all = {malloc(CODED), 0};
    for (unsigned i = 0; i < 2; i++) {
        memcpy(all.p + all.len, skipped, sizeof skipped);
        memcpy(all.p + all.len + sizeof skipped, coded.p, coded.len);
        all.len += sizeof skipped + coded.len;
    }
    uint8_t twice[1200];
    memcpy(twice, plain.p, 600);
    memcpy(twice + 600, plain.p, 600);
    check_cuts(coding, all, twice, sizeof twice, NULL);
    check_cuts(coding, (struct bytes){all.p, all.len - coded.len + 3}, twice, 600,
               "compressed data ends too early");
    memcpy(all.p + all.len, old, sizeof old);
    check_cuts(coding, (struct bytes){all.p, all.len + sizeof old}, twice, sizeof twice,
               "zstd data is damaged");
    free(all.p);
    free(coded.p);
    free(plain.p);
}

int main(void)
{
    struct CMUnitTest tests[64] = {
        cmocka_unit_test(test_each),        cmocka_unit_test(test_deflate_raw_as_deflate),
        cmocka_unit_test(test_chains),      cmocka_unit_test(test_members),
        cmocka_unit_test(test_truncated),   cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_behind),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bomb),        cmocka_unit_test(test_brotli),
        cmocka_unit_test(test_budget_open), cmocka_unit_test(test_budget_window),
        cmocka_unit_test(test_growth),      cmocka_unit_test(test_zstd_window),
        cmocka_unit_test(test_zstd_frames),
    };
    size_t n = 15;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        tests[n++] =
            (struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i]};
    return _cmocka_run_group_tests("unpack", tests, n, NULL, NULL);
}
