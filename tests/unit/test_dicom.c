/* test_dicom.c - DICOM files, encodings, values and character sets. */
#include "tests/unit/test_dicom_build.h"

/* The files. */

static void make_file(struct build *b)
{
    preamble(b);
    meta(b, "1.2.840.10008.1.2.1");
    element(b, 0x00080018, "UI", "1.2.3");
    element(b, 0x00100010, "PN", "Wang^Li");
}

static void make_file_implicit(struct build *b)
{
    preamble(b);
    meta(b, "1.2.840.10008.1.2");
    b->implicit = true;
    element(b, 0x00080018, "UI", "1.2.3");
    element(b, 0x00100010, "PN", "Wang^Li");
}

static void make_file_big(struct build *b)
{
    preamble(b);
    meta(b, "1.2.840.10008.1.2.2");
    b->big = true;
    element(b, 0x00080018, "UI", "1.2.3");
    element(b, 0x00100010, "PN", "Wang^Li");
}

static void make_file_deflated(struct build *b)
{
    preamble(b);
    meta(b, "1.2.840.10008.1.2.1.99");
    put(b, "\x02\x00pretend this is deflated", 26);
}

static void make_file_speaking(struct build *b)
{
    char text[128] = "made for Wang Li";
    put(b, text, sizeof text);
    put(b, "DICM", 4);
    meta(b, "1.2.840.10008.1.2.1");
    element(b, 0x00100010, "PN", "Wang^Li");
}

static void make_file_without_preamble(struct build *b)
{
    meta(b, "1.2.840.10008.1.2");
    b->implicit = true;
    element(b, 0x00100010, "PN", "Wang^Li");
}

static void make_file_lying(struct build *b)
{
    preamble(b);
    meta(b, "1.2.840.10008.1.2.1");
    b->implicit = true;
    element(b, 0x00100010, "PN", "Wang^Li");
}

static void make_file_trailed(struct build *b)
{
    make_file(b);
    put_text(b, "And then some text that is no element");
    put(b, "", 1);
}

static void make_no_dicom(struct build *b)
{
    put_text(b, "this is a text, nothing else, and far from being DICOM");
}

/* Encodings. */

static void make_patient(struct build *b)
{
    element(b, 0x00080005, "CS", "ISO_IR 192");
    element(b, 0x00080050, "SH", "A-77");
    element(b, 0x00100010, "PN", "王^丽");
    element(b, 0x00100020, "LO", "MRN0042");
    element(b, 0x00100030, "DA", "19700101");
    element(b, 0x00101040, "LO", "Some Street 1");
    element(b, 0x00102154, "SH", "010-555");
    element(b, 0x00204000, "LT", "a note");
}

static void make_patient_implicit(struct build *b)
{
    b->implicit = true;
    make_patient(b);
}

static void make_patient_big(struct build *b)
{
    b->big = true;
    make_patient(b);
}

