/* filter.h - BPF expressions for packets from files, one program a link type. */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

#include "capture/records.h"

struct filter;

/* filter_new compiles `expression` for Ethernet, to know that it is one. NULL: `f` says why. */
struct filter *filter_new(const char *expression, struct fault *f);
void filter_free(struct filter *filter);

/* filter_passes says whether the packet is wanted. Where the expression has no meaning for the link
 * type, that is one fault and all its packets are wanted. */
bool filter_passes(struct filter *filter, const struct packet *p, struct complaints *complaints);

#endif
