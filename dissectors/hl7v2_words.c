/* hl7v2_words.c - HL7 v2 data types component by component, and the words of its tables. */
#include "dissectors/dissector.h"
#include "dissectors/hl7v2_fields.h"

enum {
    C = VALUE_CODE,
    D = VALUE_DATE,
    N = VALUE_NUMBER,
    U = VALUE_UID,
    NP = VALUE_NAME | KIND_PART,
    NT = VALUE_NAME | KIND_PART | KIND_TAIL,
    AP = VALUE_ADDRESS | KIND_PART,
    AT = VALUE_ADDRESS | KIND_PART | KIND_TAIL,
    PP = VALUE_PHONE | KIND_PART,
    PT = VALUE_PHONE | KIND_PART | KIND_TAIL,
    M = VALUE_EMAIL,
    R = VALUE_RECORD_ID | KIND_TYPED,
    A = VALUE_ACCOUNT | KIND_TYPED,
    I = VALUE_INSURANCE_ID | KIND_TYPED,
    X = VALUE_CODE | KIND_TYPED
};

#define PRIMITIVE(kind)                                                                            \
    {                                                                                              \
        .kinds = {0, kind, C, C, C, C, C}, .primitive = true                                       \
    }
#define COMPOSITE(...)                                                                             \
    {                                                                                              \
        .kinds = { 0, __VA_ARGS__ }                                                                \
    }
#define IDENTIFIER(kind)                                                                           \
    {                                                                                              \
        .kinds = {0, kind, C, C, C, C, C, D, D, C, C}, .special = 1 << 1                           \
    }

/* Chapter 2A of HL7 v2.5.1. What a row does not list is text (0). */
const struct hl7v2_shape hl7v2_shapes[TYPE_COUNT] = {
    [TYPE_PLAIN] = {.primitive = true, .whole = true},
    [TYPE_WORD] = PRIMITIVE(C),
    [TYPE_NUMBER] = PRIMITIVE(N),
    [TYPE_DATE] = PRIMITIVE(D),
    [TYPE_BIRTH] = PRIMITIVE(VALUE_BIRTH_DATE),
    [TYPE_EMAIL] = PRIMITIVE(M),
    [TYPE_ID_NUMBER] = PRIMITIVE(VALUE_ID_NUMBER),
    [TYPE_INSURANCE] = PRIMITIVE(VALUE_INSURANCE_ID),
    [TYPE_VALUE_TYPE] = {.kinds = {0, C}, .primitive = true, .special = 1 << 1},
    [TYPE_AMOUNT] = COMPOSITE(N, C, C, C, C, C, C),
    [TYPE_STRUCTURED] = COMPOSITE(C, N, C, N),
    [TYPE_RANGE] = COMPOSITE(D, D),
    [TYPE_CODED] = COMPOSITE(C, 0, C, C, 0, C, C, C, 0),
    [TYPE_CODES] = COMPOSITE(C, C, C, C, C, C, C, C, C, C, C, C),
    [TYPE_ENTITY] = COMPOSITE(U, C, U, C),
    [TYPE_HIERARCHIC] = COMPOSITE(C, U, C),
    [TYPE_LOCATION] = COMPOSITE(C, C, C, C, C, C, C, C, 0, C, C),
    [TYPE_ORGANIZATION] = COMPOSITE(0, C, C, C, C, C, C, C, C, C),
    /* XPN 2.A.88: family, given, further, suffix, prefix, degree, type, representation, context,
     * validity, assembly, from, to, professional suffix. */
    [TYPE_NAME] = COMPOSITE(NP, NP, NP, NT, NT, NT, C, C, C, D, C, D, D, NT),
    /* XCN 2.A.86: number, family, given, further, suffix, prefix, degree, source, authority, ... */
    [TYPE_STAFF] = COMPOSITE(C, NP, NP, NP, NT, NT, NT, C, C, C, C, C, C, C, C),
    [TYPE_SUBJECT] = COMPOSITE(VALUE_RECORD_ID, NP, NP, NP, NT, NT, NT, C, C, C, C, C, C, C, C),
    /* NDL 2.A.47: number and name as subcomponents like XCN, from, to, point of care, room, ... */
    [TYPE_NAMED] = {.kinds = {0, C, D, D, C, C, C, C, C, C, C, C}, .special = 1 << 1},
    /* XAD 2.A.84: street, other, city, state, postal code, country, type, other geographic,
     * county, census tract, representation, validity, from, to. */
    [TYPE_ADDRESS] = COMPOSITE(AP, AP, AP, AP, AP, AT, C, AP, AP, C, C, D, D, D),
    /* XTN 2.A.89: number, use, equipment, e-mail, country, area, local, extension, text,
     * extension prefix, speed dial, unformatted number. */
    [TYPE_PHONE] = COMPOSITE(PP, C, C, M, PT, PP, PP, PT, 0, PT, PT, PP),
    /* CX 2.A.14: number, check digit, its scheme, authority, type, facility, from, to, ... */
    [TYPE_RECORD] = IDENTIFIER(R),
    [TYPE_ACCOUNT] = IDENTIFIER(A),
    [TYPE_INSURED] = IDENTIFIER(I),
    [TYPE_NUMBERED] = IDENTIFIER(X),
    [TYPE_RECORD_TEXT] = COMPOSITE(VALUE_RECORD_ID, C, C, D),
    /* DLN 2.A.21: licence number, issuing state, expiry. */
    [TYPE_LICENCE] = COMPOSITE(VALUE_LICENCE, C, D),
    /* ED 2.A.24: source, type of data, subtype, encoding, data. */
    [TYPE_ENCAPSULATED] = {.kinds = {0, 0, C, C, C, 0}, .special = 0x3c},
};

