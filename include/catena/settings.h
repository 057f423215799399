/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the switches say about the lines of one instance; const once they are parsed. */
#ifndef CATENA_SETTINGS_H
#define CATENA_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catena;

struct settings {
    struct catena *catena;  /* where the lines are at home */
    bool to_right, to_left; /* -u clears to_left, -U clears to_right */
    size_t block;           /* -b, bytes */
    bool block_given;
    double linger;  /* -t, seconds; negative: wait for the other direction's end */
    double idle;    /* -T, seconds; negative: never */
    bool text_dump, hex_dump;
    const char *raw_left_right, *raw_right_left; /* -r, -R */
    bool sloppy;                                 /* -s */
    bool show_fds;                               /* -D */
    uint64_t signals;                            /* -S: bit n = signal n is logged */
    bool lock_wait;                              /* -W instead of -L */
    const char *lockfile;
    int ip_version; /* 4, 6, 0 none preferred (-4, -6, -0); -1: not said, the environment decides */
    bool no_group_check; /* -g */
    char comm;           /* -c: letter of ADDITIONS 2.4 */
    bool comm_given;
    bool dry_run, v1_only, statistics, progress, experimental;
    bool sandbox; /* --sandbox: confine the process once everything is open */
    bool unfused; /* --unfused: every link an engine of its own, for tests */
    bool v1_name; /* called as socat: v1's defaults */
    const char *facts; /* blank-separated: those that the program which uses us tells; or NULL */
    const char *called[2]; /* the two chains, in messages; NULL: first address, second address */
    const char *env_prefix; /* of the variables for child programs: "SOCAT" or from -lp */
};

#endif
