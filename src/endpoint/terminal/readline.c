/* SPDX-License-Identifier: GPL-2.0-or-later
 * READLINE: lines edited on the terminal. The library is used through its callbacks, one character
 * at a time, so that the relay never waits for it. While nobody types, the terminal neither echoes
 * nor waits for the end of a line; with the first character a line is edited, and what the other
 * side has sent since its last newline is the prompt. */
#include "endpoint/terminal/readline.h"

#include <errno.h>
#include <poll.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/options.h"
#include "endpoint/options/opts_readline.h"

enum { PROMPT_MAX = 512 }; /* bytes of the last line that are remembered */

struct editor { /* state of the port */
    const struct readline_library *rl;
    struct termios saved, quiet; /* before we came; while nobody types */
    const char *prompt;          /* prompt=, or NULL */
    const char *history;         /* history-file=, or NULL */
    bool noprompt;
    bool secret_known; /* noecho= is given */
    regex_t secret;
    char last[PROMPT_MAX]; /* what was shown behind the last newline */
    size_t nlast;
    bool editing, silent; /* a line is being typed; it is not shown */
    bool done;            /* it is complete: in line, NULL for the end */
    char *line;
};

/* The library's callback has no argument, as it can edit only one line in a process. */
static struct editor *the_editor;

/* ---- a line ---- */

static void show_nothing(void) {}

static void line_done(char *line)
{
    struct editor *ed = the_editor;

    ed->rl->rl_callback_handler_remove();
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &ed->quiet); /* until somebody types */
    *ed->rl->rl_redisplay_function = ed->rl->rl_redisplay;
    ed->editing = false;
    ed->done = true;
    ed->line = line;
    ed->nlast = 0; /* the newline that was typed stands behind it */
    if (line && *line != '\0' && !ed->silent)
        ed->rl->add_history(line);
}

static const char *current_prompt(struct editor *ed)
{
    ed->last[ed->nlast] = '\0';
    return ed->prompt ? ed->prompt : ed->noprompt ? "" : ed->last;
}

/* To where the prompt begins that stands there already. */
static void to_first_column(const struct editor *ed)
{
    if (ed->nlast > 0 && !ed->noprompt) {
        (void)fputc('\r', stdout);
        (void)fflush(stdout);
    }
}

static void start_line(struct editor *ed)
{
    const char *prompt = current_prompt(ed);

    ed->silent = ed->secret_known &&
                 regexec(&ed->secret, ed->prompt ? ed->prompt : ed->last, 0, NULL, 0) == 0;
    ed->editing = true;
    ed->done = false;
    *ed->rl->rl_redisplay_function = ed->silent ? show_nothing : ed->rl->rl_redisplay;
    if (!ed->silent)
        to_first_column(ed);
    struct termios shown = ed->quiet;
    shown.c_lflag |= ECHO; /* what the library takes for leave to show the line */
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &shown);
    ed->rl->rl_callback_handler_install(ed->silent ? "" : prompt, line_done);
}

/* 1 yes; -1: no, and errno is what a read would give. */
static int has_input(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n = poll(&p, 1, 0);

    if (n == 0)
        errno = EAGAIN;
    return n > 0 ? 1 : -1;
}

/* ---- the port ---- */

/* Gives out the line and its newline; what has no room is read next. */
static ssize_t give_line(struct port *p, struct editor *ed, char *buf, size_t cap)
{
    size_t n = strlen(ed->line);
    struct err e;

    ed->line[n++] = '\n'; /* in the place of the NUL */
    size_t first = n < cap ? n : cap;
    memcpy(buf, ed->line, first);
    int rc = port_unread(p, ed->line + first, n - first, &e);
    free(ed->line);
    ed->line = NULL;
    if (rc == 0)
        return (ssize_t)first;
    errno = ENOMEM;
    return -1;
}

static ssize_t editor_read(struct port *p, void *buf, size_t cap)
{
    struct editor *ed = p->state;

    if (has_input(STDIN_FILENO) < 0)
        return -1;
    if (!ed->editing)
        start_line(ed);
    while (!ed->done) {
        if (has_input(STDIN_FILENO) < 0)
            return -1;
        ed->rl->rl_callback_read_char();
    }
    ed->done = false;
    return ed->line ? give_line(p, ed, buf, cap) : 0;
}

static void remember(struct editor *ed, const char *text, size_t n)
{
    const char *newline = memrchr(text, '\n', n);

    if (newline) {
        n -= (size_t)(newline + 1 - text);
        text = newline + 1;
        ed->nlast = 0;
    }
    if (n > PROMPT_MAX - 1 - ed->nlast)
        n = PROMPT_MAX - 1 - ed->nlast;
    memcpy(ed->last + ed->nlast, text, n);
    ed->nlast += n;
    ed->last[ed->nlast] = '\0';
}

