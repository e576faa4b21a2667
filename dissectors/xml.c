/* xml.c - XML 1.0 documents, and HTML as it comes, read as a stream.
 *
 * No tree is built and no entity expanded: the state is the chain of element names from the root
 * down to here. What a value means is said by xml_meaning.c; this file knows text, CDATA, comments,
 * processing instructions and declarations. Faults are told and passed over: what is no markup is
 * text, and all text is said.
 */
#include "dissectors/xml_state.h"

enum {
    ENTITY_LEN = 12,      /* longest reference kept in one part: &#x0010ffff; */
    DECLARATION_LEN = 80, /* an XML declaration of more bytes holds something else */
    DOCTYPE_LEN = 16      /* "DOCTYPE html" and the like say nothing */
};

/* ---- where a section ends ---- */

/* p[i, n) up to the '>' before which `mark` stands `times` times: the offset of the first mark. */
static bool find_marked(struct xml_state *s, const uint8_t *p, size_t n, uint8_t mark, size_t times,
                        size_t *end)
{
    size_t i = s->scanned;
    while (i < n) {
        const uint8_t *close = memchr(p + i, '>', n - i);
        if (close == NULL)
            break;
        size_t at = (size_t)(close - p);
        if (at >= times && p[at - 1] == mark && p[at - times] == mark) {
            *end = at - times;
            return true;
        }
        i = at + 1;
    }
    s->scanned = (uint32_t)n;
    return false;
}

static bool opens_markup(const struct xml_state *s, uint8_t next)
{
    if (s->raw != 0)
        return next == '/';
    return next == '/' || next == '!' || next == '?' || xml_is_name_start(next);
}

static bool find_text_end(struct xml_state *s, const uint8_t *p, size_t n, size_t *end)
{
    size_t i = s->scanned;
    while (i < n) {
        const uint8_t *open = memchr(p + i, '<', n - i);
        if (open == NULL)
            break;
        i = (size_t)(open - p);
        if (n - i < 2) {
            s->scanned = (uint32_t)i;
            return false;
        }
        if (opens_markup(s, p[i + 1])) {
            *end = i;
            return true;
        }
        i++;
    }
    s->scanned = (uint32_t)n;
    return false;
}

static bool find_value_end(struct xml_state *s, const uint8_t *p, size_t n, size_t *end)
{
    size_t i = s->scanned;
    if (s->quote != 0) {
        const uint8_t *close = i < n ? memchr(p + i, s->quote, n - i) : NULL;
        i = close != NULL ? (size_t)(close - p) : n;
    } else {
        while (i < n && !xml_is_space(p[i]) && p[i] != '>')
            i++;
    }
    s->scanned = (uint32_t)i;
    *end = i;
    return i < n;
}

static bool find_declaration_end(struct xml_state *s, const uint8_t *p, size_t n, size_t *end)
{
    for (size_t i = s->scanned; i < n; i++) {
        uint8_t c = p[i];
        if (c == '>' && s->subset != 1) {
            *end = i;
            return true;
        }
        if (c == '[')
            s->subset = 1;
        else if (c == ']')
            s->subset = 2;
        else if (s->subset == 2 && !xml_is_space(c))
            s->subset = 1;
    }
    s->scanned = (uint32_t)n;
    return false;
}

/* The open section ends in p[0, n): at *end, with *term bytes that end it. */
static bool find_end(struct xml_state *s, const uint8_t *p, size_t n, size_t *end, size_t *term)
{
    *term = 3;
    switch ((enum xml_section)s->section) {
    case SECTION_CDATA:
        return find_marked(s, p, n, ']', 2, end);
    case SECTION_COMMENT:
        return find_marked(s, p, n, '-', 2, end);
    case SECTION_INSTRUCTION:
        *term = 2;
        return find_marked(s, p, n, '?', 1, end);
    case SECTION_DECLARATION:
        *term = 1;
        return find_declaration_end(s, p, n, end);
    case SECTION_VALUE:
        *term = s->quote != 0;
        return find_value_end(s, p, n, end);
    default:
        *term = 0;
        return find_text_end(s, p, n, end);
    }
}

/* Where a part of what was looked through may end at the latest: not in a character, a reference,
 * or what may become the end of the section. */
