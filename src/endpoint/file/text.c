/* SPDX-License-Identifier: GPL-2.0-or-later
 * TEXT: reading gives the parameter as the command line's rules made it, once; writing goes to
 * standard output. */
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/base/given.h"

static int text_open(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    struct port *in = NULL, *shown = NULL;

    (void)state;
    if (a->left != CTX_W) {
        diag(DIAG_NOTICE, "reading text of %zu bytes", strlen(a->params[0]));
        if (given_port(a, r, a->params[0], strlen(a->params[0]), 0, &in, e) < 0)
            return -1;
    }
    if (a->left != CTX_R &&
        port_open_fds(-1, STDOUT_FILENO, PORT_BORROWED, PORT_SHUT_NONE, a->label,
                      &shown, e) < 0) {
        port_close(in);
        return -1;
    }
    if (in && shown)
        return port_join(in, shown, out, e);
    *out = in != NULL ? in : shown;
    return 0;
}

static const struct endpoint_ops text_ops = {.open = text_open};

extern const struct form forms_text[];
const struct form forms_text[] = {
    {.keyword = "TEXT", .params = ":<string>", .min_params = 1, .max_params = 1, .left = CTX_RWB,
     .groups = GROUP_FD | GROUP_FIFO, .help = "gives a text to read; shows what is written",
     .kind = FORM_ENDPOINT, .ops.endpoint = &text_ops},
    {.keyword = NULL},
};
