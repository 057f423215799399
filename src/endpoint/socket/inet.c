/* SPDX-License-Identifier: GPL-2.0-or-later
 * Stream sockets over IP, whatever the transport: clients of <host>:<port> and listeners on <port>.
 * What they are a socket of is said by the form's struct sock_kind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/options.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/options/opts_transport.h"
#include "endpoint/socket/inet.h"

enum { LOWPORT_MIN = 640, LOWPORT_COUNT = 1023 - LOWPORT_MIN + 1 };

/* Service names are looked up when the address is opened. */
static int check_port(const char *text, struct span at, struct err *e)
{
    text += strspn(text, " \t");
    size_t digits = strspn(text, "0123456789");
    if (text[digits] != '\0' && !resolve_is_word(text))
        return err_at(e, at, "\"%.40s\" is no port: give a number from 0 to 65535 or a service name",
                      text);
    if (text[digits] != '\0' || digits == 0)
        return 0;
    if (digits < 32 && strtol(text, NULL, 10) <= 65535)
        return 0;
    return err_at(e, at, "port %.40s is too large: ports are 0 to 65535", text);
}

/* bind= of an address that waits for others (it has no port of its own), or of a client. storage
 * is to be freed, also on failure. */
static int split_bind(const struct opt *o, bool passive, char **storage, const char **host,
                      const char **service, struct err *e)
{
    if (resolve_split(o->v.s, storage, host, service, e) < 0) {
        e->where = o->at;
        return -1;
    }
    if (passive && (!*host || *service))
        return err_at(e, o->at,
                      "\"bind=%.200s\" cannot be resolved: a listening address takes a host "
                      "name or address here, the port is its parameter",
                      o->v.s);
    if (!*host && !*service)
        return err_at(e, o->at, "\"bind=\" needs <address>, <address>:<port> or :<port>");
    return 0;
}

static int check_bind(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_bind);
    const char *host = NULL, *service = NULL;
    char *storage = NULL;
    int rc;

    if (!o)
        return 0;
    rc = split_bind(o, a->form->target == 0, &storage, &host, &service, e);
    if (rc == 0 && service)
        rc = check_port(service, o->at, e);
    free(storage);
    return rc;
}

int inet_check_options(const struct addr *a, struct err *e)
{
    int family;

    return resolve_family(a, &family, e) < 0 || range_check(a, AF_UNSPEC, e) < 0 ||
                   check_bind(a, e) < 0
               ? -1
               : 0;
}

/* Whether there is such a host is known when the address is opened. */
static int check_host(const struct addr *a, struct err *e)
{
    const char *host = a->form->target ? a->params[a->form->target - 1] : "";

    if (host[strcspn(host, "|^ \t\r\n")] != '\0')
        return err_at(e, a->param_at[a->form->target - 1], "\"%.200s\" cannot be a host's name", host);
    return 0;
}

int inet_check(const struct addr *a, struct err *e)
{
    size_t last = a->nparams - 1;

    if (check_host(a, e) < 0)
        return -1;
    return check_port(a->params[last], a->param_at[last], e) < 0 ? -1 : inet_check_options(a, e);
}

int inet_foresee(const struct addr *a, struct err *e)
{
    size_t last = a->nparams - 1;
    int type = a->form->groups & (GROUP_UDP | GROUP_UDPLITE) ? SOCK_DGRAM : SOCK_STREAM;

    if (!resolve_is_word(a->params[last]) || resolve_knows_service(a->params[last], type))
        return 0;
    return err_at(e, a->param_at[last], "\"%.100s\" is no known service", a->params[last]);
}

static const struct sockname *local_for(const struct inet_local *l, int family)
{
    for (size_t i = 0; i < l->names.n; i++) {
        if (sockname_family(&l->names.v[i]) == family)
            return &l->names.v[i];
    }
    return NULL;
}

/* From bind=, sourceport= and lowport; a source port that is named wins over lowport. */
static int local_init(const struct addr *a, struct run *r, const struct sock_kind *kind,
                      const struct ip_version *version, struct inet_local *l, struct err *e)
{
    const struct opt *bind_to = opt_find(a, &opt_bind);
    const char *host = NULL, *service = NULL;
    char *storage = NULL;
    bool source = opt_find(a, &opt_sourceport) && !(kind->peer_port && bind_to);
    int port = 0, rc = 0;

    *l = (struct inet_local){.wanted = bind_to != NULL || source || opt_true(a, &opt_lowport)};
    if (!l->wanted)
        return 0;
    if (bind_to) {
        rc = split_bind(bind_to, false, &storage, &host, &service, e);
        if (rc == 0 && service)
            rc = resolve_port(r, service, kind->type, &port, e);
    }
    if (rc == 0 && source)
        port = (int)opt_int(a, &opt_sourceport, port);
    if (rc == 0)
        rc = resolve_host(a, r, host, port, version, true, &l->names, e);
    if (rc < 0 && bind_to && !e->where.text)
        e->where = bind_to->at;
    l->lowport = port == 0 && opt_true(a, &opt_lowport);
    free(storage);
    return rc;
}

static int bind_lowport(const struct addr *a, int fd, const struct sockname *where, struct err *e)
{
    struct sockname name = *where;
    unsigned start = 0;

    if (getrandom(&start, sizeof start, 0) < 0)
        start = (unsigned)getpid(); /* only spreads the load; any number will do */
    for (unsigned i = 0; i < LOWPORT_COUNT; i++) {
        sockname_set_port(&name, (int)(LOWPORT_MIN + (start + i) % LOWPORT_COUNT));
        if (sock_bind(a, fd, &name, e) == 0)
            return 0;
        if (e->sys != EADDRINUSE)
            return -1;
    }
    return err_wrap(e, "no port from %d to 1023 is free", LOWPORT_MIN);
}

