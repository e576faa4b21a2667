/* progress.h - one line on standard error while work is long: bar, bytes, rate, time left. */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;          /* something stands on the line */
    bool on;             /* standard error is a terminal */
    uint64_t started_ns; /* monotonic */
    uint64_t last_ns;
};

/* progress_start decides whether to show anything: only on a terminal. */
void progress_start(struct progress *p);

/* progress_show draws the line at most five times a second, after the first half second. total 0:
 * not known. */
void progress_show(struct progress *p, uint64_t done_bytes, uint64_t total_bytes,
                   uint64_t findings);

/* progress_clear takes the line away. */
void progress_clear(struct progress *p);

/* progress_seconds since the start. */
double progress_seconds(const struct progress *p);

#endif
