/* ranges.c - reads and searches sorted address ranges. Knows neither verdicts nor the other
 * database. */
#include "geo/ranges.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    READ_LEN = 256 * 1024,
    FIRST_CAP = 1 << 16
};

void ranges_start(struct ranges *r, unsigned family, const char *path)
{
    assert(family == 4 || family == 6);
    *r = (struct ranges){.family = family, .path = path};
}

void ranges_free(struct ranges *r)
{
    free(r->first4);
    free(r->last4);
    free(r->first6);
    free(r->last6);
    free(r->country);
    free(r->index);
    *r = (struct ranges){.family = r->family};
}

static bool grow(void *array, size_t size, size_t n)
{
    void *grown = realloc(*(void **)array, size * n);
    if (grown == NULL)
        return false;
    *(void **)array = grown;
    return true;
}

static bool ranges_resize(struct ranges *r, uint32_t cap)
{
    bool ok = grow(&r->country, sizeof r->country[0], cap);
    if (r->family == 4)
        ok = ok && grow(&r->first4, sizeof r->first4[0], cap) &&
             grow(&r->last4, sizeof r->last4[0], cap);
    else
        ok = ok && grow(&r->first6, sizeof r->first6[0], cap) &&
             grow(&r->last6, sizeof r->last6[0], cap);
    if (ok)
        r->cap = cap;
    return ok;
}

/* The readers below take text whose last byte is '\n', a byte that none of them passes: it stops
 * every one of them, so no end is compared with. Each returns where it stopped, NULL when there is
 * no such thing at p. */

static const uint8_t *read_decimal(const uint8_t *p, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    const uint8_t *from = p;
    for (; *p >= '0' && *p <= '9'; p++) {
        v = v * 10 + (uint64_t)(*p - '0');
        if (v > max)
            return NULL;
    }
    *out = v;
    return p == from ? NULL : p;
}

static const uint8_t *read_address4(const uint8_t *p, uint64_t out[2])
{
    uint64_t v = 0;
    out[0] = 0;
    p = read_decimal(p, UINT32_MAX, &v);
    if (p == NULL || *p != '.') {
        out[1] = v;
        return p;
    }
    for (unsigned i = 0; i < 3; i++) {
        uint64_t octet;
        if (*p != '.' || v >> (8 * (i + 1)) != 0)
            return NULL;
        p = read_decimal(p + 1, 255, &octet);
        if (p == NULL)
            return NULL;
        v = v << 8 | octet;
    }
    out[1] = v;
    return p;
}

/* One more than the value of a hexadecimal digit, 0 for any other byte. */
static const uint8_t hex_digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* read_address6: RFC 4291 section 2.2, forms 1 and 2. */
static const uint8_t *read_address6(const uint8_t *p, uint64_t out[2])
{
    uint16_t group[8];
    unsigned n = 0, gap = 8;
    if (*p == ':') {
        if (p[1] != ':')
            return NULL;
        gap = 0;
        p += 2;
    }
    for (;;) {
        unsigned v = 0, digits = 0;
        /* Half the groups of a file are ffff: worth a look before the general case. */
        if (p[0] == 'f' && p[1] == 'f' && p[2] == 'f' && p[3] == 'f') {
            v = 0xffff;
            digits = 4;
            p += 4;
        }
        for (; digits < 5 && hex_digits[*p] != 0; p++, digits++)
            v = v << 4 | (unsigned)(hex_digits[*p] - 1);
        if (digits == 0 && gap == n)
            break;
        if (digits == 0 || digits > 4)
            return NULL;
        group[n++] = (uint16_t)v;
        if (n == 8 || *p != ':')
            break;
        p++;
        if (*p == ':') {
            if (gap != 8)
                return NULL;
            gap = n;
            p++;
        }
    }
    if ((n == 8) != (gap == 8))
        return NULL;
    out[0] = out[1] = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = i < gap ? i : i + 8 - n;
        out[at / 4] |= (uint64_t)group[i] << (48 - at % 4 * 16);
    }
    return p;
}

static bool comes_after(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] != b[0] ? a[0] > b[0] : a[1] > b[1];
}

static bool follows_at_once(const uint64_t a[2], const uint64_t b[2])
{
    uint64_t low = b[1] + 1;
    return a[1] == low && a[0] == b[0] + (low == 0 ? 1 : 0);
}

