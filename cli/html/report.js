/* The report's table, made from the data in the page: sorted, filtered, a part at a time. What is chosen stands in the
 * address's fragment (#verdict=multi-tenant&table=public.orders&application=shop&q=…&sort=calls&order=ascending&open=…),
 * so that a view can be passed on. Texts are put into the page as texts, never as markup. */
(function () {
    "use strict";

    const PAGE = 100;
    const root = document.documentElement;
    addEventListener("error", (event) => { root.dataset.error = event.message || "error"; });

    const data = JSON.parse(document.getElementById("data").textContent);
    const $ = (id) => document.getElementById(id);
    const NO_NAME = "(no application_name)", OTHERS = "(others)";
    /* From worst to ready: the order of sorting by verdict. */
    const LABELS = { "refused": "refused by Citus", "multi-tenant": "multi-tenant", "unparsed": "unparsed", "opaque": "opaque",
        "no-tenant-table": "no tenant table", "single-tenant": "single-tenant" };
    const SEVERITY = Object.keys(LABELS);
    const READY = new Set(["single-tenant", "no-tenant-table"]);
    /* As in the bars. */
    const BARS = ["single-tenant", "no-tenant-table", "multi-tenant", "refused", "opaque", "unparsed"];

    /* ---- making elements ---- */

    function element(name, attributes, ...children) {
        const e = document.createElement(name);
        for (const [key, value] of Object.entries(attributes || {}))
            if (value !== undefined && value !== null && value !== false)
                e.setAttribute(key, value);
        e.append(...children.filter((child) => child !== undefined && child !== null));
        return e;
    }

    function svg(name, attributes, ...children) {
        const e = document.createElementNS("http://www.w3.org/2000/svg", name);
        for (const [key, value] of Object.entries(attributes))
            e.setAttribute(key, value);
        e.append(...children);
        return e;
    }

    /* Control characters as their pictures; characters that are not seen, or that turn the order around, by number. */
    const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

    function visible(character) {
        const code = character.codePointAt(0);
        return code < 0x20 ? String.fromCodePoint(0x2400 + code)
            : "[U+" + code.toString(16).toUpperCase().padStart(4, "0") + "]";
    }

    function text(value) {
        const parts = document.createDocumentFragment();
        let at = 0;
        for (const match of String(value).matchAll(UNSEEN)) {
            parts.append(value.slice(at, match.index), element("span", { class: "hidden-char" }, visible(match[0])));
            at = match.index + match[0].length;
        }
        parts.append(String(value).slice(at));
        return parts;
    }

    /* ---- figures ---- */

    const number = (n) => (n || 0).toLocaleString("en-US");

    function duration(ms) {
        if (ms < 10) return ms.toFixed(2) + " ms";
        if (ms < 1000) return ms.toFixed(0) + " ms";
        if (ms < 100e3) return (ms / 1e3).toFixed(1) + " s";
        if (ms < 6000e3) return (ms / 60e3).toFixed(1) + " min";
        return (ms / 3600e3).toFixed(1) + " h";
    }

    /* Never "100" of what is not all, never "0" of what is not none. */
    function percent(part, whole) {
        const p = whole > 0 ? 100 * part / whole : 0;
        if (p > 99.9 && part < whole) return "> 99.9 %";
        if (p > 0 && p < 0.1) return "< 0.1 %";
        return p.toFixed(p === 0 || part >= whole ? 0 : 1) + " %";
    }

    /* Of a timestamp in UTC as PostgreSQL prints it. */
    const moment = (timestamp) => timestamp && timestamp.replace(/(\.\d+)?\+00$/, " UTC");

    const counted = (n, noun) => number(n) + " " + noun + (n === 1 ? "" : "s");

    /* ---- what is chosen ---- */

    const state = { verdicts: new Set(), table: "", application: "", q: "", sort: data.timed ? "total" : "", order: "descending",
        open: new Set(), limit: PAGE };

    function readFragment() {
        const chosen = new URLSearchParams(location.hash.slice(1));
        state.verdicts = new Set((chosen.get("verdict") || "").split(",").filter((verdict) => verdict in LABELS));
        state.table = chosen.get("table") || "";
        state.application = chosen.get("application") || "";
        state.q = chosen.get("q") || "";
        state.sort = chosen.get("sort") || (data.timed ? "total" : "");
        state.order = chosen.get("order") === "ascending" ? "ascending" : "descending";
        state.open = new Set((chosen.get("open") || "").split(",").filter(Boolean));
    }

    function writeFragment() {
        const chosen = new URLSearchParams();
        if (state.verdicts.size) chosen.set("verdict", [...state.verdicts].join(","));
        if (state.table) chosen.set("table", state.table);
        if (state.application) chosen.set("application", state.application);
        if (state.q) chosen.set("q", state.q);
        if (state.sort && state.sort !== "total") chosen.set("sort", state.sort);
        if (state.order !== "descending") chosen.set("order", state.order);
        if (state.open.size) chosen.set("open", [...state.open].join(","));
        history.replaceState(null, "", "#" + chosen);
    }

    /* ---- shapes ---- */

    const nameOf = (client) => client.application === null ? OTHERS : client.application === "" ? NO_NAME : client.application;

    data.shapes.forEach((shape, i) => {
        shape.id = (shape.fingerprint || "n" + i) + "-" + shape.verdict;
        shape.calls = shape.calls || 0;
        shape.total = shape.total || 0;
        shape.words = [shape.sql, shape.reason, shape.suggestion, shape.citus, shape.fingerprint, ...(shape.tables || []),
            ...(shape.places || []), ...(shape.clients || []).flatMap((client) => [client.application, client.user])]
            .filter(Boolean).join("\n").toLowerCase();
    });

    /* What the chosen application, or all of them, made of a shape; null if it did not use it. */
    function measure(shape) {
        if (!state.application)
            return { shape, calls: shape.calls, total: shape.total, errors: shape.errors || 0 };
        const parts = (shape.clients || []).filter((client) => nameOf(client) === state.application);
        if (!parts.length)
            return null;
        const sum = (field) => parts.reduce((n, client) => n + (client[field] || 0), 0);
        return { shape, calls: sum("calls"), total: sum("total"), errors: sum("errors") };
    }

    const mean = (m) => m.calls ? m.total / m.calls : 0;
    const SORTS = {
        verdict: (m) => SEVERITY.length - SEVERITY.indexOf(m.shape.verdict),
        calls: (m) => m.calls,
        mean: mean,
        total: (m) => m.total,
    };

    /* Of the application and the table that are chosen: what the shares are of. */
    function inScope() {
        return data.shapes.filter((shape) => !state.table || (shape.tables || []).includes(state.table))
            .map(measure).filter(Boolean);
    }

    function chosenOf(scope) {
        const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
        const found = scope.filter(({ shape }) => (!state.verdicts.size || state.verdicts.has(shape.verdict)) &&
            words.every((word) => shape.words.includes(word)));
        const by = SORTS[state.sort], sign = state.order === "ascending" ? 1 : -1;
        return by ? found.map((m) => [by(m), m]).sort((a, b) => sign * (a[0] - b[0])).map((pair) => pair[1]) : found;
    }

    /* ---- shares ---- */

    function sums(scope) {
        const all = { shapes: 0, calls: 0, total: 0 }, of = {};
        for (const name of BARS)
            of[name] = { shapes: 0, calls: 0, total: 0 };
        for (const m of scope)
            for (const sum of [all, of[m.shape.verdict]]) {
                sum.shapes += 1;
                sum.calls += m.calls;
                sum.total += m.total;
            }
        return { all, of };
    }

    function bar(label, field, { all, of }) {
        const picture = svg("svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", role: "img",
            "aria-label": label + ": " + BARS.filter((name) => of[name][field]).map((name) =>
                percent(of[name][field], all[field]) + " " + LABELS[name]).join(", ") });
        let x = 0;
        for (const name of BARS) {
            const width = all[field] ? 1000 * of[name][field] / all[field] : 0;
            if (width > 0)
                picture.append(svg("rect", { class: name, x: x.toFixed(2), width: width.toFixed(2), height: 10 },
                    svg("title", {}, LABELS[name] + ": " + percent(of[name][field], all[field]))));
            x += width;
        }
        return element("div", { class: "bar" }, element("span", {}, label), picture);
    }

    function classButton(name, { all, of }) {
        const sum = of[name], lines = [counted(sum.shapes, "shape")];
        if (sum.shapes)
            lines.push(percent(sum.calls, all.calls) + (data.measured ? " of calls" : " of statements"));
        if (sum.shapes && data.timed)
            lines.push(percent(sum.total, all.total) + " of time");
        const small = element("small");
        lines.forEach((line, i) => small.append(...(i ? [element("br"), line] : [line])));
        const button = element("button", { type: "button", "data-class": name, "aria-pressed": String(state.verdicts.has(name)) },
            element("i"), element("b", {}, LABELS[name]), small);
        button.disabled = !sum.shapes && !state.verdicts.has(name);
        button.addEventListener("click", () => {
            if (!state.verdicts.delete(name))
                state.verdicts.add(name);
            changed();
            $("classes").querySelector("[data-class='" + name + "']").focus();
        });
        return element("li", { class: name }, button);
    }

    function showShares(scope) {
        const of = sums(scope);
        const bars = [bar(data.measured ? "of the calls" : "of the statements", "calls", of)];
        if (data.timed)
            bars.push(bar("of the time", "total", of));
        bars.push(bar("of the shapes", "shapes", of));
        $("bars").replaceChildren(...bars);
        $("classes").replaceChildren(...BARS.map((name) => classButton(name, of)));
        const scopes = [state.application, state.table].filter(Boolean).join(", ");
        $("shares-title").replaceChildren(scopes ? text("Shares: " + scopes) : "Shares");
    }

    /* ---- SQL ---- */

    const TOKEN = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|[eE]?'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\$\d+|[\p{L}_][\p{L}\p{N}_$]*|\d[\w.]*|\s+|./gu;
    const KEYWORDS = new Set(("select from where and or not in is null join left right full inner outer cross natural on using group by " +
        "having order limit offset fetch union intersect except all distinct as with recursive insert into values update set delete " +
        "returning conflict do nothing default case when then else end exists between like ilike any some lateral copy to create table " +
        "alter drop begin commit rollback for share of nowait skip locked over partition window merge matched explain analyze cast array " +
        "asc desc nulls first last true false").split(" "));

    function kindOf(token) {
        if (/^(--|\/\*)/.test(token)) return "c";
        if (/^(e?'|\$\w*\$|\$?\d)/i.test(token)) return "s";
        return KEYWORDS.has(token.toLowerCase()) ? "k" : "";
    }

    /* Which of the tokens in `after` are not in `before`: those outside a longest common subsequence. */
    function added(before, after) {
        let head = 0, tail = 0;
        while (head < before.length && head < after.length && before[head] === after[head])
            head++;
        while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail))
            tail++;
        const a = before.slice(head, before.length - tail), b = after.slice(head, after.length - tail);
        const marks = new Set();
        if (a.length * b.length > 4e6)
            return marks;
        const width = b.length + 1, lengths = new Uint32Array((a.length + 1) * width);
        for (let i = a.length - 1; i >= 0; i--)
            for (let j = b.length - 1; j >= 0; j--)
                lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1] + 1
                    : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
        for (let i = 0, j = 0; j < b.length;) {
            if (i < a.length && a[i] === b[j]) {
                i++;
                j++;
            } else if (i < a.length && lengths[(i + 1) * width + j] > lengths[i * width + j + 1]) {
                i++;
            } else {
                marks.add(head + j++);
            }
        }
        return marks;
    }

    /* A statement with its words told apart; with `original`, what it has more than that is marked. */
    function statement(sql, original) {
        const tokens = sql.match(TOKEN) || [];
        const marks = original === undefined ? new Set() : added(original.match(TOKEN) || [], tokens);
        const pre = element("pre", { tabindex: 0 });
        let open = null;
        tokens.forEach((token, i) => {
            /* Blanks are marked only between words that are. */
            const marked = marks.has(i) && (!/^\s+$/.test(token) || (open && marks.has(i + 1)));
            if (marked && !open)
                pre.append(open = element("ins"));
            else if (!marked)
                open = null;
            const kind = kindOf(token);
            (open || pre).append(kind ? element("span", { class: kind }, text(token)) : text(token));
        });
        return pre;
    }

    /* ---- one shape ---- */

    function block(title, className, ...content) {
        return element("section", { class: className }, element("h3", {}, title), ...content);
    }

    const paragraph = (value) => element("p", {}, text(value));

    function pairs(rows) {
        const list = element("dl", { class: "pairs" });
        for (const [name, value] of rows)
            if (value !== undefined && value !== null && value !== "")
                list.append(element("dt", {}, name), element("dd", {}, value instanceof Node ? value : text(value)));
        return list;
    }

    function clientTable(clients) {
        const body = element("tbody");
        for (const client of clients)
            body.append(element("tr", {}, element("td", {}, text(nameOf(client))), element("td", {}, text(client.user || "")),
                element("td", { class: "n" }, number(client.calls)), element("td", { class: "n" }, number(client.errors)),
                element("td", { class: "n" }, duration(client.total || 0))));
        const head = ["Application", "User", "Calls", "Errors", "Total"].map((name, i) =>
            element("th", { scope: "col", class: i > 1 ? "n" : undefined }, name));
        return element("table", {}, element("thead", {}, element("tr", {}, ...head)), body);
    }

    function tableList(shape) {
        const list = document.createDocumentFragment(), unscoped = new Set(shape.unscoped || []);
        (shape.tables || []).forEach((name, i) => {
            list.append(i ? ", " : "", unscoped.has(name)
                ? element("span", { class: "bad", title: "not scoped to one tenant" }, text(name), " (unscoped)") : text(name));
        });
        return shape.tables ? list : "";
    }

    function detail(shape) {
        const left = element("div"), right = element("div");
        if (shape.reason)
            left.append(block("Why", "reason", paragraph(shape.reason)));
        if (shape.citus)
            left.append(block("Citus refuses it", "refusal", element("p", { class: "citus" }, text(shape.citus))));
        if (shape.suggestion)
            left.append(block("What to do", "suggestion", element("p", { class: "todo" }, text(shape.suggestion))));
        left.append(block("Statement", "sample", statement(shape.sql)));
        if (shape.proposed)
            left.append(block("Mended, as the keys imply", "proposed", statement(shape.proposed, shape.sql)));
        if (shape.sent)
            left.append(block("As the proxy sends it", "sent", statement(shape.sent, shape.sql)));
        right.append(block("Facts", "facts-of-shape", pairs([
            ["Tables", tableList(shape)],
            ["Fingerprint", shape.fingerprint],
            [data.measured ? "Calls" : "Times", number(shape.calls)],
            ["Errors", data.detailed ? number(shape.errors) : ""],
            ["Total time", data.timed ? duration(shape.total) : ""],
            ["Mean time", data.timed ? duration(mean(shape)) : ""],
            ["Longest", data.detailed ? duration(shape.max || 0) : ""],
            ["Blocked", shape.blocked ? number(shape.blocked) : ""],
            ["Noticed", shape.noticed ? number(shape.noticed) : ""],
            ["First seen", moment(shape.first)], ["Last seen", moment(shape.last)],
            ["Found in", data.detailed ? "" : (shape.places || []).join(", ")],
        ])));
        if (shape.clients)
            right.append(block("Applications", "clients", clientTable(shape.clients)));
        return element("div", { class: "detail-grid" }, left, right);
    }

    /* ---- the table ---- */

    const columns = document.querySelectorAll("#shapes > thead th").length;

    function share(part, whole) {
        return svg("svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", role: "img", "aria-label": percent(part, whole) },
            svg("rect", { x: 0, width: whole ? (1000 * part / whole).toFixed(2) : 0, height: 10 },
                svg("title", {}, percent(part, whole))));
    }

    /* The lines below the statement that are worth the room. */
    function summary(shape) {
        const lines = [];
        if (shape.citus)
            lines.push(element("span", { class: "why" }, element("span", { class: "bad" }, "Citus refuses it: "), text(shape.citus)));
        else if (shape.reason)
            lines.push(element("span", { class: "why" }, text(shape.reason)));
        const tags = [["mended", shape.proposed], ["rewritten", shape.sent], [number(shape.blocked) + " blocked", shape.blocked],
            [counted(shape.errors, "error"), shape.errors]].filter(([, is]) => is);
        if (tags.length)
            lines.push(element("span", { class: "why" }, ...tags.map(([name]) => element("span", { class: "tag" }, name))));
        return lines;
    }

    function row(m, whole) {
        const { shape } = m, opened = state.open.has(shape.id);
        const button = element("button", { type: "button", class: "open", "aria-expanded": String(opened) },
            element("span", {}, element("bdi", { class: "sql" }, text(shape.sql)), ...summary(shape)));
        const cells = [element("td", { class: "statement" }, button),
            element("td", {}, element("span", { class: "badge " + shape.verdict }, LABELS[shape.verdict])),
            element("td", { class: "n", "data-label": data.measured ? "calls" : "times" }, number(m.calls))];
        if (data.timed)
            cells.push(element("td", { class: "n", "data-label": "mean" }, duration(mean(m))),
                element("td", { class: "n", "data-label": "total" }, duration(m.total)),
                element("td", { class: "share " + shape.verdict }, share(m.total, whole)));
        else
            cells.push(element("td", { class: "mono" }, text((shape.places || [""])[0])));
        const tr = element("tr", { class: opened ? "row opened" : "row", "data-verdict": shape.verdict,
            "data-fingerprint": shape.fingerprint }, ...cells);
        button.addEventListener("click", () => toggle(shape, tr, button));
        return opened ? [tr, detailRow(shape)] : [tr];
    }

    const detailRow = (shape) => element("tr", { class: "detail" }, element("td", { colspan: columns }, detail(shape)));

    function toggle(shape, tr, button) {
        const open = !state.open.delete(shape.id);
        if (open) {
            state.open.add(shape.id);
            tr.after(detailRow(shape));
        } else {
            tr.nextElementSibling.remove();
        }
        tr.classList.toggle("opened", open);
        button.setAttribute("aria-expanded", String(open));
        writeFragment();
    }

    function showTable(scope, found) {
        const whole = scope.reduce((n, m) => n + m.total, 0);
        const shown = found.slice(0, state.limit), hidden = scope.length - found.length;
        document.querySelector("#shapes > tbody").replaceChildren(...shown.flatMap((m) => row(m, whole)));
        const parts = [shown.length < found.length ? "The first " + number(shown.length) + " of " + counted(found.length, "shape")
            : counted(found.length, "shape")];
        if (found.length < data.shapes.length)
            parts.push(number(data.shapes.length - found.length) + " hidden by the filters");
        if (data.shapes.length < data.all)
            parts.push(number(data.all - data.shapes.length) + " that cost less are left out of this page");
        if (data.timed && hidden + state.verdicts.size + state.q.length > 0 && found.length)
            parts.push(percent(found.reduce((n, m) => n + m.total, 0), whole) + " of the time");
        $("count").textContent = parts.join("; ") + ".";
        $("more").hidden = shown.length === found.length;
        $("more").textContent = "Show " + number(Math.min(found.length - shown.length, 5 * PAGE)) + " more";
        for (const th of document.querySelectorAll("#shapes > thead th[data-sort]"))
            if (th.dataset.sort === state.sort)
                th.setAttribute("aria-sort", state.order);
            else
                th.removeAttribute("aria-sort");
    }

    /* ---- controls ---- */

    const UNREADY = SEVERITY.filter((name) => !READY.has(name));

    function show() {
        const scope = inScope();
        $("unready").checked = state.verdicts.size === UNREADY.length && UNREADY.every((name) => state.verdicts.has(name));
        showShares(scope);
        showTable(scope, chosenOf(scope));
    }

    function changed() {
        state.limit = PAGE;
        writeFragment();
        show();
    }

    function fill(select, counts) {
        const names = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
        for (const [name] of names)
            select.append(element("option", { value: name }, text(name)));
        select.closest("label").hidden = !names.length;
    }

    /* What is wanted may not be among what there is: then it is shown all the same, and nothing is found. */
    function choose(select, value) {
        if (value && ![...select.options].some((option) => option.value === value))
            select.append(element("option", { value }, text(value)));
        select.value = value;
    }

    function followFragment() {
        readFragment();
        $("q").value = state.q;
        choose($("table"), state.table);
        choose($("application"), state.application);
        state.limit = PAGE;
        show();
    }

    const tables = new Map(), applications = new Map();
    for (const shape of data.shapes) {
        for (const name of shape.tables || [])
            tables.set(name, (tables.get(name) || 0) + (shape.total || shape.calls));
        for (const client of shape.clients || [])
            applications.set(nameOf(client), (applications.get(nameOf(client)) || 0) + (client.total || client.calls || 0));
    }
    fill($("table"), tables);
    fill($("application"), applications);

    for (const th of document.querySelectorAll("#shapes > thead th[data-sort]")) {
        const button = element("button", { type: "button" }, th.textContent);
        th.replaceChildren(button);
        button.addEventListener("click", () => {
            const same = state.sort === th.dataset.sort;
            state.order = same && state.order === "descending" ? "ascending" : "descending";
            state.sort = th.dataset.sort;
            changed();
        });
    }
    $("q").addEventListener("input", () => { state.q = $("q").value; changed(); });
    for (const id of ["table", "application"])
        $(id).addEventListener("change", () => { state[id] = $(id).value; changed(); });
    $("unready").addEventListener("change", () => {
        state.verdicts = new Set($("unready").checked ? UNREADY : []);
        changed();
    });
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    $("filters").addEventListener("reset", (event) => {
        event.preventDefault();
        state.verdicts.clear();
        state.table = state.application = state.q = "";
        writeFragment();
        followFragment();
    });
    $("more").addEventListener("click", () => { state.limit += 5 * PAGE; show(); });
    addEventListener("hashchange", followFragment);

    $("filters").hidden = false;
    followFragment();
    root.dataset.ready = "yes";
})();
