/* packet.h - one captured unit, as a source hands it out and the flow room reads it. */
#ifndef BASE_PACKET_H
#define BASE_PACKET_H

#include <stdint.h>

/* packet is what was captured of one link-layer frame. It borrows its bytes from the block it came
 * in and is dead when that block is filled again. */
struct packet {
    const uint8_t *bytes; /* from the first byte of the link layer; never NULL */
    uint32_t len;         /* bytes captured, at most 256 KiB */
    uint32_t wire_len;    /* bytes there were on the wire; > len when the capture cut the frame */
    uint64_t time_ns;     /* since 1970-01-01 UTC; 0 when the format gives none */
    uint64_t number;      /* counts from 1 over the whole run, filtered packets included */
    uint64_t file_off;    /* of bytes[0] in the capture file, after decompression; 0 when live */
    uint32_t file;        /* index into the source's list of names */
    uint16_t link_type;   /* LINKTYPE_ value (tcpdump.org/linktypes.html): 1 Ethernet, 101 raw */
};

#endif
