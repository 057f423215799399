/* SPDX-License-Identifier: GPL-2.0-or-later
 * Loading modules: see modules.h. Who may write to one may do everything that we may, so that has to be root
 * or the user himself. */
#include "engine/cli/modules.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/module.h"

struct loading {
    struct cmdline *c;
    struct arena memory; /* for as long as the process */
};

/* ---- one file ---- */

static int check_writers(const char *file, struct err *e)
{
    struct stat st;
    if (stat(file, &st) < 0)
        return err_sys(e, "module \"%s\"", file);
    if (st.st_mode & (S_IWGRP | S_IWOTH) || (st.st_uid != 0 && st.st_uid != geteuid()))
        return err_set(e, ERR_DENIED, "module \"%s\": others than root and you may write to it (owner %u, mode %04o); "
                       "it is not loaded", file, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777U);
    return 0;
}

static int add(struct loading *l, const char *file, const struct catena_module *m, struct err *e)
{
    const struct registry *known;
    if (registry_add_module(&l->memory, l->c->catena.known, m, file, &known, e) < 0)
        return err_wrap(e, "module \"%s\"", file);
    l->c->catena.known = known;
    return 0;
}

static int load_file(struct loading *l, const char *file, struct err *e)
{
    char *path = realpath(file, NULL); /* dlopen() looks elsewhere for a name without a slash */
    if (!path)
        return err_sys(e, "module \"%s\"", file);
    const char *name = arena_printf(&l->memory, "%s", path);
    free(path);
    if (!name)
        return err_nomem(e);
    if (check_writers(name, e) < 0)
        return -1;
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return err_set(e, ERR_OTHER, "module \"%s\" cannot be loaded: %s", name, dlerror());
    const struct catena_module *m = dlsym(handle, "catena_module");
    if (m)
        return add(l, name, m, e);
    (void)dlclose(handle);
    return err_set(e, ERR_USAGE, "module \"%s\" is none of catena: it has no \"catena_module\"", name);
}

/* ---- all of a directory ---- */

static int is_module(const struct dirent *d)
{
    const char *dot = strrchr(d->d_name, '.');
    return dot && dot > d->d_name && strcmp(dot, ".so") == 0;
}

/* What nobody has named is no reason to do nothing. */
static int left_out(int rc, bool named, const struct err *e)
{
    if (rc < 0 && !named)
        diag_err(DIAG_WARN, e);
    return named ? rc : 0;
}

/* In the order of their names. */
static int load_directory(struct loading *l, const char *directory, bool named, struct err *e)
{
    struct dirent **entry = NULL;
    int n = scandir(directory, &entry, is_module, alphasort), rc = 0;
    if (n < 0 && (named || errno != ENOENT))
        rc = left_out(err_sys(e, "modules in \"%s\"", directory), named, e);
    for (int i = 0; i < n; i++) {
        const char *file = arena_printf(&l->memory, "%s/%s", directory, entry[i]->d_name);
        free(entry[i]);
        if (rc < 0)
            continue;
        rc = left_out(file ? load_file(l, file, e) : err_nomem(e), named, e);
    }
    free(entry);
    return rc;
}

static int load(struct loading *l, const char *name, struct err *e)
{
    struct stat st;
    bool directory = stat(name, &st) == 0 && S_ISDIR(st.st_mode);
    return directory ? load_directory(l, name, true, e) : load_file(l, name, e);
}

/* ---- all of them ---- */

/* Blank words between the colons name nothing. */
static int load_list(struct loading *l, const char *list, struct err *e)
{
    for (const char *p = list; p && *p;) {
        size_t n = strcspn(p, ":");
        const char *name = arena_printf(&l->memory, "%.*s", (int)n, p);
        if (!name)
            return err_nomem(e);
        if (n > 0 && load(l, name, e) < 0)
            return -1;
        p += n + (p[n] == ':');
    }
    return 0;
}

int modules_load(struct cmdline *c, struct err *e)
{
    static struct loading l; /* what is known lasts as long as the process */
    const char *list = catena_variable(&c->catena, "CATENA_MODULES");
    l.c = c;
    for (size_t i = 0; i < c->nmodules; i++)
        if (load(&l, c->modules[i], e) < 0)
            return -1;
    if (list && getauxval(AT_SECURE)) { /* whoever started us has fewer rights than we */
        diag(DIAG_WARN, "CATENA_MODULES is not heeded by a program with rights of its own");
        list = NULL;
    }
    return load_list(&l, list, e) < 0 ? -1 : load_directory(&l, CATENA_MODULE_DIR, false, e);
}
