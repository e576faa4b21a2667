/* test_dicom_tree.c - DICOM sequences and items, values carried as UN, and damage of all kinds. */
#include "tests/unit/test_dicom_build.h"

/* Sequences. */

static void make_nested_undefined(struct build *b)
{
    put_header(b, 0x00400275, "SQ", UNDEFINED);
    item(b, UNDEFINED);
    put_header(b, 0x00400008, "SQ", UNDEFINED);
    item(b, UNDEFINED);
    element(b, 0x00080104, "LO", "meaning");
    item_end(b);
    sequence_end(b);
    item_end(b);
    item(b, UNDEFINED);
    element(b, 0x00321060, "LO", "knee");
    item_end(b);
    sequence_end(b);
    element(b, 0x00402016, "LO", "ORDER1");
}

static void make_nested_defined(struct build *b)
{
    put_header(b, 0x00400275, "SQ", 8 + 20 + 8 + 14);
    item(b, 20);
    put_header(b, 0x00400008, "SQ", 8);
    item(b, 0);
    item(b, 14);
    element(b, 0x00321060, "LO", "knee a");
    element(b, 0x00402016, "LO", "ORDER1");
}

static void make_nested_big(struct build *b)
{
    b->big = true;
    element(b, 0x00080060, "CS", "MR");
    make_nested_undefined(b);
}

static void nest(struct build *b, int depth)
{
    element(b, 0x00080060, "CS", "MR");
    for (int i = 0; i < depth; i++) {
        put_header(b, 0x0040A730, "SQ", UNDEFINED);
        item(b, UNDEFINED);
    }
    element(b, 0x0040A123, "PN", "Wang^Li");
    for (int i = 0; i < depth; i++) {
        item_end(b);
        sequence_end(b);
    }
    element(b, 0x00420010, "ST", "title");
}

static void make_deep_4(struct build *b)
{
    nest(b, 4);
}

static void make_deep_16(struct build *b)
{
    nest(b, 16);
}

static void make_deep_17(struct build *b)
{
    nest(b, 17);
}

static void make_person_code(struct build *b)
{
    put_header(b, 0x00401101, "SQ", UNDEFINED);
    item(b, UNDEFINED);
    element(b, 0x00080100, "SH", "S7");
    element(b, 0x00080104, "LO", "Wang Li");
    item_end(b);
    sequence_end(b);
    put_header(b, 0x00401012, "SQ", UNDEFINED);
    item(b, UNDEFINED);
    element(b, 0x00080100, "SH", "S7");
    item_end(b);
    sequence_end(b);
}

/* VR UN. */

static void implicit_item(struct build *b, bool undefined)
{
    b->implicit = true;
    item(b, undefined ? UNDEFINED : 16);
    element(b, 0x00100010, "PN", "Wang^Li");
    if (undefined)
        item_end(b);
    b->implicit = false;
}

static void make_un_undefined(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00091001, "UN", UNDEFINED);
    implicit_item(b, true);
    sequence_end(b);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_un_defined(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081111, "UN", 24);
    implicit_item(b, false);
    put_header(b, 0x00091001, "UN", 24);
    implicit_item(b, false);
    put_header(b, 0x00091002, "OB", 24);
    implicit_item(b, false);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_un_explicit_inside(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00091001, "UN", 24);
    item(b, 16);
    element(b, 0x00100010, "PN", "Wang^Li");
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_un_public(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    element(b, 0x00100010, "UN", "Wang^Li");
    element(b, 0x00101040, "UN", "Some Street 1");
    element(b, 0x00102222, "UN", "who knows");
    element(b, 0x00129F01, "LO", "not in PS3.6");
}

static void make_private_implicit(struct build *b)
{
    b->implicit = true;
    element(b, 0x00080060, "CS", "MR");
    element(b, 0x00090010, "LO", "ACME");
    put_header(b, 0x00091001, "UN", UNDEFINED);
    item(b, UNDEFINED);
    element(b, 0x00091002, "LO", "Wang Li");
    item_end(b);
    sequence_end(b);
    put_header(b, 0x00091003, "UN", 24);
    item(b, 16);
    element(b, 0x00091002, "LO", "Wang Li");
}

