/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the options of TELNET and its server say, checked. Which character sets there are is iconv's knowledge;
 * nothing is turned into them here, so one that it lacks is worth a warning. */
#include <iconv.h>
#include <string.h>

#include "catena/diag.h"
#include "inter/telnet/opts_telnet.h"
#include "inter/telnet/telnet.h"

static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:()+'/";
enum { MOST = 64 };

static int check_charset(const struct opt *o, struct err *e)
{
    size_t n = strlen(o->v.s);
    if (n > 0 && n <= MOST && strspn(o->v.s, characters) == n)
        return 0;
    return err_at(e, o->at, "charset \"%s\" is no name of a character set, as UTF-8 or IBM437", o->v.s);
}

int telnet_check(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        if (option_is(o->desc, &opt_telnet_env) && (!strchr(o->v.s, '=') || o->v.s[0] == '='))
            return err_at(e, o->at, "env \"%s\" is not <name>=<value>", o->v.s);
        if (option_is(o->desc, &opt_telnet_charset) && check_charset(o, e) < 0)
            return -1;
    }
    return 0;
}

int telnet_foresee(const struct addr *a, struct err *e)
{
    const char *name = opt_string(a, &opt_telnet_charset, NULL);
    iconv_t cd = name ? iconv_open("UTF-8", name) : (iconv_t)-1;
    if (cd != (iconv_t)-1)
        (void)iconv_close(cd);
    else if (name)
        return err_set(e, ERR_ABSENT, "character set \"%s\" is not known here (iconv -l lists those that are)", name);
    return 0;
}

int telnet_prepare(const struct addr *a, struct run *r, void **shared, struct err *e)
{
    struct err unknown;
    (void)r;
    (void)e;
    *shared = NULL; /* it is only said once, however many connections come */
    if (telnet_foresee(a, &unknown) < 0)
        diag(DIAG_WARN, "%s: %s", a->label, unknown.text);
    return 0;
}

void telnet_release(void *shared)
{
    (void)shared;
}
