/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who may log in: users and passwords, or their hashes, from options auth and auth-file. Const once they are
 * read, so that threads may share them. */
#ifndef CATENA_INTER_LOGINS_H
#define CATENA_INTER_LOGINS_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/addr.h"
#include "catena/err.h"
#include "catena/run.h"

enum { LOGIN_MAX = 255 }; /* bytes of a user name, and of a password */

struct login {
    const char *user, *password; /* in the text below */
    bool hashed;                 /* the password is what crypt(3) made of it */
};
struct logins {
    struct login *v;
    size_t n;
    char *text[2]; /* of both options; owned */
    size_t len[2];
};

/* Where nothing can be read again nobody is made to believe so. */
int logins_check(const struct addr *a, struct err *e);
int logins_load(struct logins *l, const struct addr *a, struct run *r, struct err *e);
void logins_free(struct logins *l);
/* The same, allocated. */
extern const struct renewed_ops logins_renewed;
/* Takes the same time for all users, known or not, and all passwords of a length. */
bool logins_admit(const struct logins *l, const char *user, size_t nuser, const char *password,
                  size_t npassword);

#endif
