"""Travel reimbursements, Severa to Netvisor (NV-12): each once, and since Netvisor cannot be asked for one, whatever is in doubt goes
to a person, who says that it is there or sends it again."""

import random
import time

import pytest

from service import Service, event, wait_for

TENANT = "kajo"
WAITS, SENDING, SENT = "Odottaa siirtoa Netvisoriin", "Siirretään Netvisoriin", "Siirretty Netvisoriin"
EMPLOYEES, RATIOS = {"maija.meikalainen@kajo.example": "1001", "KK": "1002"}, {"KM": "Kilometrikorvaus", "PVR": "Päiväraha"}
SETTINGS = {
    "lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "connect_timeout": "1s", "quiet": "4s", "retry_first": "100ms",
    "retry_cap": "1s", "retest_interval": "1s", "poll_interval": "1s", "severa_rate": "10000", "severa_burst": "1000",
    "severa_concurrency": "8", "workers": "8", "shutdown_grace": "3s",
}
SEED = random.SystemRandom().randrange(1, 1 << 30)
PERSON = ("doubt_unsettled", "sent_before_loss")


def travel_settings(sending=True):
    statuses = {"transfer": WAITS, "transferred": SENT} | ({"sending": SENDING} if sending else {})
    return {"travel": {"statuses": statuses, "employees": EMPLOYEES, "ratios": RATIOS}, "dimensions": {"project_heading": "Projekti"}}


def start(service, name=TENANT, tenant=TENANT, **settings):
    service.connect(name, tenant, **(travel_settings() | settings))
    service.activate(name)


def add(service, number, lines=None, status=WAITS, user="Maija Meikäläinen", tenant=TENANT, **fields):
    """A travel reimbursement as a person makes it in Severa; its guid."""
    control = service.sandbox.control
    by_name = {r: {x["name"]: x for x in control(f"severa/{tenant}/{r}")} for r in ("users", "travelstatuses", "travelexpensetypes", "projects")}
    types = {t["code"]: t for t in by_name["travelexpensetypes"].values()}
    project = next(iter(by_name["projects"].values()), None)
    ref = lambda x: {"guid": x["guid"], "name": x["name"]}
    lines = [("KM", 100, 0.57), ("PVR", 2, 51)] if lines is None else lines
    made = control(f"severa/{tenant}/travels", "POST", {"fields": {
        "number": number, "title": f"Matka {number}", "date": "2026-11-10T00:00:00Z",
        "user": user if isinstance(user, dict) else ref(by_name["users"][user]),
        "travelReimbursementStatus": ref(by_name["travelstatuses"]["Luonnos"]),
        "totalExpenses": {"amount": round(sum(q * c for _, q, c, *_ in lines if c), 2), "currencyCode": "EUR"}} | fields})[0]
    for code, quantity, cost, *more in lines:
        known = types.get(code)
        control(f"severa/{tenant}/travellines", "POST", {"parent": made["guid"], "fields": {
            "travelExpense": {"guid": (known or made)["guid"], "code": code, "name": known["name"] if known else "Muu kulu"},
            "quantity": quantity, "unitCost": {"amount": cost, "currencyCode": "EUR"}, "eventDate": "2026-11-09",
            "travelStartTime": "2026-11-09T08:00:00Z", "travelEndTime": "2026-11-10T16:00:00Z", "description": "Asiakaskäynti",
            "project": {"guid": project["guid"], "name": project["name"]} if project else None} | (more[0] if more else {})})
    if status != "Luonnos":  # whole, now
        control(f"severa/{tenant}/travels/{made['guid']}", "POST", {"travelReimbursementStatus": ref(by_name["travelstatuses"][status])})
    return made["guid"]


def transfers(service, name=TENANT):
    return {t["number"]: t for t in service.transfers(name, kind="travel")}


def code_of(t):
    return (t["error"] or {}).get("code")


def comes_to(service, number, state, name=TENANT):
    return wait_for(f"{number} {state}: {transfers(service, name).get(str(number))}",
                    lambda: (t := transfers(service, name).get(str(number))) and t["state"] == state and t, 40)