/* Damage. */

static void make_odd_and_out_of_order(struct build *b)
{
    element(b, 0x00100020, "LO", "MRN1");
    put_header(b, 0x00100010, "PN", 7);
    put(b, "Wang^Li", 7);
    put_header(b, 0x00080050, "SH", 1);
    put(b, "7", 1);
    element(b, 0x00100010, "PN", "Wang^Li");
}

static void make_length_past_item(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", 8 + 12);
    item(b, 12);
    put_header(b, 0x00100010, "PN", 100);
    put(b, "Wang", 4);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_item_past_sequence(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", 8 + 12);
    item(b, 90);
    element(b, 0x00100010, "PN", "Wang");
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_left_over(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", 8 + 15);
    item(b, 15);
    element(b, 0x00100010, "PN", "Wang");
    put(b, "abc", 3);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_noise_in_item(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", 8 + 20);
    item(b, 20);
    put_text(b, "hello, I am Wang Li!");
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_no_item(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", 12);
    element(b, 0x00100010, "PN", "Wang");
    put_header(b, 0x00081140, "SQ", UNDEFINED);
    element(b, 0x00100010, "PN", "Wang");
    sequence_end(b);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_missing_item_end(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", UNDEFINED);
    item(b, UNDEFINED);
    element(b, 0x00100010, "PN", "Wang");
    item(b, UNDEFINED);
    element(b, 0x00100010, "PN", "Li");
    sequence_end(b);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_delimiter_with_text(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", UNDEFINED);
    structure(b, 0xFFFEE0DD, 14);
    put_text(b, "I am Wang Li!!");
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_delimiter_with_junk_length(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", UNDEFINED);
    structure(b, 0xFFFEE0DD, 14);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_stray(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    item_end(b);
    sequence_end(b);
    item(b, 12);
    element(b, 0x00100020, "LO", "MRN1");
}

static void make_undefined_text(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00204000, "UT", UNDEFINED);
    put_text(b, "no delimiter can end this");
}

static void make_cut_value(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00100010, "PN", 40);
    put(b, "Wang", 4);
}

static void make_cut_pixels(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x7FE00010, "OW", 400);
    put(b, "few", 3);
}

static void make_cut_header(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put(b, "\x10\x00\x10", 3);
}

static void make_cut_sequence(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x00081140, "SQ", UNDEFINED);
    item(b, UNDEFINED);
    element(b, 0x00100010, "PN", "Wang");
}

static void make_long_text(struct build *b)
{
    element(b, 0x00080060, "CS", "MR");
    put_header(b, 0x0040A160, "UT", 70000);
    for (int i = 0; i < 7000; i++)
        put_text(b, "a line of\n");
    element(b, 0x00420010, "ST", "title");
}

static void make_zeros_after(struct build *b)
{
    static const uint8_t zeros[40];
    element(b, 0x00080060, "CS", "MR");
    put(b, zeros, sizeof zeros);
}

static struct row rows[] = {
    {"nested_undefined", make_nested_undefined, HINT_EXPLICIT,
     "begin object\n"
     "field text (0040,0275)[1].(0040,0008)[1].(0008,0104) 48+8 meaning \n"
     "field text (0040,0275)[2].(0032,1060) 96+4 knee\n"
     "field record_id (0040,2016) 124+6 ORDER1\n"
     "end\n"},
    {"nested_defined", make_nested_defined, HINT_EXPLICIT,
     "begin object\n"
     "field text (0040,0275)[2].(0032,1060) 56+6 knee a\n"
     "field record_id (0040,2016) 70+6 ORDER1\n"
     "end\n"},
    {"nested_big", make_nested_big, HINT_EXPLICIT,
     "begin object\n"
     "anomaly 0+0 declared explicit LE, is explicit BE\n"
     "field code (0008,0060) 8+2 MR\n"
     "field text (0040,0275)[1].(0040,0008)[1].(0008,0104) 58+8 meaning \n"
     "field text (0040,0275)[2].(0032,1060) 106+4 knee\n"
     "field record_id (0040,2016) 134+6 ORDER1\n"
     "end\n"},
    {"deep_4", make_deep_4, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name ..[1].(0040,A730)[1].(0040,A730)[1].(0040,A730)[1].(0040,A123) 98+8 Wang^Li \n"
     "field text (0042,0010) 178+6 title \n"
     "end\n"},
    {"deep_16", make_deep_16, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name ..[1].(0040,A730)[1].(0040,A730)[1].(0040,A730)[1].(0040,A123) 338+8 Wang^Li \n"
     "field text (0042,0010) 610+6 title \n"
     "end\n"},
    {"deep_17", make_deep_17, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "limit 330 sequences nested too deep\n"},
    {"person_code", make_person_code, HINT_EXPLICIT,
     "begin object\n"
     "field record_id (0040,1101)[1].(0008,0100) 28+2 S7\n"
     "field name (0040,1101)[1].(0008,0104) 38+8 Wang Li \n"
     "anomaly 62+0 elements out of order\n"
     "field text (0040,1012)[1].(0008,0100) 90+2 S7\n"
     "end\n"},
    {"un_undefined", make_un_undefined, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name (0009,1001)[1].(0010,0010) 38+8 Wang^Li \n"
     "field record_id (0010,0020) 70+4 MRN1\n"
     "end\n"},
    {"un_defined", make_un_defined, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name (0008,1111)[1].(0010,0010) 38+8 Wang^Li \n"
     "field name (0009,1001)[1].(0010,0010) 74+8 Wang^Li \n"
     "field name (0009,1002)[1].(0010,0010) 110+8 Wang^Li \n"
     "field record_id (0010,0020) 126+4 MRN1\n"
     "end\n"},
    {"un_explicit_inside", make_un_explicit_inside, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name (0009,1001)[1].(0010,0010) 38+8 Wang^Li \n"
     "field record_id (0010,0020) 54+4 MRN1\n"
     "end\n"},
    {"un_public", make_un_public, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name (0010,0010) 22+8 Wang^Li \n"
     "field address (0010,1040) 42+14 Some Street 1 \n"
     "field text (0010,2222) 68+10 who knows \n"
     "field text (0012,9F01) 86+12 not in PS3.6\n"
     "end\n"},
    {"private_implicit", make_private_implicit, HINT_EXPLICIT,
     "begin object\n"
     "anomaly 0+0 declared explicit LE, is implicit LE\n"
     "field code (0008,0060) 8+2 MR\n"
     "field text (0009,0010) 18+4 ACME\n"
     "field text (0009,1001)[1].(0009,1002) 46+8 Wang Li \n"
     "field text (0009,1003)[1].(0009,1002) 94+8 Wang Li \n"
     "end\n"},
    {"odd_and_out_of_order", make_odd_and_out_of_order, HINT_EXPLICIT,
     "begin object\n"
     "field record_id (0010,0020) 8+4 MRN1\n"
     "anomaly 12+0 elements out of order\n"
     "anomaly 12+0 odd length\n"
     "field name (0010,0010) 20+7 Wang^Li\n"
     "field record_id (0008,0050) 35+1 7\n"
     "field name (0010,0010) 44+8 Wang^Li \n"
     "end\n"},
    {"length_past_item", make_length_past_item, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 30+0 length past the end of its container\n"
     "field name (0008,1140)[1].(0010,0010) 38+4 Wang\n"
     "field record_id (0010,0020) 50+4 MRN1\n"
     "end\n"},
    {"item_past_sequence", make_item_past_sequence, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 22+0 length past the end of its container\n"
     "field name (0008,1140)[1].(0010,0010) 38+4 Wang\n"
     "field record_id (0010,0020) 50+4 MRN1\n"
     "end\n"},
    {"left_over", make_left_over, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 odd length\n"
     "field name (0008,1140)[1].(0010,0010) 38+4 Wang\n"
     "anomaly 42+0 bytes left over in an item\n"
     "field text (0008,1140)[1].(FFFE,E000) 42+3 abc\n"
     "field record_id (0010,0020) 53+4 MRN1\n"
     "end\n"},
    {"noise_in_item", make_noise_in_item, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 30+0 bytes that are no element\n"
     "field text (0008,1140)[1].(FFFE,E000) 30+20 hello, I am Wang Li!\n"
     "field record_id (0010,0020) 58+4 MRN1\n"
     "end\n"},
    {"no_item", make_no_item, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 22+0 element where an item belongs\n"
     "field name (0008,1140)[1].(0010,0010) 30+4 Wang\n"
     "anomaly 34+0 delimiter missing\n"
     "anomaly 34+0 elements out of order\n"
     "field name (0008,1140)[1].(0010,0010) 54+4 Wang\n"
     "field record_id (0010,0020) 74+4 MRN1\n"
     "end\n"},
    {"missing_item_end", make_missing_item_end, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name (0008,1140)[1].(0010,0010) 38+4 Wang\n"
     "anomaly 42+0 delimiter missing\n"
     "field name (0008,1140)[2].(0010,0010) 58+2 Li\n"
     "field record_id (0010,0020) 76+4 MRN1\n"
     "end\n"},
    {"delimiter_with_text", make_delimiter_with_text, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 22+0 delimiter with a length\n"
     "field text (FFFE,E0DD) 30+14 I am Wang Li!!\n"
     "field record_id (0010,0020) 52+4 MRN1\n"
     "end\n"},
    {"delimiter_with_junk_length", make_delimiter_with_junk_length, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 22+0 delimiter with a length\n"
     "field record_id (0010,0020) 38+4 MRN1\n"
     "end\n"},
    {"stray", make_stray, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 item or delimiter where none belongs\n"
     "field record_id (0010,0020) 42+4 MRN1\n"
     "end\n"},
    {"undefined_text", make_undefined_text, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 undefined length of a value\n"
     "anomaly 10+0 bytes that are no element\n"
     "payload - 10+37\n"
     "end\n"},
    {"cut_value", make_cut_value, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name (0010,0010) 18+4 Wang\n"
     "anomaly 22+0 cut short\n"
     "end\n"},
    {"cut_pixels", make_cut_pixels, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field image (7FE0,0010) 22+3 few\n"
     "anomaly 25+0 cut short\n"
     "end\n"},
    {"cut_header", make_cut_header, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 cut short\n"
     "field text - 10+3 \\x10\\x00\\x10\n"
     "end\n"},
    {"cut_sequence", make_cut_sequence, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field name (0008,1140)[1].(0010,0010) 38+4 Wang\n"
     "anomaly 42+0 cut short\n"
     "end\n"},
    {"long_text", make_long_text, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "field text (0040,A160) 22+70000 a line of\\x0aa line of\\x0aa line of\\x0aa line of\\x0aa "
     "line of\\x0aa line of\\x0aa line of\\x0aa line of\\x0a... #d3daacd5213ed915\n"
     "field text (0042,0010) 70030+6 title \n"
     "end\n"},
    {"zeros_after", make_zeros_after, HINT_EXPLICIT,
     "begin object\n"
     "field code (0008,0060) 8+2 MR\n"
     "anomaly 10+0 bytes that are no element\n"
     "payload - 10+40\n"
     "end\n"},
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

int main(void)
{
    const struct CMUnitTest more[] = {cmocka_unit_test(prefixes)};
    return rows_run(rows, sizeof rows / sizeof rows[0], check, more, 1);
}
