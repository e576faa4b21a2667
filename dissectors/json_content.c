/* json_content.c - what the bytes of a text value say about themselves. */
#include "dissectors/json_content.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static unsigned utf8_more(uint8_t lead)
{
    if (lead >= 0xc2 && lead <= 0xdf)
        return 1;
    if (lead >= 0xe0 && lead <= 0xef)
        return 2;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 3;
    return 0;
}

void high_run_over(struct high_run *r, const uint8_t *p, size_t n)
{
    size_t from = n;
    while (from > 0 && p[from - 1] >= 0x80)
        from--;
    if (from > 0)
        *r = (struct high_run){0};
    for (; from < n; from++) {
        r->odd ^= 1;
        if (r->pending > 0 && p[from] < 0xc0) {
            r->pending--;
        } else {
            unsigned more = r->pending > 0 ? 0 : utf8_more(p[from]);
            r->bad |= more == 0;
            r->pending = (uint8_t)more;
        }
    }
}

/* Length of the UTF-8 character at p, 0 when it is none, n + 1 when the bytes end inside it. */
static size_t utf8_char(const uint8_t *p, size_t n)
{
    unsigned more = utf8_more(p[0]);
    if (more == 0)
        return 0;
    for (size_t i = 1; i <= more; i++) {
        if (i == n)
            return n + 1;
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        if (i == 1 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
                       (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
            return 0;
    }
    return more + 1;
}

const uint8_t *content_space(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(' ' + 1);
    while (end - p >= 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* unsigned chunk < 0x21: the smaller of both is the chunk, and not 0x21 itself */
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(chunk, space), chunk);
        low = _mm_andnot_si128(_mm_cmpeq_epi8(chunk, space), low);
        unsigned other = ~(unsigned)_mm_movemask_epi8(low) & 0xffffu;
        if (other != 0)
            return p + __builtin_ctz(other);
        p += 16;
    }
#endif
    while (p < end && *p <= ' ')
        p++;
    return p;
}

unsigned content_look(const uint8_t *p, size_t n, uint8_t wanted)
{
    size_t i = 0;
    unsigned seen = 0;
#ifdef __SSE2__
    const __m128i want = _mm_set1_epi8((char)wanted);
    unsigned high = 0, met = 0;
    for (; n - i >= 16; i += 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        high |= (unsigned)_mm_movemask_epi8(chunk);
        met |= (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(chunk, want));
    }
    seen = (high != 0 ? CONTENT_HIGH : 0u) | (met != 0 ? CONTENT_WANTED : 0u);
#endif
    for (; i < n; i++)
        seen |= (p[i] >= 0x80 ? CONTENT_HIGH : 0u) | (p[i] == wanted ? CONTENT_WANTED : 0u);
    return seen;
}

bool content_is_utf8(const uint8_t *p, size_t n, bool cut)
{
    size_t i = 0;
    while (i < n) {
        if (n - i >= 8 && (load_u64le(p + i) & 0x8080808080808080u) == 0) {
            i += 8;
        } else if (p[i] < 0x80) {
            i++;
        } else {
            size_t len = utf8_char(p + i, n - i);
            if (len > n - i)
                return cut;
            if (len == 0)
                return false;
            i += len;
        }
    }
    return true;
}

static bool has_high(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; n - i >= 8; i += 8)
        if ((load_u64le(p + i) & 0x8080808080808080u) != 0)
            return true;
    for (; i < n; i++)
        if (p[i] >= 0x80)
            return true;
    return false;
}

enum charset content_charset(const uint8_t *p, size_t n, enum charset declared, bool cut)
{
    if (declared != CHARSET_UNKNOWN && declared != CHARSET_UTF8 && declared != CHARSET_ASCII)
        return declared;
    if (cut && !has_high(p, n))
        return CHARSET_UNKNOWN;
    return content_is_utf8(p, n, cut) ? CHARSET_UTF8 : CHARSET_UNKNOWN;
}

