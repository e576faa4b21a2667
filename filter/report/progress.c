/* progress.c - the line while work is long. */
#include "report/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "report/text.h"

static uint64_t now_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void progress_start(struct progress *p)
{
    *p = (struct progress){.on = isatty(STDERR_FILENO) == 1, .started_ns = now_ns()};
}

double progress_seconds(const struct progress *p)
{
    return (double)(now_ns() - p->started_ns) / 1e9;
}

void progress_show(struct progress *p, uint64_t done, uint64_t total, uint64_t findings)
{
    if (!p->on)
        return;
    uint64_t now = now_ns();
    if (now - p->started_ns < 500000000u || now - p->last_ns < 200000000u)
        return;
    p->last_ns = now;
    double seconds = (double)(now - p->started_ns) / 1e9;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    struct text t = {0};
    text_add(&t, "\r\033[K");
    if (total > 0) {
        size_t filled = (size_t)((double)(done < total ? done : total) * 24 / (double)total);
        text_add(&t, "[");
        for (size_t i = 0; i < 24; i++)
            text_add(&t, i < filled ? "#" : ".");
        text_format(&t, "] %3.0f%%  ", (double)(done < total ? done : total) * 100 / (double)total);
    }
    text_size(&t, done);
    text_add(&t, "  ");
    text_size(&t, (uint64_t)rate);
    text_add(&t, "/s");
    if (total > done && rate > 0) {
        uint64_t left = (uint64_t)((double)(total - done) / rate);
        text_format(&t, "  %02u:%02u left", (unsigned)(left / 60), (unsigned)(left % 60));
    }
    text_format(&t, "  %llu findings", (unsigned long long)findings);
    if (!t.failed)
        (void)fwrite(t.s, 1, t.len, stderr);
    (void)fflush(stderr);
    text_free(&t);
    p->shown = true;
}

void progress_clear(struct progress *p)
{
    if (p->shown)
        (void)fputs("\r\033[K", stderr);
    p->shown = false;
}
