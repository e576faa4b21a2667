/* test_http1.c - HTTP/1: exact events, whole and cut at every byte, gaps, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/drive.h"

extern const struct dissector http1_dissector;

struct row {
    const char *name;
    const char *hint;
    const char *bytes;
    size_t len;
    const char *want;
};

#define BYTES(s) s, sizeof s - 1

static void check_row(const struct row *r)
{
    char *log = drive_events(&http1_dissector, r->bytes, r->len, r->hint);
    if (strcmp(log, r->want) != 0)
        fail_msg("%s:\n--- want\n%s--- got\n%s", r->name, r->want, log);
    free(log);
    char *differs = drive_law(&http1_dissector, r->bytes, r->len, r->hint, 50, 1);
    if (differs != NULL)
        fail_msg("%s: %s", r->name, differs);
    for (size_t n = 0; n < r->len; n++) {
        differs = drive_law(&http1_dissector, r->bytes, n, r->hint, 2, (unsigned)n);
        if (differs != NULL)
            fail_msg("%s cut off at %zu: %s", r->name, n, differs);
    }
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_row(&rows[i]);
}

static void requests(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"get with a query", NULL,
         BYTES("GET /studies/1?PatientName=WANG%5ELEI&q=1&flag HTTP/1.1\r\n"
               "Host: pacs.example\r\n"
               "X-Patient-Hint: a b \r\n"
               "X-A: 1\r\n"
               "Cookie: u=%E7%8E%8B\r\n"
               "From: lei@clinic.example\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+3 GET\n"
         "field text path 4+10 [escape percent] /studies/1\n"
         "field name query.patient_name 27+10 [escape form] WANG%5ELEI\n"
         "field text query.* 38+1 [key] [escape form] q\n"
         "field text query.* 40+1 [escape form] 1\n"
         "field text query.* 42+4 [escape form] flag\n"
         "field host host 63+12 pacs.example\n"
         "field text header 77+14 [key] X-Patient-Hint\n"
         "field text header 93+3 a b\n"
         "field text header 104+1 1\n"
         "field text cookie 115+11 [escape percent] u=%E7%8E%8B\n"
         "field email from 134+18 lei@clinic.example\n"
         "end\n"},
        {"basic and bearer", NULL,
         BYTES("GET / HTTP/1.1\r\n"
               "Authorization: Basic dXNlcjpwYXNz\r\n"
               "Proxy-Authorization: Bearer abc\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+3 GET\n"
         "field text path 4+1 [escape percent] /\n"
         "payload text/plain +base64 37+12\n"
         "field text proxy-authorization 72+10 Bearer abc\n"
         "end\n"},
        {"post with JSON, then another request", NULL,
         BYTES("POST /a HTTP/1.1\r\n"
               "Content-Type: application/json; charset=utf-8\r\n"
               "Content-Length: 7\r\n"
               "\r\n"
               "{\"a\":1}GET /b HTTP/1.0\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+2 [escape percent] /a\n"
         "field text content-type 32+31 application/json; charset=utf-8\n"
         "field text content-length 81+1 7\n"
         "payload application/json; charset=utf-8 86+7\n"
         "end\n"
         "begin request\n"
         "field code method 93+3 GET\n"
         "field text path 97+2 [escape percent] /b\n"
         "end\n"},
        {"pipelined, empty lines between", NULL,
         BYTES("\r\n"
               "GET /1 HTTP/1.1\r\n"
               "\r\n"
               "\r\n"
               "\n"
               "HEAD /2 HTTP/1.1\r\n"
               "\r\n"
               "DELETE /3 HTTP/1.1\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 2+3 GET\n"
         "field text path 6+2 [escape percent] /1\n"
         "end\n"
         "begin request\n"
         "field code method 24+4 HEAD\n"
         "field text path 29+2 [escape percent] /2\n"
         "end\n"
         "begin request\n"
         "field code method 44+6 DELETE\n"
         "field text path 51+2 [escape percent] /3\n"
         "end\n"},
        {"any method, any case of names", NULL,
         BYTES("FROB /x HTTP/1.1\r\n"
               "content-LENGTH: 2\r\n"
               "\r\n"
               "hi"),
         "begin request\n"
         "field text method 0+4 FROB\n"
         "field text path 5+2 [escape percent] /x\n"
         "field text content-length 34+1 2\n"
         "payload - 39+2\n"
         "end\n"},
        {"absolute form with spaces", NULL,
         BYTES("GET http://a b/?x=y z HTTP/1.1\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+3 GET\n"
         "anomaly 4+17 white space in the target\n"
         "field text path 4+11 [escape percent] http://a b/\n"
         "field text query.* 16+1 [key] [escape form] x\n"
         "field text query.* 18+3 [escape form] y z\n"
         "end\n"},
        {"connect refused once, then granted", NULL,
         BYTES("CONNECT a.example:443 HTTP/1.1\r\n"
               "\r\n"
               "CONNECT b.example:443 HTTP/1.1\r\n"
               "\r\n"
               "\026\003\001\000"),
         "begin request\n"
         "field code method 0+7 CONNECT\n"
         "field host path 8+13 a.example:443\n"
         "end\n"
         "begin request\n"
         "field code method 34+7 CONNECT\n"
         "field host path 42+13 b.example:443\n"
         "end\n"
         "payload - 68+4\n"},
        {"upgrade asked and not granted", NULL,
         BYTES("GET / HTTP/1.1\r\n"
               "Upgrade: h2c\r\n"
               "\r\n"
               "GET / HTTP/1.1\r\n"
               "Upgrade: websocket\r\n"
               "\r\n"
               "\201\200\000\000\000\000"),
         "begin request\n"
         "field code method 0+3 GET\n"
         "field text path 4+1 [escape percent] /\n"
         "field text upgrade 25+3 h2c\n"
         "end\n"
         "begin request\n"
         "field code method 32+3 GET\n"
         "field text path 36+1 [escape percent] /\n"
         "field text upgrade 57+9 websocket\n"
         "end\n"
         "payload application/websocket 70+6\n"},
        {"chunked upload with trailers", NULL,
         BYTES("PUT /s HTTP/1.1\r\n"
               "Transfer-Encoding: chunked\r\n"
               "Content-Type: application/dicom\r\n"
               "\r\n"
               "00A ; name=\"Wang\"\r\n"
               "0123456789\r\n"
               "1\r\n"
               "x\r\n"
               "0\r\n"
               "X-Checksum: 7\r\n"
               "\r\n"
               "GET / HTTP/1.1\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+3 PUT\n"
         "field text path 4+2 [escape percent] /s\n"
         "field text transfer-encoding 36+7 chunked\n"
         "field text content-type 59+17 application/dicom\n"
         "anomaly 85+12 chunk extension\n"
         "field text chunk-extension 86+11 name=\"Wang\"\n"
         "payload application/dicom 99+11\n"
         "field text header 120+10 [key] X-Checksum\n"
         "field text header 132+1 7\n"
         "end\n"
         "begin request\n"
         "field code method 137+3 GET\n"
         "field text path 141+1 [escape percent] /\n"
         "end\n"},
    };
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void responses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"codings, outermost first", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Transfer-Encoding: gzip, chunked\r\n"
               "Content-Encoding: br, zstd\r\n"
               "Content-Type: text/csv\r\n"
               "\r\n"
               "4;x=1\r\n"
               "abcd\r\n"
               "3;y=\"2\"\r\n"
               "efg\r\n"
               "0;z\r\n"
               "X-Trailer-Name: t\r\n"
               "Server: s\r\n"
               "\r\n"
               "HTTP/1.1 204 No Content\r\n"
               "\r\n"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text transfer-encoding 36+13 gzip, chunked\n"
         "field text content-encoding 69+8 br, zstd\n"
         "field text content-type 93+8 text/csv\n"
         "anomaly 107+3 chunk extension\n"
         "field text chunk-extension 107+3 x=1\n"
         "payload text/csv +gzip +zstd +br 112+7\n"
         "field text chunk-extension 134+1 z\n"
         "field text header 137+14 [key] X-Trailer-Name\n"
         "field text header 153+1 t\n"
         "field text server 164+1 s\n"
         "end\n"
         "begin response\n"
         "field code status 178+3 204\n"
         "field text reason 182+10 No Content\n"
         "end\n"},
        {"gzip with a length", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Content-Encoding: x-gzip\r\n"
               "Content-Length: 4\r\n"
               "\r\n"
               "\037\213\010\000HTTP/1.1 304 Not Modified\r\n"
               "Content-Length: 9\r\n"
               "\r\n"
               "HTTP/1.0 200\r\n"
               "Content-Length: 0\r\n"
               "\r\n"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text content-encoding 35+6 x-gzip\n"
         "field text content-length 59+1 4\n"
         "payload - +gzip 64+4\n"
         "end\n"
         "begin response\n"
         "field code status 77+3 304\n"
         "field text reason 81+12 Not Modified\n"
         "field text content-length 111+1 9\n"
         "end\n"
         "begin response\n"
         "field code status 125+3 200\n"
         "field text content-length 146+1 0\n"
         "end\n"},
        {"identity says nothing, odd codings are opaque", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Content-Encoding: identity, compress\r\n"
               "Content-Length: 1\r\n"
               "\r\n"
               "x"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text content-encoding 35+18 identity, compress\n"
         "field text content-length 71+1 1\n"
         "payload - +unknown 76+1\n"
         "end\n"},
        {"five codings", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Content-Encoding: br,br,br\r\n"
               "Content-Encoding: br, gzip,gzip\r\n"
               "Content-Length: 1\r\n"
               "\r\n"
               "x"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text content-encoding 35+8 br,br,br\n"
         "field text content-encoding 63+13 br, gzip,gzip\n"
         "field text content-length 94+1 1\n"
         "anomaly 99+0 too many codings\n"
         "payload - +unknown 99+1\n"
         "end\n"},
        {"ends with the connection", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Content-Type: text/plain\r\n"
               "\r\n"
               "all the rest\r\n"
               "HTTP/1.1"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text content-type 31+10 text/plain\n"
         "payload text/plain 45+22\n"
         "end\n"},
        {"continue, then another protocol", NULL,
         BYTES("HTTP/1.1 100 Continue\r\n"
               "\r\n"
               "HTTP/1.1 101 Switching Protocols\r\n"
               "Upgrade: websocket\r\n"
               "\r\n"
               "\201\002hi"),
         "begin response\n"
         "field code status 9+3 100\n"
         "field text reason 13+8 Continue\n"
         "end\n"
         "begin response\n"
         "field code status 34+3 101\n"
         "field text reason 38+19 Switching Protocols\n"
         "field text upgrade 68+9 websocket\n"
         "end\n"
         "payload application/websocket 81+4\n"},
        {"upgrade to something else", NULL,
         BYTES("HTTP/1.1 101 Switching Protocols\r\n"
               "Upgrade: dicom\r\n"
               "\r\n"
               "\001\000"),
         "begin response\n"
         "field code status 9+3 101\n"
         "field text reason 13+19 Switching Protocols\n"
         "field text upgrade 43+5 dicom\n"
         "end\n"
         "payload - 52+2\n"},
        {"answer to HEAD", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Content-Length: 400\r\n"
               "\r\n"
               "HTTP/1.1 200 OK\r\n"
               "Transfer-Encoding: chunked\r\n"
               "\r\n"
               "HTTP/1.1 200 OK\r\n"
               "Content-Length: 5\r\n"
               "\r\n"
               "HTTP/HTTP/1.1 200 OK\r\n"
               "Content-Length: 8\r\n"
               "\r\n"
               "HTTP/2.0"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text content-length 33+3 400\n"
         "anomaly 40+0 a response follows where a body was announced\n"
         "end\n"
         "begin response\n"
         "field code status 49+3 200\n"
         "field text reason 53+2 OK\n"
         "field text transfer-encoding 76+7 chunked\n"
         "anomaly 87+0 a response follows where a body was announced\n"
         "end\n"
         "begin response\n"
         "field code status 96+3 200\n"
         "field text reason 100+2 OK\n"
         "field text content-length 120+1 5\n"
         "payload - 125+5\n"
         "end\n"
         "begin response\n"
         "field code status 139+3 200\n"
         "field text reason 143+2 OK\n"
         "field text content-length 163+1 8\n"
         "payload - 168+8\n"
         "end\n"},
        {"chunked and empty", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Transfer-Encoding: chunked\r\n"
               "\r\n"
               "0\r\n"
               "\r\n"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text transfer-encoding 36+7 chunked\n"
         "end\n"},
    };
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void odd_shapes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"folded, bare LF, white space, no colon", NULL,
         BYTES("GET / HTTP/1.1\n"
               "X-Note : one\n"
               "  two\r\n"
               "\tthree\r\n"
               "  \r\n"
               "nocolon\r\n"
               "Host: a\rb\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+3 GET\n"
         "field text path 4+1 [escape percent] /\n"
         "anomaly 14+1 line ended by LF alone\n"
         "anomaly 15+32 folded field\n"
         "anomaly 15+9 white space before the colon\n"
         "field text header 15+6 [key] X-Note\n"
         "field text header 24+14 one  two\\x09three\n"
         "anomaly 47+7 field without a name\n"
         "field text header 47+7 nocolon\n"
         "anomaly 56+9 CR inside a field\n"
         "field host host 62+3 a\\x0db\n"
         "end\n"},
        {"chunked wins over a length", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Content-Length: 4\r\n"
               "Content-Length: 4\r\n"
               "Transfer-Encoding: chunked\r\n"
               "\r\n"
               "1\r\n"
               "a\r\n"
               "0\r\n"
               "\r\n"
               "GET /b HTTP/1.1\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "field text content-length 33+1 4\n"
         "anomaly 52+0 Content-Length twice\n"
         "field text content-length 52+1 4\n"
         "field text transfer-encoding 74+7 chunked\n"
         "anomaly 85+0 Content-Length with Transfer-Encoding\n"
         "payload - 88+1\n"
         "end\n"
         "begin request\n"
         "field code method 96+3 GET\n"
         "field text path 100+2 [escape percent] /b\n"
         "end\n"},
        {"a list of equal lengths", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Content-Length: 2, 2\r\n"
               "\r\n"
               "abGET / HTTP/1.1\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "anomaly 33+0 Content-Length twice\n"
         "field text content-length 33+4 2, 2\n"
         "payload - 41+2\n"
         "end\n"
         "begin request\n"
         "field code method 43+3 GET\n"
         "field text path 47+1 [escape percent] /\n"
         "end\n"},
        {"two lengths", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Content-Length: 4\r\n"
               "Content-Length: 5\r\n"
               "\r\n"
               "abcde"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "field text content-length 33+1 4\n"
         "anomaly 52+0 Content-Length twice\n"
         "field text content-length 52+1 5\n"
         "bad 57 Content-Length that says nothing certain\n"},
        {"a length that is none", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Content-Length: +4\r\n"
               "\r\n"
               "abcd"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "field text content-length 33+2 +4\n"
         "bad 39 Content-Length that says nothing certain\n"},
        {"a length too large", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Content-Length: 99999999999999999999\r\n"
               "\r\n"
               "abcd"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "field text content-length 33+20 99999999999999999999\n"
         "bad 57 Content-Length that says nothing certain\n"},
        {"chunked is not last", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Transfer-Encoding: chunked, xx\r\n"
               "\r\n"
               "abcde"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "anomaly 36+0 chunked is not the last transfer coding\n"
         "field text transfer-encoding 36+11 chunked, xx\n"
         "payload - +unknown 51+5\n"
         "end\n"},
        {"disguised chunked", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Transfer-Encoding: xchunked\r\n"
               "\r\n"
               "0\r\n"
               "\r\n"
               "GET / HTTP/1.1\r\n"
               "\r\n"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "field text transfer-encoding 36+8 xchunked\n"
         "anomaly 48+0 chunked is not the last transfer coding\n"
         "payload - +unknown 48+23\n"
         "end\n"},
        {"chunk size overflow", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Transfer-Encoding: chunked\r\n"
               "\r\n"
               "11112222333344445\r\n"
               "abc"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text transfer-encoding 36+7 chunked\n"
         "bad 47 chunk size overflow\n"},
        {"no chunk size", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Transfer-Encoding: chunked\r\n"
               "\r\n"
               "3\r\n"
               "abc\r\n"
               "0x3\r\n"
               "abc"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text transfer-encoding 36+7 chunked\n"
         "payload - 50+3\n"
         "bad 55 not a chunk size\n"},
        {"chunk without an end", NULL,
         BYTES("HTTP/1.1 200 OK\r\n"
               "Transfer-Encoding: chunked\r\n"
               "\r\n"
               "3\r\n"
               "abcd\r\n"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "field text transfer-encoding 36+7 chunked\n"
         "payload - 50+3\n"
         "bad 53 chunk without an end\n"},
        {"chunks ended by LF", NULL,
         BYTES("HTTP/1.1 200 OK\n"
               "Transfer-Encoding: chunked\n"
               "\n"
               "3\n"
               "abc\n"
               "0\n"
               "\n"),
         "begin response\n"
         "field code status 9+3 200\n"
         "field text reason 13+2 OK\n"
         "anomaly 15+1 line ended by LF alone\n"
         "field text transfer-encoding 35+7 chunked\n"
         "payload - 46+3\n"
         "end\n"},
        {"ends inside a body", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Content-Length: 40\r\n"
               "\r\n"
               "abcde"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "field text content-length 33+2 40\n"
         "payload - 39+5\n"
         "anomaly 44+0 stream ends inside a message\n"
         "end\n"},
        {"two types", NULL,
         BYTES("POST / HTTP/1.1\r\n"
               "Content-Type: a/b\r\n"
               "Content-Type: c/d\r\n"
               "Content-Length: 1\r\n"
               "\r\n"
               "x"),
         "begin request\n"
         "field code method 0+4 POST\n"
         "field text path 5+1 [escape percent] /\n"
         "field text content-type 31+3 a/b\n"
         "anomaly 50+0 Content-Type twice\n"
         "field text content-type 50+3 c/d\n"
         "field text content-length 71+1 1\n"
         "payload a/b 76+1\n"
         "end\n"},
        {"not HTTP", NULL, BYTES("hello world"), "bad 0 not an HTTP start line\n"},
        {"HTTP/2", NULL,
         BYTES("PRI * HTTP/2.0\r\n"
               "\r\n"
               "SM\r\n"
               "\r\n"),
         "bad 0 not an HTTP start line\n"},
        {"a later version", NULL,
         BYTES("HTTP/2 200\r\n"
               "\r\n"),
         "bad 0 not an HTTP start line\n"},
    };
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

/* A field, a target and a chunk extension longer than a view may be. */
static void long_lines(void **state)
{
    (void)state;
    enum {
        LONG = 70000
    };
    static const char *const starts[] = {
        "GET / HTTP/1.1\r\nX-Long-Name: ",
        "GET / HTTP/1.1\r\nCookie: ",
        "GET /",
        "HTTP/1.1 200 ",
        "GET / HTTP/1.1\r\n",
    };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        static char bytes[LONG + 256];
        size_t n = strlen(starts[i]);
        memcpy(bytes, starts[i], n);
        memset(bytes + n, 'v', LONG);
        static const char tail[] = "\r\n folded\r\nHost: h\r\n\r\n";
        memcpy(bytes + n + LONG, tail, sizeof tail - 1);
        size_t len = n + LONG + sizeof tail - 1;
        char *log = drive_events(&http1_dissector, bytes, len, NULL);
        assert_non_null(strstr(log, "line longer than 64 KiB"));
        assert_non_null(strstr(log, "field host host"));
        free(log);
        char *differs = drive_law(&http1_dissector, bytes, len, NULL, 20, (unsigned)i);
        if (differs != NULL)
            fail_msg("%s: %s", starts[i], differs);
    }
}

