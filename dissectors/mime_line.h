/* mime_line.h - lines and header fields as mail, HTTP and MIME write them.
 *
 * For the dissectors http1, mime and smtp: where a header field ends, what its
 * name and value are, and how a value that is folded over lines is emitted. It
 * knows no field names.
 */
#ifndef DISSECTORS_MIME_LINE_H
#define DISSECTORS_MIME_LINE_H

#include "dissectors/dissector.h"

enum {
    MIME_LINE_MAX = 65535, /* longest line, or folded field, read as one; bytes */
    MIME_VIEW_MAX = 65536, /* the same and the byte that tells whether it is folded */
    MIME_TYPE_CAP = 256    /* room for a media type with its parameters and NUL */
};

/* mime_out is where the events of one feed call go. `stopped` once the receiver asked to stop;
 * nothing is emitted after that. */
struct mime_out {
    event_fn *emit;
    void *receiver;
    struct view in;
    size_t pos;      /* bytes of the view done with */
    size_t need;     /* bytes from pos to wait for, when a step wants more */
    const char *why; /* static text once the bytes proved bad */
    bool limit;      /* `why` names a limit */
    bool stopped;
};

/* mime_emit sends `ev` for the `len` bytes at `pos` of the view: at and raw are filled in. */
void mime_emit(struct mime_out *o, const struct event *ev, size_t pos, size_t len);

/* mime_emit_text sends a value that may be folded: trimmed, without its line ends, a part each
 * line. `ev` gives kind, value, path, escape and FIELD_NAME. Nothing is sent for white space. */
void mime_emit_text(struct mime_out *o, const struct event *ev, size_t pos, size_t len);

/* mime_emit_mark sends BEGIN, END or an ANOMALY with its static text. */
void mime_emit_mark(struct mime_out *o, enum event_kind kind, const char *hint, size_t pos,
                    size_t len);

/* mime_result turns what a feed call came to into its answer. */
struct feed_result mime_result(const struct mime_out *o);

enum mime_found {
    MIME_WHOLE, /* found */
    MIME_MORE,  /* not decided by the bytes that are here */
    MIME_LONG   /* no end within MIME_LINE_MAX bytes */
};

/* mime_line is one line, or one field with its continuations (RFC 5322 section 2.2.3). */
struct mime_line {
    size_t len;  /* bytes without the last line end */
    size_t full; /* bytes with it */
    bool bare;   /* a line of it ended by LF alone */
    bool cut;    /* the layer ended before the line did */
};

/* mime_line_find looks for the end of the line that starts at o->pos. `folds`: a line that is
 * not empty goes on when the next begins with white space. `*seen`, zero for a new line, keeps
 * how far was looked; MIME_MORE sets o->need. Never MIME_MORE in the last view unless no byte
 * is left. */
enum mime_found mime_line_find(struct mime_out *o, bool folds, size_t *seen, struct mime_line *out);

/* mime_long is a line too long to be read at once: a long value in parts to its end. */
struct mime_long {
    bool started; /* the first part was sent */
    bool folds;   /* as in mime_line_find */
};

/* mime_long_feed sends the bytes at o->pos as parts of the value `ev` until the line ends:
 * MIME_WHOLE, with o->pos on the next line. MIME_MORE when the view ended first. */
enum mime_found mime_long_feed(struct mime_out *o, struct mime_long *l, const struct event *ev);

/* mime_long_end sends the last part because the layer ended. */
void mime_long_end(struct mime_out *o, struct mime_long *l, const struct event *ev);

/* mime_header is a field cut into name and value; offsets from the start of the line. */
struct mime_header {
    size_t name_len; /* 0: the line has no name; the value is all of it */
    size_t value;
    size_t value_len; /* trimmed of white space at both ends */
    bool space;       /* white space before the colon, or before the name */
};

/* mime_header_split cuts a field of `len` bytes. */
struct mime_header mime_header_split(const uint8_t *p, size_t len);

/* mime_trim narrows [*pos, *pos + *len) to what lies between white space. */
void mime_trim(const uint8_t *bytes, size_t *pos, size_t *len);

/* mime_copy writes the value unfolded, with a NUL, cut at cap - 1 bytes or at a NUL of its own. */
void mime_copy(char *out, size_t cap, const uint8_t *p, size_t len);

/* mime_is compares `len` bytes with a whole ASCII text, case ignored. */
bool mime_is(const uint8_t *p, size_t len, const char *text);

/* mime_token takes the next token of a comma-separated list (RFC 9110 section 5.6.1) from *p,
 * without parameters; false at the end. */
bool mime_token(const uint8_t **p, size_t *left, const uint8_t **token, size_t *len);

/* mime_coding is the enum coding of a content, transfer or transfer encoding name; CODING_NONE
 * for those that change nothing (identity, 7bit, 8bit, binary). */
enum coding mime_coding(const uint8_t *p, size_t len);

#endif
