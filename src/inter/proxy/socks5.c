/* SPDX-License-Identifier: GPL-2.0-or-later
 * SOCKS5 client (RFC 1928, RFC 1929): connects through a server, or listens there for one
 * connection. Names are resolved by the server. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/run.h"
#include "catena/secret.h"
#include "inter/proxy/opts_proxy.h"
#include "inter/proxy/opts_server.h"
#include "inter/proxy/socks_udp.h"
#include "inter/proxy/target.h"

enum { VERSION = 5, AUTH_VERSION = 1, FIELD_MAX = 255 };
enum method { METHOD_NONE = 0, METHOD_USER = 2, METHOD_NO_ACCEPTABLE = 0xff };
enum address_type { ADDRESS_IP4 = 1, ADDRESS_NAME = 3, ADDRESS_IP6 = 4 };

struct command {
    unsigned char code;
    bool listens; /* a second reply tells who has connected */
    bool packets; /* they go beside the connection, and name the target themselves */
};
static const struct command command_connect = {.code = 1};
static const struct command command_bind = {.code = 2, .listens = true};
static const struct command command_associate = {.code = 3, .packets = true};

static const struct {
    enum err_kind kind;
    const char *text;
} refusals[] = {
    [1] = {ERR_REFUSED, "general SOCKS server failure"},
    [2] = {ERR_DENIED, "connection not allowed by ruleset"},
    [3] = {ERR_UNREACHABLE, "network unreachable"},
    [4] = {ERR_UNREACHABLE, "host unreachable"},
    [5] = {ERR_REFUSED, "connection refused"},
    [6] = {ERR_UNREACHABLE, "TTL expired"},
    [7] = {ERR_OTHER, "command not supported"},
    [8] = {ERR_OTHER, "address type not supported"},
};

struct login { /* user NULL: none */
    const char *user;
    struct secret_value password;
};

static int login_find(const struct addr *a, struct login *l, struct wire *w, struct err *e)
{
    int found = secret_value(a, &opt_sockspass, w->run, w->deadline, &l->password, e);

    if (found < 0)
        return -1;
    l->user = opt_string(a, &opt_socksuser, NULL);
    if (!l->user) {
        if (found > 0)
            diag(DIAG_WARN, "socks password without a user name has no effect");
        return 0;
    }
    if (found == 0)
        diag(DIAG_WARN, "socks user without a password: sending an empty one");
    if (l->user[0] == '\0' || strlen(l->user) > FIELD_MAX)
        return err_at(e, opt_find(a, &opt_socksuser)->at,
                      "the socks user name has %zu bytes; 1 to %d are possible", strlen(l->user),
                      FIELD_MAX);
    if (strlen(l->password.text) > FIELD_MAX)
        return err_at(e, opt_find(a, &opt_sockspass)->at,
                      "the socks password has more than %d bytes", FIELD_MAX);
    return 0;
}

/* A length byte and the text; gives where to go on. */
static unsigned char *put_field(unsigned char *to, const char *text)
{
    size_t n = strlen(text);

    *to++ = (unsigned char)n;
    memcpy(to, text, n);
    return to + n;
}

static int log_in(const struct login *l, struct wire *w, struct err *e)
{
    unsigned char text[1 + 2 * (1 + FIELD_MAX)], reply[2], *end = text;
    int rc;

    *end++ = AUTH_VERSION;
    end = put_field(end, l->user);
    end = put_field(end, l->password.text);
    rc = wire_write(w, text, (size_t)(end - text), e);
    explicit_bzero(text, sizeof text);
    if (rc < 0 || wire_read(w, reply, sizeof reply, e) < 0)
        return -1;
    /* Some servers answer with the version of the dialog around it. */
    if (reply[0] != AUTH_VERSION && reply[0] != VERSION)
        return err_set(e, ERR_PROTOCOL, "the login reply has version %u instead of %d",
                       (unsigned)reply[0], AUTH_VERSION);
    if (reply[1] != 0)
        return err_set(e, ERR_SOCKS_AUTH, "the server refused the login of user \"%s\" (status %u)",
                       l->user, (unsigned)reply[1]);
    return 0;
}

