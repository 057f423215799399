/* SPDX-License-Identifier: GPL-2.0-or-later
 * STARTTLS, private to src/inter/starttls: the dialogs of the protocols, and what they have in common. */
#ifndef CATENA_INTER_STARTTLS_H
#define CATENA_INTER_STARTTLS_H

#include "catena/inter.h"

enum { OWN_NAME = 256 };

/* Protocols of lines, by their rows. */
extern const struct negotiator_ops lines_client_ops, lines_server_ops, lines_alone_ops;
/* Those with a form of their own. */
extern const struct negotiator_ops ldap_client_ops, ldap_server_ops, xmpp_client_ops, xmpp_server_ops,
    postgres_client_ops, postgres_server_ops, mysql_client_ops, mysql_server_ops;
/* What stays of a MySQL dialog until the login is over. */
extern const struct codec_pair mysql_login_of_client, mysql_login_of_server;

/* How we are called in a greeting. */
const char *starttls_own_name(const struct addr *a, char name[static OWN_NAME]);
/* The domain asked for; NULL: it is not known. */
const char *starttls_domain(const struct addr *a);
/* What comes in plain text behind the last word of a dialog may be from anybody on the way, and is nobody's. */
int starttls_nothing_behind(const struct wire *w, const char *whose, struct err *e);
/* text: what he said. Returns -1. */
int starttls_refused(const char *what, const char *text, struct err *e);
int starttls_not_offered(struct err *e);
int starttls_left(struct err *e); /* a client that has gone, or wants none */

#endif