static void make_two_without_vr(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    b->implicit = true;
    element(b, 0x00100010, "PN", "Wang^Li");
    b->implicit = false;
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_one_with_vr(struct build *b)
{
    b->implicit = true;
    element(b, 0x00080060, "CS", "MR");
    b->implicit = false;
    element(b, 0x00100010, "PN", "Wang^Li");
    b->implicit = true;
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_bad_vr(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    element(b, 0x00100010, "??", "Wang^Li");
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_future_vr(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_tag(b, 0x00100010);
    put(b, "ZZ\0", 4);
    put_uint(b, 4, 4);
    put(b, "Wang", 4);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_command(struct build *b)
{
    b->implicit = true;
    put_header(b, 0x00000000, "UL", 4);
    put_uint(b, 54, 4);
    element(b, 0x00000002, "UI", "1.2.840.10008.1.1");
    put_header(b, 0x00000100, "US", 2);
    put_uint(b, 0x30, 2);
    element(b, 0x00000600, "AE", "ARCHIVE");
    element(b, 0x00000902, "LO", "no Wang");
}

/* Character sets. */

static void make_charset_items(struct build *b)
{
    element(b, 0x00080005, "CS", "GB18030");
    put_header(b, 0x00081140, "SQ", UNDEFINED);
    item(b, UNDEFINED);
    element(b, 0x00080005, "CS", "ISO_IR 192");
    element(b, 0x00100010, "PN", "\xE7\x8E\x8B");
    item_end(b);
    item(b, UNDEFINED);
    element(b, 0x00100010, "PN", "\xCD\xF5");
    item_end(b);
    sequence_end(b);
    element(b, 0x00100010, "PN", "\xCD\xF5");
}

static void charset(struct build *b, const char *name)
{
    element(b, 0x00080005, "CS", name);
    element(b, 0x00100010, "PN", "Wang");
}

static void make_charset_absent(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    element(b, 0x00100010, "PN", "\xCD\xF5");
}

static void make_charset_2022(struct build *b)
{
    charset(b, "\\ISO 2022 IR 58");
}

static void make_charset_latin(struct build *b)
{
    charset(b, "ISO_IR 100");
}

static void make_charset_mixed(struct build *b)
{
    charset(b, "ISO_IR 100\\ISO 2022 IR 87");
}

static void make_charset_gbk(struct build *b)
{
    charset(b, "GBK");
}

static void make_charset_misspelt(struct build *b)
{
    charset(b, "gb2312");
}

/* Values that are passed over. */

static void make_pixels(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    element(b, 0x60003000, "OW", "overlay!");
    element(b, 0x7FE00010, "OW", "native samples");
    element(b, 0xFFFCFFFC, "OB", "padding");
}

static void make_fragments(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x7FE00010, "OB", UNDEFINED);
    item(b, 0);
    item(b, 4);
    put(b, "abcd", 4);
    item(b, 8);
    sequence_end(b); /* such bytes may lie inside a fragment */
    sequence_end(b);
    element(b, 0xFFFCFFFC, "OB", "padding");
}

static void make_document(struct build *b)
{
    element(b, 0x00420010, "ST", "title");
    element(b, 0x00420011, "OB", "%PDF-1.7 a document");
    element(b, 0x00420012, "LO", "application/pdf");
}

static void make_encrypted(struct build *b)
{
    put_header(b, 0x04000500, "SQ", UNDEFINED);
    item(b, UNDEFINED);
    element(b, 0x04000510, "UI", "1.2.840.10008.1.2");
    element(b, 0x04000520, "OB", "0123456789abcdef");
    item_end(b);
    sequence_end(b);
}

static struct row rows[] = {
    {"file", make_file, NULL,
     "begin file\n"
     "field number (0002,0000) 140+4 \\x1c\\x00\\x00\\x00\n"
     "field uid (0002,0010) 152+20 1.2.840.10008.1.2.1\\x00\n"
     "field uid (0008,0018) 180+6 1.2.3\\x00\n"
     "field name (0010,0010) 194+8 Wang^Li \n"
     "end\n"},
    {"file_implicit", make_file_implicit, NULL,
     "begin file\n"
     "field number (0002,0000) 140+4 \\x1a\\x00\\x00\\x00\n"
     "field uid (0002,0010) 152+18 1.2.840.10008.1.2\\x00\n"
     "field uid (0008,0018) 178+6 1.2.3\\x00\n"
     "field name (0010,0010) 192+8 Wang^Li \n"
     "end\n"},
    {"file_big", make_file_big, NULL,
     "begin file\n"
     "field number (0002,0000) 140+4 \\x1c\\x00\\x00\\x00\n"
     "field uid (0002,0010) 152+20 1.2.840.10008.1.2.2\\x00\n"
     "field uid (0008,0018) 180+6 1.2.3\\x00\n"
     "field name (0010,0010) 194+8 Wang^Li \n"
     "end\n"},
    {"file_deflated", make_file_deflated, NULL,
     "begin file\n"
     "field number (0002,0000) 140+4 \\x1e\\x00\\x00\\x00\n"
     "field uid (0002,0010) 152+22 1.2.840.10008.1.2.1.99\n"
     "payload application/dicom-dataset; transfer-syntax=1.2.840.10008.1.2.1 +deflate-raw 174+26\n"
     "end\n"},
    {"file_speaking", make_file_speaking, NULL,
     "begin file\n"
     "field text - 0+128 made for Wang "
     "Li\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
     "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x"
     "00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
     "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00... #dca1bd94c3da7915\n"
     "field number (0002,0000) 140+4 \\x1c\\x00\\x00\\x00\n"
     "field uid (0002,0010) 152+20 1.2.840.10008.1.2.1\\x00\n"
     "field name (0010,0010) 180+8 Wang^Li \n"
     "end\n"},
    {"file_without_preamble", make_file_without_preamble, NULL,
     "begin file\n"
     "anomaly 0+0 no preamble\n"
     "field number (0002,0000) 8+4 \\x1a\\x00\\x00\\x00\n"
     "field uid (0002,0010) 20+18 1.2.840.10008.1.2\\x00\n"
     "field name (0010,0010) 46+8 Wang^Li \n"
     "end\n"},
    {"file_lying", make_file_lying, NULL,
     "begin file\n"
     "field number (0002,0000) 140+4 \\x1c\\x00\\x00\\x00\n"
     "field uid (0002,0010) 152+20 1.2.840.10008.1.2.1\\x00\n"
     "anomaly 172+0 declared explicit LE, is implicit LE\n"
     "field name (0010,0010) 180+8 Wang^Li \n"
     "end\n"},
    {"file_trailed", make_file_trailed, NULL,
     "begin file\n"
     "field number (0002,0000) 140+4 \\x1c\\x00\\x00\\x00\n"
     "field uid (0002,0010) 152+20 1.2.840.10008.1.2.1\\x00\n"
     "field uid (0008,0018) 180+6 1.2.3\\x00\n"
     "field name (0010,0010) 194+8 Wang^Li \n"
     "anomaly 202+0 bytes that are no element\n"
     "payload - 202+38\n"
     "end\n"},
    {"no_dicom", make_no_dicom, HINT,
     "begin object\n"
     "bad 0 not a DICOM data set\n"},
    {"patient", make_patient, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"patient_implicit", make_patient_implicit, HINT_IMPLICIT,
     "begin object\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"patient_big", make_patient_big, HINT_BIG,
     "begin object\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"two_without_vr", make_two_without_vr, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 element without a VR among explicit ones\n"
     "field name (0010,0010) 18+8 Wang^Li \n"
     "field record_id (0010,0020) 34+4 MRN1\n"
     "end\n"},
    {"one_with_vr", make_one_with_vr, HINT_EXPLICIT,
     "begin object\n"
     "anomaly 0+0 declared explicit LE, is implicit LE\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 element with a VR among implicit ones\n"
     "field name (0010,0010) 18+8 Wang^Li \n"
     "field record_id (0010,0020) 34+4 MRN1\n"
     "end\n"},
    {"bad_vr", make_bad_vr, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 unknown VR\n"
     "field name (0010,0010) 18+8 Wang^Li \n"
     "field record_id (0010,0020) 34+4 MRN1\n"
     "end\n"},
    {"future_vr", make_future_vr, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 unknown VR\n"
     "field name (0010,0010) 22+4 Wang\n"
     "field record_id (0010,0020) 34+4 MRN1\n"
     "end\n"},
    {"command", make_command, HINT_COMMAND,
     "begin command\n"
     "field number (0000,0000) 8+4 6\\x00\\x00\\x00\n"
     "field uid (0000,0002) 20+18 1.2.840.10008.1.1\\x00\n"
     "field number (0000,0100) 46+2 0\\x00\n"
     "field text (0000,0600) 56+8 ARCHIVE \n"
     "field text (0000,0902) 72+8 no Wang \n"
     "end\n"},
    {"charset_items", make_charset_items, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0005) 8+8 GB18030 \n"
     "field code (0008,1140)[1].(0008,0005) 44+10 ISO_IR 192\n"
     "field name (0008,1140)[1].(0010,0010) 62+4 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     " \n"
     "field name (0008,1140)[2].(0010,0010) 90+2 [gb18030] \xcd"
     "\xf5"
     "\n"
     "field name (0010,0010) 116+2 [gb18030] \xcd"
     "\xf5"
     "\n"
     "end\n"},
    {"charset_absent", make_charset_absent, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name (0010,0010) 18+2 \xcd"
     "\xf5"
     "\n"
     "end\n"},
    {"charset_2022", make_charset_2022, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0005) 8+16 \\ISO 2022 IR 58 \n"
     "field name (0010,0010) 32+4 [iso-2022] Wang\n"
     "end\n"},
    {"charset_latin", make_charset_latin, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0005) 8+10 ISO_IR 100\n"
     "field name (0010,0010) 26+4 [iso-8859-1] Wang\n"
     "end\n"},
    {"charset_mixed", make_charset_mixed, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0005) 8+26 ISO_IR 100\\ISO 2022 IR 87 \n"
     "field name (0010,0010) 42+4 [iso-2022] Wang\n"
     "end\n"},
    {"charset_gbk", make_charset_gbk, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0005) 8+4 GBK \n"
     "field name (0010,0010) 20+4 [gb18030] Wang\n"
     "end\n"},
    {"charset_misspelt", make_charset_misspelt, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0005) 8+6 gb2312\n"
     "field name (0010,0010) 22+4 [gb18030] Wang\n"
     "end\n"},
    {"pixels", make_pixels, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field image (6000,3000) 22+8 overlay!\n"
     "field image (7FE0,0010) 42+14 native samples\n"
     "field text (FFFC,FFFC) 68+8 padding \n"
     "end\n"},
    {"fragments", make_fragments, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field image (7FE0,0010) 30+0 \n"
     "field image (7FE0,0010) 38+4 abcd\n"
     "field image (7FE0,0010) 50+8 \xfe"
     "\xff"
     "\xdd"
     "\xe0"
     "\\x00\\x00\\x00\\x00\n"
     "field text (FFFC,FFFC) 78+8 padding \n"
     "end\n"},
    {"document", make_document, HINT_EXPLICIT,
     "begin object\n"
     "field text (0042,0010) 8+6 title \n"
     "payload - 26+20\n"
     "field text (0042,0012) 54+16 application/pdf \n"
     "end\n"},
    {"encrypted", make_encrypted, HINT_EXPLICIT,
     "begin object\n"
     "field uid (0400,0500)[1].(0400,0510) 28+18 1.2.840.10008.1.2\\x00\n"
     "field opaque (0400,0500)[1].(0400,0520) 58+16 0123456789abcdef\n"
     "end\n"},
    {"declared_implicit_is_explicit", make_patient, HINT_IMPLICIT,
     "begin object\n"
     "anomaly 0+0 declared implicit LE, is explicit LE\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"declared_big_is_implicit", make_patient_implicit, HINT_BIG,
     "begin object\n"
     "anomaly 0+0 declared explicit BE, is implicit LE\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"declared_nothing", make_patient_big, HINT,
     "begin object\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"declared_deflated_is_explicit", make_patient, HINT_DEFLATED,
     "begin object\n"
     "anomaly 0+0 declared deflated, is explicit LE\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"bare_explicit", make_patient, NULL,
     "begin object\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"bare_implicit", make_patient_implicit, NULL,
     "begin object\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"bare_big", make_patient_big, NULL,
     "begin object\n"
     "field code (0008,0005) 8+10 ISO_IR 192\n"
     "field record_id (0008,0050) 26+4 [utf-8] A-77\n"
     "field name (0010,0010) 38+8 [utf-8] \xe7"
     "\x8e"
     "\x8b"
     "^\xe4"
     "\xb8"
     "\xbd"
     " \n"
     "field record_id (0010,0020) 54+8 [utf-8] MRN0042 \n"
     "field birth_date (0010,0030) 70+8 19700101\n"
     "field address (0010,1040) 86+14 [utf-8] Some Street 1 \n"
     "field phone (0010,2154) 108+8 [utf-8] 010-555 \n"
     "field text (0020,4000) 124+6 [utf-8] a note\n"
     "end\n"},
    {"bare_command", make_command, NULL,
     "begin command\n"
     "field number (0000,0000) 8+4 6\\x00\\x00\\x00\n"
     "field uid (0000,0002) 20+18 1.2.840.10008.1.1\\x00\n"
     "field number (0000,0100) 46+2 0\\x00\n"
     "field text (0000,0600) 56+8 ARCHIVE \n"
     "field text (0000,0902) 72+8 no Wang \n"
     "end\n"},
    {"no_dicom_at_all", make_no_dicom, NULL, "bad 0 not a DICOM file or data set\n"},
};

