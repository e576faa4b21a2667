/* input.c - reads files and streams in large pieces; unpacks gzip and zstd as they come. */
#include "capture/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

enum {
    STORED_BYTES = 128 * 1024 /* read at once of a packed file */
};

enum packing {
    PACKING_UNKNOWN, /* first bytes not seen yet */
    PACKING_NONE,
    PACKING_GZIP,
    PACKING_ZSTD
};

struct input {
    const char *name;
    int fd;
    bool is_stdin;
    bool is_regular;
    bool ended;   /* no more stored bytes */
    bool pending; /* the unpacker may hold bytes that need no further stored ones */
    enum packing packing;
    bool in_member; /* inside a gzip member or zstd frame */
    uint8_t *stored;
    size_t stored_len, stored_pos;
    uint64_t n_stored;
    const char *broken; /* damage found behind bytes already given out */
    z_stream inflate;
    ZSTD_DStream *zstd;
};

struct input *input_open(const char *path, const char *name, struct fault *f)
{
    struct input *in = calloc(1, sizeof *in);
    if (in == NULL) {
        (void)fault_set(f, STATUS_MEMORY, "%s: no memory", name);
        return NULL;
    }
    in->name = name;
    in->is_stdin = strcmp(path, "-") == 0;
    in->fd = in->is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (in->fd < 0 || fstat(in->fd, &st) != 0) {
        (void)fault_set(f, STATUS_IO, "%s: cannot open: %s", name, strerror(errno));
        input_close(in);
        return NULL;
    }
    in->is_regular = S_ISREG(st.st_mode);
    if (in->is_regular)
        (void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return in;
}

void input_close(struct input *in)
{
    if (in == NULL)
        return;
    if (in->fd >= 0 && !in->is_stdin)
        (void)close(in->fd);
    if (in->packing == PACKING_GZIP)
        (void)inflateEnd(&in->inflate);
    (void)ZSTD_freeDStream(in->zstd);
    free(in->stored);
    free(in);
}

static enum status read_stored(struct input *in, uint8_t *to, size_t size, size_t *got,
                               struct fault *f)
{
    *got = 0;
    ssize_t n;
    do
        n = read(in->fd, to, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fault_set(f, STATUS_IO, "%s: at %llu: cannot read: %s", in->name,
                         (unsigned long long)in->n_stored, strerror(errno));
    in->ended = n == 0;
    in->n_stored += (uint64_t)n;
    *got = (size_t)n;
    return STATUS_OK;
}

/* Makes sure at least `need` unread stored bytes are in the buffer, unless the file ends. */
static enum status fill_stored(struct input *in, size_t need, struct fault *f)
{
    while (in->stored_len - in->stored_pos < need && !in->ended) {
        if (in->stored_pos > 0) {
            memmove(in->stored, in->stored + in->stored_pos, in->stored_len - in->stored_pos);
            in->stored_len -= in->stored_pos;
            in->stored_pos = 0;
        }
        size_t got;
        enum status status =
            read_stored(in, in->stored + in->stored_len, STORED_BYTES - in->stored_len, &got, f);
        if (status != STATUS_OK)
            return status;
        in->stored_len += got;
    }
    return STATUS_OK;
}

static bool starts_gzip(const uint8_t *p, size_t len)
{
    return len >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

/* A zstd frame or a skippable one (RFC 8878 sections 3.1.1, 3.1.2). */
static bool starts_zstd(const uint8_t *p, size_t len)
{
    return len >= 4 && ((p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd) ||
                        ((p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18));
}

static const char *other_packing(const uint8_t *p, size_t len)
{
    if (len >= 6 && memcmp(p,
                           "\xfd"
                           "7zXZ",
                           6) == 0)
        return "xz";
    if (len >= 3 && memcmp(p, "BZh", 3) == 0)
        return "bzip2";
    if (len >= 4 && memcmp(p, "\x04\x22\x4d\x18", 4) == 0)
        return "lz4";
    if (len >= 4 && memcmp(p, "PK\x03\x04", 4) == 0)
        return "zip";
    return NULL;
}

static enum status find_packing(struct input *in, struct fault *f)
{
    in->stored = malloc(STORED_BYTES);
    if (in->stored == NULL)
        return fault_set(f, STATUS_MEMORY, "%s: no memory", in->name);
    enum status status = fill_stored(in, 6, f);
    if (status != STATUS_OK)
        return status;
    const char *other = other_packing(in->stored, in->stored_len);
    if (other != NULL)
        return fault_set(f, STATUS_FORMAT, "%s: packed with %s: unpack it first", in->name, other);
    if (starts_gzip(in->stored, in->stored_len)) {
        if (inflateInit2(&in->inflate, 15 + 16) != Z_OK)
            return fault_set(f, STATUS_MEMORY, "%s: no memory", in->name);
        in->packing = PACKING_GZIP;
    } else if (starts_zstd(in->stored, in->stored_len)) {
        in->zstd = ZSTD_createDStream();
        if (in->zstd == NULL)
            return fault_set(f, STATUS_MEMORY, "%s: no memory", in->name);
        in->packing = PACKING_ZSTD;
    } else {
        in->packing = PACKING_NONE;
    }
    return STATUS_OK;
}

static enum status read_plain(struct input *in, uint8_t *to, size_t size, size_t *got,
                              struct fault *f)
{
    if (in->stored_pos < in->stored_len) {
        size_t n = in->stored_len - in->stored_pos;
        *got = n < size ? n : size;
        memcpy(to, in->stored + in->stored_pos, *got);
        in->stored_pos += *got;
        return STATUS_OK;
    }
    if (in->ended)
        return STATUS_END;
    enum status status = read_stored(in, to, size, got, f);
    return status == STATUS_OK && in->ended ? STATUS_END : status;
}

static uint64_t stored_at(const struct input *in)
{
    return in->n_stored - (in->stored_len - in->stored_pos);
}

static enum status packing_fault(struct input *in, const char *what, struct fault *f)
{
    return fault_set(f, STATUS_FORMAT, "%s: at packed byte %llu: %s", in->name,
                     (unsigned long long)stored_at(in), what);
}

/* Between two members or frames: another one, padding, the end, or something foreign. */
static enum status next_member(struct input *in, struct fault *f)
{
    enum status status = fill_stored(in, 4, f);
    if (status != STATUS_OK)
        return status;
    const uint8_t *p = in->stored + in->stored_pos;
    size_t left = in->stored_len - in->stored_pos;
    if (left == 0)
        return STATUS_END;
    if (in->packing == PACKING_GZIP ? starts_gzip(p, left) : starts_zstd(p, left)) {
        in->in_member = true;
        if (in->packing == PACKING_GZIP)
            (void)inflateReset(&in->inflate);
        return STATUS_OK;
    }
    /* gzip files may be filled up with zeros to a block size. */
    if (in->packing == PACKING_GZIP && p[0] == 0) {
        in->stored_pos++;
        return STATUS_OK;
    }
    return packing_fault(in, "bytes that are not packed follow the packed ones", f);
}

static enum status inflate_some(struct input *in, uint8_t *to, size_t size, size_t *got,
                                struct fault *f)
{
    z_stream *z = &in->inflate;
    z->next_in = in->stored + in->stored_pos;
    z->avail_in = (uInt)(in->stored_len - in->stored_pos);
    z->next_out = to;
    z->avail_out = (uInt)size;
    int rc = inflate(z, Z_NO_FLUSH);
    in->stored_pos = in->stored_len - z->avail_in;
    *got = size - z->avail_out;
    if (rc == Z_STREAM_END)
        in->in_member = false;
    else if (rc == Z_MEM_ERROR)
        return fault_set(f, STATUS_MEMORY, "%s: no memory", in->name);
    else if (rc != Z_OK && rc != Z_BUF_ERROR)
        in->broken = z->msg != NULL ? z->msg : "damaged gzip";
    return STATUS_OK;
}

static enum status unzstd_some(struct input *in, uint8_t *to, size_t size, size_t *got)
{
    ZSTD_inBuffer from = {in->stored, in->stored_len, in->stored_pos};
    ZSTD_outBuffer out = {to, size, 0};
    size_t rc = ZSTD_decompressStream(in->zstd, &out, &from);
    in->stored_pos = from.pos;
    *got = out.pos;
    if (ZSTD_isError(rc))
        in->broken = ZSTD_getErrorName(rc);
    else if (rc == 0)
        in->in_member = false;
    return STATUS_OK;
}

static enum status read_packed(struct input *in, uint8_t *to, size_t size, size_t *got,
                               struct fault *f)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && *got == 0) {
        if (in->broken != NULL)
            return packing_fault(in, in->broken, f);
        if (!in->in_member) {
            status = next_member(in, f);
            continue;
        }
        size_t before = in->stored_pos;
        status = in->packing == PACKING_GZIP ? inflate_some(in, to, size, got, f)
                                             : unzstd_some(in, to, size, got);
        if (status != STATUS_OK || *got > 0 || !in->in_member || in->stored_pos > before)
            continue;
        /* Nothing came and nothing went: more stored bytes are needed. */
        size_t left = in->stored_len - in->stored_pos;
        status = fill_stored(in, left + 1, f);
        if (status == STATUS_OK && in->stored_len - in->stored_pos == left)
            return packing_fault(in, "file ends inside packed bytes", f);
    }
    return status;
}

enum status input_read(struct input *in, uint8_t *to, size_t size, size_t *got, struct fault *f)
{
    *got = 0;
    if (in->packing == PACKING_UNKNOWN) {
        enum status status = find_packing(in, f);
        if (status != STATUS_OK)
            return status;
    }
    if (in->packing == PACKING_NONE)
        return read_plain(in, to, size, got, f);
    enum status status = read_packed(in, to, size, got, f);
    in->pending = *got == size;
    return status;
}

bool input_ready(struct input *in, int wait_ms)
{
    if (in->is_regular || in->ended || in->pending || in->stored_pos < in->stored_len)
        return true;
    struct pollfd p = {.fd = in->fd, .events = POLLIN};
    return poll(&p, 1, wait_ms) > 0;
}

uint64_t input_stored(const struct input *in)
{
    return in->n_stored;
}

bool input_packed(const struct input *in)
{
    return in->packing == PACKING_GZIP || in->packing == PACKING_ZSTD;
}
