/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for listening, for serving many connections, for trying again, and for who is let in; the
 * opening code asks for them. */
#include "catena/option_row.h"

OPTION_TABLE(listen) = {
    OPTION("accept-timeout", "listen-timeout", GROUP_LISTEN, LISTEN, TIMEVAL,
           "end waiting for a connection after so many seconds", .id = OPT_ACCEPT_TIMEOUT),
    OPTION("backlog", NULL, GROUP_LISTEN, LISTEN, INT,
           "connections that may wait to be accepted, default 5", .id = OPT_BACKLOG),
    OPTION("children-shutup", NULL, GROUP_CHILD, PASTACCEPT, INT,
           "lower the level of messages from children by so much", .id = OPT_CHILDREN_SHUTUP),
    OPTION("fork", NULL, GROUP_CHILD, PASTACCEPT, BOOL,
           "serve each connection in a process of its own", .id = OPT_FORK),
    OPTION("max-children", "maxchildren", GROUP_CHILD, PASTACCEPT, INT,
           "connections served at the same time", .id = OPT_MAX_CHILDREN),
    OPTION("thread", NULL, GROUP_CHILD, PASTACCEPT, BOOL,
           "serve each connection in a thread of its own", .id = OPT_THREAD),
    OPTION("forever", NULL, GROUP_RETRY, INIT, BOOL, "try to open the address without end",
           .id = OPT_FOREVER),
    OPTION("interval", "intervall", GROUP_RETRY, INIT, TIMESPEC,
           "seconds between attempts, default 1", .id = OPT_INTERVAL),
    OPTION("retry", NULL, GROUP_RETRY, INIT, UINT, "number of attempts after the first one",
           .id = OPT_RETRY),
    OPTION("range", NULL, GROUP_RANGE, ACCEPT, STRING,
           "let in peers of this address range only: <address>/<bits> or <address>:<mask>",
           .id = OPT_RANGE),
    OPTION("tcpwrap-etc", "tcpwrap-dir", GROUP_RANGE, ACCEPT, STRING,
           "directory of hosts.allow and hosts.deny", .id = OPT_TCPWRAP_ETC),
    OPTION("tcpwrap-hosts-allow-table", "allow-table hosts-allow", GROUP_RANGE, ACCEPT, STRING,
           "file instead of /etc/hosts.allow", .id = OPT_TCPWRAP_ALLOW),
    OPTION("tcpwrap-hosts-deny-table", "deny-table hosts-deny", GROUP_RANGE, ACCEPT, STRING,
           "file instead of /etc/hosts.deny", .id = OPT_TCPWRAP_DENY),
    OPTION("tcpwrappers", "libwrap tcpwrap tcpwrapper wrap", GROUP_RANGE, ACCEPT, STRING_NULL,
           "let in what hosts.allow and hosts.deny allow this service name", .id = OPT_TCPWRAP),
    OPTIONS_END,
};
