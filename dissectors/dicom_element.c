/* dicom_element.c - data element headers, and what speaks for an encoding. */
#include "dissectors/dicom_element.h"

#include <string.h>

#include "base/bytes.h"
#include "dissectors/dicom_command.h"

#define VR_AT_LETTERS(a, b) [((a) - 'A') * 26 + (b) - 'A']

static const uint8_t vr_letters[26 * 26] = {
    VR_AT_LETTERS('A', 'E') = VR_AE, VR_AT_LETTERS('A', 'S') = VR_AS,
    VR_AT_LETTERS('A', 'T') = VR_AT, VR_AT_LETTERS('C', 'S') = VR_CS,
    VR_AT_LETTERS('D', 'A') = VR_DA, VR_AT_LETTERS('D', 'S') = VR_DS,
    VR_AT_LETTERS('D', 'T') = VR_DT, VR_AT_LETTERS('F', 'D') = VR_FD,
    VR_AT_LETTERS('F', 'L') = VR_FL, VR_AT_LETTERS('I', 'S') = VR_IS,
    VR_AT_LETTERS('L', 'O') = VR_LO, VR_AT_LETTERS('L', 'T') = VR_LT,
    VR_AT_LETTERS('O', 'B') = VR_OB, VR_AT_LETTERS('O', 'D') = VR_OD,
    VR_AT_LETTERS('O', 'F') = VR_OF, VR_AT_LETTERS('O', 'L') = VR_OL,
    VR_AT_LETTERS('O', 'V') = VR_OV, VR_AT_LETTERS('O', 'W') = VR_OW,
    VR_AT_LETTERS('P', 'N') = VR_PN, VR_AT_LETTERS('S', 'H') = VR_SH,
    VR_AT_LETTERS('S', 'L') = VR_SL, VR_AT_LETTERS('S', 'Q') = VR_SQ,
    VR_AT_LETTERS('S', 'S') = VR_SS, VR_AT_LETTERS('S', 'T') = VR_ST,
    VR_AT_LETTERS('S', 'V') = VR_SV, VR_AT_LETTERS('T', 'M') = VR_TM,
    VR_AT_LETTERS('U', 'C') = VR_UC, VR_AT_LETTERS('U', 'I') = VR_UI,
    VR_AT_LETTERS('U', 'L') = VR_UL, VR_AT_LETTERS('U', 'N') = VR_UN,
    VR_AT_LETTERS('U', 'R') = VR_UR, VR_AT_LETTERS('U', 'S') = VR_US,
    VR_AT_LETTERS('U', 'T') = VR_UT, VR_AT_LETTERS('U', 'V') = VR_UV,
};

static bool is_upper(uint8_t b)
{
    return b >= 'A' && b <= 'Z';
}

enum dicom_vr dicom_vr_read(const uint8_t *p)
{
    if (!is_upper(p[0]) || !is_upper(p[1]))
        return VR_NONE;
    return (enum dicom_vr)vr_letters[(p[0] - 'A') * 26 + p[1] - 'A'];
}

/* PS3.5 section 7.1.2: these VRs have two reserved bytes and a 32-bit length. */
static bool vr_is_long(enum dicom_vr vr)
{
    switch (vr) {
    case VR_OB:
    case VR_OD:
    case VR_OF:
    case VR_OL:
    case VR_OV:
    case VR_OW:
    case VR_SQ:
    case VR_SV:
    case VR_UC:
    case VR_UN:
    case VR_UR:
    case VR_UT:
    case VR_UV:
        return true;
    default:
        return false;
    }
}

bool dicom_is_private(uint32_t tag)
{
    return (tag & 0x10000) != 0 && tag > 0x0008FFFF && tag < 0xFFFE0000;
}

static enum dicom_vr dict_repeat_vr(uint32_t tag)
{
    for (size_t i = 0; i < dicom_dict_n_repeats; i++)
        if ((tag & dicom_dict_repeats[i].mask) == dicom_dict_repeats[i].bits)
            return (enum dicom_vr)dicom_dict_repeats[i].vr;
    return VR_NONE;
}

