/* mime.h - what mime.c and mime_field.c share. */
#ifndef DISSECTORS_MIME_H
#define DISSECTORS_MIME_H

#include "dissectors/mime_value.h"

enum mime_step {
    MIME_FIRST,    /* nothing read: message or parts? */
    MIME_SEARCH,   /* parts whose boundary is not known: the first line that starts with "--" */
    MIME_PREAMBLE, /* before the first boundary line */
    MIME_PART,     /* behind a boundary line */
    MIME_FIELDS,   /* at a field, or at the empty line after them */
    MIME_FIELD_LONG,
    MIME_BODY,
    MIME_CLOSED, /* white space behind the last boundary line */
    MIME_TO_END  /* the body of a message, or the epilogue */
};

enum {
    MIME_BOUNDARY_MAX = 200, /* RFC 2046 allows 70 */
    MIME_PADDING_MAX = 64,   /* white space after a boundary; more, and it is no boundary line */
    MIME_CODINGS = 4
};

/* First step of a path. From MIME_PATH_FIELD on: a field name of the table. */
enum {
    MIME_PATH_PREAMBLE = 1,
    MIME_PATH_EPILOGUE,
    MIME_PATH_FORM, /* second step: a key of mime_key.h */
    MIME_PATH_FIELD /* itself: a name that is not in the table */
};

/* mime_state is the state of a layer. */
struct mime_state {
    size_t seen;
    struct mime_long line;
    uint32_t line_path;
    uint8_t step;
    uint8_t boundary_len;
    bool message;    /* a message, not parts */
    bool digest;     /* parts are messages unless they say otherwise: RFC 2046 section 5.1.5 */
    bool epilogue;   /* behind the last boundary line */
    bool line_start; /* a boundary may stand at the next byte */
    bool open;       /* BEGIN was sent, END was not */
    bool body_open;  /* a part of a body was sent, its last was not */
    bool ended;

    /* of the part */
    bool has_filename;
    bool transfer;   /* coding[0] is the transfer encoding */
    uint8_t charset; /* of the body, as its media type declares */
    uint8_t n_codings;
    uint8_t coding[MIME_CODINGS];
    uint32_t key; /* meaning of the form field */
    char boundary[MIME_BOUNDARY_MAX + 1];
    char content_type[MIME_TYPE_CAP];
};
_Static_assert(sizeof(struct mime_state) <= 640, "a layer keeps one of these");

/* mime_field reads the field of `len` bytes at o->pos: emits it and keeps what it says of the body.
 * o->pos stays. */
void mime_field(struct mime_state *s, struct mime_out *o, size_t len);

/* mime_field_long starts a field longer than MIME_LINE_MAX: o->pos goes to its value. */
void mime_field_long(struct mime_state *s, struct mime_out *o);

/* mime_field_name is the table's name for a first path step from MIME_PATH_FIELD on. */
const char *mime_field_name(uint32_t path);

/* mime_text describes a value of plain text at a path of one step. */
struct event mime_text(uint32_t path);

#endif
