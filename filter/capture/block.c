/* block.c - the memory of a batch of packets. */
#include <stdlib.h>

#include "capture/source.h"

enum {
    RECORD_MIN = 16 /* no format spends less on a packet */
};

struct block *block_new(void)
{
    struct block *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->capacity = BLOCK_BYTES;
    b->max_packets = BLOCK_BYTES / RECORD_MIN;
    b->memory = malloc(b->capacity);
    b->packets = malloc(b->max_packets * sizeof *b->packets);
    if (b->memory == NULL || b->packets == NULL) {
        block_free(b);
        return NULL;
    }
    return b;
}

void block_free(struct block *b)
{
    if (b == NULL)
        return;
    free(b->packets);
    free(b->memory);
    free(b);
}
