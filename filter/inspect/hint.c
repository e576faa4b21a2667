/* hint.c - the one wrapper around nDPI, for 4.2 to 5.x. Its interface changes with every release;
 * the seams are in the inline functions at the top. */
/* nDPI's headers use the BSD names of integer types. */
#define _DEFAULT_SOURCE
#include "inspect/hint.h"

#include <ndpi_api.h>
#include <ndpi_main.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "inspect/room.h"

#define NDPI_AT_LEAST(major, minor) (NDPI_MAJOR * 100 + NDPI_MINOR >= (major)*100 + (minor))

enum {
    HINT_PACKETS = 3 /* with payload, a flow: names come with the first ones or not at all */
};

struct hinter {
    struct ndpi_detection_module_struct *ndpi;
};

/* Names outlive the modules they come from: flows are told about after their worker is gone. They
 * are facts of the library, the same in every module, so one table serves all workers. */
enum {
    NAMES = 1024,
    NAME_MAX_LEN = 32
};
static char names[NAMES][NAME_MAX_LEN];
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *name_of(struct ndpi_detection_module_struct *ndpi, uint16_t number)
{
    if (number >= NAMES)
        return NULL;
    (void)pthread_mutex_lock(&names_lock);
    if (names[number][0] == '\0')
        (void)snprintf(names[number], NAME_MAX_LEN, "%s", ndpi_get_proto_name(ndpi, number));
    (void)pthread_mutex_unlock(&names_lock);
    return names[number];
}

static inline struct ndpi_detection_module_struct *ndpi_start(void)
{
#if NDPI_AT_LEAST(4, 10)
    return ndpi_init_detection_module(NULL);
#else
    return ndpi_init_detection_module(ndpi_no_prefs);
#endif
}

static inline void ndpi_select_all(struct ndpi_detection_module_struct *ndpi)
{
#if !NDPI_AT_LEAST(5, 0)
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    (void)ndpi_set_protocol_detection_bitmask2(ndpi, &all);
#endif
    (void)ndpi_finalize_initialization(ndpi);
}

static inline ndpi_protocol ndpi_show(struct ndpi_detection_module_struct *ndpi,
                                      struct ndpi_flow_struct *flow, const uint8_t *ip,
                                      uint16_t len, uint64_t time_ms)
{
#if NDPI_AT_LEAST(4, 6)
    return ndpi_detection_process_packet(ndpi, flow, ip, len, time_ms, NULL);
#else
    return ndpi_detection_process_packet(ndpi, flow, ip, len, time_ms);
#endif
}

static inline ndpi_protocol ndpi_give_up(struct ndpi_detection_module_struct *ndpi,
                                         struct ndpi_flow_struct *flow)
{
#if NDPI_AT_LEAST(5, 0)
    return ndpi_detection_giveup(ndpi, flow);
#elif NDPI_AT_LEAST(4, 10)
    u_int8_t guessed = 0;
    return ndpi_detection_giveup(ndpi, flow, &guessed);
#else
    u_int8_t guessed = 0;
    return ndpi_detection_giveup(ndpi, flow, 1, &guessed);
#endif
}

static inline uint16_t ndpi_number(ndpi_protocol p)
{
#if NDPI_AT_LEAST(4, 11)
    return p.proto.app_protocol != 0 ? p.proto.app_protocol : p.proto.master_protocol;
#else
    return p.app_protocol != 0 ? p.app_protocol : p.master_protocol;
#endif
}

struct hinter *hinter_open(void)
{
    struct hinter *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->ndpi = ndpi_start();
    if (h->ndpi == NULL) {
        free(h);
        return NULL;
    }
    ndpi_select_all(h->ndpi);
    return h;
}

void hinter_close(struct hinter *h)
{
    if (h == NULL)
        return;
    ndpi_exit_detection_module(h->ndpi);
    free(h);
}

static void name_flow(struct hinter *h, struct flow_app *app, ndpi_protocol p)
{
    uint16_t number = ndpi_number(p);
    if (number != NDPI_PROTOCOL_UNKNOWN)
        app->hint = name_of(h->ndpi, number);
}

static void done(struct flow_app *app)
{
    app->hint_done = true;
    if (app->ndpi_flow != NULL)
        ndpi_flow_free(app->ndpi_flow);
    app->ndpi_flow = NULL;
}

/* is_claimed: a dissector that knows its format reads one of the directions. */
static bool is_claimed(const struct flow_app *app)
{
    for (unsigned d = 0; d < 2; d++)
        if (app->dissector[d] != NULL && strcmp(app->dissector[d], "text") != 0)
            return true;
    return false;
}

void hinter_packet(struct hinter *h, struct flow *f, const struct datagram *d)
{
    struct flow_app *app = inspector_app(f);
    if (app == NULL || app->hint_done || d->ip == NULL || d->ip_len > UINT16_MAX)
        return;
    if (is_claimed(app)) {
        done(app);
        return;
    }
    if (app->ndpi_flow == NULL)
        app->ndpi_flow = ndpi_flow_malloc(ndpi_detection_get_sizeof_ndpi_flow_struct());
    if (app->ndpi_flow == NULL) {
        app->hint_done = true;
        return;
    }
    if (app->n_hint_packets == 0)
        memset(app->ndpi_flow, 0, ndpi_detection_get_sizeof_ndpi_flow_struct());
    app->n_hint_packets++;
    ndpi_protocol p =
        ndpi_show(h->ndpi, app->ndpi_flow, d->ip, (uint16_t)d->ip_len, f->last_ns / 1000000);
    if (ndpi_number(p) != NDPI_PROTOCOL_UNKNOWN) {
        name_flow(h, app, p);
        done(app);
    } else if (app->n_hint_packets >= HINT_PACKETS) {
        name_flow(h, app, ndpi_give_up(h->ndpi, app->ndpi_flow));
        done(app);
    }
}

void hinter_forget(struct hinter *h, struct flow *f)
{
    struct flow_app *app = inspector_app(f);
    if (app == NULL || h == NULL)
        return;
    if (!app->hint_done && app->ndpi_flow != NULL && !is_claimed(app))
        name_flow(h, app, ndpi_give_up(h->ndpi, app->ndpi_flow));
    done(app);
}
