/* SPDX-License-Identifier: GPL-2.0-or-later
 * Terminal options: all of an address in one tcgetattr(3)/tcsetattr(3), in the order given. */
#include "endpoint/terminal/termios_opts.h"

#include <limits.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "catena/addr.h"
#include "catena/diag.h"
#include "endpoint/terminal/line_settings.h"

bool opts_have_termios(const struct addr *a)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (a->opts[i].desc->tio)
            return true;
    return false;
}

static int apply_all(const struct addr *a, int fd, struct err *e)
{
    struct termios t;
    if (tcgetattr(fd, &t) < 0)
        return err_sys(e, "tcgetattr(%d)", fd);
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        if (o->desc->tio && o->desc->tio(o, &t, e) < 0) {
            e->where = o->at;
            return err_wrap(e, "option \"%s\"", o->desc->name);
        }
    }
    if (tcsetattr(fd, TCSADRAIN, &t) < 0)
        return err_sys(e, "tcsetattr(%d)", fd);
    return 0;
}

static bool is_sloppy(const struct addr *a)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (a->opts[i].desc->tio && !a->opts[i].sloppy)
            return false;
    return true;
}

int opts_apply_termios(const struct addr *a, int fd, struct err *e)
{
    if (!opts_have_termios(a) || apply_all(a, fd, e) == 0)
        return 0;
    if (!is_sloppy(a))
        return -1;
    diag_err(DIAG_ERROR, e);
    return 0;
}

static tcflag_t *flag_word(struct termios *t, long long word)
{
    tcflag_t *const words[] = {&t->c_iflag, &t->c_oflag, &t->c_cflag, &t->c_lflag};
    return words[word & 3];
}

static tcflag_t mask_of(const struct opt *o) { return (tcflag_t)(o->desc->a >> 2); }

static void put_field(const struct opt *o, struct termios *t, tcflag_t value)
{
    tcflag_t *word = flag_word(t, o->desc->a);
    *word = (*word & ~mask_of(o)) | (value & mask_of(o));
}

int tio_flag(const struct opt *o, struct termios *t, struct err *e)
{
    (void)e;
    put_field(o, t, o->v.i ? mask_of(o) : 0);
    return 0;
}

int tio_choice(const struct opt *o, struct termios *t, struct err *e)
{
    (void)e;
    put_field(o, t, (tcflag_t)o->desc->b);
    return 0;
}

int tio_number(const struct opt *o, struct termios *t, struct err *e)
{
    tcflag_t mask = mask_of(o), unit = mask & (0 - mask);
    if (o->v.i < 0 || o->v.i > (long long)(mask / unit))
        return err_set(e, ERR_BAD_VALUE, "value %lld is out of range: 0..%u", o->v.i, mask / unit);
    put_field(o, t, (tcflag_t)o->v.i * unit);
    return 0;
}

int tio_char(const struct opt *o, struct termios *t, struct err *e)
{
    (void)e;
    t->c_cc[o->desc->a] = (cc_t)o->v.i;
    return 0;
}

int tio_setflags(const struct opt *o, struct termios *t, struct err *e)
{
    if (o->v.i < 0 || o->v.i > 3)
        return err_set(e, ERR_BAD_VALUE,
                       "word %lld: known are 0 (iflag), 1 (oflag), 2 (cflag), 3 (lflag)", o->v.i);
    *flag_word(t, o->v.i) = (tcflag_t)o->v.i2;
    return 0;
}

static const struct speed {
    unsigned baud;
    speed_t code;
} speeds[] = {
#define S(n) {n, B##n}
    S(0),       S(50),      S(75),      S(110),     S(134),     S(150),     S(200),     S(300),
    S(600),     S(1200),    S(1800),    S(2400),    S(4800),    S(9600),    S(19200),   S(38400),
    S(57600),   S(115200),  S(230400),  S(460800),  S(500000),  S(576000),  S(921600),  S(1000000),
    S(1152000), S(1500000), S(2000000), S(2500000), S(3000000), S(3500000), S(4000000),
#undef S
};

