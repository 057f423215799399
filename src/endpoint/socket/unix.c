/* SPDX-License-Identifier: GPL-2.0-or-later
 * UNIX domain sockets, in the file system and abstract. A bound socket in the file system is an
 * entry that others see: it gets its mode and owner before anybody can connect, and it is removed
 * at the end unless unlink-close=0 says otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/options.h"
#include "endpoint/options/opts_fd.h"
#include "endpoint/options/opts_file.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/options/opts_unix.h"
#include "endpoint/socket/sock.h"
#include "endpoint/socket/unix.h"

enum { TEMPNAME_TRIES = 100 };
static const char tempname_default[] = "/tmp/fileXXXXXX";

/* Kinds to be tried in turn, ended by one of family 0. A datagram socket has no half close. */
#define STREAM                                                                                     \
    .family = AF_UNIX, .type = SOCK_STREAM, .flags = PORT_SHUT_BOTH, .shut = PORT_SHUT_DOWN
#define SEQPACKET                                                                                  \
    .family = AF_UNIX, .type = SOCK_SEQPACKET, .flags = PORT_SHUT_BOTH | PORT_MSG,                 \
    .shut = PORT_SHUT_DOWN
#define DGRAM .family = AF_UNIX, .type = SOCK_DGRAM, .flags = PORT_MSG, .shut = PORT_SHUT_NONE

static const struct sock_kind stream[] = {{STREAM}, {.family = 0}};
static const struct sock_kind client[] = {{STREAM}, {SEQPACKET}, {DGRAM}, {.family = 0}};
static const struct sock_kind abstract_stream[] = {{STREAM, .abstract = true}, {.family = 0}};
static const struct sock_kind abstract_client[] = {
    {STREAM, .abstract = true},
    {SEQPACKET, .abstract = true},
    {DGRAM, .abstract = true},
    {.family = 0},
};

int unix_name(const struct addr *a, const struct sock_kind *kind, const char *path,
              struct sockname *out, struct err *e)
{
    return sockname_unix(out, path, kind->abstract, opt_int(a, &opt_tightsocklen, 1) != 0, e);
}

static const char *tempname_of(const struct opt *o)
{
    return o->v.s && o->v.s[0] != '\0' ? o->v.s : tempname_default;
}

static int check_name(const struct addr *a, const char *path, struct span at, struct err *e)
{
    struct sockname name;

    if (unix_name(a, a->form->arg, path, &name, e) == 0)
        return 0;
    e->where = at;
    return -1;
}

/* unix-bind-tempname= */
static int check_tempname(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_bind_tempname);

    if (!o)
        return 0;
    if (opt_find(a, &opt_bind))
        return err_at(e, o->at, "options bind and unix-bind-tempname exclude each other");
    if (!strstr(tempname_of(o), "XXXXXX"))
        return err_at(e, o->at, "path pattern is not valid: \"%.200s\" holds no XXXXXX", o->v.s);
    return 0;
}

/* What is said of an entry is said of one that is made here; the target's is not ours. */
static int check_entry(const struct addr *a, struct err *e)
{
    static const struct option_desc *const rows[] = {
        &opt_perm, &opt_perm_early, &opt_user, &opt_user_early, &opt_group, &opt_group_early,
        &opt_unlink, &opt_unlink_early, &opt_unlink_late,
    };

    if (opt_find(a, &opt_bind) || opt_find(a, &opt_bind_tempname))
        return 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct opt *o = opt_find(a, rows[i]);

        if (o && !o->sloppy)
            return err_at(e, o->at, "option \"%s\" only with bind option: it is about the entry of "
                                    "the socket made here, which has none", o->desc->name);
    }
    return 0;
}

int unix_check_client(const struct addr *a, struct err *e)
{
    const struct opt *bind_to = opt_find(a, &opt_bind);

    if (check_tempname(a, e) < 0 || check_entry(a, e) < 0)
        return -1;
    if (bind_to && check_name(a, bind_to->v.s, bind_to->at, e) < 0)
        return -1;
    return check_name(a, a->params[0], a->param_at[0], e);
}

