/* test_packet.c - frames of every link and tunnel, whole, cut and wrong; checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/packet.h"
#include "tests/frame.h"

/* ---- what a datagram says, as text ---- */

static const char *const checksum_names[] = {"ok", "bad", "partial", "unknown"};

static const char *describe(enum skip why, const struct datagram *g)
{
    static char text[300];
    if (why != SKIP_NONE && why != SKIP_ICMP && why != SKIP_IP_PROTOCOL) {
        (void)snprintf(text, sizeof text, "skip %s", skip_text(why));
        return text;
    }
    char src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX];
    int n = snprintf(text, sizeof text, "%s %u > %s %u p%u ttl%u %s %u/%u \"%.*s\"",
                     address_format(&g->src, src, sizeof src), g->sport,
                     address_format(&g->dst, dst, sizeof dst), g->dport, g->proto, g->ttl,
                     checksum_names[g->checksum], g->payload_len, g->wire_payload_len,
                     g->payload_len < 20 ? (int)g->payload_len : 20, (const char *)g->payload);
    if (g->tunnel_depth > 0)
        n += snprintf(text + n, sizeof text - (size_t)n, " in %u id %u", g->tunnel_depth,
                      g->tunnel_id);
    if (g->vlan > 0)
        n += snprintf(text + n, sizeof text - (size_t)n, " vlan %u", g->vlan);
    if (why != SKIP_NONE)
        (void)snprintf(text + n, sizeof text - (size_t)n, " skip %s", skip_text(why));
    return text;
}

static struct decoder *decoder;

/* Decodes an exact-size copy, so that a read beyond it is seen. The payload stays valid until the
 * next call. */
static enum skip decode(const uint8_t *bytes, uint32_t len, uint32_t wire_len, uint16_t link_type,
                        struct datagram *g)
{
    static uint8_t *copy;
    free(copy);
    copy = NULL;
    if (bytes == NULL)
        return SKIP_NONE;
    copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    struct packet p = {.bytes = copy,
                       .len = len,
                       .wire_len = wire_len,
                       .time_ns = 1,
                       .number = 7,
                       .file_off = 1000,
                       .link_type = link_type};
    enum skip why = decode_packet(decoder, &p, g);
    assert_int_equal(why, g->why);
    if (why == SKIP_NONE) {
        assert_true(g->payload_len <= g->wire_payload_len);
        assert_true(g->payload_off + g->payload_len <= len);
        assert_ptr_equal(g->payload, copy + g->payload_off);
        if (g->payload_len > 2) {
            struct piece at = datagram_place(g, &p, 2);
            assert_int_equal(at.packet_off, g->payload_off + 2);
            assert_int_equal(at.file_off, 1000 + at.packet_off);
            assert_int_equal(at.number, 7);
            assert_int_equal(at.len, g->payload_len - 2);
        }
    }
    return why;
}

static const char *say(const struct frame *f, uint16_t link_type)
{
    struct datagram g;
    enum skip why = decode(frame_bytes(f), frame_len(f), frame_len(f), link_type, &g);
    return describe(why, &g);
}

/* At every length, cut by the capture or on the wire, nothing else than this may come out. */
static void cut_everywhere(const struct frame *f, uint16_t link_type)
{
    struct datagram whole, g;
    enum skip why_whole = decode(frame_bytes(f), frame_len(f), frame_len(f), link_type, &whole);
    uint32_t whole_len = whole.wire_payload_len;
    for (uint32_t len = 0; len < frame_len(f); len++) {
        enum skip why = decode(frame_bytes(f), len, frame_len(f), link_type, &g);
        if (why == SKIP_NONE && whole.tunnel_depth == g.tunnel_depth) {
            assert_int_equal(g.wire_payload_len, whole_len);
            assert_true(g.payload_len < whole_len ? g.checksum == CHECKSUM_UNKNOWN
                                                  : why_whole == SKIP_NONE);
        }
        why = decode(frame_bytes(f), len, len, link_type, &g);
        if (why == SKIP_NONE)
            assert_int_equal(g.payload_len, g.wire_payload_len);
    }
}

/* ---- links ---- */

