/* Settings in DDL: SET and set_config() of the search_path, and what ALTER ROLE and ALTER DATABASE keep for
 * new sessions. */
#include <ctype.h>

#include "parser/ddl_internal.h"

static const char *setting_value(Arena *arena, const PgQuery__VariableSetStmt *stmt) {
    char *value = NULL;

    for (size_t i = 0; i < stmt->n_args; i++) {
        const PgQuery__Node *arg = stmt->args[i];
        const char *text = "";
        bool plain = true;

        if (arg->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
            arg = arg->type_cast->arg;
        if (arg->node_case != PG_QUERY__NODE__NODE_A_CONST)
            continue;
        if (arg->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL)
            text = arg->a_const->sval->sval;
        else if (arg->a_const->val_case == PG_QUERY__A__CONST__VAL_FVAL)
            text = arg->a_const->fval->fval;
        else if (arg->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL)
            text = arena_printf(arena, "%d", arg->a_const->ival->ival);
        for (const char *p = text; *p; p++)
            plain = plain && (*p == '_' || islower((unsigned char)*p) || isdigit((unsigned char)*p));
        /* Only in lists are names apart; a single value is kept as it is, unless it is a path of one odd
         * name. */
        if (!plain && stmt->name && strcmp(stmt->name, "search_path") == 0)
            text = arena_printf(arena, "\"%s\"", text);
        value = value ? arena_printf(arena, "%s, %s", value, text) : arena_strdup(arena, text);
    }
    return value;
}

static bool sets_value(const PgQuery__VariableSetStmt *stmt) {
    return stmt->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE;
}

void ddl_read_set(DdlCollector *c, DdlReader *reader, const PgQuery__VariableSetStmt *stmt) {
    if (stmt->name && strcmp(stmt->name, "search_path") == 0) {
        const char *value = sets_value(stmt) ? setting_value(c->arena, stmt) : NULL;

        ddl_add_fact(c, DDL_SEARCH_PATH, reader->line)->text = value;
    }
}

void ddl_read_setting(DdlCollector *c, DdlReader *reader, const PgQuery__VariableSetStmt *stmt,
                      const char *role, const char *database) {
    DdlFact *fact;

    if (!sets_value(stmt))
        return;
    fact = ddl_add_fact(c, DDL_SETTING, reader->line);
    fact->role = ddl_string(c->arena, role);
    fact->database = ddl_string(c->arena, database);
    fact->column = arena_strdup(c->arena, stmt->name);
    fact->text = setting_value(c->arena, stmt);
}

/* SELECT [pg_catalog.]set_config('search_path', 'value', false) */
void ddl_read_set_config(DdlCollector *c, DdlReader *reader, const PgQuery__SelectStmt *stmt) {
    const PgQuery__FuncCall *call;
    Name name;
    const char *args[2];

    if (stmt->n_target_list != 1 ||
        stmt->target_list[0]->res_target->val->node_case != PG_QUERY__NODE__NODE_FUNC_CALL)
        return;
    call = stmt->target_list[0]->res_target->val->func_call;
    name = ddl_name_of_list(c->arena, call->funcname, call->n_funcname);
    if (call->n_args != 3 || !name.name || strcmp(name.name, "set_config") != 0)
        return;
    for (int i = 0; i < 2; i++) {
        const PgQuery__Node *arg = call->args[i];

        if (arg->node_case != PG_QUERY__NODE__NODE_A_CONST ||
            arg->a_const->val_case != PG_QUERY__A__CONST__VAL_SVAL)
            return;
        args[i] = arg->a_const->sval->sval;
    }
    if (strcasecmp(args[0], "search_path") == 0)
        ddl_add_fact(c, DDL_SEARCH_PATH, reader->line)->text = arena_strdup(c->arena, args[1]);
}
