/* SPDX-License-Identifier: GPL-2.0-or-later
 * The torture run: each scenario once as it is, counting the places where the program asks for
 * memory or calls the system, and then again and again with one of those calls failing.
 *
 *   torture [-e every] [-o] [-v] <catena_torture> [<scenario>[:<call>@<place>#<n>=<errno>[+]]]...
 *
 * -e 1 fails every call with every error of its row, -e 7 every seventh of those; -o: memory for
 * OpenSSL as well. Naming a fault, as
 * the report does, repeats that run alone and shows its messages.
 *
 * Scenarios named xio-* are of the program xio_torture beside that one.
 *
 * No run may crash, hang, leak, or leave files or processes behind. One that did not do its work must
 * say so: an error line and a status other than 0. */
#include "torture.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOW_MS = 4000 };

/* ---- verdicts ---- */

static bool has_line(const char *errors, const char *letters)
{
    for (; *letters; letters++) {
        char mark[8];
        (void)snprintf(mark, sizeof mark, "] %c ", *letters);
        if (strstr(errors, mark))
            return true;
    }
    return false;
}

/* NULL: all is well. soft: nothing may have changed. */
static const char *verdict(const struct scenario *s, const struct outcome *o,
                           const struct outcome *well, bool soft, bool unremovable)
{
    bool same = strcmp(o->output, well->output) == 0, as_usual = o->status == well->status;
    unremovable |= strstr(o->errors, "] W cannot remove ") != NULL; /* nor is it silent about it */
    if (o->sanitizer)
        return "sanitizer";
    if (o->status < 0)
        return "hangs";
    if (o->status == 126 || (o->status > 128 && !as_usual))
        return "crashes";
    if (o->strays > 0)
        return "leaves a process behind";
    if (well->open_fds >= 0 && o->open_fds > well->open_fds)
        return "leaks a descriptor";
    if (soft && !(same && as_usual))
        return "is not indifferent to EINTR, EAGAIN or short counts";
    bool mute = s->dumps && o->errors[0] == '\0'; /* where dumps cannot be written, no word can */
    if (!as_usual && (o->status == 0 || (!mute && !has_line(o->errors, "EF"))))
        return "fails without a word";
    if (as_usual && !same && o->status == 0)
        return "wrong output and status 0";
    if (as_usual && !same && !has_line(o->errors, s->messages ? "EFWNI" : "EFW"))
        return "wrong output without a word";
    for (const char *p = o->left, *end; *p && !unremovable; p = end + 1) { /* names that a good run does not leave */
        char name[160];
        end = strchr(p, ' ');
        (void)snprintf(name, sizeof name, "%.*s ", (int)(end - p), p);
        if (!strstr(well->left, name))
            return "leaves a file behind";
    }
    /* who waits for a packet that is lost waits in vain */
    if (t.faults->mode == FAULT_SHORT) /* byte by byte takes its time */
        return NULL;
    return o->ms > SLOW_MS * t.slower + well->ms && !s->messages ? "is slow" : NULL;
}

static void show(const char *title, const char *text)
{
    if (*text)
        (void)printf("    -- %s\n%s\n", title, text);
}

static void show_sanitizer(void)
{
    DIR *d = opendir("run");
    for (struct dirent *x; d && (x = readdir(d));) {
        static char text[OUTPUT];
        char path[300];
        (void)snprintf(path, sizeof path, "run/%.200s", x->d_name);
        if (strncmp(x->d_name, "sanitizer", 9) == 0 && read_file(path, text, sizeof text))
            show(x->d_name, text);
    }
    if (d)
        (void)closedir(d);
}

static void report(const struct scenario *s, const char *fault, const char *what,
                   const struct outcome *o)
{
    (void)printf("%s:%s %s (status %d, %lld ms)\n", s->name, fault, what, o->status,
                 (long long)o->ms);
    if (t.verbose || o->sanitizer) {
        show("messages", o->errors);
        show("output", o->output);
        show("left", o->left);
        show_sanitizer();
    }
    (void)fflush(stdout);
}

