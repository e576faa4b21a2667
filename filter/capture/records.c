/* records.c - which format a capture file has, and where complaints about it go. */
#include "capture/records.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void complaints_add(struct complaints *c, const char *fmt, ...)
{
    c->n++;
    c->n_file++;
    if (c->n_file > SOURCE_FAULTS_PER_FILE || c->tell == NULL)
        return;
    struct fault f;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(f.text, sizeof f.text, fmt, ap);
    va_end(ap);
    c->tell(c->receiver, &f);
}

void complaints_file_end(struct complaints *c, const char *name)
{
    unsigned n = c->n_file;
    c->n_file = 0;
    if (n <= SOURCE_FAULTS_PER_FILE || c->tell == NULL)
        return;
    struct fault f;
    (void)fault_set(&f, STATUS_FORMAT, "%s: %u more faults in this file", name,
                    n - SOURCE_FAULTS_PER_FILE);
    c->tell(c->receiver, &f);
}

bool records_looks_right(const uint8_t *bytes, size_t len)
{
    return pcap_looks_right(bytes, len) || pcapng_looks_right(bytes, len);
}

static size_t start(struct records *r, const uint8_t *bytes, size_t len, bool last)
{
    if (pcapng_looks_right(bytes, len)) {
        r->format = FORMAT_PCAPNG;
        return 0;
    }
    if (pcap_looks_right(bytes, len)) {
        if (len < 24 && !last)
            return 0;
        return pcap_records_start(r, bytes, len);
    }
    if (len < 12 && !last)
        return 0;
    complaints_add(r->complaints, len == 0 ? "%s: empty file" : "%s: not a pcap or pcapng capture",
                   r->name);
    r->ended = true;
    return 0;
}

size_t records_walk(struct records *r, const uint8_t *bytes, size_t len, bool last, struct block *b)
{
    size_t done = 0;
    if (r->ended)
        return 0;
    if (r->format == FORMAT_UNKNOWN) {
        done = start(r, bytes, len, last);
        r->off += done;
        if (r->format == FORMAT_UNKNOWN)
            return done;
    }
    if (r->ended)
        return done;
    size_t n = r->format == FORMAT_PCAP ? pcap_records_walk(r, bytes + done, len - done, last, b)
                                        : pcapng_records_walk(r, bytes + done, len - done, last, b);
    r->off += n;
    return done + n;
}

void records_free(struct records *r)
{
    free(r->interfaces);
    r->interfaces = NULL;
    r->n_interfaces = r->max_interfaces = 0;
}
