/* country.c - finds countries in an MMDB. Knows neither verdicts nor the other database. */
#include "geo/country.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
    WALK_STEPS = 4096 /* nodes looked at for a first entry */
};

static const char *const flat_path[] = {"country_code", NULL};
static const char *const nested_path[] = {"country", "iso_code", NULL};

static bool has_text(MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s v;
    return MMDB_aget_value(entry, &v, path) == MMDB_SUCCESS && v.has_data &&
           v.type == MMDB_DATA_TYPE_UTF8_STRING;
}

/* The way to the country is read off the first entries in the tree; a file whose entries hold none
 * is of another kind: cities without countries, AS numbers. */
static bool find_layout(struct country_file *c)
{
    uint32_t stack[160];
    unsigned depth = 0, entries = 0;
    stack[depth++] = 0;
    for (unsigned step = 0; step < WALK_STEPS && depth > 0; step++) {
        MMDB_search_node_s node;
        if (MMDB_read_node(&c->mmdb, stack[--depth], &node) != MMDB_SUCCESS)
            return false;
        for (unsigned side = 0; side < 2; side++) {
            uint8_t type = side == 0 ? node.right_record_type : node.left_record_type;
            uint64_t record = side == 0 ? node.right_record : node.left_record;
            MMDB_entry_s *entry = side == 0 ? &node.right_record_entry : &node.left_record_entry;
            if (type == MMDB_RECORD_TYPE_SEARCH_NODE && depth < sizeof stack / sizeof stack[0])
                stack[depth++] = (uint32_t)record;
            if (type != MMDB_RECORD_TYPE_DATA)
                continue;
            if (has_text(entry, flat_path))
                return true;
            c->nested = has_text(entry, nested_path);
            if (c->nested || ++entries == 64)
                return c->nested;
        }
    }
    return false;
}

enum status country_open(struct country_file *c, const char *path, struct fault *f)
{
    *c = (struct country_file){0};
    int rc = MMDB_open(path, MMDB_MODE_MMAP, &c->mmdb);
    int why = errno;
    if (rc == MMDB_FILE_OPEN_ERROR || rc == MMDB_IO_ERROR) {
        (void)fault_set(f, STATUS_IO, "%s: %s", path, strerror(why));
        errno = why;
        return STATUS_IO;
    }
    if (rc != MMDB_SUCCESS)
        return fault_set(f, STATUS_FORMAT, "%s: not a MaxMind database: %s", path,
                         MMDB_strerror(rc));
    c->open = true;
    c->memo = calloc(COUNTRY_MEMO, sizeof c->memo[0]);
    if (c->memo == NULL) {
        country_close(c);
        return fault_set(f, STATUS_MEMORY, "%s: no memory", path);
    }
    if (!find_layout(c)) {
        country_close(c);
        return fault_set(f, STATUS_FORMAT,
                         "%s: holds no countries (country_code or country.iso_code)", path);
    }
    return STATUS_OK;
}

void country_close(struct country_file *c)
{
    if (c->open)
        MMDB_close(&c->mmdb);
    free(c->memo);
    *c = (struct country_file){0};
}

/* Letters of an entry as first << 8 | second, 0 when it has no country. */
static uint16_t read_entry(const struct country_file *c, MMDB_entry_s *entry)
{
    MMDB_entry_data_s v;
    int rc = MMDB_aget_value(entry, &v, c->nested ? nested_path : flat_path);
    if (rc != MMDB_SUCCESS || !v.has_data || v.type != MMDB_DATA_TYPE_UTF8_STRING ||
        v.data_size != 2)
        return 0;
    for (unsigned i = 0; i < 2; i++)
        if (v.utf8_string[i] < 'A' || v.utf8_string[i] > 'Z')
            return 0;
    return (uint16_t)((unsigned)v.utf8_string[0] << 8 | (unsigned)v.utf8_string[1]);
}

/* Many addresses share few entries: what an entry says is remembered. A slot is written whole, so
 * that threads need not wait for each other. */
static uint16_t read_entry_once(const struct country_file *c, MMDB_entry_s *entry)
{
    uint64_t key = (uint64_t)entry->offset + 1;
    _Atomic uint64_t *slot = &c->memo[(key ^ key >> 10) % COUNTRY_MEMO];
    uint64_t known = atomic_load_explicit(slot, memory_order_relaxed);
    if (known >> 16 == key)
        return (uint16_t)known;
    uint16_t letters = read_entry(c, entry);
    atomic_store_explicit(slot, key << 16 | letters, memory_order_relaxed);
    return letters;
}

bool country_find(const struct country_file *c, unsigned family, const uint8_t *address,
                  char out[3])
{
    out[0] = '\0';
    if (!c->open)
        return false;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to = {0};
    if (family == 4) {
        to.v4.sin_family = AF_INET;
        memcpy(&to.v4.sin_addr, address, 4);
    } else {
        to.v6.sin6_family = AF_INET6;
        memcpy(&to.v6.sin6_addr, address, 16);
    }
    int rc = MMDB_SUCCESS;
    MMDB_lookup_result_s at = MMDB_lookup_sockaddr(&c->mmdb, &to.any, &rc);
    if (rc != MMDB_SUCCESS || !at.found_entry)
        return false;
    uint16_t letters = read_entry_once(c, &at.entry);
    if (letters == 0)
        return false;
    out[0] = (char)(letters >> 8);
    out[1] = (char)(letters & 0xff);
    out[2] = '\0';
    return true;
}
