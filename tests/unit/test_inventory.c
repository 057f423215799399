/* SPDX-License-Identifier: GPL-2.0-or-later
 * Walks the lists of all addresses and options: every address plans, has the groups of the list and
 * is in the help; every option is what the list says, is taken by the addresses of its groups and
 * refused by others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/plan.h"
#include "catena/registry.h"
#include "../home.h"

enum { COLUMNS = 5, ROWS = 1000 };
struct row {
    char line[400];
    char *column[COLUMNS];
};
static struct row addresses[ROWS], options[ROWS];
static size_t naddresses, noptions;
static unsigned wrong; /* all of it is told, not the first only */

#define COMPLAIN(...)                                                                              \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        wrong++;                                                                                   \
    } while (0)

static bool blank(const char *text) { return strcmp(text, "-") == 0; }

static size_t read_rows(const char *name, struct row *rows)
{
    char path[1000];
    size_t n = 0;
    (void)snprintf(path, sizeof path, CATENA_TESTS "/v1compat/inventory/%s", name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s cannot be read", path);
    while (n < ROWS && fgets(rows[n].line, sizeof rows[n].line, f)) {
        char *rest = rows[n].line;
        if (*rest == '#')
            continue;
        rest[strcspn(rest, "\n")] = '\0';
        for (size_t i = 0; i < COLUMNS; i++) {
            rows[n].column[i] = strsep(&rest, "\t");
            assert_non_null(rows[n].column[i]);
        }
        n++;
    }
    (void)fclose(f);
    return n;
}

static int read_lists(void **state)
{
    (void)state;
    naddresses = read_rows("addresses.tsv", addresses);
    noptions = read_rows("options.tsv", options);
    return 0;
}

/* ---- groups as words ---- */

static uint64_t groups_of(const char *list)
{
    uint64_t all = 0;
    if (strcmp(list, "(all)") == 0)
        return GROUP_ANY;
    for (const char *word = list; !blank(list) && *word; word += strspn(word, ",")) {
        size_t n = strcspn(word, ",");
        int g = 0;
        while (g < GROUP_COUNT && (strlen(group_name((enum group_bit)g)) != n ||
                                   strncmp(group_name((enum group_bit)g), word, n) != 0))
            g++;
        if (g == GROUP_COUNT)
            fail_msg("no group %s", word);
        all |= UINT64_C(1) << g;
        word += n;
    }
    return all;
}

/* ---- addresses ---- */

/* What stands for a parameter, by its name; the others get "x". */
static const struct {
    const char *name, *sample;
} samples[] = {
    {"host", "127.0.0.1"},         {"target-host", "127.0.0.1"}, {"listen-host", "127.0.0.1"},
    {"socks-server", "127.0.0.1"}, {"proxy-server", "127.0.0.1"}, {"port", "1234"},
    {"target-port", "1234"},       {"listen-port", "1234"},      {"socks-port", "1080"},
    {"command-line", "cat"},       {"shell-command", "cat"},     {"fdnum", "3"},
    {"numout", "4"},               {"numin", "3"},               {"domain", "2"},
    {"type", "2"},                 {"cid", "1"},                 {"mqname", "/q"},
    {"interface", "lo"},           {"ip-addr", "10.0.0.1"},      {"bits", "24"},
    {"remote-address", "x04d27f000001x0000000000000000"},
    {"local-address", "x04d27f000001x0000000000000000"},
    {"filename", "/nonexistent/x"}, {"symlink", "/nonexistent/x"},
};

static const char *sample(const char *keyword, const char *name, size_t n)
{
    if (n == 8 && strncmp(name, "protocol", n) == 0)
        return strncmp(keyword, "SOCKET-C", 8) == 0 || strncmp(keyword, "SOCKET-L", 8) == 0
                   ? "6" : strstr(keyword, "SOCKET") || strstr(keyword, "GRAM") ? "17" : "200";
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        if (strlen(samples[i].name) == n && strncmp(samples[i].name, name, n) == 0)
            return samples[i].sample;
    return "x";
}

/* The address with all its parameters, or without those in brackets. Gives their number. */
static size_t spell(const struct row *r, bool with_optional, char *out, size_t cap)
{
    const char *p = blank(r->column[2]) ? "" : r->column[2];
    size_t n = (size_t)snprintf(out, cap, "%s", r->column[0]), params = 0;
    while (*p) {
        size_t length = 1;
        const char *text = p;
        if (*p == '[' && !with_optional) {
            p = strchr(p, ']') + 1;
            continue;
        }
        if (*p == '<') {
            length = strcspn(p + 1, ">");
            text = sample(r->column[1], p + 1, length);
            p += length + 2;
            length = strlen(text);
        } else {
            params += *p == ':';
            length = *p != '[' && *p != ']';
            p++;
        }
        n += (size_t)snprintf(out + n, cap - n, "%.*s", (int)length, text);
    }
    return params;
}

static struct settings settings; /* a plan borrows them */

static struct plan *plan(const char *directions, const char *left, const char *right, struct err *e)
{
    struct plan *p = NULL;
    *e = (struct err){.kind = ERR_NONE};
    static char shell[] = "SHELL=/bin/sh", *variables[] = {shell, NULL};
    home.environment = variables;
    settings = (struct settings){.catena = &home, .to_right = !strchr(directions, 'U'),
                                 .to_left = !strchr(directions, 'u'),
                                 .block = 8192, .linger = -1, .idle = -1, .ip_version = 4,
                                 .comm = 'S', .env_prefix = "SOCAT"};
    return plan_make(&settings, left, right, &p, e) == 0 ? p : NULL;
}

/* Plans the address in the first use that its form allows. NULL and e if that fails. */
static struct plan *plan_form(const struct form *form, const char *text, struct err *e)
{
    char chain[700];
    bool inter = form_is_inter(form);
    (void)snprintf(chain, sizeof chain, "%s%s", text, inter ? "|TCP:127.0.0.1:1" : "");
    bool one_way = strncmp(text, "POSIXMQ:", 8) == 0; /* the short keyword is for one direction */
    if (form->left & CTX_B && !one_way)
        return plan("", "STDIO", chain, e);
    if (form->left & CTX_W)
        return plan("u", "STDIO", chain, e);
    return plan("u", chain, "STDIO", e);
}

static const struct form *find_form(const struct row *r, size_t nparams)
{
    bool inter = strcmp(r->column[3], "inter") == 0;
    for (const struct form *f = registry_next(&builtin_registry, NULL); f;
         f = registry_next(&builtin_registry, f))
        if (form_answers(f, r->column[0]) && form_is_inter(f) == inter &&
            nparams >= f->min_params && nparams <= f->max_params)
            return f;
    return NULL;
}

static void one_address(const struct row *r, bool with_optional)
{
    char text[500];
    struct err e;
    const struct form *f = find_form(r, spell(r, with_optional, text, sizeof text));
    if (!f) {
        COMPLAIN("%s (%s): there is no such form\n", text, r->column[3]);
        return;
    }
    if (strcmp(f->keyword, r->column[1]) != 0)
        COMPLAIN("%s is %s, expected %s\n", text, f->keyword, r->column[1]);
    if ((f->groups & ~GROUPS_EVERY) != groups_of(r->column[4]))
        COMPLAIN("%s has not the groups %s\n", text, r->column[4]);
    struct plan *p = plan_form(f, text, &e);
    if (!p)
        COMPLAIN("%s (%s): %s\n", text, r->column[3], e.text);
    plan_free(p);
}

static void addresses_plan(void **state)
{
    (void)state;
    wrong = 0;
    for (size_t i = 0; i < naddresses; i++) {
        one_address(&addresses[i], true);
        if (strchr(addresses[i].column[2], '['))
            one_address(&addresses[i], false);
    }
    assert_int_equal(wrong, 0);
}

/* ---- the help ---- */

static char *help(void)
{
    char command[1000], *text = NULL;
    size_t size = 0, n;
    if (!getenv("CATENA_BIN"))
        skip();
    (void)snprintf(command, sizeof command, "'%s' -hhh", getenv("CATENA_BIN"));
    FILE *in = popen(command, "r"), *out = open_memstream(&text, &size);
    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(command, 1, sizeof command, in)) > 0)
        assert_int_equal(fwrite(command, 1, n, out), n);
    assert_int_equal(pclose(in), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static bool listed(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at += n)
        if (at > text && at[-1] == ' ' && strchr("\t:[", at[n]))
            return true;
    return false;
}

