/* registry.c - every dissector of the program, in the order in which equal bids win. */
#include "dissectors/dissector.h"

extern const struct dissector json_dissector;
extern const struct dissector http1_dissector;
extern const struct dissector mime_dissector;
extern const struct dissector smtp_dissector;
extern const struct dissector form_dissector;
extern const struct dissector dicom_ul_dissector;
extern const struct dissector dicom_dissector;
extern const struct dissector tls_dissector;
extern const struct dissector ssh_dissector;
extern const struct dissector quic_dissector;
extern const struct dissector dtls_dissector;
extern const struct dissector hl7v2_dissector;
extern const struct dissector xml_dissector;
extern const struct dissector text_dissector;

/* One line each: the build makes the fuzz targets from these lines. */
/* clang-format off */
const struct dissector *const all_dissectors[] = {
    &json_dissector,
    &http1_dissector,
    &mime_dissector,
    &smtp_dissector,
    &form_dissector,
    &dicom_ul_dissector,
    &dicom_dissector,
    &tls_dissector,
    &ssh_dissector,
    &quic_dissector,
    &dtls_dissector,
    &hl7v2_dissector,
    &xml_dissector,
    &text_dissector,
    NULL,
};
/* clang-format on */

const struct dissector *dissector_find(const char *name)
{
    for (size_t i = 0; all_dissectors[i] != NULL; i++)
        if (strcmp(all_dissectors[i]->name, name) == 0)
            return all_dissectors[i];
    return NULL;
}
