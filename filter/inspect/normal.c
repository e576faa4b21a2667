/* normal.c - two steps, each with a map back: escapes to bytes, bytes to normal text. */
#include "inspect/normal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* scan_bytes tells whether any byte is zero or has its high bit set. */
static bool all_low_and_set(const uint8_t *p, size_t n)
{
    size_t i = 0;
#ifdef __SSE2__
    __m128i high = _mm_setzero_si128(), zero = _mm_setzero_si128();
    for (; i + 16 <= n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        high = _mm_or_si128(high, v);
        zero = _mm_or_si128(zero, _mm_cmpeq_epi8(v, _mm_setzero_si128()));
    }
    if (_mm_movemask_epi8(_mm_or_si128(high, zero)) != 0)
        return false;
#endif
    unsigned bad = 0;
    for (; i < n; i++)
        bad |= (p[i] & 0x80u) | (p[i] == 0);
    return bad == 0;
}

/* ---- escapes ------------------------------------------------------------------------------ */

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

/* hex_number reads n hex digits; -1 when one is not. */
static int32_t hex_number(const uint8_t *p, size_t n)
{
    int32_t v = 0;
    for (size_t i = 0; i < n; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

/* put_code writes a code point as UTF-8: at most 4 bytes, and never more than its escape took. */
static size_t put_code(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | (c >> 18 & 0x07));
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* Each undo_ reads one escape at p[0..n) and writes its bytes to out. It returns how many raw bytes
 * it took, 0 when there is no whole escape, and sets *n_out. */

static size_t undo_json(const uint8_t *p, size_t n, uint8_t *out, size_t *n_out)
{
    if (n < 2 || p[0] != '\\')
        return 0;
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = p[1] != '\0' ? strchr(from, p[1]) : NULL;
    if (at != NULL) {
        out[0] = (uint8_t)to[at - from];
        *n_out = 1;
        return 2;
    }
    int32_t code = p[1] == 'u' && n >= 6 ? hex_number(p + 2, 4) : -1;
    if (code < 0)
        return 0;
    size_t took = 6;
    if (code >= 0xd800 && code < 0xdc00 && n >= 12 && p[6] == '\\' && p[7] == 'u') {
        int32_t low = hex_number(p + 8, 4);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            took = 12;
        }
    }
    *n_out = put_code((uint32_t)code, out);
    return took;
}

static size_t undo_xml(const uint8_t *p, size_t n, uint8_t *out, size_t *n_out)
{
    if (n < 4 || p[0] != '&')
        return 0;
    static const struct {
        const char *name;
        char value;
    } names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i].name);
        if (n >= len && memcmp(p, names[i].name, len) == 0) {
            out[0] = (uint8_t)names[i].value;
            *n_out = 1;
            return len;
        }
    }
    if (p[1] != '#')
        return 0;
    bool hex = p[2] == 'x' || p[2] == 'X';
    uint32_t code = 0;
    size_t i = hex ? 3 : 2, digits = i;
    for (; i < n && i < 12 && p[i] != ';'; i++) {
        int d = hex_digit(p[i]);
        if (d < 0 || (!hex && d > 9) || code > 0x10ffff)
            return 0;
        code = code * (hex ? 16 : 10) + (uint32_t)d;
    }
    if (i == n || p[i] != ';' || i == digits || code > 0x10ffff)
        return 0;
    *n_out = put_code(code, out);
    return i + 1;
}

static size_t undo_percent(const uint8_t *p, size_t n, uint8_t *out, size_t *n_out)
{
    int32_t v = n >= 3 && p[0] == '%' ? hex_number(p + 1, 2) : -1;
    if (v < 0)
        return 0;
    out[0] = (uint8_t)v;
    *n_out = 1;
    return 3;
}

/* undo_hl7 knows the escapes of HL7 v2.5.1 section 2.7: delimiters, hexadecimal; highlighting and
 * formatting commands stand for nothing. */
