/* audit_json.c - JSON Lines of an audit.
 *
 * Lines are the bulk of an audit's output, so each is written into room that is reserved once. All
 * that is written are numbers, addresses, words of the program and paths of dissectors, none of
 * which needs escaping; file names are JSON strings made at the start.
 */
#include <string.h>

#include "command/audit_seat.h"

/* LINE_ROOM bounds a line without the file's name: a path (256), a fragment (500), twenty numbers,
 * the keys. */
enum {
    LINE_ROOM = 4096
};

/* ADD writes a literal at p and moves p behind it. */
#define ADD(p, literal) (memcpy((p), "" literal, sizeof(literal) - 1), (p) += sizeof(literal) - 1)

static char *put_text(char *p, const char *s)
{
    size_t n = strlen(s);
    memcpy(p, s, n);
    return p + n;
}

static char *put_number(char *p, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    memcpy(p, digits + n, sizeof digits - n);
    return p + (sizeof digits - n);
}

static char *put_pair(char *p, uint64_t a, uint64_t b)
{
    ADD(p, "[");
    p = put_number(p, a);
    ADD(p, ",");
    p = put_number(p, b);
    ADD(p, "]");
    return p;
}

static char *put_time(struct worker *w, char *p, uint64_t ns)
{
    uint64_t second = ns / 1000000000u;
    if (w->time_second != second || w->time_text[0] == '\0') {
        struct text whole = {0};
        text_time(&whole, ns);
        if (whole.len >= 20)
            memcpy(w->time_text, whole.s, 20);
        text_free(&whole);
        w->time_second = second;
    }
    memcpy(p, w->time_text, 20);
    uint64_t rest = ns % 1000000000u;
    for (int i = 28; i >= 20; i--, rest /= 10)
        p[i] = (char)('0' + rest % 10);
    p[29] = 'Z';
    return p + 30;
}

static char *put_place(char *p, const struct place *place)
{
    ADD(p, "\"country\":\"");
    p = put_text(p, place->country);
    ADD(p, "\",\"second\":\"");
    p = put_text(p, place->second);
    ADD(p, "\",\"jurisdiction\":\"");
    p = put_text(p, region_name(place->region));
    return put_text(p, place->outside ? "\",\"outside\":true" : "\",\"outside\":false");
}

static char *put_ends(char *p, const struct flow *f, unsigned direction)
{
    char address[ADDRESS_TEXT_MAX];
    ADD(p, "\"src\":\"");
    p = put_text(p, address_format(&f->address[direction], address, sizeof address));
    ADD(p, "\",\"sport\":");
    p = put_number(p, f->port[direction]);
    ADD(p, ",\"dst\":\"");
    p = put_text(p, address_format(&f->address[direction ^ 1u], address, sizeof address));
    ADD(p, "\",\"dport\":");
    p = put_number(p, f->port[direction ^ 1u]);
    ADD(p, ",\"proto\":\"");
    p = put_text(p, proto_name(f->proto));
    ADD(p, "\"");
    return p;
}

/* put_app is no part of the fragment: the name may come, or change, while the flow goes on. */
static char *put_app(char *p, const struct flow *f)
{
    ADD(p, ",\"app\":\"");
    p = put_text(p, app_name(inspector_app(f)));
    ADD(p, "\"");
    return p;
}

static char *put_fragment(struct worker *w, char *p, const struct flow *f, unsigned direction)
{
    struct fragment *g = &w->fragments[(f->hash + direction) % FRAGMENTS];
    if (g->flow != f->first_packet || g->hash != f->hash || g->direction != direction) {
        char *start = p;
        ADD(p, ",\"geo\":{");
        p = put_place(p, place_of(w, &f->address[direction ^ 1u]));
        ADD(p, "},\"flow\":{");
        p = put_ends(p, f, direction);
        size_t len = (size_t)(p - start);
        if (len <= sizeof g->text) {
            g->flow = f->first_packet;
            g->hash = f->hash;
            g->direction = direction;
            g->len = (uint16_t)len;
            memcpy(g->text, start, len);
        }
    } else {
        memcpy(p, g->text, g->len);
        p += g->len;
    }
    p = put_app(p, f);
    ADD(p, "}");
    return p;
}

/* line_begin reserves the room of a line and writes its first members; NULL: no memory. */
static char *line_begin(struct worker *w, const char *event, uint64_t time_ns, uint64_t packet)
{
    const char *source = w->file < w->n_names ? w->names[w->file].s : "\"\"";
    size_t len = w->file < w->n_names ? w->names[w->file].len : 2;
    char *p = text_room(&w->out->text, LINE_ROOM + len);
    if (p == NULL)
        return NULL;
    ADD(p, "{\"event\":\"");
    p = put_text(p, event);
    ADD(p, "\",\"time\":\"");
    p = put_time(w, p, time_ns);
    ADD(p, "\",\"source\":");
    memcpy(p, source, len);
    p += len;
    ADD(p, ",\"packet\":");
    return put_number(p, packet);
}

