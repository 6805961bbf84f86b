/* Columns and constraints of DDL, read from libpg_query's nodes. */
#include <stdio.h>

#include "parser/ddl_internal.h"

const char *ddl_string(Arena *arena, const char *s) { return s && *s ? arena_strdup(arena, s) : NULL; }

const char *ddl_string_of(Arena *arena, const PgQuery__Node *node) {
    return node->node_case == PG_QUERY__NODE__NODE_STRING ? arena_strdup(arena, node->string->sval) : NULL;
}

Name ddl_name_of(Arena *arena, const PgQuery__RangeVar *var) {
    return (Name){ddl_string(arena, var->catalogname), ddl_string(arena, var->schemaname),
                  ddl_string(arena, var->relname)};
}

Name ddl_name_of_list(Arena *arena, PgQuery__Node *const *nodes, size_t n) {
    Name name = {0};

    if (n > 0)
        name.name = ddl_string_of(arena, nodes[n - 1]);
    if (n > 1)
        name.schema = ddl_string_of(arena, nodes[n - 2]);
    if (n > 2)
        name.catalog = ddl_string_of(arena, nodes[n - 3]);
    return name;
}

const char **ddl_strings(Arena *arena, PgQuery__Node *const *nodes, size_t n) {
    const char **strings = ARENA_ARRAY(arena, const char *, n);

    for (size_t i = 0; i < n; i++)
        strings[i] = ddl_string_of(arena, nodes[i]);
    return strings;
}

/* ---- types ---- */

static const char *modifier_text(Arena *arena, const PgQuery__Node *node) {
    const PgQuery__AConst *value = node->a_const;

    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && node->column_ref->n_fields > 0)
        return ddl_string_of(arena, node->column_ref->fields[0]);
    if (node->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return "?";
    switch (value->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        return arena_printf(arena, "%d", value->ival->ival);
    case PG_QUERY__A__CONST__VAL_FVAL:
        return arena_strdup(arena, value->fval->fval);
    case PG_QUERY__A__CONST__VAL_SVAL:
        return arena_strdup(arena, value->sval->sval);
    default:
        return "0"; /* protobuf leaves out an integer of value zero */
    }
}

static DdlType type_of(Arena *arena, const PgQuery__TypeName *node) {
    DdlType type = {.name = ddl_name_of_list(arena, node->names, node->n_names),
                    .array = node->n_array_bounds > 0};

    for (size_t i = 0; i < node->n_typmods; i++) {
        const char *text = modifier_text(arena, node->typmods[i]);

        type.modifier = type.modifier ? arena_printf(arena, "%s,%s", type.modifier, text) : text;
    }
    return type;
}

static void expand_serial(DdlColumn *column) {
    static const struct {
        const char *serial, *type;
    } serials[] = {
        {"serial", "int4"},  {"serial4", "int4"},     {"bigserial", "int8"},
        {"serial8", "int8"}, {"smallserial", "int2"}, {"serial2", "int2"},
    };

    for (size_t i = 0; i < ARRAY_LEN(serials) && !column->type.name.schema && column->type.name.name; i++) {
        if (strcmp(column->type.name.name, serials[i].serial) == 0) {
            column->type.name = (Name){NULL, "pg_catalog", serials[i].type};
            column->serial = column->not_null = true;
        }
    }
}

/* ---- columns ---- */

DdlColumn ddl_column_of(DdlReader *reader, const PgQuery__ColumnDef *def) {
    DdlColumn column = {.name = arena_strdup(reader->arena, def->colname), .not_null = def->is_not_null};

    if (def->type_name) /* typed tables and partitions may leave it out */
        column.type = type_of(reader->arena, def->type_name);
    expand_serial(&column);
    for (size_t i = 0; i < def->n_constraints; i++) {
        const PgQuery__Constraint *constraint = def->constraints[i]->constraint;

        switch (constraint->contype) {
        case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
        case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
            column.not_null = true;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT:
            column.default_text = ddl_default_text(reader, constraint->location);
            if (column.default_text && str_ieq(str_of(column.default_text), "null"))
                column.default_text = NULL; /* as the server stores it: not at all */
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
            column.identity = *constraint->generated_when;
            column.not_null = true;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
            column.generated = true;
            break;
        default:
            break;
        }
    }
    return column;
}

/* ---- constraints ---- */

static void read_foreign_key(Arena *arena, const PgQuery__Constraint *node, DdlConstraint *constraint) {
    constraint->kind = DDL_FOREIGN_KEY;
    if (node->n_fk_attrs > 0) {
        constraint->columns = ddl_strings(arena, node->fk_attrs, node->n_fk_attrs);
        constraint->ncolumns = (int)node->n_fk_attrs;
    }
    constraint->parent = ddl_name_of(arena, node->pktable);
    constraint->parent_columns = ddl_strings(arena, node->pk_attrs, node->n_pk_attrs);
    constraint->nparent_columns = (int)node->n_pk_attrs;
    constraint->not_valid = node->skip_validation;
    constraint->on_delete = node->fk_del_action && *node->fk_del_action ? *node->fk_del_action : 'a';
    constraint->on_update = node->fk_upd_action && *node->fk_upd_action ? *node->fk_upd_action : 'a';
}

bool ddl_constraint_of(DdlReader *reader, const PgQuery__Constraint *node, const char *column,
                       DdlConstraint *constraint) {
    *constraint = (DdlConstraint){.name = ddl_string(reader->arena, node->conname)};
    if (column) {
        constraint->columns = ARENA_ARRAY(reader->arena, const char *, 1);
        constraint->columns[0] = column;
        constraint->ncolumns = 1;
    }
    switch (node->contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
        constraint->kind =
            node->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ? DDL_PRIMARY_KEY : DDL_UNIQUE;
        constraint->using_index = ddl_string(reader->arena, node->indexname);
        if (node->n_keys > 0) {
            constraint->columns = ddl_strings(reader->arena, node->keys, node->n_keys);
            constraint->ncolumns = (int)node->n_keys;
        }
        return true;
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
        read_foreign_key(reader->arena, node, constraint);
        return true;
    default:
        return false;
    }
}

DdlConstraint ddl_index_of(DdlReader *reader, const PgQuery__IndexStmt *stmt) {
    DdlConstraint index = {.kind = DDL_UNIQUE, .name = ddl_string(reader->arena, stmt->idxname)};

    index.columns = ARENA_ARRAY(reader->arena, const char *, stmt->n_index_params);
    index.ncolumns = (int)stmt->n_index_params;
    index.partial_or_expression = stmt->where_clause != NULL;
    for (size_t i = 0; i < stmt->n_index_params; i++) {
        index.columns[i] = ddl_string(reader->arena, stmt->index_params[i]->index_elem->name);
        if (!index.columns[i])
            index.partial_or_expression = true;
    }
    return index;
}
