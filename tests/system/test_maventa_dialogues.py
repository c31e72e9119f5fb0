"""Registration and authentication at Maventa, resources of a severa-maventa connection, in the running service (MV-01 to MV-07, MV-15,
MV-16): against the sandbox's Severa and Maventa."""

import threading
import uuid

import pytest

from sandbox import ALL_SCOPES
from service import Service, maventa_connection_of, wait_for
from test_openapi import problem

SETTINGS = {"poll_interval": "1h", "severa_rate": "1000", "severa_burst": "100", "maventa_rate": "1000", "maventa_burst": "100",
            "maventa_auth_poll": "1s", "request_timeout": "2s", "lease": "2s", "beat": "500ms", "quiet": "4s"}
DATA = "FI90001022"  # kajo's second company, which Maventa does not know
SOAP = {"system": "maventa", "match": "apis/v1.1/api", "method": "POST"}


@pytest.fixture(scope="module", name="service")
def one_service():
    with Service(**SETTINGS) as running:
        yield running


@pytest.fixture(autouse=True)
def start_anew(service):
    service.sandbox.reset("demo")
    service.sandbox.clear_faults()
    yield


@pytest.fixture(name="fresh")
def another_service():
    """Without the connections of other tests, which are of the same companies."""
    with Service(**SETTINGS) as running:
        yield running


@pytest.fixture(name="conn")
def new_connection(service):
    return draft(service)


def draft(service, tenant="kajo", **settings):
    """A connection that has Severa's credentials, and nothing of Maventa's."""
    name = "c" + uuid.uuid4().hex[:10]
    body = maventa_connection_of(service.setup(tenant), name, **{"company": None} | settings)
    del body["credentials"]["maventa"]
    assert service.call("POST", "/v1/connections", body).status == 201
    return name


def candidates(service, conn, **more):
    return service.call("GET", f"/v1/connections/{conn}/registrations/candidates", **more).json()


def person(service, conn, first_name):
    return next(p for p in candidates(service, conn)["persons"] if p["first_name"] == first_name)


def register(service, conn, first_name="Kalle", headers=None, **change):
    body = {"mode": "register", "company": DATA, "person": person(service, conn, first_name)["id"]} | change
    return service.call("POST", f"/v1/connections/{conn}/registrations", body, headers)


def connect(service, conn, company=None, **keys):
    setup = service.setup("kajo")["maventa"]
    body = {"mode": "connect", "company": company or setup["vat_number"]} | keys
    return service.call("POST", f"/v1/connections/{conn}/registrations", body)


def pair(service, tenant="kajo", **change):
    setup = service.setup(tenant)["maventa"]
    return {k: setup[k] for k in ("company_uuid", "user_api_key")} | change


def read(service, answer, *states, seconds=20):
    """The resource of an answer, once it is in one of these states."""
    href = answer if isinstance(answer, str) else answer.json()["href"]
    return wait_for(" or ".join(states), lambda: (r := service.call("GET", href).json())["state"] in states and r, seconds)


def made(answer, state):
    assert answer.status == 201, answer.body
    body = answer.json()
    assert body["state"] == state, body
    assert answer.headers["Location"] == body["href"] and answer.headers["ETag"] == f'"{body["rev"]}"'
    return body


def keys_on(service, conn):
    read_again = service.call("GET", f"/v1/connections/{conn}").json()
    return read_again["credentials_set"].get("maventa", [])


def account(service, key="9000102-2"):
    return service.sandbox.control("maventa/" + key)


def key_of(service, email):
    """What the person copies out of Maventa."""
    return next(u for u in service.sandbox.control("maventa/users") if u["email"] == email)["user_api_key"]


def registrations_at_maventa(service):
    return service.sandbox.control("maventa")["registrations"]


# --- to choose from --------------------------------------------------------------------------------


def test_MV_02_companies_and_persons_to_choose_from(service, conn):
    service.connect("known", "kajo", maventa_connection_of)
    found = candidates(service, conn)
    own, data = found["companies"]
    assert (own["name"], own["at_maventa"], own["country"]) == ("Kajo Ohjelmistotalo Oy", "registered", "FI")
    assert "known" in own["connections"]
    assert (data["name"], data["vat_number"], data["at_maventa"], data["connections"]) == ("Kajo Data Oy", DATA, "free", [])
    assert {(p["first_name"], p["email"]) for p in found["persons"]} == \
        {("Maija", "maija.meikalainen@kajo.example"), ("Kalle", "kalle.kokeilija@kajo.example")}
    assert all(set(p) == {"id", "first_name", "last_name", "email"} for p in found["persons"]) and not found["problems"]
    norwegian = candidates(service, draft(service, "fjell"))["companies"]
    assert [(c["country"], c["at_maventa"]) for c in norwegian] == [("NO", "registered")]


