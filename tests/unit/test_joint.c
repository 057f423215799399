/* SPDX-License-Identifier: GPL-2.0-or-later
 * Joints: what -c and commtype make of the places between engines and programs, that both ways work over
 * each of them, and that ends pass where they can. */
#include "track.h"

#include <stdio.h>
#include <string.h>

#include "catena/comm.h"
#include "engine/open/joint.h"

enum { LOTS = 200000 };

/* Both sides of a program, each copied to the other. */
#define BOTH_WAYS "\"cat <&3 4>&- & exec cat >&4 3<&- 4>&-\""

static struct settings with_comm(char letter)
{
    struct settings s = unit_settings();
    s.comm = letter;
    s.comm_given = true;
    return s;
}

static char letter_of(enum comm_type t)
{
    const char *letters = comm_info(t)->letters;
    return letters ? letters[0] : '\0';
}

/* ---- which ---- */

static void in_memory(void **state)
{
    struct settings plain = unit_settings();
    (void)state;
    struct plan *p = unit_plan(&plain, "-", "gzip|^gzip|system:cat|pipe");
    const struct plan_link *gzip = &p->links[0], *gunzip = &p->links[1], *program = &p->links[2];
    assert_true(joint_in_memory(p, gzip, gunzip));
    assert_true(joint_in_memory(p, NULL, gzip));
    assert_true(joint_in_memory(p, gzip, NULL));
    assert_false(joint_in_memory(p, gunzip, program));
    assert_false(joint_in_memory(p, program, NULL));
    assert_false(joint_in_memory(p, NULL, program));
    plan_free(p);
    for (enum comm_type t = 0; t < COMM_COUNT; t++) {
        if (!letter_of(t))
            continue;
        struct settings s = with_comm(letter_of(t));
        p = unit_plan(&s, "-", "gzip|^gzip|system:cat|pipe");
        bool terminal = t == COMM_PTY || t == COMM_PTYS;
        assert_int_equal(joint_in_memory(p, &p->links[0], &p->links[1]), terminal);
        assert_false(joint_in_memory(p, &p->links[1], &p->links[2]));
        plan_free(p);
    }
}

static void type_is(const struct plan *p, int left, int right, enum comm_type want)
{
    struct err e;
    enum comm_type type = COMM_COUNT;
    assert_int_equal(joint_type(p, left < 0 ? NULL : &p->links[left], right < 0 ? NULL : &p->links[right],
                                &type, &e), 0);
    assert_int_equal(type, want);
}

/* What -c says holds everywhere, but the data side of a program obeys its own option. */
static void types(void **state)
{
    (void)state;
    for (enum comm_type t = 0; t < COMM_COUNT; t++) {
        if (!letter_of(t))
            continue;
        struct settings s = with_comm(letter_of(t));
        struct plan *p = unit_plan(&s, "-", "gzip|system:cat,commtype=pipes|system:cat|pipe");
        type_is(p, -1, 0, t);
        type_is(p, 0, 1, COMM_PIPES);
        type_is(p, 1, 2, t); /* the wire of the first, the data of the second, who wants nothing special */
        type_is(p, 2, -1, t);
        plan_free(p);
    }
    struct settings s = unit_settings();
    struct plan *p = unit_plan(&s, "system:cat,pipes|-", "^system:cat,pty|pipe");
    type_is(p, 0, -1, COMM_PIPES); /* on the left the data side is where the border is */
    type_is(p, -1, 0, COMM_SOCKETPAIRS);
    type_is(p, 1, -1, COMM_PTY); /* turned round */
    plan_free(p);
}

