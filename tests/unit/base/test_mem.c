/* Memory that cannot be missing: what is returned, and the end of a process that asks for too much. */
#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_allocation(void **state) {
    static const char zeroes[100];
    char *p = mem_zalloc(sizeof(zeroes));
    char *empty = mem_alloc(0);

    (void)state;
    assert_memory_equal(p, zeroes, sizeof(zeroes));
    memset(p, 'x', sizeof(zeroes));
    p = mem_realloc(p, 100000);
    assert_int_equal(p[99], 'x');
    assert_non_null(empty);
    empty = mem_realloc(empty, 0);
    assert_non_null(empty);
    free(empty);
    free(p);
    p = mem_realloc(NULL, 10);
    assert_non_null(p);
    free(p);
}

static void test_texts(void **state) {
    char *copy = mem_strdup("text");
    char *formatted = mem_printf("%s %d", copy, 5);

    (void)state;
    assert_string_equal(copy, "text");
    assert_string_equal(formatted, "text 5");
    free(copy);
    free(formatted);
}

/* Runs in a child: more than an address space holds. */
static void ask_for_too_much(int output) {
    static const struct rlimit no_core = {0, 0};
    volatile size_t size = SIZE_MAX / 2;
    void *p;

    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL);
    dup2(output, STDERR_FILENO);
    p = mem_alloc(size);
    _exit(p != NULL);
}

static void test_out_of_memory(void **state) {
    char text[8192] = "";
    size_t len = 0;
    ssize_t n;
    int fds[2];
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0)
        ask_for_too_much(fds[1]);
    close(fds[1]);
    while (len < sizeof(text) - 1 && (n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(strstr(text, "out of memory") || strstr(text, "out-of-memory") ||
                strstr(text, "allocation-size-too-big")); /* the latter two: AddressSanitizer's own */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocation),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
