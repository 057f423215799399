/* SPDX-License-Identifier: GPL-2.0-or-later
 * The one place that knows every table of the program: which address forms, options and libraries there
 * are. A line in a .def file adds a table. */
#include "engine/cli/tables.h"

#include "catena/registry.h"

#define FORMS(x) extern const struct form forms_##x[];
#include "endpoint/endpoints.def"
#include "inter/inters.def"
#undef FORMS

static const struct form *const form_tables[] = {
#define FORMS(x) forms_##x,
#include "endpoint/endpoints.def"
#include "inter/inters.def"
#undef FORMS
    NULL,
};

#define OPTIONS(table) extern const struct option_desc *const options_##table[];
#include "endpoint/options.def"
#undef OPTIONS

static const struct option_desc *const *const option_tables[] = {
#define OPTIONS(table) options_##table,
#include "endpoint/options.def"
#undef OPTIONS
    NULL,
};

const struct registry builtin_registry = {form_tables, option_tables, NULL, NULL};

extern const struct library_about about_inter[], about_readline[], about_tcpwrap[];
const struct library_about *const library_tables[] = {about_inter, about_readline, about_tcpwrap, NULL};
