/* tally.c - open-addressed tables of groups and destinations. */
#include "command/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 1099511628211u;
    return h;
}

static uint64_t hash_address(uint64_t h, const struct address *a)
{
    h = (h ^ a->family) * 0x9fb21c651e98df25u;
    uint64_t lo, hi;
    memcpy(&lo, a->bytes, 8);
    memcpy(&hi, a->bytes + 8, 8);
    h = (h ^ lo) * 0x9fb21c651e98df25u;
    h ^= h >> 29;
    h = (h ^ hi) * 0x9fb21c651e98df25u;
    return h ^ h >> 32;
}

bool tally_open(struct tally *t)
{
    *t = (struct tally){0};
    t->groups = calloc(GROUPS_MAX * 2, sizeof *t->groups);
    t->destinations = calloc(DESTINATIONS_MAX * 2, sizeof *t->destinations);
    return t->groups != NULL && t->destinations != NULL;
}

void tally_close(struct tally *t)
{
    free(t->groups);
    free(t->destinations);
    *t = (struct tally){0};
}

static struct group *find_group(struct tally *t, const struct group *like)
{
    for (uint64_t i = like->hash;; i++) {
        struct group *g = &t->groups[i & (GROUPS_MAX * 2 - 1)];
        if (g->hash == 0) {
            if (t->n_groups == GROUPS_MAX)
                return NULL;
            t->n_groups++;
            *g = *like;
            g->n = 0;
            g->at = NULL;
            return g;
        }
        if (g->hash == like->hash && g->class == like->class && g->action == like->action &&
            g->port == like->port && address_equal(&g->destination, &like->destination) &&
            strcmp(g->path, like->path) == 0)
            return g;
    }
}

/* path_without_indexes copies a path with its repetitions as [], so that all of them are one place.
 */
static size_t path_without_indexes(const char *path, char out[PATH_SHOWN])
{
    size_t n = 0;
    while (*path != '\0' && n < PATH_SHOWN - 1) {
        out[n++] = *path;
        if (*path++ == '[')
            path += strspn(path, "0123456789");
    }
    out[n] = '\0';
    return n;
}

static struct group *group_of(struct tally *t, const struct finding *f, const struct verdict *v,
                              const struct address *destination, uint16_t port,
                              const struct place *place)
{
    struct group like;
    memset(&like, 0, sizeof like);
    like.destination = *destination;
    like.port = port;
    like.place = *place;
    like.class = f->class;
    like.action = v->action;
    like.violation = v->violation;
    like.first_packet = f->at.packet;
    size_t n = path_without_indexes(f->path, like.path);
    like.hash = hash_bytes(hash_address(1469598103934665603u, destination), like.path, n);
    like.hash = (like.hash + f->class * 31u + v->action * 7u + port) | 1;
    struct group *g = find_group(t, &like);
    if (g != NULL && g->at == NULL)
        g->at = tally_destination(t, destination, place);
    return g;
}

void tally_finding(struct tally *t, const struct finding *f, const struct verdict *v,
                   const struct address *destination, uint16_t port, const struct place *place)
{
    t->findings[f->class]++;
    t->actions[v->action]++;
    t->violations += v->violation;
    uint64_t key = hash_address(f->path_hash, destination);
    key = (key + f->class * 31u + v->action * 7u + port * 1048583u) | 1;
    size_t slot = key >> 56;
    struct group *g = t->recent[slot];
    if (t->recent_key[slot] != key || g == NULL || !address_equal(&g->destination, destination)) {
        g = group_of(t, f, v, destination, port, place);
        t->recent[slot] = g;
        t->recent_key[slot] = key;
    }
    struct destination *d = g != NULL ? g->at : tally_destination(t, destination, place);
    if (d != NULL) {
        d->actions[v->action]++;
        d->findings += f->class != CLASS_OPAQUE;
    }
    if (g == NULL)
        t->groups_lost++;
    else
        g->n++;
}

struct destination *tally_destination(struct tally *t, const struct address *a,
                                      const struct place *place)
{
    uint64_t hash = hash_address(14695981039346656037u, a) | 1;
    for (uint64_t i = hash >> 7;; i++) {
        struct destination *d = &t->destinations[i & (DESTINATIONS_MAX * 2 - 1)];
        if (d->hash == 0) {
            if (t->n_destinations == DESTINATIONS_MAX) {
                t->destinations_lost++;
                return NULL;
            }
            t->n_destinations++;
            d->hash = hash;
            d->address = *a;
            d->place = *place;
            return d;
        }
        if (d->hash == hash && address_equal(&d->address, a))
            return d;
    }
}

void destination_app(struct destination *d, const char *app)
{
    for (size_t i = 0; i < 4 && app != NULL; i++) {
        if (d->apps[i] == NULL)
            d->apps[i] = app;
        if (strcmp(d->apps[i], app) == 0)
            return;
    }
}

static void merge_destination(struct tally *to, const struct destination *from)
{
    struct destination *d = tally_destination(to, &from->address, &from->place);
    if (d == NULL)
        return;
    d->flows += from->flows;
    d->bytes += from->bytes;
    d->findings += from->findings;
    for (size_t a = 0; a < ACTION_COUNT; a++)
        d->actions[a] += from->actions[a];
    d->opaque_bytes += from->opaque_bytes;
    d->not_seen_bytes += from->not_seen_bytes;
    d->unrecognised_bytes += from->unrecognised_bytes;
    for (size_t i = 0; i < 4 && from->apps[i] != NULL; i++)
        destination_app(d, from->apps[i]);
}

void tally_merge(struct tally *to, const struct tally *from)
{
    for (size_t i = 0; i < GROUPS_MAX * 2; i++) {
        const struct group *g = &from->groups[i];
        struct group *into = g->hash != 0 ? find_group(to, g) : NULL;
        if (into != NULL) {
            into->n += g->n;
            if (g->first_packet < into->first_packet)
                into->first_packet = g->first_packet;
        } else if (g->hash != 0) {
            to->groups_lost += g->n;
        }
    }
    for (size_t i = 0; i < DESTINATIONS_MAX * 2; i++)
        if (from->destinations[i].hash != 0)
            merge_destination(to, &from->destinations[i]);
    for (size_t c = 0; c < CLASS_COUNT; c++)
        to->findings[c] += from->findings[c];
    for (size_t a = 0; a < ACTION_COUNT; a++)
        to->actions[a] += from->actions[a];
    for (size_t e = 0; e < 4; e++)
        to->flow_ends[e] += from->flow_ends[e];
    to->groups_lost += from->groups_lost;
    to->destinations_lost += from->destinations_lost;
    to->violations += from->violations;
    to->flows += from->flows;
    to->outside_flows += from->outside_flows;
    to->failed_flows += from->failed_flows;
    to->objects += from->objects;
}
