/* Edit distance: insertions, deletions, substitutions and swaps of neighbours, in ASCII without regard to
 * case, each at a cost of one. */
#include "conf/suggest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define WORD_MAX 64 /* no name that can be meant is longer */

static int min3(int a, int b, int c) {
    int m = a < b ? a : b;

    return m < c ? m : c;
}

static int distance(const char *a, size_t alen, const char *b, size_t blen) {
    int rows[3][WORD_MAX + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= blen; j++)
        last[j] = (int)j;
    for (size_t i = 1; i <= alen; i++) {
        int *swap = before;

        row[0] = (int)i;
        for (size_t j = 1; j <= blen; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);

            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                tolower((unsigned char)a[i - 2]) == cb && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        before = last;
        last = row;
        row = swap;
    }
    return last[blen];
}

void suggest_start(Suggestion *s, const char *word) { *s = (Suggestion){.word = word}; }

void suggest_consider(Suggestion *s, const char *candidate) {
    size_t wlen = strlen(s->word), clen = strlen(candidate);
    int allowed = clen < 4 ? 1 : (int)clen / 3 + 1;
    int d;

    if (wlen > WORD_MAX || clen > WORD_MAX || wlen == 0)
        return;
    d = distance(s->word, wlen, candidate, clen);
    if (d > allowed || d >= (int)clen || (s->best && d >= s->distance))
        return;
    s->best = candidate;
    s->distance = d;
}
