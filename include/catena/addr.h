/* SPDX-License-Identifier: GPL-2.0-or-later
 * Addresses: a form is one overload of a keyword (const, listed in endpoints.def / inters.def); an
 * addr is a sub-address of the command line bound to a form by the planner. */
#ifndef CATENA_ADDR_H
#define CATENA_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "catena/control.h"
#include "catena/err.h"
#include "catena/facts.h"
#include "catena/option.h"

/* How a side is used, seen from the relay: r = it reads there, w = it writes there, b = both. */
enum ctx { CTX_R = 1, CTX_W = 2, CTX_B = 4 };
#define CTX_RWB (CTX_R | CTX_W | CTX_B)

enum form_kind {
    FORM_ENDPOINT,
    FORM_COMPOUND, /* v1's combined spelling of an inter address over an endpoint */
    FORM_NEGOTIATOR,
    FORM_CODEC,
    FORM_SESSION,
    FORM_PROGRAM,
};

/* Who speaks first, where it matters: a client connects, a server waits for one. Of inter
 * addresses: which part they play on their wire. */
enum form_role { ROLE_NONE, ROLE_CLIENT, ROLE_SERVER };

/* Who can come in there: anybody, those that it lets in, processes of this host. */
enum admits { ADMITS_ANYBODY, ADMITS_SOME, ADMITS_THIS_HOST };

/* What a read of an endpoint gives and a write is: bytes of a stream, or a packet with its
 * boundaries. RECORDS_ONE: a single packet is read. RECORDS_EITHER: as what is found. */
enum form_records { RECORDS_NONE, RECORDS_MANY, RECORDS_ONE, RECORDS_EITHER };

/* inter address on its right: the mirror of its left (r/w, w/r, b/b) or always both ways. */
enum form_right { RIGHT_NONE, RIGHT_MIRROR, RIGHT_BOTH };

struct addr;
struct arena;

/* One address of those that a compound is made of. */
struct made_part {
    const char *keyword;
    const char *params[2];
    unsigned char from[2]; /* the parameter of the compound that it is, 1-based; 0: it is text of its own */
    size_t nparams;
    struct {
        const struct option_desc *row;
        const char *value;
    } opts[3]; /* besides those of the compound, which count more */
    size_t nopts;
};
enum { MADE_PARTS = 4 };

/* A compound KEY:p1:p2,opts is INTER:..,opts|ENDPOINT:..,opts; each option goes to the part whose
 * groups hold it, the inter address first. The endpoint may be a compound itself: then what both take, both get.
 * Parameters by number, 1-based, 0 ends the list. */
struct compound {
    unsigned char cut; /* that parameter ends before its first slash; what follows, with it, is the next one; 0 none */
    const char *inter;
    unsigned char inter_params[4];
    const char *endpoint;
    unsigned char endpoint_params[4];
    const struct option_desc *port_option; /* last endpoint parameter if not one of these ... */
    const char *port_default;   /* ... and its default; NULL: no such parameter */
    /* Instead of all that: who knows what it is made of, from left to right, the endpoint last. An option of the
     * compound goes to the first part that takes it; one that none takes is for a part that is not there this time.
     * Pure. */
    int (*make)(const struct addr *whole, struct arena *mem, struct made_part parts[MADE_PARTS], size_t *n, struct err *e);
    /* If that option is given, an inter address stands between them, with its value as the only parameter. */
    const char *between;
    const struct option_desc *between_option;
};

struct catena;
struct sharing;
struct trunk_form;

