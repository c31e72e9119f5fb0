/* handlers.h: one function per row of the route table (routes.c). */
#ifndef SERVICE_HTTP_HANDLERS_H
#define SERVICE_HTTP_HANDLERS_H

#include "request.h"

/* connections.c */
bool handle_connections_list(struct request *rq, struct err *err);
bool handle_connections_create(struct request *rq, struct err *err);
bool handle_connection_read(struct request *rq, struct err *err);
bool handle_connection_replace(struct request *rq, struct err *err);
bool handle_connection_merge(struct request *rq, struct err *err);
bool handle_connection_delete(struct request *rq, struct err *err);
bool handle_connection_check(struct request *rq, struct err *err);
bool handle_connection_activate(struct request *rq, struct err *err);
bool handle_connection_pause(struct request *rq, struct err *err);
bool handle_connection_resume(struct request *rq, struct err *err);
bool handle_connection_dry_run(struct request *rq, struct err *err);
bool handle_connection_sync(struct request *rq, struct err *err);
bool handle_connection_report(struct request *rq, struct err *err);
bool handle_job_read(struct request *rq, struct err *err);
/* webhook_urls.c */
bool handle_webhook_urls(struct request *rq, struct err *err);
/* dialogues.c */
bool handle_dialogue_list(struct request *rq, struct err *err);
bool handle_dialogue_candidates(struct request *rq, struct err *err);
bool handle_dialogue_read(struct request *rq, struct err *err);
bool handle_dialogue_act(struct request *rq, struct err *err);
/* registers.c */
bool handle_registers_list(struct request *rq, struct err *err);
bool handle_register_records(struct request *rq, struct err *err);
/* runs.c */
bool handle_runs_list(struct request *rq, struct err *err);
bool handle_runs_create(struct request *rq, struct err *err);
bool handle_run_read(struct request *rq, struct err *err);
bool handle_run_cancel(struct request *rq, struct err *err);
/* transfers.c */
bool handle_transfers_list(struct request *rq, struct err *err);
bool handle_transfer_read(struct request *rq, struct err *err);
bool handle_transfer_retry(struct request *rq, struct err *err);
bool handle_transfer_resend(struct request *rq, struct err *err);
bool handle_transfer_cancel(struct request *rq, struct err *err);
bool handle_transfer_arrived(struct request *rq, struct err *err);
bool handle_transfers_retry(struct request *rq, struct err *err);
/* admin.c */
bool handle_tokens_list(struct request *rq, struct err *err);
bool handle_tokens_create(struct request *rq, struct err *err);
bool handle_token_revoke(struct request *rq, struct err *err);
bool handle_audit_list(struct request *rq, struct err *err);
bool handle_flows_list(struct request *rq, struct err *err);
/* status.c */
bool handle_healthz(struct request *rq, struct err *err);
bool handle_readyz(struct request *rq, struct err *err);
bool handle_metrics(struct request *rq, struct err *err);
bool handle_openapi(struct request *rq, struct err *err);
bool handle_docs(struct request *rq, struct err *err);

#endif