static void all_in_help(void **state)
{
    (void)state;
    char *text = help();
    wrong = 0;
    for (size_t i = 0; i < naddresses; i++)
        if (!listed(text, addresses[i].column[0]))
            COMPLAIN("-hhh has no address %s\n", addresses[i].column[0]);
    for (size_t i = 0; i < noptions; i++)
        if (!listed(text, options[i].column[0]))
            COMPLAIN("-hhh has no option %s\n", options[i].column[0]);
    free(text);
    assert_int_equal(wrong, 0);
}

/* ---- options ---- */

/* A good value: by name when not every value of the type will do, else by type. NULL: no "=". */
static const struct {
    const char *name, *value;
} values[] = {
    {"protocol-family", "ip4"},      {"range", "127.0.0.0/8"}, {"commtype", "pipes"},
    {"openssl-method", "TLS1.2"},    {"openssl-min-proto-version", "TLS1.2"},
    {"openssl-max-proto-version", "TLS1.3"}, {"openssl-maxfraglen", "512"},
    {"openssl-maxsendfrag", "512"},  {"openssl-compress", "auto"}, {"tun-type", "tun"},
    {"bind", "127.0.0.1"},           {"http-version", "1.1"},  {"res-nsaddr", "127.0.0.1"},
    {"ip-multicast-if", "127.0.0.1"}, {"ipv6-join-group", "[ff02::1]:lo"},
    {"ipv6-join-source-group", "[ff02::1]:lo:[::1]"}, {"proxyport", "8080"},
    {"socksport", "1080"},           {"fdin", "3"},            {"fdout", "4"},
    {"escape", "1"},                 {"noecho", "x"},
    {"max-children", "2,fork"},
};
static const char *const by_type[VALUE_TYPE_COUNT] = {
    [VALUE_INT] = "1", [VALUE_INT_NULL] = "1", [VALUE_UINT] = "1", [VALUE_USHORT] = "1",
    [VALUE_BYTE] = "1", [VALUE_LONG] = "1", [VALUE_SIZE] = "1", [VALUE_OFF] = "1",
    [VALUE_OFF64] = "1", [VALUE_MODE] = "0644", [VALUE_UID] = "root", [VALUE_GID] = "root",
    [VALUE_STRING] = "x", [VALUE_STRING_NULL] = "x", [VALUE_TIMEVAL] = "1.5",
    [VALUE_TIMESPEC] = "1.5", [VALUE_LINGER] = "1", [VALUE_BIN] = "x0102",
    [VALUE_INT_INT] = "1:2", [VALUE_INT_INTP] = "1:2", [VALUE_INT_BIN] = "1:x01",
    [VALUE_INT_STRING] = "1:x", [VALUE_INT_ULONG] = "0:2", [VALUE_INT_INT_INT] = "1:2:3",
    [VALUE_INT_INT_BIN] = "1:2:x01000000", [VALUE_INT_INT_STRING] = "1:2:x", [VALUE_INT3] = "1:2:3",
    [VALUE_IP4NAME] = "127.0.0.1", [VALUE_IP4SOCK] = "127.0.0.1:53",
    [VALUE_MREQN] = "224.0.0.1:127.0.0.1", [VALUE_MREQ_SOURCE] = "224.0.0.1:127.0.0.1:127.0.0.1",
    [VALUE_GENERIC] = "x",
};

