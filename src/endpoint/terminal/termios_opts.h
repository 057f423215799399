/* SPDX-License-Identifier: GPL-2.0-or-later
 * The functions of termios rows. */
#ifndef TERMIOS_OPTS_H
#define TERMIOS_OPTS_H

#include "catena/option_row.h"

/* These change the field that TIO_FIELD in the row names. */
int tio_flag(const struct opt *o, struct termios *t, struct err *e);   /* all of it, or nothing */
int tio_choice(const struct opt *o, struct termios *t, struct err *e); /* b: the field's value */
int tio_number(const struct opt *o, struct termios *t, struct err *e); /* the value as a number */

int tio_char(const struct opt *o, struct termios *t, struct err *e);  /* a: index in c_cc */
int tio_speed(const struct opt *o, struct termios *t, struct err *e); /* b: B... */
int tio_ispeed(const struct opt *o, struct termios *t, struct err *e);
int tio_ospeed(const struct opt *o, struct termios *t, struct err *e);
int tio_setflags(const struct opt *o, struct termios *t, struct err *e);
int tio_raw(const struct opt *o, struct termios *t, struct err *e);
int tio_rawer(const struct opt *o, struct termios *t, struct err *e);
int tio_cfmakeraw(const struct opt *o, struct termios *t, struct err *e);
int tio_sane(const struct opt *o, struct termios *t, struct err *e);

#endif
