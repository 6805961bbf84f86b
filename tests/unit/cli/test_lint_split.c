/* Scripts and the statements that they are split into. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/lint_split.h"

#define MAX_STATEMENTS 8

typedef struct Case {
    const char *script;
    const char *expected[MAX_STATEMENTS]; /* "LINE:TEXT" */
} Case;

static const Case cases[] = {
    {"", {NULL}},
    {" \n;; -- a comment\n /* another; */ ;\n", {NULL}},
    {"SELECT 1", {"1:SELECT 1"}},
    {"SELECT 1;SELECT 2 ; \n\n SELECT\n3;", {"1:SELECT 1", "1:SELECT 2", "3:SELECT\n3"}},
    {"\xEF\xBB\xBFSELECT 1;", {"1:SELECT 1"}},
    {"SELECT 1;\r\nSELECT 2;\r\n", {"1:SELECT 1", "2:SELECT 2"}},

    /* quotes */
    {"SELECT ';''', ';';SELECT 2", {"1:SELECT ';''', ';'", "1:SELECT 2"}},
    {"SELECT '\\';SELECT 2", {"1:SELECT '\\'", "1:SELECT 2"}},
    {"SELECT E'\\';', e'''\\\\';SELECT 2", {"1:SELECT E'\\';', e'''\\\\'", "1:SELECT 2"}},
    {"SELECT E'a'\n'\\';';SELECT 2", {"1:SELECT E'a'\n'\\';'", "2:SELECT 2"}},
    {"SELECT E'a', '\\';SELECT 2", {"1:SELECT E'a', '\\'", "1:SELECT 2"}},
    {"SELECT name'\\';SELECT 2", {"1:SELECT name'\\'", "1:SELECT 2"}},
    {"SELECT \"a;\"\"b\";SELECT 2", {"1:SELECT \"a;\"\"b\"", "1:SELECT 2"}},
    {"SELECT $$;$a$;$$;SELECT $a$;$$;$a$", {"1:SELECT $$;$a$;$$", "1:SELECT $a$;$$;$a$"}},
    {"SELECT a$b$;SELECT $1;SELECT 1$a$;", {"1:SELECT a$b$", "1:SELECT $1", "1:SELECT 1$a$;"}},
    {"SELECT 'open; SELECT 2;", {"1:SELECT 'open; SELECT 2;"}},
    {"SELECT $x$ open; SELECT 2;", {"1:SELECT $x$ open; SELECT 2;"}},

    /* comments */
    {"-- one;\nSELECT -- two;\n1;", {"2:SELECT -- two;\n1"}},
    {"/* a /* ; */ ; */ SELECT /*;*/ 1;", {"1:/* a /* ; */ ; */ SELECT /*;*/ 1"}},
    {"/* head\n*/\nSELECT 1;", {"3:/* head\n*/\nSELECT 1"}},
    {"SELECT 1 /* open; SELECT 2;", {"1:SELECT 1 /* open; SELECT 2;"}},
    {"SELECT 1 - -1; SELECT 4 / 2 * 3;", {"1:SELECT 1 - -1", "1:SELECT 4 / 2 * 3"}},

    /* semicolons inside a statement */
    {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
     {"1:CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "1:SELECT 3"}},
    {"SELECT (1; SELECT 2;", {"1:SELECT (1", "1:SELECT 2"}},
    {"create or replace procedure p() begin atomic select case when a then 1 end; end; SELECT 1",
     {"1:create or replace procedure p() begin atomic select case when a then 1 end; end", "1:SELECT 1"}},
    {"CREATE FUNCTION \"begin\"() RETURNS int AS 'x'; BEGIN; END;",
     {"1:CREATE FUNCTION \"begin\"() RETURNS int AS 'x'", "1:BEGIN", "1:END"}},

    /* backslash commands */
    {"\\set a ';'\nSELECT 1;", {"2:SELECT 1"}},
    {"SELECT 1 \\g\nSELECT 2 \\gx (format=wrapped) out;put\nSELECT 3",
     {"1:SELECT 1", "2:SELECT 2", "3:SELECT 3"}},
    {"SELECT 1 \\gset \\\\ SELECT 2;", {"1:SELECT 1", "1:SELECT 2"}},
    {"SELECT \\echo ; \\\\ 1;", {"1:SELECT  1"}},
    {"SELECT oops \\r\nSELECT 1;", {"2:SELECT 1"}},
    {"SELECT 1\\; SELECT 2;", {"1:SELECT 1; SELECT 2"}},
    {"\\! rm 'x; \\ y\nSELECT 1;", {"2:SELECT 1"}},
    {"\\g\n\\;\n", {NULL}},
    {"SELECT $1 \\bind 5 \\g\nSELECT $1 \\parse s\nSELECT 2", {"1:SELECT $1", "2:SELECT $1", "3:SELECT 2"}},
    {"SELECT 1 \\crosstabview a b\n\\if :x\nSELECT 2;\n\\else\nSELECT 3;\n\\endif",
     {"1:SELECT 1", "3:SELECT 2", "5:SELECT 3"}},
    {"SELECT 1 \\watch 2\n\\copy t from pstdin\nSELECT 2;",
     {"1:SELECT 1", "2:COPY t from STDIN", "3:SELECT 2"}},

    /* strings in which a backslash escapes */
    {"SET standard_conforming_strings = off; SELECT '\\';'; SET standard_conforming_strings TO 'on'; SELECT "
     "'\\'; SELECT 2",
     {"1:SET standard_conforming_strings = off", "1:SELECT '\\';'",
      "1:SET standard_conforming_strings TO 'on'", "1:SELECT '\\'", "1:SELECT 2"}},
    {"set session standard_conforming_strings to false; SELECT '\\';';",
     {"1:set session standard_conforming_strings to false", "1:SELECT '\\';'"}},

    /* COPY */
    {"COPY t (a, b) FROM stdin;\n1\t;'\n\\.\nSELECT 1;", {"1:COPY t (a, b) FROM stdin", "4:SELECT 1"}},
    {"COPY t FROM STDIN CSV; SELECT 1;\n;'\n\\.\r\nSELECT 2;",
     {"1:COPY t FROM STDIN CSV", "1:SELECT 1", "4:SELECT 2"}},
    {"COPY t FROM STDIN; SELECT 'a\nin;\n\\.\nb';", {"1:COPY t FROM STDIN", "1:SELECT 'a\nb'"}},
    {"COPY t FROM STDIN; COPY u FROM STDIN;\n1\n\\.\n2\n\\.\nSELECT 1;",
     {"1:COPY t FROM STDIN", "1:COPY u FROM STDIN", "6:SELECT 1"}},
    {"COPY t FROM STDIN;\nSELECT 1;", {"1:COPY t FROM STDIN", "2:SELECT 1"}},
    {"COPY t TO STDOUT;\nSELECT 1;\n\\.\n", {"1:COPY t TO STDOUT", "2:SELECT 1"}},
    {"COPY t FROM 'stdin';\nSELECT 1;\n\\.\n", {"1:COPY t FROM 'stdin'", "2:SELECT 1"}},
    {"COPY (SELECT 1 FROM stdin) TO STDOUT;\nSELECT 1;\n\\.\n",
     {"1:COPY (SELECT 1 FROM stdin) TO STDOUT", "2:SELECT 1"}},
    {"\\copy t (\"a;\") from 'b;c' csv\nSELECT 1;", {"1:COPY t (\"a;\") from STDIN csv", "2:SELECT 1"}},
    {"\\copy t from stdin\n1;\n\\.\nSELECT 1;", {"1:COPY t from STDIN", "4:SELECT 1"}},
    {"\\copy (select 'a' from b) to program 'x; y'' z' (format csv)\nSELECT 1;",
     {"1:COPY (select 'a' from b) to STDOUT (format csv)", "2:SELECT 1"}},
    {"\\copy t From /a/b;c.csv csv\nSELECT 1;", {"1:COPY t From STDIN csv", "2:SELECT 1"}},
    {"\\copy t to\nSELECT 1;", {"1:COPY t to STDOUT", "2:SELECT 1"}},
};

static void count_notice(void *arg, int64_t line, const char *text) {
    (void)line;
    (void)text;
    ++*(int *)arg;
}

static int file_of(const char *bytes, size_t len) {
    int fd = memfd_create("script", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static int pipe_of(const char *bytes, size_t len) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, len), len);
    close(ends[1]);
    return ends[0];
}

static void test_cases(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int notices = 0, n = 0, fd = file_of(cases[i].script, strlen(cases[i].script));
        LintSplit *split = lint_split_new(fd, 1000, count_notice, &notices);
        LintStatement statement;
        Error err;
        LintSplitResult result;
        while ((result = lint_split_next(split, &statement, &err)) == LINT_SPLIT_STATEMENT) {
            char got[1000];
            snprintf(got, sizeof(got), "%lld:%s", (long long)statement.line, statement.text.ptr);
            if (n == MAX_STATEMENTS || !cases[i].expected[n])
                fail_msg("one statement too many in case %zu: %s", i, got);
            assert_string_equal(got, cases[i].expected[n]);
            assert_false(statement.cut);
            n++;
        }
        assert_int_equal(result, LINT_SPLIT_END);
        if (n < MAX_STATEMENTS && cases[i].expected[n])
            fail_msg("missing in case %zu: %s", i, cases[i].expected[n]);
        assert_int_equal(notices, 0);
        lint_split_free(split);
        close(fd);
    }
}

