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
 * No run may crash, hang, leak, or leave files or processes behind. One that did not do its work must
 * say so: an error line and a status other than 0. */
#include "torture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "faults.h"

enum { OUTPUT = 1 << 16, BULK = 40000, LIMIT_MS = 25000, SLOW_MS = 4000 };

struct outcome {
    int status; /* as a shell has it; -1: had to be killed */
    char output[OUTPUT]; /* standard output, what the other end got, files called out*, all in a row */
    char errors[OUTPUT];
    char left[512]; /* file names */
    int open_fds, strays;
    int64_t ms;
    bool sanitizer;
};

static struct {
    const char *program;
    unsigned every;
    bool verbose, openssl;
    char top[64], address[32];
    struct faults *faults;
    char map[96];
    int slower;
    unsigned long runs, defects;
} t = {.every = 1, .slower = 1};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    (void)fprintf(stderr, "%s%s\n", errno ? ": " : "", errno ? strerror(errno) : "");
    exit(2);
}

static int64_t now(void)
{
    struct timespec s;
    (void)clock_gettime(CLOCK_MONOTONIC, &s);
    return (int64_t)s.tv_sec * 1000 + s.tv_nsec / 1000000;
}

/* ---- what a run needs ---- */

static void make_certificate(const char *path)
{
    FILE *f = fopen(path, "w");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    (void)X509_set_version(cert, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"localhost",
                                     -1, -1, 0);
    (void)X509_set_issuer_name(cert, name);
    (void)X509_set_pubkey(cert, key);
    if (!f || !X509_sign(cert, key, EVP_sha256()) ||
        !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) || !PEM_write_X509(f, cert) ||
        fclose(f) != 0)
        die("certificate");
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        die("%s", path);
}

static void write_input(const struct scenario *s)
{
    static char text[BULK + 1];
    for (size_t i = 0; i < BULK; i++)
        text[i] = (char)('!' + (i * 31 + (i >> 8)) % 90);
    write_file("in", s->bulk ? text : s->input ? s->input : "");
}

static size_t read_file(const char *path, char *to, size_t cap)
{
    struct stat st;
    size_t n = 0;
    FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "r") : NULL;
    if (f) {
        n = fread(to, 1, cap - 1, f);
        (void)fclose(f);
    }
    to[n] = '\0';
    return n;
}

static void set_up(void)
{
    unsigned pid = (unsigned)getpid();
    char pem[96];
    (void)snprintf(t.top, sizeof t.top, "%s/catena-torture-XXXXXX", "/tmp");
    if (!mkdtemp(t.top) || chdir(t.top) < 0)
        die("%s", t.top);
    /* all of 127/8 is this machine's: an address of our own makes fixed ports free ports */
    (void)snprintf(t.address, sizeof t.address, "127.%u.%u.%u", 1 + (pid >> 16) % 250,
                   (pid >> 8) & 255, 1 + (pid & 255) % 250);
    (void)snprintf(pem, sizeof pem, "%s/pem", t.top);
    make_certificate(pem);
    (void)setenv("CATENA_TORTURE_PEM", pem, 1);
    (void)snprintf(t.map, sizeof t.map, "%s/map", t.top);
    int fd = open(t.map, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *t.faults) < 0)
        die("%s", t.map);
    t.faults = mmap(NULL, sizeof *t.faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (t.faults == MAP_FAILED)
        die("mmap");
    (void)close(fd);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setenv("ASAN_OPTIONS", "detect_stack_use_after_return=1:log_path=sanitizer", 1);
    (void)setenv("UBSAN_OPTIONS", "print_stacktrace=1:log_path=sanitizer", 1);
    (void)setenv("LSAN_OPTIONS", "log_path=sanitizer", 1);
    (void)setenv("TERM", "dumb", 1);
    t.slower = getenv("CATENA_SLOWER") ? atoi(getenv("CATENA_SLOWER")) : 1;
}

