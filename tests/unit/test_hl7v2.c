/* test_hl7v2.c - what HL7 version 2 fields mean: kinds of messages, segments and data types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector hl7v2_dissector;

/* A message, and all that is said of it. */
struct row {
    const char *name;
    const char *bytes;
    size_t len;
    const char *events;
};
#define ROW(name, bytes, events)                                                                   \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, events                                                     \
    }
#define N_ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *log = drive_events(&hl7v2_dissector, rows[i].bytes, rows[i].len, NULL);
        if (strcmp(log, rows[i].events) != 0)
            print_error("row: %s\n", rows[i].name);
        assert_string_equal(log, rows[i].events);
        free(log);
        char *differs = drive_law(&hl7v2_dissector, rows[i].bytes, rows[i].len, NULL, 40, 7);
        if (differs != NULL)
            print_error("row: %s: %s\n", rows[i].name, differs);
        assert_null(differs);
    }
}

static const struct row messages[] = {
    ROW("admission",
        "MSH|^~\\&|||||||ADT^A01^ADT_A01|||||||||UNICODE UTF-8\r"
        "EVN|A01|20240315||||\r"
        "PID|1|P0^^^HOSP|ZY100^^^HOSP^MR~320102199602019141^^^PSC^NNCHN~G100^^^^PPN~D5^^^^DL~B6^^^^"
        "NH||陈^伟^^^先生^^L~CHEN&VAN^WEI|\"\"|19960201|F||2106-3^white|中山路1号^^南京市^江苏^"
        "210018^CHN^H||18641436464^PRN^CP~^NET^Internet^a.b@example.com~^PRN^PH^^86^025^8921466||"
        "zho|||AC62|320102199602019141|L7^JS^20300101\r"
        "NK1|1|杨^芳|SPO^配偶|^^成都市||13579644853|C|||||E12\r"
        "PV1|1|I|ICU3^0301^2||||D04^赵^嘉^^^^MD||^^^^^Dr.||||||||||V1\r"
        "IN1|1|CZ|YB^^^^XX|保险公司||||||||||||陈^伟||19960201||||||||||||||||||YB8052\r",
        "begin ADT^A01\n"
        "field code MSH-9.1 15+3 [utf-8] ADT\n"
        "field code MSH-9.2 19+3 [utf-8] A01\n"
        "field code MSH-9.3 23+7 [utf-8] ADT_A01\n"
        "field code MSH-18 39+13 [utf-8] UNICODE UTF-8\n"
        "field code EVN-1 57+3 [utf-8] A01\n"
        "field date EVN-2 61+8 [utf-8] 20240315\n"
        "field number PID-1 78+1 [utf-8] 1\n"
        "field record_id PID-2.1 80+2 [utf-8] P0\n"
        "field code PID-2.4 85+4 [utf-8] HOSP\n"
        "field record_id PID-3.1 90+5 [utf-8] ZY100\n"
        "field code PID-3.4 98+4 [utf-8] HOSP\n"
        "field code PID-3.5 103+2 [utf-8] MR\n"
        "field id_number PID-3[2].1 106+18 [utf-8] 320102199602019141\n"
        "field code PID-3[2].4 127+3 [utf-8] PSC\n"
        "field code PID-3[2].5 131+5 [utf-8] NNCHN\n"
        "field id_number PID-3[3].1 137+4 [utf-8] G100\n"
        "field code PID-3[3].5 145+3 [utf-8] PPN\n"
        "field licence PID-3[4].1 149+2 [utf-8] D5\n"
        "field code PID-3[4].5 155+2 [utf-8] DL\n"
        "field insurance_id PID-3[5].1 158+2 [utf-8] B6\n"
        "field code PID-3[5].5 164+2 [utf-8] NH\n"
        "field name PID-5.1 168+3 [utf-8] 陈\n"
        "field name PID-5.2 172+3 [utf-8] [same] 伟\n"
        "field name PID-5.5 178+6 [utf-8] [same] 先生\n"
        "field code PID-5.7 186+1 [utf-8] L\n"
        "field name PID-5[2].1 188+4 [utf-8] CHEN\n"
        "field name PID-5[2].1.2 193+3 [utf-8] [same] VAN\n"
        "field name PID-5[2].2 197+3 [utf-8] [same] WEI\n"
        "field birth_date PID-7 204+8 [utf-8] 19960201\n"
        "field code PID-8 213+1 [utf-8] F\n"
        "field code PID-10.1 216+6 [utf-8] 2106-3\n"
        "field text PID-10.2 223+5 [utf-8] white\n"
        "field address PID-11.1 229+13 [utf-8] 中山路1号\n"
        "field address PID-11.3 244+9 [utf-8] [same] 南京市\n"
        "field address PID-11.4 254+6 [utf-8] [same] 江苏\n"
        "field address PID-11.5 261+6 [utf-8] [same] 210018\n"
        "field address PID-11.6 268+3 [utf-8] [same] CHN\n"
        "field code PID-11.7 272+1 [utf-8] H\n"
        "field phone PID-13.1 275+11 [utf-8] 18641436464\n"
        "field code PID-13.2 287+3 [utf-8] PRN\n"
        "field code PID-13.3 291+2 [utf-8] CP\n"
        "field code PID-13[2].2 295+3 [utf-8] NET\n"
        "field code PID-13[2].3 299+8 [utf-8] Internet\n"
        "field email PID-13[2].4 308+15 [utf-8] a.b@example.com\n"
        "field code PID-13[3].2 325+3 [utf-8] PRN\n"
        "field code PID-13[3].3 329+2 [utf-8] PH\n"
        "field code PID-13[3].5 333+2 [utf-8] 86\n"
        "field phone PID-13[3].6 336+3 [utf-8] 025\n"
        "field phone PID-13[3].7 340+7 [utf-8] [same] 8921466\n"
        "field code PID-15.1 349+3 [utf-8] zho\n"
        "field account PID-18.1 355+4 [utf-8] AC62\n"
        "field id_number PID-19 360+18 [utf-8] 320102199602019141\n"
        "field licence PID-20.1 379+2 [utf-8] L7\n"
        "field code PID-20.2 382+2 [utf-8] JS\n"
        "field date PID-20.3 385+8 [utf-8] 20300101\n"
        "field number NK1-1 398+1 [utf-8] 1\n"
        "field name NK1-2.1 400+3 [utf-8] 杨\n"
        "field name NK1-2.2 404+3 [utf-8] [same] 芳\n"
        "field code NK1-3.1 408+3 [utf-8] SPO\n"
        "field text NK1-3.2 412+6 [utf-8] 配偶\n"
        "field address NK1-4.3 421+9 [utf-8] 成都市\n"
        "field phone NK1-6.1 432+11 [utf-8] 13579644853\n"
        "field code NK1-7.1 444+1 [utf-8] C\n"
        "field record_id NK1-12.1 450+3 [utf-8] E12\n"
        "field number PV1-1 458+1 [utf-8] 1\n"
        "field code PV1-2 460+1 [utf-8] I\n"
        "field code PV1-3.1 462+4 [utf-8] ICU3\n"
        "field code PV1-3.2 467+4 [utf-8] 0301\n"
        "field code PV1-3.3 472+1 [utf-8] 2\n"
        "field code PV1-7.1 477+3 [utf-8] D04\n"
        "field name PV1-7.2 481+3 [utf-8] 赵\n"
        "field name PV1-7.3 485+3 [utf-8] [same] 嘉\n"
        "field name PV1-7.7 492+2 [utf-8] [same] MD\n"
        "field code PV1-9.6 501+3 [utf-8] Dr.\n"
        "field record_id PV1-19.1 514+2 [utf-8] V1\n"
        "field number IN1-1 521+1 [utf-8] 1\n"
        "field code IN1-2.1 523+2 [utf-8] CZ\n"
        "field code IN1-3.1 526+2 [utf-8] YB\n"
        "field code IN1-3.5 532+2 [utf-8] XX\n"
        "field text IN1-4.1 535+12 [utf-8] 保险公司\n"
        "field name IN1-16.1 559+3 [utf-8] 陈\n"
        "field name IN1-16.2 563+3 [utf-8] [same] 伟\n"
        "field birth_date IN1-18 568+8 [utf-8] 19960201\n"
        "field insurance_id IN1-36 594+6 [utf-8] YB8052\n"
        "end\n"),
    ROW("observations",
        "MSH|^~\\&|||||||ORU^R01\r"
        "PID|||7^^^H\r"
        "OBR|1|O1^PL|F1|69965^MON^MDC|||20240315|||9^LI^NA|||||8^WU|02585^WPN|||||||||||||||5&ZHOU&"
        "YI^20240101\r"
        "OBX|1|NM|147842^HR^MDC|1.1|76|bpm^beats|60-100||||F|||20240315||6^ZHENG\r"
        "OBX|2|TS|X||20240101\r"
        "OBX|3|XPN|X||LI^SI\r"
        "OBX|4|FT|X||a\\T\\b^c&d~e\\F\\\r"
        "OBX|5|CWE|X||C1^text^L\r"
        "OBX|6||X||p^q\r"
        "NTE|1|L|see^Dr & Co~more\r",
        "begin ORU^R01\n"
        "field code MSH-9.1 15+3 ORU\n"
        "field code MSH-9.2 19+3 R01\n"
        "field record_id PID-3.1 29+1 7\n"
        "field code PID-3.4 33+1 H\n"
        "field number OBR-1 39+1 1\n"
        "field uid OBR-2.1 41+2 O1\n"
        "field code OBR-2.2 44+2 PL\n"
        "field uid OBR-3.1 47+2 F1\n"
        "field code OBR-4.1 50+5 69965\n"
        "field text OBR-4.2 56+3 MON\n"
        "field code OBR-4.3 60+3 MDC\n"
        "field date OBR-7 66+8 20240315\n"
        "field code OBR-10.1 77+1 9\n"
        "field name OBR-10.2 79+2 LI\n"
        "field name OBR-10.3 82+2 [same] NA\n"
        "field text OBR-15.1 89+1 8\n"
        "field text OBR-15.2 91+2 WU\n"
        "field code OBR-16.1 94+5 02585\n"
        "field name OBR-16.2 100+3 WPN\n"
        "field code OBR-31.1 118+1 5\n"
        "field code OBR-31.1.2 120+4 ZHOU\n"
        "field code OBR-31.1.3 125+2 YI\n"
        "field text OBR-31.2 128+8 20240101\n"
        "field number OBX-1 141+1 1\n"
        "field code OBX-2 143+2 NM\n"
        "field code OBX-3.1 146+6 147842\n"
        "field text OBX-3.2 153+2 HR\n"
        "field code OBX-3.3 156+3 MDC\n"
        "field text OBX-4 160+3 1.1\n"
        "field number OBX-5 164+2 76\n"
        "field code OBX-6.1 167+3 bpm\n"
        "field text OBX-6.2 171+5 beats\n"
        "field text OBX-7 177+6 60-100\n"
        "field code OBX-11 187+1 F\n"
        "field date OBX-14 191+8 20240315\n"
        "field code OBX-16.1 201+1 6\n"
        "field name OBX-16.2 203+5 ZHENG\n"
        "field number OBX-1 213+1 2\n"
        "field code OBX-2 215+2 TS\n"
        "field code OBX-3.1 218+1 X\n"
        "field date OBX-5 221+8 20240101\n"
        "field number OBX-1 234+1 3\n"
        "field code OBX-2 236+3 XPN\n"
        "field code OBX-3.1 240+1 X\n"
        "field name OBX-5.1 243+2 LI\n"
        "field name OBX-5.2 246+2 [same] SI\n"
        "field number OBX-1 253+1 4\n"
        "field code OBX-2 255+2 FT\n"
        "field code OBX-3.1 258+1 X\n"
        "field text OBX-5 261+9 [escape hl7] a\\T\\b^c&d\n"
        "field text OBX-5[2] 271+4 [escape hl7] e\\F\\\n"
        "field number OBX-1 280+1 5\n"
        "field code OBX-2 282+3 CWE\n"
        "field code OBX-3.1 286+1 X\n"
        "field code OBX-5.1 289+2 C1\n"
        "field text OBX-5.2 292+4 text\n"
        "field code OBX-5.3 297+1 L\n"
        "field number OBX-1 303+1 6\n"
        "field code OBX-3.1 306+1 X\n"
        "field text OBX-5.1 309+1 p\n"
        "field text OBX-5.2 311+1 q\n"
        "field number NTE-1 317+1 1\n"
        "field code NTE-2 319+1 L\n"
        "field text NTE-3 321+11 see^Dr & Co\n"
        "field text NTE-3[2] 333+4 more\n"
        "end\n"),
    ROW("order",
        "MSH|^~\\&|||||||ORM^O01\r"
        "ORC|NW|O1|||||||20240315|3^QIAN|4^SUN|5^LI^\"\"^XIN||025^^PH\r"
        "OBR|1\r"
        "DG1|1||J18^pneumonia|pneumonia|20240101||||||||||5^LI\r",
        "begin ORM^O01\n"
        "field code MSH-9.1 15+3 ORM\n"
        "field code MSH-9.2 19+3 O01\n"
        "field code ORC-1 27+2 NW\n"
        "field uid ORC-2.1 30+2 O1\n"
        "field date ORC-9 39+8 20240315\n"
        "field code ORC-10.1 48+1 3\n"
        "field name ORC-10.2 50+4 QIAN\n"
        "field code ORC-11.1 55+1 4\n"
        "field name ORC-11.2 57+3 SUN\n"
        "field code ORC-12.1 61+1 5\n"
        "field name ORC-12.2 63+2 LI\n"
        "field name ORC-12.4 69+3 [same] XIN\n"
        "field phone ORC-14.1 74+3 025\n"
        "field code ORC-14.3 79+2 PH\n"
        "field number OBR-1 86+1 1\n"
        "field number DG1-1 92+1 1\n"
        "field code DG1-3.1 95+3 J18\n"
        "field text DG1-3.2 99+9 pneumonia\n"
        "field text DG1-4 109+9 pneumonia\n"
        "field date DG1-5 119+8 20240101\n"
        "field code DG1-15 137+1 5\n"
        "field code DG1-15.2 139+2 LI\n"
        "end\n"),
    ROW("appointment",
        "MSH|^~\\&|||||||SIU^S12^SIU_S12\r"
        "SCH|A1|A2||||||||||^^^20240401|7^HAN^MEI|025^WPN^PH|Road 1^^Nanjing||8^LEI\r"
        "AIP|1||9^GAO\r",
        "begin SIU^S12\n"
        "field code MSH-9.1 15+3 SIU\n"
        "field code MSH-9.2 19+3 S12\n"
        "field code MSH-9.3 23+7 SIU_S12\n"
        "field uid SCH-1.1 35+2 A1\n"
        "field uid SCH-2.1 38+2 A2\n"
        "field name SCH-12.4 53+8 20240401\n"
        "field phone SCH-13.1 62+1 7\n"
        "field code SCH-13.2 64+3 HAN\n"
        "field code SCH-13.3 68+3 MEI\n"
        "field address SCH-14.1 72+3 025\n"
        "field address SCH-14.2 76+3 [same] WPN\n"
        "field address SCH-14.3 80+2 [same] PH\n"
        "field code SCH-15.1 83+6 Road 1\n"
        "field code SCH-15.3 91+7 Nanjing\n"
        "field phone SCH-17.1 100+1 8\n"
        "field code SCH-17.2 102+3 LEI\n"
        "field number AIP-1 110+1 1\n"
        "field code AIP-3.1 113+1 9\n"
        "field name AIP-3.2 115+3 GAO\n"
        "end\n"),
    ROW("query names the patient",
        "MSH|^~\\&|||||||QRY^A19\r"
        "QRD|20240101|R|I|Q1|||1|ZY100^CHEN^WEI|DEM\r",
        "begin QRY^A19\n"
        "field code MSH-9.1 15+3 QRY\n"
        "field code MSH-9.2 19+3 A19\n"
        "field date QRD-1 27+8 20240101\n"
        "field code QRD-2 36+1 R\n"
        "field code QRD-3 38+1 I\n"
        "field text QRD-4 40+2 Q1\n"
        "field number QRD-7.1 45+1 1\n"
        "field record_id QRD-8.1 47+5 ZY100\n"
        "field name QRD-8.2 53+4 CHEN\n"
        "field name QRD-8.3 58+3 [same] WEI\n"
        "field code QRD-9.1 62+3 DEM\n"
        "end\n"),
    ROW("acknowledgement",
        "MSH|^~\\&|||||||ACK\r"
        "MSA|AA|1|done\r",
        "begin ACK\n"
        "field code MSH-9.1 15+3 ACK\n"
        "field code MSA-1 23+2 AA\n"
        "field text MSA-2 26+1 1\n"
        "field text MSA-3 28+4 done\n"
        "end\n"),
    ROW("unknown kind and segments",
        "MSH|^~\\&|||||||XYZ^Q99\r"
        "ZPI|1|LI&x^SI|\"\"\r"
        "ABC|t^u\r"
        "PID\r"
        "TQ1|1^2\r",
        "begin message\n"
        "field code MSH-9.1 15+3 XYZ\n"
        "field code MSH-9.2 19+3 Q99\n"
        "field text Z---1.1 27+1 1\n"
        "field text Z---2.1 29+2 LI\n"
        "field text Z---2.1.2 32+1 x\n"
        "field text Z---2.2 34+2 SI\n"
        "field text ?\?\?-1.1 44+1 t\n"
        "field text ?\?\?-1.2 46+1 u\n"
        "field text TQ1-1.1 56+1 1\n"
        "field text TQ1-1.2 58+1 2\n"
        "end\n"),
    ROW("merge and guarantor",
        "MSH|^~\\&|||||||ADT^A40\r"
        "MRG|OLD1^^^H^MR||AC1^^^^AN||||LI^SI\r"
        "GT1|1|G1|WU^YI|WU^ER|Road 2|||||||320102199602019141\r"
        "IN2|E1|S2|3^FIRM||||||||\r"
        "STF||S3^^^H^EI|LI^SI|||19700101||||1380000||||| a@b.cn\r",
        "begin ADT^A40\n"
        "field code MSH-9.1 15+3 ADT\n"
        "field code MSH-9.2 19+3 A40\n"
        "field record_id MRG-1.1 27+4 OLD1\n"
        "field code MRG-1.4 34+1 H\n"
        "field code MRG-1.5 36+2 MR\n"
        "field account MRG-3.1 40+3 AC1\n"
        "field code MRG-3.5 47+2 AN\n"
        "field name MRG-7.1 53+2 LI\n"
        "field name MRG-7.2 56+2 [same] SI\n"
        "field number GT1-1 63+1 1\n"
        "field record_id GT1-2.1 65+2 G1\n"
        "field name GT1-3.1 68+2 WU\n"
        "field name GT1-3.2 71+2 [same] YI\n"
        "field name GT1-4.1 74+2 WU\n"
        "field name GT1-4.2 77+2 [same] ER\n"
        "field address GT1-5.1 80+6 Road 2\n"
        "field id_number GT1-12 93+18 320102199602019141\n"
        "field record_id IN2-1.1 116+2 E1\n"
        "field id_number IN2-2 119+2 S2\n"
        "field code IN2-3.1 122+1 3\n"
        "field name IN2-3.2 124+4 FIRM\n"
        "field record_id STF-2.1 142+2 S3\n"
        "field code STF-2.4 147+1 H\n"
        "field code STF-2.5 149+2 EI\n"
        "field name STF-3.1 152+2 LI\n"
        "field name STF-3.2 155+2 [same] SI\n"
        "field birth_date STF-6 160+8 19700101\n"
        "field phone STF-10.1 172+7 1380000\n"
        "field email STF-15 184+7  a@b.cn\n"
        "end\n"),
};

