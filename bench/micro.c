/* micro.c - one stage of the engine at a time, over bytes in memory, one thread.
 *
 *     micro RUNS CAPTURE...
 *
 * A line for each stage: name, bytes of its input, best and median MB/s of RUNS runs, events (or
 * packets, or matches) of one pass; tabs between. Time is the thread's CPU time.
 */
#include "micro.h"

#include "capture/source.h"
#include "flow/packet.h"
#include "rules/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    RUNS_MAX = 99,
    RUN_NS = 60 * 1000 * 1000, /* a run repeats its pass until it took as long as this */
    BLOCKS_MAX = 1024,
    TEXT_BYTES = 1 << 20,
    SCAN_BYTES = 4096 /* text of one scan */
};

/* stage is one thing to measure: one pass over its bytes, counting what came of it. */
struct stage {
    uint64_t (*pass)(void *subject);
    void *subject;
    size_t bytes;
    char name[96];
};

static uint64_t cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void measure(const struct stage *s, unsigned runs)
{
    double rate[RUNS_MAX];
    uint64_t events = s->pass(s->subject); /* warms up */
    for (unsigned i = 0; i < runs; i++) {
        uint64_t began = cpu_ns(), took, passes = 0;
        do {
            (void)s->pass(s->subject);
            passes++;
            took = cpu_ns() - began;
        } while (took < RUN_NS);
        rate[i] = (double)s->bytes * (double)passes * 1e3 / (double)took;
    }
    qsort(rate, runs, sizeof *rate, by_value);
    (void)printf("%s\t%zu\t%.1f\t%.1f\t%llu\n", s->name, s->bytes, rate[runs - 1], rate[runs / 2],
                 (unsigned long long)events);
    (void)fflush(stdout);
}

/* ---- source and decoder --------------------------------------------------------------------- */

static uint64_t pass_source(void *subject)
{
    const char *path = subject;
    struct fault f = {0};
    struct source *s = source_open(&path, 1, NULL, &f);
    struct block *b = block_new();
    uint64_t packets = 0;
    must(s != NULL && b != NULL, "a capture cannot be read");
    while (source_fill(s, b, &f) == STATUS_OK)
        packets += b->n_packets;
    block_free(b);
    source_close(s);
    return packets;
}

struct packets {
    struct block *blocks[BLOCKS_MAX];
    size_t n_blocks, bytes;
    struct decoder *decoder;
};

static uint64_t pass_decode(void *subject)
{
    struct packets *p = subject;
    uint64_t decoded = 0;
    for (size_t k = 0; k < p->n_blocks; k++) {
        const struct block *b = p->blocks[k];
        for (size_t i = 0; i < b->n_packets; i++) {
            struct datagram d;
            decoded += decode_packet(p->decoder, &b->packets[i], &d) == SKIP_NONE;
        }
    }
    return decoded;
}

static void packets_read(const char *path, struct packets *p)
{
    struct fault f = {0};
    struct source *s = source_open(&path, 1, NULL, &f);
    must(s != NULL, "a capture cannot be read");
    p->n_blocks = p->bytes = 0;
    p->decoder = decoder_new(NULL, NULL, NULL);
    must(p->decoder != NULL, "no memory");
    while (p->n_blocks < BLOCKS_MAX) {
        struct block *b = block_new();
        must(b != NULL, "no memory");
        if (source_fill(s, b, &f) != STATUS_OK) {
            block_free(b);
            break;
        }
        for (size_t i = 0; i < b->n_packets; i++)
            p->bytes += b->packets[i].len;
        p->blocks[p->n_blocks++] = b;
    }
    source_close(s);
}

static void measure_capture(char *path, unsigned runs)
{
    static struct packets packets;
    const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    struct stage s = {.pass = pass_source, .subject = path};
    packets_read(path, &packets);
    s.bytes = packets.bytes;
    (void)snprintf(s.name, sizeof s.name, "source_fill, %s", name);
    measure(&s, runs);
    s.pass = pass_decode;
    s.subject = &packets;
    (void)snprintf(s.name, sizeof s.name, "decode_packet, %s", name);
    measure(&s, runs);
    for (size_t i = 0; i < packets.n_blocks; i++)
        block_free(packets.blocks[i]);
    decoder_free(packets.decoder);
}

/* ---- dissectors ----------------------------------------------------------------------------- */

