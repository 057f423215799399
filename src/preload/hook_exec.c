/* SPDX-License-Identifier: GPL-2.0-or-later
 * The calls that start programs: an environment that knows nothing of us any more, as it was cleaned or is another one
 * altogether, is given the library, the lease and our user's wishes again. Whatever of these it still has is as somebody
 * wanted it. Nothing but the stack is used, as this may be the child of vfork(). */
#include <alloca.h>
#include <dlfcn.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/protocol.h"
#include "preload/real.h"

static const char preload[] = "LD_PRELOAD=";

/* Which one makes an environment ours is told by the first three. */
static const char *const names[] = {PRELOAD_LEASE, "XIO_CHAIN", "XIO_RULES", "XIO_QUIET", "XIO_RESOLVE", "CATENA_MODULES"};
enum { WAYS = 3, NAMES = sizeof names / sizeof names[0] };

/* As they were when the program began. */
static char *kept[NAMES];
static char *library; /* LD_PRELOAD=, with us alone */

__attribute__((constructor)) static void keep(void)
{
    Dl_info us;
    for (size_t i = 0; i < NAMES; i++) {
        const char *value = getenv(names[i]);
        if (value && asprintf(&kept[i], "%s=%s", names[i], value) < 0)
            kept[i] = NULL;
    }
    if (dladdr((void *)(uintptr_t)keep, &us) && us.dli_fname && !strpbrk(us.dli_fname, ": ") &&
        asprintf(&library, "%s%s", preload, us.dli_fname) < 0)
        library = NULL;
}

/* ---- an environment ---- */

static bool is_variable(const char *text, const char *name)
{
    size_t n = strlen(name);
    return strncmp(text, name, n) == 0 && text[n] == '=';
}

static bool is_preload(const char *variable)
{
    return strncmp(variable, preload, sizeof preload - 1) == 0;
}

static bool tells_a_way(char *const *env)
{
    for (; env && *env; env++)
        for (size_t i = 0; i < WAYS; i++)
            if (is_variable(*env, names[i]))
                return true;
    return false;
}

/* What fit() needs, in bytes. */
static size_t room_for(char *const *env)
{
    size_t n = NAMES + 2, text = 0;
    for (; env && *env; env++, n++)
        if (library && is_preload(*env))
            text += strlen(library) + strlen(*env);
    return n * sizeof *env + text;
}

/* Us before the others. */
static char *put_before(char **text, const char *variable)
{
    char *put = *text;
    const char *others = variable + sizeof preload - 1;
    *text = stpcpy(stpcpy(stpcpy(put, library), *others ? ":" : ""), others) + 1;
    return put;
}

/* What is to be given instead. */
static char *const *fit(void *room, size_t size, char *const *env)
{
    char **ours = room, *text = (char *)room + size;
    bool loaded = false, add = !tells_a_way(env);
    size_t n = 0;
    if (!library)
        return env;
    for (char *const *v = env; v && *v; v++)
        if (is_preload(*v))
            text -= strlen(library) + strlen(*v);
    for (; env && *env; env++) {
        loaded |= is_preload(*env);
        ours[n++] = is_preload(*env) && !strstr(*env, PRELOAD_LIBRARY) ? put_before(&text, *env) : *env;
    }
    if (!loaded)
        ours[n++] = library;
    for (size_t i = 0; add && i < NAMES; i++)
        if (kept[i])
            ours[n++] = kept[i];
    ours[n] = NULL;
    return ours;
}

/* ---- exec ---- */

HOOK int execve(const char *path, char *const argv[], char *const env[])
{
    size_t size = room_for(env);
    return REAL(execve)(path, argv, fit(alloca(size), size, env));
}

HOOK int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

HOOK int execvpe(const char *file, char *const argv[], char *const env[])
{
    size_t size = room_for(env);
    return REAL(execvpe)(file, argv, fit(alloca(size), size, env));
}

HOOK int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

HOOK int fexecve(int fd, char *const argv[], char *const env[])
{
    size_t size = room_for(env);
    return REAL(fexecve)(fd, argv, fit(alloca(size), size, env));
}

HOOK int execveat(int dir, const char *path, char *const argv[], char *const env[], int flags)
{
    size_t size = room_for(env);
    return REAL(execveat)(dir, path, argv, fit(alloca(size), size, env), flags);
}

/* ---- with arguments one by one ---- */

/* Their number, with the NULL behind them. */
static size_t count(const char *first, va_list more)
{
    size_t n = 1;
    for (const char *a = first; a; a = va_arg(more, const char *))
        n++;
    return n;
}

/* Leaves `more` behind the last of them, which a function would not on every machine. What is on the stack is there as
 * long as the caller's frame: a macro. */
#define GATHER(argv, first, more)                                                                  \
    va_list more;                                                                                  \
    va_start(more, first);                                                                         \
    size_t argv##_n = count(first, more);                                                          \
    va_end(more);                                                                                  \
    char **argv = alloca(argv##_n * sizeof *argv);                                                 \
    va_start(more, first);                                                                         \
    argv[0] = (char *)(uintptr_t)first;                                                            \
    for (size_t i_ = 1; i_ < argv##_n; i_++)                                                       \
        argv[i_] = va_arg(more, char *)

HOOK int execl(const char *path, const char *first, ...)
{
    GATHER(argv, first, more);
    va_end(more);
    return execve(path, argv, environ);
}

HOOK int execlp(const char *file, const char *first, ...)
{
    GATHER(argv, first, more);
    va_end(more);
    return execvpe(file, argv, environ);
}

HOOK int execle(const char *path, const char *first, ...)
{
    GATHER(argv, first, more);
    char *const *env = va_arg(more, char *const *);
    va_end(more);
    return execve(path, argv, env);
}

/* ---- spawn ---- */

HOOK int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *restrict actions,
                     const posix_spawnattr_t *restrict attr, char *const argv[restrict], char *const env[restrict])
{
    size_t size = room_for(env);
    return REAL(posix_spawn)(pid, path, actions, attr, argv, fit(alloca(size), size, env));
}

HOOK int posix_spawnp(pid_t *restrict pid, const char *restrict file, const posix_spawn_file_actions_t *restrict actions,
                      const posix_spawnattr_t *restrict attr, char *const argv[restrict], char *const env[restrict])
{
    size_t size = room_for(env);
    return REAL(posix_spawnp)(pid, file, actions, attr, argv, fit(alloca(size), size, env));
}
