/* filter.c - libpcap's compiler and interpreter for filter expressions. */
#define _DEFAULT_SOURCE /* pcap.h uses u_int */
#include "capture/filter.h"

#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

enum {
    LINK_TYPES_MAX = 32,
    LINKTYPE_RAW = 101
};

struct program {
    uint16_t link_type;
    bool useless; /* does not compile for this link type */
    struct bpf_program code;
};

struct filter {
    char *expression;
    struct program programs[LINK_TYPES_MAX];
    size_t n_programs;
};

static bool compile(const char *expression, struct program *p, struct fault *f)
{
    /* Link types in files and in libpcap are the same numbers but for a few; raw IP is the one that
     * matters. */
    int dlt = p->link_type == LINKTYPE_RAW ? DLT_RAW : p->link_type;
    pcap_t *dead = pcap_open_dead(dlt, SOURCE_PACKET_MAX);
    if (dead == NULL) {
        (void)fault_set(f, STATUS_MEMORY, "no memory");
        return false;
    }
    p->useless = pcap_compile(dead, &p->code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0;
    if (p->useless)
        (void)fault_set(f, STATUS_USAGE, "filter \"%.200s\": %s", expression, pcap_geterr(dead));
    pcap_close(dead);
    return !p->useless;
}

struct filter *filter_new(const char *expression, struct fault *f)
{
    struct filter *filter = calloc(1, sizeof *filter);
    if (filter != NULL)
        filter->expression = strdup(expression);
    if (filter == NULL || filter->expression == NULL) {
        (void)fault_set(f, STATUS_MEMORY, "no memory");
        filter_free(filter);
        return NULL;
    }
    filter->programs[0].link_type = DLT_EN10MB;
    if (!compile(expression, &filter->programs[0], f)) {
        filter_free(filter);
        return NULL;
    }
    filter->n_programs = 1;
    return filter;
}

void filter_free(struct filter *filter)
{
    if (filter == NULL)
        return;
    for (size_t i = 0; i < filter->n_programs; i++)
        if (!filter->programs[i].useless)
            pcap_freecode(&filter->programs[i].code);
    free(filter->expression);
    free(filter);
}

static struct program *find_program(struct filter *filter, uint16_t link_type,
                                    struct complaints *complaints)
{
    for (size_t i = 0; i < filter->n_programs; i++)
        if (filter->programs[i].link_type == link_type)
            return &filter->programs[i];
    if (filter->n_programs == LINK_TYPES_MAX)
        return NULL;
    struct program *p = &filter->programs[filter->n_programs++];
    p->link_type = link_type;
    struct fault f;
    if (!compile(filter->expression, p, &f))
        complaints_add(complaints, "link type %u is not filtered: %s", link_type, f.text);
    return p;
}

bool filter_passes(struct filter *filter, const struct packet *p, struct complaints *complaints)
{
    struct program *program = find_program(filter, p->link_type, complaints);
    if (program == NULL || program->useless)
        return true;
    struct pcap_pkthdr h = {.caplen = p->len, .len = p->wire_len};
    return pcap_offline_filter(&program->code, &h, p->bytes) != 0;
}
