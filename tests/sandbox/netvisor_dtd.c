/*
 * netvisor_dtd.c: which elements a request may have, in which order (facts/netvisor.md §3, "order
 * must follow the DTD").
 *
 * The tables are the vendor's document type definitions with the newer elements of the fact sheet,
 * written as data. Names are compared without case, as clients write them in several. Attributes
 * and values are the business of the resource.
 */
#include "base/base.h"

#include "netvisor.h"

enum occurs { ONCE, OPTIONAL, SOME, ANY_NUMBER };

struct model;

struct child {
	const char *name;
	enum occurs occurs;
	const struct model *model; /* NULL: text */
};

struct model {
	bool is_choice; /* exactly one of the children */
	const struct child *children;
	size_t n;
};

static const struct child sales_invoice_metadata_children[] = {
	{ "data", ONCE, NULL },
};
static const struct model sales_invoice_metadata = { false, sales_invoice_metadata_children,
						     ARRAY_SIZE(sales_invoice_metadata_children) };

static const struct child sales_invoice_dimension_children[] = {
	{ "dimensionname", ONCE, NULL },
	{ "dimensionitem", ONCE, NULL },
	{ "metadata", ANY_NUMBER, &sales_invoice_metadata },
};
static const struct model sales_invoice_dimension = {
	false, sales_invoice_dimension_children, ARRAY_SIZE(sales_invoice_dimension_children)
};

static const struct child sales_invoice_accrualrule_children[] = {
	{ "startmonth", ONCE, NULL },
	{ "startyear", ONCE, NULL },
	{ "endmonth", OPTIONAL, NULL },
	{ "endyear", OPTIONAL, NULL },
	{ "divisioncurvename", OPTIONAL, NULL },
};
static const struct model sales_invoice_accrualrule = {
	false, sales_invoice_accrualrule_children, ARRAY_SIZE(sales_invoice_accrualrule_children)
};

static const struct child sales_invoice_salesinvoiceproductline_children[] = {
	{ "productidentifier", ONCE, NULL },
	{ "productname", ONCE, NULL },
	{ "productunitprice", ONCE, NULL },
	{ "productunitpurchaseprice", OPTIONAL, NULL },
	{ "productvatpercentage", ONCE, NULL },
	{ "salesinvoiceproductlinequantity", ONCE, NULL },
	{ "salesinvoiceproductlinediscountpercentage", OPTIONAL, NULL },
	{ "salesinvoiceproductlinefreetext", OPTIONAL, NULL },
	{ "salesinvoiceproductlinevatsum", OPTIONAL, NULL },
	{ "salesinvoiceproductlinesum", OPTIONAL, NULL },
	{ "salesinvoiceproductlineinventoryid", OPTIONAL, NULL },
	{ "accountingaccountsuggestion", OPTIONAL, NULL },
	{ "skipaccrual", OPTIONAL, NULL },
	{ "dimension", ANY_NUMBER, &sales_invoice_dimension },
	{ "provisionpercentage", OPTIONAL, NULL },
	{ "accrualrule", OPTIONAL, &sales_invoice_accrualrule },
	{ "productunitname", OPTIONAL, NULL },
};
static const struct model sales_invoice_salesinvoiceproductline = {
	false, sales_invoice_salesinvoiceproductline_children,
	ARRAY_SIZE(sales_invoice_salesinvoiceproductline_children)
};

static const struct child sales_invoice_salesinvoicecommentline_children[] = {
	{ "comment", ONCE, NULL },
};
static const struct model sales_invoice_salesinvoicecommentline = {
	false, sales_invoice_salesinvoicecommentline_children,
	ARRAY_SIZE(sales_invoice_salesinvoicecommentline_children)
};

static const struct child sales_invoice_invoiceline_children[] = {
	{ "salesinvoiceproductline", OPTIONAL, &sales_invoice_salesinvoiceproductline },
	{ "salesinvoicecommentline", OPTIONAL, &sales_invoice_salesinvoicecommentline },
	{ "salesinvoicesubline", OPTIONAL, NULL },
};
static const struct model sales_invoice_invoiceline = {
	true, sales_invoice_invoiceline_children, ARRAY_SIZE(sales_invoice_invoiceline_children)
};

