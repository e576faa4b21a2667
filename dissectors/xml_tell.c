/* xml_tell.c - the events of the XML dissector. */
#include "dissectors/xml_state.h"

enum {
    NAME_HIDES = 5,   /* a name of more bytes that is not in the table may hold a value itself */
    PREFIX_HIDES = 12 /* a namespace prefix of more bytes, too */
};

static bool give(struct xml_reading *r, const struct event *ev)
{
    if (r->emit(r->receiver, ev))
        return true;
    r->result = feed_stop((size_t)(r->p - r->in.bytes));
    return false;
}

bool xml_tell_begin(struct xml_reading *r, const uint8_t *at, const char *hint)
{
    struct event ev = {.kind = EVENT_BEGIN, .at = {xml_offset(r, at), 0}, .raw = at, .hint = hint};
    r->s->told = 0;
    return give(r, &ev);
}

bool xml_tell_end(struct xml_reading *r, const uint8_t *at, size_t len)
{
    struct event ev = {.kind = EVENT_END, .at = {xml_offset(r, at), len}, .raw = at};
    return give(r, &ev);
}

bool xml_tell_anomaly(struct xml_reading *r, unsigned bit, const uint8_t *at, const char *what)
{
    struct xml_state *s = r->s;
    if ((s->told & bit) != 0)
        return true;
    s->told = (uint8_t)(s->told | bit);
    struct event ev = {
        .kind = EVENT_ANOMALY, .at = {xml_offset(r, at), 0}, .raw = at, .hint = what};
    return give(r, &ev);
}

static uint32_t step_of(uint16_t name)
{
    return name >= XML_UNKNOWN ? 0 : name;
}

static void path_fill(const struct xml_state *s, struct event *ev)
{
    size_t extra = (s->deep > 0 ? 1 : 0) + (s->part_attribute != 0 ? 1u : 0u);
    size_t n = s->depth, shown = PATH_MAX_STEPS - extra;
    size_t from = n > shown ? n - shown : 0;
    size_t k = 0;
    for (size_t i = from; i < n; i++)
        ev->path[k++] = step_of(s->name[i]);
    if (from > 0)
        ev->path[0] |= XML_STEP_CUT;
    if (s->deep > 0)
        ev->path[k++] = XML_STEP_DEEP;
    if (s->part_attribute != 0)
        ev->path[k++] = XML_STEP_ATTRIBUTE | step_of(s->part_attribute);
    ev->n_path = (uint8_t)k;
}

bool xml_tell_value(struct xml_reading *r, const uint8_t *p, size_t n, unsigned flags)
{
    struct xml_state *s = r->s;
    struct event ev;
    ev.kind = (uint8_t)s->part_kind;
    ev.value = (uint8_t)s->part_value;
    ev.charset = (uint8_t)s->part_charset;
    ev.escape = (uint8_t)s->part_escape;
    ev.escape_char = 0;
    ev.pad = 0;
    ev.flags = (uint8_t)(flags | s->part_flags);
    memset(ev.coding, CODING_NONE, sizeof ev.coding);
    if (s->part_kind == EVENT_PAYLOAD)
        ev.coding[0] = CODING_BASE64;
    path_fill(s, &ev);
    ev.at = (struct span){xml_offset(r, p), n};
    ev.total = 0;
    ev.raw = p;
    ev.hint = s->part_kind == EVENT_PAYLOAD ? content_media_text((uint8_t)s->part_media) : NULL;
    return give(r, &ev);
}

static bool give_text(struct xml_reading *r, const uint8_t *p, size_t n)
{
    struct xml_state *s = r->s;
    s->part_kind = EVENT_FIELD;
    s->part_value = VALUE_TEXT;
    s->part_charset = (uint16_t)content_charset(p, n, (enum charset)s->declared, false);
    s->part_escape = ESCAPE_NONE;
    return xml_tell_value(r, p, n, PART_WHOLE);
}

bool xml_tell_text(struct xml_reading *r, const uint8_t *p, size_t n)
{
    r->s->part_attribute = 0;
    r->s->part_flags = 0;
    return give_text(r, p, n);
}

bool xml_tell_name(struct xml_reading *r, const uint8_t *qualified, size_t n, uint16_t name,
                   bool attribute)
{
    struct xml_state *s = r->s;
    if (name < XML_UNKNOWN && n <= PREFIX_HIDES)
        return true;
    const uint8_t *colon = memchr(qualified, ':', n);
    size_t prefix = colon != NULL ? (size_t)(colon - qualified) + 1 : 0;
    bool hides = prefix > PREFIX_HIDES;
    if (!hides && name >= XML_UNKNOWN) {
        hides = n - prefix > NAME_HIDES;
        for (size_t i = 0; !hides && i < n && n >= 4; i++)
            hides = qualified[i] >= 0x80;
    }
    if (!hides)
        return true;
    s->part_attribute = attribute ? name : 0;
    s->part_flags = FIELD_NAME;
    return give_text(r, qualified, n);
}
