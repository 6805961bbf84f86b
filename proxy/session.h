/* A session: one client, its server connection, and what is known of the conversation between them.
 *
 *   client ── client_held ──▶ session_client.c ──▶ server      messages of the client: planned, queued,
 * forwarded client ◀── session_server.c ◀── server_held ── server      messages of the server: matched with
 * the queue
 *
 * A session lives on one worker, from accept to the close of both sockets; nothing here is locked.
 *
 * States (session_state.c has the table of transitions):
 *   STARTUP     the client has connected; its first packets are read
 *   CONNECTING  the server connection is being opened
 *   LOGIN       the server authenticates the client; messages are relayed, the client's are checked for type
 *   ACTIVE      statements
 *   RELAY       bytes are passed without looking: replication, other databases, no catalog configured
 *   CANCEL      a CancelRequest is on its way to the server
 *   CONSOLE     the client speaks to the proxy itself
 *   CLOSING     sockets are being closed */
#ifndef PROXY_SESSION_H
#define PROXY_SESSION_H

#include "base/list.h"
#include "proxy/connector.h"
#include "proxy/context.h"
#include "proxy/gather.h"
#include "proxy/hold.h"
#include "proxy/lookup.h"
#include "proxy/mode.h"
#include "proxy/plan.h"
#include "proxy/prepared.h"
#include "proxy/reply.h"
#include "proxy/track.h"
#include "wire/startup.h"

struct Worker;
struct Console;
typedef struct Session Session;

typedef enum SessionState {
    SESSION_STARTUP,
    SESSION_CONNECTING,
    SESSION_LOGIN,
    SESSION_ACTIVE,
    SESSION_RELAY,
    SESSION_CANCEL,
    SESSION_CONSOLE,
    SESSION_CLOSING,
} SessionState;

struct Session {
    struct Worker *worker;
    List link; /* in worker->sessions */
    uint64_t id;
    SessionState state;
    Stream client;
    Stream server;
    Connector *connector; /* owned; NULL but while the server connection is being opened */
    Buf client_held;      /* an incomplete message at the front of what came */
    Buf server_held;
    size_t client_skip;    /* bytes of a forwarded client message that are still to come */
    size_t client_discard; /* bytes of a refused client message that are still to come */
    size_t server_skip;
    bool client_closed; /* on_closed has been called, or it was never open */
    bool server_closed;
    bool counted;    /* in the proxy's number of clients */
    bool logging_in; /* in the proxy's number of clients before authentication */
    bool is_unix;
    bool wants_console;
    bool trusted;           /* a peer of the Unix socket with the proxy's own user id */
    bool relay_only;        /* after login: RELAY */
    bool server_alternated; /* sslmode allow, prefer: the other way has been tried */
    bool server_refused;    /* it sent an ErrorResponse during the login */
    bool ssl_answered, gss_answered;
    bool client_done;    /* the client sends no more: Terminate, or the end of its stream */
    bool sasl_requested; /* the server asked for SCRAM while both legs use TLS */
    bool restarting;     /* the server connection is being closed to be opened the other way */

    /* Login and circumstances; strings are owned. */
    Buf startup; /* the client's packet, as it came */
    char *user;
    char *database;
    char *application;
    AuditClient *audit_client;        /* the worker's ledger's; NULL: see session_audit_client */
    char *default_path;               /* search_path of a fresh session; NULL: not known yet */
    char *default_tenant;             /* likewise shardferry.tenant; "": none */
    uint32_t server_pid;              /* from BackendKeyData; 0: none */
    Buf server_key;                   /* likewise; what a CancelRequest must show */
    char address[64];                 /* of the client, "127.0.0.1:5000" or "unix" */
    uint64_t closing_ms;              /* loop time: when CLOSING began */
    uint64_t connected_ms, active_ms; /* loop time: accept; last message of either side */

    /* ACTIVE */
    ReplyQueue replies;
    PreparedTable prepared;
    struct SqlPrepared *sql_prepared; /* uthash table; owned */
    Track confirmed, predicted;
    Context *contexts[2];     /* for `predicted`, without a tenant and with one; counted; NULL at first */
    bool context_stale;       /* something else than `predicted` has changed since */
    uint32_t context_changes; /* of `predicted` when they were made */
    char transaction;         /* of the last ReadyForQuery: I, T, E; 0 before the first */
    bool skipping;            /* the server ignores the client's messages up to the next Sync */
    bool copy_in;             /* the server is reading CopyData */
    bool begun; /* the transaction that is open when all has been answered has done more than BEGIN and SET */
    bool failed;       /* an error since the transaction began */
    bool mispredicted; /* an error since the last ReadyForQuery */
    bool utf8;
    bool ascii_safe; /* client_encoding has no byte 0x5C inside a character */
    bool strings_standard;
    bool encoding_pending;  /* a SET of one of the three is in flight */
    bool ddl;               /* in this transaction: the catalog has to be read again when it commits */
    bool bound_writes;      /* a portal of a writing statement is open */
    uint64_t syncs;         /* Syncs sent: the number of the batch that messages belong to */
    uint64_t encoding_mark; /* replies.pushed when a SET of those three left */
    uint64_t tenant_mark;   /* replies.pushed when a statement left that may change the tenant; 0: none */
    uint64_t
        prepare_mark;    /* replies.pushed when a PREPARE left: until it is answered no one knows its name */
    uint64_t batch_mark; /* replies.pushed at the last end of a batch: a Sync, a simple query */
    uint64_t drain_mark; /* replies.pushed when a new epoch came: the older ones are under the old epoch; 0:
                            drained */
    uint64_t statements, rewritten;
    SessionModes modes;
    Hold hold; /* of the statement at the head of client_held */

