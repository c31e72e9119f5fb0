/* framing.h: what a request's headers say about where it ends and for whom it is, judged strictly.
 */
#ifndef SERVICE_HTTP_FRAMING_H
#define SERVICE_HTTP_FRAMING_H

#include "base/base.h"
#include "request.h"

/*
 * Server thread, headers complete. ERR_INPUT malformed_request for anything that two readers might
 * read differently; the line must then be closed, since nobody knows where the next request begins.
 */
bool framing_check(const struct request *rq, const char *version, struct err *err) MUST_CHECK;

#endif
