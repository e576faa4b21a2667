/* xml_state.h - what the XML dissector remembers of a layer, and one call of it, shared by its
 * files: xml.c text and markup, xml_tag.c tags and attributes, xml_tell.c events, xml_meaning.c
 * what a value means by where it stands.
 */
#ifndef DISSECTORS_XML_STATE_H
#define DISSECTORS_XML_STATE_H

#include "dissectors/json_content.h"
#include "dissectors/known_names.h"

enum {
    XML_DEPTH = 64,        /* elements whose names are known; deeper ones are only counted */
    XML_UNKNOWN = 0x8000u, /* a name not in the table: this bit, and fifteen of its hash */
};

/* A step of a path: known name in the low 16 bits, 0 for others, and one of these. */
#define XML_STEP_ATTRIBUTE 0x10000u
#define XML_STEP_DEEP      0x20000u    /* elements beyond XML_DEPTH */
#define XML_STEP_CUT       0x80000000u /* outer steps are left out before this one */

/* What an element is, by its name and those around it. */
enum xml_scope {
    XML_PLAIN,
    XML_PATIENT,      /* role or resource whose identifiers are a patient's */
    XML_PERSON,       /* any other natural person */
    XML_ORGANIZATION, /* its name, address and telephone are nobody's */
    XML_NAMED,        /* a name of something: family and given inside make it a person's */
    XML_TELECOM,      /* contact point of a person */
    XML_IDENTIFIER,   /* FHIR Identifier of a person; note: what its value is, enum value_kind */
    XML_IDENTIFIER_TYPE,
    XML_ATTACHMENT, /* note: its media type */
    XML_PHOTO,      /* attachment that shows a person */
    XML_BASE64,     /* its text is base64; note: its media type */
    XML_FACE,       /* the same, and shows a person */
    XML_KIND = 32   /* all its text means one thing; plus enum value_kind */
};

/* What bytes are being gathered for. */
enum xml_section {
    SECTION_NONE,
    SECTION_TEXT,
    SECTION_CDATA,
    SECTION_COMMENT,
    SECTION_INSTRUCTION, /* <? ?>, the XML declaration too */
    SECTION_DECLARATION, /* <!DOCTYPE and its like */
    SECTION_VALUE,       /* attribute value of a long tag */
    SECTION_TAG,         /* a tag that may still come whole */
    SECTION_INSIDE_TAG   /* between the attributes of a long tag */
};

struct xml_state {
    uint64_t deep;            /* elements open beyond XML_DEPTH */
    uint16_t name[XML_DEPTH]; /* enum known_name, or XML_UNKNOWN and a hash */
    uint8_t scope[XML_DEPTH]; /* enum xml_scope */
    uint8_t note[XML_DEPTH];  /* what was said before; see enum xml_scope */
    uint32_t scanned;         /* bytes of the open section already looked at */
    uint16_t attribute;       /* name of the long tag's attribute at hand */
    uint8_t depth;
    uint8_t section;  /* enum xml_section */
    uint8_t is_long;  /* the open section is given in parts */
    uint8_t quote;    /* that ends the open value; 0: white space does */
    uint8_t subset;   /* DOCTYPE: 1 inside the brackets, 2 behind them */
    uint8_t started;  /* the first bytes were judged */
    uint8_t rooted;   /* a root element was seen */
    uint8_t ended;    /* the end of the layer was told */
    uint8_t html;     /* HTML: empty elements need no end, text may stand outside */
    uint8_t raw;      /* in script or style: only an end tag ends the text */
    uint8_t told;     /* anomalies told of this document, a bit each */
    uint8_t declared; /* enum charset; declared_outside: by the layer's hint, which wins */
    uint8_t declared_outside;
    /* of the value at hand */
    uint16_t part_kind, part_value, part_charset, part_escape, part_media, part_flags;
    uint16_t part_prefix;    /* bytes of the value that are not the payload proper */
    uint16_t part_attribute; /* 0: none; else name, or XML_UNKNOWN */
};
_Static_assert(sizeof(struct xml_state) <= 512, "state of a layer");

/* xml_siblings is what the attributes of one tag say of each other. */
struct xml_siblings {
    uint8_t identity; /* @root: enum value_kind, VALUE_TEXT when it says nothing */
    uint8_t media;    /* @mediaType: content_media */
    uint8_t base64;   /* @representation is B64 */
    uint8_t person;   /* @vr is PN */
    uint16_t tag;     /* @tag: a known DICOM tag, or 0 */
};

