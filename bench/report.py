# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures as text: a table for each workload, and what became of its targets."""
import statistics

KINDS = {"ours": 0, "limit": 1, "direct": 2, "socat": 3, "peer": 4}


def number(value):
    """Three figures that mean something."""
    if value is None:
        return "-"
    return "%.0f" % value if value >= 99.5 else "%.1f" % value if value >= 9.95 else "%.2f" % value


def best(workload, metric, medians, faults, kinds=("peer", "socat")):
    """(name, value) of the best of which nothing is known that speaks against it."""
    found = [(medians[c.name][metric.name], c.name) for c in workload.contenders
             if c.kind in kinds and c.name not in faults and metric.name in medians[c.name]]
    if not found:
        return None, None
    value, name = min(found) if metric.low else max(found)
    return name, value


def reference(workload, metric, against, medians, faults):
    """(description, value) of what a figure is compared with."""
    if against == "absolute":
        return "", 1
    if against == "best":
        name, value = best(workload, metric, medians, faults)
        return "best peer, %s" % name, value
    if against == "limits":
        name, value = best(workload, metric, medians, faults, ("limit",))
        return "best loop, %s" % name, value
    return against, medians.get(against, {}).get(metric.name)


def spread(values):
    """Half of what lies between the smallest and the largest, in percent of the median."""
    middle = statistics.median(values)
    return "%.0f%%" % (50 * (max(values) - min(values)) / middle) if middle else "-"


def rows(workload, values, faults, medians):
    mine = medians
    socat = next((c.name for c in workload.contenders if c.kind == "socat"), None)
    against = {}
    for m in workload.metrics:
        against[m.name] = (best(workload, m, mine, faults)[1],
                           mine.get(socat, {}).get(m.name),
                           reference(workload, m, workload.limit, mine, faults)[1])
    order = sorted(workload.contenders, key=lambda c: KINDS[c.kind])
    for c in order:
        cells = [c.name]
        for m in workload.metrics:
            value = mine[c.name].get(m.name)
            meaningless = value is None or (c.kind == "direct" and value == 0)
            cells.append("-" if meaningless else number(value))
            cells += ["-" if meaningless or not other else "%.2f" % (value / other)
                      for other in against[m.name]]
        first = values[c.name].get(workload.metrics[0].name)
        cells.append(spread(first) if first else "")
        cells.append(faults.get(c.name, ""))
        yield cells


def target_lines(workload, faults, medians):
    metrics = {m.name: m for m in workload.metrics}
    for t in workload.targets:
        metric = metrics[t.metric]
        value = medians[t.ours].get(t.metric)
        name, other = reference(workload, metric, t.against, medians, faults)
        if value is None or other is None or t.ours in faults:
            verdict, detail = "not known", name
        else:
            bound = t.factor * other + t.more
            well = value <= bound if metric.low else value >= bound
            verdict = "reached" if well else "MISSED"
            detail = "%s, wanted %s %s" % (
                number(value), "at most" if metric.low else "at least", number(bound))
            if name:
                detail += " = %s x %s (%s)" % (number(t.factor), name, number(other))
                detail += " + %s" % number(t.more) if t.more else ""
        yield "%-4s  %-14s  %-9s  %-9s  %s" % (t.grade, t.ours, metric.label, verdict, detail)


def table(workload, values, faults, medians):
    head = [""]
    for m in workload.metrics:
        head += [m.label, "/peer", "/socat", "/limit"]
    head += ["+-", ""]
    lines = [head] + list(rows(workload, values, faults, medians))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head) - 1)]
    out = ["%s: %s" % (workload.name, workload.title)]
    if workload.limit:
        out[0] += "; limit: " + workload.limit.replace("limits", "the best bare loop")
    for line in lines:
        cells = [line[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(line[1:-1], widths[1:])]
        out.append(("  ".join(cells) + "  " + line[-1]).rstrip())
    return "\n".join(out + list(target_lines(workload, faults, medians)))


def record(path, pages):
    with open(path, "w") as f:
        f.write("# Results\n\nWritten by `bench/run --record`; README.md says how to read it.\n")
        for page in pages:
            f.write("\n```text\n%s\n```\n" % page)
