/* tls.c - TLS records (RFC 8446 section 5, RFC 5246 section 6.2, GB/T 38636) of one direction.
 *
 * What is in the clear is read: hellos, and certificates up to TLS 1.2. The rest is told as what it
 * is: opaque, one value a record. Nothing is decrypted here.
 */
#include "dissectors/tls.h"

#include <stdio.h>

enum {
    HEADER_LEN = 5,
    PEEK_LEN = 6 /* of a handshake record: type, length, and the version of a hello */
};

enum body {
    BODY_UNSEEN, /* not yet known: some bytes of it must be looked at first */
    BODY_HANDSHAKE,
    BODY_OPAQUE,
    BODY_PASSED /* in the clear, and nothing to tell of it */
};

struct tls_state {
    bool started;     /* a first header was read */
    bool ended;       /* all was told */
    bool secured;     /* cipher change seen: what follows is encrypted */
    bool rest_opaque; /* SSL 2.0 goes on: no records */
    bool open;        /* first part of an opaque value was told, the last not */
    uint8_t content;  /* of the record being read */
    uint8_t body;     /* enum body */
    uint16_t left;    /* bytes of the record's body not read yet */
    struct tls_handshake handshake;
};

static bool header_holds(const uint8_t *p)
{
    if (p[0] < TLS_CHANGE_CIPHER_SPEC || p[0] > TLS_HEARTBEAT)
        return false;
    bool tls = p[1] == 3 && p[2] <= 4, tlcp = p[1] == 1 && p[2] == 1;
    return (tls || tlcp) && load_u16be(p + 3) <= TLS_MAX_RECORD;
}

/* SSL 2.0's CLIENT-HELLO, with which old clients still open (RFC 5246 appendix E.2). */
static bool is_old_hello(const uint8_t *p)
{
    bool version = (p[3] == 3 && p[4] <= 4) || (p[3] == 0 && p[4] == 2);
    return (p[0] & 0x80) != 0 && p[2] == 1 && version && (p[0] & 0x7f) << 8 | p[1];
}

static unsigned probe_handshake(const uint8_t *p, size_t len)
{
    enum {
        HEADER_BITS = 8 + 8 + 6 + 2
    };
    if (len < HEADER_LEN + PEEK_LEN)
        return HEADER_BITS / 2;
    uint32_t message = load_u32be(p + 5) & 0xffffff;
    bool hello = p[5] == TLS_CLIENT_HELLO || p[5] == TLS_SERVER_HELLO;
    if (hello && message >= 38 && message <= TLS_MAX_MESSAGE && (p[9] == 3 || p[9] == 1))
        return HEADER_BITS + 8 + 8 + 8;
    if (tls_message_known(p[5]) && message <= TLS_MAX_MESSAGE)
        return HEADER_BITS + 4;
    return HEADER_BITS - 4; /* encrypted: nothing more to recognise */
}

static unsigned tls_probe(struct view head)
{
    const uint8_t *p = head.bytes;
    if (head.len < HEADER_LEN)
        return 0;
    if (is_old_hello(p))
        return 8;
    if (!header_holds(p))
        return 0;
    size_t len = load_u16be(p + 3);
    switch (p[0]) {
    case TLS_CHANGE_CIPHER_SPEC:
        return len == 1 && head.len > 5 && p[5] == 1 ? 46 : 0;
    case TLS_ALERT:
        return len == 2 && head.len > 5 && (p[5] == 1 || p[5] == 2) ? 44 : len >= 16 ? 16 : 0;
    case TLS_HANDSHAKE:
        return probe_handshake(p, head.len);
    default:
        break;
    }
    /* A second header where the first says it must be is worth as much again. */
    bool again = head.len >= 2 * HEADER_LEN + len;
    if (again && !header_holds(p + HEADER_LEN + len))
        return 0;
    return again ? 44 : 22;
}

