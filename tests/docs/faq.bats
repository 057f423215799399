#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The answers of catena-faq(7), as they are printed.
load ../helpers
load ../tools/recipes
page=catena-faq.7

@test "every answer gives what the page says" {
    run_recipes 25
}