size_t content_tail(const uint8_t *p, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        uint8_t c = p[n - back];
        if (c < 0x80)
            return 0;
        if (c >= 0xc0)
            return utf8_more(c) >= back ? back : 0;
    }
    return 0;
}

/* The text, in lower case, anywhere in n bytes, ASCII case ignored. */
static const uint8_t *find(const uint8_t *p, size_t n, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= n; i++)
        if ((p[i] | 32) == ((uint8_t)text[0] | 32) && bytes_equal_nocase(p + i, text, len))
            return p + i;
    return NULL;
}

enum {
    SYSTEM_MAX = 256 /* a system URI is looked at no further */
};

enum value_kind content_identity(const uint8_t *p, size_t n)
{
    static const char oid[] = "2.16.156.10011.1.";
    if (n > SYSTEM_MAX)
        n = SYSTEM_MAX;
    /* A bare OID or UUID, as CDA has them everywhere, is judged by its front. */
    bool bare = n > 0 && p[0] >= '0' && p[0] <= '9';
    const uint8_t *at = !bare                                                    ? find(p, n, oid)
                        : n >= sizeof oid && memcmp(p, oid, sizeof oid - 1) == 0 ? p
                                                                                 : NULL;
    if (at == NULL && bare)
        return VALUE_TEXT;
    if (at != NULL) {
        at += sizeof oid - 1;
        size_t left = n - (size_t)(at - p), len = 0;
        while (len < left && (at[len] == '.' || (at[len] >= '0' && at[len] <= '9')))
            len++;
        if (len == 1 && at[0] == '3')
            return VALUE_ID_NUMBER;
        if (len == 2 && at[0] == '1' && (at[1] == '1' || at[1] == '2' || at[1] == '9'))
            return VALUE_RECORD_ID;
        return VALUE_TEXT;
    }
    static const char *const documents[] = {
        "idcard",   "id-card", "resident",
        "passport", "nnchn",   "\xe8\xba\xab\xe4\xbb\xbd\xe8\xaf\x81",
    };
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        if (find(p, n, documents[i]) != NULL)
            return VALUE_ID_NUMBER;
    return find(p, n, "us-ssn") != NULL ? VALUE_INSURANCE_ID : VALUE_TEXT;
}

enum value_kind content_identity_code(const uint8_t *p, size_t n)
{
    static const struct {
        char code[4];
        uint8_t kind;
    } codes[] = {
        {"NI", VALUE_ID_NUMBER},    {"PPN", VALUE_ID_NUMBER},   {"CZ", VALUE_ID_NUMBER},
        {"DL", VALUE_LICENCE},      {"SS", VALUE_INSURANCE_ID}, {"SB", VALUE_INSURANCE_ID},
        {"HC", VALUE_INSURANCE_ID}, {"MC", VALUE_INSURANCE_ID}, {"BC", VALUE_ACCOUNT},
        {"AN", VALUE_ACCOUNT},      {"MR", VALUE_RECORD_ID},    {"PI", VALUE_RECORD_ID},
        {"PT", VALUE_RECORD_ID},    {"VN", VALUE_RECORD_ID},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strlen(codes[i].code) == n && memcmp(p, codes[i].code, n) == 0)
            return (enum value_kind)codes[i].kind;
    /* NNxxx: national person identifier of the country xxx */
    return n == 5 && p[0] == 'N' && p[1] == 'N' ? VALUE_ID_NUMBER : VALUE_TEXT;
}

enum value_kind content_contact(const uint8_t *p, size_t n)
{
    if (memchr(p, '@', n) != NULL || (n >= 7 && bytes_equal_nocase(p, "mailto:", 7)))
        return VALUE_EMAIL;
    if (n >= 4 && (bytes_equal_nocase(p, "http", 4)))
        return VALUE_TEXT;
    return VALUE_PHONE;
}