int unix_check_bound(const struct addr *a, struct err *e)
{
    const struct opt *bind_to = opt_find(a, &opt_bind);

    if (bind_to)
        return err_at(e, bind_to->at,
                      "option bind is for clients; a socket that waits is bound to its parameter");
    return check_name(a, a->params[0], a->param_at[0], e);
}

/* unlink-early and unlink: what is in the way goes first. Otherwise it is an error. */
static int make_way(const struct addr *a, const char *path, struct err *e)
{
    struct stat st;

    if ((opt_true(a, &opt_unlink_early) || opt_true(a, &opt_unlink)) && unlink(path) < 0 &&
        errno != ENOENT) {
        (void)err_sys(e, "cannot remove \"%.200s\"", path);
        return err_call(e, "unlink(\"%.200s\")", path);
    }
    if (lstat(path, &st) < 0)
        return 0;
    err_set(e, ERR_BUSY, "\"%.200s\" exists (option unlink-early removes it)", path);
    e->sys = EEXIST;
    return -1;
}

static int set_owner(const struct addr *a, const char *path, const struct option_desc *user,
                     const struct option_desc *group, struct err *e)
{
    const struct opt *u = opt_find(a, user), *g = opt_find(a, group);
    uid_t uid = !u ? (uid_t)-1 : u->v.ids != NULL ? u->v.ids->uid : (uid_t)u->v.i;
    gid_t gid = !g ? (gid_t)-1 : (gid_t)g->v.i;

    if ((u || g) && lchown(path, uid, gid) < 0) {
        (void)err_sys(e, "cannot give \"%.200s\" to user %d, group %d", path, (int)uid, (int)gid);
        return err_call(e, "chown(\"%.200s\", %d, %d)", path, (int)uid, (int)gid);
    }
    return 0;
}

/* Where others may write, a link may have taken the entry's place: chmod(2) would follow it. */
static int chmod_socket(const char *path, mode_t mode)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), rc = -1, sys;
    char self[40];
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0) {
        errno = EEXIST; /* somebody else's */
        snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
        rc = !S_ISSOCK(st.st_mode) ? -1 : (st.st_mode & 07777) == mode ? 0 : chmod(self, mode);
        if (rc < 0 && errno == ENOENT) /* behind chroot-early: no other way */
            rc = chmod(path, mode);
    }
    sys = errno;
    close(fd);
    errno = sys;
    return rc;
}

static int set_mode(const struct addr *a, const char *path, const struct option_desc *row,
                    struct err *e)
{
    const struct opt *o = opt_find(a, row);

    if (o && chmod_socket(path, (mode_t)o->v.i) < 0) {
        (void)err_sys(e, "cannot set the mode of \"%.200s\"", path);
        return err_call(e, "chmod(\"%.200s\", 0%03llo)", path, (unsigned long long)o->v.i);
    }
    return 0;
}

static int set_attributes(const struct addr *a, const char *path, struct err *e)
{
    if (set_owner(a, path, &opt_user_early, &opt_group_early, e) < 0 ||
        set_mode(a, path, &opt_perm_early, e) < 0 ||
        set_owner(a, path, &opt_user, &opt_group, e) < 0)
        return -1;
    return set_mode(a, path, &opt_perm, e);
}

/* The entry gets the mode of the socket, less what umask forbids: so it never permits more than it
 * is to permit in the end. */
static void set_mode_before(const struct addr *a, int fd)
{
    const struct opt *o = opt_find(a, &opt_perm);

    if (!o)
        o = opt_find(a, &opt_perm_early);
    if (o)
        (void)fchmod(fd, (mode_t)o->v.i);
}

int unix_bind(const struct addr *a, const struct sock_kind *kind, int fd, const char *path,
              struct err *e)
{
    struct sockname name;

    if (unix_name(a, kind, path, &name, e) < 0)
        return -1;
    if (kind->abstract)
        return sock_bind(a, fd, &name, e);
    set_mode_before(a, fd);
    if (make_way(a, path, e) < 0 || sock_bind(a, fd, &name, e) < 0)
        return -1;
    if (set_attributes(a, path, e) < 0) {
        unlink(path);
        return -1;
    }
    return 0;
}

