/* tls_handshake.c - reads handshake messages (RFC 5246 section 7.4, RFC 8446 section 4, GB/T 38636)
 * byte by byte if need be, over record borders.
 *
 * Every step says how many bytes it wants and in which box they must lie; those are gathered in the
 * state, so that no cut and no record border changes what is read. Values are told in place.
 */
#include "dissectors/tls.h"

#include <assert.h>

enum {
    EXTENSION_SERVER_NAME = 0,          /* RFC 6066 */
    EXTENSION_ALPN = 16,                /* RFC 7301 */
    EXTENSION_SUPPORTED_VERSIONS = 43,  /* RFC 8446 section 4.2.1 */
    EXTENSION_ENCRYPTED_HELLO = 0xfe0d, /* RFC 9849 */
    EXTENSION_ENCRYPTED_NAME = 0xffce,  /* its forerunner, draft-ietf-tls-esni */
    RANDOM_LEN = 32
};

bool tls_message_known(uint8_t type)
{
    /* IANA's TLS HandshakeType registry, less what is DTLS only or reserved. */
    static const uint8_t known[32] = {
        [0] = 1,  [1] = 1,  [2] = 1,  [4] = 1,  [5] = 1,  [8] = 1,  [11] = 1, [12] = 1, [13] = 1,
        [14] = 1, [15] = 1, [16] = 1, [20] = 1, [21] = 1, [22] = 1, [23] = 1, [24] = 1, [25] = 1,
    };
    return type < sizeof known && known[type] != 0;
}

bool tls_handshake_idle(const struct tls_handshake *h)
{
    return h->step == TLS_STEP_MESSAGE && h->n_read == 0;
}

static bool send(struct tls_bytes *b, const struct event *ev)
{
    if (!b->emit(b->receiver, ev))
        b->stopped = true;
    return !b->stopped;
}

void tls_tell(struct tls_bytes *b, enum event_kind kind, const char *hint)
{
    struct event ev = {.kind = (uint8_t)kind, .at = {b->off + b->pos, 0}, .hint = hint};
    (void)send(b, &ev);
}

void tls_value(struct tls_handshake *h, enum tls_place place, enum value_kind kind, uint32_t len)
{
    h->value_left = len;
    h->value_open = false;
    h->value = (struct event){
        .kind = EVENT_FIELD,
        .value = (uint8_t)kind,
        .flags = FIXED_LEN,
        .n_path = 1,
        .path = {(uint32_t)place},
    };
}

/* A value is told in one piece a record, so that where it is parted depends on the sender alone. */
static void tell_value(struct tls_handshake *h, struct tls_bytes *b)
{
    size_t here = b->len - b->pos;
    size_t piece = b->record - b->pos;
    if (piece > h->value_left)
        piece = h->value_left;
    if (here < piece && !b->last) {
        b->need = piece;
        return;
    }
    if (here < piece)
        piece = here;
    bool last = piece == h->value_left;
    struct event ev = h->value;
    ev.flags |= (uint8_t)((h->value_open ? 0 : PART_FIRST) | (last ? PART_LAST : 0));
    ev.at = (struct span){b->off + b->pos, piece};
    ev.raw = b->bytes + b->pos;
    h->value_open = !last;
    h->value_left -= (uint32_t)piece;
    h->pos += (uint32_t)piece;
    b->pos += piece;
    (void)send(b, &ev);
}

