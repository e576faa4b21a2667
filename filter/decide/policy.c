/* policy.c - reads the table and walks it. */
#include "decide/policy.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/config.h"

enum {
    ROWS_MAX = 256,
    LISTS_MAX = 64,
    ENTRIES_MAX = 1024, /* networks or servers of one list */
    PORTS_MAX = 64,
    TEXT_MAX = CONFIG_MAX_BYTES + 1 /* one more, so that a longer file is refused, not cut */
};

struct network {
    struct address address;
    uint8_t bits;
};

/* list is a named set of destinations; texts live in the config tree. */
struct list {
    const char *name;
    struct network *networks;
    const char **servers;
    size_t n_networks, n_servers;
};

enum {
    WHERE_INSIDE = 1 << REGION_INSIDE,
    WHERE_OUTSIDE = 1 << REGION_OUTSIDE,
    WHERE_UNKNOWN = 1 << REGION_UNKNOWN,
    WHERE_DISAGREE = 1 << REGION_DISAGREE,
    WHERE_LOCAL = 1 << REGION_LOCAL,
    WHERE_ABROAD = WHERE_OUTSIDE | WHERE_UNKNOWN | WHERE_DISAGREE,
    WHERE_ANY = WHERE_ABROAD | WHERE_INSIDE | WHERE_LOCAL
};

enum {
    COUNTRIES_MAX = 32,
    PROTOCOLS_MAX = 32,
    CHANNEL_ANY = 2
};

struct row {
    uint32_t classes; /* bit i: enum class i */
    uint32_t where;   /* WHERE_*; 0 when only countries are named */
    char countries[COUNTRIES_MAX][3];
    size_t n_countries;
    const struct list *destination;
    const char *protocols[PROTOCOLS_MAX];
    size_t n_protocols;
    int channel;
    enum action action;
};

struct channel_row {
    enum channel kind;
    const struct list *destination;
    uint16_t ports[PORTS_MAX];
    size_t n_ports;
};

struct policy {
    struct config *config;
    char *text;
    char name[256];
    char hash[65];
    const char **home;
    size_t n_home;
    struct list lists[LISTS_MAX];
    size_t n_lists;
    const struct list *allow[LISTS_MAX];
    size_t n_allow;
    struct channel_row channels[LISTS_MAX];
    size_t n_channels;
    struct row rows[ROWS_MAX], fail[ROWS_MAX];
    size_t n_rows, n_fail;
};

static const char *const action_words[] = {"pass", "deidentify", "block", NULL};
static const char *const channel_words[] = {"medical_data", "device_data", NULL};

const char *action_name(enum action a)
{
    return action_words[a];
}

/* ---- reading ------------------------------------------------------------------------------ */

/* check_count notes a fault when a list has more entries than there is room for. */
static bool check_count(const struct config_node *list, uint32_t most, struct fault *f)
{
    if (list == NULL || list->n <= most)
        return true;
    (void)config_fault(list, f, "%s must have at most %u entries, not %u", list->key,
                       (unsigned)most, (unsigned)list->n);
    return false;
}

/* check_some notes a fault for an empty list where it would match nothing. */
static bool check_some(const struct config_node *list, struct fault *f)
{
    if (list->n > 0)
        return true;
    (void)config_fault(list, f, "%s must have at least one entry", list->key);
    return false;
}

/* unmap_network makes an IPv4 network of an IPv4-mapped one, as addresses are judged. */
static void unmap_network(struct network *n)
{
    struct address plain = address_unmap(&n->address);
    if (n->address.family == 6 && plain.family == 4 && n->bits >= 96) {
        n->address = plain;
        n->bits = (uint8_t)(n->bits - 96);
    }
}

static bool read_network(const struct config_node *node, struct network *out, struct fault *f)
{
    const char *text = config_node_text(node, "", f);
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    long bits = -1;
    if (!address_parse(text, len, &out->address)) {
        (void)config_fault(node, f, "%s must be networks such as 203.0.113.0/24", node->key);
        return false;
    }
    long most = out->address.family == 4 ? 32 : 128;
    bits = most;
    if (slash != NULL) {
        char *end;
        bits = strtol(slash + 1, &end, 10);
        if (*end != '\0' || slash[1] < '0' || slash[1] > '9' || end - slash > 4 || bits > most) {
            (void)config_fault(node, f, "%s: prefix length must be 0..%ld", node->key, most);
            return false;
        }
    }
    out->bits = (uint8_t)bits;
    unmap_network(out);
    return true;
}