static size_t part_end(const struct xml_state *s, const uint8_t *p)
{
    size_t at = s->scanned;
    uint8_t mark = s->section == SECTION_CDATA         ? ']'
                   : s->section == SECTION_COMMENT     ? '-'
                   : s->section == SECTION_INSTRUCTION ? '?'
                                                       : 0;
    if (mark != 0) {
        for (size_t i = 0; i < 2 && at > 0 && p[at - 1] == mark; i++)
            at--;
        return at - content_tail(p, at);
    }
    for (size_t back = 1; back < ENTITY_LEN && back <= at; back++) {
        if (p[at - back] == ';')
            break;
        if (p[at - back] == '&')
            return at - back;
    }
    return at - content_tail(p, at);
}

/* ---- what a section says ---- */

/* The encoding of <?xml version="1.0" encoding="GBK"?>, its content at p. */
static void note_encoding(struct xml_state *s, const uint8_t *p, size_t n)
{
    static const char word[] = "encoding";
    for (size_t i = 0; i + sizeof word - 1 < n; i++) {
        if (memcmp(p + i, word, sizeof word - 1) != 0)
            continue;
        i += sizeof word - 1;
        while (i < n && (xml_is_space(p[i]) || p[i] == '='))
            i++;
        if (i == n || (p[i] != '"' && p[i] != '\''))
            return;
        const uint8_t *close = memchr(p + i + 1, p[i], n - i - 1);
        if (close != NULL && s->declared_outside == 0)
            s->declared = (uint8_t)charset_from_name(p + i + 1, (size_t)(close - p) - i - 1);
        return;
    }
}

static bool is_ascii(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 0x80)
            return false;
    return true;
}

/* Markup that holds nothing worth saying: the XML declaration, a plain DOCTYPE. */
static bool is_silent(struct xml_state *s, const uint8_t *p, size_t n)
{
    if (s->section == SECTION_INSTRUCTION && n > 4 && memcmp(p, "xml", 3) == 0 &&
        xml_is_space(p[3])) {
        if (n <= 1024)
            note_encoding(s, p, n);
        return n <= DECLARATION_LEN && is_ascii(p, n);
    }
    if (s->section == SECTION_DECLARATION && n >= 12 && bytes_equal_nocase(p, "doctype html", 12))
        s->html = 1;
    return n == 0 || (s->section == SECTION_DECLARATION && n <= DOCTYPE_LEN && is_ascii(p, n));
}

void xml_judge(struct xml_state *s, enum xml_section section, uint16_t attribute,
               const struct xml_siblings *sib, const uint8_t *p, size_t n, bool cut)
{
    bool escapes = section == SECTION_TEXT || section == SECTION_VALUE;
    uint32_t meaning = VALUE_TEXT;
    if (section == SECTION_VALUE)
        meaning = xml_meaning_attribute(s, attribute, sib, p, n);
    else if (section == SECTION_TEXT || section == SECTION_CDATA)
        meaning = xml_meaning_text(s, p, n);
    bool text = (meaning & XML_MEANING_PAYLOAD) == 0;
    s->part_kind = text ? EVENT_FIELD : EVENT_PAYLOAD;
    s->part_value = (uint16_t)(meaning & XML_MEANING_VALUE);
    s->part_media = (uint16_t)(meaning >> XML_MEANING_MEDIA_SHIFT & 0xff);
    s->part_prefix = (uint16_t)(meaning >> XML_MEANING_PREFIX_SHIFT);
    s->part_flags = 0;
    s->part_attribute = attribute;
    unsigned look = content_look(p, n, '&');
    bool escaped = escapes && ((cut && text) || (look & CONTENT_WANTED) != 0);
    s->part_escape = escaped ? ESCAPE_XML : ESCAPE_NONE;
    if ((look & CONTENT_HIGH) == 0 && s->declared <= CHARSET_UTF8 && !(cut && text)) {
        s->part_charset = CHARSET_UTF8;
        return;
    }
    s->part_charset = (uint16_t)content_charset(p, n, (enum charset)s->declared, cut && text);
}

