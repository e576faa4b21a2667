/* unpack.c - one step a coding, chained; each step has its own output window. */
#include "inspect/unpack.h"

#include <brotli/decode.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    OUT_BYTES = 16 * 1024,
    ZSTD_WINDOW_LOG = 23,    /* 8 MiB, what RFC 8878 asks a decoder to support */
    ZSTD_BLOCK = 128 * 1024, /* the largest block */
    ZSTD_HEAD_MAX = 18,      /* RFC 8878 3.1.1: magic, descriptor, window, dictionary, size */
    QUOTED_SLACK = 4,        /* the most that one byte of quoted-printable gives out */
    GROWTH_MAX = 1000,       /* output for a byte of input, once there is much of it */
    GROWTH_FREE = 64 << 20   /* output that may grow as it likes */
};

static const uint64_t unpacked_max = (uint64_t)4 << 30; /* a body that grows beyond is a bomb */

const char unpack_no_memory[] = "memory limit of decoding";

struct unpacker {
    struct unpacker *next; /* the coding inside this one */
    uint8_t coding;
    bool over;    /* the coded stream ended by itself */
    bool between; /* gzip, zstd: a member or frame ended, another may follow */
    bool begun;   /* bytes were fed */
    const char *wrong;
    struct unpack_budget *budget;
    const struct unpacker *outermost; /* of the chain */
    uint64_t n_in, n_out;             /* coded bytes used up, bytes given out */
    unpack_fn *out;
    void *receiver;
    union {
        z_stream zlib;
        BrotliDecoderState *brotli;
        struct {
            ZSTD_DStream *stream;
            size_t charged, bare;        /* bytes now, and without a window */
            uint8_t head[ZSTD_HEAD_MAX]; /* of a frame: kept until its window is known */
            uint8_t n_head;
            bool inside; /* the frame's head was read */
        } zstd;
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

static const char *step_feed(struct unpacker *d, const uint8_t *p, size_t len);

/* ---- memory ------------------------------------------------------------------------------- */

/* charged stands before each allocation that the budget knows of. */
struct charged {
    size_t size; /* with this */
    _Alignas(max_align_t) uint8_t bytes[];
};

static void *charged_take(struct unpack_budget *budget, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct charged))
        return NULL;
    size += sizeof(struct charged);
    if (budget->used > budget->limit || size > budget->limit - budget->used)
        return NULL;
    struct charged *c = malloc(size);
    if (c == NULL)
        return NULL;
    c->size = size;
    budget->used += size;
    return c->bytes;
}

/* charged_give wipes: windows and outputs held values. */
static void charged_give(struct unpack_budget *budget, void *bytes)
{
    if (bytes == NULL)
        return;
    struct charged *c = (void *)((uint8_t *)bytes - offsetof(struct charged, bytes));
    size_t size = c->size;
    budget->used -= size;
    OPENSSL_cleanse(c, size);
    free(c);
}

static voidpf zlib_take(voidpf budget, uInt n, uInt size)
{
    return charged_take(budget, (size_t)n * size);
}

static void zlib_give(voidpf budget, voidpf bytes)
{
    charged_give(budget, bytes);
}

static void *brotli_take(void *budget, size_t size)
{
    return charged_take(budget, size);
}

static void brotli_give(void *budget, void *bytes)
{
    charged_give(budget, bytes);
}

/* ---- output ------------------------------------------------------------------------------- */

/* pass gives decoded bytes to the next step or out. */
static const char *pass(struct unpacker *d, const uint8_t *p, size_t len)
{
    d->n_out += len;
    if (d->n_out > unpacked_max)
        return "decoded body exceeds 4 GiB";
    if (d->n_out > GROWTH_FREE && d->n_out / GROWTH_MAX > d->outermost->n_in)
        return "decoded body grows too fast";
    if (len == 0)
        return NULL;
    if (d->next != NULL)
        return step_feed(d->next, p, len);
    d->out(d->receiver, p, len);
    return NULL;
}

static const char *zlib_start(struct unpacker *d, int window_bits)
{
    d->as.zlib.zalloc = zlib_take;
    d->as.zlib.zfree = zlib_give;
    d->as.zlib.opaque = d->budget;
    if (inflateInit2(&d->as.zlib, window_bits) != Z_OK)
        return unpack_no_memory;
    d->zlib_open = true;
    return NULL;
}

/* behind looks at bytes that follow the end of a coded stream: padding, or something hidden. */
static const char *behind(struct unpacker *d, const uint8_t *p, size_t len)
{
    d->over = true;
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0)
            return "bytes follow the end of compressed data";
    return NULL;
}

