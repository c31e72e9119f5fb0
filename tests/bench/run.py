#!/usr/bin/env python3
"""make bench: Viesti beside its yardsticks, in one run on one machine.

Each result is one JSON line on stdout and in build/bench.jsonl: name, value, unit, for a ratio both sides, and how it was
measured. Notes go to stderr. QUICK=1 shortens every run; names given as arguments choose some: tests/bench/run.py ready_ms.
Every side gets a Redis of its own, freshly started, with the same settings: AOF, appendfsync always, noeviction.
"""
import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build/gcc")
WORK = ROOT / "build" / "bench"
QUICK = os.environ.get("QUICK", "") not in ("", "0")
SECRET_BYTES = b"k" * 32
SECRET = "whsec_" + base64.b64encode(SECRET_BYTES).decode()
CONNECTIONS = 128
LOAD_MS = 2500 if QUICK else 8000
WARM_MS = 500 if QUICK else 1500


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def emit(name, value, unit, **more):
    """One result line; values are rounded for people, the sides behind them are not."""
    line = json.dumps({"name": name, "value": round(value, 3), "unit": unit, **more}, ensure_ascii=False)
    print(line, flush=True)
    with open(ROOT / "build" / "bench.jsonl", "a", encoding="utf-8") as f:
        f.write(line + "\n")


def emit_ratio(name, ours, theirs, unit, **more):
    emit(name, ours / theirs if theirs else 0, "ratio", viesti=ours, yardstick=theirs, of=unit, **more)


# --- processes ---

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def process(argv, name, env=None, ready=None, patience_s=15):
    """A child in a session of its own, its output in WORK/name.log; ended with everything it started."""
    log = WORK / f"{name}.log"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VIESTI_")}
    with open(log, "wb") as out:
        child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 env={**clean, **(env or {})}, start_new_session=True)
    try:
        deadline = time.monotonic() + patience_s
        while ready and not ready():
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.002)
        yield child
    finally:
        for sig in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, sig)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
                break


def says_ready(name):
    log = WORK / f"{name}.log"
    return lambda: log.exists() and re.search(r"^ready\b", log.read_text(errors="replace"), re.M)


@contextlib.contextmanager
def redis(name):
    """A Redis on a unix socket that has every acknowledged write on disk; yields the socket's path."""
    folder = WORK / f"redis-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sock = pathlib.Path(f"/tmp/viesti-bench-{os.getpid()}-{name}.sock")  # a socket's path is short
    argv = ["redis-server", "--port", "0", "--unixsocket", sock, "--dir", folder, "--appendonly", "yes",
            "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction", "--loglevel", "warning"]
    with process(argv, f"redis-{name}", ready=sock.exists):
        try:
            yield sock
        finally:
            sock.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def load(port, path, requests_per_s_at_most):
    """Signed webhooks from CONNECTIONS kept-alive connections; the generator's report."""
    done = subprocess.run([BUILD / "bench" / "load", "-p", str(port), "-u", path, "-s", SECRET, "-c", str(CONNECTIONS),
                           "-n", str(requests_per_s_at_most * (LOAD_MS + WARM_MS) // 1000), "-d", str(LOAD_MS),
                           "-w", str(WARM_MS)], stdout=subprocess.PIPE, text=True, check=False)
    report = json.loads(done.stdout)
    if done.returncode != 0 or report["ran_out"]:
        raise RuntimeError(f"the load is no measurement: {done.stdout.strip()}")
    return report


def sides(report):
    return {k: report[k] for k in ("per_s", "p50_us", "p99_us", "own_cpu_ms")}


def rss_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) / 1024


