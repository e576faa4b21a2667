/* charset.c - names of character sets. */
#include "base/charset.h"

#include "base/bytes.h"

static const struct {
    const char *name;
    enum charset charset;
} names[] = {
    {"us-ascii", CHARSET_ASCII},     {"ascii", CHARSET_ASCII},
    {"utf-8", CHARSET_UTF8},         {"utf8", CHARSET_UTF8},
    {"utf-16le", CHARSET_UTF16LE},   {"utf-16be", CHARSET_UTF16BE},
    {"utf-16", CHARSET_UNKNOWN},     {"gb18030", CHARSET_GB18030},
    {"gbk", CHARSET_GB18030},        {"x-gbk", CHARSET_GB18030},
    {"cp936", CHARSET_GB18030},      {"ms936", CHARSET_GB18030},
    {"gb2312", CHARSET_GB18030},     {"gb_2312-80", CHARSET_GB18030},
    {"euc-cn", CHARSET_GB18030},     {"big5", CHARSET_BIG5},
    {"big5-hkscs", CHARSET_BIG5},    {"iso-8859-1", CHARSET_LATIN1},
    {"latin1", CHARSET_LATIN1},      {"windows-1252", CHARSET_LATIN1},
    {"iso-8859-15", CHARSET_LATIN1}, {"iso-2022-cn", CHARSET_ISO2022},
};

enum charset charset_from_name(const uint8_t *name, size_t len)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i].name) == len && bytes_equal_nocase(name, names[i].name, len))
            return names[i].charset;
    return CHARSET_UNKNOWN;
}

const char *charset_name(enum charset c)
{
    switch (c) {
    case CHARSET_ASCII:
        return "us-ascii";
    case CHARSET_UTF8:
        return "utf-8";
    case CHARSET_UTF16LE:
        return "utf-16le";
    case CHARSET_UTF16BE:
        return "utf-16be";
    case CHARSET_GB18030:
        return "gb18030";
    case CHARSET_BIG5:
        return "big5";
    case CHARSET_LATIN1:
        return "iso-8859-1";
    case CHARSET_ISO2022:
        return "iso-2022";
    case CHARSET_UNKNOWN:
        break;
    }
    return "unknown";
}