int inet_bind_local(const struct addr *a, int fd, const struct sockname *target, const void *arg,
                    struct err *e)
{
    const struct inet_local *l = arg;
    const struct sockname *name = local_for(l, sockname_family(target));

    if (!name)
        return 0;
    return l->lowport ? bind_lowport(a, fd, name, e) : sock_bind(a, fd, name, e);
}

/* A target that the local address cannot reach is not tried. */
static int keep_reachable(struct names *targets, const struct inet_local *l, struct err *e)
{
    size_t kept = 0;

    if (!l->wanted)
        return 0;
    for (size_t i = 0; i < targets->n; i++) {
        if (local_for(l, sockname_family(&targets->v[i])))
            targets->v[kept++] = targets->v[i];
    }
    targets->n = kept;
    if (kept > 0)
        return 0;
    return err_set(e, ERR_OTHER,
                   "the address to bind and the host have no IP version in common");
}

int inet_targets(const struct addr *a, struct run *r, const struct sock_kind *kind, int port,
                 struct names *targets, struct inet_local *local, struct err *e)
{
    struct ip_version version;

    *targets = (struct names){0};
    *local = (struct inet_local){0};
    if (resolve_version(a, r, kind->family, false, &version, e) < 0 ||
        resolve_host(a, r, a->params[0], port, &version, false, targets, e) < 0 ||
        local_init(a, r, kind, &version, local, e) < 0)
        return -1;
    return keep_reachable(targets, local, e);
}

int inet_connected(const struct addr *a, struct run *r, struct err *e)
{
    const struct sock_kind *kind = a->form->arg;
    struct names targets = {0};
    struct inet_local local = {0};
    int port, fd = -1;

    if (resolve_port(r, a->params[1], kind->type, &port, e) == 0 &&
        inet_targets(a, r, kind, port, &targets, &local, e) == 0)
        fd = sock_connect_any(a, r, kind, &targets, inet_bind_local, &local, e);
    names_fini(&targets);
    names_fini(&local.names);
    return fd;
}

static int inet_connect(const struct addr *a, struct run *r, void *state, struct port **out,
                        struct err *e)
{
    int fd = inet_connected(a, r, e);

    (void)state;
    return fd < 0 ? -1 : sock_connected(a, r, a->form->arg, fd, out, e);
}

/* The addresses to listen on: that of bind=, which has no port of its own, or any. */
static int listen_names(const struct addr *a, struct run *r, const struct sock_kind *kind,
                        const char *port_text, const struct ip_version *version, struct names *out,
                        struct err *e)
{
    const struct opt *bind_to = opt_find(a, &opt_bind);
    const char *host = NULL, *service = NULL;
    char *storage = NULL;
    int port, rc;

    rc = resolve_port(r, port_text, kind->type, &port, e);
    if (rc == 0 && bind_to)
        rc = split_bind(bind_to, true, &storage, &host, &service, e);
    if (rc == 0)
        rc = resolve_host(a, r, host, port, version, true, out, e);
    free(storage);
    return rc;
}

static int open_bound(const struct addr *a, struct run *r, const struct sock_kind *kind,
                      const struct sockname *name, struct err *e)
{
    int fd = sock_open(a, r, kind, sockname_family(name), true, e);

    if (fd >= 0 && sock_bind(a, fd, name, e) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* A bound socket on the first address that this system can have: it may lack an IP version. */
static int bind_first(const struct addr *a, struct run *r, const struct sock_kind *kind,
                      const struct names *names, struct err *e)
{
    int fd = open_bound(a, r, kind, &names->v[0], e);

    for (size_t i = 1; i < names->n && fd < 0; i++) {
        if (e->sys != EAFNOSUPPORT && e->sys != EADDRNOTAVAIL)
            break;
        diag_coded(DIAG_NOTICE, err_code_of(e), "%s; trying the next address", diag_words(e));
        fd = open_bound(a, r, kind, &names->v[i], e);
    }
    return fd;
}

int inet_bound(const struct addr *a, struct run *r, const struct sock_kind *kind, const char *port,
               struct access *access, struct err *e)
{
    struct ip_version version;
    struct names names = {0};
    int fd = -1, family;

    if (resolve_version(a, r, kind->family, true, &version, e) < 0 ||
        listen_names(a, r, kind, port, &version, &names, e) < 0)
        goto out;
    family = sockname_family(&names.v[0]);
    if (version.preferred == AF_UNSPEC && family == AF_INET6)
        family = AF_UNSPEC; /* nobody asked for IPv6, so the range may be of either version */
    if (access_init(a, r, family, access, e) == 0)
        fd = bind_first(a, r, kind, &names, e);
out:
    names_fini(&names);
    return fd;
}

static int inet_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    const struct sock_kind *kind = a->form->arg;
    struct access access;
    int fd = inet_bound(a, r, kind, a->params[0], &access, e);

    return fd < 0 ? -1 : sock_listen(a, kind, fd, &access, state, e);
}

const struct endpoint_ops inet_connect_ops = {.open = inet_connect};
const struct endpoint_ops inet_listen_ops = {
    .listen = inet_listen,
    .open = sock_accept,
    .unlisten = sock_unlisten,
    .waits_at = sock_waits_at,
};
