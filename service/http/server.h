/* server.h: the server's parts, private to http/. */
#ifndef SERVICE_HTTP_SERVER_H
#define SERVICE_HTTP_SERVER_H

#include "base/base.h"
#include "desk.h"
#include "intake.h"
#include "loop.h"
#include "request.h"

#include <stdatomic.h>

#define HTTP_MAX_ROUTES 64
#define REQUEST_POOL_MAX 256

struct link; /* one TCP connection: server.c */

struct http_server {
	struct http_server_options opt;
	struct metrics *own_metrics; /* when main gave none */
	struct loops *loops;
	struct committer *committer;
	struct desk *desk;
	struct key_cache *keys;
	struct trusted *trusted; /* proxies */
	atomic_bool draining, stopped;
	atomic_long n_active; /* requests between their first header and their last byte */
	atomic_ulong answered[HTTP_MAX_ROUTES + 1][6]; /* by route (last: none) and status / 100 */
	atomic_ulong request_no;
	uint32_t request_base;
	pthread_mutex_t pool_lock;
	struct request *pool; /* done, their arenas empty */
	size_t n_pool;
	pthread_mutex_t links_lock;
	struct link *links; /* open connections, for the watch over slow clients */
	pthread_t watch;
	bool watch_started, watch_stopping;
	pthread_cond_t watch_wake;
};

#endif
