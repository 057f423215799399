/* SPDX-License-Identifier: GPL-2.0-or-later
 * SOCKS-SERVER: learns from a client of SOCKS4, 4A or 5 (RFC 1928, 1929), told by the first byte, where he
 * wants to go, and says what became of it when the rest of the line stands or has failed. Each reply
 * is one write, for some clients take the first piece for all of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catena/beside.h"
#include "catena/diag.h"
#include "catena/inter.h"
#include "inter/proxy/admission.h"
#include "inter/proxy/opts_server.h"
#include "inter/proxy/socks_udp.h"
#include "inter/proxy/target.h"

enum command { CONNECT = 1, BIND = 2, ASSOCIATE = 3, COMMANDS = 3 };
enum method { METHOD_NONE = 0, METHOD_USER = 2, METHOD_NO_ACCEPTABLE = 0xff };
enum address_type { ADDRESS_IP4 = 1, ADDRESS_NAME = 3, ADDRESS_IP6 = 4 };
enum { REP_GRANTED, REP_FAILED, REP_DENIED, REP_NO_NETWORK, REP_NO_HOST, REP_REFUSED, REP_EXPIRED, REP_COMMAND,
       REP_ADDRESS, SOCKS4_GRANTED = 90, SOCKS4_REJECTED = 91 };

struct client {
    unsigned char version; /* 4 or 5; 0 he has not said anything yet */
    enum { GREETS, LOGS_IN, ASKS } turn; /* of version 5: what he says next */
    char user[LOGIN_MAX + 1]; /* who has logged in, for messages */
    bool binds, told;      /* BIND; he has been told where he is waited for */
    bool packets;          /* UDP ASSOCIATE */
};

static const struct server_kind kind = {.commands = "connect bind udp", .usual = 1U << 0};

/* ---- replies ---- */

static int reply4(struct wire *w, bool granted, int family, const unsigned char *address, int port, struct err *e)
{
    unsigned char reply[8] = {0, granted ? SOCKS4_GRANTED : SOCKS4_REJECTED};
    reply[2] = (unsigned char)(port >> 8);
    reply[3] = (unsigned char)(port & 0xff);
    if (family == AF_INET)
        memcpy(reply + 4, address, 4);
    return wire_write(w, reply, sizeof reply, e);
}

static int reply5(struct wire *w, int rep, int family, const unsigned char *address, int port, struct err *e)
{
    unsigned char reply[4 + 16 + 2] = {5, (unsigned char)rep, 0, ADDRESS_IP4};
    size_t n = family == AF_INET6 ? 16 : 4;
    reply[3] = family == AF_INET6 ? ADDRESS_IP6 : ADDRESS_IP4;
    memcpy(reply + 4, address, n);
    reply[4 + n] = (unsigned char)(port >> 8);
    reply[5 + n] = (unsigned char)(port & 0xff);
    return wire_write(w, reply, 6 + n, e);
}

static int say(const struct client *c, struct wire *w, int rep, int family, const unsigned char *address, int port,
               struct err *e)
{
    return c->version == 4 ? reply4(w, rep == REP_GRANTED, family, address, port, e)
                           : reply5(w, rep, family, address, port, e);
}

/* *e says why, and stays. Returns -1. */
static int refuse(const struct client *c, struct wire *w, int rep)
{
    static const unsigned char any[16];
    struct err ignored;
    (void)say(c, w, rep, 0, any, 0, &ignored);
    return -1;
}

static int rep_of(const struct err *why)
{
    static const unsigned char reps[ERR_NOBODY + 1] = {
        [ERR_REFUSED] = REP_REFUSED, [ERR_UNREACHABLE] = REP_NO_HOST, [ERR_TIMEOUT] = REP_EXPIRED,
        [ERR_NO_NAME] = REP_NO_HOST, [ERR_DENIED] = REP_DENIED,       [ERR_UNFIT] = REP_NO_HOST,
    };
    if (why->sys == ENETUNREACH)
        return REP_NO_NETWORK;
    return reps[why->kind] ? reps[why->kind] : REP_FAILED;
}

/* ---- SOCKS5 ---- */

