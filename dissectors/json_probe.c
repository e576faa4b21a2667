/* json_probe.c - is it JSON, and how a place in it is called. */
#include "dissectors/json_reading.h"

#include <stdio.h>

int json_path(const struct event *ev, char *buf, size_t cap)
{
    char text[512] = "$";
    size_t len = 1;
    if (ev->n_path > 0 && (ev->path[0] & STEP_CUT) != 0)
        len += (size_t)snprintf(text + len, sizeof text - len, "..");
    for (size_t i = 0; i < ev->n_path && i < PATH_MAX_STEPS && len < sizeof text - 64; i++) {
        uint32_t one = ev->path[i];
        if ((one & STEP_DEEP) == STEP_DEEP) {
            len += (size_t)snprintf(text + len, sizeof text - len, "..");
            continue;
        }
        if ((one & STEP_UNKEYED) == 0)
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "%s%s",
                                 text[len - 1] == '.' ? "" : ".", known_name_text(step_name(one)));
        if ((one & 0xffff) != 0)
            len += (size_t)snprintf(text + len, sizeof text - len, "[%u]",
                                    (unsigned)(one & 0xffff) - 1);
    }
    return snprintf(buf, cap, "%s", text);
}

static size_t head_space(struct view head, size_t i)
{
    while (i < head.len && (head.bytes[i] == ' ' || (head.bytes[i] >= 9 && head.bytes[i] <= 13)))
        i++;
    return i;
}

/* Bits for a string at head[i], and for what follows it when that is visible: `after` is the
 * characters that may. 0: something else follows. */
static unsigned probe_string(struct view head, size_t i, const char *after, unsigned bits)
{
    for (i++; i < head.len && head.bytes[i] != '"'; i++)
        if (head.bytes[i] == '\\')
            i++;
    i = head_space(head, i + 1);
    if (i >= head.len)
        return bits;
    return strchr(after, head.bytes[i]) != NULL && head.bytes[i] != 0 ? bits + 8 : 0;
}

static unsigned probe_array(struct view head, size_t i)
{
    while (i < head.len && head.bytes[i] == '[')
        i = head_space(head, i + 1);
    if (i >= head.len)
        return 4;
    uint8_t c = head.bytes[i];
    if (c == ']')
        return head.last && head_space(head, i + 1) >= head.len ? 9 : 4;
    if (c == '"')
        return probe_string(head, i, ",]", 12);
    if (c == '{') {
        i = head_space(head, i + 1);
        return i >= head.len          ? 8
               : head.bytes[i] == '"' ? probe_string(head, i, ":", 18)
               : head.bytes[i] == '}' ? 12
                                      : 0;
    }
    size_t from = i;
    while (i < head.len && !json_ends_bare(head.bytes[i]))
        i++;
    if (i == from || !(json_is_number(head.bytes + from, i - from) ||
                       json_is_literal(head.bytes + from, i - from)))
        return 0;
    i = head_space(head, i);
    if (i >= head.len)
        return 6;
    return head.bytes[i] == ',' ? 10 : head.bytes[i] == ']' ? 3 : 0;
}

unsigned json_probe(struct view head)
{
    size_t i = 0;
    /* UTF-16 and UTF-32 texts are no concern of ours. */
    if (head.len == 0 || memchr(head.bytes, 0, head.len < 4 ? head.len : 4) != NULL)
        return 0;
    if (head.len >= 3 && memcmp(head.bytes, "\xef\xbb\xbf", 3) == 0)
        i = 3;
    if (i < head.len && head.bytes[i] == 0x1e)
        i++;
    i = head_space(head, i);
    if (i >= head.len)
        return 0;
    if (head.bytes[i] == '[')
        return probe_array(head, i);
    if (head.bytes[i] != '{')
        return 0;
    i = head_space(head, i + 1);
    if (i >= head.len)
        return 4;
    if (head.bytes[i] == '"')
        return probe_string(head, i, ":", 16);
    if (head.bytes[i] == '}')
        return head.last && head_space(head, i + 1) >= head.len ? 9 : 4;
    return 0;
}