def trips(service, tenant=TENANT):
    ledger = service.sandbox.ledger("netvisor", tenant)
    assert ledger["trip_duplicates"] == 0, (SEED, ledger["trips"])
    return {t["header"].split()[0]: t for t in ledger["trips"]}


def status_of(service, guid, tenant=TENANT):
    return service.sandbox.control(f"severa/{tenant}/travels/{guid}")["travelReimbursementStatus"]["name"]


def full(service, t):
    return service.call("GET", "/v1/transfers/" + t["id"])


def order(service, t, what, **body):
    answer = full(service, t)
    return service.call("POST", f"/v1/transfers/{t['id']}/{what}", {"reason": "looked in Netvisor"} | body, {"If-Match": answer.headers["ETag"]})


def poll(service, name=TENANT):
    service.call("POST", f"/v1/connections/{name}/sync")


@pytest.fixture(scope="module")
def service():
    with Service(**SETTINGS) as s:
        start(s)
        yield s


def test_NV_12_a_travel_invoice_goes_once_with_all_its_lines(service):
    guid = add(service, 1)
    done = comes_to(service, 1, "done")
    trip = trips(service)["1"]
    assert (trip["employee"], trip["sum"], trip["header"], trip["description"]) == ("1001", 159, "1 Matka 1", "Severa " + guid)
    for part in ('<ratio type="name">Kilometrikorvaus</ratio><amount>100</amount><customlineunitprice>0,57</customlineunitprice>',
                 '<begindate format="ansi">2026-11-09</begindate><enddate format="ansi">2026-11-10</enddate>'):
        assert part in trip["xml"], trip["xml"]
    assert status_of(service, guid) == SENT
    told = full(service, done).json()
    assert {"sent", "status_set"} <= {e["code"] for e in told["timeline"]} and told["kind"] == "travel"
    report = wait_for("a report", lambda: service.call("GET", f"/v1/connections/{TENANT}/report").json()["report"])
    assert report["missing"] == []


def test_NV_11_travel_rows_carry_their_dimensions(service):
    add(service, 2, user="Kalle Kokeilija")
    comes_to(service, 2, "done")
    trip = trips(service)["2"]
    item = next(iter(service.sandbox.control(f"netvisor/{TENANT}/dimensions")["Projekti"]))
    assert trip["employee"] == "1002" and trip["xml"].count(f"<dimensionname>Projekti</dimensionname><dimensionitem>{item}</dimensionitem>") == 2
    assert service.sandbox.ledger("netvisor", TENANT)["dimensions_made_silently"] == 0


def test_NV_12_each_lack_is_named_and_mended_it_goes(service):
    wanted = {
        10: ("travel_ratio_missing", {"lines": [("MATKA", 1, 10)]}), 11: ("travel_advance", {"advancePayment": {"amount": 50, "currencyCode": "EUR"}}),
        12: ("travel_sum_mismatch", {"totalExpenses": {"amount": 1, "currencyCode": "EUR"}}), 13: ("travel_rows_missing", {"lines": []}),
        14: ("travel_currency", {"lines": [("KM", 1, 10, {"unitCost": {"amount": 10, "currencyCode": "SEK"}})]}),
        15: ("travel_price_missing", {"lines": [("KM", 1, 0, {"unitCost": None})]}),
        16: ("employee_number_missing", {"user": {"guid": "0e6d9a10-0000-4000-8000-00000000dead", "name": "Uusi Työntekijä"}}),
    }
    stranger = service.sandbox.control(f"severa/{TENANT}/users", "POST", {"fields": {"firstName": "Uusi", "lastName": "Työntekijä", "name": "Uusi Työntekijä"}})[0]
    wanted[16][1]["user"] = {"guid": stranger["guid"], "name": "Uusi Työntekijä"}
    guids = {n: add(service, n, **fields) for n, (_, fields) in wanted.items()}
    wait_for("all looked at", lambda: (f := transfers(service)) and {n: code_of(f[str(n)]) for n in wanted if str(n) in f} == {n: c for n, (c, _) in wanted.items()}, 40)
    assert {status_of(service, g) for g in guids.values()} == {WAITS}
    assert "Työntekijä" in transfers(service)["16"]["error"]["text"]
    service.sandbox.control(f"severa/{TENANT}/travels/{guids[12]}", "POST", {"totalExpenses": {"amount": 159, "currencyCode": "EUR"}})
    comes_to(service, 12, "done")
    assert "10" not in trips(service)


