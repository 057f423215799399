/* SPDX-License-Identifier: GPL-2.0-or-later
 * The registry grows: a family that is added brings addresses and options, and its names mean nothing
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/catena.h"
#include "catena/endpoint.h"
#include "catena/option_row.h"
#include "catena/module.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "catena/registry.h"

static struct arena memory;

/* ---- a family: an address with options of its own, and one for all descriptors ---- */

NAMED_OPTION(opt_lanes, "lanes", "lane-count", 0, SPECIFIC, INT, "how many there are");
NAMED_OPTION(opt_polish, "polish", NULL, GROUP_FD, LATE, BOOL, "make it shine");

OPTION_TABLE(road) = {
    &opt_lanes,
    OPTION("lanes-written", NULL, 0, SPECIFIC, INT, "the same", .same_as = &opt_lanes),
    OPTIONS_END,
};
OPTION_TABLE(shine) = {&opt_polish, OPTIONS_END};

static const struct endpoint_ops no_ops;
static const struct form forms_road[] = {
    {.keyword = "ROAD", .aliases = "STREET WAY", .params = ":<name>", .min_params = 1,
     .max_params = 1, .left = CTX_RWB, .groups = GROUP_FD, .options = options_road,
     .ops.endpoint = &no_ops},
    {.keyword = "ROAD", .left = CTX_R, .options = options_road, .ops.endpoint = &no_ops},
    {0},
};

static const struct registry *with_road(void)
{
    const struct registry *known;
    struct err e;
    if (registry_add(&memory, &builtin_registry, forms_road, options_shine, &known, &e) != 0)
        fail_msg("%s", e.text);
    return known;
}

static int free_memory(void **state)
{
    (void)state;
    arena_free(&memory);
    return 0;
}

static struct catena home = {.owns_process = true};
static const struct settings settings = {
    .catena = &home, .to_right = true, .to_left = true, .block = 8192, .linger = -1, .idle = -1, .ip_version = 4,
    .comm = 'S', .env_prefix = "SOCAT",
};

static int plan_with(const struct registry *known, const char *left, const char *right,
                     struct plan **p, struct err *e)
{
    home.known = known;
    return plan_make(&settings, left, right, p, e);
}

static void addresses_and_options_are_found(void **state)
{
    const struct registry *known = with_road();
    char text[64];
    (void)state;
    assert_true(registry_known(known, "road"));
    assert_true(registry_known(known, "Street"));
    assert_true(registry_known(known, "tcp"));
    assert_false(registry_known(&builtin_registry, "ROAD"));
    assert_true(registry_nearest(known, "streat", text, sizeof text));
    assert_string_equal(text, "street");
    assert_ptr_equal(option_lookup(known, "lane-count"), &opt_lanes);
    assert_ptr_equal(option_lookup(known, "POLISH"), &opt_polish);
    assert_ptr_equal(option_lookup(known, "fork"), &opt_fork);
    assert_null(option_lookup(&builtin_registry, "lanes"));
    assert_true(option_nearest(known, "lnes", &forms_road[0], text, sizeof text));
    assert_string_equal(text, "lanes");
    option_owners(known, &opt_polish, text, sizeof text);
    assert_string_equal(text, "FD");
}

static void count_row(const struct option_desc *d, void *n)
{
    *(size_t *)n += d == &opt_lanes || d == &opt_polish;
}

static void each_row_is_visited_once(void **state)
{
    size_t n = 0;
    (void)state;
    option_each(with_road(), count_row, &n); /* two forms bring the same rows */
    assert_int_equal(n, 2);
}

