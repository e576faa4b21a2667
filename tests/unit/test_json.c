/* test_json.c - JSON: what is said of it, whole and cut, and that the table of names is true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/json_content.h"
#include "dissectors/known_names.h"
#include "tests/drive.h"

extern const struct dissector json_dissector;

struct row {
    const char *name;
    const char *hint;
    const char *text;
    const char *events;
};

static const struct row rows[] = {
    {"patient", NULL,
     "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"测甲\",\"family\":\"测\",\"given\":["
     "\"甲\",\"乙\"]}],\"birthDate\":\"1990-01-02\"}",
     "begin Patient\n"
     "field code $.resourceType 17+7 [utf-8] Patient\n"
     "field name $.name[0].text 43+6 [utf-8] 测甲\n"
     "field name $.name[0].family 61+3 [utf-8] 测\n"
     "field name $.name[0].given[0] 76+3 [utf-8] 甲\n"
     "field name $.name[0].given[1] 82+3 [utf-8] 乙\n"
     "field birth_date $.birthDate 103+10 [utf-8] 1990-01-02\n"
     "end\n"},
    {"type after the name", NULL, "{\"name\":{\"family\":\"测\"},\"resourceType\":\"Patient\"}",
     "begin object\n"
     "field name $.name.family 19+3 [utf-8] 测\n"
     "field code $.resourceType 41+7 [utf-8] Patient\n"
     "end\n"},
    {"contact points by their content", NULL,
     "{\"resourceType\":\"Person\",\"telecom\":[{\"value\":\"13800000000\",\"system\":\"phone\"},"
     "{\"value\":\"a@example.cn\"}]}",
     "begin Person\n"
     "field code $.resourceType 17+6 [utf-8] Person\n"
     "field phone $.telecom[0].value 46+11 [utf-8] 13800000000\n"
     "field text $.telecom[0].system 69+5 [utf-8] phone\n"
     "field email $.telecom[1].value 87+12 [utf-8] a@example.cn\n"
     "end\n"},
    {"identifiers by system and type", NULL,
     "{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"urn:oid:2.16.156.10011.1.3\","
     "\"value\":\"a\"},{\"type\":{\"coding\":[{\"code\":\"PPN\"}]},\"value\":\"b\"},{\"value\":"
     "\"c\",\"system\":\"urn:oid:2.16.156.10011.1.3\"}]}",
     "begin Patient\n"
     "field code $.resourceType 17+7 [utf-8] Patient\n"
     "field text $.identifier[0].system 51+26 [utf-8] urn:oid:2.16.156.10011.1.3\n"
     "field id_number $.identifier[0].value 88+1 [utf-8] a\n"
     "field text $.identifier[1].type.coding[0].code 120+3 [utf-8] PPN\n"
     "field id_number $.identifier[1].value 137+1 [utf-8] b\n"
     "field record_id $.identifier[2].value 151+1 [utf-8] c\n"
     "field text $.identifier[2].system 164+26 [utf-8] urn:oid:2.16.156.10011.1.3\n"
     "end\n"},
    {"an organisation is no person", NULL,
     "{\"resourceType\":\"Organization\",\"name\":\"某院\",\"telecom\":[{\"value\":\"1\"}],"
     "\"address\":[{\"city\":\"某市\"}],\"identifier\":[{\"value\":\"7\"}],\"contact\":[{\"name\":"
     "{\"text\":\"测丙\"}}]}",
     "begin Organization\n"
     "field code $.resourceType 17+12 [utf-8] Organization\n"
     "field text $.name 39+6 [utf-8] 某院\n"
     "field text $.telecom[0].value 68+1 [utf-8] 1\n"
     "field text $.address[0].city 93+6 [utf-8] 某市\n"
     "field text $.identifier[0].value 127+1 [utf-8] 7\n"
     "field name $.contact[0].name.text 160+6 [utf-8] 测丙\n"
     "end\n"},
    {"bundle", NULL,
     "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\","
     "\"address\":[{\"text\":\"x\",\"line\":[\"甲街\"],\"city\":\"某市\"}]}},{\"resource\":{"
     "\"resourceType\":\"Immunization\",\"patient\":{\"display\":\"测丁\"}}}]}",
     "begin Bundle\n"
     "field code $.resourceType 17+6 [utf-8] Bundle\n"
     "field code $.entry[0].resource.resourceType 63+7 [utf-8] Patient\n"
     "field address $.entry[0].resource.address[0].text 92+1 [utf-8] x\n"
     "field address $.entry[0].resource.address[0].line[0] 104+6 [utf-8] 甲街\n"
     "field address $.entry[0].resource.address[0].city 121+6 [utf-8] 某市\n"
     "field code $.entry[1].resource.resourceType 162+12 [utf-8] Immunization\n"
     "field name $.entry[1].resource.patient.display 198+6 [utf-8] 测丁\n"
     "end\n"},
    {"photo and attachment", NULL,
     "{\"resourceType\":\"Patient\",\"photo\":[{\"contentType\":\"image\\/png\",\"data\":\"iVBOR="
     "\"}],\"a\":{\"valueAttachment\":{\"data\":\"AAAA\"}}}",
     "begin Patient\n"
     "field code $.resourceType 17+7 [utf-8] Patient\n"
     "field text $.photo[0].contentType 51+10 [utf-8] [escape json] image\\/png\n"
     "payload image/png +base64 71+6 [utf-8]\n"
     "payload - +base64 113+4 [utf-8]\n"
     "end\n"},
    {"data url", NULL, "{\"zp\":\"data:image/jpeg;base64,/9j/4AAQ\"}",
     "begin object\n"
     "payload image/jpeg +base64 30+8 [utf-8]\n"
     "end\n"},
    {"DICOM JSON", "application/dicom+json",
     "[{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"CE^SHI\",\"Ideographic\":"
     "\"测^试\"}]},\"00100020\":{\"vr\":\"LO\",\"Value\":[\"P1\"]},\"00090010\":{\"vr\":\"PN\","
     "\"Value\":[{\"Phonetic\":\"p\"}]},\"19900102\":{\"InlineBinary\":\"AAAA\"}}]",
     "begin array\n"
     "field code $[0].00100010.vr 20+2 [utf-8] PN\n"
     "field name $[0].00100010.Value[0].Alphabetic 48+6 [utf-8] CE^SHI\n"
     "field name $[0].00100010.Value[0].Ideographic 71+7 [utf-8] 测^试\n"
     "field code $[0].00100020.vr 101+2 [utf-8] LO\n"
     "field record_id $[0].00100020.Value[0] 115+2 [utf-8] P1\n"
     "field code $[0].(gggg,eeee).vr 139+2 [utf-8] PN\n"
     "field name $[0].(gggg,eeee).Value[0].Phonetic 165+1 [utf-8] p\n"
     "field text $[0].(gggg,eeee) 172+8 [utf-8] [key] 19900102\n"
     "payload - +base64 199+4 [utf-8]\n"
     "end\n"},
    {"back end, all spellings", NULL,
     "{\"patient_name\":\"测一\",\"XM\":\"测二\",\"SFZH\":\"1\",\"idCard\":\"2\",\"mobile\":"
     "13800000000,\"姓名\":\"测三\",\"mrn\":7,\"csrq\":\"19900102\",\"dz\":\"某街\",\"E-mail\":"
     "\"a@example.cn\"}",
     "begin object\n"
     "field name $.patientname 17+6 [utf-8] 测一\n"
     "field name $.xm 31+6 [utf-8] 测二\n"
     "field id_number $.sfzh 47+1 [utf-8] 1\n"
     "field id_number $.idcard 60+1 [utf-8] 2\n"
     "field phone $.mobile 72+11 [utf-8] 13800000000\n"
     "field name $.xm 94+6 [utf-8] 测三\n"
     "field record_id $.mrn 108+1 [utf-8] 7\n"
     "field birth_date $.csrq 118+8 [utf-8] 19900102\n"
     "field address $.dz 134+6 [utf-8] 某街\n"
     "field email $.email 152+12 [utf-8] a@example.cn\n"
     "end\n"},
    {"GBK bytes are not called UTF-8", NULL, "{\"xm\":\"\xb2\xe2\xca\xd4\",\"\xd0\xd5\xc3\xfb\":1}",
     "begin object\n"
     "field name $.xm 7+4 \xb2\xe2\xca\xd4\n"
     "field name $.xm 20+1 [utf-8] 1\n"
     "end\n"},
    {"GBK declared by the layer", "application/json; charset=GBK", "{\"xm\":\"\xb2\xe2\"}",
     "begin object\n"
     "field name $.xm 7+2 [gb18030] \xb2\xe2\n"
     "end\n"},
    {"GBK second byte that looks like a backslash", NULL, "[\"\x95\\\",\"a\x95\\\\\"x\"]",
     "begin array\n"
     "field text $[0] 2+2 \x95\\\n"
     "field text $[1] 7+6 [escape json] a\x95\\\\\"x\n"
     "end\n"},
    {"escaped quotes after Chinese text", NULL, "[\"测\\\"试\\\\\",\"\\ud83d\\ude00\"]",
     "begin array\n"
     "field text $[0] 2+10 [utf-8] [escape json] 测\\\"试\\\\\n"
     "field text $[1] 15+12 [utf-8] [escape json] \\ud83d\\ude00\n"
     "end\n"},
    {"escaped key", NULL, "{\"x\\u006d\":\"测\"}",
     "begin object\n"
     "field name $.xm 12+3 [utf-8] 测\n"
     "end\n"},
    {"values hidden in keys", NULL, "{\"13800000000\":true,\"short\":false,\"测试\":null}",
     "begin object\n"
     "field text $.* 2+11 [utf-8] [key] 13800000000\n"
     "field text $.* 35+6 [utf-8] [key] 测试\n"
     "end\n"},
    {"numbers", NULL, "[1,12345.5,123456789012345678,-1e9,true,null]",
     "begin array\n"
     "field number $[1] 3+7 [utf-8] 12345.5\n"
     "field text $[2] 11+18 [utf-8] 123456789012345678\n"
     "end\n"},
    {"many texts", NULL,
     "\xef\xbb\xbf{}\n[]\r\n{\"a\":\"b\"}{\"a\":\"c\"} \"s\" 12345678 \x1e[\"d\"]",
     "begin object\n"
     "end\n"
     "begin array\n"
     "end\n"
     "begin object\n"
     "field text $.* 16+1 [utf-8] b\n"
     "end\n"
     "begin object\n"
     "field text $.* 25+1 [utf-8] c\n"
     "end\n"
     "begin scalar\n"
     "field text - 30+1 [utf-8] s\n"
     "end\n"
     "begin scalar\n"
     "field text - 33+8 [utf-8] 12345678\n"
     "end\n"
     "begin array\n"
     "field text $[0] 45+1 [utf-8] d\n"
     "end\n"},
    {"not JSON any more", NULL, "{\"a\":\"b\"} and so on",
     "begin object\n"
     "field text $.* 6+1 [utf-8] b\n"
     "end\n"
     "done 10\n"},
    {"not JSON at all", NULL, "{\"a\": /* c */ 1}",
     "begin object\n"
     "bad 6 no JSON token\n"},
    {"small faults", NULL, "{'a':'b',c:\"d\",\"e\" \"f\",\"g\":NaN,} [1 \"x\",]",
     "begin object\n"
     "anomaly 1+0 a string in single quotes\n"
     "field text $.* 6+1 [utf-8] b\n"
     "anomaly 9+0 a key without quotes\n"
     "field text $.* 12+1 [utf-8] d\n"
     "anomaly 19+0 a colon is missing\n"
     "field text $.* 20+1 [utf-8] f\n"
     "anomaly 27+0 a literal JSON does not have\n"
     "anomaly 31+0 a value is missing\n"
     "end\n"
     "begin array\n"
     "anomaly 36+0 a comma is missing\n"
     "field text $[0] 37+1 [utf-8] x\n"
     "end\n"},
    {"brackets that do not match", NULL, "{\"a\":[\"x\"}}",
     "begin object\n"
     "field text $.*[0] 7+1 [utf-8] x\n"
     "anomaly 9+0 brackets do not match\n"
     "end\n"},
    {"ends inside", NULL, "{\"xm\":\"测",
     "begin object\n"
     "field name $.xm 7+3 [utf-8] 测\n"
     "anomaly 10+0 the layer ends inside a string\n"
     "anomaly 10+0 the layer ends inside a text\n"
     "end\n"},
    {"deeper than a path", NULL, "[[[[[[[[{\"xm\":\"x\"}]]]]]]]]",
     "begin array\n"
     "field name $..[0][0][0][0][0][0][0].xm 15+1 [utf-8] x\n"
     "end\n"},
};

