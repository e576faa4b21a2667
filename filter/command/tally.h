/* tally.h - what an audit counts: findings by destination and place, destinations, reasons.
 *
 * One for each worker, merged at the end. Tables have limits; what does not fit is counted.
 */
#ifndef COMMAND_TALLY_H
#define COMMAND_TALLY_H

#include "base/hash.h"
#include "decide/policy.h"
#include "inspect/finding.h"
#include "inspect/inspector.h"

enum {
    GROUPS_MAX = 1 << 14,
    DESTINATIONS_MAX = 1 << 16,
    PATH_SHOWN = 112
};

/* group is all findings of one class at one place of a protocol, to one destination. */
struct group {
    uint64_t hash; /* 0: empty */
    struct address destination;
    uint16_t port;
    struct place place;
    enum class class;
    enum action action;
    bool violation;
    char path[PATH_SHOWN];
    uint64_t n;
    uint64_t first_packet;
    struct destination *at; /* its destination's row, NULL when that table is full */
};

/* destination is one address that received bytes. */
struct destination {
    uint64_t hash; /* 0: empty */
    struct address address;
    struct place place;
    uint64_t flows, bytes;
    uint64_t findings;              /* personal, opaque not counted */
    uint64_t actions[ACTION_COUNT]; /* of all findings */
    uint64_t opaque_bytes, not_seen_bytes, unrecognised_bytes;
    const char *apps[4];
};

struct tally {
    struct hash_key key;       /* of this table alone: senders choose addresses and paths */
    struct group *recent[256]; /* by path, destination, class: most findings repeat a place */
    uint64_t recent_key[256];
    struct group *groups;
    struct destination *destinations;
    uint32_t n_groups, n_destinations;
    uint64_t groups_lost, destinations_lost; /* findings and flows beyond the tables */
    uint64_t findings[CLASS_COUNT];
    uint64_t actions[ACTION_COUNT];
    uint64_t violations;
    uint64_t flows, outside_flows;
    uint64_t flow_ends[4];
    uint64_t failed_flows; /* not wholly inspected, and the fail row does not pass them */
    uint64_t objects;
};

/* tally_open: false when there is no memory; tally_close is then still called. */
bool tally_open(struct tally *t);
void tally_close(struct tally *t);

/* tally_finding counts one finding with its verdict. */
void tally_finding(struct tally *t, const struct finding *f, const struct verdict *v,
                   const struct address *destination, uint16_t port, const struct place *place);

/* tally_destination gives the row of an address; NULL when the table is full. */
struct destination *tally_destination(struct tally *t, const struct address *a,
                                      const struct place *place);

/* destination_app notes a protocol that goes there; static names. */
void destination_app(struct destination *d, const char *app);

/* tally_merge adds `from` to `to`. */
void tally_merge(struct tally *to, const struct tally *from);

#endif
