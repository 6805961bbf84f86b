/* The page itself: the template's marks, and what takes their place. */
#include <openssl/evp.h>
#include <string.h>

#include "base/version.h"
#include "cli/html/report.css.h"
#include "cli/html/report.html.h"
#include "cli/html/report.js.h"
#include "cli/lint_html.h"

/* Rows that are there without the script. */
#define STATIC_ROWS 50
/* Units across a bar. */
#define BAR_WIDTH 1000.0

/* As they are shown, from what is ready to what is worst understood. */
static const struct {
    LintClass class;
    const char *label, *meaning;
} classes[] = {
    {LINT_CLASS_SINGLE_TENANT, "single-tenant", "Citus can send it to one shard group. Ready."},
    {LINT_CLASS_NO_TENANT_TABLE, "no tenant table",
     "It reads or writes reference and local tables only, or none. Ready."},
    {LINT_CLASS_MULTI_TENANT, "multi-tenant",
     "It touches, or may touch, more than one tenant: Citus sends it to every shard."},
    {LINT_CLASS_REFUSED, "refused by Citus",
     "It is multi-tenant in a form that Citus does not execute: it fails once its tables are distributed."},
    {LINT_CLASS_OPAQUE, "opaque",
     "What it touches cannot be known from its text: a DO block, a function not known to be safe."},
    {LINT_CLASS_UNPARSED, "unparsed", "The parser rejects it, or was not given it."},
};

/* ---- text ---- */

/* The length of the character at s if it is one that is not seen, or that changes the order of what follows;
 * else 0. */
static size_t unseen_character(const unsigned char *s, unsigned *code) {
    if (s[0] == 0xD8 && s[1] == 0x9C) {
        *code = 0x061C;
        return 2;
    }
    if ((s[0] & 0xF0) != 0xE0 || !s[1] || !s[2])
        return 0;
    *code = (unsigned)(s[0] & 0x0F) << 12 | (unsigned)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
    bool unseen = (*code >= 0x200B && *code <= 0x200F) || (*code >= 0x2028 && *code <= 0x202E) ||
                  (*code >= 0x2060 && *code <= 0x2069) || *code == 0xFEFF;
    return unseen ? 3 : 0;
}

/* A text as text, in an element or in a quoted attribute. */
static void put_text(Buf *out, const char *text) {
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        unsigned code;
        size_t unseen = unseen_character(s, &code);
        if (unseen)
            buf_printf(out, "[U+%04X]", code);
        else if (strchr("&<>\"'", *s))
            buf_printf(out, "&#%d;", *s);
        else if (*s < 0x20 && *s != '\n' && *s != '\t')
            buf_printf(out, "&#x%x;", 0x2400u + *s); /* its picture */
        else
            buf_put_u8(out, *s);
        s += unseen ? unseen : 1;
    }
}

/* With thousands apart. */
static void put_number(Buf *out, uint64_t n) {
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf_put_u8(out, ',');
        buf_put_u8(out, (uint8_t)digits[i]);
    }
}

static void put_counted(Buf *out, uint64_t n, const char *noun) {
    put_number(out, n);
    buf_printf(out, " %s%s", noun, n == 1 ? "" : "s");
}

/* Never "100" of what is not all, never "0" of what is not none. */
static void put_percent(Buf *out, double part, double whole) {
    double percent = whole > 0 ? 100 * part / whole : 0;
    if (percent > 99.9 && part < whole)
        buf_append_cstr(out, "&gt; 99.9 %");
    else if (percent > 0 && percent < 0.1)
        buf_append_cstr(out, "&lt; 0.1 %");
    else if (part >= whole || percent == 0)
        buf_printf(out, "%.0f %%", percent);
    else
        buf_printf(out, "%.1f %%", percent);
}

static void put_duration(Buf *out, double ms) {
    if (ms < 10)
        buf_printf(out, "%.2f ms", ms);
    else if (ms < 1000)
        buf_printf(out, "%.0f ms", ms);
    else if (ms < 100e3)
        buf_printf(out, "%.1f s", ms / 1e3);
    else if (ms < 6000e3)
        buf_printf(out, "%.1f min", ms / 60e3);
    else
        buf_printf(out, "%.1f h", ms / 3600e3);
}

/* ---- marks: the head ---- */

static void put_hash(Buf *out, const char *text) {
    unsigned char digest[EVP_MAX_MD_SIZE], encoded[2 * EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL);
    EVP_EncodeBlock(encoded, digest, (int)size);
    buf_printf(out, "'sha256-%s'", (const char *)encoded);
}

