/* SPDX-License-Identifier: GPL-2.0-or-later
 * Variables that name proxies: three lines are the proxy, the exceptions and the host. Whatever they say, there is a plan
 * or a message. */
#include "dialog.h"
#include "inter/proxy/from_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1), proxy[300], except[300], *rest = copy;
    struct proxy_url u;
    struct plan *made;
    struct err e = {.kind = ERR_NONE};
    if (!copy)
        abort();
    memcpy(copy, data, size);
    copy[size] = '\0';
    (void)snprintf(proxy, sizeof proxy, "all_proxy=%s", next_line(&rest));
    (void)snprintf(except, sizeof except, "no_proxy=%s", next_line(&rest));
    if (from_env_excepts(except + 9, next_line(&rest)) && except[9] == '\0')
        abort();
    char *environment[] = {proxy, except, NULL};
    struct catena instance = home;
    struct settings settings = dialog_settings;
    instance.environment = environment;
    settings.catena = &instance;
    if (plan_make(&settings, "-", "proxy-from-env:www.example.org:443", &made, &e) == 0)
        plan_free(made);
    else if (e.kind == ERR_NONE || e.text[0] == '\0')
        abort();
    const char *wrong = from_env_parse(proxy + 10, &u);
    if (!wrong && (!u.scheme || !u.host[0] || !u.port[0]))
        abort();
    free(copy);
    return 0;
}
