/* hint.h - what nDPI calls a flow: a name for people, never a gate. Internal to inspect/.
 *
 * Asked only while no dissector of ours has claimed the flow, and only for its first packets.
 */
#ifndef INSPECT_HINT_H
#define INSPECT_HINT_H

#include "flow/flow.h"

struct hinter;

/* hinter_open: NULL when nDPI cannot start; the audit goes on without hints. */
struct hinter *hinter_open(void);
void hinter_close(struct hinter *h);

/* hinter_packet shows a packet with payload; does nothing for flows that need no hint any more. */
void hinter_packet(struct hinter *h, struct flow *f, const struct datagram *d);

/* hinter_forget lets nDPI name a flow by what it saw so far, and frees what it kept. h may be NULL.
 */
void hinter_forget(struct hinter *h, struct flow *f);

#endif