static const char *const media_types[] = {
    NULL,
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/bmp",
    "application/pdf",
    "application/zip",
    "application/dicom",
    "image/jpg",
    "image/tiff",
    "image/webp",
    "image/*",
    "application/json",
    "application/fhir+json",
    "application/xml",
    "application/fhir+xml",
    "text/plain",
    "text/html",
    "text/xml",
    "text/csv",
    "text/rtf",
    "application/rtf",
    "application/gzip",
    "application/octet-stream",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/hl7-v2",
    "application/hl7-cda+xml",
    "audio/mpeg",
    "audio/wav",
    "video/mp4",
};
enum {
    N_MEDIA = sizeof media_types / sizeof media_types[0]
};

uint8_t content_media(const uint8_t *p, size_t n)
{
    size_t len = 0;
    while (len < n && p[len] != ';' && p[len] != ' ' && p[len] != ',')
        len++;
    for (uint8_t i = 1; i < N_MEDIA; i++)
        if (strlen(media_types[i]) == len && bytes_equal_nocase(p, media_types[i], len))
            return i;
    return 0;
}

const char *content_media_text(uint8_t media)
{
    return media < N_MEDIA ? media_types[media] : NULL;
}

static bool is_base64(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=' || c == '\r' || c == '\n' || c == ' ' || c == '\\';
}

/* A picture or document in base64, by its first bytes; white space and JSON's "\\/" are allowed. */
static bool base64_document(const uint8_t *p, size_t n, uint8_t *media)
{
    static const struct {
        char head[12];
        uint8_t media;
    } heads[] = {
        {"/9j/", 1},    {"\\/9j\\/", 1}, {"iVBORw0KGgo", 2}, {"R0lGOD", 3}, {"Qk0", 4},
        {"JVBERi0", 5}, {"UEsDBB", 6},   {"H4sIA", 22},      {"SUkqAA", 9}, {"UklGR", 10},
    };
    if (n < 64 || strchr("/\\iRQJUHS", p[0]) == NULL)
        return false;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        if (memcmp(p, heads[i].head, strlen(heads[i].head)) != 0)
            continue;
        for (size_t k = 0; k < n; k++)
            if (!is_base64(p[k]))
                return false;
        *media = heads[i].media;
        return true;
    }
    return false;
}

/* The length of "data:type/sub;base64," at the front, 0 if there is none. */
static size_t url_prefix(const uint8_t *p, size_t n, uint8_t *media)
{
    enum {
        PREFIX_MAX = 96
    };
    if (n < 13 || memcmp(p, "data:", 5) != 0)
        return 0;
    size_t max = n < PREFIX_MAX ? n : PREFIX_MAX;
    for (size_t i = 5; i < max; i++) {
        if (p[i] == ',') {
            if (i < 12 || memcmp(p + i - 7, ";base64", 7) != 0)
                return 0;
            *media = content_media(p + 5, i - 5);
            return i + 1;
        }
        /* Only what a media type is written with, so that nothing can hide before the comma. */
        bool letter = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z');
        bool digit = p[i] >= '0' && p[i] <= '9';
        if (!letter && !digit && memchr("/.+-;=\\", p[i], 7) == NULL)
            return 0;
    }
    return 0;
}

bool content_embedded(const uint8_t *p, size_t n, uint8_t *media, size_t *prefix)
{
    if (n < 13 || (p[0] != 'd' && n < 64))
        return false;
    if (n > CONTENT_WHOLE)
        n = CONTENT_WHOLE;
    *media = 0;
    *prefix = url_prefix(p, n, media);
    return *prefix > 0 || base64_document(p, n, media);
}

enum charset content_hint_charset(const char *hint)
{
    if (hint == NULL)
        return CHARSET_UNKNOWN;
    const uint8_t *p = (const uint8_t *)hint;
    size_t n = strlen(hint);
    const uint8_t *at = find(p, n, "charset=");
    if (at == NULL)
        return CHARSET_UNKNOWN;
    at += 8;
    if (*at == '"' || *at == '\'')
        at++;
    size_t len = strcspn((const char *)at, "\"'; \t,");
    return charset_from_name(at, len);
}
