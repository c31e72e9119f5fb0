"""The stand-in of Netvisor keeps to its fact sheet: what the other system tests stand on."""

import datetime
import re
import threading
import time

import pytest

from sandbox import NetvisorClient, call, customer_xml, invoice_xml, line_xml, product_xml


# --- Netvisor: the way in ------------------------------------------------------------------------


def test_netvisor_takes_a_right_mac_with_any_query(netvisor):
    assert netvisor("customerlist.nv").ok
    assert netvisor("customerlist.nv?keyword=h%C3%B6yl%C3%A4%20a%2Bb&changedsince=2026-01-31T08:40:00").ok
    assert netvisor("CustomerList.nv").ok


@pytest.mark.parametrize("change", [
    {"MAC": "0" * 64}, {"PartnerId": "other"}, {"CustomerId": "other"}, {"Sender": ""},
    {"Organisation": "1234567-1"}, {"Algorithm": "SHA256"}, {"Language": "SV"},
    {"Timestamp": "2026-01-01 00:00:00.000", "TimestampUnix": "1767225600"},
    {"Timestamp": "2026-01-01T00:00:00Z"}, {"TimestampUnix": "tomorrow"},
])
def test_netvisor_refuses_wrong_headers(netvisor, change):
    answer = netvisor("customerlist.nv", **change)
    assert answer.status == 401 and answer.code == "AUTHENTICATION_FAILED"


def test_netvisor_mac_ignores_case_and_covers_the_query(netvisor):
    url = netvisor.setup["base_url"] + "/customerlist.nv"
    head = netvisor.headers(url)
    head["X-Netvisor-Authentication-MAC"] = head["X-Netvisor-Authentication-MAC"].upper()
    assert call(url, headers=head).status == 200
    head = netvisor.headers(url)
    assert call(url + "?keyword=a", headers=head).status == 401


def test_netvisor_transaction_id_is_taken_once(netvisor):
    assert netvisor("customerlist.nv", TransactionId="once").ok
    answer = netvisor("customerlist.nv", TransactionId="once")
    assert answer.status == 400 and answer.code == "REQUEST_NOT_UNIQUE"


def test_netvisor_answers_200_for_everything_without_the_header(sb, netvisor):
    plain = NetvisorClient(netvisor.setup, real_status=False)
    assert [plain(r).status for r in ("customerlist.nv", "getcustomer.nv?id=1", "nonsense.nv")] == [
        200, 200, 200]
    assert plain("customerlist.nv", MAC="0" * 64).status == 200
    assert plain("getcustomer.nv?id=1").code == "INVALID_DATA"
    assert netvisor("nonsense.nv").status == 404
    sb.control("netvisor/kajo", "POST", {"denied": "product.nv customer.nv"})
    denied = netvisor.post("customer.nv?method=add", customer_xml())
    assert denied.status == 403 and denied.code == "SERVICE_ACCESS_ERROR"


def test_netvisor_texts_follow_the_interface_language(netvisor):
    texts = {language: NetvisorClient(netvisor.setup, language)("getcustomer.nv?id=99").message
             for language in ("FI", "EN", "SE")}
    assert texts["EN"] == "Data form incorrect:. Customer not found with Netvisor identifier: 99"
    assert "Asiakasta ei löydy" in texts["FI"] and "Kunden" in texts["SE"]


def test_netvisor_one_call_at_a_time_per_organisation(sb, netvisor):
    other = NetvisorClient(sb.setup("louhi")["netvisor"])
    sb.fault(kind="latency", latency_ms=400, system="netvisor", match="customerlist", count=1)
    slow = threading.Thread(target=lambda: results.append(netvisor("customerlist.nv")))
    results = []
    slow.start()
    time.sleep(0.15)
    overlap = netvisor("productlist.nv")
    assert overlap.status == 500 and overlap.code == "TECHNICAL_ERROR"
    assert other("productlist.nv").ok
    slow.join()
    assert results[0].ok and netvisor("productlist.nv").ok
    assert sb.ledger("netvisor", "kajo")["overlaps"] == 1
    assert sb.ledger("netvisor", "louhi")["overlaps"] == 0


