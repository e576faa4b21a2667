/* hl7v2_fields.c - the segments of HL7 v2.5.1 that say something of persons, field by field.
 *
 * A field that is not listed is free text. Clauses are of HL7 v2.5.1: 3.4.2 is the PID segment,
 * and 3.4.2.5 its field 5. Only the address and telephone of a person are given that meaning: those
 * of an organisation are text.
 */
#include "dissectors/hl7v2_fields.h"

enum {
    TX = TYPE_PLAIN,
    ID = TYPE_WORD,
    NM = TYPE_NUMBER,
    TS = TYPE_DATE,
    BD = TYPE_BIRTH,
    CQ = TYPE_AMOUNT,
    DR = TYPE_RANGE,
    CE = TYPE_CODED,
    CC = TYPE_CODES,
    EI = TYPE_ENTITY,
    HD = TYPE_HIERARCHIC,
    PL = TYPE_LOCATION,
    ON = TYPE_ORGANIZATION,
    PN = TYPE_NAME,
    CN = TYPE_STAFF,
    NL = TYPE_NAMED,
    AD = TYPE_ADDRESS,
    TN = TYPE_PHONE,
    CX = TYPE_RECORD,
    AC = TYPE_ACCOUNT,
    IX = TYPE_INSURED,
    NX = TYPE_NUMBERED,
    SS = TYPE_ID_NUMBER,
    IN = TYPE_INSURANCE,
    RT = TYPE_RECORD_TEXT
};

/* clang-format off */

/* Control and query: 2.15, 5.5, 5.10. */

static const uint8_t msh[] = {
    0, ID, 0, HD, HD, HD, HD, TS, TX, CC, TX, CC, CC, NM, TX, ID, ID, ID, ID, CE, ID, EI
};
static const uint8_t msa[] = {
    0, ID, TX, TX, NM, ID, CE
};
/* File and batch headers and trailers, 2.15.2 to 2.15.7. */
static const uint8_t bhs[] = {
    0, ID, 0, HD, HD, HD, HD, TS, TX, TX, TX, TX, TX
};
static const uint8_t bts[] = {
    0, NM, TX, NM
};
static const uint8_t nte[] = {
    0, NM, ID, TX /* comment 2.15.10.3 */, CE
};
static const uint8_t qrd[] = {
    0, TS, ID, ID, TX, ID, TS, CQ, TYPE_SUBJECT /* who subject 5.10.5.3.8 */, CE, CE, CC, ID
};
static const uint8_t qpd[] = {
    0, CE, TX /* fields from 3 on are query parameters 5.5.4.3 */
};

/* Patients: chapter 3. */

