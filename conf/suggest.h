/* "Did you mean …": the word nearest to a misspelt one. */
#ifndef CONF_SUGGEST_H
#define CONF_SUGGEST_H

typedef struct Suggestion {
    const char *word; /* as written */
    const char *best; /* of the candidates so far; NULL if none is near. Not a copy */
    int distance;
} Suggestion;

void suggest_start(Suggestion *s, const char *word); /* `word` must outlive `s` */
void suggest_consider(Suggestion *s, const char *candidate);

#endif
