/* SPDX-License-Identifier: GPL-2.0-or-later
 * The plan: both chains as one line, every address bound to its form, every option checked and
 * converted, every link's fate decided. Made before the first system call, const afterwards, shared
 * by all runs. */
#ifndef CATENA_PLAN_H
#define CATENA_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "catena/addr.h"
#include "catena/arena.h"
#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/settings.h"

struct registry;
struct routes;

enum { LEFT = 0, RIGHT = 1 }; /* sides of the line, of an engine, and the two chains */

enum link_fate {
    FATE_NOTHING, /* changes nothing, so nothing is made for it */
    FATE_DIALOG,  /* talks at open time and is gone */
    FATE_ENGINE,  /* a codec or session in an engine of its own */
    FATE_PROGRAM, /* a child process (in a dual perhaps beside an engine) */
};

struct plan_link {
    enum link_fate fate;
    const struct addr *fwd;  /* towards the wire; without back: both ways */
    const struct addr *back; /* dual only: towards the data side */
    bool fwd_swapped, back_swapped; /* ^ on one half of a dual: the other transform of its pair */
    bool reversed;                  /* ^ */
    int wire;        /* LEFT or RIGHT: where on the line its wire side is */
    bool to_right, to_left; /* on the line: which flows go through it */
    int chain;       /* LEFT or RIGHT */
};

struct plan_end {
    const struct addr *fwd, *back; /* single: fwd only. dual: fwd is written, back is read */
};

enum item_kind { ITEM_DIALOG, ITEM_STATION };

/* The line between the two endpoints, nothing left out but what vanished. A station is an engine
 * or a program; link == NULL is a plain relay. */
struct plan_item {
    enum item_kind kind;
    const struct plan_link *link;
    bool to_right, to_left; /* station: flows through it */
    unsigned engine;        /* station: the number of its engine, which others may share; 0 a program */
    size_t hop;             /* the place on its right: so many links are left of it */
};

struct plan_hop { /* between two links, or before an end */
    bool records[2]; /* by flow: messages go through it, and whoever takes them wants them as such */
};

/* Line-end conversion and limits of one chain, at the border. */
struct plan_border {
    enum { EOL_KEEP, EOL_CR, EOL_CRNL } eol;
    unsigned long long readbytes; /* 0: no limit */
    int escape;                   /* byte, or -1 */
};

/* What planning has to say without being an error. */
struct plan_note {
    enum diag_level level;
    struct err what;
    struct plan_note *next;
};

/* An option whose value is a name of the system's databases (a user, a group, a service). */
struct plan_name {
    struct opt *opt;
    const char *label;
    struct plan_name *next;
};

struct plan {
    const struct registry *known;
    const struct settings *settings;
    struct arena arena;
    const char *text[2]; /* the arguments */
    struct plan_end end[2];
    struct plan_link *links; /* left to right */
    size_t nlinks, nleft;    /* nleft of them belong to the left chain */
    struct plan_item *items;
    size_t nitems, nleft_items;
    struct plan_hop *hops;    /* nlinks + 1 */
    bool framed[2];           /* by flow: what comes as packets goes into frames, empty ones as well */
    size_t nproofs; /* so many items are made from the left before the right chain is opened: those of
                     * the left chain, and who of the right one talks to what connected there; but none
                     * behind a dialog whose answer waits for the right chain */
    unsigned seam; /* the place where the two chains meet, of what belongs to no address: -r, -R */
    size_t border; /* index of the station at the border: its engine runs in the run's own thread */
    bool border_inside; /* what is on the other side of the border shares that engine */
    unsigned nengines;
    struct plan_border eol[2];
    bool no_holes;    /* {name} is text: --v1; under the name socat where it makes no sense otherwise */
    bool wants_secrets; /* somebody records what sessions make of the stream */
    bool reloads;     /* somebody reads its files again: SIGHUP asks for it, and ends nothing */
    bool wants_facts; /* a program will be started, or a dump named after what was learnt */
    bool has_peers;   /* some chain has fork or thread: messages name the peer */
    const struct addr *merged[2]; /* where packets that flow to that side become a stream, or NULL */
    struct routes *routes;   /* maps of names, read by plan_look_up(): catena/routes.h */
    const char *route_of;    /* this one is made for a line of such a map, for these names */
    bool is_route;
    bool is_trunk;
    struct plan *trunk;      /* what is behind its right end, shared by all its runs: catena/trunk.h; or NULL */
    size_t nfigures;         /* the links of the longest line that a run of it may become */
    struct plan_note *notes, *missing; /* dry run: what is not there by now */
    struct plan_name *names;
};

/* What runs of a plan share is kept by slot: those of its links, of the other halves of duals, of the right end, and
 * its trunks. */
static inline size_t plan_slot_of_end(const struct plan *p) { return 2 * p->nlinks; }
static inline size_t plan_slot_of_trunks(const struct plan *p) { return 2 * p->nlinks + 1; }
static inline size_t plan_nslots(const struct plan *p) { return 2 * p->nlinks + 2; }

/* Parses, binds, checks. Gives 0 and *out (free with plan_free), or -1 and one error with its
 * place. Pure and silent: no system call, nothing is looked up, and what there is to say are notes. */
int plan_make(const struct settings *s, const char *left, const char *right, struct plan **out,
              struct err *e);
/* Looks the names up that stand in options, and reads maps of names, before anything is opened. In a dry run what is not
 * there, files included, is noted as missing. */
int plan_look_up(struct plan *p, struct err *e);
void plan_free(struct plan *p);
void plan_print(const struct plan *p, FILE *f); /* -n */

/* A dialog with what is left of it, which answers when the rest of the line stands: the last one of those that
 * would. */
bool plan_item_waits(const struct plan *p, size_t item);
/* Who is to fill a hole of that fact at that place, as far as is known: the nearest on the left that
 * is opened before and tells it, else the nearest on the right; NULL nobody. */
const struct addr *plan_teller(const struct plan *p, unsigned place, const struct fact_desc *f);
/* The option on the leftmost address of that chain that has it (a link covers all to its right). */
const struct opt *plan_chain_opt(const struct plan *p, int chain, const struct option_desc *row);
/* Which transform of a link serves the flow that starts at `source`, and whose it is; NULL: none, it passes
 * through, or is no codec. */
const struct codec_ops *plan_codec(const struct plan_link *l, int source, const struct addr **a);
/* The addresses of one chain in the order typed; NULL at the end. */
const struct addr *plan_chain_addr(const struct plan *p, int chain, size_t index);

#endif
