/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options that act on any descriptor: flags, owner and mode, position and length, locks, ioctls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint/options/apply.h"

int apply_status_flag(const struct opt *o, int fd, struct err *e)
{
    int flags = fcntl(fd, F_GETFL), flag = (int)o->desc->a;
    if (flags < 0)
        return err_sys(e, "fcntl(%d, F_GETFL)", fd);
    flags = o->v.i ? flags | flag : flags & ~flag;
    if (fcntl(fd, F_SETFL, flags) < 0)
        return err_sys(e, "fcntl(%d, F_SETFL, 0%o)", fd, (unsigned)flags);
    return 0;
}

int apply_cloexec(const struct opt *o, int fd, struct err *e)
{
    if (fcntl(fd, F_SETFD, o->v.i ? FD_CLOEXEC : 0) < 0)
        return err_sys(e, "fcntl(%d, F_SETFD)", fd);
    return 0;
}

int apply_pipe_size(const struct opt *o, int fd, struct err *e)
{
    if (fcntl(fd, F_SETPIPE_SZ, (int)o->v.i) < 0)
        return err_sys(e, "fcntl(%d, F_SETPIPE_SZ, %lld)", fd, o->v.i);
    return 0;
}

/* Mode and owner of a pty are those of its slave; fchmod(2) on the master would change /dev/ptmx
 * for everybody. Gives the slave's name, or NULL for other descriptors. */
static const char *slave_of(int fd, char *name, size_t size)
{
    return ptsname_r(fd, name, size) == 0 ? name : NULL;
}

int apply_mode(const struct opt *o, int fd, struct err *e)
{
    char name[64];
    const char *slave = slave_of(fd, name, sizeof name);
    mode_t mode = (mode_t)o->v.i;
    if ((slave ? chmod(slave, mode) : fchmod(fd, mode)) == 0)
        return 0;
    return slave ? err_sys(e, "chmod(\"%s\", 0%o)", slave, (unsigned)mode)
                 : err_sys(e, "fchmod(%d, 0%o)", fd, (unsigned)mode);
}

static int change_owner(int fd, uid_t uid, gid_t gid, struct err *e)
{
    char name[64];
    const char *slave = slave_of(fd, name, sizeof name);
    if ((slave ? chown(slave, uid, gid) : fchown(fd, uid, gid)) == 0)
        return 0;
    return slave ? err_sys(e, "chown(\"%s\", %d, %d)", slave, (int)uid, (int)gid)
                 : err_sys(e, "fchown(%d, %d, %d)", fd, (int)uid, (int)gid);
}

int apply_owner(const struct opt *o, int fd, struct err *e)
{
    return change_owner(fd, (uid_t)o->v.i, (gid_t)-1, e);
}

int apply_group(const struct opt *o, int fd, struct err *e)
{
    return change_owner(fd, (uid_t)-1, (gid_t)o->v.i, e);
}

int apply_seek(const struct opt *o, int fd, struct err *e)
{
    if (lseek(fd, (off_t)o->v.i, (int)o->desc->a) >= 0)
        return 0;
    return err_sys(e, "lseek(%d, %lld)", fd, o->v.i);
}

int apply_truncate(const struct opt *o, int fd, struct err *e)
{
    if (ftruncate(fd, (off_t)o->v.i) == 0)
        return 0;
    return err_sys(e, "ftruncate(%d, %lld)", fd, o->v.i);
}

int apply_fs_flag(const struct opt *o, int fd, struct err *e)
{
    int flags;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return err_sys(e, "ioctl(%d, FS_IOC_GETFLAGS)", fd);
    flags = o->v.i ? flags | (int)o->desc->a : flags & ~(int)o->desc->a;
    if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
        return err_sys(e, "ioctl(%d, FS_IOC_SETFLAGS, 0x%x)", fd, (unsigned)flags);
    return 0;
}

