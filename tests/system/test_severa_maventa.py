"""The flow severa-maventa in the running service, against the sandbox's Severa and Maventa."""

import pytest

from service import Service, maventa_connection_of

SETTINGS = {"poll_interval": "1h", "severa_rate": "1000", "severa_burst": "100", "maventa_rate": "1000", "maventa_burst": "100"}


@pytest.fixture(scope="module", name="service")
def one_service():
    with Service(**SETTINGS) as running:
        yield running


@pytest.fixture(autouse=True)
def start_anew(service):
    service.sandbox.reset("demo")
    service.sandbox.clear_faults()
    yield


def problems(service, name, **change):
    """What the check of a connection to kajo, so changed, names: code to problem."""
    body = maventa_connection_of(service.setup("kajo"), name, **change.pop("settings", {}))
    for path, value in change.items():
        system, key = path.split("__")
        body["credentials"][system][key] = value
    assert service.call("POST", "/v1/connections", body).status == 201
    result = service.call("POST", f"/v1/connections/{name}/check").json()["result"]
    return {p["code"]: p for p in result["problems"]}, result


def statuses(service, **change):
    severa = service.setup("kajo")["severa"]
    return {"transfer": severa["transfer_status"], "transferred": severa["transferred_status"], "failed": severa["failed_status"]} | change


def test_MV_16_a_check_without_problems(service):
    found, result = problems(service, "clean")
    assert not found and result["ok"] and result["waiting"] > 10


def test_SV_08_MV_16_a_status_marked_sent_is_refused_until_it_is_mended(service):
    service.sandbox.control("severa/kajo/statuses/" + statuses(service)["transfer"], "POST", {"isSent": True})
    found, result = problems(service, "sent")
    assert not result["ok"]
    assert found["status_is_sent"]["text"].startswith("Status of invoices to be transferred can not be sent")
    assert "clear Sent, save" in found["status_is_sent"]["text"]
    refused = service.call("POST", "/v1/connections/sent/activate")
    assert refused.status == 422 and b"can not be sent" in refused.body
    service.sandbox.control("severa/kajo/statuses/" + statuses(service)["transfer"], "POST", {"isSent": False})
    assert service.call("POST", "/v1/connections/sent/activate").status == 200  # at once, as the text says


def test_MV_07_what_is_wrong_with_the_keys_is_named(service):
    kajo, louhi = service.setup("kajo")["maventa"], service.setup("louhi")["maventa"]
    found, _ = problems(service, "swapped", maventa__company_uuid=kajo["user_api_key"], maventa__user_api_key=kajo["company_uuid"])
    assert "keys_swapped" in found
    found, _ = problems(service, "other", maventa__company_uuid=louhi["company_uuid"], maventa__user_api_key=louhi["user_api_key"])
    assert "Louhi" in found["company_differs"]["text"]
    found, _ = problems(service, "wrong", maventa__user_api_key=louhi["user_api_key"])
    assert "credentials_refused" in found
    service.sandbox.control("maventa/kajo", "POST", {"denied_scopes": "invoice:send"})
    found, _ = problems(service, "rights")
    assert "invoice:send" in found["scope_missing"]["text"]


def test_MV_06_MV_10_what_hinders_no_activation_is_said(service):
    service.sandbox.control("maventa/kajo", "POST", {"company_state": "UNVERIFIED"})
    found, result = problems(service, "waits", settings={"send_by_email": False})
    assert set(found) == {"company_unverified", "print_is_off"} and result["ok"]
    found, result = problems(service, "prints", settings={"send_by_email": False, "print": {"enabled": True}})
    assert set(found) == {"company_unverified"}


def test_SV_09_the_company_is_one_of_severas(service):
    found, result = problems(service, "alien", settings={"company": {"vat_number": "FI90001305"}})
    assert not result["ok"] and "company_unknown" in found
