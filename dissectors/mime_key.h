/* mime_key.h - what the usual names of form fields and query parameters mean.
 *
 * Shared by form, http1 (the query of a target) and mime (form-data parts). No
 * standard gives these names: they are what web forms and hospital interfaces
 * in practice use.
 */
#ifndef DISSECTORS_MIME_KEY_H
#define DISSECTORS_MIME_KEY_H

#include "dissectors/dissector.h"

/* mime_key_find gives the number of a known name, from 1, or 0. Percent escapes are read, ASCII
 * case, '_' and '-' ignored; of "a.b" and "a[b]" the last word counts, unless it is an index. */
uint32_t mime_key_find(const uint8_t *name, size_t len);

/* mime_key_value is what a name means: enum value_kind. VALUE_TEXT for 0. */
enum value_kind mime_key_value(uint32_t key);

/* mime_key_name is the name as the table writes it, "*" for 0. */
const char *mime_key_name(uint32_t key);

#endif
