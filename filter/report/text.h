/* text.h - growing text for output: plain, JSON strings, numbers. No value from the wire passes
 * here: callers give names, places and counts only. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* text is owned by its holder; zeroed is empty. When memory fails, `failed` is set and the text
 * stays as it was. */
struct text {
    char *s; /* not NUL-terminated */
    size_t len, cap;
    bool failed;
};

void text_free(struct text *t);
void text_clear(struct text *t);

/* text_room makes room for n more bytes and gives the place to write them, NULL when it cannot. */
char *text_room(struct text *t, size_t n);

void text_bytes(struct text *t, const char *s, size_t n);
void text_add(struct text *t, const char *s);
void text_number(struct text *t, uint64_t v);
__attribute__((format(printf, 2, 3))) void text_format(struct text *t, const char *fmt, ...);

/* text_json adds a JSON string with its quotes (RFC 8259); invalid UTF-8 becomes U+FFFD. */
void text_json(struct text *t, const char *s);

/* text_html adds text with & < > " ' written as entities. */
void text_html(struct text *t, const char *s);

/* text_time adds nanoseconds since 1970 as RFC 3339 in UTC: 2026-11-23T08:00:00.000000000Z. */
void text_time(struct text *t, uint64_t ns);

/* text_grouped writes a number with separators: 1,234,567. */
void text_grouped(struct text *t, uint64_t v);

/* text_size writes a count of bytes for people: 12.3 MB. */
void text_size(struct text *t, uint64_t bytes);

#endif
