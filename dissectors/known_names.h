/* known_names.h - names of JSON keys and of XML elements and attributes as small numbers.
 *
 * One constant table shared by the two formats, with a constant hash beside it. It knows what a
 * name means by itself; what it means by its place is for the dissector to say.
 */
#ifndef DISSECTORS_KNOWN_NAMES_H
#define DISSECTORS_KNOWN_NAMES_H

#include "dissectors/dissector.h"

#define K(ident)             K_##ident,
#define P(ident, kind)       K_##ident,
#define Q(ident, text, kind) K_##ident,
#define A(ident, text)
enum known_name {
    K_NONE, /* not in the table */
#include "dissectors/known_names_list.h"
    K_COUNT
};
#undef K
#undef P
#undef Q
#undef A

/* known_name_find gives the id of a name of `len` bytes, K_NONE when it is not in the table. A
 * name that is not found as it stands is tried in lower case without '_' and '-'. */
enum known_name known_name_find(const uint8_t *name, size_t len);

/* known_name_is: `name` is the canonical spelling of id, K_NONE excepted. */
bool known_name_is(enum known_name id, const uint8_t *name, size_t len);

/* known_name_text is the canonical spelling; "*" for K_NONE and for numbers that are no id. */
const char *known_name_text(uint32_t id);

/* known_name_kind is what a plain value under the name means wherever it stands, as enum
 * value_kind; VALUE_TEXT for most. */
enum value_kind known_name_kind(enum known_name id);

/* known_name_is_resource: a FHIR R4 resource type; known_name_is_person: one of those that
 * describe a natural person (Patient, Practitioner, RelatedPerson, Person). */
static inline bool known_name_is_resource(enum known_name id)
{
    return id >= K_Patient && id <= K_ValueSet;
}

static inline bool known_name_is_person(enum known_name id)
{
    return id >= K_Patient && id <= K_Person;
}

/* known_name_is_tag: a DICOM tag of eight hexadecimal digits. */
static inline bool known_name_is_tag(enum known_name id)
{
    return id >= K_tag_any && id <= K_T40080114;
}

/* For the test that keeps the hash true: a slot is 0, or an entry's number plus one in its low ten
 * bits and six bits of the hash above them. */
enum {
    KNOWN_SLOTS = 2048
};
extern const uint16_t known_name_slots[KNOWN_SLOTS];
uint32_t known_name_hash(const uint8_t *name, size_t len);
/* known_name_spelling gives the i-th spelling, NULL after the last. */
const char *known_name_spelling(size_t i);

#endif