static const uint8_t evn[] = {
    0, ID, TS, TS, ID, CN /* operator 3.4.1.5 */, TS, HD
};
static const uint8_t pid[] = {
    0, NM, CX, /* patient ID 3.4.2.2 */ CX, /* patient identifier list 3.4.2.3 */
    CX, /* alternate patient ID 3.4.2.4 */ PN, /* patient name 3.4.2.5 */
    PN, /* mother's maiden name 3.4.2.6 */ BD, /* date/time of birth 3.4.2.7 */ ID,
    PN, /* patient alias 3.4.2.9 */ CE, AD, /* patient address 3.4.2.11 */
    AD, /* county code 3.4.2.12 */ TN, /* phone number, home 3.4.2.13 */
    TN, /* phone number, business 3.4.2.14 */ CE, CE, CE, AC, /* patient account number 3.4.2.18 */
    SS, /* SSN number 3.4.2.19 */ TYPE_LICENCE, /* driver's licence number 3.4.2.20 */
    CX, /* mother's identifier 3.4.2.21 */ CE, TX, /* birth place 3.4.2.23 */ ID, NM, CE, CE, CE,
    TS, ID, ID, ID, TS, HD, CE, CE, TX, CE, CE,
};
static const uint8_t pd1[] = {
    0, ID, ID, ON, CN /* primary care provider 3.4.10.4 */, ID, ID, ID, ID, ID,
    CX /* duplicate patient 3.4.10.10 */, CE, ID, TS, ON, CE, ID, TS, TS, ID, ID, ID
};
static const uint8_t nk1[] = {
    0, NM, PN, /* name 3.4.5.2 */ CE, AD, /* address 3.4.5.4 */ TN, /* phone number 3.4.5.5 */
    TN, /* business phone number 3.4.5.6 */ CE, TS, TS, TX, CC, CX, /* employee number 3.4.5.12 */
    ON, CE, ID, BD, /* date/time of birth 3.4.5.16 */ ID, ID, CE, CE, ID, CE, ID, ID, CE,
    PN, /* mother's maiden name 3.4.5.26 */ CE, CE, CE, PN, /* contact person's name 3.4.5.30 */
    TN, /* contact person's telephone 3.4.5.31 */ AD, /* contact person's address 3.4.5.32 */
    CX, /* associated party's identifiers 3.4.5.33 */ ID, CE, ID,
    SS, /* contact person social security number 3.4.5.37 */ TX, /* birth place 3.4.5.38 */ ID,
};
static const uint8_t pv1[] = {
    0, NM, ID, PL, ID, CX /* preadmit number 3.4.3.5 */, PL, CN /* attending doctor 3.4.3.7 */,
    CN /* referring doctor 3.4.3.8 */, CN /* consulting doctor 3.4.3.9 */, ID, PL, ID, ID, ID, ID,
    ID, CN /* admitting doctor 3.4.3.17 */, ID, CX /* visit number 3.4.3.19 */, CC, ID, ID, ID, ID,
    TS, NM, NM, ID, ID, TS, ID, NM, NM, ID, TS, ID, CC, CE, ID, ID, ID, PL, PL, TS, TS, NM, NM, NM,
    NM, CX /* alternate visit ID 3.4.3.50 */, ID, CN /* other healthcare provider 3.4.3.52 */
};
static const uint8_t pv2[] = {
    0, PL, CE, CE, CE, TX, TX, ID, TS, TS, NM, NM, TX, CN /* referral source 3.4.4.13 */, TS, ID,
    ID, TS, ID, ID, NM, ID, ID, ON, ID, ID, TS, ID, TS, TS, CE, ID, ID, TS, ID, ID, ID, ID, CE, CE,
    CE, CE, CE, ID, ID, CE, TS, TS, TS, ID
};
static const uint8_t mrg[] = {
    0, CX, /* prior patient identifier list 3.4.9.1 */ CX, /* prior alternate patient ID 3.4.9.2 */
    AC, /* prior patient account number 3.4.9.3 */ CX, /* prior patient ID 3.4.9.4 */
    CX, /* prior visit number 3.4.9.5 */ CX, /* prior alternate visit ID 3.4.9.6 */
    PN /* prior patient name 3.4.9.7 */
};
static const uint8_t al1[] = {
    0, NM, CE, CE, CE, TX, TS
};
static const uint8_t iam[] = {
    0, NM, CE, CE, CE, TX, CE, EI, TX, CE, CE, TS, TX, TS, PN /* reported by 3.4.7.14 */, CE, CE,
    CE, CN /* statused by 3.4.7.18 */, ON, TS
};
static const uint8_t pda[] = {
    0, CE, PL, ID, TS, CN /* certified by 3.4.12.5 */, ID, DR, CN /* autopsy by 3.4.12.8 */, ID
};

/* Orders and results: chapters 4 and 7. */

