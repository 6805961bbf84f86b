/* Facts of DDL: what is read, what is stepped over, where a default ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parser/ddl.h"

static const Ddl *parse(Arena *arena, const char *text) { return ddl_parse(arena, str_of(text)); }

static void assert_text(const char *expected, const char *actual) {
    if (!expected)
        assert_null(actual);
    else
        assert_string_equal(expected, actual ? actual : "(null)");
}

static void splits_as_psql_does(void **state) {
    static const struct {
        const char *script;
        const char *statements[5];
    } cases[] = {
        {"", {NULL}},
        {" ;; -- nothing\n/* at /* all */ */;", {NULL}},
        {"a; b", {"a", "b"}},
        {"a 'x;''y' ; b", {"a 'x;''y'", "b"}},
        {"a E'x\\';' ; b", {"a E'x\\';'", "b"}},
        {"a \"x;\"\"y\"; b", {"a \"x;\"\"y\"", "b"}},
        {"a $$;$$ $t$ ; $$ $t$; b$1$c;", {"a $$;$$ $t$ ; $$ $t$", "b$1$c"}},
        {"a (;) ; b", {"a (;)", "b"}},
        {"\\set x 1\na\n; \\connect - x\nb", {"a", "b"}},
        {"COPY t (a) FROM stdin;\n1;\n\\N\n\\.\nb", {"COPY t (a) FROM stdin", "b"}},
        {"COPY t FROM stdin;\r\n\\.\r\nb", {"COPY t FROM stdin", "b"}},
        {"COPY (SELECT 1) TO STDOUT; b", {"COPY (SELECT 1) TO STDOUT", "b"}},
        {"CREATE FUNCTION f() BEGIN ATOMIC a; CASE x END; END; b",
         {"CREATE FUNCTION f() BEGIN ATOMIC a; CASE x END; END", "b"}},
        {"BEGIN; a; END;", {"BEGIN", "a", "END"}},
        {"a 'never closed; b", {"a 'never closed; b"}},
        {"a /* never closed; b", {"a"}},
        {"a $x$ never closed; b", {"a $x$ never closed; b"}},
        {"COPY t FROM stdin;\nno end", {"COPY t FROM stdin"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        DdlSplitter splitter = {str_of(cases[i].script), 1};
        DdlStatement statement;
        size_t n = 0;

        while (ddl_next_statement(&splitter, &statement)) {
            assert_non_null(cases[i].statements[n]);
            assert_int_equal(statement.text.len, strlen(cases[i].statements[n]));
            assert_memory_equal(statement.text.ptr, cases[i].statements[n], statement.text.len);
            n++;
        }
        assert_null(cases[i].statements[n]);
    }
}

static void counts_lines(void **state) {
    DdlSplitter splitter = {str_of("\n-- one\na 'x\ny';\n\\x\nCOPY t FROM stdin;\n1\n\\.\n\n  b"), 1};
    DdlStatement statement;
    const int lines[] = {3, 6, 10};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_true(ddl_next_statement(&splitter, &statement));
        assert_int_equal(lines[i], statement.line);
    }
    assert_false(ddl_next_statement(&splitter, &statement));
}

