/* live.h - packets from a network interface, through libpcap. */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include "capture/source.h"

struct live;

/* live_open begins to capture. NULL: `f` says why. */
struct live *live_open(const char *iface, const struct source_options *options, struct fault *f);
void live_close(struct live *l);

/* live_fill copies packets into `b` until it is full or the timeout passes; it may stay empty.
 * STATUS_END after live_stop. Numbers, file and file_off are left 0. */
enum status live_fill(struct live *l, struct block *b, struct fault *f);

/* live_stop may be called from a signal handler or another thread. */
void live_stop(struct live *l);

/* live_drops reads the counts of lost packets. */
void live_drops(const struct live *l, uint64_t *kernel, uint64_t *interface);

#endif
