/* tls.h - the parts of the TLS dissector: records in tls.c, handshake messages in tls_handshake.c,
 * certificates in tls_x509.c. Private to them.
 */
#ifndef DISSECTORS_TLS_H
#define DISSECTORS_TLS_H

#include "dissectors/dissector.h"

enum {
    TLS_MAX_RECORD = 16384 + 2048, /* bytes of a record body: RFC 5246 section 6.2.3 */
    TLS_MAX_MESSAGE = 256 * 1024,  /* bytes of a handshake message; longer ones are not believed */
    TLS_MAX_DEPTH = 16,            /* nesting followed in a certificate */
    TLS_READ_MAX = 16              /* bytes a step may ask for at once */
};

/* Content types of records (RFC 8446 section 5.1). */
enum tls_content {
    TLS_CHANGE_CIPHER_SPEC = 20,
    TLS_ALERT = 21,
    TLS_HANDSHAKE = 22,
    TLS_APPLICATION_DATA = 23,
    TLS_HEARTBEAT = 24
};

/* Handshake messages that are read; others are passed over (RFC 8446 section 4). */
enum tls_message {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_CERTIFICATE = 11
};

/* tls_place is the first step of an event's path; the second is the number of the certificate in
 * its chain, 0 the end entity's, for places in certificates. */
enum tls_place {
    TLS_AT_RECORD, /* second step: enum tls_content */
    TLS_AT_SERVER_NAME,
    TLS_AT_CLIENT_ALPN,
    TLS_AT_SERVER_ALPN,
    TLS_AT_VERSION,
    TLS_AT_SELECTED_VERSION,
    TLS_AT_ISSUER, /* third step: enum tls_attribute */
    TLS_AT_SUBJECT,
    TLS_AT_ALT_EMAIL,
    TLS_AT_ALT_DNS,
    TLS_AT_ALT_URI,
    TLS_AT_ALT_IP,
    TLS_AT_ALT_DIRECTORY, /* third step: enum tls_attribute */
    TLS_AT_ALT_OTHER,
    TLS_AT_IDENTITY,
    TLS_AT_INSURANCE,
    TLS_AT_COUNT
};

/* tls_attribute is what an attribute of a name says (RFC 5280 appendix A, RFC 4519). */
enum tls_attribute {
    TLS_ATTRIBUTE_OTHER,
    TLS_ATTRIBUTE_CN,
    TLS_ATTRIBUTE_SURNAME,
    TLS_ATTRIBUTE_SERIAL,
    TLS_ATTRIBUTE_COUNTRY,
    TLS_ATTRIBUTE_LOCALITY,
    TLS_ATTRIBUTE_STATE,
    TLS_ATTRIBUTE_STREET,
    TLS_ATTRIBUTE_ORGANIZATION,
    TLS_ATTRIBUTE_UNIT,
    TLS_ATTRIBUTE_TITLE,
    TLS_ATTRIBUTE_GIVEN_NAME,
    TLS_ATTRIBUTE_EMAIL,
    TLS_ATTRIBUTE_USER_ID,
    TLS_ATTRIBUTE_COUNT
};

/* tls_step is what the handshake reads next. */
enum tls_step {
    TLS_STEP_MESSAGE, /* type and length */
    TLS_STEP_END,     /* the message was read */
    TLS_STEP_HELLO,   /* version */
    TLS_STEP_SESSION,
    TLS_STEP_CIPHERS,
    TLS_STEP_COMPRESSION,
    TLS_STEP_EXTENSIONS,
    TLS_STEP_EXTENSION,
    TLS_STEP_NAMES, /* server_name list */
    TLS_STEP_NAME,
    TLS_STEP_PROTOCOLS, /* ALPN list */
    TLS_STEP_PROTOCOL,
    TLS_STEP_CHAIN,
    TLS_STEP_CERTIFICATE,
    TLS_STEP_ELEMENT,        /* DER: tag and first length byte */
    TLS_STEP_ELEMENT_LENGTH, /* DER: further length bytes */
    TLS_STEP_ELEMENT_OID     /* DER: content of an object identifier */
};

/* tls_box is a constructed DER element that is being read. */
struct tls_box {
    uint32_t end;  /* place in the message */
    uint8_t role;  /* how its children are understood: enum role of tls_x509.c */
    uint8_t count; /* children read that are counted */
};

/* tls_handshake reads one message after another, over record borders. Places are bytes from the
 * message's first content byte. */
struct tls_handshake {
    uint8_t step;    /* enum tls_step */
    uint8_t message; /* enum tls_message, while one is read */
    bool from_client, from_server;
    bool begun;          /* EVENT_BEGIN was sent, EVENT_END not yet */
    uint8_t n_read;      /* bytes gathered in `read` for the step */
    uint8_t tag;         /* DER: tag of the element whose header is read */
    uint8_t n_more;      /* DER: further length bytes of that header */
    uint8_t n_oid;       /* bytes of oid, 0: none */
    uint8_t depth;       /* boxes open */
    uint8_t certificate; /* number in the chain, 255 and later all 255 */
    uint8_t read[TLS_READ_MAX];
    uint8_t oid[TLS_READ_MAX];
    uint32_t pos, end;   /* place now, end of the message */
    uint32_t list_end;   /* of extensions or of the chain */
    uint32_t item_end;   /* of the extension or certificate */
    uint32_t names_end;  /* of the list inside an extension */
    uint32_t skip;       /* bytes to pass over before the step */
    uint32_t value_left; /* bytes of the value still to be told before the step */
    bool value_open;     /* its first part was told */
    struct event value;  /* its event, but for place and parts */
    struct tls_box boxes[TLS_MAX_DEPTH];
};

/* tls_bytes is what one call may look at: the part of the view that lies in one record. */
struct tls_bytes {
    const uint8_t *bytes;
    size_t len, pos;
    uint64_t off;  /* of bytes[0] in the layer */
    size_t record; /* bytes of the record from bytes[0] on, here or yet to come: >= len */
    bool last;     /* no byte of the layer comes after bytes[len - 1] */
    event_fn *emit;
    void *receiver;
    bool stopped;
    size_t need; /* set when a value must be seen whole: bytes wanted from pos on, else 0 */
};

/* tls_handshake_feed reads b->bytes from b->pos until all are read, the receiver stops, or b->need
 * is set. False: what follows is no handshake message; b->pos stands behind its header. */
bool tls_handshake_feed(struct tls_handshake *h, struct tls_bytes *b);

/* tls_handshake_close tells what must be told when the layer ends or the handshake is given up. */
void tls_handshake_close(struct tls_handshake *h, struct tls_bytes *b);

/* tls_handshake_idle holds between two messages. */
bool tls_handshake_idle(const struct tls_handshake *h);

/* tls_message_known holds for types of handshake messages that exist. */
bool tls_message_known(uint8_t type);

/* tls_tell sends an event at b->pos without bytes. */
void tls_tell(struct tls_bytes *b, enum event_kind kind, const char *hint);

/* tls_value starts a value of `len` bytes at h->pos. */
void tls_value(struct tls_handshake *h, enum tls_place place, enum value_kind kind, uint32_t len);

/* tls_x509_start begins a certificate at h->pos that ends at h->item_end. */
void tls_x509_start(struct tls_handshake *h);

/* tls_x509_step does one of the ELEMENT steps with what was read. False: the certificate is broken.
 */
bool tls_x509_step(struct tls_handshake *h);

#endif
