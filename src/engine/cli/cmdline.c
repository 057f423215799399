/* SPDX-License-Identifier: GPL-2.0-or-later
 * Reading the switches: one table row each, a handler for those that take more than a flag. */
#include "engine/cli/cmdline.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/comm.h"
#include "catena/diag.h"
#include "catena/registry.h"
#include "engine/confine/sandbox.h"

enum arity { NO_VALUE, VALUE, OPTIONAL_VALUE };

struct row {
    const char *name;
    enum arity arity;
    int (*act)(struct cmdline *c, const char *value, struct err *e);
};

/* ---- values ---- */

static int seconds(const char *name, const char *text, double *out, struct err *e)
{
    char *end;
    double t = strtod(text, &end);
    if (end == text || *end != '\0' || t != t)
        return err_set(e, ERR_SWITCH,
                       "option %s: \"%s\" is not a time; seconds such as 5 or 0.5 are expected",
                       name, text);
    /* what is longer than any run has still to be counted with; below 0 all mean "not at all" */
    *out = t > INT_MAX ? INT_MAX : t < 0 ? -1 : t;
    return 0;
}

static int act_b(struct cmdline *c, const char *v, struct err *e)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(v, &end, 0);
    if (end == v || *end != '\0' || strchr(v, '-') || n == 0)
        return err_set(e, ERR_SWITCH, "option -b: \"%s\" is not a size in bytes", v);
    if (errno == ERANGE || n > SIZE_MAX / 2)
        return err_set(e, ERR_SWITCH, "buffer size option (-b) to big - %s (max is %zu)", v,
                       SIZE_MAX / 2);
    if (n > (UINT64_C(1) << 32))
        return err_set(e, ERR_SWITCH,
                       "option -b: %s bytes are more than this program uses (at most 4294967296)",
                       v);
    c->settings.block = (size_t)n;
    c->settings.block_given = true;
    return 0;
}

static int act_t(struct cmdline *c, const char *v, struct err *e)
{
    return seconds("-t", v, &c->settings.linger, e);
}

static int act_T(struct cmdline *c, const char *v, struct err *e)
{
    return seconds("-T", v, &c->settings.idle, e);
}

static int act_S(struct cmdline *c, const char *v, struct err *e)
{
    char *end;
    unsigned long long n = strtoull(v, &end, 0);
    if (end == v || *end != '\0')
        return err_set(e, ERR_SWITCH, "option -S: \"%s\" is not a bit mask of signals; a number "
                                     "such as 0x89de is expected (bit n stands for signal n)", v);
    c->settings.signals = n;
    return 0;
}

static int act_c(struct cmdline *c, const char *v, struct err *e)
{
    enum comm_type type;
    if (v[1] != '\0')
        return err_set(e, ERR_SWITCH, "bad chain communication type \"%s\"; one letter of S s p Y y "
                                     "t is expected", v);
    c->settings.comm = v[0];
    c->settings.comm_given = true;
    return comm_by_letter(v[0], &type, e);
}

/* ---- flags ---- */

#define FLAG(fn, what)                                                                             \
    static int fn(struct cmdline *c, const char *v, struct err *e)                                 \
    {                                                                                              \
        (void)c;                                                                                   \
        (void)v;                                                                                   \
        (void)e;                                                                                   \
        what;                                                                                      \
        return 0;                                                                                  \
    }
