/*
 * dialogues.h: registration and authentication (MV-01 to MV-07), what their files share.
 *
 * dialogues.c	    the tables: states with their words, what bodies hold
 * candidates.c	    whom there is to choose from
 * registration.c   what people say: to register, to connect, to paste keys, to cancel
 * register.c	    how a worker goes on: register once, look up what is unclear, check and store
 * keys authentication.c the request to the approver, and looking until the company is verified
 */
#ifndef SEVERA_MAVENTA_DIALOGUES_H
#define SEVERA_MAVENTA_DIALOGUES_H

#include "base/base.h"
#include "internal.h"

#define REGISTRATIONS "registrations"
#define AUTHENTICATIONS "authentications"

/* States of a registration. */
#define ACCEPTED "accepted" /* taken down; nothing was done yet */
#define REGISTERING "registering" /* the intent stands */
#define IN_DOUBT "in_doubt" /* it may have been carried out: Maventa is asked */
#define STORING "storing" /* Maventa's answer is on its way to the connection */
#define CHECKING "checking" /* a pair of keys is being checked */
#define USER_EXISTS "user_exists" /* registered; the key has to be copied from Maventa (MV-04) */
#define ANSWER_LOST "answer_lost" /* likewise, since the answer was lost */
#define UNCLEAR "unclear" /* nobody can be asked: a person has to look */
#define REGISTERED "registered" /* both keys stand on the connection */
#define VERIFIED "verified" /* and the company is authenticated */
#define REFUSED "refused"
#define NOT_REGISTERED "not_registered" /* it never arrived */
#define CANCELLED "cancelled"

/* States of an authentication; VERIFIED, REFUSED and CANCELLED too. */
#define SENDING "sending"
#define WAITING "waiting" /* for the approver; looked at now and then */
#define LOOKING "looking" /* somebody wants to know now */
#define UNANSWERED "unanswered" /* for so long that only who asks is told */
#define REPLACED "replaced" /* by a newer request, or by other keys */

/* Maventa with a pair of keys that is not the connection's yet. */
bool sm_open_pair(struct sm *t, const char *company_uuid, const char *user_api_key,
		  struct maventa *ret, struct err *err) MUST_CHECK;
/* Settings and credentials of a connection as JSON; NULL what it does not have. */
bool sm_read_connection(struct arena *arena, const struct connection *conn,
			const struct json **ret_settings, const struct json **ret_credentials,
			struct err *err) MUST_CHECK;
/* Are the two numbers those of one company? NULL and "" are nobody's. */
bool sm_is_same_company(struct arena *arena, const char *a, const char *b);
/* "FI" of a VAT number. */
const char *sm_country_of(struct arena *arena, const char *vat_number);
/* Of Severa's; ERR_DATA company_unknown. */
bool sm_find_company(struct sm *t, const char *vat_number, struct severa_company *ret,
		     struct err *err) MUST_CHECK;

/*
 * Another connection's keys, or this one's own, for a company: of the same Severa, so that they are
 * the customer's own.
 */
struct sm_known_keys {
	const char *connection, *company_uuid, *user_api_key; /* NULL: none are known */
};
bool sm_known_keys(struct sm *t, const struct record *rec, const char *vat_number,
		   struct sm_known_keys *ret, struct err *err) MUST_CHECK;

/* As the tables of dialogues.c have them. */
bool sm_candidates(struct attempt *at, struct err *err);
bool sm_take_registration(const struct talk *talk, const struct json *body, struct record *rec,
			  struct err *err);
bool sm_take_keys(const struct talk *talk, const struct json *body, struct record *rec,
		  struct err *err);
bool sm_take_cancel(const struct talk *talk, const struct json *body, struct record *rec,
		    struct err *err);
bool sm_register(struct attempt *at, struct record *rec, struct err *err);
bool sm_take_authentication(const struct talk *talk, const struct json *body, struct record *rec,
			    struct err *err);
bool sm_take_refresh(const struct talk *talk, const struct json *body, struct record *rec,
		     struct err *err);
bool sm_authenticate(struct attempt *at, struct record *rec, struct err *err);

#endif
