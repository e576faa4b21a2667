/* json_meaning.c - what a JSON value means by where it stands: FHIR R4, the DICOM JSON model
 * (PS3.18 annex F), and the keys of ordinary back ends. It reads no grammar. */
#include "dissectors/json_state.h"

static enum known_name current_name(const struct json_state *s)
{
    return step_name(s->steps[s->n_steps - 1u]);
}

/* What `identifier` is under each kind of object. A resource whose type has not been seen yet is
 * taken for a person's: its type may still come. */
static bool holds_identifier(enum json_scope scope)
{
    return scope == SCOPE_PERSON || scope == SCOPE_ROOT || scope == SCOPE_REFERENCE;
}

enum json_scope json_scope_enter(const struct json_state *s)
{
    enum json_scope outer = (enum json_scope)s->scope[s->depth - 1u];
    enum known_name name = current_name(s);
    switch (name) {
    case K_NONE:
        return SCOPE_PLAIN;
    case K_name:
        return SCOPE_NAME;
    case K_telecom:
        return outer == SCOPE_RESOURCE ? SCOPE_PLAIN : SCOPE_TELECOM;
    case K_address:
        return outer == SCOPE_RESOURCE ? SCOPE_PLAIN : SCOPE_ADDRESS;
    case K_identifier:
        return holds_identifier(outer) ? SCOPE_IDENTIFIER : SCOPE_PLAIN;
    case K_type:
    case K_coding:
        return outer == SCOPE_IDENTIFIER || outer == SCOPE_IDENTIFIER_TYPE ? SCOPE_IDENTIFIER_TYPE
                                                                           : SCOPE_PLAIN;
    case K_contact:
        return SCOPE_CONTACT;
    case K_photo:
        return outer == SCOPE_RESOURCE ? SCOPE_ATTACHMENT : SCOPE_PHOTO;
    case K_attachment:
    case K_valueAttachment:
    case K_presentedForm:
    case K_content:
        return SCOPE_ATTACHMENT;
    case K_subject:
    case K_patient:
    case K_beneficiary:
    case K_individual:
        return SCOPE_REFERENCE;
    case K_resource:
    case K_contained:
        return SCOPE_ROOT;
    case K_Value:
        return outer >= SCOPE_TAG ? outer : SCOPE_PLAIN;
    default:
        break;
    }
    if (known_name_is_tag(name))
        return (enum json_scope)(SCOPE_TAG + (int)known_name_kind(name));
    return SCOPE_PLAIN;
}

static uint32_t field(enum value_kind value)
{
    return (uint32_t)value;
}

static uint32_t payload(enum value_kind value, uint8_t media)
{
    return (uint32_t)value | MEANING_PAYLOAD | (uint32_t)media << MEANING_MEDIA_SHIFT;
}

/* A value nothing is said of may still be a picture or document in base64. */
static uint32_t plain(const uint8_t *p, size_t n, enum value_kind picture)
{
    uint8_t media;
    size_t prefix;
    if (content_embedded(p, n, &media, &prefix))
        return payload(picture, media) | (uint32_t)prefix << MEANING_PREFIX_SHIFT;
    return field(VALUE_TEXT);
}

static uint32_t resource_type(struct json_state *s, size_t level, const uint8_t *p, size_t n)
{
    enum known_name type = known_name_find(p, n);
    if (!known_name_is_resource(type))
        return field(VALUE_TEXT);
    if (s->scope[level] <= SCOPE_RESOURCE)
        s->scope[level] = type == K_Binary             ? SCOPE_BINARY
                          : known_name_is_person(type) ? SCOPE_PERSON
                                                       : SCOPE_RESOURCE;
    return field(VALUE_CODE);
}

static uint32_t media_type(struct json_state *s, size_t level, const uint8_t *p, size_t n)
{
    uint8_t plain_text[96];
    if (n <= sizeof plain_text) {
        n = json_unescape(p, n, plain_text, sizeof plain_text);
        s->note[level] = content_media(plain_text, n);
    }
    return field(VALUE_TEXT);
}