static void says(void **state)
{
    const struct row *r = *state;
    char *log = drive_events(&json_dissector, r->text, strlen(r->text), r->hint);
    assert_string_equal(log, r->events);
    free(log);
    char *differs = drive_law(&json_dissector, r->text, strlen(r->text), r->hint, 50, 7);
    if (differs != NULL)
        fail_msg("%s", differs);
}

/* Every cut is read, and the law checked for those that cost little. */
static void cut_short_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t len = 0; len < strlen(rows[i].text); len++) {
            free(drive_events(&json_dissector, rows[i].text, len, rows[i].hint));
            if (len > 100 && len % 7 != 0)
                continue;
            char *differs = drive_law(&json_dissector, rows[i].text, len, rows[i].hint, 3, 1);
            if (differs != NULL)
                fail_msg("%s cut at %zu: %s", rows[i].name, len, differs);
        }
}

static char *filled(const char *before, const char *piece, size_t times, const char *after,
                    size_t *len)
{
    size_t n = strlen(piece);
    *len = strlen(before) + n * times + strlen(after);
    char *text = malloc(*len + 1);
    assert_non_null(text);
    char *at = text + sprintf(text, "%s", before);
    for (size_t i = 0; i < times; i++)
        at = (char *)memcpy(at, piece, n) + n;
    (void)sprintf(at, "%s", after);
    return text;
}

