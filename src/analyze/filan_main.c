/* SPDX-License-Identifier: GPL-2.0-or-later
 * filan: prints what the descriptors are that it has been started with. Its output is made in
 * memory and written at the end, so that nothing of its own is open while it looks. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyze/analyze.h"
#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/version.h"

enum { MOST_FDS = 1 << 20, DEFAULT_FDS = 1024 };

struct request {
    int first, end;   /* descriptors first ... end - 1 */
    bool one;         /* -i: no number in front of the brief form */
    bool brief;       /* -s, -S */
    enum brief how;
    bool raw, follow; /* -r, -L */
    bool help, version;
    double delay;     /* -T, seconds */
    const char *path; /* -f */
    const char *output;
};

static const char usage_text[] =
    "Usage:\n"
    "filan [options]\n"
    "   options:\n"
    "      -?|-h          print this help text\n"
    "      -V             print the version\n"
    "      -d             more diagnostics (up to 4 times)\n"
    "      -i<fdnum>      analyze only this descriptor\n"
    "      -n<fdnum>      analyze the descriptors from 0 up to fdnum-1 (default: 1024);\n"
    "                     0 is the same as -i0\n"
    "      -s             one short line each: type and socket address or path\n"
    "      -S             like -s, with both ends and the kind of sockets\n"
    "      -f<filename>   analyze this file system entry instead of descriptors\n"
    "      -L             with -f: follow symbolic links instead of showing their properties\n"
    "      -W             accepted for the sake of scripts; nothing is warned of\n"
    "      -T<seconds>    wait before analyzing, e.g. to attach a debugger\n"
    "      -r             time stamps and devices as plain numbers\n"
    "      -o<filename>   write there; it can be:\n"
    "                     the name of a regular file\n"
    "                     +<filedes>, a descriptor that is open for writing\n"
    "                     one of the names stdin stdout stderr\n";

/* --- command line ----------------------------------------------------------------------------- */

static int parse_number(char option, const char *text, int most, int *value, struct err *e)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 0);
    if (end == text || *end || errno || n < 0 || n > most)
        return err_set(e, ERR_USAGE, "option -%c: \"%s\" is not a number from 0 to %d", option,
                       text, most);
    *value = (int)n;
    return 0;
}

static int parse_delay(const char *text, double *value, struct err *e)
{
    char *end;
    *value = strtod(text, &end);
    if (end == text || *end || !(*value >= 0) || *value > INT_MAX)
        return err_set(e, ERR_USAGE, "option -T: \"%s\" is not a number of seconds", text);
    return 0;
}

static void more_talk(void)
{
    enum diag_level level = diag_set_level(DIAG_DEBUG);
    (void)diag_set_level(level < DIAG_DEBUG ? level + 1 : level);
}

static int parse_option(struct request *r, int letter, const char *arg, struct err *e)
{
    switch (letter) {
    case 'h': r->help = true; return 0;
    case 'V': r->version = true; return 0;
    case 'd': more_talk(); return 0;
    case '0': case '1': case '2': case '3': case '4': /* -d<level> */
        (void)diag_set_level((enum diag_level)(DIAG_ERROR + letter - '0'));
        return 0;
    case 's': r->brief = true, r->how = BRIEF_SIMPLE; return 0;
    case 'S': r->brief = true, r->how = BRIEF_BOTH_ENDS; return 0;
    case 'r': r->raw = true; return 0;
    case 'L': r->follow = true; return 0;
    case 'f': r->path = arg; return 0;
    case 'o': r->output = arg; return 0;
    case 'T': return parse_delay(arg, &r->delay, e);
    case 'W': return 0; /* nothing that filan says on its own is a warning */
    case 'n':
        if (parse_number('n', arg, MOST_FDS, &r->end, e) < 0)
            return -1;
        r->first = 0;
        r->one = r->end == 0; /* v1 takes it for -i 0 */
        r->end += r->one;
        return 0;
    case 'i':
        if (parse_number('i', arg, INT_MAX - 1, &r->first, e) < 0)
            return -1;
        r->end = r->first + 1;
        r->one = true;
        return 0;
    case ':': return err_set(e, ERR_USAGE, "option -%c requires an argument", optopt);
    default: break;
    }
    if (optopt == '?') { /* getopt() says '?' to this one too */
        r->help = true;
        return 0;
    }
    return err_set(e, ERR_USAGE, "unknown option -%c; filan -h lists the options", optopt);
}