static const struct child sales_invoice_invoicelines_children[] = {
	{ "invoiceline", SOME, &sales_invoice_invoiceline },
};
static const struct model sales_invoice_invoicelines = {
	false, sales_invoice_invoicelines_children, ARRAY_SIZE(sales_invoice_invoicelines_children)
};

static const struct child sales_invoice_voucherline_children[] = {
	{ "linesum", ONCE, NULL },	   { "description", OPTIONAL, NULL },
	{ "accountnumber", ONCE, NULL },   { "vatpercent", ONCE, NULL },
	{ "skipaccrual", OPTIONAL, NULL }, { "dimension", ANY_NUMBER, &sales_invoice_dimension },
};
static const struct model sales_invoice_voucherline = {
	false, sales_invoice_voucherline_children, ARRAY_SIZE(sales_invoice_voucherline_children)
};

static const struct child sales_invoice_invoicevoucherlines_children[] = {
	{ "voucherline", SOME, &sales_invoice_voucherline },
};
static const struct model sales_invoice_invoicevoucherlines = {
	false, sales_invoice_invoicevoucherlines_children,
	ARRAY_SIZE(sales_invoice_invoicevoucherlines_children)
};

static const struct child sales_invoice_accrualvoucherentry_children[] = {
	{ "month", ONCE, NULL },
	{ "year", ONCE, NULL },
	{ "sum", ONCE, NULL },
};
static const struct model sales_invoice_accrualvoucherentry = {
	false, sales_invoice_accrualvoucherentry_children,
	ARRAY_SIZE(sales_invoice_accrualvoucherentry_children)
};

static const struct child sales_invoice_salesinvoiceaccrual_children[] = {
	{ "overridedefaultsalesaccrualaccountnumber", OPTIONAL, NULL },
	{ "salesinvoiceaccrualtype", OPTIONAL, NULL },
	{ "accrualvoucherentry", SOME, &sales_invoice_accrualvoucherentry },
};
static const struct model sales_invoice_salesinvoiceaccrual = {
	false, sales_invoice_salesinvoiceaccrual_children,
	ARRAY_SIZE(sales_invoice_salesinvoiceaccrual_children)
};

static const struct child sales_invoice_salesinvoiceattachment_children[] = {
	{ "mimetype", ONCE, NULL },	      { "attachmentdescription", ONCE, NULL },
	{ "filename", ONCE, NULL },	      { "documentdata", ONCE, NULL },
	{ "printbydefault", OPTIONAL, NULL },
};
static const struct model sales_invoice_salesinvoiceattachment = {
	false, sales_invoice_salesinvoiceattachment_children,
	ARRAY_SIZE(sales_invoice_salesinvoiceattachment_children)
};

static const struct child sales_invoice_salesinvoiceattachments_children[] = {
	{ "salesinvoiceattachment", SOME, &sales_invoice_salesinvoiceattachment },
};
static const struct model sales_invoice_salesinvoiceattachments = {
	false, sales_invoice_salesinvoiceattachments_children,
	ARRAY_SIZE(sales_invoice_salesinvoiceattachments_children)
};

static const struct child sales_invoice_tag_children[] = {
	{ "tagname", ONCE, NULL },
	{ "tagvalue", ONCE, NULL },
};
static const struct model sales_invoice_tag = { false, sales_invoice_tag_children,
						ARRAY_SIZE(sales_invoice_tag_children) };

static const struct child sales_invoice_customtags_children[] = {
	{ "tag", ANY_NUMBER, &sales_invoice_tag },
};
static const struct model sales_invoice_customtags = {
	false, sales_invoice_customtags_children, ARRAY_SIZE(sales_invoice_customtags_children)
};