FLAG(act_u, c->settings.to_left = false)
FLAG(act_U, c->settings.to_right = false)
FLAG(act_v, c->settings.text_dump = true)
FLAG(act_x, c->settings.hex_dump = true)
FLAG(act_s, c->settings.sloppy = true)
FLAG(act_g, c->settings.no_group_check = true)
FLAG(act_D, c->settings.show_fds = true)
FLAG(act_n, c->settings.dry_run = true)
FLAG(act_v1, c->settings.v1_only = true)
FLAG(act_unfused, c->settings.unfused = true)
FLAG(act_statistics, c->settings.statistics = true)
FLAG(act_progress, c->settings.progress = true)
FLAG(act_experimental, c->settings.experimental = true)
FLAG(act_0, c->settings.ip_version = 0)
FLAG(act_4, c->settings.ip_version = 4)
FLAG(act_6, c->settings.ip_version = 6)
FLAG(act_V, c->action = CMDLINE_VERSION)
FLAG(act_h, (c->action = CMDLINE_HELP, c->help_level = 1))
FLAG(act_hh, (c->action = CMDLINE_HELP, c->help_level = 2))
FLAG(act_hhh, (c->action = CMDLINE_HELP, c->help_level = 3))
FLAG(act_r, c->settings.raw_left_right = v)
FLAG(act_R, c->settings.raw_right_left = v)
FLAG(act_L, (c->settings.lockfile = v, c->settings.lock_wait = false))
FLAG(act_W, (c->settings.lockfile = v, c->settings.lock_wait = true))
FLAG(act_lu, c->catena.log.micros = true)
FLAG(act_ls, c->catena.log.dest = DIAG_STDERR)

static int act_sandbox(struct cmdline *c, const char *v, struct err *e)
{
    (void)v;
    if (!sandbox_filter_available())
        return err_set(e, ERR_SWITCH, "option --sandbox: system calls cannot be filtered on this "
                                     "kind of processor; leave it out");
    c->settings.sandbox = true;
    return 0;
}

static int act_lh(struct cmdline *c, const char *v, struct err *e)
{
    (void)v;
    const char *host = catena_variable(&c->catena, "HOSTNAME");
    if (!host && uname(&c->host) < 0)
        return err_sys(e, "uname()");
    c->catena.log.hostname = host ? host : c->host.nodename;
    return 0;
}

static int act_lf(struct cmdline *c, const char *v, struct err *e)
{
    return diag_open_file(&c->catena.log, v, e);
}

static int act_ly(struct cmdline *c, const char *v, struct err *e)
{
    if (diag_set_facility(&c->catena.log, v, e) < 0)
        return -1;
    c->catena.log.dest = DIAG_SYSLOG;
    return 0;
}

static int act_lm(struct cmdline *c, const char *v, struct err *e)
{
    if (diag_set_facility(&c->catena.log, v, e) < 0)
        return -1;
    c->catena.log.dest = DIAG_MIXED;
    return 0;
}

/* The name also becomes the prefix of the variables for child programs. */
static int act_lp(struct cmdline *c, const char *v, struct err *e)
{
    size_t n = strlen(v);
    if (n == 0 || n >= sizeof c->env_prefix)
        return err_set(e, ERR_SWITCH, "option -lp: a name of 1 to %zu characters is expected",
                       sizeof c->env_prefix - 1);
    for (size_t i = 0; i <= n; i++)
        c->env_prefix[i] = (char)toupper((unsigned char)v[i]);
    c->settings.env_prefix = c->env_prefix;
    c->catena.log.prog = v;
    return 0;
}

static int act_module(struct cmdline *c, const char *v, struct err *e)
{
    if (c->nmodules == MODULES_NAMED)
        return err_set(e, ERR_SWITCH, "option --module: more than %d modules; a directory counts as one", MODULES_NAMED);
    c->modules[c->nmodules++] = v;
    return 0;
}

static int act_complete(struct cmdline *c, const char *v, struct err *e)
{
    (void)e;
    c->action = CMDLINE_COMPLETE;
    c->topic = v;
    return 0;
}

/* ---- colors ---- */

static int act_color_as(struct cmdline *c, const char *v, struct err *e)
{
    bool always = strcmp(v, "always") == 0;
    if (!always && strcmp(v, "never") != 0 && strcmp(v, "auto") != 0)
        return err_set(e, ERR_SWITCH, "option --color: \"%s\" is not always, never or auto", v);
    if (always || v[0] == 'n')
        c->catena.log.colored = always;
    return 0;
}

