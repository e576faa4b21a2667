/* class.h - the information classes: the words of rules, policy, findings and evidence. */
#ifndef RULES_CLASS_H
#define RULES_CLASS_H

#include <stdbool.h>

enum class {
    CLASS_PERSON_NAME,
    CLASS_ID_NUMBER,
    CLASS_BIRTH_DATE,
    CLASS_PHONE,
    CLASS_ADDRESS,
    CLASS_BIOMETRIC,
    CLASS_FACE_IMAGE,
    CLASS_PASSPORT,
    CLASS_TRAVEL_PERMIT,
    CLASS_RESIDENCE_PERMIT,
    CLASS_MEDICAL_RECORD_NUMBER,
    CLASS_INSURANCE_NUMBER,
    CLASS_BANK_CARD,
    CLASS_EMAIL,
    CLASS_LICENCE_PLATE,
    CLASS_ACCOUNT,
    CLASS_FREE_TEXT,
    CLASS_OPAQUE, /* encrypted or not decodable */
    CLASS_COUNT
};

/* class_name is the word: "id_number". */
const char *class_name(enum class c);

/* class_from_name finds a class by its word; false when there is none. */
bool class_from_name(const char *name, enum class *out);

#endif