static const char plain4[] = "10.0.0.1 1111 > 192.0.2.2 2222 p17 ttl64 ok 5/5 \"hello\"";
static const char plain6[] = "2001:db8::1 1111 > 2001:db8::2 2222 p17 ttl63 ok 5/5 \"hello\"";

static void udp4(struct frame *f)
{
    frame_start(f, "hello", 5);
    frame_udp(f, 1111, 2222);
    frame_ip4(f, IP_PROTO_UDP);
}

static void udp6(struct frame *f)
{
    frame_start(f, "hello", 5);
    frame_udp(f, 1111, 2222);
    frame_ip6(f, IP_PROTO_UDP);
}

/* `prefix` is written as "\x00..." with its length; each row stands before an IP packet. */
struct link_row {
    const char *name;
    uint16_t link_type;
    uint8_t version;
    const char *prefix;
    size_t prefix_len;
    const char *more; /* after the address line */
};

#define BYTES(s) s, sizeof(s) - 1
#define MAC12    "\x02\0\0\0\0\1\x02\0\0\0\0\2"

static const struct link_row link_rows[] = {
    {"ethernet 4", 1, 4, BYTES(MAC12 "\x08\x00"), ""},
    {"ethernet 6", 1, 6, BYTES(MAC12 "\x86\xdd"), ""},
    {"vlan", 1, 4, BYTES(MAC12 "\x81\x00\x20\x64\x08\x00"), " vlan 100"},
    {"qinq", 1, 6, BYTES(MAC12 "\x88\xa8\x00\x05\x81\x00\x00\x06\x86\xdd"), " vlan 5"},
    {"qinq old", 1, 4, BYTES(MAC12 "\x91\x00\x00\x07\x91\x00\x00\x08\x81\x00\x00\x09\x08\x00"),
     " vlan 7"},
    {"mpls 4", 1, 4, BYTES(MAC12 "\x88\x47\x00\x01\x00\x40\x00\x01\x11\x40"), ""},
    {"mpls 6", 1, 6, BYTES(MAC12 "\x88\x48\x00\x01\x01\x40"), ""},
    {"mpls pseudowire", 1, 4,
     BYTES(MAC12 "\x88\x47\x00\x01\x01\x40\x00\x00\x00\x00" MAC12 "\x08\x00"), ""},
    {"mpls ethernet", 1, 4, BYTES(MAC12 "\x88\x47\x00\x01\x01\x40" MAC12 "\x08\x00"), ""},
    {"macsec integrity", 1, 4, BYTES(MAC12 "\x88\xe5\x20\x00\0\0\0\1abcdefgh\x08\x00"), ""},
    {"cooked 4", 113, 4, BYTES("\0\0\0\1\0\6abcdefgh\x08\x00"), ""},
    {"cooked vlan", 113, 6, BYTES("\0\0\0\1\0\6abcdefgh\x81\x00\x00\x03\x86\xdd"), " vlan 3"},
    {"cooked2 6", 276, 6, BYTES("\x86\xdd\0\0\0\0\0\2\0\1\0\6abcdefgh"), ""},
    {"raw", 101, 4, BYTES(""), ""},
    {"raw 12", 12, 6, BYTES(""), ""},
    {"raw 14", 14, 4, BYTES(""), ""},
    {"ipv4", 228, 4, BYTES(""), ""},
    {"ipv6", 229, 6, BYTES(""), ""},
    {"null little", 0, 4, BYTES("\2\0\0\0"), ""},
    {"null big", 0, 4, BYTES("\0\0\0\2"), ""},
    {"null mac 6", 0, 6, BYTES("\x1e\0\0\0"), ""},
    {"loop", 108, 6, BYTES("\0\0\0\x18"), ""},
    {"ppp", 9, 4, BYTES("\xff\x03\x00\x21"), ""},
    {"ppp bare", 9, 6, BYTES("\x57"), ""},
    {"ppp mpls", 9, 6, BYTES("\x02\x81\x00\x01\x01\x40"), ""},
    {"ppp hdlc", 50, 4, BYTES("\xff\x03\x00\x21"), ""},
    {"cisco hdlc", 104, 4, BYTES("\x0f\x00\x08\x00"), ""},
    {"pppd", 166, 4, BYTES("\x01\x03\x00\x21"), ""},
};

