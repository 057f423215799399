/* SPDX-License-Identifier: GPL-2.0-or-later
 * The caller's end of a line, as an address: HANDLE, or HANDLE-RECORDS where messages are to stay what they
 * are. It is brought open (struct passage) and opens nothing itself. */
#include "xio/end.h"

#include "catena/endpoint.h"

static int end_open(const struct addr *a, struct run *r, void *state, struct port **out, struct err *e)
{
    (void)r, (void)state, (void)out;
    return err_at(e, a->at, "%s: stands for the caller's own end, and is nothing to open", a->label);
}

static const struct endpoint_ops end_ops = {.open = end_open};

static const struct form forms_handle[] = {
    {.keyword = HANDLE_OF_BYTES, .left = CTX_RWB, .kind = FORM_ENDPOINT, .ops.endpoint = &end_ops,
     .help = "the caller's end of the line"},
    {.keyword = HANDLE_OF_RECORDS, .left = CTX_RWB, .kind = FORM_ENDPOINT, .records = RECORDS_MANY,
     .ops.endpoint = &end_ops, .help = "the same, of messages"},
    {.keyword = NULL},
};

static const struct form *const forms[] = {forms_handle, NULL};
static const struct option_desc *const *const no_options[] = {NULL};
const struct registry handle_registry = {forms, no_options, &builtin_registry, NULL};
