/* netvisor_internal.h: what the files of this folder share. */
#ifndef NETVISOR_INTERNAL_H
#define NETVISOR_INTERNAL_H

#include "base/base.h"
#include "net/http.h"
#include "systems/netvisor.h"

#define NETVISOR_REPLY_MAX ((size_t)16 << 20)

/* Ten headers of one call (facts §2.1), made just before it is sent. */
#define NETVISOR_HEADERS 12
bool netvisor_sign(struct netvisor *nv, const char *url, struct http_header ret[NETVISOR_HEADERS],
		   size_t *ret_n, struct err *err) MUST_CHECK;

/* calls.c */
/* Resource and value, percent-encoded; NULL when the arena is full. */
const char *netvisor_query(struct netvisor *nv, const char *resource, const char *value);
/* resource NULL: the arena was full. */
bool netvisor_get(struct netvisor *nv, const char *what, const char *resource,
		  const struct xml **ret, struct err *err) MUST_CHECK;
/* A POST that adds; *ret_key is the new Netvisor key. */
bool netvisor_add(struct netvisor *nv, const char *what, const char *resource, struct span body,
		  const char **ret_key, struct err *err) MUST_CHECK;
/* A POST whose answer tells no key. */
bool netvisor_edit(struct netvisor *nv, const char *what, const char *resource, struct span body,
		   struct err *err) MUST_CHECK;

/* operators.c */
/* A list as deploy/netvisor-operators.tsv is one; ERR_INPUT names the line. Pure. */
bool netvisor_operators_read(struct arena *arena, struct span text,
			     const struct netvisor_operators **ret, struct err *err) MUST_CHECK;
/* As struct system wants it. */
bool netvisor_ready(void *values, system_file_fn read_file, struct arena *arena,
		    struct err *err) MUST_CHECK;

/* A POST whose answer is the caller's to read. */
bool netvisor_post(struct netvisor *nv, const char *what, const char *resource, struct span body,
		   const struct xml **ret, struct err *err) MUST_CHECK;

/* map.c, pure */
bool netvisor_map_customer(struct arena *arena, enum xml_encoding encoding,
			   const struct netvisor_customer *c, struct span *ret,
			   struct err *err) MUST_CHECK;
void netvisor_read_customer(const struct xml *x, struct netvisor_customer *ret);
bool netvisor_map_product(struct arena *arena, enum xml_encoding encoding, const struct product *p,
			  const char *group, struct span *ret, struct err *err) MUST_CHECK;
/* What getproduct.nv answers of one. */
void netvisor_read_product(const struct xml *x, struct netvisor_product *ret);
bool netvisor_map_dimension(struct arena *arena, enum xml_encoding encoding,
			    const struct netvisor_dimension_item *d, struct span *ret,
			    struct err *err) MUST_CHECK;
bool netvisor_read_listed(const struct xml *x, struct netvisor_listed *ret,
			  struct err *err) MUST_CHECK;

#endif
