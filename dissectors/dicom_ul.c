/* dicom_ul.c - the DICOM upper layer: PDUs, and the messages that P-DATA carries (PS3.8 section
 * 9.3.1 and annex E; PS3.7 section 6.3).
 *
 * It never holds a PDU: command and data set go on as parts of a payload each, as they come. Each
 * direction of an association is a layer of its own.
 */
#include <stdio.h>

#include "dissectors/dicom_element.h"
#include "dissectors/dicom_ul.h"

enum {
    CONTROL_COMMAND = 1,
    CONTROL_LAST = 2,
    CONTROL_MASK = 3,
    NO_DATA_SET = 0x0101 /* Command Data Set Type, PS3.7 annex E */
};

#define HINT_COMMAND  "application/dicom-command"
#define HINT_DATA_SET "application/dicom-dataset"

enum ul_step ul_more(struct ul_run *r, size_t n)
{
    if (n <= ul_left(r) || r->in.last)
        return UL_ON;
    r->need = n;
    return UL_MORE;
}

struct event ul_event(const struct ul_run *r, enum event_kind kind, size_t skip, size_t len)
{
    return (struct event){
        .kind = (uint8_t)kind,
        .flags = PART_WHOLE,
        .at = {r->in.off + r->pos + skip, len},
        .raw = len > 0 ? r->in.bytes + r->pos + skip : r->in.bytes,
    };
}

enum ul_step ul_send(struct ul_run *r, const struct event *ev)
{
    return r->emit(r->receiver, ev) ? UL_ON : UL_STOP;
}

enum ul_step ul_tell(struct ul_run *r, enum ul_anomaly what)
{
    static const char *const hints[UL_ANOMALY_COUNT] = {
        [UL_CUT_SHORT] = "cut short",
        [UL_INTERLEAVED] = "messages interleaved",
        [UL_NO_COMMAND] = "data set without a command",
        [UL_NO_DATA_SET] = "command without its data set",
        [UL_EVEN_CONTEXT] = "even presentation context",
        [UL_RESERVED_BITS] = "reserved bits in a message control header",
        [UL_BAD_ITEM] = "malformed item",
    };
    uint32_t bit = UINT32_C(1) << what;
    if (r->s->anomalies & bit)
        return UL_ON;
    r->s->anomalies |= bit;
    struct event ev = ul_event(r, EVENT_ANOMALY, 0, 0);
    ev.hint = hints[what];
    return ul_send(r, &ev);
}

enum ul_step ul_mark(struct ul_run *r, const char *hint)
{
    struct event ev = ul_event(r, hint != NULL ? EVENT_BEGIN : EVENT_END, 0, 0);
    ev.hint = hint;
    return ul_send(r, &ev);
}

/* Emits n bytes at pos as a part of the open payload. */
static enum ul_step payload_part(struct ul_run *r, size_t n, bool last)
{
    struct ul_state *s = r->s;
    struct event ev = ul_event(r, EVENT_PAYLOAD, 0, n);
    char hint[128];
    ev.flags = (uint8_t)((s->payload_open ? 0 : PART_FIRST) | (last ? PART_LAST : 0) | FIXED_LEN);
    const char *uid = ul_syntax_uid(s->syntaxes[s->message_context / 2]);
    if (s->message_context % 2 == 0)
        uid = NULL;
    if (s->message == UL_IN_COMMAND) {
        ev.hint = HINT_COMMAND;
    } else if (s->payload_deflated) {
        ev.hint = HINT_DATA_SET "; transfer-syntax=1.2.840.10008.1.2.1";
        ev.coding[0] = CODING_DEFLATE_RAW;
    } else if (uid != NULL) {
        (void)snprintf(hint, sizeof hint, HINT_DATA_SET "; transfer-syntax=%s", uid);
        ev.hint = hint;
    } else {
        ev.hint = HINT_DATA_SET;
    }
    s->payload_open = !last;
    return ul_send(r, &ev);
}

