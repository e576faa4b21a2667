/* dicom_dict.h - which value representation each public DICOM attribute has (PS3.6). */
#ifndef DISSECTORS_DICOM_DICT_H
#define DISSECTORS_DICOM_DICT_H

#include <stddef.h>
#include <stdint.h>

/* dicom_vr is a value representation of PS3.5 section 6.2; VR_NONE where there is none. */
enum dicom_vr {
    VR_NONE,
    VR_AE,
    VR_AS,
    VR_AT,
    VR_CS,
    VR_DA,
    VR_DS,
    VR_DT,
    VR_FD,
    VR_FL,
    VR_IS,
    VR_LO,
    VR_LT,
    VR_OB,
    VR_OD,
    VR_OF,
    VR_OL,
    VR_OV,
    VR_OW,
    VR_PN,
    VR_SH,
    VR_SL,
    VR_SQ,
    VR_SS,
    VR_ST,
    VR_SV,
    VR_TM,
    VR_UC,
    VR_UI,
    VR_UL,
    VR_UN,
    VR_UR,
    VR_US,
    VR_UT,
    VR_UV,
    VR_COUNT
};

/* dicom_dict_tags are the public tags as 0xggggeeee, ascending; dicom_dict_vrs has the VR of each
 * at the same index; dicom_dict_n counts both. */
extern const uint32_t dicom_dict_tags[];
extern const uint8_t dicom_dict_vrs[];
extern const size_t dicom_dict_n;

/* dicom_dict_repeat is a repeating group such as (60xx,3000): a tag is meant when
 * (tag & mask) == bits. */
struct dicom_dict_repeat {
    uint32_t mask;
    uint32_t bits;
    uint8_t vr;
};
extern const struct dicom_dict_repeat dicom_dict_repeats[];
extern const size_t dicom_dict_n_repeats;

/* dicom_dict_vr is the VR of a tag by PS3.6, by PS3.7 annex E for group 0000, and by PS3.5
 * sections 7.2 and 7.8.1 for group lengths and private creators; VR_NONE when nothing says. */
enum dicom_vr dicom_dict_vr(uint32_t tag);

#endif