/* system, type code and type text of an identifier, seen before its value. */
static uint32_t identifier_kind(struct json_state *s, size_t level, enum value_kind value)
{
    while (level > 0 && s->scope[level] == SCOPE_IDENTIFIER_TYPE)
        level--;
    if (s->scope[level] == SCOPE_IDENTIFIER && value != VALUE_TEXT)
        s->note[level] = (uint8_t)value;
    return field(VALUE_TEXT);
}

static uint32_t tag_value(struct json_state *s, size_t level, enum known_name name,
                          const uint8_t *p, size_t n)
{
    enum value_kind value = (enum value_kind)(s->scope[level] - SCOPE_TAG);
    switch (name) {
    case K_vr:
        if (n != 2)
            break;
        if (value == VALUE_TEXT && memcmp(p, "PN", 2) == 0)
            s->scope[level] = SCOPE_TAG + VALUE_NAME;
        if (value == VALUE_TEXT && memcmp(p, "DA", 2) == 0)
            s->scope[level] = SCOPE_TAG + VALUE_DATE;
        return field(VALUE_CODE);
    case K_Alphabetic:
    case K_Ideographic:
    case K_Phonetic:
        return field(VALUE_NAME);
    case K_Value:
        return value == VALUE_TEXT    ? plain(p, n, VALUE_BINARY)
               : value == VALUE_PHONE ? field(content_contact(p, n))
                                      : field(value);
    case K_InlineBinary:
        return payload(VALUE_BINARY, 0);
    default:
        break;
    }
    return plain(p, n, VALUE_BINARY);
}

/* Keys that mean something in some objects only. */
static uint32_t by_scope(struct json_state *s, size_t level, enum known_name name, const uint8_t *p,
                         size_t n)
{
    enum json_scope scope = (enum json_scope)s->scope[level];
    switch (name) {
    case K_family:
    case K_given:
    case K_prefix:
    case K_suffix:
        return scope == SCOPE_NAME ? field(VALUE_NAME) : plain(p, n, VALUE_BINARY);
    case K_text:
        if (scope == SCOPE_IDENTIFIER_TYPE)
            return identifier_kind(s, level, content_identity(p, n));
        return scope == SCOPE_NAME      ? field(VALUE_NAME)
               : scope == SCOPE_ADDRESS ? field(VALUE_ADDRESS)
                                        : plain(p, n, VALUE_BINARY);
    case K_name:
        return scope == SCOPE_PERSON || scope == SCOPE_REFERENCE || scope == SCOPE_CONTACT
                   ? field(VALUE_NAME)
                   : field(VALUE_TEXT);
    case K_display:
        /* Of a reference whose only targets are patients. */
        return scope == SCOPE_REFERENCE && level > 0 &&
                       (step_name(s->steps[s->n_steps - 2u]) == K_patient ||
                        step_name(s->steps[s->n_steps - 2u]) == K_beneficiary)
                   ? field(VALUE_NAME)
                   : field(VALUE_TEXT);
    case K_value:
        if (scope == SCOPE_TELECOM)
            return field(content_contact(p, n));
        if (scope == SCOPE_IDENTIFIER)
            return field(s->note[level] != 0 ? (enum value_kind)s->note[level] : VALUE_RECORD_ID);
        return plain(p, n, VALUE_BINARY);
    case K_system:
        return scope == SCOPE_IDENTIFIER ? identifier_kind(s, level, content_identity(p, n))
                                         : field(VALUE_TEXT);
    case K_code:
        return scope == SCOPE_IDENTIFIER_TYPE
                   ? identifier_kind(s, level, content_identity_code(p, n))
                   : field(VALUE_TEXT);
    case K_line:
    case K_city:
    case K_district:
    case K_state:
    case K_postalCode:
    case K_country:
        return scope == SCOPE_ADDRESS ? field(VALUE_ADDRESS) : plain(p, n, VALUE_BINARY);
    case K_address:
        return field(scope == SCOPE_RESOURCE ? VALUE_TEXT : VALUE_ADDRESS);
    case K_data:
        if (scope == SCOPE_PHOTO)
            return payload(VALUE_FACE, s->note[level] != 0
                                           ? s->note[level]
                                           : content_media((const uint8_t *)"image/*", 7));
        if (scope == SCOPE_ATTACHMENT || scope == SCOPE_BINARY)
            return payload(VALUE_BINARY, s->note[level]);
        return plain(p, n, VALUE_BINARY);
    default:
        break;
    }
    return plain(p, n, VALUE_BINARY);
}