static const char *good_value(const struct option_desc *d)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (strcmp(values[i].name, d->name) == 0)
            return values[i].value;
    return by_type[d->type];
}

/* The address of that row with the option. */
static struct plan *with_option(const struct row *r, const char *option, const char *value,
                                struct err *e)
{
    char text[700];
    size_t nparams = spell(r, true, text, sizeof text), n = strlen(text);
    const struct form *f = find_form(r, nparams);
    assert_non_null(f);
    (void)snprintf(text + n, sizeof text - n, ",%s%s%s", option, value ? "=" : "",
                   value ? value : "");
    return plan_form(f, text, e);
}

static void facts(const struct row *r, const struct option_desc *d)
{
    if (strcmp(d->name, r->column[1]) != 0)
        COMPLAIN("%s is %s, expected %s\n", r->column[0], d->name, r->column[1]);
    if (d->groups != groups_of(r->column[2]))
        COMPLAIN("%s has not the groups %s\n", r->column[0], r->column[2]);
    if (strcmp(phase_name(d->phase), r->column[3]) != 0)
        COMPLAIN("%s acts at %s, expected %s\n", r->column[0], phase_name(d->phase), r->column[3]);
    if (strcmp(value_type_name(d->type), r->column[4]) != 0)
        COMPLAIN("%s has the type %s, expected %s\n", r->column[0], value_type_name(d->type),
                 r->column[4]);
}

