/* The audit log's queue and file.
 *
 *   put (any thread)  -> queue    -- complete lines, under the lock, at most QUEUE_MAX bytes
 *   flush (one thread): queue swapped with `writing`
 *     0 .. sent       -- written already, but its line is not complete in the file
 *     sent .. end     -- to write
 *
 * Lines leave `writing` whole, so that a line cut by a full disk can be started again in a new file. */
#include "audit/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/hash.h"
#include "audit/json.h"
#include "audit/sample.h"
#include "base/log.h"
#include "base/mem.h"

#define QUEUE_MAX (1024u * 1024u)
/* Shapes remembered as logged; an application that has more of them makes them up as it goes. */
#define SHAPES_MAX 65536u

typedef struct LoggedShape {
    uint64_t fingerprint;
    unsigned verdicts; /* bit per verdict that has a line */
    UT_hash_handle hh;
} LoggedShape;

struct AuditLog {
    char *path;
    AuditLimits limits;
    pthread_mutex_t lock; /* over what follows, up to the next comment */
    Buf queue;
    LoggedShape *shapes;
    Arena *shape_arena;
    uint64_t dropped; /* since the last line that said so */
    /* The flushing thread's own. */
    int fd;
    Buf writing;
    size_t sent;
    bool failing;
};

bool audit_log_wants(const StatementDecision *decision) {
    return (decision->verdict != VERDICT_SINGLE_TENANT && decision->verdict != VERDICT_NO_TENANT_TABLE) ||
           decision->rewrite_note;
}

/* ---- lines ---- */

static void append_time(Buf *out, int64_t time_us) {
    time_t seconds = (time_t)(time_us / 1000000);
    char text[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(out, "{\"time\":\"%s.%06dZ\"", text, (int)(time_us % 1000000));
}

/* The mended text; it has no shape at hand. */
static void append_proposed(Buf *out, const AuditLog *log, const AuditSubject *subject) {
    const AuditSubject mended = {.text = subject->proposed};
    Buf text = {0};

    buf_append_cstr(out, ",\"proposed\":");
    if (subject->proposed.ptr) {
        sample_append(&text, &mended, &log->limits);
        json_append_string(out, (Str){(const char *)buf_ptr(&text), buf_len(&text)});
    } else {
        buf_append_cstr(out, "null");
    }
    buf_free(&text);
}

static void append_line(Buf *out, const AuditLog *log, const AuditLogRecord *record) {
    const AuditSubject *subject = &record->subject;
    const StatementDecision *decision = subject->decision;
    Buf sample = {0};

    append_time(out, record->time_us);
    buf_printf(out, ",\"fingerprint\":\"%016llx\"", (unsigned long long)subject->fingerprint);
    json_append_member(out, "verdict", verdict_name(decision->verdict));
    json_append_list(out, "tables", decision->tables, decision->ntables);
    json_append_list(out, "unscoped", decision->unscoped, decision->nunscoped);
    json_append_member(out, "reason", decision->reason);
    json_append_member(out, "suggestion", decision->suggestion);
    json_append_member(out, "citus_error", decision->citus_error);
    json_append_member(out, "note", decision->rewrite_note);
    sample_append(&sample, subject, &log->limits);
    buf_append_cstr(out, ",\"sql\":");
    json_append_string(out, (Str){(const char *)buf_ptr(&sample), buf_len(&sample)});
    append_proposed(out, log, subject);
    buf_free(&sample);
    json_append_member(out, "application_name", subject->application);
    json_append_member(out, "user", subject->role);
    json_append_member(out, "database", record->database);
    json_append_member(out, "client", record->client);
    buf_append_cstr(out, "}\n");
}

/* ---- any thread ---- */

/* The caller holds the lock. */
static LoggedShape *find_shape(const AuditLog *log, uint64_t fingerprint) {
    LoggedShape *shape;

    HASH_FIND(hh, log->shapes, &fingerprint, sizeof(fingerprint), shape);
    return shape;
}

static bool is_logged(AuditLog *log, const AuditSubject *subject) {
    LoggedShape *shape;
    bool logged;

    pthread_mutex_lock(&log->lock);
    shape = find_shape(log, subject->fingerprint);
    logged = shape && (shape->verdicts & 1u << subject->decision->verdict);
    pthread_mutex_unlock(&log->lock);
    return logged;
}

/* Notes that a shape gets its line. False if it has one already, by another thread, or if there is no room to
 * remember it. The caller holds the lock. */
static bool note_shape(AuditLog *log, const AuditSubject *subject) {
    LoggedShape *shape = find_shape(log, subject->fingerprint);
    unsigned verdict = 1u << subject->decision->verdict;

    if (!shape) {
        if (HASH_COUNT(log->shapes) >= SHAPES_MAX) {
            log->dropped++;
            return false;
        }
        shape = ARENA_NEW(log->shape_arena, LoggedShape);
        shape->fingerprint = subject->fingerprint;
        HASH_ADD(hh, log->shapes, fingerprint, sizeof(shape->fingerprint), shape);
    }
    if (shape->verdicts & verdict)
        return false;
    shape->verdicts |= verdict;
    return true;
}

void audit_log_put(AuditLog *log, const AuditLogRecord *record) {
    Buf line = {0};

    if (!log || !audit_log_wants(record->subject.decision) || is_logged(log, &record->subject))
        return;
    append_line(&line, log, record);
    pthread_mutex_lock(&log->lock);
    if (buf_len(&log->queue) + buf_len(&line) > QUEUE_MAX)
        log->dropped++; /* and not noted: it is logged when it is met again */
    else if (note_shape(log, &record->subject))
        buf_append(&log->queue, buf_ptr(&line), buf_len(&line));
    pthread_mutex_unlock(&log->lock);
    buf_free(&line);
}

/* ---- the flushing thread ---- */

/* O_NONBLOCK is for a path that is a FIFO: a reader that is slow or not there must not stop the proxy. */
static int open_file(const char *path, Error *err) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);

    if (fd < 0) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "cannot open the audit log \"%s\": %s", path,
                  strerror(errno));
        error_hint(err, "Set [audit] log to a file in a directory that this process may write to.");
    }
    return fd;
}

