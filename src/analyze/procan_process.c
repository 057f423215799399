/* SPDX-License-Identifier: GPL-2.0-or-later
 * The process: its ids, its session and terminal, whose it is. */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#include "analyze/procan.h"

enum { PATH_ROOM = 256 };

/* --- controlling terminal --------------------------------------------------------------------- */

/* The device of the session's terminal as /proc has it, 0 if there is none. The command's name, in
 * parentheses, may hold anything, so the fields are counted from its end. */
static dev_t terminal_device(void)
{
    char line[1024];
    unsigned number = 0;
    FILE *stat = fopen("/proc/self/stat", "re");
    if (!stat)
        return 0;
    if (fgets(line, sizeof line, stat)) {
        const char *after = strrchr(line, ')');
        if (after && sscanf(after, ") %*c %*d %*d %*d %u", &number) != 1)
            number = 0;
    }
    fclose(stat);
    return makedev((number >> 8) & 0xfff, (number & 0xff) | ((number >> 12) & 0xfff00));
}

/* The file in /dev with that number: by the rule of pseudo terminals, else as sysfs tells. */
static bool device_path(dev_t device, char path[static PATH_ROOM])
{
    char line[PATH_ROOM / 2];
    bool found = false;
    if (major(device) >= 136 && major(device) <= 143) {
        snprintf(path, PATH_ROOM, "/dev/pts/%u", (major(device) - 136) * 256 + minor(device));
        return true;
    }
    snprintf(path, PATH_ROOM, "/sys/dev/char/%u:%u/uevent", major(device), minor(device));
    FILE *uevent = fopen(path, "re");
    if (!uevent)
        return false;
    while (!found && fgets(line, sizeof line, uevent)) {
        line[strcspn(line, "\n")] = '\0';
        found = strncmp(line, "DEVNAME=", 8) == 0;
    }
    fclose(uevent);
    if (found)
        snprintf(path, PATH_ROOM, "/dev/%s", line + 8);
    return found;
}

static bool terminal_by_proc(char path[static PATH_ROOM])
{
    dev_t device = terminal_device();
    return device != 0 && device_path(device, path);
}

/* A terminal's session can only be asked by its own processes. */
static bool terminal_by_fd(int fd, char path[static PATH_ROOM])
{
    return tcgetsid(fd) == getsid(0) && ttyname_r(fd, path, PATH_ROOM) == 0;
}

static bool terminal_by_stdin(char path[static PATH_ROOM])
{
    return terminal_by_fd(STDIN_FILENO, path);
}

static bool terminal_by_stdout(char path[static PATH_ROOM])
{
    return terminal_by_fd(STDOUT_FILENO, path);
}

static bool terminal_by_stderr(char path[static PATH_ROOM])
{
    return terminal_by_fd(STDERR_FILENO, path);
}

/* /dev/tty can be opened by a process that has one, and by no other. */
static bool terminal_by_open(char path[static PATH_ROOM])
{
    int fd = open(ctermid(NULL), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    close(fd);
    snprintf(path, PATH_ROOM, "%s", ctermid(NULL));
    return true;
}

static void put_terminal(FILE *f)
{
    static const struct {
        const char *name;
        bool (*ask)(char path[static PATH_ROOM]);
    } methods[] = {
        {"/proc/self/stat", terminal_by_proc},      {"ttyname(stdin)", terminal_by_stdin},
        {"ttyname(stdout)", terminal_by_stdout},    {"ttyname(stderr)", terminal_by_stderr},
        {"ctermid()", terminal_by_open},
    };
    char path[PATH_ROOM];
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (methods[i].ask(path))
            fprintf(f, "controlling terminal by %s: \"%s\"\n", methods[i].name, path);
        else
            fprintf(f, "controlling terminal by %s: (none)\n", methods[i].name);
    }
}

/* --- ids -------------------------------------------------------------------------------------- */

static void put_groups(FILE *f)
{
    int n = getgroups(0, NULL);
    gid_t *groups = n > 0 ? calloc((size_t)n, sizeof *groups) : NULL;
    if (groups)
        n = getgroups(n, groups);
    fputs("supplementary group ids =", f);
    for (int i = 0; groups && i < n; i++)
        fprintf(f, " %u", groups[i]);
    putc('\n', f);
    free(groups);
}

static void put_ids(FILE *f)
{
    uid_t uid, euid, suid;
    gid_t gid, egid, sgid;
    if (getresuid(&uid, &euid, &suid) < 0 || getresgid(&gid, &egid, &sgid) < 0)
        return;
    fprintf(f, "user id  = %u\neffective user id  = %u\nsaved user id  = %u\n", uid, euid, suid);
    fprintf(f, "group id = %u\neffective group id = %u\nsaved group id = %u\n", gid, egid, sgid);
    put_groups(f);
}

void procan_process(FILE *f)
{
    static const char *const streams[] = {"stdin", "stdout", "stderr"};
    char path[PATH_ROOM];
    fprintf(f, "process id = %d\nprocess parent id = %d\n", getpid(), getppid());
    put_terminal(f);
    fprintf(f, "process group id = %d\nprocess session id = %d\n", getpgrp(), getsid(0));
    for (int fd = 0; fd < 3; fd++)
        fprintf(f, "process group id if fg process / %s = %d\n", streams[fd], tcgetpgrp(fd));
    fprintf(f, "process %s a controlling terminal\n",
            terminal_by_open(path) ? "has" : "does not have");
    put_ids(f);
}
