/* test_dicom_ul.c - the DICOM upper layer: associations, messages in fragments, damage. */
#include "tests/unit/test_dicom_build.h"

/* A PDU or an item: its length is filled in when it ends. */
static size_t open_pdu(struct build *b, uint8_t type)
{
    uint8_t header[6] = {type};
    put(b, header, sizeof header);
    return b->len;
}

static void close_pdu(struct build *b, size_t from)
{
    size_t n = b->len - from;
    for (size_t i = 0; i < 4; i++)
        b->bytes[from - 1 - i] = (uint8_t)(n >> 8 * i);
}

static size_t open_item(struct build *b, uint8_t type)
{
    uint8_t header[4] = {type};
    put(b, header, sizeof header);
    return b->len;
}

static void close_item(struct build *b, size_t from)
{
    size_t n = b->len - from;
    b->bytes[from - 2] = (uint8_t)(n >> 8);
    b->bytes[from - 1] = (uint8_t)n;
}

static void text_item(struct build *b, uint8_t type, const char *text)
{
    size_t at = open_item(b, type);
    put_text(b, text);
    close_item(b, at);
}

static size_t open_associate(struct build *b, uint8_t type)
{
    static const uint8_t zeros[32];
    size_t at = open_pdu(b, type);
    put(b, "\0\1\0\0", 4);
    put_text(b, "ARCHIVE         ");
    put_text(b, "WANG-LI-CT      ");
    put(b, zeros, sizeof zeros);
    text_item(b, 0x10, "1.2.840.10008.3.1.1.1");
    return at;
}

static void context_rq(struct build *b, uint8_t id, const char *const *syntaxes)
{
    size_t at = open_item(b, 0x20);
    put(b, (uint8_t[4]){id}, 4);
    text_item(b, 0x30, "1.2.840.10008.5.1.4.1.1.2");
    for (; *syntaxes != NULL; syntaxes++)
        text_item(b, 0x40, *syntaxes);
    close_item(b, at);
}

static void context_ac(struct build *b, uint8_t id, uint8_t result, const char *syntax)
{
    size_t at = open_item(b, 0x21);
    put(b, (uint8_t[4]){id, 0, result}, 4);
    text_item(b, 0x40, syntax);
    close_item(b, at);
}

static void associate_rq(struct build *b, const char *const *syntaxes)
{
    size_t at = open_associate(b, 1);
    context_rq(b, 1, syntaxes);
    size_t user = open_item(b, 0x50);
    size_t one = open_item(b, 0x51);
    put(b, "\0\0\x40\0", 4);
    close_item(b, one);
    text_item(b, 0x52, "1.2.3.4");
    text_item(b, 0x55, "ACME_1");
    close_item(b, user);
    close_pdu(b, at);
}

