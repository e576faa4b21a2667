/* micro_input.c - bytes for each dissector: streams of the golden captures, what stands inside
 * them, and texts made here. All of it is invented. */
#include "micro.h"

#include "capture/source.h"
#include "flow/packet.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SEGMENT = 1448, /* bytes of a TCP segment on Ethernet with timestamps */
    STREAMS_MAX = 64,
    STREAM_MAX = 1 << 20
};

/* recipe says where the bytes of a dissector come from. */
struct recipe {
    const char *dissector;
    const char *golden; /* folder under tests/golden; NULL: made */
    uint16_t port;      /* the longest stream to this port */
    const char *outer;  /* the payload that this dissector finds in a stream, NULL: the stream */
    const char *media;  /* part of that payload's media type */
    char form;          /* made: see make_input */
};

static const struct recipe recipes[] = {
    {"json", "05-fhir", 8080, "http1", "json", 0},
    {"http1", "05-fhir", 8080, NULL, NULL, 0},
    {"mime", "08-mail", 25, "smtp", "", 0},
    {"smtp", "08-mail", 25, NULL, NULL, 0},
    {"form", NULL, 0, NULL, NULL, 'f'},
    {"dicom_ul", "03-dicom-store", 11112, NULL, NULL, 0},
    {"dicom", "03-dicom-store", 11112, "dicom_ul", "dicom", 0},
    {"tls", "07-tls", 443, NULL, NULL, 0},
    {"ssh", NULL, 0, NULL, NULL, 's'},
    {"quic", NULL, 0, NULL, NULL, 'q'},
    {"dtls", NULL, 0, NULL, NULL, 'd'},
    {"hl7v2", "01-hl7-adt", 2575, NULL, NULL, 0},
    {"xml", "05-fhir", 8080, "http1", "xml", 0},
    {"text", NULL, 0, NULL, NULL, 'l'},
};

/* tape is one direction of a TCP connection, joined as long as segments follow each other. */
struct tape {
    struct address src, dst;
    uint16_t sport, dport;
    uint32_t next_seq;
    uint8_t *bytes;
    size_t len;
};

void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "micro: %s\n", what);
    exit(2);
}

static void *take(size_t len)
{
    void *p = malloc(len);
    must(p != NULL, "no memory");
    return p;
}

/* ---- golden captures ------------------------------------------------------------------------ */