def test_netvisor_calls_one_after_another_never_overlap(sb, netvisor):
    for _ in range(300):
        assert netvisor("productlist.nv").ok
    assert sb.ledger("netvisor", "kajo")["overlaps"] == 0


# --- Netvisor: registers -------------------------------------------------------------------------


def test_netvisor_customers_add_find_edit(netvisor):
    key = netvisor.post("customer.nv?method=add", customer_xml()).key
    listed = netvisor("customerlist.nv?customercodelist=10234,99").root
    assert [c.findtext("Netvisorkey") for c in listed.iter("Customer")] == [key]
    edit = ("<root><customer><customerbaseinformation><name>Uusi nimi Oy</name><email></email>"
            "</customerbaseinformation></customer></root>")
    answer = netvisor.post("customer.nv?method=edit&id=" + key, edit)
    assert answer.ok and answer.key is None
    base = netvisor("getcustomer.nv?id=" + key).root.find("Customer/CustomerBaseInformation")
    assert base.findtext("Name") == "Uusi nimi Oy" and base.findtext("City") == "Lappeenranta"
    assert base.find("Country").get("ISO-3166") == "FI"
    again = netvisor.post("customer.nv?method=add", customer_xml())
    assert again.code == "DUPLICATE_DATA"
    many = netvisor("getcustomer.nv?idlist=%s,101" % key).root
    assert len(many.findall("Customers/Customer")) == 2
    temp = netvisor("customerlist.nv?customercodelist=TEMP").root
    assert temp.findtext("Customerlist/Customer/Code") == "TEMP"


@pytest.mark.parametrize("body, code", [
    (customer_xml(operator="XYZ99999"), "INVALID_DATA"),
    (customer_xml(name="n" * 251), "INVALID_DATA_SIZE"),
    (customer_xml(name=""), "INVALID_DATA"),
    ("<root><customer></customer></root>", "INVALID_DATA"),
    ('<?xml version="1.0"?>' + customer_xml(), "INVALID_DATA"),
    (customer_xml().replace("<root>", "").replace("</root>", ""), "INVALID_DATA"),
    (customer_xml()[:-10], "INVALID_DATA"),
    ("<root><customer><customerbaseinformation><name>A</name><internalidentifier>1"
     "</internalidentifier></customerbaseinformation></customer></root>", "INVALID_DATA"),
])
def test_netvisor_refuses_bad_customers(sb, netvisor, body, code):
    answer = netvisor.post("customer.nv?method=add", body)
    assert answer.status == 400 and answer.code == code
    assert sb.ledger("netvisor", "kajo")["customers"] == {"count": 2, "added": 0, "edited": 0}


def test_netvisor_body_may_be_utf8_or_iso_8859_15(netvisor):
    body = customer_xml(name="Höylä € Oy")
    one = netvisor.post("customer.nv?method=add", body.encode("iso-8859-15"))
    two = netvisor.post("customer.nv?method=add",
                        body.replace(">10234<", ">10235<").encode("utf-8"))
    for key in (one.key, two.key):
        got = netvisor("getcustomer.nv?id=" + key).root
        assert got.findtext("Customer/CustomerBaseInformation/Name") == "Höylä € Oy"


def test_netvisor_products_add_find_and_not_found_is_ok(netvisor):
    assert netvisor("getproduct.nv?code=KONS-01").root.find("Product") is not None
    assert list(netvisor("getproduct.nv?code=KONS-01").root.find("Product")) == []
    key = netvisor.post("product.nv?method=add", product_xml()).key
    got = netvisor("getproduct.nv?code=KONS-01").root.find("Product")
    assert got.findtext("ProductBaseInformation/NetvisorKey") == key
    assert got.find("ProductBaseInformation/UnitPrice").get("type") == "net"
    assert got.findtext("ProductBookkeepingDetails/DefaultVatPercent") == "25,5"
    listed = netvisor("productlist.nv?keyword=KONS").root
    assert [p.findtext("ProductCode") for p in listed.iter("Product")] == ["KONS-01"]
    assert netvisor.post("product.nv?method=add", product_xml()).code == "DUPLICATE_DATA"


