/* SPDX-License-Identifier: GPL-2.0-or-later
 * Loads the readline library the program was compiled for. Not linked, so that only those who edit
 * lines pay for it when the program starts, and others need not have it. */
#include "endpoint/terminal/readline.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define STRING(x) STRING_(x)
#define STRING_(x) #x
#define LIBRARY "libreadline.so." STRING(RL_VERSION_MAJOR)

static const struct {
    const char *name;
    size_t at;
} symbols[] = {
#define X(symbol) {#symbol, offsetof(struct readline_library, symbol)},
    READLINE_SYMBOLS(X)
#undef X
};

int readline_load(struct readline_library *out, struct err *e)
{
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (handle == NULL)
        return err_set(e, ERR_OTHER,
                       "GNU readline cannot be loaded: %s (STDIO does without line editing)",
                       dlerror());
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(handle, symbols[i].name);

        if (symbol == NULL)
            return err_set(e, ERR_OTHER, "%s has no %s", LIBRARY, symbols[i].name);
        memcpy((char *)out + symbols[i].at, &symbol, sizeof symbol);
    }
    return 0;
}
