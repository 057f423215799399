/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for listening, for serving many connections, for trying again, and for who is let in; the
 * opening code asks for them. */
#include "catena/option_row.h"

NAMED_OPTION(opt_accept_timeout, "accept-timeout", "listen-timeout", GROUP_LISTEN, LISTEN, TIMEVAL,
             "end waiting for a connection after so many seconds");
NAMED_OPTION(opt_backlog, "backlog", NULL, GROUP_LISTEN, LISTEN, INT,
             "connections that may wait to be accepted, default 5");
NAMED_OPTION(opt_children_shutup, "children-shutup", NULL, GROUP_CHILD, PASTACCEPT, INT,
             "lower the level of messages from children by so much");
NAMED_OPTION(opt_fork, "fork", NULL, GROUP_CHILD, PASTACCEPT, BOOL,
             "serve each connection in a process of its own");
NAMED_OPTION(opt_max_children, "max-children", "maxchildren", GROUP_CHILD, PASTACCEPT, INT,
             "connections served at the same time; 0: as many as come", FROM_TO(0, 1000000));
NAMED_OPTION(opt_thread, "thread", NULL, GROUP_CHILD, PASTACCEPT, BOOL,
             "serve each connection in a thread of its own");
NAMED_OPTION(opt_forever, "forever", NULL, GROUP_RETRY, INIT, BOOL,
             "try to open the address without end");
NAMED_OPTION(opt_interval, "interval", "intervall", GROUP_RETRY, INIT, TIMESPEC,
             "seconds between attempts, default 1");
NAMED_OPTION(opt_retry, "retry", NULL, GROUP_RETRY, INIT, UINT,
             "number of attempts after the first one");
NAMED_OPTION(opt_range, "range", NULL, GROUP_RANGE, ACCEPT, STRING,
             "let in peers of this address range only: <address>/<bits> or <address>:<mask>");
NAMED_OPTION(opt_tcpwrap_etc, "tcpwrap-etc", "tcpwrap-dir", GROUP_RANGE, ACCEPT, STRING,
             "directory of hosts.allow and hosts.deny");
NAMED_OPTION(opt_tcpwrap_allow, "tcpwrap-hosts-allow-table", "allow-table hosts-allow", GROUP_RANGE,
             ACCEPT, STRING, "file instead of /etc/hosts.allow");
NAMED_OPTION(opt_tcpwrap_deny, "tcpwrap-hosts-deny-table", "deny-table hosts-deny", GROUP_RANGE,
             ACCEPT, STRING, "file instead of /etc/hosts.deny");
NAMED_OPTION(opt_tcpwrap, "tcpwrappers", "libwrap tcpwrap tcpwrapper wrap", GROUP_RANGE, ACCEPT,
             STRING_NULL, "let in what hosts.allow and hosts.deny allow this service name");

OPTION_TABLE(listen) = {
    &opt_accept_timeout, &opt_backlog, &opt_children_shutup, &opt_fork, &opt_max_children,
    &opt_thread, &opt_forever, &opt_interval, &opt_retry, &opt_range, &opt_tcpwrap_etc,
    &opt_tcpwrap_allow, &opt_tcpwrap_deny, &opt_tcpwrap,
    OPTIONS_END,
};
