/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the options of WS and WS-SERVER say, checked, and made ready for all connections. */
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/handshake.h"
#include "catena/renewed.h"
#include "catena/secret.h"
#include "catena/wait.h"
#include "inter/libraries/libraries.h"
#include "inter/proxy/opts_server.h"
#include "inter/records/opts_records.h"
#include "inter/ws/opts_ws.h"
#include "inter/ws/ws.h"

enum {
    RECORD_DEFAULT = 1 << 20, /* bytes */
    RECORD_CEILING = 16 << 20, /* what is relayed as one message */
    PAGE_MAX = 16 << 20,
    PONG_S = 30,
};

static bool is_server(const struct addr *a)
{
    return ((const struct ws_role *)a->form->arg)->server;
}

const char *ws_uri(const struct addr *a)
{
    const char *uri = opt_string(a, &opt_uri, a->nparams > 0 ? a->params[0] : NULL);
    return uri && *uri ? uri : NULL;
}

/* ---- lists ---- */

bool ws_each_value(const struct addr *a, const struct option_desc *row, ws_visit *f, void *arg)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        if (option_is(o->desc, row) && o->v.s && f(o->v.s, strlen(o->v.s), arg))
            return true;
    }
    return false;
}

struct words {
    ws_visit *f;
    void *arg;
};

static bool each_word_of(const char *value, size_t n, void *arg)
{
    const struct words *w = arg;
    (void)n;
    for (size_t k; *(value += strspn(value, " ,")); value += k) {
        k = strcspn(value, " ,");
        if (w->f(value, k, w->arg))
            return true;
    }
    return false;
}

bool ws_each_word(const struct addr *a, const struct option_desc *row, ws_visit *f, void *arg)
{
    return ws_each_value(a, row, each_word_of, &(struct words){f, arg});
}

/* ---- what can be known wrong ---- */

static bool has_control(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
            return true;
    return false;
}

static bool is_no_list(const char *value)
{
    const char *word = value + strspn(value, " ,");
    for (size_t n; *word; word += n + strspn(word + n, " ,"))
        if (!is_token(word, n = strcspn(word, " ,")))
            return true;
    return !value[strspn(value, " ,")];
}

static bool is_no_field(const char *value)
{
    const char *colon = strchr(value, ':');
    return !colon || !is_token(value, (size_t)(colon - value)) || has_control(value, strlen(value));
}

static bool is_no_name(const char *value)
{
    return has_control(value, strlen(value)) || strchr(value, ' ');
}

static bool is_no_host(const char *value)
{
    return !*value || is_no_name(value);
}

static bool is_no_uri(const char *value)
{
    for (const char *p = value; *p; p++)
        if (*p <= ' ' || *p > '~' || *p == '#')
            return true;
    return false;
}

static bool is_relative(const char *value)
{
    return *value && *value != '/'; /* the empty one is none */
}

static bool is_no_login(const char *value)
{
    return !strchr(value, ':') || *value == ':';
}

static const char uri_words[] = "an uri has neither blanks (%20 is one) nor \"#\"",
                  relative_words[] = "an uri begins with \"/\"", login_words[] = "it is <user>:<password>";

static const struct demand {
    const struct option_desc *row;
    bool (*wrong)(const char *value);
    const char *what; /* of it */
    bool whole;       /* of a sample nothing can be said */
} demands[] = {
    {&opt_uri, is_no_uri, uri_words},
    {&opt_uri, is_relative, relative_words, .whole = true},
    {&opt_subprotocol, is_no_list, "the name of a subprotocol has letters, digits and !#$%&'*+-.^_`|~"},
    {&opt_header, is_no_field, "a header is \"<name>: <value>\", without control characters"},
    {&opt_origin, is_no_name, "an origin has neither blanks nor control characters"},
    {&opt_http_host, is_no_host, "a host has neither blanks nor control characters"},
    {&opt_ws_auth, is_no_login, login_words, .whole = true},
    {&opt_auth, is_no_login, login_words, .whole = true},
};

/* What nobody may see is not shown. */
static int check_option(const struct opt *o, struct err *e)
{
    for (const struct demand *d = demands; d < demands + sizeof demands / sizeof demands[0]; d++) {
        bool hidden = o->desc->secret != SECRET_NONE;
        bool unknown = (o->hole && d->whole) || o->desc->secret == SECRET_FILE || !o->v.s;
        if (unknown || !option_is(o->desc, d->row) || !d->wrong(o->v.s))
            continue;
        return hidden ? err_at(e, o->at, "%s: %s", o->desc->name, d->what)
                      : err_at(e, o->at, "%s \"%s\": %s", o->desc->name, o->v.s, d->what);
    }
    return 0;
}

