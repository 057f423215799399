/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who may come, and where to: see admission.h. */
#include "inter/proxy/admission.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/facts.h"
#include "catena/renewed.h"
#include "catena/run.h"
#include "inter/proxy/opts_server.h"
#include "inter/proxy/target.h"

/* ---- options ---- */

/* Which of a blank-separated list a word is; -1 none. */
static int index_of(const char *list, const char *word, size_t n)
{
    for (int i = 0; *list; i++) {
        size_t len = strcspn(list, " ");
        if (len == n && strncasecmp(list, word, n) == 0)
            return i;
        list += len + strspn(list + len, " ");
    }
    return -1;
}

static int read_commands(const struct addr *a, unsigned *bits, struct err *e)
{
    const struct server_kind *kind = a->form->arg;
    const struct opt *o = opt_find(a, &opt_commands);
    *bits = kind->usual;
    if (!o)
        return 0;
    *bits = 0;
    for (const char *s = o->v.s ? o->v.s : ""; *s;) {
        size_t n = strcspn(s, " ,");
        int i = n > 0 ? index_of(kind->commands, s, n) : 0;
        if (i < 0)
            return err_at(e, o->at, "commands: \"%.*s\" is none of: %s", (int)n, s, kind->commands);
        *bits |= n > 0 ? 1U << i : 0;
        s += n + strspn(s + n, " ,");
    }
    return *bits ? 0 : err_at(e, o->at, "commands: nothing is named; there are: %s", kind->commands);
}

bool admission_may_ask(const struct addr *a, const char *command)
{
    unsigned bits;
    struct err ignored;
    const struct server_kind *kind = a->form->arg;
    return read_commands(a, &bits, &ignored) == 0 && bits & 1U << index_of(kind->commands, command, strlen(command));
}

int admission_check(const struct addr *a, struct err *e)
{
    unsigned commands;
    return logins_check(a, e) < 0 || read_commands(a, &commands, e) < 0 ? -1 : rules_load(NULL, a, e);
}

bool admission_serves_anybody(const struct addr *a)
{
    return !opt_find(a, &opt_auth) && !opt_find(a, &opt_auth_file) && !opt_find(a, &opt_allow) && !opt_true(a, &opt_open);
}

/* ---- what is shared ---- */

void admission_release(void *shared)
{
    struct admission *m = shared;
    renewed_free(m->logins);
    rules_free(&m->rules);
    free(m);
}

int admission_prepare(const struct addr *a, struct run *r, void **shared, struct err *e)
{
    struct admission *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(e);
    m->logs_in = opt_find(a, &opt_auth) || opt_find(a, &opt_auth_file);
    if (read_commands(a, &m->commands, e) < 0 || rules_load(&m->rules, a, e) < 0 ||
        renewed_new(&logins_renewed, a, r, &m->logins, e) < 0) {
        admission_release(m);
        return -1;
    }
    *shared = m;
    return 0;
}

void admission_renew(void *shared, struct run *r)
{
    const struct admission *m = shared;
    renewed_look(m->logins, r);
}

bool admission_admits(const struct admission *m, struct run *r, const char *user, size_t nuser, const char *password,
                      size_t npassword)
{
    const struct logins *l = renewed_take(m->logins, r);
    bool good = logins_admit(l, user, nuser, password, npassword);
    renewed_give(m->logins, l);
    return good;
}

/* ---- granting ---- */

static int check_fact(const char *name, const char *value, enum hole_in in, struct err *e)
{
    const struct saying said = {value, strlen(value), "the client"};
    return fact_check(fact_lookup(name, strlen(name)), &said, in, e);
}

static int tell(const struct addr *a, struct run *r, const struct wish *wish, const char *port, struct err *e)
{
    if (wish->user[0] && run_set_fact(r, a, "targetuser", wish->user, e) < 0)
        return -1;
    return run_set_fact(r, a, "targethost", wish->host, e) < 0 ? -1 : run_set_fact(r, a, "targetport", port, e);
}

int admission_tell(const struct addr *a, struct run *r, const struct wish *wish, struct err *e)
{
    char port[12];
    (void)snprintf(port, sizeof port, "%d", wish->port);
    return check_fact("targethost", wish->host, IN_HOST, e) < 0 ? -1 : tell(a, r, wish, port, e);
}

int admission_grant(const struct admission *m, const struct addr *a, struct run *r, struct wish *wish, struct err *e)
{
    char port[12], shown[sizeof wish->host];
    (void)snprintf(port, sizeof port, "%d", wish->port);
    printable(shown, sizeof shown, wish->host);
    if (strcmp(shown, wish->host) != 0)
        return err_set(e, ERR_UNFIT, "the client's host name has control characters or more than ASCII in it");
    if (check_fact("targethost", wish->host, IN_HOST, e) < 0)
        return -1;
    if (wish->port == 0 && !wish->any_port)
        return err_set(e, ERR_UNFIT, "the client wants port 0 of %s", wish->host);
    if (rules_judge(&m->rules, a, r, wish->host, wish->port, e) < 0)
        return -1;
    diag(DIAG_INFO, "the client%s%s wants %s:%s", wish->user[0] ? " " : "", wish->user, wish->host, port);
    return tell(a, r, wish, port, e);
}

int admission_bound(const struct outcome *o, const char *host_fact, const char *port_fact, unsigned char address[static 16],
                    int *port)
{
    char host[64], number[12];
    memset(address, 0, 16);
    *port = 0;
    if (!outcome_told(o, host_fact, host, sizeof host) || !outcome_told(o, port_fact, number, sizeof number))
        return 0;
    size_t n = strlen(host);
    bool ip6 = n > 2 && host[0] == '[' && host[n - 1] == ']';
    if (ip6)
        host[n - 1] = '\0';
    if (inet_pton(ip6 ? AF_INET6 : AF_INET, host + ip6, address) != 1)
        return 0;
    *port = atoi(number);
    return ip6 ? AF_INET6 : AF_INET;
}
