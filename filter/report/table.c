/* table.c - lays out columns. */
#include "report/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void table_free(struct table *t)
{
    text_free(&t->cells);
}

size_t table_width(const char *s)
{
    size_t width = 0;
    for (const unsigned char *p = (const unsigned char *)s; *p != '\0'; p++) {
        if ((*p & 0xc0) == 0x80)
            continue;
        /* East Asian wide characters begin at U+1100; all from U+2E80 on in what we print are wide.
         */
        width += *p >= 0xe3 && *p < 0xf0 ? 2 : 1;
    }
    return width;
}

void table_cell(struct table *t, const char *s)
{
    size_t column = t->n_cells % t->n_columns, width = table_width(s);
    if (width > t->width[column])
        t->width[column] = width;
    text_bytes(&t->cells, s, strlen(s) + 1);
    t->n_cells++;
}

void table_cell_format(struct table *t, const char *fmt, ...)
{
    char cell[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(cell, sizeof cell, fmt, ap);
    va_end(ap);
    table_cell(t, cell);
}

static void spaces(struct text *out, size_t n)
{
    while (n-- > 0)
        text_bytes(out, " ", 1);
}

void table_write(struct table *t, struct text *out, size_t indent, bool bold)
{
    const char *cell = t->cells.s;
    for (size_t i = 0; i < t->n_cells && !t->cells.failed; i++) {
        size_t column = i % t->n_columns, pad = t->width[column] - table_width(cell);
        bool head = bold && i < t->n_columns;
        if (column == 0)
            spaces(out, indent);
        if (head)
            text_add(out, "\033[1m");
        if (t->right >> column & 1)
            spaces(out, pad);
        text_add(out, cell);
        if (head)
            text_add(out, "\033[0m");
        bool last = column + 1 == t->n_columns;
        if (!last && !(t->right >> column & 1))
            spaces(out, pad);
        text_add(out, last ? "\n" : "  ");
        cell += strlen(cell) + 1;
    }
}
