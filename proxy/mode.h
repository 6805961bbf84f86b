/* Modes in force: statements that deserve a word get one, or are not executed.
 *
 *   plan:     what there is to say of its statements, as bits by subject    (made with it)
 *   session:  the subjects that its modes do more about than log, likewise  (made when the modes, the user or
 *             the application_name change)
 *
 * Where the two have no bit in common the statement goes its way: that is all that the statement path does.
 * Else each statement is looked at, and the allow-list asked.
 *
 * A statement is judged when it is about to be executed: a simple query when it comes, a prepared statement
 * when it is bound, one prepared by SQL when it is EXECUTEd. A string of several statements is sent whole or
 * not at all, because it is one transaction. */
#ifndef PROXY_MODE_H
#define PROXY_MODE_H

#include "base/buf.h"
#include "conf/modes.h"
#include "proxy/gather.h"
#include "proxy/plan.h"

struct Session;

/* A bit for each ModeSubject, and one for a text that EXECUTEs what was prepared by SQL: its subject is that
 * of another text. */
#define MODE_BIT(subject) ((uint8_t)(1u << (subject)))
#define MODE_BIT_EXECUTES MODE_BIT(MODE_SUBJECTS)

/* Of a session. */
typedef struct SessionModes {
    Modes modes;
    uint8_t watched;  /* bits of the subjects whose mode is not log; with any of them, MODE_BIT_EXECUTES */
    uint32_t changes; /* grows when `modes` does */
    /* Fingerprints that the client was warned of: a hash table with open addressing, owned. */
    uint64_t *noticed;
    uint32_t nnoticed, capacity;
    Buf notice;  /* for the client's message at hand: fingerprint and NoticeResponse of each warning. What the
                    server skips is not said, so that a shape is noted when its warning is sent */
    bool judged; /* that message, which waits for something else now */
} SessionModes;

/* The bits of a plan whose decision is made. */
uint8_t mode_subjects_of(const Plan *plan) MUST_USE;

/* The configuration, or the session's application_name, is another one. */
void mode_follow(struct Session *session);
void mode_free(SessionModes *modes);

/* Judges what is about to be executed. Returns why it must not be (heap), else NULL. Warnings, if there are
 * any, wait in the session until mode_taken. text: what the plan was made for; STR_NONE if not all of it is
 * known. */
Error *mode_judge(struct Session *session, const Plan *plan, Str text) MUST_USE;

/* The same for a Bind of a statement that the protocol has not prepared: SQL may have. */
Error *mode_judge_name(struct Session *session, Str name) MUST_USE;

/* The message at hand was taken, not put off: its warnings go with the first reply to it, number `first` of
 * the queue, or nowhere if there is none. */
void mode_taken(struct Session *session, uint64_t first);

/* Sends the warnings that go with the reply at the head. Called while replies.notices > 0. */
void mode_send_notices(struct Session *session, Gather *out);

#endif
