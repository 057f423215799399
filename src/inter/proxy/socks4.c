/* SPDX-License-Identifier: GPL-2.0-or-later
 * SOCKS4 and SOCKS4A clients: one request, one reply of eight bytes. SOCKS4 knows IPv4 addresses
 * only, so names are resolved here; SOCKS4A leaves names to the server. */
#include <stdlib.h>
#include <string.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/inter.h"
#include "inter/proxy/opts_proxy.h"
#include "inter/proxy/target.h"

enum { VERSION = 4, CONNECT = 1, GRANTED = 90, USER_MAX = 255 };

struct dialect {
    const char *name;
    bool sends_name;
};
static const struct dialect socks4 = {.name = "SOCKS4"};
static const struct dialect socks4a = {.name = "SOCKS4A", .sends_name = true};

static const struct {
    unsigned char status;
    enum err_kind kind;
    const char *text;
} refusals[] = {
    {91, ERR_REFUSED, "request rejected or failed"},
    {92, ERR_DENIED, "the server cannot reach an identd on this host"},
    {93, ERR_DENIED, "identd here names another user than the request"},
};

static const char *user_name(const struct addr *a)
{
    static const char *const sources[] = {"LOGNAME", "USER"};
    const char *user = opt_string(a, &opt_socksuser, NULL);

    for (size_t i = 0; !user && i < sizeof sources / sizeof sources[0]; i++) {
        user = catena_variable(a->catena, sources[i]);
        if (user && user[0] == '\0')
            user = NULL;
    }
    return user ? user : "anonymous";
}

static int send_request(const struct dialect *d, const struct target *t, const char *user,
                        struct wire *w, struct err *e)
{
    static const unsigned char name_follows[4] = {0, 0, 0, 1};
    unsigned char request[8 + USER_MAX + 1 + HOST_MAX + 1];
    size_t n = 8, len = strlen(user) + 1;

    request[0] = VERSION;
    request[1] = CONNECT;
    request[2] = (unsigned char)(t->port >> 8);
    request[3] = (unsigned char)(t->port & 0xff);
    memcpy(request + 4, d->sends_name ? (const void *)name_follows : &t->ip.ip4, 4);
    memcpy(request + n, user, len);
    n += len;
    if (d->sends_name) {
        len = strlen(t->host) + 1;
        memcpy(request + n, t->host, len);
        n += len;
    }
    return wire_write(w, request, n, e);
}

static int read_reply(const struct dialect *d, const struct target *t, struct wire *w,
                      struct err *e)
{
    unsigned char reply[8];

    if (wire_read(w, reply, sizeof reply, e) < 0)
        return err_wrap(e, "%s dialog", d->name);
    if (reply[0] != 0)
        return err_set(e, ERR_PROTOCOL, "no %s reply: it begins with byte %u instead of 0", d->name,
                       (unsigned)reply[0]);
    if (reply[1] == GRANTED)
        return 0;
    (void)err_set(e, ERR_PROTOCOL, "the %s server refused %s with unknown status %u", d->name, t->text,
                  (unsigned)reply[1]);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (refusals[i].status == reply[1])
            (void)err_set(e, refusals[i].kind, "the %s server refused %s: %s", d->name, t->text, refusals[i].text);
    return err_called(e, ERR_SOCKS_STATUS);
}

static int socks4_learn(void *st, const struct addr *a, struct run *r, struct wire *w,
                        struct err *e)
{
    const struct dialect *d = a->form->arg;
    const char *user = user_name(a);
    struct target t;

    (void)st;
    if (target_parse(a, false, &t, e) < 0)
        return -1;
    if (strlen(user) > USER_MAX)
        return err_at(e, a->at, "the socks user name has %zu bytes; at most %d are possible",
                      strlen(user), USER_MAX);
    if (!d->sends_name) {
        if (t.kind == TARGET_IP6)
            return err_at(e, a->at, "SOCKS4 cannot reach IPv6 address %s; SOCKS5 can", t.host);
    }
    if ((!d->sends_name || opt_true(a, &opt_socks_resolve)) && target_resolve_ip4(a, &t, r, e) < 0)
        return -1;
    diag(DIAG_INFO, "%s: asking for a connection to %s", d->name, t.text);
    if (send_request(d, &t, user, w, e) < 0)
        return err_wrap(e, "%s dialog", d->name);
    return read_reply(d, &t, w, e);
}

static const struct negotiator_ops socks4_ops = {.learn = socks4_learn};

#define SERVER_GROUPS (GROUP_FD | GROUP_SOCKET | GROUP_IP4 | GROUP_IP6 | GROUP_TCP)
#define CLIENT_GROUPS (GROUP_CHILD | GROUP_RETRY | GROUP_SOCKS)
#define OVER_TCP(key)                                                                              \
    {                                                                                              \
        .inter = key, .inter_params = {2, 3}, .endpoint = "TCP-CONNECT", .endpoint_params = {1},   \
        .port_option = &opt_socksport, .port_default = "1080",                                     \
    }
static const struct compound socks4_tcp = OVER_TCP("SOCKS4");
static const struct compound socks4a_tcp = OVER_TCP("SOCKS4A");

#define INTER_FORM(key, other, dialect_, help_)                                                    \
    {                                                                                              \
        .keyword = key, .aliases = other, .params = ":<host>:<port>", .min_params = 2,             \
        .max_params = 2, .left = CTX_RWB, .right = RIGHT_BOTH, .groups = CLIENT_GROUPS,            \
        .role = ROLE_CLIENT, .target = 1, .help = help_, .check = target_check, .foresee = target_foresee,\
        .kind = FORM_NEGOTIATOR,                                                                   \
        .ops.negotiator = &socks4_ops, .arg = dialect_,                                            \
    }
#define COMPOUND_FORM(key, other, compound_, help_)                                                \
    {                                                                                              \
        .keyword = key, .aliases = other, .params = ":<socks-server>:<host>:<port>",               \
        .min_params = 3, .max_params = 3, .left = CTX_RWB,                                         \
        .groups = SERVER_GROUPS | CLIENT_GROUPS, .target = 2, .help = help_,                       \
        .kind = FORM_COMPOUND, .ops.compound = compound_,                                          \
    }
#define SOCKS4_ALIASES  "SOCKS SOCKS-CLIENT SOCKS4-CLIENT"
#define SOCKS4A_ALIASES "SOCKS4A-CLIENT"

extern const struct form forms_socks4[];
const struct form forms_socks4[] = {
    INTER_FORM("SOCKS4", SOCKS4_ALIASES, &socks4,
               "asks a SOCKS4 server for a connection; names are resolved here"),
    COMPOUND_FORM("SOCKS4", SOCKS4_ALIASES, &socks4_tcp,
                  "connects over TCP to a SOCKS4 server and through it to the host"),
    INTER_FORM("SOCKS4A", SOCKS4A_ALIASES, &socks4a,
               "asks a SOCKS4A server for a connection; the server resolves names"),
    COMPOUND_FORM("SOCKS4A", SOCKS4A_ALIASES, &socks4a_tcp,
                  "connects over TCP to a SOCKS4A server and through it to the host"),
    {0},
};