static const uint8_t orc[] = {
    0, ID, EI, EI, EI, ID, ID, CC, EI, TS, CN /* entered by 4.5.1.10 */,
    CN /* verified by 4.5.1.11 */, CN /* ordering provider 4.5.1.12 */, PL,
    TN /* call back phone 4.5.1.14 */, TS, CE, CE, CE, CN /* action by 4.5.1.19 */, CE, ON, 0, 0,
    AD /* ordering provider address 4.5.1.24 */, CE, CE, TS, CE, CE, CE, CE
};
static const uint8_t obr[] = {
    0, NM, EI, EI, CE, ID, TS, TS, TS, CQ, CN /* collector 7.4.1.10 */, ID, CE, TX, TS, 0,
    CN /* ordering provider 7.4.1.16 */, TN /* order callback phone 7.4.1.17 */, TX, TX, TX, TX, TS,
    0, ID, ID, 0, CC, CN /* result copies to 7.4.1.28 */, EI, ID, CE,
    NL /* principal interpreter 7.4.1.32 */, NL /* assistant interpreter 7.4.1.33 */,
    NL /* technician 7.4.1.34 */, NL /* transcriptionist 7.4.1.35 */, TS, NM, CE, CE, CE, ID, ID,
    CE, CE, CE, CE, CE, CE, ID, CE
};
static const uint8_t obx[] = {
    0, NM, TYPE_VALUE_TYPE, CE, TX, TYPE_VALUE /* observation value 7.4.2.5 */, CE, TX, ID, NM, ID,
    ID, TS, TX, TS, CE, CN /* responsible observer 7.4.2.16 */, CE, EI, TS, ON, 0,
    CN /* medical director 7.4.2.22; 23 to 25 in later editions */, ON, 0, CN
};
static const uint8_t spm[] = {
    0, NM, EI, EI, CE, CE, CE, CE, CE, CE, CE, CE, CQ, NM, TX, CE, CE, DR, TS, TS, ID, CE, CE, CE,
    CE, CQ, NM, CE, CE, CE
};
static const uint8_t rxo[] = {
    0, CE, NM, NM, CE, CE, CE, CE, 0, ID, CE, NM, CE, NM, CN /* ordering provider 4.14.1.14 */,
    CN /* verifier 4.14.1.15 */
};
static const uint8_t rxe[] = {
    0, CC, CE, NM, NM, CE, CE, CE, 0, ID, NM, CE, NM, CN /* ordering provider 4.14.4.13 */,
    CN /* verifier 4.14.4.14 */, TX, NM, NM, TS, CQ, ID, CE, TX, TX, CE, NM, CE, CE, NM, CE, ID, CE,
    TS, NM, CE, CE, ID, CE, CE, NM, CE, 0, PL, AD /* deliver to 4.14.4.43 */, ID
};
static const uint8_t rxd[] = {
    0, NM, CE, TS, NM, CE, CE, TX, NM, TX, CN /* dispensing provider 4.14.5.10 */
};
static const uint8_t rxa[] = {
    0, NM, NM, TS, TS, CE, NM, CE, CE, CE, CN /* administering provider 4.14.7.10 */, 0, TX, NM, CE,
    TX, TS, CE, CE, CE, ID, ID, TS, NM, CE, CE, ID
};

/* Money: chapter 6. */