/* tell_opaque tells the next n bytes of an opaque value; total: of all of it, 0 when not known. */
static bool tell_opaque(struct tls_state *s, struct tls_bytes *b, size_t n, size_t total, bool last)
{
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = VALUE_OPAQUE,
        .flags = (uint8_t)((s->open ? 0 : PART_FIRST) | (last ? PART_LAST : 0)),
        .n_path = 2,
        .path = {TLS_AT_RECORD, s->content},
        .at = {b->off + b->pos, n},
        .total = total,
        .raw = b->bytes + b->pos,
    };
    if (s->open || n > 0) {
        s->open = !last;
        b->stopped = !b->emit(b->receiver, &ev);
    }
    b->pos += n;
    return !b->stopped;
}

/* classify decides what the body is from its first n bytes; n is less than PEEK_LEN only when no
 * more will come. */
static enum body classify(struct tls_state *s, const uint8_t *p, size_t n)
{
    uint32_t len = n >= 4 ? load_u32be(p) & 0xffffff : 0;
    switch (s->content) {
    case TLS_CHANGE_CIPHER_SPEC:
        s->secured = true;
        return BODY_PASSED;
    case TLS_ALERT:
        return s->secured ? BODY_OPAQUE : BODY_PASSED;
    case TLS_HANDSHAKE:
        break;
    default:
        return BODY_OPAQUE;
    }
    if (!s->secured) {
        if (!tls_handshake_idle(&s->handshake) ||
            (tls_message_known(p[0]) && len <= TLS_MAX_MESSAGE))
            return BODY_HANDSHAKE;
        /* Picked up after the cipher change. */
        s->secured = true;
        return BODY_OPAQUE;
    }
    /* A TLS 1.3 sender may change ciphers for show before a second hello (RFC 8446 appendix D.4).
     */
    bool hello = n == PEEK_LEN && (p[0] == TLS_CLIENT_HELLO || p[0] == TLS_SERVER_HELLO) &&
                 len + 4 == s->left && p[4] == 3 && p[5] == 3;
    return hello ? BODY_HANDSHAKE : BODY_OPAQUE;
}

static void start_old_hello(struct tls_state *s, struct tls_bytes *b)
{
    const uint8_t *p = b->bytes + b->pos;
    s->left = (uint16_t)((p[0] & 0x7f) << 8 | p[1]);
    s->body = BODY_PASSED;
    s->rest_opaque = p[3] == 0;
    s->content = TLS_HANDSHAKE;
    tls_tell(b, EVENT_BEGIN, "client_hello");
    if (!b->stopped)
        tls_tell(b, EVENT_ANOMALY, "SSL 2.0 client hello: not read");
    if (!b->stopped)
        tls_tell(b, EVENT_END, NULL);
    b->pos += 2;
}

/* header reads one record header; a result that is not FEED_OK goes to the engine. */
static struct feed_result header(struct tls_state *s, struct tls_bytes *b)
{
    const uint8_t *p = b->bytes + b->pos;
    size_t here = b->len - b->pos;
    if (here < HEADER_LEN && !b->last)
        return feed_more(b->pos, HEADER_LEN);
    bool old = here >= HEADER_LEN && !s->started && is_old_hello(p);
    s->started = true;
    if (here < HEADER_LEN) {
        b->pos = b->len;
        tls_tell(b, EVENT_ANOMALY, "ends inside a record header");
    } else if (old) {
        start_old_hello(s, b);
    } else if (!header_holds(p)) {
        tls_handshake_close(&s->handshake, b);
        return b->stopped ? feed_stop(b->pos) : feed_bad(b->pos, "not a TLS record");
    } else {
        s->content = p[0];
        s->left = load_u16be(p + 3);
        s->body = BODY_UNSEEN;
        b->pos += HEADER_LEN;
    }
    return b->stopped ? feed_stop(b->pos) : feed_ok(b->pos);
}

