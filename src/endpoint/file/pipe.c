/* SPDX-License-Identifier: GPL-2.0-or-later
 * PIPE: without a name a pipe to oneself (an echo); with a name a FIFO, made if it is not there and
 * then removed at the end. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/file/file.h"
#include "endpoint/options/opts_fd.h"

static int unnamed(const struct addr *a, struct run *r, struct port **out, struct err *e)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0)
        return err_sys(e, "the system gives no pipe"), err_call(e, "pipe2()");
    diag(DIAG_NOTICE, "writing to and reading from unnamed pipe");
    return endpoint_port(a, r, fd[0], fd[1], 0, PORT_SHUT_CLOSE, out, e);
}

/* At once: opening may wait for somebody whom the owner lets in. */
static int set_owner(const struct addr *a, const char *path, struct err *e)
{
    const struct opt *user = opt_find(a, &opt_user), *group = opt_find(a, &opt_group);
    uid_t uid = user ? (uid_t)user->v.i : (uid_t)-1;
    gid_t gid = group ? (gid_t)group->v.i : (gid_t)-1;
    if ((user || group) && lchown(path, uid, gid) < 0) {
        (void)err_sys(e, "cannot give \"%s\" to user %d, group %d", path, (int)uid, (int)gid);
        return err_call(e, "chown(\"%s\", %d, %d)", path, (int)uid, (int)gid);
    }
    return 0;
}

static int make_fifo(const struct addr *a, struct run *r, const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        diag(DIAG_NOTICE, "using existing %s \"%s\" for %s", file_kind(path), path,
             file_purpose(a->left));
        return file_after(a, r, path, false, e);
    }
    if (mkfifo(path, file_mode(a, 0666)) < 0) {
        (void)err_sys(e, "cannot make the named pipe \"%s\"", path);
        return err_call(e, "mkfifo(\"%s\", 0%03o)", path, (unsigned)file_mode(a, 0666));
    }
    diag(DIAG_NOTICE, "created named pipe \"%s\" for %s", path, file_purpose(a->left));
    if (set_owner(a, path, e) < 0) {
        (void)unlink(path);
        return -1;
    }
    return file_after(a, r, path, true, e);
}

static int pipe_open(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    (void)state;
    if (a->nparams == 0)
        return unnamed(a, r, out, e);
    const char *path = a->params[0];
    if (file_before(a, path, e) < 0 || make_fifo(a, r, path, e) < 0)
        return -1;
    int fd = file_open(r, path, file_flags(a, 0), 0666, e);
    if (fd < 0)
        return -1;
    return endpoint_port(a, r, a->left == CTX_W ? -1 : fd, a->left == CTX_R ? -1 : fd, 0,
                         PORT_SHUT_NONE, out, e);
}

static const struct endpoint_ops pipe_ops = {.open = pipe_open};

/* What is about an entry of the file system, or about opening one. */
static int check_unnamed(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        bool entry = o->desc->groups & (GROUP_NAMED | GROUP_OPEN) && !(o->desc->groups & GROUP_FD);
        if (!o->sloppy && entry)
            return err_at(e, o->at, "option \"%s\" could not be used: this pipe has no name",
                          o->desc->name);
    }
    return 0;
}

#define GROUPS (GROUP_FD | GROUP_FIFO | GROUP_NAMED | GROUP_OPEN)

extern const struct form forms_pipe[];
const struct form forms_pipe[] = {
    {.keyword = "PIPE", .aliases = "ECHO FIFO", .left = CTX_B, .groups = GROUPS,
     .help = "a pipe to oneself: what is written can be read", .check = check_unnamed,
     .kind = FORM_ENDPOINT,
     .ops.endpoint = &pipe_ops},
    {.keyword = "PIPE", .aliases = "ECHO FIFO", .params = ":<filename>", .min_params = 1,
     .max_params = 1, .left = CTX_RWB, .groups = GROUPS, .help = "a named pipe",
     .kind = FORM_ENDPOINT, .ops.endpoint = &pipe_ops},
    {.keyword = NULL},
};
