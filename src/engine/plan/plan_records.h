/* SPDX-License-Identifier: GPL-2.0-or-later
 * Bytes or records: what the ends and links of a plan make of boundaries. */
#ifndef CATENA_PLAN_RECORDS_H
#define CATENA_PLAN_RECORDS_H

#include "catena/plan.h"

enum link_records { /* what a link does to the records of a flow */
    LINK_KEEPS = 1, /* they stay what they are */
    LINK_TAKES = 2, /* each is taken as one, and becomes something else */
    LINK_GIVES = 4, /* what it gives are records, whatever came */
};
enum link_records link_records(const struct plan_link *l, int source);
/* What an end gives and takes. */
enum form_records records_of(const struct addr *a);
int plan_settle_records(struct plan *p, struct err *e);

#endif
