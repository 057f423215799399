/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a client's terminal is: TTYPE (RFC 1091), NAWS (1073), NEW-ENVIRON (1572), and CHARSET (2066). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "inter/telnet/opts_telnet.h"
#include "inter/telnet/telnet.h"

enum { IS = 0, SEND = 1 };                              /* TTYPE, NEW-ENVIRON */
enum { VAR = 0, VALUE = 1, ESC = 2, USERVAR = 3 };      /* NEW-ENVIRON */
enum { REQUEST = 1, ACCEPTED, REJECTED, TTABLE_IS, TTABLE_REJECTED }; /* CHARSET */

static const char *term_of(const struct telnet *t)
{
    const char *term = opt_string(t->a, &opt_telnet_term, NULL);
    return term ? term : catena_variable(t->run->settings->catena, "TERM");
}

/* ---- what is wanted and granted ---- */

static void begin_server(struct telnet *t)
{
    double seconds = opt_time(t->a, &opt_telnet_wait, 1.0);
    bool echo = !opt_find(t->a, &opt_telnet_echo) || opt_true(t->a, &opt_telnet_echo);
    t->q[TO_ECHO][US].may = echo;
    t->q[TO_NAWS][HIM].may = t->q[TO_TTYPE][HIM].may = t->q[TO_NEW_ENVIRON][HIM].may = true;
    if (echo)
        telnet_want(t, US, TO_ECHO, true);
    telnet_want(t, HIM, TO_NAWS, true);
    if (seconds <= 0)
        return;
    telnet_want(t, HIM, TO_TTYPE, true);
    telnet_want(t, HIM, TO_NEW_ENVIRON, true);
    t->ask_until = wait_now() + wait_ms(seconds);
}

static void begin_client(struct telnet *t)
{
    const char *term = term_of(t);
    t->q[TO_ECHO][HIM].may = true;
    t->q[TO_TTYPE][US].may = term && term[0];
    t->q[TO_NEW_ENVIRON][US].may = opt_find(t->a, &opt_telnet_env) != NULL;
}

void terminal_begin(struct telnet *t)
{
    bool charset = opt_find(t->a, &opt_telnet_charset) != NULL;
    t->q[TO_CHARSET][US].may = t->q[TO_CHARSET][HIM].may = charset;
    if (t->role->server)
        begin_server(t);
    else
        begin_client(t);
    if (charset)
        telnet_want(t, US, TO_CHARSET, true);
}

bool terminal_knows(const struct telnet *t)
{
    bool type = t->has_term || t->q[TO_TTYPE][HIM].state == Q_NO;
    bool environment = t->has_environment || t->q[TO_NEW_ENVIRON][HIM].state == Q_NO;
    return t->ask_until == 0 || (type && environment);
}

/* ---- saying ---- */

static void say_window(struct telnet *t)
{
    const unsigned char size[] = {(unsigned char)(t->window >> 24), (unsigned char)(t->window >> 16),
                                  (unsigned char)(t->window >> 8), (unsigned char)t->window};
    telnet_say(t, TO_NAWS, size, sizeof size);
}

void terminal_window(struct telnet *t, uint32_t window)
{
    t->has_window = t->q[TO_NAWS][US].may = true;
    t->window = window;
    if (telnet_on(t, US, TO_NAWS))
        say_window(t);
    else
        telnet_want(t, US, TO_NAWS, true);
}

static void say_term(struct telnet *t)
{
    unsigned char text[64] = {IS};
    size_t n = 1;
    for (const char *p = term_of(t); *p && n < sizeof text; p++)
        text[n++] = (unsigned char)toupper((unsigned char)*p);
    telnet_say(t, TO_TTYPE, text, n);
}

struct text {
    unsigned char bytes[SB_MOST];
    size_t n;
};

static void put(struct text *to, unsigned char c)
{
    if (to->n < sizeof to->bytes)
        to->bytes[to->n++] = c;
}

static void put_escaped(struct text *to, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)p[i] <= USERVAR)
            put(to, ESC);
        put(to, (unsigned char)p[i]);
    }
}