static int greet(const struct login *l, struct wire *w, struct err *e)
{
    static const unsigned char plain[] = {VERSION, 1, METHOD_NONE};
    static const unsigned char with_login[] = {VERSION, 2, METHOD_NONE, METHOD_USER};
    unsigned char reply[2];
    int rc = l->user ? wire_write(w, with_login, sizeof with_login, e)
                             : wire_write(w, plain, sizeof plain, e);

    if (rc < 0 || wire_read(w, reply, sizeof reply, e) < 0)
        return -1;
    if (reply[0] != VERSION)
        return err_set(e, ERR_PROTOCOL, "the greeting's reply has version %u instead of %d",
                       (unsigned)reply[0], VERSION);
    if (reply[1] == METHOD_NONE)
        return 0;
    if (reply[1] == METHOD_USER && l->user)
        return log_in(l, w, e);
    if (reply[1] == METHOD_NO_ACCEPTABLE)
        return err_set(e, ERR_SOCKS_AUTH, "the server accepts none of the offered logins%s",
                       l->user != NULL ? "" : "; it may want socksuser and sockspass");
    return err_set(e, ERR_PROTOCOL, "the server chose login method %u, which was not offered",
                   (unsigned)reply[1]);
}

static int send_request(const struct command *c, const struct target *t, struct wire *w,
                        struct err *e)
{
    unsigned char request[4 + 1 + HOST_MAX + 2] = {VERSION, c->code, 0}, *end = request + 3;

    switch (t->kind) {
    case TARGET_IP4:
        *end++ = ADDRESS_IP4;
        memcpy(end, &t->ip.ip4, sizeof t->ip.ip4);
        end += sizeof t->ip.ip4;
        break;
    case TARGET_IP6:
        *end++ = ADDRESS_IP6;
        memcpy(end, &t->ip.ip6, sizeof t->ip.ip6);
        end += sizeof t->ip.ip6;
        break;
    case TARGET_NAME:
        *end++ = ADDRESS_NAME;
        end = put_field(end, t->host);
        break;
    }
    *end++ = (unsigned char)(t->port >> 8);
    *end++ = (unsigned char)(t->port & 0xff);
    return wire_write(w, request, (size_t)(end - request), e);
}

struct bound { /* the address of a reply */
    char host[HOST_MAX + 1]; /* IPv6 in brackets */
    unsigned port;
    bool known; /* a number, and not "any" */
};

static int read_host(struct wire *w, struct bound *b, struct err *e)
{
    static const unsigned char any[sizeof(struct in6_addr)];
    unsigned char raw[HOST_MAX + 1] = {0}, type, n = 0;
    char text[INET6_ADDRSTRLEN] = "";

    if (wire_read(w, &type, 1, e) < 0)
        return -1;
    bool ip6 = type == ADDRESS_IP6, name = type == ADDRESS_NAME;
    if (!name && !ip6 && type != ADDRESS_IP4)
        return err_set(e, ERR_PROTOCOL, "the reply holds an address of unknown type %u",
                       (unsigned)type);
    if (!name)
        n = ip6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
    else if (wire_read(w, &n, 1, e) < 0)
        return -1;
    if (wire_read(w, raw, n, e) < 0)
        return -1;
    if (name)
        printable(b->host, sizeof b->host, (const char *)raw);
    else if (inet_ntop(ip6 ? AF_INET6 : AF_INET, raw, text, sizeof text))
        (void)snprintf(b->host, sizeof b->host, ip6 ? "[%s]" : "%s", text);
    b->known = !name && memcmp(raw, any, n) != 0;
    return 0;
}

static int read_address(struct wire *w, struct bound *b, struct err *e)
{
    unsigned char port[2];

    *b = (struct bound){0};
    if (read_host(w, b, e) < 0 || wire_read(w, port, sizeof port, e) < 0)
        return -1;
    b->port = (unsigned)port[0] << 8 | (unsigned)port[1];
    return 0;
}

static int read_reply(const struct target *t, struct wire *w, struct bound *b, struct err *e)
{
    unsigned char head[2], reserved;

    /* The status first: refusing servers do not always send the rest. */
    if (wire_read(w, head, sizeof head, e) < 0)
        return -1;
    if (head[0] != VERSION)
        return err_set(e, ERR_PROTOCOL, "the reply has version %u instead of %d", (unsigned)head[0],
                       VERSION);
    if (head[1] >= sizeof refusals / sizeof refusals[0]) {
        (void)err_set(e, ERR_PROTOCOL, "the server refused %s with unknown status %u", t->text, (unsigned)head[1]);
        return err_called(e, ERR_SOCKS_STATUS);
    }
    if (head[1] != 0) {
        (void)err_set(e, refusals[head[1]].kind, "the server refused %s: %s", t->text, refusals[head[1]].text);
        return err_called(e, ERR_SOCKS_STATUS);
    }
    if (wire_read(w, &reserved, 1, e) < 0)
        return -1;
    return read_address(w, b, e);
}

