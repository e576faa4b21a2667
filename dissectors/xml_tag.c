/* xml_tag.c - XML and HTML tags: elements opened and closed, and their attributes.
 *
 * A tag of up to CONTENT_WHOLE bytes is read when it is all there, so that its attributes can
 * speak of each other; a longer one attribute by attribute.
 */
#include "dissectors/xml_state.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    BATCH = 16,         /* attributes that know of each other */
    NAME_LEN_MAX = 1024 /* a name in a long tag, with the white space around its '=' */
};

struct attribute {
    const uint8_t *name, *value; /* value NULL: there is none */
    size_t name_len, value_len;
    uint16_t id;
};

/* The first of < > " ' in p[i, n), or n. */
static size_t find_bracket(const uint8_t *p, size_t i, size_t n)
{
#ifdef __SSE2__
    const __m128i angle = _mm_set1_epi8('>'), two = _mm_set1_epi8(2);
    const __m128i quote = _mm_set1_epi8('"'), tick = _mm_set1_epi8('\'');
    while (n - i >= 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        /* '<' and '>' differ in one bit */
        __m128i hit = _mm_cmpeq_epi8(_mm_or_si128(chunk, two), angle);
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(chunk, quote));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(chunk, tick));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask != 0)
            return i + (unsigned)__builtin_ctz(mask);
        i += 16;
    }
#endif
    while (i < n && p[i] != '<' && p[i] != '>' && p[i] != '"' && p[i] != '\'')
        i++;
    return i;
}

/* Values are short: a call of memchr costs more than it saves. */
static size_t find_byte(const uint8_t *p, size_t i, size_t n, uint8_t wanted)
{
#ifdef __SSE2__
    const __m128i want = _mm_set1_epi8((char)wanted);
    for (; n - i >= 16; i += 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(chunk, want));
        if (mask != 0)
            return i + (unsigned)__builtin_ctz(mask);
    }
#endif
    while (i < n && p[i] != wanted)
        i++;
    return i;
}

static bool after_equals(const uint8_t *p, size_t i)
{
    while (i > 0 && xml_is_space(p[i - 1]))
        i--;
    return i > 0 && p[i - 1] == '=';
}

/* Where the tag at p ends: at the '>' that closes it, or a '<' that shows it is none; n when
 * neither is there yet. Goes on where it stopped before. */
static size_t tag_end(struct xml_state *s, const uint8_t *p, size_t n)
{
    size_t i = s->scanned;
    for (;;) {
        if (s->quote != 0) {
            i = find_byte(p, i, n, s->quote);
            if (i == n)
                break;
            i++;
            s->quote = 0;
        }
        i = find_bracket(p, i, n);
        if (i == n)
            break;
        if (p[i] == '>' || p[i] == '<')
            return i;
        if (after_equals(p, i))
            s->quote = p[i];
        i++;
    }
    s->scanned = (uint32_t)n;
    return n;
}

static uint16_t name_id(const uint8_t *p, size_t n)
{
    size_t at = find_byte(p, 0, n, ':');
    const uint8_t *colon = at < n ? p + at : NULL;
    if (colon != NULL && n >= 5 && memcmp(p, "xmlns", 5) == 0)
        return K_xmlns;
    if (colon != NULL) {
        n -= (size_t)(colon + 1 - p);
        p = colon + 1;
    }
    enum known_name name = known_name_find(p, n);
    if (name != K_NONE)
        return (uint16_t)name;
    return (uint16_t)(XML_UNKNOWN | (known_name_hash(p, n) & 0x7fffu));
}

/* ---- elements ---- */

static bool is_void(uint16_t name)
{
    switch (name) {
    case K_br:
    case K_img:
    case K_meta:
    case K_input:
    case K_link:
    case K_hr:
    case K_area:
    case K_base:
    case K_col:
    case K_embed:
    case K_source:
    case K_track:
    case K_wbr:
        return true;
    default:
        return false;
    }
}

