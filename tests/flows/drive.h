/*
 * drive.h: the calls of a system against a running viesti-sandbox, one by one. Each system that is
 * driven has a table of calls, which say what came of them on the step's line.
 */
#ifndef FLOWS_DRIVE_H
#define FLOWS_DRIVE_H

#include "codec/json.h"
#include "fake.h"

struct drive {
	struct http_client *client;
	struct fake fake;
	struct arena *arena;
	const struct json *input;
	void *system; /* the driven system's own, set by its open */
	const struct json *args; /* of the step */
	struct json_writer *w, writer; /* of its line */
};

struct drive_call {
	const char *name;
	bool (*run)(struct drive *d, struct err *err);
};

struct drive_system {
	const char *name;
	bool (*open)(struct drive *d, struct err *err);
	const struct drive_call *calls;
	size_t n_calls;
};
extern const struct drive_system drive_maventa, drive_maestro, drive_spotilla, drive_procountor,
	drive_talenom;

/* Of the step: a text or the digits of a number, NULL when absent; a true. */
const char *drive_arg(const struct drive *d, const char *path);
bool drive_flag(const struct drive *d, const char *path);
/* A number; 0 when absent. */
struct decimal drive_decimal(const struct drive *d, const char *path);
/* Of the whole input; "" when absent. */
const char *drive_input(const struct drive *d, const char *path);
void drive_put(struct drive *d, const char *key, const char *value);
void drive_put_decimal(struct drive *d, const char *key, struct decimal value);
/* input.options by their names without prefix, "MAESTRO_PAGE": 2, into the system's own struct. */
bool drive_options(struct drive *d, const struct system *system, void *into,
		   struct err *err) MUST_CHECK;
/* The step's "invoice" and "customer", by the names of the model's members; rows in "rows". The
 * totals are what the rows make. */
bool drive_invoice(struct drive *d, struct invoice *ret, struct err *err) MUST_CHECK;
bool drive_customer(struct drive *d, struct customer *ret, struct err *err) MUST_CHECK;

int drive_main(void);

#endif
