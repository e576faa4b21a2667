/* hl7v2_fields.h - what the fields of HL7 v2.5.1 segments mean, and the words of its tables.
 *
 * Only facts of the standard; knows nothing of bytes on the wire beyond short words of them.
 */
#ifndef DISSECTORS_HL7V2_FIELDS_H
#define DISSECTORS_HL7V2_FIELDS_H

#include "base/bytes.h"
#include "base/charset.h"

/* hl7v2_type is the data type of a field (chapter 2A), narrowed by what this field is for. */
enum hl7v2_type {
    TYPE_TEXT,         /* not listed: components of free text */
    TYPE_PLAIN,        /* ST, TX, FT: one free text, its delimiters are text */
    TYPE_WORD,         /* ID, IS, SI as a name: one code */
    TYPE_NUMBER,       /* NM, SI */
    TYPE_DATE,         /* DT, TM, TS */
    TYPE_BIRTH,        /* TS of a birth */
    TYPE_AMOUNT,       /* CQ, CP, MO: a number with its unit */
    TYPE_STRUCTURED,   /* SN: comparator, number, separator, number */
    TYPE_RANGE,        /* DR, DIN, RI */
    TYPE_CODED,        /* CE, CWE, CNE, CF: code, text, system, twice */
    TYPE_CODES,        /* MSG, PT, VID, TQ, JCC and others: words in every component */
    TYPE_ENTITY,       /* EI, EIP: identifier of a thing */
    TYPE_HIERARCHIC,   /* HD: namespace and identifier of a system */
    TYPE_LOCATION,     /* PL: point of care, room, bed, ... */
    TYPE_ORGANIZATION, /* XON */
    TYPE_NAME,         /* XPN, PN: name of a person */
    TYPE_STAFF,        /* XCN, CN, PPN: staff number and name */
    TYPE_SUBJECT,      /* XCN of the patient (QRD-8): record number and name */
    TYPE_NAMED,        /* NDL: a staff number and name as subcomponents of the first component */
    TYPE_ADDRESS,      /* XAD, AD of a person */
    TYPE_PHONE,        /* XTN, TN of a person */
    TYPE_EMAIL,        /* ST with an e-mail address */
    TYPE_RECORD,       /* CX: identifier of a person, as its type code says, else record number */
    TYPE_ACCOUNT,      /* CX: else account */
    TYPE_INSURED,      /* CX: else insurance number */
    TYPE_NUMBERED,     /* CX of no person: certificate, company, visit */
    TYPE_ID_NUMBER,    /* ST: national identifier of a person (the SSN fields) */
    TYPE_INSURANCE,    /* ST: insurance or policy number of a person */
    TYPE_RECORD_TEXT,  /* ST: number of a person in an organisation */
    TYPE_LICENCE,      /* DLN */
    TYPE_VALUE_TYPE,   /* OBX-2 */
    TYPE_VALUE,        /* OBX-5: as OBX-2 says */
    TYPE_ENCAPSULATED, /* ED */
    TYPE_COUNT
};

/* What a kind says beside the value_kind in its low five bits. */
enum {
    KIND_VALUE = 0x1f,
    KIND_PART = 0x20, /* one part of a value that counts once: SAME_VALUE after the first */
    KIND_TAIL = 0x40, /* such a part that alone says nothing (title, degree): then a code */
    KIND_TYPED = 0x80 /* identifier whose meaning CX-5 may change */
};

/* hl7v2_segment is one known segment. types[0] is unused; fields >= n are TYPE_TEXT. */
struct hl7v2_segment {
    char name[4];
    uint8_t n;
    const uint8_t *types;
};

/* hl7v2_segment_at gives segment 1..: its place in the table, 0 is no segment. */
const struct hl7v2_segment *hl7v2_segment_at(unsigned index);

/* hl7v2_segment_find gives the place of the segment with these three bytes as its name, or 0. */
unsigned hl7v2_segment_find(const uint8_t *name);

/* hl7v2_shape is how a data type is cut and what its components mean. */
struct hl7v2_shape {
    uint8_t kinds[16]; /* by component, 1..15: value_kind with KIND_ bits; later ones are text */
    bool primitive;    /* one component, which is not named in a path */
    bool whole;        /* component and subcomponent separators are text */
    uint16_t special;  /* bits of components that need more than their kind to be understood */
};

/* hl7v2_shapes is indexed by hl7v2_type. */
extern const struct hl7v2_shape hl7v2_shapes[TYPE_COUNT];

/* hl7v2_value_type is the type of OBX-5 for the word in OBX-2 (table 0125). */
enum hl7v2_type hl7v2_value_type(const uint8_t *word, size_t len);

/* hl7v2_id_kind is the value_kind for the type code in CX-5 (table 0203), or `other` when the code
 * leaves the field's own meaning. */
uint8_t hl7v2_id_kind(const uint8_t *code, size_t len, uint8_t other);

/* hl7v2_charset is the set for a word of table 0211 in MSH-18, or a name in common use. */
enum charset hl7v2_charset(const uint8_t *word, size_t len);

/* hl7v2_message gives the static name of a message for the first two components of MSH-9:
 * "ADT^A01", else the type alone, else "message". */
const char *hl7v2_message(const uint8_t *type, size_t type_len, const uint8_t *trigger,
                          size_t trigger_len);

/* hl7v2_media gives the static media type for ED-2 (type of data, table 0191) and ED-3 (subtype,
 * table 0291) as places in a table: hl7v2_media_find takes one of the words and the place found so
 * far; 0 is none, whose name is NULL. */
uint8_t hl7v2_media_find(const uint8_t *word, size_t len, uint8_t before);
const char *hl7v2_media_name(uint8_t place);

#endif
