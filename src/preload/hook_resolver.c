/* SPDX-License-Identifier: GPL-2.0-or-later
 * Other ways to look names up, by the C library's own resolver, whose sockets no hook sees: they would ask here,
 * so they find nothing, unless that is wanted (XIO_RESOLVE=here). */
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "preload/real.h"

struct __res_state;

/* NULL: it is not to be asked. */
static void *asked(const char *name)
{
    const char *where = getenv("XIO_RESOLVE");
    void *f = where && strcmp(where, "here") == 0 ? dlsym(RTLD_NEXT, name) : NULL;
    if (!f) {
        h_errno = NO_RECOVERY;
        errno = ECONNREFUSED;
    }
    return f;
}

/* Parameters, and the same as arguments. */
#define LOOKS_UP(name, parameters, arguments)                     \
    HOOK int name parameters;                                     \
    HOOK int name parameters                                      \
    {                                                             \
        void *found = asked(#name);                               \
        int(*f) parameters = NULL;                                \
        memcpy(&f, &found, sizeof f);                             \
        return f ? f arguments : -1;                              \
    }

#define QUERY (const char *name, int class, int type, unsigned char *out, int cap)
#define NQUERY (struct __res_state *state, const char *name, int class, int type, unsigned char *out, int cap)
#define DOMAIN (const char *name, const char *domain, int class, int type, unsigned char *out, int cap)
#define NDOMAIN (struct __res_state *state, const char *name, const char *domain, int class, int type, unsigned char *out, int cap)
#define SEND (const unsigned char *ask, int n, unsigned char *out, int cap)
#define NSEND (struct __res_state *state, const unsigned char *ask, int n, unsigned char *out, int cap)

LOOKS_UP(res_query, QUERY, (name, class, type, out, cap))
LOOKS_UP(res_search, QUERY, (name, class, type, out, cap))
LOOKS_UP(res_nquery, NQUERY, (state, name, class, type, out, cap))
LOOKS_UP(res_nsearch, NQUERY, (state, name, class, type, out, cap))
LOOKS_UP(res_querydomain, DOMAIN, (name, domain, class, type, out, cap))
LOOKS_UP(res_nquerydomain, NDOMAIN, (state, name, domain, class, type, out, cap))
LOOKS_UP(res_send, SEND, (ask, n, out, cap))
LOOKS_UP(res_nsend, NSEND, (state, ask, n, out, cap))
/* as older programs have them */
LOOKS_UP(__res_query, QUERY, (name, class, type, out, cap))
LOOKS_UP(__res_search, QUERY, (name, class, type, out, cap))
LOOKS_UP(__res_nquery, NQUERY, (state, name, class, type, out, cap))
LOOKS_UP(__res_nsearch, NQUERY, (state, name, class, type, out, cap))
LOOKS_UP(__res_send, SEND, (ask, n, out, cap))
LOOKS_UP(__res_nsend, NSEND, (state, ask, n, out, cap))

HOOK int getaddrinfo_a(int mode, struct gaicb **list, int n, struct sigevent *event)
{
    void *found = asked("getaddrinfo_a");
    int (*real)(int, struct gaicb **, int, struct sigevent *) = NULL;
    memcpy(&real, &found, sizeof real);
    return real ? real(mode, list, n, event) : EAI_FAIL;
}
