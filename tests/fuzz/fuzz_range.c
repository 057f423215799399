/* SPDX-License-Identifier: GPL-2.0-or-later
 * Socket addresses and who may come in: the first byte chooses what the rest is, a range, a host with
 * a port, the path of a UNIX socket, or the raw bytes of a socket address that becomes text. */
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/plan.h"
#include "endpoint/address/range.h"
#include "catena/host.h"
#include "../home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct settings settings = {.catena = &home, .ip_version = 4, .env_prefix = "SOCAT"};

/* In front of the library's: nothing is asked of the network. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)name, (void)service, (void)hints, (void)result;
    return EAI_NONAME;
}

static void check(const struct err *e)
{
    if (e->kind == ERR_NONE || e->text[0] == '\0')
        abort();
}

/* A range holds its own address, and its edges. */
static void ranges(const char *text, int family)
{
    static const struct form form = {.keyword = "FUZZ"};
    static const struct addr a = {.form = &form, .label = "fuzz"};
    struct err e = {.kind = ERR_NONE};
    struct sockname peer = {.len = sizeof peer.u};
    struct range range;
    struct run run;
    if (run_init(&run, &settings, NULL, -1, &e) < 0)
        abort();
    if (range_parse(&a, &run, text, family, &range, &e) < 0) {
        check(&e);
    } else if (!range.ip) {
        memcpy(peer.u.sa.sa_data, range.addr, range.len);
    } else {
        peer.u.in6.sin6_family = AF_INET6;
        peer.len = sizeof peer.u.in6;
        for (size_t i = 0; i < 16; i++) /* anything where the mask has no bit */
            peer.u.in6.sin6_addr.s6_addr[i] = (range.addr[i] & range.mask[i]) |
                                              (uint8_t)(0xa5 & ~range.mask[i]);
    }
    if (e.kind == ERR_NONE && !range_match(&range, &peer))
        abort();
    run_fini(&run);
}

static void hosts(const char *text)
{
    struct err e = {.kind = ERR_NONE};
    const char *host, *port;
    char *storage;
    if (resolve_split(text, &storage, &host, &port, &e) < 0)
        check(&e);
    else if ((host ? strlen(host) : 0) + (port ? strlen(port) : 0) > strlen(text))
        abort();
    free(storage);
}

static void paths(const char *text, bool abstract, bool tight)
{
    char shown[SOCKNAME_TEXT];
    struct sockname n;
    struct err e = {.kind = ERR_NONE};
    if (sockname_unix(&n, text, abstract, tight, &e) < 0)
        check(&e);
    else if (n.len > sizeof n.u.un || strlen(sockname_text(&n, shown)) >= sizeof shown)
        abort();
}

static void raw(const uint8_t *data, size_t size)
{
    char shown[SOCKNAME_TEXT];
    struct sockname n = {.len = 0};
    unsigned char ip[16];
    n.len = (socklen_t)(size < sizeof n.u ? size : sizeof n.u);
    if (n.len > 0)
        memcpy(&n.u, data, n.len);
    if (strlen(sockname_text(&n, shown)) >= sizeof shown ||
        strlen(sockname_host(&n, shown)) >= sizeof shown)
        abort();
    (void)sockname_port(&n);
    (void)sockname_ip_bytes(&n, ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int families[] = {AF_INET, AF_INET6, AF_UNSPEC, RANGE_BINARY};
    char *text = size > 0 ? malloc(size) : NULL;
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 10) {
    case 4: hosts(text); break;
    case 5:
    case 6:
    case 7:
    case 8: paths(text, data[0] % 10 & 1, data[0] % 10 & 2); break;
    case 9: raw(data + 1, size - 1); break;
    default: ranges(text, families[data[0] % 10]);
    }
    free(text);
    return 0;
}