/* The law is for the shorter ones: fed byte by byte, a value is shown again with every byte. */
static void starts_with(const char *text, size_t len, const char *events)
{
    char *log = drive_events(&json_dissector, text, len, NULL);
    if (strncmp(log, events, strlen(events)) != 0)
        fail_msg("%.300s", log);
    free(log);
    char *differs = len > 66000 ? NULL : drive_law(&json_dissector, text, len, NULL, 6, 3);
    if (differs != NULL)
        fail_msg("%.600s", differs);
}

static void long_strings(void **state)
{
    (void)state;
    static const struct {
        const char *before, *piece;
        size_t times;
        const char *after, *events;
    } tries[] = {
        {"{\"xm\":\"", "x", CONTENT_WHOLE - 1, "\",\"dz\":\"y\"}",
         "begin object\nfield name $.xm 7+65535 [utf-8] xxx"},
        {"{\"xm\":\"", "x", CONTENT_WHOLE, "\",\"dz\":\"y\"}",
         "begin object\nfield name $.xm 7+65536 [escape json] xxx"},
        {"[\"", "测\\n\\ud83d\\ude00\\\\", 6000, "\",1]",
         "begin array\nfield text $[0] 2+114000 [utf-8] [escape json] 测"},
        {"[\"", "\x95\\", 40000, "\",1]",
         "begin array\nfield text $[0] 2+80000 [escape json] \x95"},
        {"{\"", "k", 70000, "\":\"v\"}",
         "begin object\nfield text $.* 2+70000 [key] [escape json] kkk"},
        {"{\"resourceType\":\"Binary\",\"contentType\":\"application/pdf\",\"data\":\"", "JVBE",
         20000, "\"}",
         "begin Binary\nfield code $.resourceType 17+6 [utf-8] Binary\n"
         "field text $.contentType 40+15 [utf-8] application/pdf\n"
         "payload application/pdf +base64 65+80000"},
        {"[\"", "long and never closed ", 4000, "",
         "begin array\nfield text $[0] 2+88000 [escape json] long"},
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        size_t len;
        char *text = filled(tries[i].before, tries[i].piece, tries[i].times, tries[i].after, &len);
        starts_with(text, len, tries[i].events);
        free(text);
    }
}