enum { NSPEEDS = sizeof speeds / sizeof speeds[0] };

int line_code_of(unsigned baud, unsigned *code)
{
    for (size_t i = 0; i < NSPEEDS; i++)
        if (speeds[i].baud == baud) {
            *code = speeds[i].code;
            return 0;
        }
    return -1;
}

/* The rate in baud; scripts for the predecessor give the system's code for it, which is accepted
 * where it is no rate itself. */
static int speed_code(const struct opt *o, speed_t *out, struct err *e)
{
    if (o->v.i >= 0 && o->v.i <= UINT_MAX && line_code_of((unsigned)o->v.i, out) == 0)
        return 0;
    for (size_t i = 0; i < NSPEEDS; i++)
        if (speeds[i].code == o->v.i) {
            *out = speeds[i].code;
            return 0;
        }
    return err_set(e, ERR_BAD_VALUE, "%lld is no rate this system knows (9600, 115200, ...)", o->v.i);
}

int tio_ispeed(const struct opt *o, struct termios *t, struct err *e)
{
    speed_t code;
    return speed_code(o, &code, e) < 0 ? -1 : cfsetispeed(t, code);
}

int tio_ospeed(const struct opt *o, struct termios *t, struct err *e)
{
    speed_t code;
    return speed_code(o, &code, e) < 0 ? -1 : cfsetospeed(t, code);
}

int tio_speed(const struct opt *o, struct termios *t, struct err *e)
{
    if (cfsetispeed(t, (speed_t)o->desc->b) == 0 && cfsetospeed(t, (speed_t)o->desc->b) == 0)
        return 0;
    return err_sys(e, "setting the line speed");
}

static void read_at_once(struct termios *t)
{
    t->c_cc[VMIN] = 1;
    t->c_cc[VTIME] = 0;
}

/* Signals, line editing and conversions off; echo stays as it is. */
int tio_raw(const struct opt *o, struct termios *t, struct err *e)
{
    (void)o, (void)e;
    t->c_iflag = 0;
    t->c_oflag &= ~(tcflag_t)OPOST;
    t->c_lflag &= ~(tcflag_t)(ISIG | ICANON | XCASE);
    read_at_once(t);
    return 0;
}

/* Nothing at all happens to the bytes. */
int tio_rawer(const struct opt *o, struct termios *t, struct err *e)
{
    (void)o, (void)e;
    t->c_iflag = 0;
    t->c_oflag = 0;
    t->c_lflag = 0;
    t->c_cflag = (t->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8 | CREAD;
    read_at_once(t);
    return 0;
}

int tio_cfmakeraw(const struct opt *o, struct termios *t, struct err *e)
{
    (void)o, (void)e;
    cfmakeraw(t);
    read_at_once(t);
    return 0;
}

/* What a terminal looks like after login. */
int tio_sane(const struct opt *o, struct termios *t, struct err *e)
{
    static const struct {
        unsigned char index, value;
    } chars[] = {
        {VINTR, 3},   {VQUIT, 28},  {VERASE, 127},  {VKILL, 21},   {VEOF, 4},    {VTIME, 0},
        {VMIN, 1},    {VSWTC, 0},   {VSTART, 17},   {VSTOP, 19},   {VSUSP, 26},  {VEOL, 0},
        {VREPRINT, 18}, {VDISCARD, 15}, {VWERASE, 23}, {VLNEXT, 22}, {VEOL2, 0},
    };
    (void)o, (void)e;
    t->c_iflag = BRKINT | ICRNL | IXON | IMAXBEL;
    t->c_oflag = OPOST | ONLCR;
    t->c_cflag |= CREAD;
    t->c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
    for (size_t i = 0; i < sizeof chars / sizeof chars[0]; i++)
        t->c_cc[chars[i].index] = chars[i].value;
    return 0;
}