static size_t undo_hl7(const uint8_t *p, size_t n, uint8_t escape, uint8_t *out, size_t *n_out)
{
    if (n < 3 || p[0] != escape)
        return 0;
    size_t end = 1;
    while (end < n && end < 64 && p[end] != escape)
        end++;
    if (end == n || p[end] != escape || end == 1)
        return 0;
    *n_out = 0;
    if (p[1] == 'X') {
        for (size_t i = 2; i + 1 < end; i += 2) {
            int32_t v = hex_number(p + i, 2);
            if (v < 0)
                return 0;
            out[(*n_out)++] = (uint8_t)v;
        }
    } else if (end == 2) {
        static const char names[] = "FSTRE", values[] = "|^&~\\";
        const char *at = p[1] != '\0' ? strchr(names, p[1]) : NULL;
        if (at != NULL)
            out[(*n_out)++] = (uint8_t)values[at - names];
    }
    return end + 1;
}

static size_t undo_one(const uint8_t *p, size_t n, enum escape escape, uint8_t escape_char,
                       uint8_t *out, size_t *n_out)
{
    switch (escape) {
    case ESCAPE_JSON:
        return undo_json(p, n, out, n_out);
    case ESCAPE_XML:
        return undo_xml(p, n, out, n_out);
    case ESCAPE_HL7:
        return undo_hl7(p, n, escape_char, out, n_out);
    case ESCAPE_FORM:
        if (p[0] == '+') {
            out[0] = ' ';
            *n_out = 1;
            return 1;
        }
        return undo_percent(p, n, out, n_out);
    case ESCAPE_PERCENT:
        return undo_percent(p, n, out, n_out);
    case ESCAPE_NONE:
        break;
    }
    return 0;
}

static size_t undo_escapes(const uint8_t *p, size_t n, enum escape escape, uint8_t escape_char,
                           uint8_t *out, uint32_t *map)
{
    size_t len = 0;
    for (size_t i = 0; i < n;) {
        size_t n_out = 0;
        size_t took = undo_one(p + i, n - i, escape, escape_char, out + len, &n_out);
        if (took == 0) {
            out[len] = p[i];
            took = n_out = 1;
        }
        for (size_t k = 0; k < n_out; k++)
            map[len + k] = (uint32_t)i;
        len += n_out;
        i += took;
    }
    map[len] = (uint32_t)n;
    return len;
}

/* ---- charsets ----------------------------------------------------------------------------- */

enum {
    RUN_MAX = 256, /* bytes with a high bit that are divided into characters at once */
    RUN_EDGE = 16  /* the last of them are looked at again with what follows */
};

/* utf8_len is the length of a valid UTF-8 sequence at p, 0 when there is none. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (len == 0 || len > n || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* ---- is there anything to fold? ------------------------------------------------------------ */

/* marks says of up to 64 bytes what each is: bit i for byte i. */
struct marks {
    uint64_t zero, plain, digit, a1, a2, a3, upper, gb_digit, big5_digit, e3, ef, bc, bd, wide_bc,
        wide_bd;
};

#ifdef __SSE2__
static uint64_t mask_of(__m128i v, unsigned at)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(v) << at;
}

/* within: lo <= byte <= hi, unsigned. */
static __m128i within(__m128i v, uint8_t lo, uint8_t hi)
{
    __m128i shifted = _mm_sub_epi8(v, _mm_set1_epi8((char)lo));
    __m128i most = _mm_set1_epi8((char)(hi - lo));
    return _mm_cmpeq_epi8(_mm_min_epu8(shifted, most), shifted);
}

