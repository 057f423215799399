/* SPDX-License-Identifier: GPL-2.0-or-later
 * What resumed TLS sessions live on: the keys of tickets, which change with time, and the bytes of sessions; both
 * shared with forked children, also with one that dies in the middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/err.h"
#include "inter/libraries/libraries.h"
#include "inter/tls/tls_kept.h"
#include "inter/tls/tls_memory.h"
#include "inter/tls/tls_tickets.h"

static int load(void **state)
{
    struct err e;
    (void)state;
    return libraries_load_openssl(&e);
}

/* The child's answer to a yes or no. */
static bool in_child(bool (*ask)(void *), void *arg)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(ask(arg) ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- keys ---- */

static bool same_key(const struct ticket_key *a, const struct ticket_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void keys_change_with_time(void **state)
{
    struct tickets *t = tickets_new(1000);
    struct ticket_key first, again, second, third, found;
    (void)state;
    assert_non_null(t);
    assert_true(tickets_seal(t, 5000, &first));
    assert_true(tickets_seal(t, 5999, &again));
    assert_true(same_key(&first, &again));
    assert_true(tickets_seal(t, 6000, &second));
    assert_false(same_key(&first, &second));
    assert_memory_not_equal(first.name, second.name, TICKET_NAME);
    assert_memory_not_equal(first.cipher, second.cipher, TICKET_KEY);
    assert_memory_not_equal(first.mac, second.mac, TICKET_KEY);
    assert_true(tickets_open(t, 6999, first.name, &found));
    assert_true(same_key(&first, &found));
    assert_true(tickets_open(t, 6999, second.name, &found));
    assert_true(same_key(&second, &found));
    assert_false(tickets_open(t, 7000, first.name, &found)); /* too old, though nobody has come since */
    assert_true(tickets_seal(t, 7000, &third));
    assert_false(tickets_open(t, 7000, first.name, &found));
    assert_true(tickets_open(t, 7000, second.name, &found));
    assert_false(tickets_open(t, 7000, (const unsigned char *)"0123456789abcdef", &found));
    tickets_free(t);
}

static void none_is_none(void **state)
{
    static const unsigned char zeros[TICKET_NAME];
    struct tickets *t = tickets_new(1000);
    struct ticket_key found;
    (void)state;
    assert_false(tickets_open(t, 0, zeros, &found));
    assert_false(tickets_open(t, 10, zeros, &found));
    tickets_free(t);
    tickets_free(NULL);
}

struct asking {
    struct tickets *t;
    struct ticket_key key;
};

static bool child_changes(void *arg)
{
    struct asking *a = arg;
    struct ticket_key k;
    return tickets_open(a->t, 5500, a->key.name, &k) && same_key(&k, &a->key) && tickets_seal(a->t, 6500, &k) &&
           !same_key(&k, &a->key);
}

static void children_have_the_same(void **state)
{
    struct asking a = {.t = tickets_new(1000)};
    struct ticket_key now, k;
    (void)state;
    assert_true(tickets_seal(a.t, 5000, &a.key));
    assert_true(in_child(child_changes, &a));
    assert_true(tickets_seal(a.t, 6600, &now)); /* the child's */
    assert_int_equal(now.made, 6500);
    assert_true(tickets_open(a.t, 6600, a.key.name, &k));
    tickets_free(a.t);
}

/* ---- a lock that nobody gives back ---- */

struct room {
    struct tls_memory memory;
    int value;
};

static bool dies_with_it(void *arg)
{
    struct room *r = arg;
    tls_memory_lock(&r->memory);
    r->value = 2;
    return true;
}

static void who_dies_with_the_lock_stops_nobody(void **state)
{
    struct room *r = tls_memory_new(sizeof *r);
    (void)state;
    assert_non_null(r);
    assert_int_equal(r->value, 0);
    tls_memory_lock(&r->memory);
    r->value = 1;
    tls_memory_unlock(&r->memory);
    assert_true(in_child(dies_with_it, r));
    tls_memory_lock(&r->memory); /* half of something may be there: nothing is */
    assert_int_equal(r->value, 0);
    tls_memory_unlock(&r->memory);
    assert_true(in_child(dies_with_it, r));
    tls_memory_lock(&r->memory);
    assert_int_equal(r->value, 0);
    tls_memory_unlock(&r->memory);
    tls_memory_free(&r->memory);
    tls_memory_free(NULL);
}

/* ---- sessions as bytes ---- */

static void put(struct kept *k, const char *key, const char *text)
{
    kept_put(k, key, (const unsigned char *)text, strlen(text));
}

static const char *take(struct kept *k, const char *key)
{
    static unsigned char bytes[KEPT_MAX + 1];
    size_t n = kept_take(k, key, bytes);
    bytes[n] = '\0';
    return n > 0 ? (const char *)bytes : NULL;
}

static void each_is_taken_once(void **state)
{
    struct kept *k = kept_new();
    (void)state;
    assert_non_null(k);
    assert_null(take(k, "a"));
    put(k, "a", "one");
    put(k, "b", "other");
    put(k, "a", "two");
    assert_string_equal(take(k, "a"), "two");
    assert_string_equal(take(k, "a"), "one");
    assert_null(take(k, "a"));
    put(k, "a", "three");
    assert_string_equal(take(k, "b"), "other");
    assert_string_equal(take(k, "a"), "three");
    assert_null(take(k, "b"));
    kept_free(k);
    kept_free(NULL);
}

static void the_oldest_make_room(void **state)
{
    struct kept *k = kept_new();
    char text[16];
    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        put(k, i % 2 ? "odd" : "even", text);
    }
    for (int i = 99; i >= 36; i--) {
        (void)snprintf(text, sizeof text, "%d", i);
        assert_string_equal(take(k, i % 2 ? "odd" : "even"), text);
    }
    assert_null(take(k, "odd"));
    assert_null(take(k, "even"));
    kept_free(k);
}

static void what_is_too_large_is_not_kept(void **state)
{
    static unsigned char large[KEPT_MAX + 1], back[KEPT_MAX];
    char key[KEPT_KEY_MAX + 1];
    struct kept *k = kept_new();
    (void)state;
    memset(large, 'x', sizeof large);
    memset(key, 'k', sizeof key);
    key[KEPT_KEY_MAX] = '\0';
    kept_put(k, "a", large, sizeof large);
    kept_put(k, "a", large, 0);
    kept_put(k, key, large, 10);
    assert_int_equal(kept_take(k, "a", back), 0);
    assert_int_equal(kept_take(k, key, back), 0);
    key[KEPT_KEY_MAX - 1] = '\0';
    kept_put(k, key, large, KEPT_MAX);
    assert_int_equal(kept_take(k, key, back), KEPT_MAX);
    assert_memory_equal(back, large, KEPT_MAX);
    kept_free(k);
}

static bool child_trades(void *arg)
{
    const char *text = take(arg, "from parent");
    put(arg, "from child", "hello");
    return text && strcmp(text, "take this") == 0;
}

static void children_trade(void **state)
{
    struct kept *k = kept_new();
    (void)state;
    put(k, "from parent", "take this");
    assert_true(in_child(child_trades, k));
    assert_null(take(k, "from parent"));
    assert_string_equal(take(k, "from child"), "hello");
    kept_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_change_with_time),
        cmocka_unit_test(none_is_none),
        cmocka_unit_test(children_have_the_same),
        cmocka_unit_test(who_dies_with_the_lock_stops_nobody),
        cmocka_unit_test(each_is_taken_once),
        cmocka_unit_test(the_oldest_make_room),
        cmocka_unit_test(what_is_too_large_is_not_kept),
        cmocka_unit_test(children_trade),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