struct form {
    const char *keyword; /* canonical, upper case */
    const char *aliases; /* blank-separated, or NULL */
    const char *params;  /* as help shows them: ":<host>:<port>", or NULL */
    unsigned char min_params, max_params;
    unsigned char left; /* CTX_* mask */
    enum form_right right;
    uint64_t groups;       /* besides GROUPS_EVERY */
    const struct option_desc *const *options; /* of its own, ended by NULL; or NULL */
    enum form_role role;
    enum form_records records;
    bool heavy;            /* inter address: its work is worth a thread (TLS, compression) */
    unsigned char target;  /* number (1-based) of the parameter that names the host reached; 0 none */
    const char *speaks;    /* inter address: on its wire, by its name for ALPN; NULL: nothing that has one */
    const char *gives;     /* blank-separated: the facts it may tell once it is opened; or NULL */
    /* With these options, why does it not tell one of them: "with option x" it would; NULL: it does. May be NULL. */
    const char *(*untold)(const struct addr *, const struct fact_desc *);
    const char *help;      /* one line */
    /* What it is with these parameters and options, if they decide about more than how it is done (of which kind, what
     * it waits for): another form, with as many parameters and the same options. May be NULL: itself. */
    const struct form *(*becomes)(const struct addr *);
    /* What can be known wrong about parameters and options before anything is opened; pure. May be
     * NULL. */
    int (*check)(const struct addr *, struct err *);
    /* ... or about two of its kind on one line, however far from each other: asked about each pair of the form, of
     * which a is the later. May be NULL. */
    int (*beside)(const struct addr *a, const struct addr *other, struct err *);
    /* It asks for facts, whatever its parameters say. May be NULL: it does not. */
    bool (*wants_facts)(const struct addr *);
    /* ... or for the secrets of sessions, which are kept then. */
    bool (*wants_secrets)(const struct addr *);
    /* Of an endpoint: what it does with controls, enum form_controls; pure. May be NULL. */
    unsigned (*controls)(const struct addr *);
    /* A server: who can come in? NULL: anybody. */
    enum admits (*admits)(const struct addr *);
    /* An inter address that says who the peer of its wire is; rules for peers there are about him: whom does it
     * believe? NULL: it says no such thing. */
    enum admits (*introduces)(const struct addr *);
    /* An inter address that connects its client to wherever he wants: does it ask neither who he is nor
     * whether he may? Then who comes in has to be settled before (plan_check_open). NULL: no such thing. */
    bool (*serves_anybody)(const struct addr *);
    /* ... only where this fact, which it tells, says which host is reached. NULL: always. */
    const char *serves_by;
    const struct sharing *common;    /* an endpoint: what all connections of it have in common (inter.h); or NULL */
    const struct trunk_form *shares; /* an inter address: lines can share what is right of it; or NULL */
    bool routed; /* an endpoint: in its place comes the chain that a map of names says (catena/routes.h) */
    /* A dry run: is what the parameters name there by now, a program, a service? May be NULL. */
    int (*foresee)(const struct addr *, struct err *);
    /* A dry run: what else there is to see, in lines of its own. May be NULL. */
    void (*show)(const struct addr *, FILE *);
    enum form_kind kind;
    union {
        const struct endpoint_ops *endpoint;
        const struct compound *compound;
        const struct negotiator_ops *negotiator;
        const struct codec_pair *codec;
        const struct session_ops *session;
        const struct program_ops *program;
    } ops;
    const void *arg; /* what the implementation wants to know about this form */
};

struct addr {
    const struct form *form;
    const struct catena *catena; /* in which it was bound */
    const char *keyword; /* as typed */
    const char *const *params;
    const struct span *param_at; /* where they stood */
    size_t nparams;
    const struct opt *opts; /* in the order typed */
    size_t nopts;
    enum ctx left, right;  /* how it is used here; right 0 for endpoints */
    const char *host;      /* session, or dialog with a server: the host name its wire leads to, NULL if unknown */
    const char *port;      /* ... and the port, or service, there */
    const char *speaks;    /* session: what is spoken inside of it, by its name for ALPN; NULL: it is not known */
    /* Texts that facts complete when the address is opened; until then a sample stands in their place.
     * By parameter; NULL: none has a hole. */
    const struct template *const *holes;
    unsigned host_place; /* of the address that has the host, if that has a hole; else 0 */
    bool varies;    /* something has a hole: what is opened is an instance, made then (run_instance) */
    unsigned place; /* on the line, from the left, from 1; facts are told and asked for by place */
    bool heard_first;      /* endpoint: who connects there speaks first, and is nobody's business before */
    bool prompt;           /* endpoint: carries records, which are to leave at once */
    bool tells, told;      /* endpoint: somebody takes the controls that it gives, gives such as it takes */
    bool packets;          /* inter address: what it makes frames of comes as packets, which may get lost */
    bool introduced;       /* endpoint: somebody on the way says who its peer is, and asks endpoint_admits() */
    enum admits introducer; /* ... who may do so */
    bool sealed;           /* endpoint: its packets are a session's: -b cuts none, an empty one is no end */
    const char *label;     /* for messages: second address, link 1 "openssl" */
    struct span at;
};

/* The port that goes with its target, or NULL. */
static inline const char *addr_target_port(const struct addr *a)
{
    unsigned n = a->form->target;
    return n > 0 && n < a->nparams ? a->params[n] : NULL;
}

/* The host that it reaches, or NULL. */
static inline const char *addr_target(const struct addr *a)
{
    unsigned n = a->form->target;
    return n > 0 && n <= a->nparams ? a->params[n - 1] : NULL;
}

#endif