static enum status keep(struct ranges *r, const uint64_t first[2], const uint64_t last[2],
                        uint16_t country, bool joined, struct fault *f)
{
    if (joined && r->n > 0 && r->country[r->n - 1] == country) {
        if (r->family == 4)
            r->last4[r->n - 1] = (uint32_t)last[1];
        else
            memcpy(r->last6[r->n - 1], last, sizeof r->last6[0]);
        return STATUS_OK;
    }
    if (r->n == r->cap) {
        if (r->n >= RANGES_MAX_COUNT)
            return fault_set(f, STATUS_LIMIT, "%s:%" PRIu64 ": more than %d ranges", r->path,
                             r->line, RANGES_MAX_COUNT);
        if (!ranges_resize(r, r->cap == 0 ? FIRST_CAP : r->cap * 2))
            return fault_set(f, STATUS_MEMORY, "%s: no memory", r->path);
    }
    if (r->family == 4) {
        r->first4[r->n] = (uint32_t)first[1];
        r->last4[r->n] = (uint32_t)last[1];
    } else {
        memcpy(r->first6[r->n], first, sizeof r->first6[0]);
        memcpy(r->last6[r->n], last, sizeof r->last6[0]);
    }
    r->country[r->n++] = country;
    return STATUS_OK;
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static enum status read_range(struct ranges *r, const uint8_t **at, struct fault *f)
{
    const char *why = "an address range must be FIRST,LAST,CC";
    uint64_t first[2], last[2];
    const uint8_t *p = *at;
    p = r->family == 4 ? read_address4(p, first) : read_address6(p, first);
    if (p == NULL || *p != ',')
        goto bad;
    p++;
    p = r->family == 4 ? read_address4(p, last) : read_address6(p, last);
    if (p == NULL || *p != ',')
        goto bad;
    why = "a country must be two capital letters or ??";
    bool nobody = p[1] == '?' && p[2] == '?';
    if (!nobody && !(is_upper(p[1]) && is_upper(p[2])))
        goto bad;
    uint16_t country = (uint16_t)((unsigned)p[1] << 8 | p[2]);
    p += 3;
    p += *p == '\r' ? 1 : 0;
    why = "nothing may follow the country";
    if (*p != '\n')
        goto bad;
    why = "the range ends before it begins";
    if (comes_after(first, last))
        goto bad;
    why = "the range does not come after the one before: ranges must be sorted and apart";
    if (r->n_read > 0 && !comes_after(first, r->end))
        goto bad;
    *at = p + 1;
    bool joined = r->n_read > 0 && follows_at_once(first, r->end);
    r->n_read++;
    memcpy(r->end, last, sizeof r->end);
    return nobody ? STATUS_OK : keep(r, first, last, country, joined, f);
bad:
    return fault_set(f, STATUS_FORMAT, "%s:%" PRIu64 ": %s", r->path, r->line, why);
}

static int64_t days_since_1970(int64_t year, unsigned month, unsigned day)
{
    /* Years begin in March here, so that the leap day is a year's last. */
    year -= month <= 2 ? 1 : 0;
    int64_t since_march = (month + 9) % 12;
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * since_march + 2) / 5 + day - 1 -
           719468;
}

/* "Thu, 25 Jun 2026 04:33:59 GMT" or "2026-06-25"; the time of day is not needed. */
static int64_t read_date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *comma = strchr(text, ',');
    char *end;
    long year, month = 0, day;
    if (comma != NULL) {
        day = strtol(comma + 1, &end, 10);
        if (*end != ' ' || strlen(end) < 9)
            return 0;
        for (long i = 0; i < 12; i++)
            if (strncmp(end + 1, months + 3 * i, 3) == 0)
                month = i + 1;
        year = strtol(end + 4, &end, 10);
    } else {
        year = strtol(text, &end, 10);
        month = *end == '-' ? strtol(end + 1, &end, 10) : 0;
        day = *end == '-' ? strtol(end + 1, &end, 10) : 0;
    }
    if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    return days_since_1970(year, (unsigned)month, (unsigned)day) * 86400;
}

static bool header(const char *line, const char *name, char out[RANGES_WORDS])
{
    size_t n = strlen(name);
    if (strncmp(line, name, n) != 0)
        return false;
    line += n;
    line += strspn(line, " ");
    size_t len = 0;
    while (len + 1 < RANGES_WORDS && line[len] >= ' ' && line[len] <= '~')
        len++;
    memcpy(out, line, len);
    out[len] = '\0';
    return true;
}

static void read_comment(struct ranges *r, const uint8_t *p, size_t len)
{
    char line[128];
    char date[RANGES_WORDS];
    if (len >= sizeof line)
        return;
    memcpy(line, p, len);
    line[len] = '\0';
    if (header(line, "# Generated:", date))
        r->built = read_date(date);
    else if (!header(line, "# Vendor:", r->vendor))
        (void)header(line, "# License:", r->licence);
}