    /* The message at the head of client_held stays there until something is known: see proxy/lookup.h and
     * proxy/hold.h. */
    bool later;     /* it was not taken when it was last looked at */
    bool waiting;   /* for the server's answers: it is not to be looked at now */
    bool released;  /* they have come: it is to be looked at when the server's messages are dealt with */
    Lookup *lookup; /* owned; what it waits for, or waited; NULL */
    struct Learnt *learnt;      /* parents that this transaction has asked for; uthash table, owned */
    uint64_t learnt_generation; /* of the tenant cache, when the first was asked for */
    bool wrote;                 /* this transaction may have written something */
    bool moved_parents;         /* or changed what others find their tenant by */
    bool used_cache;            /* this transaction has tenants from the shared cache */
    struct CopyIn *copy;        /* owned; a COPY whose rows get their tenant; NULL */

    struct Console *console; /* owned */
};

/* session.c: life */
Session *session_new(struct Worker *worker, bool is_unix);
/* The client's handle is accepted: starts reading. */
void session_accepted(Session *session);
/* Closes both sides at once. */
void session_close(Session *session);
/* Tells the client (FATAL) and closes. */
void session_fatal(Session *session, const Error *err);
void session_set_state(Session *session, SessionState state);
const char *session_state_name(SessionState state);
/* Tells a client of a condition of the proxy and closes, when nothing is running; returns false if something
 * is. */
bool session_close_if_idle(Session *session, const Error *err);
bool session_is_idle(const Session *session);
/* Nothing is running, and the server will refuse everything up to the end of the transaction. */
static inline bool session_is_aborted(const Session *session) {
    return session->transaction == 'E' && reply_none(&session->replies);
}

/* Processes what was held back before the session became ready for it, on both sides, and goes on reading. */
void session_flush_held(Session *session);

/* The server has been asked for what the message at the head needs, or will tell it at the end of a batch: no
 * message is taken until session_release, which the one who deals with the server's messages calls. */
void session_wait(Session *session);
void session_release(Session *session);

/* session_login.c */
void session_startup_data(Session *session, const uint8_t *data, size_t size);
void session_login_server_data(Session *session, const uint8_t *data, size_t size);
void session_login_client_data(Session *session, const uint8_t *data, size_t size);
void session_connect(Session *session);
void session_parameter(Session *session, Str name, Str value);

/* session_client.c: returns bytes used; what is left is an incomplete message. */
size_t session_client_messages(Session *session, const uint8_t *data, size_t size);
/* session_server.c */
size_t session_server_messages(Session *session, const uint8_t *data, size_t size);

/* session_plan.c */
Plan *session_plan(Session *session, Str text) MUST_USE;
Plan *session_plan_unread(Session *session, Str sample, const char *why) MUST_USE;
bool session_plan_is_current(Session *session, const Plan *plan, Str text) MUST_USE;
/* The session as the audit knows it, by its application_name and role. */
AuditClient *session_audit_client(Session *session) MUST_USE;
/* The tenant that holds for a text of one statement, were it sent now: of its comment, else the session's.
 * NULL: none. *unknown: it was set by something that cannot be followed, or by a statement of an older batch
 * that may yet fail; the latter is known when the replies in the queue have come. Valid until the next call,
 * or the next message. */
const char *session_tenant(Session *session, Str text, bool *unknown) MUST_USE;
void session_predict(Session *session, const Plan *plan);
/* Behind a message that ends a transaction unless it is a block. */
void session_predict_end(Session *session);
/* After statements were skipped: what the others in the queue will have done. */
void session_predict_anew(Session *session);
/* The server has executed a statement. text: the whole query's, where it prepares something; else STR_NONE.
 */
void session_confirm(Session *session, const Plan *plan, int statement, Str tag, Str text);
void session_ready(Session *session, char transaction);
/* A new snapshot with another epoch is in force: notes what still runs under the old one. */
void session_epoch_changed(Session *session);
/* To be called after replies were taken off the queue: tells the worker when the last of the old epoch is
 * done. */
void session_check_drained(Session *session);

#endif