/* read_server takes a host name, or "*." and one: letters, digits, hyphens, underscores, dots. */
static const char *read_server(const struct config_node *node, struct fault *f)
{
    const char *text = config_node_text(node, "", f);
    const char *name = text[0] == '*' && text[1] == '.' ? text + 2 : text;
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (name[0] == '\0' || name[0] == '.' || name[strspn(name, allowed)] != '\0' ||
        name[strlen(name) - 1] == '.')
        (void)config_fault(node, f, "%s must be names such as www.example.com or *.example.com",
                           node->key);
    return text;
}

static void read_lists(struct policy *p, const struct config_node *root, struct fault *f)
{
    static const char *const keys[] = {"name", "networks", "servers", NULL};
    const struct config_node *all = config_list(root, "destinations", f);
    for (const struct config_node *n = all != NULL ? all->first : NULL; n != NULL; n = n->next) {
        if (p->n_lists == LISTS_MAX) {
            (void)config_fault(n, f, "destinations must be at most %d", LISTS_MAX);
            return;
        }
        struct list *l = &p->lists[p->n_lists];
        if (!config_keys(n, keys, f) || config_need(n, "name", f) == NULL)
            return;
        l->name = config_text(n, "name", "", f);
        for (size_t i = 0; i < p->n_lists; i++)
            if (strcmp(p->lists[i].name, l->name) == 0)
                (void)config_fault(config_get(n, "name"), f, "name '%s' is taken already", l->name);
        const struct config_node *networks = config_list(n, "networks", f);
        const struct config_node *servers = config_list(n, "servers", f);
        if ((networks == NULL || networks->n == 0) && (servers == NULL || servers->n == 0)) {
            (void)config_fault(n, f, "destination needs networks or servers");
            return;
        }
        if (!check_count(networks, ENTRIES_MAX, f) || !check_count(servers, ENTRIES_MAX, f))
            return;
        l->networks = calloc(ENTRIES_MAX, sizeof *l->networks);
        l->servers = calloc(ENTRIES_MAX, sizeof *l->servers);
        p->n_lists++;
        if (l->networks == NULL || l->servers == NULL) {
            (void)config_fault(n, f, "no memory for the destination");
            return;
        }
        for (const struct config_node *e = networks != NULL ? networks->first : NULL; e != NULL;
             e = e->next) {
            if (!read_network(e, &l->networks[l->n_networks], f))
                return;
            l->n_networks++;
        }
        for (const struct config_node *e = servers != NULL ? servers->first : NULL; e != NULL;
             e = e->next)
            l->servers[l->n_servers++] = read_server(e, f);
    }
}

static const struct list *find_list(const struct policy *p, const struct config_node *node,
                                    const char *name, struct fault *f)
{
    for (size_t i = 0; i < p->n_lists; i++)
        if (strcmp(p->lists[i].name, name) == 0)
            return &p->lists[i];
    (void)config_fault(node, f, "%s must be the name of one of the destinations, not '%s'",
                       node->key, name);
    return NULL;
}

static const struct list *read_list_name(const struct policy *p, const struct config_node *map,
                                         struct fault *f)
{
    const char *name = config_text(map, "destination", NULL, f);
    return name != NULL ? find_list(p, config_get(map, "destination"), name, f) : NULL;
}

/* read_classes: words of classes, `personal` for all but opaque. Absent: all. */
static uint32_t read_classes(const struct config_node *map, struct fault *f)
{
    const struct config_node *list = config_list(map, "class", f);
    uint32_t all = (1u << CLASS_COUNT) - 1, set = 0;
    if (list == NULL)
        return all;
    if (!check_some(list, f))
        return 0;
    for (const struct config_node *n = list->first; n != NULL; n = n->next) {
        const char *word = config_node_text(n, "", f);
        enum class c;
        if (strcmp(word, "personal") == 0)
            set |= all & ~(1u << CLASS_OPAQUE);
        else if (class_from_name(word, &c))
            set |= 1u << c;
        else
            (void)config_fault(n, f,
                               "class must be personal, opaque or a class such as person_name, "
                               "id_number, phone; not '%s'",
                               word);
    }
    return set;
}