/* ---- scenarios ---- */

struct fault {
    struct fault_site site; /* as the good run left it */
    unsigned nth;
    int error;
    bool onwards;
};

static void describe(const struct fault *f, char *to, size_t cap)
{
    (void)snprintf(to, cap, "%s@%lx#%u=%d%s", f->site.call, (unsigned long)f->site.at, f->nth,
                   f->error, f->onwards ? "+" : "");
}

static void inflict(const struct scenario *s, const struct fault *f, const struct outcome *well)
{
    static struct outcome o;
    char name[96];
    bool soft = f->site.soft && !f->onwards && (f->error == EINTR || f->error == EAGAIN);
    bool writes = strcmp(f->site.call, "write") == 0 || strcmp(f->site.call, "send") == 0;
    if ((soft && s->edges) || (s->pipes && writes && (f->error == EPIPE || f->error == ECONNRESET)))
        return;
    t.faults->mode = f->onwards ? FAULT_ONWARDS : FAULT_ONCE;
    t.faults->at = f->site.at;
    t.faults->nth = f->nth;
    t.faults->error = f->error;
    run(s, &o);
    const char *wrong = verdict(s, &o, well, soft, strcmp(f->site.call, "unlink") == 0);
    describe(f, name, sizeof name);
    if (!atomic_load(&t.faults->fired) && !wrong)
        return; /* threads: this time it was not called so often */
    if (wrong) {
        t.defects++;
        report(s, name, wrong, &o);
    }
}

static void whole_run(const struct scenario *s, enum fault_mode mode, const char *name,
                      const struct outcome *well)
{
    static struct outcome o;
    t.faults->mode = (int)mode;
    run(s, &o);
    const char *wrong = verdict(s, &o, well, true, false);
    if (wrong) {
        t.defects++;
        report(s, name, wrong, &o);
    }
}

/* A few good runs, until nothing new turns up: what threads do varies. */
static void good_runs(const struct scenario *s, struct outcome *well, struct fault_site *sites)
{
    static struct outcome o;
    memset(t.faults, 0, sizeof *t.faults);
    memset(sites, 0, FAULT_SITES * sizeof *sites);
    well->open_fds = -1;
    for (int i = 0; i < 3; i++) {
        run(s, &o);
        bool good = o.status == (s->serves ? 128 + SIGTERM : 0) && !o.sanitizer && !o.strays;
        if (!good || (i > 0 && strcmp(o.output, well->output) != 0)) {
            t.verbose = true;
            report(s, "", "does not even work without a fault", &o);
            exit(1);
        }
        int fds = well->open_fds > o.open_fds ? well->open_fds : o.open_fds;
        *well = o;
        well->open_fds = fds;
        for (size_t k = 0; k < FAULT_SITES; k++) {
            unsigned count = sites[k].count;
            memcpy(&sites[k], &t.faults->sites[k], sizeof *sites);
            if (count > sites[k].count)
                sites[k].count = count;
        }
    }
}

enum { REPEATS = 40, THEIR_REPEATS = 2 }; /* of one place: a loop is not followed for ever */

