/* dicom_ul.h - what the DICOM upper layer remembers, shared by dicom_ul.c (PDUs, messages) and
 * dicom_associate.c (the items of A-ASSOCIATE). PS3.8 section 9.3. */
#ifndef DISSECTORS_DICOM_UL_H
#define DISSECTORS_DICOM_UL_H

#include "dissectors/dicom_command.h"
#include "dissectors/dissector.h"

enum {
    UL_PDU_HEADER = 6,
    UL_PDV_HEADER = 6,
    UL_ITEM_HEADER = 4,
    UL_ASSOCIATE_FIXED = 68, /* bytes of A-ASSOCIATE before its items */
    UL_ASSOCIATE_MAX = 1 << 20,
    UL_PEEK_MAX = 4096, /* bytes of a command fragment that are waited for, to name its message */
    UL_VIEW_MAX = 65536 + 16,
    UL_CONTEXTS = 128 /* odd presentation context identifiers */
};

enum ul_pdu {
    UL_ASSOCIATE_RQ = 1,
    UL_ASSOCIATE_AC,
    UL_ASSOCIATE_RJ,
    UL_DATA,
    UL_RELEASE_RQ,
    UL_RELEASE_RP,
    UL_ABORT
};

enum ul_phase {
    UL_AT_PDU,
    UL_AT_ITEM,     /* among the items of A-ASSOCIATE */
    UL_AT_SUB_ITEM, /* among the items of one presentation context or of the user information */
    UL_AT_PDV,
    UL_IN_PDV,
    UL_ENDED
};

enum ul_message {
    UL_NO_MESSAGE,
    UL_IN_COMMAND,
    UL_BETWEEN, /* the command is whole, its data set has not begun */
    UL_IN_DATA_SET
};

enum ul_anomaly {
    UL_CUT_SHORT,
    UL_INTERLEAVED,
    UL_NO_COMMAND,
    UL_NO_DATA_SET,
    UL_EVEN_CONTEXT,
    UL_RESERVED_BITS,
    UL_BAD_ITEM,
    UL_ANOMALY_COUNT
};

enum {
    UL_SYNTAX_NONE = 0,
    UL_SYNTAX_UNLISTED = 62, /* one, but not of the list of transfer syntaxes */
    UL_SYNTAX_SEVERAL = 63,
    UL_SYNTAX_MASK = 63,
    UL_SYNTAX_DEFLATED = 128 /* flag: deflated is among those said */
};

struct ul_state {
    uint32_t pdu_left;
    uint32_t item_left;
    uint32_t pdv_left;
    uint32_t anomalies; /* bit per enum ul_anomaly: told once a layer */
    struct dicom_command command;
    uint8_t phase;
    uint8_t pdu;          /* enum ul_pdu of the PDU being read */
    uint8_t item;         /* type of the item whose sub-items are being read */
    uint8_t item_context; /* its presentation context */
    bool item_refused;    /* the acceptor refused that context */
    uint8_t pdv_control;
    uint8_t message; /* enum ul_message */
    uint8_t message_context;
    bool payload_open;     /* a part was shown, the last one was not */
    bool payload_deflated; /* its data set is deflated */
    bool proven;           /* a whole PDU header was accepted */
    /* What this direction said of the transfer syntax of each odd context: an index into the
     * syntaxes of dicom_associate.c, or UL_SYNTAX_*. */
    uint8_t syntaxes[UL_CONTEXTS];
};

/* ul_run is one call of feed. */
struct ul_run {
    struct ul_state *s;
    struct view in;
    size_t pos;
    event_fn *emit;
    void *receiver;
    size_t need;
    const char *why;
};

enum ul_step {
    UL_ON,
    UL_MORE, /* show at least `need` bytes from pos on */
    UL_END,  /* all bytes of the view are read */
    UL_STOP,
    UL_BAD,
    UL_LIMIT
};

/* ul_more asks for n bytes from pos on; UL_ON when they are here or will never be. */
enum ul_step ul_more(struct ul_run *r, size_t n);

/* ul_event makes an event of `len` bytes at pos + `skip`. */
struct event ul_event(const struct ul_run *r, enum event_kind kind, size_t skip, size_t len);

/* ul_send emits; UL_ON or UL_STOP. */
enum ul_step ul_send(struct ul_run *r, const struct event *ev);

/* ul_tell emits an anomaly at pos, the first time its kind is met. */
enum ul_step ul_tell(struct ul_run *r, enum ul_anomaly what);

/* ul_mark emits EVENT_BEGIN with `hint`, or EVENT_END for NULL, at pos. */
enum ul_step ul_mark(struct ul_run *r, const char *hint);

/* ul_cut ends a layer that stops inside a header or an item: the rest is shown as text. */
enum ul_step ul_cut(struct ul_run *r);

/* ul_associate_start reads the fixed part of an A-ASSOCIATE PDU at pos. */
enum ul_step ul_associate_start(struct ul_run *r, uint32_t len);

/* ul_associate_item and ul_associate_sub_item read the item at pos. */
enum ul_step ul_associate_item(struct ul_run *r);
enum ul_step ul_associate_sub_item(struct ul_run *r);

/* ul_syntax_uid is the UID of a value of ul_state.syntaxes, NULL when it is not exactly one of the
 * list. */
const char *ul_syntax_uid(uint8_t syntax);

/* ul_associate_path is dissector.path of the events of A-ASSOCIATE. */
int ul_associate_path(const struct event *ev, char *buf, size_t cap);

static inline size_t ul_left(const struct ul_run *r)
{
    return r->in.len - r->pos;
}

#endif