/* The page fetches nothing, and runs its own script alone, whatever a statement's text may contain. */
static void put_policy(const LintHtml *html, Buf *out) {
    (void)html;
    buf_append_cstr(out, "default-src 'none'; base-uri 'none'; form-action 'none'; style-src ");
    put_hash(out, html_report_css);
    buf_append_cstr(out, "; script-src ");
    put_hash(out, html_report_js);
}

static void put_style(const LintHtml *html, Buf *out) {
    (void)html;
    buf_append_cstr(out, html_report_css);
}

static void put_script(const LintHtml *html, Buf *out) {
    (void)html;
    buf_append_cstr(out, html_report_js);
}

static LintHtmlSum ready(const LintHtml *html) {
    const LintHtmlSum *one = &html->sums[LINT_CLASS_SINGLE_TENANT],
                      *none = &html->sums[LINT_CLASS_NO_TENANT_TABLE];
    return (LintHtmlSum){.shapes = one->shapes + none->shapes,
                         .calls = one->calls + none->calls,
                         .total_ms = one->total_ms + none->total_ms};
}

static void put_title(const LintHtml *html, Buf *out) {
    buf_append_cstr(out, "Tenant scope, ");
    put_text(out, html->made);
}

static void put_headline(const LintHtml *html, Buf *out) {
    LintHtmlSum fine = ready(html);
    const char *what = html->measured ? "call" : "statement";
    if (html->all.shapes == 0) {
        buf_append_cstr(out, "No statement has been seen yet");
    } else if (fine.shapes == html->all.shapes) {
        buf_printf(out, "Every %s is scoped to one tenant or touches no tenant table", what);
    } else if (html->all.calls == 0) {
        buf_append_cstr(out, "No statement has been executed yet");
    } else {
        put_percent(out, (double)fine.calls, (double)html->all.calls);
        buf_append_cstr(out, " of ");
        put_counted(out, html->all.calls, what);
        buf_append_cstr(out, html->all.calls == 1 ? " is" : " are");
        buf_append_cstr(out, " scoped to one tenant or touch no tenant table");
    }
}

/* "2 refused by Citus, 9 sent to every shard" */
static void put_unready(const LintHtml *html, Buf *out) {
    static const struct {
        LintClass class;
        const char *fate;
    } FATES[] = {
        {LINT_CLASS_REFUSED, "refused by Citus"},
        {LINT_CLASS_MULTI_TENANT, "sent to every shard"},
        {LINT_CLASS_OPAQUE, "of unknown reach"},
        {LINT_CLASS_UNPARSED, "unparsed"},
    };
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_LEN(FATES); i++) {
        uint64_t n = html->sums[FATES[i].class].shapes;
        if (n == 0)
            continue;
        buf_append_cstr(out, separator);
        put_number(out, n);
        buf_printf(out, " %s", FATES[i].fate);
        separator = ", ";
    }
}

static void put_lead(const LintHtml *html, Buf *out) {
    LintHtmlSum fine = ready(html);
    uint64_t unready = html->all.shapes - fine.shapes;
    if (html->all.shapes == 0) {
        buf_append_cstr(out,
                        "Send the application's statements through the proxy, and make this report again.");
        return;
    }
    if (unready > 0) {
        buf_append_cstr(out, "Not ready: ");
        put_number(out, unready);
        buf_append_cstr(out, " of ");
        put_counted(out, html->all.shapes, "statement shape");
        buf_append_cstr(out, " (");
        put_unready(html, out);
        buf_append_cstr(out, ")");
        if (html->all.total_ms > 0) {
            buf_append_cstr(out, unready == 1 ? "; it takes " : "; they take ");
            put_percent(out, html->all.total_ms - fine.total_ms, html->all.total_ms);
            buf_append_cstr(out, " of the time");
        }
        buf_append_cstr(out, ".");
    } else {
        buf_append_cstr(out, html->all.shapes == 1 ? "Its shape" : "All ");
        if (html->all.shapes > 1)
            put_counted(out, html->all.shapes, "statement shape");
        buf_append_cstr(out, html->all.shapes == 1 ? " is ready." : " are ready.");
    }
    if (html->rewritten > 0) {
        buf_append_cstr(out, " The proxy rewrites ");
        put_counted(out, html->rewritten, "shape");
        buf_append_cstr(out, ".");
    }
    if (html->nfunctions > 0) {
        buf_append_cstr(out, " ");
        put_counted(out, (uint64_t)html->nfunctions, "function");
        buf_append_cstr(out, html->nfunctions == 1 ? " has" : " have");
        buf_append_cstr(out, " to be changed.");
    }
}

static void put_fact(Buf *out, const char *name, const char *value) {
    if (!value)
        return;
    buf_printf(out, "<div><dt>%s</dt><dd>", name);
    put_text(out, value);
    buf_append_cstr(out, "</dd></div>");
}