static void plans_use_what_was_added(void **state)
{
    struct plan *p;
    struct err e;
    (void)state;
    if (plan_with(with_road(), "way:a,lanes-written=3", "-,polish", &p, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(opt_int(p->end[LEFT].fwd, &opt_lanes, 0), 3);
    assert_true(opt_true(p->end[RIGHT].fwd, &opt_polish));
    plan_free(p);
    assert_int_equal(plan_with(&builtin_registry, "street:a", "-", &p, &e), -1);
}

static void own_options_are_for_their_address_only(void **state)
{
    struct plan *p;
    struct err e;
    (void)state;
    assert_int_equal(plan_with(with_road(), "-,lanes=3", "road:a", &p, &e), -1);
    assert_non_null(strstr(e.text, "not for this address: it belongs to ROAD,"));
}

static void additions_stand_on_each_other(void **state)
{
    static const struct form forms_sea[] = {{.keyword = "SEA", .left = CTX_RWB}, {0}};
    const struct registry *both;
    struct err e;
    (void)state;
    assert_int_equal(registry_add(&memory, with_road(), forms_sea, NULL, &both, &e), 0);
    size_t n = 0, builtin = 0;
    for (const struct form *f = registry_next(both, NULL); f; f = registry_next(both, f))
        n++;
    for (const struct form *f = registry_next(&builtin_registry, NULL); f;
         f = registry_next(&builtin_registry, f))
        builtin++;
    assert_int_equal(n, builtin + 3);
    assert_true(registry_known(both, "sea"));
    assert_true(registry_known(both, "way"));
    assert_non_null(option_lookup(both, "lanes"));
}

/* ---- clashes ---- */

static void refuses(const struct form *forms, const struct option_desc *const *options,
                    const char *why)
{
    const struct registry *known;
    struct err e;
    assert_int_equal(registry_add(&memory, &builtin_registry, forms, options, &known, &e), -1);
    assert_string_equal(e.text, why);
}

static const struct option_desc *const by_name[] = {
    OPTION("fork", NULL, GROUP_FD, LATE, BOOL, "x"), NULL};
static const struct option_desc *const by_alias[] = {
    OPTION("colour", "tint Verify", GROUP_FD, LATE, BOOL, "x"), NULL};
static const struct option_desc *const twice[] = {
    OPTION("colour", NULL, GROUP_FD, LATE, BOOL, "x"),
    OPTION("color", "colour", GROUP_FD, LATE, BOOL, "x"), NULL};
static const struct form keyword[] = {{.keyword = "GZIP"}, {0}};
static const struct form alias[] = {{.keyword = "NET", .aliases = "TCP-CONN tcp"}, {0}};
static const struct form brings[] = {{.keyword = "NET", .options = by_name}, {0}};

static void names_that_mean_something_are_refused(void **state)
{
    (void)state;
    refuses(NULL, by_name, "option \"fork\" exists already, as fork");
    refuses(NULL, by_alias, "option \"Verify\" exists already, as openssl-verify");
    refuses(NULL, twice, "option \"colour\" exists already, as colour");
    refuses(keyword, NULL, "address \"GZIP\" exists already, as GZIP");
    refuses(alias, NULL, "address \"tcp\" exists already, as TCP-CONNECT");
    refuses(brings, NULL, "option \"fork\" exists already, as fork");
}

/* ---- size ---- */

enum { MANY = 3000 };

static void many_rows_are_all_found(void **state)
{
    static char names[MANY][2][48];
    static struct option_desc rows[MANY];
    static const struct option_desc *table[MANY + 1];
    const struct registry *known;
    struct err e;
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i][0], sizeof names[i][0], "many-%zu", i);
        snprintf(names[i][1], sizeof names[i][1], "alpha-%zu beta-%zu", i, i);
        rows[i] = (struct option_desc){
            .name = names[i][0], .aliases = names[i][1], .groups = GROUP_FD, .type = VALUE_INT};
        table[i] = &rows[i];
    }
    assert_int_equal(registry_add(&memory, &builtin_registry, NULL, table, &known, &e), 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_ptr_equal(option_lookup(known, names[i][0]), &rows[i]);
        assert_ptr_equal(option_lookup(known, strchr(names[i][1], ' ') + 1), &rows[i]);
    }
    assert_ptr_equal(option_lookup(known, "fork"), &opt_fork);
}

static void modules_of_another_make_are_refused(void **state)
{
    struct catena_module m = CATENA_MODULE(forms_road, options_shine);
    const struct registry *known;
    struct err e;
    (void)state;
    assert_int_equal(registry_add_module(&memory, &builtin_registry, &m, "road.so", &known, &e), 0);
    assert_true(registry_known(known, "road"));
    assert_string_equal(registry_from(known, &forms_road[0]), "road.so");
    assert_null(registry_from(known, registry_next(&builtin_registry, NULL)));
    m.abi = CATENA_ABI + 1;
    assert_int_equal(registry_add_module(&memory, &builtin_registry, &m, "road.so", &known, &e), -1);
    assert_non_null(strstr(e.text, "newer"));
    m.abi = CATENA_ABI;
    m.size--;
    assert_int_equal(registry_add_module(&memory, &builtin_registry, &m, "road.so", &known, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_options_are_found),
        cmocka_unit_test(each_row_is_visited_once),
        cmocka_unit_test(plans_use_what_was_added),
        cmocka_unit_test(own_options_are_for_their_address_only),
        cmocka_unit_test(additions_stand_on_each_other),
        cmocka_unit_test(names_that_mean_something_are_refused),
        cmocka_unit_test(many_rows_are_all_found),
        cmocka_unit_test(modules_of_another_make_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, free_memory);
}