/* Empties the directory "run", or only looks: gives the names in it. */
static void sweep(const char *path, bool remove_them, char *names, size_t cap)
{
    DIR *d = opendir(path);
    size_t n = 0;
    for (struct dirent *x; d && (x = readdir(d));) {
        char whole[512];
        if (x->d_name[0] == '.')
            continue;
        (void)snprintf(whole, sizeof whole, "%s/%.200s", path, x->d_name);
        if (names && strncmp(x->d_name, "sanitizer", 9) != 0 && n < cap)
            n += (size_t)snprintf(names + n, cap - n, "%s ", x->d_name);
        if (remove_them)
            (void)unlink(whole);
    }
    if (d)
        (void)closedir(d);
}

static int listener(const struct scenario *s)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(4711)};
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "peer"};
    const int one = 1;
    int fd = -1;
    if (s->listens == LISTEN_TCP) {
        (void)inet_pton(AF_INET, t.address, &in.sin_addr);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&in, sizeof in) < 0 || listen(fd, 5) < 0)
            die("%s:4711", t.address);
    } else if (s->listens == LISTEN_DATAGRAM) {
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (bind(fd, (struct sockaddr *)&un, sizeof un) < 0)
            die("peer");
    }
    return fd;
}

static void fill_in(const char *pattern, char *to, size_t cap)
{
    size_t n = 0;
    for (; *pattern && n + 1 < cap; pattern++) {
        const char *with = *pattern == '@' ? t.address : *pattern == '+' ? t.top : NULL;
        n += (size_t)(with ? snprintf(to + n, cap - n, "%s", with)
                           : snprintf(to + n, cap - n, "%c", *pattern));
    }
}

__attribute__((noreturn)) static void become_program(const struct scenario *s, int tty)
{
    static char text[12][256];
    static char own_name[] = "catena";
    char *argv[16] = {own_name};
    for (size_t i = 0; s->args[i]; i++) {
        fill_in(s->args[i], text[i], sizeof text[i]);
        argv[i + 1] = text[i];
    }
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int in = tty >= 0 ? tty : open(s->input || s->bulk ? "in" : "/dev/null", O_RDONLY);
    int out = tty >= 0 ? tty : open("stdout", O_WRONLY | O_CREAT | O_APPEND, 0600);
    int err = open("stderr", O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)setenv(FAULT_VARIABLE, t.map, 1);
    if (t.faults->mode != FAULT_NONE && t.faults->at & FAULT_THEIRS) /* OpenSSL leaks then */
        (void)setenv("ASAN_OPTIONS", "detect_leaks=0:log_path=sanitizer", 1);
    if (t.openssl)
        (void)setenv(FAULT_VARIABLE "_OPENSSL", "1", 1);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    (void)close_range(3, ~0U, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    execv(t.program, argv);
    _exit(126);
}

__attribute__((noreturn)) static void become_other(const struct scenario *s, struct other_end *o)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)alarm(30);
    o->got = fopen("got", "w");
    int rc = o->got ? s->other(o) : 2;
    if (o->got)
        (void)fclose(o->got);
    _exit(rc);
}

/* ---- one run ---- */

static bool ended_within(pid_t pid, int64_t ms, int *status)
{
    int64_t end = now() + ms;
    for (int pause = 1; waitpid(pid, status, WNOHANG) == 0; pause = pause < 8 ? 2 * pause : 8) {
        if (now() >= end)
            return false;
        (void)poll(NULL, 0, pause);
    }
    return true;
}

static void put_down(pid_t pid)
{
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

/* Orphans come to us. They have a moment to end by themselves. */
static int count_strays(void)
{
    int n = 0, status;
    siginfo_t info = {0};
    for (int64_t end = now() + 1500; now() < end; (void)poll(NULL, 0, 2)) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0)
            return 0;
    }
    for (; waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0; n++) {
        char children[64], list[256] = "", *at = list;
        (void)snprintf(children, sizeof children, "/proc/self/task/%d/children", (int)getpid());
        FILE *f = fopen(children, "r");
        if (f) {
            list[fread(list, 1, sizeof list - 1, f)] = '\0';
            (void)fclose(f);
        }
        pid_t pid = (pid_t)strtol(list, &at, 10);
        if (pid <= 0)
            break;
        put_down(pid);
    }
    return n;
}

