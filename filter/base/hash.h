/* hash.h - a keyed hash for tables whose keys an opponent chooses.
 *
 * SipHash-1-3 (Aumasson, Bernstein, 2012; one round a word, three at the end): without the key
 * nobody can choose inputs that fall into one chain.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* hash_key is the 128 secret bits. */
struct hash_key {
    uint64_t k0, k1;
};

/* hash_key_random fills a key from the system's random source. Should that fail, the key is made of
 * the clock and of addresses: hard to guess, not secret. */
struct hash_key hash_key_random(void);

/* hash_key_derive makes a key of a 64-bit secret: the same seed, the same key. */
struct hash_key hash_key_derive(uint64_t seed);

/* hash_keyed is the hash of n bytes; n may be 0. Well spread in all its bits. */
uint64_t hash_keyed(const struct hash_key *key, const void *bytes, size_t n);

/* hash_words is hash_keyed of n words, each taken as eight bytes, least significant first. */
uint64_t hash_words(const struct hash_key *key, const uint64_t *words, size_t n);

#endif
