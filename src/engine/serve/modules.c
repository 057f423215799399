/* SPDX-License-Identifier: GPL-2.0-or-later
 * Loading modules: see modules.h. Who may write to one may do everything that we may, so that has to be root
 * or the user himself. */
#include "engine/serve/modules.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/library.h"
#include "catena/module.h"

/* ---- one file ---- */

int module_check(const char *file, struct err *e)
{
    struct stat st;
    if (stat(file, &st) < 0)
        return err_sys(e, "module \"%s\"", file);
    if (st.st_mode & (S_IWGRP | S_IWOTH) || (st.st_uid != 0 && st.st_uid != geteuid()))
        return err_set(e, ERR_DENIED, "module \"%s\": others than root and you may write to it (owner %u, mode %04o); "
                       "it is not loaded", file, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777U);
    return 0;
}

const struct catena_module *module_open(const char *path, struct err *e)
{
    if (module_check(path, e) < 0)
        return NULL;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct catena_module *module = handle ? dlsym(handle, "catena_module") : NULL;
    if (module)
        return module;
    if (handle)
        (void)err_set(e, ERR_USAGE, "module \"%s\" is none of catena: it has no \"catena_module\"", path);
    else
        (void)err_set(e, ERR_OTHER, "module \"%s\" cannot be loaded: %s", path, dlerror());
    if (handle)
        (void)dlclose(handle);
    return NULL;
}

static int add(struct modules *m, const char *file, const struct catena_module *module, struct err *e)
{
    const struct registry *known;
    if (registry_add_module(&m->memory, m->known, module, file, &known, e) < 0)
        return err_wrap(e, "module \"%s\"", file);
    m->known = known;
    return 0;
}

static int open_file(struct modules *m, const char *file, struct err *e)
{
    if (library_limits())
        return err_set(e, ERR_OTHER, "module \"%s\": %s", file, library_limits());
    char *path = realpath(file, NULL); /* dlopen() looks elsewhere for a name without a slash */
    if (!path)
        return err_sys(e, "module \"%s\"", file);
    const char *name = arena_printf(&m->memory, "%s", path);
    free(path);
    if (!name)
        return err_nomem(e);
    const struct catena_module *module = module_open(name, e);
    return module ? add(m, name, module, e) : -1;
}

static int load_file(struct modules *m, const char *file, struct err *e)
{
    return open_file(m, file, e) < 0 ? err_more_precisely(e, ERR_MODULE) : 0;
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
int modules_load_directory(struct modules *m, const char *directory, bool named, struct err *e)
{
    struct dirent **entry = NULL;
    struct stat st;
    if (stat(directory, &st) == 0 && module_check(directory, e) < 0)
        return left_out(err_more_precisely(e, ERR_MODULE), named, e);
    int n = scandir(directory, &entry, is_module, alphasort), rc = 0;
    if (n < 0 && (named || errno != ENOENT))
        rc = left_out((err_sys(e, "modules in \"%s\"", directory), err_more_precisely(e, ERR_MODULE)), named, e);
    for (int i = 0; i < n; i++) {
        const char *file = arena_printf(&m->memory, "%s/%s", directory, entry[i]->d_name);
        free(entry[i]);
        if (rc < 0)
            continue;
        rc = left_out(file ? load_file(m, file, e) : err_nomem(e), named, e);
    }
    free(entry);
    return rc;
}

int modules_load_one(struct modules *m, const char *name, struct err *e)
{
    struct stat st;
    bool directory = stat(name, &st) == 0 && S_ISDIR(st.st_mode);
    return directory ? modules_load_directory(m, name, true, e) : load_file(m, name, e);
}

/* ---- all of a list ---- */

/* Blank words between the colons name nothing. */
int modules_load_list(struct modules *m, const char *list, struct err *e)
{
    for (const char *p = list; p && *p;) {
        size_t n = strcspn(p, ":");
        const char *name = arena_printf(&m->memory, "%.*s", (int)n, p);
        if (!name)
            return err_nomem(e);
        if (n > 0 && modules_load_one(m, name, e) < 0)
            return -1;
        p += n + (p[n] == ':');
    }
    return 0;
}