static int tell(const struct addr *a, struct run *r, const char *const names[2],
                const struct bound *b, struct err *e)
{
    char port[8];

    (void)snprintf(port, sizeof port, "%u", b->port);
    if (!b->known || !run_wants_facts(r))
        return 0;
    return run_set_fact(r, a, names[0], b->host, e) < 0 ? -1
                                                        : run_set_fact(r, a, names[1], port, e);
}

static int dialog(const struct command *c, const struct target *t, const struct login *l,
                  struct wire *w, struct bound *b, struct err *e)
{
    if (greet(l, w, e) < 0 || send_request(c, t, w, e) < 0 || read_reply(t, w, b, e) < 0)
        return err_wrap(e, "SOCKS5 dialog");
    diag(DIAG_INFO, "SOCKS5 server's address is %s:%u", b->host, b->port);
    return 0;
}

static int socks5_learn(void *st, const struct addr *a, struct run *r, struct wire *w,
                        struct err *e)
{
    static const char *const own[] = {"sockaddr", "sockport"};
    static const struct target nowhere = {.kind = TARGET_IP4, .text = "UDP"};
    const struct command *c = a->form->arg;
    struct target *t = st;
    struct login l;
    struct bound b;

    int rc = target_parse(a, c->listens, t, e);

    if (rc < 0 || (opt_true(a, &opt_socks_resolve) && target_resolve(a, t, r, e) < 0))
        return -1;
    rc = login_find(a, &l, w, e);
    if (rc == 0) {
        diag(DIAG_INFO, "SOCKS5: asking %s %s",
             c->listens ? "to listen on" : c->packets ? "for packets to" : "for a connection to", t->text);
        rc = dialog(c, c->packets ? &nowhere : t, &l, w, &b, e);
    }
    secret_value_wipe(&l.password);
    if (rc == 0 && c->packets)
        return socks5_udp_open(a, w, b.host, b.port, e);
    return rc < 0 || !c->listens ? rc : tell(a, r, own, &b, e);
}

/* Somebody connects when he likes: the deadline was for the server. */
static int socks5_await_client(void *st, const struct addr *a, struct run *r, struct wire *w,
                               const struct outcome *o, struct err *e)
{
    static const char *const peers[] = {"peeraddr", "peerport"};
    struct bound b;

    (void)o;
    diag(DIAG_NOTICE, "listening on remote host, waiting for connection");
    w->deadline = -1;
    if (read_reply(st, w, &b, e) < 0)
        return err_wrap(e, "SOCKS5 dialog");
    diag(DIAG_NOTICE, "received connection on remote host");
    diag(DIAG_INFO, "SOCKS5 server's client is %s:%u", b.host, b.port);
    return tell(a, r, peers, &b, e);
}

static const struct negotiator_ops connect_ops = {
    .state_size = sizeof(struct target),
    .learn = socks5_learn,
};
static const struct negotiator_ops associate_ops = {
    .state_size = sizeof(struct target),
    .learn = socks5_learn,
    .leaves = &socks5_packets,
};
static const struct negotiator_ops listen_ops = {
    .state_size = sizeof(struct target),
    .learn = socks5_learn,
    .answer = socks5_await_client,
};

#define SERVER_GROUPS (GROUP_FD | GROUP_SOCKET | GROUP_IP4 | GROUP_IP6 | GROUP_TCP)
#define CLIENT_GROUPS (GROUP_CHILD | GROUP_RETRY | GROUP_SOCKS)

/* <socks-server>:<host>:<port> and <socks-server>:<socks-port>:<host>:<port> */
#define OVER_TCP(key)                                                                              \
    {                                                                                              \
        .inter = key, .inter_params = {2, 3}, .endpoint = "TCP-CONNECT", .endpoint_params = {1},   \
        .port_option = &opt_socksport, .port_default = "1080",                                     \
    }
