/* meaning.c: see meaning.h. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "meaning.h"

void assert_meaning(const struct meaning *want, const struct err *read, const struct err *write,
		    const struct err *with_reason)
{
	assert_int_equal(read->code, want->read);
	assert_int_equal(write->code, want->write);
	assert_string_equal(read->target_text, want->words);
	assert_int_equal(read->upstream_status, want->status);
	if (want->reason)
		assert_string_equal(with_reason->reason, want->reason);
	else
		assert_null(with_reason->reason);
}
