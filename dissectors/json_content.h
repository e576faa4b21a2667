/* json_content.h - what the bytes of a text value say about themselves, for JSON and XML.
 *
 * Pure functions over borrowed bytes; nothing here knows a place in a document.
 */
#ifndef DISSECTORS_JSON_CONTENT_H
#define DISSECTORS_JSON_CONTENT_H

#include "dissectors/dissector.h"

enum {
    CONTENT_WHOLE = 64 * 1024 /* values up to this many bytes come whole, longer ones in parts */
};

/* high_run follows bytes >= 0x80 that stand together, to tell UTF-8 from double-byte sets, where
 * the second byte of a character may look like ASCII. Zeroed to start. */
struct high_run {
    uint8_t odd;     /* their number is odd */
    uint8_t bad;     /* they are not UTF-8 */
    uint8_t pending; /* UTF-8 bytes the last character still wants */
};

/* high_run_over goes on over n bytes. Only the bytes since the last ASCII byte count. */
void high_run_over(struct high_run *r, const uint8_t *p, size_t n);

/* high_run_splits: the run ends in the first byte of a double-byte character, so that the next
 * byte is its second, whatever it looks like. */
static inline bool high_run_splits(const struct high_run *r)
{
    return r->odd != 0 && (r->bad != 0 || r->pending != 0);
}

/* content_look passes n bytes once: CONTENT_HIGH when one is >= 0x80, CONTENT_WANTED when one is
 * `wanted`. */
enum {
    CONTENT_HIGH = 1,
    CONTENT_WANTED = 2
};
unsigned content_look(const uint8_t *p, size_t n, uint8_t wanted);

/* content_space is the first byte from p on that is not white space or another control character,
 * or `end`. */
const uint8_t *content_space(const uint8_t *p, const uint8_t *end);

/* content_is_utf8: n bytes are UTF-8 (RFC 3629). `cut`: the last character may be incomplete. */
bool content_is_utf8(const uint8_t *p, size_t n, bool cut);

/* content_charset gives the charset of a value: `declared` when the format names a set, UTF-8 when
 * nothing or UTF-8 is declared and the bytes are UTF-8, else CHARSET_UNKNOWN. A `cut` value is the
 * first part of a longer one: pure ASCII proves nothing then. */
enum charset content_charset(const uint8_t *p, size_t n, enum charset declared, bool cut);

/* content_tail is how many of the last of n bytes belong to an incomplete UTF-8 character, 0..3. */
size_t content_tail(const uint8_t *p, size_t n);

/* content_identity tells what the value beside a system URI or OID is: VALUE_ID_NUMBER for the
 * resident identity card (2.16.156.10011.1.3) and passports, VALUE_RECORD_ID for the patient
 * numbers of WS/T 500 (2.16.156.10011.1.11, .12, .19), VALUE_TEXT when it says nothing. */
enum value_kind content_identity(const uint8_t *p, size_t n);

/* content_identity_code does the same for a code of HL7 table 0203 (identifier type). */
enum value_kind content_identity_code(const uint8_t *p, size_t n);

/* content_contact tells VALUE_EMAIL or VALUE_PHONE of a contact point's value. */
enum value_kind content_contact(const uint8_t *p, size_t n);

/* content_media finds a media type, parameters ignored: a small number, 0 when not known.
 * content_media_text is its static text, NULL for 0. */
uint8_t content_media(const uint8_t *p, size_t n);
const char *content_media_text(uint8_t media);

/* content_embedded: n bytes (the first CONTENT_WHOLE count) that nothing declares are another
 * format in base64, by a data URL or by their first bytes. *media is which (0: not said), *prefix
 * what stands before it. */
bool content_embedded(const uint8_t *p, size_t n, uint8_t *media, size_t *prefix);

/* content_hint_charset reads the charset parameter of a media type, CHARSET_UNKNOWN without one. */
enum charset content_hint_charset(const char *hint);

#endif