int ws_check(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (check_option(&a->opts[i], e) < 0)
            return -1;
    if (a->host && strncmp(a->host, "//", 2) == 0)
        return err_at(e, a->at, "a URL is no address: what a browser calls ws://host:port/uri is ws:host:port/uri here, and wss:// is wss:");
    if (a->nparams > 0 && is_no_uri(a->params[0]))
        return err_at(e, a->param_at[0], "uri \"%s\": %s", a->params[0], uri_words);
    if (a->nparams > 0 && !(a->holes && a->holes[0]) && is_relative(a->params[0]))
        return err_at(e, a->param_at[0], "uri \"%s\": %s", a->params[0], relative_words);
    if (opt_true(a, &opt_text) && opt_true(a, &opt_binary))
        return err_at(e, opt_find(a, &opt_binary)->at, "text and binary exclude each other");
    return 0;
}

enum admits ws_admits(const struct addr *a)
{
    return opt_find(a, &opt_auth) || opt_find(a, &opt_auth_file) ? ADMITS_SOME : ADMITS_ANYBODY;
}

static bool names_page(const struct addr *a, const char **name)
{
    *name = opt_string(a, &opt_static, NULL);
    return *name && strcmp(*name, "404") != 0;
}

static int page_error(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_static);
    (void)err_sys(e, "static \"%s\"", o->v.s);
    return err_points_at(e, o->at);
}

int ws_foresee(const struct addr *a, struct err *e)
{
    const char *name;
    if (names_page(a, &name) && access(name, R_OK) < 0)
        return page_error(a, e);
    return 0;
}

/* ---- texts ---- */