static void unknown(void **state)
{
    struct settings s = with_comm('?');
    struct err e;
    enum comm_type type;
    (void)state;
    struct settings good = unit_settings();
    struct plan *p = unit_plan(&good, "-", "gzip|pipe");
    p->settings = &s;
    assert_int_equal(joint_type(p, NULL, &p->links[0], &type, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    plan_free(p);
}

/* ---- that they work ---- */

static void speak(struct track *t)
{
    track_say(t, LEFT, "there");
    track_hear(t, RIGHT, "there");
    track_say(t, RIGHT, "back");
    track_hear(t, LEFT, "back");
}

static void between(const char *left, const char *right, struct settings s, bool ends)
{
    struct track t;
    print_message("-c%c %s  %s\n", s.comm, left, right);
    track_lay(&t, s, left, right);
    track_start(&t);
    speak(&t);
    if (ends) {
        track_exchange(&t, LOTS, LOTS + 1);
        track_join(&t);
    }
    track_free(&t); /* else both peers hang up */
    assert_false(t.run.failed);
}

static void between_engines(void **state)
{
    (void)state;
    for (enum comm_type t = 0; t < COMM_COUNT; t++) {
        if (!letter_of(t))
            continue;
        between("-", "gzip|^gzip|pipe", with_comm(letter_of(t)), true);
        between("gzip|^gzip|-", "gzip|^gzip|pipe", with_comm(letter_of(t)), true);
    }
}

/* A pseudo terminal for both ways has no half close. */
static void beside_programs(void **state)
{
    (void)state;
    for (enum comm_type t = 0; t < COMM_COUNT; t++) {
        bool ends = t != COMM_PTY && t != COMM_PTYS;
        if (!letter_of(t))
            continue;
        between("-", "gzip|system:" BOTH_WAYS "|^gzip|pipe", with_comm(letter_of(t)), ends);
        between("system:" BOTH_WAYS "|-", "pipe", with_comm(letter_of(t)), ends);
    }
}

/* Two programs face each other, and a filter in one flow of a dual with an engine in the other. */
static void programs_alone(void **state)
{
    (void)state;
    between("-", "system:" BOTH_WAYS "|system:" BOTH_WAYS "|pipe", unit_settings(), true);
    between("-", "exec1:cat%exec1:cat|pipe", unit_settings(), true);
    between("-", "exec1:cat%nop|pipe", unit_settings(), true);
}

/* Each half of a dual has descriptors of its own, whatever -c says: one ends without the other. */
static void halves(void **state)
{
    (void)state;
    for (enum comm_type t = 0; t < COMM_COUNT; t++) {
        struct track tr;
        if (!letter_of(t) || t == COMM_PTY || t == COMM_PTYS)
            continue;
        for (int first = LEFT; first <= RIGHT; first++) {
            track_lay(&tr, with_comm(letter_of(t)), "-", "exec1:cat%exec1:cat|pipe");
            track_start(&tr);
            track_say(&tr, first, "there");
            track_end(&tr, first);
            track_hear(&tr, !first, "there");
            track_hear_end(&tr, !first);
            track_say(&tr, !first, "back");
            track_hear(&tr, first, "back");
            track_end(&tr, !first);
            track_hear_end(&tr, first);
            track_join(&tr);
            track_free(&tr);
            assert_false(tr.run.failed);
        }
    }
}

/* A program that ends by itself: that is an end like any other, be it a terminal's EIO. */
static void program_ends(void **state)
{
    (void)state;
    for (enum comm_type t = 0; t < COMM_COUNT; t++) {
        struct track tr;
        if (!letter_of(t))
            continue;
        track_lay(&tr, with_comm(letter_of(t)), "-", "system:\"read x; echo \\$x >&4\"|pipe");
        track_start(&tr);
        track_say(&tr, LEFT, "question\n");
        track_hear(&tr, RIGHT, "question\n");
        track_hear_end(&tr, RIGHT);
        track_hear_end(&tr, LEFT);
        track_end(&tr, LEFT);
        track_end(&tr, RIGHT);
        track_join(&tr);
        track_free(&tr);
        assert_false(tr.run.failed);
    }
}

/* On either of its sides a program has the terminal, and the engine what is behind it. */
static void programs_have_the_terminal(void **state)
{
    static const char *const sides[] = {"0", "3"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct track t;
        char text[200];
        (void)snprintf(text, sizeof text,
                       "system:\"readlink /proc/self/fd/%s >&4; exec cat >&4\"|pipe", sides[i]);
        track_lay(&t, with_comm('y'), "-", text);
        track_start(&t);
        track_hear(&t, RIGHT, "/dev/pts/");
        track_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_memory),       cmocka_unit_test(types),
        cmocka_unit_test(unknown),         cmocka_unit_test(between_engines),
        cmocka_unit_test(beside_programs), cmocka_unit_test(programs_alone),
        cmocka_unit_test(halves),          cmocka_unit_test(program_ends),
        cmocka_unit_test(programs_have_the_terminal),
    };
    return cmocka_run_group_tests_name("joint", tests, unit_begin, unit_end);
}