/* unseen finds out what the body is, once enough of it is here. */
static struct feed_result unseen(struct tls_state *s, struct tls_bytes *b)
{
    size_t here = b->len - b->pos, n = 0;
    if (s->content == TLS_HANDSHAKE) {
        n = s->left < PEEK_LEN ? s->left : PEEK_LEN;
        if (here < n && !b->last)
            return feed_more(b->pos, n);
        n = here < n ? here : n;
        if (n == 0) {
            s->body = BODY_PASSED;
            return feed_ok(b->pos);
        }
    }
    s->body = (uint8_t)classify(s, b->bytes + b->pos, n);
    if (s->body != BODY_HANDSHAKE && !tls_handshake_idle(&s->handshake))
        tls_handshake_close(&s->handshake, b);
    return b->stopped ? feed_stop(b->pos) : feed_ok(b->pos);
}

static struct feed_result body(struct tls_state *s, struct tls_bytes *all)
{
    size_t here = all->len - all->pos;
    size_t n = here < s->left ? here : s->left;
    bool ends = n == s->left || all->last;
    if (s->body == BODY_OPAQUE) {
        size_t total = s->left;
        s->left = (uint16_t)(s->left - n);
        return tell_opaque(s, all, n, total, ends) ? feed_ok(all->pos) : feed_stop(all->pos);
    }
    if (s->body == BODY_PASSED) {
        s->left = (uint16_t)(s->left - n);
        all->pos += n;
        return feed_ok(all->pos);
    }
    struct tls_bytes b = *all;
    b.len = all->pos + n;
    b.record = all->pos + s->left;
    b.last = all->last && here <= s->left;
    bool known = tls_handshake_feed(&s->handshake, &b);
    s->left = (uint16_t)(s->left - (b.pos - all->pos));
    all->pos = b.pos;
    if (!known) {
        s->body = BODY_OPAQUE;
        s->secured = true;
        tls_tell(&b, EVENT_ANOMALY, "unknown handshake message: taken as encrypted");
    }
    if (b.stopped)
        return feed_stop(all->pos);
    return b.need > 0 ? feed_more(all->pos, b.need) : feed_ok(all->pos);
}

static struct feed_result finish(struct tls_state *s, struct tls_bytes *b)
{
    s->ended = true;
    if (s->open && !tell_opaque(s, b, 0, 0, true))
        return feed_stop(b->pos);
    tls_handshake_close(&s->handshake, b);
    return b->stopped ? feed_stop(b->pos) : feed_ok(b->pos);
}

static struct feed_result tls_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct tls_state *s = state;
    struct tls_bytes b = {
        .bytes = in.bytes,
        .len = in.len,
        .off = in.off,
        .last = in.last,
        .emit = emit,
        .receiver = receiver,
    };
    if (s->ended)
        return feed_ok(in.len);
    for (;;) {
        struct feed_result r;
        if (s->left > 0 && s->body == BODY_UNSEEN) {
            r = unseen(s, &b);
        } else if (b.pos == b.len) {
            break;
        } else if (s->left > 0) {
            r = body(s, &b);
        } else if (s->open && !s->rest_opaque) {
            /* A gap took the end of a record: its value ends here. */
            r = tell_opaque(s, &b, 0, 0, true) ? feed_ok(b.pos) : feed_stop(b.pos);
        } else if (s->rest_opaque) {
            s->content = TLS_APPLICATION_DATA;
            r = tell_opaque(s, &b, b.len - b.pos, 0, b.last) ? feed_ok(b.pos) : feed_stop(b.pos);
        } else {
            r = header(s, &b);
        }
        if (r.status != FEED_OK)
            return r;
    }
    return in.last ? finish(s, &b) : feed_ok(b.pos);
}

static bool tls_gap(void *state, struct span missing)
{
    struct tls_state *s = state;
    struct tls_handshake *h = &s->handshake;
    if (s->left == 0)
        return s->rest_opaque;
    if (missing.len > s->left)
        return false;
    if (s->body == BODY_HANDSHAKE) {
        if (h->value_left > 0 || missing.len > h->skip)
            return false;
        h->skip -= (uint32_t)missing.len;
        h->pos += (uint32_t)missing.len;
    } else if (s->body == BODY_UNSEEN) {
        return false;
    }
    s->left = (uint16_t)(s->left - missing.len);
    return true;
}

