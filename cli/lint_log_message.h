/* What a message of the server's log says of a statement. */
#ifndef CLI_LINT_LOG_MESSAGE_H
#define CLI_LINT_LOG_MESSAGE_H

#include "base/attr.h"
#include "base/str.h"

typedef enum LintLogEvent {
    LINT_LOG_NOTHING,
    LINT_LOG_SENT,     /* it is about to be executed; how long it took is in an entry of its own, if at all */
    LINT_LOG_EXECUTED, /* it has been: text and time */
    LINT_LOG_PREPARED, /* parsed or bound, or some more rows were fetched: text and time, no call */
    LINT_LOG_TOOK,     /* time alone: of what was sent before in this session */
    LINT_LOG_CONNECTED,
    LINT_LOG_DISCONNECTED,
} LintLogEvent;

typedef struct LintLogMessage {
    LintLogEvent event;
    Str text; /* the statement, to the message's end */
    double ms;
} LintLogMessage;

/* Of an entry of severity LOG. */
LintLogMessage lint_log_message(Str message) MUST_USE;
/* The PREPARE in the detail of an EXECUTE; empty without. */
Str lint_log_prepared(Str detail) MUST_USE;

#endif
