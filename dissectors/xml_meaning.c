/* xml_meaning.c - what XML text and attributes mean by where they stand: CDA R2 and WS/T 500, FHIR
 * R4 XML, HL7 v2 XML, HL7 aECG, DICOM native model, POCT1-A, and ordinary back ends. */
#include "dissectors/xml_state.h"

static enum known_name known(uint16_t name)
{
    return name >= XML_UNKNOWN ? K_NONE : (enum known_name)name;
}

/* Parts of a name, address or identifier that are not it: its use, its period, its type. */
static bool is_aside(enum known_name name)
{
    switch (name) {
    case K_use:
    case K_period:
    case K_start:
    case K_end:
    case K_system:
    case K_rank:
    case K_type:
    case K_validTime:
    case K_extension:
    case K_XPN_7:
    case K_XPN_8:
    case K_CX_2:
    case K_CX_4:
    case K_CX_5:
    case K_CX_6:
    case K_XAD_7:
    case K_XTN_2:
    case K_XTN_3:
    case K_XCN_1:
    case K_XCN_9:
    case K_XCN_10:
    case K_Item:
        return true;
    default:
        return false;
    }
}

static enum xml_scope scope_kind(enum value_kind value)
{
    return (enum xml_scope)(XML_KIND + (int)value);
}

static enum xml_scope dicom_scope(const struct xml_siblings *sib)
{
    enum value_kind value = sib->tag != 0 ? known_name_kind((enum known_name)sib->tag) : VALUE_TEXT;
    if (value == VALUE_TEXT && sib->person != 0)
        value = VALUE_NAME;
    return value == VALUE_TEXT ? XML_PLAIN : scope_kind(value);
}

static bool holds_person(enum xml_scope scope)
{
    return scope == XML_PATIENT || scope == XML_PERSON;
}

static enum xml_scope by_default(enum xml_scope outer, enum known_name name)
{
    enum value_kind value = known_name_kind(name);
    if (value == VALUE_TEXT ||
        (outer == XML_ORGANIZATION && (value == VALUE_ADDRESS || value == VALUE_PHONE)))
        return XML_PLAIN;
    return scope_kind(value);
}

/* Elements that are persons, organisations or other things for all that is in them. */
static enum xml_scope scope_of_thing(enum xml_scope outer, enum known_name name)
{
    switch (name) {
    case K_patientRole:
    case K_trialSubject:
    case K_Patient:
    case K_patient:
    case K_PT:
        return XML_PATIENT;
    case K_assignedPerson:
    case K_associatedPerson:
    case K_informationRecipient:
    case K_guardianPerson:
    case K_guardian:
    case K_relatedSubject:
    case K_relatedEntity:
    case K_assignedEntity:
    case K_assignedAuthor:
    case K_associatedEntity:
    case K_intendedRecipient:
    case K_subjectDemographicPerson:
    case K_contact:
    case K_subject:
    case K_Practitioner:
    case K_RelatedPerson:
    case K_Person:
        return XML_PERSON;
    case K_representedOrganization:
    case K_providerOrganization:
    case K_representedCustodianOrganization:
    case K_serviceProviderOrganization:
    case K_receivedOrganization:
    case K_scopingOrganization:
    case K_wholeOrganization:
    case K_asOrganizationPartOf:
    case K_assignedCustodian:
    case K_healthCareFacility:
        return XML_ORGANIZATION;
    case K_Binary:
    case K_attachment:
    case K_valueAttachment:
    case K_presentedForm:
    case K_content:
        return XML_ATTACHMENT;
    case K_photo:
        return XML_PHOTO;
    default:
        return known_name_is_resource(name) && name != K_Bundle && name != K_List &&
                       name != K_Group && name != K_Parameters
                   ? XML_ORGANIZATION
                   : by_default(outer, name);
    }
}

enum xml_scope xml_scope_enter(const struct xml_state *s, uint16_t id,
                               const struct xml_siblings *sib, uint8_t *note)
{
    enum known_name name = known(id);
    size_t level = s->depth;
    enum xml_scope outer = level == 0 ? XML_PLAIN : (enum xml_scope)s->scope[level - 1];
    *note = 0;
    if (sib->base64 != 0) {
        *note = sib->media;
        return XML_BASE64;
    }
    if (name == K_DicomAttribute)
        return dicom_scope(sib);
    if (name == K_InlineBinary)
        return XML_BASE64;
    if (outer >= XML_KIND)
        return is_aside(name) ? XML_PLAIN : outer;
    switch (name) {
    case K_NONE:
        return XML_PLAIN;
    case K_name:
        return holds_person(outer) ? scope_kind(VALUE_NAME) : XML_NAMED;
    case K_family:
    case K_given:
    case K_prefix:
    case K_suffix:
        return outer == XML_NAMED ? scope_kind(VALUE_NAME) : XML_PLAIN;
    case K_addr:
    case K_address:
        return outer == XML_ORGANIZATION ? XML_PLAIN : scope_kind(VALUE_ADDRESS);
    case K_telecom:
        return outer == XML_ORGANIZATION ? XML_PLAIN : XML_TELECOM;
    case K_identifier:
        return holds_person(outer) ? XML_IDENTIFIER : XML_PLAIN;
    case K_type:
    case K_coding:
        return outer == XML_IDENTIFIER || outer == XML_IDENTIFIER_TYPE ? XML_IDENTIFIER_TYPE
                                                                       : XML_PLAIN;
    case K_value:
        if (outer == XML_TELECOM)
            return scope_kind(VALUE_PHONE);
        if (outer == XML_IDENTIFIER)
            return scope_kind(s->note[level - 1] != 0 ? (enum value_kind)s->note[level - 1]
                                                      : VALUE_RECORD_ID);
        return XML_PLAIN;
    case K_data:
        if (outer != XML_PHOTO && outer != XML_ATTACHMENT)
            return XML_PLAIN;
        *note = s->note[level - 1];
        return outer == XML_PHOTO ? XML_FACE : XML_BASE64;
    default:
        return scope_of_thing(outer, name);
    }
}

