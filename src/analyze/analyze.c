/* SPDX-License-Identifier: GPL-2.0-or-later
 * The long form: the columns of stat(2) and of the descriptor, then what its type has to say. */
#include "analyze/analyze.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "catena/diag.h"

enum { PATH_ROOM = 4096 };

const char *analyze_type(mode_t mode)
{
    static const struct {
        mode_t format;
        const char *name;
    } types[] = {
        {S_IFREG, "file"},  {S_IFDIR, "dir"},     {S_IFSOCK, "socket"}, {S_IFLNK, "symlink"},
        {S_IFIFO, "pipe"},  {S_IFCHR, "chrdev"},  {S_IFBLK, "blkdev"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if ((mode & S_IFMT) == types[i].format)
            return types[i].name;
    return "undef";
}

void analyze_name(FILE *f, const char *name)
{
    for (const unsigned char *s = (const unsigned char *)name; *s; s++) {
        if (diag_byte_acts(*s))
            fprintf(f, "\\x%02x", *s);
        else
            putc(*s, f);
    }
}

/* --- columns ---------------------------------------------------------------------------------- */

void analyze_header(FILE *f, bool raw)
{
    const char *gap = raw ? "\t\t" : "\t\t\t\t"; /* as wide as what stands below */
    fprintf(f, "  FD  type\tdevice\tinode\tmode\tlinks\tuid\tgid\trdev\tsize\tblksize\tblocks\t"
               "atime%smtime%sctime%scloexec\tflags\tsigown\tsigio\n", gap, gap, gap);
}

static void put_device(FILE *f, dev_t device, bool raw)
{
    if (raw)
        fprintf(f, "\t%ju", (uintmax_t)device);
    else
        fprintf(f, "\t%u,%u", major(device), minor(device));
}

static void put_time(FILE *f, time_t when, bool raw)
{
    char text[64];
    struct tm tm;
    if (!raw && localtime_r(&when, &tm) && strftime(text, sizeof text, "%a %b %e %T %Y", &tm) > 0)
        fprintf(f, "\t%s", text);
    else
        fprintf(f, "\t%jd", (intmax_t)when);
}

static void put_columns(FILE *f, int fd, const struct stat *st, bool raw)
{
    fprintf(f, "%4d: %s", fd, analyze_type(st->st_mode));
    put_device(f, st->st_dev, raw);
    fprintf(f, "\t%ju\t0%03o\t%ju\t%u\t%u", (uintmax_t)st->st_ino, st->st_mode,
            (uintmax_t)st->st_nlink, st->st_uid, st->st_gid);
    put_device(f, st->st_rdev, raw);
    fprintf(f, "\t%jd\t%jd\t%jd", (intmax_t)st->st_size, (intmax_t)st->st_blksize,
            (intmax_t)st->st_blocks);
    put_time(f, st->st_atime, raw);
    put_time(f, st->st_mtime, raw);
    put_time(f, st->st_ctime, raw);
}

/* --- what only some descriptors have ---------------------------------------------------------- */

/* A line "lock:\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF" of fdinfo, as one item. */
static void put_own_lock(FILE *f, char *line)
{
    enum { KIND = 2, MUST, MODE, PID, INODE, START, END, FIELDS };
    char *field[FIELDS], *save = NULL;
    int n = 0;
    for (char *p = strtok_r(line, " \t\n", &save); p && n < FIELDS;
         p = strtok_r(NULL, " \t\n", &save))
        field[n++] = p;
    if (n == FIELDS)
        fprintf(f, "\tLOCK={%s,%s,%s,%s,%s,%s}", field[KIND], field[MUST], field[MODE], field[PID],
                field[START], field[END]);
}

static void put_locks(FILE *f, int fd)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *info = fopen(path, "re");
    if (info) {
        while (fgets(line, sizeof line, info))
            if (strncmp(line, "lock:", 5) == 0)
                put_own_lock(f, line);
        fclose(info);
    }
    struct flock foreign = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &foreign) == 0 && foreign.l_type != F_UNLCK)
        fprintf(f, "\tF_GETLK={%s,%d,%jd,%jd}", foreign.l_type == F_RDLCK ? "READ" : "WRITE",
                foreign.l_pid, (intmax_t)foreign.l_start, (intmax_t)foreign.l_len);
}

