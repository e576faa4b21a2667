/* mime_key.c - names of form fields that say what their value means. */
#include "dissectors/mime_key.h"

enum {
    NAME_CAP = 24
};

static const struct {
    char name[NAME_CAP]; /* beside each other: all first letters are looked at */
    uint8_t value;
} keys[] = {
    {"name", VALUE_NAME},
    {"xm", VALUE_NAME},
    {"xingming", VALUE_NAME},
    {"real_name", VALUE_NAME},
    {"true_name", VALUE_NAME},
    {"full_name", VALUE_NAME},
    {"first_name", VALUE_NAME},
    {"last_name", VALUE_NAME},
    {"family_name", VALUE_NAME},
    {"given_name", VALUE_NAME},
    {"patient_name", VALUE_NAME},
    {"patients_name", VALUE_NAME},
    {"pat_name", VALUE_NAME},
    {"hzxm", VALUE_NAME},
    {"brxm", VALUE_NAME},
    {"contact_name", VALUE_NAME},
    {"lxr", VALUE_NAME},
    {"doctor_name", VALUE_NAME},
    {"00100010", VALUE_NAME},
    {"姓名", VALUE_NAME},
    {"患者姓名", VALUE_NAME},
    {"联系人", VALUE_NAME},
    {"phone", VALUE_PHONE},
    {"phone_no", VALUE_PHONE},
    {"phone_number", VALUE_PHONE},
    {"mobile", VALUE_PHONE},
    {"mobile_phone", VALUE_PHONE},
    {"tel", VALUE_PHONE},
    {"telephone", VALUE_PHONE},
    {"fax", VALUE_PHONE},
    {"sj", VALUE_PHONE},
    {"sjh", VALUE_PHONE},
    {"sjhm", VALUE_PHONE},
    {"lxdh", VALUE_PHONE},
    {"dianhua", VALUE_PHONE},
    {"shouji", VALUE_PHONE},
    {"手机", VALUE_PHONE},
    {"手机号", VALUE_PHONE},
    {"电话", VALUE_PHONE},
    {"联系电话", VALUE_PHONE},
    {"id_card", VALUE_ID_NUMBER},
    {"id_card_no", VALUE_ID_NUMBER},
    {"id_number", VALUE_ID_NUMBER},
    {"id_no", VALUE_ID_NUMBER},
    {"sfz", VALUE_ID_NUMBER},
    {"sfzh", VALUE_ID_NUMBER},
    {"sfzhm", VALUE_ID_NUMBER},
    {"cert_no", VALUE_ID_NUMBER},
    {"passport", VALUE_ID_NUMBER},
    {"passport_no", VALUE_ID_NUMBER},
    {"身份证", VALUE_ID_NUMBER},
    {"身份证号", VALUE_ID_NUMBER},
    {"身份证号码", VALUE_ID_NUMBER},
    {"birthday", VALUE_BIRTH_DATE},
    {"birth_date", VALUE_BIRTH_DATE},
    {"date_of_birth", VALUE_BIRTH_DATE},
    {"dob", VALUE_BIRTH_DATE},
    {"patient_birth_date", VALUE_BIRTH_DATE},
    {"csrq", VALUE_BIRTH_DATE},
    {"00100030", VALUE_BIRTH_DATE},
    {"出生日期", VALUE_BIRTH_DATE},
    {"生日", VALUE_BIRTH_DATE},
    {"address", VALUE_ADDRESS},
    {"addr", VALUE_ADDRESS},
    {"home_address", VALUE_ADDRESS},
    {"street", VALUE_ADDRESS},
    {"dz", VALUE_ADDRESS},
    {"zz", VALUE_ADDRESS},
    {"jtzz", VALUE_ADDRESS},
    {"lxdz", VALUE_ADDRESS},
    {"地址", VALUE_ADDRESS},
    {"住址", VALUE_ADDRESS},
    {"家庭住址", VALUE_ADDRESS},
    {"email", VALUE_EMAIL},
    {"mail", VALUE_EMAIL},
    {"e_mail", VALUE_EMAIL},
    {"yx", VALUE_EMAIL},
    {"邮箱", VALUE_EMAIL},
    {"patient_id", VALUE_RECORD_ID},
    {"pat_id", VALUE_RECORD_ID},
    {"mrn", VALUE_RECORD_ID},
    {"medical_record_number", VALUE_RECORD_ID},
    {"admission_no", VALUE_RECORD_ID},
    {"zyh", VALUE_RECORD_ID},
    {"mzh", VALUE_RECORD_ID},
    {"blh", VALUE_RECORD_ID},
    {"bah", VALUE_RECORD_ID},
    {"00100020", VALUE_RECORD_ID},
    {"病历号", VALUE_RECORD_ID},
    {"住院号", VALUE_RECORD_ID},
    {"门诊号", VALUE_RECORD_ID},
    {"insurance_no", VALUE_INSURANCE_ID},
    {"ssn", VALUE_INSURANCE_ID},
    {"ybkh", VALUE_INSURANCE_ID},
    {"医保卡号", VALUE_INSURANCE_ID},
    {"user", VALUE_ACCOUNT},
    {"user_name", VALUE_ACCOUNT},
    {"login", VALUE_ACCOUNT},
    {"account", VALUE_ACCOUNT},
    {"bank_card", VALUE_ACCOUNT},
    {"card_no", VALUE_ACCOUNT},
    {"plate_no", VALUE_LICENCE},
    {"cph", VALUE_LICENCE},
};

enum {
    N_KEYS = sizeof keys / sizeof keys[0],
    WORD_MAX = 64 /* longest name looked up; bytes after escapes are read */
};

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static uint8_t unescaped(const uint8_t *p, size_t len, size_t *at)
{
    uint8_t c = p[*at];
    *at += 1;
    if (c == '%' && len - *at >= 2) {
        int high = hex_digit(p[*at]), low = hex_digit(p[*at + 1]);
        if (high >= 0 && low >= 0) {
            *at += 2;
            return (uint8_t)(high * 16 + low);
        }
    }
    return c;
}

/* An index, as in phone[0] or phone[], is no name of its own. */
static bool is_index(const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (word[i] < '0' || word[i] > '9')
            return false;
    return len < 4;
}

static bool same_word(const char *name, const char *word, size_t len)
{
    size_t at = 0;
    for (; *name != '\0'; name++) {
        if (*name == '_')
            continue;
        if (at == len || word[at] != *name)
            return false;
        at++;
    }
    return at == len;
}

uint32_t mime_key_find(const uint8_t *name, size_t len)
{
    char word[WORD_MAX];
    size_t n = 0, start = 0, before = 0;
    for (size_t at = 0; at < len;) {
        uint8_t c = unescaped(name, len, &at);
        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 32);
        if (c == '.' || c == '[') {
            before = start;
            start = n;
        } else if (c != '_' && c != '-' && c != ']' && c != '+' && c != ' ') {
            if (n == WORD_MAX)
                return 0;
            word[n++] = (char)c;
        }
    }
    if (start > before && is_index(word + start, n - start)) {
        n = start;
        start = before;
    }
    for (uint32_t i = 0; n > start && i < N_KEYS; i++)
        if (keys[i].name[0] == word[start] && same_word(keys[i].name, word + start, n - start))
            return i + 1;
    return 0;
}

enum value_kind mime_key_value(uint32_t key)
{
    return key > 0 && key <= N_KEYS ? (enum value_kind)keys[key - 1].value : VALUE_TEXT;
}

const char *mime_key_name(uint32_t key)
{
    return key > 0 && key <= N_KEYS ? keys[key - 1].name : "*";
}