static void check(void **state)
{
    row_check(&dicom_dissector, *state);
}

static void prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        row_check_prefixes(&dicom_dissector, &rows[i]);
}

static unsigned bid(const void *bytes, size_t len, const char *hint)
{
    return dicom_dissector.probe((struct view){bytes, len, 0, len < PROBE_LEN, hint});
}

static void bids(void **state)
{
    (void)state;
    static const uint8_t zeros[PROBE_LEN];
    struct build *b = build_new(&rows[0]);
    assert_int_equal(bid(b->bytes, b->len, NULL), 40);
    assert_int_equal(bid(b->bytes, PROBE_LEN, NULL), 8);
    b->len = 0;
    make_patient(b);
    assert_in_range(bid(b->bytes, PROBE_LEN, NULL), 40, 60);
    b->len = 0;
    make_patient_implicit(b);
    assert_in_range(bid(b->bytes, PROBE_LEN, NULL), 40, 60);
    b->len = 0;
    make_no_dicom(b);
    assert_int_equal(bid(b->bytes, b->len, NULL), 0);
    assert_int_equal(bid(b->bytes, b->len, "application/dicom"), 8);
    assert_int_equal(bid(zeros, sizeof zeros, NULL), 8);
    assert_int_equal(bid(zeros, 20, NULL), 0);
    assert_int_equal(bid("", 0, NULL), 0);
    free(b);
}

