/* SPDX-License-Identifier: GPL-2.0-or-later
 * A run as the program has it, between ends that are open already: see relay.h. */
#include "xio/relay.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "xio/error.h"

struct relay {
    struct chain *chain;
    struct run run;
    struct line line;
    struct passage passage;
};

/* Whoever has opened the chain in time may take as long as he likes. */
static int relay_in_time(struct passage *s, struct err *e)
{
    static const struct itimerspec never;
    if (s->run->stop_fd >= 0)
        (void)timerfd_settime(s->run->stop_fd, 0, &never, NULL);
    return passage_relay(s, e);
}

static int arm(struct relay *r, struct err *e)
{
    int ms = r->chain->opts.deadline;
    struct itimerspec t = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}};
    if (ms == 0)
        return 0;
    r->run.stop_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return r->run.stop_fd < 0 || timerfd_settime(r->run.stop_fd, 0, &t, NULL) < 0 ? err_sys(e, "timerfd_create()") : 0;
}

static int run_it(struct relay *r, struct handle *a, struct handle *b, struct err *e)
{
    struct passage *s = &r->passage;
    struct chain *c = r->chain;
    void **shared = passage_slots(c->plan);
    int rc = line_init(&r->line, &r->run, e);
    if (rc == 0)
        rc = arm(r, e);
    if (rc == 0)
        rc = passage_prepare(c->plan, &r->run, shared, e);
    if (rc == 0 && handle_lend(a, &s->brought[LEFT], e) < 0)
        rc = -1;
    if (rc == 0 && b && handle_lend(b, &s->brought[RIGHT], e) < 0)
        rc = -1;
    if (rc == 0)
        rc = passage_open(s, LEFT, e);
    if (rc < 0 && e->kind == ERR_INTERRUPTED)
        (void)err_set(e, ERR_TIMEOUT, "not open within the deadline of %d ms", c->opts.deadline);
    for (int i = 0; i < 2; i++)
        port_close(s->brought[i]);
    int status = passage_finish(s, rc, e);
    passage_release(c->plan, shared);
    free(shared);
    return status == 0 ? 0 : -1;
}

int relay_run(struct chain *c, struct handle *a, struct handle *b, struct err *e)
{
    struct relay r = {.chain = c, .passage = {.plan = c->plan, .last = relay_in_time}};
    struct catena_visit visit;
    r.passage.run = &r.run;
    r.passage.line = &r.line;
    if (run_init(&r.run, &c->settings, c->plan, -1, e) < 0)
        return -1;
    r.run.threaded = true;
    catena_enter(&visit, &r.run.peer);
    int rc = run_it(&r, a, b, e);
    if (rc < 0 && !run_why(&r.run, e))
        (void)err_set(e, ERR_OTHER, "the relay has failed");
    if (rc < 0)
        error_settle(c, e);
    int fd = r.run.stop_fd;
    run_fini(&r.run);
    if (fd >= 0)
        close(fd);
    catena_leave(&visit);
    return rc;
}
