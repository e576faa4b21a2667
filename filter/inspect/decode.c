/* decode.c - one step a coding, chained; each step has its own output window. */
#include "inspect/decode.h"

#include <brotli/decode.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    OUT_BYTES = 16 * 1024,
    OPEN_MAX = 4096,      /* decoders alive in the program: each may hold a window */
    ZSTD_WINDOW_LOG = 23, /* 8 MiB, what RFC 8878 asks a decoder to support */
    ERROR_SLACK = 4
};

static const uint64_t decoded_max = (uint64_t)4 << 30; /* a body that grows beyond is a bomb */
static atomic_int n_open;

struct decoder {
    struct decoder *next; /* the coding inside this one */
    uint8_t coding;
    bool over;  /* the coded stream ended by itself */
    bool begun; /* bytes were fed */
    const char *wrong;
    uint64_t n_out;
    decode_fn *out;
    void *receiver;
    union {
        z_stream zlib;
        BrotliDecoderState *brotli;
        ZSTD_DStream *zstd;
        struct {
            uint32_t bits, n; /* base64: collected digits */
        } base64;
        struct {
            uint8_t held[3]; /* quoted-printable: '=' and what follows */
            uint8_t n;
        } quoted;
    } as;
    bool zlib_open;
    uint8_t first[2]; /* HTTP deflate: which of its two kinds */
    uint8_t n_first;
    uint8_t window[OUT_BYTES];
};

static const char *step_feed(struct decoder *d, const uint8_t *p, size_t len);

/* pass gives decoded bytes to the next step or out. */
static const char *pass(struct decoder *d, const uint8_t *p, size_t len)
{
    d->n_out += len;
    if (d->n_out > decoded_max)
        return "decoded body exceeds 4 GiB";
    if (len == 0)
        return NULL;
    if (d->next != NULL)
        return step_feed(d->next, p, len);
    d->out(d->receiver, p, len);
    return NULL;
}

static const char *zlib_start(struct decoder *d, int window_bits)
{
    if (inflateInit2(&d->as.zlib, window_bits) != Z_OK)
        return "no memory to decode";
    d->zlib_open = true;
    return NULL;
}

static const char *zlib_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    z_stream *z = &d->as.zlib;
    while (len > 0) {
        uInt n = len > 1u << 30 ? 1u << 30 : (uInt)len;
        z->next_in = (z_const Bytef *)(uintptr_t)p;
        z->avail_in = n;
        int r;
        do {
            z->next_out = d->window;
            z->avail_out = OUT_BYTES;
            r = inflate(z, Z_NO_FLUSH);
            const char *wrong = pass(d, d->window, OUT_BYTES - z->avail_out);
            if (wrong != NULL)
                return wrong;
        } while (r == Z_OK && (z->avail_in > 0 || z->avail_out == 0));
        size_t used = n - z->avail_in;
        p += used;
        len -= used;
        if (r == Z_STREAM_END) {
            /* RFC 1952 2.2: members may follow each other. */
            if (d->coding != CODING_GZIP || len == 0 || p[0] != 0x1f || inflateReset(z) != Z_OK) {
                d->over = true;
                return NULL;
            }
        } else if (r != Z_OK && r != Z_BUF_ERROR) {
            return d->coding == CODING_GZIP ? "gzip data is damaged" : "deflate data is damaged";
        }
    }
    return NULL;
}

/* deflate_feed looks at two bytes to tell RFC 1950 from RFC 1951. */
static const char *deflate_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    if (!d->zlib_open) {
        while (d->n_first < 2 && len > 0) {
            d->first[d->n_first++] = *p++;
            len--;
        }
        if (d->n_first < 2)
            return NULL;
        bool wrapped = (d->first[0] & 0x0f) == 8 &&
                       ((unsigned)d->first[0] << 8 | (unsigned)d->first[1]) % 31 == 0;
        const char *wrong = zlib_start(d, wrapped ? 15 : -15);
        if (wrong == NULL)
            wrong = zlib_feed(d, d->first, 2);
        if (wrong != NULL)
            return wrong;
    }
    return zlib_feed(d, p, len);
}

