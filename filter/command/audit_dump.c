/* audit_dump.c - lines of text for --dump: what each stage hands to the next. */
#include <inttypes.h>

#include "command/audit_seat.h"

static void add_destination(struct worker *w, const struct finding *f, const struct verdict *v)
{
    static const char *const by[] = {"allow", "row", "fail", "default"};
    const struct address *to = &f->flow->address[f->direction ^ 1u];
    char address[ADDRESS_TEXT_MAX];
    struct text *t = &w->out->text;
    text_format(t, " -> %s %s %s by %s", address_format(to, address, sizeof address),
                region_name(place_of(w, to)->region), action_name(v->action), by[v->by]);
    if (v->row > 0)
        text_format(t, " %u", (unsigned)v->row);
    text_add(t, v->downgraded ? " (no way back)" : "");
    text_add(t, v->violation ? " violation" : "");
}

void dump_finding(struct worker *w, const struct finding *f, const struct verdict *v)
{
    struct text *t = &w->out->text;
    text_format(t, "%" PRIu64 "+%" PRIu64 "+%" PRIu64 " %s %s %s", f->at.packet, f->at.off,
                f->length, f->path, class_name(f->class), f->rule);
    if (w->audit->dump == DUMP_VERDICTS)
        add_destination(w, f, v);
    if (w->audit->show_values) {
        text_add(t, " ");
        for (size_t i = 0; i < f->value_len; i++)
            if (f->value[i] >= 0x20 && f->value[i] != 0x7f)
                text_bytes(t, (const char *)&f->value[i], 1);
    }
    text_add(t, "\n");
    line_end(w, f->flow);
}

void dump_event(struct worker *w, const struct dissector *d, const char *path,
                const struct event *ev)
{
    static const char *const kinds[] = {"begin", "end", "field", "payload", "anomaly"};
    struct text *t = &w->out->text;
    text_format(t, "%" PRIu64 " %s %s %s %" PRIu64 "+%" PRIu64, w->packet, d->name, kinds[ev->kind],
                path, ev->at.off, ev->at.len);
    if (ev->kind == EVENT_ANOMALY && ev->hint != NULL)
        text_format(t, " %s", ev->hint);
    text_add(t, "\n");
    line_end(w, NULL);
}

void dump_packet(struct worker *w, const struct packet *p, const struct datagram *d, enum skip why)
{
    struct text *t = &w->out->text;
    char src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX];
    text_format(t, "%" PRIu64 " %u", p->number, (unsigned)p->len);
    if (why == SKIP_NONE || why == SKIP_ICMP || why == SKIP_IP_PROTOCOL)
        text_format(t, " %s %s:%u > %s:%u payload %u+%u", proto_name(d->proto),
                    address_format(&d->src, src, sizeof src), (unsigned)d->sport,
                    address_format(&d->dst, dst, sizeof dst), (unsigned)d->dport,
                    (unsigned)d->payload_off, (unsigned)d->payload_len);
    if (why == SKIP_NONE && d->proto == IP_PROTO_TCP)
        text_format(t, " seq %u ack %u flags %02x", (unsigned)d->seq, (unsigned)d->ack,
                    (unsigned)d->tcp_flags);
    if (why != SKIP_NONE)
        text_format(t, " %s", skip_text(why));
    text_add(t, "\n");
    line_end(w, NULL);
}