/* Ends the open message; `why` not UL_ANOMALY_COUNT when it ends before its time. */
static enum ul_step message_end(struct ul_run *r, enum ul_anomaly why)
{
    struct ul_state *s = r->s;
    enum ul_step st = UL_ON;
    if (s->message == UL_NO_MESSAGE)
        return st;
    if (s->payload_open)
        st = payload_part(r, 0, true);
    if (st == UL_ON && why != UL_ANOMALY_COUNT)
        st = ul_tell(r, why);
    s->message = UL_NO_MESSAGE;
    s->payload_deflated = false;
    s->command = (struct dicom_command){0};
    return st == UL_ON ? ul_mark(r, NULL) : st;
}

enum ul_step ul_cut(struct ul_run *r)
{
    if (!r->s->proven) {
        r->why = "not a DICOM upper layer";
        return UL_BAD;
    }
    enum ul_step st = message_end(r, UL_CUT_SHORT);
    if (st == UL_ON)
        st = ul_tell(r, UL_CUT_SHORT);
    struct event ev = ul_event(r, EVENT_FIELD, 0, ul_left(r));
    ev.value = VALUE_TEXT;
    ev.flags |= FIXED_LEN;
    if (st == UL_ON)
        st = ul_send(r, &ev);
    r->pos = r->in.len;
    return st == UL_ON ? UL_END : st;
}

/* What it says that a message ends here: nothing when it may have been complete. */
static enum ul_anomaly message_lacks(const struct ul_state *s)
{
    if (s->message != UL_BETWEEN)
        return UL_CUT_SHORT;
    return s->command.has_data_set ? UL_NO_DATA_SET : UL_ANOMALY_COUNT;
}

static enum ul_step message_begin(struct ul_run *r, uint8_t context, enum ul_message part,
                                  const char *hint)
{
    r->s->message = (uint8_t)part;
    r->s->message_context = context;
    return ul_mark(r, hint);
}

static bool looks_deflated(const struct ul_run *r, uint8_t context, size_t n)
{
    if (context % 2 == 0 || !(r->s->syntaxes[context / 2] & UL_SYNTAX_DEFLATED))
        return false;
    bool sure;
    (void)dicom_encoding_judge(r->in.bytes + r->pos + UL_PDV_HEADER,
                               n < DICOM_JUDGE_LEN ? n : DICOM_JUDGE_LEN, DICOM_UNDECLARED, &sure);
    return !sure && (n >= DICOM_HEADER_MIN ||
                     (r->s->syntaxes[context / 2] & UL_SYNTAX_MASK) != UL_SYNTAX_SEVERAL);
}

/* A command fragment arrives; `n` bytes of it are here to look at. */
static enum ul_step command_arrives(struct ul_run *r, uint8_t context, size_t n)
{
    struct ul_state *s = r->s;
    bool goes_on = s->message == UL_IN_COMMAND && s->message_context == context;
    enum ul_step st = UL_ON;
    if (!goes_on)
        st = message_end(r, s->message == UL_BETWEEN ? message_lacks(s) : UL_INTERLEAVED);
    dicom_command_peek(r->in.bytes + r->pos + UL_PDV_HEADER, n, &s->command);
    if (goes_on || st != UL_ON)
        return st;
    return message_begin(r, context, UL_IN_COMMAND,
                         s->command.has_field ? dicom_command_name(s->command.field) : "dimse");
}

static enum ul_step data_arrives(struct ul_run *r, uint8_t context, size_t n)
{
    struct ul_state *s = r->s;
    if (s->message == UL_IN_DATA_SET && s->message_context == context)
        return UL_ON;
    bool deflated = looks_deflated(r, context, n);
    enum ul_step st = UL_ON;
    if (s->message == UL_BETWEEN && s->message_context == context) {
        s->message = UL_IN_DATA_SET;
    } else {
        enum ul_anomaly what = s->message == UL_NO_MESSAGE ? UL_NO_COMMAND : UL_INTERLEAVED;
        st = message_end(r, UL_ANOMALY_COUNT);
        if (st == UL_ON)
            st = ul_tell(r, what);
        if (st == UL_ON)
            st = message_begin(r, context, UL_IN_DATA_SET, "dimse");
    }
    s->payload_deflated = deflated;
    return st;
}

