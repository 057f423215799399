/* SPDX-License-Identifier: GPL-2.0-or-later
 * Landlock: nothing of the file system can be opened or changed any more, but what the run has to
 * remove at its end; nor can TCP be bound or connected. A second wall behind the filter, for the
 * run's own thread (and for all of them where the kernel can do that). The kernel's header may be
 * older than the kernel, so what little is needed of it stands here. */
#include "engine/confine/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum { /* names as in linux/landlock.h */
    CREATE_RULESET_VERSION = 1,
    RULE_PATH_BENEATH = 1,
    ACCESS_FS_REMOVE_FILE = 1 << 5,
    ACCESS_NET_ALL = 3,    /* bind and connect, for TCP */
    RESTRICT_SELF_TSYNC = 1 << 3,
    ABI_NET = 4,
    ABI_TSYNC = 8,
};

struct ruleset_attr {
    uint64_t fs, net;
};

struct path_beneath_attr {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

/* Every right on files that a version knows; later ones know no more. */
static uint64_t all_fs(long abi)
{
    static const uint64_t by_abi[] = {0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
    size_t last = sizeof by_abi / sizeof by_abi[0] - 1;
    return by_abi[(size_t)abi < last ? (size_t)abi : last];
}

/* A directory that cannot be reached holds nothing that could be removed, rule or no rule. */
static int permit_removal(int ruleset, const char *path)
{
    char *copy = path[0] == '/' ? strdup(path) : NULL;
    if (!copy)
        return path[0] == '/' ? -1 : 0;
    int rc = 0, fd = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        struct path_beneath_attr rule = {ACCESS_FS_REMOVE_FILE, fd};
        rc = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
        int sys = errno;
        close(fd);
        errno = sys;
    }
    free(copy);
    return rc;
}

long sandbox_landlock_version(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
}

int sandbox_landlock(const struct removal *removals, size_t n)
{
    long abi = sandbox_landlock_version();
    if (abi < 0)
        return -1;
    struct ruleset_attr attr = {.fs = all_fs(abi), .net = ACCESS_NET_ALL};
    size_t size = abi >= ABI_NET ? sizeof attr : sizeof attr.fs;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = permit_removal(ruleset, removals[i].what);
    if (rc == 0)
        rc = (int)syscall(SYS_landlock_restrict_self, ruleset,
                          abi >= ABI_TSYNC ? RESTRICT_SELF_TSYNC : 0);
    int sys = errno;
    close(ruleset);
    errno = sys;
    return rc;
}