/* Appends; *text is freed and NULL without memory. */
static bool add(char **text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool add(char **text, const char *fmt, ...)
{
    char *more = NULL, *both = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = *text ? vasprintf(&more, fmt, ap) : -1;
    va_end(ap);
    if (n < 0 || asprintf(&both, "%s%s", *text, more) < 0)
        both = NULL;
    if (n >= 0) {
        explicit_bzero(more, (size_t)n);
        free(more);
    }
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = both;
    return both;
}

static bool add_field(const char *value, size_t n, void *text)
{
    (void)n;
    return !add(text, "%s\r\n", value);
}

struct list {
    char *text;
};

static bool add_word(const char *word, size_t n, void *arg)
{
    struct list *l = arg;
    return !add(&l->text, "%s%.*s", *l->text ? ", " : "", (int)n, word);
}

/* Where the chain leads, unless an option says otherwise. */
static bool add_host(char **text, const struct addr *a)
{
    const char *host = opt_string(a, &opt_http_host, NULL), *port = a->port;
    if (host)
        return add(text, "Host: %s\r\n", host);
    host = a->host && *a->host ? a->host : "localhost";
    bool bare6 = host[0] != '[' && strchr(host, ':');
    bool usual = !port || strspn(port, "0123456789") != strlen(port) || !*port || strcmp(port, "80") == 0 ||
                 strcmp(port, "443") == 0;
    return add(text, "Host: %s%s%s%s%s\r\n", bare6 ? "[" : "", host, bare6 ? "]" : "", usual ? "" : ":",
               usual ? "" : port);
}

static bool add_subprotocols(char **text, const struct addr *a)
{
    struct list l = {strdup("")};
    bool failed = !l.text || ws_each_word(a, &opt_subprotocol, add_word, &l);
    bool ok = !failed && (!*l.text || add(text, "Sec-WebSocket-Protocol: %s\r\n", l.text));
    free(l.text);
    return ok;
}

static int make_request(struct ws_config *c, struct err *e)
{
    const struct addr *a = c->addr;
    const char *uri = ws_uri(a), *origin = opt_string(a, &opt_origin, NULL);
    char offer[128];
    ws_offer(offer, sizeof offer);
    bool ok = (c->request = strdup("")) &&
              add(&c->request, "GET %s%s HTTP/1.1\r\n", uri && *uri == '/' ? "" : "/", uri ? uri : "") &&
              add_host(&c->request, a) &&
              add(&c->request, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" WS_WAITS
                               ": 1\r\n") &&
              (!origin || add(&c->request, "Origin: %s\r\n", origin)) && add_subprotocols(&c->request, a) &&
              (c->level == 0 || add(&c->request, "%s", offer)) &&
              (!c->authority || add(&c->request, "Authorization: Basic %s\r\n", c->authority)) &&
              !ws_each_value(a, &opt_header, add_field, &c->request);
    return ok ? 0 : err_nomem(e);
}

/* ---- secrets, pages ---- */

static int read_authority(struct ws_config *c, struct run *r, struct err *e)
{
    struct secret_value v;
    int rc = secret_value(c->addr, &opt_ws_auth, r, handshake_deadline(handshake_patience(c->addr)), &v, e);
    size_t n = rc > 0 ? strlen(v.text) : 0;
    if (rc > 0 && !strchr(v.text, ':')) {
        (void)err_set(e, ERR_BAD_VALUE, "auth is <user>:<password>");
        rc = err_points_at(e, opt_find(c->addr, &opt_ws_auth)->at);
    }
    if (rc > 0 && !(c->authority = malloc(4 * (n + 2) / 3 + 4)))
        rc = err_nomem(e);
    if (rc > 0)
        (void)EVP_EncodeBlock((unsigned char *)c->authority, (unsigned char *)v.text, (int)n);
    secret_value_wipe(&v);
    return rc < 0 ? -1 : 0;
}

static int read_page(struct ws_config *c, const char *name, size_t size, struct err *e)
{
    FILE *f = fopen(name, "re");
    if (!f)
        return page_error(c->addr, e);
    c->page_size = fread(c->page, 1, size, f);
    (void)fclose(f);
    return c->page_size == size ? 0 : err_set(e, ERR_OTHER, "static \"%s\" cannot be read to its end", name);
}

static int open_page(struct ws_config *c, struct err *e)
{
    const char *name;
    struct stat st;
    bool page = names_page(c->addr, &name);
    c->page_absent = name && !page;
    if (!page)
        return 0;
    if (stat(name, &st) < 0)
        return page_error(c->addr, e);
    if (!S_ISREG(st.st_mode) || st.st_size > PAGE_MAX) {
        (void)err_set(e, ERR_OTHER, "static \"%s\" is no file of up to %d bytes", name, PAGE_MAX);
        return err_points_at(e, opt_find(c->addr, &opt_static)->at);
    }
    if (!(c->page = malloc((size_t)st.st_size + 1)))
        return err_nomem(e);
    return read_page(c, name, (size_t)st.st_size, e);
}

/* ---- all of it ---- */

static int64_t in_ms(const struct addr *a, const struct option_desc *row, double otherwise)
{
    double t = opt_time(a, row, otherwise);
    return t <= 0 ? -1 : wait_ms(t);
}

static int fill(struct ws_config *c, struct run *r, struct err *e)
{
    const struct addr *a = c->addr;
    const struct opt *max = opt_find(a, &opt_max_size), *level = opt_find(a, &opt_ws_deflate),
                     *half = opt_find(a, &opt_half_close);
    c->server = is_server(a);
    c->text = opt_true(a, &opt_text);
    c->half_close = !half || half->v.i;
    c->max_size = max ? (size_t)max->v.i : SIZE_MAX;
    c->max_record = !max ? RECORD_DEFAULT : max->v.i < RECORD_CEILING ? (size_t)max->v.i : RECORD_CEILING;
    c->ping_ms = in_ms(a, &opt_ping, 0);
    c->pong_ms = in_ms(a, &opt_pong_timeout, PONG_S);
    c->level = !level ? 0 : level->v.given ? (int)level->v.i : 6;
    if (libraries_load_crypto(e) < 0)
        return -1;
    if (!c->server)
        return read_authority(c, r, e) < 0 ? -1 : make_request(c, e);
    if (logins_load(&c->logins, a, r, e) < 0)
        return -1;
    if (!(c->fields = strdup("")) || ws_each_value(a, &opt_header, add_field, &c->fields))
        return err_nomem(e);
    return open_page(c, e);
}

static void forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void release(void *config)
{
    struct ws_config *c = config;
    forget(c->request);
    forget(c->authority);
    logins_free(&c->logins);
    free(c->fields);
    free(c->page);
    free(c);
}

static int make(const struct addr *a, struct run *r, void **config, struct err *e)
{
    struct ws_config *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(e);
    c->addr = a;
    if (fill(c, r, e) < 0) {
        release(c);
        return -1;
    }
    *config = c;
    return 0;
}

int ws_prepare(const struct addr *a, struct run *r, void **shared, struct err *e)
{
    static const struct renewed_ops ops = {make, release};
    return renewed_new(&ops, a, r, (struct renewed **)shared, e);
}
