/* known.c: what agrees between a document and what a target tells of one (flows/delivery.h). Pure.
 */
#include "base/base.h"
#include "flows/delivery.h"

static bool is_set(const char *text)
{
	return text && text[0];
}

bool delivery_same_reference(const char *a, const char *b)
{
	if (!is_set(a) || !is_set(b))
		return !is_set(a) && !is_set(b);
	while (*a == '0' || *a == ' ')
		a++;
	while (*b == '0' || *b == ' ')
		b++;
	for (;; a++, b++) {
		while (*a == ' ')
			a++;
		while (*b == ' ')
			b++;
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

bool delivery_is_sum(struct decimal told, const struct delivery_identity *id)
{
	struct decimal unrounded;
	return decimal_eq(told, id->sum) ||
	       (decimal_sub(id->sum, id->rounding, &unrounded) && decimal_eq(told, unrounded));
}
