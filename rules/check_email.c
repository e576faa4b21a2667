/* check_email.c - mailboxes, RFC 5321 sections 2.3.11, 4.1.2 and 4.5.3.1. */
#include <string.h>

#include "rules/checks.h"
#include "rules/glyph.h"
#include "rules/rule.h"

enum {
    LOCAL_MAX = 64,
    LABEL_MAX = 63,
    MAILBOX_MAX = 254 /* a path of 256 less its brackets */
};

_Static_assert((int)MAILBOX_MAX <= (int)RULE_MAX_LEN, "a mailbox must fit a match");

/* Of RFC 5322's atext only what people have in their addresses: the rest are delimiters of URLs,
 * HL7, JSON and shells. */
static bool is_local(char c)
{
    return is_alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
}

static bool is_domain(char c)
{
    return is_alnum(c) || c == '.' || c == '-';
}

/* Names that end so are pictures: "logo@2x.png". */
static bool is_picture(const char *p, size_t n)
{
    static const char kinds[][5] = {"png", "jpg", "jpeg", "gif", "svg", "webp"};
    char lower[5] = "";
    if (n >= sizeof lower)
        return false;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(p[i] | 0x20);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i], lower) == 0)
            return true;
    }
    return false;
}

/* is_top tells that n bytes can be the last label: letters, or the ASCII form of other scripts
 * (RFC 5890). */
static bool is_top(const char *p, size_t n)
{
    if (n < 2 || n > LABEL_MAX)
        return false;
    if (n > 4 && (p[0] | 0x20) == 'x' && (p[1] | 0x20) == 'n' && p[2] == '-' && p[3] == '-')
        return is_alnum(p[n - 1]);
    size_t i = 0;
    while (i < n && is_letter(p[i]))
        i++;
    return i == n && !is_picture(p, n);
}

/* domain_end gives the length, at most `room`, of the longest domain name at the front of p that
 * ends where its last label may end and, for `word`, no [0-9A-Za-z_] follows; 0: there is none. */
static size_t domain_end(const char *p, size_t n, size_t room, bool word)
{
    size_t best = 0, label = 0, n_labels = 1;
    for (size_t i = 0; i < n && i < room && is_domain(p[i]); i++) {
        if (p[i] == '.') {
            if (i == label || p[i - 1] == '-')
                break;
            label = i + 1;
            n_labels++;
            continue;
        }
        if ((p[i] == '-' && i == label) || i - label == LABEL_MAX)
            break;
        const char next = i + 1 < n ? p[i + 1] : ' ';
        const bool may_end = !word || !(is_alnum(next) || next == '_');
        if (may_end && n_labels > 1 && is_top(p + label, i + 1 - label))
            best = i + 1;
    }
    return best;
}

/* local_start gives where the longest local part before p[at] starts; `at` when there is none.
 * `word` as above. */
static size_t local_start(const char *p, size_t at, bool word)
{
    size_t best = at;
    if (at == 0 || p[at - 1] == '.')
        return at;
    for (size_t i = at; i > 0 && at - i < LOCAL_MAX && is_local(p[i - 1]); i--) {
        const char c = p[i - 1];
        if (c == '.' && i < at && p[i] == '.')
            break;
        const char before = i > 1 ? p[i - 2] : ' ';
        if (c != '.' && !(word && (is_alnum(before) || before == '_')))
            best = i - 1;
    }
    return best;
}

bool email_is_valid(const char *p, size_t n)
{
    const char *at = n <= MAILBOX_MAX ? memchr(p, '@', n) : NULL;
    if (at == NULL)
        return false;
    const size_t local = (size_t)(at - p), domain = n - local - 1;
    return local > 0 && local_start(p, local, false) == 0 && domain > 0 &&
           domain_end(at + 1, domain, domain, false) == domain;
}

bool email_grow(struct candidate *c)
{
    const size_t at = c->start;
    const bool word = c->boundary != BOUNDARY_NONE;
    const size_t start = local_start(c->text, at, word);
    if (start == at)
        return false;
    const size_t before = at + 1 - start;
    const size_t domain = domain_end(c->text + at + 1, c->len - at - 1, MAILBOX_MAX - before, word);
    c->start = start;
    c->n = before + domain;
    return domain > 0;
}
