/* status.c - faults in words. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

enum status fault_set(struct fault *f, enum status status, const char *fmt, ...)
{
    if (f != NULL) {
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(f->text, sizeof f->text, fmt, ap);
        va_end(ap);
    }
    return status;
}
