/* SPDX-License-Identifier: GPL-2.0-or-later
 * A plan's runs, as the program has them: see serve.h. */
#include "engine/serve/serve.h"

#include <stdlib.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/reaper.h"
#include "catena/wait.h"
#include "engine/run/lock.h"
#include "engine/serve/passage.h"

static int serve_plan(const struct settings *st, const struct plan *p, int signal_fd, bool *forked)
{
    struct run run;
    struct line line;
    struct err e;
    struct passage s = {.run = &run, .line = &line, .plan = p, .last = passage_relay};
    const char *wait = catena_variable(st->catena, "SOCAT_MAIN_WAIT");
    struct reaper reaper;
    bool collects = catena_owns_process(st->catena); /* a host collects its children itself */
    int ready = collects ? reaper_init(&reaper, &e) : 0;
    if (ready < 0 || run_init(&run, st, p, signal_fd, &e) < 0) {
        if (collects && ready == 0)
            reaper_fini(&reaper);
        diag_err(DIAG_ERROR, &e);
        return 1;
    }
    const struct diag_peer *nobody = diag_about(&run.peer);
    run.reaper = collects ? &reaper : NULL;
    int rc = line_init(&line, &run, &e);
    if (rc == 0 && wait)
        rc = wait_seconds(&run, atof(wait), &e);
    if (rc == 0 && st->lockfile)
        rc = lock_take(&run, st->lockfile, st->lock_wait, &e);
    void **shared = passage_slots(p);
    if (rc == 0)
        rc = passage_prepare(p, &run, shared, &e);
    if (rc == 0)
        rc = passage_open(&s, LEFT, &e);
    int status = passage_finish(&s, rc, &e);
    *forked = run.forked;
    if (!run.forked)
        passage_release(p, shared);
    free(shared);
    (void)diag_about(nobody);
    reaper_fini(run.reaper);
    run_fini(&run);
    return status;
}

int serve(const struct settings *st, const struct plan *p, int signal_fd, bool *forked)
{
    struct diag_peer nobody = {.catena = st->catena};
    struct catena_visit visit;
    catena_enter(&visit, &nobody);
    int status = serve_plan(st, p, signal_fd, forked);
    catena_leave(&visit);
    return status;
}