def test_NV_12_in_doubt_it_is_never_sent_again_and_a_person_says_it_is_there(service):
    service.sandbox.fault(system="netvisor", match="tripexpense.nv", kind="cut_after_commit", count=1)
    guid = add(service, 20)
    t = comes_to(service, 20, "needs_data")
    assert code_of(t) == "doubt_unsettled" and t["error"]["actor"] == "operator" and status_of(service, guid) == SENDING
    assert service.call("POST", f"/v1/transfers/{t['id']}/retry", {}, {"If-Match": "*"}).status == 200
    poll(service)
    time.sleep(2.5)  # retests, and polls
    assert order(service, t, "resend").json()["code"] == "in_doubt"
    assert service.call("POST", f"/v1/transfers/{t['id']}/arrived", {}, {"If-Match": "*"}).status in (400, 422)
    said = order(service, t, "arrived", key="4711")
    assert said.status == 200, said.body
    comes_to(service, 20, "done")
    assert status_of(service, guid) == SENT and "20" in trips(service)
    told = full(service, t).json()
    assert told["delivered"] and [s["outcome"] for s in told["steps"] if s["name"] == "delivery"] == ["4711"]
    assert order(service, t, "arrived").status == 409


def test_NV_12_what_did_not_arrive_a_person_sends_again(service):
    # It commits nothing, but says so only by silence.
    service.sandbox.fault(system="netvisor", match="tripexpense.nv", kind="status", status=500, code="TECHNICAL_ERROR", count=1)
    guid = add(service, 21)
    t = comes_to(service, 21, "needs_data")
    assert code_of(t) == "doubt_unsettled" and "21" not in trips(service)
    assert order(service, t, "resend", despite_doubt=True).status == 200
    done = comes_to(service, 21, "done")
    assert done["generation"] == 2 and status_of(service, guid) == SENT and "21" in trips(service)


def test_NV_12_what_netvisor_refuses_goes_back_to_the_transfer_status(service):
    service.sandbox.fault(system="netvisor", match="tripexpense.nv", kind="status", status=400, code="INVALID_DATA", count=1)
    guid = add(service, 22)
    wait_for("the refusal", lambda: (t := transfers(service).get("22")) and (code_of(t) == "refused_by_target" or t["state"] == "done"))
    comes_to(service, 22, "done")
    assert status_of(service, guid) == SENT and "22" in trips(service)


def test_SV_02_a_status_that_a_person_chose_is_left_alone(service):
    # While Netvisor takes its time, somebody moves it to a draft.
    service.sandbox.fault(system="netvisor", match="tripexpense.nv", kind="latency", latency_ms=1500, count=1)
    guid = add(service, 23)
    wait_for("it is being sent", lambda: status_of(service, guid) == SENDING)
    draft = next(x for x in service.sandbox.control(f"severa/{TENANT}/travelstatuses") if x["name"] == "Luonnos")
    service.sandbox.control(f"severa/{TENANT}/travels/{guid}", "POST", {"travelReimbursementStatus": {"guid": draft["guid"], "name": "Luonnos"}})
    done = comes_to(service, 23, "done")
    assert status_of(service, guid) == "Luonnos" and "status_left_alone" in {e["code"] for e in full(service, done).json()["timeline"]}


def test_NV_12_moved_back_after_it_was_relayed_it_is_not_sent_again(service):
    waits = next(x for x in service.sandbox.control(f"severa/{TENANT}/travelstatuses") if x["name"] == WAITS)
    t = transfers(service)["1"]
    service.sandbox.control(f"severa/{TENANT}/travels/{t['source_id']}", "POST", {"travelReimbursementStatus": {"guid": waits["guid"], "name": WAITS}})
    assert service.webhook(TENANT, event(t["source_id"], "travel.changed")).json()["result"] in ("queued", "known")
    wait_for("the status set again", lambda: status_of(service, t["source_id"]) == SENT, 40)
    assert "already_relayed" in {e["code"] for e in full(service, t).json()["timeline"]} and len(trips(service)) == len(set(trips(service)))


