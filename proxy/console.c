/* The console's side of the protocol. */
#include "proxy/console.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/version.h"
#include "proxy/console_commands.h"
#include "wire/backend.h"
#include "wire/frontend.h"

/* No command is longer; what is, is none. */
#define MESSAGE_LIMIT 65536

struct Console {
    const ConsoleCommand *parsed; /* of the unnamed statement: the only one that there is */
    Buf arguments;                /* of `parsed` */
    bool empty;                   /* that text had no command in it */
    bool pending;                 /* rows are being collected elsewhere */
    bool skipping;                /* after an error, until Sync */
};

/* A collection under way: a job that goes from worker to worker, or a request to the pool. Owns itself. */
typedef struct Collection {
    Job job; /* first: a pointer to it is one to the whole */
    uv_work_t work;
    Proxy *proxy;
    Worker *origin;
    uint64_t session; /* id: the session may be gone by the time that the rows are here */
    int next_worker;
    const ConsoleCommand *command;
    char *arguments, *who; /* owned */
    bool simple;           /* asked by a simple query: RowDescription before, ReadyForQuery after the rows */
    ConsoleRows rows;
} Collection;

static void send_message(Session *s, Buf *m) {
    stream_write(&s->client, buf_ptr(m), buf_len(m));
    buf_clear(m);
}

static Buf *message(Session *s) {
    Buf *m = &s->worker->message;
    buf_clear(m);
    return m;
}

Console *console_start(Session *s) {
    static const char *const PARAMETERS[][2] = {
        {"server_version", "15.0 (shardferry " SHARDFERRY_VERSION ")"},
        {"server_encoding", "UTF8"},
        {"client_encoding", "UTF8"},
        {"standard_conforming_strings", "on"},
        {"DateStyle", "ISO"},
        {"TimeZone", "UTC"},
        {"integer_datetimes", "on"},
    };
    Buf *m = message(s);
    backend_put_auth_ok(m);
    for (size_t i = 0; i < ARRAY_LEN(PARAMETERS); i++)
        backend_put_parameter_status(m, PARAMETERS[i][0], PARAMETERS[i][1]);
    /* No cancel request is meant for the console; the key is one that no server has given out. */
    backend_put_key_data(m, (uint32_t)getpid(), 0);
    backend_put_ready(m, 'I');
    send_message(s, m);
    return MEM_NEW(Console);
}

void console_free(Console *console) {
    if (!console)
        return;
    buf_free(&console->arguments);
    free(console);
}

bool console_is_idle(const Console *console) { return !console->pending; }

/* ---- answers ---- */

static void put_description(Buf *m, const ConsoleCommand *command) {
    int n = 0;
    while (command->columns[n])
        n++;
    backend_put_row_description(m, command->columns, n);
}

static void fail(Session *s, const Error *err, bool simple) {
    Buf *m = message(s);
    backend_put_error(m, "ERROR", err);
    if (simple)
        backend_put_ready(m, 'I');
    else
        s->console->skipping = true;
    send_message(s, m);
}

static void fail_unknown(Session *s, Str text, bool simple) {
    Error err;
    error_set(&err, SQLSTATE_SYNTAX_ERROR, "the console does not know the command \"%.*s\"",
              (int)(text.len < 80 ? text.len : 80), text.ptr);
    error_hint(&err, "SHOW HELP lists the commands.");
    fail(s, &err, simple);
}

static void answer(Session *s, const ConsoleCommand *command, ConsoleRows *rows, bool simple) {
    char tag[64];
    if (rows->failed) {
        fail(s, &rows->error, simple);
        return;
    }
    Buf *m = message(s);
    if (simple && command->columns)
        put_description(m, command);
    buf_append(m, buf_ptr(&rows->messages), buf_len(&rows->messages));
    if (command->columns)
        snprintf(tag, sizeof tag, "SHOW %llu", (unsigned long long)rows->count);
    else
        snprintf(tag, sizeof tag, "%s", command->tag ? command->tag : command->words);
    backend_put_command_complete(m, tag);
    if (simple)
        backend_put_ready(m, 'I');
    send_message(s, m);
}

/* ---- collecting ---- */

static void collection_done(Worker *w, Collection *c) {
    LIST_FOREACH(it, &w->sessions) {
        Session *s = LIST_ENTRY(it, Session, link);
        if (s->id != c->session || s->state != SESSION_CONSOLE)
            continue;
        s->console->pending = false;
        answer(s, c->command, &c->rows, c->simple);
        session_flush_held(s);
        break;
    }
    buf_free(&c->rows.messages);
    free(c->arguments);
    free(c->who);
    free(c);
}

static void visit_worker(Worker *w, Job *job) {
    Collection *c = (Collection *)job;
    if (c->next_worker == c->proxy->nworkers) { /* back home */
        collection_done(w, c);
        return;
    }
    c->command->of_worker(w, &c->rows);
    c->next_worker++;
    worker_post(c->next_worker < c->proxy->nworkers ? &c->proxy->workers[c->next_worker] : c->origin, job);
}

static void work_on_pool(uv_work_t *work) {
    Collection *c = work->data;
    if (c->command->slow_with)
        c->command->slow_with(c->proxy, str_of(c->arguments), c->who, &c->rows);
    else
        c->command->slow(c->proxy, &c->rows);
}

static void pool_done(uv_work_t *work, int status) {
    Collection *c = work->data;
    (void)status;
    collection_done(c->origin, c);
}

