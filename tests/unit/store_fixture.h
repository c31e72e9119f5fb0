/*
 * store_fixture.h: a relay (relay_fixture.h) whose store has a data folder and starts anew with
 * each test, and the connections that tests put there.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "relay_fixture.h"

/* The data folder of fx.store. */
extern char data_dir[64];

/* Of a test, in a group that begins with redis_start. */
int store_begin(void **state);
int store_end(void **state);

/* A store of another relay, or of one that starts again, on a folder. */
struct store *store_at(const char *folder, bool is_private);
/* Why Redis lost data, NULL when it did not. */
const char *sync_store(struct store *s);
void refresh(struct store *s);
/* Of a data folder: what stores write there. */
void remove_folder(const char *folder);

struct connection_draft draft(const char *id, enum connection_state state);
void put(const char *id, enum connection_state state);

#endif
