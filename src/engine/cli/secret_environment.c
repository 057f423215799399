/* SPDX-License-Identifier: GPL-2.0-or-later
 * Secrets that came from variables of the process: see secret_environment.h. */
#include "engine/cli/secret_environment.h"

#include <stdlib.h>
#include <string.h>

#include "catena/option.h"
#include "catena/routes.h"

static void hide_variables(const struct addr *a)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        char *value = o->desc->secret == SECRET_ENV ? getenv(o->v.variable) : NULL;
        if (value) {
            memset(value, '*', strlen(value)); /* the kernel shows what the process began with */
            (void)unsetenv(o->v.variable);
        }
    }
}

void secret_hide_environment(const struct plan *p)
{
    const struct addr *a;
    for (const struct routes *of = p->routes; of; of = of->next)
        for (size_t i = 0; i < of->n; i++)
            if (of->v[i].plan)
                secret_hide_environment(of->v[i].plan);
    if (p->trunk)
        secret_hide_environment(p->trunk);
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++)
            hide_variables(a);
}
