/* SPDX-License-Identifier: GPL-2.0-or-later
 * The functions that the library stands in front of, as the next one has them. */
#ifndef CATENA_PRELOAD_REAL_H
#define CATENA_PRELOAD_REAL_H

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct real {
#define HOOKED_AS(f, type) __typeof__(type) *f;
#define HOOKED(f) HOOKED_AS(f, f)
#include "preload/hooked.def"
#undef HOOKED
#undef HOOKED_AS
};

/* Found when they are needed first: a program's own constructors may come before ours. */
const struct real *real_functions(void);
#define REAL(f) (real_functions()->f)

#define HOOK __attribute__((visibility("default")))

#endif
