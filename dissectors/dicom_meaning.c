/* dicom_meaning.c - attributes whose meaning for a person is more than their VR says.
 *
 * Every PN is a name by its VR (PS3.5 section 6.2); the table has the rest. Clauses are of PS3.3.
 */
#include "dissectors/dicom_meaning.h"

struct row {
    uint32_t tag;
    uint8_t value;
};

/* Ascending by tag. */
static const struct row rows[] = {
    {0x00080050, VALUE_RECORD_ID},    /* Accession Number, C.7.2.1 */
    {0x00080092, VALUE_ADDRESS},      /* Referring Physician's Address, C.7.2.1 */
    {0x00080094, VALUE_PHONE},        /* Referring Physician's Telephone Numbers, C.7.2.1 */
    {0x00100012, VALUE_NAME},         /* Name to Use, C.7.1.1 */
    {0x00100020, VALUE_RECORD_ID},    /* Patient ID, C.7.1.1 */
    {0x00100030, VALUE_BIRTH_DATE},   /* Patient's Birth Date, C.7.1.1 */
    {0x00100032, VALUE_BIRTH_DATE},   /* Patient's Birth Time, C.7.1.1 */
    {0x00100033, VALUE_BIRTH_DATE},   /* Patient's Birth Date in Alternative Calendar, C.7.1.1 */
    {0x00101000, VALUE_RECORD_ID},    /* Other Patient IDs, retired, C.7.1.1 */
    {0x00101040, VALUE_ADDRESS},      /* Patient's Address, C.2.3 */
    {0x00101050, VALUE_INSURANCE_ID}, /* Insurance Plan Identification, retired, C.2.3 */
    {0x00102154, VALUE_PHONE},        /* Patient's Telephone Numbers, C.2.3 */
    {0x00102155, VALUE_PHONE},        /* Patient's Telecom Information, C.2.3 */
    {0x00120040, VALUE_RECORD_ID},    /* Clinical Trial Subject ID, C.7.1.3 */
    {0x00120042, VALUE_RECORD_ID},    /* Clinical Trial Subject Reading ID, C.7.1.3 */
    {0x0016004D, VALUE_NAME},         /* Camera Owner Name, C.8.12 */
    {0x00281101, VALUE_IMAGE},        /* Palette Color Lookup Tables, C.7.6.3.1 */
    {0x00281102, VALUE_IMAGE},        {0x00281103, VALUE_IMAGE},
    {0x00281200, VALUE_IMAGE},        {0x00281201, VALUE_IMAGE},
    {0x00281202, VALUE_IMAGE},        {0x00281203, VALUE_IMAGE},
    {0x00281204, VALUE_IMAGE},        {0x00281211, VALUE_IMAGE},
    {0x00281212, VALUE_IMAGE},        {0x00281213, VALUE_IMAGE},
    {0x00281221, VALUE_IMAGE},        {0x00281222, VALUE_IMAGE},
    {0x00281223, VALUE_IMAGE},        {0x00281224, VALUE_IMAGE},
    {0x00281408, VALUE_IMAGE},     /* Blending Lookup Table Data, C.7.6.23 */
    {0x00283006, VALUE_IMAGE},     /* LUT Data, C.11.1 */
    {0x00380010, VALUE_RECORD_ID}, /* Admission ID, C.3.3 */
    {0x00380060, VALUE_RECORD_ID}, /* Service Episode ID, C.3.2 */
    {0x0040050A, VALUE_RECORD_ID}, /* Specimen Accession Number, retired */
    {0x00401006, VALUE_RECORD_ID}, /* Placer Order Number / Procedure, retired */
    {0x00401007, VALUE_RECORD_ID}, /* Filler Order Number / Procedure, retired */
    {0x00401102, VALUE_ADDRESS},   /* Person's Address, table 10-1 */
    {0x00401103, VALUE_PHONE},     /* Person's Telephone Numbers, table 10-1 */
    {0x00401104, VALUE_PHONE},     /* Person's Telecom Information, table 10-1 */
    {0x00402006, VALUE_RECORD_ID}, /* Placer Order Number, retired */
    {0x00402007, VALUE_RECORD_ID}, /* Filler Order Number, retired */
    {0x00402010, VALUE_PHONE},     /* Order Callback Phone Number, C.4.12 */
    {0x00402011, VALUE_PHONE},     /* Order Callback Telecom Information, C.4.12 */
    {0x00402016, VALUE_RECORD_ID}, /* Placer Order Number / Imaging Service Request, C.4.12 */
    {0x00402017, VALUE_RECORD_ID}, /* Filler Order Number / Imaging Service Request, C.4.12 */
    {0x0040A353, VALUE_ADDRESS},   /* Address (Trial), retired */
    {0x0040A354, VALUE_PHONE},     /* Telephone Number (Trial), retired */
    {0x0074100C, VALUE_NAME},      /* Contact Display Name, C.30.1 */
    {0x00880910, VALUE_NAME},      /* Topic Author, retired */
    {0x04000520, VALUE_OPAQUE},    /* Encrypted Content, C.12.1.1.4.1 */
    {0x21000160, VALUE_ACCOUNT},   /* Owner ID of a print job, C.13.1 */
    {0x4008011A, VALUE_ADDRESS},   /* Distribution Address, retired */
    {0x54001010, VALUE_IMAGE},     /* Waveform Data, C.10.9 */
    {0x56000010, VALUE_IMAGE},     /* First Order Phase Correction Angle, C.8.14 */
    {0x56000020, VALUE_IMAGE},     /* Spectroscopy Data, C.8.14 */
    {0x7FE00008, VALUE_IMAGE},     /* Float Pixel Data, C.7.6.24 */
    {0x7FE00009, VALUE_IMAGE},     /* Double Float Pixel Data, C.7.6.25 */
    {0x7FE00010, VALUE_IMAGE},     /* Pixel Data, C.7.6.3 */
};