struct xml_reading {
    struct xml_state *s;
    struct view in;
    const uint8_t *p, *end;
    event_fn *emit;
    void *receiver;
    struct feed_result result; /* when a step says no */
};

/* Faults, each told once a document; bit 0 every time. */
enum {
    XML_TOLD_END = 1 << 0,
    XML_TOLD_UNCLOSED = 1 << 1,
    XML_TOLD_DEEP = 1 << 2,
    XML_TOLD_BRACKET = 1 << 3
};

static inline uint64_t xml_offset(const struct xml_reading *r, const uint8_t *p)
{
    return r->in.off + (uint64_t)(p - r->in.bytes);
}

static inline bool xml_more(struct xml_reading *r, size_t need)
{
    r->result = feed_more((size_t)(r->p - r->in.bytes), need);
    return false;
}

static inline bool xml_is_space(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

/* xml_is_name_start: such a byte after '<' opens a tag. */
static inline bool xml_is_name_start(uint8_t c)
{
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || c == ':' || c >= 0x80;
}

/* ---- xml_tell.c: each answers true to go on ---- */
bool xml_tell_begin(struct xml_reading *r, const uint8_t *at, const char *hint);
bool xml_tell_end(struct xml_reading *r, const uint8_t *at, size_t len);
bool xml_tell_anomaly(struct xml_reading *r, unsigned bit, const uint8_t *at, const char *what);
/* xml_tell_value gives a value, whole or in part; s->part_* say what it is. */
bool xml_tell_value(struct xml_reading *r, const uint8_t *p, size_t n, unsigned flags);
/* xml_tell_name gives the name of an element or attribute that is not in the table, when it is
 * long enough to be a value itself. `qualified` is it with its prefix. */
bool xml_tell_name(struct xml_reading *r, const uint8_t *qualified, size_t n, uint16_t name,
                   bool attribute);
/* xml_tell_text gives n bytes as text of no meaning. */
bool xml_tell_text(struct xml_reading *r, const uint8_t *p, size_t n);

/* ---- xml_tag.c ---- */
/* xml_tag_open reads the tag whose '<' is at r->p; xml_tag_go goes on with one left open. */
bool xml_tag_open(struct xml_reading *r);
bool xml_tag_go(struct xml_reading *r);
/* xml_tag_inside reads attributes of a long tag one by one. */
bool xml_tag_inside(struct xml_reading *r);

/* ---- xml.c ---- */
/* xml_section_open starts gathering the section at r->p, whose first `skip` bytes do not end it;
 * xml_section_go goes on with it. */
bool xml_section_open(struct xml_reading *r, enum xml_section section, size_t skip);
bool xml_section_go(struct xml_reading *r);
/* xml_judge sets s->part_* for a value: n bytes that are all of it, or its first CONTENT_WHOLE when
 * it is `cut`. `attribute` names the attribute of a SECTION_VALUE, 0 for others. */
void xml_judge(struct xml_state *s, enum xml_section section, uint16_t attribute,
               const struct xml_siblings *sib, const uint8_t *p, size_t n, bool cut);

/* ---- xml_meaning.c ---- */
/* A meaning in one word, as in json_state.h: enum value_kind in the low byte. */
enum {
    XML_MEANING_VALUE = 0xff,
    XML_MEANING_PAYLOAD = 1 << 8,
    XML_MEANING_MEDIA_SHIFT = 16,
    XML_MEANING_PREFIX_SHIFT = 24
};
/* xml_scope_enter is the scope of an element `name` that opens now; *note its first note. */
enum xml_scope xml_scope_enter(const struct xml_state *s, uint16_t name,
                               const struct xml_siblings *sib, uint8_t *note);
/* xml_meaning_text says what text in the innermost element is. */
uint32_t xml_meaning_text(const struct xml_state *s, const uint8_t *p, size_t n);
/* xml_meaning_attribute says what an attribute of the innermost element is, and remembers what it
 * says of others. */
uint32_t xml_meaning_attribute(struct xml_state *s, uint16_t name, const struct xml_siblings *sib,
                               const uint8_t *p, size_t n);
/* ---- xml_probe.c ---- */
unsigned xml_probe(struct view head);
int xml_path(const struct event *ev, char *buf, size_t cap);

#endif