static int try_record_lock(const struct opt *o, int fd)
{
    struct flock lock = {.l_type = (short)o->desc->a, .l_whence = SEEK_SET};
    return fcntl(fd, F_SETLK, &lock);
}

static int try_flock(const struct opt *o, int fd)
{
    return flock(fd, (int)o->desc->a | LOCK_NB);
}

/* No descriptor tells that a lock is free: who waits for one looks again (option_desc.waits). */
static int lock(const struct opt *o, int fd, int (*attempt)(const struct opt *, int),
                struct err *e)
{
    if (o->v.i == 0 || attempt(o, fd) == 0)
        return 0;
    bool taken = errno == EWOULDBLOCK || errno == EACCES || errno == EINTR;
    (void)err_sys(e, "locking fd %d", fd);
    return taken && o->desc->waits ? err_as(e, ERR_BUSY) : -1;
}

int apply_record_lock(const struct opt *o, int fd, struct err *e)
{
    return lock(o, fd, try_record_lock, e);
}

int apply_flock(const struct opt *o, int fd, struct err *e) { return lock(o, fd, try_flock, e); }

static int call_ioctl(int fd, long long request, void *arg, struct err *e)
{
    if (ioctl(fd, (unsigned)request, arg) >= 0)
        return 0;
    return err_sys(e, "ioctl(%d, 0x%x)", fd, (unsigned)request);
}

int apply_ioctl_void(const struct opt *o, int fd, struct err *e)
{
    return call_ioctl(fd, o->v.i, NULL, e);
}

int apply_ioctl_int(const struct opt *o, int fd, struct err *e)
{
    if (ioctl(fd, (unsigned)o->v.i, (long)o->v.i2) >= 0)
        return 0;
    return err_sys(e, "ioctl(%d, 0x%x, %lld)", fd, (unsigned)o->v.i, o->v.i2);
}

/* Only the request knows how much is read or written behind the pointer: as much as a request
 * number can tell is there. */
static int ioctl_data(const struct opt *o, int fd, const void *data, size_t n, struct err *e)
{
    enum { MOST = 1 << _IOC_SIZEBITS };
    char *copy = calloc(1, n > MOST ? n : MOST);
    if (!copy)
        return err_nomem(e);
    memcpy(copy, data, n);
    int rc = call_ioctl(fd, o->v.i, copy, e);
    free(copy);
    return rc;
}

int apply_ioctl_intp(const struct opt *o, int fd, struct err *e)
{
    int value = (int)o->v.i2;
    return ioctl_data(o, fd, &value, sizeof value, e);
}

int apply_ioctl_bin(const struct opt *o, int fd, struct err *e)
{
    return ioctl_data(o, fd, o->v.bin, o->v.nbin, e);
}

int apply_ioctl_string(const struct opt *o, int fd, struct err *e)
{
    return ioctl_data(o, fd, o->v.s, strlen(o->v.s) + 1, e);
}

int apply_ioctl_fixed(const struct opt *o, int fd, struct err *e)
{
    int value = (int)o->v.i;
    return call_ioctl(fd, o->desc->a, &value, e);
}

int apply_window_size(const struct opt *o, int fd, struct err *e)
{
    struct winsize size = {.ws_col = (unsigned short)o->v.i, .ws_row = (unsigned short)o->v.i2};
    if (o->v.i < 0 || o->v.i > 65535 || o->v.i2 < 0 || o->v.i2 > 65535)
        return err_set(e, ERR_BAD_VALUE, "%lldx%lld is out of range: 0..65535", o->v.i, o->v.i2);
    return call_ioctl(fd, TIOCSWINSZ, &size, e);
}

int apply_controlling_tty(const struct opt *o, int fd, struct err *e)
{
    if (o->v.i == 0 || ioctl(fd, TIOCSCTTY, 0) == 0)
        return 0;
    return err_sys(e, "ioctl(%d, TIOCSCTTY)", fd);
}