static void nesting_loses_no_value(void **state)
{
    (void)state;
    size_t len;
    char *text = filled("", "{\"a\":[", 5000, "\"deep\"", &len);
    starts_with(text, len,
                "begin object\nanomaly 192+0 nested deeper than is followed\n"
                "field text $..");
    char *log = drive_events(&json_dissector, text, len, NULL);
    assert_non_null(strstr(log, "deep\nanomaly 30006+0 the layer ends inside a text\nend\n"));
    free(log);
    free(text);
    /* The way back up leads to the level it came from. */
    char *down = filled("{\"xm\":", "[", 200, "1", &len);
    char *up = filled(down, "]", 200, ",\"dz\":\"x\"}", &len);
    log = drive_events(&json_dissector, up, len, NULL);
    assert_non_null(strstr(log, "field address $.dz 414+1 [utf-8] x\nend\n"));
    free(log);
    free(up);
    free(down);
}

static unsigned bid(const char *text)
{
    size_t len = strlen(text);
    struct view head = {.bytes = (const uint8_t *)text, .len = len, .last = len < PROBE_LEN};
    return json_dissector.probe(head);
}

static void bids(void **state)
{
    (void)state;
    assert_in_range(bid("{\"resourceType\":\"Patient\"}"), 20, 64);
    assert_in_range(bid("\xef\xbb\xbf \r\n{ \"a\" : 1}"), 20, 64);
    assert_in_range(bid("[ { \"a\": 1} ]"), 20, 64);
    assert_in_range(bid("[1, 2, 3]"), 8, 64);
    assert_in_range(bid("{}"), 5, 64);
    assert_int_equal(bid(""), 0);
    assert_int_equal(bid("[2024-01-02 03:04:05] start"), 0);
    assert_int_equal(bid("[INFO] start"), 0);
    assert_int_equal(bid("{name} was here"), 0);
    assert_int_equal(bid("\"text\""), 0);
    assert_int_equal(bid("{\"quoted\" text}"), 0);
    assert_int_equal(json_dissector.probe((struct view){
                         .bytes = (const uint8_t *)"{\0\"\0", .len = 4, .last = true}),
                     0);
}

