/* dicom_command.c - command sets: always implicit VR little endian, group 0000 (PS3.7 section 6.3).
 */
#include "dissectors/dicom_command.h"

#include "base/bytes.h"

enum dicom_vr dicom_command_vr(uint32_t tag)
{
    switch (tag) {
    case 0x00000000: /* Command Group Length */
    case 0x00000001: /* Command Length to End, retired */
        return VR_UL;
    case 0x00000002: /* Affected SOP Class UID */
    case 0x00000003: /* Requested SOP Class UID */
    case 0x00001000: /* Affected SOP Instance UID */
    case 0x00001001: /* Requested SOP Instance UID */
        return VR_UI;
    case 0x00000100: /* Command Field */
    case 0x00000110: /* Message ID */
    case 0x00000120: /* Message ID Being Responded To */
    case 0x00000700: /* Priority */
    case 0x00000800: /* Command Data Set Type */
    case 0x00000850: /* Number of Matches, retired */
    case 0x00000860: /* Response Sequence Number, retired */
    case 0x00000900: /* Status */
    case 0x00000903: /* Error ID */
    case 0x00001002: /* Event Type ID */
    case 0x00001008: /* Action Type ID */
    case 0x00001020: /* Number of Remaining Sub-operations */
    case 0x00001021: /* Number of Completed Sub-operations */
    case 0x00001022: /* Number of Failed Sub-operations */
    case 0x00001023: /* Number of Warning Sub-operations */
    case 0x00001031: /* Move Originator Message ID */
        return VR_US;
    case 0x00000200: /* Initiator, retired */
    case 0x00000300: /* Receiver, retired */
    case 0x00000400: /* Find Location, retired */
    case 0x00000600: /* Move Destination */
    case 0x00001030: /* Move Originator Application Entity Title */
        return VR_AE;
    case 0x00000901: /* Offending Element */
    case 0x00001005: /* Attribute Identifier List */
        return VR_AT;
    case 0x00000902: /* Error Comment */
        return VR_LO;
    default:
        return VR_NONE;
    }
}

void dicom_command_peek(const uint8_t *p, size_t len, struct dicom_command *out)
{
    struct cursor c = {.bytes = p, .len = len};
    uint16_t group, element;
    uint32_t n;
    const uint8_t *value;
    while (cursor_u16le(&c, &group) && cursor_u16le(&c, &element) && cursor_u32le(&c, &n) &&
           cursor_take(&c, n, &value)) {
        if (group != 0)
            return;
        if (element == 0x0100 && n == 2) {
            out->field = load_u16le(value);
            out->has_field = true;
        } else if (element == 0x0800 && n == 2) {
            out->data_set = load_u16le(value);
            out->has_data_set = true;
        }
    }
}

const char *dicom_command_name(uint16_t field)
{
    static const struct {
        uint16_t field;
        const char *name;
    } names[] = {
        {0x0001, "c-store-rq"},   {0x8001, "c-store-rsp"},       {0x0010, "c-get-rq"},
        {0x8010, "c-get-rsp"},    {0x0020, "c-find-rq"},         {0x8020, "c-find-rsp"},
        {0x0021, "c-move-rq"},    {0x8021, "c-move-rsp"},        {0x0030, "c-echo-rq"},
        {0x8030, "c-echo-rsp"},   {0x0100, "n-event-report-rq"}, {0x8100, "n-event-report-rsp"},
        {0x0110, "n-get-rq"},     {0x8110, "n-get-rsp"},         {0x0120, "n-set-rq"},
        {0x8120, "n-set-rsp"},    {0x0130, "n-action-rq"},       {0x8130, "n-action-rsp"},
        {0x0140, "n-create-rq"},  {0x8140, "n-create-rsp"},      {0x0150, "n-delete-rq"},
        {0x8150, "n-delete-rsp"}, {0x0FFF, "c-cancel-rq"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].field == field)
            return names[i].name;
    return "dimse";
}
