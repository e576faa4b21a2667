/* tls_x509.c - walks a certificate (RFC 5280, DER as ITU-T X.690) for what it says of its subject.
 *
 * Each constructed element that matters is a box with a role; the role says what its children are.
 * Everything else is passed over by its length, so the walk is as long as the certificate and no
 * deeper than TLS_MAX_DEPTH. Signatures are not checked.
 */
#include "dissectors/tls.h"

enum role {
    ROLE_WHOLE,       /* all bytes of the certificate */
    ROLE_CERTIFICATE, /* SEQUENCE around the to-be-signed part and its signature */
    ROLE_SIGNED,      /* tbsCertificate */
    ROLE_NAME_ISSUER,
    ROLE_NAME_SUBJECT,
    ROLE_NAME_DIRECTORY,
    ROLE_SET_ISSUER, /* one RelativeDistinguishedName; in the order of ROLE_NAME_* */
    ROLE_SET_SUBJECT,
    ROLE_SET_DIRECTORY,
    ROLE_ATTRIBUTE_ISSUER,
    ROLE_ATTRIBUTE_SUBJECT,
    ROLE_ATTRIBUTE_DIRECTORY,
    ROLE_EXTENSIONS_TAG, /* [3] around the extensions */
    ROLE_EXTENSIONS,
    ROLE_EXTENSION,
    ROLE_ALT_OCTETS, /* OCTET STRING around the names */
    ROLE_ALT_NAMES,
    ROLE_ALT_DIRECTORY, /* [4] around a name */
    ROLE_ALT_OTHER,     /* [0] otherName: type and value */
    ROLE_ALT_OTHER_VALUE,
    ROLE_COUNT
};

enum {
    TAG_OCTETS = 0x04,
    TAG_OID = 0x06,
    TAG_UTF8 = 0x0c,
    TAG_PRINTABLE = 0x13,
    TAG_T61 = 0x14,
    TAG_IA5 = 0x16,
    TAG_UNIVERSAL = 0x1c,
    TAG_BMP = 0x1e,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_CONSTRUCTED = 0x20,
    TAG_NUMBER = 0x1f
};

static bool oid_is(const struct tls_handshake *h, const char *oid, size_t len)
{
    return h->n_oid == len && memcmp(h->oid, oid, len) == 0;
}

#define OID_IS(h, text) oid_is(h, text, sizeof text - 1)