static void mark16(const uint8_t *p, unsigned at, struct marks *m)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    m->zero |= mask_of(_mm_cmpeq_epi8(v, _mm_setzero_si128()), at);
    m->plain |= mask_of(within(v, 0x20, 0x7e), at);
    m->digit |= mask_of(within(v, '0', '9'), at);
    m->upper |= mask_of(within(v, 0xa1, 0xfe), at);
    m->gb_digit |= mask_of(within(v, 0xb0, 0xb9), at);
    m->big5_digit |= mask_of(within(v, 0xaf, 0xb8), at);
    m->a1 |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xa1)), at);
    m->a2 |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xa2)), at);
    m->a3 |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xa3)), at);
    m->e3 |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xe3)), at);
    m->ef |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xef)), at);
    m->bc |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xbc)), at);
    m->bd |= mask_of(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xbd)), at);
    m->wide_bc |= mask_of(_mm_or_si128(within(v, 0x90, 0x99), within(v, 0xa0, 0xba)), at);
    m->wide_bd |= mask_of(within(v, 0x81, 0x9a), at);
}
#else
static void mark1(uint8_t c, unsigned at, struct marks *m)
{
    uint64_t bit = (uint64_t)1 << at;
    m->zero |= c == 0 ? bit : 0;
    m->plain |= c >= 0x20 && c <= 0x7e ? bit : 0;
    m->digit |= c >= '0' && c <= '9' ? bit : 0;
    m->upper |= c >= 0xa1 && c <= 0xfe ? bit : 0;
    m->gb_digit |= c >= 0xb0 && c <= 0xb9 ? bit : 0;
    m->big5_digit |= c >= 0xaf && c <= 0xb8 ? bit : 0;
    m->a1 |= c == 0xa1 ? bit : 0;
    m->a2 |= c == 0xa2 ? bit : 0;
    m->a3 |= c == 0xa3 ? bit : 0;
    m->e3 |= c == 0xe3 ? bit : 0;
    m->ef |= c == 0xef ? bit : 0;
    m->bc |= c == 0xbc ? bit : 0;
    m->bd |= c == 0xbd ? bit : 0;
    m->wide_bc |= (c >= 0x90 && c <= 0x99) || (c >= 0xa0 && c <= 0xba) ? bit : 0;
    m->wide_bd |= c >= 0x81 && c <= 0x9a ? bit : 0;
}
#endif

/* pattern_in tells whether the marked bytes hold the beginning of something that folds to text a
 * rule could match: UTF-16 letters in a row, full-width forms in a row or beside ASCII digits, wide
 * spaces behind digits. Binary bytes do not, almost always, and are spared the slow way. */
static bool pattern_in(const struct marks *m)
{
    uint64_t utf16 = m->plain & m->zero >> 1 & m->plain >> 2 & m->zero >> 3 & m->plain >> 4;
    uint64_t utf8 = m->ef & ((m->bc >> 1 & m->wide_bc >> 2) | (m->bd >> 1 & m->wide_bd >> 2));
    uint64_t wide_gb = m->a3 & m->upper >> 1;
    uint64_t gb = wide_gb & wide_gb >> 2;
    uint64_t gb_digit = m->a3 & m->gb_digit >> 1;
    uint64_t big5 = m->a2 & m->upper >> 1;
    uint64_t big5_digit = m->a2 & m->big5_digit >> 1;
    uint64_t beside = (gb_digit | big5_digit) & (m->digit >> 2 | m->digit << 1);
    uint64_t space = m->digit & (m->e3 >> 1 | (m->a1 >> 1 & m->a1 >> 2));
    return (utf16 | utf8 | gb | (big5 & big5 >> 2) | beside | space) != 0;
}

static bool has_pattern(const uint8_t *p, size_t n)
{
    enum {
        STEP = 56
    }; /* patterns are at most 8 bytes long: blocks of 64 overlap by that */
    size_t i = 0;
#ifdef __SSE2__
    for (; i + 64 <= n; i += STEP) {
        struct marks m = {0};
        for (unsigned at = 0; at < 64; at += 16)
            mark16(p + i + at, at, &m);
        if (pattern_in(&m))
            return true;
    }
    for (; i < n; i += STEP) {
        /* A short rest is padded with a byte that marks nothing. */
        uint8_t rest[64];
        size_t left = n - i < 64 ? n - i : 64;
        memset(rest, 1, sizeof rest);
        memcpy(rest, p + i, left);
        struct marks m = {0};
        for (unsigned at = 0; at < left; at += 16)
            mark16(rest + at, at, &m);
        if (pattern_in(&m))
            return true;
    }
#else
    for (; i < n; i += STEP) {
        struct marks m = {0};
        for (unsigned at = 0; at < 64 && i + at < n; at++)
            mark1(p[i + at], at, &m);
        if (pattern_in(&m))
            return true;
    }
#endif
    return false;
}

bool normal_is_plain(const uint8_t *p, size_t n, enum escape escape, enum charset charset)
{
    return escape == ESCAPE_NONE && charset != CHARSET_UTF16LE && charset != CHARSET_UTF16BE &&
           (all_low_and_set(p, n) || !has_pattern(p, n));
}

/* wide is one step of the normal text: the bytes to write for a character, and its raw length. */
struct wide {
    size_t took, n;
    uint8_t bytes[4];
};