/* What the parser is given, and where the text stands. */
static void test_variables_and_places(void **state) {
    (void)state;
    static const struct {
        const char *script;
        const char *parsed; /* NULL: the text */
        int line, column;   /* 0: it is not in the script as it is */
    } rows[] = {
        {"SELECT 1", NULL, 1, 1},
        {"-- a\n  /* \xC3\xA4 */ SELECT 1", NULL, 2, 3},
        {"\\echo \xC3\xA4\xC3\xB6 \\\\ SELECT 1", NULL, 1, 13},
        {"SELECT :a, :'b', ':c', \":d\", e::f, $$:g$$ -- :h",
         "SELECT $1, $100, ':c', \":d\", e::f, $$:g$$ -- :h", 1, 1},
        {"SELECT a[1:b], :b", "SELECT a[1:b], $1", 1, 1},
        {"SELECT a := :\"b\"", "SELECT a :=  \"b\"", 1, 1},
        {"SELECT 1\\; SELECT 2", NULL, 0, 0},
        {"SELECT 1 \\echo x\n", NULL, 0, 0},
        {"SELECT 1 \\g\n", NULL, 1, 1},
        {"\\copy t to 'f'", NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int notices = 0, fd = file_of(rows[i].script, strlen(rows[i].script));
        LintSplit *split = lint_split_new(fd, 1000, count_notice, &notices);
        LintStatement statement;
        Error err;
        assert_int_equal(lint_split_next(split, &statement, &err), LINT_SPLIT_STATEMENT);
        assert_int_equal(statement.text_line, rows[i].line);
        assert_int_equal(statement.text_column, rows[i].column);
        assert_int_equal(statement.parsed.ptr != NULL, rows[i].parsed != NULL);
        if (rows[i].parsed) {
            assert_int_equal(statement.parsed.len, statement.text.len);
            assert_string_equal(statement.parsed.ptr, rows[i].parsed);
        }
        lint_split_free(split);
        close(fd);
    }
}

static void test_notices(void **state) {
    (void)state;
    static const char *const scripts[] = {"\\i a.sql\nSELECT 1;", "\\ir a.sql\nSELECT 1;", "SELECT 1 \\gexec",
                                          "COPY t FROM STDIN;\nSELECT 1;"};
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        int notices = 0, n = 0, fd = pipe_of(scripts[i], strlen(scripts[i]));
        LintSplit *split = lint_split_new(fd, 1000, count_notice, &notices);
        LintStatement statement;
        Error err;
        while (lint_split_next(split, &statement, &err) == LINT_SPLIT_STATEMENT)
            n++;
        assert_int_equal(n, 1);
        assert_int_equal(notices, 1);
        lint_split_free(split);
        close(fd);
    }
}