static void read_where(const struct config_node *map, struct row *row, struct fault *f)
{
    static const struct {
        const char *word;
        uint32_t where;
    } words[] = {{"inside", WHERE_INSIDE},   {"outside", WHERE_OUTSIDE},
                 {"unknown", WHERE_UNKNOWN}, {"disagree", WHERE_DISAGREE},
                 {"local", WHERE_LOCAL},     {"abroad", WHERE_ABROAD},
                 {"any", WHERE_ANY}};
    const struct config_node *list = config_list(map, "jurisdiction", f);
    if (list == NULL) {
        row->where = WHERE_ANY;
        return;
    }
    if (!check_some(list, f) || !check_count(list, COUNTRIES_MAX, f))
        return;
    for (const struct config_node *n = list->first; n != NULL; n = n->next) {
        const char *word = config_node_text(n, "", f);
        bool known = false;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (strcmp(word, words[i].word) == 0) {
                row->where |= words[i].where;
                known = true;
            }
        }
        if (!known && strlen(word) == 2 && word[0] >= 'A' && word[0] <= 'Z' && word[1] >= 'A' &&
            word[1] <= 'Z') {
            memcpy(row->countries[row->n_countries++], word, 3);
            known = true;
        }
        if (!known)
            (void)config_fault(n, f,
                               "jurisdiction must be inside, outside, unknown, disagree, local, "
                               "abroad, any or a country code such as HK, not '%s'",
                               word);
    }
}

/* read_row reads one row; a fail row is about bytes nobody saw, so it has no class. */
static void read_row(struct policy *p, const struct config_node *n, bool failing, struct row *row,
                     struct fault *f)
{
    static const char *const keys[] = {"class",   "jurisdiction", "destination", "protocol",
                                       "channel", "action",       NULL};
    if (!config_keys(n, failing ? keys + 1 : keys, f) || config_need(n, "action", f) == NULL)
        return;
    row->classes = read_classes(n, f);
    read_where(n, row, f);
    row->destination = read_list_name(p, n, f);
    row->channel = config_word(n, "channel", channel_words, CHANNEL_ANY, f);
    row->action = (enum action)config_word(n, "action", action_words, ACTION_BLOCK, f);
    const struct config_node *protocols = config_list(n, "protocol", f);
    if (!check_count(protocols, PROTOCOLS_MAX, f))
        return;
    for (const struct config_node *e = protocols != NULL ? protocols->first : NULL; e != NULL;
         e = e->next)
        row->protocols[row->n_protocols++] = config_node_text(e, "", f);
}

static void read_rows(struct policy *p, const struct config_node *root, const char *key,
                      struct row *rows, size_t *n_rows, struct fault *f)
{
    const struct config_node *list = config_list(root, key, f);
    for (const struct config_node *n = list != NULL ? list->first : NULL; n != NULL && config_ok(f);
         n = n->next) {
        if (*n_rows == ROWS_MAX) {
            (void)config_fault(n, f, "%s must be at most %d", key, ROWS_MAX);
            return;
        }
        read_row(p, n, rows == p->fail, &rows[(*n_rows)++], f);
    }
}

static void read_channels(struct policy *p, const struct config_node *root, struct fault *f)
{
    static const char *const keys[] = {"kind", "destination", "ports", NULL};
    const struct config_node *list = config_list(root, "channels", f);
    for (const struct config_node *n = list != NULL ? list->first : NULL; n != NULL; n = n->next) {
        if (p->n_channels == LISTS_MAX) {
            (void)config_fault(n, f, "channels must be at most %d", LISTS_MAX);
            return;
        }
        if (!config_keys(n, keys, f) || config_need(n, "kind", f) == NULL)
            return;
        struct channel_row *c = &p->channels[p->n_channels++];
        c->kind = (enum channel)config_word(n, "kind", channel_words, CHANNEL_MEDICAL, f);
        c->destination = read_list_name(p, n, f);
        const struct config_node *ports = config_list(n, "ports", f);
        if (!check_count(ports, PORTS_MAX, f))
            return;
        for (const struct config_node *e = ports != NULL ? ports->first : NULL; e != NULL;
             e = e->next)
            c->ports[c->n_ports++] = (uint16_t)config_node_int(e, 1, 65535, 1, f);
        if (c->destination == NULL && c->n_ports == 0)
            (void)config_fault(n, f, "channel needs a destination or ports");
    }
}

static void read_home(struct policy *p, const struct config_node *root, struct fault *f)
{
    const struct config_node *list = config_list(root, "home", f);
    if (list == NULL || list->n == 0 || !check_count(list, GEO_MAX_HOME, f))
        return;
    p->home = calloc(list->n, sizeof *p->home);
    for (const struct config_node *n = list->first; p->home != NULL && n != NULL; n = n->next) {
        struct network checked;
        if (!read_network(n, &checked, f))
            return;
        p->home[p->n_home++] = n->text;
    }
}