static void long_chunk_line_is_a_limit(void **state)
{
    (void)state;
    static const char start[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    static char bytes[70000];
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, start, sizeof start - 1);
    char *log = drive_events(&http1_dissector, bytes, sizeof bytes, NULL);
    assert_non_null(strstr(log, "limit 47 "));
    free(log);
}

/* Gaps: bytes [from, to) are lost. */
static void gaps(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t from, to;
        const char *want;
    } rows[] = {
        {"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789GET / HTTP/1.1\r\n\r\n", 41, 44,
         "payload - 39+7\nend\nbegin request\n"},
        {"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789GET / HTTP/1.1\r\n\r\n", 41, 49,
         "payload - 39+2\nend\nbegin request\n"},
        {"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789GET / HTTP/1.1\r\n\r\n", 39, 49,
         "field text content-length 33+2 10\nend\nbegin request\n"},
        {"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789GET / HTTP/1.1\r\n\r\n", 41, 50,
         "gap refused\n"},
        {"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789GET / HTTP/1.1\r\n\r\n", 20, 25,
         "gap refused\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nHT23456789HTTP/1.1 204 x\r\n\r\n", 41, 45,
         "payload - 45+4\nend\nbegin response\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n",
         51, 54, "payload - 50+3\nend\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n",
         51, 56, "gap refused\n"},
        {"HTTP/1.1 200 OK\r\n\r\nabcdef", 21, 23, "payload - 19+4\nend\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *log = drive_gap(&http1_dissector, rows[i].bytes, strlen(rows[i].bytes), rows[i].from,
                              rows[i].to, NULL);
        if (strstr(log, rows[i].want) == NULL)
            fail_msg("%zu: want\n%sgot\n%s", i, rows[i].want, log);
        free(log);
    }
}