static const struct child sales_invoice_salesinvoice_children[] = {
	{ "salesinvoicenumber", OPTIONAL, NULL },
	{ "salesinvoicedate", ONCE, NULL },
	{ "salesinvoiceeventdate", OPTIONAL, NULL },
	{ "salesinvoiceduedate", OPTIONAL, NULL },
	{ "salesinvoicevaluedate", OPTIONAL, NULL },
	{ "salesinvoicedeliverydate", OPTIONAL, NULL },
	{ "salesinvoicedeliverytocustomerdate", OPTIONAL, NULL },
	{ "salesinvoicewaybillidentifier", OPTIONAL, NULL },
	{ "salesinvoicereferencenumber", OPTIONAL, NULL },
	{ "salesinvoiceamount", ONCE, NULL },
	{ "selleridentifier", OPTIONAL, NULL },
	{ "sellername", OPTIONAL, NULL },
	{ "invoicetype", OPTIONAL, NULL },
	{ "salesinvoicestatus", ONCE, NULL },
	{ "salesinvoicefreetextbeforelines", OPTIONAL, NULL },
	{ "salesinvoicefreetextafterlines", OPTIONAL, NULL },
	{ "salesinvoiceourreference", OPTIONAL, NULL },
	{ "salesinvoiceyourreference", OPTIONAL, NULL },
	{ "salesinvoiceprivatecomment", OPTIONAL, NULL },
	{ "invoicingcustomeridentifier", ONCE, NULL },
	{ "invoicingcustomername", OPTIONAL, NULL },
	{ "invoicingcustomernameextension", OPTIONAL, NULL },
	{ "invoicingcustomeraddressline", OPTIONAL, NULL },
	{ "invoicingcustomeradditionaladdressline", OPTIONAL, NULL },
	{ "invoicingcustomerpostnumber", OPTIONAL, NULL },
	{ "invoicingcustomertown", OPTIONAL, NULL },
	{ "invoicingcustomercountrycode", OPTIONAL, NULL },
	{ "officeidentifier", OPTIONAL, NULL },
	{ "deliveryoffice", OPTIONAL, NULL },
	{ "deliveryaddressname", OPTIONAL, NULL },
	{ "deliveryaddressnameextension", OPTIONAL, NULL },
	{ "deliveryaddressline", OPTIONAL, NULL },
	{ "deliveryaddresspostnumber", OPTIONAL, NULL },
	{ "deliveryaddresstown", OPTIONAL, NULL },
	{ "deliveryaddresscountrycode", OPTIONAL, NULL },
	{ "deliverymethod", OPTIONAL, NULL },
	{ "deliveryterm", OPTIONAL, NULL },
	{ "salesinvoicetaxhandlingtype", OPTIONAL, NULL },
	{ "paymentterm", OPTIONAL, NULL },
	{ "paymenttermnetdays", OPTIONAL, NULL },
	{ "paymenttermcashdiscountdays", OPTIONAL, NULL },
	{ "paymenttermcashdiscount", OPTIONAL, NULL },
	{ "expectpartialpayments", OPTIONAL, NULL },
	{ "trydirectdebitlink", OPTIONAL, NULL },
	{ "overridevouchersalesreceivablesaccountnumber", OPTIONAL, NULL },
	{ "invoicesubjecttype", OPTIONAL, NULL },
	{ "salesinvoiceagreementidentifier", OPTIONAL, NULL },
	{ "printchannelformat", OPTIONAL, NULL },
	{ "secondname", OPTIONAL, NULL },
	{ "overriderateofoverdue", OPTIONAL, NULL },
	{ "ordernumber", OPTIONAL, NULL },
	{ "proposedaccount", OPTIONAL, NULL },
	{ "accountdimensiontext", OPTIONAL, NULL },
	{ "collectioncost", OPTIONAL, NULL },
	{ "isthirdpartysales", OPTIONAL, NULL },
	{ "invoicelines", ONCE, &sales_invoice_invoicelines },
	{ "invoicevoucherlines", OPTIONAL, &sales_invoice_invoicevoucherlines },
	{ "salesinvoiceaccrual", OPTIONAL, &sales_invoice_salesinvoiceaccrual },
	{ "accrualrule", OPTIONAL, &sales_invoice_accrualrule },
	{ "salesinvoiceattachments", OPTIONAL, &sales_invoice_salesinvoiceattachments },
	{ "customtags", OPTIONAL, &sales_invoice_customtags },
};
static const struct model sales_invoice_salesinvoice = {
	false, sales_invoice_salesinvoice_children, ARRAY_SIZE(sales_invoice_salesinvoice_children)
};

