/* tally.c - open-addressed tables of groups and destinations. */
#include "command/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* hash_row is the hash of what names a row: an address, and `what` at `path` of it. */
static uint64_t hash_row(const struct tally *t, const struct address *a, uint64_t what,
                         uint64_t path)
{
    uint64_t words[4] = {what << 8 | a->family, 0, 0, path};
    memcpy(&words[1], a->bytes, 16);
    return hash_words(&t->key, words, 4) | 1;
}

static uint64_t what_of(enum class class, enum action action, uint16_t port)
{
    return (uint64_t) class << 32 | (uint64_t)action << 16 | port;
}

static uint64_t hash_group(const struct tally *t, const struct group *g)
{
    uint64_t path = hash_keyed(&t->key, g->path, strlen(g->path));
    return hash_row(t, &g->destination, what_of(g->class, g->action, g->port), path);
}

bool tally_open(struct tally *t)
{
    *t = (struct tally){.key = hash_key_random()};
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
    for (uint64_t i = like->hash >> 7;; i++) {
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
static void path_without_indexes(const char *path, char out[PATH_SHOWN])
{
    size_t n = 0;
    while (*path != '\0' && n < PATH_SHOWN - 1) {
        out[n++] = *path;
        if (*path++ == '[')
            path += strspn(path, "0123456789");
    }
    out[n] = '\0';
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
    path_without_indexes(f->path, like.path);
    like.hash = hash_group(t, &like);
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
    uint64_t key = hash_row(t, destination, what_of(f->class, v->action, port), f->path_hash);
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
    uint64_t hash = hash_row(t, a, 0, 0);
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
        if (g->hash == 0)
            continue;
        struct group like = *g;
        like.hash = hash_group(to, &like);
        struct group *into = find_group(to, &like);
        if (into != NULL) {
            into->n += g->n;
            if (g->first_packet < into->first_packet)
                into->first_packet = g->first_packet;
        } else {
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