static void read_policy(struct policy *p, const struct config_node *root, struct fault *f)
{
    static const char *const keys[] = {"version",  "home", "destinations", "allow",
                                       "channels", "rows", "fail",         NULL};
    if (!config_keys(root, keys, f))
        return;
    (void)config_int(root, "version", 1, 1, 1, f);
    if (config_need(root, "rows", f) == NULL)
        return;
    read_home(p, root, f);
    read_lists(p, root, f);
    const struct config_node *allow = config_list(root, "allow", f);
    if (!check_count(allow, LISTS_MAX, f))
        return;
    for (const struct config_node *n = allow != NULL ? allow->first : NULL;
         n != NULL && config_ok(f); n = n->next) {
        const struct list *l = find_list(p, n, config_node_text(n, "", f), f);
        if (l != NULL)
            p->allow[p->n_allow++] = l;
    }
    read_channels(p, root, f);
    read_rows(p, root, "rows", p->rows, &p->n_rows, f);
    read_rows(p, root, "fail", p->fail, &p->n_fail, f);
}

static enum status read_text(const char *path, char **text, size_t *len, struct fault *f)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fault_set(f, STATUS_IO, "%s: cannot be opened", path);
    *text = malloc(TEXT_MAX + 1);
    if (*text != NULL)
        *len = fread(*text, 1, TEXT_MAX, file);
    bool bad = *text == NULL || ferror(file) != 0;
    (void)fclose(file);
    if (bad)
        return fault_set(f, STATUS_IO, "%s: cannot be read", path);
    (*text)[*len] = '\0';
    return STATUS_OK;
}

static void hash_text(struct policy *p, size_t len)
{
    uint8_t digest[32];
    unsigned n = 0;
    if (EVP_Digest(p->text, len, digest, &n, EVP_sha256(), NULL) != 1)
        n = 0;
    for (unsigned i = 0; i < n && i < 32; i++)
        (void)snprintf(p->hash + 2 * (size_t)i, 3, "%02x", digest[i]);
}

enum status policy_load(const char *path, struct policy **out, struct fault *f)
{
    struct policy *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fault_set(f, STATUS_MEMORY, "no memory for the policy");
    struct fault found = {0};
    size_t len = 0;
    enum status status = STATUS_OK;
    (void)snprintf(p->name, sizeof p->name, "%s", path != NULL ? path : "built-in");
    if (path == NULL) {
        len = strlen(policy_default_text);
        p->text = malloc(len + 1);
        if (p->text == NULL)
            status = fault_set(&found, STATUS_MEMORY, "no memory for the policy");
        else
            memcpy(p->text, policy_default_text, len + 1);
    } else {
        status = read_text(path, &p->text, &len, &found);
    }
    if (status == STATUS_OK)
        status = config_read(p->name, p->text, len, &p->config, &found);
    if (status == STATUS_OK) {
        hash_text(p, len);
        read_policy(p, config_root(p->config), &found);
        status = config_ok(&found) ? STATUS_OK : STATUS_FORMAT;
    }
    if (status != STATUS_OK) {
        policy_free(p);
        return fault_set(f, status, "%s", found.text);
    }
    *out = p;
    return STATUS_OK;
}

void policy_free(struct policy *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n_lists; i++) {
        free(p->lists[i].networks);
        free(p->lists[i].servers);
    }
    config_free(p->config);
    free(p->home);
    free(p->text);
    free(p);
}

/* ---- deciding ----------------------------------------------------------------------------- */

static bool network_holds(const struct network *n, const struct address *a)
{
    struct address plain = address_unmap(a);
    if (plain.family != n->address.family)
        return false;
    size_t whole = n->bits / 8;
    if (memcmp(plain.bytes, n->address.bytes, whole) != 0)
        return false;
    unsigned rest = n->bits % 8;
    return rest == 0 || (plain.bytes[whole] ^ n->address.bytes[whole]) >> (8 - rest) == 0;
}

/* server_matches: "*.example.com" for any name below it, otherwise the name itself; case ignored.
 */
static bool server_matches(const char *pattern, const char *name)
{
    size_t n = strlen(name), m = strlen(pattern);
    if (n > 0 && name[n - 1] == '.')
        n--; /* a name may end with the root's dot */
    if (n == 0)
        return false;
    if (pattern[0] == '*' && pattern[1] == '.')
        return n >= m &&
               bytes_equal_nocase((const uint8_t *)name + n - (m - 1), pattern + 1, m - 1);
    return n == m && bytes_equal_nocase((const uint8_t *)name, pattern, m);
}