static const uint8_t value_of_vr[VR_COUNT] = {
    [VR_NONE] = VALUE_TEXT, [VR_AE] = VALUE_TEXT,   [VR_AS] = VALUE_NUMBER, [VR_AT] = VALUE_NUMBER,
    [VR_CS] = VALUE_CODE,   [VR_DA] = VALUE_DATE,   [VR_DS] = VALUE_NUMBER, [VR_DT] = VALUE_DATE,
    [VR_FD] = VALUE_NUMBER, [VR_FL] = VALUE_NUMBER, [VR_IS] = VALUE_NUMBER, [VR_LO] = VALUE_TEXT,
    [VR_LT] = VALUE_TEXT,   [VR_OB] = VALUE_TEXT,   [VR_OD] = VALUE_BINARY, [VR_OF] = VALUE_BINARY,
    [VR_OL] = VALUE_BINARY, [VR_OV] = VALUE_BINARY, [VR_OW] = VALUE_TEXT,   [VR_PN] = VALUE_NAME,
    [VR_SH] = VALUE_TEXT,   [VR_SL] = VALUE_NUMBER, [VR_SQ] = VALUE_TEXT,   [VR_SS] = VALUE_NUMBER,
    [VR_ST] = VALUE_TEXT,   [VR_SV] = VALUE_NUMBER, [VR_TM] = VALUE_DATE,   [VR_UC] = VALUE_TEXT,
    [VR_UI] = VALUE_UID,    [VR_UL] = VALUE_NUMBER, [VR_UN] = VALUE_TEXT,   [VR_UR] = VALUE_TEXT,
    [VR_US] = VALUE_NUMBER, [VR_UT] = VALUE_TEXT,   [VR_UV] = VALUE_NUMBER,
};

/* Bit sets over enum dicom_vr. */
#define VR_BIT(vr) (UINT64_C(1) << (vr))

/* PS3.5 section 6.1.2.3. */
static const uint64_t vr_with_charset = VR_BIT(VR_LO) | VR_BIT(VR_LT) | VR_BIT(VR_PN) |
                                        VR_BIT(VR_SH) | VR_BIT(VR_ST) | VR_BIT(VR_UC) |
                                        VR_BIT(VR_UT);

static const uint64_t vr_padded_by_space =
    VR_BIT(VR_AE) | VR_BIT(VR_AS) | VR_BIT(VR_CS) | VR_BIT(VR_DA) | VR_BIT(VR_DS) | VR_BIT(VR_DT) |
    VR_BIT(VR_IS) | VR_BIT(VR_LO) | VR_BIT(VR_LT) | VR_BIT(VR_PN) | VR_BIT(VR_SH) | VR_BIT(VR_ST) |
    VR_BIT(VR_TM) | VR_BIT(VR_UC) | VR_BIT(VR_UR) | VR_BIT(VR_UT);