def test_MV_02_without_the_right_to_read_persons_they_are_typed(service, conn):
    service.sandbox.control("severa/kajo", "POST", {"scopes": ALL_SCOPES})
    found = service.call("GET", f"/v1/connections/{conn}/registrations/candidates", headers={"Accept-Language": "nb"}).json()
    assert found["persons"] == [] and len(found["companies"]) == 2
    assert found["problems"][0]["code"] == "users_scope_missing" and "rettigheten users:read" in found["problems"][0]["text"]
    typed = {"first_name": "Kalle", "last_name": "Kokeilija", "email": "kalle@kajo.example"}
    path = f"/v1/connections/{conn}/registrations"
    problem(service.call("POST", path, {"mode": "register", "company": DATA, "email": "kalle@kajo.example"}), 422, "value_missing", "/person")
    made(service.call("POST", path, {"mode": "register", "company": DATA} | typed), "registered")


# --- registering -----------------------------------------------------------------------------------


def test_MV_01_MV_03_a_company_is_registered_and_its_keys_are_kept(service, conn):
    answer = register(service, conn, headers={"Idempotency-Key": conn})
    body = made(answer, "registered")
    ledger = account(service)
    assert body["company"] == {"name": "Kajo Data Oy", "vat_number": DATA} and body["company_uuid"] == ledger["company_uuid"]
    assert body["person"]["email"] == "kalle.kokeilija@kajo.example" and body["has_user_key"] is True
    assert body["next"]["method"] == "POST" and body["next"]["href"] == f"/v1/connections/{conn}/authentications"
    assert set(keys_on(service, conn)) == {"company_uuid", "user_api_key"}
    secret = key_of(service, "kalle.kokeilija@kajo.example")
    for path in ("", "/registrations", "/registrations/candidates", "/registrations/" + body["id"]):
        assert secret.encode() not in service.call("GET", f"/v1/connections/{conn}{path}").body
    assert service.call("GET", f"/v1/connections/{conn}").json()["settings"]["company"]["vat_number"] == DATA
    again = register(service, conn, headers={"Idempotency-Key": conn})
    assert again.json()["id"] == body["id"] and again.headers["Location"] == body["href"]
    told = problem(register(service, conn), 422, "registered_already")["title"]  # not: somebody has taken its number
    assert DATA in told and "Send the authentication request, or activate" in told
    assert registrations_at_maventa(service) == 1
    said = [(a["action"], a["who"]) for a in service.call("GET", "/v1/audit?limit=5").json()["items"] if a["object"] == conn]
    assert {a for a, _ in said} >= {"registrations.create", "connection.change"} and len({who for _, who in said}) == 1


def test_MV_02_what_is_given_goes_before_what_severa_says(service, conn):
    change = {"email": "toinen@kajo.example", "company_name": "Kajo Data", "company_email": "laskut@kajo.example",
              "address": {"street": "Datatie 1", "postcode": "00100", "city": "Helsinki"}}
    body = made(register(service, conn, **change), "registered")
    assert body["person"]["email"] == "toinen@kajo.example" and body["person"]["first_name"] == "Kalle"
    assert "toinen@kajo.example" in [u["email"] for u in service.sandbox.control("maventa/users")]


def test_MV_05_without_an_account_the_request_says_where_to_begin(service, conn):
    path = f"/v1/connections/{conn}/authentications"
    told = problem(service.call("POST", path, {}), 422, "account_missing")["title"]
    assert "Register the company, or connect" in told and "copy" not in told
    assert "Rekisteröi yritys" in service.call("POST", path, {}, {"Accept-Language": "fi"}).json()["title"]


