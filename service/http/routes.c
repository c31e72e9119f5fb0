/* routes.c: the table of all routes; openapi.yaml is held against it. The busiest row first. */
#include "base/base.h"

#include "handlers.h"
#include "intake.h"

#define TRANSFER_QUERY "connection state error number since until cursor limit"

/* clang-format off: one row, one line, so that the lint that reads them finds them */
const struct route routes[] = {
	{ HTTP_POST, "/v1/webhooks/{connection}", intake_webhook, ACCESS_OPEN, PLACE_INLINE, "" },
	{ HTTP_GET, "/healthz", handle_healthz, ACCESS_OPEN, PLACE_INLINE, "" },
	{ HTTP_GET, "/readyz", handle_readyz, ACCESS_OPEN, PLACE_DESK, "" },
	{ HTTP_GET, "/metrics", handle_metrics, ACCESS_OPEN, PLACE_DESK, "" },
	{ HTTP_GET, "/openapi.yaml", handle_openapi, ACCESS_OPEN, PLACE_INLINE, "" },
	{ HTTP_GET, "/docs", handle_docs, ACCESS_OPEN, PLACE_INLINE, "" },
	{ HTTP_GET, "/v1/connections", handle_connections_list, ACCESS_VIEWER, PLACE_DESK, "flow" },
	{ HTTP_POST, "/v1/connections", handle_connections_create, ACCESS_ADMIN, PLACE_DESK, "" },
	{ HTTP_GET, "/v1/connections/{id}", handle_connection_read, ACCESS_VIEWER, PLACE_DESK, "" },
	{ HTTP_PUT, "/v1/connections/{id}", handle_connection_replace, ACCESS_ADMIN, PLACE_DESK,
	  "" },
	{ HTTP_PATCH, "/v1/connections/{id}", handle_connection_merge, ACCESS_ADMIN, PLACE_DESK,
	  "" },
	{ HTTP_POST, "/v1/connections/{id}/check", handle_connection_check, ACCESS_OPERATOR,
	  PLACE_DESK, "" },
	{ HTTP_POST, "/v1/connections/{id}/activate", handle_connection_activate, ACCESS_ADMIN,
	  PLACE_DESK, "" },
	{ HTTP_POST, "/v1/connections/{id}/pause", handle_connection_pause, ACCESS_OPERATOR,
	  PLACE_DESK, "" },
	{ HTTP_POST, "/v1/connections/{id}/resume", handle_connection_resume, ACCESS_OPERATOR,
	  PLACE_DESK, "" },
	{ HTTP_POST, "/v1/connections/{id}/dry-run", handle_connection_dry_run, ACCESS_OPERATOR,
	  PLACE_DESK, "" },
	{ HTTP_POST, "/v1/connections/{id}/sync", handle_connection_sync, ACCESS_OPERATOR,
	  PLACE_DESK, "" },
	{ HTTP_GET, "/v1/connections/{id}/report", handle_connection_report, ACCESS_VIEWER,
	  PLACE_DESK, "" },
	{ HTTP_GET, "/v1/connections/{id}/runs", handle_runs_list, ACCESS_VIEWER, PLACE_DESK,
	  "cursor limit" },
	{ HTTP_POST, "/v1/connections/{id}/runs", handle_runs_create, ACCESS_OPERATOR, PLACE_DESK,
	  "" },
	{ HTTP_GET, "/v1/runs/{id}", handle_run_read, ACCESS_VIEWER, PLACE_DESK, "" },
	{ HTTP_POST, "/v1/runs/{id}/cancel", handle_run_cancel, ACCESS_OPERATOR, PLACE_DESK, "" },
	{ HTTP_GET, "/v1/transfers", handle_transfers_list, ACCESS_VIEWER, PLACE_DESK,
	  TRANSFER_QUERY },
	{ HTTP_POST, "/v1/transfers/retry", handle_transfers_retry, ACCESS_OPERATOR, PLACE_DESK,
	  "" },
	{ HTTP_GET, "/v1/transfers/{id}", handle_transfer_read, ACCESS_VIEWER, PLACE_DESK, "" },
	{ HTTP_POST, "/v1/transfers/{id}/retry", handle_transfer_retry, ACCESS_OPERATOR, PLACE_DESK,
	  "" },
	{ HTTP_POST, "/v1/transfers/{id}/resend", handle_transfer_resend, ACCESS_OPERATOR,
	  PLACE_DESK, "" },
	{ HTTP_POST, "/v1/transfers/{id}/cancel", handle_transfer_cancel, ACCESS_OPERATOR,
	  PLACE_DESK, "" },
	{ HTTP_GET, "/v1/jobs/{id}", handle_job_read, ACCESS_VIEWER, PLACE_DESK, "" },
	{ HTTP_GET, "/v1/flows", handle_flows_list, ACCESS_VIEWER, PLACE_INLINE, "" },
	{ HTTP_GET, "/v1/tokens", handle_tokens_list, ACCESS_ADMIN, PLACE_DESK, "" },
	{ HTTP_POST, "/v1/tokens", handle_tokens_create, ACCESS_ADMIN, PLACE_DESK, "" },
	{ HTTP_DELETE, "/v1/tokens/{id}", handle_token_revoke, ACCESS_ADMIN, PLACE_DESK, "" },
	{ HTTP_GET, "/v1/audit", handle_audit_list, ACCESS_ADMIN, PLACE_DESK, "cursor limit" },
};
/* clang-format on */
const size_t n_routes = sizeof(routes) / sizeof(routes[0]);