static int parse(int argc, char *argv[], struct request *r, struct err *e)
{
    int letter;
    opterr = 0;
    while ((letter = getopt(argc, argv, "+:hVd01234i:n:sSf:LT:ro:W")) >= 0)
        if (parse_option(r, letter, optarg, e) < 0)
            return -1;
    if (optind < argc)
        return err_set(e, ERR_USAGE, "%d superfluous arguments, the first is \"%s\"",
                       argc - optind, argv[optind]);
    return 0;
}

/* --- work ------------------------------------------------------------------------------------- */

static void wait_before(double seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

static void look_at_fds(FILE *f, const struct request *r)
{
    bool header = !r->brief;
    for (int fd = r->first; fd < r->end; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        diag(DIAG_DEBUG, "checking file descriptor %d", fd);
        if (header)
            analyze_header(f, r->raw);
        header = false;
        if (r->brief)
            (void)analyze_fd_brief(f, fd, r->how, r->one ? 0 : 5);
        else
            (void)analyze_fd(f, fd, r->raw);
    }
}

static int look(FILE *f, const struct request *r, struct err *e)
{
    if (!r->path) {
        look_at_fds(f, r);
        return 0;
    }
    if (r->brief)
        return analyze_path_brief(f, r->path, r->follow, e);
    analyze_header(f, r->raw);
    return analyze_path(f, r->path, r->follow, r->raw, e);
}

/* --- output ----------------------------------------------------------------------------------- */

static int open_output(const char *name, struct err *e)
{
    static const char *const names[] = {"stdin", "stdout", "stderr"};
    for (int fd = 0; fd < 3; fd++)
        if (!name || strcmp(name, names[fd]) == 0)
            return name ? fd : STDOUT_FILENO;
    int fd;
    if (name[0] == '+') {
        if (parse_number('o', name + 1, INT_MAX, &fd, e) < 0)
            return -1;
        return fd;
    }
    fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    return fd < 0 ? err_sys(e, "option -o: cannot open \"%s\"", name) : fd;
}

static int write_all(int fd, const char *text, size_t len, struct err *e)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            return err_sys(e, "cannot write to file descriptor %d", fd);
        if (n > 0)
            text += n, len -= (size_t)n;
    }
    return 0;
}

static int filan(const struct request *r, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    int rc = -1;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return err_nomem(e);
    if (r->help)
        fprintf(f, "filan of catena %s, analyzes file descriptors\n%s", catena_version, usage_text);
    else if (r->version)
        fprintf(f, "filan of catena %s\n", catena_version);
    else if (look(f, r, e) < 0)
        goto out;
    if (fflush(f) != 0) {
        err_nomem(e);
        goto out;
    }
    int fd = open_output(r->output, e);
    if (fd >= 0)
        rc = write_all(fd, text, len, e);
out:
    fclose(f);
    free(text);
    return rc;
}

int main(int argc, char *argv[])
{
    struct request r = {.end = DEFAULT_FDS};
    struct err e;
    struct catena here = {.log = {.prog = "filan", .level = DIAG_WARN, .v1 = true}};
    (void)diag_about(&(struct diag_peer){.catena = &here});
    int rc = parse(argc, argv, &r, &e);
    if (rc == 0 && r.delay > 0)
        wait_before(r.delay);
    if (rc == 0)
        rc = filan(&r, &e);
    if (rc == 0)
        return 0;
    diag_err(DIAG_ERROR, &e);
    return 1;
}
