/* Tenants in comments: which comments are sqlcommenter's, what their values are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parser/comment.h"

static void values(void **state) {
    /* Without a value: no tenant. */
    static const char *const cases[][2] = {
        {"SELECT 1", NULL},
        {"", NULL},
        {"SELECT 4 / 2 * 3", NULL},
        {"SELECT 1 /*tenant='5'*/", "5"},
        {"/*tenant='5'*/ SELECT 1", "5"},
        {"SELECT 1 "
         "/*action='run',tenant='5',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/;",
         "5"},
        {"SELECT 1/* tenant='5' , a='b' */", "5"},
        {"SELECT 1 /*tenant='a%20b%2Fc%C3%A9+%27'*/", "a b/cé+'"},
        {"SELECT 1 /*tenant='it\\'s\\\\, so='*/", "it's\\, so="},
        {"SELECT 1 /*ten%61nt='5'*/", "5"},
        {"SELECT /* a hint? */ 1 -- /*tenant='4'*/\n/*tenant='5'*/", "5"},
        {"SELECT '/*tenant=''4''*/', E'\\'/*', \"/*\", $$/*tenant='4'*/$$ /*tenant='5'*/", "5"},
        {"SELECT '/*tenant=''4''*/'", NULL},
        {"SELECT $$/*tenant='4'*/$$", NULL},
        {"SELECT 1 -- /*tenant='4'*/", NULL},
        {"SELECT 2*/*tenant='5'*/3", "5"},
        /* Of another form. */
        {"SELECT 1 /*tenant=5*/", NULL},
        {"SELECT 1 /*tenant:5*/", NULL},
        {"SELECT 1 /*+ tenant='5'*/", NULL},
        {"SELECT 1 /*for tenant='5'*/", NULL},
        {"SELECT 1 /*tenant='5' please*/", NULL},
        {"SELECT 1 /*tenant='5',*/", NULL},
        {"SELECT 1 /*,tenant='5'*/", NULL},
        {"SELECT 1 /*='5'*/", NULL},
        {"SELECT 1 /*tenant='5*/", NULL},
        {"SELECT 1 /*tenant='5\\*/", NULL},
        {"SELECT 1 /*tenant='5\\'*/", NULL},
        {"SELECT 1 /*tenant='%5'*/", NULL},
        {"SELECT 1 /*tenant='%'*/", NULL},
        {"SELECT 1 /*tenant='%4g'*/", NULL},
        {"SELECT 1 /*tenant='a%00'*/", NULL},
        {"SELECT 1 /*tenant='5'", NULL},
        {"SELECT 1 /*a='b' /*tenant='5'*/ */", NULL},
        {"SELECT 1 /*tenants='5'*/", NULL},
        {"SELECT 1 /*Tenant='5'*/", NULL},
        {"SELECT 1 /**/ /***/ /*/ */", NULL},
        {"SELECT 1 /", NULL},
        /* Nothing in it, twice. */
        {"SELECT 1 /*tenant=''*/", NULL},
        {"SELECT 1 /*tenant='5'*/ /*tenant='5'*/", "5"},
        {"SELECT 1 /*tenant='5',tenant='%35'*/", "5"},
        {"SELECT 1 /*tenant='5'*/ /*tenant='6'*/", NULL},
        {"SELECT 1 /*tenant='5',tenant='6',tenant='5'*/", NULL},
        {"SELECT 1 /*tenant='5',tenant=6*/ /*tenant='7'*/", "7"},
    };
    Buf value = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *expected = cases[i][1];
        bool found = comment_tenant(str_of(cases[i][0]), "tenant", &value);
        Str got = {(const char *)buf_ptr(&value), buf_len(&value)};

        if (found != (expected != NULL) || !str_is(got, expected ? expected : ""))
            fail_msg("%s: %s %.*s", cases[i][0], found ? "found" : "not found", STR_ARG(got));
    }
    buf_free(&value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
