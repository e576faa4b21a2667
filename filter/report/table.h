/* table.h - columns that line up on a terminal, wide characters counted as two. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "report/text.h"

enum {
    TABLE_COLUMNS = 12
};

/* table collects cells and is written once. Zeroed is empty; `right` has bit i set for columns
 * whose cells stand to the right. */
struct table {
    struct text cells; /* NUL-terminated texts, row by row */
    size_t n_columns, n_cells;
    size_t width[TABLE_COLUMNS];
    unsigned right;
};

void table_free(struct table *t);

/* table_cell adds the next cell; a row is full after n_columns of them. */
void table_cell(struct table *t, const char *s);
__attribute__((format(printf, 2, 3))) void table_cell_format(struct table *t, const char *fmt, ...);

/* table_write lays the rows out, each line indented by `indent` spaces; the first row is the head,
 * and `bold` writes it so. */
void table_write(struct table *t, struct text *out, size_t indent, bool bold);

/* table_width is the number of columns a UTF-8 text takes on a terminal. */
size_t table_width(const char *s);

#endif
