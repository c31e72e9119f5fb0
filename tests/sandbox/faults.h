/*
 * faults.h: what is to go wrong, and for which calls. Set by the control API, asked at the arrival
 * of every call. Thread-safe.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include "sandbox.h"

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *f);

/* Adds one fault from its JSON form (README.md); ERR_INPUT when it is wrong. */
bool faults_add(struct faults *f, const struct json *spec, int64_t *ret_id,
		struct err *err) MUST_CHECK;
void faults_clear(struct faults *f);
/* False when there is none with this id. */
bool faults_remove(struct faults *f, int64_t id);
void faults_write(struct faults *f, struct json_writer *w);

/* Decides what happens to this call; counts down. */
struct fault_plan faults_pick(struct faults *f, const struct call *c, const char *tenant);
const char *fault_kind_name(enum fault_kind kind);

#endif
