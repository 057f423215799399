/* SPDX-License-Identifier: GPL-2.0-or-later
 * Descriptors that came with the process: STDIO, STDIN, STDOUT, STDERR, FD. They stay the process's
 * own: never closed, never shut down, their mode untouched (unless they are sockets: then EOF is
 * passed on, since that is what inetd's programs do). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint/options/apply.h"
#include "catena/diag.h"
#include "catena/endpoint.h"
#include "endpoint/file/file.h"
#include "endpoint/terminal/tty_port.h"

static enum port_shut shut_of(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? PORT_SHUT_DOWN : PORT_SHUT_NONE;
}

/* What is closed when a program starts was not open when this one did: it is our own, unless an
 * option, of an earlier connection, has made it so. */
static bool is_ours(const struct addr *a, int fd)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (a->opts[i].desc->apply == apply_cloexec)
            return false;
    return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static int check_open(const struct addr *a, int fd, struct err *e)
{
    int flags = fcntl(fd, F_GETFL);
    /* O_PATH: main() put it there because it was closed */
    if (flags >= 0 && (flags & O_PATH || is_ours(a, fd))) {
        flags = -1;
        errno = EBADF;
    }
    if (flags < 0)
        return err_sys(e, "file descriptor %d", fd);
    return 0;
}

static int borrow(const struct addr *a, struct run *r, int in, int out, struct port **p,
                  struct err *e)
{
    int rfd = a->left == CTX_W ? -1 : in, wfd = a->left == CTX_R ? -1 : out;
    if ((rfd >= 0 && check_open(a, rfd, e) < 0) || (wfd >= 0 && check_open(a, wfd, e) < 0))
        return -1;
    return endpoint_port(a, r, rfd, wfd, PORT_BORROWED, shut_of(wfd), p, e);
}

static int stdio_open(const struct addr *a, struct run *r, void *state, struct port **p,
                      struct err *e)
{
    (void)state;
    if (a->left == CTX_B)
        diag(DIAG_NOTICE, "reading from and writing to stdio");
    else
        diag(DIAG_NOTICE, "using %s for %s", a->left == CTX_R ? "stdin" : "stdout",
             file_purpose(a->left));
    return borrow(a, r, STDIN_FILENO, STDOUT_FILENO, p, e);
}

struct standard {
    int fd;
    const char *name;
};

static int standard_open(const struct addr *a, struct run *r, void *state, struct port **p,
                         struct err *e)
{
    const struct standard *s = a->form->arg;
    (void)state;
    diag(DIAG_NOTICE, "using %s for %s", s->name, file_purpose(a->left));
    return borrow(a, r, s->fd, s->fd, p, e);
}

static int number(const char *text, int *fd, struct err *e)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 0);
    if (end == text || *end != '\0' || errno || n < 0 || n > 1048576)
        return err_set(e, ERR_BAD_VALUE, "\"%s\" is not a file descriptor: a number from 0 is expected",
                       text);
    *fd = (int)n;
    return 0;
}

static int check_numbers(const struct addr *a, struct err *e)
{
    int fd;
    for (size_t i = 0; i < a->nparams; i++) {
        if (number(a->params[i], &fd, e) < 0) {
            e->where = a->param_at[i];
            return -1;
        }
    }
    return 0;
}

/* A descriptor that goes only one way is used only this way where both would do. */
static void keep_possible(const struct addr *a, int *in, int *out)
{
    int mode = fcntl(*in, F_GETFL);

    if (a->left != CTX_B || *in != *out || mode < 0)
        return;
    if ((mode & O_ACCMODE) == O_WRONLY)
        *in = -1;
    else if ((mode & O_ACCMODE) == O_RDONLY)
        *out = -1;
}

/* fd:<n>, or v2's fd:<out>:<in> */
static int fd_open(const struct addr *a, struct run *r, void *state, struct port **p,
                   struct err *e)
{
    int out, in;
    (void)state;
    if (number(a->params[0], &out, e) < 0 ||
        number(a->params[a->nparams > 1 ? 1 : 0], &in, e) < 0)
        return -1;
    keep_possible(a, &in, &out);
    enum ctx use = in < 0 ? CTX_W : out < 0 ? CTX_R : a->left;
    diag(DIAG_NOTICE, "using file descriptor %d for %s", use == CTX_W ? out : in, file_purpose(use));
    return borrow(a, r, in, out, p, e);
}

static const struct endpoint_ops stdio_ops = {.open = stdio_open};
static const struct endpoint_ops standard_ops = {.open = standard_open};
static const struct endpoint_ops fd_ops = {.open = fd_open};
static const struct standard standard_in = {STDIN_FILENO, "stdin"};
static const struct standard standard_out = {STDOUT_FILENO, "stdout"};
static const struct standard standard_err = {STDERR_FILENO, "stderr"};

#define GROUPS                                                                                     \
    (GROUP_FD | GROUP_FIFO | GROUP_CHR | GROUP_BLK | GROUP_REG | GROUP_SOCKET | GROUP_TERMIOS |    \
     GROUP_UNIX | GROUP_IP4 | GROUP_IP6 | GROUP_UDP | GROUP_TCP | GROUP_SCTP | GROUP_DCCP |        \
     GROUP_UDPLITE)

extern const struct form forms_stdio[];
const struct form forms_stdio[] = {
    {.keyword = "STDIO", .aliases = "-", .left = CTX_RWB, .groups = GROUPS,
     .help = "standard input and standard output",
     .controls = tty_perhaps, .kind = FORM_ENDPOINT, .records = RECORDS_EITHER,
     .ops.endpoint = &stdio_ops},
    {.keyword = "STDIN", .left = CTX_R, .groups = GROUPS, .help = "standard input",
     .controls = tty_perhaps, .kind = FORM_ENDPOINT, .records = RECORDS_EITHER,
     .ops.endpoint = &standard_ops, .arg = &standard_in},
    {.keyword = "STDOUT", .left = CTX_W, .groups = GROUPS, .help = "standard output",
     .controls = tty_perhaps, .kind = FORM_ENDPOINT, .records = RECORDS_EITHER,
     .ops.endpoint = &standard_ops, .arg = &standard_out},
    {.keyword = "STDERR", .left = CTX_W, .groups = GROUPS, .help = "standard error",
     .controls = tty_perhaps, .kind = FORM_ENDPOINT, .records = RECORDS_EITHER,
     .ops.endpoint = &standard_ops, .arg = &standard_err},
    {.keyword = "FD", .params = ":<fdnum>", .min_params = 1, .max_params = 1, .left = CTX_RWB,
     .groups = GROUPS, .help = "a file descriptor the program was started with",
     .check = check_numbers, .controls = tty_perhaps, .kind = FORM_ENDPOINT, .records = RECORDS_EITHER,
     .ops.endpoint = &fd_ops},
    {.keyword = "FD", .params = ":<numout>:<numin>", .min_params = 2, .max_params = 2,
     .left = CTX_B, .groups = GROUPS, .help = "one descriptor to write to, one to read from",
     .check = check_numbers, .controls = tty_perhaps, .kind = FORM_ENDPOINT, .records = RECORDS_EITHER,
     .ops.endpoint = &fd_ops},
    {.keyword = NULL},
};
