/* company.c: one name for a company, however its number is written (SV-09). Pure. */
#include "base/base.h"
#include "flows/severa_road.h"

const char *road_company_from(struct arena *arena, const char *vat_number_or_id)
{
	const char *business_id = business_id_from(arena, vat_number_or_id);
	return business_id ? business_id : vat_id_from(arena, vat_number_or_id, "NO", true);
}
