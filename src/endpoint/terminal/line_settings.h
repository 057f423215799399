/* SPDX-License-Identifier: GPL-2.0-or-later
 * The settings and lines of a serial port, or of a pseudo terminal that stands for one, by the numbers
 * of controls (catena/control.h). */
#ifndef CATENA_LINE_SETTINGS_H
#define CATENA_LINE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "catena/control.h"

/* What is so now; 0 not known. */
uint32_t line_get(int fd, enum control_kind kind);
/* Sees to it as far as the line can; what it cannot it leaves as it is. */
void line_set(int fd, enum control_kind kind, uint32_t value);

/* What the receiver of a break gets where the line has none, by its settings: see termios(3), BRKINT. */
enum line_break { BREAK_IS_NOTHING, BREAK_IS_SIGNAL, BREAK_IS_MARK /* 377 0 0 */, BREAK_IS_NUL };
enum line_break line_break_as(int fd);

/* Changes of a pseudo terminal are told to its master (in packet mode). Gives -1 and errno. */
int line_track(int fd);
bool line_is_tracked(int fd); /* it is still so */

/* The system's code for a rate (termios_opts.c); -1: it has no name for that. */
int line_code_of(unsigned baud, unsigned *code);

#endif
