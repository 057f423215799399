/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY: asks an HTTP proxy for a connection with the CONNECT method. Credentials never get into a
 * message; they are wiped when sent. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/secret.h"
#include "inter/proxy/opts_proxy.h"
#include "inter/proxy/target.h"

enum {
    VERSION_MAX = 15,
    REQUEST_MAX = 1024 + SECRET_MAX * 4 / 3,
    LINE_MAX_BYTES = 8192,
    HEADER_MAX_BYTES = 65536,
};

/* RFC 4648, padded, NUL-terminated; to has room for it. */
static void base64(char *to, const char *from)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(from);

    for (size_t i = 0; i < n; i += 3) {
        unsigned long bits = 0;

        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < n ? (unsigned char)from[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            *to++ = i + j <= n ? digits[bits >> (18 - 6 * j) & 63] : '=';
    }
    *to = '\0';
}

static int http_version(const struct addr *a, const char **version, struct err *e)
{
    *version = opt_string(a, &opt_http_version, "1.0");
    for (const char *p = *version; *p != '\0'; p++)
        if (!isgraph((unsigned char)*p) || p - *version >= VERSION_MAX)
            return err_at(e, opt_find(a, &opt_http_version)->at,
                          "http-version must be up to %d printable characters without blanks",
                          VERSION_MAX);
    return 0;
}

static int send_request(const struct addr *a, const struct target *t, bool *authorized,
                        struct wire *w, struct err *e)
{
    struct secret_value credentials;
    char coded[SECRET_MAX * 4 / 3 + 8], request[REQUEST_MAX];
    const char *version;
    int found, n, rc = -1;

    found = secret_value(a, &opt_proxy_auth, w->run, w->deadline, &credentials, e);
    if (found < 0 || http_version(a, &version, e) < 0)
        goto out;
    *authorized = credentials.text[0] != '\0';
    base64(coded, credentials.text);
    n = snprintf(request, sizeof request, "CONNECT %s HTTP/%s\r\n%s%s%s\r\n", t->text, version,
                 *authorized ? "Proxy-authorization: Basic " : "", coded,
                 *authorized ? "\r\n" : "");
    rc = wire_write(w, request, (size_t)n, e);
out:
    secret_value_wipe(&credentials);
    explicit_bzero(coded, sizeof coded);
    explicit_bzero(request, sizeof request);
    return rc;
}

/* One line of the reply, without carriage returns if they are to be ignored. *total counts down
 * what the reply may still have. */
static int read_line(const struct addr *a, char *line, size_t *total, struct wire *w, struct err *e)
{
    size_t n;

    if (wire_read_line(w, line, LINE_MAX_BYTES, e) < 0)
        return -1;
    n = strlen(line) + 2;
    if (n > *total)
        return err_set(e, ERR_PROTOCOL, "the reply's header has more than %d bytes",
                       HEADER_MAX_BYTES);
    *total -= n;
    if (opt_true(a, &opt_ignorecr)) {
        char *to = line;

        for (const char *from = line; *from != '\0'; from++)
            if (*from != '\r')
                *to++ = *from;
        *to = '\0';
    }
    return 0;
}

/* "HTTP/1.x NNN text", with blanks as RFC 9112 allows a reader to take them: one or more, or tabs.
 * Gives NNN and where it stands, or -1. */
static int parse_status(const char *line, const char **at)
{
    static const char blanks[] = " \t";
    int status = 0;

    if (strncmp(line, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)line[7]))
        return -1;
    const char *code = line + 8 + strspn(line + 8, blanks);
    if (code == line + 8)
        return -1;
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)code[i]))
            return -1;
        status = status * 10 + (code[i] - '0');
    }
    if (strcspn(code + 3, blanks) != 0)
        return -1;
    *at = code;
    return status;
}

/* The proxy's own troubles may go away by themselves. */
static enum err_kind kind_of(int status)
{
    static const struct {
        int status;
        enum err_kind kind;
    } kinds[] = {
        {401, ERR_DENIED}, {403, ERR_DENIED},      {407, ERR_DENIED}, {408, ERR_TIMEOUT},
        {429, ERR_BUSY},   {502, ERR_UNREACHABLE}, {503, ERR_BUSY},   {504, ERR_TIMEOUT},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].status == status)
            return kinds[i].kind;
    return status >= 500 ? ERR_REFUSED : ERR_OTHER;
}

static int refused(const struct target *t, int status, const char *text, bool authorized,
                   struct err *e)
{
    const char *hint = "";

    if (status == 407)
        hint = authorized ? " (the credentials were sent)" : "; give proxy-authorization";
    return err_set(e, kind_of(status), "the proxy refused %s: %s%s", t->text, text, hint);
}

static int read_reply(const struct addr *a, const struct target *t, bool authorized, struct wire *w,
                      struct err *e)
{
    char line[LINE_MAX_BYTES], shown[128];
    size_t total = HEADER_MAX_BYTES;
    const char *at = line;
    int status;

    if (read_line(a, line, &total, w, e) < 0)
        return -1;
    status = parse_status(line, &at);
    printable(shown, sizeof shown, at);
    if (status < 0)
        return err_set(e, ERR_PROTOCOL, "the reply is not HTTP/1: \"%s\"", shown);
    if (status < 200 || status > 299)
        return refused(t, status, shown, authorized, e);
    do {
        if (read_line(a, line, &total, w, e) < 0)
            return -1;
    } while (line[0] != '\0');
    diag(DIAG_INFO, "the proxy connected to %s: %s", t->text, shown);
    return 0;
}

static int proxy_learn(void *st, const struct addr *a, struct run *r, struct wire *w,
                       struct err *e)
{
    struct target t;
    bool authorized = false;

    (void)st;
    if (target_parse(a, false, &t, e) < 0)
        return -1;
    if (opt_true(a, &opt_proxy_resolve) && target_resolve_ip4(a, &t, r, e) < 0)
        return -1;
    diag(DIAG_INFO, "asking the proxy for a connection to %s", t.text);
    if (send_request(a, &t, &authorized, w, e) < 0 || read_reply(a, &t, authorized, w, e) < 0)
        return err_wrap(e, "proxy dialog");
    return 0;
}

static const struct negotiator_ops proxy_ops = {.learn = proxy_learn};
static const struct compound proxy_tcp = {
    .inter = "PROXY",
    .inter_params = {2, 3},
    .endpoint = "TCP-CONNECT",
    .endpoint_params = {1},
    .port_option = &opt_proxyport,
    .port_default = "8080",
};

extern const struct form forms_http_connect[];
const struct form forms_http_connect[] = {
    {
        .keyword = "PROXY",
        .aliases = "PROXY-CONNECT",
        .params = ":<host>:<port>",
        .min_params = 2,
        .max_params = 2,
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY | GROUP_HTTP,
        .role = ROLE_CLIENT,
        .target = 1,
        .help = "asks an HTTP proxy for a connection (CONNECT)",
        .check = target_check, .foresee = target_foresee, .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &proxy_ops,
    },
    {
        .keyword = "PROXY",
        .aliases = "PROXY-CONNECT",
        .params = ":<proxy-server>:<host>:<port>",
        .min_params = 3,
        .max_params = 3,
        .left = CTX_RWB,
        .groups = GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_IP4 | GROUP_IP6 |
                  GROUP_TCP | GROUP_HTTP,
        .target = 2,
        .help = "connects over TCP to an HTTP proxy and through it to the host",
        .kind = FORM_COMPOUND,
        .ops.compound = &proxy_tcp,
    },
    {0},
};