static const struct child customer_customerbaseinformation_children[] = {
	{ "internalidentifier", OPTIONAL, NULL },
	{ "externalidentifier", OPTIONAL, NULL },
	{ "organizationunitnumber", OPTIONAL, NULL },
	{ "name", OPTIONAL, NULL },
	{ "nameextension", OPTIONAL, NULL },
	{ "streetaddress", OPTIONAL, NULL },
	{ "additionaladdressline", OPTIONAL, NULL },
	{ "city", OPTIONAL, NULL },
	{ "postnumber", OPTIONAL, NULL },
	{ "country", OPTIONAL, NULL },
	{ "customergroupname", OPTIONAL, NULL },
	{ "phonenumber", OPTIONAL, NULL },
	{ "faxnumber", OPTIONAL, NULL },
	{ "email", OPTIONAL, NULL },
	{ "homepageuri", OPTIONAL, NULL },
	{ "isactive", OPTIONAL, NULL },
	{ "isprivatecustomer", OPTIONAL, NULL },
	{ "emailinvoicingaddress", OPTIONAL, NULL },
};
static const struct model customer_customerbaseinformation = {
	false, customer_customerbaseinformation_children,
	ARRAY_SIZE(customer_customerbaseinformation_children)
};

static const struct child customer_customerfinvoicedetails_children[] = {
	{ "finvoiceaddress", OPTIONAL, NULL },
	{ "finvoiceroutercode", OPTIONAL, NULL },
};
static const struct model customer_customerfinvoicedetails = {
	false, customer_customerfinvoicedetails_children,
	ARRAY_SIZE(customer_customerfinvoicedetails_children)
};

static const struct child customer_customermaventaedidetails_children[] = {
	{ "maventaedichannel", ONCE, NULL },
	{ "maventaedicustomeridentifier", OPTIONAL, NULL },
};
static const struct model customer_customermaventaedidetails = {
	false, customer_customermaventaedidetails_children,
	ARRAY_SIZE(customer_customermaventaedidetails_children)
};

static const struct child customer_customerdeliverydetails_children[] = {
	{ "deliveryname", OPTIONAL, NULL },    { "deliverystreetaddress", OPTIONAL, NULL },
	{ "deliverycity", OPTIONAL, NULL },    { "deliverypostnumber", OPTIONAL, NULL },
	{ "deliverycountry", OPTIONAL, NULL },
};
static const struct model customer_customerdeliverydetails = {
	false, customer_customerdeliverydetails_children,
	ARRAY_SIZE(customer_customerdeliverydetails_children)
};

static const struct child customer_customercontactdetails_children[] = {
	{ "contactname", OPTIONAL, NULL },
	{ "contactperson", OPTIONAL, NULL },
	{ "contactpersonemail", OPTIONAL, NULL },
	{ "contactpersonphone", OPTIONAL, NULL },
};
static const struct model customer_customercontactdetails = {
	false, customer_customercontactdetails_children,
	ARRAY_SIZE(customer_customercontactdetails_children)
};

static const struct child customer_defaultsalesperson_children[] = {
	{ "salespersonid", ONCE, NULL },
};
static const struct model customer_defaultsalesperson = {
	false, customer_defaultsalesperson_children,
	ARRAY_SIZE(customer_defaultsalesperson_children)
};