static const struct row payloads[] = {
    ROW("base64 document",
        "MSH|^~\\&|||||||MDM^T02\r"
        "TXA|1|DS|AP|20240101|5^LI\r"
        "OBX|1|ED|PDF||SYS^application^pdf^Base64^JVBERi0xLjQ=||||||F\r"
        "OBX|2|ED|X||^TEXT^x-hl7-cda-level-one^base64^PD94~^IM^JPEG^Base64^/9j/\r"
        "OBX|3|ED|X||^AP^Octet-stream^Base64^AAEC\r"
        "OBX|4|ED|X||^TX^^A^plain words\r"
        "OBX|5|ED|X||^TX^^Hex^00FF\r",
        "begin MDM^T02\n"
        "field code MSH-9.1 15+3 MDM\n"
        "field code MSH-9.2 19+3 T02\n"
        "field number TXA-1 27+1 1\n"
        "field code TXA-2 29+2 DS\n"
        "field code TXA-3 32+2 AP\n"
        "field date TXA-4 35+8 20240101\n"
        "field code TXA-5.1 44+1 5\n"
        "field name TXA-5.2 46+2 LI\n"
        "field number OBX-1 53+1 1\n"
        "field code OBX-2 55+2 ED\n"
        "field code OBX-3.1 58+3 PDF\n"
        "field text OBX-5.1 63+3 SYS\n"
        "field code OBX-5.2 67+11 application\n"
        "field code OBX-5.3 79+3 pdf\n"
        "field code OBX-5.4 83+6 Base64\n"
        "payload application/pdf +base64 90+12\n"
        "field code OBX-11 108+1 F\n"
        "field number OBX-1 114+1 2\n"
        "field code OBX-2 116+2 ED\n"
        "field code OBX-3.1 119+1 X\n"
        "field code OBX-5.2 123+4 TEXT\n"
        "field code OBX-5.3 128+19 x-hl7-cda-level-one\n"
        "field code OBX-5.4 148+6 base64\n"
        "payload text/xml +base64 155+4\n"
        "field code OBX-5[2].2 161+2 IM\n"
        "field code OBX-5[2].3 164+4 JPEG\n"
        "field code OBX-5[2].4 169+6 Base64\n"
        "payload image/jpeg +base64 176+4\n"
        "field number OBX-1 185+1 3\n"
        "field code OBX-2 187+2 ED\n"
        "field code OBX-3.1 190+1 X\n"
        "field code OBX-5.2 194+2 AP\n"
        "field code OBX-5.3 197+12 Octet-stream\n"
        "field code OBX-5.4 210+6 Base64\n"
        "payload - +base64 217+4\n"
        "field number OBX-1 226+1 4\n"
        "field code OBX-2 228+2 ED\n"
        "field code OBX-3.1 231+1 X\n"
        "field code OBX-5.2 235+2 TX\n"
        "field code OBX-5.4 239+1 A\n"
        "field text OBX-5.5 241+11 plain words\n"
        "field number OBX-1 257+1 5\n"
        "field code OBX-2 259+2 ED\n"
        "field code OBX-3.1 262+1 X\n"
        "field code OBX-5.2 266+2 TX\n"
        "field code OBX-5.4 270+3 Hex\n"
        "payload text/plain +unknown 274+4\n"
        "end\n"),
};

