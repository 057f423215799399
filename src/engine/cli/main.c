/* SPDX-License-Identifier: GPL-2.0-or-later
 * The program: command line, plan, runs, exit status. The only place that exits. */
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "engine/cli/cmdline.h"
#include "engine/cli/complete.h"
#include "engine/cli/help.h"
#include "engine/cli/modules.h"
#include "engine/cli/pager.h"
#include "engine/cli/plan_views.h"
#include "engine/cli/secret_environment.h"
#include "engine/cli/signal_fd.h"
#include "engine/cli/version.h"
#include "engine/plan/secret.h"
#include "engine/serve/serve.h"

static int fail(const struct err *e)
{
    diag_err(DIAG_ERROR, e);
    return 1;
}

/* A forked child ends here: a listener's children come and go by the thousand. */
static void leave_child(int status)
{
    if (__fpending(stdout) > 0 && fflush(stdout) != 0 && status == 0)
        status = 1;
    _exit(status);
}

static void show(const struct cmdline *c, const struct plan *plan)
{
    static void (*const views[])(const struct plan *, FILE *) = {
        [VIEW_PLAN] = plan_print, [VIEW_SENTENCES] = plan_explain, [VIEW_JSON] = plan_json, [VIEW_DOT] = plan_dot};
    views[c->view](plan, stdout);
}

static int cannot_plan(const struct cmdline *c, const struct err *e)
{
    if (c->settings.dry_run && c->view == VIEW_JSON)
        plan_json_error(e, stdout);
    return fail(e);
}

static int run_plan(struct cmdline *c, const char *const address[2])
{
    struct err e;
    struct plan *plan;
    if (plan_make(&c->settings, address[0], address[1], &plan, &e) < 0)
        return cannot_plan(c, &e);
    int found = plan_look_up(plan, &e); /* plans of a map's chains have the same secrets */
    secret_hide_environment(plan);
    for (const struct plan_note *n = plan->notes; n; n = n->next)
        diag_err(n->level, &n->what);
    int status = 0;
    if (found < 0) {
        status = fail(&e);
    } else if (c->settings.dry_run) {
        show(c, plan);
        status = plan->missing != NULL;
    } else {
        int signal_fd = signal_fd_open(&c->settings, &e);
        bool forked = false;
        status = signal_fd < 0 ? fail(&e) : serve(&c->settings, plan, signal_fd, &forked);
        if (forked)
            leave_child(status);
    }
    plan_free(plan);
    return status;
}

/* Whoever looks at the process list sees no secret, for longer than this takes. */
static int run(struct cmdline *c)
{
    struct err e;
    char *hidden[2] = {NULL, NULL};
    const char *address[2];
    int status = 0;
    for (int i = 0; i < 2 && status == 0; i++) {
        if (secret_hide_argument(c->catena.known, c->address[i], c->settings.v1_only, &hidden[i],
                                 &e) < 0)
            status = fail(&e);
        address[i] = hidden[i] ? hidden[i] : c->address[i];
    }
    if (status == 0)
        status = run_plan(c, address);
    for (int i = 0; i < 2; i++)
        secret_free(hidden[i]);
    return status;
}

/* Closed standard descriptors must not be taken by our own: whoever used them then gets EBADF. */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH | O_CLOEXEC) != fd)
            return; /* nothing can be opened: the first real open will say so */
}

static int write_help(const struct cmdline *c, FILE *f, struct err *e)
{
    const struct registry *known = c->catena.known;
    if (c->topic)
        return help_topic(f, known, c->topic, c->help_level > 1, e);
    if (c->settings.v1_name || c->help_level > 1)
        return help_print(f, known, c->help_level, !c->settings.v1_name, e);
    help_screen(f, known);
    return 0;
}

/* Scripts that call us by v1's name get no pager. */
static int help(const struct cmdline *c, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = c->settings.v1_name ? stdout : open_memstream(&text, &n);
    if (!f)
        return err_nomem(e);
    int rc = write_help(c, f, e);
    if (f != stdout && fclose(f) != 0 && rc == 0)
        rc = err_nomem(e);
    if (rc == 0 && text && pager_show(text, n) < 0)
        rc = err_sys(e, "standard output");
    free(text);
    return rc;
}

int main(int argc, char *argv[])
{
    static struct cmdline c; /* a thread left behind may outlive this function */
    struct err e;
    (void)diag_about(&c.nobody);
    fill_standard_descriptors();
    if (cmdline_parse(argc, argv, &c, &e) < 0 || modules_load(&c, &e) < 0)
        return fail(&e);
    int status = 0;
    switch (c.action) {
    case CMDLINE_HELP: status = help(&c, &e) < 0 ? fail(&e) : 0; break;
    case CMDLINE_COMPLETE: complete_word(stdout, c.catena.known, c.topic); break;
    case CMDLINE_VERSION: version_print(stdout, c.catena.known, c.settings.v1_name); break;
    case CMDLINE_RUN: status = run(&c); break;
    }
    if (fflush(stdout) != 0 && status == 0) {
        (void)err_sys(&e, "standard output");
        return fail(&e);
    }
    return status;
}