static int act_color(struct cmdline *c, const char *v, struct err *e)
{
    (void)v;
    return act_color_as(c, "always", e);
}

/* Scripts that call us by v1's name read its lines. (no-color.org) */
static bool wants_color(bool v1)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !v1 && !(no && no[0]) && term && strcmp(term, "dumb") != 0 && isatty(STDERR_FILENO);
}

/* ---- how a dry run is shown ---- */

static int act_n_as(struct cmdline *c, const char *v, struct err *e)
{
    static const char *const views[] = {[VIEW_SENTENCES] = "sentences", [VIEW_JSON] = "json", [VIEW_DOT] = "dot"};
    c->settings.dry_run = true;
    for (unsigned i = VIEW_SENTENCES; i < sizeof views / sizeof views[0]; i++)
        if (strcmp(v, views[i]) == 0) {
            c->view = i;
            return 0;
        }
    return err_set(e, ERR_SWITCH, "option -n: \"%s\" is no view of a plan; sentences, json or dot is expected", v);
}

static int act_explain(struct cmdline *c, const char *v, struct err *e)
{
    (void)v;
    return act_n_as(c, "sentences", e);
}

/* Longer names first where one begins another. */
static const struct row rows[] = {
    {"--dry-run=", VALUE, act_n_as},
    {"--dry-run", NO_VALUE, act_n},
    {"--explain", NO_VALUE, act_explain},
    {"--color=", VALUE, act_color_as},
    {"--color", NO_VALUE, act_color},
    {"-n=", VALUE, act_n_as},
    {"--v1", NO_VALUE, act_v1},
    {"--unfused", NO_VALUE, act_unfused},
    {"--statistics", NO_VALUE, act_statistics},
    {"--progress", NO_VALUE, act_progress},
    {"--sandbox", NO_VALUE, act_sandbox},
    {"--module", VALUE, act_module},
    {"--complete", VALUE, act_complete}, /* for shells */
    {"--experimental", NO_VALUE, act_experimental},
    {"--help", NO_VALUE, act_h},
    {"--version", NO_VALUE, act_V},
    {"-hhh", NO_VALUE, act_hhh},
    {"-hh", NO_VALUE, act_hh},
    {"-h", NO_VALUE, act_h},
    {"-" "???", NO_VALUE, act_hhh},
    {"-" "??", NO_VALUE, act_hh},
    {"-?", NO_VALUE, act_h},
    {"-V", NO_VALUE, act_V},
    {"-D", NO_VALUE, act_D},
    {"-ly", OPTIONAL_VALUE, act_ly},
    {"-lm", OPTIONAL_VALUE, act_lm},
    {"-lf", VALUE, act_lf},
    {"-lp", VALUE, act_lp},
    {"-ls", NO_VALUE, act_ls},
    {"-lu", NO_VALUE, act_lu},
    {"-lh", NO_VALUE, act_lh},
    {"-v", NO_VALUE, act_v},
    {"-x", NO_VALUE, act_x},
    {"-r", VALUE, act_r},
    {"-R", VALUE, act_R},
    {"-b", VALUE, act_b},
    {"-s", NO_VALUE, act_s},
    {"-S", VALUE, act_S},
    {"-t", VALUE, act_t},
    {"-T", VALUE, act_T},
    {"-u", NO_VALUE, act_u},
    {"-U", NO_VALUE, act_U},
    {"-g", NO_VALUE, act_g},
    {"-L", VALUE, act_L},
    {"-W", VALUE, act_W},
    {"-0", NO_VALUE, act_0},
    {"-4", NO_VALUE, act_4},
    {"-6", NO_VALUE, act_6},
    {"-c", VALUE, act_c},
    {"-n", NO_VALUE, act_n},
};

