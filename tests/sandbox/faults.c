/*
 * faults.c: the list of faults and the choice for one call.
 *
 * Faults are asked in the order they were set. Latencies add up; of the other kinds the first that
 * fires wins. A probability uses the fault's own generator, so a seed gives the same series again.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "call.h"
#include "faults.h"

struct fault {
	struct fault *next;
	int64_t id;
	char *system, *match, *method, *tenant; /* NULL: any */
	struct fault_plan plan;
	bool after; /* latency only: after the call took effect */
	int64_t latency_max_ms; /* latency only: evenly between latency_ms and this */
	int64_t left; /* -1: no end */
	int64_t ppm; /* probability in millionths */
	uint64_t random;
	int64_t fired;
};

struct faults {
	pthread_mutex_t lock;
	struct fault *first;
	int64_t next_id;
};

static const struct {
	const char *name;
	enum fault_kind kind;
	bool commit; /* unless "commit" says otherwise */
} kinds[] = {
	{ "latency", FAULT_LATENCY, true },
	{ "status", FAULT_STATUS, false },
	{ "429", FAULT_429, false },
	{ "cut_before", FAULT_CUT_BEFORE, false },
	{ "cut_after_commit", FAULT_CUT_AFTER_COMMIT, true },
	{ "cut_in_answer", FAULT_CUT_IN_ANSWER, true },
	{ "garbage", FAULT_GARBAGE, true },
	{ "slow_drip", FAULT_SLOW_DRIP, true },
	{ "huge", FAULT_HUGE, true },
	{ "hang", FAULT_HANG, false },
};

const char *fault_kind_name(enum fault_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].kind == kind)
			return kinds[i].name;
	}
	return NULL;
}

struct faults *faults_new(void)
{
	struct faults *f = mem_alloc(sizeof(*f));
	if (!f)
		return NULL;
	pthread_mutex_init(&f->lock, NULL);
	f->next_id = 1;
	return f;
}

static void fault_free(struct fault *fault)
{
	if (!fault)
		return;
	mem_free(fault->system);
	mem_free(fault->match);
	mem_free(fault->method);
	mem_free(fault->tenant);
	mem_free(fault);
}
CLEANUP_FUNC(struct fault, fault_free)

void faults_clear(struct faults *f)
{
	pthread_mutex_lock(&f->lock);
	while (f->first) {
		struct fault *fault = f->first;
		f->first = fault->next;
		fault_free(fault);
	}
	pthread_mutex_unlock(&f->lock);
}

bool faults_remove(struct faults *f, int64_t id)
{
	bool found = false;
	pthread_mutex_lock(&f->lock);
	for (struct fault **at = &f->first; *at; at = &(*at)->next) {
		if ((*at)->id != id)
			continue;
		struct fault *fault = *at;
		*at = fault->next;
		fault_free(fault);
		found = true;
		break;
	}
	pthread_mutex_unlock(&f->lock);
	return found;
}

void faults_free(struct faults *f)
{
	if (!f)
		return;
	faults_clear(f);
	pthread_mutex_destroy(&f->lock);
	mem_free(f);
}

static bool copy_text(const struct json *spec, const char *key, char **ret, struct err *err)
{
	const struct json *node = json_get(spec, key);
	if (json_is_null(node))
		return true;
	if (!json_str(node))
		return err_set(err, ERR_INPUT, "%s must be a string", key);
	*ret = mem_strdup(json_str(node));
	return *ret ? true : err_set(err, ERR_MEMORY, "out of memory");
}

static bool read_kind(const struct json *spec, struct fault_plan *plan, struct err *err)
{
	const char *name = json_text(json_get(spec, "kind"));
	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		plan->kind = kinds[i].kind;
		plan->commit = kinds[i].commit;
		bool commit;
		if (json_bool(json_get(spec, "commit"), &commit))
			plan->commit = commit;
		return true;
	}
	return err_set(err, ERR_INPUT, "kind is missing or unknown");
}

