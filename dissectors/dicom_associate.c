/* dicom_associate.c - the A-ASSOCIATE PDUs of the DICOM upper layer: titles, presentation contexts
 * and user information (PS3.8 sections 9.3.2 and 9.3.3 and annex D, PS3.7 annex D.3.3). */
#include <stdio.h>

#include "dissectors/dicom_element.h"
#include "dissectors/dicom_ul.h"

/* Item types, and places that are no items, for paths. */
enum {
    ITEM_APPLICATION = 0x10,
    ITEM_CONTEXT_RQ = 0x20,
    ITEM_CONTEXT_AC = 0x21,
    ITEM_ABSTRACT = 0x30,
    ITEM_TRANSFER = 0x40,
    ITEM_USER = 0x50,
    ITEM_MAX_LENGTH = 0x51,
    ITEM_CLASS_UID = 0x52,
    ITEM_WINDOW = 0x53,
    ITEM_ROLE = 0x54,
    ITEM_VERSION = 0x55,
    ITEM_EXTENDED = 0x56,
    ITEM_COMMON_EXTENDED = 0x57,
    ITEM_IDENTITY = 0x58,
    ITEM_IDENTITY_AC = 0x59,
    PLACE_CALLED = 0x101,
    PLACE_CALLING,
    PLACE_RESERVED,
    PLACE_PASSCODE
};

/* Transfer syntaxes of PS3.6 table A-1 that are in use; a presentation context keeps the index. */
static const char *const syntaxes[] = {
    NULL,
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.92",
    "1.2.840.10008.1.2.4.93",
    "1.2.840.10008.1.2.4.94",
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.100",
    "1.2.840.10008.1.2.4.101",
    "1.2.840.10008.1.2.4.102",
    "1.2.840.10008.1.2.4.103",
    "1.2.840.10008.1.2.4.104",
    "1.2.840.10008.1.2.4.105",
    "1.2.840.10008.1.2.4.106",
    "1.2.840.10008.1.2.4.107",
    "1.2.840.10008.1.2.4.108",
    "1.2.840.10008.1.2.4.110",
    "1.2.840.10008.1.2.4.111",
    "1.2.840.10008.1.2.4.112",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.4.204",
    "1.2.840.10008.1.2.4.205",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.6.1",
    "1.2.840.10008.1.2.7.1",
    "1.2.840.10008.1.2.7.2",
    "1.2.840.10008.1.2.7.3",
    "1.2.840.10008.1.2.8.1",
};

enum {
    N_SYNTAXES = sizeof syntaxes / sizeof syntaxes[0]
};
_Static_assert((int)N_SYNTAXES <= (int)UL_SYNTAX_UNLISTED,
               "an index must not read as UL_SYNTAX_UNLISTED");

const char *ul_syntax_uid(uint8_t syntax)
{
    unsigned i = syntax & UL_SYNTAX_MASK;
    return i < N_SYNTAXES ? syntaxes[i] : NULL;
}

static void syntax_note(struct ul_state *s, const uint8_t *uid, size_t len)
{
    if (s->item_context % 2 == 0 || s->item_refused)
        return;
    while (len > 0 && uid[len - 1] == '\0')
        len--;
    uint8_t found = UL_SYNTAX_UNLISTED;
    for (uint8_t i = 1; i < N_SYNTAXES; i++)
        if (strlen(syntaxes[i]) == len && memcmp(syntaxes[i], uid, len) == 0)
            found = i;
    uint8_t *known = &s->syntaxes[s->item_context / 2];
    if (found < N_SYNTAXES &&
        dicom_encoding_of((const uint8_t *)syntaxes[found], len) == DICOM_DEFLATED)
        *known |= UL_SYNTAX_DEFLATED;
    uint8_t flags = *known & UL_SYNTAX_DEFLATED, was = *known & UL_SYNTAX_MASK;
    if (was != UL_SYNTAX_NONE && was != found)
        found = UL_SYNTAX_SEVERAL;
    *known = flags | found;
}