uint32_t json_meaning_string(struct json_state *s, const uint8_t *p, size_t n)
{
    if (s->depth == 0 || s->deep > 0)
        return plain(p, n, VALUE_BINARY);
    enum known_name name = current_name(s);
    size_t level = json_owner_level(s);
    if (n > CONTENT_WHOLE)
        n = CONTENT_WHOLE;
    if (s->scope[level] >= SCOPE_TAG && !known_name_is_tag(name))
        return tag_value(s, level, name, p, n);
    switch (name) {
    case K_NONE:
        return plain(p, n, VALUE_BINARY);
    case K_resourceType:
        return resource_type(s, level, p, n);
    case K_contentType:
        return media_type(s, level, p, n);
    case K_photo:
        return plain(p, n, VALUE_FACE);
    default:
        break;
    }
    enum value_kind value = known_name_kind(name);
    if (value == VALUE_PHONE || value == VALUE_EMAIL)
        return field(content_contact(p, n) == VALUE_EMAIL ? VALUE_EMAIL : value);
    if (value != VALUE_TEXT && name != K_address)
        return field(value);
    return by_scope(s, level, name, p, n);
}

uint32_t json_meaning_number(const struct json_state *s)
{
    if (s->depth == 0 || s->deep > 0)
        return field(VALUE_TEXT);
    size_t level = json_owner_level(s);
    enum known_name name = current_name(s);
    if (name == K_Value && s->scope[level] >= SCOPE_TAG)
        return field((enum value_kind)(s->scope[level] - SCOPE_TAG));
    if (name == K_value && s->scope[level] == SCOPE_IDENTIFIER)
        return field(s->note[level] != 0 ? (enum value_kind)s->note[level] : VALUE_RECORD_ID);
    if (name == K_value && s->scope[level] == SCOPE_TELECOM)
        return field(VALUE_PHONE);
    return field(name == K_address ? VALUE_TEXT : known_name_kind(name));
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* \uXXXX at p (behind the backslash), as UTF-8: how many bytes, 1 with '?' when it is none. */
static size_t unescape_unicode(const uint8_t *p, size_t n, uint8_t out[3], size_t *eaten)
{
    unsigned code = 0;
    *eaten = 1;
    out[0] = '?';
    if (n < 5)
        return 1;
    for (size_t i = 1; i < 5; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return 1;
        code = code << 4 | (unsigned)digit;
    }
    *eaten = 5;
    if (code >= 0xd800 && code < 0xe000)
        return 1;
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (uint8_t)(0xe0 | code >> 12);
    out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code & 0x3f));
    return 3;
}

size_t json_unescape(const uint8_t *p, size_t n, uint8_t *out, size_t cap)
{
    size_t len = 0;
    for (size_t i = 0; i < n;) {
        uint8_t piece[3] = {p[i]};
        size_t n_piece = 1, eaten = 1;
        if (p[i] == '\\' && i + 1 < n) {
            i++;
            const char *plain_escape = p[i] == 'b'   ? "\b"
                                       : p[i] == 'f' ? "\f"
                                       : p[i] == 'n' ? "\n"
                                       : p[i] == 'r' ? "\r"
                                       : p[i] == 't' ? "\t"
                                                     : NULL;
            if (p[i] == 'u')
                n_piece = unescape_unicode(p + i, n - i, piece, &eaten);
            else
                piece[0] = plain_escape != NULL ? (uint8_t)plain_escape[0] : p[i];
        }
        if (len + n_piece > cap)
            return cap + 1;
        memcpy(out + len, piece, n_piece);
        len += n_piece;
        i += eaten;
    }
    return len;
}