static const char *const attributes[TLS_ATTRIBUTE_COUNT] = {
    [TLS_ATTRIBUTE_OTHER] = "other",        [TLS_ATTRIBUTE_CN] = "CN",
    [TLS_ATTRIBUTE_SURNAME] = "SN",         [TLS_ATTRIBUTE_SERIAL] = "serialNumber",
    [TLS_ATTRIBUTE_COUNTRY] = "C",          [TLS_ATTRIBUTE_LOCALITY] = "L",
    [TLS_ATTRIBUTE_STATE] = "ST",           [TLS_ATTRIBUTE_STREET] = "street",
    [TLS_ATTRIBUTE_ORGANIZATION] = "O",     [TLS_ATTRIBUTE_UNIT] = "OU",
    [TLS_ATTRIBUTE_TITLE] = "title",        [TLS_ATTRIBUTE_GIVEN_NAME] = "GN",
    [TLS_ATTRIBUTE_EMAIL] = "emailAddress", [TLS_ATTRIBUTE_USER_ID] = "UID",
};

static const char *const places[TLS_AT_COUNT] = {
    [TLS_AT_SERVER_NAME] = "client_hello.server_name",
    [TLS_AT_CLIENT_ALPN] = "client_hello.alpn",
    [TLS_AT_SERVER_ALPN] = "server_hello.alpn",
    [TLS_AT_VERSION] = "server_hello.version",
    [TLS_AT_SELECTED_VERSION] = "server_hello.selected_version",
    [TLS_AT_ISSUER] = "issuer",
    [TLS_AT_SUBJECT] = "subject",
    [TLS_AT_ALT_EMAIL] = "subjectAltName.email",
    [TLS_AT_ALT_DNS] = "subjectAltName.dns",
    [TLS_AT_ALT_URI] = "subjectAltName.uri",
    [TLS_AT_ALT_IP] = "subjectAltName.ip",
    [TLS_AT_ALT_DIRECTORY] = "subjectAltName.directory",
    [TLS_AT_ALT_OTHER] = "subjectAltName.other",
    [TLS_AT_IDENTITY] = "identifyCode",
    [TLS_AT_INSURANCE] = "insuranceNumber",
};

static int tls_path(const struct event *ev, char *buf, size_t cap)
{
    uint32_t place = ev->path[0];
    if (place == TLS_AT_RECORD)
        return snprintf(buf, cap, "record.%s",
                        ev->path[1] == TLS_HANDSHAKE          ? "handshake"
                        : ev->path[1] == TLS_ALERT            ? "alert"
                        : ev->path[1] == TLS_APPLICATION_DATA ? "application_data"
                                                              : "heartbeat");
    if (place >= TLS_AT_COUNT)
        return snprintf(buf, cap, "%s", "");
    if (ev->n_path == 1)
        return snprintf(buf, cap, "%s", places[place]);
    if (ev->n_path == 2 || ev->path[2] >= TLS_ATTRIBUTE_COUNT)
        return snprintf(buf, cap, "certificate[%u].%s", (unsigned)ev->path[1], places[place]);
    return snprintf(buf, cap, "certificate[%u].%s.%s", (unsigned)ev->path[1], places[place],
                    attributes[ev->path[2]]);
}

static const uint16_t tls_ports[] = {443, 2762, 8443, 465, 636, 853, 990, 993, 995, 6514, 8883, 0};

const struct dissector tls_dissector = {
    .name = "tls",
    .spec = "RFC 8446, RFC 5246, RFC 6101, GB/T 38636-2020 (TLCP)",
    .state_size = sizeof(struct tls_state),
    .max_view = TLS_MAX_RECORD,
    .max_depth = TLS_MAX_DEPTH,
    .ports = tls_ports,
    .probe = tls_probe,
    .feed = tls_feed,
    .gap = tls_gap,
    .path = tls_path,
};