const struct cmdline_switch cmdline_switches[] = {
    {"-V", NULL, "print version and feature information, and exit"},
    {"-h|-?", NULL, "print this help: switches and addresses"},
    {"-hh", NULL, "like -h, and the common address options"},
    {"-hhh", NULL, "like -h, and all address options"},
    {"-d[ddd]", NULL, "increase verbosity (up to 4 times; 2 are recommended)"},
    {"-d0", NULL, "errors only; so -d1 warnings, -d2 notices, -d3 information, -d4 debug"},
    {"-D", NULL, "show the file descriptors in use before the transfer"},
    {"-n", NULL, "dry run: check everything, print the plan, open nothing"},
    {"-n=", "<view>", "the same as sentences, json or dot"},
    {"--explain", NULL, "say in sentences what would be done, and open nothing"},
    {"--color", "[=<when>]", "color messages: always, never or auto (on a terminal, without NO_COLOR)"},
    {"--v1", NULL, "no chains: | % and ^ have no meaning"},
    {"--experimental", NULL, "no warnings about experimental features"},
    {"--sandbox", NULL, "once everything is open, confine the process to relaying"},
    {"--progress", NULL, "show how much has been transferred, how fast, what time is left"},
    {"--module", " <file>", "load addresses from a module, or from all of a directory"},
    {"--statistics", NULL, "tell at the end what was transferred"},
    {"-ly", "[facility]", "log to syslog, using facility (default is daemon)"},
    {"-lf", "<logfile>", "log to file"},
    {"-ls", NULL, "log to stderr (default if no other log)"},
    {"-lm", "[facility]", "mixed log mode (stderr during initialization, then syslog)"},
    {"-lp", "<progname>", "set the program name used for logging and variables"},
    {"-lu", NULL, "use microseconds for logging timestamps"},
    {"-lh", NULL, "add hostname to log messages"},
    {"-v", NULL, "verbose data traffic, text"},
    {"-x", NULL, "verbose data traffic, hexadecimal"},
    {"-r", " <file>", "raw dump of data flowing from left to right"},
    {"-R", " <file>", "raw dump of data flowing from right to left"},
    {"-b", "<size_t>", "set data buffer size"},
    {"-s", NULL, "sloppy (continue on error)"},
    {"-S", "<sigmask>", "log these signals, override default"},
    {"-t", "<timeout>", "wait seconds before closing second channel"},
    {"-T", "<timeout>", "total inactivity timeout in seconds"},
    {"-u", NULL, "unidirectional mode (left to right)"},
    {"-U", NULL, "unidirectional mode (right to left)"},
    {"-g", NULL, "do not check option groups"},
    {"-L", " <lockfile>", "try to obtain lock, or fail"},
    {"-W", " <lockfile>", "try to obtain lock, or wait"},
    {"-0", NULL, "do not prefer an IP version"},
    {"-4", NULL, "prefer IPv4 if version is not explicitly specified"},
    {"-6", NULL, "prefer IPv6 if version is not explicitly specified"},
    {"-c", "<letter>", "what joins the links of a chain: S s p Y y t"},
    {NULL, NULL, NULL},
};

/* "-" followed by nothing, or by what belongs to an address, is standard input and output. */
static bool is_address(const char *arg)
{
    return arg[0] != '-' || arg[1] == '\0' || strchr(",!%| :\t\n", arg[1]);
}

/* The long switch that was meant, if it is cut short or some letters are wrong, or NULL. */
static const char *nearest(const char *arg)
{
    size_t n = strlen(arg);
    unsigned best = n < 6 ? 0 : n < 10 ? 3 : 4;
    const char *found = NULL;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const char *name = rows[k].name;
        unsigned distance = strncmp(name, arg, n) == 0 ? 1 : word_distance(arg, name, strlen(name));
        if (name[1] == '-' && name[strlen(name) - 1] != '=' && distance < best) {
            best = distance;
            found = name;
        }
    }
    return found;
}