enum dicom_vr dicom_dict_vr(uint32_t tag)
{
    if (tag <= 0xFFFF)
        return dicom_command_vr(tag);
    if ((tag & 0xFFFF) == 0)
        return VR_UL;
    if (dicom_is_private(tag))
        return (tag & 0xFFFF) >= 0x10 && (tag & 0xFFFF) <= 0xFF ? VR_LO : VR_NONE;
    size_t from = 0, to = dicom_dict_n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (dicom_dict_tags[mid] < tag)
            from = mid + 1;
        else
            to = mid;
    }
    if (from < dicom_dict_n && dicom_dict_tags[from] == tag)
        return (enum dicom_vr)dicom_dict_vrs[from];
    return dict_repeat_vr(tag);
}

uint32_t dicom_tag_read(const uint8_t *p, enum dicom_encoding encoding)
{
    if (encoding == DICOM_EXPLICIT_BE)
        return load_u32be(p);
    return (uint32_t)load_u16le(p) << 16 | load_u16le(p + 2);
}

static uint16_t load_u16(const uint8_t *p, enum dicom_encoding encoding)
{
    return encoding == DICOM_EXPLICIT_BE ? load_u16be(p) : load_u16le(p);
}

static uint32_t load_u32(const uint8_t *p, enum dicom_encoding encoding)
{
    return encoding == DICOM_EXPLICIT_BE ? load_u32be(p) : load_u32le(p);
}

/* The dictionary says OW where the standard leaves OB or OW, US where US or SS. */
static bool vr_agrees(enum dicom_vr written, enum dicom_vr meant)
{
    if (written == meant || written == VR_UN)
        return true;
    if (meant == VR_OW)
        return written == VR_OB || written == VR_US || written == VR_SS;
    return meant == VR_US && written == VR_SS;
}

/* A length that a value without a known end may claim and still be believed. */
enum {
    LEN_BELIEVED = 1 << 24
};

static bool len_fits(uint32_t len, size_t header, uint64_t room)
{
    if (room == UINT64_MAX)
        return len < LEN_BELIEVED;
    return room >= header && len <= room - header;
}

static size_t read_explicit(const uint8_t *p, size_t n, enum dicom_encoding encoding,
                            enum dicom_vr vr, uint64_t room, struct dicom_element *out)
{
    out->vr = (uint8_t)vr;
    out->header = 8;
    out->len = load_u16(p + 6, encoding);
    bool upper = is_upper(p[4]) && is_upper(p[5]);
    /* A VR of a later edition has the long form (PS3.5 section 6.2 note). */
    if (!vr_is_long(vr) && !(vr == VR_NONE && upper && out->len == 0))
        return 0;
    if (n < 12)
        return 12;
    uint32_t len = load_u32(p + 8, encoding);
    if (vr != VR_NONE || len_fits(len, 12, room)) {
        out->header = 12;
        out->len = len;
    }
    return 0;
}

/* Two bytes in the place of a VR that are no letters: either the element has none, or it is one
 * that was never filled in. */
static bool reads_as_implicit(const uint8_t *p, uint32_t len, enum dicom_vr meant, uint64_t room)
{
    bool printable = p[4] >= 0x20 && p[4] < 0x7F && p[5] >= 0x20 && p[5] < 0x7F;
    if (printable || is_upper(p[4]))
        return false;
    if (len == DICOM_UNDEFINED_LEN)
        return meant == VR_SQ || meant == VR_OW || meant == VR_NONE;
    return len_fits(len, 8, room);
}

size_t dicom_element_read(const uint8_t *p, size_t n, enum dicom_encoding encoding, uint64_t room,
                          struct dicom_element *out)
{
    if (n < DICOM_HEADER_MIN)
        return DICOM_HEADER_MIN;
    uint32_t tag = dicom_tag_read(p, encoding);
    *out = (struct dicom_element){.tag = tag, .len = load_u32(p + 4, encoding), .header = 8};
    if (tag >> 16 == DICOM_ITEM_GROUP)
        return 0;
    enum dicom_vr vr = dicom_vr_read(p + 4);
    if (encoding == DICOM_IMPLICIT_LE) {
        enum dicom_vr meant = dicom_dict_vr(tag);
        if (vr != VR_NONE && tag > 0xFFFF && vr_agrees(vr, meant) && !(vr == VR_UN && meant == 0)) {
            out->form = DICOM_FORM_WITH_VR;
            return read_explicit(p, n, encoding, vr, room, out);
        }
        out->vr = (uint8_t)meant;
        return 0;
    }
    if (vr != VR_NONE)
        return read_explicit(p, n, encoding, vr, room, out);
    enum dicom_vr meant = dicom_dict_vr(tag);
    if (reads_as_implicit(p, out->len, meant, room)) {
        out->form = DICOM_FORM_NO_VR;
        out->vr = (uint8_t)meant;
        return 0;
    }
    out->form = DICOM_FORM_BAD_VR;
    out->vr_blank = p[4] == p[5];
    size_t need = read_explicit(p, n, encoding, VR_NONE, room, out);
    out->vr = (uint8_t)meant;
    return need;
}

