/* hl7v2_scan.c - classes of bytes and widths of characters in HL7 v2 text. */
#include "dissectors/hl7v2_scan.h"

enum width hl7v2_width(enum charset charset)
{
    switch (charset) {
    case CHARSET_UNKNOWN:
    case CHARSET_ASCII: /* a declaration that high bytes contradict */
        return WIDTH_TRIAL;
    case CHARSET_GB18030:
    case CHARSET_BIG5:
        return WIDTH_PAIRS;
    case CHARSET_ISO2022:
        return WIDTH_SHIFTED;
    default:
        return WIDTH_SINGLE;
    }
}

static void class_set(struct scan *s, uint8_t byte, enum byte_class class, size_t needle)
{
    /* CR as a needle: a byte that is found anyway. */
    s->needles[needle] = byte != 0 ? byte : '\r';
    if (byte != 0)
        s->classes[byte] = (uint8_t) class;
}

void scan_set(struct scan *s, const struct delimiters *d, enum width width)
{
    memset(s->classes, BYTE_PLAIN, sizeof s->classes);
    s->width = (uint8_t)width;
    if (width == WIDTH_TRIAL || width == WIDTH_PAIRS)
        memset(s->classes + 0x81, BYTE_HIGH, 0xfe - 0x81 + 1);
    class_set(s, d->escape, BYTE_ESCAPE, 0);
    class_set(s, d->sub, BYTE_SUB, 1);
    class_set(s, d->component, BYTE_COMPONENT, 2);
    class_set(s, d->repeat, BYTE_REPEAT, 3);
    class_set(s, d->field, BYTE_FIELD, 4);
    s->classes['\r'] = BYTE_LINE;
    s->classes['\n'] = BYTE_LINE;
    s->classes[0x1c] = BYTE_BLOCK_END;
    s->classes[0x0b] = BYTE_BLOCK_START;
    if (width == WIDTH_SHIFTED)
        s->classes[0x1b] = BYTE_SHIFT;
    s->base = s->len;
    s->mask = 0;
}

static bool is_trail(uint8_t c)
{
    return (c >= 0x40 && c <= 0xfe && c != 0x7f) || (c >= '0' && c <= '9');
}

/* utf8_len: length of a UTF-8 sequence at `at`; 0: not one; 5: not known before more is here. */
static size_t utf8_len(const struct scan *s, size_t at)
{
    const uint8_t c = s->bytes[at];
    size_t n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++) {
        if (at + i >= s->len)
            return s->last ? 0 : 5;
        if ((s->bytes[at + i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

size_t scan_wide(const struct scan *s, size_t at)
{
    if (s->width == WIDTH_TRIAL) {
        size_t n = utf8_len(s, at);
        if (n > 0)
            return n == 5 ? 0 : n;
    }
    if (at + 1 >= s->len)
        return s->last ? 1 : 0;
    uint8_t trail = s->bytes[at + 1];
    if (s->width == WIDTH_TRIAL && trail <= '9')
        return 1; /* four-byte GB18030 is too rare to be guessed */
    return is_trail(trail) ? 2 : 1;
}