static bool give_whole(struct xml_reading *r, const uint8_t *p, size_t n)
{
    struct xml_state *s = r->s;
    static const struct xml_siblings alone = {0};
    if (is_silent(s, p, n))
        return true;
    if (s->section == SECTION_TEXT)
        while (n > 0 && xml_is_space(p[n - 1]))
            n--;
    if (n == 0)
        return true;
    xml_judge(s, (enum xml_section)s->section, s->section == SECTION_VALUE ? s->attribute : 0,
              &alone, p, n, false);
    return xml_tell_value(r, p + s->part_prefix, n - s->part_prefix, PART_WHOLE);
}

static void section_over(struct xml_state *s)
{
    s->section = s->section == SECTION_VALUE ? SECTION_INSIDE_TAG : SECTION_NONE;
    s->is_long = 0;
}

static bool unclosed(struct xml_reading *r, enum xml_section section)
{
    return section == SECTION_TEXT ||
           xml_tell_anomaly(r, 0, r->end, "the layer ends inside markup");
}

static bool go_long(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    size_t n = (size_t)(r->end - r->p), end = n, term = 0;
    bool closed = find_end(s, r->p, n, &end, &term);
    bool over = closed || r->in.last;
    size_t cut = closed ? end : over ? n : part_end(s, r->p);
    if ((cut > 0 || over) && !xml_tell_value(r, r->p, cut, over ? PART_LAST : 0))
        return false;
    r->p += cut;
    if (over) {
        enum xml_section section = (enum xml_section)s->section;
        r->p += closed ? term : 0;
        section_over(s);
        return closed || unclosed(r, section);
    }
    s->scanned -= (uint32_t)cut;
    return cut == n || xml_more(r, n - cut + 1);
}

/* A section of more than CONTENT_WHOLE bytes: judged by those, given in parts. */
static bool begin_long(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    static const struct xml_siblings alone = {0};
    xml_judge(s, (enum xml_section)s->section, s->section == SECTION_VALUE ? s->attribute : 0,
              &alone, r->p, CONTENT_WHOLE, true);
    size_t cut = part_end(s, r->p), prefix = s->part_prefix;
    if (!xml_tell_value(r, r->p + prefix, cut - prefix, PART_FIRST))
        return false;
    r->p += cut;
    s->scanned -= (uint32_t)cut;
    s->is_long = 1;
    s->part_flags = 0;
    return go_long(r);
}

bool xml_section_go(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    if (s->is_long != 0)
        return go_long(r);
    const uint8_t *p = r->p;
    size_t avail = (size_t)(r->end - p), end, term;
    size_t n = avail < CONTENT_WHOLE ? avail : CONTENT_WHOLE;
    if (find_end(s, p, n, &end, &term)) {
        r->p += end + term;
        bool on = give_whole(r, p, end);
        section_over(s);
        return on;
    }
    if (avail >= CONTENT_WHOLE)
        return begin_long(r);
    if (!r->in.last)
        return xml_more(r, avail + 1);
    r->p = r->end;
    enum xml_section section = (enum xml_section)s->section;
    bool on = give_whole(r, p, avail);
    section_over(s);
    return on && unclosed(r, section);
}

bool xml_section_open(struct xml_reading *r, enum xml_section section, size_t skip)
{
    struct xml_state *s = r->s;
    s->section = (uint8_t)section;
    s->scanned = (uint32_t)skip;
    s->is_long = 0;
    s->subset = 0;
    return xml_section_go(r);
}

/* ---- the document ---- */

/* Text outside the root: HTML has it, XML has not. */
static bool outside(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    if (s->html != 0)
        return xml_section_open(r, SECTION_TEXT, *r->p == '<');
    size_t consumed = (size_t)(r->p - r->in.bytes);
    r->result = s->rooted != 0 ? feed_done(consumed) : feed_bad(consumed, "text before a root");
    return false;
}

