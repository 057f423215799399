/* SPDX-License-Identifier: GPL-2.0-or-later
 * The secrets of connections, a line each as other programs write and Wireshark reads them: into the file
 * that keylog= names, to the run, for taps, and to who makes the kernel's keys of them. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls_kernel.h"

#include <string.h>
#include <sys/uio.h>

#include "catena/diag.h"
#include "catena/plan.h"

/* The library has a line ready before anything leaves that it opens. */
static void tell(const SSL *ssl, const char *line)
{
    struct tls_session *s = SSL_get_app_data(ssl);
    struct iovec v[] = {{(void *)(uintptr_t)line, strlen(line)}, {(void *)(uintptr_t)"\n", 1}};
    run_tell_secret(s->run, line);
    tls_kernel_secret(s, line);
    if (sink_is_open(&s->key_log))
        sink_put(&s->key_log, v, 2);
}

int tls_key_log_prepare(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_tls_keylog);
    t->key_log = SINK_NONE;
    if (o && (!o->v.s || !*o->v.s))
        return err_at(e, o->at, "%s: the name of a file is missing", o->desc->name);
    if (o && sink_open_private(&t->key_log, r, "key log", o->v.s, e) < 0) {
        e->where = o->at;
        return -1;
    }
    if (o)
        diag(DIAG_NOTICE, "whoever reads \"%s\" can decrypt the connections of %s", o->v.s, a->label);
    if (o || t->in_kernel || (r->plan && r->plan->wants_secrets))
        SSL_CTX_set_keylog_callback(t->ctx, tell);
    return 0;
}

int tls_key_log_open(struct tls_session *s, struct err *e)
{
    const struct sink *from = &s->shared->key_log;
    s->key_log = SINK_NONE;
    return sink_is_open(from) ? sink_copy(&s->key_log, from, s->run, e) : 0;
}
