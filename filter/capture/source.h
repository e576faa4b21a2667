/* source.h - where packets come from: capture files, folders of them, standard input, an interface.
 *
 * Capture files are read by our own code, not libpcap's savefile reader: that one refuses captures
 * whose interfaces differ in link type, stops for good at the first damage, and copies every packet
 * once more. libpcap serves live interfaces and compiles filter expressions.
 *
 * A source is used by one thread; only source_stop and source_progress may be called from others.
 * It knows nothing of what packets mean.
 */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/packet.h"
#include "base/status.h"

enum {
    SOURCE_PACKET_MAX = 256 * 1024, /* largest packet handed out, bytes; larger ones are a fault */
    SOURCE_RESYNC_MAX = 64 * 1024,  /* how far damage is searched for the next record, bytes */
    SOURCE_FAULTS_PER_FILE = 16, /* told one by one; the rest of a file as one line with a count */
    BLOCK_BYTES = 512 * 1024     /* memory of a block for packet bytes */
};

/* block is a batch of packets and the memory that holds their bytes. Blocks are independent of each
 * other and of the source: several may be alive and read by other threads until filled again. */
struct block {
    struct packet *packets; /* in capture order */
    size_t n_packets;
    size_t max_packets; /* from here on private to capture/ */
    uint8_t *memory;
    size_t capacity;
};

/* block_new allocates a block; NULL when there is no memory. block_free accepts NULL. */
struct block *block_new(void);
void block_free(struct block *b);

/* source_fault_fn is told of each fault in the input, in the thread that called source_open or
 * source_fill: one line with file, byte offset and reason. Reading goes on after it. */
typedef void source_fault_fn(void *receiver, const struct fault *f);

struct source_options {
    const char *filter;        /* BPF expression (pcap-filter(7)), or NULL for all packets */
    source_fault_fn *on_fault; /* or NULL: then faults are only counted */
    void *receiver;            /* given to on_fault */
    uint32_t snaplen;          /* live: bytes kept of a packet; 0: SOURCE_PACKET_MAX */
    uint32_t buffer_bytes;     /* live: kernel buffer; 0: 64 MiB */
    uint32_t timeout_ms;       /* live: longest wait for a batch; 0: 100 */
    bool no_promiscuous;       /* live: leave the interface's mode alone */
};

struct source;

/* source_open finds the capture files under `paths` (files; folders, searched to the bottom, where
 * files that are no captures are counted and passed over; "-" for standard input) and orders them
 * by the time of their first packet, then by name; streams (standard input, pipes) come last. pcap
 * and pcapng, plain or packed with gzip or zstd, are known by their first bytes. A path that cannot
 * be read is a fault and the others are read. Options and paths are copied; NULL options are
 * defaults.
 *
 * Returns NULL and tells `f` when there is no memory or the filter is wrong; an empty list of files
 * is a source that ends at once. */
struct source *source_open(const char *const *paths, size_t n_paths,
                           const struct source_options *options, struct fault *f);

/* source_open_live captures from an interface ("any": all). NULL, and `f` says why, when it does
 * not exist, is not permitted, or the filter is wrong. */
struct source *source_open_live(const char *iface, const struct source_options *options,
                                struct fault *f);

/* source_fill empties `b` and fills it with the next packets.
 * STATUS_OK: at least one packet, or a fault was told; a live source also after timeout_ms without
 * packets. STATUS_END: no more (b is empty), or source_stop was called. Others: broken for good,
 * `f` says why. */
enum status source_fill(struct source *s, struct block *b, struct fault *f);

/* source_stop makes source_fill end soon; may be called from a signal handler or another thread. */
void source_stop(struct source *s);

/* source_close frees all; blocks stay alive. NULL is accepted. */
void source_close(struct source *s);

/* source_name is the name of file (or interface) i < source_names, as given or found under a
 * folder;
 * "-" for standard input. Valid until source_close; fixed after source_open. */
size_t source_names(const struct source *s);
const char *source_name(const struct source *s, size_t i);

/* source_progress gives bytes read and to be read, as stored (packed sizes); total 0: not known. */
void source_progress(const struct source *s, uint64_t *done_bytes, uint64_t *total_bytes);

struct source_counts {
    uint64_t packets;         /* seen, filtered ones included */
    uint64_t bytes;           /* captured bytes of them */
    uint64_t filtered;        /* taken out by the filter */
    uint64_t truncated;       /* shorter than on the wire */
    uint64_t oversize;        /* packets above SOURCE_PACKET_MAX, not handed out */
    uint64_t lost_bytes;      /* of files, skipped as damaged or not reached after damage */
    uint64_t faults;          /* all of them, also those not told one by one */
    uint64_t files;           /* read to their end or to a fault */
    uint64_t ignored_files;   /* under folders, not captures */
    uint64_t kernel_drops;    /* live: lost because we were too slow */
    uint64_t interface_drops; /* live: lost by the interface or its driver */
};

/* source_counts_get tells the counts so far. */
void source_counts_get(const struct source *s, struct source_counts *out);

#endif
