/* SPDX-License-Identifier: GPL-2.0-or-later
 * Packets over IP without a connection: SENDTO, DATAGRAM, RECV, RECVFROM of UDP, UDP-Lite and raw
 * IP. */
#include "endpoint/packet/inet_dgram.h"

#include <ctype.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/features.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/packet/dgram.h"
#include "endpoint/socket/inet.h"

enum { PROTOCOL_MAX = 255 }; /* what fits the header; sockets are given for larger ones, too */

static bool is_number(const char *text, int *protocol)
{
    char *end;
    unsigned long n = strtoul(text, &end, 0);

    if (!isdigit((unsigned char)*text) || *end != '\0' || n > PROTOCOL_MAX)
        return false;
    *protocol = (int)n;
    return true;
}

static int no_protocol(const char *text, struct err *e)
{
    return err_set(e, ERR_BAD_VALUE,
                   "\"%.60s\" is no IP protocol: give a number from 0 to 255 or a name from "
                   "/etc/protocols",
                   text);
}

static int protocol_of(const char *text, int *protocol, struct err *e)
{
    struct protoent room, *found = NULL;
    char names[2048];

    if (is_number(text, protocol))
        return 0;
    if (getprotobyname_r(text, &room, names, sizeof names, &found) == 0 && found) {
        *protocol = found->p_proto;
        return 0;
    }
    return no_protocol(text, e);
}

/* Names are looked up when the address is opened. */
int inet_check_protocol(const struct addr *a, struct err *e)
{
    size_t last = a->nparams - 1;
    int protocol;

    if (is_number(a->params[last], &protocol) || resolve_is_word(a->params[last]))
        return inet_check_options(a, e);
    (void)no_protocol(a->params[last], e);
    e->where = a->param_at[last];
    return -1;
}

int inet_foresee_protocol(const struct addr *a, struct err *e)
{
    size_t last = a->nparams - 1;
    int protocol;

    if (protocol_of(a->params[last], &protocol, e) == 0)
        return 0;
    e->where = a->param_at[last];
    return -1;
}

/* The form's kind, completed by the last parameter; *port is what it says about the port. */
static int kind_of(const struct addr *a, struct sock_kind *kind, const char **port, struct err *e)
{
    const char *last = a->params[a->nparams - 1];

    *kind = *(const struct sock_kind *)a->form->arg;
    *port = kind->type == SOCK_RAW ? "0" : last;
    return kind->type == SOCK_RAW ? protocol_of(last, &kind->protocol, e) : 0;
}

/* ---- sending first ---- */

/* A socket for the first target that this system can send to. */
static int open_for(const struct addr *a, struct run *r, const struct sock_kind *kind,
                    const struct names *targets, const struct inet_local *local,
                    struct sockname *to, struct err *e)
{
    int fd = -1;

    for (size_t i = 0; i < targets->n && fd < 0; i++) {
        if (i > 0)
            diag_coded(DIAG_NOTICE, err_code_of(e), "%s; trying the next address", diag_words(e));
        *to = targets->v[i];
        fd = sock_open(a, r, kind, sockname_family(to), false, e);
        if (fd >= 0 && inet_bind_local(a, fd, to, local, e) < 0) {
            close(fd);
            fd = -1;
        }
    }
    return fd;
}

static int send_open(const struct addr *a, struct run *r, bool from_all, struct port **out,
                     struct err *e)
{
    struct sock_kind kind;
    struct names targets = {0};
    struct inet_local local = {0};
    struct sockname to;
    struct access access;
    const char *port_text;
    int port, fd = -1;

    if (kind_of(a, &kind, &port_text, e) < 0)
        return -1;
    kind.peer_port = from_all;
    if (resolve_port(r, port_text, kind.type, &port, e) == 0 &&
        inet_targets(a, r, &kind, port, &targets, &local, e) == 0)
        fd = open_for(a, r, &kind, &targets, &local, &to, e);
    names_fini(&targets);
    names_fini(&local.names);
    if (fd < 0)
        return -1;
    if (from_all && access_init(a, r, sockname_family(&to), &access, e) < 0) {
        close(fd);
        return -1;
    }
    if (from_all && !opt_find(a, &opt_bind))
        access.sourceport = -1; /* it is where we have bound to */
    return dgram_sender(a, r, &kind, fd, &to, from_all ? &access : NULL, from_all, out, e);
}

static int sendto_open(const struct addr *a, struct run *r, void *state, struct port **out,
                       struct err *e)
{
    (void)state;
    return send_open(a, r, false, out, e);
}

static int datagram_open(const struct addr *a, struct run *r, void *state, struct port **out,
                         struct err *e)
{
    (void)state;
    return send_open(a, r, true, out, e);
}

/* ---- receiving first ---- */

static int recv_open(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    struct sock_kind kind;
    struct access access;
    const char *port;
    int fd;

    (void)state;
    if (kind_of(a, &kind, &port, e) < 0)
        return -1;
    fd = inet_bound(a, r, &kind, port, &access, e);
    return fd < 0 ? -1 : dgram_receiver(a, r, &kind, fd, &access, out, e);
}

static int recvfrom_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct sock_kind kind;
    struct access access;
    const char *port;
    int fd;

    if (kind_of(a, &kind, &port, e) < 0)
        return -1;
    fd = inet_bound(a, r, &kind, port, &access, e);
    return fd < 0 ? -1 : dgram_from_listen(a, &kind, fd, &access, state, e);
}

const struct endpoint_ops inet_sendto_ops = {.open = sendto_open};
const struct endpoint_ops inet_datagram_ops = {.open = datagram_open};
const struct endpoint_ops inet_recv_ops = {.open = recv_open};
const struct endpoint_ops inet_recvfrom_ops = {
    .listen = recvfrom_listen,
    .open = dgram_from_open,
    .unlisten = dgram_from_unlisten,
};