static const char *const only_implicit[] = {"1.2.840.10008.1.2", NULL};
static const char *const two_syntaxes[] = {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2", NULL};
static const char *const with_deflated[] = {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1", NULL};
static const char *const one_unlisted[] = {"1.2.3.4.5", NULL};

static void pdv(struct build *b, uint8_t context, uint8_t control, const void *p, size_t n)
{
    size_t at = open_pdu(b, 4);
    uint8_t header[6] = {0, 0, 0, (uint8_t)(n + 2), context, control};
    put(b, header, sizeof header);
    put(b, p, n);
    close_pdu(b, at);
}

/* A command set with the two elements that tell its message. */
static void command(struct build *b, uint8_t context, uint16_t field, bool data_set)
{
    struct build c = {.implicit = true};
    put_header(&c, 0x00000000, "UL", 4);
    put_uint(&c, 20, 4);
    put_header(&c, 0x00000100, "US", 2);
    put_uint(&c, field, 2);
    put_header(&c, 0x00000800, "US", 2);
    put_uint(&c, data_set ? 1 : 0x0101, 2);
    pdv(b, context, 3, c.bytes, c.len);
}

static void implicit_data(struct build *b, uint8_t context, uint8_t control)
{
    static const uint8_t patient[] = "\x10\0\x10\0\x08\0\0\0Wang^Li ";
    pdv(b, context, control, patient, sizeof patient - 1);
}

static void make_associate_rq(struct build *b)
{
    associate_rq(b, two_syntaxes);
}

static void make_store(struct build *b)
{
    associate_rq(b, only_implicit);
    command(b, 1, 0x0001, true);
    implicit_data(b, 1, 2);
    size_t at = open_pdu(b, 5);
    put(b, "\0\0\0\0", 4);
    close_pdu(b, at);
}

static void make_store_fragments(struct build *b)
{
    command(b, 1, 0x0001, true);
    size_t at = open_pdu(b, 4);
    put(b, "\0\0\0\6\1\0\x10\0\x10\0", 10);
    put(b, "\0\0\0\6\1\0\x08\0\0\0", 10);
    close_pdu(b, at);
    pdv(b, 1, 0, "Wang", 4);
    pdv(b, 1, 2, "^Li ", 4);
}

static void make_two_syntaxes(struct build *b)
{
    associate_rq(b, two_syntaxes);
    command(b, 1, 0x0001, true);
    implicit_data(b, 1, 2);
}

static void make_unlisted_syntax(struct build *b)
{
    associate_rq(b, one_unlisted);
    command(b, 1, 0x0001, true);
    implicit_data(b, 1, 2);
}

static void make_deflated(struct build *b)
{
    associate_rq(b, with_deflated);
    command(b, 1, 0x0001, true);
    pdv(b, 1, 2, "\xE2\x60\x70pretend to be deflated", 25);
}

static void make_not_deflated(struct build *b)
{
    associate_rq(b, with_deflated);
    command(b, 1, 0x0001, true);
    pdv(b, 1, 2, "\x10\0\x10\0PN\x08\0Wang^Li ", 16);
}

static void make_find_rsp(struct build *b)
{
    size_t at = open_associate(b, 2);
    context_ac(b, 1, 0, "1.2.840.10008.1.2.1");
    context_ac(b, 3, 4, "1.2.840.10008.1.2.2");
    close_pdu(b, at);
    command(b, 1, 0x8020, true);
    pdv(b, 1, 2, "\x10\0\x10\0PN\x08\0Wang^Li ", 16);
    command(b, 1, 0x8020, false);
}

static void make_identity(struct build *b)
{
    size_t at = open_associate(b, 1);
    size_t user = open_item(b, 0x50);
    size_t one = open_item(b, 0x58);
    put(b, "\2\0\0\7wang.li\0\6sesame", 19);
    close_item(b, one);
    one = open_item(b, 0x58);
    put(b, "\3\0\0\6ticket\0\0", 12);
    close_item(b, one);
    one = open_item(b, 0x58);
    put(b, "\5\0\0\7e30.e30\0\0", 13);
    close_item(b, one);
    one = open_item(b, 0x58);
    put(b, "\1\0\0\x63short", 9);
    close_item(b, one);
    one = open_item(b, 0x54);
    put(b,
        "\0\5"
        "1.2.3\1\0",
        9);
    close_item(b, one);
    one = open_item(b, 0x53);
    put(b, "\0\1\0\1", 4);
    close_item(b, one);
    text_item(b, 0x5E, "unknown item of Wang Li");
    close_item(b, user);
    close_pdu(b, at);
}

static void make_reserved(struct build *b)
{
    associate_rq(b, only_implicit);
    memcpy(b->bytes + 50, "Wang Li", 7);
}

static void make_reject(struct build *b)
{
    size_t at = open_pdu(b, 3);
    put(b, "\0\1\1\3", 4);
    close_pdu(b, at);
}

static void make_abort_inside(struct build *b)
{
    command(b, 1, 0x0001, true);
    implicit_data(b, 1, 0);
    size_t at = open_pdu(b, 7);
    put(b, "\0\0\2\1", 4);
    close_pdu(b, at);
}

static void make_interleaved(struct build *b)
{
    command(b, 1, 0x0001, true);
    implicit_data(b, 1, 0);
    command(b, 3, 0x0030, false);
    implicit_data(b, 1, 2);
}

static void make_data_first(struct build *b)
{
    implicit_data(b, 1, 0);
    pdv(b, 1, 2, "more", 4);
}

static void make_data_missing(struct build *b)
{
    command(b, 1, 0x0001, true);
    command(b, 1, 0x0001, true);
    implicit_data(b, 1, 2);
}

static void make_command_in_parts(struct build *b)
{
    struct build c = {.implicit = true};
    put_header(&c, 0x00000100, "US", 2);
    put_uint(&c, 0x30, 2);
    pdv(b, 1, 1, c.bytes, c.len);
    c.len = 0;
    put_header(&c, 0x00000800, "US", 2);
    put_uint(&c, 0x0101, 2);
    pdv(b, 1, 3, c.bytes, c.len);
    command(b, 1, 0x0030, false);
}

static void make_unnamed_command(struct build *b)
{
    pdv(b, 1, 3, "not a command", 13);
    command(b, 1, 0x0030, false);
}

static void make_odd_headers(struct build *b)
{
    command(b, 2, 0x0030, false);
    pdv(b, 1, 0x83, "\0\0\0\1\2\0\0\0\x30\0", 10);
}

static void make_empty_fragments(struct build *b)
{
    command(b, 1, 0x0001, true);
    pdv(b, 1, 0, "", 0);
    pdv(b, 1, 2, "", 0);
}

static void make_pdv_past_pdu(struct build *b)
{
    command(b, 1, 0x0030, false);
    put(b, "\4\0\0\0\0\6\0\0\0\3\1\3", 12);
}

static void make_unknown_pdu(struct build *b)
{
    command(b, 1, 0x0030, false);
    put_text(b, "\x47 is no PDU type");
}

static void make_item_past_pdu(struct build *b)
{
    associate_rq(b, only_implicit);
    b->bytes[77] = 255;
    b->bytes[76] = 255;
}

static void make_huge_associate(struct build *b)
{
    put(b, "\1\0\x7F\0\0\0\0\1\0\0", 10);
}

static void make_cut_fragment(struct build *b)
{
    command(b, 1, 0x0001, true);
    implicit_data(b, 1, 2);
    b->len -= 4;
}

static void make_cut_associate(struct build *b)
{
    associate_rq(b, only_implicit);
    b->len -= 12;
}

static void make_huge_pdu(struct build *b)
{
    command(b, 1, 0x0001, true);
    put(b, "\4\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xF0\1\0", 12);
    for (int i = 0; i < 2000; i++)
        put_text(b, "streamed, not held. ");
}

static struct row rows[] = {
    {"associate_rq", make_associate_rq, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].abstract-syntax 111+25 1.2.840.10008.5.1.4.1.1.2\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 140+19 1.2.840.10008.1.2.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 163+17 1.2.840.10008.1.2\n"
     "field number A-ASSOCIATE-RQ.max-length 188+4 \\x00\\x00@\\x00\n"
     "field uid A-ASSOCIATE-RQ.implementation-class 196+7 1.2.3.4\n"
     "field text A-ASSOCIATE-RQ.implementation-version 207+6 ACME_1\n"
     "end\n"},
    {"store", make_store, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].abstract-syntax 111+25 1.2.840.10008.5.1.4.1.1.2\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 140+17 1.2.840.10008.1.2\n"
     "field number A-ASSOCIATE-RQ.max-length 165+4 \\x00\\x00@\\x00\n"
     "field uid A-ASSOCIATE-RQ.implementation-class 173+7 1.2.3.4\n"
     "field text A-ASSOCIATE-RQ.implementation-version 184+6 ACME_1\n"
     "end\n"
     "begin c-store-rq\n"
     "payload application/dicom-command 202+32\n"
     "payload application/dicom-dataset; transfer-syntax=1.2.840.10008.1.2 246+16\n"
     "end\n"
     "begin a-release-rq\n"
     "field number A-RELEASE-RQ 268+4 \\x00\\x00\\x00\\x00\n"
     "end\n"},
    {"store_fragments", make_store_fragments, NULL,
     "begin c-store-rq\n"
     "payload application/dicom-command 12+32\n"
     "payload application/dicom-dataset 56+16\n"
     "end\n"},
    {"two_syntaxes", make_two_syntaxes, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].abstract-syntax 111+25 1.2.840.10008.5.1.4.1.1.2\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 140+19 1.2.840.10008.1.2.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 163+17 1.2.840.10008.1.2\n"
     "field number A-ASSOCIATE-RQ.max-length 188+4 \\x00\\x00@\\x00\n"
     "field uid A-ASSOCIATE-RQ.implementation-class 196+7 1.2.3.4\n"
     "field text A-ASSOCIATE-RQ.implementation-version 207+6 ACME_1\n"
     "end\n"
     "begin c-store-rq\n"
     "payload application/dicom-command 225+32\n"
     "payload application/dicom-dataset 269+16\n"
     "end\n"},
    {"unlisted_syntax", make_unlisted_syntax, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].abstract-syntax 111+25 1.2.840.10008.5.1.4.1.1.2\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 140+9 1.2.3.4.5\n"
     "field number A-ASSOCIATE-RQ.max-length 157+4 \\x00\\x00@\\x00\n"
     "field uid A-ASSOCIATE-RQ.implementation-class 165+7 1.2.3.4\n"
     "field text A-ASSOCIATE-RQ.implementation-version 176+6 ACME_1\n"
     "end\n"
     "begin c-store-rq\n"
     "payload application/dicom-command 194+32\n"
     "payload application/dicom-dataset 238+16\n"
     "end\n"},
    {"deflated", make_deflated, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].abstract-syntax 111+25 1.2.840.10008.5.1.4.1.1.2\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 140+22 1.2.840.10008.1.2.1.99\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 166+19 1.2.840.10008.1.2.1\n"
     "field number A-ASSOCIATE-RQ.max-length 193+4 \\x00\\x00@\\x00\n"
     "field uid A-ASSOCIATE-RQ.implementation-class 201+7 1.2.3.4\n"
     "field text A-ASSOCIATE-RQ.implementation-version 212+6 ACME_1\n"
     "end\n"
     "begin c-store-rq\n"
     "payload application/dicom-command 230+32\n"
     "payload application/dicom-dataset; transfer-syntax=1.2.840.10008.1.2.1 +deflate-raw 274+25\n"
     "end\n"},
    {"not_deflated", make_not_deflated, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].abstract-syntax 111+25 1.2.840.10008.5.1.4.1.1.2\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 140+22 1.2.840.10008.1.2.1.99\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 166+19 1.2.840.10008.1.2.1\n"
     "field number A-ASSOCIATE-RQ.max-length 193+4 \\x00\\x00@\\x00\n"
     "field uid A-ASSOCIATE-RQ.implementation-class 201+7 1.2.3.4\n"
     "field text A-ASSOCIATE-RQ.implementation-version 212+6 ACME_1\n"
     "end\n"
     "begin c-store-rq\n"
     "payload application/dicom-command 230+32\n"
     "payload application/dicom-dataset 274+16\n"
     "end\n"},
    {"find_rsp", make_find_rsp, NULL,
     "begin a-associate-ac\n"
     "field text A-ASSOCIATE-AC.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-AC.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-AC.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-AC.context[1].transfer-syntax 111+19 1.2.840.10008.1.2.1\n"
     "field uid A-ASSOCIATE-AC.context[3].transfer-syntax 142+19 1.2.840.10008.1.2.2\n"
     "end\n"
     "begin c-find-rsp\n"
     "payload application/dicom-command 173+32\n"
     "payload application/dicom-dataset; transfer-syntax=1.2.840.10008.1.2.1 217+16\n"
     "end\n"
     "begin c-find-rsp\n"
     "payload application/dicom-command 245+32\n"
     "end\n"},
    {"identity", make_identity, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field account A-ASSOCIATE-RQ.user-identity.primary 111+7 [utf-8] wang.li\n"
     "field opaque A-ASSOCIATE-RQ.user-identity.secondary 120+6 sesame\n"
     "field opaque A-ASSOCIATE-RQ.user-identity.primary 134+6 [utf-8] ticket\n"
     "field text A-ASSOCIATE-RQ.user-identity.primary 150+7 [utf-8] e30.e30\n"
     "anomaly 159+0 malformed item\n"
     "field text A-ASSOCIATE-RQ.user-identity.primary 163+9 [utf-8] \\x01\\x00\\x00cshort\n"
     "field uid A-ASSOCIATE-RQ.role-selection 178+5 1.2.3\n"
     "field text A-ASSOCIATE-RQ.role-selection 183+2 \\x01\\x00\n"
     "field number A-ASSOCIATE-RQ.operations-window 189+4 \\x00\\x01\\x00\\x01\n"
     "field text A-ASSOCIATE-RQ.item-5E 197+23 unknown item of Wang Li\n"
     "end\n"},
    {"reserved", make_reserved, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field text A-ASSOCIATE-RQ.reserved 42+32 \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00Wang "
     "Li\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].abstract-syntax 111+25 1.2.840.10008.5.1.4.1.1.2\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 140+17 1.2.840.10008.1.2\n"
     "field number A-ASSOCIATE-RQ.max-length 165+4 \\x00\\x00@\\x00\n"
     "field uid A-ASSOCIATE-RQ.implementation-class 173+7 1.2.3.4\n"
     "field text A-ASSOCIATE-RQ.implementation-version 184+6 ACME_1\n"
     "end\n"},
    {"reject", make_reject, NULL,
     "begin a-associate-rj\n"
     "field number A-ASSOCIATE-RJ 6+4 \\x00\\x01\\x01\\x03\n"
     "end\n"},
    {"abort_inside", make_abort_inside, NULL,
     "begin c-store-rq\n"
     "payload application/dicom-command 12+32\n"
     "payload application/dicom-dataset 56+16\n"
     "anomaly 72+0 cut short\n"
     "end\n"
     "begin a-abort\n"
     "field number A-ABORT 78+4 \\x00\\x00\\x02\\x01\n"
     "end\n"},
    {"interleaved", make_interleaved, NULL,
     "begin c-store-rq\n"
     "payload application/dicom-command 12+32\n"
     "payload application/dicom-dataset 56+16\n"
     "anomaly 78+0 messages interleaved\n"
     "end\n"
     "begin c-echo-rq\n"
     "payload application/dicom-command 84+32\n"
     "end\n"
     "anomaly 122+0 data set without a command\n"
     "begin dimse\n"
     "payload application/dicom-dataset 128+16\n"
     "end\n"},
    {"data_first", make_data_first, NULL,
     "anomaly 6+0 data set without a command\n"
     "begin dimse\n"
     "payload application/dicom-dataset 12+20\n"
     "end\n"},
    {"data_missing", make_data_missing, NULL,
     "begin c-store-rq\n"
     "payload application/dicom-command 12+32\n"
     "anomaly 50+0 command without its data set\n"
     "end\n"
     "begin c-store-rq\n"
     "payload application/dicom-command 56+32\n"
     "payload application/dicom-dataset 100+16\n"
     "end\n"},
    {"command_in_parts", make_command_in_parts, NULL,
     "begin c-echo-rq\n"
     "payload application/dicom-command 12+20\n"
     "end\n"
     "begin c-echo-rq\n"
     "payload application/dicom-command 56+32\n"
     "end\n"},
    {"unnamed_command", make_unnamed_command, NULL,
     "begin dimse\n"
     "payload application/dicom-command 12+13\n"
     "end\n"
     "begin c-echo-rq\n"
     "payload application/dicom-command 37+32\n"
     "end\n"},
    {"odd_headers", make_odd_headers, NULL,
     "anomaly 6+0 even presentation context\n"
     "begin c-echo-rq\n"
     "payload application/dicom-command 12+32\n"
     "end\n"
     "anomaly 50+0 reserved bits in a message control header\n"
     "begin c-echo-rq\n"
     "payload application/dicom-command 56+10\n"
     "end\n"},
    {"empty_fragments", make_empty_fragments, NULL,
     "begin c-store-rq\n"
     "payload application/dicom-command 12+32\n"
     "payload application/dicom-dataset 68+0\n"
     "end\n"},
    {"pdv_past_pdu", make_pdv_past_pdu, NULL,
     "begin c-echo-rq\n"
     "payload application/dicom-command 12+32\n"
     "end\n"
     "bad 50 PDV length does not fit its PDU\n"},
    {"unknown_pdu", make_unknown_pdu, NULL,
     "begin c-echo-rq\n"
     "payload application/dicom-command 12+32\n"
     "end\n"
     "bad 44 unknown PDU type\n"},
    {"item_past_pdu", make_item_past_pdu, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "bad 74 item longer than what holds it\n"},
    {"huge_associate", make_huge_associate, NULL, "limit 0 A-ASSOCIATE longer than 1 MiB\n"},
    {"cut_fragment", make_cut_fragment, NULL,
     "begin c-store-rq\n"
     "payload application/dicom-command 12+32\n"
     "payload application/dicom-dataset 56+12\n"
     "anomaly 68+0 cut short\n"
     "end\n"},
    {"cut_associate", make_cut_associate, NULL,
     "begin a-associate-rq\n"
     "field text A-ASSOCIATE-RQ.called-ae 10+16 ARCHIVE         \n"
     "field text A-ASSOCIATE-RQ.calling-ae 26+16 WANG-LI-CT      \n"
     "field uid A-ASSOCIATE-RQ.application-context 78+21 1.2.840.10008.3.1.1.1\n"
     "field uid A-ASSOCIATE-RQ.context[1].abstract-syntax 111+25 1.2.840.10008.5.1.4.1.1.2\n"
     "field uid A-ASSOCIATE-RQ.context[1].transfer-syntax 140+17 1.2.840.10008.1.2\n"
     "field number A-ASSOCIATE-RQ.max-length 165+4 \\x00\\x00@\\x00\n"
     "anomaly 169+0 cut short\n"
     "field text - 169+9 R\\x00\\x00\\x071.2.3\n"
     "end\n"},
    {"huge_pdu", make_huge_pdu, NULL,
     "begin c-store-rq\n"
     "payload application/dicom-command 12+32\n"
     "payload application/dicom-dataset 56+40000... #9ad3beeecf14d0c5\n"
     "anomaly 40056+0 cut short\n"
     "end\n"},
};

