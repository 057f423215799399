#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The recipes of catena-cookbook(7), as they are printed.
load ../helpers
load ../tools/recipes
page=catena-cookbook.7

@test "every recipe gives what the page says" {
    run_recipes 50
}
