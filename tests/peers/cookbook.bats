#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The recipes of catena-cookbook(7) that need large programs of others, as they are printed.
load ../helpers
load ../tools/recipes
page=catena-cookbook.7
options=--peers

@test "every recipe with a large program gives what the page says" {
    run_recipes 2
}
