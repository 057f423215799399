/* SPDX-License-Identifier: GPL-2.0-or-later
 * xiorun(1): a program whose connections go through chains. It becomes the program itself, so that signals and
 * its end are the program's; the helper is nobody's child. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/version.h"
#include "xiorun/helper.h"
#include "xiorun/launch.h"
#include "xiorun/program.h"

/* ---- the helper ---- */

static int read_rules(struct rulebook *r, const struct wishes *w)
{
    rulebook_begin(r);
    r->complaint = opening_complaint;
    if ((w->rules && rulebook_read(r, w->rules) < 0) || rulebook_add_last(r, w->chain) < 0)
        return complain(r->why, "");
    return 0;
}

/* Of what it was born with it keeps the lease and standard error. */
static void leave_others_alone(int lease)
{
    leave_input_and_output();
    if (lease > 3)
        (void)close_range(3, (unsigned)lease - 1, 0);
    (void)close_range((unsigned)lease + 1, UINT_MAX, 0);
}

static int be_helper(const struct rulebook *rules, int lease)
{
    struct helper h = {.rules = rules, .lease = lease, .within = is_within_another()};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
    leave_others_alone(lease);
    if (helper_begin(&h) < 0)
        return WRONG;
    helper_run(&h);
    return 0;
}

/* 0: this is the helper; 1: it has been started; -1. A child's child belongs to nobody here. */
static int fork_helper(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        (void)setsid();
        pid_t helper = fork();
        if (helper == 0)
            return 0;
        _exit(helper < 0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && status == 0 ? 1 : complain("the helper cannot be started", strerror(errno));
}

/* ---- the program ---- */

static void warn(const char *path)
{
    const char *why = program_is_out_of_reach(path);
    if (why)
        (void)fprintf(stderr, "xiorun: warning: %s %s: its connections do not go through a chain\n", path, why);
}

static int run_loosely(const struct wishes *w, const struct rulebook *rules, const char *path, char **argv)
{
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
        return complain("socketpair()", strerror(errno)), WRONG;
    warn(path);
    int started = fork_helper();
    close(fd[started != 0]);
    return started < 0 ? WRONG : started == 0 ? be_helper(rules, fd[1]) : launch(w, fd[0], path, argv);
}

static int run(const struct wishes *w, char **argv)
{
    char path[PATH_MAX];
    static struct rulebook rules; /* of threads until the process ends */
    if (!w->chain && !w->rules)
        return complain("there is neither a chain (-c, XIO_CHAIN) nor a file of rules (-f, XIO_RULES)", ""), WRONG;
    if (read_rules(&rules, w) < 0)
        return WRONG;
    if (!program_find(argv[0], path))
        return errno == ENOENT ? (complain(argv[0], "no such program"), NOT_FOUND)
                               : (complain(argv[0], "it cannot be executed"), NOT_RUN);
    return w->strict ? run_strictly(w, &rules, path, argv) : run_loosely(w, &rules, path, argv);
}

/* ---- the command line ---- */

static const char usage[] =
    "usage: xiorun [-c CHAIN] [-f RULES] [-q] [--strict] [--] PROGRAM [ARGUMENT ...]\n"
    "  -c, --chain CHAIN   the chain that connections go through; {host} and {port} stand for\n"
    "                      what the program wants to reach\n"
    "  -f, --rules FILE    lines of host, port, protocol and what then: a chain, direct or refuse\n"
    "  -q, --quiet         no messages about connections that come to nothing\n"
    "  --strict            the kernel sees to it that nothing goes another way\n"
    "  -h, --help          this text\n"
    "  -V, --version       the version\n"
    "Example: xiorun -c 'socks5:{host}:{port}|tcp:proxy:1080' -- git fetch\n";

enum { HELPER = 256, STRICT };

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct wishes *w)
{
    static const struct option options[] = {
        {"chain", required_argument, NULL, 'c'}, {"rules", required_argument, NULL, 'f'},
        {"quiet", no_argument, NULL, 'q'},       {"strict", no_argument, NULL, STRICT},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},     {"helper", required_argument, NULL, HELPER},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "+c:f:qhV", options, NULL)) >= 0;) {
        switch (c) {
        case 'c': w->chain = optarg; break;
        case 'f': w->rules = optarg; break;
        case 'q': w->quiet = true; break;
        case STRICT: w->strict = true; break;
        case HELPER: w->lease = atoi(optarg); break;
        case 'h': return fputs(usage, stdout) < 0;
        case 'V': return printf("xiorun of catena %s\n", catena_version) < 0;
        default: return fputs(usage, stderr), WRONG;
        }
    }
    return -1;
}

static const char *wish(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

/* What the command line says is all: the environment's may be that of another xiorun, around us. */
static void add_from_environment(struct wishes *w)
{
    if (w->chain || w->rules)
        return;
    w->chain = wish("XIO_CHAIN");
    w->rules = wish("XIO_RULES");
}

/* Descriptors 0 to 2 are standard ones for all we do; where they were closed they are again for the program. */
static void hold_standard_ones(void)
{
    int fd;
    while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= 2)
        ;
    if (fd > 2)
        close(fd);
}

int main(int argc, char **argv)
{
    struct wishes w = {.lease = -1};
    struct rulebook rules;
    hold_standard_ones();
    int status = read_options(argc, argv, &w);
    if (status >= 0)
        return status;
    add_from_environment(&w);
    if (w.lease >= 0)
        return read_rules(&rules, &w) < 0 ? WRONG : be_helper(&rules, w.lease);
    if (optind == argc)
        return fputs(usage, stderr), WRONG;
    return run(&w, argv + optind);
}
