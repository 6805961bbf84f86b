/* With log_statement, a statement is logged as it begins, and its duration, if at all, in an entry of its
 * own, in which the text is not repeated. So what a session has sent is kept open until its next entry:
 *
 *     statement: …  --> open
 *     duration: N   --> judged with that time        nothing is open
 *     ERROR …       --> judged, if the statement that failed is the open one it is not counted twice
 *     anything else --> judged, its time is not known
 *
 * Without a session's id, entries cannot be put together: no times, and no SET search_path is followed. */
#include "cli/lint_log_follow.h"

#include <stdlib.h>
#include <string.h>

#include "audit/hash.h"
#include "base/buf.h"
#include "cli/lint_log_message.h"

/* Of those that are over, the log need not say so. */
#define CLIENTS_MAX 20000
/* Together they may hold so much that is open. */
#define OPEN_BYTES_MAX ((size_t)64 * 1024 * 1024)

typedef struct Client {
    char *id; /* owned, as are the names */
    char *user;
    char *database;
    char *application;
    LintSession *session;
    Buf open; /* a text, NUL-terminated; empty: none is */
    bool open_cut;
    int64_t open_line;
    const char *open_file;
    UT_hash_handle hh;
} Client;

struct LintLogFollow {
    Lint *lint;
    const char *wanted;
    Client *clients; /* the one that was met first is the first */
    Client *unknown; /* whose session has no id: one for all */
    size_t open_bytes;
    const char *file;
    LintLogCounts counts;
    char *elsewhere;
};

LintLogFollow *lint_log_follow_new(Lint *lint, const char *database) {
    LintLogFollow *f = MEM_NEW(LintLogFollow);
    f->lint = lint;
    f->wanted = database;
    return f;
}

/* ---- clients ---- */

static char *name_copy(Str name) {
    return name.len > 0 && !str_is(name, "[unknown]") ? mem_printf("%.*s", STR_ARG(name)) : NULL;
}

static bool name_is(const char *kept, Str name) {
    return name.len == 0 || (kept && str_is(name, kept)) || (!kept && str_is(name, "[unknown]"));
}

static Client *client_new(LintLogFollow *f, const LintLogEntry *entry) {
    Client *client = MEM_NEW(Client);
    client->id = mem_printf("%.*s", STR_ARG(entry->session));
    client->user = name_copy(entry->user);
    client->database = name_copy(entry->database);
    client->application = name_copy(entry->application);
    client->session = lint_session_of_client(lint_snapshot(f->lint), client->user, client->database);
    return client;
}

static void client_free(Client *client) {
    if (!client)
        return;
    lint_session_free(client->session);
    buf_free(&client->open);
    free(client->id);
    free(client->user);
    free(client->database);
    free(client->application);
    free(client);
}

/* Judges a text of the client's. */
static void judge(LintLogFollow *f, Client *client, Str text, bool cut, LintOrigin origin) {
    const LintStatement statement = {.text = text, .line = origin.line, .cut = cut};
    origin.is_path = true;
    origin.measured = true;
    origin.user = client->user;
    origin.database = client->database;
    origin.application = client->application;
    f->counts.statements++;
    lint_judge(f->lint, client->session, &statement, &origin);
}

static void close_open(LintLogFollow *f, Client *client, double ms, bool untimed) {
    size_t len = buf_len(&client->open);
    if (len == 0)
        return;
    judge(f, client, (Str){(const char *)buf_ptr(&client->open), len - 1}, client->open_cut,
          (LintOrigin){.file = client->open_file,
                       .line = client->open_line,
                       .calls = 1,
                       .total_ms = ms,
                       .untimed = untimed});
    f->open_bytes -= len;
    buf_free(&client->open);
}

static void forget(LintLogFollow *f, Client *client) {
    close_open(f, client, 0, true);
    HASH_DEL(f->clients, client);
    client_free(client);
}