static void links(void **state)
{
    (void)state;
    static struct frame f;
    for (size_t i = 0; i < sizeof link_rows / sizeof link_rows[0]; i++) {
        const struct link_row *row = &link_rows[i];
        if (row->version == 4)
            udp4(&f);
        else
            udp6(&f);
        (void)frame_put(&f, row->prefix, row->prefix_len);
        char expected[300];
        (void)snprintf(expected, sizeof expected, "%s%s", row->version == 4 ? plain4 : plain6,
                       row->more);
        const char *got = say(&f, row->link_type);
        if (strcmp(got, expected) != 0)
            print_error("%s:\n", row->name);
        assert_string_equal(got, expected);
        cut_everywhere(&f, row->link_type);
    }
}

static void lengths_in_the_link(void **state)
{
    (void)state;
    static struct frame f;
    udp4(&f);
    (void)frame_put(&f, "\xaa\xaa\x03\0\0\0\x08\x00", 8);
    frame_ethernet(&f, (uint16_t)frame_len(&f)); /* 802.3 with LLC and SNAP */
    assert_string_equal(say(&f, 1), plain4);
    cut_everywhere(&f, 1);
    udp6(&f);
    uint8_t pppoe[] = {0x11, 0, 0, 9, 0, (uint8_t)(frame_len(&f) + 2), 0, 0x57};
    (void)frame_put(&f, pppoe, sizeof pppoe);
    frame_ethernet(&f, 0x8864);
    assert_string_equal(say(&f, 1), plain6);
    cut_everywhere(&f, 1);
    /* Ethernet fills short frames up: that is not payload. */
    udp4(&f);
    static struct frame padded;
    frame_start(&padded, NULL, 18);
    (void)frame_put(&padded, frame_bytes(&f), frame_len(&f));
    frame_ethernet(&padded, 0x0800);
    assert_string_equal(say(&padded, 1), plain4);
}