struct dissection {
    const struct dissector *dissector;
    struct input input;
    void *state;
};

static bool count_event(void *receiver, const struct event *ev)
{
    (void)ev;
    ++*(uint64_t *)receiver;
    return true;
}

struct pass pass_over(const struct dissector *d, const struct input *in, void *state,
                      event_fn *emit, void *receiver)
{
    struct pass pass = {0};
    size_t shown = 0;
    memset(state, 0, d->state_size);
    for (;;) {
        shown = in->len - shown > in->step ? shown + in->step : in->len;
        struct view v = {.bytes = in->bytes + pass.consumed,
                         .len = shown - pass.consumed,
                         .off = pass.consumed,
                         .last = shown == in->len,
                         .hint = in->hint[0] != '\0' ? in->hint : NULL};
        struct feed_result r = d->feed(state, v, emit, receiver);
        pass.consumed += r.consumed;
        if (r.status != FEED_OK && r.status != FEED_MORE) {
            pass.why = r.why != NULL ? r.why : "ended by itself";
            break;
        }
        if (v.last)
            break;
    }
    return pass;
}

static uint64_t pass_dissector(void *subject)
{
    struct dissection *d = subject;
    uint64_t events = 0;
    (void)pass_over(d->dissector, &d->input, d->state, count_event, &events);
    return events;
}

static void measure_dissector(const struct dissector *dissector, unsigned runs)
{
    struct dissection d = {.dissector = dissector};
    struct stage s = {.pass = pass_dissector, .subject = &d};
    if (!input_for(dissector, &d.input)) {
        (void)fprintf(stderr, "micro: %s: no input\n", dissector->name);
        return;
    }
    d.state = malloc(dissector->state_size + 1);
    must(d.state != NULL, "no memory");
    uint64_t events = 0;
    struct pass p = pass_over(dissector, &d.input, d.state, count_event, &events);
    if (p.consumed < d.input.len)
        (void)fprintf(stderr, "micro: %s: stopped at %zu of %zu bytes: %s\n", dissector->name,
                      p.consumed, d.input.len, p.why != NULL ? p.why : "?");
    s.bytes = p.consumed;
    (void)snprintf(s.name, sizeof s.name, "dissector %s", dissector->name);
    measure(&s, runs);
    free(d.state);
    input_free(&d.input);
}

/* ---- rules ---------------------------------------------------------------------------------- */

struct scanning {
    struct rule_set *set;
    struct rule_scratch *scratch;
    uint8_t *text;
};

static void count_match(void *receiver, const struct rule_match *m)
{
    (void)m;
    ++*(uint64_t *)receiver;
}

static uint64_t pass_scan(void *subject)
{
    struct scanning *s = subject;
    uint64_t matches = 0;
    for (size_t at = 0; at < TEXT_BYTES; at += SCAN_BYTES)
        (void)rule_set_scan(s->set, s->scratch, (const char *)s->text + at, SCAN_BYTES, count_match,
                            &matches);
    return matches;
}

static void measure_rules(unsigned runs)
{
    static const char *const names[] = {"h:HL7", "c:rows of numbers", "l:log"};
    struct scanning scanning = {0};
    struct fault f = {0};
    must(rule_set_load(NULL, &scanning.set, &f) == STATUS_OK, f.text);
    scanning.scratch = rule_scratch_new(scanning.set);
    must(scanning.scratch != NULL, "no memory");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stage s = {.pass = pass_scan, .subject = &scanning, .bytes = TEXT_BYTES};
        scanning.text = input_text(names[i][0], TEXT_BYTES);
        (void)snprintf(s.name, sizeof s.name, "rule_set_scan, %s", names[i] + 2);
        measure(&s, runs);
        free(scanning.text);
    }
    rule_scratch_free(scanning.scratch);
    rule_set_free(scanning.set);
}

int main(int argc, char **argv)
{
    unsigned long runs = argc >= 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (runs < 1 || runs > RUNS_MAX) {
        (void)fprintf(stderr, "usage: micro RUNS CAPTURE...    (RUNS 1..%d)\n", RUNS_MAX);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        measure_capture(argv[i], (unsigned)runs);
    for (size_t i = 0; all_dissectors[i] != NULL; i++)
        measure_dissector(all_dissectors[i], (unsigned)runs);
    measure_rules((unsigned)runs);
    return 0;
}