enum status ranges_add(struct ranges *r, const uint8_t *bytes, size_t len, struct fault *f)
{
    const uint8_t *p = bytes, *end = bytes + len;
    assert(len == 0 || end[-1] == '\n');
    while (p < end) {
        r->line++;
        if (*p == '#') {
            const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
            read_comment(r, p, (size_t)(nl - p));
            p = nl + 1;
        } else if (*p == '\n') {
            p++;
        } else if (*p == '\r' && p[1] == '\n') {
            p += 2;
        } else {
            enum status st = read_range(r, &p, f);
            if (st != STATUS_OK)
                return st;
        }
    }
    return STATUS_OK;
}

static uint32_t key_of(const struct ranges *r, uint32_t i)
{
    return r->family == 4 ? r->first4[i] >> 16 : (uint32_t)(r->first6[i][0] >> 48);
}

enum status ranges_finish(struct ranges *r, struct fault *f)
{
    if (r->n == 0)
        return fault_set(f, STATUS_FORMAT, "%s: no address range in the file", r->path);
    if (!ranges_resize(r, r->n) || !grow(&r->index, sizeof r->index[0], RANGES_KEYS + 1))
        return fault_set(f, STATUS_MEMORY, "%s: no memory", r->path);
    uint32_t i = 0;
    for (uint32_t key = 0; key < RANGES_KEYS; key++) {
        r->index[key] = i;
        while (i < r->n && key_of(r, i) == key)
            i++;
    }
    r->index[RANGES_KEYS] = i;
    return STATUS_OK;
}

static enum status load_from(struct ranges *r, int fd, uint8_t *buf, struct fault *f)
{
    size_t held = 0;
    for (;;) {
        ssize_t got = read(fd, buf + held, READ_LEN - held);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fault_set(f, STATUS_IO, "%s: %s", r->path, strerror(errno));
        size_t lines = held += (size_t)got;
        if (got == 0 && held > 0)
            buf[held++] = '\n';
        if (got == 0)
            return ranges_add(r, buf, held, f);
        while (lines > 0 && buf[lines - 1] != '\n')
            lines--;
        if (held - lines >= RANGES_MAX_LINE)
            return fault_set(f, STATUS_FORMAT, "%s: a line is longer than %d bytes", r->path,
                             RANGES_MAX_LINE);
        enum status st = ranges_add(r, buf, lines, f);
        if (st != STATUS_OK)
            return st;
        memmove(buf, buf + lines, held - lines);
        held -= lines;
    }
}

enum status ranges_load(struct ranges *r, unsigned family, const char *path, struct fault *f)
{
    ranges_start(r, family, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int why = errno;
        (void)fault_set(f, STATUS_IO, "%s: %s", path, strerror(why));
        errno = why;
        return STATUS_IO;
    }
    /* One byte more than is read: the end of a last line that has none. */
    uint8_t *buf = malloc(READ_LEN + 1);
    enum status st =
        buf == NULL ? fault_set(f, STATUS_MEMORY, "%s: no memory", path) : load_from(r, fd, buf, f);
    if (st == STATUS_OK)
        st = ranges_finish(r, f);
    int why = errno;
    free(buf);
    (void)close(fd);
    if (st != STATUS_OK)
        ranges_free(r);
    errno = why;
    return st;
}

static bool found(const struct ranges *r, uint32_t i, char out[3])
{
    out[0] = (char)(r->country[i] >> 8);
    out[1] = (char)(r->country[i] & 0xff);
    out[2] = '\0';
    return true;
}

bool ranges_find(const struct ranges *r, const uint8_t *address, char out[3])
{
    out[0] = '\0';
    if (r->n == 0)
        return false;
    uint32_t key = (uint32_t)address[0] << 8 | address[1];
    /* [low, high): the ranges of this key; the answer is the one before the first that begins
     * after the address, which may belong to an earlier key. */
    uint32_t low = r->index[key], high = r->index[key + 1];
    if (r->family == 4) {
        uint32_t a = key << 16 | (uint32_t)address[2] << 8 | address[3];
        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            if (r->first4[mid] <= a)
                low = mid + 1;
            else
                high = mid;
        }
        return low > 0 && r->last4[low - 1] >= a && found(r, low - 1, out);
    }
    uint64_t a[2] = {0, 0};
    for (unsigned i = 0; i < 16; i++)
        a[i / 8] = a[i / 8] << 8 | address[i];
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (!comes_after(r->first6[mid], a))
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 && !comes_after(a, r->last6[low - 1]) && found(r, low - 1, out);
}
