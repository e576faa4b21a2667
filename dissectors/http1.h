/* http1.h - what http1.c and http1_header.c share. */
#ifndef DISSECTORS_HTTP1_H
#define DISSECTORS_HTTP1_H

#include "dissectors/mime_line.h"

/* First step of a path. From HTTP1_PATH_HEADER on: a field name of the table. The second step of
 * a query is its key, as in mime_key.h. */
enum {
    HTTP1_PATH_METHOD = 1,
    HTTP1_PATH_TARGET,
    HTTP1_PATH_QUERY,
    HTTP1_PATH_STATUS,
    HTTP1_PATH_REASON,
    HTTP1_PATH_EXTENSION,
    HTTP1_PATH_HEADER /* itself: a name that is not in the table */
};

enum http1_step {
    HTTP1_START,  /* at a start line, or at empty lines before one */
    HTTP1_FIELDS, /* at a header or trailer field, or at the empty line that ends them */
    HTTP1_LONG,   /* inside a line longer than MIME_LINE_MAX */
    HTTP1_PEEK,   /* where the body of a response should start */
    HTTP1_BODY,   /* inside a body whose length is known */
    HTTP1_CHUNK,  /* at a chunk-size line */
    HTTP1_CHUNK_BODY,
    HTTP1_CHUNK_END, /* at the line end after a chunk */
    HTTP1_TO_END,    /* inside a body that ends with the stream */
    HTTP1_AWAIT,     /* after a request for a tunnel: another protocol, or another request */
    HTTP1_TUNNEL     /* inside another protocol, to the end of the stream */
};

enum {
    HTTP1_CODINGS = 5 /* one more than an event can name: a fifth makes the body opaque */
};

/* http1 is the state: of the stream first, then of the message, which starts at `response`. */
struct http1 {
    size_t seen;
    uint64_t left; /* bytes of the body, or of the chunk, still to come */
    uint64_t length;
    struct mime_long line;
    uint32_t line_path;
    uint8_t line_escape;
    uint8_t step;
    bool ended;
    bool open;      /* BEGIN was sent, END was not */
    bool body_open; /* a part of a payload was sent, its last was not */

    bool response;
    bool trailers;
    bool has_length;
    bool length_bad;
    bool chunked;     /* the last transfer coding is chunked */
    bool has_codings; /* Transfer-Encoding was there */
    bool upgrade;
    bool websocket;
    bool connect;
    uint8_t n_transfer, n_content;
    uint8_t transfer[HTTP1_CODINGS]; /* enum coding, in the order they were applied */
    uint8_t content[HTTP1_CODINGS];
    uint16_t status;
    uint32_t said; /* anomalies told of this message, a bit each */
    char content_type[MIME_TYPE_CAP];
};

enum http1_anomaly {
    HTTP1_BARE_LF,
    HTTP1_BARE_CR,
    HTTP1_FOLDED,
    HTTP1_SPACE,
    HTTP1_NO_COLON,
    HTTP1_TWO_LENGTHS,
    HTTP1_LENGTH_AND_CODING,
    HTTP1_CHUNKED_NOT_LAST,
    HTTP1_MANY_CODINGS,
    HTTP1_TWO_TYPES,
    HTTP1_CHUNK_EXTENSION,
    HTTP1_TARGET_SPACE,
    HTTP1_NO_BODY,
    HTTP1_CUT,
    HTTP1_LONG_LINE,
    HTTP1_ANOMALIES
};

/* http1_say tells an anomaly once a message. */
void http1_say(struct http1 *s, struct mime_out *o, enum http1_anomaly what, size_t pos,
               size_t len);

/* http1_field emits the field whose `line` starts at o->pos and keeps what it says of framing. */
void http1_field(struct http1 *s, struct mime_out *o, const struct mime_line *line);

/* http1_field_long starts a field longer than MIME_LINE_MAX: o->pos goes to its value, and the
 * state says how to emit that. */
void http1_field_long(struct http1 *s, struct mime_out *o);

/* http1_field_name is the table's name for a first path step from HTTP1_PATH_HEADER on. */
const char *http1_field_name(uint32_t path);

/* http1_method_len is the length of the method, or of "HTTP/", at the start of a line: 0 when
 * more bytes are needed to tell, SIZE_MAX when there is none. */
size_t http1_method_len(const uint8_t *p, size_t len);

/* http1_method_known tells whether n bytes are a registered method. `prefix`: or its beginning. */
bool http1_method_known(const uint8_t *p, size_t n, bool prefix);

/* http1_start reads the start line at o->pos, emits it, and says whether it was one. */
bool http1_start(struct http1 *s, struct mime_out *o, const struct mime_line *line);

/* http1_start_long starts a start line longer than MIME_LINE_MAX, as http1_field_long. */
bool http1_start_long(struct http1 *s, struct mime_out *o);

#endif