static void empty_layer_says_nothing(void **state)
{
    (void)state;
    char *log = drive_events(&dicom_dissector, "", 0, NULL);
    assert_string_equal(log, "");
    free(log);
}

/* A gap inside samples or a fragment goes on; anywhere else what follows cannot be read. */
static void gap_in_samples(void **state)
{
    (void)state;
    struct build *b = build_new(&(struct row){.make = make_pixels});
    char *log = drive_gap(&dicom_dissector, b->bytes, b->len, 50, 54, HINT_EXPLICIT);
    assert_string_equal(log, "begin object\n"
                             "field code (0008,0060) 8+2 MR\n"
                             "field image (6000,3000) 22+8 overlay!\n"
                             "field image (7FE0,0010) 42+10 native ses\n"
                             "field text (FFFC,FFFC) 68+8 padding \n"
                             "end\n");
    free(log);
    log = drive_gap(&dicom_dissector, b->bytes, b->len, 50, 56, HINT_EXPLICIT);
    assert_non_null(strstr(log, "(7FE0,0010) 42+8 native s\n"));
    free(log);
    log = drive_gap(&dicom_dissector, b->bytes, b->len, 50, 57, HINT_EXPLICIT);
    assert_non_null(strstr(log, "gap refused\n"));
    free(log);
    log = drive_gap(&dicom_dissector, b->bytes, b->len, 9, 12, HINT_EXPLICIT);
    assert_non_null(strstr(log, "gap refused\n"));
    free(log);
    free(b);
}

static bool refuse(void *receiver, const struct event *ev)
{
    (void)receiver;
    (void)ev;
    return false;
}

static void stops_when_told(void **state)
{
    (void)state;
    struct build *b = build_new(&rows[0]);
    static max_align_t memory[2048 / sizeof(max_align_t)];
    assert_true(dicom_dissector.state_size <= 1024);
    struct feed_result r =
        dicom_dissector.feed(memory, (struct view){b->bytes, b->len, 0, true, NULL}, refuse, NULL);
    assert_int_equal(r.status, FEED_STOP);
    free(b);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(prefixes),        cmocka_unit_test(bids),
        cmocka_unit_test(gap_in_samples),  cmocka_unit_test(empty_layer_says_nothing),
        cmocka_unit_test(stops_when_told),
    };
    return rows_run(rows, sizeof rows / sizeof rows[0], check, more, sizeof more / sizeof more[0]);
}