def test_netvisor_dimensions(netvisor):
    def item(inner, method="add"):
        return netvisor.post("dimensionitem.nv?method=" + method,
                             "<root><dimensionitem>%s</dimensionitem></root>" % inner)

    assert item("<name>Projekti</name><item>P-1</item>").ok
    assert item("<name>Projekti</name><item>P-1</item>").code == "DUPLICATE_DATA"
    assert item("<name>Ei ole</name><item>P-1</item>").code == "INVALID_DATA"
    assert item("<name>Projekti</name><item>P-2</item><olditem>P-1</olditem>", "edit").ok
    listed = netvisor("dimensionlist.nv").root.find("DimensionNameList")
    heading = next(h for h in listed if h.findtext("Name") == "Projekti")
    detail = heading.find("DimensionDetails/DimensionDetail")
    assert detail.findtext("Name") == "P-2" and detail.findtext("FatherId") == "0"
    child = "<name>Projekti</name><item>P-2/1</item><fatherid>%s</fatherid><fatheritem>%s</fatheritem>"
    assert item(child % (detail.findtext("Netvisorkey"), "P-2")).ok
    assert item(child.replace("P-2/1", "x") % ("1", "P-2")).code == "INVALID_DATA"
    assert item("<name>Projekti</name><item>K</item><code>K1</code><label>Kohde</label>").ok
    listed = netvisor("dimensionlist.nv").root
    names = [d.findtext("Name") for d in listed.iter("DimensionDetail")]
    assert names == ["P-2", "P-2/1", "K1 Kohde"]
    assert netvisor("dimensiondelete.nv?dimensionname=Projekti&dimensionsubname=P-2", "POST").ok
    names = [d.findtext("Name") for d in netvisor("dimensionlist.nv").root.iter("DimensionDetail")]
    assert "P-2" not in names


# --- Netvisor: sales invoices --------------------------------------------------------------------


def test_netvisor_invoice_add_find_read(sb, netvisor):
    lines = [line_xml(sums=("242,25", "1192,25"),
                      extra="<dimension><dimensionname>Projekti</dimensionname>"
                            "<dimensionitem>P-9</dimensionitem></dimension>"),
             "<invoiceline><salesinvoicecommentline><comment>Huom</comment>"
             "</salesinvoicecommentline></invoiceline>"]
    key = netvisor.post("salesinvoice.nv?method=add", invoice_xml(lines=lines)).key
    listed = netvisor("salesinvoicelist.nv?invoicenumber=20260117&listtype=draftandinvoice").root
    row = listed.find("SalesInvoiceList/SalesInvoice")
    assert row.findtext("NetvisorKey") == key and row.findtext("InvoiceSum") == "1192,25"
    assert row.findtext("CustomerCode") == "TEMP" and row.findtext("ReferenceNumber") == "202601171"
    got = netvisor("getsalesinvoice.nv?netvisorkey=" + key).root.find("SalesInvoice")
    assert got.find("InvoiceStatus").get("status") == "unsent"
    assert got.find("SalesInvoiceAmount").get("iso4217currencycode") == "EUR"
    line = got.find("InvoiceLines/InvoiceLine/SalesInvoiceProductLine")
    assert line.findtext("SalesInvoiceProductLineSum") == "1192,25"
    assert line.findtext("Dimensions/Dimension/DimensionItem") == "P-9"
    assert list(netvisor("getsalesinvoice.nv?netvisorkey=1").root.find("SalesInvoice")) == []
    ledger = sb.ledger("netvisor", "kajo")
    assert ledger["count"] == 1 and ledger["duplicates"] == 0
    assert ledger["dimensions_made_silently"] == 1
    document = ledger["documents"][0]
    assert (document["number"], document["sum"], document["customer_code"],
            document["times_received"]) == ("20260117", 1192.25, "TEMP", 1)


