/* SPDX-License-Identifier: GPL-2.0-or-later
 * A scripted peer at a wire: what it says comes in one piece or in two, what it is told is kept. To be included
 * behind cmocka.h, by one test program each: all is static. */
#ifndef CATENA_TESTS_WIRE_SCRIPT_H
#define CATENA_TESTS_WIRE_SCRIPT_H

#include <string.h>

#include "catena/plan.h"
#include "catena/run.h"
#include "catena/wire.h"
#include "../home.h"

struct client_script {
    const char *says;
    size_t left, first; /* so much of it comes first */
    char heard[4096];
    size_t nheard, writes;
};

static int client_fill(struct wire *w, int *eof, struct err *e)
{
    struct client_script *s = w->carrier;
    size_t n = s->first > 0 ? s->first : s->left;
    (void)e;
    n = buf_put(&w->in, s->says, n < s->left ? n : s->left);
    s->first = s->first > n ? s->first - n : 0;
    s->says += n;
    s->left -= n;
    *eof = n == 0;
    return 0;
}

static int client_write(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct client_script *s = w->carrier;
    (void)e;
    assert_true(n <= sizeof s->heard - s->nheard);
    memcpy(s->heard + s->nheard, data, n);
    s->nheard += n;
    s->writes++;
    return 0;
}

static const struct wire_ops client_ops = {.fill = client_fill, .write = client_write};
static const struct settings at_home = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                        .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};

#endif