static void read_numbers(const struct json *spec, struct fault *fault)
{
	struct fault_plan *plan = &fault->plan;
	bool huge = plan->kind == FAULT_HUGE;
	plan->latency_ms = control_int(spec, "latency_ms", 0, 3600000);
	fault->latency_max_ms = control_int(spec, "latency_max_ms", plan->latency_ms, 3600000);
	plan->drip_ms = control_int(spec, "drip_ms", 50, 60000);
	plan->status = (unsigned)control_int(spec, "status", 503, 599);
	const char *code = json_str(json_get(spec, "code"));
	snprintf(plan->code, sizeof(plan->code), "%s", code ? code : "");
	const char *retry_after = json_text(json_get(spec, "retry_after"));
	snprintf(plan->retry_after, sizeof(plan->retry_after), "%s",
		 retry_after ? retry_after : "");
	plan->bytes = (size_t)control_int(spec, "bytes", huge ? 64 << 20 : 16, 1 << 30);
	fault->ppm = control_ppm(spec, "probability", 1000000);
	bool has_probability = !json_is_null(json_get(spec, "probability"));
	fault->left = control_int(spec, "count", has_probability ? -1 : 1, INT64_MAX);
	if (json_is_null(json_get(spec, "count")) && plan->kind == FAULT_LATENCY)
		fault->left = -1;
	fault->random = (uint64_t)control_int(spec, "seed", 1, INT64_MAX) * 0x9e3779b97f4a7c15u;
	bool after = false;
	if (json_bool(json_get(spec, "after"), &after))
		fault->after = after;
}

bool faults_add(struct faults *f, const struct json *spec, int64_t *ret_id, struct err *err)
{
	CLEANUP(fault_free) struct fault *fault = mem_alloc(sizeof(*fault));
	if (!fault)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!read_kind(spec, &fault->plan, err) ||
	    !copy_text(spec, "system", &fault->system, err) ||
	    !copy_text(spec, "match", &fault->match, err) ||
	    !copy_text(spec, "method", &fault->method, err) ||
	    !copy_text(spec, "tenant", &fault->tenant, err))
		return false;
	read_numbers(spec, fault);
	pthread_mutex_lock(&f->lock);
	fault->id = f->next_id++;
	*ret_id = fault->id;
	struct fault **end = &f->first;
	while (*end)
		end = &(*end)->next;
	*end = fault;
	pthread_mutex_unlock(&f->lock);
	fault = NULL; /* the list has it now */
	return true;
}

void faults_write(struct faults *f, struct json_writer *w)
{
	pthread_mutex_lock(&f->lock);
	jsonw_array(w);
	for (const struct fault *fault = f->first; fault; fault = fault->next) {
		jsonw_object(w);
		jsonw_kint(w, "id", fault->id);
		jsonw_kstr(w, "kind", fault_kind_name(fault->plan.kind));
		jsonw_kstr(w, "system", fault->system);
		jsonw_kstr(w, "match", fault->match);
		jsonw_kstr(w, "method", fault->method);
		jsonw_kstr(w, "tenant", fault->tenant);
		jsonw_kint(w, "left", fault->left);
		jsonw_kint(w, "fired", fault->fired);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	pthread_mutex_unlock(&f->lock);
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static bool fires(struct fault *fault, const struct call *c, const char *tenant)
{
	if (fault->left == 0)
		return false;
	if (fault->system && strcmp(fault->system, c->standin->name) != 0)
		return false;
	if (fault->method && strcasecmp(fault->method, c->method) != 0)
		return false;
	if (fault->match && !strstr(c->target, fault->match))
		return false;
	if (fault->tenant && !str_eq(fault->tenant, tenant))
		return false;
	if (fault->ppm < 1000000 && (int64_t)(next_random(&fault->random) % 1000000) >= fault->ppm)
		return false;
	if (fault->left > 0)
		fault->left--;
	fault->fired++;
	return true;
}

static void add_latency(struct fault *fault, struct fault_plan *plan)
{
	int64_t ms = fault->plan.latency_ms;
	int64_t spread = fault->latency_max_ms - ms;
	if (spread > 0)
		ms += (int64_t)(next_random(&fault->random) % (uint64_t)(spread + 1));
	if (fault->after)
		plan->answer_latency_ms += ms;
	else
		plan->latency_ms += ms;
}

struct fault_plan faults_pick(struct faults *f, const struct call *c, const char *tenant)
{
	struct fault_plan plan = { .kind = FAULT_NONE, .commit = true };
	pthread_mutex_lock(&f->lock);
	for (struct fault *fault = f->first; fault; fault = fault->next) {
		bool is_latency = fault->plan.kind == FAULT_LATENCY;
		if ((!is_latency && plan.kind != FAULT_NONE) || !fires(fault, c, tenant))
			continue;
		if (!is_latency) {
			int64_t before = plan.latency_ms;
			int64_t after = plan.answer_latency_ms;
			plan = fault->plan;
			plan.latency_ms = before;
			plan.answer_latency_ms = after;
		}
		add_latency(fault, &plan);
	}
	pthread_mutex_unlock(&f->lock);
	return plan;
}
