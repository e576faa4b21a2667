/* test_dicom_dict.c - the generated dictionary, the meanings of attributes, transfer syntaxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dissectors/dicom_command.h"
#include "dissectors/dicom_element.h"
#include "dissectors/dicom_meaning.h"

static void tags_ascend(void **state)
{
    (void)state;
    assert_true(dicom_dict_n > 5000);
    for (size_t i = 1; i < dicom_dict_n; i++)
        assert_true(dicom_dict_tags[i - 1] < dicom_dict_tags[i]);
    for (size_t i = 0; i < dicom_dict_n; i++) {
        assert_in_range(dicom_dict_vrs[i], VR_NONE + 1, VR_COUNT - 1);
        assert_int_equal(dicom_dict_vr(dicom_dict_tags[i]),
                         dicom_dict_tags[i] % 0x10000 == 0 ? VR_UL : dicom_dict_vrs[i]);
    }
}

static void vr_of_tags(void **state)
{
    (void)state;
    static const struct {
        uint32_t tag;
        enum dicom_vr vr;
    } rows[] = {
        {0x00000100, VR_US}, {0x00000007, VR_NONE}, {0x00080000, VR_UL},   {0x00080005, VR_CS},
        {0x00090010, VR_LO}, {0x00091010, VR_NONE}, {0x00100010, VR_PN},   {0x00102222, VR_NONE},
        {0x50043000, VR_OW}, {0x60023000, VR_OW},   {0x60224000, VR_LT},   {0x002031FF, VR_CS},
        {0x7FE00010, VR_OW}, {0xFFFAFFFA, VR_SQ},   {0xFFFEE000, VR_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(dicom_dict_vr(rows[i].tag), rows[i].vr);
}

static void meanings(void **state)
{
    (void)state;
    static const struct {
        uint32_t tag;
        enum dicom_vr vr;
        uint32_t len;
        uint8_t value;
    } rows[] = {
        {0x00080050, VR_SH, 8, VALUE_RECORD_ID},    {0x00080092, VR_ST, 8, VALUE_ADDRESS},
        {0x00081070, VR_PN, 8, VALUE_NAME},         {0x00100020, VR_LO, 8, VALUE_RECORD_ID},
        {0x00100030, VR_DA, 8, VALUE_BIRTH_DATE},   {0x00101050, VR_LO, 8, VALUE_INSURANCE_ID},
        {0x00102154, VR_SH, 8, VALUE_PHONE},        {0x00401102, VR_ST, 8, VALUE_ADDRESS},
        {0x04000520, VR_OB, 8, VALUE_OPAQUE},       {0x7FE00010, VR_OB, 8, VALUE_IMAGE},
        {0x60043000, VR_OW, 8, VALUE_IMAGE},        {0x54001010, VR_OW, 8, VALUE_IMAGE},
        {0x00080020, VR_DA, 8, VALUE_DATE},         {0x0008103E, VR_LO, 8, VALUE_TEXT},
        {0x00080060, VR_CS, 2, VALUE_CODE},         {0x00280010, VR_US, 2, VALUE_NUMBER},
        {0x0020000D, VR_UI, 8, VALUE_UID},          {0x00282000, VR_OB, 3000, VALUE_TEXT},
        {0x00291010, VR_OB, 90000, VALUE_TEXT},     {0x00291010, VR_OB, 2000000, VALUE_BINARY},
        {0x00291010, VR_UN, 2000000, VALUE_BINARY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dicom_meaning m = dicom_meaning_of(rows[i].tag, rows[i].vr, rows[i].len, 0);
        assert_int_equal(m.value, rows[i].value);
    }
    assert_int_equal(dicom_meaning_of(0x00100010, VR_PN, 8, 0).pad, ' ');
    assert_int_equal(dicom_meaning_of(0x0020000D, VR_UI, 8, 0).pad, 0);
    assert_true(dicom_meaning_of(0x00100010, VR_PN, 8, 0).has_charset);
    assert_false(dicom_meaning_of(0x00080060, VR_CS, 8, 0).has_charset);
}

static enum dicom_encoding encoding(const char *uid)
{
    return dicom_encoding_of((const uint8_t *)uid, strlen(uid) + 1);
}

static void transfer_syntaxes(void **state)
{
    (void)state;
    assert_int_equal(encoding("1.2.840.10008.1.2"), DICOM_IMPLICIT_LE);
    assert_int_equal(encoding("1.2.840.10008.1.2.1"), DICOM_EXPLICIT_LE);
    assert_int_equal(encoding("1.2.840.10008.1.2.2"), DICOM_EXPLICIT_BE);
    assert_int_equal(encoding("1.2.840.10008.1.2.1.99"), DICOM_DEFLATED);
    assert_int_equal(encoding("1.2.840.10008.1.2.4.201"), DICOM_EXPLICIT_LE);
    assert_int_equal(encoding("1.2.3"), DICOM_UNDECLARED);
    assert_int_equal(encoding(""), DICOM_UNDECLARED);
}

static void command_names(void **state)
{
    (void)state;
    assert_string_equal(dicom_command_name(0x0001), "c-store-rq");
    assert_string_equal(dicom_command_name(0x8140), "n-create-rsp");
    assert_string_equal(dicom_command_name(0x4242), "dimse");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_ascend),   cmocka_unit_test(vr_of_tags),
        cmocka_unit_test(meanings),      cmocka_unit_test(transfer_syntaxes),
        cmocka_unit_test(command_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