static bool push(struct xml_reading *r, const uint8_t *p, size_t n, uint16_t name,
                 const struct xml_siblings *sib)
{
    struct xml_state *s = r->s;
    if (s->depth == 0) {
        s->rooted = 1;
        s->html = s->html != 0 || name == K_html;
        if (!xml_tell_begin(r, p, name < XML_UNKNOWN ? known_name_text(name) : "document"))
            return false;
    }
    if (s->depth == XML_DEPTH) {
        s->deep++;
        return xml_tell_anomaly(r, XML_TOLD_DEEP, p, "nested deeper than is followed") &&
               xml_tell_name(r, p, n, name, false);
    }
    uint8_t note;
    enum xml_scope scope = xml_scope_enter(s, name, sib, &note);
    s->name[s->depth] = name;
    s->scope[s->depth] = (uint8_t)scope;
    s->note[s->depth] = note;
    s->depth++;
    s->raw = s->html != 0 && (name == K_script || name == K_style);
    return xml_tell_name(r, p, n, name, false);
}

static bool pop_to(struct xml_reading *r, size_t depth, const uint8_t *at, size_t len)
{
    struct xml_state *s = r->s;
    s->depth = (uint8_t)depth;
    s->raw = 0;
    return depth > 0 || xml_tell_end(r, at, len);
}

/* `at` and `len` are what closes it: "/>" or the end tag. */
static bool pop(struct xml_reading *r, const uint8_t *at, size_t len)
{
    if (r->s->deep > 0) {
        r->s->deep--;
        return true;
    }
    return pop_to(r, r->s->depth - 1u, at, len);
}

/* Content an end tag may not have. */
static bool end_rest(struct xml_reading *r, const uint8_t *p, const uint8_t *end)
{
    while (p < end && xml_is_space(*p))
        p++;
    while (p < end && xml_is_space(end[-1]))
        end--;
    return p == end || xml_tell_text(r, p, (size_t)(end - p));
}

static bool end_tag(struct xml_reading *r, const uint8_t *p, const uint8_t *end)
{
    struct xml_state *s = r->s;
    const uint8_t *name = p + 2, *stop = name;
    while (stop < end && !xml_is_space(*stop))
        stop++;
    size_t n = (size_t)(stop - name);
    /* Most end tags close what stands open; that is quickly seen. */
    uint16_t top = s->depth > 0 ? s->name[s->depth - 1u] : XML_UNKNOWN;
    bool closes = top < XML_UNKNOWN && known_name_is((enum known_name)top, name, n);
    uint16_t id = closes ? top : name_id(name, n);
    if (s->deep > 0)
        return xml_tell_name(r, name, n, id, false) && end_rest(r, stop, end) && pop(r, p, 0);
    size_t level = s->depth;
    while (level > 0 && s->name[level - 1] != id)
        level--;
    if (level == 0)
        return xml_tell_anomaly(r, XML_TOLD_END, p, "an end tag closes nothing") &&
               xml_tell_name(r, name, n, id, false) && end_rest(r, stop, end);
    if (level < s->depth && s->html == 0 &&
        !xml_tell_anomaly(r, XML_TOLD_UNCLOSED, p, "an element is not closed"))
        return false;
    return end_rest(r, stop, end) && pop_to(r, level - 1, end, 1);
}

/* ---- attributes ---- */

/* Reads one attribute of a whole tag at *p; false when there is none before `end`. */
static bool take_attribute(const uint8_t **p, const uint8_t *end, struct attribute *a)
{
    const uint8_t *q = *p;
    while (q < end && (xml_is_space(*q) || *q == '/'))
        q++;
    if (q == end)
        return false;
    a->name = q;
    while (q < end && *q != '=' && *q != '/' && !xml_is_space(*q))
        q++;
    a->name_len = (size_t)(q - a->name);
    a->id = name_id(a->name, a->name_len);
    a->value = NULL;
    a->value_len = 0;
    const uint8_t *name_end = q;
    while (q < end && xml_is_space(*q))
        q++;
    if (q == end || *q != '=') {
        *p = name_end;
        return true;
    }
    q++;
    while (q < end && xml_is_space(*q))
        q++;
    a->value = q;
    if (q < end && (*q == '"' || *q == '\'')) {
        a->value++;
        size_t room = (size_t)(end - a->value);
        a->value_len = find_byte(a->value, 0, room, *q);
        *p = a->value + a->value_len + (a->value_len < room);
        return true;
    }
    while (q < end && !xml_is_space(*q))
        q++;
    a->value_len = (size_t)(q - a->value);
    *p = q;
    return true;
}

