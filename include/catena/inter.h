/* SPDX-License-Identifier: GPL-2.0-or-later
 * Inter addresses: the interface the built-in ones use and contributed ones will use. An inter
 * address has a data side (where the plain stream is) and a wire side (where the changed stream
 * is); which of them is left or right on the command line is none of its business.
 *
 * One of four kinds, each a small vtable. No inter address reads or writes a descriptor. */
#ifndef CATENA_INTER_H
#define CATENA_INTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/addr.h"
#include "catena/api.h"
#include "catena/buf.h"
#include "catena/err.h"
#include "catena/seal.h"
#include "catena/wire.h"

struct run;

/* What all connections of an address have in common (a TLS context, who may log in). */
struct sharing {
    /* Can connections share what prepare() gives, although the address has holes? If not, or NULL, it is
     * called for each of them. */
    bool (*shares)(const struct addr *a);
    /* Once per address, before any fork. NULL: there is nothing. */
    int (*prepare)(const struct addr *a, struct run *r, void **shared, struct err *e);
    void (*release)(void *shared);
    /* A connection has come, and is not served yet: what was made of files may have to be made again
     * (catena/renewed.h). Called before it gets a process of its own. May be NULL. */
    void (*renew)(void *shared, struct run *r);
};

/* negotiator: a straight-line blocking dialog over the wire at open time; then bytes pass
 * untouched. Refusals by the peer are of the kind that says why, nonsense is ERR_PROTOCOL. What the peer
 * has sent beyond the dialog is never read, or stays in the wire. */

/* What became of the rest of the line, for a dialog that answers for it. */
struct outcome {
    const struct err *failed; /* why it could not be opened, by its kind; NULL: it stands */
    struct wire *beyond;      /* it stands, and .talks_beyond: what was opened for this address */
    struct run *run;
    bool carries_records;     /* it stands, and packets would go all the way */
    unsigned place;           /* of the address that answers, */
    bool to_right;            /* and where from there the rest is */
};
/* What the nearest address there has told (sockaddr: from where it was reached); false: nobody has. */
bool outcome_told(const struct outcome *o, const char *fact, char *value, size_t cap)
    CATENA_API(outcome_told);

struct codec_pair;
struct negotiator_ops {
    struct sharing common; /* to be had with run_shared_of() */
    size_t state_size; /* bytes that the halves of one dialog share, zeroed before; may be 0 */
    /* The dialog; or what of it comes first, in which the peer says what he wants: it is told as facts
     * (run_tell), and what is opened after has holes for them. Gives 0, -1, or 1: it is the peer's turn again, and
     * learn() is to be called once more. */
    int (*learn)(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e);
    /* The rest of the dialog, once, with a deadline of its own; NULL: there is none. */
    int (*answer)(void *st, const struct addr *a, struct run *r, struct wire *w,
                  const struct outcome *o, struct err *e);
    /* What is opened after waits for somebody itself, where it has told (sockaddr). May be NULL. */
    int (*meanwhile)(void *st, const struct addr *a, struct run *r, struct wire *w,
                     const struct outcome *o, struct err *e);
    /* answer() waits until all that is opened after stands, or has failed: nothing goes through the dialog
     * before. Otherwise it follows at once. */
    bool answers_for_rest;
    bool hears_first;        /* learn() begins with what the peer says, who has connected for that */
    bool rests;              /* each time it is called learn() does nothing that may not be done twice before it has
                              * read: if nothing is there, it fails, and is called again when something is */
    bool talks_beyond;       /* answer() reads what that side says first, or asks it */
    void (*forget)(void *st); /* however it went; may be NULL */
    /* What stays in its place when it is over, if that is needed (codec_ops.needed); NULL: nothing. */
    const struct codec_pair *leaves;
    bool leaves_beyond; /* ... or beyond the session that follows on its data side */
    bool needs_session; /* it makes no sense without one that follows there */
    bool (*may_leave)(const struct addr *a); /* with these options it does that; NULL: always */
};
/* What that one leaves behind, if it is a negotiator and may leave anything; or NULL. */
static inline const struct codec_pair *addr_leaves(const struct addr *a)
{
    const struct negotiator_ops *ops = a->form->kind == FORM_NEGOTIATOR ? a->form->ops.negotiator : NULL;
    return ops && (!ops->may_leave || ops->may_leave(a)) ? ops->leaves : NULL;
}

