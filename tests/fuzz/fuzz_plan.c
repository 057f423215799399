/* SPDX-License-Identifier: GPL-2.0-or-later
 * Two arguments to a plan: a first line of switches (u U 1 g f p), then one argument a line. It
 * ends with a plan that can be printed, or with one error at a place of one of the arguments. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/plan.h"
#include "catena/registry.h"
#include "../home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct settings settings_of(const char *switches)
{
    return (struct settings){.catena = &home, .to_right = !strchr(switches, 'U'),
                             .to_left = !strchr(switches, 'u') || strchr(switches, 'U'),
                             .linger = -1,
                             .idle = -1,
                             .ip_version = 4,
                             .comm = strchr(switches, 'p') ? 'p' : 'S',
                             .comm_given = strchr(switches, 'p') != NULL,
                             .v1_only = strchr(switches, '1') != NULL,
                             .sloppy = strchr(switches, 's') != NULL,
                             .v1_name = strchr(switches, 'v') != NULL,
                             .no_group_check = strchr(switches, 'g') != NULL,
                             .unfused = strchr(switches, 'f') != NULL,
                             .env_prefix = "SOCAT"};
}

static void print(const struct plan *p)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return;
    plan_print(p, f);
    (void)fclose(f);
    if (n == 0)
        abort();
    free(text);
}

/* What runs rely on. */
static void check(const struct plan *p)
{
    if (p->border >= p->nitems || p->items[p->border].kind != ITEM_STATION ||
        p->nleft_items > p->nitems || p->nleft > p->nlinks || !p->end[LEFT].fwd ||
        !p->end[RIGHT].fwd)
        abort();
    if (p->items[p->border].link && p->items[p->border].link->fate == FATE_PROGRAM)
        abort();
}

static void plan(const char *switches, const char *left, const char *right)
{
    struct settings s = settings_of(switches);
    struct plan *p = NULL;
    struct err e = {.kind = ERR_NONE};
    if (plan_make(&s, left, right, &p, &e) == 0) {
        check(p);
        print(p);
        plan_free(p);
        return;
    }
    if (e.kind == ERR_NONE || e.text[0] == '\0')
        abort();
    if (e.where.text && e.where.off + e.where.len > strlen(e.where.text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *rest = text;
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    const char *switches = strsep(&rest, "\n"), *left = rest ? strsep(&rest, "\n") : NULL;
    if (rest)
        plan(switches, left, rest);
    free(text);
    return 0;
}
