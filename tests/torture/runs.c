/* SPDX-License-Identifier: GPL-2.0-or-later
 * One run of a scenario: a directory, standard streams, the other end, the program, and what has come
 * of it when all are gone. */
#include "torture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
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

enum { LIMIT_MS = 25000, SERVE_MS = 2000 };

struct torture t = {.every = 1, .slower = 1};

void die(const char *format, ...)
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
    static char text[MOST_BULK + 1];
    for (size_t i = 0; i < s->bulk; i++)
        text[i] = (char)('!' + (i * 31 + (i >> 8)) % 90);
    text[s->bulk] = '\0';
    write_file("in", s->bulk ? text : s->input ? s->input : "");
}

size_t read_file(const char *path, char *to, size_t cap)
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

void set_up(void)
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
    execv(s->guest ? t.guest : t.program, argv);
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
void run(const struct scenario *s, struct outcome *o)
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
        int64_t limit = t.faults->mode == FAULT_ONWARDS ? SERVE_MS : LIMIT_MS * t.slower;
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

void clean_up(void)
{
    sweep("run", true, NULL, 0);
    (void)rmdir("run");
    sweep(t.top, true, NULL, 0);
    (void)rmdir(t.top);
}