static const uint8_t ft1[] = {
    0, NM, TX, TX, DR, TS, ID, CE, TX, TX, NM, CQ, CQ, CE, CE, CQ, PL, ID, ID, CE,
    CN /* performed by 6.5.1.20 */, CN /* ordered by 6.5.1.21 */, CQ, EI,
    CN /* entered by 6.5.1.24 */, CE, CE
};
static const uint8_t dg1[] = {
    0, NM, ID, CE, TX, TS, ID, CE, CE, ID, ID, CE, CQ, TX, ID, ID,
    CN /* diagnosing clinician 6.5.2.16 */, ID, ID, TS, EI, ID
};
static const uint8_t pr1[] = {
    0, NM, ID, CE, TX, TS, ID, NM, CN /* anesthesiologist 6.5.4.8 */, ID, NM,
    CN /* surgeon 6.5.4.11 */, CN /* procedure practitioner 6.5.4.12 */, CE, ID, CE, CE, ID, CE, EI,
    ID
};
static const uint8_t gt1[] = {
    0, NM, CX, /* guarantor number 6.5.5.2 */ PN, /* guarantor name 6.5.5.3 */
    PN, /* guarantor spouse name 6.5.5.4 */ AD, /* guarantor address 6.5.5.5 */
    TN, /* home phone 6.5.5.6 */ TN, /* business phone 6.5.5.7 */
    BD, /* date/time of birth 6.5.5.8 */ ID, ID, CE, SS, /* SSN 6.5.5.12 */ TS, TS, NM,
    PN, /* employer name 6.5.5.16 */ AD, /* employer address 6.5.5.17 */
    TN, /* employer phone 6.5.5.18 */ CX, /* employee ID number 6.5.5.19 */ ID, ON, ID, CE, TS, ID,
    CE, CQ, NM, NX, CE, TS, TS, ID, ID, CE, CE, ID, CE, ID, ID, CE,
    PN, /* mother's maiden name 6.5.5.42 */ CE, CE, PN, /* contact person's name 6.5.5.45 */
    TN, /* contact person's telephone 6.5.5.46 */ CE, ID, TX, CC, ON, ID, ID, CC, CE,
    TX, /* birth place 6.5.5.56 */ ID,
};
static const uint8_t in1[] = {
    0, NM, CE, NX, ON, 0, PN /* company contact person 6.5.6.6 */,
    TN /* company phone number 6.5.6.7 */, TX, ON, IX /* insured's group employee ID 6.5.6.10 */,
    ON, TS, TS, 0, ID, PN /* name of insured 6.5.6.16 */, CE,
    BD /* insured's date of birth 6.5.6.18 */, AD /* insured's address 6.5.6.19 */, ID, ID, TX, ID,
    TS, ID, TS, ID, TX, TS, CN /* verification by 6.5.6.30 */, ID, ID, NM, NM, ID,
    IN /* policy number 6.5.6.36 */, CQ, CQ, NM, CQ, CQ, CE, ID,
    AD /* insured's employer's address 6.5.6.44 */, TX, ID, ID, ID,
    IX /* insured's ID number 6.5.6.49 */, ID, TS, TX /* birth place 6.5.6.52 */, ID
};
static const uint8_t in2[] = {
    0, CX, /* insured's employee ID 6.5.7.1 */ SS, /* insured's social security number 6.5.7.2 */
    CN, /* insured's employer's name and ID 6.5.7.3 */ ID, ID,
    IN, /* medicare card number 6.5.7.6 */ PN, /* medicaid case name 6.5.7.7 */
    IN, /* medicaid case number 6.5.7.8 */ PN, /* military sponsor name 6.5.7.9 */
    SS, /* military ID number 6.5.7.10 */ CE, TX, TX, ID, ID, ID, TS, ID, ID, ID, TX,
    PN, /* special coverage approval name 6.5.7.22 */ TX, ID, NX,
    IX, /* payor subscriber ID 6.5.7.26 */ ID, CC, CC, CC, ID, ID, CE, CE, ID, CE, ID, ID, CE,
    PN, /* mother's maiden name 6.5.7.40 */ CE, CE, CE, TS, TS, TX, CC, ID,
    PN, /* employer contact person 6.5.7.49 */ TN, /* and phone 6.5.7.50 */ ID,
    PN, /* insured's contact person 6.5.7.52 */ TN, /* and phone 6.5.7.53 */ ID, TS, TS, ID,
    TN, /* insurance company contact phone 6.5.7.58 */ ID, ID,
    IX, /* patient member number 6.5.7.61 */ CE, TN, /* insured's phone, home 6.5.7.63 */
    TN, /* insured's employer phone 6.5.7.64 */ CE, ID, ID, ID, ON, ON, CE, CE,
};
static const uint8_t in3[] = {
    0, NM, NX, CN /* certified by 6.5.8.3 */, ID, CQ, TS, TS, CN /* operator 6.5.8.8 */, TS, TS, CC,
    CE, TS, CN /* physician reviewer 6.5.8.14 */, PN /* certification contact 6.5.8.15 */,
    TN /* and phone 6.5.8.16 */, CE, CE, TN, CC, PN /* case manager 6.5.8.21 */, TS, ID, ID,
    CN /* second opinion physician 6.5.8.25 */
};
static const uint8_t acc[] = {
    0, TS, CE, TX, CE, ID, ID, CN /* entered by 6.5.9.7 */, TX, TX, ID,
    AD /* accident address 6.5.9.11 */
};