static void test_bytes_are_kept(void **state) {
    (void)state;
    static const char script[] = "SELECT '\0\xFF';SELECT 2";
    int notices = 0, fd = file_of(script, sizeof(script) - 1);
    LintSplit *split = lint_split_new(fd, 1000, count_notice, &notices);
    LintStatement statement;
    Error err;
    assert_int_equal(lint_split_next(split, &statement, &err), LINT_SPLIT_STATEMENT);
    assert_int_equal(statement.text.len, 11);
    assert_memory_equal(statement.text.ptr, "SELECT '\0\xFF'", 12);
    assert_int_equal(lint_split_next(split, &statement, &err), LINT_SPLIT_STATEMENT);
    assert_string_equal(statement.text.ptr, "SELECT 2");
    lint_split_free(split);
    close(fd);
}

/* Every construct in turn lies across each border of the scanner's window. */
static void test_window_borders(void **state) {
    (void)state;
    static const char tail[] = "E'\\';'/*;*/$tag$;$tag$\"\"\";\";SELECT 2";
    size_t window = 65536, expected_tail = strlen(tail) - strlen(";SELECT 2");
    char *script = malloc(window + sizeof(tail));
    assert_non_null(script);
    for (size_t before = window - sizeof(tail); before <= window; before++) {
        memset(script, ' ', before);
        memcpy(script, "SELECT ", 7);
        memcpy(script + before, tail, sizeof(tail));
        int notices = 0, fd = file_of(script, before + sizeof(tail) - 1);
        LintSplit *split = lint_split_new(fd, 2 * window, count_notice, &notices);
        LintStatement statement;
        Error err;
        assert_int_equal(lint_split_next(split, &statement, &err), LINT_SPLIT_STATEMENT);
        assert_int_equal(statement.text.len, before + expected_tail);
        assert_int_equal(lint_split_next(split, &statement, &err), LINT_SPLIT_STATEMENT);
        assert_string_equal(statement.text.ptr, "SELECT 2");
        lint_split_free(split);
        close(fd);
    }
    free(script);
}

