/* SPDX-License-Identifier: GPL-2.0-or-later
 * The one place that knows every table of the program: which address forms, options and libraries there
 * are. A line in a .def file adds a table. The command has its own object of this, which leaves families out that are
 * modules and stands on what looks for them (families.c). */
#include "engine/cli/tables.h"

#include "catena/features.h"
#include "catena/registry.h"

#ifdef CATENA_FAMILIES_APART
#define FAMILY(x, names)
#include "engine/cli/families.h"
#define BASE &families_registry
#else
#define FAMILY(x, names) FORMS(x)
#define BASE NULL
#endif

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

const struct registry builtin_registry = {.forms = form_tables, .options = option_tables, .base = BASE};

extern const struct library_about about_inter[], about_readline[], about_tcpwrap[];
const struct library_about *const library_tables[] = {about_inter, about_readline, about_tcpwrap, NULL};