def test_NV_12_a_refused_status_is_named_and_nothing_is_sent_twice(service):
    service.sandbox.fault(system="severa", match="/travelreimbursements/", method="PATCH", kind="status", status=400, code="InvalidOperation", count=4)
    guid = add(service, 24)
    wait_for("the refusal", lambda: (t := transfers(service).get("24")) and code_of(t) == "travel_status_refused")
    service.sandbox.clear_faults()
    comes_to(service, 24, "done")
    assert status_of(service, guid) == SENT and "24" in trips(service)


def test_OP_01_a_dry_run_of_a_travel_invoice_writes_nothing(service):
    guid = add(service, 30, status="Luonnos")
    job = service.call("POST", f"/v1/connections/{TENANT}/dry-run", {"source_id": guid, "kind": "travel"}).json()
    result = wait_for("the dry run", lambda: (j := service.call("GET", "/v1/jobs/" + job["id"]).json())["state"] == "done" and j)["result"]
    assert result["document"].startswith("<root><tripexpense>") and result["invoice"]["customer_code"] == "1001"
    assert {n["code"] for n in result["notes"]} >= {"not_in_transfer_status"} and "30" not in trips(service)
    assert status_of(service, guid) == "Luonnos"
    assert {t["kind"] for t in service.transfers(TENANT, kind="travel")} == {"travel"}


def test_NV_12_the_check_names_statuses_rights_and_settings(service):
    def check(**travel):
        body = travel_settings()["travel"]
        body["statuses"] = body["statuses"] | travel.pop("statuses", {})
        name = f"check{random.randrange(1 << 30)}"
        service.connect(name, "kajo", travel=body | travel)
        job = service.call("POST", f"/v1/connections/{name}/check").json()
        result = wait_for("the check", lambda: (j := service.call("GET", "/v1/jobs/" + job["id"]).json())["state"] != "queued" and j["state"] != "running" and j)["result"]
        return {p["code"] for p in result["problems"]}
    assert "travel_status_unknown" in check(statuses={"transfer": "Ei tätä tilaa"})
    twin = service.sandbox.control(f"severa/{TENANT}/travelstatuses", "POST", {"fields": {"name": "Kaksi"}, "count": 2})
    assert len(twin) == 2 and "travel_status_ambiguous" in check(statuses={"transfer": "Kaksi"})
    before = "invoices:read invoices:write customers:read settings:read files:read projects:read organization:read"
    service.sandbox.control(f"severa/{TENANT}", "POST", {"scopes": before})
    assert "scope_missing" in check()
    service.sandbox.control(f"severa/{TENANT}", "POST", {"scopes": before + " travels:read travels:write"})
    assert "users_scope_missing" in check()
    service.sandbox.control(f"severa/{TENANT}", "POST", {"scopes": before + " travels:read travels:write users:read"})
    body = {"statuses": {"transfer": WAITS}}
    answer = service.call("PATCH", f"/v1/connections/{TENANT}", {"settings": {"travel": body | {"statuses": {"transfer": WAITS, "transferred": WAITS}}}}, {"If-Match": "*"})
    assert answer.status in (400, 422) and answer.json()["pointer"] == "/settings/travel/statuses/transferred"


def test_NV_12_two_connections_never_pay_one_travel_invoice_twice():
    with Service(**SETTINGS | {"poll_interval": "1h"}) as s:
        start(s, "one", travel=travel_settings(False)["travel"])
        other = next(u["vat_number"] for u in s.setup(TENANT)["severa"]["business_units"] if u["vat_number"] not in (None, s.setup(TENANT)["severa"]["vat_number"]))
        start(s, "two", travel=travel_settings(False)["travel"], company={"vat_number": other})
        add(s, 40)
        s.sandbox.fault(system="severa", match="/travelreimbursements/", method="PATCH", kind="status", status=503, count=1000)
        for name in ("one", "two"):
            poll(s, name)
        seen = lambda: {code_of(transfers(s, name).get("40", {"error": None})): name for name in ("one", "two")}
        second = wait_for("the second connection", lambda: seen().get("travel_taken"))
        first = "two" if second == "one" else "one"
        assert transfers(s, second)["40"]["error"]["detail"]["subject"] == first
        s.sandbox.clear_faults()
        comes_to(s, 40, "done", first)
        assert list(trips(s)) == ["40"]


