/* hash.c - SipHash-1-3. */
#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static struct sip sip_start(const struct hash_key *key)
{
    return (struct sip){key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
                        key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
}

/* sip_end takes the last, short word; its top byte is the length. */
static uint64_t sip_end(struct sip *s, uint64_t rest, size_t n)
{
    sip_word(s, rest | (uint64_t)n << 56);
    s->v2 ^= 0xff;
    sip_round(s);
    sip_round(s);
    sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

uint64_t hash_keyed(const struct hash_key *key, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    struct sip s = sip_start(key);
    size_t i = 0;
    for (; n - i >= 8; i += 8)
        sip_word(&s, load_le(p + i, 8));
    return sip_end(&s, n > i ? load_le(p + i, n - i) : 0, n);
}

uint64_t hash_words(const struct hash_key *key, const uint64_t *words, size_t n)
{
    struct sip s = sip_start(key);
    for (size_t i = 0; i < n; i++)
        sip_word(&s, words[i]);
    return sip_end(&s, 0, n * 8);
}

struct hash_key hash_key_derive(uint64_t seed)
{
    return (struct hash_key){seed, rotate(seed, 29) ^ 0x9e3779b97f4a7c15u};
}

struct hash_key hash_key_random(void)
{
    struct hash_key key;
    FILE *f = fopen("/dev/urandom", "rb");
    if (f != NULL) {
        (void)setvbuf(f, NULL, _IONBF, 0);
        size_t n = fread(&key, sizeof key, 1, f);
        (void)fclose(f);
        if (n == 1)
            return key;
    }
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    key = hash_key_derive((uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec);
    key.k1 ^= (uint64_t)(uintptr_t)&key;
    return key;
}