static void what_is_not_opened(void **state)
{
    (void)state;
    static struct frame f;
    static const struct {
        uint16_t link_type;
        const char *bytes;
        size_t len;
        const char *said;
    } rows[] = {
        {1, BYTES(MAC12 "\x08\x06\0\1\x08\0"), "skip ARP"},
        {1, BYTES(MAC12 "\x88\xcc\0\1\x08\0"), "skip not IP"},
        {1, BYTES(MAC12 "\0\3\x42\x42\x03"), "skip not IP"}, /* spanning tree */
        {1, BYTES(MAC12 "\x88\xe5\x0c\x00\0\0\0\1abcdef"), "skip encrypted below TCP and UDP"},
        {1, BYTES(MAC12 "\x08\x00"), "skip malformed header"},
        {1, BYTES(""), "skip malformed header"},
        {105, BYTES("\x08\0\0\0"), "skip unknown link type"},
        {101, BYTES("\x30"), "skip not IP"},
        {0, BYTES("\7\0\0\0abc"), "skip not IP"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        frame_start(&f, rows[i].bytes, rows[i].len);
        assert_string_equal(say(&f, rows[i].link_type), rows[i].said);
    }
    for (unsigned tags = 0; tags < 60; tags++)
        (void)frame_put(&f, "\x81\0\0\1", 4);
    (void)frame_put(&f, MAC12, 12);
    assert_string_equal(say(&f, 1), "skip nested too deep");
}

/* ---- IP ---- */

static void ip4_header(void **state)
{
    (void)state;
    static struct frame f;
    udp4(&f);
    f.room[f.at + 10] ^= 1;
    assert_string_equal(say(&f, 101), "skip wrong IP header checksum");
    udp4(&f);
    put_u16be(f.room + f.at + 10, 0); /* left to the sender's card */
    assert_string_equal(say(&f, 101), plain4);
    udp4(&f);
    put_u16be(f.room + f.at + 2, frame_len(&f) + 1u); /* longer than the frame */
    assert_string_equal(say(&f, 101), "skip malformed header");
    udp4(&f);
    put_u16be(f.room + f.at + 2, 0); /* segmentation offload */
    put_u16be(f.room + f.at + 10, 0);
    assert_string_equal(say(&f, 101), plain4);
    udp4(&f);
    f.room[f.at] = 0x44;
    assert_string_equal(say(&f, 228), "skip malformed header");
    frame_start(&f, "echo", 4);
    frame_ip4(&f, IP_PROTO_ICMP);
    assert_string_equal(say(&f, 101),
                        "10.0.0.1 0 > 192.0.2.2 0 p1 ttl64 unknown 4/4 \"echo\" skip ICMP");
    frame_start(&f, "any", 3);
    frame_ip4(&f, 200);
    assert_string_equal(
        say(&f, 101),
        "10.0.0.1 0 > 192.0.2.2 0 p200 ttl64 unknown 3/3 \"any\" skip neither TCP nor UDP");
    frame_start(&f, "any", 3);
    frame_ip4(&f, 50);
    assert_string_equal(say(&f, 101), "skip encrypted below TCP and UDP");
}

static void ip4_options(void **state)
{
    (void)state;
    static struct frame f;
    frame_start(&f, "hello", 5);
    frame_udp(&f, 1111, 2222);
    frame_fix_sum(f.room + f.at, frame_len(&f), 17, host_a, host_b, 4);
    (void)frame_put(&f, "\x94\x04\0\0", 4); /* router alert */
    uint8_t *p = frame_put(&f, NULL, 20);
    p[0] = 0x46;
    put_u16be(p + 2, frame_len(&f));
    p[8] = 64;
    p[9] = 17;
    memcpy(p + 12, host_a, 4);
    memcpy(p + 16, host_b, 4);
    put_u16be(p + 10, ~slow_sum(0, p, 24) & 0xffff);
    assert_string_equal(say(&f, 101), plain4);
    cut_everywhere(&f, 101);
}

static void ip6_headers(void **state)
{
    (void)state;
    static struct frame f;
    frame_start(&f, "hello", 5);
    frame_udp(&f, 1111, 2222);
    frame_fix_sum(f.room + f.at, frame_len(&f), 17, host6_a, host6_b, 16);
    (void)frame_put(&f, "\x11\0\x01\x04\0\0\0\0", 8);            /* destination options */
    (void)frame_put(&f, "\x3c\x02\0\0\0\0\0\1\0\0\0\2icv4", 16); /* authentication */
    (void)frame_put(&f, "\x33\0\0\0\0\0\0\x09", 8);              /* atomic fragment */
    (void)frame_put(&f, "\x2c\0\x01\x04\0\0\0\0", 8);            /* hop by hop */
    frame_ip6(&f, 0);
    assert_string_equal(say(&f, 101), plain6);
    cut_everywhere(&f, 101);
    udp6(&f);
    put_u16be(f.room + f.at + 4, 0); /* a super-packet */
    assert_string_equal(say(&f, 101), plain6);
    frame_start(&f, "", 0);
    frame_ip6(&f, 59);
    assert_non_null(strstr(say(&f, 101), "p59 ttl63 unknown 0/0"));
    frame_start(&f, "x", 1);
    for (unsigned i = 0; i < 20; i++)
        (void)frame_put(&f, "\x3c\0\x01\x04\0\0\0\0", 8);
    frame_ip6(&f, 60);
    assert_string_equal(say(&f, 101), "skip nested too deep");
}

static void ip6_routing_changes_the_checksum(void **state)
{
    (void)state;
    static struct frame f;
    static const uint8_t middle[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    for (uint8_t left = 0; left < 2; left++) {
        frame_start(&f, "hello", 5);
        frame_udp(&f, 1111, 2222);
        frame_fix_sum(f.room + f.at, frame_len(&f), 17, host6_a, left > 0 ? middle : host6_b, 16);
        (void)frame_put(&f, middle, 16);
        uint8_t *p = frame_put(&f, "\x11\x02\x00\x00\0\0\0\0", 8);
        p[3] = left;
        frame_ip6(&f, 43);
        assert_string_equal(say(&f, 101), plain6);
        f.room[FRAME_MAX - 1] ^= 1;
        assert_non_null(strstr(say(&f, 101), "bad"));
    }
}

/* ---- tunnels ---- */

static void vxlan(struct frame *f, uint32_t id, uint16_t port)
{
    uint8_t *p = frame_put(f, NULL, 8);
    p[0] = 8;
    put_u32be(p + 4, id << 8);
    frame_udp(f, 50000, port);
}

static void in_gre(struct frame *f, const char *header, size_t len)
{
    (void)frame_put(f, header, len);
    frame_ip4(f, 47);
}

static void gre_tunnels(void **state)
{
    (void)state;
    static struct frame f;
    char in4[200], in6[200];
    (void)snprintf(in4, sizeof in4, "%s in 1 id 0", plain4);
    (void)snprintf(in6, sizeof in6, "%s in 1 id 0", plain6);
    udp4(&f);
    in_gre(&f, BYTES("\0\0\x08\0"));
    assert_string_equal(say(&f, 101), in4);
    cut_everywhere(&f, 101);
    udp6(&f);
    in_gre(&f, BYTES("\x10\0\x86\xdd\0\0\0\1"));
    assert_string_equal(say(&f, 101), in6);
    udp4(&f);
    frame_ethernet(&f, 0x0800);
    in_gre(&f, BYTES("\x30\0\x65\x58\0\0\0\x07\0\0\0\1")); /* key and sequence, bridged */
    in4[strlen(in4) - 1] = '7';
    assert_string_equal(say(&f, 101), in4);
    cut_everywhere(&f, 101);
    udp4(&f);
    (void)frame_put(&f, "\xff\x03\x00\x21", 4);
    in_gre(&f, BYTES("\x30\x81\x88\x0b\0\x10\0\x05\0\0\0\1\0\0\0\2")); /* PPTP */
    assert_non_null(strstr(say(&f, 101), "\"hello\" in 1 id 1048581"));
    udp4(&f);
    frame_ethernet(&f, 0x0800);
    in_gre(&f, BYTES("\x10\0\x88\xbe\0\0\0\1\x10\1\0\0\0\0\0\1")); /* ERSPAN II */
    assert_non_null(strstr(say(&f, 101), "\"hello\" in 1"));
    udp4(&f);
    frame_ethernet(&f, 0x0800);
    in_gre(&f, BYTES("\x10\0\x22\xeb\0\0\0\1\x20\1\0\0\0\0\0\1\0\0\0\1platform"));
    assert_non_null(strstr(say(&f, 101), "\"hello\" in 1"));
    udp4(&f);
    (void)frame_put(&f, "\x80\0\x08\0\0\0\0\0", 8);
    put_u16be(f.room + f.at + 4, ~slow_sum(0, frame_bytes(&f), frame_len(&f)) & 0xffff);
    frame_ip4(&f, 47);
    assert_non_null(strstr(say(&f, 101), "ok 5/5 \"hello\" in 1"));
    f.room[FRAME_MAX - 29] ^= 1; /* a byte of the inner source port and its checksum alike */
    f.room[FRAME_MAX - 13] ^= 1;
    assert_non_null(strstr(say(&f, 101), "skip wrong IP header checksum"));
}

static void ip_in_ip(void **state)
{
    (void)state;
    static struct frame f;
    for (unsigned inner = 4; inner <= 6; inner += 2) {
        for (unsigned outer = 4; outer <= 6; outer += 2) {
            if (inner == 4)
                udp4(&f);
            else
                udp6(&f);
            uint8_t proto = inner == 4 ? 4 : 41;
            if (outer == 4)
                frame_ip4(&f, proto);
            else
                frame_ip6(&f, proto);
            char expected[200];
            (void)snprintf(expected, sizeof expected, "%s in 1 id 0", inner == 4 ? plain4 : plain6);
            assert_string_equal(say(&f, 101), expected);
            cut_everywhere(&f, 101);
        }
    }
    udp4(&f);
    frame_ethernet(&f, 0x0800);
    (void)frame_put(&f, "\x30\0", 2);
    frame_ip4(&f, 97);
    assert_non_null(strstr(say(&f, 101), "\"hello\" in 1"));
    udp4(&f);
    for (unsigned i = 0; i < TUNNEL_DEPTH_MAX; i++)
        frame_ip4(&f, 4);
    assert_non_null(strstr(say(&f, 101), "\"hello\" in 4"));
    frame_ip4(&f, 4);
    assert_string_equal(say(&f, 101), "skip nested too deep");
}

static void udp_tunnels(void **state)
{
    (void)state;
    static struct frame f;
    for (unsigned old = 0; old < 2; old++) {
        udp4(&f);
        frame_ethernet(&f, 0x0800);
        vxlan(&f, 1234, old ? 8472 : 4789);
        frame_ip4(&f, 17);
        frame_ethernet(&f, 0x0800);
        assert_non_null(strstr(say(&f, 1), "ok 5/5 \"hello\" in 1 id 1234"));
        cut_everywhere(&f, 1);
    }
    udp6(&f);
    frame_ethernet(&f, 0x86dd);
    (void)frame_put(&f, "\x01\0\x65\x58\0\0\x63\0\0\1\2\0", 12); /* GENEVE with an option word */
    frame_udp(&f, 50000, 6081);
    frame_ip6(&f, 17);
    assert_non_null(strstr(say(&f, 101), "ok 5/5 \"hello\" in 1 id 99"));
    cut_everywhere(&f, 101);
    udp4(&f);
    (void)frame_put(&f, "\x34\xff\0\0\0\0\0\x2a\0\0\0\x85\1ab\0", 16); /* GTP-U, one extension */
    frame_udp(&f, 2152, 2152);
    frame_ip4(&f, 17);
    assert_non_null(strstr(say(&f, 101), "ok 5/5 \"hello\" in 1 id 42"));
    cut_everywhere(&f, 101);
    udp6(&f);
    (void)frame_put(&f, "\0\0\x12\x34\1\2\3\4", 8); /* Teredo with origin */
    (void)frame_put(&f, "\0\1\0\0abcdefgh\0", 13);
    frame_udp(&f, 3544, 40000);
    frame_ip4(&f, 17);
    assert_non_null(strstr(say(&f, 101), "2001:db8::1 1111"));
    cut_everywhere(&f, 101);
    /* All kinds inside each other, up to the limit; the next stays a UDP payload. */
    udp4(&f);
    for (uint32_t i = 1; i <= TUNNEL_DEPTH_MAX + 1; i++) {
        frame_ethernet(&f, 0x0800);
        vxlan(&f, i, 4789);
        frame_ip4(&f, 17);
    }
    assert_non_null(strstr(say(&f, 101), "50000 > 192.0.2.2 4789"));
    assert_non_null(strstr(say(&f, 101), " in 4 id 2"));
}

static void a_tunnel_port_is_no_proof(void **state)
{
    (void)state;
    static struct frame f;
    frame_start(&f, "\x08\0\0\0\0\0\1\0 some other protocol here", 33);
    frame_udp(&f, 1111, 4789);
    frame_ip4(&f, 17);
    assert_non_null(strstr(say(&f, 101), "1111 > 192.0.2.2 4789 p17 ttl64 ok 33/33"));
    /* Opens well, but inside is a segment no receiver takes: the bytes stay in sight. */
    frame_start(&f, "hello", 5);
    (void)frame_put(&f, "\0\1\0\2\0\3\0\0", 8); /* UDP length below 8 */
    frame_ip4(&f, 17);
    frame_ethernet(&f, 0x0800);
    vxlan(&f, 5, 4789);
    frame_ip4(&f, 17);
    assert_non_null(strstr(say(&f, 101), "50000 > 192.0.2.2 4789 p17 ttl64 ok 55/55"));
    /* A wrong outer checksum: no receiver sees the inside. */
    udp4(&f);
    frame_ethernet(&f, 0x0800);
    vxlan(&f, 5, 4789);
    frame_ip4(&f, 17);
    f.room[f.at + 27] ^= 0x40;
    assert_non_null(strstr(say(&f, 101), "bad 5/5 \"hello\" in 1"));
}

/* ---- TCP and UDP ---- */

static void tcp_fields(void **state)
{
    (void)state;
    static struct frame f;
    static const char options[] =
        "\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\1\0\0\0\2\x01\x03\x03\x0f";
    struct datagram g;
    frame_start(&f, "data", 4);
    frame_tcp(&f, 80, 81, 0xfffffffe, TCP_SYN | TCP_URG, options, 20);
    put_u16be(f.room + f.at + 18, 3);
    frame_ip4(&f, IP_PROTO_TCP);
    assert_int_equal(decode(frame_bytes(&f), frame_len(&f), frame_len(&f), 101, &g), SKIP_NONE);
    assert_int_equal(g.checksum, CHECKSUM_OK);
    assert_int_equal(g.seq, 0xfffffffe);
    assert_int_equal(g.ack, 77);
    assert_int_equal(g.tcp_flags, TCP_SYN | TCP_URG);
    assert_int_equal(g.window, 5000);
    assert_int_equal(g.urgent, 3);
    assert_int_equal(g.mss, 1460);
    assert_int_equal(g.window_scale, 14); /* 15 means 14 */
    assert_true(g.sack_permitted && g.has_timestamps && !g.tcp_signed);
    assert_int_equal(g.tsval, 1);
    assert_int_equal(g.tsecr, 2);
    assert_int_equal(g.payload_off, 60);
    assert_memory_equal(g.payload, "data", 4);
    cut_everywhere(&f, 101);
    frame_start(&f, "data", 4);
    frame_tcp(&f, 80, 81, 1, TCP_ACK, "\x13\x02\x02\x04\x05\xb4\x03\x03\x01\0\x08\x0a", 12);
    frame_ip6(&f, IP_PROTO_TCP);
    assert_int_equal(decode(frame_bytes(&f), frame_len(&f), frame_len(&f), 101, &g), SKIP_NONE);
    assert_true(g.tcp_signed && !g.has_timestamps);
    assert_int_equal(g.mss, 0); /* counts in SYN only */
    assert_int_equal(g.window_scale, WINDOW_SCALE_NONE);
    static const char *const broken[] = {"\x08\x00\0\0", "\x08\x01\0\0", "\x08\xff\0\0",
                                         "\x01\x01\x01\x08"};
    for (size_t i = 0; i < 4; i++) {
        frame_start(&f, "data", 4);
        frame_tcp(&f, 80, 81, 1, TCP_SYN, broken[i], 4);
        frame_ip4(&f, IP_PROTO_TCP);
        assert_non_null(strstr(say(&f, 101), "ok 4/4 \"data\""));
        cut_everywhere(&f, 101);
    }
    f.room[f.at + 20 + 12] = 0x40; /* data offset below 20 */
    assert_string_equal(say(&f, 101), "skip malformed header");
    f.room[f.at + 20 + 12] = 0xf0;
    assert_string_equal(say(&f, 101), "skip malformed header");
}

static void transport_checksums(void **state)
{
    (void)state;
    static struct frame f;
    for (unsigned six = 0; six < 2; six++) {
        frame_start(&f, "payload", 7);
        frame_tcp(&f, 80, 81, 1, TCP_ACK, NULL, 0);
        if (six)
            frame_ip6(&f, 6);
        else
            frame_ip4(&f, 6);
        uint8_t *segment = f.room + f.at + (six ? 40 : 20);
        assert_non_null(strstr(say(&f, 101), " ok "));
        segment[25] ^= 4;
        assert_non_null(strstr(say(&f, 101), " bad "));
        uint32_t pseudo = slow_sum(6, six ? host6_a : host_a, six ? 16 : 4);
        pseudo = slow_sum(pseudo, six ? host6_b : host_b, six ? 16 : 4);
        put_u16be(segment + 16, pseudo);
        assert_non_null(strstr(say(&f, 101), " partial "));
        put_u16be(segment + 16, slow_sum(pseudo + 27, NULL, 0));
        assert_non_null(strstr(say(&f, 101), " partial "));
    }
    udp4(&f);
    put_u16be(f.room + f.at + 26, 0);
    assert_non_null(strstr(say(&f, 101), " unknown "));
    udp6(&f);
    put_u16be(f.room + f.at + 46, 0);
    assert_non_null(strstr(say(&f, 101), " bad "));
    udp4(&f);
    put_u16be(f.room + f.at + 24, 14); /* UDP longer than its IP */
    assert_string_equal(say(&f, 101), "skip malformed header");
    put_u16be(f.room + f.at + 24, 11); /* shorter: the rest is no payload */
    assert_non_null(strstr(say(&f, 101), " 3/3 \"hel\""));
}

static void checksums_can_be_ignored(void **state)
{
    (void)state;
    static struct frame f;
    struct decoder_limits limits = {.ignore_checksums = true};
    struct decoder *strict = decoder;
    decoder = decoder_new(&limits, NULL, NULL);
    udp4(&f);
    f.room[f.at + 15] ^= 1; /* the source address */
    assert_string_equal(say(&f, 101),
                        "10.0.0.0 1111 > 192.0.2.2 2222 p17 ttl64 unknown 5/5 \"hello\"");
    decoder_free(decoder);
    decoder = strict;
}

static void fast_checksum_equals_slow(void **state)
{
    (void)state;
    uint8_t bytes[400];
    for (unsigned seed = 0; seed < 3; seed++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = seed == 0 ? 0xff : seed == 1 ? 0 : (uint8_t)(i * i * 7 + i);
        for (size_t len = 0; len <= sizeof bytes; len++) {
            uint8_t *copy = malloc(len + 1);
            assert_non_null(copy);
            memcpy(copy, bytes, len);
            assert_int_equal(checksum_fold(checksum_add(0, copy, len)), slow_sum(0, bytes, len));
            free(copy);
        }
    }
    /* RFC 1071 section 3 */
    assert_int_equal(
        checksum_fold(checksum_add(0, (const uint8_t *)"\0\1\xf2\3\xf4\xf5\xf6\xf7", 8)), 0xddf2);
    assert_int_equal(checksum_fold(checksum_add(UINT64_MAX, bytes, 0)), 0xffff);
}

static void counts(void **state)
{
    (void)state;
    static struct frame f;
    struct decoder *all = decoder;
    decoder = decoder_new(NULL, NULL, NULL);
    udp4(&f);
    (void)say(&f, 101);
    (void)say(&f, 99);
    struct datagram g;
    (void)decode(frame_bytes(&f), frame_len(&f) - 2, frame_len(&f), 101, &g);
    const struct decoder_counts *c = decoder_counts_get(decoder);
    assert_int_equal(c->packets, 3);
    assert_int_equal(c->decoded, 2);
    assert_int_equal(c->skipped[SKIP_LINK_TYPE], 1);
    assert_int_equal(c->skipped_bytes[SKIP_LINK_TYPE], 33);
    assert_int_equal(c->truncated, 1);
    assert_int_equal(c->truncated_bytes, 2);
    decoder_free(decoder);
    decoder = all;
}

static int make_decoder(void **state)
{
    (void)state;
    decoder = decoder_new(NULL, NULL, NULL);
    return decoder == NULL;
}

static int free_decoder(void **state)
{
    (void)state;
    (void)decode(NULL, 0, 0, 0, NULL);
    decoder_free(decoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links),
        cmocka_unit_test(lengths_in_the_link),
        cmocka_unit_test(what_is_not_opened),
        cmocka_unit_test(ip4_header),
        cmocka_unit_test(ip4_options),
        cmocka_unit_test(ip6_headers),
        cmocka_unit_test(ip6_routing_changes_the_checksum),
        cmocka_unit_test(gre_tunnels),
        cmocka_unit_test(ip_in_ip),
        cmocka_unit_test(udp_tunnels),
        cmocka_unit_test(a_tunnel_port_is_no_proof),
        cmocka_unit_test(tcp_fields),
        cmocka_unit_test(transport_checksums),
        cmocka_unit_test(checksums_can_be_ignored),
        cmocka_unit_test(fast_checksum_equals_slow),
        cmocka_unit_test(counts),
    };
    return cmocka_run_group_tests(tests, make_decoder, free_decoder);
}