def test_MV_02_what_cannot_be_registered_says_why(service, conn):
    path = f"/v1/connections/{conn}/registrations"
    kalle = person(service, conn, "Kalle")["id"]
    problem(register(service, conn, company="FI90001305"), 422, "company_unknown", "/company")
    problem(register(service, conn, company="nonsense"), 422, "value_invalid", "/company")
    problem(register(service, conn, person=str(uuid.uuid4())), 422, "person_unknown", "/person")
    taken = problem(register(service, conn, company=service.setup("kajo")["maventa"]["vat_number"]), 422, "business_id_taken")
    assert "Connect that one instead" in taken["title"]
    finnish = service.call("POST", path, {"mode": "register", "company": "FI90001305", "person": kalle}, {"Accept-Language": "fi"})
    assert "Severassa ei ole laskuttavaa yritystä" in finnish.json()["title"]
    problem(service.call("POST", path, {"company": DATA}), 422, "value_missing", "/mode")
    problem(service.call("POST", path, {"mode": "register", "company": DATA, "colour": 1}), 422, "unknown_member", "/colour")
    problem(service.call("POST", path, {"mode": "register", "company": DATA, "person": kalle, "email": "x"}), 422, "value_invalid", "/email")
    service.sandbox.control("severa/kajo/users", "POST", {"fields": {"firstName": "Nimi", "lastName": "Vain"}})
    problem(register(service, conn, "Nimi"), 422, "person_incomplete", "/email")
    listed = service.call("GET", path).json()["items"]
    assert listed and {r["state"] for r in listed} == {"refused"} and listed[0]["error"]["text"]
    assert registrations_at_maventa(service) == 0
    other = draft(service, company={"vat_number": service.setup("kajo")["maventa"]["vat_number"]})
    problem(register(service, other), 422, "company_differs", "/company")


def test_MV_04_a_person_who_has_an_account_copies_the_keys(service, conn):
    body = made(register(service, conn, "Maija"), "user_exists")
    uuid_given, path = account(service)["company_uuid"], body["href"] + "/keys"
    assert body["company_uuid"] == uuid_given and body["has_user_key"] is False and keys_on(service, conn) == ["company_uuid"]
    assert "log in at Maventa" in body["next"]["text"] and (body["next"]["method"], body["next"]["href"]) == ("PUT", path)
    nb = service.call("GET", body["href"], headers={"Accept-Language": "nb"}).json()["next"]["text"]
    assert "bruker api-nøkkel" in nb
    refused = service.call("POST", f"/v1/connections/{conn}/authentications", {"approver": {"email": "maija@kajo.example"}})
    assert "User API key" in problem(refused, 422, "keys_missing")["title"]
    problem(register(service, conn), 409, "state")  # one at a time
    good = {"company_uuid": uuid_given, "user_api_key": key_of(service, "maija.meikalainen@kajo.example")}
    tag = {"If-Match": f'"{body["rev"]}"'}
    problem(service.call("PUT", path, good), 428, "precondition_missing")
    problem(service.call("PUT", path, good, {"If-Match": '"99"'}), 412, "stale")
    swapped = {"company_uuid": good["user_api_key"], "user_api_key": good["company_uuid"]}
    problem(service.call("PUT", path, swapped, tag), 422, "keys_swapped", "/user_api_key")
    other = service.setup("kajo")["maventa"]["company_uuid"]
    problem(service.call("PUT", path, good | {"company_uuid": other}, tag), 422, "uuid_differs", "/company_uuid")
    problem(service.call("PUT", path, good | {"user_api_key": str(uuid.uuid4())}, tag), 422, "credentials_refused", "/user_api_key")
    now = read(service, body["href"], "user_exists")
    assert now["error"]["code"] == "credentials_refused" and now["company_uuid"] == uuid_given and now["rev"] > body["rev"]
    service.sandbox.control("maventa/9000102-2", "POST", {"company_state": "VERIFIED"})
    done = service.call("PUT", path, good, {"If-Match": f'"{now["rev"]}"'})
    assert done.status == 200 and done.json()["state"] == "verified" and done.json()["error"] is None
    assert set(keys_on(service, conn)) == {"company_uuid", "user_api_key"}
    again = service.call("POST", f"/v1/connections/{conn}/authentications", {})  # VERIFIED needs no second request
    assert "already" in problem(again, 409, "state")["detail"] and account(service)["authorizations"] == 0
    problem(service.call("PUT", path, good, {"If-Match": "*"}), 409, "state")


