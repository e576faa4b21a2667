/* decode.c - one step a coding, chained; each step has its own output window. */
#include "inspect/decode.h"

#include <brotli/decode.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    OUT_BYTES = 16 * 1024,
    OPEN_MAX = 4096,      /* decoders alive in the program: each may hold a window */
    ZSTD_WINDOW_LOG = 23, /* 8 MiB, what RFC 8878 asks a decoder to support */
    QUOTED_SLACK = 4      /* the most that one byte of quoted-printable gives out */
};

static const uint64_t decoded_max = (uint64_t)4 << 30; /* a body that grows beyond is a bomb */
static atomic_int n_open;

struct decoder {
    struct decoder *next; /* the coding inside this one */
    uint8_t coding;
    bool over;    /* the coded stream ended by itself */
    bool between; /* gzip, zstd: a member or frame ended, another may follow */
    bool begun;   /* bytes were fed */
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
            uint32_t code;    /* of a \uXXXX, as JSON writes + / = and line ends */
            uint8_t n_escape; /* bytes of such an escape seen, 0 none */
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

/* behind looks at bytes that follow the end of a coded stream: padding, or something hidden. */
static const char *behind(struct decoder *d, const uint8_t *p, size_t len)
{
    d->over = true;
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0)
            return "bytes follow the end of compressed data";
    return NULL;
}

static const char *zlib_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    z_stream *z = &d->as.zlib;
    while (len > 0) {
        /* RFC 1952 2.2: members may follow each other. */
        if (d->between && (p[0] != 0x1f || inflateReset(z) != Z_OK))
            return behind(d, p, len);
        d->between = false;
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
        if (r == Z_STREAM_END && d->coding != CODING_GZIP)
            return behind(d, p, len);
        if (r == Z_STREAM_END) {
            d->between = true;
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
            return behind(d, p, len);
        if (r != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            return NULL;
    }
}

static const char *zstd_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    ZSTD_inBuffer in = {p, len, 0};
    for (bool full = false; in.pos < in.size || full;) {
        ZSTD_outBuffer out = {d->window, OUT_BYTES, 0};
        size_t r = ZSTD_decompressStream(d->as.zstd, &out, &in);
        if (ZSTD_isError(r))
            return "zstd data is damaged";
        d->between = r == 0;
        full = out.pos == out.size && r != 0;
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

/* base64_escaped takes a byte of a JSON escape; it gives the character that the escape stands for
 * when it is complete, 0 before, -1 when it is none. */
static int base64_escaped(struct decoder *d, uint8_t c)
{
    d->as.base64.n_escape++;
    if (d->as.base64.n_escape == 2 && c == 'u')
        return 0;
    if (d->as.base64.n_escape == 2) {
        d->as.base64.n_escape = 0;
        return c == '/' ? '/' : c == 'n' || c == 'r' || c == 't' ? ' ' : -1;
    }
    int digit = hex_digit(c);
    if (digit < 0)
        return -1;
    d->as.base64.code = d->as.base64.code << 4 | (uint32_t)digit;
    if (d->as.base64.n_escape < 6)
        return 0;
    uint32_t code = d->as.base64.code & 0xffff;
    d->as.base64.n_escape = 0;
    d->as.base64.code = 0;
    return code > 0 && code < 0x80 ? (int)code : -1;
}

/* base64_rest writes the bytes of an unfinished group of digits, as padding or the end closes it.
 */
static size_t base64_rest(struct decoder *d, uint8_t *out)
{
    unsigned left = d->as.base64.n % 4;
    uint32_t bits = d->as.base64.bits << 6 * (4 - left);
    d->as.base64.n = 0;
    if (left < 2)
        return 0;
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    return left - 1;
}

/* base64_byte takes one byte and writes at most 3 to out; false when it has no business here. */
static bool base64_byte(struct decoder *d, uint8_t c, uint8_t *out, size_t *n_out)
{
    *n_out = 0;
    if (d->as.base64.n_escape > 0) {
        int escaped = base64_escaped(d, c);
        if (escaped <= 0)
            return escaped == 0;
        c = (uint8_t)escaped;
    } else if (c == '\\') {
        d->as.base64.n_escape = 1;
        return true;
    }
    int digit = base64_digit(c);
    if (c == '=')
        *n_out = base64_rest(d, out);
    if (digit < 0)
        return c == '=' || c == '\r' || c == '\n' || c == ' ' || c == '\t';
    d->as.base64.bits = d->as.base64.bits << 6 | (uint32_t)digit;
    if (++d->as.base64.n % 4 == 0) {
        out[0] = (uint8_t)(d->as.base64.bits >> 16);
        out[1] = (uint8_t)(d->as.base64.bits >> 8);
        out[2] = (uint8_t)d->as.base64.bits;
        *n_out = 3;
    }
    return true;
}

static const char *base64_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        size_t more;
        if (!base64_byte(d, p[i], d->window + n, &more)) {
            const char *wrong = pass(d, d->window, n);
            return wrong != NULL ? wrong : "base64 data holds other bytes";
        }
        n += more;
        if (n + 3 > OUT_BYTES) {
            const char *wrong = pass(d, d->window, n);
            if (wrong != NULL)
                return wrong;
            n = 0;
        }
    }
    return pass(d, d->window, n);
}

static const char *base64_end(struct decoder *d)
{
    return pass(d, d->window, base64_rest(d, d->window));
}

/* quoted_byte takes one byte and writes at most 3 to out (RFC 2045 6.7). An equals sign that begins
 * no escape stands for itself, and so does what follows it. */
static size_t quoted_byte(struct decoder *d, uint8_t c, uint8_t *out)
{
    uint8_t *held = d->as.quoted.held;
    size_t n = 0;
    held[d->as.quoted.n++] = c;
    while (d->as.quoted.n > 0) {
        uint8_t k = d->as.quoted.n, took = 1;
        if (held[0] != '=') {
            out[n++] = held[0];
        } else if (k == 1 || (k == 2 && (held[1] == '\r' || hex_digit(held[1]) >= 0))) {
            break; /* not decided yet */
        } else if (held[1] == '\n') {
            took = 2; /* soft line break with a bare LF */
        } else if (k == 3 && held[1] == '\r' && held[2] == '\n') {
            took = 3;
        } else if (k == 3 && hex_digit(held[1]) >= 0 && hex_digit(held[2]) >= 0) {
            out[n++] = (uint8_t)(hex_digit(held[1]) << 4 | hex_digit(held[2]));
            took = 3;
        } else {
            out[n++] = '=';
        }
        d->as.quoted.n = (uint8_t)(k - took);
        memmove(held, held + took, d->as.quoted.n);
    }
    return n;
}

static const char *quoted_feed(struct decoder *d, const uint8_t *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        n += quoted_byte(d, p[i], d->window + n);
        if (n + QUOTED_SLACK > OUT_BYTES) {
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
    if (d->wrong != NULL || len == 0)
        return d->wrong;
    if (d->over)
        return d->wrong = behind(d, p, len);
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
        else if (step->begun && !step->over && !step->between)
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
