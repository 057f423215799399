/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options that change the process: of a program that is run, of the child that serves a
 * connection, or the whole one. */
#include "endpoint/options/apply.h"

NAMED_OPTION(opt_chdir, "chdir", "cd", GROUP_ANY, INIT, STRING,
             "change to this directory while the address is opened");
NAMED_OPTION(opt_netns, "netns", NULL, GROUP_PROCESS, INIT, STRING,
             "open the address in this network namespace");
NAMED_OPTION(opt_umask, "umask", NULL, GROUP_ANY, INIT, MODE,
             "octal file mode creation mask while the address is opened");
NAMED_OPTION(opt_su, "substuser", "su", GROUP_PROCESS, LATE2, UID,
             "become this user, with all his groups, after opening the address",
             .apply = apply_substuser);

OPTION_TABLE(process) = {
    /* in force while the address is opened: the opening code sets and resets them */
    &opt_chdir, &opt_netns, &opt_umask,
    /* for good */
    OPTION("chroot", NULL, GROUP_PROCESS, LATE, STRING,
           "change the root directory after opening the address", .apply = apply_chroot),
    OPTION("chroot-early", NULL, GROUP_PROCESS, EARLY, STRING,
           "change the root directory before opening the address", .apply = apply_chroot),
    OPTION("setgid", NULL, GROUP_PROCESS, LATE2, GID,
           "change the group of the process after opening the address", .apply = apply_setgid),
    OPTION("setgid-early", NULL, GROUP_PROCESS, EARLY, GID,
           "change the group of the process before opening the address", .apply = apply_setgid),
    OPTION("setsid", "sid", GROUP_PROCESS, LATE, BOOL, "make the process leader of a new session",
           .apply = apply_setsid),
    OPTION("setuid", NULL, GROUP_PROCESS, LATE2, UID,
           "change the user of the process after opening the address", .apply = apply_setuid),
    OPTION("setuid-early", NULL, GROUP_PROCESS, EARLY, UID,
           "change the user of the process before opening the address", .apply = apply_setuid),
    &opt_su,
    OPTION("substuser-delayed", "su-d", GROUP_PROCESS, INIT, UID,
           "look the user and his groups up before a chroot, become this user last",
           .apply = apply_substuser, .same_as = &opt_su),
    OPTION("substuser-early", "su-e", GROUP_PROCESS, EARLY, UID,
           "become this user, with all his groups, before opening the address",
           .apply = apply_substuser, .same_as = &opt_su),
    OPTIONS_END,
};