def http_status(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return 0


# --- the yardsticks ---

def install_node():
    """Copies the Node side to build/ and installs its packages there; their versions."""
    target = WORK / "node"
    target.mkdir(parents=True, exist_ok=True)
    for p in (ROOT / "tests/bench/node").iterdir():
        shutil.copy(p, target)
    wanted = json.loads((target / "package.json").read_text(encoding="utf-8"))["dependencies"]

    def installed(name):
        try:
            return json.loads((target / "node_modules" / name / "package.json").read_text(encoding="utf-8"))["version"]
        except OSError:
            return None

    if any(installed(name) != version for name, version in wanted.items()):
        subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
                       cwd=target, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {"node": node, **wanted}


def bare_mhd_intake():
    port = free_port()
    with process([BUILD / "bench" / "bare_mhd", port], "bare_mhd", ready=says_ready("bare_mhd")):
        report = load(port, "/v1/webhooks/bench", 250000)
    version = re.search(r"libmicrohttpd \S+", (WORK / "bare_mhd.log").read_text(encoding="utf-8")).group(0)
    return report, version


def fastify_intake():
    """The better of one and two processes."""
    best = None
    versions = install_node()
    for processes in (1, 2):
        with redis("fastify") as sock:
            port, name = free_port(), f"fastify-{processes}"
            env = {"REDIS": str(sock), "PORT": str(port), "SECRET": SECRET, "PROCESSES": str(processes), "NODE_ENV": "production"}
            with process(["node", WORK / "node" / "server.mjs"], name, env, says_ready(name)):
                report = load(port, "/v1/webhooks/bench", 60000)
        note(f"Fastify + BullMQ, {processes} processes: {report['per_s']}/s")
        if not best or report["per_s"] > best["per_s"]:
            best = {**report, "processes": processes}
    return best, versions


def jobs_run(name, argv, env=None):
    """One run of a jobs program on a Redis of its own; its report."""
    with redis(name) as sock:
        out = subprocess.run([str(a).replace("SOCK", str(sock)) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             env={**os.environ, **(env or {}), "REDIS": str(sock)}, check=True, timeout=300).stdout
    report = json.loads(out)
    note(f"{name}: {report['jobs_per_s']} jobs/s")
    return report


# --- Viesti ---

def service_env(sock, port, **more):
    return {"VIESTI_PORT": str(port), "VIESTI_DATA_DIR": str(WORK / "data"), "VIESTI_REDIS_URL": f"unix://{sock}",
            "VIESTI_KEY": "6b" * 32, "VIESTI_ADMIN_TOKEN": "bench-admin-token-0123456789", "VIESTI_LOG_LEVEL": "warn", **more}


@contextlib.contextmanager
def service(name, sock, **more):
    """`viesti serve` on a Redis of ours; yields (process, port) once /readyz says 200."""
    port = free_port()
    shutil.rmtree(WORK / "data", ignore_errors=True)
    (WORK / "data").mkdir(parents=True)
    with process([BUILD / "viesti", "serve"], name, service_env(sock, port, **more),
                 lambda: http_status(port, "/readyz") == 200) as child:
        yield child, port


def ready_ms():
    """Start of the process to the first 200 of /readyz, with a running Redis; the median of some."""
    took = []
    with redis("ready") as sock:
        for _ in range(5 if QUICK else 15):
            start = time.monotonic()
            with service("ready", sock):
                took.append((time.monotonic() - start) * 1000)
    took.sort()
    emit("ready_ms", took[len(took) // 2], "ms", worst=round(took[-1], 1), runs=len(took))


def rss_rest_mb():
    """Resident size of the idle service, without an embedded Redis."""
    with redis("rest") as sock, service("rest", sock) as (child, _port):
        time.sleep(2)
        emit("rss_rest_mb", rss_mb(child.pid), "MB")


# --- Viesti with a sandbox beside it ---

@contextlib.contextmanager
def sandbox(tenants, invoices, latency_ms=0):
    """viesti-sandbox with generated tenants whose customers and products are known; yields its module's Sandbox."""
    sys.path.insert(0, str(ROOT / "tests" / "system"))
    import sandbox as module  # only here: it lies with the system tests
    with module.Sandbox("--log-bodies", "0", seed="empty") as sb:
        sb.tenants(count=tenants, invoices=invoices, customers=3, prefix="b", registered=True)
        if latency_ms:
            sb.fault(kind="latency", latency_ms=latency_ms)
        yield sb


def sandbox_env(sb):
    host = f"127.0.0.1:{sb.port}"
    return {"VIESTI_ALLOW_HTTP": "true", "VIESTI_ALLOW_PRIVATE": "true", "VIESTI_ALLOW_HOSTS": host,
            "VIESTI_SEVERA_URL": f"http://{host}/severa/rest-api", "VIESTI_NETVISOR_URL": f"http://{host}/netvisor",
            "VIESTI_SEVERA_RATE": "100000", "VIESTI_SEVERA_BURST": "100000", "VIESTI_SEVERA_CONCURRENCY": "64"}


def rest(port, method, path, body=None, token="bench-admin-token-0123456789"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def connect(port, setup, active=True, **more):
    from service import connection_of  # beside sandbox.py
    rest(port, "POST", "/v1/connections", {**connection_of(setup, setup["key"]), **more})
    if active:
        rest(port, "POST", f"/v1/connections/{setup['key']}/activate", {})


def cpu_ms(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def transfers(latency_ms, tenants, invoices, workers):
    """Whole transfers: (per second, CPU ms of the service per transfer, vendor calls per transfer)."""
    with sandbox(tenants, invoices, latency_ms) as sb, redis("transfers") as sock, \
            service("transfers", sock, VIESTI_WORKERS=str(workers), VIESTI_POLL_INTERVAL="1h", **sandbox_env(sb)) as (child, port):
        setups = sb.setup()
        total = tenants * invoices
        cpu, start = cpu_ms(child.pid), time.monotonic()
        for setup in setups:
            connect(port, setup)
        first = None
        while True:
            ledger = sb.ledger()["netvisor"]
            done = sum(n["count"] for n in ledger)
            if first is None and done >= total // 10:
                first = (done, time.monotonic())  # after the ramp: tokens, first connections
            if done >= total * 9 // 10:
                last = (done, time.monotonic())
                break
            if time.monotonic() - start > 180:
                raise RuntimeError(f"only {done} of {total} transfers after 180 s")
            time.sleep(0.02)
        while sum(n["count"] for n in sb.ledger()["netvisor"]) < total and time.monotonic() - start < 180:
            time.sleep(0.05)
        used = (cpu_ms(child.pid) - cpu) / total
        calls = sum(n["calls"] for n in sb.ledger()["netvisor"]) + sum(s["requests"] for s in sb.ledger()["severa"])
        return (last[0] - first[0]) / (last[1] - first[1]), used, calls / total


def transfers_0ms():
    per_s, used, calls = transfers(0, 8, 60 if QUICK else 250, 8)
    emit("transfers_0ms_per_s", per_s, "transfers/s", calls_per_transfer=round(calls, 2), workers=8)
    emit("cpu_ms_per_transfer", used, "ms", calls_per_transfer=round(calls, 2))


def transfers_50ms():
    """Against min(limit / calls, concurrency / sum of latencies); the limits are raised, so concurrency decides."""
    workers, latency = 8, 50
    per_s, _used, calls = transfers(latency, 16, 10 if QUICK else 30, workers)
    ideal = workers / (calls * latency / 1000)
    emit_ratio("transfers_50ms_vs_ideal", per_s, ideal, "transfers/s", calls_per_transfer=round(calls, 2), workers=workers,
               ideal="workers / (calls x 50 ms)")


def webhook_connection(port, sb):
    setup = sb.setup()[0]
    connect(port, setup, active=False, webhook_secrets=[SECRET])
    rest(port, "POST", f"/v1/connections/{setup['key']}/activate", {})
    rest(port, "POST", f"/v1/connections/{setup['key']}/pause", {})
    return setup["key"]


def viesti_intake():
    with sandbox(1, 1) as sb, redis("intake") as sock, service("intake", sock, **sandbox_env(sb)) as (_child, port):
        key = webhook_connection(port, sb)
        return load(port, f"/v1/webhooks/{key}", 120000)


def rss_10k_queued_mb():
    """10,000 webhooks taken in for a paused connection: they wait in Redis, the service's own size is shown."""
    with sandbox(1, 1) as sb, redis("queued") as sock, service("queued", sock, **sandbox_env(sb)) as (child, port):
        key = webhook_connection(port, sb)
        subprocess.run([BUILD / "bench" / "load", "-p", str(port), "-u", f"/v1/webhooks/{key}", "-s", SECRET, "-c", "16",
                        "-n", "10000", "-d", "10000", "-w", "0"], stdout=subprocess.DEVNULL, check=False)
        emit("rss_10k_queued_mb", rss_mb(child.pid), "MB")


def intake():
    bare, mhd = bare_mhd_intake()
    fastify, node = fastify_intake()
    ours = viesti_intake()
    emit_ratio("intake_vs_bare_mhd", ours["per_s"], bare["per_s"], "requests/s", viesti_side=sides(ours), yardstick_side=sides(bare), versions=mhd)
    emit_ratio("intake_vs_fastify_bullmq", ours["per_s"], fastify["per_s"], "requests/s", viesti_side=sides(ours), yardstick_side=sides(fastify),
               versions=node)


def jobs():
    """Jobs that do nothing, from a full queue to the last stored outcome, 20,000 or 60,000 of them; the sides in turns, each with
    several settings, its best counts. BullMQ 6: one worker process, its jobs are removed on completion, no timeline. Viesti: what
    the service does for a transfer, but for the flow's own calls: turn between two connections, claim with lease and fence,
    attempt with arena and clock, record, index by state, a sealed timeline entry that stays."""
    versions = install_node()
    n = "20000" if QUICK else "60000"
    theirs, ours = [], []
    for concurrency, workers in ((32, 8), (128, 16)) if QUICK else ((16, 4), (32, 8), (64, 16), (128, 32)):
        theirs.append(jobs_run(f"bullmq-{concurrency}", ["node", WORK / "node" / "worker.mjs"],
                               {"JOBS": n, "CONCURRENCY": str(concurrency), "NODE_ENV": "production"}))
        ours.append(jobs_run(f"noop-{workers}", [BUILD / "bench" / "noop", "unix://SOCK", n, workers]))
    best, yardstick = (max(side, key=lambda r: r["jobs_per_s"]) for side in (ours, theirs))
    emit_ratio("jobs_vs_bullmq", best["jobs_per_s"], yardstick["jobs_per_s"], "jobs/s", viesti_side=best, yardstick_side=yardstick,
               versions=versions)


def einvoice_format_cpu_ms():
    """An invoice of 50 rows as an e-invoice: CPU time of the dearer format; wanted < 1 ms and < 1 MB of arena."""
    out = subprocess.run([BUILD / "bench" / "einvoice", "500" if QUICK else "3000"], stdin=subprocess.DEVNULL, capture_output=True,
                         text=True, check=True, timeout=120).stdout
    sides = {side.pop("format"): side for side in map(json.loads, out.splitlines())}
    emit("einvoice_format_cpu_ms", max(s["cpu_us"] for s in sides.values()) / 1000, "ms", **sides)


def register_sync():
    """A first run of two registers of 20,000 records each, one POST per record to the bare libmicrohttpd handler, 670 of them a
    second allowed: what is used of that limit, and the largest resident size of the process (queue, store, workers, HTTP)."""
    port, n = free_port(), "4000" if QUICK else "20000"
    with redis("registers") as sock, process([BUILD / "bench" / "bare_mhd", port], "bare_mhd", ready=says_ready("bare_mhd")):
        out = subprocess.run([BUILD / "bench" / "registers", f"unix://{sock}", f"http://127.0.0.1:{port}/", n, "670"],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=600).stdout
    side = json.loads(out)
    emit_ratio("register_sync_vs_rate_limit", side["per_s"], side["rate_limit"], "calls/s", viesti_side=side)
    emit("register_sync_rss_mb", side["rss_mb"], "MB", viesti_side=side)


BENCHES = {f.__name__: f for f in (intake, jobs, transfers_0ms, transfers_50ms, rss_rest_mb, rss_10k_queued_mb, ready_ms, einvoice_format_cpu_ms,
                                   register_sync)}


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    (ROOT / "build" / "bench.jsonl").write_text("", encoding="utf-8")
    failed = 0
    for name in sys.argv[1:] or BENCHES:
        start = time.monotonic()
        try:
            BENCHES[name]()
        except (RuntimeError, OSError, subprocess.SubprocessError) as e:
            failed += 1
            note(f"{name}: {e}")
        note(f"{name}: {time.monotonic() - start:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