static void line_close(struct worker *w, char *p, const struct flow *f)
{
    ADD(p, "}\n");
    struct text *t = &w->out->text;
    t->len = (size_t)(p - t->s);
    line_end(w, f);
}

void json_finding(struct worker *w, const struct finding *f, const struct verdict *v)
{
    char *p = line_begin(w, "finding", f->time_ns, f->at.packet);
    if (p == NULL)
        return;
    ADD(p, ",\"offset\":");
    p = put_number(p, f->at.off);
    ADD(p, ",\"path\":\"");
    p = put_text(p, f->path);
    ADD(p, "\",\"class\":\"");
    p = put_text(p, class_name(f->class));
    ADD(p, "\",\"rule\":\"");
    p = put_text(p, f->rule);
    ADD(p, "\",\"action\":\"");
    p = put_text(p, action_name(v->action));
    ADD(p, "\"");
    if (v->violation)
        ADD(p, ",\"violation\":true");
    ADD(p, ",\"length\":");
    p = put_number(p, f->length);
    ADD(p, ",\"tag\":\"");
    if (f->value_len > 0) {
        tagger_tag(w->tagger, f->class, f->value, f->value_len, p);
        p += TAG_TEXT - 1;
    }
    ADD(p, "\",\"confidence\":");
    p = put_number(p, f->confidence);
    p = put_text(p, f->way_back ? ",\"way_back\":true" : ",\"way_back\":false");
    p = put_fragment(w, p, f->flow, f->direction);
    line_close(w, p, f->flow);
}

void json_object(struct worker *w, const struct object *o)
{
    char *p = line_begin(w, "object", o->time_ns, o->at.packet);
    if (p == NULL)
        return;
    ADD(p, ",\"path\":\"");
    p = put_text(p, o->path);
    ADD(p, "\",\"format\":\"");
    p = put_text(p, o->dissector);
    ADD(p, "\",\"kind\":\"");
    p = put_text(p, o->kind);
    ADD(p, "\",\"length\":");
    p = put_number(p, o->length);
    ADD(p, ",\"findings\":");
    p = put_number(p, o->n_findings);
    p = put_text(p, o->whole ? ",\"whole\":true" : ",\"whole\":false");
    p = put_fragment(w, p, o->flow, o->direction);
    line_close(w, p, o->flow);
}

void json_anomaly(struct worker *w, const struct anomaly *a)
{
    char *p = line_begin(w, "anomaly", a->time_ns, a->at.packet);
    if (p == NULL)
        return;
    ADD(p, ",\"offset\":");
    p = put_number(p, a->at.off);
    ADD(p, ",\"path\":\"");
    p = put_text(p, a->path);
    ADD(p, "\",\"what\":\"");
    p = put_text(p, a->what);
    ADD(p, "\",\"length\":");
    p = put_number(p, a->length);
    p = put_fragment(w, p, a->flow, a->direction);
    line_close(w, p, a->flow);
}

void json_flow(struct worker *w, const struct flow *f, const char *end)
{
    static const struct flow_app none;
    const struct flow_app *app = inspector_app(f);
    if (app == NULL)
        app = &none;
    char *p = line_begin(w, "flow", f->first_ns, f->first_packet);
    if (p == NULL)
        return;
    ADD(p, ",");
    p = put_ends(p, f, 0);
    p = put_app(p, f);
    if (app->hint != NULL) {
        ADD(p, ",\"hint\":\"");
        p = put_text(p, app->hint);
        ADD(p, "\"");
    }
    uint64_t ms = (f->last_ns - f->first_ns) / 1000000;
    ADD(p, ",\"seconds\":");
    p = put_number(p, ms / 1000);
    ADD(p, ".");
    *p++ = (char)('0' + ms / 100 % 10);
    *p++ = (char)('0' + ms / 10 % 10);
    *p++ = (char)('0' + ms % 10);
    ADD(p, ",\"packets\":");
    p = put_pair(p, f->packets[0], f->packets[1]);
    ADD(p, ",\"bytes\":");
    p = put_pair(p, f->bytes[0], f->bytes[1]);
    ADD(p, ",\"findings\":");
    p = put_pair(p, app->findings[0], app->findings[1]);
    ADD(p, ",\"not_seen_bytes\":");
    p = put_pair(p, app->gap_bytes[0], app->gap_bytes[1]);
    ADD(p, ",\"not_inspected_bytes\":");
    p = put_pair(p, app->missed_bytes[0], app->missed_bytes[1]);
    ADD(p, ",\"opaque_bytes\":");
    p = put_pair(p, app->opaque_bytes[0], app->opaque_bytes[1]);
    ADD(p, ",\"end\":\"");
    p = put_text(p, end);
    ADD(p, "\",\"geo\":{");
    p = put_place(p, place_of(w, &f->address[1]));
    ADD(p, "}");
    line_close(w, p, f);
}
