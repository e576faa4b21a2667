/* audit_seat.h - what one worker of an audit keeps; shared by the files that write for it. */
#ifndef COMMAND_AUDIT_SEAT_H
#define COMMAND_AUDIT_SEAT_H

#include "command/audit.h"

enum {
    PLACES = 4096, /* cached answers of geo */
    FRAGMENTS = 512
};

/* cached_place is geo's answer for an address. */
struct cached_place {
    struct address address;
    struct place place;
};

/* fragment is ,"flow":{...},"geo":{...}: the part of a line that is the same for all findings of
 * one direction of a flow. */
struct fragment {
    uint64_t flow; /* first packet of the flow, 0 none */
    uint64_t hash;
    unsigned direction;
    uint16_t len;
    char text[500];
};

struct worker {
    const struct audit *audit;
    struct traffic *traffic;
    struct tagger *tagger;
    struct tally tally;
    struct lines *out; /* of the block being read; NULL: nothing is written */
    uint64_t packet;   /* being read; lines belong to it */
    bool finishing;    /* the source has ended */
    uint32_t file;
    struct text *names; /* JSON strings of the source's file names */
    size_t n_names;
    uint64_t time_second;
    char time_text[21];
    struct cached_place places[PLACES];
    struct fragment fragments[FRAGMENTS];
};

/* place_of asks geo, or remembers. */
const struct place *place_of(struct worker *w, const struct address *a);

/* proto_name is the word of an IP protocol: "tcp". app_name is what our dissector read, or else
 * what nDPI calls the flow. */
const char *proto_name(uint8_t proto);
const char *app_name(const struct flow_app *app);

/* line_end closes the line that was written. Lines stand in the order of packets; when the source
 * has ended, in the order of the flows' first packets. */
void line_end(struct worker *w, const struct flow *f);

/* One object of JSON a line. w->out is not NULL. */
void json_finding(struct worker *w, const struct finding *f, const struct verdict *v);
void json_object(struct worker *w, const struct object *o);
void json_anomaly(struct worker *w, const struct anomaly *a);
void json_flow(struct worker *w, const struct flow *f, const char *end);

/* One line of text each, for --dump. */
void dump_finding(struct worker *w, const struct finding *f, const struct verdict *v);
void dump_event(struct worker *w, const struct dissector *d, const char *path,
                const struct event *ev);
void dump_packet(struct worker *w, const struct packet *p, const struct datagram *d, enum skip why);

#endif
