/* SPDX-License-Identifier: GPL-2.0-or-later
 * What an address makes of files (certificates, keys, lists of logins), once before there is any connection, and with
 * option reload again when one of the files has changed, or on SIGHUP. Connections hold on to what there was when
 * they began. A sharing's prepare() gives one of these. */
#ifndef CATENA_RENEWED_H
#define CATENA_RENEWED_H

#include "catena/addr.h"
#include "catena/api.h"
#include "catena/err.h"
#include "catena/run.h"

struct renewed;
struct renewed_ops {
    int (*make)(const struct addr *a, struct run *r, void **out, struct err *e);
    void (*release)(void *what);
};

/* Makes it for the first time; a stays. */
int renewed_new(const struct renewed_ops *ops, const struct addr *a, struct run *r, struct renewed **out, struct err *e)
    CATENA_API(renewed_new);
void renewed_free(void *n) CATENA_API(renewed_free); /* sharing.release */
/* sharing.renew: somebody has come. Makes it again if it has to be; what cannot be made is said, and what there was
 * stays. By any thread, but only in the process that made it first. */
void renewed_look(void *n, struct run *r) CATENA_API(renewed_look);
/* For a connection, which gives it back: looks, and gives what there is. */
void *renewed_take(struct renewed *n, struct run *r) CATENA_API(renewed_take);
void renewed_give(struct renewed *n, const void *what) CATENA_API(renewed_give);

#endif
