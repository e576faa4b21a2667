/* dicom_command.h - the command set of a DIMSE message (PS3.7 annex E). */
#ifndef DISSECTORS_DICOM_COMMAND_H
#define DISSECTORS_DICOM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dissectors/dicom_dict.h"

/* dicom_command_vr is the VR of an element of group 0000, VR_NONE for one that PS3.7 does not
 * have. */
enum dicom_vr dicom_command_vr(uint32_t tag);

/* dicom_command is what a command set says of its message. */
struct dicom_command {
    uint16_t field;    /* Command Field (0000,0100) */
    uint16_t data_set; /* Command Data Set Type (0000,0800): 0101H means that none follows */
    bool has_field;
    bool has_data_set;
};

/* dicom_command_peek reads the elements at `p` as far as they lie whole in its `len` bytes, and
 * keeps what it finds in `out`, which may hold findings of an earlier fragment. */
void dicom_command_peek(const uint8_t *p, size_t len, struct dicom_command *out);

/* dicom_command_name is the static lower-case name of a command field, "c-store-rq"; "dimse" for
 * one that PS3.7 table E.1-1 does not have. */
const char *dicom_command_name(uint16_t field);

#endif