def answered_by_a_person(service, name=TENANT, tenant=TENANT):
    """What a person does: looks in Netvisor, and says what is there."""
    there = trips(service, tenant)
    for number, t in transfers(service, name).items():
        if t["state"] == "needs_data" and code_of(t) in PERSON:
            answer = order(service, t, "arrived") if number in there else order(service, t, "resend", despite_doubt=True)
            assert answer.status in (200, 409, 412), answer.body


@pytest.mark.parametrize("sending", [True, False])
def test_NV_12_exactly_once_under_strikes(sending):
    """Kills, cut lines and an emptied Redis: never two of one, and each one in doubt is named to a person."""
    rng = random.Random(SEED)
    total = 24
    with Service(relays=2, **SETTINGS) as s:
        start(s, travel=travel_settings(sending)["travel"])
        s.sandbox.fault(system="netvisor", match="tripexpense.nv", kind="latency", latency_ms=20, latency_max_ms=150)
        guids = {}
        for i in range(total):
            guids[100 + i] = add(s, 100 + i)
            what = rng.choices(["none", "relay", "redis", "cut", "empty"], [6, 3, 2, 6, 1 if i > 4 else 0])[0]
            if what == "relay":
                relay = rng.choice(s.relays)
                relay.kill()
                relay.start()
            elif what == "redis":
                s.redis.kill()
                s.redis.start()
            elif what == "cut":
                s.sandbox.fault(system="netvisor", match="tripexpense.nv", kind=rng.choice(["cut_after_commit", "cut_in_answer", "cut_before"]), count=1)
            elif what == "empty" or i == total // 2:
                s.redis.cli("FLUSHALL")
            time.sleep(rng.random() * 0.3)

        def at_rest():
            found = transfers(s)
            return found and not [t for t in found.values() if t["state"] not in ("done", "needs_data", "skipped")] and found
        for _ in range(60):
            poll(s)
            found = wait_for("rest", at_rest, 60)
            odd = {n: code_of(t) for n, t in found.items() if t["state"] == "needs_data" and code_of(t) not in PERSON}
            assert not odd, (SEED, odd)
            trips(s)
            if len(trips(s)) == total and {status_of(s, g) for g in guids.values()} == {SENT}:
                break
            answered_by_a_person(s)
            time.sleep(0.5)
        assert len(trips(s)) == total, (SEED, sorted(trips(s)))
        assert {status_of(s, g) for g in guids.values()} == {SENT}, SEED


def test_NV_12_after_a_loss_the_sending_status_tells_what_was_never_sent():
    """Emptied between two polls: what waits in the transfer status goes by itself; without such a status all of it goes to a person."""
    for sending in (True, False):
        with Service(**SETTINGS | {"poll_interval": "1h"}) as s:
            start(s, travel=travel_settings(sending)["travel"])
            s.sandbox.fault(system="netvisor", match="tripexpense.nv", kind="status", status=503, count=1000)
            guids = [add(s, n) for n in (50, 51)]
            s.redis.cli("FLUSHALL")
            wait_for("the connection back", lambda: s.call("GET", f"/v1/connections/{TENANT}").status == 200 and
                     s.call("GET", "/readyz", token=None).status == 200, 40)
            s.sandbox.clear_faults()
            wait_for("a poll", lambda: poll(s) or transfers(s).get("51"), 40, 0.3)
            if sending:
                for n in (50, 51):
                    comes_to(s, n, "done")
                assert {status_of(s, g) for g in guids} == {SENT}
            else:
                assert {code_of(comes_to(s, n, "needs_data")) for n in (50, 51)} == {"sent_before_loss"}
                assert not trips(s)
                assert order(s, transfers(s)["50"], "resend").status == 200
                assert order(s, transfers(s)["51"], "arrived").status == 200
                for n in (50, 51):
                    comes_to(s, n, "done")
                assert list(trips(s)) == ["50"] and {status_of(s, g) for g in guids} == {SENT}
