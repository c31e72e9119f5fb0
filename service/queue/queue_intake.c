/*
 * queue_intake.c: hands batches of hints and finds to intake.lua. The hot path: no allocation per
 * item; what the items of a connection have in common is sent once.
 *
 * A webhook id goes as a mark of 64 bits. Whoever could make two ids of one document meet holds the
 * signing secret, and would suppress a hint of its own.
 */
#include "base/base.h"
#include "queue_internal.h"

#define GROUP_ARGS 7
#define REMEMBER_S 900 /* unless the item says otherwise */
#define ITEM_ARGS 5
#define MARK_MAX 17 /* 16 hex digits */
#define INTAKE_ARENA (256 * 1024)

void transfer_id(const char *conn, const char *kind, const char *source_id,
		 char ret[TRANSFER_ID_MAX])
{
	unsigned char digest[SHA256_BYTES];
	char text[512], inner[2 * SHA256_BYTES + 1];
	int n = snprintf(text, sizeof(text), "%s%c%s%c%s", conn, 0, kind, 0, source_id);
	if (n >= (int)sizeof(text)) {
		/* A long foreign id enters as its digest. */
		sign_sha256(span_of(source_id), digest);
		sign_hex(digest, sizeof(digest), inner);
		n = snprintf(text, sizeof(text), "%.200s%c%.200s%c%s", conn, 0, kind, 0, inner);
	}
	sign_sha256((struct span) { text, (size_t)n }, digest);
	sign_hex(digest, 16, ret);
}

/* Where an item stands in the batch, sorted so that a group's items stand together, in order. */
struct place {
	const struct queue_item *item;
	size_t i;
};

/* The arguments of one call, and the texts that no caller has. */
struct call_args {
	struct span *args; /* the epoch first */
	size_t n;
	struct num *counts, *remembered; /* per group */
	char (*marks)[MARK_MAX];
	struct place *places;
};

static bool call_args_init(struct call_args *call, struct arena *arena, size_t n_items)
{
	*call = (struct call_args) {
		.args = arena_alloc_array(arena, 1 + n_items * (GROUP_ARGS + ITEM_ARGS),
					  sizeof(*call->args)),
		.n = 1,
		.counts = arena_alloc_array(arena, n_items, sizeof(*call->counts)),
		.remembered = arena_alloc_array(arena, n_items, sizeof(*call->remembered)),
		.marks = arena_alloc_array(arena, n_items, sizeof(*call->marks)),
		.places = arena_alloc_array(arena, n_items, sizeof(*call->places)),
	};
	return call->args && call->counts && call->remembered && call->marks && call->places;
}

/* FNV-1a, 64 bits. */
static void mark_of(const char *webhook_id, char ret[MARK_MAX])
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *webhook_id; webhook_id++)
		h = (h ^ (unsigned char)*webhook_id) * 0x100000001b3u;
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(h >> (56 - 8 * i));
	sign_hex(bytes, sizeof(bytes), ret);
}

static bool has_text(const char *s)
{
	return s && *s;
}

/* How many of an item's arguments are sent: the others are empty. */
static unsigned width_of(const struct queue_item *item)
{
	if (has_text(item->number))
		return 5;
	if (has_text(item->changed))
		return 4;
	return has_text(item->webhook_id) ? 3 : 2;
}

static int compare_groups(const struct queue_item *a, const struct queue_item *b)
{
	int d = strcmp(a->conn, b->conn);
	if (!d)
		d = strcmp(a->kind, b->kind);
	if (!d)
		d = strcmp(a->origin ? a->origin : "", b->origin ? b->origin : "");
	if (!d)
		d = (int)a->found - (int)b->found;
	if (!d)
		d = (int)(a->remember_s > b->remember_s) - (int)(a->remember_s < b->remember_s);
	return d ? d : (int)width_of(a) - (int)width_of(b);
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int d = compare_groups(x->item, y->item);
	return d ? d : (x->i > y->i) - (x->i < y->i);
}

static void add_group(struct call_args *to, const struct queue_item *item, size_t at, size_t count)
{
	int64_t remember_s = item->remember_s ? item->remember_s : REMEMBER_S;
	static const char *const widths[] = { "0", "1", "2", "3", "4", "5" };
	const struct span head[GROUP_ARGS] = { span_of(item->conn),
					       span_of(item->kind),
					       text_span(item->origin),
					       item->found ? SPAN_LIT("1") : SPAN_LIT(""),
					       num_span(&to->remembered[at], remember_s),
					       span_of(widths[width_of(item)]),
					       num_span(&to->counts[at], (int64_t)count) };
	memcpy(to->args + to->n, head, sizeof(head));
	to->n += GROUP_ARGS;
}