static const char *brotli_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    for (;;) {
        uint8_t *out = d->window;
        size_t room = OUT_BYTES;
        BrotliDecoderResult r =
            BrotliDecoderDecompressStream(d->as.brotli, &len, &p, &room, &out, NULL);
        const char *wrong = pass(d, d->window, OUT_BYTES - room);
        if (wrong != NULL)
            return wrong;
        if (r == BROTLI_DECODER_RESULT_ERROR)
            return "brotli data is damaged";
        if (r == BROTLI_DECODER_RESULT_SUCCESS)
            d->over = true;
        if (r != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            return NULL;
    }
}

static const char *zstd_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    ZSTD_inBuffer in = {p, len, 0};
    while (in.pos < in.size) {
        ZSTD_outBuffer out = {d->window, OUT_BYTES, 0};
        size_t r = ZSTD_decompressStream(d->as.zstd, &out, &in);
        if (ZSTD_isError(r))
            return "zstd data is damaged";
        const char *wrong = pass(d, d->window, out.pos);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

static const char *base64_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = base64_digit(p[i]);
        if (digit < 0) {
            if (p[i] == '=' || p[i] == '\r' || p[i] == '\n' || p[i] == ' ' || p[i] == '\t' ||
                p[i] == '\\')
                continue;
            return "base64 data holds other bytes";
        }
        d->as.base64.bits = d->as.base64.bits << 6 | (uint32_t)digit;
        if (++d->as.base64.n % 4 == 0) {
            d->window[n++] = (uint8_t)(d->as.base64.bits >> 16);
            d->window[n++] = (uint8_t)(d->as.base64.bits >> 8);
            d->window[n++] = (uint8_t)d->as.base64.bits;
            if (n + 3 > OUT_BYTES) {
                const char *wrong = pass(d, d->window, n);
                if (wrong != NULL)
                    return wrong;
                n = 0;
            }
        }
    }
    return pass(d, d->window, n);
}

static const char *base64_end(struct decoder *d)
{
    unsigned left = d->as.base64.n % 4;
    uint32_t bits = d->as.base64.bits << 6 * (4 - left);
    d->window[0] = (uint8_t)(bits >> 16);
    d->window[1] = (uint8_t)(bits >> 8);
    return left >= 2 ? pass(d, d->window, left - 1) : NULL;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* quoted_held decides about '=' and the two bytes after it (RFC 2045 6.7). */
static size_t quoted_held(struct decoder *d, uint8_t *out)
{
    const uint8_t *h = d->as.quoted.held;
    size_t n = 0;
    int hi = hex_digit(h[1]), lo = hex_digit(h[2]);
    if (h[1] == '\r' && h[2] == '\n') {
        n = 0;
    } else if (hi >= 0 && lo >= 0) {
        out[n++] = (uint8_t)(hi << 4 | lo);
    } else {
        out[n++] = h[0];
        out[n++] = h[1];
        out[n++] = h[2];
    }
    d->as.quoted.n = 0;
    return n;
}

static const char *quoted_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t *held = d->as.quoted.held;
        if (d->as.quoted.n > 0) {
            held[d->as.quoted.n++] = p[i];
            if (d->as.quoted.n == 2 && p[i] == '\n')
                d->as.quoted.n = 0; /* soft line break with a bare LF */
            else if (d->as.quoted.n == 3)
                n += quoted_held(d, d->window + n);
        } else if (p[i] == '=') {
            held[0] = '=';
            d->as.quoted.n = 1;
        } else {
            d->window[n++] = p[i];
        }
        if (n + ERROR_SLACK > OUT_BYTES) {
            const char *wrong = pass(d, d->window, n);
            if (wrong != NULL)
                return wrong;
            n = 0;
        }
    }
    return pass(d, d->window, n);
}