int unix_keep(const struct addr *a, struct run *r, const struct sock_kind *kind,
              const char *path, struct err *e)
{
    const struct opt *unlink_close = opt_find(a, &opt_unlink_close);

    if (!path && opt_true(a, &opt_unlink_close)) /* a client's: by order, the target goes */
        path = a->params[0];
    if (kind->abstract || !path)
        return 0;
    if (opt_true(a, &opt_unlink_late)) {
        if (unlink(path) < 0) {
            (void)err_sys(e, "cannot remove \"%.200s\"", path);
            return err_call(e, "unlink(\"%.200s\")", path);
        }
        return 0;
    }
    if (unlink_close && unlink_close->v.i == 0)
        return 0;
    return endpoint_remove_at_exit(r, path, e);
}

/* A fresh name: the last XXXXXX of the pattern becomes something random. */
static int make_tempname(const struct opt *o, char **out, struct err *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    unsigned char bytes[6];
    char *name = strdup(tempname_of(o)), *at = NULL;

    if (!name)
        return err_nomem(e);
    *out = name;
    for (char *p = name; (p = strstr(p, "XXXXXX")) != NULL; p++)
        at = p;
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_sys(e, "getrandom()");
    for (size_t i = 0; i < sizeof bytes; i++)
        at[i] = letters[bytes[i] % (sizeof letters - 1)];
    return 0;
}

static int bind_tempname(const struct addr *a, const struct sock_kind *kind, int fd, char **path,
                         struct err *e)
{
    for (int i = 0;; i++) {
        char *name = NULL;
        int rc = make_tempname(opt_find(a, &opt_bind_tempname), &name, e);
        bool again = false;

        if (rc == 0) {
            rc = unix_bind(a, kind, fd, name, e);
            again = rc < 0 && (e->sys == EEXIST || e->sys == EADDRINUSE);
        }
        if (rc == 0) {
            *path = name;
            return 0;
        }
        free(name);
        if (!again || i == TEMPNAME_TRIES)
            return -1;
    }
}

int unix_bind_client(const struct addr *a, const struct sock_kind *kind, int fd, char **path,
                     struct err *e)
{
    const char *bind_to = opt_string(a, &opt_bind, NULL);

    *path = NULL;
    if (a->nopts == 0)
        return 0;
    if (check_tempname(a, e) < 0 || check_entry(a, e) < 0) /* GOPEN has no other check */
        return -1;
    if (opt_find(a, &opt_bind_tempname))
        return bind_tempname(a, kind, fd, path, e);
    if (!bind_to)
        return 0;
    if (unix_bind(a, kind, fd, bind_to, e) < 0)
        return -1;
    *path = strdup(bind_to);
    return *path ? 0 : err_nomem(e);
}

/* One attempt with one type of socket. Whatever binding left behind is gone if it fails. */
static int connect_as(const struct addr *a, struct run *r, const struct sock_kind *kind,
                      const struct sockname *to, struct port **out, struct err *e)
{
    char *path = NULL;
    int fd = sock_open_to_connect(a, r, kind, AF_UNIX, e), rc = -1;

    if (fd < 0)
        return -1;
    if (unix_bind_client(a, kind, fd, &path, e) == 0 && sock_connect(a, r, fd, to, e) == 0)
        rc = unix_keep(a, r, kind, path, e);
    if (rc == 0) {
        rc = sock_connected(a, r, kind, fd, out, e);
    } else {
        if (path && !kind->abstract)
            unlink(path);
        close(fd);
    }
    free(path);
    return rc;
}

/* An abstract name belongs to one type of socket; for the others there is nobody. */
static bool of_other_type(const struct sock_kind *kind, int sys)
{
    return sys == EPROTOTYPE || (kind->abstract && sys == ECONNREFUSED);
}

/* Tries the kinds in turn: a client takes what the target turns out to be. */
static int connect_kinds(const struct addr *a, struct run *r, const struct sock_kind *kind,
                         struct port **out, struct err *e)
{
    struct sockname to;
    char text[SOCKNAME_TEXT];

