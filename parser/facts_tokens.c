/* Tokens of a text: how they are made, and small steps over them. */
#include "parser/facts_tokens.h"

#define FIRST_TOKENS 64
#define NOTHING_OPEN UINT32_MAX

static const struct {
    const char *text;
    size_t length;
    TokenWord word;
} words[] = {
#define X(name, text) {text, sizeof(text) - 1, WORD_##name},
    TOKEN_WORDS(X)
#undef X
};

typedef struct Making {
    Arena *arena;
    const char *text;
    Token *all;
    uint32_t n, capacity;
    uint32_t open; /* the innermost open parenthesis; its `match` is the one around it */
} Making;

static TokenWord word_of(const char *text, LexToken t) {
    if (t.kind != LEX_WORD)
        return WORD_NONE;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].length == t.end - t.start && (text[t.start] | 0x20) == words[i].text[0] &&
            lex_is_word(text, t, words[i].text))
            return words[i].word;
    return WORD_NONE;
}

static char mark_of(const char *text, LexToken t) {
    if (t.end - t.start != 1 || (t.kind != LEX_PUNCT && t.kind != LEX_OPERATOR))
        return 0;
    return strchr("()[],.*=;", text[t.start]) ? text[t.start] : 0;
}

/* What may stand behind a query in parentheses that is part of a larger one. */
static bool continues_query(TokenWord word) {
    return word == WORD_UNION || word == WORD_INTERSECT || word == WORD_EXCEPT || token_is_tail(word);
}

/* VALUES is the name of a column where no parenthesis follows; the other words are no names. */
static bool is_query(const Token *all, uint32_t open, uint32_t close) {
    const Token *first = &all[open + 1];
    uint32_t next;

    if (first->word == WORD_SELECT || first->word == WORD_TABLE || first->word == WORD_WITH)
        return true;
    if (first->word == WORD_VALUES)
        return first[1].mark == '(';
    if (first->mark != '(' || !first->is_query)
        return false;
    next = first->match + 1;
    return next == close || continues_query((TokenWord)all[next].word);
}

static void grow(Making *m) {
    Token *grown;

    if (m->n + 1 < m->capacity)
        return;
    m->capacity = m->capacity > 0 ? m->capacity * 2 : FIRST_TOKENS;
    grown = ARENA_ARRAY(m->arena, Token, m->capacity);
    if (m->n > 0)
        memcpy(grown, m->all, m->n * sizeof(Token));
    m->all = grown;
}

static bool close_group(Making *m, char mark) {
    uint32_t open = m->open;

    if (open == NOTHING_OPEN || m->all[open].mark != (mark == ')' ? '(' : '['))
        return false;
    m->open = m->all[open].match;
    m->all[open].match = m->n;
    m->all[m->n].match = open;
    m->all[open].is_query = mark == ')' && is_query(m->all, open, m->n);
    return true;
}

static bool add(Making *m, LexToken t) {
    Token *made;
    bool names;

    grow(m);
    made = &m->all[m->n];
    *made = (Token){.start = (uint32_t)t.start, .end = (uint32_t)t.end, .kind = (uint8_t)t.kind};
    made->mark = mark_of(m->text, t);
    /* AS AS: the second one is a name. */
    names = m->n > 0 && made[-1].mark == '.';
    made->word = names ? WORD_NONE : (uint8_t)word_of(m->text, t);
    if (made->word == WORD_AS && m->n > 0 && made[-1].word == WORD_AS)
        made->word = WORD_NONE;
    if (token_opens(&(Tokens){m->all, m->n}, m->n)) {
        made->match = m->open;
        m->open = m->n;
    } else if (made->mark == ')' || made->mark == ']') {
        if (!close_group(m, made->mark))
            return false;
    }
    m->n++;
    return true;
}

Tokens tokens_of(Arena *arena, Str text) {
    Making m = {.arena = arena, .text = text.ptr, .open = NOTHING_OPEN};
    LexToken t = lex_next(text.ptr, text.len, 0);

    for (; t.kind != LEX_END; t = lex_next(text.ptr, text.len, t.end))
        if (t.kind == LEX_UNTERMINATED || !add(&m, t))
            break;
    if (t.kind != LEX_END || m.open != NOTHING_OPEN)
        m.n = 0;
    grow(&m);
    m.all[m.n] = (Token){.start = (uint32_t)text.len, .end = (uint32_t)text.len, .kind = LEX_END};
    return (Tokens){m.all, m.n};
}

uint32_t tokens_at(const Tokens *ts, uint32_t offset) {
    uint32_t low = 0, high = ts->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ts->all[middle].start < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool token_is_clause(const Tokens *ts, uint32_t i, TokenWord word) {
    return token_word(ts, i) == word && (i == 0 || token_word(ts, i - 1) != WORD_AS);
}

uint32_t tokens_find(const Tokens *ts, Range range, TokenWord word) {
    uint32_t i = range.from;

    while (i < range.to && !token_is_clause(ts, i, word))
        i = token_next(ts, i);
    return i < range.to ? i : range.to;
}

Span tokens_span(const Tokens *ts, Range range) {
    if (range.from >= range.to)
        return (Span){0, 0};
    return (Span){ts->all[range.from].start, ts->all[range.to - 1].end};
}

uint32_t tokens_name(const Tokens *ts, uint32_t i) {
    if (ts->all[i].kind != LEX_WORD && ts->all[i].kind != LEX_QUOTED)
        return i;
    if (ts->all[i].kind == LEX_QUOTED && token_word(ts, i + 1) == WORD_UESCAPE)
        return i + 3;
    return i + 1;
}

uint32_t tokens_qualified_name(const Tokens *ts, uint32_t i) {
    uint32_t behind = tokens_name(ts, i);

    while (behind > i && token_mark(ts, behind) == '.') {
        i = behind + 1;
        behind = tokens_name(ts, i);
    }
    return behind;
}

bool tokens_element(const Tokens *ts, Range *list, Range *element) {
    uint32_t i = list->from;

    if (list->from >= list->to)
        return false;
    while (i < list->to && token_mark(ts, i) != ',')
        i = token_next(ts, i);
    *element = (Range){list->from, i};
    list->from = i + 1;
    return true;
}

int tokens_count_elements(const Tokens *ts, Range list) {
    Range element;
    int n = 0;

    while (tokens_element(ts, &list, &element))
        n++;
    return n;
}
