/* fuzz_dissector.c - the law of cutting as a fuzz target; DISSECTOR names which. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/drive.h"

extern const struct dissector DISSECTOR;
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len > 64 * 1024)
        return 0;
    /* A seed that opens with "hint: ...\n" gives the media type of its layer. */
    char hint[256] = "";
    if (len > 6 && memcmp(bytes, "hint: ", 6) == 0) {
        const uint8_t *end = memchr(bytes, '\n', len);
        if (end == NULL || end - bytes > 255)
            return 0;
        memcpy(hint, bytes + 6, (size_t)(end - bytes) - 6);
        len -= (size_t)(end - bytes) + 1;
        bytes = end + 1;
    }
    struct view head = {bytes, len < PROBE_LEN ? len : PROBE_LEN, 0, len <= PROBE_LEN,
                        hint[0] != '\0' ? hint : NULL};
    (void)DISSECTOR.probe(head);
    char *differs = drive_law(&DISSECTOR, bytes, len, head.hint, 8, (unsigned)len);
    if (differs != NULL) {
        (void)fprintf(stderr, "%s: %s\n", DISSECTOR.name, differs);
        abort();
    }
    if (len > 2) {
        char *log = drive_gap(&DISSECTOR, bytes, len, len / 3, len / 3 + len / 7 + 1, head.hint);
        free(log);
    }
    return 0;
}
