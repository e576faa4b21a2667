/* unpack.h - content codings undone as a stream: gzip, deflate, brotli, zstd, base64,
 * quoted-printable. Decoded bytes have no way back. Internal to inspect/.
 */
#ifndef INSPECT_UNPACK_H
#define INSPECT_UNPACK_H

#include "dissectors/dissector.h"

struct unpacker;

/* unpack_budget is the memory of all unpackers of one owner, in bytes: themselves, their windows
 * and outputs. `limit` is the owner's to set; `used` is kept by the unpackers. */
struct unpack_budget {
    size_t limit, used;
};

/* unpack_no_memory is what unpacker_open, feed and end say at the budget's limit: this address. */
extern const char unpack_no_memory[];

/* unpack_fn receives decoded bytes, borrowed for the call. */
typedef void unpack_fn(void *receiver, const uint8_t *bytes, size_t len);

/* unpacker_open makes a chain for up to four codings, outermost first; the budget must outlive it.
 * NULL: *why says so in static text, "unknown coding" or unpack_no_memory; no coding at all is NULL
 * with *why NULL. */
struct unpacker *unpacker_open(const uint8_t coding[4], struct unpack_budget *budget,
                               const char **why);

/* unpacker_feed gives coded bytes. Returns NULL, or static text that says what is wrong with them:
 * then nothing more will come out. A body may not give out more than 4 GiB, nor, once it gave
 * 64 MiB, more than 1,000 bytes for a coded one. */
const char *unpacker_feed(struct unpacker *d, const uint8_t *bytes, size_t len, unpack_fn *out,
                          void *receiver);

/* unpacker_end gives out what is left; NULL, or what is wrong: the coded bytes end too early. */
const char *unpacker_end(struct unpacker *d, unpack_fn *out, void *receiver);

/* unpacker_close wipes and frees the chain, but for the windows of zstd, which it only frees; NULL
 * is allowed. */
void unpacker_close(struct unpacker *d);

#endif