# --- an answer that is lost ------------------------------------------------------------------------


def test_MV_02_a_lost_answer_is_looked_up_and_never_asked_for_again(service, conn):
    service.sandbox.fault(kind="cut_after_commit", **SOAP)
    answer = register(service, conn)
    assert answer.status in (201, 202)
    body = read(service, answer, "answer_lost")
    assert registrations_at_maventa(service) == 1 and "answer with its keys was lost" in body["next"]["text"]
    problem(service.call("POST", f"/v1/connections/{conn}/authentications", {}), 422, "keys_missing")
    good = {"company_uuid": account(service)["company_uuid"], "user_api_key": key_of(service, "kalle.kokeilija@kajo.example")}
    done = service.call("PUT", body["href"] + "/keys", good, {"If-Match": "*"})
    assert done.status == 200 and done.json()["state"] == "registered" and registrations_at_maventa(service) == 1


def test_MV_02_another_connections_keys_find_the_uuid_of_a_lost_answer(service, conn):
    service.connect("sees", "kajo", maventa_connection_of)  # with Maija's keys, who sees all her companies
    service.sandbox.fault(kind="cut_after_commit", **SOAP)
    body = read(service, register(service, conn, "Maija"), "answer_lost")
    assert body["company_uuid"] == account(service)["company_uuid"] and keys_on(service, conn) == ["company_uuid"]


def test_MV_02_a_registration_that_never_arrived_is_told(service, conn):
    service.sandbox.fault(kind="cut_before", **SOAP)
    answer = register(service, conn)
    assert answer.status == 202 and answer.json()["state"] in ("in_doubt", "registering")
    problem(service.call("POST", answer.json()["href"] + "/cancel", {}), 409, "in_doubt")
    body = read(service, answer, "not_registered")
    assert body["error"]["code"] == "registration_lost" and registrations_at_maventa(service) == 0
    made(register(service, conn), "registered")
    assert registrations_at_maventa(service) == 1


@pytest.mark.parametrize("commits", [True, False])
def test_MV_02_a_kill_between_intent_and_outcome(commits):
    with Service(**SETTINGS) as service:
        conn = draft(service)
        kalle = person(service, conn, "Kalle")["id"]
        service.sandbox.fault(kind="hang", commit=commits, **SOAP)
        body = {"mode": "register", "company": DATA, "person": kalle}

        def ask():
            try:
                service.relay.call("POST", f"/v1/connections/{conn}/registrations", body)
            except OSError:
                pass  # it is killed

        asking = threading.Thread(target=ask)
        asking.start()
        listed = f"/v1/connections/{conn}/registrations"
        wait_for("the intent", lambda: [r for r in service.call("GET", listed).json()["items"] if r["state"] == "registering"])
        wait_for("the call", lambda: service.sandbox.control("faults")[0]["fired"])
        service.relay.kill()
        asking.join()
        service.sandbox.clear_faults()
        service.relay.start()
        item = service.call("GET", listed).json()["items"][0]
        body = read(service, item["href"], "answer_lost", "not_registered", seconds=60)
        assert body["state"] == ("answer_lost" if commits else "not_registered")
        assert registrations_at_maventa(service) == (1 if commits else 0)


def test_MV_02_nobody_to_ask_is_said_and_a_person_decides():
    with Service(maventa_partner_company="", **SETTINGS) as service:
        conn = draft(service)
        found = candidates(service, conn)
        assert [c["at_maventa"] for c in found["companies"]] == ["unknown"] * 2 and found["problems"][0]["code"] == "partner_account_missing"
        service.sandbox.fault(kind="cut_before", **SOAP)
        body = read(service, register(service, conn), "unclear")
        problem(service.call("POST", body["href"] + "/cancel", {}), 409, "in_doubt")
        given_up = service.call("POST", body["href"] + "/cancel", {"despite_doubt": True}, {"If-Match": f'"{body["rev"]}"'})
        assert given_up.json()["state"] == "cancelled" and given_up.json()["is_open"] is False
        made(register(service, conn), "registered")
        problem(service.call("POST", body["href"] + "/cancel", {}), 409, "state")


# --- connecting ------------------------------------------------------------------------------------