/* wanted: bytes the step reads, and the end of the box they must lie in. */
static unsigned wanted(const struct tls_handshake *h, uint32_t *box)
{
    *box = h->end;
    switch ((enum tls_step)h->step) {
    case TLS_STEP_MESSAGE:
        *box = UINT32_MAX;
        return 4;
    case TLS_STEP_END:
        return 0;
    case TLS_STEP_HELLO:
        return 0;
    case TLS_STEP_SESSION:
    case TLS_STEP_COMPRESSION:
        return 1;
    case TLS_STEP_CIPHERS:
        return 2;
    case TLS_STEP_EXTENSIONS:
        return h->pos == h->end ? 0 : 2;
    case TLS_STEP_EXTENSION:
        *box = h->list_end;
        return h->pos == h->list_end ? 0 : 4;
    case TLS_STEP_NAMES:
    case TLS_STEP_PROTOCOLS:
        *box = h->item_end;
        return 2;
    case TLS_STEP_NAME:
        *box = h->names_end;
        return h->pos == h->names_end ? 0 : 3;
    case TLS_STEP_PROTOCOL:
        *box = h->names_end;
        return h->pos == h->names_end ? 0 : 1;
    case TLS_STEP_CHAIN:
        return 3;
    case TLS_STEP_CERTIFICATE:
        *box = h->list_end;
        return h->pos == h->list_end ? 0 : 3;
    case TLS_STEP_ELEMENT:
        *box = h->boxes[h->depth - 1].end;
        return h->pos == *box ? 0 : 2;
    case TLS_STEP_ELEMENT_LENGTH:
        *box = h->boxes[h->depth - 1].end;
        return h->n_more;
    case TLS_STEP_ELEMENT_OID:
        *box = h->boxes[h->depth - 1].end;
        return h->n_oid;
    }
    return 0;
}

static uint32_t number(const struct tls_handshake *h, unsigned from, unsigned n)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v = v << 8 | h->read[from + i];
    return v;
}

/* fits says whether n bytes from here lie before `end`, and where they end. */
static bool fits(const struct tls_handshake *h, uint32_t n, uint32_t end, uint32_t *out)
{
    if (n > end - h->pos)
        return false;
    *out = h->pos + n;
    return true;
}

static bool pass_over(struct tls_handshake *h, uint32_t n, uint32_t end)
{
    h->skip = n;
    return n <= end - h->pos;
}

static bool step_message(struct tls_handshake *h, struct tls_bytes *b)
{
    uint32_t len = number(h, 1, 3);
    h->message = h->read[0];
    h->pos = 0;
    h->end = len;
    h->step = TLS_STEP_END;
    h->skip = len;
    switch (h->message) {
    case TLS_CLIENT_HELLO:
        h->from_client = true;
        h->step = TLS_STEP_HELLO;
        tls_tell(b, EVENT_BEGIN, "client_hello");
        break;
    case TLS_SERVER_HELLO:
        h->from_server = true;
        h->step = TLS_STEP_HELLO;
        tls_tell(b, EVENT_BEGIN, "server_hello");
        break;
    case TLS_CERTIFICATE:
        h->certificate = UINT8_MAX;
        h->step = TLS_STEP_CHAIN;
        tls_tell(b, EVENT_BEGIN, "certificate");
        break;
    default:
        return true;
    }
    h->skip = 0;
    h->begun = true;
    return true;
}

static bool step_hello(struct tls_handshake *h)
{
    h->step = TLS_STEP_SESSION;
    if (2 + RANDOM_LEN > h->end)
        return false;
    if (h->message == TLS_CLIENT_HELLO)
        return pass_over(h, 2 + RANDOM_LEN, h->end);
    tls_value(h, TLS_AT_VERSION, VALUE_CODE, 2);
    h->skip = RANDOM_LEN;
    return true;
}

static bool step_session(struct tls_handshake *h)
{
    uint32_t n = h->read[0];
    if (h->message == TLS_CLIENT_HELLO) {
        h->step = TLS_STEP_CIPHERS;
        return pass_over(h, n, h->end);
    }
    /* The server's one cipher suite and one compression method follow. */
    h->step = TLS_STEP_EXTENSIONS;
    return pass_over(h, n + 3, h->end);
}

