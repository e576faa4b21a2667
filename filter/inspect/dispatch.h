/* dispatch.h - which dissector reads a layer: the highest bid. Internal to inspect/. */
#ifndef INSPECT_DISPATCH_H
#define INSPECT_DISPATCH_H

#include "dissectors/dissector.h"

/* dispatch_choose asks all dissectors but `refused` (may be NULL) for their bids on the head of a
 * layer. A media type that the layer was announced with and a customary port add to a bid that was
 * made anyway: hints, never gates. ports: both of the flow, 0 when there is none. *bits is the
 * bid that won. Never NULL: text reads everything. */
const struct dissector *dispatch_choose(struct view head, const uint16_t ports[2],
                                        const struct dissector *refused, unsigned *bits);

/* What the head of a layer looks like when only text bid for it. */
enum look {
    LOOK_TEXT,
    LOOK_BINARY, /* a format nobody here knows */
    LOOK_RANDOM  /* encrypted or compressed: nothing can be read in it */
};

enum look dispatch_look(struct view head);

/* dispatch_charset is the charset parameter of a media type, CHARSET_UNKNOWN when there is none. */
enum charset dispatch_charset(const char *hint);

#endif
