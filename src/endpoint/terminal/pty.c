/* SPDX-License-Identifier: GPL-2.0-or-later
 * Pseudo terminals: the pair itself, and the PTY address, which keeps the master for the relay and
 * offers the slave to other programs, if wanted through a symbolic link. */
#include "endpoint/terminal/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/wait.h"
#include "endpoint/options/opts_file.h"
#include "endpoint/options/opts_pty.h"

int pty_open(struct pty *p, bool raw, struct err *e)
{
    struct termios t;

    p->slave = -1;
    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->master < 0)
        return err_sys(e, "the system gives no pseudo terminal"), err_call(e, "open(\"/dev/ptmx\")");
    if (grantpt(p->master) < 0 || unlockpt(p->master) < 0) {
        err_sys(e, "unlocking the pseudo terminal");
        goto fail;
    }
    int sys = ptsname_r(p->master, p->name, sizeof p->name);

    if (sys) {
        errno = sys;
        err_sys(e, "ptsname_r()");
        goto fail;
    }
    p->slave = open(p->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->slave < 0) {
        err_sys(e, "cannot open the pseudo terminal \"%s\"", p->name);
        err_call(e, "open(\"%s\")", p->name);
        goto fail;
    }
    if (!raw)
        return 0;
    if (tcgetattr(p->slave, &t) < 0)
        goto fail_raw;
    cfmakeraw(&t);
    if (tcsetattr(p->slave, TCSANOW, &t) == 0)
        return 0;
fail_raw:
    err_sys(e, "setting \"%s\" to raw", p->name);
fail:
    pty_close(p);
    return -1;
}

void pty_close(struct pty *p)
{
    if (p->master >= 0)
        close(p->master);
    if (p->slave >= 0)
        close(p->slave);
    p->master = p->slave = -1;
}

/* An entry of that name is replaced; the link goes when the run ends. */
static int make_link(const char *name, const char *link, const struct addr *a, struct run *r,
                     struct err *e)
{
    if (unlink(link) < 0 && errno != ENOENT) {
        (void)err_sys(e, "cannot remove \"%s\", where the link goes", link);
        return err_call(e, "unlink(\"%s\")", link);
    }
    if (symlink(name, link) < 0) {
        (void)err_sys(e, "cannot make the link \"%s\" to %s", link, name);
        return err_call(e, "symlink(\"%s\", \"%s\")", name, link);
    }
    if (opt_int(a, &opt_unlink_close, 1) == 0)
        return 0;
    return endpoint_remove_at_exit(r, link, e);
}

int pty_link(const char *name, const struct addr *a, struct run *r, struct err *e)
{
    const char *link = opt_string(a, &opt_pty_link, NULL);

    return link ? make_link(name, link, a, r, e) : 0;
}

/* --- the address -------------------------------------------------------------------------- */

/* A client may open the slave, close it and come back: as long as somebody holds the slave, the
 * master sees no end of file. So it is held until the port closes. */
struct holder {
    int slave;
};

static void holder_close(struct port *port)
{
    struct holder *h = port->state;

    port_inner_close(port);
    close(h->slave);
}

static int hold_slave(struct port **port, struct pty *p, struct err *e)
{
    static const struct port_ops ops = {.close = holder_close};
    struct holder *h = port_wrap(port, &ops, sizeof *h, e);

    if (!h)
        return -1;
    h->slave = p->slave;
    p->slave = -1;
    return 0;
}

/* Nobody tells when a slave is opened; only that it hangs up the master while it is not. One that
 * has been and gone between two looks has left what it wrote. */
static int wait_for_slave(int master, const struct addr *a, struct run *r, struct err *e)
{
    double interval = opt_time(a, &opt_pty_interval, 1.0);

    for (;;) {
        struct pollfd pfd = {.fd = master, .events = POLLIN};

        if (poll(&pfd, 1, 0) < 0) {
            if (errno == EINTR)
                continue;
            return err_sys(e, "poll()");
        }
        if (!(pfd.revents & POLLHUP) || (pfd.revents & POLLIN))
            return 0;
        if (wait_seconds(r, interval, e) < 0)
            return -1;
    }
}

static int pty_address_open(const struct addr *a, struct run *r, void *state, struct port **out,
                            struct err *e)
{
    struct pty p;
    struct port *port = NULL;
    bool waits = opt_true(a, &opt_pty_wait_slave);
    int rc = -1;

    (void)state;
    if (pty_open(&p, false, e) < 0)
        return -1;
    int master = p.master;

    p.master = -1; /* the port's, whatever happens */
    if (endpoint_port(a, r, a->left == CTX_W ? -1 : master, a->left == CTX_R ? -1 : master,
                      PORT_EIO_EOF, PORT_SHUT_NONE, &port, e) < 0)
        goto out;
    if (pty_link(p.name, a, r, e) < 0 ||
        (a->nparams && make_link(p.name, a->params[0], a, r, e) < 0))
        goto out;
    diag(DIAG_NOTICE, "PTY is %s", p.name);
    if (waits) {
        close(p.slave);
        p.slave = -1;
        rc = wait_for_slave(master, a, r, e);
    } else {
        rc = hold_slave(&port, &p, e);
    }
out:
    pty_close(&p);
    if (rc == 0)
        *out = port;
    else
        port_close(port);
    return rc;
}

/* A program on the slave side is told of the window; what it does to the line is told if that is wanted. */
static unsigned controls(const struct addr *a)
{
    return opt_true(a, &opt_track_line) ? CONTROLS_TAKES | CONTROLS_GIVES : CONTROLS_TAKES;
}

static const struct endpoint_ops pty_ops = {.open = pty_address_open};

extern const struct form forms_pty[];
const struct form forms_pty[] = {
    {
        .keyword = "PTY",
        .params = "[:<symlink>]",
        .max_params = 1,
        .left = CTX_RWB,
        .groups = GROUP_FD | GROUP_NAMED | GROUP_TERMIOS | GROUP_PTY,
        .help = "a new pseudo terminal, its slave side for other programs",
        .controls = controls,
        .kind = FORM_ENDPOINT,
        .ops.endpoint = &pty_ops,
    },
    {0},
};