/* Documents, appointments, referrals, personnel: chapters 9, 10, 11, 15. */

static const uint8_t txa[] = {
    0, NM, ID, ID, TS, CN /* primary activity provider 9.6.1.5 */, TS, TS, TS,
    CN /* originator 9.6.1.9 */, CN /* authenticator 9.6.1.10 */,
    CN /* transcriptionist 9.6.1.11 */, EI, EI, EI, EI, TX, ID, ID, ID, ID, TX,
    CN /* authentication person 9.6.1.22 */, CN /* distributed copies 9.6.1.23 */
};
static const uint8_t arq[] = {
    0, EI, EI, NM, EI, CE, CE, CE, CE, NM, CE, DR, TX, 0, TX,
    CN /* placer contact person 10.6.1.15 */, TN /* and phone 10.6.1.16 */,
    AD /* and address 10.6.1.17 */, PL, CN /* entered by 10.6.1.19 */, TN /* and phone 10.6.1.20 */,
    PL, EI, EI, EI, EI
};
static const uint8_t sch[] = {
    0, EI, EI, NM, EI, CE, CE, CE, CE, NM, CE, CC, CN /* placer contact person 10.6.2.12 */,
    TN /* and phone 10.6.2.13 */, AD /* and address 10.6.2.14 */, PL,
    CN /* filler contact person 10.6.2.16 */, TN /* and phone 10.6.2.17 */,
    AD /* and address 10.6.2.18 */, PL, CN /* entered by 10.6.2.20 */, TN /* and phone 10.6.2.21 */,
    PL, EI, EI, CE, EI, EI
};
static const uint8_t aip[] = {
    0, NM, ID, CN /* personnel resource 10.6.7.3 */, CE, CE, TS, NM, CE, NM, CE, ID, CE
};
static const uint8_t ais[] = {
    0, NM, ID, CE, TS, NM, CE, NM, CE, ID, CE, CE, CE
};
static const uint8_t prd[] = {
    0, CE, PN /* provider name 11.6.3.2 */, AD /* provider address 11.6.3.3 */, PL,
    TN /* provider communication 11.6.3.5 */, CE, CC /* provider identifiers 11.6.3.7 */, TS, TS
};
static const uint8_t ctd[] = {
    0, CE, PN /* contact name 11.6.4.2 */, AD /* contact address 11.6.4.3 */, PL,
    TN /* contact communication 11.6.4.5 */, CE, CC
};
static const uint8_t rol[] = {
    0, EI, ID, CE, CN /* role person 15.4.7.4 */, TS, TS, CE, CE, CE, CE,
    AD /* office/home address 15.4.7.11 */, TN /* phone 15.4.7.12 */
};
static const uint8_t stf[] = {
    0, CE, CX /* staff identifier list 15.4.8.2 */, PN /* staff name 15.4.8.3 */, ID, ID,
    BD /* date/time of birth 15.4.8.6 */, ID, CE, CE, TN /* phone 15.4.8.10 */,
    AD /* office/home address 15.4.8.11 */, DR, DR, CE, TYPE_EMAIL /* 15.4.8.15 */, CE, CE, TX, CC,
    CE, ID, TYPE_LICENCE /* driver's licence 15.4.8.22 */, ID, TS, TS, TS, CE, CE, ID, CE, TS, ID,
    CE, DR, TS, CE, ID, CE
};
static const uint8_t pra[] = {
    0, CE, CE, ID, ID, CC, RT /* practitioner ID numbers 15.4.6.6 */, CC, TS, CE, TS, CE, NM
};

