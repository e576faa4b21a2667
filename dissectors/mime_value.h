/* mime_value.h - what is inside the value of a mail or MIME field.
 *
 * Encoded words (RFC 2047), addresses (RFC 5322 section 3.4) and parameters
 * (RFC 2045 section 5.1, RFC 2231). It knows syntax, no field names.
 */
#ifndef DISSECTORS_MIME_VALUE_H
#define DISSECTORS_MIME_VALUE_H

#include "dissectors/mime_line.h"

enum {
    MIME_PARAM_NAME = 1, /* second step of a path: which parameter */
    MIME_PARAM_FILENAME
};

/* mime_emit_words sends a value as it reads: encoded words as payloads of packed text, neighbours
 * of one charset and encoding as one; addresses as VALUE_EMAIL when `addresses`; the text between
 * as `ev` says. */
void mime_emit_words(struct mime_out *o, const struct event *ev, bool addresses, size_t pos,
                     size_t len);

/* mime_params is what the parameters of one value said. */
struct mime_params {
    struct span name;  /* content of `name`, in the view; len 0 when absent */
    bool has_filename; /* filename or name of a file was there */
};

/* mime_emit_params sends a value with parameters: what is before the first semicolon and
 * parameters nobody knows as `ev` says, `name` and `filename` with a second path step. */
void mime_emit_params(struct mime_out *o, const struct event *ev, size_t pos, size_t len,
                      struct mime_params *out);

/* mime_param_copy finds a parameter in an unfolded value, e.g. the boundary of a media type, and
 * writes its content without quotes. False when absent, empty or longer than cap - 1 bytes. */
bool mime_param_copy(const char *value, const char *name, char *out, size_t cap);

#endif
