/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a terminal is set to: the words of termios, its characters, the names of what is set. */
#include "analyze/analyze.h"

#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { NAME_ROOM = 256 };

struct mode_row {
    const char *name; /* as stty(1) and the options spell it */
    size_t field;     /* offset in struct termios */
    tcflag_t mask, value;
};

#define MODE(name, field, mask, value) {name, offsetof(struct termios, field), mask, value}
#define FLAG(name, field, bit)         MODE(name, field, bit, bit)

static const struct mode_row modes[] = {
    FLAG("ignbrk", c_iflag, IGNBRK),
    FLAG("brkint", c_iflag, BRKINT),
    FLAG("ignpar", c_iflag, IGNPAR),
    FLAG("parmrk", c_iflag, PARMRK),
    FLAG("inpck", c_iflag, INPCK),
    FLAG("istrip", c_iflag, ISTRIP),
    FLAG("inlcr", c_iflag, INLCR),
    FLAG("igncr", c_iflag, IGNCR),
    FLAG("icrnl", c_iflag, ICRNL),
    FLAG("iuclc", c_iflag, IUCLC),
    FLAG("ixon", c_iflag, IXON),
    FLAG("ixany", c_iflag, IXANY),
    FLAG("ixoff", c_iflag, IXOFF),
    FLAG("imaxbel", c_iflag, IMAXBEL),
    FLAG("iutf8", c_iflag, IUTF8),
    FLAG("opost", c_oflag, OPOST),
    FLAG("olcuc", c_oflag, OLCUC),
    FLAG("onlcr", c_oflag, ONLCR),
    FLAG("ocrnl", c_oflag, OCRNL),
    FLAG("onocr", c_oflag, ONOCR),
    FLAG("onlret", c_oflag, ONLRET),
    FLAG("ofill", c_oflag, OFILL),
    FLAG("ofdel", c_oflag, OFDEL),
    FLAG("nl1", c_oflag, NL1),
    MODE("cr1", c_oflag, CRDLY, CR1),
    MODE("cr2", c_oflag, CRDLY, CR2),
    MODE("cr3", c_oflag, CRDLY, CR3),
    MODE("tab1", c_oflag, TABDLY, TAB1),
    MODE("tab2", c_oflag, TABDLY, TAB2),
    MODE("tab3", c_oflag, TABDLY, TAB3),
    FLAG("bs1", c_oflag, BS1),
    FLAG("vt1", c_oflag, VT1),
    FLAG("ff1", c_oflag, FF1),
    MODE("cs5", c_cflag, CSIZE, CS5),
    MODE("cs6", c_cflag, CSIZE, CS6),
    MODE("cs7", c_cflag, CSIZE, CS7),
    MODE("cs8", c_cflag, CSIZE, CS8),
    FLAG("cstopb", c_cflag, CSTOPB),
    FLAG("cread", c_cflag, CREAD),
    FLAG("parenb", c_cflag, PARENB),
    FLAG("parodd", c_cflag, PARODD),
    FLAG("hupcl", c_cflag, HUPCL),
    FLAG("clocal", c_cflag, CLOCAL),
    FLAG("crtscts", c_cflag, CRTSCTS),
    FLAG("isig", c_lflag, ISIG),
    FLAG("icanon", c_lflag, ICANON),
    FLAG("xcase", c_lflag, XCASE),
    FLAG("echo", c_lflag, ECHO),
    FLAG("echoe", c_lflag, ECHOE),
    FLAG("echok", c_lflag, ECHOK),
    FLAG("echonl", c_lflag, ECHONL),
    FLAG("noflsh", c_lflag, NOFLSH),
    FLAG("tostop", c_lflag, TOSTOP),
    FLAG("echoctl", c_lflag, ECHOCTL),
    FLAG("echoprt", c_lflag, ECHOPRT),
    FLAG("echoke", c_lflag, ECHOKE),
    FLAG("flusho", c_lflag, FLUSHO),
    FLAG("pendin", c_lflag, PENDIN),
    FLAG("iexten", c_lflag, IEXTEN),
};

static const struct {
    speed_t code;
    unsigned baud;
} speeds[] = {
    {B0, 0},           {B50, 50},         {B75, 75},           {B110, 110},
    {B134, 134},       {B150, 150},       {B200, 200},         {B300, 300},
    {B600, 600},       {B1200, 1200},     {B1800, 1800},       {B2400, 2400},
    {B4800, 4800},     {B9600, 9600},     {B19200, 19200},     {B38400, 38400},
    {B57600, 57600},   {B115200, 115200}, {B230400, 230400},   {B460800, 460800},
    {B500000, 500000}, {B576000, 576000}, {B921600, 921600},   {B1000000, 1000000},
    {B1152000, 1152000}, {B1500000, 1500000}, {B2000000, 2000000}, {B2500000, 2500000},
    {B3000000, 3000000}, {B3500000, 3500000}, {B4000000, 4000000},
};

static void put_speed(FILE *f, const char *key, speed_t code)
{
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++)
        if (speeds[i].code == code)
            fprintf(f, "\t%s=%u", key, speeds[i].baud);
}

static void put_modes(FILE *f, const struct termios *t)
{
    const char *gap = "\tMODES={";
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const void *field = (const char *)t + modes[i].field;
        if ((*(const tcflag_t *)field & modes[i].mask) != modes[i].value)
            continue;
        fprintf(f, "%s%s", gap, modes[i].name);
        gap = ",";
    }
    fputs("}", f);
}

static void put_character(FILE *f, size_t index, cc_t c)
{
    fprintf(f, " cc[%zu]=", index);
    if (c < 0x20)
        fprintf(f, "^%c", c + '@');
    else if (c < 0x7f)
        putc(c, f);
    else
        fprintf(f, "x%02X", c);
}

void analyze_terminal(FILE *f, int fd)
{
    char name[NAME_ROOM];
    struct termios t;
    if (tcgetattr(fd, &t) < 0)
        return; /* not a terminal */
    putc('\t', f);
    if (ttyname_r(fd, name, sizeof name) == 0)
        analyze_name(f, name);
    fprintf(f, " \tIFLAGS=%08x OFLAGS=%08x CFLAGS=%08x LFLAGS=%08x", t.c_iflag, t.c_oflag,
            t.c_cflag, t.c_lflag);
    for (size_t i = 0; i < NCCS; i++)
        put_character(f, i, t.c_cc[i]);
    put_speed(f, "ISPEED", cfgetispeed(&t));
    put_speed(f, "OSPEED", cfgetospeed(&t));
    put_modes(f, &t);
    int number; /* a master tells its slave's */
    if (ioctl(fd, TIOCGPTN, &number) == 0)
        fprintf(f, "\tPTSNAME=/dev/pts/%d", number);
}

void analyze_window(FILE *f, int fd)
{
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) == 0)
        fprintf(f, "terminal window size: %hux%hu terminal window pixels: %hux%hu\n", w.ws_col,
                w.ws_row, w.ws_xpixel, w.ws_ypixel);
}