static void fields_have_their_meaning(void **state)
{
    (void)state;
    check_rows(messages, N_ROWS(messages));
}

static void documents_are_payloads(void **state)
{
    (void)state;
    check_rows(payloads, N_ROWS(payloads));
}

struct word_row {
    const char *word;
    const char *event;
};

/* check_line demands that the events of a message with `word` in it hold `line`. */
static void check_line(const char *before, const char *word, const char *after, const char *line)
{
    char bytes[256];
    int n = snprintf(bytes, sizeof bytes, "%s%s%s", before, word, after);
    assert_in_range(n, 1, sizeof bytes - 1);
    char *log = drive_events(&hl7v2_dissector, bytes, (size_t)n, NULL);
    if (strstr(log, line) == NULL)
        print_error("no \"%s\" for %s in:\n%s", line, word, log);
    assert_non_null(strstr(log, line));
    free(log);
}

static void type_codes_say_what_identifiers_are(void **state)
{
    (void)state;
    static const struct word_row rows[] = {
        {"", "field record_id PID-3.1 "},        {"MR", "field record_id PID-3.1 "},
        {"PI", "field record_id PID-3.1 "},      {"VN", "field record_id PID-3.1 "},
        {"AN", "field record_id PID-3.1 "},      {"NI", "field id_number PID-3.1 "},
        {"NN", "field id_number PID-3.1 "},      {"NNCHN", "field id_number PID-3.1 "},
        {"SS", "field id_number PID-3.1 "},      {"PPN", "field id_number PID-3.1 "},
        {"DL", "field licence PID-3.1 "},        {"MC", "field insurance_id PID-3.1 "},
        {"SN&x", "field insurance_id PID-3.1 "}, {"BC", "field account PID-3.1 "},
        {"ni", "field id_number PID-3.1 "},      {"NIX", "field record_id PID-3.1 "},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++)
        check_line("MSH|^~\\&|\rPID|||1^^^H^", rows[i].word, "\r", rows[i].event);
}

