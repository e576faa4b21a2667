/* live.c - a live interface. Packets are copied out of the kernel's ring into blocks. */
#define _DEFAULT_SOURCE /* pcap.h uses u_int */
#include "capture/live.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

enum {
    DEFAULT_BUFFER_BYTES = 64 * 1024 * 1024,
    DEFAULT_TIMEOUT_MS = 100,
    LINKTYPE_RAW = 101
};

struct live {
    pcap_t *pcap;
    uint16_t link_type;
    bool nanoseconds;
    int timeout_ms;
    uint8_t *kept; /* a packet that no longer fitted into the block before */
    struct packet kept_packet;
    bool has_kept;
};

static bool set_up(struct live *l, const struct source_options *o)
{
    int snaplen = SOURCE_PACKET_MAX;
    if (o->snaplen > 0 && o->snaplen < SOURCE_PACKET_MAX)
        snaplen = (int)o->snaplen;
    int buffer = o->buffer_bytes > 0 && o->buffer_bytes <= INT32_MAX ? (int)o->buffer_bytes
                                                                     : (int)DEFAULT_BUFFER_BYTES;
    int timeout = o->timeout_ms > 0 && o->timeout_ms <= INT32_MAX ? (int)o->timeout_ms
                                                                  : (int)DEFAULT_TIMEOUT_MS;
    l->timeout_ms = timeout;
    l->nanoseconds = pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
    return pcap_set_snaplen(l->pcap, snaplen) == 0 &&
           pcap_set_promisc(l->pcap, !o->no_promiscuous) == 0 &&
           pcap_set_timeout(l->pcap, timeout) == 0 && pcap_set_buffer_size(l->pcap, buffer) == 0;
}

static bool set_filter(struct live *l, const char *iface, const char *expression, struct fault *f)
{
    struct bpf_program code;
    if (pcap_compile(l->pcap, &code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        (void)fault_set(f, STATUS_USAGE, "filter \"%.200s\": %s", expression, pcap_geterr(l->pcap));
        return false;
    }
    bool set = pcap_setfilter(l->pcap, &code) == 0;
    if (!set)
        (void)fault_set(f, STATUS_IO, "%s: cannot filter: %s", iface, pcap_geterr(l->pcap));
    pcap_freecode(&code);
    return set;
}

static bool begin(struct live *l, const char *iface, const struct source_options *o,
                  struct fault *f)
{
    if (!set_up(l, o)) {
        (void)fault_set(f, STATUS_IO, "%s: cannot set up: %s", iface, pcap_geterr(l->pcap));
        return false;
    }
    int rc = pcap_activate(l->pcap);
    if (rc < 0) {
        const char *more = pcap_geterr(l->pcap);
        (void)fault_set(f, STATUS_IO, "%s: cannot capture: %s%s%s", iface, pcap_statustostr(rc),
                        more[0] != '\0' ? ": " : "", more);
        return false;
    }
    char why[PCAP_ERRBUF_SIZE] = "";
    if (pcap_setnonblock(l->pcap, 1, why) != 0) {
        (void)fault_set(f, STATUS_IO, "%s: cannot set up: %s", iface, why);
        return false;
    }
    if (o->filter != NULL && !set_filter(l, iface, o->filter, f))
        return false;
    int dlt = pcap_datalink(l->pcap);
    l->link_type = (uint16_t)(dlt == DLT_RAW ? LINKTYPE_RAW : dlt);
    return true;
}

struct live *live_open(const char *iface, const struct source_options *options, struct fault *f)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    struct live *l = calloc(1, sizeof *l);
    if (l == NULL || (l->kept = malloc(SOURCE_PACKET_MAX)) == NULL) {
        (void)fault_set(f, STATUS_MEMORY, "no memory");
        live_close(l);
        return NULL;
    }
    l->pcap = pcap_create(iface, why);
    if (l->pcap == NULL) {
        (void)fault_set(f, STATUS_IO, "%s: cannot capture: %s", iface, why);
        live_close(l);
        return NULL;
    }
    if (!begin(l, iface, options, f)) {
        live_close(l);
        return NULL;
    }
    return l;
}

void live_close(struct live *l)
{
    if (l == NULL)
        return;
    if (l->pcap != NULL)
        pcap_close(l->pcap);
    free(l->kept);
    free(l);
}

static struct packet packet_of(const struct live *l, const struct pcap_pkthdr *h,
                               const uint8_t *bytes)
{
    uint64_t fraction = (uint64_t)h->ts.tv_usec * (l->nanoseconds ? 1 : 1000);
    return (struct packet){
        .bytes = bytes,
        .len = h->caplen < SOURCE_PACKET_MAX ? h->caplen : SOURCE_PACKET_MAX,
        .wire_len = h->len > h->caplen ? h->len : h->caplen,
        .time_ns = (uint64_t)h->ts.tv_sec * UINT64_C(1000000000) + fraction,
        .link_type = l->link_type,
    };
}

static bool add(struct block *b, size_t *used, const struct packet *p)
{
    if (b->n_packets == b->max_packets || p->len > b->capacity - *used)
        return false;
    uint8_t *to = b->memory + *used;
    memcpy(to, p->bytes, p->len);
    *used += p->len;
    b->packets[b->n_packets] = *p;
    b->packets[b->n_packets++].bytes = to;
    return true;
}

static void keep(struct live *l, const struct packet *p)
{
    memcpy(l->kept, p->bytes, p->len);
    l->kept_packet = *p;
    l->kept_packet.bytes = l->kept;
    l->has_kept = true;
}

/* Waits for packets ourselves: libpcap's own wait may never end on a silent interface. */
static void wait_for_packets(struct live *l)
{
    struct pollfd p = {.fd = pcap_get_selectable_fd(l->pcap), .events = POLLIN};
    (void)poll(&p, p.fd >= 0, l->timeout_ms);
}

enum status live_fill(struct live *l, struct block *b, struct fault *f)
{
    size_t used = 0;
    bool waited = false;
    b->n_packets = 0;
    if (l->has_kept)
        (void)add(b, &used, &l->kept_packet);
    l->has_kept = false;
    for (;;) {
        struct pcap_pkthdr *h;
        const u_char *bytes;
        int rc = pcap_next_ex(l->pcap, &h, &bytes);
        if (rc == PCAP_ERROR_BREAK)
            return b->n_packets > 0 ? STATUS_OK : STATUS_END;
        if (rc < 0)
            return fault_set(f, STATUS_IO, "capture broke off: %s", pcap_geterr(l->pcap));
        if (rc == 0) {
            if (b->n_packets > 0 || waited)
                return STATUS_OK;
            waited = true;
            wait_for_packets(l);
            continue;
        }
        struct packet p = packet_of(l, h, bytes);
        if (!add(b, &used, &p)) {
            keep(l, &p);
            return STATUS_OK;
        }
        /* A steady trickle must not hold the first packet back for long. */
        if (p.time_ns - b->packets[0].time_ns > (uint64_t)l->timeout_ms * UINT64_C(1000000))
            return STATUS_OK;
    }
}

void live_stop(struct live *l)
{
    pcap_breakloop(l->pcap);
}

void live_drops(const struct live *l, uint64_t *kernel, uint64_t *interface)
{
    struct pcap_stat st;
    *kernel = *interface = 0;
    if (pcap_stats(l->pcap, &st) == 0) {
        *kernel = st.ps_drop;
        *interface = st.ps_ifdrop;
    }
}
