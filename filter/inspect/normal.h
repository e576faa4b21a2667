/* normal.h - raw text to normal text: what rules are matched against.
 *
 * Normal text is ASCII where the raw text means ASCII, however it was written: UTF-16, full-width
 * forms (UTF-8, GB 18030, Big5), escapes of JSON, XML, HL7, URLs. Other letters stay as their raw
 * bytes. Internal to inspect/.
 */
#ifndef INSPECT_NORMAL_H
#define INSPECT_NORMAL_H

#include "dissectors/dissector.h"

/* normal_is_plain: the text is its own normal text, or differs from it in wide punctuation only,
 * which is folded where there are wide letters or digits too. */
bool normal_is_plain(const uint8_t *p, size_t n, enum escape escape, enum charset charset);

/* normal_write writes the normal text of p[0..n) into out, which has room for n bytes at least (the
 * text never grows), and for each byte of it in map where its raw bytes begin; map[length] is n. It
 * returns the length. */
size_t normal_write(const uint8_t *p, size_t n, enum escape escape, uint8_t escape_char,
                    enum charset charset, uint8_t *out, uint32_t *map);

#endif