static const char *zlib_feed(struct unpacker *d, const uint8_t *p, size_t len)
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
            uInt before = z->avail_in;
            r = inflate(z, Z_NO_FLUSH);
            d->n_in += before - z->avail_in;
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
        } else if (r == Z_MEM_ERROR) {
            return unpack_no_memory;
        } else if (r != Z_OK && r != Z_BUF_ERROR) {
            return d->coding == CODING_GZIP ? "gzip data is damaged" : "deflate data is damaged";
        }
    }
    return NULL;
}

/* deflate_feed looks at two bytes to tell RFC 1950 from RFC 1951. */
static const char *deflate_feed(struct unpacker *d, const uint8_t *p, size_t len)
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

static const char *brotli_wrong(const BrotliDecoderState *state)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                   code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
               ? unpack_no_memory
               : "brotli data is damaged";
}

static const char *brotli_feed(struct unpacker *d, const uint8_t *p, size_t len)
{
    for (;;) {
        uint8_t *out = d->window;
        size_t room = OUT_BYTES, before = len;
        BrotliDecoderResult r =
            BrotliDecoderDecompressStream(d->as.brotli, &len, &p, &room, &out, NULL);
        d->n_in += before - len;
        const char *wrong = pass(d, d->window, OUT_BYTES - room);
        if (wrong != NULL)
            return wrong;
        if (r == BROTLI_DECODER_RESULT_ERROR)
            return brotli_wrong(d->as.brotli);
        if (r == BROTLI_DECODER_RESULT_SUCCESS)
            return behind(d, p, len);
        if (r != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            return NULL;
    }
}

/* zstd_charge sets what the step owes for memory that zstd takes by itself. */
static const char *zstd_charge(struct unpacker *d, size_t bytes)
{
    struct unpack_budget *budget = d->budget;
    size_t others = budget->used - d->as.zstd.charged;
    if (others > budget->limit || bytes > budget->limit - others)
        return unpack_no_memory;
    budget->used = others + bytes;
    d->as.zstd.charged = bytes;
    return NULL;
}

static uint64_t little_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

/* zstd_head reads the head of a frame (RFC 8878 3.1.1.1). False: it is longer than n. *window is
 * UINT64_MAX when there is no frame, 0 when it is one to be skipped. */
static bool zstd_head(const uint8_t *p, size_t n, uint64_t *window)
{
    static const uint8_t id_len[] = {0, 1, 2, 4}, size_len[] = {0, 2, 4, 8};
    if (n < 4)
        return false;
    uint64_t magic = little_endian(p, 4);
    *window = (magic & 0xfffffff0) == 0x184d2a50 ? 0 : UINT64_MAX;
    if (magic != 0xfd2fb528)
        return true;
    if (n < 5)
        return false;
    bool single = (p[4] & 0x20) != 0;
    size_t n_id = id_len[p[4] & 3], n_size = size_len[p[4] >> 6];
    if (single && n_size == 0)
        n_size = 1;
    if (n < 5 + (single ? 0u : 1u) + n_id + n_size)
        return false;
    if (single) {
        *window = little_endian(p + 5 + n_id, n_size) + (n_size == 2 ? 256 : 0);
    } else {
        *window = (uint64_t)1 << (10 + (p[5] >> 3));
        *window += *window / 8 * (p[5] & 7);
    }
    return true;
}

/* zstd_piece gives bytes of a frame to zstd, up to the frame's end; *used says how many. */
static const char *zstd_piece(struct unpacker *d, const uint8_t *p, size_t len, size_t *used)
{
    ZSTD_inBuffer in = {p, len, 0};
    *used = 0;
    for (bool full = false; in.pos < in.size || full;) {
        ZSTD_outBuffer out = {d->window, OUT_BYTES, 0};
        size_t r = ZSTD_decompressStream(d->as.zstd.stream, &out, &in);
        if (ZSTD_isError(r))
            return ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation ? unpack_no_memory
                                                                        : "zstd data is damaged";
        d->between = r == 0;
        d->n_in += in.pos - *used;
        *used = in.pos;
        full = out.pos == out.size && r != 0;
        const char *wrong = pass(d, d->window, out.pos);
        if (wrong != NULL || r == 0)
            return wrong;
    }
    return NULL;
}

/* zstd_begin feeds the head of a frame when its window was charged: zstd takes its memory then. */
static const char *zstd_begin(struct unpacker *d, uint64_t window)
{
    const char *wrong = NULL;
    if (window == UINT64_MAX) /* what zstd still reads of its own past is nobody's format */
        return "zstd data is damaged";
    if (window <= (uint64_t)1 << ZSTD_WINDOW_LOG) { /* zstd refuses what is larger */
        size_t block = window < ZSTD_BLOCK ? (size_t)window : ZSTD_BLOCK;
        size_t more = d->as.zstd.bare + (size_t)window + 3 * block + 1024;
        wrong = zstd_charge(d, more > d->as.zstd.charged ? more : d->as.zstd.charged);
    }
    size_t used;
    if (wrong == NULL)
        wrong = zstd_piece(d, d->as.zstd.head, d->as.zstd.n_head, &used);
    d->as.zstd.n_head = 0;
    d->as.zstd.inside = !d->between;
    if (wrong == NULL)
        wrong = zstd_charge(d, ZSTD_sizeof_DStream(d->as.zstd.stream));
    return wrong;
}

static const char *zstd_feed(struct unpacker *d, const uint8_t *p, size_t len)
{
    const char *wrong = NULL;
    while (len > 0 && wrong == NULL) {
        uint64_t window;
        size_t used = 1;
        if (d->as.zstd.inside) {
            wrong = zstd_piece(d, p, len, &used);
            d->as.zstd.inside = !d->between;
        } else {
            d->between = false;
            d->as.zstd.head[d->as.zstd.n_head++] = *p;
            if (zstd_head(d->as.zstd.head, d->as.zstd.n_head, &window))
                wrong = zstd_begin(d, window);
        }
        p += used;
        len -= used;
    }
    return wrong;
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
static int base64_escaped(struct unpacker *d, uint8_t c)
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
static size_t base64_rest(struct unpacker *d, uint8_t *out)
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
static bool base64_byte(struct unpacker *d, uint8_t c, uint8_t *out, size_t *n_out)
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

static const char *base64_feed(struct unpacker *d, const uint8_t *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        size_t more;
        d->n_in++;
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

static const char *base64_end(struct unpacker *d)
{
    return pass(d, d->window, base64_rest(d, d->window));
}

/* quoted_byte takes one byte and writes at most 3 to out (RFC 2045 6.7). An equals sign that begins
 * no escape stands for itself, and so does what follows it. */
static size_t quoted_byte(struct unpacker *d, uint8_t c, uint8_t *out)
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

static const char *quoted_feed(struct unpacker *d, const uint8_t *p, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        d->n_in++;
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

static const char *step_feed(struct unpacker *d, const uint8_t *p, size_t len)
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

static const char *step_start(struct unpacker *d)
{
    switch (d->coding) {
    case CODING_GZIP:
        return zlib_start(d, 15 + 16);
    case CODING_DEFLATE_RAW:
        return zlib_start(d, -15);
    case CODING_BROTLI:
        d->as.brotli = BrotliDecoderCreateInstance(brotli_take, brotli_give, d->budget);
        return d->as.brotli != NULL ? NULL : unpack_no_memory;
    case CODING_ZSTD:
        d->as.zstd.stream = ZSTD_createDStream();
        if (d->as.zstd.stream == NULL ||
            ZSTD_isError(
                ZSTD_DCtx_setParameter(d->as.zstd.stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
            return unpack_no_memory;
        d->as.zstd.bare = ZSTD_sizeof_DStream(d->as.zstd.stream);
        return zstd_charge(d, d->as.zstd.bare);
    case CODING_DEFLATE:
    case CODING_BASE64:
    case CODING_QUOTED_PRINTABLE:
        return NULL;
    default:
        return "unknown coding";
    }
}

struct unpacker *unpacker_open(const uint8_t coding[4], struct unpack_budget *budget,
                               const char **why)
{
    struct unpacker *first = NULL, **at = &first;
    *why = NULL;
    for (size_t i = 0; i < 4 && coding[i] != CODING_NONE && *why == NULL; i++) {
        struct unpacker *d = charged_take(budget, sizeof *d);
        if (d == NULL) {
            *why = unpack_no_memory;
            break;
        }
        memset(d, 0, offsetof(struct unpacker, window));
        *at = d;
        at = &d->next;
        d->coding = coding[i];
        d->budget = budget;
        d->outermost = first;
        *why = step_start(d);
    }
    if (*why != NULL) {
        unpacker_close(first);
        return NULL;
    }
    return first;
}

const char *unpacker_feed(struct unpacker *d, const uint8_t *bytes, size_t len, unpack_fn *out,
                          void *receiver)
{
    for (struct unpacker *step = d; step != NULL; step = step->next) {
        step->out = out;
        step->receiver = receiver;
    }
    return step_feed(d, bytes, len);
}

const char *unpacker_end(struct unpacker *d, unpack_fn *out, void *receiver)
{
    const char *wrong = NULL;
    for (struct unpacker *step = d; step != NULL && wrong == NULL; step = step->next) {
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

void unpacker_close(struct unpacker *d)
{
    while (d != NULL) {
        struct unpacker *next = d->next;
        if (d->zlib_open)
            (void)inflateEnd(&d->as.zlib);
        if (d->coding == CODING_BROTLI && d->as.brotli != NULL)
            BrotliDecoderDestroyInstance(d->as.brotli);
        if (d->coding == CODING_ZSTD) {
            (void)ZSTD_freeDStream(d->as.zstd.stream);
            (void)zstd_charge(d, 0);
        }
        charged_give(d->budget, d);
        d = next;
    }
}
