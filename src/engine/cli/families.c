/* SPDX-License-Identifier: GPL-2.0-or-later
 * Families of the program's own that are modules, so that what modules are promised is what we live on: see
 * families.h. Their names are known, and a file is loaded when one of them is used: while a line is planned, so before
 * anything is opened, forked or confined. Whoever needs none of them pays nothing. */
#include "engine/cli/families.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "catena/module.h"
#include "engine/serve/modules.h"

struct family {
    struct registry r;
    const struct form *forms[2]; /* NULL: they are not there yet */
    struct late_family late;
    const char *file;
    char path[PATH_MAX]; /* where it was looked for */
    bool tried;
    struct err why; /* it cannot be had */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all of them */

/* In the build tree they lie beside the program, else where both were installed. Where the program has rights of its
 * own, whoever starts it may have given it another place. */
static void find(struct family *m)
{
    static const char *const places[] = {"families/", CATENA_TO_FAMILIES};
    char self[PATH_MAX];
    ssize_t n = getauxval(AT_SECURE) ? -1 : readlink("/proc/self/exe", self, sizeof self);
    const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;
    int dir = slash ? (int)(slash - self) + 1 : 0;
    for (size_t i = 0; slash && i < sizeof places / sizeof places[0]; i++)
        if (snprintf(m->path, sizeof m->path, "%.*s%s%s", dir, self, places[i], m->file) < PATH_MAX &&
            access(m->path, F_OK) == 0)
            return;
    (void)snprintf(m->path, sizeof m->path, CATENA_FAMILY_DIR "/%s", m->file);
}

static int load(struct family *m, struct err *e)
{
    static struct arena memory;
    const struct registry *checked;
    find(m);
    const struct catena_module *module = module_open(m->path, e);
    if (!module)
        return -1;
    if (registry_add_module(&memory, NULL, module, m->path, &checked, e) < 0)
        return err_wrap(e, "module \"%s\"", m->path);
    m->forms[0] = module->forms;
    m->r.from = m->path;
    return 0;
}

static struct family *family_of(const struct registry *r)
{
    return (struct family *)((uintptr_t)r - offsetof(struct family, r));
}

static int look(const struct registry *r, struct err *e)
{
    struct family *m = family_of(r);
    pthread_mutex_lock(&lock);
    find(m);
    int rc = module_check(m->path, e);
    pthread_mutex_unlock(&lock);
    return rc;
}

static int have(const struct registry *r, struct err *e)
{
    struct family *m = family_of(r);
    pthread_mutex_lock(&lock);
    if (!m->tried && load(m, &m->why) < 0)
        (void)err_more_precisely(&m->why, ERR_MODULE);
    m->tried = true;
    bool there = m->forms[0] != NULL;
    if (!there)
        *e = m->why;
    pthread_mutex_unlock(&lock);
    return there ? 0 : -1;
}

static const struct option_desc *const *const no_options[] = {NULL};

#define FORMS(x)
#define FAMILY(x, names) FAMILY_##x,
enum {
#include "inter/inters.def"
    FAMILIES
};
#undef FAMILY

static struct family families[FAMILIES] = {
#define FAMILY(x, names_)                                                                                   \
    [FAMILY_##x] = {.r = {families[FAMILY_##x].forms, no_options,                                           \
                          FAMILY_##x + 1 < FAMILIES ? &families[(FAMILY_##x + 1) % FAMILIES].r : NULL,      \
                          "families/" #x ".so", &families[FAMILY_##x].late},                                \
                    .late = {names_, have, look},                                                            \
                    .file = #x ".so"},
#include "inter/inters.def"
};

static const struct form *const no_forms[] = {NULL};
const struct registry families_registry = {no_forms, no_options, &families[0].r, NULL, NULL};