#define OVER_TCP_PORT(key)                                                                         \
    {                                                                                              \
        .inter = key, .inter_params = {3, 4}, .endpoint = "TCP-CONNECT",                           \
        .endpoint_params = {1, 2},                                                                 \
    }
static const struct compound connect_tcp = OVER_TCP("SOCKS5-CONNECT");
static const struct compound connect_tcp_port = OVER_TCP_PORT("SOCKS5-CONNECT");
static const struct compound udp_tcp = OVER_TCP("SOCKS5-UDP");
static const struct compound udp_tcp_port = OVER_TCP_PORT("SOCKS5-UDP");
static const struct compound listen_tcp = OVER_TCP("SOCKS5-LISTEN");
static const struct compound listen_tcp_port = OVER_TCP_PORT("SOCKS5-LISTEN");

static int associate_check(const struct addr *a, struct err *e)
{
    return target_check(a, e) < 0 ? -1 : udp_address_check(a, e);
}

#define INTER_FORM(key, other, command_, ops_, check_, target_, gives_, options_, help_)                     \
    {                                                                                              \
        .keyword = key, .aliases = other, .params = ":<host>:<port>", .min_params = 2,             \
        .max_params = 2, .left = CTX_RWB, .right = RIGHT_BOTH, .groups = CLIENT_GROUPS,            \
        .role = ROLE_CLIENT, .target = target_, .help = help_, .check = check_, .foresee = target_foresee,\
        .kind = FORM_NEGOTIATOR, .gives = gives_,                                                  \
        .ops.negotiator = &ops_, .arg = command_, .options = options_,                             \
    }
#define COMPOUND_FORM(key, other, compound_, count, params_, target_, options_, help_)             \
    {                                                                                              \
        .keyword = key, .aliases = other, .params = params_, .min_params = count,                  \
        .max_params = count, .left = CTX_RWB, .groups = SERVER_GROUPS | CLIENT_GROUPS,             \
        .target = target_, .help = help_, .kind = FORM_COMPOUND, .ops.compound = compound_,        \
        .options = options_,                                                                       \
    }
#define CONNECT "SOCKS5-CONNECT", "SOCKS5 SOCKS5-CLIENT"
#define ASSOCIATE "SOCKS5-UDP", NULL
#define LISTEN  "SOCKS5-LISTEN", "SOCKS5-BIND"
/* Lets CONNECT and LISTEN be two arguments. */
#define INTER(...)    INTER_FORM(__VA_ARGS__)
#define COMPOUND(...) COMPOUND_FORM(__VA_ARGS__)

extern const struct form forms_socks5[];
const struct form forms_socks5[] = {
    INTER(CONNECT, &command_connect, connect_ops, target_check, 1, NULL, NULL,
          "asks a SOCKS5 server for a connection"),
    COMPOUND(CONNECT, &connect_tcp, 3, ":<socks-server>:<host>:<port>", 2, NULL,
             "connects over TCP to a SOCKS5 server and through it to the host"),
    COMPOUND(CONNECT, &connect_tcp_port, 4, ":<socks-server>:<socks-port>:<host>:<port>", 3, NULL,
             "the same with the server's port as a parameter"),
    INTER(LISTEN, &command_bind, listen_ops, target_check_any_port, 0, GIVES_PEER, NULL,
          "has a SOCKS5 server listen for one connection"),
    COMPOUND(LISTEN, &listen_tcp, 3, ":<socks-server>:<listen-host>:<listen-port>", 0, NULL,
             "connects over TCP to a SOCKS5 server and has it listen for one connection"),
    COMPOUND(LISTEN, &listen_tcp_port, 4,
             ":<socks-server>:<socks-port>:<listen-host>:<listen-port>", 0, NULL,
             "the same with the server's port as a parameter"),
    INTER(ASSOCIATE, &command_associate, associate_ops, associate_check, 1, NULL, options_socks_udp,
          "exchanges packets with a UDP port through a SOCKS5 server"),
    COMPOUND(ASSOCIATE, &udp_tcp, 3, ":<socks-server>:<host>:<port>", 2, options_socks_udp,
             "connects over TCP to a SOCKS5 server and exchanges packets through it"),
    COMPOUND(ASSOCIATE, &udp_tcp_port, 4, ":<socks-server>:<socks-port>:<host>:<port>", 3, options_socks_udp,
             "the same with the server's port as a parameter"),
    {0},
};