static const struct child customer_customeradditionalinformation_children[] = {
	{ "comment", OPTIONAL, NULL },
	{ "customeragreementidentifier", OPTIONAL, NULL },
	{ "customerreferencenumber", OPTIONAL, NULL },
	{ "directdebitbankaccount", OPTIONAL, NULL },
	{ "invoicinglanguage", OPTIONAL, NULL },
	{ "invoiceprintchannelformat", OPTIONAL, NULL },
	{ "yourdefaultreference", OPTIONAL, NULL },
	{ "defaulttextbeforeinvoicelines", OPTIONAL, NULL },
	{ "defaulttextafterinvoicelines", OPTIONAL, NULL },
	{ "defaultpaymentterm", OPTIONAL, NULL },
	{ "defaultsecondname", OPTIONAL, NULL },
	{ "paymentinterest", OPTIONAL, NULL },
	{ "balancelimit", OPTIONAL, NULL },
	{ "receivablesmanagementautomationrule", OPTIONAL, NULL },
	{ "factoringaccount", OPTIONAL, NULL },
	{ "taxhandlingtype", OPTIONAL, NULL },
	{ "eustandardfinvoice", OPTIONAL, NULL },
	{ "defaultsalesperson", OPTIONAL, &customer_defaultsalesperson },
};
static const struct model customer_customeradditionalinformation = {
	false, customer_customeradditionalinformation_children,
	ARRAY_SIZE(customer_customeradditionalinformation_children)
};

static const struct child customer_dimension_children[] = {
	{ "dimensionname", ONCE, NULL },
	{ "dimensionitem", ONCE, NULL },
};
static const struct model customer_dimension = { false, customer_dimension_children,
						 ARRAY_SIZE(customer_dimension_children) };

static const struct child customer_customerdimensiondetails_children[] = {
	{ "dimension", ANY_NUMBER, &customer_dimension },
};
static const struct model customer_customerdimensiondetails = {
	false, customer_customerdimensiondetails_children,
	ARRAY_SIZE(customer_customerdimensiondetails_children)
};

static const struct child customer_customer_children[] = {
	{ "customerbaseinformation", ONCE, &customer_customerbaseinformation },
	{ "customerfinvoicedetails", OPTIONAL, &customer_customerfinvoicedetails },
	{ "customermaventaedidetails", OPTIONAL, &customer_customermaventaedidetails },
	{ "customerdeliverydetails", OPTIONAL, &customer_customerdeliverydetails },
	{ "customercontactdetails", OPTIONAL, &customer_customercontactdetails },
	{ "customeradditionalinformation", OPTIONAL, &customer_customeradditionalinformation },
	{ "customerdimensiondetails", OPTIONAL, &customer_customerdimensiondetails },
};
static const struct model customer_customer = { false, customer_customer_children,
						ARRAY_SIZE(customer_customer_children) };

static const struct child product_productbaseinformation_children[] = {
	{ "productcode", OPTIONAL, NULL },
	{ "productgroup", ONCE, NULL },
	{ "name", ONCE, NULL },
	{ "description", OPTIONAL, NULL },
	{ "unitprice", ONCE, NULL },
	{ "unit", OPTIONAL, NULL },
	{ "unitweight", OPTIONAL, NULL },
	{ "purchaseprice", OPTIONAL, NULL },
	{ "tariffheading", OPTIONAL, NULL },
	{ "comissionpercentage", OPTIONAL, NULL },
	{ "isactive", ONCE, NULL },
	{ "issalesproduct", ONCE, NULL },
	{ "inventoryenabled", OPTIONAL, NULL },
	{ "inventorybatchlinkingmode", OPTIONAL, NULL },
	{ "countryoforigin", OPTIONAL, NULL },
	{ "primaryeancode", OPTIONAL, NULL },
	{ "secondaryeancode", OPTIONAL, NULL },
	{ "inventoryalertlimit", OPTIONAL, NULL },
};
static const struct model product_productbaseinformation = {
	false, product_productbaseinformation_children,
	ARRAY_SIZE(product_productbaseinformation_children)
};

