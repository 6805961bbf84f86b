/* The log: what arrives on stderr, from here and from a process whose stderr is a journal's. */
#include "base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

/* Whether JOURNAL_STREAM names the child's stderr, another stream, or is not set. */
typedef enum Journal { NO_JOURNAL, OTHER_JOURNAL, JOURNAL } Journal;

static void set_journal(Journal journal) {
    struct stat st;
    char stream[64];

    fstat(STDERR_FILENO, &st);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino + (journal == OTHER_JOURNAL));
    if (journal == NO_JOURNAL)
        unsetenv("JOURNAL_STREAM");
    else
        setenv("JOURNAL_STREAM", stream, 1);
}

/* Runs `body` in a child; returns what it wrote to stderr, with its process id replaced by PID. The caller
 * frees. */
static char *stderr_of(void (*body)(void), Journal journal) {
    FILE *file = tmpfile();
    char *text, *at;
    char pid_text[32];
    int status;
    long size;
    pid_t pid;

    assert_non_null(file);
    pid = fork();
    if (pid == 0) {
        dup2(fileno(file), STDERR_FILENO);
        set_journal(journal);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = mem_zalloc((size_t)size + 1);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    snprintf(pid_text, sizeof(pid_text), "[%d]", (int)pid);
    at = strstr(text, pid_text);
    if (at) {
        memmove(at + 5, at + strlen(pid_text), strlen(at + strlen(pid_text)) + 1);
        memcpy(at, "[PID]", 5);
    }
    return text;
}

static void check_journal_line(void (*body)(void), const char *expected) {
    char *text = stderr_of(body, JOURNAL);

    assert_string_equal(text, expected);
    free(text);
}

static void one_error(void) { log_error("%s %d", "text", 5); }

static void test_time(void **state) {
    static const char pattern[] = "dddd-dd-dd dd:dd:dd.ddd UTC [PID] ERROR: text 5\n";
    char *text = stderr_of(one_error, NO_JOURNAL);
    char *redirected = stderr_of(one_error, OTHER_JOURNAL);

    (void)state;
    for (char *p = text; p < text + strcspn(text, "U"); p++)
        if (*p >= '0' && *p <= '9')
            *p = 'd';
    assert_string_equal(text, pattern);
    assert_int_equal(strlen(redirected), strlen(pattern));
    free(text);
    free(redirected);
}

static void one_warning(void) { log_warning("w"); }
static void one_info(void) { log_info("i"); }
static void one_debug(void) {
    log_debug("not this");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("d");
}

static void errors_only(void) {
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("not this");
    log_failure(LOG_LEVEL_WARNING, &(Error){.message = "nor this"}, "x");
    log_error("e");
}

static void test_levels(void **state) {
    (void)state;
    check_journal_line(one_error, "<3>[PID] ERROR: text 5\n");
    check_journal_line(one_warning, "<4>[PID] WARNING: w\n");
    check_journal_line(one_info, "<6>[PID] INFO: i\n");
    check_journal_line(one_debug, "<7>[PID] DEBUG: d\n");
    check_journal_line(errors_only, "<3>[PID] ERROR: e\n");
}

static void controls(void) { log_error("%s", "a\nb\tc\x01\x1b[2J\x7f\xc2\x9b\xc3\xa9\xc2"); }

static void test_escapes(void **state) {
    (void)state;
    check_journal_line(controls, "<3>[PID] ERROR: a\\nb\\tc\\x01\\x1b[2J\\x7f\\u009b\xc3\xa9\xc2\n");
}

static void failure(void) {
    Error err;

    error_set(&err, SQLSTATE_CANNOT_CONNECT, "refused");
    log_failure(LOG_LEVEL_ERROR, &err, "server %d", 1);
}

static void failure_with_hint(void) {
    Error err;

    error_set(&err, SQLSTATE_CANNOT_CONNECT, "refused");
    error_detail(&err, "why");
    error_hint(&err, "what");
    log_failure(LOG_LEVEL_WARNING, &err, "server");
}

static void test_failures(void **state) {
    (void)state;
    check_journal_line(failure, "<3>[PID] ERROR: server 1: refused (08001)\n");
    check_journal_line(failure_with_hint,
                       "<4>[PID] WARNING: server: refused (08001) DETAIL: why HINT: what\n");
}

static void long_line_and_closed_stderr(void) {
    char *text = mem_alloc(100001);

    memset(text, 'x', 100000);
    text[100000] = '\0';
    errno = EDOM;
    log_error("%s", text);
    close(STDERR_FILENO);
    log_error("lost");
    _exit(errno == EDOM ? 0 : 1);
}

static void test_long_line(void **state) {
    char *text = stderr_of(long_line_and_closed_stderr, JOURNAL);

    (void)state;
    assert_int_equal(strlen(text), strlen("<3>[PID] ERROR: \n") + 100000);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time),     cmocka_unit_test(test_levels),    cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_failures), cmocka_unit_test(test_long_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