static uint32_t payload(enum value_kind value, uint8_t media)
{
    return (uint32_t)value | XML_MEANING_PAYLOAD | (uint32_t)media << XML_MEANING_MEDIA_SHIFT;
}

static uint32_t plain(const uint8_t *p, size_t n)
{
    uint8_t media;
    size_t prefix;
    if (content_embedded(p, n, &media, &prefix))
        return payload(VALUE_BINARY, media) | (uint32_t)prefix << XML_MEANING_PREFIX_SHIFT;
    return VALUE_TEXT;
}

static uint32_t of_kind(enum value_kind value, const uint8_t *p, size_t n)
{
    if (value == VALUE_PHONE || value == VALUE_EMAIL)
        return (uint32_t)content_contact(p, n);
    return (uint32_t)value;
}

uint32_t xml_meaning_text(const struct xml_state *s, const uint8_t *p, size_t n)
{
    if (s->depth == 0 || s->deep > 0)
        return plain(p, n);
    enum xml_scope scope = (enum xml_scope)s->scope[s->depth - 1u];
    if (scope >= XML_KIND)
        return of_kind((enum value_kind)(scope - XML_KIND), p, n);
    if (scope == XML_BASE64 || scope == XML_FACE)
        return payload(scope == XML_FACE ? VALUE_FACE : VALUE_BINARY, s->note[s->depth - 1u]);
    return plain(p, n);
}

/* The value of a FHIR or POCT1-A element stands in an attribute, and may say what another is. */
static uint32_t value_attribute(struct xml_state *s, const uint8_t *p, size_t n)
{
    size_t level = s->depth - 1u;
    enum xml_scope scope = (enum xml_scope)s->scope[level];
    enum known_name name = known(s->name[level]);
    if (scope == XML_TELECOM)
        return (uint32_t)content_contact(p, n);
    if (level == 0)
        return xml_meaning_text(s, p, n);
    size_t outer = level - 1;
    if (name == K_contentType) {
        s->note[outer] = content_media(p, n);
    } else if (name == K_system && s->scope[outer] == XML_IDENTIFIER) {
        enum value_kind value = content_identity(p, n);
        s->note[outer] = value != VALUE_TEXT ? (uint8_t)value : s->note[outer];
    } else if (name == K_code && s->scope[outer] == XML_IDENTIFIER_TYPE) {
        enum value_kind value = content_identity_code(p, n);
        while (outer > 0 && s->scope[outer] == XML_IDENTIFIER_TYPE)
            outer--;
        if (s->scope[outer] == XML_IDENTIFIER && value != VALUE_TEXT)
            s->note[outer] = (uint8_t)value;
    }
    return xml_meaning_text(s, p, n);
}

uint32_t xml_meaning_attribute(struct xml_state *s, uint16_t id, const struct xml_siblings *sib,
                               const uint8_t *p, size_t n)
{
    enum known_name name = known(id);
    if (s->depth == 0 || s->deep > 0) {
        enum value_kind value = known_name_kind(name);
        return value != VALUE_TEXT ? (uint32_t)value : plain(p, n);
    }
    size_t level = s->depth - 1u;
    enum xml_scope scope = (enum xml_scope)s->scope[level];
    enum xml_scope outer = level > 0 ? (enum xml_scope)s->scope[level - 1] : XML_PLAIN;
    switch (name) {
    case K_value:
    case K_V:
        return value_attribute(s, p, n);
    case K_extension:
        if (s->name[level] != K_id)
            return plain(p, n);
        return sib->identity != VALUE_TEXT ? sib->identity
               : outer == XML_PATIENT      ? (uint32_t)VALUE_RECORD_ID
                                           : (uint32_t)VALUE_TEXT;
    case K_name:
        return holds_person(scope) ? (uint32_t)VALUE_NAME : (uint32_t)VALUE_TEXT;
    default:
        break;
    }
    enum value_kind value = known_name_kind(name);
    if (value == VALUE_PHONE || value == VALUE_EMAIL)
        return (uint32_t)content_contact(p, n);
    if (value != VALUE_TEXT && !known_name_is_tag(name))
        return (uint32_t)value;
    return plain(p, n);
}