def test_MV_01_MV_07_an_existing_account_is_connected(service, conn):
    body = made(connect(service, conn, **pair(service)), "verified")
    assert body["person"]["email"] == "maija.meikalainen@kajo.example" and body["has_user_key"] is True
    assert set(keys_on(service, conn)) == {"company_uuid", "user_api_key"}
    assert account(service, "kajo")["linked"] is True
    assert service.call("GET", f"/v1/connections/{conn}").json()["settings"]["company"]["vat_number"] == "FI90001014"


def test_MV_07_a_pasted_pair_is_checked_at_once(service, conn):
    good = pair(service)
    swapped = {"company_uuid": good["user_api_key"], "user_api_key": good["company_uuid"]}
    said = problem(connect(service, conn, **swapped), 422, "keys_swapped", "/user_api_key")
    assert "each other's place" in said["title"]
    problem(connect(service, conn, **good | {"user_api_key": str(uuid.uuid4())}), 422, "credentials_refused", "/user_api_key")
    louhi = problem(connect(service, conn, **pair(service, "louhi")), 422, "company_differs", "/company_uuid")
    assert "Louhi" in louhi["title"]
    problem(connect(service, conn), 422, "value_missing", "/company_uuid")
    problem(connect(service, conn, company_uuid="a b", user_api_key="x"), 422, "value_missing", "/company_uuid")
    assert keys_on(service, conn) == []
    spaced = {k: f"  {v}\n" for k, v in good.items()}
    made(connect(service, conn, **spaced), "verified")


def test_MV_07_an_outage_loses_no_pasted_keys(service, conn):
    service.sandbox.fault(kind="status", system="maventa", match="oauth2", status=503)
    answer = connect(service, conn, **pair(service))
    assert answer.status == 202 and answer.json()["state"] == "checking" and answer.json()["error"]["code"] == "outage"
    read(service, answer, "verified")
    assert set(keys_on(service, conn)) == {"company_uuid", "user_api_key"}


def test_MV_07_keys_of_an_earlier_activation_are_known(fresh):
    service, conn = fresh, draft(fresh)
    problem(connect(service, conn, use_known_keys=True, company=DATA), 422, "keys_unknown", "/use_known_keys")
    service.connect("before", "kajo", maventa_connection_of)
    known = candidates(service, conn)["companies"][0]["known_keys"]
    full = pair(service)
    assert known["company_uuid"] == full["company_uuid"]
    assert known["user_api_key"] == "********" + full["user_api_key"][-4:]
    made(connect(service, conn, use_known_keys=True), "verified")
    assert set(keys_on(service, conn)) == {"company_uuid", "user_api_key"}
    only = {"name": "one", "role": "admin", "connections": [draft(service)]}
    token = service.call("POST", "/v1/tokens", only).json()["token"]
    alone = candidates(service, only["connections"][0], token=token)["companies"][0]
    assert alone["known_keys"] is None and alone["connections"] == [] and alone["at_maventa"] == "registered"
    body = {"mode": "connect", "company": "FI90001014", "use_known_keys": True}
    refused = service.call("POST", f"/v1/connections/{only['connections'][0]}/registrations", body, token=token)
    problem(refused, 422, "keys_unknown")


# --- authentication --------------------------------------------------------------------------------


def authenticate(service, conn, **body):
    return service.call("POST", f"/v1/connections/{conn}/authentications", body)


def test_MV_05_the_request_is_sent_and_followed_without_anybody(service, conn):
    registered = made(register(service, conn), "registered")
    body = made(authenticate(service, conn), "waiting")
    assert body["approver"] == {"name": "Kalle Kokeilija", "email": "kalle.kokeilija@kajo.example"} and body["language"] == "FI"
    assert account(service)["authorizations"] == 1 and body["auth_state"] == "SENT" and body["due_at"]
    assert account(service)["settings_changes"] == 0
    service.relay.kill()
    service.relay.start()
    assert read(service, body["href"], "waiting")["approver"] == body["approver"]
    service.sandbox.control("maventa/9000102-2", "POST", {"company_state": "VERIFIED", "auth_state": "SIGNED"})
    read(service, body["href"], "verified")  # the connection is a draft, and nobody refreshes
    assert read(service, registered["href"], "verified")["next"]["href"] == f"/v1/connections/{conn}/activate"
    assert account(service)["authorizations"] == 1


