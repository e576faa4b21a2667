/* input.h - the bytes of one file or stream, unpacked when it is gzip or zstd. */
#ifndef CAPTURE_INPUT_H
#define CAPTURE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct input;

/* input_open opens a path ("-": standard input). `name` stands in faults and must outlive the
 * input. NULL: `f` says why. */
struct input *input_open(const char *path, const char *name, struct fault *f);

/* input_close accepts NULL. */
void input_close(struct input *in);

/* input_read puts 1..size bytes at `to` and their number into *got. STATUS_OK, STATUS_END (nothing
 * more), or a failure told in `f`, after which only input_close is useful. */
enum status input_read(struct input *in, uint8_t *to, size_t size, size_t *got, struct fault *f);

/* input_ready waits at most `wait_ms` and says whether input_read would not block. Always true for
 * regular files. */
bool input_ready(struct input *in, int wait_ms);

/* input_stored is how many bytes were read as stored, before unpacking. */
uint64_t input_stored(const struct input *in);

/* input_packed says whether bytes are unpacked on the way. */
bool input_packed(const struct input *in);

#endif