/* How many bytes of a fragment must be here before it is shown. */
static size_t peek_len(const struct ul_state *s, uint8_t context, uint8_t control, size_t body)
{
    size_t want = 0;
    bool goes_on = s->message == UL_IN_DATA_SET && s->message_context == context;
    if (control & CONTROL_COMMAND)
        want = UL_PEEK_MAX;
    else if (!goes_on && context % 2 != 0 && (s->syntaxes[context / 2] & UL_SYNTAX_DEFLATED))
        want = DICOM_JUDGE_LEN;
    return body < want ? body : want;
}

static enum ul_step step_pdv(struct ul_run *r)
{
    struct ul_state *s = r->s;
    if (s->pdu_left == 0) {
        s->phase = UL_AT_PDU;
        return UL_ON;
    }
    if (s->pdu_left < UL_PDV_HEADER) {
        r->why = "PDV header past its PDU";
        return UL_BAD;
    }
    enum ul_step st = ul_more(r, UL_PDV_HEADER);
    if (st != UL_ON)
        return st;
    if (ul_left(r) < UL_PDV_HEADER)
        return ul_left(r) == 0 ? UL_END : ul_cut(r);
    const uint8_t *p = r->in.bytes + r->pos;
    uint32_t len = load_u32be(p);
    uint8_t context = p[4], control = p[5];
    if (len < 2 || len > s->pdu_left - 4) {
        r->why = "PDV length does not fit its PDU";
        return UL_BAD;
    }
    size_t peek = peek_len(s, context, control, len - 2);
    st = ul_more(r, UL_PDV_HEADER + peek);
    if (st != UL_ON)
        return st;
    if (peek > ul_left(r) - UL_PDV_HEADER)
        peek = ul_left(r) - UL_PDV_HEADER;
    if (context % 2 == 0)
        st = ul_tell(r, UL_EVEN_CONTEXT);
    if (st == UL_ON && control > CONTROL_MASK)
        st = ul_tell(r, UL_RESERVED_BITS);
    if (st == UL_ON)
        st = control & CONTROL_COMMAND ? command_arrives(r, context, peek)
                                       : data_arrives(r, context, peek);
    r->pos += UL_PDV_HEADER;
    s->pdu_left -= 4 + len;
    s->pdv_left = len - 2;
    s->pdv_control = control;
    s->phase = UL_IN_PDV;
    return st;
}

/* The last fragment of a command or data set has been shown. */
static enum ul_step message_goes_on(struct ul_run *r)
{
    struct ul_state *s = r->s;
    if (s->message == UL_IN_COMMAND) {
        s->message = UL_BETWEEN;
        if (!s->command.has_data_set || s->command.data_set != NO_DATA_SET)
            return UL_ON;
    }
    return message_end(r, UL_ANOMALY_COUNT);
}

static enum ul_step step_body(struct ul_run *r)
{
    struct ul_state *s = r->s;
    size_t n = ul_left(r);
    if (n > s->pdv_left)
        n = s->pdv_left;
    bool done = n == s->pdv_left, ends = done && (s->pdv_control & CONTROL_LAST) != 0;
    if (n == 0 && !done)
        return UL_END;
    enum ul_step st = n > 0 || ends ? payload_part(r, n, ends) : UL_ON;
    r->pos += n;
    s->pdv_left -= (uint32_t)n;
    if (!done)
        return st == UL_ON ? UL_END : st;
    s->phase = UL_AT_PDV;
    return ends && st == UL_ON ? message_goes_on(r) : st;
}