static void put_file(FILE *f, int fd)
{
    off_t offset = lseek(fd, 0, SEEK_CUR);
    if (offset >= 0)
        fprintf(f, "\tOFFSET=%jd", (intmax_t)offset);
    put_locks(f, fd);
}

static void put_pipe(FILE *f, int fd)
{
    int room = fcntl(fd, F_GETPIPE_SZ);
    if (room >= 0)
        fprintf(f, "\tF_GETPIPE_SZ=%d", room);
}

static void put_readable(FILE *f, int fd, mode_t mode)
{
    int waiting;
    if (ioctl(fd, FIONREAD, &waiting) == 0)
        fprintf(f, "; FIONREAD=%d", waiting);
    if (!S_ISSOCK(mode))
        return;
    char byte;
    struct iovec one = {&byte, 1};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
    ssize_t n = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT);
    if (n >= 0)
        fprintf(f, "; recvmsg=%zd", n);
}

static void put_poll(FILE *f, int fd, mode_t mode)
{
    static const struct {
        short event;
        const char *name;
    } events[] = {{POLLIN, "IN"},     {POLLPRI, "PRI"}, {POLLOUT, "OUT"}, {POLLERR, "ERR"},
                  {POLLNVAL, "NVAL"}, {POLLHUP, "HUP"}, {POLLRDHUP, "RDHUP"}};
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP};
    if (poll(&p, 1, 0) < 0)
        return;
    fputs("\tpoll: ", f);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (p.revents & events[i].event)
            fprintf(f, "%s,", events[i].name);
    if (p.revents & POLLIN)
        put_readable(f, fd, mode);
}

/* --- the line --------------------------------------------------------------------------------- */

static void put_items(FILE *f, int fd, mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFSOCK: analyze_socket(f, fd); break;
    case S_IFIFO: put_pipe(f, fd); break;
    case S_IFREG: put_file(f, fd); break;
    default: break;
    }
    if (S_ISCHR(mode))
        analyze_terminal(f, fd);
}

bool analyze_fd(FILE *f, int fd, bool raw)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    put_columns(f, fd, &st, raw);
    fprintf(f, "\t%d\tx%06x\t%d\t%d", fcntl(fd, F_GETFD) & FD_CLOEXEC,
            (unsigned)fcntl(fd, F_GETFL), fcntl(fd, F_GETOWN), fcntl(fd, F_GETSIG));
    put_items(f, fd, st.st_mode);
    put_poll(f, fd, st.st_mode);
    putc('\n', f);
    if (S_ISCHR(st.st_mode))
        analyze_window(f, fd);
    return true;
}

static void put_link_target(FILE *f, const char *path)
{
    char target[PATH_ROOM];
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return;
    target[n] = '\0';
    fputs("LINKTARGET=", f);
    analyze_name(f, target);
}

/* A terminal that can be opened without anybody noticing: no modem line moves, nothing rewinds. */
static int open_terminal(const char *path, const struct stat *st)
{
    unsigned type = major(st->st_rdev), number = minor(st->st_rdev);
    bool quiet = (type >= 136 && type <= 143) || (type == 4 && number < 64) ||
                 (type == 5 && number == 0);
    if (!S_ISCHR(st->st_mode) || !quiet)
        return -1;
    return open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

static int stat_path(const char *path, bool follow, struct stat *st, struct err *e)
{
    int rc = follow ? stat(path, st) : lstat(path, st);
    return rc < 0 ? err_sys(e, "stat(\"%s\")", path) : 0;
}

int analyze_path(FILE *f, const char *path, bool follow, bool raw, struct err *e)
{
    struct stat st;
    if (stat_path(path, follow, &st, e) < 0)
        return -1;
    put_columns(f, -1, &st, raw);
    fputs("\t\t\t\t", f); /* what only descriptors have */
    if (S_ISLNK(st.st_mode))
        put_link_target(f, path);
    int terminal = open_terminal(path, &st);
    if (terminal >= 0)
        analyze_terminal(f, terminal);
    putc('\n', f);
    if (terminal >= 0) {
        analyze_window(f, terminal);
        close(terminal);
    }
    return 0;
}

int analyze_path_brief(FILE *f, const char *path, bool follow, struct err *e)
{
    struct stat st;
    if (stat_path(path, follow, &st, e) < 0)
        return -1;
    fprintf(f, "%s ", analyze_type(st.st_mode));
    analyze_name(f, path);
    putc('\n', f);
    return 0;
}
