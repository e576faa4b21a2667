/* tag.h - the keyed digest that stands for a value in output: the same value under the same key has
 * the same tag, and nobody without the key can try values out. */
#ifndef COMMAND_TAG_H
#define COMMAND_TAG_H

#include "base/status.h"
#include "rules/class.h"

#include <stddef.h>
#include <stdint.h>

struct tagger;

enum {
    TAG_TEXT = 17
}; /* 64 bits in hexadecimal, and NUL */

/* tagger_open reads the key (16..4096 bytes) from a file; NULL: a key of this run alone, so that
 * tags of two runs do not compare. One tagger serves one thread; open it once for each. */
enum status tagger_key(const char *path, uint8_t key[32], struct fault *f);
struct tagger *tagger_open(const uint8_t key[32]);
void tagger_close(struct tagger *t);

/* tagger_tag: HMAC-SHA-256 over the class word, a zero byte and the value, its first 8 bytes.
 * Classes are kept apart: equal digits of a phone and an account have different tags. */
void tagger_tag(struct tagger *t, enum class class, const uint8_t *value, size_t len,
                char tag[TAG_TEXT]);

#endif
