/* SPDX-License-Identifier: GPL-2.0-or-later
 * What servers that connect their clients to wherever they want have in common: who may come, where to,
 * and how that is told to the rest of the line. */
#ifndef CATENA_INTER_ADMISSION_H
#define CATENA_INTER_ADMISSION_H

#include "catena/inter.h"
#include "inter/proxy/logins.h"
#include "inter/proxy/rules.h"

#define GIVES_WISH "targethost targetport targetuser command proto"

struct renewed;
struct admission { /* what all connections share */
    struct renewed *logins; /* struct logins; may have been made anew for the next connection */
    bool logs_in;           /* there are any */
    struct rules rules;
    unsigned commands; /* a bit for each name of the list in the form's .arg that may be asked for */
};
int admission_prepare(const struct addr *a, struct run *r, void **shared, struct err *e);
void admission_release(void *shared);
void admission_renew(void *shared, struct run *r);
#define ADMISSION_COMMON {.prepare = admission_prepare, .release = admission_release, .renew = admission_renew}
/* May who says that log in now? */
bool admission_admits(const struct admission *m, struct run *r, const char *user, size_t nuser, const char *password,
                      size_t npassword);

/* form.arg of such a server. */
struct server_kind {
    const char *commands; /* names, blank-separated: option commands */
    unsigned usual;       /* bits of those that may be asked for unless it is given */
};

/* May clients ask for that command of the list? */
bool admission_may_ask(const struct addr *a, const char *command);

/* What a client wants. */
struct wish {
    char host[RULE_HOST_MAX + 1]; /* IPv6 in brackets */
    int port;
    bool any_port;            /* 0 is one */
    char user[LOGIN_MAX + 1]; /* who has logged in, or empty */
};
/* Is it a target, and may he go there? Then it is told. Errors: ERR_UNFIT, ERR_DENIED, or why a name that had to
 * be looked up is not known. */
int admission_grant(const struct admission *m, const struct addr *a, struct run *r, struct wish *wish,
                    struct err *e);

/* It is told as it is, for it leads nowhere by itself. */
int admission_tell(const struct addr *a, struct run *r, const struct wish *wish, struct err *e);

/* form.check, form.serves_anybody */
int admission_check(const struct addr *a, struct err *e);
bool admission_serves_anybody(const struct addr *a);

/* What the rest of the line has told, for an answer: an address and a port, by the names of the facts. Gives the
 * family (AF_INET, AF_INET6; 0: not known, all zero), its bytes, and the port. */
int admission_bound(const struct outcome *o, const char *host_fact, const char *port_fact, unsigned char address[static 16],
                    int *port);

#endif
