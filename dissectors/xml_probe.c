/* xml_probe.c - is it XML or HTML, and how a place in it is called. */
#include "dissectors/xml_state.h"

#include <stdio.h>

int xml_path(const struct event *ev, char *buf, size_t cap)
{
    char text[512] = "";
    size_t len = 0;
    for (size_t i = 0; i < ev->n_path && i < PATH_MAX_STEPS && len < sizeof text - 64; i++) {
        uint32_t step = ev->path[i];
        const char *cut = (step & XML_STEP_CUT) != 0 ? "/.." : "";
        const char *before = (step & XML_STEP_ATTRIBUTE) != 0 ? "@" : "/";
        const char *name = (step & XML_STEP_DEEP) != 0 ? ".." : known_name_text(step & 0xffff);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%s", cut, before, name);
    }
    return snprintf(buf, cap, "%s", text);
}

static bool starts_nocase(struct view head, size_t i, const char *text)
{
    size_t n = strlen(text);
    return head.len - i >= n && bytes_equal_nocase(head.bytes + i, text, n);
}

/* A tag of no known kind: <name>, <name/>, <name attribute=, or cut off by the end of head. */
static unsigned probe_tag(struct view head, size_t i)
{
    size_t from = ++i;
    while (i < head.len && !xml_is_space(head.bytes[i]) && head.bytes[i] != '>' &&
           head.bytes[i] != '/') {
        uint8_t c = head.bytes[i];
        bool name = xml_is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!name)
            return 0;
        i++;
    }
    enum known_name known = known_name_find(head.bytes + from, i - from);
    unsigned bits = known != K_NONE ? 10 : 6;
    if (i >= head.len || head.bytes[i] == '/')
        return bits;
    if (head.bytes[i] == '>')
        return bits + 4;
    while (i < head.len && xml_is_space(head.bytes[i]))
        i++;
    while (i < head.len && (xml_is_name_start(head.bytes[i]) || head.bytes[i] == '-' ||
                            (head.bytes[i] >= '0' && head.bytes[i] <= '9')))
        i++;
    while (i < head.len && xml_is_space(head.bytes[i]))
        i++;
    if (i >= head.len)
        return bits;
    return head.bytes[i] == '='                           ? bits + 8
           : head.bytes[i] == '>' || head.bytes[i] == '/' ? bits
                                                          : 0;
}

unsigned xml_probe(struct view head)
{
    size_t i = 0;
    /* UTF-16 and UTF-32 documents are no concern of ours. */
    if (head.len < 2 || memchr(head.bytes, 0, head.len < 4 ? head.len : 4) != NULL)
        return 0;
    if (head.len >= 3 && memcmp(head.bytes, "\xef\xbb\xbf", 3) == 0)
        i = 3;
    while (i < head.len && xml_is_space(head.bytes[i]))
        i++;
    if (head.len - i < 2 || head.bytes[i] != '<')
        return 0;
    if (starts_nocase(head, i, "<?xml"))
        return 40;
    if (starts_nocase(head, i, "<!doctype"))
        return 40;
    if (starts_nocase(head, i, "<html"))
        return 32;
    if (starts_nocase(head, i, "<!--"))
        return 16;
    if (!xml_is_name_start(head.bytes[i + 1]))
        return 0;
    return probe_tag(head, i);
}
