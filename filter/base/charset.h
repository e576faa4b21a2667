/* charset.h - how the bytes of a text value are to be read.
 *
 * The names are facts of the formats (IANA, HL7 table 0211, DICOM PS3.3
 * C.12.1.1.2); decoding lives with the detector.
 */
#ifndef BASE_CHARSET_H
#define BASE_CHARSET_H

#include <stddef.h>
#include <stdint.h>

enum charset {
    CHARSET_UNKNOWN, /* nothing declared: found by trial */
    CHARSET_ASCII,
    CHARSET_UTF8,
    CHARSET_UTF16LE,
    CHARSET_UTF16BE,
    CHARSET_GB18030, /* and its subsets GBK and GB 2312 */
    CHARSET_BIG5,
    CHARSET_LATIN1, /* and any other 8-bit set: ASCII below 0x80, opaque letters above */
    CHARSET_ISO2022 /* code extensions by escape sequences, G0 ASCII at the start of a value */
};

/* charset_from_name finds a set by its IANA name or a common alias ("gb2312",
 * "UTF-8", "x-gbk"), ASCII case ignored, `len` bytes without a terminator.
 * CHARSET_UNKNOWN when the name says nothing to us. */
enum charset charset_from_name(const uint8_t *name, size_t len);

/* charset_name is the IANA name, "unknown" for CHARSET_UNKNOWN. */
const char *charset_name(enum charset c);

#endif