/* A PDU of four bytes that says one thing: reject, release, abort. */
static enum ul_step short_pdu(struct ul_run *r, uint32_t len, const char *hint)
{
    if (len != 4) {
        r->why = "PDU length is not 4";
        return UL_BAD;
    }
    enum ul_step st = ul_more(r, UL_PDU_HEADER + 4);
    if (st != UL_ON)
        return st;
    if (ul_left(r) < UL_PDU_HEADER + 4)
        return ul_cut(r);
    st = message_end(r, message_lacks(r->s));
    if (st == UL_ON)
        st = ul_mark(r, hint);
    struct event ev = ul_event(r, EVENT_FIELD, UL_PDU_HEADER, 4);
    ev.value = VALUE_NUMBER;
    ev.flags |= FIXED_LEN;
    ev.n_path = 1;
    ev.path[0] = r->s->pdu;
    if (st == UL_ON)
        st = ul_send(r, &ev);
    r->pos += UL_PDU_HEADER + 4;
    return st == UL_ON ? ul_mark(r, NULL) : st;
}

static enum ul_step step_pdu(struct ul_run *r)
{
    struct ul_state *s = r->s;
    if (ul_left(r) == 0)
        return UL_END;
    enum ul_step st = ul_more(r, UL_PDU_HEADER);
    if (st != UL_ON)
        return st;
    if (ul_left(r) < UL_PDU_HEADER)
        return ul_cut(r);
    const uint8_t *p = r->in.bytes + r->pos;
    uint32_t len = load_u32be(p + 2);
    s->pdu = p[0];
    switch ((enum ul_pdu)p[0]) {
    case UL_ASSOCIATE_RQ:
    case UL_ASSOCIATE_AC:
        st = message_end(r, message_lacks(s));
        if (st == UL_ON)
            st = ul_associate_start(r, len);
        break;
    case UL_ASSOCIATE_RJ:
        st = short_pdu(r, len, "a-associate-rj");
        break;
    case UL_DATA:
        s->pdu_left = len;
        s->phase = UL_AT_PDV;
        r->pos += UL_PDU_HEADER;
        break;
    case UL_RELEASE_RQ:
        st = short_pdu(r, len, "a-release-rq");
        break;
    case UL_RELEASE_RP:
        st = short_pdu(r, len, "a-release-rp");
        break;
    case UL_ABORT:
        st = short_pdu(r, len, "a-abort");
        break;
    default:
        r->why = "unknown PDU type";
        return UL_BAD;
    }
    if (st == UL_ON)
        s->proven = true;
    return st;
}

static enum ul_step step_on(struct ul_run *r)
{
    switch ((enum ul_phase)r->s->phase) {
    case UL_AT_PDU:
        return step_pdu(r);
    case UL_AT_ITEM:
        return ul_associate_item(r);
    case UL_AT_SUB_ITEM:
        return ul_associate_sub_item(r);
    case UL_AT_PDV:
        return step_pdv(r);
    case UL_IN_PDV:
        return step_body(r);
    case UL_ENDED:
        break;
    }
    r->pos = r->in.len;
    return UL_END;
}

/* After the last byte of the layer. */
static enum ul_step layer_end(struct ul_run *r)
{
    struct ul_state *s = r->s;
    bool in_associate = s->phase == UL_AT_ITEM || s->phase == UL_AT_SUB_ITEM;
    bool in_data = s->phase == UL_IN_PDV || (s->phase == UL_AT_PDV && s->pdu_left > 0);
    enum ul_step st = message_end(r, in_data ? UL_CUT_SHORT : message_lacks(s));
    if (st == UL_ON && (in_associate || in_data))
        st = ul_tell(r, UL_CUT_SHORT);
    if (st == UL_ON && in_associate)
        st = ul_mark(r, NULL);
    s->phase = UL_ENDED;
    return st == UL_ON ? UL_END : st;
}