static struct wide as_is(const uint8_t *p, size_t len)
{
    struct wide w = {len, len, {0}};
    memcpy(w.bytes, p, len);
    return w;
}

static struct wide folded(uint32_t ascii, size_t took)
{
    return (struct wide){took, 1, {(uint8_t)ascii}};
}

/* fold_utf8 takes three bytes: U+FF01..FF5E are ASCII 0x21..0x7e, U+3000 is a space. */
static struct wide fold_utf8(const uint8_t *p)
{
    if (p[0] == 0xef && p[1] == 0xbc && p[2] >= 0x81)
        return folded(p[2] - 0x81u + 0x21u, 3);
    if (p[0] == 0xef && p[1] == 0xbd && p[2] <= 0x9e)
        return folded(p[2] - 0x80u + 0x60u, 3);
    if (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80)
        return folded(' ', 3);
    return as_is(p, 3);
}

/* wide_pair is the ASCII that two bytes stand for: row 3 of GB 2312, or digits and capitals of
 * Big5; 0 for none. */
static uint8_t wide_pair(const uint8_t *p, bool is_big5)
{
    if (is_big5 && p[0] == 0xa2 && p[1] >= 0xaf && p[1] <= 0xb8)
        return (uint8_t)(p[1] - 0xaf + '0');
    if (is_big5 && p[0] == 0xa2 && p[1] >= 0xcf && p[1] <= 0xe8)
        return (uint8_t)(p[1] - 0xcf + 'A');
    if (!is_big5 && p[0] == 0xa3 && p[1] >= 0xa1)
        return (uint8_t)(p[1] - 0x80);
    if (!is_big5 && p[0] == 0xa1 && p[1] == 0xa1)
        return ' ';
    return 0;
}

static struct wide fold_pair(const uint8_t *p, bool is_big5)
{
    uint8_t ascii = wide_pair(p, is_big5);
    return ascii != 0 ? folded(ascii, 2) : as_is(p, 2);
}

/* divide finds the best reading of a run of bytes that is not UTF-8 throughout: a character of
 * UTF-8 and a wide pair explain three points a byte, another pair of GB 18030 or Big5 two, a byte
 * alone nothing. So one stray byte, or one text behind the other, spoils only itself. */
static void divide(const uint8_t *p, size_t n, bool is_big5, uint8_t took[RUN_MAX])
{
    uint16_t best[RUN_MAX + 1];
    best[n] = 0;
    for (size_t i = n; i-- > 0;) {
        best[i] = best[i + 1];
        took[i] = 1;
        size_t len = utf8_len(p + i, n - i);
        bool is_pair = i + 1 < n && p[i] != 0x80 && p[i] != 0xff && p[i + 1] != 0xff;
        uint8_t ascii = is_pair ? wide_pair(p + i, is_big5) : 0;
        unsigned pair = is_pair ? (ascii != 0 ? 6u : 4u) + best[i + 2] : 0;
        unsigned utf8 = len > 0 ? 3 * (unsigned)len + best[i + len] : 0;
        if (utf8 > best[i]) {
            best[i] = (uint16_t)utf8;
            took[i] = (uint8_t)len;
        }
        if (pair > best[i] || (ascii != 0 && pair == best[i])) {
            best[i] = (uint16_t)pair;
            took[i] = 2;
        }
    }
}

/* plan divides the bytes with a high bit at p into characters, took[i] bytes at i, and returns how
 * many bytes it divided. What is valid UTF-8 is UTF-8, whatever was declared. */
static size_t plan(const uint8_t *p, size_t n, bool is_big5, uint8_t took[RUN_MAX])
{
    size_t run = 0, at = 0, len;
    while (run < n && run < RUN_MAX && p[run] >= 0x80)
        run++;
    while (at < run && (len = utf8_len(p + at, run - at)) > 0) {
        took[at] = (uint8_t)len;
        at += len;
    }
    if (at == run || (run == RUN_MAX && run - at < 4))
        return at;
    if (run == n && run - at < 4 && p[at] >= 0xc2) {
        memset(took + at, 1, run - at); /* cut by the end of a window */
        return run;
    }
    divide(p, run, is_big5, took);
    if (run < RUN_MAX)
        return run;
    for (at = 0; at < RUN_MAX - RUN_EDGE;)
        at += took[at];
    return at;
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c <= 0x7e;
}

