/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of options that the engine asks for by name: opt_find(a, &opt_fork). What only its own family
 * asks for is declared beside the table, opts_*.h. */
#ifndef CATENA_OPTIONS_H
#define CATENA_OPTIONS_H

#include "catena/option.h"

/* data of any address */
extern const struct option_desc opt_cr, opt_crnl, opt_escape, opt_lockfile, opt_readbytes,
    opt_waitlock;
/* descriptors */
extern const struct option_desc opt_end_close, opt_perm, opt_shut_none;
/* listening, serving many, trying again */
extern const struct option_desc opt_children_shutup, opt_fork, opt_max_children, opt_thread,
    opt_forever, opt_interval, opt_retry, opt_tcpwrap;
/* the process */
extern const struct option_desc opt_chdir, opt_netns, opt_umask, opt_su;
/* programs */
extern const struct option_desc opt_nofork;
/* editing lines */
extern const struct option_desc opt_history;
/* choosing by name where to go */
extern const struct option_desc opt_to;
/* sockets */
extern const struct option_desc opt_connect_timeout, opt_so_rcvtimeo, opt_so_type;
/* ports */
extern const struct option_desc opt_sourceport;
/* handshakes */
extern const struct option_desc opt_handshake_timeout;
/* files that are read again */
extern const struct option_desc opt_reload;

#endif