static const struct row *row_find(uint32_t tag)
{
    size_t from = 0, to = sizeof rows / sizeof rows[0];
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (rows[mid].tag < tag)
            from = mid + 1;
        else
            to = mid;
    }
    return from < sizeof rows / sizeof rows[0] && rows[from].tag == tag ? &rows[from] : NULL;
}

/* Person identification, PS3.3 table 10-1: the code stands for a person. */
static bool names_a_person(uint32_t sequence, uint32_t tag, uint8_t *value)
{
    if (sequence != 0x00401101 && sequence != 0x00404009)
        return false;
    if (tag == 0x00080100 || tag == 0x00080119 || tag == 0x00080120)
        *value = VALUE_RECORD_ID;
    else if (tag == 0x00080104)
        *value = VALUE_NAME;
    else
        return false;
    return true;
}

static uint8_t value_of(uint32_t tag, enum dicom_vr vr, uint32_t len, uint32_t sequence)
{
    uint8_t value = value_of_vr[vr];
    if (sequence != 0 && names_a_person(sequence, tag, &value))
        return value;
    const struct row *row = row_find(tag);
    if (row != NULL)
        return row->value;
    /* Curve Data and Overlay Data (50xx,3000) (60xx,3000), PS3.3 section C.9. */
    if ((tag & 0xFF01FFFF) == 0x50003000 || (tag & 0xFF01FFFF) == 0x60003000)
        return VALUE_IMAGE;
    bool is_blob = vr == VR_NONE || vr == VR_OB || vr == VR_OW || vr == VR_UN;
    if (is_blob && len > DICOM_BLOB_TEXT_MAX)
        return VALUE_BINARY;
    return value;
}

struct dicom_meaning dicom_meaning_of(uint32_t tag, enum dicom_vr vr, uint32_t len,
                                      uint32_t sequence)
{
    return (struct dicom_meaning){
        .value = value_of(tag, vr, len, sequence),
        .pad = vr_padded_by_space >> vr & 1 ? ' ' : 0,
        .has_charset = vr_with_charset >> vr & 1,
        .is_payload = tag == 0x00420011, /* Encapsulated Document, PS3.3 section C.24.2 */
    };
}

static bool name_starts(const uint8_t *p, size_t len, const char *prefix)
{
    size_t n = strlen(prefix);
    return len >= n && bytes_equal_nocase(p, prefix, n);
}

/* One value of a multi-valued Specific Character Set, without padding. */
static enum charset charset_of_term(const uint8_t *p, size_t len)
{
    static const struct {
        const char *name;
        enum charset charset;
    } terms[] =
        {
            {"ISO_IR 192", CHARSET_UTF8},   {"ISO_IR 6", CHARSET_ASCII},
            {"GB18030", CHARSET_GB18030},   {"GBK", CHARSET_GB18030},
            {"ISO_IR 58", CHARSET_GB18030}, /* not a term of the standard, but written */
        };
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
        if (strlen(terms[i].name) == len && bytes_equal_nocase(p, terms[i].name, len))
            return terms[i].charset;
    if (name_starts(p, len, "ISO 2022 "))
        return CHARSET_ISO2022;
    if (name_starts(p, len, "ISO_IR ") || name_starts(p, len, "ISO-IR "))
        return CHARSET_LATIN1;
    return charset_from_name(p, len);
}

enum charset dicom_charset_of(const uint8_t *value, size_t len)
{
    enum charset found = CHARSET_UNKNOWN;
    size_t from = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && value[i] != '\\')
            continue;
        size_t a = from, b = i;
        while (a < b && value[a] == ' ')
            a++;
        while (b > a && (value[b - 1] == ' ' || value[b - 1] == '\0'))
            b--;
        enum charset c = charset_of_term(value + a, b - a);
        /* Code extensions in any place make the whole value one of them. */
        if (c == CHARSET_ISO2022 || (found == CHARSET_UNKNOWN && c != CHARSET_UNKNOWN))
            found = c;
        from = i + 1;
    }
    return found;
}