/* starts_utf16 wants three letters in a row, as normal_is_plain does: a zero behind a letter alone
 * is the end of a string or a number of a binary format. */
static bool starts_utf16(const uint8_t *p, size_t n)
{
    const uint8_t *letters = p[0] == 0 ? p + 1 : p;
    size_t left = n - (size_t)(letters - p);
    return left >= 5 && letters[1] == 0 && letters[3] == 0 && is_plain(letters[0]) &&
           is_plain(letters[2]) && is_plain(letters[4]);
}

/* fold_utf16 takes one character of UTF-16 when the bytes look like ASCII or full-width ASCII in
 * it; text in UTF-16 often stands in the middle of binary, so a run of letters is judged alone.
 * `in_run`: the character before was one. */
static bool fold_utf16(const uint8_t *p, size_t n, bool in_run, struct wide *w)
{
    if (n < 2 || (!in_run && !starts_utf16(p, n)))
        return false;
    bool le = p[1] == 0 && p[0] >= 0x09 && p[0] < 0x7f;
    bool be = p[0] == 0 && p[1] >= 0x09 && p[1] < 0x7f;
    if (le || be) {
        *w = folded(le ? p[0] : p[1], 2);
        return true;
    }
    if (in_run && p[1] == 0xff && p[0] >= 0x01 && p[0] <= 0x5e) {
        *w = folded(p[0] + 0x20u, 2);
        return true;
    }
    if (in_run && p[0] == 0xff && p[1] >= 0x01 && p[1] <= 0x5e) {
        *w = folded(p[1] + 0x20u, 2);
        return true;
    }
    return false;
}

/* fold_one folds a character of `took` bytes; n are there. */
static struct wide fold_one(const uint8_t *p, size_t n, size_t took, bool is_big5)
{
    if (took == 3)
        return fold_utf8(p);
    if (took == 2)
        return fold_pair(p, is_big5);
    if (is_big5 && n >= 2 && p[0] == 0xa1 && p[1] == 0x40)
        return folded(' ', 2);
    return as_is(p, took);
}

static size_t fold(const uint8_t *p, size_t n, enum charset charset, uint8_t *out, uint32_t *map,
                   const uint32_t *inner)
{
    bool is_big5 = charset == CHARSET_BIG5;
    bool has_zero = n > 0 && memchr(p, 0, n) != NULL;
    bool in_run = false;
    uint8_t took[RUN_MAX];
    size_t planned = 0, planned_end = 0;
    size_t len = 0;
    for (size_t i = 0; i < n;) {
        if (p[i] < 0x80 && p[i] != 0 && !(has_zero && (in_run || (i + 1 < n && p[i + 1] == 0)))) {
            out[len] = p[i];
            map[len++] = inner != NULL ? inner[i] : (uint32_t)i;
            in_run = false;
            i++;
            continue;
        }
        struct wide w;
        bool utf16 = has_zero && fold_utf16(p + i, n - i, in_run, &w);
        if (!utf16 && p[i] < 0x80) {
            w = as_is(p + i, 1);
        } else if (!utf16) {
            if (i >= planned_end) {
                planned = i;
                planned_end = i + plan(p + i, n - i, is_big5, took);
            }
            w = fold_one(p + i, n - i, took[i - planned], is_big5);
        } else {
            planned_end = i;
        }
        in_run = utf16;
        for (size_t k = 0; k < w.n; k++) {
            out[len] = w.bytes[k];
            map[len++] = inner != NULL ? inner[i] : (uint32_t)i;
        }
        i += w.took;
    }
    map[len] = inner != NULL ? inner[n] : (uint32_t)n;
    return len;
}

size_t normal_write(const uint8_t *p, size_t n, enum escape escape, uint8_t escape_char,
                    enum charset charset, uint8_t *out, uint32_t *map)
{
    if (escape == ESCAPE_NONE)
        return fold(p, n, charset, out, map, NULL);
    /* Folding only ever writes behind what it reads, so it may work in place. */
    size_t len = undo_escapes(p, n, escape, escape_char, out, map);
    return fold(out, len, charset, out, map, map);
}
