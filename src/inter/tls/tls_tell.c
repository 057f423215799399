/* SPDX-License-Identifier: GPL-2.0-or-later
 * What came of a handshake, for the log. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"
#include "inter/tls/tls_resume.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "catena/diag.h"

struct listing {
    char text[400];
    size_t len;
    unsigned n, more;
};

static bool list_name(const char *name, void *arg)
{
    struct listing *l = arg;
    if (l->len + strlen(name) + 5 < sizeof l->text) /* with quotes, comma, blank and NUL */
        l->len += (size_t)snprintf(l->text + l->len, sizeof l->text - l->len, "%s\"%s\"", l->n++ ? ", " : "", name);
    else
        l->more++;
    return false;
}

void tls_time(const ASN1_TIME *when, char text[TLS_TIME])
{
    struct tm tm;
    if (ASN1_TIME_to_tm(when, &tm) != 1 || strftime(text, TLS_TIME, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        (void)snprintf(text, TLS_TIME, "an unknown time");
}

static void tell_peer(X509 *cert)
{
    struct listing l = {.n = 0};
    char until[TLS_TIME], more[40] = "";
    (void)tls_each_name(cert, list_name, &l);
    if (l.more > 0)
        (void)snprintf(more, sizeof more, " and %u more", l.more);
    tls_time(X509_get0_notAfter(cert), until);
    diag(DIAG_NOTICE, "that certificate is for %s%s and valid until %s", l.n + l.more > 0 ? l.text : "no name", more, until);
}

void tls_tell_trust(const struct tls_session *s)
{
    const char *pin = s->shared->npins == 0 ? "" : s->shared->verify ? ", and its key is one that is pinned"
                                                                     : ", but its key is one that is pinned";
    if (!s->shared->verify)
        diag(DIAG_NOTICE, "verify=0: the peer's certificate was not verified%s", pin);
    else if (s->expect)
        diag(DIAG_NOTICE, "the peer's certificate is trusted and for \"%s\"%s", s->expect, pin);
    else
        diag(DIAG_NOTICE, "the peer's certificate is trusted, its name was not verified%s", pin);
}

/* Where no key was exchanged in a group there is none. */
static const char *group_of(SSL *ssl)
{
    int group = (int)SSL_get_negotiated_group(ssl);
    const char *name = group != NID_undef ? SSL_group_to_name(ssl, group) : NULL;
    return name ? name : "none";
}

void tls_tell_agreed(const struct tls_session *s)
{
    X509 *cert = SSL_get0_peer_certificate(s->ssl);
    const char *name;
    char alpn[256];
    size_t n = tls_agreed(s, &name);
    if (!diag_shows(DIAG_NOTICE))
        return;
    tls_shown(alpn, sizeof alpn, name, n);
    diag(DIAG_NOTICE, "SSL group %s, %s session, %s%s", group_of(s->ssl),
         tls_resumed(s) ? "resumed" : "new", n > 0 ? "ALPN " : "no ALPN", alpn);
    if (cert)
        tell_peer(cert);
}
