/* class.c - the words of the information classes. */
#include "rules/class.h"

#include <stddef.h>
#include <string.h>

static const char *const names[CLASS_COUNT] = {
    [CLASS_PERSON_NAME] = "person_name",
    [CLASS_ID_NUMBER] = "id_number",
    [CLASS_BIRTH_DATE] = "birth_date",
    [CLASS_PHONE] = "phone",
    [CLASS_ADDRESS] = "address",
    [CLASS_BIOMETRIC] = "biometric",
    [CLASS_FACE_IMAGE] = "face_image",
    [CLASS_PASSPORT] = "passport",
    [CLASS_TRAVEL_PERMIT] = "travel_permit",
    [CLASS_RESIDENCE_PERMIT] = "residence_permit",
    [CLASS_MEDICAL_RECORD_NUMBER] = "medical_record_number",
    [CLASS_INSURANCE_NUMBER] = "insurance_number",
    [CLASS_BANK_CARD] = "bank_card",
    [CLASS_EMAIL] = "email",
    [CLASS_LICENCE_PLATE] = "licence_plate",
    [CLASS_ACCOUNT] = "account",
    [CLASS_FREE_TEXT] = "free_text",
    [CLASS_OPAQUE] = "opaque",
};

const char *class_name(enum class c)
{
    return names[c];
}

bool class_from_name(const char *name, enum class *out)
{
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum class)i;
            return true;
        }
    }
    return false;
}
