/* SPDX-License-Identifier: GPL-2.0-or-later
 * OPEN and CREATE, and what all addresses with a path share: see file.h. */
#include "endpoint/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/options.h"
#include "catena/wait.h"
#include "endpoint/options/opts_file.h"
#include "endpoint/terminal/tty_port.h"

const char *file_purpose(enum ctx c)
{
    return c == CTX_R ? "reading" : c == CTX_W ? "writing" : "reading and writing";
}

const char *file_kind(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return "undef";
    switch (st.st_mode & S_IFMT) {
    case S_IFREG: return "regular file";
    case S_IFDIR: return "directory";
    case S_IFIFO: return "named pipe";
    case S_IFCHR: return "character device";
    case S_IFBLK: return "block device";
    case S_IFSOCK: return "socket";
    default: return "undef";
    }
}

static int unlink_entry(const char *path, struct err *e)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return err_sys(e, "cannot remove \"%s\"", path), err_call(e, "unlink(\"%s\")", path);
    return 0;
}

int file_before(const struct addr *a, const char *path, struct err *e)
{
    if ((opt_true(a, &opt_unlink_early) || opt_true(a, &opt_unlink)) && unlink_entry(path, e) < 0)
        return -1;
    /* these are for an entry that is there already */
    const struct opt *user = opt_find(a, &opt_user_early), *group = opt_find(a, &opt_group_early);
    const struct opt *perm = opt_find(a, &opt_perm_early);
    uid_t uid = user ? (uid_t)user->v.i : (uid_t)-1;
    gid_t gid = group ? (gid_t)group->v.i : (gid_t)-1;
    if ((user || group) && chown(path, uid, gid) < 0 && errno != ENOENT) {
        (void)err_sys(e, "cannot give \"%s\" to user %d, group %d", path, (int)uid, (int)gid);
        return err_call(e, "chown(\"%s\", %d, %d)", path, (int)uid, (int)gid);
    }
    if (perm && chmod(path, (mode_t)perm->v.i) < 0 && errno != ENOENT) {
        (void)err_sys(e, "cannot set the mode of \"%s\"", path);
        return err_call(e, "chmod(\"%s\", 0%03o)", path, (unsigned)perm->v.i);
    }
    return 0;
}

/* A device that is missing is not made, and what is no terminal is left as it is. */
int file_check_terminal(const struct addr *a, const char *path, struct err *e)
{
    const struct opt *o = NULL;
    struct stat st;

    for (size_t i = 0; i < a->nopts && !o; i++)
        if (a->opts[i].desc->groups == GROUP_TERMIOS && !a->opts[i].sloppy)
            o = &a->opts[i];
    if (!o)
        return 0;
    if (stat(path, &st) < 0) {
        (void)err_sys(e, "\"%s\", which option \"%s\" takes for a terminal", path,
                      o->desc->name);
    } else if (!S_ISCHR(st.st_mode)) {
        errno = ENOTTY;
        (void)err_sys(e, "\"%s\" is a %s, and option \"%s\" is for terminals", path,
                      file_kind(path), o->desc->name);
    } else {
        return 0;
    }
    return -1;
}

int file_flags(const struct addr *a, int base)
{
    enum ctx able = (enum ctx)a->form->left; /* one way, if that is all it can do */
    enum ctx use = able == CTX_R || able == CTX_W ? able : a->left;
    int access = use == CTX_R ? O_RDONLY : use == CTX_W ? O_WRONLY : O_RDWR;
    return opts_open_flags(a, base | access) | O_CLOEXEC;
}

mode_t file_mode(const struct addr *a, mode_t otherwise)
{
    const struct opt *o = opt_find(a, &opt_perm);
    return o ? (mode_t)o->v.i : otherwise;
}

/* ---- open(2) that may wait for somebody ---- */

struct opening {
    char *path;
    int flags;
    mode_t mode;
    int fd, sys;
};

static void blocking_open(void *arg)
{
    struct opening *o = arg;
    o->fd = open(o->path, o->flags, o->mode);
    o->sys = errno;
}

static void opening_drop(void *arg)
{
    struct opening *o = arg;
    if (o->fd >= 0)
        close(o->fd);
    free(o->path);
    free(o);
}

static int open_patiently(struct run *r, const char *path, int flags, mode_t mode, struct err *e)
{
    struct opening *o = calloc(1, sizeof *o);
    if (!o || !(o->path = strdup(path))) {
        free(o);
        return err_nomem(e);
    }
    o->flags = flags;
    o->mode = mode;
    o->fd = -1;
    if (wait_call(r, blocking_open, opening_drop, o, e) < 0)
        return -1;
    int fd = o->fd, sys = o->sys;
    o->fd = -1;
    opening_drop(o);
    errno = sys;
    return fd < 0 ? -2 : fd;
}

