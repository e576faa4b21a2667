/* decode.h - content codings undone as a stream: gzip, deflate, brotli, zstd, base64,
 * quoted-printable. Decoded bytes have no way back. Internal to inspect/.
 */
#ifndef INSPECT_DECODE_H
#define INSPECT_DECODE_H

#include "dissectors/dissector.h"

struct decoder;

/* decode_fn receives decoded bytes, borrowed for the call. */
typedef void decode_fn(void *receiver, const uint8_t *bytes, size_t len);

/* decoder_open makes a chain for up to four codings, outermost first. NULL: one of them is unknown,
 * or no memory, or too many decoders are open in this program. */
struct decoder *decoder_open(const uint8_t coding[4]);

/* decoder_feed gives coded bytes. Returns NULL, or static text that says what is wrong with them:
 * then nothing more will come out. */
const char *decoder_feed(struct decoder *d, const uint8_t *bytes, size_t len, decode_fn *out,
                         void *receiver);

/* decoder_end gives out what is left; NULL, or what is wrong: the coded bytes end too early. */
const char *decoder_end(struct decoder *d, decode_fn *out, void *receiver);

/* decoder_close frees the chain; NULL is allowed. */
void decoder_close(struct decoder *d);

#endif