static bool same_end(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static struct tape *tape_find(struct tape *tapes, size_t *n, const struct datagram *d)
{
    for (size_t i = 0; i < *n; i++)
        if (tapes[i].sport == d->sport && tapes[i].dport == d->dport &&
            same_end(&tapes[i].src, &d->src) && same_end(&tapes[i].dst, &d->dst))
            return &tapes[i];
    if (*n == STREAMS_MAX || (d->tcp_flags & TCP_SYN) == 0)
        return NULL;
    struct tape *t = &tapes[(*n)++];
    *t = (struct tape){.src = d->src, .dst = d->dst, .sport = d->sport, .dport = d->dport};
    t->next_seq = d->seq + 1;
    t->bytes = take(STREAM_MAX);
    return t;
}

static void tape_put(struct tape *t, const struct datagram *d)
{
    if (d->seq != t->next_seq || d->payload_len > STREAM_MAX - t->len)
        return;
    memcpy(t->bytes + t->len, d->payload, d->payload_len);
    t->len += d->payload_len;
    t->next_seq += d->payload_len;
}

/* tapes_read joins all streams to a port of a capture; how many there are. */
static size_t tapes_read(const char *path, uint16_t port, struct tape *tapes)
{
    struct fault f = {0};
    struct source *s = source_open(&path, 1, NULL, &f);
    struct block *b = block_new();
    struct decoder *decoder = decoder_new(NULL, NULL, NULL);
    size_t n = 0;
    must(s != NULL && b != NULL && decoder != NULL, "no memory");
    while (source_fill(s, b, &f) == STATUS_OK) {
        for (size_t i = 0; i < b->n_packets; i++) {
            struct datagram d;
            if (decode_packet(decoder, &b->packets[i], &d) != SKIP_NONE ||
                d.proto != IP_PROTO_TCP || d.dport != port)
                continue;
            struct tape *t = tape_find(tapes, &n, &d);
            if (t != NULL && (d.tcp_flags & TCP_SYN) == 0)
                tape_put(t, &d);
        }
    }
    decoder_free(decoder);
    block_free(b);
    source_close(s);
    return n;
}

/* ---- what stands inside --------------------------------------------------------------------- */

struct search {
    const char *media;
    struct input best, now;
    bool wanted;
};

/* on_payload joins the parts of each payload and keeps the longest that is packed in nothing. */
static bool on_payload(void *receiver, const struct event *ev)
{
    struct search *s = receiver;
    if (ev->kind != EVENT_PAYLOAD)
        return true;
    if (ev->flags & PART_FIRST) {
        const char *hint = ev->hint != NULL ? ev->hint : "";
        s->wanted = ev->coding[0] == CODING_NONE && strstr(hint, s->media) != NULL;
        s->now.len = 0;
        (void)snprintf(s->now.hint, sizeof s->now.hint, "%s", hint);
    }
    if (!s->wanted || ev->at.len > STREAM_MAX - s->now.len)
        return true;
    memcpy(s->now.bytes + s->now.len, ev->raw, ev->at.len);
    s->now.len += ev->at.len;
    if ((ev->flags & PART_LAST) && s->now.len > s->best.len) {
        struct input was = s->best;
        s->best = s->now;
        s->now.bytes = was.bytes;
    }
    return true;
}

static void find_payload(const struct recipe *r, const struct tape *tapes, size_t n,
                         struct input *out)
{
    const struct dissector *d = dissector_find(r->outer);
    must(d != NULL, "a dissector is not there");
    struct search s = {.media = r->media};
    s.best.bytes = take(STREAM_MAX);
    s.now.bytes = take(STREAM_MAX);
    void *state = take(d->state_size);
    for (size_t i = 0; i < n; i++) {
        struct input stream = {.bytes = tapes[i].bytes, .len = tapes[i].len, .step = SEGMENT};
        (void)pass_over(d, &stream, state, on_payload, &s);
    }
    free(state);
    free(s.now.bytes);
    *out = s.best;
}

static void cut_input(const struct recipe *r, struct input *out)
{
    char path[512];
    struct tape tapes[STREAMS_MAX];
    size_t longest = 0;
    (void)snprintf(path, sizeof path, "%s/tests/golden/%s/input.pcap", SOURCE_DIR, r->golden);
    size_t n = tapes_read(path, r->port, tapes);
    must(n > 0, "a golden capture holds no such stream");
    for (size_t i = 1; i < n; i++)
        if (tapes[i].len > tapes[longest].len)
            longest = i;
    if (r->outer != NULL) {
        find_payload(r, tapes, n, out);
    } else {
        *out = (struct input){.bytes = tapes[longest].bytes, .len = tapes[longest].len};
        tapes[longest].bytes = NULL;
    }
    out->step = SEGMENT;
    for (size_t i = 0; i < n; i++)
        free(tapes[i].bytes);
}

/* ---- made ----------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int write_line(char form, uint64_t r, char *buf, size_t cap)
{
    unsigned a = (unsigned)(r >> 8) % 10000, b = (unsigned)(r >> 24) % 100;
    switch (form) {
    case 'h':
        return snprintf(buf, cap,
                        "OBX|%u|NM|%u-2^心率^LN||%u.%u|/min^次/分|60-100|N|||F|||2024031508%02u00\r"
                        "PV1|%u|I|ICU^%u^1^MEDGUAN DEMO||||D%05u^示例^医生|||MED||||1|||||Z%08u\r"
                        "NTE|1||家属电话 1380000%04u，已通知\r",
                        b, a, b + 40, a % 10, b % 60, b, a % 90, a, a * 7, a);
    case 'c':
        return snprintf(buf, cap, "%u,%u.%02u,2024-03-15 08:%02u:%02u,%u,0.%04u,%u,OK\n", a, b,
                        a % 100, b % 60, a % 60, a * 13, a, b);
    case 'f':
        return snprintf(buf, cap, "field%u=pump+%u%%20ml&note%u=%%E6%%AD%%A3%%E5%%B8%%B8&", b, a,
                        b);
    default:
        return snprintf(buf, cap,
                        "<134>Mar 15 08:%02u:%02u ct64 gantry[%u]: tube %u warm, fan %u ok\n",
                        b % 60, a % 60, a, b, a % 9);
    }
}

uint8_t *input_text(char form, size_t len)
{
    char line[512];
    uint64_t seed = 88172645463325252u;
    uint8_t *bytes = take(len);
    for (size_t at = 0; at < len;) {
        int n = write_line(form, next_random(&seed), line, sizeof line);
        size_t fits = (size_t)n < len - at ? (size_t)n : len - at;
        memcpy(bytes + at, line, fits);
        at += fits;
    }
    return bytes;
}

/* make_input: 's' SSH, 'q' QUIC and 'd' DTLS are a head and noise; others are texts. */
static void make_input(char form, struct input *out)
{
    static const char ssh[] = "SSH-2.0-OpenSSH_9.2\r\n";
    static const uint8_t quic[] = {0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x96};
    static const uint8_t dtls[] = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 4, 0x93};
    bool datagram = form == 'q' || form == 'd';
    uint64_t seed = 88172645463325252u;
    out->len = datagram ? 1184 : 1 << 16;
    out->step = SEGMENT;
    if (form != 's' && !datagram) {
        out->bytes = input_text(form, out->len);
        (void)snprintf(out->hint, sizeof out->hint, "%s",
                       form == 'f' ? "application/x-www-form-urlencoded" : "text/plain");
        return;
    }
    out->bytes = take(out->len);
    for (size_t i = 0; i < out->len; i++)
        out->bytes[i] = (uint8_t)(next_random(&seed) >> 32);
    memcpy(out->bytes,
           form == 's'   ? (const void *)ssh
           : form == 'q' ? (const void *)quic
                         : dtls,
           form == 's'   ? sizeof ssh - 1
           : form == 'q' ? sizeof quic
                         : sizeof dtls);
}

bool input_for(const struct dissector *d, struct input *out)
{
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        if (strcmp(recipes[i].dissector, d->name) != 0)
            continue;
        *out = (struct input){0};
        if (recipes[i].golden != NULL)
            cut_input(&recipes[i], out);
        else
            make_input(recipes[i].form, out);
        return out->len > 0;
    }
    return false;
}

void input_free(struct input *in)
{
    free(in->bytes);
    *in = (struct input){0};
}
