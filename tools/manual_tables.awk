# SPDX-License-Identifier: GPL-2.0-or-later
# Puts what the tables know into catena-options(7) and catena-addresses(7): of each entry the type, who takes it, the phase,
# the groups, the facts and the other names, of an entry without text the table's sentence, of each group its
# addresses, and in front of a list what most of it has in common.
#   manual_tables | awk -f tools/manual_tables.awk - man/catena-options.7 > new
# What it writes stands between  .\" table  and the next .Bl, .It or .El, and is written anew each time. The last  .\" of:
# of a section says what its lists are about: addresses whose options they are (WS WSS), where others have some of the
# same name; endpoints, inters; groups, phases, types; without one options of any address. A row that the page has nothing
# about gets an entry behind that of the row before.

BEGIN { FS = "\t" }

function fail(s) { print FILENAME ": " s > "/dev/stderr"; status = 1 }

# ---- what the tables know ----

NR == FNR && $1 ~ /[OEI]/ {
    r = ++rows
    kind[r] = $1; name[r] = $2; also[r] = $3; help[r] = $4
    if ($1 == "O") {
        type[r] = "type " $5; phase[r] = "phase " $6; groups[r] = $7; brings[r] = $8 " "; who[r] = owners($7, $8)
    } else {
        type[r] = of_its_own($5); who[r] = owners($6, ""); phase[r] = $7 == "" ? "" : "facts " commas($7)
    }
    n = split($2 " " $3, word, " ")
    for (i = 1; i <= n; i++) called[$1, word[i]] = called[$1, word[i]] " " r
    next
}
NR == FNR { known[$1, $2] = $3; wanted[$1, $2] = 1; next }

function commas(s) { sub(/^ /, "", s); gsub(/ /, ", ", s); return s }

function of_its_own(list) { return list == "" ? "" : (list ~ /. / ? "options " : "option ") commas(list) " of its own" }

# "group FD", "groups FD, OPEN", "of WS, WSS", or all that.
function owners(g, a,   out) {
    if (g == "(all)") out = "every address"
    else if (g != "") { out = (g ~ /,/ ? "groups " : "group ") g; gsub(/,/, ", ", out) }
    sub(/^ /, "", a)
    a = unique(a)
    if (a != "") out = out == "" ? "of " a : out ", and of " a
    return out
}

# Who takes it in this section: of those that the section is about, or of all.
function who_here(r,   a, i, m, list) {
    m = split(of, a, " ")
    for (i = 1; i <= m && what() == "O"; i++)
        if (index(brings[r], " " a[i] " ")) list = list " " a[i]
    return list == "" ? who[r] : "of " unique(list)
}

function unique(list,   w, n, i, out, seen) {
    n = split(list, w, " ")
    for (i = 1; i <= n; i++)
        if (!(w[i] in seen)) { seen[w[i]] = 1; out = out (out == "" ? "" : ", ") w[i] }
    return out
}

# ---- the page ----

{ line[++lines] = $0 }

function title(s) { return s ~ /^\.S[hs]/ }

# Names of an entry, with blanks between: what follows Cm and is no value, or Li where groups and their like are listed.
function names(it,   w, n, i, out, on, value) {
    n = split(it, w, " ")
    for (i = 2; i <= n; i++) {
        if (w[i] == ",") value = ""
        else if (w[i] == "=") value = "yes"
        else if (w[i] ~ /^[A-Z][a-z]$/) on = w[i] == (what() ~ /[GPT]/ ? "Li" : "Cm")
        else if (on && !value && w[i] ~ /[A-Za-z0-9]/ && !index(out " ", " " w[i] " ")) out = out " " w[i]
    }
    return out
}

# What the lists of this section are about, as the first field of the tables' lines has it.
function what() { return of in list_kind ? list_kind[of] : "O" }