def test_MV_05_approver_and_language_can_be_changed_and_the_request_sent_again(service, conn):
    made(register(service, conn), "registered")
    first = made(authenticate(service, conn, approver={"name": "Johtaja", "email": "johtaja@kajo.example"}, language="EN"), "waiting")
    assert first["approver"]["email"] == account(service)["auth_email"] == "johtaja@kajo.example" and first["language"] == "EN"
    second = made(authenticate(service, conn), "waiting")
    assert read(service, first["href"], "replaced")["is_open"] is False and account(service)["authorizations"] == 2
    items = service.call("GET", f"/v1/connections/{conn}/authentications").json()["items"]
    assert [i["id"] for i in items] == [second["id"], first["id"]]
    problem(authenticate(service, conn, language="DK"), 422, "value_invalid", "/language")
    problem(authenticate(service, conn, approver={"email": "nobody"}), 422, "value_invalid", "/approver/email")


def test_MV_05_refresh_asks_at_once(service):
    with Service(**SETTINGS | {"maventa_auth_poll": "1h"}) as slow:
        conn = draft(slow)
        made(register(slow, conn), "registered")
        body = made(authenticate(slow, conn), "waiting")
        assert slow.call("POST", body["href"] + "/refresh").json()["state"] == "waiting"
        slow.sandbox.control("maventa/9000102-2", "POST", {"company_state": "1"})
        viewer = slow.call("POST", "/v1/tokens", {"name": "reader", "role": "viewer"}).json()["token"]
        problem(slow.call("POST", body["href"] + "/refresh", token=viewer), 403, "forbidden")
        assert slow.call("GET", body["href"], token=viewer).json()["state"] == "waiting"
        done = slow.call("POST", body["href"] + "/refresh")
        assert done.status == 200 and done.json()["state"] == "verified" and done.json()["company_state"] == "VERIFIED"
        assert slow.call("POST", body["href"] + "/refresh").json()["state"] == "verified"


def waits_for_the_company(service, conn):
    transfer, = wait_for("the invoice waits", lambda: [t for t in service.transfers(conn) if t["state"] == "waiting"])
    assert transfer["error"]["code"] == "company_unverified"


def test_MV_06_what_waits_for_the_company_goes_on_at_once_when_it_is_verified(service):
    """Its retest is minutes away, and each relay remembers for seconds that the company was not."""
    with Service(**SETTINGS | {"maventa_auth_poll": "1h", "retest_interval": "1h"}) as slow:
        conn = draft(slow, seller={"iban": "FI2112345600000785"})
        registered = made(register(slow, conn), "registered")
        asked = made(authenticate(slow, conn), "waiting")
        slow.activate(conn)
        waits_for_the_company(slow, conn)
        slow.sandbox.control("maventa/9000102-2", "POST", {"company_state": "VERIFIED", "auth_state": "SIGNED"})
        assert slow.call("POST", asked["href"] + "/refresh").json()["state"] == "verified"
        wait_for("it is sent", lambda: account(slow)["count"] == 1, 10)
        for href in (asked["href"], registered["href"]):  # nothing is left to do: it is active
            settled = read(slow, href, "verified")["next"]
            assert (settled["method"], settled["href"], settled["text"]) == (None, None, "That is settled, and the connection is active.")


def test_MV_06_what_waits_goes_on_at_once_when_the_connection_is_resumed(service):
    """The company was verified at Maventa itself, and nothing here was told."""
    with Service(**SETTINGS | {"maventa_auth_poll": "1h", "retest_interval": "1h"}) as slow:
        slow.sandbox.control("maventa/louhi", "POST", {"company_state": "UNVERIFIED"})
        slow.connect("louhi", "louhi", maventa_connection_of, print={"enabled": True})
        slow.activate("louhi")
        wait_for("they wait", lambda: (all_ := slow.transfers("louhi")) and all(t["state"] == "waiting" for t in all_) and len(all_) == 3)
        assert slow.call("POST", "/v1/connections/louhi/pause").status == 200
        slow.sandbox.control("maventa/louhi", "POST", {"company_state": "VERIFIED"})
        assert slow.call("POST", "/v1/connections/louhi/resume").status == 200
        wait_for("they are sent", lambda: account(slow, "louhi")["count"] == 3, 20)


