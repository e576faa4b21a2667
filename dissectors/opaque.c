/* opaque.c - encrypted protocols that are recognised by their first bytes and not read: QUIC, DTLS,
 * SSH.
 *
 * To know them is enough: what nobody can look into is told as opaque, and policy decides whether
 * it may leave. Nothing is decrypted here.
 */
#include "dissectors/dissector.h"

#include <stdio.h>

enum {
    SSH_MAX_LINE = 255,   /* RFC 4253 section 4.2, CR and LF included */
    DTLS_HEADER_LEN = 13, /* RFC 6347 section 4.1 */
    DTLS_MAX_RECORD = 16384 + 2048,
    QUIC_MAX_ID = 20 /* bytes of a connection id: RFC 9000 section 17.2 */
};

enum place {
    AT_IDENTIFICATION,
    AT_ENCRYPTED
};

struct opaque_state {
    bool line_read;  /* SSH: the identification is behind */
    bool started;    /* the opaque value was begun */
    bool ended;      /* its last part was told */
    uint16_t looked; /* SSH: bytes in which no line end was found */
};

/* One value to the end of the layer. */
static struct feed_result feed_rest(struct opaque_state *s, struct view in, size_t from,
                                    event_fn *emit, void *receiver)
{
    size_t n = in.len - from;
    if (s->ended || (n == 0 && !(in.last && s->started)))
        return feed_ok(in.len);
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = VALUE_OPAQUE,
        .flags = (uint8_t)((s->started ? 0 : PART_FIRST) | (in.last ? PART_LAST : 0)),
        .n_path = 1,
        .path = {AT_ENCRYPTED},
        .at = {in.off + from, n},
        .raw = in.bytes + from,
    };
    s->started = true;
    s->ended = in.last;
    return emit(receiver, &ev) ? feed_ok(in.len) : feed_stop(in.len);
}

static struct feed_result opaque_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    return feed_rest(state, in, 0, emit, receiver);
}

static bool opaque_gap(void *state, struct span missing)
{
    (void)state;
    (void)missing;
    return true;
}

static int opaque_path(const struct event *ev, char *buf, size_t cap)
{
    return snprintf(buf, cap, "%s",
                    ev->path[0] == AT_IDENTIFICATION ? "identification" : "encrypted");
}

static bool quic_version_known(uint32_t version)
{
    /* RFC 9000, RFC 9369, the drafts 22 to 34 that were in use, Google's Q043 to Q050 and T051. */
    return version == 1 || version == 0x6b3343cf ||
           (version >= 0xff000016 && version <= 0xff000022) ||
           (version >= 0x51303433 && version <= 0x51303530) || version == 0x54303531;
}

/* A long header: RFC 9000 section 17.2; version negotiation: section 17.2.1. */
static unsigned quic_probe(struct view head)
{
    const uint8_t *p = head.bytes;
    if (head.len < 7 || (p[0] & 0x80) == 0)
        return 0;
    uint32_t version = load_u32be(p + 1);
    size_t to = p[5];
    if (to > QUIC_MAX_ID || head.len < 7 + to || p[6 + to] > QUIC_MAX_ID)
        return 0;
    if (version == 0)
        return 20; /* 32 zero bits are common elsewhere */
    return quic_version_known(version) && (p[0] & 0x40) != 0 ? 2 + 32 + 3 + 3 : 0;
}

static unsigned dtls_probe(struct view head)
{
    const uint8_t *p = head.bytes;
    if (head.len < DTLS_HEADER_LEN || p[0] < 20 || p[0] > 26 || p[1] != 0xfe ||
        (p[2] != 0xff && p[2] != 0xfd && p[2] != 0xfc))
        return 0;
    size_t len = load_u16be(p + 11);
    if (len == 0 || len > DTLS_MAX_RECORD || (head.last && len > head.len - DTLS_HEADER_LEN))
        return 0;
    bool first_epochs = p[3] == 0 && p[4] < 4;
    return 5 + 14 + (first_epochs ? 14 : 0) + 2;
}

static unsigned ssh_probe(struct view head)
{
    static const char v2[] = "SSH-2.0-", v1[] = "SSH-1.";
    if (head.len >= sizeof v2 - 1 && memcmp(head.bytes, v2, sizeof v2 - 1) == 0)
        return 64;
    return head.len >= sizeof v1 - 1 && memcmp(head.bytes, v1, sizeof v1 - 1) == 0 ? 48 : 0;
}

static struct feed_result ssh_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct opaque_state *s = state;
    if (s->line_read)
        return feed_rest(s, in, 0, emit, receiver);
    size_t limit = in.len < SSH_MAX_LINE ? in.len : SSH_MAX_LINE;
    const uint8_t *nl = NULL;
    if (limit > s->looked)
        nl = memchr(in.bytes + s->looked, '\n', limit - s->looked);
    s->looked = (uint16_t)limit;
    if (nl == NULL && limit == SSH_MAX_LINE)
        return feed_bad(0, "SSH identification longer than 255 bytes");
    if (nl == NULL && !in.last)
        return feed_more(0, in.len + 1);
    s->line_read = true;
    size_t end = nl != NULL ? (size_t)(nl - in.bytes) + 1 : in.len;
    size_t text = nl != NULL ? end - 1 : end;
    text -= text > 0 && in.bytes[text - 1] == '\r' ? 1 : 0;
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .charset = CHARSET_ASCII,
        .flags = PART_WHOLE,
        .n_path = 1,
        .path = {AT_IDENTIFICATION},
        .at = {in.off, text},
        .raw = in.bytes,
    };
    if (text > 0 && !emit(receiver, &ev))
        return feed_stop(end);
    return feed_rest(s, in, end, emit, receiver);
}

static bool ssh_gap(void *state, struct span missing)
{
    const struct opaque_state *s = state;
    (void)missing;
    return s->line_read;
}

static const uint16_t quic_ports[] = {443, 853, 0};
static const uint16_t dtls_ports[] = {443, 684, 4433, 5061, 5684, 0};
static const uint16_t ssh_ports[] = {22, 0};

const struct dissector quic_dissector = {
    .name = "quic",
    .spec = "RFC 9000, RFC 9369: recognised, not read",
    .state_size = sizeof(struct opaque_state),
    .max_view = 1,
    .ports = quic_ports,
    .probe = quic_probe,
    .feed = opaque_feed,
    .gap = opaque_gap,
    .path = opaque_path,
};

const struct dissector dtls_dissector = {
    .name = "dtls",
    .spec = "RFC 6347, RFC 9147: recognised, not read",
    .state_size = sizeof(struct opaque_state),
    .max_view = 1,
    .ports = dtls_ports,
    .probe = dtls_probe,
    .feed = opaque_feed,
    .gap = opaque_gap,
    .path = opaque_path,
};

const struct dissector ssh_dissector = {
    .name = "ssh",
    .spec = "RFC 4253: identification read, the rest not",
    .state_size = sizeof(struct opaque_state),
    .max_view = SSH_MAX_LINE,
    .ports = ssh_ports,
    .probe = ssh_probe,
    .feed = ssh_feed,
    .gap = ssh_gap,
    .path = opaque_path,
};
