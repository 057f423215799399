# SPDX-License-Identifier: GPL-2.0-or-later
# The manual's pages (mdoc) as rows of src/engine/cli/manual_text.c: every entry of a list at the outermost level
# with the names it explains, and every section. What tools/manual_tables.awk has put into an entry is left out: -h has
# that from the tables themselves.
#   awk -f tools/manual_text.awk man/catena.1 ... > manual_text.inc

function unescape(s,   at) {
    gsub(/\\\(dq/, "\"", s); gsub(/\\\(aq/, "'", s)
    gsub(/\\-/, "-", s); gsub(/\\&/, "", s); gsub(/\\ /, " ", s)
    while ((at = index(s, "\\e")) > 0)
        s = substr(s, 1, at) substr(s, at + 2)
    return s
}

function closing(w) { return w ~ /^[].,;:?!)]$/ }

# One word more on the line that is being made.
function put(w) {
    if (line == "" || glued || closing(w) && !literal)
        line = line w
    else
        line = line " " w
    glued = 0
}

function split_words(s,   n, word) {
    n = 0
    while (match(s, /^[ \t]*("[^"]*"|[^ \t]+)/)) {
        word = substr(s, RSTART, RLENGTH)
        s = substr(s, RSTART + RLENGTH)
        sub(/^[ \t]+/, "", word)
        if (word ~ /^".*"$/)
            word = substr(word, 2, length(word) - 2)
        words[++n] = word
    }
    return n
}

BEGIN {
    n = split("Cm Ar Fl Li Ql Sq Dq Qq Pq Ev Nm Pa Em No Dv Ic Sx Sy Xr Ns Ap Op Oo Oc Po Pc It", m, " ")
    for (i = 1; i <= n; i++) macro[m[i]] = 1
    open["Ql"] = "'"; shut["Ql"] = "'"; open["Sq"] = "'"; shut["Sq"] = "'"
    open["Dq"] = "\""; shut["Dq"] = "\""; open["Qq"] = "\""; shut["Qq"] = "\""
    open["Pq"] = "("; shut["Pq"] = ")"; open["Op"] = "["; shut["Op"] = "]"
    print "/* Made by tools/manual_text.awk. */"
}

# A macro line without its dot, as text; names of what it explains go to `named`.
function render(s,   n, i, w, now, ends, k, started, value) {
    line = ""; glued = 0; now = ""; ends = ""; named = ""; literal = 0; value = ""
    n = split_words(s)
    for (k = n; k > 1 && closing(words[k]) && !(words[k - 1] in macro); k--)
        ;
    for (i = 1; i <= n; i++) {
        w = words[i]
        if (w in macro) {
            if (now == "Fl" && !started) put("-")
            started = 0
            if (w == "Ns") { glued = 1; now = ""; continue }
            if (w == "Ap") { line = line "'"; glued = 1; now = ""; continue }
            if (w == "Po" || w == "Oo") { put(w == "Po" ? "(" : "["); glued = 1; continue }
            if (w == "Pc" || w == "Oc") { glued = 1; put(w == "Pc" ? ")" : "]"); continue }
            if (w in open) { put(open[w]); glued = 1; ends = shut[w] ends; now = w; started = 1; continue }
            now = w
            if (now == "Nm" && (i == n || closing(words[i + 1]) || words[i + 1] in macro)) { put(page); started = 1 }
            if (now == "Ar" && (i == n || words[i + 1] in macro)) put("file ...")
            continue
        }
        w = unescape(w)
        if (w == "=" || w == ",") value = w == "="
        if (i > k && ends != "") { line = line ends; ends = "" }
        if (now == "Xr") { put(w "(" words[++i] ")"); now = ""; continue }
        if (now == "Fl" && w != "|" && !closing(w)) { put("-" w); started = 1; named = named " -" w }
        else {
            if ((now == "Cm" || now == "Li") && !value && w ~ /[A-Za-z0-9]/) named = named " " w
            put(w)
            started = 1
        }
        if (w == "(" || w == "[") glued = 1
    }
    if (now == "Fl" && !started) put("-")
    return line ends
}

# Awks disagree about backslashes in replacements.
function c_string(s,   i, c, out) {
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        out = out (c == "\\" || c == "\"" ? "\\" c : c == "\n" ? "\\n\"\n     \"" : c)
    }
    return "\"" out "\""
}

# In front of what stands so many lists deep; an entry's own list is none.
function indent(deep,   i, s) {
    s = ""
    for (i = whole == "" ? 1 : 0; i < deep; i++) s = s "    "
    return s
}

# Words that wait are made lines of.
function flush(   n, i, out, pad, w) {
    if (text == "")
        return
    n = split(text, w, " ")
    pad = indent(depth)
    out = pad w[1]
    for (i = 2; i <= n; i++) {
        if (length(out) + 1 + length(w[i]) > 76) {
            body = body out "\n"
            out = pad w[i]
        } else {
            out = out " " w[i]
        }
    }
    body = body out "\n"
    text = ""
}

function row(kind, names, head) {
    flush()
    sub(/\n+$/, "\n", body)
    if (names != "" && body != "")
        printf "    {'%s', %s,\n     %s,\n     %s},\n", kind, c_string(names " "), c_string(head), c_string(body)
    body = ""
}

function entry_ends() {
    if (entry != "") row(kind, entry_names, entry_head)
    entry = ""
}

function section_ends() {
    entry_ends()
    if (whole != "") row("t", section_name, section)
    whole = ""
}

function add(s) { text = text == "" ? s : text " " s }

/^\.\\" table$/ { made = whole == ""; next }
/^\.\\"/ { next }
/^\.(Bl|It|El|S[hs])/ { made = "" }
made { next }
/^\.Nm/ && page == "" { page = $2 }
/^\.(Dd|Dt|Os|Nd)/ { next }
/^\.Sh/ {
    section_ends()
    depth = 0
    section = substr($0, 5)
    section_name = tolower(section)
    kind = section == "ADDRESSES" ? "a" : section == "OPTIONS" ? "o" : section == "SWITCHES" ? "s" :
           section == "CODES" ? "c" : ""
    whole = section !~ /^(NAME|SYNOPSIS|SEE ALSO)$/ && kind == "" ? "yes" : ""
    text = ""; body = ""
    next
}
/^\.Ss/ { flush(); if (body != "") body = body "\n"; body = body substr($0, 5) "\n"; next }
/^\.Bl/ { flush(); if (++depth == 1 && whole == "") body = ""; next }
/^\.El/ {
    flush()
    if (--depth == 0) entry_ends()
    next
}
/^\.It/ {
    flush()
    s = render(substr($0, 5))
    if (depth == 1 && whole == "") {
        entry_ends()
        entry = "yes"; entry_head = s; entry_names = named
    } else {
        body = body indent(depth - 1) s "\n"
    }
    next
}
/^\.Pp/ { flush(); body = body "\n"; next }
/^\.Bd/ { flush(); verbatim = 1; next }
/^\.Ed/ { verbatim = 0; next }
verbatim { body = body indent(depth) "    " unescape($0) "\n"; next }
/^\.Dl/ { flush(); body = body indent(depth) "    " unescape(substr($0, 5)) "\n"; next }
/^\./ { add(render(substr($0, 2))); next }
{ add(unescape($0)) }
END { section_ends() }