/* Emits `len` bytes at pos + `skip` as a field of this PDU. */
static enum ul_step field(struct ul_run *r, unsigned place, size_t skip, size_t len,
                          enum value_kind value)
{
    struct event ev = ul_event(r, EVENT_FIELD, skip, len);
    ev.value = (uint8_t)value;
    ev.flags |= FIXED_LEN;
    if (value == VALUE_TEXT || value == VALUE_ACCOUNT)
        ev.pad = ' ';
    if (place == ITEM_IDENTITY)
        ev.charset = CHARSET_UTF8; /* PS3.7 section D.3.3.7.1 */
    ev.n_path = 2;
    ev.path[0] = r->s->pdu;
    ev.path[1] = place;
    if (place == ITEM_ABSTRACT || place == ITEM_TRANSFER) {
        ev.n_path = 3;
        ev.path[2] = r->s->item_context;
    }
    return ul_send(r, &ev);
}

enum ul_step ul_associate_start(struct ul_run *r, uint32_t len)
{
    struct ul_state *s = r->s;
    if (len < UL_ASSOCIATE_FIXED) {
        r->why = "A-ASSOCIATE too short";
        return UL_BAD;
    }
    if (len > UL_ASSOCIATE_MAX) {
        r->why = "A-ASSOCIATE longer than 1 MiB";
        return UL_LIMIT;
    }
    enum ul_step st = ul_more(r, UL_PDU_HEADER + UL_ASSOCIATE_FIXED);
    if (st != UL_ON)
        return st;
    if (ul_left(r) < UL_PDU_HEADER + UL_ASSOCIATE_FIXED)
        return ul_cut(r);
    static const uint8_t zeros[32];
    st = ul_mark(r, s->pdu == UL_ASSOCIATE_RQ ? "a-associate-rq" : "a-associate-ac");
    if (st == UL_ON)
        st = field(r, PLACE_CALLED, 10, 16, VALUE_TEXT);
    if (st == UL_ON)
        st = field(r, PLACE_CALLING, 26, 16, VALUE_TEXT);
    if (st == UL_ON && memcmp(r->in.bytes + r->pos + 42, zeros, sizeof zeros) != 0)
        st = field(r, PLACE_RESERVED, 42, 32, VALUE_TEXT);
    r->pos += UL_PDU_HEADER + UL_ASSOCIATE_FIXED;
    s->pdu_left = len - UL_ASSOCIATE_FIXED;
    s->phase = UL_AT_ITEM;
    memset(s->syntaxes, 0, sizeof s->syntaxes);
    return st;
}

/* Reads the header of the item at pos, which must lie in the `left` bytes around it, and waits for
 * `all` of it or for its first `some` bytes. */
static enum ul_step item_header(struct ul_run *r, uint32_t left, size_t some, uint8_t *type,
                                size_t *len)
{
    enum ul_step st = ul_more(r, left < UL_ITEM_HEADER ? left : UL_ITEM_HEADER);
    if (st != UL_ON)
        return st;
    if (left < UL_ITEM_HEADER) {
        r->why = "item header past its end";
        return UL_BAD;
    }
    if (ul_left(r) < UL_ITEM_HEADER)
        return ul_cut(r);
    const uint8_t *p = r->in.bytes + r->pos;
    *type = p[0];
    *len = load_u16be(p + 2);
    if (*len > left - UL_ITEM_HEADER) {
        r->why = "item longer than what holds it";
        return UL_BAD;
    }
    bool holds_others = *type == ITEM_CONTEXT_RQ || *type == ITEM_CONTEXT_AC || *type == ITEM_USER;
    size_t want = some > 0 && holds_others && *len > some ? some : *len;
    st = ul_more(r, UL_ITEM_HEADER + want);
    if (st != UL_ON)
        return st;
    return ul_left(r) < UL_ITEM_HEADER + want ? ul_cut(r) : UL_ON;
}