AuditLog *audit_log_open(const char *path, AuditLimits limits, Error *err) {
    int fd = open_file(path, err);
    AuditLog *log;

    if (fd < 0)
        return NULL;
    log = MEM_NEW(AuditLog);
    log->path = mem_strdup(path);
    log->limits = limits;
    log->fd = fd;
    log->shape_arena = arena_new();
    pthread_mutex_init(&log->lock, NULL);
    return log;
}

static bool same_file(int a, int b) {
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool audit_log_reopen(AuditLog *log, Error *err) {
    int fd = open_file(log->path, err);

    if (fd < 0)
        return false;
    if (!same_file(fd, log->fd))
        log->sent = 0; /* a line whose start is in the old file comes whole into the new one */
    close(log->fd);
    log->fd = fd;
    return true;
}

static int64_t now_us(void) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Takes over what is queued once all of the last batch is written. */
static void fill(AuditLog *log) {
    Buf empty = log->writing;
    uint64_t dropped;

    if (buf_len(&log->writing) > 0)
        return;
    buf_clear(&empty);
    pthread_mutex_lock(&log->lock);
    log->writing = log->queue;
    log->queue = empty;
    dropped = log->dropped;
    log->dropped = 0;
    pthread_mutex_unlock(&log->lock);
    if (dropped > 0) {
        append_time(&log->writing, now_us());
        buf_printf(&log->writing, ",\"dropped\":%llu}\n", (unsigned long long)dropped);
    }
}

/* Drops from `writing` the lines that are complete in the file. */
static void release_lines(AuditLog *log) {
    const uint8_t *start = buf_ptr(&log->writing);
    const uint8_t *newline = memrchr(start, '\n', log->sent);

    if (newline) {
        size_t done = (size_t)(newline - start) + 1;

        buf_consume(&log->writing, done);
        log->sent -= done;
    }
}

/* 0, or the errno of the failure. */
static int write_batch(AuditLog *log) {
    while (log->sent < buf_len(&log->writing)) {
        ssize_t n = write(log->fd, buf_ptr(&log->writing) + log->sent, buf_len(&log->writing) - log->sent);

        if (n >= 0)
            log->sent += (size_t)n;
        else if (errno != EINTR)
            return errno;
        if (n == 0)
            return ENOSPC;
        release_lines(log);
    }
    return 0;
}

void audit_log_flush(AuditLog *log) {
    int failure;

    if (!log)
        return;
    /* The second round takes what came, or was dropped, while a failure was in the way. */
    for (int round = 0; round < 2; round++) {
        fill(log);
        failure = write_batch(log);
        if (failure != 0)
            break;
    }
    if (failure != 0 && !log->failing)
        log_error("cannot write the audit log \"%s\": %s; up to %u kB of lines wait for it", log->path,
                  strerror(failure), QUEUE_MAX / 1024);
    else if (failure == 0 && log->failing)
        log_info("the audit log \"%s\" is written again", log->path);
    log->failing = failure != 0;
}

void audit_log_close(AuditLog *log) {
    if (!log)
        return;
    audit_log_flush(log);
    close(log->fd);
    HASH_CLEAR(hh, log->shapes);
    arena_free(log->shape_arena);
    buf_free(&log->queue);
    buf_free(&log->writing);
    pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log);
}
