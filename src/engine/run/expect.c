/* SPDX-License-Identifier: GPL-2.0-or-later
 * How much will come from the ends of a line, where that can be known: see catena/run.h. */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/plan.h"
#include "catena/run.h"

static uint64_t size_of(int fd)
{
    struct stat st;
    uint64_t n = 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return 0;
    if (S_ISREG(st.st_mode) && st.st_size > 0)
        n = (uint64_t)st.st_size;
    else if (!S_ISBLK(st.st_mode) || ioctl(fd, BLKGETSIZE64, &n) < 0)
        return 0;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at > 0 ? n - ((uint64_t)at < n ? (uint64_t)at : n) : n;
}

void run_measure(struct run *r, int side, int fd)
{
    uint64_t n = size_of(fd), most = r->plan ? r->plan->eol[side].readbytes : 0;
    atomic_store(&r->expects[side], most > 0 && (n == 0 || most < n) ? most : n);
}

uint64_t run_expects(struct run *r, int source)
{
    return atomic_load(&r->expects[source]);
}