enum ul_step ul_associate_item(struct ul_run *r)
{
    struct ul_state *s = r->s;
    if (s->pdu_left == 0) {
        s->phase = UL_AT_PDU;
        return ul_mark(r, NULL);
    }
    uint8_t type;
    size_t len;
    enum ul_step st = item_header(r, s->pdu_left, 4, &type, &len);
    if (st != UL_ON)
        return st;
    const uint8_t *p = r->in.bytes + r->pos;
    size_t pass = UL_ITEM_HEADER;
    if ((type == ITEM_CONTEXT_RQ || type == ITEM_CONTEXT_AC) && len >= 4) {
        s->item_context = p[4];
        s->item_refused = type == ITEM_CONTEXT_AC && p[6] != 0;
        pass += 4;
        if (s->item_context % 2 != 0)
            s->syntaxes[s->item_context / 2] = UL_SYNTAX_NONE;
        else
            st = ul_tell(r, UL_EVEN_CONTEXT);
        s->phase = UL_AT_SUB_ITEM;
    } else if (type == ITEM_USER) {
        s->phase = UL_AT_SUB_ITEM;
    } else {
        st = field(r, type, UL_ITEM_HEADER, len, type == ITEM_APPLICATION ? VALUE_UID : VALUE_TEXT);
        pass += len;
    }
    s->item = type;
    s->item_left = (uint32_t)(UL_ITEM_HEADER + len - pass);
    s->pdu_left -= (uint32_t)(UL_ITEM_HEADER + len);
    r->pos += pass;
    return st;
}

/* PS3.7 section D.3.3.7.1: who the requestor says it is. */
static enum ul_step identity(struct ul_run *r, const uint8_t *p, size_t len)
{
    struct cursor c = {.bytes = p, .len = len};
    uint8_t type = 0, reply;
    uint16_t n_primary = 0, n_secondary = 0;
    const uint8_t *primary, *secondary;
    if (!cursor_u8(&c, &type) || !cursor_u8(&c, &reply) || !cursor_u16be(&c, &n_primary) ||
        !cursor_take(&c, n_primary, &primary) || !cursor_u16be(&c, &n_secondary) ||
        !cursor_take(&c, n_secondary, &secondary)) {
        enum ul_step st = ul_tell(r, UL_BAD_ITEM);
        return st != UL_ON ? st : field(r, ITEM_IDENTITY, UL_ITEM_HEADER, len, VALUE_TEXT);
    }
    static const uint8_t primary_is[] = {VALUE_TEXT,   VALUE_ACCOUNT, VALUE_ACCOUNT,
                                         VALUE_OPAQUE, VALUE_TEXT,    VALUE_TEXT};
    enum value_kind value =
        type < sizeof primary_is ? (enum value_kind)primary_is[type] : VALUE_TEXT;
    enum ul_step st = field(r, ITEM_IDENTITY, UL_ITEM_HEADER + 4, n_primary, value);
    if (st == UL_ON && n_secondary > 0)
        st = field(r, PLACE_PASSCODE, UL_ITEM_HEADER + 6 + (size_t)n_primary, n_secondary,
                   VALUE_OPAQUE);
    size_t rest = cursor_left(&c);
    if (st == UL_ON && rest > 0)
        st = field(r, ITEM_IDENTITY, UL_ITEM_HEADER + len - rest, rest, VALUE_TEXT);
    return st;
}

/* An item that begins with a UID and its length: roles, extended negotiation. */
static enum ul_step uid_and_more(struct ul_run *r, uint8_t type, const uint8_t *p, size_t len)
{
    size_t n = len >= 2 ? load_u16be(p) : 0;
    if (len < 2 || n > len - 2) {
        enum ul_step st = ul_tell(r, UL_BAD_ITEM);
        return st != UL_ON ? st : field(r, type, UL_ITEM_HEADER, len, VALUE_TEXT);
    }
    enum ul_step st = field(r, type, UL_ITEM_HEADER + 2, n, VALUE_UID);
    if (st == UL_ON && len > n + 2)
        st = field(r, type, UL_ITEM_HEADER + 2 + n, len - n - 2, VALUE_TEXT);
    return st;
}