# Rows that a name means in this section.
function meant(n,   w, k, i, a, j, m, own, rest) {
    if (what() != "O") return called[what(), n]
    k = split(called["O", n], w, " ")
    m = split(of, a, " ")
    for (i = 1; i <= k; i++) {
        for (j = 1; j <= m; j++)
            if (index(brings[w[i]], " " a[j] " ")) { own = own " " w[i]; break }
        if (groups[w[i]] != "") rest = rest " " w[i]
    }
    if (own == "" && rest == "" && m == 0 && k == 1) own = called["O", n]
    return own != "" ? own : rest
}

# What more than half of the rows of a list have, where none has nothing.
function most(field, list,   w, n, i, count, out) {
    n = split(list, w, " ")
    for (i = 1; i <= n; i++) {
        if (field[w[i]] == "") return ""
        if (n > 2 && 2 * ++count[field[w[i]]] > n) out = field[w[i]]
    }
    return out
}

function sentence(t, o, p,   s) {
    s = t
    if (o != "") s = s (s == "" ? "" : "; ") o
    if (p != "") s = s (s == "" ? "" : "; ") p
    return s
}

# A sentence begins with a capital, what is code with what it is.
function capital(s) { return s ~ /^[a-z]+([ :,]|$)/ ? toupper(substr(s, 1, 1)) substr(s, 2) : s }

# Lines that go to the page together, by made().
function text(s) {
    gsub(/\\/, "\\e", s)
    making = making (s ~ /^[.\047]/ ? "\\&" : "") s "\n"
}

function made(apart) {
    if (making != "") printf ".\\\" table\n%s%s", apart ? ".Pp\n" : "", making
    making = ""
}

# Other names that the entry does not have itself, as "also x, y".
function others(r, has,   w, n, i, out) {
    n = split(name[r] " " also[r], w, " ")
    for (i = 1; i <= n; i++)
        if (!index(has " ", " " w[i] " ")) out = out (out == "" ? "" : ", ") w[i]
    return out
}

# What is told of an entry with these rows.
function told(list, has, bare,   w, w2, n, i, facts, order, k, s, shown, last, several, more_names) {
    n = split(list, w, " ")
    if (bare)
        for (i = 1; i <= n; i++) {
            s = help[w[i]]
            if (!(s in shown)) text(capital(s) ".")
            shown[s] = 1
        }
    for (i = 1; i <= n; i++) {
        s = who_here(w[i])
        s = sentence(type[w[i]] == all_type ? "" : type[w[i]], s == all_who ? "" : s,
            phase[w[i]] == all_phase ? "" : phase[w[i]])
        if (!(s in facts)) order[++k] = s
        facts[s] = facts[s] (facts[s] == "" ? "" : ", ") called_here(w[i], has)
    }
    several = split(has, w2, " ") > 1
    last = k == 1 && order[1] != "" ? capital(order[1]) : ""
    for (i = 1; i <= k; i++)
        if (k > 1 && order[i] != "") text(facts[order[i]] ": " order[i] ".")
    for (i = 1; i <= n; i++) {
        s = others(w[i], has)
        if (s == "" || s in shown) continue
        shown[s] = 1
        if (several) more_names = more_names (more_names == "" ? "" : "; ") called_here(w[i], has) " is also called " s
        else last = last (last == "" ? "Also called " : "; also called ") s
    }
    if (last != "") text(last ".")
    if (more_names != "") text(more_names ".")
}

# The name by which the entry has that row.
function called_here(r, has,   w, n, i) {
    n = split(name[r] " " also[r], w, " ")
    for (i = 1; i <= n; i++)
        if (index(has " ", " " w[i] " ")) return w[i]
    return name[r]
}

# ---- a list, from its .Bl to its .El ----

# What its entries are about: rows, or names of groups and their like, which are known then.
function rows_of(has,   w, n, i, out) {
    n = split(has, w, " ")
    for (i = 1; i <= n; i++) {
        delete wanted[what(), w[i]]
        out = out meant(w[i])
        if (!((what(), w[i]) in known) && meant(w[i]) == "") fail("there is no " w[i] (of == "" ? "" : " of " of))
    }
    return out
}

