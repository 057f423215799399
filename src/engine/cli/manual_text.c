/* SPDX-License-Identifier: GPL-2.0-or-later
 * The manual as plain text: see manual_text.h. */
#include "engine/cli/manual_text.h"

#include <string.h>
#include <strings.h>

const struct manual_entry manual_text[] = {
#include "engine/cli/manual_text.inc"
    {0},
};

size_t manual_first_word(const struct manual_entry *m) { return strcspn(m->names, " ,?"); }

bool manual_is_about(const struct manual_entry *m, enum manual_kind kind, const char *name)
{
    size_t n = strlen(name);
    if (m->kind != (char)kind || n == 0)
        return false;
    if (kind == MANUAL_TOPIC)
        return n == manual_first_word(m) && strncasecmp(m->names, name, n) == 0;
    for (const char *at = m->names; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strncasecmp(at, name, n) == 0 && (at[n] == ' ' || at[n] == '\0'))
            return true;
    }
    return false;
}