/* What arrives while a line is typed goes above it. */
static ssize_t editor_write(struct port *p, const void *buf, size_t n)
{
    struct editor *ed = p->state;
    bool redraw = ed->editing && !ed->silent;

    if (redraw) {
        ed->rl->rl_clear_visible_line();
        if (ed->nlast > 0 && !ed->prompt && !ed->noprompt)
            (void)fputs(ed->last, stdout); /* it was the prompt, and goes on now */
        (void)fflush(stdout);
    }
    ssize_t written = port_inner_write(p, buf, n);
    int sys = errno;
    if (written > 0)
        remember(ed, buf, (size_t)written);
    if (redraw) {
        if (ed->nlast > 0)
            (void)fputc(ed->prompt || ed->noprompt ? '\n' : '\r', stdout);
        (void)fflush(stdout);
        (void)ed->rl->rl_set_prompt(current_prompt(ed));
        (void)ed->rl->rl_on_new_line();
        ed->rl->rl_redisplay();
    }
    errno = sys;
    return written;
}

static int editor_shutdown(struct port *p, struct err *e)
{
    (void)p, (void)e;
    return 0;
}

static void editor_close(struct port *p)
{
    struct editor *ed = p->state;

    if (ed->editing) {
        ed->rl->rl_callback_handler_remove();
        (void)fputc('\n', stdout);
        (void)fflush(stdout);
    }
    if (ed->history && ed->rl->write_history(ed->history) != 0)
        diag(DIAG_WARN, "history-file=%s: %s", ed->history, strerror(errno));
    port_inner_close(p);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &ed->saved);
    if (ed->secret_known)
        regfree(&ed->secret);
    free(ed->line);
    the_editor = NULL;
}

static const struct port_ops editor_ops = {.read = editor_read, .write = editor_write,
                                           .shutdown = editor_shutdown, .close = editor_close};

/* ---- opening ---- */

static int take_secret(const struct addr *a, struct editor *ed, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_noecho);
    char why[200];

    if (!o)
        return 0;
    int rc = regcomp(&ed->secret, o->v.s, REG_EXTENDED | REG_NOSUB);
    if (rc != 0) {
        (void)regerror(rc, &ed->secret, why, sizeof why);
        return err_at(e, o->at, "noecho=%s is no regular expression: %s", o->v.s, why);
    }
    ed->secret_known = true;
    return 0;
}

static void start_library(struct editor *ed)
{
    *ed->rl->rl_catch_signals = 0; /* they arrive elsewhere */
    *ed->rl->rl_catch_sigwinch = 0;
    *ed->rl->rl_change_environment = 0;
    *ed->rl->rl_readline_name = "socat"; /* what a user's inputrc may ask for */
    (void)ed->rl->rl_initialize(); /* opens what --sandbox allows now only */
    ed->rl->using_history();
    if (ed->history && ed->rl->read_history(ed->history) != 0)
        diag(DIAG_INFO, "history-file=%s: %s", ed->history, strerror(errno));
}

static int editor_init(const struct addr *a, struct editor *ed, struct err *e)
{
    ed->prompt = opt_string(a, &opt_prompt, NULL);
    ed->noprompt = opt_true(a, &opt_noprompt);
    if (take_secret(a, ed, e) < 0 || !(ed->rl = readline_load(e)))
        return -1;
    ed->history = opt_string(a, &opt_history, NULL);
    start_library(ed);
    return 0;
}

/* The terminal as it is while nobody types, with the user's own settings in it. */
static int be_quiet(struct editor *ed, struct err *e)
{
    if (tcgetattr(STDIN_FILENO, &ed->quiet) < 0)
        return err_sys(e, "tcgetattr(%d)", STDIN_FILENO);
    ed->quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    ed->quiet.c_cc[VMIN] = 1;
    ed->quiet.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &ed->quiet) < 0)
        return err_sys(e, "tcsetattr(%d)", STDIN_FILENO);
    return 0;
}

static int editor_open(const struct addr *a, struct run *r, void *state, struct port **out,
                       struct err *e)
{
    struct termios saved;
    struct port *p;

    (void)state;
    if (the_editor)
        return err_set(e, ERR_OTHER, "only one READLINE can be there at a time");
    if (tcgetattr(STDIN_FILENO, &saved) < 0)
        return err_sys(e, "READLINE needs a terminal: tcgetattr(%d)", STDIN_FILENO);
    if (endpoint_port(a, r, STDIN_FILENO, a->left == CTX_R ? -1 : STDOUT_FILENO, PORT_BORROWED,
                      PORT_SHUT_NONE, &p, e) < 0)
        return -1;
    struct editor *ed = port_wrap(&p, &editor_ops, sizeof *ed, e);
    if (ed) {
        the_editor = ed;
        ed->saved = saved;
    }
    if (!ed || editor_init(a, ed, e) < 0 || be_quiet(ed, e) < 0) {
        port_close(p);
        return -1;
    }
    diag(DIAG_NOTICE, "using readline on stdio for reading%s",
         a->left == CTX_R ? "" : " and writing");
    *out = p;
    return 0;
}

static const struct endpoint_ops readline_ops = {.open = editor_open};

extern const struct form forms_readline[];
const struct form forms_readline[] = {
    {.keyword = "READLINE", .left = CTX_R | CTX_B,
     .groups = GROUP_FD | GROUP_READLINE | GROUP_TERMIOS,
     .help = "standard input and output, lines edited with GNU readline", .kind = FORM_ENDPOINT,
     .ops.endpoint = &readline_ops},
    {.keyword = NULL},
};