static void finds_where_a_default_ends(void **state) {
    static const struct {
        const char *column; /* behind "x int " */
        const char *expected;
    } cases[] = {
        {"", NULL},
        {"DEFAULT 1", "1"},
        {"DEFAULT 1 NOT NULL", "1"},
        {"NOT NULL DEFAULT 1 UNIQUE", "1"},
        {"DEFAULT -1 PRIMARY KEY", "-1"},
        {"DEFAULT (1 + 2) * 3 CHECK (x > 0)", "(1 + 2) * 3"},
        {"DEFAULT f(1, 'a,b') CONSTRAINT c NOT NULL", "f(1, 'a,b')"},
        {"DEFAULT (ARRAY[1, 2])[1] REFERENCES t (x)", "(ARRAY[1, 2])[1]"},
        {"DEFAULT ARRAY[1, 2] COLLATE \"C\"", "ARRAY[1, 2]"},
        {"DEFAULT /* why */ now() /* so */ NULL", "now()"},
        {"DEFAULT NULL", NULL},
        {"DEFAULT null NOT NULL", NULL},
        {"DEFAULT NULL::character varying", "NULL::character varying"},
        {"DEFAULT 'x' IS NOT DISTINCT FROM 'y' DEFERRABLE", "'x' IS NOT DISTINCT FROM 'y'"},
        {"DEFAULT nextval('s'::regclass) REFERENCES t INITIALLY DEFERRED", "nextval('s'::regclass)"},
        {"GENERATED ALWAYS AS (1) STORED", NULL},
        {"DEFAULT CASE WHEN (true AND NOT false) THEN 1 ELSE 2 END NOT NULL",
         "CASE WHEN (true AND NOT false) THEN 1 ELSE 2 END"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Arena *arena = arena_new();

        for (int f = 0; f < 2; f++) {
            const char *text =
                f == 0 ? arena_printf(arena, "CREATE TABLE t (w int, x int %s, y text DEFAULT 'other')",
                                      cases[i].column)
                       : arena_printf(arena, "ALTER TABLE t ADD COLUMN x int %s", cases[i].column);
            const Ddl *ddl = parse(arena, text);

            assert_int_equal(0, ddl->nwarnings);
            assert_int_equal(1, ddl->nfacts);
            assert_text(cases[i].expected, ddl->facts[0].columns[f == 0 ? 1 : 0].default_text);
        }
        arena_free(arena);
    }
}

static void reads_set_default_of_each_column(void **state) {
    Arena *arena = arena_new();
    const Ddl *ddl =
        parse(arena, "ALTER TABLE ONLY s.t ALTER a SET DEFAULT f(1, 2), ALTER COLUMN b DROP DEFAULT, "
                     "ALTER c SET DEFAULT 'x' || 'y', ALTER d SET NOT NULL, ALTER e ADD GENERATED "
                     "ALWAYS AS IDENTITY (START WITH 5), ALTER f SET GENERATED BY DEFAULT");

    (void)state;
    assert_int_equal(6, ddl->nfacts);
    assert_text("f(1, 2)", ddl->facts[0].text);
    assert_text(NULL, ddl->facts[1].text);
    assert_text("'x' || 'y'", ddl->facts[2].text);
    assert_int_equal(DDL_SET_NOT_NULL, ddl->facts[3].kind);
    assert_true(ddl->facts[3].on);
    assert_int_equal('a', ddl->facts[4].identity);
    assert_int_equal('d', ddl->facts[5].identity);
    assert_true(ddl->facts[5].only);
    assert_text("s", ddl->facts[5].name.schema);
    arena_free(arena);
}

static void reads_a_table(void **state) {
    Arena *arena = arena_new();
    const Ddl *ddl =
        parse(arena, "CREATE TABLE \"S\".T (Id bigserial, \"Ref\" text[] REFERENCES p, n numeric(10, 2),"
                     " UNIQUE (id, n), CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES s.p (x, y)"
                     " ON DELETE CASCADE ON UPDATE SET NULL NOT VALID) PARTITION BY HASH (id)");
    const DdlFact *fact = ddl->facts;

    (void)state;
    assert_int_equal(1, ddl->nfacts);
    assert_text("S", fact->name.schema);
    assert_text("t", fact->name.name);
    assert_int_equal('p', fact->relkind);
    assert_int_equal(3, fact->ncolumns);
    assert_true(fact->columns[0].serial && fact->columns[0].not_null);
    assert_text("int8", fact->columns[0].type.name.name);
    assert_text("Ref", fact->columns[1].name);
    assert_true(fact->columns[1].type.array);
    assert_text("10,2", fact->columns[2].type.modifier);
    assert_int_equal(3, fact->nconstraints);
    assert_int_equal(DDL_FOREIGN_KEY, fact->constraints[0].kind);
    assert_int_equal(0, fact->constraints[0].nparent_columns);
    assert_text("n", fact->constraints[1].columns[1]);
    assert_int_equal('c', fact->constraints[2].on_delete);
    assert_int_equal('n', fact->constraints[2].on_update);
    assert_true(fact->constraints[2].not_valid);
    arena_free(arena);
}

static void reads_views_and_settings(void **state) {
    Arena *arena = arena_new();
    const Ddl *ddl =
        parse(arena, "CREATE VIEW v (a) WITH (security_barrier) AS SELECT 1 AS a WITH CHECK OPTION;\n"
                     "CREATE MATERIALIZED VIEW m AS SELECT 2 WITH NO DATA;\n"
                     "CREATE TEMP VIEW gone AS SELECT 3; CREATE TEMPORARY TABLE gone (a int);\n"
                     "SET search_path TO \"A b\", public;\n"
                     "SELECT pg_catalog.set_config('search_path', '', false);\n"
                     "ALTER DATABASE d SET search_path = a, b; ALTER ROLE ALL SET work_mem = '1MB'");

    (void)state;
    assert_int_equal(0, ddl->nwarnings);
    assert_int_equal(6, ddl->nfacts);
    assert_text("SELECT 1 AS a", ddl->facts[0].text);
    assert_text("SELECT 2", ddl->facts[1].text);
    assert_int_equal('m', ddl->facts[1].relkind);
    assert_text("\"A b\", public", ddl->facts[2].text);
    assert_text("", ddl->facts[3].text);
    assert_text("d", ddl->facts[4].database);
    assert_text("a, b", ddl->facts[4].text);
    assert_text(NULL, ddl->facts[5].role);
    assert_text("1MB", ddl->facts[5].text);
    arena_free(arena);
}

static void goes_on_after_what_it_cannot_read(void **state) {
    Arena *arena = arena_new();
    const Ddl *ddl =
        parse(arena, "\xef\xbb\xbf"
                     "CREATE TABLE a (x int);\nCREATE TABLE oops oops;\n"
                     "INSERT INTO a VALUES (not even sql);\nCREATE TABLE b (LIKE a, y int);\n"
                     "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ CREATE TABLE no (x int); $$;\n"
                     "CREATE TABLE c AS SELECT 1");

    (void)state;
    assert_int_equal(3, ddl->nfacts);
    assert_int_equal(3, ddl->nwarnings);
    assert_int_equal(2, ddl->warnings[0].line);
    assert_int_equal(4, ddl->warnings[1].line);
    assert_int_equal(6, ddl->warnings[2].line);
    arena_free(arena);
}

/* A file that would overflow the parser's stack is a warning. */
static void refuses_what_is_too_deep(void **state) {
    enum { TERMS = 100000 };
    static const char *const repeated[] = {"(", "+1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(repeated); i++) {
        Arena *arena = arena_new();
        size_t len = strlen(repeated[i]);
        char *text = malloc(TERMS * len + 64), *p = text;
        const Ddl *ddl;

        p += strlen(strcpy(p, "CREATE TABLE t (x int DEFAULT 1"));
        for (int n = 0; n < TERMS; n++, p += len)
            memcpy(p, repeated[i], len);
        strcpy(p, ")");
        ddl = parse(arena, text);
        assert_int_equal(0, ddl->nfacts);
        assert_int_equal(1, ddl->nwarnings);
        free(text);
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_as_psql_does),
        cmocka_unit_test(counts_lines),
        cmocka_unit_test(finds_where_a_default_ends),
        cmocka_unit_test(reads_set_default_of_each_column),
        cmocka_unit_test(reads_a_table),
        cmocka_unit_test(reads_views_and_settings),
        cmocka_unit_test(goes_on_after_what_it_cannot_read),
        cmocka_unit_test(refuses_what_is_too_deep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