static enum ul_step sub_item(struct ul_run *r, uint8_t type, const uint8_t *p, size_t len)
{
    switch (type) {
    case ITEM_TRANSFER:
        syntax_note(r->s, p, len);
        return field(r, type, UL_ITEM_HEADER, len, VALUE_UID);
    case ITEM_ABSTRACT:
    case ITEM_CLASS_UID:
        return field(r, type, UL_ITEM_HEADER, len, VALUE_UID);
    case ITEM_MAX_LENGTH:
    case ITEM_WINDOW:
        return field(r, type, UL_ITEM_HEADER, len, len <= 4 ? VALUE_NUMBER : VALUE_TEXT);
    case ITEM_ROLE:
    case ITEM_EXTENDED:
    case ITEM_COMMON_EXTENDED:
        return uid_and_more(r, type, p, len);
    case ITEM_IDENTITY:
        return identity(r, p, len);
    default:
        return field(r, type, UL_ITEM_HEADER, len, VALUE_TEXT);
    }
}

enum ul_step ul_associate_sub_item(struct ul_run *r)
{
    struct ul_state *s = r->s;
    if (s->item_left == 0) {
        s->phase = UL_AT_ITEM;
        return UL_ON;
    }
    uint8_t type;
    size_t len;
    enum ul_step st = item_header(r, s->item_left, 0, &type, &len);
    if (st != UL_ON)
        return st;
    st = sub_item(r, type, r->in.bytes + r->pos + UL_ITEM_HEADER, len);
    s->item_left -= (uint32_t)(UL_ITEM_HEADER + len);
    r->pos += UL_ITEM_HEADER + len;
    return st;
}

static const char *place_name(unsigned place)
{
    static const struct {
        unsigned place;
        const char *name;
    } names[] = {
        {PLACE_CALLED, "called-ae"},
        {PLACE_CALLING, "calling-ae"},
        {PLACE_RESERVED, "reserved"},
        {PLACE_PASSCODE, "user-identity.secondary"},
        {ITEM_APPLICATION, "application-context"},
        {ITEM_ABSTRACT, "abstract-syntax"},
        {ITEM_TRANSFER, "transfer-syntax"},
        {ITEM_MAX_LENGTH, "max-length"},
        {ITEM_CLASS_UID, "implementation-class"},
        {ITEM_WINDOW, "operations-window"},
        {ITEM_ROLE, "role-selection"},
        {ITEM_VERSION, "implementation-version"},
        {ITEM_EXTENDED, "extended-negotiation"},
        {ITEM_COMMON_EXTENDED, "common-extended-negotiation"},
        {ITEM_IDENTITY, "user-identity.primary"},
        {ITEM_IDENTITY_AC, "user-identity.response"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].place == place)
            return names[i].name;
    return NULL;
}

int ul_associate_path(const struct event *ev, char *buf, size_t cap)
{
    static const char *const pdus[] = {
        "pdu",       "A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "A-ASSOCIATE-RJ",
        "P-DATA-TF", "A-RELEASE-RQ",   "A-RELEASE-RP",   "A-ABORT"};
    unsigned i = ev->path[0];
    const char *pdu = pdus[i < sizeof pdus / sizeof pdus[0] ? i : 0];
    if (ev->n_path < 2)
        return snprintf(buf, cap, "%s", pdu);
    const char *name = place_name(ev->path[1]);
    if (ev->n_path >= 3 && name != NULL)
        return snprintf(buf, cap, "%s.context[%u].%s", pdu, (unsigned)ev->path[2], name);
    if (name != NULL)
        return snprintf(buf, cap, "%s.%s", pdu, name);
    return snprintf(buf, cap, "%s.item-%02X", pdu, (unsigned)ev->path[1]);
}