static void collect(Session *s, const ConsoleCommand *command, Str arguments, bool simple) {
    Collection *c = MEM_NEW(Collection);
    c->proxy = s->worker->proxy;
    c->origin = s->worker;
    c->session = s->id;
    c->command = command;
    c->arguments = mem_printf("%.*s", STR_ARG(arguments));
    c->who = mem_printf("%s (%s)", s->user, s->address);
    c->simple = simple;
    s->console->pending = true;
    if (command->of_worker) {
        c->job.run = visit_worker;
        worker_post(&c->proxy->workers[0], &c->job);
    } else {
        c->work.data = c;
        uv_queue_work(&s->worker->loop, &c->work, work_on_pool, pool_done);
    }
}

static void execute(Session *s, const ConsoleCommand *command, Str arguments, bool simple) {
    if (!command->run && !command->with) {
        collect(s, command, arguments, simple);
        return;
    }
    ConsoleRows rows = {0};
    if (command->with)
        command->with(s, arguments, &rows);
    else
        command->run(s->worker->proxy, &rows);
    answer(s, command, &rows, simple);
    buf_free(&rows.messages);
}

/* ---- messages ---- */

static bool is_blank(Str text) {
    text = str_trim(text);
    return text.len == 0 || (text.len == 1 && text.ptr[0] == ';');
}

static void handle_query(Session *s, Str payload) {
    Str text, arguments;
    Error err;
    if (!frontend_query(payload, &text, &err)) {
        fail(s, &err, true);
        return;
    }
    if (is_blank(text)) {
        Buf *m = message(s);
        backend_put_empty_query(m);
        backend_put_ready(m, 'I');
        send_message(s, m);
        return;
    }
    const ConsoleCommand *command = console_command(text, &arguments);
    if (command)
        execute(s, command, arguments, true);
    else
        fail_unknown(s, text, true);
}

static void handle_parse(Session *s, Str payload) {
    ParseMessage parse;
    Str arguments;
    Error err;
    if (!frontend_parse(payload, &parse, &err)) {
        fail(s, &err, false);
        return;
    }
    s->console->parsed = console_command(parse.query, &arguments);
    buf_clear(&s->console->arguments);
    if (s->console->parsed)
        buf_append_str(&s->console->arguments, arguments);
    s->console->empty = is_blank(parse.query);
    if (!s->console->parsed && !s->console->empty) {
        fail_unknown(s, parse.query, false);
        return;
    }
    Buf *m = message(s);
    backend_put_empty(m, BE_PARSE_COMPLETE);
    send_message(s, m);
}

static void handle_describe(Session *s, Str payload) {
    const ConsoleCommand *command = s->console->parsed;
    Buf *m = message(s);
    if (payload.len > 0 && payload.ptr[0] == 'S') {
        size_t begun = frame_begin(m, BE_PARAMETER_DESCRIPTION);
        buf_put_u16(m, 0);
        frame_end(m, begun);
    }
    if (command && command->columns)
        put_description(m, command);
    else
        backend_put_empty(m, BE_NO_DATA);
    send_message(s, m);
}

static void handle_execute(Session *s) {
    Console *c = s->console;
    if (c->parsed) {
        execute(s, c->parsed, (Str){(const char *)buf_ptr(&c->arguments), buf_len(&c->arguments)}, false);
        return;
    }
    Buf *m = message(s);
    backend_put_empty_query(m);
    send_message(s, m);
}

static void answer_empty(Session *s, char type) {
    Buf *m = message(s);
    backend_put_empty(m, type);
    send_message(s, m);
}

static void handle_sync(Session *s) {
    s->console->skipping = false;
    Buf *m = message(s);
    backend_put_ready(m, 'I');
    send_message(s, m);
}

static void handle(Session *s, char type, Str payload) {
    if (s->console->skipping && type != FE_SYNC && type != FE_TERMINATE)
        return;
    switch (type) {
    case FE_QUERY:
        handle_query(s, payload);
        break;
    case FE_PARSE:
        handle_parse(s, payload);
        break;
    case FE_BIND:
        answer_empty(s, BE_BIND_COMPLETE);
        break;
    case FE_DESCRIBE:
        handle_describe(s, payload);
        break;
    case FE_EXECUTE:
        handle_execute(s);
        break;
    case FE_CLOSE:
        answer_empty(s, BE_CLOSE_COMPLETE);
        break;
    case FE_SYNC:
        handle_sync(s);
        break;
    case FE_FLUSH:
    case FE_COPY_DATA:
    case FE_COPY_DONE:
    case FE_COPY_FAIL:
        break;
    case FE_TERMINATE:
        session_close(s);
        break;
    default: {
        Error err;
        error_set(&err, SQLSTATE_PROTOCOL_VIOLATION, "the console does not take messages of type %d", type);
        session_fatal(s, &err);
    }
    }
}

size_t console_messages(Session *s, const uint8_t *data, size_t size) {
    size_t used = 0;
    while (used < size && s->state == SESSION_CONSOLE && !s->console->pending) {
        Frame frame = {0};
        Error err;
        WireStatus status = frame_decode_frontend(data + used, size - used, &frame, &err);
        if (status == WIRE_OK && frame.length > MESSAGE_LIMIT)
            status = (error_set(&err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "message too long for the console"),
                      WIRE_ERROR);
        if (status == WIRE_ERROR) {
            session_fatal(s, &err);
            return size;
        }
        size_t total = FRAME_HEADER_BYTES + (size_t)frame.length;
        if (status == WIRE_INCOMPLETE || size - used < total)
            break;
        handle(s, frame.type, (Str){(const char *)data + used + FRAME_HEADER_BYTES, frame.length});
        used += total;
    }
    return s->state == SESSION_CLOSING ? size : used;
}
