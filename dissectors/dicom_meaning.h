/* dicom_meaning.h - what an attribute means for a person, and how its text is to be read. */
#ifndef DISSECTORS_DICOM_MEANING_H
#define DISSECTORS_DICOM_MEANING_H

#include <stdbool.h>
#include <stdint.h>

#include "dissectors/dicom_dict.h"
#include "dissectors/dissector.h"

enum {
    /* Octets of unknown use up to this length are shown as text, for private blocks often hide
     * some; longer ones are binary. Bytes. */
    DICOM_BLOB_TEXT_MAX = 1 << 20
};

/* dicom_meaning is how a value is to be announced. */
struct dicom_meaning {
    uint8_t value;    /* enum value_kind */
    uint8_t pad;      /* the byte that fills a value to even length, PS3.5 section 6.2 */
    bool has_charset; /* Specific Character Set applies, PS3.5 section 6.1.2.2 */
    bool is_payload;  /* a document of another format */
};

/* dicom_meaning_of says what `len` bytes of `tag` with `vr` mean; `sequence` is the tag of the
 * sequence that the element stands in, 0 for none. */
struct dicom_meaning dicom_meaning_of(uint32_t tag, enum dicom_vr vr, uint32_t len,
                                      uint32_t sequence);

/* dicom_charset_of reads a value of Specific Character Set (0008,0005), PS3.3 section C.12.1.1.2
 * and PS3.5 annexes H to K: CHARSET_UNKNOWN for an empty one or one that names no set. */
enum charset dicom_charset_of(const uint8_t *value, size_t len);

#endif
