/* SPDX-License-Identifier: GPL-2.0-or-later
 * ROUTE: the place of a chain that a map of names says (catena/routes.h). It is never opened itself: who connected has
 * chosen before. */
#include "catena/endpoint.h"
#include "catena/err.h"

static int route_open(const struct addr *a, struct run *r, void *state, struct port **out, struct err *e)
{
    (void)a, (void)r, (void)state, (void)out;
    return err_set(e, ERR_OTHER, "nobody has chosen a chain");
}

static bool wants_facts(const struct addr *a)
{
    (void)a;
    return true;
}

static const struct endpoint_ops route_ops = {.open = route_open};

extern const struct form forms_route[];
const struct form forms_route[] = {
    {.keyword = "ROUTE", .left = CTX_RWB, .help = "goes where the map of sni-peek or sniff leads", .wants_facts = wants_facts,
     .routed = true, .kind = FORM_ENDPOINT, .ops.endpoint = &route_ops},
    {.keyword = NULL},
};
