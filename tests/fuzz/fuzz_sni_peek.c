/* SPDX-License-Identifier: GPL-2.0-or-later
 * What clients say first, before SNI-PEEK and SNIFF: the first byte chooses, the second says how many bytes come at
 * once. However they come, the answer is the same, nothing is taken away, and a name is one of a host. */
#include "dialog.h"

#include "inter/front/client_hello.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct plan *plans[2];
static void *shared[2][2];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const left[] = {"sni-peek,open|-", "sniff|-"};
    struct err e;
    struct run r;
    (void)argc;
    (void)argv;
    for (int i = 0; i < 2; i++) {
        if (plan_make(&dialog_settings, left[i], "pipe", &plans[i], &e) < 0 ||
            run_init(&r, &dialog_settings, plans[i], -1, &e) < 0)
            abort();
        const struct addr *a = plans[i]->links[0].fwd;
        const struct sharing *common = form_common(a->form);
        if (common && common->prepare(a, &r, &shared[i][0], &e) < 0)
            abort();
        run_fini(&r);
    }
    return 0;
}

static void check_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > HELLO_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._") != n || strchr(".-", name[0]) ||
        strstr(name, "..") || name[n - 1] == '.' || name[strspn(name, "0123456789.")] == '\0')
        abort();
}

/* What it makes of it; 0 an error. */
static unsigned hold(int which, const uint8_t *data, size_t size, size_t piece, char *told, size_t cap)
{
    static const struct wire_ops ops = {.fill = dialog_fill, .write = dialog_write};
    struct dialog_script script = {.answer = data, .left = size, .piece = piece ? piece : 65536};
    const struct addr *a = plans[which]->links[0].fwd;
    struct err e = {.kind = ERR_NONE};
    struct run run;
    struct wire w;
    if (run_init(&run, &dialog_settings, plans[which], -1, &e) < 0 || wire_init(&w, &ops, &script, &run, -1, &e) < 0)
        abort();
    run.shared = shared[which];
    int rc = a->form->ops.negotiator->learn(NULL, a, &run, &w, &e);
    char *name = run_get_fact(&run, "sni"), *proto = run_get_fact(&run, "proto");
    (void)snprintf(told, cap, "%d %s %s", rc, name ? name : "", proto ? proto : "");
    if (rc < 0)
        dialog_check_message(&e, data, size);
    else if (!proto || script.nsent > 0 || w.in.len + script.left != size || memcmp(buf_data(&w.in), data, w.in.len) != 0)
        abort();
    if (name)
        check_name(name);
    free(name);
    free(proto);
    wire_fini(&w);
    run.shared = NULL;
    run_fini(&run);
    return rc == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char whole[400], pieces[400];
    if (size < 3)
        return 0;
    int which = data[0] & 1;
    bool works = hold(which, data + 2, size - 2, 0, whole, sizeof whole);
    /* what is wrong may be seen before what is behind it is there */
    if (hold(which, data + 2, size - 2, data[1], pieces, sizeof pieces) != works || (works && strcmp(whole, pieces) != 0))
        abort();
    return 0;
}