static bool is_word(const uint8_t *word, size_t len, const char *text)
{
    /* Most words differ in their first letter. */
    return len > 0 && ((word[0] ^ (uint8_t)text[0]) & 0xdf) == 0 && strlen(text) == len &&
           bytes_equal_nocase(word, text, len);
}

enum hl7v2_type hl7v2_value_type(const uint8_t *word, size_t len)
{
    static const struct {
        char word[4];
        uint8_t type;
    } types[] = {
        {"NM", TYPE_NUMBER},     {"ST", TYPE_PLAIN},         {"TX", TYPE_PLAIN},
        {"FT", TYPE_PLAIN},      {"CE", TYPE_CODED},         {"CWE", TYPE_CODED},
        {"CNE", TYPE_CODED},     {"CF", TYPE_CODED},         {"SN", TYPE_STRUCTURED},
        {"TS", TYPE_DATE},       {"DT", TYPE_DATE},          {"TM", TYPE_DATE},
        {"DTM", TYPE_DATE},      {"DR", TYPE_RANGE},         {"ID", TYPE_WORD},
        {"IS", TYPE_WORD},       {"SI", TYPE_NUMBER},        {"CQ", TYPE_AMOUNT},
        {"MO", TYPE_AMOUNT},     {"CP", TYPE_AMOUNT},        {"ED", TYPE_ENCAPSULATED},
        {"PN", TYPE_NAME},       {"XPN", TYPE_NAME},         {"CN", TYPE_STAFF},
        {"XCN", TYPE_STAFF},     {"PPN", TYPE_STAFF},        {"AD", TYPE_ADDRESS},
        {"XAD", TYPE_ADDRESS},   {"TN", TYPE_PHONE},         {"XTN", TYPE_PHONE},
        {"CX", TYPE_RECORD},     {"CK", TYPE_RECORD},        {"EI", TYPE_ENTITY},
        {"HD", TYPE_HIERARCHIC}, {"XON", TYPE_ORGANIZATION}, {"PL", TYPE_LOCATION},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (is_word(word, len, types[i].word))
            return (enum hl7v2_type)types[i].type;
    return TYPE_TEXT;
}

uint8_t hl7v2_id_kind(const uint8_t *code, size_t len, uint8_t other)
{
    static const struct {
        char code[4];
        uint8_t kind;
    } codes[] = {
        {"MR", VALUE_RECORD_ID},    {"PI", VALUE_RECORD_ID},    {"PT", VALUE_RECORD_ID},
        {"NI", VALUE_ID_NUMBER},    {"SS", VALUE_ID_NUMBER},    {"PPN", VALUE_ID_NUMBER},
        {"PRC", VALUE_ID_NUMBER},   {"CZ", VALUE_ID_NUMBER},    {"BR", VALUE_ID_NUMBER},
        {"TAX", VALUE_ID_NUMBER},   {"MI", VALUE_ID_NUMBER},    {"PNT", VALUE_RECORD_ID},
        {"NH", VALUE_INSURANCE_ID}, {"HC", VALUE_INSURANCE_ID}, {"JHN", VALUE_INSURANCE_ID},
        {"MA", VALUE_INSURANCE_ID}, {"MB", VALUE_INSURANCE_ID}, {"MC", VALUE_INSURANCE_ID},
        {"SN", VALUE_INSURANCE_ID}, {"DL", VALUE_LICENCE},      {"BA", VALUE_ACCOUNT},
        {"BC", VALUE_ACCOUNT},      {"AM", VALUE_ACCOUNT},      {"DI", VALUE_ACCOUNT},
        {"DS", VALUE_ACCOUNT},      {"MS", VALUE_ACCOUNT},      {"VS", VALUE_ACCOUNT},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (is_word(code, len, codes[i].code))
            return codes[i].kind;
    /* NNxxx: national person identifier of the country xxx; NN alone is used for it too. */
    if (len >= 2 && bytes_equal_nocase(code, "NN", 2))
        return VALUE_ID_NUMBER;
    return other;
}

enum charset hl7v2_charset(const uint8_t *word, size_t len)
{
    static const struct {
        const char *word;
        uint8_t charset;
    } sets[] = {
        {"UNICODE UTF-8", CHARSET_UTF8},    {"UNICODE", CHARSET_UTF8},
        {"GB 18030-2000", CHARSET_GB18030}, {"GB18030-2000", CHARSET_GB18030},
        {"GB 18030", CHARSET_GB18030},      {"GB 2312", CHARSET_GB18030},
        {"GB2312-80", CHARSET_GB18030},     {"BIG-5", CHARSET_BIG5},
        {"ISO IR6", CHARSET_ASCII},         {"ISO IR14", CHARSET_ISO2022},
        {"ISO IR58", CHARSET_ISO2022},      {"ISO IR87", CHARSET_ISO2022},
        {"ISO IR159", CHARSET_ISO2022},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (is_word(word, len, sets[i].word))
            return (enum charset)sets[i].charset;
    if (len >= 5 && bytes_equal_nocase(word, "8859/", 5))
        return CHARSET_LATIN1;
    enum charset set = charset_from_name(word, len);
    /* Delimiters that were found as single bytes are no UTF-16. */
    return set == CHARSET_UTF16LE || set == CHARSET_UTF16BE ? CHARSET_UNKNOWN : set;
}

const char *hl7v2_message(const uint8_t *type, size_t type_len, const uint8_t *trigger,
                          size_t trigger_len)
{
    static const char *const messages[] = {
        "ADT^A01", "ADT^A02", "ADT^A03", "ADT^A04", "ADT^A05", "ADT^A06", "ADT^A07", "ADT^A08",
        "ADT^A11", "ADT^A12", "ADT^A13", "ADT^A28", "ADT^A31", "ADT^A34", "ADT^A40", "ADT^A60",
        "ORU^R01", "ORU^R30", "ORU^R31", "ORU^R32", "ORU^R40", "ORU^W01", "ORM^O01", "ORR^O02",
        "OML^O21", "OML^O33", "OML^O35", "ORL^O22", "ORL^O34", "OMG^O19", "OMI^O23", "OMP^O09",
        "OUL^R21", "OUL^R22", "OUL^R23", "RDE^O11", "RDE^O25", "RDS^O13", "RAS^O17", "RGV^O15",
        "SIU^S12", "SIU^S13", "SIU^S14", "SIU^S15", "SIU^S17", "SIU^S26", "SRM^S01", "MDM^T01",
        "MDM^T02", "MDM^T04", "MDM^T06", "MDM^T08", "MDM^T10", "MDM^T11", "DFT^P03", "BAR^P01",
        "BAR^P05", "QRY^A19", "QRY^R02", "QRY^Q01", "QRY^PC4", "QRY^T12", "QBP^Q11", "QBP^Q21",
        "QBP^Q22", "QBP^Q23", "QBP^ZV1", "RSP^K11", "RSP^K21", "RSP^K22", "RSP^K23", "QSB^Z02",
        "QCN^J01", "VXU^V04", "VXQ^V01", "REF^I12", "RRI^I12", "PMU^B01", "PPR^PC1", "MFN^M02",
        "ORA^R33", "ESU^U01", "SSU^U03", "SSR^U04", "INU^U05", "LSU^U12", "ADR^A19", "ADT",
        "ORU",     "ORM",     "ORR",     "OML",     "ORL",     "OMG",     "OMI",     "OMP",
        "OUL",     "RDE",     "RDS",     "RAS",     "RGV",     "SIU",     "SRM",     "SRR",
        "MDM",     "DFT",     "BAR",     "QRY",     "QBP",     "RSP",     "VXU",     "REF",
        "MFN",     "ACK",     "MCF",     "NMD",     "PMU",     "ORF",     "DSR",     "UDM",
    };
    const char *alone = "message";
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        const char *name = messages[i];
        if (type_len != 3 || memcmp(name, type, 3) != 0)
            continue;
        if (name[3] == '\0')
            alone = name;
        else if (strlen(name + 4) == trigger_len && memcmp(name + 4, trigger, trigger_len) == 0)
            return name;
    }
    return alone;
}

static const struct {
    const char *word, *media;
} media[] = {
    {"", NULL},
    {"PDF", "application/pdf"},
    {"XML", "text/xml"},
    {"x-hl7-cda-level-one", "text/xml"},
    {"CDA", "text/xml"},
    {"HTML", "text/html"},
    {"RTF", "text/rtf"},
    {"PLAIN", "text/plain"},
    {"JPEG", "image/jpeg"},
    {"JPG", "image/jpeg"},
    {"PNG", "image/png"},
    {"GIF", "image/gif"},
    {"TIFF", "image/tiff"},
    {"TIF", "image/tiff"},
    {"BMP", "image/bmp"},
    {"DICOM", "application/dicom"},
    {"JSON", "application/json"},
    {"ZIP", "application/zip"},
    {"application/pdf", "application/pdf"},
    {"text/xml", "text/xml"},
    {"text/html", "text/html"},
    {"text/plain", "text/plain"},
    {"image/jpeg", "image/jpeg"},
    {"image/png", "image/png"},
    {"application/dicom", "application/dicom"},
    /* Type of data alone, when the subtype says no more. */
    {"TEXT", "text/plain"},
    {"TX", "text/plain"},
    {"FT", "text/plain"},
};

uint8_t hl7v2_media_find(const uint8_t *word, size_t len, uint8_t before)
{
    for (uint8_t i = 1; i < sizeof media / sizeof media[0]; i++)
        if (is_word(word, len, media[i].word))
            return i;
    return before;
}

const char *hl7v2_media_name(uint8_t place)
{
    return media[place < sizeof media / sizeof media[0] ? place : 0].media;
}
