/* SPDX-License-Identifier: GPL-2.0-or-later
 * Small files of text: see catena/file_text.h. */
#include "catena/file_text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/wait.h"

static int failed(const char *what, const char *path, struct err *e)
{
    (void)err_sys(e, "%s \"%s\"", what, path);
    return err_as(e, ERR_OTHER); /* does not mend itself */
}

static int read_all(int fd, const char *what, const char *path, size_t most, struct run *r, char *to, size_t *n,
                    struct err *e)
{
    for (*n = 0; *n <= most;) {
        if (r && wait_fd(r, fd, POLLIN, -1, e) < 0)
            return -1;
        ssize_t k = read(fd, to + *n, most + 1 - *n);
        if (k < 0 && errno != EAGAIN && errno != EINTR)
            return failed(what, path, e);
        if (k == 0)
            return 0;
        *n += k > 0 ? (size_t)k : 0;
    }
    return err_set(e, ERR_OTHER, "%s \"%s\" has more than %zu bytes", what, path, most);
}

int file_text(const char *what, const char *path, size_t most, struct run *r, char **text, size_t *n,
              struct err *e)
{
    struct stat st;
    *n = 0;
    *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return failed(what, path, e);
    int rc = fstat(fd, &st) < 0 ? failed(what, path, e) : 0;
    if (rc == 0 && S_ISDIR(st.st_mode))
        rc = err_set(e, ERR_OTHER, "%s \"%s\" is a directory", what, path);
    if (rc == 0 && !(*text = malloc(most + 2)))
        rc = err_nomem(e);
    if (rc == 0 && (r || S_ISREG(st.st_mode)))
        rc = read_all(fd, what, path, most, r, *text, n, e);
    close(fd);
    if (rc == 0)
        (*text)[*n] = '\0';
    else
        free(*text);
    return rc;
}
