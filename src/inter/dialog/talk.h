/* SPDX-License-Identifier: GPL-2.0-or-later
 * A script is talked over a wire. Only what has been waited for, and what came before it, is taken. */
#ifndef INTER_DIALOG_TALK_H
#define INTER_DIALOG_TALK_H

#include "catena/wire.h"
#include "inter/dialog/script.h"

struct talk_how {
    const char *eol;    /* behind what is said */
    double timeout;     /* seconds for what is waited for, until the script says otherwise; 0 for ever */
    bool whole;         /* the wire's deadline is for all of it */
};

/* Gives -1 with what went wrong, where in the script, and the last text that came. */
int talk(const struct script *s, const struct talk_how *how, struct wire *w, struct err *e);

#endif
