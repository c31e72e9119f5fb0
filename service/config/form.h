/*
 * form.h: the forms that texts among the settings must have. Private to config/.
 */
#ifndef SERVICE_CONFIG_FORM_H
#define SERVICE_CONFIG_FORM_H

#include "base/base.h"

/* At most 32 of a-z 0-9 _ -. */
bool form_is_name(struct span text);
/* An IPv4 or IPv6 address. */
bool form_is_address(struct span text);
/* "10.0.0.0/8,::1": addresses or networks. */
bool form_is_network_list(struct span text);
/* "host,host:port,[::1]:port". */
bool form_is_host_list(struct span text);
/* http or https; without user, query or fragment. */
bool form_is_url(struct span text);
/* redis://, rediss:// or unix://; what follows is the Redis module's to judge. */
bool form_is_redis_url(struct span text);
/* Text that holds a PEM block; what is in it is for OpenSSL to judge. */
bool form_is_pem(struct span text);
/* No control character; and no space, unless allowed: they are paste errors, or an injection. */
bool form_is_printable(struct span text, bool allow_space);

#endif
