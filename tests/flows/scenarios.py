"""What the recorders of Severa flows have in common: how a scenario is written down, and what every case may want of its run."""


def scenario(title, invoice="plain-hours", spec=None, prepare=None, **want):
    """A row of a Book (record.py). spec: of the run; prepare(sandbox) makes things so, and may answer more of it."""
    def make(sb):
        made = prepare(sb) if prepare else None
        return {**(spec or {}), **(made if isinstance(made, dict) else {})}
    return title, invoice, make, want


def is_write(x):
    return x["method"] != "GET" and not x["url"].endswith("/token")


def outcome_complaints(sb, invoice, want, case):
    """What every flow's cases may want: of the outcome, the notes, the writes, the status, the check and the report."""
    got = case["expect"]
    for key in ("outcome", "error", "reason", "subject", "generation"):
        if key in want and got.get(key) != want[key]:
            yield "%s is %s" % (key, got.get(key))
    if "error" in got and "error" not in want:
        yield "failed"
    for note in want.get("notes", []):
        if note not in got["notes"]:
            yield "no note " + note
    for note in want.get("no_notes", []):
        if note in got["notes"]:
            yield "note " + note
    if "writes" in want and sum(map(is_write, case["exchanges"])) != want["writes"]:
        yield "writes: %s" % [x["url"] for x in case["exchanges"] if is_write(x)]
    if "status" in want:
        wanted = sb.setup["severa"].get(want["status"] + "_status", want["status"])
        if wanted not in sb.invoice(invoice)["status"].values():
            yield "status is " + sb.invoice(invoice)["status"]["name"]
    if "problems" in want and [p["code"] for p in got["result"]["problems"]] != want["problems"]:
        yield "problems: %s" % got["result"]
    for key, value in want.get("report", {}).items():
        if got["report"].get(key) != value:
            yield "report %s is %s" % (key, got["report"].get(key))
    if "dry" in want and want["dry"] not in got["result"]["document"]:
        yield "dry run: %s" % got["result"]