static void gap_is_refused(void **state)
{
    (void)state;
    char *log = drive_gap(&json_dissector, "{\"a\":\"bcdef\"}", 13, 8, 10, NULL);
    assert_string_equal(log, "begin object\ngap refused\n");
    free(log);
}

static void names_find_themselves(void **state)
{
    (void)state;
    static uint16_t want[KNOWN_SLOTS];
    const char *text;
    for (unsigned n = 0; (text = known_name_spelling(n)) != NULL; n++) {
        uint32_t h = known_name_hash((const uint8_t *)text, strlen(text)), i = h;
        while (want[i % KNOWN_SLOTS] != 0)
            i++;
        want[i % KNOWN_SLOTS] = (uint16_t)((n + 1) | (h >> 26) << 10);
    }
    if (memcmp(want, known_name_slots, sizeof want) == 0)
        return;
    for (size_t i = 0; i < KNOWN_SLOTS; i++)
        printf("%u,%s", want[i], i % 16 == 15 ? "\n" : " ");
    fail_msg("the slots above belong into known_names.c");
}

static void names_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum known_name id;
    } tries[] = {
        {"Value", K_Value},
        {"value", K_value},
        {"PID.5", K_PID_5},
        {"patientName", K_patientname},
        {"PATIENT_NAME", K_patientname},
        {"NAME", K_name},
        {"00100010", K_T00100010},
        {"", K_NONE},
        {"_", K_NONE},
        {"namex", K_NONE},
        {"身份证号", K_idcard},
        {"x", K_NONE},
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        assert_int_equal(known_name_find((const uint8_t *)tries[i].text, strlen(tries[i].text)),
                         tries[i].id);
    assert_string_equal(known_name_text(K_PID_5), "PID.5");
    assert_string_equal(known_name_text(99999), "*");
    assert_int_equal(known_name_kind(K_sfzh), VALUE_ID_NUMBER);
}

enum {
    N_ROWS = sizeof rows / sizeof rows[0]
};

int main(void)
{
    static struct CMUnitTest table[N_ROWS];
    for (size_t i = 0; i < N_ROWS; i++)
        table[i] = (struct CMUnitTest){
            .name = rows[i].name,
            .test_func = says,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_short_anywhere),     cmocka_unit_test(long_strings),
        cmocka_unit_test(nesting_loses_no_value), cmocka_unit_test(bids),
        cmocka_unit_test(gap_is_refused),         cmocka_unit_test(names_find_themselves),
        cmocka_unit_test(names_are_told_apart),
    };
    int failed = cmocka_run_group_tests_name("json says", table, NULL, NULL);
    return failed + cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