static int choose_method(const struct admission *m, struct wire *w, struct err *e)
{
    unsigned char n, methods[255], reply[2] = {5, m->logs_in ? METHOD_USER : METHOD_NONE};
    if (wire_read(w, &n, 1, e) < 0 || wire_read(w, methods, n, e) < 0)
        return -1;
    bool offered = memchr(methods, reply[1], n) != NULL;
    if (!offered)
        reply[1] = METHOD_NO_ACCEPTABLE;
    if (wire_write(w, reply, sizeof reply, e) < 0)
        return -1;
    return offered ? 0
                   : err_set(e, ERR_LOGIN, m->logs_in ? "the client does not offer to log in with a password"
                                                            : "the client insists on logging in");
}

/* A length byte and so many bytes. */
static int read_field(struct wire *w, char *to, size_t *n, struct err *e)
{
    unsigned char len;
    if (wire_read(w, &len, 1, e) < 0 || wire_read(w, to, len, e) < 0)
        return -1;
    to[len] = '\0';
    *n = len;
    return 0;
}

static int log_in(const struct admission *m, struct wire *w, char who[static LOGIN_MAX + 1], struct err *e)
{
    unsigned char version, reply[2] = {1, 0};
    char user[LOGIN_MAX + 1], password[LOGIN_MAX + 1];
    size_t nuser, npassword;
    if (wire_read(w, &version, 1, e) < 0)
        return -1;
    if (version != 1)
        return err_set(e, ERR_PROTOCOL, "the login has version %u instead of 1", (unsigned)version);
    if (read_field(w, user, &nuser, e) < 0 || read_field(w, password, &npassword, e) < 0)
        return -1;
    bool good = admission_admits(m, w->run, user, nuser, password, npassword);
    explicit_bzero(password, sizeof password);
    printable(who, LOGIN_MAX + 1, user);
    reply[1] = !good;
    if (wire_write(w, reply, sizeof reply, e) < 0)
        return -1;
    return good ? 0 : err_set(e, ERR_LOGIN, "user \"%s\" and the password do not belong together", who);
}

/* Of what is no name, the text of the number; 0: that type is not known. */
static int read_host5(struct wire *w, unsigned char type, struct wish *wish, struct err *e)
{
    unsigned char raw[16];
    char text[INET6_ADDRSTRLEN] = "";
    size_t n = type == ADDRESS_IP6 ? 16 : 4;
    if (type == ADDRESS_NAME) {
        if (read_field(w, wish->host, &n, e) < 0)
            return -1;
        return strlen(wish->host) == n ? 0 : err_set(e, ERR_UNFIT, "the client's host name has a NUL byte in it");
    }
    if (wire_read(w, raw, n, e) < 0)
        return -1;
    (void)inet_ntop(type == ADDRESS_IP6 ? AF_INET6 : AF_INET, raw, text, sizeof text);
    (void)snprintf(wish->host, sizeof wish->host, type == ADDRESS_IP6 ? "[%s]" : "%s", text);
    return 0;
}

static int read_request5(const struct client *c, struct wire *w, struct wish *wish, unsigned *command, struct err *e)
{
    unsigned char head[4], port[2];
    if (wire_read(w, head, sizeof head, e) < 0)
        return -1;
    if (head[0] != 5)
        return err_set(e, ERR_PROTOCOL, "the request has version %u instead of 5", (unsigned)head[0]);
    if (head[3] != ADDRESS_IP4 && head[3] != ADDRESS_IP6 && head[3] != ADDRESS_NAME) {
        (void)err_set(e, ERR_PROTOCOL, "the request has an address of unknown type %u", (unsigned)head[3]);
        return refuse(c, w, REP_ADDRESS);
    }
    *command = head[1];
    int rc = read_host5(w, head[3], wish, e);
    if (rc < 0 && e->kind == ERR_UNFIT)
        return refuse(c, w, REP_NO_HOST);
    if (rc < 0 || wire_read(w, port, sizeof port, e) < 0)
        return -1;
    wish->port = port[0] << 8 | port[1];
    return 0;
}