static void note_sibling(struct xml_siblings *sib, const struct attribute *a)
{
    if (a->value == NULL)
        return;
    switch (a->id) {
    case K_root:
        sib->identity = (uint8_t)content_identity(a->value, a->value_len);
        break;
    case K_mediaType:
        sib->media = content_media(a->value, a->value_len);
        break;
    case K_representation:
        sib->base64 = a->value_len == 3 && memcmp(a->value, "B64", 3) == 0;
        break;
    case K_vr:
        sib->person = a->value_len == 2 && memcmp(a->value, "PN", 2) == 0;
        break;
    case K_tag:
        if (a->value_len == 8) {
            enum known_name tag = known_name_find(a->value, 8);
            sib->tag = known_name_is_tag(tag) ? (uint16_t)tag : 0;
        }
        break;
    default:
        break;
    }
}

/* <meta charset="gbk">, <meta http-equiv="Content-Type" content="text/html; charset=gbk"> */
static void note_charset(struct xml_state *s, const struct attribute *a)
{
    if (s->declared_outside != 0 || a->value == NULL)
        return;
    enum charset found = CHARSET_UNKNOWN;
    if (a->id == K_charset)
        found = charset_from_name(a->value, a->value_len);
    char hint[128];
    if (a->id == K_content && a->value_len < sizeof hint) {
        memcpy(hint, a->value, a->value_len);
        hint[a->value_len] = '\0';
        found = content_hint_charset(hint);
    }
    if (found != CHARSET_UNKNOWN)
        s->declared = (uint8_t)found;
}

static bool give_attribute(struct xml_reading *r, const struct attribute *a,
                           const struct xml_siblings *sib)
{
    struct xml_state *s = r->s;
    if (!xml_tell_name(r, a->name, a->name_len, a->id, true))
        return false;
    if (a->value_len == 0)
        return true;
    xml_judge(s, SECTION_VALUE, a->id, sib, a->value, a->value_len, false);
    return xml_tell_value(r, a->value + s->part_prefix, a->value_len - s->part_prefix, PART_WHOLE);
}

static bool start_tag(struct xml_reading *r, const uint8_t *p, const uint8_t *end)
{
    struct xml_state *s = r->s;
    const uint8_t *name = p + 1, *q = name;
    while (q < end && !xml_is_space(*q) && *q != '/')
        q++;
    size_t n = (size_t)(q - name);
    uint16_t id = name_id(name, n);
    struct attribute batch[BATCH];
    struct xml_siblings sib = {0};
    bool opened = false;
    bool closed = (end[-1] == '/' && end - 1 >= q) || (s->html != 0 && is_void(id));
    for (;;) {
        size_t k = 0;
        while (k < BATCH && take_attribute(&q, end, &batch[k]))
            note_sibling(&sib, &batch[k++]);
        if (!opened && !push(r, name, n, id, &sib))
            return false;
        opened = true;
        for (size_t i = 0; i < k; i++) {
            if (id == K_meta)
                note_charset(s, &batch[i]);
            if (!give_attribute(r, &batch[i], &sib))
                return false;
        }
        if (k < BATCH)
            break;
    }
    return !closed || pop(r, end, 1);
}

/* ---- long tags ---- */

static bool hopeless(struct xml_reading *r)
{
    r->result = feed_bad((size_t)(r->p - r->in.bytes), "a name without end");
    return false;
}

/* Ends a name, in a tag that may be of any length. */
static bool ends_name(uint8_t c)
{
    return xml_is_space(c) || c == '=' || c == '>' || c == '<' || c == '/';
}

