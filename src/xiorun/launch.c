/* SPDX-License-Identifier: GPL-2.0-or-later
 * See launch.h. */
#include "xiorun/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/protocol.h"

int complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "xiorun: %s%s%s\n", what, *why ? ": " : "", why);
    return -1;
}

void leave_input_and_output(void)
{
    int none = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (none >= 0) {
        (void)dup3(none, 0, O_CLOEXEC);
        (void)dup3(none, 1, O_CLOEXEC);
    }
}

bool is_within_another(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, PRELOAD_LIBRARY);
}

/* The library lies beside us, or where both were installed. */
static bool find_library(char *path, size_t cap)
{
    static const char *const places[] = {"", XIORUN_TO_LIBRARY};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return false;
    self[n] = '\0';
    int dir = (int)(strrchr(self, '/') - self) + 1;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (snprintf(path, cap, "%.*s%s" PRELOAD_LIBRARY, dir, self, places[i]) < (int)cap && access(path, R_OK) == 0)
            return true;
    return false;
}

static int put(const char *name, const char *value)
{
    return setenv(name, value, 1) < 0 ? complain(name, strerror(errno)) : 0;
}

/* It comes first, whatever else is to be loaded. */
static int put_library(void)
{
    char path[PATH_MAX], *all = NULL;
    const char *others = getenv("LD_PRELOAD");
    if (!find_library(path, sizeof path))
        return complain(PRELOAD_LIBRARY " is neither beside xiorun nor where it is installed", "");
    if (strpbrk(path, ": "))
        return complain(path, "a preload library's path can have neither blanks nor colons");
    if (asprintf(&all, "%s%s%s", path, others && *others ? ":" : "", others ? others : "") < 0)
        return complain("out of memory", "");
    int rc = put("LD_PRELOAD", all);
    free(all);
    return rc;
}

/* Where a program keeps none of its own, and over exec. */
static int put_lease(int fd)
{
    struct stat st;
    char text[64];
    int high = preload_put_high(fd);
    close(fd);
    if (high < 0 || fstat(high, &st) < 0 || fcntl(high, F_SETFD, 0) < 0)
        return complain("the way to the helper", strerror(errno));
    (void)snprintf(text, sizeof text, "%d:%llu%s", high, (unsigned long long)st.st_ino,
                   is_within_another() ? PRELOAD_WITHIN : "");
    return put(PRELOAD_LEASE, text);
}

/* So that who loses the helper on its way finds the same anew; rules that can be read only once, from a pipe, are found
 * by nobody, and so he gets no connections. */
static int put_wishes(const struct wishes *w)
{
    char file[PATH_MAX];
    struct stat st;
    (void)unsetenv("XIO_CHAIN");
    (void)unsetenv("XIO_RULES");
    if (w->quiet && put("XIO_QUIET", "1") < 0)
        return -1;
    if (w->rules && stat(w->rules, &st) == 0 && !S_ISREG(st.st_mode))
        return 0;
    if (w->rules && !realpath(w->rules, file))
        return complain(w->rules, strerror(errno));
    if ((w->chain && put("XIO_CHAIN", w->chain) < 0) || (w->rules && put("XIO_RULES", file) < 0))
        return -1;
    return 0;
}

int launch(const struct wishes *w, int lease, const char *path, char **argv)
{
    if (put_lease(lease) < 0 || put_wishes(w) < 0 || put_library() < 0)
        return WRONG;
    (void)execv(path, argv);
    return complain(path, strerror(errno)), NOT_RUN;
}