/* On one address of each of its groups, unless that address has reasons of its own (nofork on the
 * right, say): at least one takes it, and none says that it does not belong there. */
static void taken(const struct row *r, const struct option_desc *d)
{
    struct err e, first = {.kind = ERR_NONE};
    uint64_t todo = d->groups & GROUPS_EVERY ? GROUP_FD | GROUP_OPENSSL : d->groups;
    bool once = false;
    for (size_t i = 0; i < naddresses && todo; i++) {
        uint64_t shared = todo & groups_of(addresses[i].column[4]);
        if (!shared)
            continue;
        struct plan *p = with_option(&addresses[i], r->column[0], good_value(d), &e);
        if (p) {
            todo &= ~shared;
            once = true;
        } else if (first.kind == ERR_NONE || strstr(e.text, "not for this address")) {
            first = e;
        }
        plan_free(p);
    }
    if (!once || strstr(first.text, "not for this address"))
        COMPLAIN("%s: %s\n", r->column[0], first.text);
}

/* Where an address stands before another one, that may have got its option. */
static bool has_got(const struct plan *p, const char *keyword, const struct option_desc *d)
{
    const struct addr *a;
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++)
            for (size_t k = 0; strcmp(a->form->keyword, keyword) == 0 && k < a->nopts; k++)
                if (a->opts[k].desc == d)
                    return true;
    return false;
}

/* Gives whether there is an address at all that may not have it. */
static bool refused(const struct row *r, const struct option_desc *d)
{
    if (d->groups & GROUPS_EVERY)
        return false;
    for (size_t i = 0; i < naddresses; i++) {
        struct err e;
        const char *groups = addresses[i].column[4];
        if (strcmp(addresses[i].column[0], addresses[i].column[1]) != 0 || blank(groups) ||
            d->groups & groups_of(groups))
            continue;
        struct plan *p = with_option(&addresses[i], r->column[0], good_value(d), &e);
        if (p && has_got(p, addresses[i].column[0], d))
            COMPLAIN("%s is taken by %s\n", r->column[0], addresses[i].column[0]);
        if (!p && (!strstr(e.text, "not for this address") || !strstr(e.text, groups)))
            COMPLAIN("%s on %s: %s\n", r->column[0], addresses[i].column[0], e.text);
        plan_free(p);
    }
    return true;
}

static void options_walk(void **state)
{
    size_t accepted = 0, confined = 0;
    (void)state;
    wrong = 0;
    for (size_t i = 0; i < noptions; i++) {
        const struct option_desc *d = option_lookup(&builtin_registry, options[i].column[0]);
        if (!d) {
            COMPLAIN("no option %s\n", options[i].column[0]);
            continue;
        }
        unsigned before = wrong;
        facts(&options[i], d);
        taken(&options[i], d);
        accepted += wrong == before;
        confined += refused(&options[i], d);
    }
    print_message("%zu address forms; option names: %zu of %zu accepted, %zu refused elsewhere "
                  "(the others are for every address)\n",
                  naddresses, accepted, noptions, confined);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_plan),
        cmocka_unit_test(all_in_help),
        cmocka_unit_test(options_walk),
    };
    return cmocka_run_group_tests_name("inventory", tests, read_lists, NULL);
}