/* The client of an entry; one without a session is as new for each. */
static Client *client_of(LintLogFollow *f, const LintLogEntry *entry) {
    Client *client = NULL;
    if (entry->session.len == 0) {
        client_free(f->unknown);
        return f->unknown = client_new(f, entry);
    }
    HASH_FIND(hh, f->clients, entry->session.ptr, entry->session.len, client);
    if (client && !(name_is(client->user, entry->user) && name_is(client->database, entry->database))) {
        forget(f, client); /* a process has the number of an earlier one */
        client = NULL;
    }
    if (!client) {
        if (HASH_COUNT(f->clients) >= CLIENTS_MAX)
            forget(f, f->clients);
        client = client_new(f, entry);
        HASH_ADD_KEYPTR(hh, f->clients, client->id, strlen(client->id), client);
    }
    if (!name_is(client->application, entry->application)) {
        close_open(f, client, 0, true);
        free(client->application);
        client->application = name_copy(entry->application);
    }
    return client;
}

/* ---- entries ---- */

static bool is_elsewhere(LintLogFollow *f, const LintLogEntry *entry) {
    if (!f->wanted || entry->database.len == 0 || str_is(entry->database, f->wanted) ||
        str_is(entry->database, "[unknown]"))
        return false;
    if (!f->elsewhere)
        f->elsewhere = mem_printf("%.*s", STR_ARG(entry->database));
    return true;
}

static void open_text(LintLogFollow *f, Client *client, Str text, const LintLogEntry *entry) {
    buf_append_str(&client->open, text);
    buf_put_u8(&client->open, '\0');
    client->open_cut = entry->cut;
    client->open_line = entry->line;
    client->open_file = f->file;
    f->open_bytes += buf_len(&client->open);
    if (entry->session.len == 0 || f->open_bytes > OPEN_BYTES_MAX)
        close_open(f, client, 0, true);
}

static void take_log(LintLogFollow *f, Client *client, const LintLogEntry *entry,
                     const LintLogMessage *message) {
    Str prepared = lint_log_prepared(entry->detail);
    Str text = prepared.len > 0 ? prepared : message->text;
    switch (message->event) {
    case LINT_LOG_SENT:
        close_open(f, client, 0, true);
        open_text(f, client, text, entry);
        break;
    case LINT_LOG_EXECUTED:
    case LINT_LOG_PREPARED:
        close_open(f, client, 0, true);
        judge(f, client, text, entry->cut,
              (LintOrigin){.file = f->file,
                           .line = entry->line,
                           .calls = message->event == LINT_LOG_EXECUTED,
                           .total_ms = message->ms});
        break;
    case LINT_LOG_TOOK:
        close_open(f, client, message->ms, false);
        break;
    default:
        break;
    }
}

static void take_failed(LintLogFollow *f, Client *client, const LintLogEntry *entry) {
    size_t len = buf_len(&client->open);
    bool counted = len > 0 && str_eq((Str){(const char *)buf_ptr(&client->open), len - 1}, entry->statement);
    close_open(f, client, 0, true);
    if (!counted && entry->statement.len > 0)
        judge(f, client, entry->statement, entry->cut,
              (LintOrigin){.file = f->file, .line = entry->line, .calls = 1, .untimed = true});
}

void lint_log_follow_take(LintLogFollow *f, const LintLogEntry *entry, const char *file) {
    LintLogMessage message = {.event = LINT_LOG_NOTHING};
    if (entry->severity == LINT_LOG_LOG)
        message = lint_log_message(entry->message);
    bool failed = entry->severity == LINT_LOG_ERROR && entry->statement.len > 0;
    if (message.event == LINT_LOG_NOTHING && !failed)
        return;
    if (is_elsewhere(f, entry)) {
        f->counts.elsewhere += message.text.len > 0 || failed;
        return;
    }
    Client *client = client_of(f, entry);
    f->file = file;
    if (message.event == LINT_LOG_CONNECTED || message.event == LINT_LOG_DISCONNECTED) {
        if (client != f->unknown)
            forget(f, client);
        return;
    }
    if (failed)
        take_failed(f, client, entry);
    else
        take_log(f, client, entry, &message);
    if (client == f->unknown && !lint_session_is_as_begun(client->session))
        f->counts.lost_names++;
}

LintLogCounts lint_log_follow_end(LintLogFollow *f) {
    while (f->clients)
        forget(f, f->clients);
    f->counts.elsewhere_name = f->elsewhere;
    return f->counts;
}

void lint_log_follow_free(LintLogFollow *f) {
    if (!f)
        return;
    for (Client *client = f->clients, *next; client; client = next) {
        next = client->hh.next;
        HASH_DEL(f->clients, client);
        client_free(client);
    }
    client_free(f->unknown);
    free(f->elsewhere);
    free(f);
}
