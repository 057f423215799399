/* SPDX-License-Identifier: GPL-2.0-or-later
 * Pseudo terminals. */
#ifndef CATENA_ENDPOINT_PTY_H
#define CATENA_ENDPOINT_PTY_H

#include <stdbool.h>

#include "catena/addr.h"
#include "catena/err.h"
#include "catena/run.h"

enum { PTY_NAME_MAX = 64 };

struct pty {
    int master, slave; /* CLOEXEC */
    char name[PTY_NAME_MAX]; /* of the slave: /dev/pts/7 */
};

/* Opens both sides; never becomes the controlling terminal. raw: bytes pass unchanged and without
 * echo. */
int pty_open(struct pty *p, bool raw, struct err *e);
void pty_close(struct pty *p);

/* Option link: a symbolic link to the slave of that name; it is removed when the run ends. */
int pty_link(const char *name, const struct addr *a, struct run *r, struct err *e);

#endif
