/* SPDX-License-Identifier: GPL-2.0-or-later
 * Lock files: see lock.h. */
#include "engine/run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/wait.h"

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno != EINTR)
            return -1;
        if (w > 0) {
            p += w;
            n -= (size_t)w;
        }
    }
    return 0;
}

static int try_lock(const char *path, struct err *e)
{
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST)
        return 0;
    if (fd < 0)
        return err_sys(e, "lock file \"%s\"", path);
    int rc = write_all(fd, pid, (size_t)n);
    if (rc < 0) {
        (void)err_sys(e, "lock file \"%s\": write()", path);
        (void)unlink(path);
    }
    close(fd);
    return rc < 0 ? -1 : 1;
}

/* A retry, or the next connection, meets the lock its own run has taken before. */
static bool is_ours(struct run *r, const char *path)
{
    char *whole = realpath(path, NULL);
    bool ours = false;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; whole && i < r->nremovals && !ours; i++)
        ours = strcmp(r->removals[i].what, whole) == 0 || strcmp(r->removals[i].what, path) == 0;
    pthread_mutex_unlock(&r->lock);
    free(whole);
    return ours;
}

int lock_take(struct run *r, const char *path, bool wait, struct err *e)
{
    if (is_ours(r, path))
        return 0;
    for (bool told = false;; told = true) {
        int rc = try_lock(path, e);
        if (rc < 0)
            return -1;
        if (rc > 0)
            return endpoint_remove_at_exit(r, path, e);
        if (!wait)
            return err_set(e, ERR_BUSY, "could not obtain lock \"%s\": it exists", path);
        if (!told)
            diag(DIAG_NOTICE, "waiting for lock \"%s\"", path);
        if (wait_seconds(r, 1, e) < 0)
            return -1;
    }
}
