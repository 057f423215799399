/* SPDX-License-Identifier: GPL-2.0-or-later
 * See program.h. */
#include "xiorun/program.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SCRIPTS_MAX = 4, HEADERS_MAX = 64 };

static bool is_program(const char *path)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
        return true;
    errno = there ? EACCES : errno == ENOTDIR ? ENOENT : errno;
    return false;
}

bool program_find(const char *name, char path[PATH_MAX])
{
    const char *dirs = getenv("PATH");
    int why = ENOENT;
    errno = ENOENT;
    if (strchr(name, '/'))
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && is_program(path);
    for (const char *p = dirs ? dirs : "/bin:/usr/bin"; *p;) {
        size_t n = strcspn(p, ":");
        int len = snprintf(path, PATH_MAX, "%.*s/%s", n ? (int)n : 1, n ? p : ".", name);
        if (len < PATH_MAX && is_program(path))
            return true;
        why = len < PATH_MAX && errno == EACCES ? EACCES : why;
        p += n + (p[n] == ':');
    }
    errno = why;
    return false;
}

/* ---- rights ---- */

bool program_gains_rights(const char *path)
{
    struct stat st;
    bool root = geteuid() == 0;
    if (stat(path, &st) < 0)
        return false;
    return (st.st_mode & S_ISUID && st.st_uid != geteuid()) || (st.st_mode & S_ISGID && st.st_gid != getegid()) ||
           (!root && getxattr(path, "security.capability", NULL, 0) > 0);
}

/* ---- what it is ---- */

/* Go's linker leaves a note of its own. Its programs call the kernel without the C library, also where they load that. */
static bool is_of_go(int fd, const ElfW(Phdr) *p)
{
    char notes[512];
    ElfW(Nhdr) note;
    ssize_t n = p->p_type == PT_NOTE ? pread(fd, notes, sizeof notes, (off_t)p->p_offset) : 0;
    size_t end = n > 0 && (size_t)n < p->p_filesz ? (size_t)n : p->p_filesz;
    for (size_t at = 0; n > 0 && at + sizeof note + 4 <= end && at + sizeof note + 4 <= (size_t)n;) {
        memcpy(&note, notes + at, sizeof note);
        if (note.n_namesz == 4 && memcmp(notes + at + sizeof note, "Go\0", 4) == 0)
            return true;
        at += sizeof note + ((size_t)note.n_namesz + 3) / 4 * 4 + ((size_t)note.n_descsz + 3) / 4 * 4;
    }
    return false;
}

/* Static ones have no interpreter, which would load libraries for them. */
static const char *look_at_headers(int fd, const ElfW(Ehdr) *e)
{
    bool loads = false, go = false;
    ElfW(Phdr) p;
    for (unsigned i = 0; i < e->e_phnum && i < HEADERS_MAX; i++) {
        if (pread(fd, &p, sizeof p, (off_t)(e->e_phoff + i * (size_t)e->e_phentsize)) != sizeof p)
            break;
        loads |= p.p_type == PT_INTERP;
        go |= is_of_go(fd, &p);
    }
    return !loads ? "is a static program" : go ? "is a Go program, which calls the kernel itself" : NULL;
}

/* Of another word size than ours, which is the library's. */
static bool is_foreign(const ElfW(Ehdr) *e)
{
    return e->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32);
}

/* "#!/bin/sh -e": what stands for it. */
static bool read_script(char *head, size_t n, char path[PATH_MAX])
{
    head[n] = '\0';
    if (strncmp(head, "#!", 2) != 0)
        return false;
    char *name = head + 2 + strspn(head + 2, " \t");
    name[strcspn(name, " \t\n")] = '\0';
    return *name && snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
}

static const char *look(int fd, char next[PATH_MAX])
{
    union {
        ElfW(Ehdr) elf;
        char text[512];
    } head;
    ssize_t n = pread(fd, &head, sizeof head - 1, 0);
    *next = '\0';
    if (n >= (ssize_t)sizeof head.elf && memcmp(head.elf.e_ident, ELFMAG, SELFMAG) == 0)
        return is_foreign(&head.elf) ? "is a program for another word size" : look_at_headers(fd, &head.elf);
    if (n > 0)
        (void)read_script(head.text, (size_t)n, next);
    return NULL;
}

const char *program_is_out_of_reach(const char *path)
{
    char at[PATH_MAX], next[PATH_MAX];
    const char *why = NULL;
    (void)snprintf(at, sizeof at, "%s", path);
    for (int i = 0; i < SCRIPTS_MAX && *at && !why; i++) {
        int fd = open(at, O_RDONLY | O_CLOEXEC);
        if (program_gains_rights(at))
            why = "has more rights than you";
        else if (fd >= 0)
            why = look(fd, next);
        if (fd < 0)
            break;
        close(fd);
        memcpy(at, next, sizeof at);
    }
    return why;
}