static bool step_extension(struct tls_handshake *h, struct tls_bytes *b)
{
    if (h->pos == h->list_end) {
        h->step = TLS_STEP_END;
        return pass_over(h, h->end - h->pos, h->end);
    }
    uint32_t type = number(h, 0, 2), len = number(h, 2, 2);
    bool client = h->message == TLS_CLIENT_HELLO;
    if (!fits(h, len, h->list_end, &h->item_end))
        return false;
    if (type == EXTENSION_ENCRYPTED_HELLO || type == EXTENSION_ENCRYPTED_NAME)
        tls_tell(b, EVENT_ANOMALY, "encrypted client hello: the true server name may be hidden");
    if (type == EXTENSION_SERVER_NAME && client && len > 0)
        h->step = TLS_STEP_NAMES;
    else if (type == EXTENSION_ALPN)
        h->step = TLS_STEP_PROTOCOLS;
    else if (type == EXTENSION_SUPPORTED_VERSIONS && !client && len == 2)
        tls_value(h, TLS_AT_SELECTED_VERSION, VALUE_CODE, 2);
    else
        h->skip = len;
    return true;
}

/* The list is behind: what else the extension holds is passed over. */
static bool leave_list(struct tls_handshake *h)
{
    h->step = TLS_STEP_EXTENSION;
    return pass_over(h, h->item_end - h->pos, h->item_end);
}

static bool step_name(struct tls_handshake *h)
{
    enum {
        HOST_NAME = 0
    };
    if (h->pos == h->names_end)
        return leave_list(h);
    uint32_t len = number(h, 1, 2);
    if (len > h->names_end - h->pos)
        return false;
    if (h->read[0] == HOST_NAME && len > 0)
        tls_value(h, TLS_AT_SERVER_NAME, VALUE_HOST, len);
    else
        h->skip = len;
    h->value.charset = CHARSET_ASCII;
    return true;
}

static bool step_protocol(struct tls_handshake *h)
{
    if (h->pos == h->names_end)
        return leave_list(h);
    uint32_t len = h->read[0];
    if (len == 0 || len > h->names_end - h->pos)
        return false;
    tls_value(h, h->message == TLS_CLIENT_HELLO ? TLS_AT_CLIENT_ALPN : TLS_AT_SERVER_ALPN,
              VALUE_CODE, len);
    h->value.charset = CHARSET_ASCII;
    return true;
}

static bool step_certificate(struct tls_handshake *h)
{
    if (h->pos == h->list_end) {
        h->step = TLS_STEP_END;
        return pass_over(h, h->end - h->pos, h->end);
    }
    uint32_t len = number(h, 0, 3);
    if (!fits(h, len, h->list_end, &h->item_end))
        return false;
    /* 255 before the first; the number stays at 254 in chains nobody has. */
    if (h->certificate != UINT8_MAX - 1)
        h->certificate++;
    tls_x509_start(h);
    return true;
}

static void step_end(struct tls_handshake *h, struct tls_bytes *b)
{
    h->step = TLS_STEP_MESSAGE;
    if (h->begun)
        tls_tell(b, EVENT_END, NULL);
    h->begun = false;
}

/* False: the message is broken. */
static bool step(struct tls_handshake *h, struct tls_bytes *b)
{
    switch ((enum tls_step)h->step) {
    case TLS_STEP_MESSAGE:
        return step_message(h, b);
    case TLS_STEP_END:
        step_end(h, b);
        return true;
    case TLS_STEP_HELLO:
        return step_hello(h);
    case TLS_STEP_SESSION:
        return step_session(h);
    case TLS_STEP_CIPHERS:
        h->step = TLS_STEP_COMPRESSION;
        return pass_over(h, number(h, 0, 2), h->end);
    case TLS_STEP_COMPRESSION:
        h->step = TLS_STEP_EXTENSIONS;
        return pass_over(h, h->read[0], h->end);
    case TLS_STEP_EXTENSIONS:
        h->step = TLS_STEP_EXTENSION;
        h->list_end = h->pos;
        return h->pos == h->end || fits(h, number(h, 0, 2), h->end, &h->list_end);
    case TLS_STEP_EXTENSION:
        return step_extension(h, b);
    case TLS_STEP_NAMES:
        h->step = TLS_STEP_NAME;
        return fits(h, number(h, 0, 2), h->item_end, &h->names_end);
    case TLS_STEP_NAME:
        return step_name(h);
    case TLS_STEP_PROTOCOLS:
        h->step = TLS_STEP_PROTOCOL;
        return fits(h, number(h, 0, 2), h->item_end, &h->names_end);
    case TLS_STEP_PROTOCOL:
        return step_protocol(h);
    case TLS_STEP_CHAIN:
        h->step = TLS_STEP_CERTIFICATE;
        return fits(h, number(h, 0, 3), h->end, &h->list_end);
    case TLS_STEP_CERTIFICATE:
        return step_certificate(h);
    default:
        return tls_x509_step(h);
    }
}