static const struct child product_productbookkeepingdetails_children[] = {
	{ "defaultvatpercentage", ONCE, NULL },
	{ "defaultdomesticaccountnumber", OPTIONAL, NULL },
	{ "defaulteuaccountnumber", OPTIONAL, NULL },
	{ "defaultoutsideeuaccountnumber", OPTIONAL, NULL },
};
static const struct model product_productbookkeepingdetails = {
	false, product_productbookkeepingdetails_children,
	ARRAY_SIZE(product_productbookkeepingdetails_children)
};

static const struct child product_productpackageinformation_children[] = {
	{ "packagewidth", ONCE, NULL },
	{ "packageheight", ONCE, NULL },
	{ "packagelength", ONCE, NULL },
};
static const struct model product_productpackageinformation = {
	false, product_productpackageinformation_children,
	ARRAY_SIZE(product_productpackageinformation_children)
};

static const struct child product_dimension_children[] = {
	{ "dimensionname", ONCE, NULL },
	{ "dimensionitem", ONCE, NULL },
};
static const struct model product_dimension = { false, product_dimension_children,
						ARRAY_SIZE(product_dimension_children) };

static const struct child product_productadditionalinformation_children[] = {
	{ "productnetweight", OPTIONAL, NULL },
	{ "productgrossweight", OPTIONAL, NULL },
	{ "productweightunit", OPTIONAL, NULL },
	{ "productpackageinformation", OPTIONAL, &product_productpackageinformation },
	{ "dimension", ANY_NUMBER, &product_dimension },
};
static const struct model product_productadditionalinformation = {
	false, product_productadditionalinformation_children,
	ARRAY_SIZE(product_productadditionalinformation_children)
};

static const struct child product_productcustomtag_children[] = {
	{ "tagname", ONCE, NULL },
	{ "tagvalue", ONCE, NULL },
};
static const struct model product_productcustomtag = {
	false, product_productcustomtag_children, ARRAY_SIZE(product_productcustomtag_children)
};

static const struct child product_productcustomtags_children[] = {
	{ "productcustomtag", ANY_NUMBER, &product_productcustomtag },
};
static const struct model product_productcustomtags = {
	false, product_productcustomtags_children, ARRAY_SIZE(product_productcustomtags_children)
};

static const struct child product_product_children[] = {
	{ "productbaseinformation", ONCE, &product_productbaseinformation },
	{ "productbookkeepingdetails", OPTIONAL, &product_productbookkeepingdetails },
	{ "productadditionalinformation", OPTIONAL, &product_productadditionalinformation },
	{ "productcustomtags", OPTIONAL, &product_productcustomtags },
};
static const struct model product_product = { false, product_product_children,
					      ARRAY_SIZE(product_product_children) };

static const struct child dimension_dimensionitem_children[] = {
	{ "name", ONCE, NULL },
	{ "item", ONCE, NULL },
	{ "olditem", OPTIONAL, NULL },
	{ "code", OPTIONAL, NULL },
	{ "label", OPTIONAL, NULL },
	{ "oldcode", OPTIONAL, NULL },
	{ "oldlabel", OPTIONAL, NULL },
	{ "fatherid", OPTIONAL, NULL },
	{ "fatheritem", OPTIONAL, NULL },
	{ "fathercode", OPTIONAL, NULL },
	{ "fatherlabel", OPTIONAL, NULL },
	{ "activityperiodstart", OPTIONAL, NULL },
	{ "activityperiodend", OPTIONAL, NULL },
	{ "ishidden", OPTIONAL, NULL },
};
static const struct model dimension_dimensionitem = {
	false, dimension_dimensionitem_children, ARRAY_SIZE(dimension_dimensionitem_children)
};

static bool check(struct nv_call *nc, const struct xml *x, const struct model *m);

static bool fail_order(struct nv_call *nc, const char *name)
{
	return nv_fail(nc, "INVALID_DATA", NV_TEXT_ORDER, name);
}

