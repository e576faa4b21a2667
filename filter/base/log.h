/* log.h - one line a message on standard error. It has no way to print bytes from the wire. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_NOTE
};

/* log_write prints "medguan: <level>: <text>" as one line; safe from several threads. */
__attribute__((format(printf, 2, 3))) void log_write(enum log_level level, const char *fmt, ...);

#endif