/* codec: a pure stream transform, one instance for each direction. */
enum codec_mode {
    CODEC_RUN,  /* more input may be at hand */
    CODEC_IDLE, /* the input ran dry for now: hold nothing back that a reader may wait for */
    CODEC_END,  /* no input comes any more: write the trailer */
};
struct codec_place { /* where one instance works */
    const struct addr *addr;
    struct run *run;
    size_t link;    /* its number in the plan */
    bool to_right;  /* its flow goes left to right on the line */
    bool untouched; /* nothing has changed that since it came in at its end of the line */
    void *pair;     /* what the two instances of the address share; NULL without pair_size */
};
struct codec_ops {
    /* Asked first, when all on its wire has been said; false: that flow passes it by. NULL: it is needed. */
    bool (*needed)(const struct addr *a, struct run *r);
    /* It gives every block as it came and only looks: what comes as records stays records. */
    bool looks;
    /* What is in `in` is one record, and is taken as one: whole, and in->record, where records come (it may
     * be empty), else as much of a stream as makes a packet. Blocks are not looked at otherwise. */
    bool takes_records;
    /* What it puts into `out`, which is empty then, is one record, marked as such. */
    bool gives_records;
    /* A stream makes no sense to it: the plan refuses one. With takes_records. */
    bool only_records;
    /* It keeps what comes, its end too, until due(): no silence of the peers, and nothing that release could
     * hasten. In mode CODEC_IDLE more comes no more, without an end: what is kept is given out in its time. */
    bool delays;
    /* It looks after what travels beside the data itself: a buffer's control is taken by buf_consume(in, 0), and
     * given in an empty one, out->control. Otherwise they pass, behind what it had made. */
    bool controls;
    size_t state_size; /* bytes; zeroed before init */
    /* Bytes, zeroed before, that the instances of both flows have in common. One thread uses them; they
     * are there until both have been told fini(). Of a dual address each instance has its own. */
    size_t pair_size;
    int (*init)(void *st, const struct addr *a, struct err *e); /* may be NULL */
    /* Told once, before the first push, by whose run it is used. May be NULL. */
    int (*start)(void *st, const struct codec_place *where, struct err *e);
    /* Takes from in, gives to out, as far as both allow. What is in `in` at the first call after it
     * was empty is one block, as it was read. Returns 1 when, in mode CODEC_IDLE or CODEC_END,
     * nothing is left to be given out; 0 to be called again when out has room; -1 on error; 2 when it ends
     * the flow: nothing follows what it gave, and what still comes is not taken. */
    int (*push)(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e);
    void (*fini)(void *st); /* may be NULL */
    /* It only counts, and need not see what it counts: so many bytes have gone by the kernel's express way.
     * NULL: all go through push(). */
    void (*passed)(void *st, size_t n);
    /* wait_now() when push has to be called again although nothing came; -1 not. May be NULL. */
    int64_t (*due)(const void *st);
    size_t (*held)(const void *st); /* bytes that it has taken and will give out. May be NULL. */
};
/* The two transforms of an address: data to wire, and wire to data. No decode: there is one
 * transform, for whichever way the address is used (one-way addresses). */
struct codec_pair {
    const struct codec_ops *encode, *decode;
    bool passes; /* changes nothing at all (nop): needs no engine, and has neither of them */
    struct sharing common;
};
/* The form of a codec for both directions; last come its help, and what else there is to say. */
#define CODEC_FORM(name, table, check_, pair, ...)                                                 \
    {.keyword = name, .left = CTX_RWB, .right = RIGHT_MIRROR, .options = table, .check = check_,    \
     .kind = FORM_CODEC, .ops.codec = &(pair), .help = __VA_ARGS__}

