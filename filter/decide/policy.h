/* policy.h - the table that says what happens to a finding: rows of (class, jurisdiction,
 * destination, protocol, channel) to an action, first match wins.
 *
 * Before the rows stand the allowed destinations; behind them the fail rows, for what could not be
 * judged. The policy that ships needs no file: see policy_default_text.
 */
#ifndef DECIDE_POLICY_H
#define DECIDE_POLICY_H

#include "base/address.h"
#include "base/status.h"
#include "geo/geo.h"
#include "rules/class.h"

enum action {
    ACTION_PASS,
    ACTION_DEIDENTIFY, /* rewritten in place */
    ACTION_BLOCK,
    ACTION_COUNT
};

/* What a flow is declared to carry. Device data must hold no personal information. */
enum channel {
    CHANNEL_MEDICAL, /* also what nobody declared */
    CHANNEL_DEVICE
};

/* matter is all a verdict depends on. Borrowed for the call. */
struct matter {
    enum class class;
    bool way_back;        /* it can be rewritten in place */
    const char *protocol; /* name of the outermost dissector */
    const char *server;   /* name the client asked for (TLS, HTTP), or "" */
    const struct address *destination;
    uint16_t port; /* of the destination or of the source, whichever serves */
    const struct place *place;
};

enum verdict_by {
    BY_ALLOW,  /* an allowed destination */
    BY_ROW,    /* row `row` of the table */
    BY_FAIL,   /* fail row `row` */
    BY_DEFAULT /* nothing matched: closed for abroad, open for inside and local */
};

struct verdict {
    enum action action;
    enum verdict_by by;
    uint32_t row;    /* counts from 1 */
    bool violation;  /* personal information on a channel declared as device data */
    bool downgraded; /* deidentify was asked for, but there is no way back: blocked */
    enum channel channel;
};

struct policy;

/* policy_load reads a YAML file; NULL: the policy that ships. Faults name file, line, column, key
 * and the legal values. The caller frees *out with policy_free (NULL is allowed there). */
enum status policy_load(const char *path, struct policy **out, struct fault *f);
void policy_free(struct policy *p);

/* policy_decide judges one finding; constant and safe from several threads. */
struct verdict policy_decide(const struct policy *p, const struct matter *m);

/* policy_fail judges bytes that could not be inspected; matter.class is not looked at. */
struct verdict policy_fail(const struct policy *p, const struct matter *m);

/* policy_channel tells what a flow to that server port of that destination is declared to carry. */
enum channel policy_channel(const struct policy *p, const struct address *destination,
                            uint16_t port, const char *server);

/* policy_home gives the networks of the site, for geo; *n of them. */
const char *const *policy_home(const struct policy *p, size_t *n);

/* policy_hash is the SHA-256 of the policy's text in lower-case hexadecimal. */
const char *policy_hash(const struct policy *p);

/* policy_text is the YAML text it was read from. */
const char *policy_text(const struct policy *p);

/* policy_name is the file's name, or "built-in". */
const char *policy_name(const struct policy *p);

/* policy_rows is the number of rows; policy_row_text writes what one says in words, 1-based. */
uint32_t policy_rows(const struct policy *p);
int policy_row_text(const struct policy *p, uint32_t row, char *buf, size_t cap);

/* action_name is the word: "pass", "deidentify", "block". */
const char *action_name(enum action a);

extern const char policy_default_text[];

#endif