static void test_cut(void **state) {
    (void)state;
    static const char script[] = "SELECT 'a;b', 123456789;SELECT 2;";
    int notices = 0, fd = file_of(script, sizeof(script) - 1);
    LintSplit *split = lint_split_new(fd, 10, count_notice, &notices);
    LintStatement statement;
    Error err;
    assert_int_equal(lint_split_next(split, &statement, &err), LINT_SPLIT_STATEMENT);
    assert_true(statement.cut);
    assert_string_equal(statement.text.ptr, "SELECT 'a;");
    assert_int_equal(lint_split_next(split, &statement, &err), LINT_SPLIT_STATEMENT);
    assert_false(statement.cut);
    assert_string_equal(statement.text.ptr, "SELECT 2");
    lint_split_free(split);
    close(fd);
}

static void test_unreadable(void **state) {
    (void)state;
    int notices = 0, fd = open("/", O_RDONLY | O_DIRECTORY);
    LintSplit *split = lint_split_new(fd, 1000, count_notice, &notices);
    LintStatement statement;
    Error err;
    assert_int_equal(lint_split_next(split, &statement, &err), LINT_SPLIT_FAILED);
    assert_string_equal(err.sqlstate, "58030");
    lint_split_free(split);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),          cmocka_unit_test(test_variables_and_places),
        cmocka_unit_test(test_notices),        cmocka_unit_test(test_bytes_are_kept),
        cmocka_unit_test(test_window_borders), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
