/* SPDX-License-Identifier: GPL-2.0-or-later
 * Layers: a port over a port, or over two, the halves of a dual address. What it does not do itself it
 * hands to the inner one, and then shows what has changed there. */
#include <stdalign.h>
#include <stdlib.h>

#include "catena/port.h"

struct layer {
    struct port port; /* first: freed as the port that it is */
    struct port_ops ops;
    alignas(max_align_t) unsigned char state[];
};

/* What changes in the inner ports as they are used. */
static void follow(struct port *p)
{
    const struct port *from = p->inner[0], *to = p->inner[1];
    p->rfd = from->rfd;
    p->wfd = to->wfd;
    p->need = from->need;
    p->blank = from->blank;
    p->control = from->control;
    p->inner[0]->control.kind = CONTROL_NONE;
    p->eio_until = from->eio_until;
}

ssize_t port_inner_read(struct port *p, void *buf, size_t cap)
{
    ssize_t n = port_read(p->inner[0], buf, cap);
    follow(p);
    return n;
}

ssize_t port_inner_write(struct port *p, const void *buf, size_t n)
{
    ssize_t sent = port_write(p->inner[1], buf, n);
    follow(p);
    return sent;
}

int port_inner_control(struct port *p, const struct control *c)
{
    return port_control(p->inner[1], c);
}

int port_inner_shutdown(struct port *p, struct err *e)
{
    int rc = port_shutdown(p->inner[1], e);
    follow(p);
    return rc;
}

void port_inner_close(struct port *p)
{
    port_close(p->inner[0]);
    if (p->inner[1] != p->inner[0])
        port_close(p->inner[1]);
    p->inner[0] = p->inner[1] = NULL;
}

static void inner_stop_reading(struct port *p)
{
    port_stop_reading(p->inner[0]);
    follow(p);
}

static struct layer *lay_over(struct port *from, struct port *to, const struct port_ops *ops,
                              size_t size)
{
    struct layer *l = calloc(1, sizeof *l + size);
    if (!l)
        return NULL;
    l->ops = (struct port_ops){ops->read ? ops->read : port_inner_read,
                               ops->write ? ops->write : port_inner_write,
                               ops->shutdown ? ops->shutdown : port_inner_shutdown,
                               ops->close ? ops->close : port_inner_close,
                               .control = ops->control ? ops->control : port_inner_control,
                               .stop_reading = inner_stop_reading,
                               .edges = !ops->read && !ops->write && from->ops->edges &&
                                        to->ops->edges};
    l->port = (struct port){.ops = &l->ops,
                            .given = {from->given[0], to->given[1]},
                            .flags = (from->flags & ~(unsigned)PORT_WRITES) |
                                     (to->flags & PORT_WRITES),
                            .shut = to->shut,
                            .label = from->label,
                            .wlabel = to->wlabel,
                            .state = l->state,
                            .inner = {from, to},
                            .sitout_eio = from->sitout_eio,
                            .notice_fd = from->notice_fd,
                            .writer_fd = from->writer_fd};
    from->notice_fd = from->writer_fd = -1;
    follow(&l->port);
    return l;
}

void *port_wrap(struct port **p, const struct port_ops *ops, size_t size, struct err *e)
{
    struct layer *l = lay_over(*p, *p, ops, size);
    if (!l) {
        (void)err_nomem(e);
        return NULL;
    }
    *p = &l->port;
    return l->state;
}

int port_join(struct port *read, struct port *write, struct port **out, struct err *e)
{
    struct layer *l = lay_over(read, write, &(struct port_ops){0}, 0);
    if (!l) {
        port_close(read);
        port_close(write);
        return err_nomem(e);
    }
    *out = &l->port;
    return 0;
}

bool port_is_bare(const struct port *from, const struct port *to)
{
    while (from->ops->read == port_inner_read)
        from = from->inner[0];
    while (to->ops->write == port_inner_write)
        to = to->inner[1];
    return from->ops->read == port_fd_read && to->ops->write == port_fd_write;
}