static struct feed_result ul_feed(void *state, struct view in, event_fn *emit, void *receiver)
{
    struct ul_run r = {.s = state, .in = in, .emit = emit, .receiver = receiver};
    enum ul_step st;
    do
        st = step_on(&r);
    while (st == UL_ON);
    if (st == UL_END && in.last && r.s->phase != UL_ENDED)
        st = layer_end(&r);
    switch (st) {
    case UL_MORE:
        return feed_more(r.pos, r.need);
    case UL_STOP:
        return feed_stop(r.pos);
    case UL_BAD:
        return feed_bad(r.pos, r.why);
    case UL_LIMIT:
        return feed_limit(r.pos, r.why);
    case UL_ON:
    case UL_END:
        break;
    }
    return feed_ok(r.pos);
}

/* Inside a fragment the count of its bytes holds; anywhere else the next PDU cannot be found. */
static bool ul_gap(void *state, struct span missing)
{
    struct ul_state *s = state;
    if (s->phase != UL_IN_PDV || missing.len > s->pdv_left)
        return false;
    s->pdv_left -= (uint32_t)missing.len;
    return true;
}

static bool is_title(const uint8_t *p)
{
    for (size_t i = 0; i < 16; i++)
        if (p[i] != 0 && (p[i] < 0x20 || p[i] == 0x7F))
            return false;
    return true;
}

static unsigned probe_associate(struct view head, uint32_t len)
{
    if (len < UL_ASSOCIATE_FIXED || len > UL_ASSOCIATE_MAX || head.len < 10 || !(head.bytes[7] & 1))
        return 0;
    if (head.len < 42)
        return 16;
    unsigned bid = is_title(head.bytes + 10) && is_title(head.bytes + 26) ? 40 : 16;
    return head.bytes[6] == 0 && head.bytes[7] == 1 ? bid : bid / 2;
}

static unsigned probe_data(struct view head, uint32_t len)
{
    static const uint8_t command[] = {0, 0, 0, 0, 4, 0, 0, 0};
    const size_t body = UL_PDU_HEADER + UL_PDV_HEADER;
    if (head.len < body)
        return 0;
    uint32_t pdv = load_u32be(head.bytes + UL_PDU_HEADER);
    uint8_t context = head.bytes[10], control = head.bytes[11];
    if (pdv < 2 || len < 4 || pdv > len - 4 || context % 2 == 0 || control > CONTROL_MASK)
        return 0;
    if ((control & CONTROL_COMMAND) && head.len >= body + sizeof command &&
        memcmp(head.bytes + body, command, sizeof command) == 0)
        return 48;
    return pdv == len - 4 ? 24 : 16;
}

static unsigned ul_probe(struct view head)
{
    if (head.len < UL_PDU_HEADER || head.bytes[1] != 0)
        return 0;
    uint32_t len = load_u32be(head.bytes + 2);
    switch (head.bytes[0]) {
    case UL_ASSOCIATE_RQ:
    case UL_ASSOCIATE_AC:
        return probe_associate(head, len);
    case UL_DATA:
        return probe_data(head, len);
    case UL_ASSOCIATE_RJ:
    case UL_RELEASE_RQ:
    case UL_RELEASE_RP:
    case UL_ABORT:
        return len == 4 && head.len >= 10 && head.bytes[6] == 0 ? 24 : 0;
    default:
        return 0;
    }
}

/* 104 and 11112 are registered; 4242 is a common default of archives. */
static const uint16_t ul_ports[] = {104, 11112, 4242, 0};

const struct dissector dicom_ul_dissector = {
    .name = "dicom_ul",
    .spec = "DICOM PS3.8 section 9 and PS3.7 annexes D and E, 2025b",
    .state_size = sizeof(struct ul_state),
    .max_view = UL_VIEW_MAX,
    .ports = ul_ports,
    .probe = ul_probe,
    .feed = ul_feed,
    .gap = ul_gap,
    .path = ul_associate_path,
};
