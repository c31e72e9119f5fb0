/*
 * address.h: may we connect to this address? The connect-time half of the guard against requests
 * that are steered into our own network (DESIGN §6): a name is judged by what it resolved to. Pure.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/base.h"

#include <sys/socket.h>

enum address_kind {
	ADDRESS_PUBLIC, /* globally reachable unicast */
	ADDRESS_LOOPBACK, /* this machine */
	ADDRESS_PRIVATE, /* RFC 1918, 4193, 6598: somebody's inner network */
	ADDRESS_LINK_LOCAL, /* the same wire; cloud metadata services live here */
	ADDRESS_FORBIDDEN, /* multicast, unspecified, documentation, reserved: never a server */
};

/* IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4) is judged as that IPv4 address. Any other
 * family is ADDRESS_FORBIDDEN. */
enum address_kind address_kind(const struct sockaddr *sa, socklen_t len);

#endif
