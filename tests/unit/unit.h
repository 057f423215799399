/* SPDX-License-Identifier: GPL-2.0-or-later
 * What unit tests of runs have in common: a time limit, a directory, the log, and a count of what the
 * process has open, which is to be the same before and after. */
#ifndef CATENA_TESTS_UNIT_H
#define CATENA_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catena/catena.h"
#include "catena/plan.h"
#include "catena/run.h"

enum { UNIT_PATIENCE_MS = 10000 }; /* for what is a matter of moments, on a busy machine */

/* A test group's setup and teardown. */
int unit_begin(void **state);
int unit_end(void **state);
double unit_slower(void); /* how much longer everything takes: sanitizers */
/* An entry of the group's directory, which is removed at its end. Good for as long as the program. */
const char *unit_path(const char *name);
void unit_write_file(const char *path, const char *text);
bool unit_exists(const char *path);

/* ---- plans and runs ---- */

struct catena *unit_home(void); /* the instance that settings are at home in */
struct settings unit_settings(void); /* as the program's own, under the name catena */
struct plan *unit_plan(const struct settings *s, const char *left, const char *right);
/* With a reaper of its own. p may be NULL; signal_fd -1: no signals. */
void unit_run(struct run *r, const struct settings *s, const struct plan *p, int signal_fd);
void unit_run_fini(struct run *r);
/* What the program does once: blocks what it catches. The same descriptor again when called again. */
int unit_signal_fd(void);

/* ---- the log ---- */

void unit_log_clear(void); /* from now on */
const char *unit_log(void);
/* So many lines have that text; a level is written as in a line: "W something". */
unsigned unit_logged(const char *text);

/* ---- what there is ---- */

struct unit_count {
    size_t descriptors, threads;
};
struct unit_count unit_count(void);
/* Nothing is left over; threads that have been joined may take moments to go. */
void unit_nothing_left(struct unit_count before);
/* No child is left, neither running nor as a zombie. */
void unit_no_children(void);

/* ---- waiting ---- */

bool unit_readable(int fd, int ms); /* within that time */
void unit_pause(int ms);
/* Waits until it is true. */
#define unit_await(condition)                                                                      \
    do {                                                                                           \
        for (int ms_ = 0; !(condition); ms_ += 5) {                                                \
            assert_in_range(ms_, 0, UNIT_PATIENCE_MS);                                             \
            unit_pause(5);                                                                         \
        }                                                                                          \
    } while (0)

#endif