static unsigned bid(const char *text)
{
    return http1_dissector.probe(
        (struct view){.bytes = (const uint8_t *)text, .len = strlen(text), .last = true});
}

static void probe(void **state)
{
    (void)state;
    assert_true(bid("GET / HTTP/1.1\r\n") >= 32);
    assert_true(bid("\r\nPOST /a") >= 32);
    assert_true(bid("OPTIONS * HTTP/1.1") >= 32);
    assert_true(bid("CONNECT a:443 HTTP/1.1") >= 32);
    assert_true(bid("FROB /a HTTP/1.1") >= 32);
    assert_true(bid("HTTP/1.1 200 OK") >= 64);
    assert_int_equal(bid("GET well soon"), 0);
    assert_int_equal(bid("PRI * HTTP/2.0\r\n"), 0);
    assert_int_equal(bid("HTTP/2 200"), 0);
    assert_int_equal(bid("hello"), 0);
    assert_int_equal(bid(""), 0);
}

static bool stop(void *receiver, const struct event *ev)
{
    unsigned *left = receiver;
    (void)ev;
    return (*left)-- > 1;
}

static void stops_when_asked(void **state)
{
    (void)state;
    static const char bytes[] = "POST /a?b=c HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi";
    for (unsigned n = 1; n < 8; n++) {
        max_align_t room[512 / sizeof(max_align_t)] = {0};
        assert_true(http1_dissector.state_size <= sizeof room);
        struct view in = {(const uint8_t *)bytes, sizeof bytes - 1, 0, true, NULL};
        unsigned left = n;
        assert_int_equal(http1_dissector.feed(room, in, stop, &left).status, FEED_STOP);
        assert_int_equal(left, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(responses),
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(long_chunk_line_is_a_limit),
        cmocka_unit_test(gaps),
        cmocka_unit_test(probe),
        cmocka_unit_test(stops_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