static void charsets_are_known_by_their_words(void **state)
{
    (void)state;
    static const struct word_row rows[] = {
        {"ASCII", "+1 [us-ascii] 1\n"},
        {"8859/1", "+1 [iso-8859-1] 1\n"},
        {"8859/15", "+1 [iso-8859-1] 1\n"},
        {"UNICODE UTF-8", "+1 [utf-8] 1\n"},
        {"utf-8", "+1 [utf-8] 1\n"},
        {"UTF8", "+1 [utf-8] 1\n"},
        {"GB 18030-2000", "+1 [gb18030] 1\n"},
        {"GB18030", "+1 [gb18030] 1\n"},
        {"GBK", "+1 [gb18030] 1\n"},
        {"GB2312", "+1 [gb18030] 1\n"},
        {"BIG-5", "+1 [big5] 1\n"},
        {"ISO IR87", "+1 [iso-2022] 1\n"},
        {"KLINGON", "+1 1\n"},
        {"", "+1 1\n"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++)
        check_line("MSH|^~\\&|||||||ADT|||||||||", rows[i].word, "\rPID|1\r", rows[i].event);
}

static void media_type_names_the_charset_of_messages_that_do_not(void **state)
{
    (void)state;
    static const char bytes[] = "MSH|^~\\&|||||||ADT\rPID|||||\xd5\x7c|x\r";
    static const struct {
        const char *hint, *event;
    } rows[] = {
        {"x-application/hl7-v2+er7; charset=gbk", "field name PID-5.1 27+2 [gb18030] \xd5\x7c\n"},
        {"a/b; Charset=\"UTF-8\"; x=y", "field name PID-5.1 27+1 [utf-8] \xd5\n"},
        {"a/b; charset=", "field name PID-5.1 27+2 \xd5\x7c\n"},
        {NULL, "field name PID-5.1 27+2 \xd5\x7c\n"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        char *log = drive_events(&hl7v2_dissector, bytes, sizeof bytes - 1, rows[i].hint);
        assert_non_null(strstr(log, rows[i].event));
        free(log);
        assert_null(drive_law(&hl7v2_dissector, bytes, sizeof bytes - 1, rows[i].hint, 20, 1));
    }
}

static void messages_have_static_names(void **state)
{
    (void)state;
    static const struct word_row rows[] = {
        {"ADT^A01^ADT_A01", "begin ADT^A01\n"},
        {"ADT^A99", "begin ADT\n"},
        {"ADT_A01", "begin message\n"},
        {"OML^O21", "begin OML^O21\n"},
        {"MDM^T02", "begin MDM^T02\n"},
        {"DFT^P03", "begin DFT^P03\n"},
        {"ACK", "begin ACK\n"},
        {"ACK^R01", "begin ACK\n"},
        {"LI^SI", "begin message\n"},
        {"", "begin message\n"},
    };
    for (size_t i = 0; i < N_ROWS(rows); i++)
        check_line("MSH|^~\\&|||||||", rows[i].word, "\r", rows[i].event);
}

static unsigned bid(const char *bytes)
{
    return hl7v2_dissector.probe(
        (struct view){(const uint8_t *)bytes, strlen(bytes), 0, true, NULL});
}

static void probe_bids_for_headers_only(void **state)
{
    (void)state;
    assert_in_range(bid("\013MSH|^~\\&|A"), 64, 128);
    assert_in_range(bid("MSH|^~\\&|A"), 56, 128);
    assert_in_range(bid("MSH|^~\\&#|A"), 56, 128);
    assert_in_range(bid("FHS|^~\\&|A"), 56, 128);
    assert_in_range(bid("BHS#*!%$#A"), 56, 128);
    assert_in_range(bid("\xef\xbb\xbfMSH|^~\\&|A"), 56, 128);
    assert_true(bid("\013MSH|^~\\&|A") > bid("MSH|^~\\&|A"));
    assert_int_equal(bid("MSH, the header"), 0);
    assert_int_equal(bid("MSH|"), 0);
    assert_int_equal(bid("PID|1"), 0);
    assert_int_equal(bid(""), 0);
    assert_int_equal(bid("MSH|^ is a word"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_their_meaning),
        cmocka_unit_test(documents_are_payloads),
        cmocka_unit_test(type_codes_say_what_identifiers_are),
        cmocka_unit_test(charsets_are_known_by_their_words),
        cmocka_unit_test(media_type_names_the_charset_of_messages_that_do_not),
        cmocka_unit_test(messages_have_static_names),
        cmocka_unit_test(probe_bids_for_headers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
