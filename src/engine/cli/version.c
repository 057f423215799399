/* SPDX-License-Identifier: GPL-2.0-or-later
 * What -V prints. The lines of features are v1's, since scripts read them. */
#include "engine/cli/version.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "catena/library.h"
#include "catena/module.h"
#include "catena/version.h"
#include "engine/cli/tables.h"
#include "engine/confine/sandbox.h"

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* ---- what it is built of and runs on ---- */

static void print_system(FILE *f)
{
    struct utsname u;
    char libc[64];
    if (uname(&u) == 0)
        fprintf(f, "   running on %s version %s, release %s, machine %s\n", u.sysname, u.version,
                u.release, u.machine);
    if (library_limits())
        fprintf(f, "   %s\n", library_limits());
    size_t n = confstr(_CS_GNU_LIBC_VERSION, libc, sizeof libc);
    bool glibc = n > 0 && n <= sizeof libc;
    fprintf(f, "   built by %s, running with %s\n", COMPILER, glibc ? libc : "another C library than glibc");
}

static void print_library(FILE *f, const struct library_about *l)
{
    struct err e;
    char room[16];
    const char *version = NULL, *built = l->built;
    fprintf(f, "   %s", l->name);
    if (l->load(&e) < 0) {
        fprintf(f, ": not here: %s\n", e.text);
        return;
    }
    if (l->version && (version = l->version(room)) != NULL)
        fprintf(f, " %s", version);
    if (built)
        fprintf(f, ", built with %s", built);
    putc('\n', f);
}

/* A word that the kernel has in a file of /proc; or none: there is something in it. */
static const struct {
    const char *name, *file, *word;
} abilities[] = {
    {"IPv6", "/proc/net/if_inet6", ""},
    {"filters of system calls", "/proc/sys/kernel/seccomp/actions_avail", "errno"},
    {"filters that ask (xiorun --strict)", "/proc/sys/kernel/seccomp/actions_avail", "user_notif"},
    {"TLS", "/proc/sys/net/ipv4/tcp_available_ulp", "tls"},
};

static bool is_in(const char *file, const char *word)
{
    char text[512] = "", *rest = text;
    FILE *f = fopen(file, "re");
    bool there = f && fgets(text, sizeof text, f) && !*word;
    if (f)
        fclose(f);
    for (char *w; !there && (w = strtok_r(rest, " \n", &rest)) != NULL;)
        there = strcmp(w, word) == 0;
    return there;
}

static void print_kernel(FILE *f)
{
    long landlock = sandbox_landlock_version();
    if (landlock > 0)
        fprintf(f, "   Landlock %ld\n", landlock);
    else
        fputs("   Landlock: not here\n", f);
    for (size_t i = 0; i < sizeof abilities / sizeof abilities[0]; i++) {
        bool there = is_in(abilities[i].file, abilities[i].word);
        fprintf(f, "   %s%s\n", abilities[i].name, there ? "" : ": not here");
    }
}

/* ---- features, as v1 names them ---- */

/* A feature is there when the keyword is; without one it is part of the program. */
static const struct {
    const char *name, *keyword;
} features[] = {
    {"STDIO", "stdio"},
    {"FDNUM", "fd"},
    {"FILE", "open"},
    {"CREAT", "create"},
    {"GOPEN", "gopen"},
    {"TERMIOS", NULL},
    {"PIPE", "pipe"},
    {"STALL", "stall"},
    {"TEXT", "text"},
    {"SOCKETPAIR", "socketpair"},
    {"UNIX", "unix-connect"},
    {"ABSTRACT_UNIXSOCKET", "abstract-connect"},
    {"IP4", "tcp4-connect"},
    {"IP6", "tcp6-connect"},
    {"RAWIP", "ip-sendto"},
    {"GENERICSOCKET", "socket-connect"},
    {"INTERFACE", "interface"},
    {"TCP", "tcp-connect"},
    {"UDP", "udp-connect"},
    {"SCTP", "sctp-connect"},
    {"DCCP", "dccp-connect"},
    {"UDPLITE", "udplite-connect"},
    {"LISTEN", "tcp-listen"},
    {"POSIXMQ", "posixmq-read"},
    {"SOCKS4", "socks4"},
    {"SOCKS4A", "socks4a"},
    {"SOCKS5", "socks5"},
    {"VSOCK", "vsock-connect"},
    {"NAMESPACES", NULL},
    {"PROXY", "proxy"},
    {"SYSTEM", "system"},
    {"SHELL", "shell"},
    {"EXEC", "exec"},
    {"READLINE", "readline"},
    {"TUN", "tun"},
    {"PTY", "pty"},
    {"OPENSSL", "openssl"},
    {"LIBWRAP", NULL},
    {"FILAN", NULL},
    {"RETRY", NULL},
    {"STATS", NULL},
    {"SYCLS", NULL},
};
/* Names that scripts ask for and that promise what this program does not do. */
static const char *const missing[] = {"FIPS", "DEVTESTS"};

static void print_features(FILE *f, const struct registry *known)
{
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        const char *keyword = features[i].keyword;
        bool there = !keyword || registry_known(known, keyword);
        fprintf(f, there ? "  #define WITH_%s 1\n" : "  #undef WITH_%s\n", features[i].name);
    }
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
        fprintf(f, "  #undef WITH_%s\n", missing[i]);
    fprintf(f, "  #define WITH_DEFAULT_IPV 4\n");
}

/* ---- all of it ---- */

/* Of the module on top alone, whether it is loaded or not. */
static const char *keywords_of(const struct registry *r, char *out, size_t cap)
{
    size_t n = 0;
    (void)snprintf(out, cap, "%s%s", r->late ? " " : "", r->late ? r->late->names : "");
    if (r->late)
        return out;
    for (const struct form *const *t = r->forms; *t; t++)
        for (const struct form *a = *t; a->keyword && n < cap; a++)
            n += (size_t)snprintf(out + n, cap - n, " %s", a->keyword);
    return out;
}

static void print_module(FILE *f, const struct registry *r)
{
    char words[512];
    struct err e;
    fprintf(f, "   module %s, version %d:%s\n", r->from, CATENA_ABI, keywords_of(r, words, sizeof words));
    if (r->late && r->late->look(r, &e) < 0)
        fprintf(f, "      it cannot be used: %s\n", e.text);
}

void version_print(FILE *f, const struct registry *known, bool v1_name)
{
    fprintf(f, "catena, a relay for chains of addresses, also socat\n");
    fprintf(f, "%s version %s\n", v1_name ? "socat" : "catena", catena_version);
    print_system(f);
    for (const struct registry *r = known; r; r = r->base)
        if (r->from)
            print_module(f, r);
    fprintf(f, "libraries, loaded when a line needs them:\n");
    for (const struct library_about *const *table = library_tables; *table; table++)
        for (const struct library_about *l = *table; l->name; l++)
            print_library(f, l);
    fprintf(f, "of the kernel:\n");
    print_kernel(f);
    fprintf(f, "features:\n");
    print_features(f, known);
}
