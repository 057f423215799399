/* SPDX-License-Identifier: GPL-2.0-or-later
 * What unit tests of runs have in common: see unit.h. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/reaper.h"
#include "catena/registry.h"
#include "engine/cli/signal_fd.h"
#include "../home.h"

enum { LIMIT_S = 25 };

static char dir[] = "/tmp/catena-unit.XXXXXX";
static int log_fd = -1;

double unit_slower(void)
{
    const char *s = getenv("CATENA_SLOWER");
    return s && atof(s) > 1 ? atof(s) : 1;
}

int unit_begin(void **state)
{
    (void)state;
    (void)alarm((unsigned)(LIMIT_S * unit_slower())); /* what hangs fails */
    (void)signal(SIGPIPE, SIG_IGN);
    log_fd = memfd_create("log", MFD_CLOEXEC);
    home_speaks(DIAG_DEBUG);
    home.log.dest = DIAG_FILE;
    home.log.fd = log_fd;
    home.environment = environ;
    return log_fd < 0 || !mkdtemp(dir) ? -1 : 0;
}

static int remove_all(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        (void)closedir(d);
    return rmdir(path);
}

int unit_end(void **state)
{
    (void)state;
    return remove_all(dir);
}

const char *unit_path(const char *name)
{
    static char paths[64][96];
    static size_t n;
    char *path = paths[n++ % 64];
    (void)snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

void unit_write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_return_code(fd, errno);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

bool unit_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* ---- plans and runs ---- */

struct catena *unit_home(void)
{
    return &home;
}

struct settings unit_settings(void)
{
    return (struct settings){.catena = &home, .to_right = true, .to_left = true, .block = 8192, .linger = -1, .idle = -1,
                             .signals = UINT64_C(0x89de), .ip_version = 4, .comm = 'S',
                             .env_prefix = "SOCAT"};
}

struct plan *unit_plan(const struct settings *s, const char *left, const char *right)
{
    struct plan *p = NULL;
    struct err e = {.kind = ERR_NONE};
    if (plan_make(s, left, right, &p, &e) < 0)
        fail_msg("%s  %s: %s", left, right, e.text);
    return p;
}

void unit_run(struct run *r, const struct settings *s, const struct plan *p, int signal_fd)
{
    struct err e;
    assert_int_equal(run_init(r, s, p, signal_fd, &e), 0);
    r->reaper = malloc(sizeof *r->reaper);
    assert_non_null(r->reaper);
    assert_int_equal(reaper_init(r->reaper, &e), 0);
}

void unit_run_fini(struct run *r)
{
    struct reaper *reaper = r->reaper;
    reaper_fini(reaper);
    run_fini(r);
    free(reaper);
}

int unit_signal_fd(void)
{
    static int fd = -1;
    static struct settings s;
    struct err e;
    if (fd < 0) {
        s = unit_settings();
        fd = signal_fd_open(&s, &e);
    }
    assert_return_code(fd, errno);
    return fd;
}

/* ---- the log ---- */

static off_t log_from;

void unit_log_clear(void)
{
    log_from = lseek(log_fd, 0, SEEK_END);
}

const char *unit_log(void)
{
    static char text[1 << 18];
    ssize_t n = pread(log_fd, text, sizeof text - 1, log_from);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

unsigned unit_logged(const char *text)
{
    unsigned n = 0;
    for (const char *at = unit_log(); (at = strstr(at, text)); at += strlen(text))
        n++;
    return n;
}

/* ---- what there is ---- */

static size_t entries(const char *path)
{
    size_t n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += *e->d_name != '.';
    (void)closedir(d);
    return n;
}

static void *nothing(void *arg)
{
    return arg;
}

/* With the first thread of a program TSan starts one of its own. */
static void have_had_threads(void)
{
    static bool had;
    const char *s = getenv("CATENA_SANITIZE");
    pthread_t t;
    if (!had && s && strstr(s, "thread") && pthread_create(&t, NULL, nothing, NULL) == 0)
        (void)pthread_join(t, NULL);
    had = true;
}

struct unit_count unit_count(void)
{
    have_had_threads();
    return (struct unit_count){entries("/proc/self/fd"), entries("/proc/self/task")};
}

void unit_nothing_left(struct unit_count before)
{
    for (int ms = 0; ms < UNIT_PATIENCE_MS && unit_count().threads != before.threads; ms += 5)
        unit_pause(5);
    assert_int_equal(unit_count().threads, before.threads);
    assert_int_equal(unit_count().descriptors, before.descriptors);
}

void unit_no_children(void)
{
    siginfo_t how = {0};
    assert_int_equal(waitid(P_ALL, 0, &how, WEXITED | WNOHANG | WNOWAIT), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- waiting ---- */

bool unit_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) > 0;
}

void unit_pause(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&t, NULL);
}
