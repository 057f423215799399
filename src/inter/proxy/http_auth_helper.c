/* SPDX-License-Identifier: GPL-2.0-or-later
 * The helper's part of NTLM and Negotiate: see http_auth_helper.h. */
#include "inter/proxy/http_auth_helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/helper.h"
#include "inter/proxy/base64.h"
#include "inter/proxy/opts_proxy.h"

static int helper_fails(const char *answer, struct err *e)
{
    char shown[160];
    size_t n = 0;
    for (const char *p = answer; *p && n + 1 < sizeof shown; p++)
        if (*p >= ' ' && *p <= '~')
            shown[n++] = *p;
    shown[n] = '\0';
    return err_set(e, ERR_PROXY_AUTH, "the helper has nothing to say to the proxy: \"%s\"", shown);
}

/* A password that it wants to have. */
static int tell_password(struct auth *u, const char **answer, struct err *e)
{
    const char *colon = strchr(u->credentials.text, ':');
    char line[BASE64_SIZE(SECRET_MAX) + 4] = "PW ";
    if (!colon)
        return err_set(e, ERR_PROXY_AUTH, "the helper wants a password; give proxy-authorization");
    base64(line + 3, colon + 1, strlen(colon + 1));
    int rc = helper_ask(u->helper, line, answer, u->deadline, e);
    explicit_bzero(line, sizeof line);
    return rc < 0 ? -1 : strcmp(*answer, "OK") == 0 ? 0 : helper_fails(*answer, e);
}

static void drop_token(struct auth *u)
{
    if (u->token)
        explicit_bzero(u->token, strlen(u->token));
    free(u->token);
    u->token = NULL;
}

/* "YR token", "KK token", "TT token", "AF * token": what stands last; "AF" alone: all has been said. */
static int take_token(struct auth *u, const char *answer, struct err *e)
{
    static const char *const words[] = {"YR", "KK", "TT", "AF"};
    const char *last = strrchr(answer, ' ');
    bool known = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        known |= strncmp(answer, words[i], 2) == 0 && (answer[2] == ' ' || answer[2] == '\0');
    if (!known || !last || last[1] == '\0' || last[1 + strspn(last + 1, base64_digits)] != '\0')
        return helper_fails(answer, e);
    drop_token(u);
    return (u->token = strdup(last + 1)) ? 0 : err_nomem(e);
}

/* question: "YR", or "TT" and what the proxy has said. */
static int ask_helper(struct auth *u, const char *word, const char *said, struct err *e)
{
    const char *answer;
    char *line = NULL;
    if (asprintf(&line, "%s%s%s", word, said ? " " : "", said ? said : "") < 0)
        return err_nomem(e);
    int rc = helper_ask(u->helper, line, &answer, u->deadline, e);
    if (rc == 0 && strncmp(answer, "PW", 2) == 0) {
        rc = tell_password(u, &answer, e);
        if (rc == 0)
            rc = helper_ask(u->helper, line, &answer, u->deadline, e);
    }
    free(line);
    return rc < 0 ? -1 : take_token(u, answer, e);
}

int auth_helper_begin(struct auth *u, struct err *e)
{
    auth_helper_end(u);
    return helper_start(u->run, opt_string(u->addr, &opt_auth_helper, ""), &u->helper, e) < 0 ? -1 : ask_helper(u, "YR", NULL, e);
}

int auth_helper_go_on(struct auth *u, const char *said, struct err *e) { return ask_helper(u, "TT", said, e); }

void auth_helper_end(struct auth *u)
{
    helper_end(u->helper);
    u->helper = NULL;
    drop_token(u);
}