def test_netvisor_stores_a_second_one_and_the_ledger_shows_it(sb, netvisor):
    for _ in range(2):
        assert netvisor.post("salesinvoice.nv?method=add", invoice_xml()).ok
    ledger = sb.ledger("netvisor", "kajo")
    assert ledger["count"] == 2 and ledger["duplicates"] == 1
    assert {d["times_received"] for d in ledger["documents"]} == {2}
    sb.control("netvisor/kajo", "POST", {"refuse_duplicates": True})
    assert netvisor.post("salesinvoice.nv?method=add", invoice_xml()).code == "DUPLICATE_DATA"
    ledger = sb.ledger("netvisor", "kajo")
    assert ledger["count"] == 2 and ledger["refused_duplicates"] == 1


def test_netvisor_takes_credit_notes_drafts_currencies_and_given_numbers(netvisor):
    credit = invoice_xml("7", "-1192,25", lines=[line_xml(quantity="-10",
                                                          sums=("-242,25", "-1192,25"))])
    assert netvisor.post("salesinvoice.nv?method=add", credit).ok
    swedish = invoice_xml("8", "1000,00", currency="SEK",
                          lines=[line_xml(price="100,00", vat="0", code="EUUM")])
    assert netvisor.post("salesinvoice.nv?method=add", swedish).ok
    assert netvisor.post("salesinvoice.nv?method=add", invoice_xml(None)).ok
    draft = invoice_xml("9", status="", head="<invoicetype>invoicedraft</invoicetype>")
    assert netvisor.post("salesinvoice.nv?method=add", draft).ok
    plain = netvisor("salesinvoicelist.nv").root
    both = netvisor("salesinvoicelist.nv?listtype=draftandinvoice").root
    assert [i.findtext("InvoiceNumber") for i in plain.iter("SalesInvoice")] == ["7", "8", "1"]
    assert len(list(both.iter("SalesInvoice"))) == 4
    above = plain.find("SalesInvoiceList/SalesInvoice").findtext("NetvisorKey")
    rest = netvisor("salesinvoicelist.nv?invoicesabovenetvisorkey=" + above).root
    assert len(list(rest.iter("SalesInvoice"))) == 2


BAD_INVOICES = {
    "unknown customer": (invoice_xml(customer="999"), "INVALID_DATA"),
    "unknown product": (invoice_xml(lines=[line_xml("NOPE")]), "INVALID_DATA"),
    "wrong total": (invoice_xml(amount="1197,25"), "INVALID_DATA"),
    "wrong sign": (invoice_xml(amount="-1192,25"), "INVALID_DATA"),
    "one sum only": (invoice_xml(lines=[line_xml(
        extra="<salesinvoiceproductlinesum>1192,25</salesinvoiceproductlinesum>")]), "INVALID_DATA"),
    "line sum without tax": (invoice_xml(amount="950,00", lines=[line_xml(
        sums=("242,25", "950,00"))]), "INVALID_DATA"),
    "tax code contradicts": (invoice_xml(lines=[line_xml(code="EUUM")]), "INVALID_DATA"),
    "domestic without tax": (invoice_xml(amount="950,00", lines=[line_xml(vat="0")]),
                             "INVALID_DATA"),
    "unknown tax code": (invoice_xml(lines=[line_xml(code="ABC")]), "INVALID_DATA"),
    "no tax code": (invoice_xml().replace(' vatcode="KOMY"', ""), "INVALID_DATA"),
    "negative price and quantity": (invoice_xml(lines=[line_xml(price="-95,00", quantity="-10")]),
                                    "INVALID_DATA"),
    "bad date": (invoice_xml(date="31.1.2026"), "INVALID_DATA"),
    "bad status": (invoice_xml(status="sent"), "INVALID_DATA"),
    "order of elements": (invoice_xml().replace(
        "<salesinvoicereferencenumber>202601171</salesinvoicereferencenumber>", "").replace(
        "<invoicelines>", "<salesinvoicereferencenumber>1</salesinvoicereferencenumber>"
        "<invoicelines>"), "INVALID_DATA"),
    "unknown element": (invoice_xml(head="<colour>red</colour>"), "INVALID_DATA"),
    "no lines": (re.sub("<invoicelines>.*</invoicelines>", "<invoicelines></invoicelines>",
                        invoice_xml()), "INVALID_DATA"),
    "long free text": (invoice_xml().replace(
        '<invoicingcustomeridentifier', "<salesinvoicefreetextbeforelines>%s"
        "</salesinvoicefreetextbeforelines><invoicingcustomeridentifier" % ("x" * 501)),
        "INVALID_DATA_SIZE"),
    "long product name": (invoice_xml().replace("Konsultointi", "k" * 201), "INVALID_DATA_SIZE"),
    "attachment is no base64": (invoice_xml(
        tail="<salesinvoiceattachments><salesinvoiceattachment><mimetype>application/pdf</mimetype>"
             "<attachmentdescription>a</attachmentdescription><filename>a.pdf</filename>"
             '<documentdata type="pdf">???</documentdata></salesinvoiceattachment>'
             "</salesinvoiceattachments>"), "INVALID_DATA"),
    "doctype": ('<!DOCTYPE root [<!ENTITY a "b">]>' + invoice_xml(), "INVALID_DATA"),
}