    if (unix_name(a, kind, a->params[0], &to, e) < 0)
        return -1;
    if (diag_shows(DIAG_NOTICE))
        diag(DIAG_NOTICE, "opening connection to %s", sockname_text(&to, text));
    while (connect_as(a, r, kind, &to, out, e) < 0) {
        if (!of_other_type(kind, e->sys) || kind[1].family == 0 ||
            opt_find(a, &opt_so_type) != NULL)
            return -1;
        diag_err(DIAG_INFO, e);
        kind++;
    }
    return 0;
}

static int unix_connect(const struct addr *a, struct run *r, void *state, struct port **out,
                        struct err *e)
{
    (void)state;
    return connect_kinds(a, r, a->form->arg, out, e);
}

int unix_client_open(const struct addr *a, struct run *r, struct port **out, struct err *e)
{
    return connect_kinds(a, r, client, out, e);
}

static int unix_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    const struct sock_kind *kind = a->form->arg;
    const char *path = a->params[0];
    struct access access;
    int fd;

    if (access_init(a, r, AF_UNIX, &access, e) < 0)
        return -1;
    fd = sock_open(a, r, kind, AF_UNIX, true, e);
    if (fd < 0)
        return -1;
    if (unix_bind(a, kind, fd, path, e) < 0) {
        close(fd);
        return -1;
    }
    if (sock_listen(a, kind, fd, &access, state, e) < 0) {
        if (!kind->abstract)
            unlink(path);
        return -1;
    }
    if (unix_keep(a, r, kind, path, e) < 0) {
        sock_unlisten(a, *state, false);
        return -1;
    }
    return 0;
}

static const struct endpoint_ops connect_ops = {.open = unix_connect};
static const struct endpoint_ops listen_ops = {
    .listen = unix_listen,
    .open = sock_accept,
    .unlisten = sock_unlisten,
    .waits_at = sock_waits_at,
};

#define CLIENT_GROUPS (GROUP_FD | GROUP_SOCKET | GROUP_RETRY | GROUP_UNIX)
#define LISTEN_GROUPS (CLIENT_GROUPS | GROUP_LISTEN | GROUP_CHILD)
#define FORM(name, groups_, ops_, arg_, ...)                                                       \
    {.keyword = name, .groups = (groups_), .ops.endpoint = &(ops_), .arg = (arg_),                 \
     .params = ":<filename>", .min_params = 1, .max_params = 1, .left = CTX_RWB,                   \
     .right = RIGHT_NONE, .gives = GIVES_PROCESS, .kind = FORM_ENDPOINT, .help = __VA_ARGS__}
#define CLIENT(...) FORM(__VA_ARGS__, .check = unix_check_client, .role = ROLE_CLIENT)
#define LISTENER(...)                                                                              \
    FORM(__VA_ARGS__, .check = unix_check_bound, .role = ROLE_SERVER, .admits = unix_admits)

static enum admits unix_admits(const struct addr *a)
{
    (void)a;
    return ADMITS_THIS_HOST;
}

extern const struct form forms_unix[];
const struct form forms_unix[] = {
    CLIENT("UNIX-CONNECT", CLIENT_GROUPS | GROUP_NAMED, connect_ops, stream,
           "connects to a UNIX domain stream socket", .aliases = "LOCAL"),
    CLIENT("UNIX-CLIENT", CLIENT_GROUPS | GROUP_NAMED, connect_ops, client,
           "connects to a UNIX domain socket of whatever type it is", .aliases = "UNIX",
           .records = RECORDS_EITHER),
    LISTENER("UNIX-LISTEN", LISTEN_GROUPS | GROUP_NAMED, listen_ops, stream,
             "accepts a connection on a UNIX domain socket", .aliases = "UNIX-L"),
    CLIENT("ABSTRACT-CONNECT", CLIENT_GROUPS, connect_ops, abstract_stream,
           "connects to an abstract UNIX domain stream socket"),
    CLIENT("ABSTRACT-CLIENT", CLIENT_GROUPS, connect_ops, abstract_client,
           "connects to an abstract UNIX domain socket of whatever type it is",
           .aliases = "ABSTRACT", .records = RECORDS_EITHER),
    LISTENER("ABSTRACT-LISTEN", LISTEN_GROUPS, listen_ops, abstract_stream,
             "accepts a connection on an abstract UNIX domain socket"),
    {.keyword = NULL},
};