/* Of a timestamp in UTC as PostgreSQL prints it, without fractions. */
static void put_moment(Buf *out, const char *name, const char *timestamp) {
    char text[64];
    if (!timestamp)
        return;
    snprintf(text, sizeof text, "%.*s UTC", (int)strcspn(timestamp, ".+"), timestamp);
    put_fact(out, name, text);
}

static void put_facts(const LintHtml *html, Buf *out) {
    put_fact(out, "Made", html->made);
    put_fact(out, "By", "shardferry " SHARDFERRY_VERSION);
    for (int i = 0; i < html->nplaces; i++) {
        const LintPlace *place = &html->places[i];
        put_fact(out, "From", place->name);
        put_fact(out, "Which runs", place->version);
        put_moment(out, "Counting since", place->since);
        put_fact(out, "Tables by stage", place->stages);
    }
}

/* ---- marks: shares ---- */

static double share_of_calls(const LintHtmlSum *sum) { return (double)sum->calls; }
static double share_of_time(const LintHtmlSum *sum) { return sum->total_ms; }
static double share_of_shapes(const LintHtmlSum *sum) { return (double)sum->shapes; }

typedef double Share(const LintHtmlSum *sum);

static void put_bar(const LintHtml *html, Buf *out, const char *label, Share *share) {
    double whole = share(&html->all), x = 0;
    buf_printf(out,
               "<div class=\"bar\"><span>%s</span><svg viewBox=\"0 0 %.0f 10\" preserveAspectRatio=\"none\" "
               "role=\"img\" aria-label=\"%s\">",
               label, BAR_WIDTH, label);
    for (size_t i = 0; i < ARRAY_LEN(classes) && whole > 0; i++) {
        double width = BAR_WIDTH * share(&html->sums[classes[i].class]) / whole;
        if (width <= 0)
            continue;
        buf_printf(out, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"10\"><title>%s: ",
                   lint_class_name(classes[i].class), x, width, classes[i].label);
        put_percent(out, share(&html->sums[classes[i].class]), whole);
        buf_append_cstr(out, "</title></rect>");
        x += width;
    }
    buf_append_cstr(out, "</svg></div>");
}

static void put_bars(const LintHtml *html, Buf *out) {
    put_bar(html, out, html->measured ? "of the calls" : "of the statements", share_of_calls);
    if (html->timed)
        put_bar(html, out, "of the time", share_of_time);
    put_bar(html, out, "of the shapes", share_of_shapes);
}

static void put_classes(const LintHtml *html, Buf *out) {
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        const LintHtmlSum *sum = &html->sums[classes[i].class];
        const char *name = lint_class_name(classes[i].class);
        buf_printf(out, "<li class=\"%s\"><div data-class=\"%s\"><i></i><b>%s</b><small>", name, name,
                   classes[i].label);
        put_counted(out, sum->shapes, "shape");
        if (sum->shapes > 0) {
            buf_append_cstr(out, "<br>");
            put_percent(out, (double)sum->calls, (double)html->all.calls);
            buf_append_cstr(out, html->measured ? " of calls" : " of statements");
        }
        if (sum->shapes > 0 && html->timed) {
            buf_append_cstr(out, "<br>");
            put_percent(out, sum->total_ms, html->all.total_ms);
            buf_append_cstr(out, " of time");
        }
        buf_append_cstr(out, "</small></div></li>");
    }
}

/* ---- marks: the table ---- */

static void put_columns(const LintHtml *html, Buf *out) {
    buf_printf(out,
               "<th scope=\"col\">Statement</th><th scope=\"col\" data-sort=\"verdict\">Verdict</th>"
               "<th scope=\"col\" class=\"n\" data-sort=\"calls\">%s</th>",
               html->measured ? "Calls" : "Times");
    if (html->timed)
        buf_append_cstr(
            out, "<th scope=\"col\" class=\"n\" data-sort=\"mean\">Mean</th>"
                 "<th scope=\"col\" class=\"n\" data-sort=\"total\" aria-sort=\"descending\">Total</th>"
                 "<th scope=\"col\">Of the time</th>");
    else
        buf_append_cstr(out, "<th scope=\"col\">First in</th>");
}

static const char *label_of(LintClass class) {
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (classes[i].class == class)
            return classes[i].label;
    return "";
}

static void put_line(Buf *out, const char *lead, const char *text) {
    if (!text)
        return;
    buf_printf(out, "<span class=\"why\">%s", lead);
    put_text(out, text);
    buf_append_cstr(out, "</span>");
}

