/* text.c - plain text, and the last bidder for everything else.
 *
 * The whole layer is one long text value, so that a rule can match anywhere in
 * it. It is also the smallest honest dissector: copy it to start another.
 */
#include "dissectors/dissector.h"

struct text_state {
    bool started;
    bool ended;
};

static unsigned text_probe(struct view head)
{
    (void)head;
    return 1;
}

static struct feed_result text_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct text_state *s = state;
    if (s->ended || (in.len == 0 && !(in.last && s->started)))
        return feed_ok(in.len);
    struct event ev = {
        .kind = EVENT_FIELD,
        .value = VALUE_TEXT,
        .flags = (uint8_t)((s->started ? 0 : PART_FIRST) | (in.last ? PART_LAST : 0)),
        .at = {in.off, in.len},
        .raw = in.bytes,
    };
    s->started = true;
    s->ended = in.last;
    if (!emit(receiver, &ev))
        return feed_stop(in.len);
    return feed_ok(in.len);
}

/* A gap ends nothing: the text after it is read like the text before. */
static bool text_gap(void *state, struct span missing)
{
    (void)state;
    (void)missing;
    return true;
}

static const char *const text_media[] = {"text/", NULL};

const struct dissector text_dissector = {
    .name = "text",
    .spec = "RFC 2046 section 4.1, any charset",
    .state_size = sizeof(struct text_state),
    .max_view = 1,
    .media = text_media,
    .probe = text_probe,
    .feed = text_feed,
    .gap = text_gap,
};