/* Scores: 16 for what hardly happens by chance, less for what merely fits. */
enum {
    SCORE_SURE = 16,
    SCORE_FITS = 8
};

static int score_explicit(const uint8_t *p, size_t n, enum dicom_encoding encoding)
{
    uint32_t tag = dicom_tag_read(p, encoding);
    enum dicom_vr vr = dicom_vr_read(p + 4), meant = dicom_dict_vr(tag);
    if (vr == VR_NONE || tag <= 0xFFFF)
        return 0;
    if (vr_is_long(vr) && n >= 8 && (p[6] != 0 || p[7] != 0))
        return 0;
    int score = SCORE_SURE;
    if (meant != VR_NONE)
        score += vr_agrees(vr, meant) ? SCORE_SURE + SCORE_FITS : SCORE_FITS;
    return score;
}

static int score_implicit(const uint8_t *p)
{
    uint32_t tag = dicom_tag_read(p, DICOM_IMPLICIT_LE), len = load_u32le(p + 4);
    enum dicom_vr meant = dicom_dict_vr(tag);
    int score = meant != VR_NONE ? SCORE_SURE : 0;
    if (len == DICOM_UNDEFINED_LEN)
        return meant == VR_SQ ? score + SCORE_FITS : score;
    if (meant == VR_UL && len != 4)
        return 0;
    if (len >= UINT32_C(1) << 28)
        return score - SCORE_FITS;
    return len < 65536 && len % 2 == 0 ? score + SCORE_FITS : score;
}

enum dicom_encoding dicom_encoding_judge(const uint8_t *p, size_t n, enum dicom_encoding declared,
                                         bool *sure)
{
    *sure = false;
    if (n < DICOM_HEADER_MIN)
        return declared;
    int scores[] = {
        [DICOM_UNDECLARED] = SCORE_SURE - 1,
        [DICOM_IMPLICIT_LE] = score_implicit(p),
        [DICOM_EXPLICIT_LE] = score_explicit(p, n, DICOM_EXPLICIT_LE),
        [DICOM_EXPLICIT_BE] = score_explicit(p, n, DICOM_EXPLICIT_BE),
    };
    enum dicom_encoding best = DICOM_UNDECLARED;
    for (int e = DICOM_IMPLICIT_LE; e <= DICOM_EXPLICIT_BE; e++)
        if (scores[e] > scores[best])
            best = (enum dicom_encoding)e;
    if (best == DICOM_UNDECLARED)
        return declared;
    *sure = true;
    if (declared <= DICOM_EXPLICIT_BE && scores[declared] >= SCORE_SURE &&
        scores[declared] + SCORE_FITS >= scores[best])
        return declared;
    return best;
}

enum dicom_encoding dicom_encoding_of(const uint8_t *uid, size_t len)
{
    static const struct {
        const char *uid;
        enum dicom_encoding encoding;
    } known[] = {
        {"1.2.840.10008.1.2", DICOM_IMPLICIT_LE},   {"1.2.840.10008.1.2.1", DICOM_EXPLICIT_LE},
        {"1.2.840.10008.1.2.2", DICOM_EXPLICIT_BE}, {"1.2.840.10008.1.2.1.99", DICOM_DEFLATED},
        {"1.2.840.10008.1.2.4.95", DICOM_DEFLATED}, {"1.2.840.10008.1.2.4.205", DICOM_DEFLATED},
        {"1.2.840.113619.5.2", DICOM_IMPLICIT_LE}, /* differs in its pixels only */
    };
    static const char root[] = "1.2.840.10008.1.2.";
    while (len > 0 && (uid[len - 1] == '\0' || uid[len - 1] == ' '))
        len--;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].uid) == len && memcmp(uid, known[i].uid, len) == 0)
            return known[i].encoding;
    /* All others of the standard are explicit little endian with encapsulated pixels. */
    if (len > sizeof root - 1 && memcmp(uid, root, sizeof root - 1) == 0)
        return DICOM_EXPLICIT_LE;
    return DICOM_UNDECLARED;
}