#define SEGMENT(name, types)                                                                       \
    {                                                                                              \
        name, sizeof(types), types                                                                 \
    }
#define SEGMENT_OTHER(name)                                                                        \
    {                                                                                              \
        name, 1, msh                                                                               \
    }

/* The frequent ones first: the table is searched from the front. */
static const struct hl7v2_segment segments[] = {
    {"", 0, NULL},
    SEGMENT("OBX", obx), SEGMENT("MSH", msh), SEGMENT("PID", pid), SEGMENT("PV1", pv1),
    SEGMENT("OBR", obr), SEGMENT("ORC", orc), SEGMENT("NTE", nte), SEGMENT("MSA", msa),
    SEGMENT("EVN", evn), SEGMENT("NK1", nk1), SEGMENT("IN1", in1), SEGMENT("DG1", dg1),
    SEGMENT("AL1", al1), SEGMENT("SPM", spm), SEGMENT("PV2", pv2), SEGMENT("PD1", pd1),
    SEGMENT("MRG", mrg), SEGMENT("GT1", gt1), SEGMENT("IN2", in2), SEGMENT("IN3", in3),
    SEGMENT("FT1", ft1), SEGMENT("PR1", pr1), SEGMENT("SCH", sch), SEGMENT("AIP", aip),
    SEGMENT("AIS", ais), SEGMENT("ARQ", arq), SEGMENT("TXA", txa), SEGMENT("RXA", rxa),
    SEGMENT("RXE", rxe), SEGMENT("RXO", rxo), SEGMENT("RXD", rxd), SEGMENT("ROL", rol),
    SEGMENT("STF", stf), SEGMENT("PRA", pra), SEGMENT("ACC", acc), SEGMENT("IAM", iam),
    SEGMENT("QRD", qrd), SEGMENT("QPD", qpd), SEGMENT("PRD", prd), SEGMENT("CTD", ctd),
    SEGMENT("PDA", pda), SEGMENT("FHS", bhs), SEGMENT("BHS", bhs), SEGMENT("BTS", bts),
    SEGMENT("FTS", bts), SEGMENT_OTHER("TQ1"), SEGMENT_OTHER("RXR"), SEGMENT_OTHER("RXC"),
    SEGMENT_OTHER("RXG"), SEGMENT_OTHER("QRF"), SEGMENT_OTHER("QAK"), SEGMENT_OTHER("QID"),
    SEGMENT_OTHER("RCP"), SEGMENT_OTHER("ERR"), SEGMENT_OTHER("SFT"), SEGMENT_OTHER("DSC"),
    SEGMENT_OTHER("RGS"), SEGMENT_OTHER("AIG"), SEGMENT_OTHER("AIL"), SEGMENT_OTHER("DB1"),
    SEGMENT_OTHER("UB1"), SEGMENT_OTHER("UB2"), SEGMENT_OTHER("RF1"), SEGMENT_OTHER("AUT"),
    SEGMENT_OTHER("PRB"), SEGMENT_OTHER("GOL"), SEGMENT_OTHER("PTH"), SEGMENT_OTHER("MFI"),
    SEGMENT_OTHER("MFE"), SEGMENT_OTHER("MFA"), SEGMENT_OTHER("SAC"), SEGMENT_OTHER("IPC"),
    SEGMENT_OTHER("CTI"), SEGMENT_OTHER("BLG"), SEGMENT_OTHER("PRT"), SEGMENT_OTHER("DSP"),
    SEGMENT_OTHER("NPU"),
};

/* clang-format on */

const struct hl7v2_segment *hl7v2_segment_at(unsigned index)
{
    return &segments[index < sizeof segments / sizeof segments[0] ? index : 0];
}

unsigned hl7v2_segment_find(const uint8_t *name)
{
    for (unsigned i = 1; i < sizeof segments / sizeof segments[0]; i++)
        if (segments[i].name[0] == (char)name[0] && segments[i].name[1] == (char)name[1] &&
            segments[i].name[2] == (char)name[2])
            return i;
    return 0;
}
