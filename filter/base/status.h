/* status.h - how a thing that can fail in the world says so.
 *
 * Three kinds of wrong, never mixed: the wire is wrong (a dissector's feed_result, an anomaly), the
 * world failed (enum status here), we are wrong (assert).
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum status {
    STATUS_OK,
    STATUS_END,    /* nothing more to come; not an error */
    STATUS_IO,     /* a file or device could not be opened, read or written */
    STATUS_FORMAT, /* input is not what it claims to be */
    STATUS_LIMIT,  /* a configured maximum was reached */
    STATUS_MEMORY, /* no memory */
    STATUS_USAGE   /* a person asked for something that cannot be */
};

/* fault is what to tell a person: file, place and reason in one line without a newline. It never
 * holds a value from the wire. Empty text: no fault. */
struct fault {
    char text[512];
};

/* fault_set writes the line, cutting it when too long, and returns `status` so that a function can
 * end with it. A NULL fault is allowed. */
__attribute__((format(printf, 3, 4))) enum status fault_set(struct fault *f, enum status status,
                                                            const char *fmt, ...);

#endif