static bool list_holds(const struct list *l, const struct address *a, const char *server)
{
    for (size_t i = 0; i < l->n_networks; i++)
        if (network_holds(&l->networks[i], a))
            return true;
    for (size_t i = 0; i < l->n_servers; i++)
        if (server_matches(l->servers[i], server))
            return true;
    return false;
}

enum channel policy_channel(const struct policy *p, const struct address *destination,
                            uint16_t port, const char *server)
{
    for (size_t i = 0; i < p->n_channels; i++) {
        const struct channel_row *c = &p->channels[i];
        if (c->destination != NULL && !list_holds(c->destination, destination, server))
            continue;
        bool port_ok = c->n_ports == 0;
        for (size_t k = 0; k < c->n_ports; k++)
            port_ok = port_ok || c->ports[k] == port;
        if (port_ok)
            return c->kind;
    }
    return CHANNEL_MEDICAL;
}

static bool row_matches(const struct row *r, const struct matter *m, bool any_class,
                        enum channel channel)
{
    if (!any_class && !(r->classes >> m->class & 1))
        return false;
    bool where = (r->where >> m->place->region & 1) != 0;
    for (size_t i = 0; i < r->n_countries; i++)
        where = where || (strcmp(r->countries[i], m->place->country) == 0 &&
                          m->place->region != REGION_LOCAL);
    if (!where || (r->channel != CHANNEL_ANY && r->channel != (int)channel))
        return false;
    if (r->destination != NULL && !list_holds(r->destination, m->destination, m->server))
        return false;
    bool protocol = r->n_protocols == 0;
    for (size_t i = 0; i < r->n_protocols; i++)
        protocol = protocol || strcmp(r->protocols[i], m->protocol) == 0;
    return protocol;
}

static struct verdict walk(const struct policy *p, const struct row *rows, size_t n,
                           const struct matter *m, bool failing)
{
    struct verdict v = {.by = BY_DEFAULT, .action = m->place->outside ? ACTION_BLOCK : ACTION_PASS};
    v.channel = policy_channel(p, m->destination, m->port, m->server);
    v.violation = !failing && v.channel == CHANNEL_DEVICE && m->class != CLASS_OPAQUE;
    for (size_t i = 0; i < p->n_allow; i++) {
        if (!v.violation && list_holds(p->allow[i], m->destination, m->server)) {
            v.by = BY_ALLOW;
            v.action = ACTION_PASS;
            return v;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!row_matches(&rows[i], m, failing, v.channel))
            continue;
        v.by = failing ? BY_FAIL : BY_ROW;
        v.row = (uint32_t)i + 1;
        v.action = rows[i].action;
        break;
    }
    if (v.action == ACTION_DEIDENTIFY && !m->way_back) {
        v.action = ACTION_BLOCK;
        v.downgraded = true;
    }
    return v;
}

struct verdict policy_decide(const struct policy *p, const struct matter *m)
{
    return walk(p, p->rows, p->n_rows, m, false);
}

struct verdict policy_fail(const struct policy *p, const struct matter *m)
{
    return walk(p, p->fail, p->n_fail, m, true);
}

/* ---- telling ------------------------------------------------------------------------------ */

const char *const *policy_home(const struct policy *p, size_t *n)
{
    *n = p->n_home;
    return p->home;
}

const char *policy_hash(const struct policy *p)
{
    return p->hash;
}

const char *policy_text(const struct policy *p)
{
    return p->text;
}

const char *policy_name(const struct policy *p)
{
    return p->name;
}

uint32_t policy_rows(const struct policy *p)
{
    return (uint32_t)p->n_rows;
}

int policy_row_text(const struct policy *p, uint32_t row, char *buf, size_t cap)
{
    const struct row *r = &p->rows[row - 1];
    size_t classes = 0;
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        classes += r->classes >> c & 1;
    return snprintf(buf, cap, "row %u: %zu classes, %s%s%s -> %s", (unsigned)row, classes,
                    r->where == WHERE_ANY                      ? "anywhere"
                    : r->where == WHERE_ABROAD                 ? "abroad"
                    : r->where == (WHERE_INSIDE | WHERE_LOCAL) ? "inside and local"
                                                               : "some jurisdictions",
                    r->destination != NULL ? ", destination " : "",
                    r->destination != NULL ? r->destination->name : "", action_words[r->action]);
}