static bool is_well_known(const char *name, size_t n)
{
    static const char *const names[] = {"USER", "JOB", "ACCT", "PRINTER", "SYSTEMTYPE", "DISPLAY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
            return true;
    return false;
}

/* Is a variable asked for? A list names some, or says which sort; without one it is all of them. */
static bool is_asked_for(const unsigned char *p, size_t n, unsigned char sort, const char *name, size_t len)
{
    for (size_t i = 0; i < n;) {
        unsigned char type = p[i++];
        size_t from = i;
        while (i < n && p[i] != VAR && p[i] != USERVAR)
            i++;
        if (type == sort && (i == from || (i - from == len && memcmp(p + from, name, len) == 0)))
            return true;
    }
    return n == 0;
}

static void say_environment(struct telnet *t, const unsigned char *p, size_t n)
{
    struct text text = {.bytes = {IS}, .n = 1};
    for (size_t i = 0; i < t->a->nopts; i++) {
        const struct opt *o = &t->a->opts[i];
        if (!option_is(o->desc, &opt_telnet_env))
            continue;
        size_t len = strcspn(o->v.s, "=");
        unsigned char sort = is_well_known(o->v.s, len) ? VAR : USERVAR;
        if (!is_asked_for(p, n, sort, o->v.s, len))
            continue;
        put(&text, sort);
        put_escaped(&text, o->v.s, len);
        put(&text, VALUE);
        put_escaped(&text, o->v.s + len + 1, strlen(o->v.s + len + 1));
    }
    telnet_say(t, TO_NEW_ENVIRON, text.bytes, text.n);
}

static void say_charset(struct telnet *t, unsigned char what)
{
    const char *name = opt_string(t->a, &opt_telnet_charset, "");
    struct text text = {.bytes = {what}, .n = 1};
    if (what == REQUEST)
        put(&text, ';');
    for (const char *p = name; what != REJECTED && *p; p++)
        put(&text, (unsigned char)*p);
    telnet_say(t, TO_CHARSET, text.bytes, text.n);
}

void terminal_agreed(struct telnet *t, enum telnet_side side, unsigned option)
{
    static const unsigned char send[] = {SEND};
    if (!telnet_on(t, side, option))
        return;
    if (option == TO_NAWS && side == US)
        say_window(t);
    else if (option == TO_CHARSET && side == US)
        say_charset(t, REQUEST);
    else if ((option == TO_TTYPE || option == TO_NEW_ENVIRON) && side == HIM)
        telnet_say(t, option, send, sizeof send);
}

/* ---- hearing ---- */

static void keep(char *to, size_t cap, const unsigned char *p, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n && k + 1 < cap; i++)
        if (isprint(p[i])) /* it becomes a variable of programs */
            to[k++] = (char)p[i];
    to[k] = '\0';
}

static void hear_window(struct telnet *t, const unsigned char *p, size_t n)
{
    if (n != 4 || !t->role->server)
        return;
    unsigned columns = (unsigned)p[0] << 8 | p[1], rows = (unsigned)p[2] << 8 | p[3];
    if (columns > 0 && rows > 0)
        t->give = control_window(columns, rows);
}

static void hear_term(struct telnet *t, const unsigned char *p, size_t n)
{
    if (n > 0 && p[0] == SEND && !t->role->server) {
        say_term(t);
    } else if (n > 1 && p[0] == IS && t->role->server) {
        keep(t->term, sizeof t->term, p + 1, n - 1);
        for (char *c = t->term; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        t->has_term = true;
        diag(DIAG_INFO, "telnet: the client's terminal is a %s", t->term);
    }
}

/* Name and value of the next variable, without their escapes; gives false at the end. */
static bool next_variable(const unsigned char **p, const unsigned char *end, struct text *name, struct text *value)
{
    struct text *to = name;
    name->n = value->n = 0;
    if (*p == end)
        return false;
    for (++*p; *p < end && **p != VAR && **p != USERVAR; ++*p) {
        if (**p == VALUE) {
            to = value;
            continue;
        }
        if (**p == ESC && *p + 1 < end)
            ++*p;
        put(to, **p);
    }
    return true;
}

static void hear_environment(struct telnet *t, const unsigned char *p, size_t n)
{
    struct text name, value;
    const unsigned char *at = p + 1, *end = p + n;
    if (n > 0 && p[0] == SEND && !t->role->server)
        say_environment(t, p + 1, n - 1);
    if (n == 0 || p[0] == SEND || !t->role->server)
        return;
    t->has_environment = true;
    while (next_variable(&at, end, &name, &value))
        if (name.n == 4 && memcmp(name.bytes, "USER", 4) == 0)
            keep(t->user, sizeof t->user, value.bytes, value.n);
}

/* Is it among the names, which a byte of the peer's choice separates? */
static bool offers(const unsigned char *p, size_t n, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 1; n > 0 && i < n;) {
        const unsigned char *next = memchr(p + i, p[0], n - i);
        size_t k = next ? (size_t)(next - p) - i : n - i;
        if (k == len && strncasecmp((const char *)p + i, name, len) == 0)
            return true;
        i += k + 1;
    }
    return false;
}

static void hear_charset(struct telnet *t, const unsigned char *p, size_t n)
{
    static const unsigned char no_table[] = {TTABLE_REJECTED};
    static const char table[] = "[TTABLE]"; /* ... and a version may stand in front of the names */
    const char *name = opt_string(t->a, &opt_telnet_charset, "");
    if (n == 0)
        return;
    bool requests = p[0] == REQUEST, with_table = requests && n > sizeof table && memcmp(p + 1, table, sizeof table - 1) == 0;
    size_t skip = with_table ? sizeof table + 1 : 1;
    if (requests && skip < n)
        say_charset(t, offers(p + skip, n - skip, name) ? ACCEPTED : REJECTED);
    else if (requests)
        say_charset(t, REJECTED);
    else if (p[0] == ACCEPTED)
        diag(DIAG_NOTICE, "telnet: the character set is %s", name);
    else if (p[0] == REJECTED)
        diag(DIAG_WARN, "telnet: the peer does not know character set %s", name);
    else if (p[0] == TTABLE_IS)
        telnet_say(t, TO_CHARSET, no_table, sizeof no_table);
}

void terminal_hear(struct telnet *t, unsigned option, const unsigned char *p, size_t n)
{
    switch (option) {
    case TO_NAWS: hear_window(t, p, n); return;
    case TO_TTYPE: hear_term(t, p, n); return;
    case TO_NEW_ENVIRON: hear_environment(t, p, n); return;
    case TO_CHARSET: hear_charset(t, p, n); return;
    default: return;
    }
}