static const char *step_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    if (d->wrong != NULL || d->over || len == 0)
        return d->wrong;
    d->begun = true;
    switch (d->coding) {
    case CODING_GZIP:
    case CODING_DEFLATE_RAW:
        d->wrong = zlib_feed(d, p, len);
        break;
    case CODING_DEFLATE:
        d->wrong = deflate_feed(d, p, len);
        break;
    case CODING_BROTLI:
        d->wrong = brotli_feed(d, p, len);
        break;
    case CODING_ZSTD:
        d->wrong = zstd_feed(d, p, len);
        break;
    case CODING_BASE64:
        d->wrong = base64_feed(d, p, len);
        break;
    default:
        d->wrong = quoted_feed(d, p, len);
        break;
    }
    return d->wrong;
}

static struct decoder *step_open(uint8_t coding)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->coding = coding;
    bool ok = true;
    switch (coding) {
    case CODING_GZIP:
        ok = zlib_start(d, 15 + 16) == NULL;
        break;
    case CODING_DEFLATE_RAW:
        ok = zlib_start(d, -15) == NULL;
        break;
    case CODING_BROTLI:
        d->as.brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        ok = d->as.brotli != NULL;
        break;
    case CODING_ZSTD:
        d->as.zstd = ZSTD_createDStream();
        ok =
            d->as.zstd != NULL &&
            !ZSTD_isError(ZSTD_DCtx_setParameter(d->as.zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
        break;
    case CODING_DEFLATE:
    case CODING_BASE64:
    case CODING_QUOTED_PRINTABLE:
        break;
    default:
        ok = false;
        break;
    }
    atomic_fetch_add(&n_open, 1);
    if (!ok) {
        decoder_close(d);
        return NULL;
    }
    return d;
}

struct decoder *decoder_open(const uint8_t coding[4])
{
    struct decoder *first = NULL, **at = &first;
    for (size_t i = 0; i < 4 && coding[i] != CODING_NONE; i++) {
        *at = atomic_load(&n_open) < OPEN_MAX ? step_open(coding[i]) : NULL;
        if (*at == NULL) {
            decoder_close(first);
            return NULL;
        }
        at = &(*at)->next;
    }
    return first;
}

const char *decoder_feed(struct decoder *d, const uint8_t *bytes, size_t len, decode_fn *out,
                         void *receiver)
{
    for (struct decoder *step = d; step != NULL; step = step->next) {
        step->out = out;
        step->receiver = receiver;
    }
    return step_feed(d, bytes, len);
}

const char *decoder_end(struct decoder *d, decode_fn *out, void *receiver)
{
    const char *wrong = NULL;
    for (struct decoder *step = d; step != NULL && wrong == NULL; step = step->next) {
        step->out = out;
        step->receiver = receiver;
        wrong = step->wrong;
        if (wrong != NULL)
            break;
        if (step->coding == CODING_BASE64)
            wrong = base64_end(step);
        else if (step->coding == CODING_QUOTED_PRINTABLE)
            wrong = pass(step, step->as.quoted.held, step->as.quoted.n);
        else if (step->begun && !step->over && step->coding != CODING_ZSTD)
            wrong = "compressed data ends too early";
    }
    return wrong;
}

void decoder_close(struct decoder *d)
{
    while (d != NULL) {
        struct decoder *next = d->next;
        if (d->zlib_open)
            (void)inflateEnd(&d->as.zlib);
        if (d->coding == CODING_BROTLI && d->as.brotli != NULL)
            BrotliDecoderDestroyInstance(d->as.brotli);
        if (d->coding == CODING_ZSTD)
            (void)ZSTD_freeDStream(d->as.zstd);
        atomic_fetch_sub(&n_open, 1);
        free(d);
        d = next;
    }
}
