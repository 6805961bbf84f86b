/* shardferry status: where the migration stands, from the database alone. */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog/progress.h"
#include "cli/command.h"
#include "cli/status_view.h"
#include "conf/config.h"
#include "migrate/progress_screen.h"

#define APPLICATION_NAME "shardferry status"
#define WATCH_EVERY_MS 1000

enum { ID_WATCH = 256, ID_JSON };

static const CommandOption options[] = {
    {'c', "config", "FILE", "the configuration file; - for standard input"},
    {ID_WATCH, "watch", NULL, "show it anew every second until the migration is over"},
    {ID_JSON, "json", NULL, "one JSON object on a line; with --watch one every second"},
    {0, NULL, NULL, NULL},
};

typedef struct Status {
    const Config *config;
    bool watch, json;
    PGconn *conn; /* NULL while there is none */
    ProgressScreen *screen;
} Status;

/* ---- reading ---- */

/* A connection that failed is made anew next time. */
static bool read_progress(Status *status, Arena *arena, Progress *progress, Error *err) {
    if (!status->conn)
        status->conn = progress_connect(status->config->control_conninfo, APPLICATION_NAME, err);
    if (status->conn && progress_read(status->conn, arena, progress, err))
        return true;
    if (status->conn && PQstatus(status->conn) != CONNECTION_OK) {
        PQfinish(status->conn);
        status->conn = NULL;
    }
    return false;
}

/* ---- showing ---- */

static void print(const Buf *text) {
    fwrite(buf_ptr(text), 1, buf_len(text), stdout);
    fflush(stdout);
}

static void show(const Status *status, const Progress *progress, bool last) {
    bool draws = status->watch && !last && progress_screen_draws(status->screen);
    Buf text = {0};

    if (status->json) {
        status_json(progress, &text);
        buf_append_cstr(&text, "\n");
        print(&text);
    } else {
        status_text(progress, draws ? progress_screen_width(status->screen) : 0, command_color(STDOUT_FILENO),
                    !status->watch, &text);
        if (draws)
            progress_screen_draw(status->screen, &text);
        else
            print(&text);
    }
    buf_free(&text);
}

/* A server that does not answer is waited for: it may be about to start again. */
static void show_absence(const Status *status, const Error *err) {
    Buf text = {0};

    if (!progress_screen_draws(status->screen) || status->json) {
        command_print_error(err);
        return;
    }
    buf_printf(&text, "%s; trying again\n", err->message);
    progress_screen_draw(status->screen, &text);
    buf_free(&text);
}

/* ---- the command ---- */

static bool is_over(const Progress *progress) {
    return progress->state != PROGRESS_RUNNING && progress->state != PROGRESS_PAUSED;
}

static int show_once(Status *status, Arena *arena) {
    Progress progress;
    Error err = {0};

    if (!read_progress(status, arena, &progress, &err)) {
        command_print_error(&err);
        return COMMAND_FINDINGS;
    }
    show(status, &progress, true);
    return COMMAND_DONE;
}

/* Until it is over, or nobody reads any more. What does not change with time, such as a missing privilege, is
 * no reason to wait. */
static int keep_showing(Status *status, Arena *arena) {
    const Buf nothing = {0};
    Progress progress;
    Error err = {0};

    for (;;) {
        if (read_progress(status, arena, &progress, &err)) {
            bool over = is_over(&progress);

            if (over)
                progress_screen_draw(status->screen, &nothing);
            show(status, &progress, over);
            if (over || ferror(stdout))
                return COMMAND_DONE;
        } else if (status->conn) {
            command_print_error(&err);
            return COMMAND_FINDINGS;
        } else {
            show_absence(status, &err);
        }
        arena_reset(arena);
        poll(NULL, 0, WATCH_EVERY_MS);
    }
}

static int run_status(const char *path, bool watch, bool json) {
    Error err = {0};
    Config *config = config_load(path, CONFIG_FOR_PLAN, &err);
    Status status = {.config = config, .watch = watch, .json = json};
    Arena *arena;
    int code;

    if (!config) {
        command_print_error(&err);
        return COMMAND_USAGE;
    }
    arena = arena_new();
    status.screen = progress_screen_new(stdout);
    code = watch ? keep_showing(&status, arena) : show_once(&status, arena);
    progress_screen_free(status.screen);
    PQfinish(status.conn);
    arena_free(arena);
    config_free(config);
    return code;
}

static int run(const Command *self, int argc, char **argv) {
    const char *path = NULL;
    bool watch = false, json = false;
    int id, code;

    while ((id = command_next(self, argc, argv, &code)) != COMMAND_OPERANDS) {
        if (id == COMMAND_STOP)
            return code;
        if (id == 'c')
            path = optarg;
        watch = watch || id == ID_WATCH;
        json = json || id == ID_JSON;
    }
    if (optind < argc)
        return command_misused(self, "unexpected argument \"%s\"", argv[optind]);
    if (!path)
        return command_misused(self, "-c FILE is missing");
    return run_status(path, watch, json);
}

extern const Command command_status;
const Command command_status = {
    .name = "status",
    .usage = "-c FILE [--watch] [--json]",
    .summary = "where the migration stands: steps, rows, time left, who is in the way",
    .options = options,
    .run = run,
};
