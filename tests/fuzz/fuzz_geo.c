/* fuzz_geo.c - the loader of range files: any text is read or refused, and what was read is found.
 *
 * The first byte is the family, '4' or '6'; the rest is the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "geo ranges: %s\n", what);
    abort();
}

static void address_of(const struct ranges *r, uint32_t i, bool last, uint8_t out[16])
{
    for (unsigned k = 0; k < 16; k++) {
        uint64_t half = 0;
        if (r->family == 6)
            half = (last ? r->last6 : r->first6)[i][k / 8];
        else if (k < 4)
            half = (uint64_t)(last ? r->last4 : r->first4)[i] << 32;
        out[k] = (uint8_t)(half >> (56 - k % 8 * 8) & 0xff);
    }
}

static void ranges_are_found(const struct ranges *r)
{
    uint8_t before[16], first[16], last[16];
    size_t n = r->family == 6 ? 16 : 4;
    for (uint32_t i = 0; i < r->n; i++) {
        char country[3];
        address_of(r, i, false, first);
        address_of(r, i, true, last);
        require(memcmp(first, last, n) <= 0, "a range ends before it begins");
        require(i == 0 || memcmp(before, first, n) < 0, "ranges overlap");
        require(ranges_find(r, first, country), "a first address is not found");
        require(country[0] == (char)(r->country[i] >> 8), "a first address has another country");
        require(ranges_find(r, last, country), "a last address is not found");
        require(country[1] == (char)(r->country[i] & 0xff), "a last address has another country");
        memcpy(before, last, n);
    }
    for (unsigned i = 0; i < 256; i++) {
        char country[3];
        uint8_t any[16] = {(uint8_t)i, (uint8_t)(i * 7), (uint8_t)(i * 31)};
        (void)ranges_find(r, any, country);
    }
}

static enum status add_line_by_line(struct ranges *r, const uint8_t *text, size_t len,
                                    struct fault *f)
{
    while (len > 0) {
        const uint8_t *nl = memchr(text, '\n', len);
        size_t n = (size_t)(nl - text) + 1;
        uint8_t *line = malloc(n);
        require(line != NULL, "no memory");
        memcpy(line, text, n);
        enum status st = ranges_add(r, line, n, f);
        free(line);
        if (st != STATUS_OK)
            return st;
        text += n;
        len -= n;
    }
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    unsigned family = bytes[0] == '6' ? 6 : 4;
    uint8_t *text = malloc(len);
    require(text != NULL, "no memory");
    memcpy(text, bytes + 1, len - 1);
    text[len - 1] = '\n';
    struct ranges whole, lines;
    struct fault f[2] = {{""}, {""}};
    ranges_start(&whole, family, "t");
    ranges_start(&lines, family, "t");
    enum status st = ranges_add(&whole, text, len, &f[0]);
    require(st == add_line_by_line(&lines, text, len, &f[1]), "whole and line by line differ");
    require(strcmp(f[0].text, f[1].text) == 0, "the faults differ");
    require(whole.n == lines.n && whole.n_read == lines.n_read, "the counts differ");
    if (st == STATUS_OK && ranges_finish(&whole, &f[0]) == STATUS_OK)
        ranges_are_found(&whole);
    ranges_free(&whole);
    ranges_free(&lines);
    free(text);
    return 0;
}