static void check(void **state)
{
    row_check(&dicom_ul_dissector, *state);
}

static void prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        row_check_prefixes(&dicom_ul_dissector, &rows[i]);
}

static unsigned bid(const struct build *b, size_t len)
{
    return dicom_ul_dissector.probe((struct view){b->bytes, len, 0, false, NULL});
}

static void bids(void **state)
{
    (void)state;
    struct build *b = build_new(&(struct row){.make = make_store});
    assert_int_equal(bid(b, PROBE_LEN), 40);
    b->bytes[5] = 3;
    b->bytes[4] = 0;
    assert_int_equal(bid(b, PROBE_LEN), 0);
    b->len = 0;
    make_store_fragments(b);
    assert_int_equal(bid(b, PROBE_LEN), 48);
    b->len = 0;
    make_data_first(b);
    assert_int_equal(bid(b, PROBE_LEN), 24);
    b->len = 0;
    make_reject(b);
    assert_int_equal(bid(b, 10), 24);
    assert_int_equal(bid(b, 5), 0);
    b->len = 0;
    put_text(b, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n and more and more and more");
    assert_int_equal(bid(b, PROBE_LEN), 0);
    free(b);
}

static void gap_in_fragment(void **state)
{
    (void)state;
    struct build *b = build_new(&(struct row){.make = make_data_first});
    char *log = drive_gap(&dicom_ul_dissector, b->bytes, b->len, 16, 20, NULL);
    assert_string_equal(log, "anomaly 6+0 data set without a command\n"
                             "begin dimse\n"
                             "payload application/dicom-dataset 12+16\n"
                             "end\n");
    free(log);
    log = drive_gap(&dicom_ul_dissector, b->bytes, b->len, 40, 44, NULL);
    assert_string_equal(log, "anomaly 6+0 data set without a command\n"
                             "begin dimse\n"
                             "payload application/dicom-dataset 12+16\n"
                             "end\n");
    free(log);
    log = drive_gap(&dicom_ul_dissector, b->bytes, b->len, 20, 30, NULL);
    assert_non_null(strstr(log, "gap refused\n"));
    free(log);
    free(b);
}

static void state_is_small(void **state)
{
    (void)state;
    assert_true(dicom_ul_dissector.state_size <= 256);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(prefixes),
        cmocka_unit_test(bids),
        cmocka_unit_test(gap_in_fragment),
        cmocka_unit_test(state_is_small),
    };
    return rows_run(rows, sizeof rows / sizeof rows[0], check, more, sizeof more / sizeof more[0]);
}