static bool begin_long_tag(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    size_t avail = (size_t)(r->end - r->p), n = 1;
    while (n < avail && n < NAME_LEN_MAX && !ends_name(r->p[n]))
        n++;
    if (n == NAME_LEN_MAX)
        return hopeless(r);
    const uint8_t *name = r->p + 1;
    uint16_t id = name_id(name, n - 1);
    struct xml_siblings sib = {0};
    s->section = SECTION_INSIDE_TAG;
    r->p += n;
    return push(r, name, n - 1, id, &sib);
}

/* The name and '=' of an attribute at r->p, and the start of its value. */
static bool long_attribute(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    size_t avail = (size_t)(r->end - r->p);
    size_t n = avail < NAME_LEN_MAX ? avail : NAME_LEN_MAX, i = 0;
    const uint8_t *p = r->p;
    while (i < n && !ends_name(p[i]))
        i++;
    size_t name_len = i;
    while (i < n && xml_is_space(p[i]))
        i++;
    bool valued = i < n && p[i] == '=';
    i += valued;
    while (valued && i < n && xml_is_space(p[i]))
        i++;
    if (i == n && avail >= NAME_LEN_MAX)
        return hopeless(r);
    if (i == n && !r->in.last)
        return xml_more(r, avail + 1);
    uint16_t id = name_id(p, name_len);
    if (!valued || i == n) {
        r->p += valued ? n : name_len;
        return xml_tell_name(r, p, name_len, id, true);
    }
    s->attribute = id;
    s->quote = p[i] == '"' || p[i] == '\'' ? p[i] : 0;
    r->p += i + (s->quote != 0);
    return xml_tell_name(r, p, name_len, id, true) && xml_section_open(r, SECTION_VALUE, 0);
}

static bool inside_step(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    const uint8_t *at = r->p;
    switch (*at) {
    case '<':
        s->section = SECTION_NONE;
        return xml_tell_anomaly(r, XML_TOLD_BRACKET, at, "a tag is not closed");
    case '>':
        r->p++;
        s->section = SECTION_NONE;
        return s->html == 0 || s->deep > 0 || !is_void(s->name[s->depth - 1u]) || pop(r, at, 1);
    case '/':
        if (r->end - at < 2 && !r->in.last)
            return xml_more(r, 2);
        if (r->end - at >= 2 && at[1] == '>') {
            r->p += 2;
            s->section = SECTION_NONE;
            return pop(r, at, 2);
        }
        r->p++;
        return true;
    default:
        return long_attribute(r);
    }
}

bool xml_tag_inside(struct xml_reading *r)
{
    while (r->s->section == SECTION_INSIDE_TAG) {
        while (r->p < r->end && xml_is_space(*r->p))
            r->p++;
        if (r->p == r->end)
            return true;
        if (!inside_step(r))
            return false;
    }
    return true;
}

/* ---- whole tags ---- */

bool xml_tag_go(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    const uint8_t *p = r->p;
    size_t avail = (size_t)(r->end - p);
    size_t n = avail < CONTENT_WHOLE ? avail : CONTENT_WHOLE;
    size_t at = tag_end(s, p, n);
    if (at < n && p[at] == '>') {
        s->section = SECTION_NONE;
        r->p += at + 1;
        return p[1] == '/' ? end_tag(r, p, p + at) : start_tag(r, p, p + at);
    }
    if (at == n && avail < CONTENT_WHOLE && !r->in.last)
        return xml_more(r, avail + 1);
    s->quote = 0;
    if (at == n && p[1] != '/')
        return begin_long_tag(r);
    s->section = SECTION_NONE;
    return xml_tell_anomaly(r, XML_TOLD_BRACKET, p, "a bracket opens no tag") &&
           xml_section_open(r, SECTION_TEXT, 1);
}

bool xml_tag_open(struct xml_reading *r)
{
    r->s->section = SECTION_TAG;
    r->s->scanned = 1;
    r->s->quote = 0;
    return xml_tag_go(r);
}
