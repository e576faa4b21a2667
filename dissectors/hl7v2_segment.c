/* hl7v2_segment.c - the lines of an HL7 v2 message: segments, and where a message ends (2.5, 2.6).
 */
#include "dissectors/hl7v2_state.h"

void hl7v2_segment_enter(struct reader *r, const uint8_t *name, uint32_t field)
{
    struct hl7v2_state *s = r->s;
    r->ev.path[AT_SEGMENT] = (uint32_t)name[0] << 16 | (uint32_t)name[1] << 8 | name[2];
    s->segment = (uint8_t)hl7v2_segment_find(name);
    s->obx_type = TYPE_TEXT;
    s->phase = PHASE_VALUES;
    s->looked = 0;
    s->escaped = 0;
    field_enter(r, hl7v2_segment_at(s->segment), field);
}

enum step hl7v2_wait(struct reader *r)
{
    r->need = r->in.len - r->pos + 1;
    return STEP_MORE;
}

enum step hl7v2_message_leave(struct reader *r, size_t framing)
{
    struct hl7v2_state *s = r->s;
    if (framing == 0 && (s->flags & FLAG_FRAMED) &&
        !hl7v2_tell(r, EVENT_ANOMALY, r->pos, 0, "message frame without an end"))
        return STEP_STOP;
    if (!hl7v2_message_end(r, r->pos))
        return STEP_STOP;
    r->pos += framing;
    s->phase = PHASE_BETWEEN;
    s->flags |= FLAG_LINE;
    return STEP_ON;
}

/* line_enter begins a line that is no segment: all of it is text. */
static enum step line_enter(struct reader *r)
{
    static const uint8_t none[3] = {0, 0, 0};
    if (!hl7v2_tell(r, EVENT_ANOMALY, r->pos, 0, "line is not a segment"))
        return STEP_STOP;
    hl7v2_segment_enter(r, none, 0);
    return STEP_ON;
}

/* header_enter ends the message before a header; its frame, if any, goes on. */
static enum step header_enter(struct reader *r)
{
    struct hl7v2_state *s = r->s;
    uint8_t framed = s->flags & FLAG_FRAMED;
    if (!hl7v2_message_end(r, r->pos))
        return STEP_STOP;
    s->flags |= framed;
    s->phase = PHASE_HEADER;
    return STEP_ON;
}

/* trailer_enter reads a BTS or FTS as a message of its own, with the delimiters before it. */
static enum step trailer_enter(struct reader *r)
{
    const uint8_t *name = r->in.bytes + r->pos;
    if (header_enter(r) == STEP_STOP)
        return STEP_STOP;
    r->s->flags |= FLAG_MESSAGE;
    if (!hl7v2_tell(r, EVENT_BEGIN, r->pos, 0, hl7v2_segment_at(hl7v2_segment_find(name))->name))
        return STEP_STOP;
    hl7v2_segment_enter(r, name, 0);
    r->pos += 3;
    return STEP_ON;
}

static bool is_name(const uint8_t *p)
{
    for (size_t i = 0; i < 3; i++) {
        bool digit = i > 0 && p[i] >= '0' && p[i] <= '9';
        if (!digit && (p[i] < 'A' || p[i] > 'Z'))
            return false;
    }
    return true;
}

enum step hl7v2_segment_read(struct reader *r)
{
    const uint8_t *p = r->in.bytes + r->pos;
    size_t left = r->in.len - r->pos;
    enum start start = START_NO;
    if (p[0] == '\r' || p[0] == '\n') {
        r->pos++;
        return STEP_ON;
    }
    if (p[0] == 0x1c)
        start = hl7v2_block_ends(&r->in, r->pos);
    if (p[0] == 0x0b)
        start = hl7v2_start_at(&r->in, r->pos + 1);
    if (start == START_YES)
        return hl7v2_message_leave(r, p[0] == 0x1c);
    if (start == START_NO && (p[0] == 'M' || p[0] == 'F' || p[0] == 'B'))
        start = hl7v2_start_at(&r->in, r->pos);
    if (start == START_YES)
        return header_enter(r);
    if (start == START_SHORT)
        return hl7v2_wait(r);
    size_t n = left < 3 ? left : 3;
    for (size_t i = 0; i < n; i++)
        if (p[i] < ' ')
            return line_enter(r);
    if (left < 4 && !r->in.last)
        return hl7v2_wait(r);
    if (left < 3 || !is_name(p) || (left > 3 && p[3] != r->s->delimiters.field && p[3] >= ' '))
        return line_enter(r);
    if (p[1] == 'T' && p[2] == 'S' && (p[0] == 'B' || p[0] == 'F'))
        return trailer_enter(r);
    hl7v2_segment_enter(r, p, 0);
    r->pos += 3;
    return STEP_ON;
}