static void put_measures(const LintHtml *html, const LintHtmlShape *s, Buf *out) {
    buf_append_cstr(out, html->measured ? "<td class=\"n\" data-label=\"calls\">"
                                        : "<td class=\"n\" data-label=\"times\">");
    put_number(out, s->calls);
    if (!html->timed) {
        buf_append_cstr(out, "</td><td class=\"mono\">");
        put_text(out, s->nplaces > 0 ? s->places[0] : "");
        buf_append_cstr(out, "</td>");
        return;
    }
    buf_append_cstr(out, "</td><td class=\"n\" data-label=\"mean\">");
    put_duration(out, s->calls > 0 ? s->total_ms / (double)s->calls : 0);
    buf_append_cstr(out, "</td><td class=\"n\" data-label=\"total\">");
    put_duration(out, s->total_ms);
    buf_append_cstr(out, "</td><td class=\"share\">");
    put_percent(out, s->total_ms, html->all.total_ms);
    buf_append_cstr(out, "</td>");
}

static void put_rows(const LintHtml *html, Buf *out) {
    for (int i = 0; i < html->nshapes && i < STATIC_ROWS; i++) {
        const LintHtmlShape *s = html->shapes[i];
        buf_append_cstr(out, "<tr class=\"row\"><td class=\"statement\"><bdi class=\"sql\">");
        put_text(out, s->sql);
        buf_append_cstr(out, "</bdi>");
        put_line(out, "", s->reason);
        put_line(out, "Citus refuses it: ", s->citus_error);
        put_line(out, "To do: ", s->suggestion);
        buf_printf(out, "</td><td><span class=\"badge %s\">%s</span></td>", lint_class_name(s->class),
                   label_of(s->class));
        put_measures(html, s, out);
        buf_append_cstr(out, "</tr>\n");
    }
}

static void put_count(const LintHtml *html, Buf *out) {
    buf_append_cstr(out, "The first ");
    put_number(out, (uint64_t)(html->nshapes < STATIC_ROWS ? html->nshapes : STATIC_ROWS));
    buf_append_cstr(out, " of ");
    put_counted(out, html->all.shapes, "shape");
    buf_append_cstr(out, "; with JavaScript all can be searched.");
}

static void put_legend(const LintHtml *html, Buf *out) {
    (void)html;
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        buf_printf(out, "<dt><span class=\"badge %s\">%s</span></dt><dd>%s</dd>",
                   lint_class_name(classes[i].class), classes[i].label, classes[i].meaning);
}

/* ---- functions ---- */

static void put_function(const LintFunction *f, Buf *out) {
    buf_append_cstr(out, "<details><summary><code>");
    put_text(out, f->signature);
    buf_append_cstr(out, "</code></summary>");
    if (f->replacement.ptr) {
        buf_printf(out, "<p>Mended, from the stage %s on%s:</p><pre tabindex=\"0\">", stage_name(f->from),
                   f->complete ? "" : ", but for what is to be done by hand");
        put_text(out, f->replacement.ptr);
        buf_append_cstr(out, "</pre>");
    } else {
        buf_append_cstr(out, "<p>To be changed by hand.</p>");
    }
    buf_append_cstr(out, "</details>");
}

static void put_functions(const LintHtml *html, Buf *out) {
    if (html->nfunctions == 0)
        return;
    buf_append_cstr(out, "<section class=\"functions\" aria-labelledby=\"functions-title\">"
                         "<h2 id=\"functions-title\">Functions to be changed</h2>");
    for (int i = 0; i < html->nfunctions; i++)
        put_function(&html->functions[i], out);
    buf_append_cstr(out, "</section>\n");
}

/* ---- the template ---- */

static const struct {
    const char *name;
    void (*put)(const LintHtml *html, Buf *out);
} marks[] = {
    {"policy", put_policy},       {"title", put_title},     {"style", put_style},
    {"headline", put_headline},   {"lead", put_lead},       {"facts", put_facts},
    {"bars", put_bars},           {"classes", put_classes}, {"count", put_count},
    {"columns", put_columns},     {"rows", put_rows},       {"legend", put_legend},
    {"functions", put_functions}, {"data", lint_html_json}, {"script", put_script},
};

static void put_mark(const LintHtml *html, Str name, Buf *out) {
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (str_is(name, marks[i].name))
            marks[i].put(html, out);
}

void lint_html_page(const LintHtml *html, Buf *out) {
    const char *at = html_report_html, *mark;
    while ((mark = strstr(at, "{{"))) {
        const char *end = strstr(mark, "}}");
        buf_append(out, at, (size_t)(mark - at));
        put_mark(html, (Str){mark + 2, (size_t)(end - mark - 2)}, out);
        at = end + 2;
    }
    buf_append_cstr(out, at);
}