static bool check_choice(struct nv_call *nc, const struct xml *x, const struct model *m)
{
	const struct xml *only = xml_child(x, NULL);
	if (!only)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, xml_name(x));
	const struct xml *more = xml_next(only, NULL);
	if (more)
		return fail_order(nc, xml_name(more));
	for (size_t i = 0; i < m->n; i++) {
		if (xml_is(only, m->children[i].name))
			return !m->children[i].model || check(nc, only, m->children[i].model);
	}
	return fail_order(nc, xml_name(only));
}

static bool check(struct nv_call *nc, const struct xml *x, const struct model *m)
{
	if (m->is_choice)
		return check_choice(nc, x, m);
	const struct xml *at = xml_child(x, NULL);
	for (size_t i = 0; i < m->n; i++) {
		const struct child *c = &m->children[i];
		bool repeats = c->occurs == SOME || c->occurs == ANY_NUMBER;
		bool found = false;
		while (at && xml_is(at, c->name) && (repeats || !found)) {
			found = true;
			if (c->model && !check(nc, at, c->model))
				return false;
			at = xml_next(at, NULL);
		}
		if (!found && (c->occurs == ONCE || c->occurs == SOME))
			return nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, c->name);
	}
	return at ? fail_order(nc, xml_name(at)) : true;
}

/* Trip expenses: custom lines alone, the order being the fact sheet's (§11). */
static const struct child trip_dimension_children[] = { { "dimensionname", ONCE, NULL },
							{ "dimensionitem", ONCE, NULL } };
static const struct model trip_dimension = { false, trip_dimension_children,
					     ARRAY_SIZE(trip_dimension_children) };
static const struct child trip_customline_children[] = {
	{ "employeeidentifier", ONCE, NULL },
	{ "ratio", ONCE, NULL },
	{ "amount", ONCE, NULL },
	{ "customlineunitprice", ONCE, NULL },
	{ "vatpercentage", OPTIONAL, NULL },
	{ "linedescription", ONCE, NULL },
	{ "begindate", ONCE, NULL },
	{ "enddate", ONCE, NULL },
	{ "crmprocessidentifier", OPTIONAL, NULL },
	{ "customeridentifier", OPTIONAL, NULL },
	{ "expenseaccountnumber", OPTIONAL, NULL },
	{ "linestatus", OPTIONAL, NULL },
	{ "dimension", ANY_NUMBER, &trip_dimension },
};
static const struct model trip_customline = { false, trip_customline_children,
					      ARRAY_SIZE(trip_customline_children) };
static const struct child trip_customlines_children[] = { { "customline", SOME,
							    &trip_customline } };
static const struct model trip_customlines = { false, trip_customlines_children,
					       ARRAY_SIZE(trip_customlines_children) };
static const struct child trip_children[] = { { "header", ONCE, NULL },
					      { "description", OPTIONAL, NULL },
					      { "customlines", OPTIONAL, &trip_customlines } };
static const struct model trip_tripexpense = { false, trip_children, ARRAY_SIZE(trip_children) };

bool nv_check_order(struct nv_call *nc, enum nv_document doc)
{
	static const struct {
		const char *name;
		const struct model *model;
	} documents[] = {
		[NV_DOC_SALES_INVOICE] = { "salesinvoice", &sales_invoice_salesinvoice },
		[NV_DOC_CUSTOMER] = { "customer", &customer_customer },
		[NV_DOC_PRODUCT] = { "product", &product_product },
		[NV_DOC_DIMENSION] = { "dimensionitem", &dimension_dimensionitem },
		[NV_DOC_TRIP] = { "tripexpense", &trip_tripexpense },
	};
	const struct xml *x = xml_child(nc->root, NULL);
	if (!x || !xml_is(x, documents[doc].name))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, documents[doc].name);
	const struct xml *more = xml_next(x, NULL);
	if (more)
		return fail_order(nc, xml_name(more));
	if (!nc->netvisor->sb->options.netvisor_strict)
		return true;
	return check(nc, x, documents[doc].model);
}