static void add_item(struct call_args *to, const struct queue_item *item, size_t at,
		     const char *transfer)
{
	to->marks[at][0] = '\0';
	if (has_text(item->webhook_id))
		mark_of(item->webhook_id, to->marks[at]);
	const struct span all[ITEM_ARGS] = { span_of(transfer), span_of(item->source_id),
					     span_of(to->marks[at]), text_span(item->changed),
					     text_span(item->number) };
	unsigned width = width_of(item);
	memcpy(to->args + to->n, all, width * sizeof(*all));
	to->n += width;
}

static void add_all(struct call_args *to, size_t n, const struct queue_receipt *receipts)
{
	const struct place *places = to->places;
	for (size_t first = 0, end; first < n; first = end) {
		for (end = first + 1; end < n; end++)
			if (compare_groups(places[first].item, places[end].item) != 0)
				break;
		add_group(to, places[first].item, first, end - first);
		for (size_t i = first; i < end; i++)
			add_item(to, places[i].item, i, receipts[places[i].i].id);
	}
}

static bool letter_to_result(char letter, enum queue_intake *ret)
{
	switch (letter) {
	case 'N':
		*ret = INTAKE_NEW;
		return true;
	case 'K':
		*ret = INTAKE_KNOWN;
		return true;
	case 'S':
		*ret = INTAKE_SEEN;
		return true;
	case 'R':
		*ret = INTAKE_REPLAY;
		return true;
	default:
		return false;
	}
}

/* What is known by its key at the target: it is asked for soon. */
static bool take_hints(struct queue *q, const struct queue_item *items, size_t n,
		       struct queue_receipt *ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(INTAKE_ARENA);
	struct span args[1 + 2 * QUEUE_BATCH_MAX];
	size_t n_args = 1, letter = 0;
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (!items[i].target_key)
			continue;
		args[n_args++] = span_of(items[i].conn);
		args[n_args++] = span_of(items[i].target_key);
	}
	if (n_args == 1)
		return true;
	if (!store_script(q->store, arena, "follow_hint", args, n_args, &v, err))
		return false;
	if (v->type != REDIS_STRING || v->s.n != (n_args - 1) / 2)
		return queue_script_broken("follow_hint", err);
	for (size_t i = 0; i < n; i++) {
		if (!items[i].target_key)
			continue;
		ret[i] = (struct queue_receipt) { .what = v->s.p[letter++] == 'A'
								  ? INTAKE_ASKED
								  : INTAKE_UNKNOWN };
	}
	return true;
}

static bool take_documents(struct queue *q, const struct queue_item *items, size_t n,
			   struct queue_receipt *ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(INTAKE_ARENA);
	struct call_args call;
	const struct redis_value *v = NULL;
	size_t k = 0;
	if (!arena || !call_args_init(&call, arena, n))
		return err_set(err, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (items[i].target_key)
			continue;
		if (strlen(items[i].conn) + strlen(items[i].kind) > 300)
			return err_set(err, ERR_LIMIT, "connection or kind is too long");
		transfer_id(items[i].conn, items[i].kind, items[i].source_id, ret[i].id);
		call.places[k++] = (struct place) { &items[i], i };
	}
	if (k == 0)
		return true;
	qsort(call.places, k, sizeof(*call.places), compare_places);
	add_all(&call, k, ret);
	if (!store_script(q->store, arena, "intake", call.args, call.n, &v, err))
		return false;
	if (v->type != REDIS_STRING || v->s.n != k)
		return queue_script_broken("intake", err);
	for (size_t i = 0; i < k; i++)
		if (!letter_to_result(v->s.p[i], &ret[call.places[i].i].what))
			return queue_script_broken("intake", err);
	return true;
}

bool queue_intake(struct queue *q, const struct queue_item *items, size_t n,
		  struct queue_receipt *ret, struct err *err)
{
	if (n == 0)
		return true;
	if (n > QUEUE_BATCH_MAX)
		return err_set(err, ERR_LIMIT, "more than %d items at once", QUEUE_BATCH_MAX);
	/* Documents last: an answer that failed then has only asked for something too early. */
	return take_hints(q, items, n, ret, err) && take_documents(q, items, n, ret, err);
}
