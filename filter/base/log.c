/* log.c - messages to a person, one write each so that threads do not mix lines. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_write(enum log_level level, const char *fmt, ...)
{
    static const char *const words[] = {"error: ", "warning: ", ""};
    char line[1024];
    int n = snprintf(line, sizeof line - 1, "medguan: %s", words[level]);
    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(line + n, sizeof line - 1 - (size_t)n, fmt, ap);
    va_end(ap);
    n = m < 0 ? n : n + m;
    if (n > (int)sizeof line - 2)
        n = (int)sizeof line - 2;
    line[n] = '\n';
    line[n + 1] = '\0';
    (void)fputs(line, stderr);
}