/* session: both directions share state, and there is a handshake. */
struct session_side {
    struct buf *in, *out;
    bool in_eof;  /* set by the engine: nothing comes behind what is in `in` */
    bool in_cut;  /* ... nor here, but that was not its end: what is made of it may not look whole */
    bool by_order; /* ... which somebody has ordered, and is no failure */
    bool unwanted; /* set by the engine: nobody takes what is put into `out` */
    bool records; /* set by the engine: what is in `out` at a time goes out as one message */
    bool unsettled; /* ... or may not: who takes it is not there yet, while a line is being opened */
    bool packets; /* ... and what is in `in` came as one */
    size_t piece; /* set by the engine: so much of a stream makes a packet */
    size_t whole; /* set by the engine, of a wire of packets: the most bytes of one that the system need not cut
                     into pieces on its way; 0 not known */
    bool out_eof; /* set by the session: nothing follows what is in `out` */
};
struct session_ops {
    bool records; /* what is given out to a side that takes records is one at a time */
    bool empty_records; /* an empty one is something, too: the session marks what it gives out itself (buf.record) */
    bool over_records; /* its wire is of records: one at a time is in a buffer of that side, whole */
    bool controls; /* as of codecs; nothing is added to a buffer that has a control */
    bool bare_end; /* it has no goodbye of its own: where its data end, the wire does */
    struct sharing common;
    /* One connection. */
    int (*open)(const struct addr *a, struct run *r, void *shared, void **st, struct err *e);
    /* Moves what can be moved. Gives 0 or -1. To be called whenever a buffer changed. Ends: when
     * data->in_eof and data->in is empty, says goodbye on the wire and sets wire->out_eof; when the
     * wire said goodbye, sets data->out_eof. A wire that ends without goodbye is ERR_PROTOCOL. */
    int (*step)(void *st, struct session_side *data, struct session_side *wire, struct err *e);
    bool (*ready)(const void *st); /* the handshake is done */
    /* The data have come to their end on the wire, which goes on for the sake of the other direction. NULL: where the
     * data end, it says no more. */
    bool (*said_all)(const void *st);
    /* The handshake is done: tell the run's facts, log. Called once, by the opening code or the
     * engine. */
    int (*opened)(void *st, const struct addr *a, struct run *r, struct err *e);
    /* wait_now() when step has to be called again although nothing came; -1 not. May be NULL. */
    int64_t (*due)(const void *st);
    /* What it sends may be sealed below (seal.h). Asked once it is opened: how, or NULL, not (yet). When all that it has
     * sent is written, sealed() is told what came of it: done, or why not, in e, and may say -1. NULL: it never wants it. */
    const struct seal *(*seal)(void *st);
    int (*sealed)(void *st, bool done, struct err *e);
    void (*close)(void *st);
};

/* program: a child process between descriptors. Lanes that are not used are -1. */
struct program_fds {
    int data_in, data_out; /* the program reads / writes these towards its data side */
    int wire_in, wire_out; /* ... and towards its wire side */
};
struct program_ops {
    /* one_way: the program has one stream through it (exec1) and takes either data_in and wire_out,
     * or wire_in and data_out. */
    bool one_way;
    /* Starts the program; borrows the descriptors (the caller closes them). The child is entered
     * into the run (run_add_child). */
    int (*spawn)(const struct addr *a, struct run *r, const struct program_fds *fds,
                 struct err *e);
};

/* Has it anything in common? NULL: no. */
static inline const struct sharing *form_common(const struct form *f)
{
    const struct sharing *s = f->kind == FORM_SESSION      ? &f->ops.session->common
                              : f->kind == FORM_NEGOTIATOR ? &f->ops.negotiator->common
                              : f->kind == FORM_CODEC      ? &f->ops.codec->common
                                                           : f->common;
    return s && s->prepare ? s : NULL;
}
static inline bool sharing_holds(const struct sharing *s, const struct addr *a)
{
    return !a->varies || (s->shares && s->shares(a));
}

#endif
