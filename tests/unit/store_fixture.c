/* store_fixture.c: see store_fixture.h. */
#include "base/base.h"
#include "store_fixture.h"

char data_dir[64];

struct store *store_at(const char *folder, bool is_private)
{
	struct store *made = NULL;
	const struct store_options so = {
		.pool = fx.redis, .key = &fx.key, .data_dir = folder, .is_private = is_private
	};
	OK(store_new(&so, &made, &err));
	return made;
}

const char *sync_store(struct store *s)
{
	struct store_epoch epoch;
	OK(store_sync(s, &err));
	const char *lost = store_lost(s);
	store_epoch_get(s, &epoch);
	if (lost)
		assert_true(epoch.restored);
	return lost;
}

void refresh(struct store *s)
{
	OK(store_refresh(s, &err));
}

void remove_folder(const char *folder)
{
	static const char *const names[] = { "vault", "vault.new", "mark" };
	char path[96];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (remove(path) != 0 && errno != ENOENT)
			fail_msg("%s: %s", path, strerrordesc_np(errno));
	}
	rmdir(folder);
}

int store_begin(void **state)
{
	snprintf(data_dir, sizeof(data_dir), "/tmp/viesti-store-XXXXXX");
	if (!mkdtemp(data_dir) || relay_empty(state) != 0)
		return -1;
	fixture_use_store(store_at(data_dir, false));
	assert_null(sync_store(fx.store));
	struct store_epoch epoch;
	store_epoch_get(fx.store, &epoch);
	assert_false(epoch.restored);
	refresh(fx.store);
	return 0;
}

int store_end(void **state)
{
	fixture_use_store(NULL);
	remove_folder(data_dir);
	return relay_tidy(state);
}

struct connection_draft draft(const char *id, enum connection_state state)
{
	struct connection_draft d = { .id = id,
				      .flow = "severa-netvisor",
				      .name = "Yritys \"Äiti\" Oy",
				      .settings = "{\"n\":12345678901234567890.10}",
				      .schedule = "{\"interval_s\":300}",
				      .state = state,
				      .credentials = SPAN_LIT("{\"severa\":{\"secret\":\"s3\"}}"),
				      .n_webhook_secrets = 1,
				      .n_limits = 1 };
	d.webhook_secrets[0] = SPAN_LIT("whsec_abc");
	snprintf(d.limits[0].key, sizeof(d.limits[0].key), "netvisor:%s", id);
	d.limits[0].max_running = 1;
	return d;
}

void put(const char *id, enum connection_state state)
{
	struct connection_draft d = draft(id, state);
	OK(store_connection_put(fx.store, &d, NULL, &err));
}