static void torture(const struct scenario *s)
{
    static struct outcome well;
    static struct fault_site sites[FAULT_SITES];
    static unsigned long turn;
    unsigned long calls = 0, places = 0, before = t.runs, defects = t.defects;
    good_runs(s, &well, sites);
    for (size_t i = 0; i < FAULT_SITES; i++) {
        unsigned most = sites[i].at & FAULT_THEIRS ? THEIR_REPEATS : REPEATS;
        unsigned n = sites[i].count < most ? sites[i].count : most;
        places += sites[i].at != 0;
        calls += sites[i].count;
        for (unsigned nth = 1; nth <= n; nth++) {
            struct fault f = {.site = sites[i], .nth = nth};
            for (int k = 0; k < f.site.nerrors; k++) {
                f.error = f.site.errors[k];
                if (turn++ % t.every == 0)
                    inflict(s, &f, &well);
            }
            f.error = f.site.errors[0];
            f.onwards = true;
            if (nth == 1 && sites[i].count > 1 && turn++ % t.every == 0)
                inflict(s, &f, &well);
        }
    }
    if (!s->messages)
        whole_run(s, FAULT_SHORT, "short", &well);
    if (!s->edges) {
        whole_run(s, FAULT_EINTR, "eintr", &well);
        whole_run(s, FAULT_EAGAIN, "eagain", &well);
    }
    (void)printf("%-16s %4lu places, %5lu calls, %5lu runs, %lu defects\n", s->name, places, calls,
                 t.runs - before, t.defects - defects);
    (void)fflush(stdout);
}

/* <call>@<place>#<n>=<errno>[+], or short, eintr, eagain */
static void repeat(const struct scenario *s, const char *what)
{
    static struct outcome well;
    static struct fault_site sites[FAULT_SITES];
    static const char *const whole[] = {[FAULT_SHORT] = "short", [FAULT_EINTR] = "eintr",
                                        [FAULT_EAGAIN] = "eagain"};
    static struct outcome o;
    unsigned long at;
    unsigned nth;
    int error;
    const char *place = strchr(what, '@');
    good_runs(s, &well, sites);
    for (int i = FAULT_SHORT; i <= FAULT_EAGAIN; i++)
        if (strcmp(what, whole[i]) == 0)
            t.faults->mode = i;
    if (t.faults->mode == FAULT_NONE) {
        if (!place || sscanf(place, "@%lx#%u=%d", &at, &nth, &error) != 3)
            die("no such fault: %s", what);
        t.faults->at = at;
        t.faults->nth = nth;
        t.faults->error = error;
        t.faults->mode = strchr(place, '+') ? FAULT_ONWARDS : FAULT_ONCE;
    }
    run(s, &o);
    const char *wrong = verdict(s, &o, &well, t.faults->mode >= FAULT_SHORT, strstr(what, "unlink"));
    t.defects += wrong != NULL;
    t.verbose = true;
    (void)printf("without:\n%s\nfds %d; with: fds %d, fired %d\n", well.output, well.open_fds, o.open_fds,
                 atomic_load(&t.faults->fired));
    report(s, what, wrong ? wrong : "is well", &o);
}

static const struct scenario *find(const char *name, size_t n)
{
    for (const struct scenario *s = scenarios; s->name; s++)
        if (strlen(s->name) == n && strncmp(s->name, name, n) == 0)
            return s;
    errno = 0;
    die("no such scenario: %.*s", (int)n, name);
}

int main(int argc, char **argv)
{
    char program[4096], directory[4096], guest[4200];
    for (int c; (c = getopt(argc, argv, "e:ov")) != -1;) {
        if (c == 'e')
            t.every = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'o')
            t.openssl = true;
        else if (c == 'v')
            t.verbose = true;
        else
            return 2;
    }
    if (optind >= argc || t.every == 0 || !realpath(argv[optind], program))
        die("usage: torture [-e every] [-o] [-v] <catena_torture> [<scenario>[:<fault>]]...");
    t.program = program;
    (void)snprintf(guest, sizeof guest, "%s/xio_torture", dirname(strcpy(directory, program)));
    t.guest = guest;
    set_up();
    for (int i = optind + 1; i < argc; i++) {
        const char *colon = strchr(argv[i], ':');
        const struct scenario *s = find(argv[i], strcspn(argv[i], ":"));
        if (colon)
            repeat(s, colon + 1);
        else
            torture(s);
    }
    for (const struct scenario *s = scenarios; optind + 1 == argc && s->name; s++)
        torture(s);
    (void)printf("%lu runs, %lu defects\n", t.runs, t.defects);
    clean_up();
    return t.defects ? 1 : 0;
}