/* Each answer makes it his turn again. */
static int learn5(struct client *c, const struct admission *m, struct wire *w, struct wish *wish,
                  unsigned *command, struct err *e)
{
    if (c->turn == GREETS) {
        if (choose_method(m, w, e) < 0)
            return -1;
        c->turn = m->logs_in ? LOGS_IN : ASKS;
        return 1;
    }
    if (c->turn == LOGS_IN) {
        if (log_in(m, w, c->user, e) < 0)
            return -1;
        c->turn = ASKS;
        return 1;
    }
    memcpy(wish->user, c->user, sizeof wish->user);
    return read_request5(c, w, wish, command, e);
}

/* ---- SOCKS4 ---- */

/* Up to a NUL byte; to has room for RULE_HOST_MAX + 1 bytes. */
static int read_text(struct wire *w, char *to, const char *what, struct err *e)
{
    for (size_t n = 0; n <= RULE_HOST_MAX; n++) {
        if (wire_read(w, to + n, 1, e) < 0)
            return -1;
        if (to[n] == '\0')
            return 0;
    }
    return err_set(e, ERR_PROTOCOL, "the request has a %s of more than %d bytes", what, RULE_HOST_MAX);
}

/* Address 0.0.0.x: a name follows. */
static int learn4(const struct client *c, const struct admission *m, struct wire *w, struct wish *wish,
                  unsigned *command, struct err *e)
{
    static const unsigned char nowhere[3];
    unsigned char head[7];
    char user[RULE_HOST_MAX + 1];
    if (wire_read(w, head, sizeof head, e) < 0 || read_text(w, user, "user", e) < 0)
        return -1;
    *command = head[0];
    wish->port = head[1] << 8 | head[2];
    bool named = memcmp(head + 3, nowhere, sizeof nowhere) == 0 && head[6] != 0;
    if (!named)
        (void)inet_ntop(AF_INET, head + 3, wish->host, sizeof wish->host);
    else if (read_text(w, wish->host, "name", e) < 0)
        return -1;
    if (!m->logs_in)
        return 0;
    (void)err_set(e, ERR_LOGIN, "SOCKS4 has no passwords, and clients have to log in");
    return refuse(c, w, REP_DENIED);
}

/* ---- the dialog ---- */

static int grant(struct client *c, const struct admission *m, const struct addr *a, struct wire *w,
                 struct wish *wish, unsigned command, struct err *e)
{
    if (command < CONNECT || command > COMMANDS || (command == ASSOCIATE && c->version == 4) || !(m->commands & 1U << (command - CONNECT))) {
        (void)err_set(e, ERR_RULES, "the client asks for command %u, which is not served", command);
        return refuse(c, w, REP_COMMAND);
    }
    static const char *const words[] = {[CONNECT] = "connect", [BIND] = "bind", [ASSOCIATE] = SOCKS_UDP};
    c->binds = command == BIND;
    c->packets = command == ASSOCIATE;
    wish->any_port = command != CONNECT;
    int rc = c->packets ? associate_grant(a, w->run, wish, e) : admission_grant(m, a, w->run, wish, e);
    if (rc < 0)
        return refuse(c, w, rep_of(e));
    return run_set_fact(w->run, a, "command", words[command], e) < 0
               ? -1
               : run_set_fact(w->run, a, "proto", c->version == 4 ? "socks4" : "socks5", e);
}

static int socks_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct client *c = st;
    const struct admission *m = run_shared_of(r, a);
    struct wish wish = {0};
    unsigned command = 0;
    if (c->version == 0 && wire_read(w, &c->version, 1, e) < 0)
        return err_wrap(e, "SOCKS dialog");
    if (c->version != 4 && c->version != 5)
        return err_set(e, ERR_PROTOCOL, "the client does not speak SOCKS: it begins with byte %u instead of 4 or 5",
                       (unsigned)c->version);
    int rc = c->version == 4 ? learn4(c, m, w, &wish, &command, e) : learn5(c, m, w, &wish, &command, e);
    if (rc == 0)
        rc = grant(c, m, a, w, &wish, command, e);
    return rc < 0 ? err_wrap(e, "SOCKS%u dialog", (unsigned)c->version) : rc;
}