static int shell_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void collect(struct outcome *o)
{
    static const char *const files[] = {"stdout", "got", "out", "out2"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        n += read_file(files[i], o->output + n, sizeof o->output - n - 16);
        n += (size_t)snprintf(o->output + n, 16, "<%s>", files[i]);
    }
    (void)read_file("stderr", o->errors, sizeof o->errors);
    sweep(".", false, o->left, sizeof o->left);
    DIR *d = opendir(".");
    for (struct dirent *x; d && (x = readdir(d));)
        o->sanitizer |= strncmp(x->d_name, "sanitizer", 9) == 0;
    if (d)
        (void)closedir(d);
    o->open_fds = atomic_load(&t.faults->open_fds);
}

/* The directory stays as it was left, to be looked at. */
static void run(const struct scenario *s, struct outcome *o)
{
    int alive[2], status = 0, ignored, tty = -1;
    pid_t other = -1, program;
    *o = (struct outcome){.status = -1};
    sweep("run", true, NULL, 0);
    if ((mkdir("run", 0700) < 0 && errno != EEXIST) || chdir("run") < 0 ||
        pipe2(alive, O_CLOEXEC) < 0)
        die("run");
    write_input(s);
    struct other_end end = {.address = t.address, .listener = listener(s), .terminal = -1, .alive = alive[0]};
    if (s->terminal) {
        char name[64];
        end.terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (end.terminal < 0 || grantpt(end.terminal) < 0 || unlockpt(end.terminal) < 0 ||
            ptsname_r(end.terminal, name, sizeof name) != 0 || (tty = open(name, O_RDWR | O_NOCTTY)) < 0)
            die("terminal");
    }
    t.faults->turn = 0;
    atomic_store(&t.faults->fired, 0);
    atomic_store(&t.faults->open_fds, -1);
    for (size_t i = 0; i < FAULT_SITES; i++)
        atomic_store(&t.faults->sites[i].count, 0);
    int64_t start = now();
    if (s->other && (other = fork()) == 0) {
        (void)close(alive[1]);
        become_other(s, &end);
    }
    program = fork();
    if (program == 0)
        become_program(s, tty);
    if (program < 0)
        die("fork");
    if (end.listener >= 0)
        (void)close(end.listener);
    if (tty >= 0)
        (void)close(tty);
    bool done = false;
    if (s->serves) { /* until the other end is done, or the program ended before its time */
        int64_t limit = t.faults->mode == FAULT_ONWARDS ? SLOW_MS / 2 : LIMIT_MS * t.slower;
        while (!(done = ended_within(program, 5, &status)) && now() - start < limit &&
               !ended_within(other, 0, &ignored))
            continue;
        if (!done)
            (void)kill(program, SIGTERM);
    }
    done = done || ended_within(program, LIMIT_MS * t.slower, &status);
    if (done)
        o->status = shell_status(status);
    else
        put_down(program);
    o->ms = now() - start;
    (void)close(alive[1]);
    if (other > 0 && !ended_within(other, 3000, &ignored))
        put_down(other);
    (void)close(alive[0]);
    if (end.terminal >= 0)
        (void)close(end.terminal);
    o->strays = count_strays();
    collect(o);
    if (chdir(t.top) < 0)
        die("%s", t.top);
    t.runs++;
}

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
    if (!as_usual && (o->status == 0 || !has_line(o->errors, "EF")))
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
    t.faults->mode = f->onwards ? FAULT_ONWARDS : FAULT_ONCE;
    t.faults->at = f->site.at;
    t.faults->nth = f->nth;
    t.faults->error = f->error;
    run(s, &o);
    bool soft = f->site.soft && !f->onwards && (f->error == EINTR || f->error == EAGAIN);
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
    whole_run(s, FAULT_EINTR, "eintr", &well);
    whole_run(s, FAULT_EAGAIN, "eagain", &well);
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
    char program[4096];
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
    sweep("run", true, NULL, 0);
    (void)rmdir("run");
    sweep(t.top, true, NULL, 0);
    (void)rmdir(t.top);
    return t.defects ? 1 : 0;
}