def test_MV_05_after_long_silence_it_is_looked_at_no_more(service):
    with Service(**SETTINGS | {"maventa_auth_poll_for": "2s"}) as short:
        conn = draft(short)
        made(register(short, conn), "registered")
        body = read(short, authenticate(short, conn), "unanswered")
        assert body["due_at"] is None and body["is_open"] is True and body["next"]["method"] == "POST"
        short.sandbox.control("maventa/9000102-2", "POST", {"company_state": "VERIFIED"})
        assert short.call("POST", body["href"] + "/refresh").json()["state"] == "verified"


def test_MV_05_a_lost_answer_sends_no_second_mail(service, conn):
    made(register(service, conn), "registered")
    service.sandbox.fault(kind="cut_after_commit", system="maventa", match="company/authorization", method="POST")
    read(service, authenticate(service, conn), "waiting", "verified")
    assert account(service)["authorizations"] == 1


def test_MV_05_one_whose_signer_declined_is_told(service, conn):
    made(register(service, conn), "registered")
    body = made(authenticate(service, conn), "waiting")
    service.sandbox.control("maventa/9000102-2", "POST", {"auth_state": "CANCELED"})
    assert read(service, body["href"], "cancelled")["next"]["href"].endswith("/authentications")


def test_MV_06_nothing_is_set_or_sent_before_the_authentication(service, conn):
    made(register(service, conn), "registered")
    made(authenticate(service, conn), "waiting")
    tag = {"If-Match": service.call("GET", f"/v1/connections/{conn}").headers["ETag"]}
    change = {"settings": {"send_by_email": False, "print": {"enabled": True}}}
    assert service.call("PATCH", f"/v1/connections/{conn}", change, tag).status == 200
    checked = service.call("POST", f"/v1/connections/{conn}/check").json()["result"]
    assert "company_unverified" in [p["code"] for p in checked["problems"]]
    at_maventa = account(service)
    assert at_maventa["settings_changes"] == 0 and at_maventa["count"] == 0


# --- several companies -----------------------------------------------------------------------------


def test_MV_15_companies_side_by_side_never_share_keys(fresh):
    service = fresh
    own, data, louhi = draft(service), draft(service), draft(service, "louhi")
    made(connect(service, own, **pair(service)), "verified")
    made(register(service, data, "Maija"), "user_exists")
    made(connect(service, louhi, company=service.setup("louhi")["maventa"]["vat_number"], **pair(service, "louhi")), "registered")
    assert keys_on(service, data) == ["company_uuid"]  # Maija's key of the other connection is not taken for it
    found = {c["vat_number"]: c["connections"] for c in candidates(service, data)["companies"]}
    assert own in found["FI90001014"] and data not in found["FI90001014"] and found[DATA] == [data]
    problem(connect(service, own, company=DATA, **pair(service)), 422, "company_differs", "/company")
    problem(service.call("GET", f"/v1/connections/{louhi}/registrations/{uuid.uuid4()}"), 404, "not_found")
    theirs = service.call("GET", f"/v1/connections/{own}/registrations").json()["items"][0]["id"]
    problem(service.call("GET", f"/v1/connections/{louhi}/registrations/{theirs}"), 404, "not_found")


def test_MV_15_a_flow_without_registrations_has_none(service):
    service.connect("netvisor", "kajo")
    problem(service.call("GET", "/v1/connections/netvisor/registrations"), 404, "not_found")


# --- switching on ----------------------------------------------------------------------------------


def test_MV_16_from_nothing_to_active_and_new_keys_stop_it(service, conn):
    made(connect(service, conn, **pair(service)), "verified")
    active = service.activate(conn).json()
    assert active["state"] == "active" and "will be sent now" in active["text"]
    made(connect(service, conn, **pair(service)), "verified")  # the same keys change nothing
    assert service.call("GET", f"/v1/connections/{conn}").json()["state"] == "active"
    service.sandbox.control("maventa/users", "POST", {"email": "uusi@kajo.example", "first_name": "Uusi", "last_name": "Avain"})
    service.sandbox.control("maventa/kajo", "POST", {"member": "uusi@kajo.example"})
    made(connect(service, conn, **pair(service, user_api_key=key_of(service, "uusi@kajo.example"))), "verified")
    # Another user's key is another key: what relays is what was checked.
    stopped = service.call("GET", f"/v1/connections/{conn}").json()
    assert (stopped["state"], stopped["pause_reason"]) == ("paused", "changed")