/* A broken certificate spoils itself only, any other fault the rest of the message. */
static void give_up(struct tls_handshake *h, struct tls_bytes *b)
{
    bool in_certificate = h->step >= TLS_STEP_ELEMENT;
    h->value_left = 0;
    h->n_read = 0;
    if (in_certificate) {
        tls_tell(b, EVENT_ANOMALY, "certificate not read: broken DER");
        h->step = TLS_STEP_CERTIFICATE;
        h->skip = h->item_end - h->pos;
    } else {
        tls_tell(b, EVENT_ANOMALY, "handshake message not read: a length runs past its end");
        h->step = TLS_STEP_END;
        h->skip = h->end - h->pos;
    }
}

/* gather collects what the step wants; true when all is there. */
static bool gather(struct tls_handshake *h, struct tls_bytes *b, unsigned n)
{
    size_t take = b->len - b->pos;
    if (take > n - h->n_read)
        take = n - h->n_read;
    if (take > 0)
        memcpy(h->read + h->n_read, b->bytes + b->pos, take);
    h->n_read = (uint8_t)(h->n_read + take);
    h->pos += (uint32_t)take;
    b->pos += take;
    return h->n_read == n;
}

bool tls_handshake_feed(struct tls_handshake *h, struct tls_bytes *b)
{
    b->need = 0;
    while (!b->stopped) {
        size_t left = b->len - b->pos;
        if (h->value_left > 0) {
            if (left == 0)
                return true;
            tell_value(h, b);
            if (b->need > 0)
                return true;
            continue;
        }
        if (h->skip > 0) {
            uint32_t n = left < h->skip ? (uint32_t)left : h->skip;
            if (n == 0)
                return true;
            h->skip -= n;
            h->pos += n;
            b->pos += n;
            continue;
        }
        uint32_t box;
        unsigned n = wanted(h, &box);
        assert(n <= sizeof h->read);
        /* A message begins only where there are bytes: else an idle handshake would never end. */
        if (h->n_read == 0 && h->step != TLS_STEP_MESSAGE && n > box - h->pos) {
            give_up(h, b);
            continue;
        }
        if (!gather(h, b, n))
            return true;
        h->n_read = 0;
        if (h->step == TLS_STEP_MESSAGE &&
            (!tls_message_known(h->read[0]) || number(h, 1, 3) > TLS_MAX_MESSAGE))
            return false;
        if (!step(h, b))
            give_up(h, b);
    }
    return true;
}

void tls_handshake_close(struct tls_handshake *h, struct tls_bytes *b)
{
    if (h->value_open) {
        struct event ev = h->value;
        ev.flags |= PART_LAST;
        ev.at = (struct span){b->off + b->pos, 0};
        ev.raw = b->bytes + b->pos;
        h->value_open = false;
        (void)send(b, &ev);
    }
    if (!b->stopped && !tls_handshake_idle(h))
        tls_tell(b, EVENT_ANOMALY, "ends inside a handshake message");
    if (!b->stopped && h->begun)
        tls_tell(b, EVENT_END, NULL);
    h->begun = false;
    h->value_left = h->skip = 0;
    h->n_read = 0;
    h->step = TLS_STEP_MESSAGE;
}