static int tell(const struct client *c, struct wire *w, int rep, const struct outcome *o, const char *host, const char *port_name,
                struct err *e)
{
    static const unsigned char any[16];
    unsigned char address[16] = {0};
    int port = 0, family = o ? admission_bound(o, host, port_name, address, &port) : 0;
    if (c->binds && !c->told && family && memcmp(address, any, family == AF_INET6 ? 16 : 4) == 0) {
        struct outcome here = *o; /* where he has reached us, he will find that, too */
        int own = port;
        here.to_right = !o->to_right;
        family = admission_bound(&here, host, port_name, address, &port);
        port = own;
    }
    return say(c, w, rep, family, address, port, e);
}

/* Where packets are to be sent to, beside the connection. */
static int associate(const struct client *c, const struct addr *a, struct wire *w, const struct outcome *o, struct err *e)
{
    struct sockname at;
    unsigned char bytes[16];
    if (!o->carries_records) {
        (void)err_set(e, ERR_OTHER, "the client asks for UDP, but what is opened for it takes no packets (TARGET can)");
        return refuse(c, w, REP_COMMAND);
    }
    if (associate_open(a, w, o, &at, e) < 0)
        return refuse(c, w, REP_FAILED);
    int family = sockname_family(&at);
    memcpy(bytes, family == AF_INET6 ? (void *)&at.u.in6.sin6_addr : (void *)&at.u.in4.sin_addr, family == AF_INET6 ? 16 : 4);
    return say(c, w, REP_GRANTED, family, bytes, sockname_port(&at), e);
}

/* The first of two answers to BIND: where his peer is waited for. */
static int socks_meanwhile(void *st, const struct addr *a, struct run *r, struct wire *w, const struct outcome *o, struct err *e)
{
    struct client *c = st;
    (void)a;
    (void)r;
    if (!c->binds)
        return 0;
    int rc = tell(c, w, REP_GRANTED, o, "sockaddr", "sockport", e);
    c->told = true;
    return rc;
}

static int socks_answer(void *st, const struct addr *a, struct run *r, struct wire *w, const struct outcome *o,
                        struct err *e)
{
    const struct client *c = st;
    (void)r;
    if (o->failed)
        return tell(c, w, rep_of(o->failed), NULL, NULL, NULL, e);
    if (c->packets)
        return associate(c, a, w, o, e);
    if (!c->binds)
        return tell(c, w, REP_GRANTED, o, "sockaddr", "sockport", e);
    if (c->told)
        return tell(c, w, REP_GRANTED, o, "peeraddr", "peerport", e);
    (void)err_set(e, ERR_OTHER, "the client asks for BIND, but nothing here waits for connections (TCP-TARGET can)");
    return refuse(c, w, REP_COMMAND);
}

static int socks_check(const struct addr *a, struct err *e)
{
    struct beside_ports ports;
    const struct opt *o = opt_find(a, &opt_udp_ports);
    if (o && !admission_may_ask(a, SOCKS_UDP))
        return err_at(e, o->at, "udp-ports: clients may not ask for UDP; commands=udp lets them");
    return admission_check(a, e) < 0 || udp_ports(a, &ports, e) < 0 ? -1 : udp_address_check(a, e);
}

static const struct negotiator_ops socks_ops = {
    .common = ADMISSION_COMMON, .state_size = sizeof(struct client), .learn = socks_learn, .meanwhile = socks_meanwhile, .answer = socks_answer,
    .answers_for_rest = true, .hears_first = true, .rests = true, .leaves = &associate_packets, .may_leave = associate_may_be,
};

extern const struct form forms_socks_server[];
const struct form forms_socks_server[] = {
    {
        .keyword = "SOCKS-SERVER",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_socks_server,
        .role = ROLE_SERVER,
        .gives = GIVES_WISH,
        .help = "learns from a client of SOCKS4, 4A or 5 where it wants to go",
        .check = socks_check,
        .serves_anybody = admission_serves_anybody,
        .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &socks_ops,
        .arg = &kind,
    },
    {0},
};