static int usage(const char *arg, struct err *e)
{
    const char *meant = nearest(arg);
    if (meant)
        return err_set(e, ERR_SWITCH, "unknown option \"%s\"; did you mean \"%s\"?", arg, meant);
    return err_set(e, ERR_SWITCH, "unknown option \"%s\"; use option \"-h\" for help", arg);
}

/* -d, -dd ..., -d0 to -d4; counted over all of them. */
static int verbosity(struct cmdline *c, const char *arg, unsigned *count, struct err *e)
{
    size_t n = strspn(arg + 1, "d");
    static const enum diag_level by_digit[] = {DIAG_ERROR, DIAG_WARN, DIAG_NOTICE, DIAG_INFO,
                                               DIAG_DEBUG};
    if (n == 1 && arg[2] >= '0' && arg[2] <= '4' && arg[3] == '\0') {
        c->catena.log.level = by_digit[arg[2] - '0'];
        *count = (unsigned)(arg[2] - '0');
        return 0;
    }
    if (arg[1 + n] != '\0')
        return usage(arg, e);
    *count += (unsigned)n;
    c->catena.log.level = by_digit[*count > 4 ? 4 : *count];
    return 0;
}

static int one_switch(int argc, char *const argv[], int *i, struct cmdline *c, struct err *e)
{
    const char *arg = argv[*i];
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const struct row *r = &rows[k];
        size_t n = strlen(r->name);
        if (strncmp(arg, r->name, n) != 0 || (r->arity == NO_VALUE && arg[n] != '\0'))
            continue;
        const char *value = arg + n;
        if (r->arity == VALUE && *value == '\0') {
            if (*i + 1 >= argc)
                return err_set(e, ERR_SWITCH, "option %s requires a value", r->name);
            value = argv[++*i];
        }
        return r->act(c, value, e);
    }
    return usage(arg, e);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void defaults(struct cmdline *c, const char *name)
{
    bool v1 = strcmp(name, "socat") == 0;
    *c = (struct cmdline){.catena = {.log = {.prog = name, .level = DIAG_WARN, .v1 = v1, .colored = wants_color(v1)},
                                     .known = &builtin_registry,
                                     .environment = environ,
                                     .owns_process = true},
                          .nobody.catena = &c->catena,
                          .settings = {.catena = &c->catena,
                                       .to_right = true,
                                       .to_left = true,
                                       .block = 8192,
                                       .linger = v1 ? 0.5 : -1,
                                       .idle = -1,
                                       .signals = UINT64_C(0x89de),
                                       .ip_version = -1,
                                       .comm = 'S',
                                       .v1_name = v1,
                                       .env_prefix = "SOCAT"}};
}

int cmdline_parse(int argc, char *const argv[], struct cmdline *c, struct err *e)
{
    unsigned verbose = 0;
    int i = 1;
    defaults(c, argc > 0 ? base_name(argv[0]) : "catena");
    for (; i < argc && !is_address(argv[i]); i++) {
        int rc = argv[i][1] == 'd' ? verbosity(c, argv[i], &verbose, e)
                                   : one_switch(argc, argv, &i, c, e);
        if (rc < 0)
            return -1;
        if (c->action == CMDLINE_HELP && !c->settings.v1_name)
            c->topic = argv[i + 1];
        if (c->action != CMDLINE_RUN)
            return 0;
    }
    if (!c->settings.to_right && !c->settings.to_left)
        return err_set(e, ERR_SWITCH, "-U and -u must not be combined");
    if (argc - i != 2) {
        (void)err_set(e, ERR_SWITCH, "exactly 2 addresses required (there are %d); use option \"-h\" for help",
                      argc - i);
        return argc - i > 2 ? err_hint(e, "one that has blanks or quotes in it stands in quotes, for the shell") : -1;
    }
    c->address[0] = argv[i];
    c->address[1] = argv[i + 1];
    return 0;
}