static enum tls_attribute attribute_of(const struct tls_handshake *h)
{
    static const uint8_t x520[64] = {
        [3] = TLS_ATTRIBUTE_CN,      [4] = TLS_ATTRIBUTE_SURNAME,       [5] = TLS_ATTRIBUTE_SERIAL,
        [6] = TLS_ATTRIBUTE_COUNTRY, [7] = TLS_ATTRIBUTE_LOCALITY,      [8] = TLS_ATTRIBUTE_STATE,
        [9] = TLS_ATTRIBUTE_STREET,  [10] = TLS_ATTRIBUTE_ORGANIZATION, [11] = TLS_ATTRIBUTE_UNIT,
        [12] = TLS_ATTRIBUTE_TITLE,  [42] = TLS_ATTRIBUTE_GIVEN_NAME,
    };
    if (h->n_oid == 3 && memcmp(h->oid, "\x55\x04", 2) == 0 && h->oid[2] < sizeof x520)
        return (enum tls_attribute)x520[h->oid[2]];
    if (OID_IS(h, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"))
        return TLS_ATTRIBUTE_EMAIL;
    if (OID_IS(h, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"))
        return TLS_ATTRIBUTE_USER_ID;
    return TLS_ATTRIBUTE_OTHER;
}

static enum value_kind kind_of(const struct tls_handshake *h, enum tls_attribute a,
                               enum tls_place place)
{
    switch (a) {
    case TLS_ATTRIBUTE_CN:
        /* Only a server's own certificate is named after a host. */
        return h->from_server && h->certificate == 0 && place == TLS_AT_SUBJECT ? VALUE_HOST
                                                                                : VALUE_TEXT;
    case TLS_ATTRIBUTE_SURNAME:
    case TLS_ATTRIBUTE_GIVEN_NAME:
        return VALUE_NAME;
    case TLS_ATTRIBUTE_EMAIL:
        return VALUE_EMAIL;
    case TLS_ATTRIBUTE_USER_ID:
        return VALUE_ACCOUNT;
    case TLS_ATTRIBUTE_COUNTRY:
        return VALUE_CODE;
    default:
        return VALUE_TEXT;
    }
}

static bool is_text(uint8_t tag)
{
    return tag == TAG_UTF8 || tag == TAG_PRINTABLE || tag == TAG_T61 || tag == TAG_IA5 ||
           tag == TAG_UNIVERSAL || tag == TAG_BMP;
}

static enum charset charset_of(uint8_t tag)
{
    switch (tag) {
    case TAG_UTF8:
        return CHARSET_UTF8;
    case TAG_PRINTABLE:
    case TAG_IA5:
        return CHARSET_ASCII;
    case TAG_BMP:
        return CHARSET_UTF16BE;
    default:
        return CHARSET_UNKNOWN;
    }
}

static void tell_text(struct tls_handshake *h, enum tls_place place, enum value_kind kind,
                      enum charset charset, uint32_t len)
{
    tls_value(h, place, kind, len);
    h->value.path[1] = h->certificate;
    h->value.n_path = 2;
    h->value.charset = (uint8_t)charset;
}

static void tell_attribute(struct tls_handshake *h, enum tls_place place, uint32_t len)
{
    enum tls_attribute a = attribute_of(h);
    tell_text(h, place, kind_of(h, a, place), charset_of(h->tag), len);
    h->value.path[2] = (uint32_t)a;
    h->value.n_path = 3;
}

/* An element too deep to be followed is passed over like any that does not matter. */
static void enter(struct tls_handshake *h, enum role role, uint32_t len)
{
    if (h->depth == TLS_MAX_DEPTH) {
        h->skip = len;
        return;
    }
    h->boxes[h->depth++] = (struct tls_box){.end = h->pos + len, .role = (uint8_t)role};
}

static void signed_child(struct tls_handshake *h, struct tls_box *box, uint32_t len)
{
    enum {
        ISSUER = 3,
        SUBJECT = 5
    };
    h->skip = len;
    if (h->tag == 0xa3) {
        h->skip = 0;
        enter(h, ROLE_EXTENSIONS_TAG, len);
        return;
    }
    /* [0] version may be left out; serial number, algorithm, issuer, validity, subject are not. */
    if ((h->tag == 0xa0 && box->count == 0) || box->count > SUBJECT)
        return;
    box->count++;
    if (h->tag == TAG_SEQUENCE && (box->count == ISSUER || box->count == SUBJECT)) {
        h->skip = 0;
        enter(h, box->count == ISSUER ? ROLE_NAME_ISSUER : ROLE_NAME_SUBJECT, len);
    }
}

/* GM/T 0015 extensions of a person's certificate. What stands in the octets differs from issuer to
 * issuer (a string, a choice of strings, bare digits), so they are told as they are. */
static bool is_identity(const struct tls_handshake *h)
{
    static const char identify_code[] = "\x2a\x81\x1c\xd0\x14\x04\x01\x01";
    /* The 2023 edition numbers the kinds of documents below the old identifier. */
    return OID_IS(h, identify_code) ||
           (h->n_oid == sizeof identify_code &&
            memcmp(h->oid, identify_code, sizeof identify_code - 1) == 0) ||
           OID_IS(h, "\x2a\x56\x0b\x07\x01"); /* its forerunner in RSA certificates */
}

static void extension_child(struct tls_handshake *h, uint32_t len)
{
    if (OID_IS(h, "\x55\x1d\x11"))
        enter(h, ROLE_ALT_OCTETS, len);
    else if (is_identity(h))
        tell_text(h, TLS_AT_IDENTITY, VALUE_ID_NUMBER, CHARSET_UNKNOWN, len);
    else if (OID_IS(h, "\x2a\x81\x1c\xd0\x14\x04\x01\x02"))
        tell_text(h, TLS_AT_INSURANCE, VALUE_INSURANCE_ID, CHARSET_UNKNOWN, len);
    else
        h->skip = len;
}

static void alt_name(struct tls_handshake *h, uint32_t len)
{
    switch (h->tag) {
    case 0x81:
        tell_text(h, TLS_AT_ALT_EMAIL, VALUE_EMAIL, CHARSET_ASCII, len);
        break;
    case 0x82:
        tell_text(h, TLS_AT_ALT_DNS, VALUE_HOST, CHARSET_ASCII, len);
        break;
    case 0x86:
        tell_text(h, TLS_AT_ALT_URI, VALUE_TEXT, CHARSET_ASCII, len);
        break;
    case 0x87:
        tell_text(h, TLS_AT_ALT_IP, VALUE_BINARY, CHARSET_UNKNOWN, len);
        break;
    case 0xa0:
        enter(h, ROLE_ALT_OTHER, len);
        break;
    case 0xa4:
        enter(h, ROLE_ALT_DIRECTORY, len);
        break;
    default:
        h->skip = len;
        break;
    }
}

/* nest says which child of a box is a box of its own, where that needs no further thought. */
static const struct {
    uint8_t tag, role;
} nest[] = {
    [ROLE_WHOLE] = {TAG_SEQUENCE, ROLE_CERTIFICATE},
    [ROLE_CERTIFICATE] = {TAG_SEQUENCE, ROLE_SIGNED},
    [ROLE_NAME_ISSUER] = {TAG_SET, ROLE_SET_ISSUER},
    [ROLE_NAME_SUBJECT] = {TAG_SET, ROLE_SET_SUBJECT},
    [ROLE_NAME_DIRECTORY] = {TAG_SET, ROLE_SET_DIRECTORY},
    [ROLE_SET_ISSUER] = {TAG_SEQUENCE, ROLE_ATTRIBUTE_ISSUER},
    [ROLE_SET_SUBJECT] = {TAG_SEQUENCE, ROLE_ATTRIBUTE_SUBJECT},
    [ROLE_SET_DIRECTORY] = {TAG_SEQUENCE, ROLE_ATTRIBUTE_DIRECTORY},
    [ROLE_EXTENSIONS_TAG] = {TAG_SEQUENCE, ROLE_EXTENSIONS},
    [ROLE_EXTENSIONS] = {TAG_SEQUENCE, ROLE_EXTENSION},
    [ROLE_ALT_OCTETS] = {TAG_SEQUENCE, ROLE_ALT_NAMES},
    [ROLE_ALT_DIRECTORY] = {TAG_SEQUENCE, ROLE_NAME_DIRECTORY},
    [ROLE_ALT_OTHER] = {0xa0, ROLE_ALT_OTHER_VALUE},
    [ROLE_COUNT] = {0, 0},
};

/* child reads one element whose header is behind it: enters it, tells it, or passes over it. */
static void child(struct tls_handshake *h, struct tls_box *box, uint32_t len)
{
    enum role role = (enum role)box->role;
    bool first = role != ROLE_CERTIFICATE || box->count++ == 0;
    if (nest[role].tag != 0 && nest[role].tag == h->tag && first) {
        enter(h, (enum role)nest[role].role, len);
    } else if (role == ROLE_SIGNED) {
        signed_child(h, box, len);
    } else if (role == ROLE_EXTENSION && h->tag == TAG_OCTETS) {
        extension_child(h, len);
    } else if (role == ROLE_ALT_NAMES) {
        alt_name(h, len);
    } else if (role == ROLE_ATTRIBUTE_ISSUER && is_text(h->tag)) {
        tell_attribute(h, TLS_AT_ISSUER, len);
    } else if (role == ROLE_ATTRIBUTE_SUBJECT && is_text(h->tag)) {
        tell_attribute(h, TLS_AT_SUBJECT, len);
    } else if (role == ROLE_ATTRIBUTE_DIRECTORY && is_text(h->tag)) {
        tell_attribute(h, TLS_AT_ALT_DIRECTORY, len);
    } else if (role == ROLE_ALT_OTHER_VALUE && is_text(h->tag)) {
        /* Microsoft's user principal name: the login of a person. */
        bool login = OID_IS(h, "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03");
        tell_text(h, TLS_AT_ALT_OTHER, login ? VALUE_ACCOUNT : VALUE_TEXT, charset_of(h->tag), len);
    } else {
        h->skip = len;
    }
}

static bool element(struct tls_handshake *h, uint32_t len)
{
    struct tls_box *box = &h->boxes[h->depth - 1];
    if (len > box->end - h->pos)
        return false;
    h->step = TLS_STEP_ELEMENT;
    if (h->tag != TAG_OID) {
        child(h, box, len);
        return true;
    }
    h->n_oid = 0;
    if (len == 0 || len > sizeof h->oid) {
        h->skip = len;
        return true;
    }
    h->n_oid = (uint8_t)len;
    h->step = TLS_STEP_ELEMENT_OID;
    return true;
}

void tls_x509_start(struct tls_handshake *h)
{
    h->boxes[0] = (struct tls_box){.end = h->item_end, .role = ROLE_WHOLE};
    h->depth = 1;
    h->n_oid = 0;
    h->step = TLS_STEP_ELEMENT;
}

static bool element_header(struct tls_handshake *h)
{
    if (h->pos == h->boxes[h->depth - 1].end) {
        h->depth--;
        if (h->depth == 0)
            h->step = TLS_STEP_CERTIFICATE;
        return true;
    }
    h->tag = h->read[0];
    /* Tag numbers of more than one byte do not occur in certificates. */
    if ((h->tag & TAG_NUMBER) == TAG_NUMBER)
        return false;
    if (h->read[1] < 0x80)
        return element(h, h->read[1]);
    /* 0x80 is the indefinite length, which DER does not have. */
    if (h->read[1] == 0x80 || h->read[1] > 0x83)
        return false;
    h->n_more = h->read[1] & 0x7fu;
    h->step = TLS_STEP_ELEMENT_LENGTH;
    return true;
}

bool tls_x509_step(struct tls_handshake *h)
{
    uint32_t len = 0;
    switch ((enum tls_step)h->step) {
    case TLS_STEP_ELEMENT:
        return element_header(h);
    case TLS_STEP_ELEMENT_LENGTH:
        for (unsigned i = 0; i < h->n_more; i++)
            len = len << 8 | h->read[i];
        return element(h, len);
    case TLS_STEP_ELEMENT_OID:
        memcpy(h->oid, h->read, h->n_oid);
        h->step = TLS_STEP_ELEMENT;
        return true;
    default:
        return false;
    }
}
