/* SPDX-License-Identifier: GPL-2.0-or-later
 * UNIX domain sockets: what their stream and datagram addresses share, and what GOPEN needs. */
#ifndef CATENA_UNIX_H
#define CATENA_UNIX_H

#include "endpoint/socket/sock.h"

/* The address of a parameter or option of a, as kind and unix-tightsocklen say. */
int unix_name(const struct addr *a, const struct sock_kind *kind, const char *path,
              struct sockname *out, struct err *e);
/* form.check of addresses that connect or send, and of those that wait. a->form->arg is a struct
 * sock_kind. */
int unix_check_client(const struct addr *a, struct err *e);
int unix_check_bound(const struct addr *a, struct err *e);
/* Binds to an entry that is fit to be seen when this returns; leaves none behind on failure. */
int unix_bind(const struct addr *a, const struct sock_kind *kind, int fd, const char *path,
              struct err *e);
/* The entry stays: it is removed now (unlink-late), at the end of the run, or never. path may be
 * NULL. */
int unix_keep(const struct addr *a, struct run *r, const struct sock_kind *kind, const char *path,
              struct err *e);
/* As bind= or unix-bind-tempname= say; *path is to be freed, NULL if neither is given. */
int unix_bind_client(const struct addr *a, const struct sock_kind *kind, int fd, char **path,
                     struct err *e);

/* As UNIX-CLIENT: connects a stream socket, or sends datagrams if that is what is there. */
int unix_client_open(const struct addr *a, struct run *r, struct port **out, struct err *e);

#endif
