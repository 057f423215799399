/* SPDX-License-Identifier: GPL-2.0-or-later
 * OPENSSL-DTLS-CLIENT and -SERVER: TLS for datagrams, over the sockets of UDP-CONNECT and
 * UDP-LISTEN. */
#include <netinet/in.h>
#include <stdlib.h>

#include "endpoint/dtls/dtls.h"
#include "endpoint/packet/inet_dgram.h"

/* What the forms point to: the socket first, for those who only know about that. */
struct dtls_kind {
    struct sock_kind socket;
    struct tls_role role;
};

#define SOCKET                                                                                     \
    {                                                                                              \
        .family = AF_UNSPEC, .type = SOCK_DGRAM, .protocol = IPPROTO_UDP,                          \
        .flags = PORT_SHUT_BOTH, .shut = PORT_SHUT_DOWN,                                           \
    }
static const struct dtls_kind client = {SOCKET, {.server = false, .datagram = true}};
static const struct dtls_kind server = {SOCKET, {.server = true, .datagram = true}};

static const struct tls_role *role_of(const struct addr *a)
{
    const struct dtls_kind *kind = a->form->arg;

    return &kind->role;
}

/* ---- client ---- */

static int client_open(const struct addr *a, struct run *r, void *state, struct port **out,
                       struct err *e)
{
    struct dtls_shared *s = dtls_shared_new(a, role_of(a), r, e);
    int rc = s == NULL ? -1 : udp_connect_ops.open(&s->both, r, state, out, e);

    if (rc == 0)
        rc = dtls_port(*out, s, e);
    dtls_shared_drop(s);
    return rc;
}

/* ---- server ---- */

struct listener {
    struct dtls_shared *shared;
    void *udp;
};

static int server_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct listener *l = calloc(1, sizeof *l);

    if (l == NULL)
        return err_nomem(e);
    l->shared = dtls_shared_new(a, role_of(a), r, e);
    if (l->shared == NULL || udp_listen_ops.listen(&l->shared->both, r, &l->udp, e) < 0) {
        dtls_shared_drop(l->shared);
        free(l);
        return -1;
    }
    *state = l;
    return 0;
}

static int server_open(const struct addr *a, struct run *r, void *state, struct port **out,
                       struct err *e)
{
    struct listener *l = state;

    (void)a;
    if (udp_listen_ops.open(&l->shared->both, r, l->udp, out, e) < 0)
        return -1;
    return dtls_port(*out, l->shared, e);
}

static void server_unlisten(const struct addr *a, void *state, bool forked)
{
    struct listener *l = state;

    udp_listen_ops.unlisten(a, l->udp, forked);
    dtls_shared_drop(l->shared);
    free(l);
}

static const struct endpoint_ops client_ops = {.open = client_open, .greet = dtls_greet};
static const struct endpoint_ops server_ops = {
    .listen = server_listen,
    .open = server_open,
    .greet = dtls_greet,
    .unlisten = server_unlisten,
};

#define GROUPS                                                                                     \
    (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_IP4 | GROUP_IP6 | GROUP_UDP |     \
     GROUP_OPENSSL)

extern const struct form forms_dtls[];
const struct form forms_dtls[] = {
    {.keyword = "OPENSSL-DTLS-CLIENT",
     .aliases = "DTLS DTLS-C DTLS-CLIENT DTLS-CONNECT OPENSSL-DTLS-CONNECT",
     .params = ":<host>:<port>", .min_params = 2, .max_params = 2, .left = CTX_RWB,
     .groups = GROUPS, .target = 1, .help = "connects to a DTLS server over UDP",
     .check = inet_check, .foresee = inet_foresee, .kind = FORM_ENDPOINT, .records = RECORDS_MANY,
     .gives = GIVES_PEER " " GIVES_TLS, .ops.endpoint = &client_ops, .arg = &client},
    {.keyword = "OPENSSL-DTLS-SERVER",
     .aliases = "DTLS-L DTLS-LISTEN DTLS-SERVER OPENSSL-DTLS-LISTEN", .params = ":<port>",
     .min_params = 1, .max_params = 1, .left = CTX_RWB,
     .groups = GROUPS | GROUP_LISTEN | GROUP_RANGE,
     .help = "waits for DTLS clients on a UDP port", .check = inet_check, .foresee = inet_foresee,
     .kind = FORM_ENDPOINT, .records = RECORDS_MANY, .gives = GIVES_PEER " sni " GIVES_TLS,
     .ops.endpoint = &server_ops, .arg = &server},
    {.keyword = NULL},
};