/* "<!" at r->p: comment, CDATA, or a declaration. */
static bool exclamation(struct xml_reading *r)
{
    static const struct {
        const char *text;
        size_t len;
        enum xml_section section;
    } openings[] = {{"<!--", 4, SECTION_COMMENT}, {"<![CDATA[", 9, SECTION_CDATA}};
    size_t avail = (size_t)(r->end - r->p);
    for (size_t i = 0; i < 2; i++) {
        size_t len = openings[i].len;
        if (memcmp(r->p, openings[i].text, avail < len ? avail : len) != 0)
            continue;
        if (avail < len && !r->in.last)
            return xml_more(r, avail + 1);
        if (avail >= len) {
            r->p += len;
            return xml_section_open(r, openings[i].section, 0);
        }
    }
    r->p += 2;
    return xml_section_open(r, SECTION_DECLARATION, 0);
}

static bool step(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    size_t avail = (size_t)(r->end - r->p);
    if (*r->p == '<') {
        if (avail < 2 && !r->in.last)
            return xml_more(r, 2);
        uint8_t next = avail < 2 ? 0 : r->p[1];
        if (opens_markup(s, next)) {
            if (next == '!')
                return exclamation(r);
            if (next != '?')
                return xml_tag_open(r);
            r->p += 2;
            return xml_section_open(r, SECTION_INSTRUCTION, 0);
        }
    }
    if (s->depth == 0)
        return outside(r);
    return xml_section_open(r, SECTION_TEXT, *r->p == '<');
}

static bool start(struct xml_reading *r)
{
    static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
    struct xml_state *s = r->s;
    size_t n = (size_t)(r->end - r->p);
    if (n == 0)
        return true;
    size_t seen = n < sizeof bom ? n : sizeof bom;
    bool marked = memcmp(r->p, bom, seen) == 0;
    if (marked && seen < sizeof bom && !r->in.last)
        return xml_more(r, n + 1);
    s->started = 1;
    s->declared = (uint8_t)content_hint_charset(r->in.hint);
    if (marked && seen == sizeof bom) {
        r->p += sizeof bom;
        s->declared = CHARSET_UTF8;
    }
    s->declared_outside = s->declared != CHARSET_UNKNOWN;
    s->html = r->in.hint != NULL && strlen(r->in.hint) >= 9 &&
              bytes_equal_nocase((const uint8_t *)r->in.hint, "text/html", 9);
    return true;
}

static bool finish(struct xml_reading *r)
{
    struct xml_state *s = r->s;
    if (s->ended != 0)
        return true;
    s->ended = 1;
    if (s->depth == 0)
        return true;
    return xml_tell_anomaly(r, 0, r->end, "the layer ends inside an element") &&
           xml_tell_end(r, r->end, 0);
}

static bool go_on(struct xml_reading *r)
{
    switch ((enum xml_section)r->s->section) {
    case SECTION_NONE:
        return true;
    case SECTION_TAG:
        return xml_tag_go(r);
    case SECTION_INSIDE_TAG:
        return true;
    default:
        return xml_section_go(r);
    }
}

static struct feed_result xml_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    static const uint8_t nothing[1] = {0};
    struct xml_state *s = state;
    if (in.len == 0)
        in.bytes = nothing;
    struct xml_reading r = {.s = s, .in = in, .p = in.bytes, .end = in.bytes + in.len};
    r.emit = emit;
    r.receiver = receiver;
    if (s->started == 0 && !start(&r))
        return r.result;
    if (s->section != SECTION_NONE && (in.len > 0 || in.last) && !go_on(&r))
        return r.result;
    for (;;) {
        if (s->section == SECTION_INSIDE_TAG && !xml_tag_inside(&r))
            return r.result;
        if (r.p < r.end && *r.p <= ' ')
            r.p = content_space(r.p, r.end);
        if (r.p == r.end)
            break;
        if (!step(&r))
            return r.result;
    }
    if (in.last && !finish(&r))
        return r.result;
    return feed_ok(in.len);
}

static const char *const xml_media[] = {"application/xml", "text/xml",          "+xml",
                                        "text/html",       "text/x-hl7-v2+xml", NULL};

const struct dissector xml_dissector = {
    .name = "xml",
    .spec = "XML 1.0 5th edition; meanings of HL7 CDA R2, FHIR R4, v2.xml, aECG, DICOM PS3.19",
    .state_size = sizeof(struct xml_state),
    .max_view = CONTENT_WHOLE,
    .max_depth = XML_DEPTH,
    .media = xml_media,
    .probe = xml_probe,
    .feed = xml_feed,
    .path = xml_path,
};
