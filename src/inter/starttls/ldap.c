/* SPDX-License-Identifier: GPL-2.0-or-later
 * LDAP (RFC 4511, 4.14): an extended operation, in BER. There is no greeting. */
#include <stdio.h>
#include <string.h>

#include "inter/starttls/starttls.h"

#define START_TLS "1.3.6.1.4.1.1466.20037"

enum {
    MESSAGE_MOST = 65536,
    MESSAGES_MOST = 20,
    SEQUENCE = 0x30, INTEGER = 0x02, ENUMERATED = 0x0a, OCTETS = 0x04, REQUEST_NAME = 0x80,
    UNBIND = 0x42, ABANDON = 0x50, EXTENDED_REQUEST = 0x77, EXTENDED_RESPONSE = 0x78,
    CONFIDENTIALITY_REQUIRED = 13,
};

/* One element; what is in it. */
struct element {
    unsigned char tag;
    const unsigned char *p;
    size_t n;
};

/* How long an element is with its head, as far as its first bytes say: 0 they do not yet, -1 it is none of ours. */
static long whole_length(const unsigned char *p, size_t n, size_t *head)
{
    size_t more = n >= 2 && p[1] & 0x80 ? p[1] & 0x7fU : 0, length = 0;
    if (n < 2 || (more <= 4 && n < 2 + more))
        return 0;
    if (p[1] == 0x80 || more > 4)
        return -1;
    for (size_t i = 0; i < more; i++)
        length = length << 8 | p[2 + i];
    length = more ? length : p[1];
    *head = 2 + more;
    return length > MESSAGE_MOST - *head ? -1 : (long)(length + *head);
}

/* Takes the first element out of *from. */
static bool take(struct element *from, struct element *e)
{
    size_t head = 0;
    long n = whole_length(from->p, from->n, &head);
    if (n <= 0 || (size_t)n > from->n)
        return false;
    *e = (struct element){from->p[0], from->p + head, (size_t)n - head};
    from->p += n;
    from->n -= (size_t)n;
    return true;
}

static int read_message(struct wire *w, unsigned char *all, struct element *id, struct element *op, struct err *e)
{
    size_t n = 0, head = 0;
    long whole = 0;
    struct element message, inside;
    for (; whole == 0; n++, whole = whole_length(all, n, &head))
        if (wire_read(w, all + n, 1, e) < 0)
            return -1;
    if (whole < 0 || all[0] != SEQUENCE)
        return err_set(e, ERR_PROTOCOL, "the peer does not speak LDAP");
    if (wire_read(w, all + n, (size_t)whole - n, e) < 0)
        return -1;
    message = (struct element){0, all, (size_t)whole};
    return take(&message, &inside) && take(&inside, id) && id->tag == INTEGER && id->n >= 1 && id->n <= 4 && take(&inside, op)
               ? 0
               : err_set(e, ERR_PROTOCOL, "the peer's LDAP message makes no sense");
}

/* ---- toward a server ---- */

static int check_result(struct element op, struct err *e)
{
    struct element code, dn, text;
    char words[300];
    if (op.tag != EXTENDED_RESPONSE || !take(&op, &code) || code.tag != ENUMERATED || code.n != 1)
        return err_set(e, ERR_PROTOCOL, "the server's answer to StartTLS is none");
    if (code.p[0] == 0)
        return 0;
    bool told = take(&op, &dn) && take(&op, &text) && text.n > 0;
    (void)snprintf(words, sizeof words, "%d %.*s", code.p[0], told ? (int)(text.n < 250 ? text.n : 250) : 0,
                   told ? (const char *)text.p : "");
    return starttls_refused("has refused TLS", words, e);
}

static int client_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    static const char request[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" START_TLS;
    unsigned char answer[MESSAGE_MOST];
    struct element id, op;
    (void)st;
    (void)a;
    (void)r;
    if (wire_write(w, request, sizeof request - 1, e) < 0 || read_message(w, answer, &id, &op, e) < 0 || check_result(op, e) < 0)
        return -1;
    return starttls_nothing_behind(w, "the server's go-ahead", e);
}

/* ---- toward a client ---- */

/* The response that belongs to a request; 0: there is none. */
static unsigned char response_to(unsigned char request)
{
    static const unsigned char pairs[][2] = {{0x60, 0x61}, {0x63, 0x65}, {0x66, 0x67}, {0x68, 0x69}, {0x4a, 0x6b},
                                             {0x6c, 0x6d}, {0x6e, 0x6f}, {EXTENDED_REQUEST, EXTENDED_RESPONSE}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i][0] == request)
            return pairs[i][1];
    return 0;
}

static int respond(struct wire *w, const struct element *id, unsigned char tag, unsigned char code, const char *text, struct err *e)
{
    unsigned char m[100];
    size_t ntext = strlen(text), n = 0;
    m[n++] = SEQUENCE;
    m[n++] = (unsigned char)(2 + id->n + 2 + 7 + ntext);
    m[n++] = INTEGER;
    m[n++] = (unsigned char)id->n;
    memcpy(m + n, id->p, id->n);
    n += id->n;
    m[n++] = tag;
    m[n++] = (unsigned char)(7 + ntext);
    memcpy(m + n, (unsigned char[]){ENUMERATED, 1, code, OCTETS, 0, OCTETS, (unsigned char)ntext}, 7);
    memcpy(m + n + 7, text, ntext);
    return wire_write(w, m, n + 7 + ntext, e);
}

static bool wants_tls(struct element op)
{
    struct element name;
    return op.tag == EXTENDED_REQUEST && take(&op, &name) && name.tag == REQUEST_NAME && name.n == strlen(START_TLS) &&
           memcmp(name.p, START_TLS, name.n) == 0;
}

static int server_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    unsigned char request[MESSAGE_MOST];
    struct element id, op;
    (void)st;
    (void)a;
    (void)r;
    for (int i = 0; i < MESSAGES_MOST; i++) {
        if (read_message(w, request, &id, &op, e) < 0)
            return -1;
        if (wants_tls(op))
            return starttls_nothing_behind(w, "the client's wish for TLS", e) < 0
                       ? -1
                       : respond(w, &id, EXTENDED_RESPONSE, 0, "", e);
        if (op.tag == UNBIND)
            return starttls_left(e);
        unsigned char tag = response_to(op.tag);
        if (op.tag != ABANDON && (tag == 0 || respond(w, &id, tag, CONFIDENTIALITY_REQUIRED, "StartTLS first", e) < 0))
            return tag ? -1 : err_set(e, ERR_PROTOCOL, "the client's LDAP request is none");
    }
    return err_set(e, ERR_PROTOCOL, "the client has not asked for TLS with %d requests", MESSAGES_MOST);
}

const struct negotiator_ops ldap_client_ops = {.learn = client_learn};
const struct negotiator_ops ldap_server_ops = {.learn = server_learn};