@pytest.mark.parametrize("case", BAD_INVOICES)
def test_netvisor_refuses_bad_invoices(sb, netvisor, case):
    body, code = BAD_INVOICES[case]
    answer = netvisor.post("salesinvoice.nv?method=add", body)
    assert answer.status == 400 and answer.code == code, answer.text
    assert sb.ledger("netvisor", "kajo")["count"] == 0


def test_netvisor_element_names_have_no_case(netvisor):
    body = re.sub(r"<(/?)([a-z])", lambda m: "<" + m.group(1) + m.group(2).upper(), invoice_xml())
    assert netvisor.post("salesinvoice.nv?method=add", body).ok


def test_netvisor_attachment_edit_status_delete_and_period(sb, netvisor):
    tail = ("<salesinvoiceattachments><salesinvoiceattachment><mimetype>application/pdf</mimetype>"
            "<attachmentdescription>Erittely</attachmentdescription><filename>e.pdf</filename>"
            '<documentdata type="pdf">JVBERi0xLjQK</documentdata><printbydefault>0</printbydefault>'
            "</salesinvoiceattachment></salesinvoiceattachments>")
    key = netvisor.post("salesinvoice.nv?method=add", invoice_xml(tail=tail)).key
    got = netvisor("getsalesinvoice.nv?includeattachments=1&netvisorkey=" + key).root
    assert got.findtext(".//DocumentData") == "JVBERi0xLjQK"
    edit = netvisor.post("salesinvoice.nv?method=edit&id=" + key, invoice_xml(reference="12344"))
    assert edit.ok and edit.key is None
    row = netvisor("salesinvoicelist.nv?invoicenumber=20260117").root.find(".//SalesInvoice")
    assert row.findtext("ReferenceNumber") == "12344"
    paid = netvisor("updatesalesinvoicestatus.nv?status=paid&netvisorkey=" + key, "POST")
    assert paid.ok
    row = netvisor("salesinvoicelist.nv?invoicestatus=paid").root.find(".//SalesInvoice")
    assert row.findtext("OpenSum") == "0,00"
    sb.control("netvisor/kajo/invoices/20260117", "DELETE")
    assert sb.ledger("netvisor", "kajo")["count"] == 0
    assert netvisor("salesinvoicelist.nv?invoicenumber=20260117").root.find(".//SalesInvoice") is None
    sb.control("netvisor/kajo", "POST", {"locked_until": "2026-06-30"})
    answer = netvisor.post("salesinvoice.nv?method=add", invoice_xml("5"))
    assert answer.status == 400 and answer.code == "PERIOD_LOCK"


def test_netvisor_lists_by_time_of_change_in_finnish_time(netvisor):
    assert netvisor.post("salesinvoice.nv?method=add", invoice_xml()).ok
    now = datetime.datetime.now(datetime.timezone.utc)
    # Finland is two or three hours ahead of UTC.
    early = (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    late = (now + datetime.timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%S")
    for since, n in ((early, 1), (late, 0)):
        root = netvisor("salesinvoicelist.nv?lastmodifiedstart=" + since).root
        assert len(list(root.iter("SalesInvoice"))) == n
    assert netvisor("salesinvoicelist.nv?lastmodifiedstart=today").code == "INVALID_DATA"
