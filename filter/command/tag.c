/* tag.c - HMAC-SHA-256 (RFC 2104) with the key's two blocks hashed once.
 *
 * The EVP interface costs several times the hash itself for values of twenty bytes; the plain
 * functions of libcrypto are deprecated as an interface, not as an algorithm.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "command/tag.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_FILE_MIN = 16,
    KEY_FILE_MAX = 4096
};

struct tagger {
    SHA256_CTX inner[CLASS_COUNT]; /* after the key block, the class word and the zero */
    SHA256_CTX outer;
};

enum status tagger_key(const char *path, uint8_t key[32], struct fault *f)
{
    if (path == NULL) {
        if (RAND_bytes(key, 32) != 1)
            return fault_set(f, STATUS_IO, "no random bytes for the run's key");
        return STATUS_OK;
    }
    uint8_t bytes[KEY_FILE_MAX + 1];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fault_set(f, STATUS_IO, "%s: cannot be opened", path);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    if (n < KEY_FILE_MIN || n > KEY_FILE_MAX)
        return fault_set(f, STATUS_USAGE, "%s: a key must have %d..%d bytes, not %zu", path,
                         KEY_FILE_MIN, KEY_FILE_MAX, n);
    (void)SHA256(bytes, n, key);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return STATUS_OK;
}

struct tagger *tagger_open(const uint8_t key[32])
{
    struct tagger *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    uint8_t block[64];
    memset(block, 0x36, sizeof block);
    for (size_t i = 0; i < 32; i++)
        block[i] ^= key[i];
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        const char *word = class_name((enum class)c);
        (void)SHA256_Init(&t->inner[c]);
        (void)SHA256_Update(&t->inner[c], block, sizeof block);
        (void)SHA256_Update(&t->inner[c], word, strlen(word) + 1);
    }
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    (void)SHA256_Init(&t->outer);
    (void)SHA256_Update(&t->outer, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
    return t;
}

void tagger_close(struct tagger *t)
{
    if (t == NULL)
        return;
    OPENSSL_cleanse(t, sizeof *t);
    free(t);
}

void tagger_tag(struct tagger *t, enum class class, const uint8_t *value, size_t len,
                char tag[TAG_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX c = t->inner[class];
    (void)SHA256_Update(&c, value, len);
    (void)SHA256_Final(digest, &c);
    c = t->outer;
    (void)SHA256_Update(&c, digest, sizeof digest);
    (void)SHA256_Final(digest, &c);
    for (size_t i = 0; i < 8; i++) {
        tag[2 * i] = hex[digest[i] >> 4];
        tag[2 * i + 1] = hex[digest[i] & 15];
    }
    tag[16] = '\0';
}
