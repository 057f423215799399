/* SPDX-License-Identifier: GPL-2.0-or-later
 * The parts of procan's report, one function each, in their order. They only ask. */
#ifndef CATENA_PROCAN_H
#define CATENA_PROCAN_H

#include <stdio.h>

void procan_process(FILE *f);    /* ids, session, terminal, users and groups */
void procan_limits(FILE *f);     /* resource limits */
void procan_signals(FILE *f);    /* what each signal does here */
void procan_sizes(FILE *f);      /* of C types */
void procan_interfaces(FILE *f); /* of the network */
void procan_defines(FILE *f);    /* -c: values of C constants, as #define lines */

#endif