/* Serial lines, not memory devices, the own terminal or pseudo terminals. */
static bool waits_for_carrier(const struct stat *st)
{
    unsigned n = major(st->st_rdev);
    return n != 1 && n != 5 && (n < 136 || n > 143);
}

int file_open(struct run *r, const char *path, int flags, mode_t mode, struct err *e)
{
    struct stat st;
    bool may_wait = stat(path, &st) == 0 && !(flags & O_NONBLOCK) &&
                    ((S_ISFIFO(st.st_mode) && (flags & O_ACCMODE) != O_RDWR) ||
                     (S_ISCHR(st.st_mode) && waits_for_carrier(&st)));
    int fd = may_wait ? open_patiently(r, path, flags, mode, e) : open(path, flags, mode);
    if (fd < 0 && may_wait)
        return -1;
    unsigned shown = (unsigned)flags & ~(unsigned)O_CLOEXEC;
    if (fd < 0) {
        (void)err_sys(e, "cannot open \"%s\"", path);
        if (errno == ENOENT && strchr(path, '|'))
            (void)err_hint(e, "\"|\" is part of the name here: what changes data, as gzip, stands before it, and the file last");
        return err_call(e, "open(\"%s\", 0%o, 0%03o)", path, shown, (unsigned)mode);
    }
    return fd;
}

int file_after(const struct addr *a, struct run *r, const char *path, bool remove_at_close,
               struct err *e)
{
    const struct opt *close_opt = opt_find(a, &opt_unlink_close);
    if (opt_true(a, &opt_unlink_late) && unlink_entry(path, e) < 0)
        return -1;
    if (close_opt ? close_opt->v.i != 0 : remove_at_close)
        return endpoint_remove_at_exit(r, path, e);
    return 0;
}

/* ---- OPEN, CREATE ---- */

static int finish(const struct addr *a, struct run *r, int fd, struct port **out, struct err *e)
{
    if (file_after(a, r, a->params[0], false, e) < 0) {
        close(fd);
        return -1;
    }
    return endpoint_port(a, r, a->left == CTX_W ? -1 : fd, a->left == CTX_R ? -1 : fd, 0,
                         PORT_SHUT_NONE, out, e);
}

static int open_open(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    const char *path = a->params[0];
    (void)state;
    if (file_check_terminal(a, path, e) < 0 || file_before(a, path, e) < 0)
        return -1;
    diag(DIAG_NOTICE, "opening %s \"%s\" for %s", file_kind(path), path, file_purpose(a->left));
    int fd = file_open(r, path, file_flags(a, 0), file_mode(a, 0666), e);
    return fd < 0 ? -1 : finish(a, r, fd, out, e);
}

static int create_open(const struct addr *a, struct run *r, void *state, struct port **out,
                       struct err *e)
{
    const char *path = a->params[0];
    (void)state;
    if (file_before(a, path, e) < 0)
        return -1;
    diag(DIAG_NOTICE, "creating regular file \"%s\" for %s", path, file_purpose(a->left));
    int fd = file_open(r, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode(a, 0666), e);
    return fd < 0 ? -1 : finish(a, r, fd, out, e);
}

/* Nothing is created or emptied for an address that cannot do what it is there for. */
static int check_create(const struct addr *a, struct err *e)
{
    if (a->left != CTX_R)
        return 0;
    return err_at(e, a->at, "is used read-only here, but supports only write-only; to read a file "
                            "use OPEN");
}

static const struct endpoint_ops open_ops = {.open = open_open};
static const struct endpoint_ops create_ops = {.open = create_open};

extern const struct form forms_file[];
const struct form forms_file[] = {
    {.keyword = "OPEN", .aliases = "FILE", .params = ":<filename>", .min_params = 1,
     .max_params = 1, .left = CTX_RWB,
     .groups = GROUP_FD | GROUP_FIFO | GROUP_CHR | GROUP_BLK | GROUP_REG | GROUP_NAMED |
               GROUP_OPEN | GROUP_TERMIOS,
     .help = "a file, device or named pipe, opened with open(2)", .controls = tty_perhaps,
     .kind = FORM_ENDPOINT, .ops.endpoint = &open_ops},
    {.keyword = "CREATE", .aliases = "CREAT", .params = ":<filename>", .min_params = 1,
     .max_params = 1, .left = CTX_W, .groups = GROUP_FD | GROUP_REG | GROUP_NAMED,
     .help = "a file, created or emptied, to write to", .check = check_create,
     .kind = FORM_ENDPOINT, .ops.endpoint = &create_ops},
    {.keyword = NULL},
};
