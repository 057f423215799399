/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who may log in: see logins.h. */
#include "inter/proxy/logins.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/options.h"
#include "catena/renewed.h"
#include "catena/secret.h"
#include "inter/libraries/libraries.h"
#include "inter/proxy/opts_server.h"

/* ---- comparing ---- */

static bool same(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned differs = na != nb;
    for (size_t i = 0; i < LOGIN_MAX; i++)
        differs |= (unsigned)((unsigned char)(i < na ? a[i] : 0) ^ (unsigned char)(i < nb ? b[i] : 0));
    return differs == 0;
}

/* NULL: it cannot be hashed that way. */
static const char *hash(const char *password, const char *setting, struct crypt_data *room)
{
    const char *made = crypt_r(password, setting, room);
    return made && made[0] != '*' ? made : NULL;
}

static bool matches_hash(const char *password, const char *wanted)
{
    struct crypt_data *room = calloc(1, sizeof *room); /* too large for a stack */
    const char *made = room ? hash(password, wanted, room) : NULL;
    unsigned differs = !made || strlen(made) != strlen(wanted);
    for (size_t i = 0; !differs && wanted[i]; i++)
        differs |= (unsigned)(made[i] ^ wanted[i]) << 1;
    if (room)
        explicit_bzero(room, sizeof *room);
    free(room);
    return differs == 0;
}

bool logins_admit(const struct logins *l, const char *user, size_t nuser, const char *password,
                  size_t npassword)
{
    char text[LOGIN_MAX + 1] = "";
    const struct login *found = NULL;
    if (nuser > LOGIN_MAX || npassword > LOGIN_MAX || l->n == 0)
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (same(user, nuser, l->v[i].user, strlen(l->v[i].user)))
            found = &l->v[i];
    const struct login *one = found ? found : &l->v[0]; /* who is not known is told as late */
    memcpy(text, password, npassword);
    bool good = one->hashed ? matches_hash(text, one->password) && strlen(text) == npassword
                            : same(password, npassword, one->password, strlen(one->password));
    explicit_bzero(text, sizeof text);
    return good && found;
}

/* ---- reading ---- */

static int check_hash(const char *password, struct err *e)
{
    struct crypt_data *room;
    if (libraries_load_crypt(e) < 0)
        return -1;
    if (!(room = calloc(1, sizeof *room)))
        return err_nomem(e);
    bool known = hash("", password, room) != NULL;
    free(room);
    return known ? 0 : err_set(e, ERR_OTHER, "a password that begins with \"$\" is a hash of crypt(3), and this one is "
                                             "of no kind that is known here");
}

/* "user:password"; the text is kept. */
static int add(struct logins *l, char *line, struct err *e)
{
    char *colon = strchr(line, ':');
    if (!colon || colon == line)
        return err_set(e, ERR_OTHER, "<user>:<password> is needed");
    *colon = '\0';
    struct login one = {.user = line, .password = colon + 1, .hashed = colon[1] == '$'};
    if (strlen(one.user) > LOGIN_MAX || (!one.hashed && strlen(one.password) > LOGIN_MAX))
        return err_set(e, ERR_OTHER, "user and password may have %d bytes each", LOGIN_MAX);
    if (one.hashed && check_hash(one.password, e) < 0)
        return -1;
    struct login *v = reallocarray(l->v, l->n + 1, sizeof *v);
    if (!v)
        return err_nomem(e);
    l->v = v;
    l->v[l->n++] = one;
    return 0;
}

static int add_lines(struct logins *l, char *text, bool *plain, struct err *e)
{
    int number = 1;
    for (char *line = text, *next; line && *line; line = next, number++) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        if (line[0] == '\0' || line[0] == '#')
            continue;
        if (add(l, line, e) < 0)
            return err_wrap(e, "line %d", number);
        *plain |= !l->v[l->n - 1].hashed;
    }
    return 0;
}

static int load_file(struct logins *l, const struct opt *o, struct run *r, struct err *e)
{
    struct secret_file file;
    bool plain = false;
    if (secret_file_read(o, r, &file, e) < 0)
        return -1;
    l->text[0] = file.text;
    l->len[0] = file.len;
    if (strlen(file.text) != file.len)
        return err_set(e, ERR_OTHER, "%s \"%s\" has a NUL byte in it", o->desc->name, o->v.s);
    if (add_lines(l, file.text, &plain, e) < 0)
        return err_wrap(e, "%s \"%s\"", o->desc->name, o->v.s);
    if (l->n == 0)
        return err_set(e, ERR_OTHER, "%s \"%s\" has nobody in it", o->desc->name, o->v.s);
    if (plain && file.exposed)
        diag(DIAG_WARN, "%s \"%s\" has passwords in it, and anybody may read it", o->desc->name, o->v.s);
    return 0;
}

static int load_one(struct logins *l, const struct addr *a, struct run *r, struct err *e)
{
    struct secret_value value;
    int found = secret_value(a, &opt_auth, r, -1, &value, e);
    if (found > 0) {
        l->text[1] = strdup(value.text);
        l->len[1] = strlen(value.text);
        found = !l->text[1] ? err_nomem(e) : add(l, l->text[1], e) < 0 ? err_wrap(e, "auth") : 0;
    }
    secret_value_wipe(&value);
    return found;
}

int logins_check(const struct addr *a, struct err *e)
{
    const struct opt *reload = opt_find(a, &opt_reload);
    return reload && !opt_find(a, &opt_auth_file)
               ? err_at(e, reload->at, "reload: nothing can be read again here but auth-file=<file>, which is not given")
               : 0;
}

int logins_load(struct logins *l, const struct addr *a, struct run *r, struct err *e)
{
    const struct opt *file = opt_find(a, &opt_auth_file);
    *l = (struct logins){0};
    bool good = !file || load_file(l, file, r, e) == 0;
    if (good && load_one(l, a, r, e) == 0)
        return 0;
    (void)err_points_at(e, (good ? opt_find(a, &opt_auth) : file)->at);
    logins_free(l);
    return -1;
}

void logins_free(struct logins *l)
{
    for (size_t i = 0; i < 2; i++) {
        if (l->text[i])
            explicit_bzero(l->text[i], l->len[i]);
        free(l->text[i]);
    }
    free(l->v);
    *l = (struct logins){0};
}

static int make(const struct addr *a, struct run *r, void **out, struct err *e)
{
    struct logins *l = malloc(sizeof *l);
    if (!l)
        return err_nomem(e);
    if (logins_load(l, a, r, e) < 0) {
        free(l);
        return -1;
    }
    *out = l;
    return 0;
}

static void release(void *logins)
{
    logins_free(logins);
    free(logins);
}

const struct renewed_ops logins_renewed = {make, release};
