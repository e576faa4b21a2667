/* dicom_element.h - one DICOM data element: its header in each encoding of PS3.5 section 7.1 and
 * annex A, and which encoding bytes speak for. Knows nothing of sequences or of meanings. */
#ifndef DISSECTORS_DICOM_ELEMENT_H
#define DISSECTORS_DICOM_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dissectors/dicom_dict.h"

/* dicom_encoding is how elements are laid out; DICOM_DEFLATED stands for an explicit little endian
 * stream packed by RFC 1951 (PS3.5 section A.5). */
enum dicom_encoding {
    DICOM_UNDECLARED,
    DICOM_IMPLICIT_LE,
    DICOM_EXPLICIT_LE,
    DICOM_EXPLICIT_BE,
    DICOM_DEFLATED
};

enum {
    DICOM_HEADER_MIN = 8,
    DICOM_HEADER_MAX = 12,
    DICOM_ITEM_GROUP = 0xFFFE
};

#define DICOM_UNDEFINED_LEN UINT32_C(0xFFFFFFFF)
#define DICOM_ITEM          UINT32_C(0xFFFEE000)
#define DICOM_ITEM_END      UINT32_C(0xFFFEE00D)
#define DICOM_SEQUENCE_END  UINT32_C(0xFFFEE0DD)
#define DICOM_PIXELS        UINT32_C(0x7FE00010)

/* dicom_form is how far an element's header keeps to its encoding. */
enum dicom_form {
    DICOM_FORM_PLAIN,
    DICOM_FORM_NO_VR,   /* implicit among explicit ones */
    DICOM_FORM_WITH_VR, /* explicit among implicit ones */
    DICOM_FORM_BAD_VR   /* the two bytes of the VR name none */
};

/* dicom_element is a header as read. */
struct dicom_element {
    uint32_t tag;   /* 0xggggeeee */
    uint32_t len;   /* bytes of the value, or DICOM_UNDEFINED_LEN */
    uint8_t header; /* bytes of the header: 8 or 12 */
    uint8_t vr;     /* enum dicom_vr: as written, or by dictionary when implicit */
    uint8_t form;   /* enum dicom_form */
    bool vr_blank;  /* BAD_VR: the same byte twice, as "??", that stands for an unknown one */
};

/* dicom_element_read reads the header at `p`, `n` bytes of which are here, in a container that has
 * `room` bytes left (UINT64_MAX: no end known). It returns 0 and fills `out`, or how many bytes it
 * needs to see; more than `n` always, never more than DICOM_HEADER_MAX. */
size_t dicom_element_read(const uint8_t *p, size_t n, enum dicom_encoding encoding, uint64_t room,
                          struct dicom_element *out);

/* dicom_tag_read gives the tag at the 4 bytes of `p`. */
uint32_t dicom_tag_read(const uint8_t *p, enum dicom_encoding encoding);

/* dicom_vr_read gives the VR that the two letters at `p` name, VR_NONE for none. */
enum dicom_vr dicom_vr_read(const uint8_t *p);

/* dicom_is_private: odd groups above 0008 (PS3.5 section 7.8). */
bool dicom_is_private(uint32_t tag);

enum {
    DICOM_JUDGE_LEN = 16 /* bytes of head that dicom_encoding_judge makes use of */
};

/* dicom_encoding_judge looks at the first element of a data set, `n` bytes of it, and gives the
 * encoding it is most likely in; the declared one when the bytes do not speak clearly against it.
 * `sure` is set to whether the bytes look like an element at all. */
enum dicom_encoding dicom_encoding_judge(const uint8_t *p, size_t n, enum dicom_encoding declared,
                                         bool *sure);

/* dicom_encoding_of gives the encoding that a transfer syntax UID of `len` bytes means (PS3.5
 * section 10, PS3.6 table A-1), padding ignored; DICOM_UNDECLARED for one not of the standard. */
enum dicom_encoding dicom_encoding_of(const uint8_t *uid, size_t len);

#endif
