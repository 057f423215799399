/* SPDX-License-Identifier: GPL-2.0-or-later
 * Finding the functions behind ours: see real.h. Whoever comes twice finds the same. */
#include "preload/real.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static struct real real;
static atomic_bool found;

static const struct {
    const char *name;
    size_t at;
} hooked[] = {
#define HOOKED(f) {#f, offsetof(struct real, f)},
#define HOOKED_AS(f, type) HOOKED(f)
#include "preload/hooked.def"
#undef HOOKED_AS
#undef HOOKED
};

static void find(void)
{
    for (size_t i = 0; i < sizeof hooked / sizeof hooked[0]; i++) {
        void *f = dlsym(RTLD_NEXT, hooked[i].name);
        memcpy((char *)&real + hooked[i].at, &f, sizeof f);
    }
    atomic_store_explicit(&found, true, memory_order_release);
}

const struct real *real_functions(void)
{
    if (!atomic_load_explicit(&found, memory_order_acquire))
        find();
    return &real;
}