# Of each entry its first line, its names, its rows, and how many lines of its own it has.
function gather(from, to,   i, depth) {
    entries = 0
    split("", own)
    for (i = from; i < to; i++) {
        if (line[i] ~ /^\.Bl/) depth++
        if (line[i] ~ /^\.El/) depth--
        if (depth == 1 && line[i] ~ /^\.It/) {
            first[++entries] = i
            has[entries] = names(line[i])
            rowsof[entries] = rows_of(has[entries])
        } else if (entries > 0 && line[i] !~ /^\.\\"/) {
            own[entries]++
        }
    }
    first[entries + 1] = to
}

function in_common(   k, w, n, i, everything, here) {
    for (k = 1; k <= entries; k++) everything = everything rowsof[k]
    n = split(everything, w, " ")
    for (i = 1; i <= n; i++) here[w[i]] = who_here(w[i])
    all_type = most(type, everything); all_who = most(here, everything); all_phase = most(phase, everything)
    if (all_type all_who all_phase == "") return
    text("Unless an entry says otherwise: " sentence(all_type, all_who, all_phase) ".")
    made(!title(before))
}

function list(from, to,   i, k, w, n) {
    gather(from, to)
    in_common()
    print line[from]
    for (k = 1; k <= entries; k++) {
        for (i = first[k]; i < first[k + 1]; i++) print line[i]
        if (what() == "G" && known["G", substr(has[k], 2)] != "")
            text("Addresses: " unique(known["G", substr(has[k], 2)]) ".")
        told(rowsof[k], has[k], !own[k])
        made(own[k] > 9)
        n = split(rowsof[k], w, " ")
        for (i = 1; i <= n; i++) more(w[i] + 1)
    }
    print line[to]
}

# Rows behind one that an entry is about, up to the next one of which that is true.
function more(r) {
    for (; r <= rows && !(r in about) && kind[r] == what(); r++) {
        about[r] = 1
        print ".It Cm " name[r] (type[r] ~ /nothing|switch/ ? "" : " Ns = Ns Ar value")
        told(r, " " name[r], 1)
        made()
    }
}

# ---- all of it ----

# A line is one of a section that is about something.
function section(s) {
    if (title(s)) of = ""
    if (s ~ /^\.\\" of: /) of = substr(s, 9)
}

# What was written before goes.
function forget(   i, kept, skip) {
    for (i = 1; i <= lines; i++) {
        if (line[i] == ".\\\" table") skip = 1
        else if (line[i] ~ /^\.(Bl|It|El|S[hs])/) skip = 0
        if (!skip) line[++kept] = line[i]
    }
    lines = kept
}

# Which rows have an entry, before anything is written.
function look(   i, j, n, w, rows_here, k, depth) {
    for (i = 1; i <= lines; i++) {
        section(line[i])
        if (line[i] ~ /^\.Bl/) depth++
        if (line[i] ~ /^\.El/) depth--
        if (line[i] !~ /^\.It/ || depth != 1) continue
        n = split(names(line[i]), w, " ")
        for (j = 1; j <= n; j++)
            for (k = split(meant(w[j]), rows_here, " "); k > 0; k--) about[rows_here[k]] = 1
    }
    of = ""
}

function page(   i, from, depth) {
    for (i = 1; i <= lines; i++) {
        if (depth == 0 && line[i] !~ /^\.(\\"|Bl)/) before = line[i]
        section(line[i])
        if (line[i] ~ /^\.Bl/ && ++depth == 1) from = i
        if (line[i] ~ /^\.El/ && --depth == 0) { list(from, i); continue }
        if (depth == 0) print line[i]
    }
}

# Whether the page is one about that.
function page_about(k) { return (FILENAME ~ /addresses/) == (k ~ /[EI]/) }

END {
    list_kind["endpoints"] = "E"; list_kind["inters"] = "I"
    list_kind["groups"] = "G"; list_kind["phases"] = "P"; list_kind["types"] = "T"
    forget()
    look()
    page()
    for (r = 1; r <= rows; r++)
        if (!(r in about) && page_about(kind[r])) fail("nothing about " name[r])
    for (w in wanted) {
        split(w, part, SUBSEP)
        if (page_about(part[1])) fail("nothing about " part[2])
    }
    exit status
}
