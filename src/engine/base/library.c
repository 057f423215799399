/* SPDX-License-Identifier: GPL-2.0-or-later
 * Loads a library and finds its symbols: see library.h. */
#include "catena/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int fill_slots(const struct library *l, void *handle, struct err *e)
{
    for (const struct library_symbol *s = l->symbols; s->name; s++) {
        void *address = dlsym(handle, s->name);
        if (!address)
            return err_set(e, ERR_LIBRARY, "%s has no %s", l->file, s->name);
        memcpy(s->slot, &address, sizeof address); /* of whatever type it is */
    }
    return 0;
}

static int absent(const struct library *l, struct err *e)
{
    char hint[80];
    (void)err_set(e, ERR_LIBRARY, "a library cannot be loaded: %s", dlerror());
    if (!l->package)
        return -1;
    (void)snprintf(hint, sizeof hint, "Debian's package %s has it", l->package);
    return err_hint(e, hint);
}

static int load(struct library *l, struct err *e)
{
    void *handle = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return absent(l, e);
    l->loaded = fill_slots(l, handle, e) == 0;
    if (!l->loaded)
        (void)dlclose(handle);
    return l->loaded ? 0 : -1;
}

int library_load(struct library *l, struct err *e)
{
    pthread_mutex_lock(&lock);
    int rc = l->loaded ? 0 : load(l, e);
    pthread_mutex_unlock(&lock);
    return rc;
}

const char *library_limits(void)
{
    return NULL;
}
