/*
 * redis_call.c: commands out, replies in, the latter copied into the caller's arena. Guarantees
 * that an error reply and a broken connection are told apart, and that after a break every unread
 * reply is an error. Does not connect and does not repeat.
 */
#include "base/base.h"
#include "redis_internal.h"

#include "base/strbuf.h"

#define ARGV_ON_STACK 32
#define FORMAT_MAX_WORDS 64
#define WORD_MAX (64u << 20)

/* Error replies that pass by themselves: the server starts, fails over, or is out of memory or
 * disk. */
static const char *const passing_errors[] = {
	"LOADING ", "READONLY ",   "MASTERDOWN ", "CLUSTERDOWN ", "TRYAGAIN ",
	"BUSY ",    "NOREPLICAS ", "MISCONF ",	  "OOM ",	  "NOSCRIPT ",
};

static bool is_passing(const char *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(passing_errors); i++) {
		const char *found = strstr(words, passing_errors[i]);
		/* At the start, or quoted by Redis 6 as "... @user_script: 12: -READONLY ..." */
		if (found && (found == words || found[-1] == '-'))
			return true;
	}
	return false;
}

bool redis_reply_err(const char *words, struct err *err)
{
	err_set(err, is_passing(words) ? ERR_OUTAGE : ERR_SYSTEM, "Redis: %s", words);
	if (err)
		err_target_text(err, span_of(words));
	return false;
}

bool redis_io_err(const redisContext *ctx, int errnum, struct err *err)
{
#ifdef REDIS_ERR_TIMEOUT /* hiredis 1.0 */
	if (ctx->err == REDIS_ERR_TIMEOUT)
		return err_set(err, ERR_OUTAGE, "Redis: no answer in time");
#endif
	if (ctx->err == REDIS_ERR_IO && (errnum == EAGAIN || errnum == ETIMEDOUT))
		return err_set(err, ERR_OUTAGE, "Redis: no answer in time");
	return err_set(err, ERR_OUTAGE, "Redis: %s", ctx->errstr[0] ? ctx->errstr : "lost");
}

bool redis_append(struct redis *r, struct arena *arena, const struct span *argv, size_t argc,
		  struct err *err)
{
	const char *few[ARGV_ON_STACK];
	size_t few_lens[ARGV_ON_STACK];
	const char **words = few;
	size_t *lens = few_lens;
	if (argc > ARGV_ON_STACK) {
		words = arena_alloc_array(arena, argc, sizeof(*words));
		lens = arena_alloc_array(arena, argc, sizeof(*lens));
		if (!words || !lens)
			return err_set(err, ERR_LIMIT, "arena full");
	}
	for (size_t i = 0; i < argc; i++) {
		words[i] = argv[i].n ? argv[i].p : "";
		lens[i] = argv[i].n;
	}
	if (r->ctx->err)
		return redis_io_err(r->ctx, 0, err);
	if (argc > INT_MAX || redisAppendCommandArgv(r->ctx, (int)argc, words, lens) != REDIS_OK)
		return redis_io_err(r->ctx, 0, err);
	r->n_sent++;
	return true;
}

static enum redis_type type_of(const redisReply *reply)
{
	switch (reply->type) {
	case REDIS_REPLY_STATUS:
		return REDIS_STATUS;
	case REDIS_REPLY_ERROR:
		return REDIS_ERROR;
	case REDIS_REPLY_INTEGER:
		return REDIS_INT;
	case REDIS_REPLY_ARRAY:
		return REDIS_ARRAY;
	case REDIS_REPLY_STRING:
		return REDIS_STRING;
	default: /* nil; the types of RESP3 come only to those who say HELLO 3 */
		return REDIS_NIL;
	}
}

/* Copies a reply and what it holds; the depth is bounded by hiredis's reader. */
static bool copy_reply(struct arena *arena, const redisReply *reply, struct redis_value *ret)
{
	*ret = (struct redis_value) { .type = type_of(reply) };
	if (ret->type == REDIS_INT)
		ret->i = reply->integer;
	if (ret->type == REDIS_STRING || ret->type == REDIS_STATUS || ret->type == REDIS_ERROR) {
		ret->s.p = arena_memdup(arena, reply->str, reply->len);
		ret->s.n = reply->len;
		return ret->s.p != NULL;
	}
	if (ret->type != REDIS_ARRAY || reply->elements == 0)
		return true;
	struct redis_value *items = arena_alloc_array(arena, reply->elements, sizeof(*items));
	if (!items)
		return false;
	for (size_t i = 0; i < reply->elements; i++)
		if (!copy_reply(arena, reply->element[i], &items[i]))
			return false;
	ret->items = items;
	ret->n = reply->elements;
	return true;
}

/* The next reply as hiredis's object. */
static redisReply *next_reply(struct redis *r, struct err *err)
{
	void *reply = NULL;
	assert(r->ctx->err || r->n_read < r->n_sent);
	errno = 0;
	if (r->ctx->err || redisGetReply(r->ctx, &reply) != REDIS_OK) {
		redis_io_err(r->ctx, errno, err);
		return NULL;
	}
	r->n_read++;
	return reply;
}

/* Reads the replies of SCRIPT LOADs that stand before the caller's next one. */
static bool skip_loads(struct redis *r, struct err *err)
{
	while (r->next_load < r->n_loads && r->loads[r->next_load] == r->n_read) {
		redisReply *reply = next_reply(r, err);
		if (!reply)
			return false;
		if (reply->type == REDIS_REPLY_ERROR)
			snprintf(r->load_error, sizeof(r->load_error), "%s", reply->str);
		freeReplyObject(reply);
		r->next_load++;
	}
	if (r->next_load == r->n_loads)
		r->next_load = r->n_loads = 0;
	return true;
}

/*
 * NOSCRIPT means that somebody emptied the script cache, or that the server refused the text when
 * it was loaded: then its words about that are the error. Either way nothing was done.
 */
static bool error_reply(struct redis *r, const char *words, struct err *err)
{
	/* After a failover the name of the server may lead elsewhere: ask it again. */
	r->is_outdated |= strstr(words, "READONLY ") || strstr(words, "MASTERDOWN ");
	if (strncmp(words, "NOSCRIPT", 8) != 0)
		return redis_reply_err(words, err);
	r->must_reload = true;
	if (!r->load_error[0])
		return redis_reply_err(words, err);
	redis_reply_err(r->load_error, err);
	r->load_error[0] = '\0';
	return false;
}

bool redis_read(struct redis *r, struct arena *arena, const struct redis_value **ret,
		struct err *err)
{
	redisReply *reply = skip_loads(r, err) ? next_reply(r, err) : NULL;
	if (!reply)
		return false;
	if (reply->type == REDIS_REPLY_ERROR) {
		error_reply(r, reply->str, err);
		freeReplyObject(reply);
		return false;
	}
	struct redis_value *value = arena_alloc(arena, sizeof(*value));
	bool ok = value && copy_reply(arena, reply, value);
	freeReplyObject(reply);
	if (!ok)
		return err_set(err, ERR_LIMIT, "arena full: reply of Redis does not fit");
	*ret = value;
	return true;
}

bool redis_command(struct redis *r, struct arena *arena, const struct span *argv, size_t argc,
		   const struct redis_value **ret, struct err *err)
{
	assert(r->ctx->err || r->n_read == r->n_sent);
	return redis_append(r, arena, argv, argc, err) && redis_read(r, arena, ret, err);
}

/* Adds what one % of a format stands for; returns the length of the conversion. */
static size_t add_conversion(struct strbuf *word, const char *fmt, va_list *ap)
{
	if (strncmp(fmt, "%s", 2) == 0) {
		strbuf_addstr(word, va_arg(*ap, const char *));
		return 2;
	}
	if (strncmp(fmt, "%b", 2) == 0) {
		strbuf_addspan(word, va_arg(*ap, struct span));
		return 2;
	}
	assert(strncmp(fmt, "%lld", 4) == 0);
	strbuf_addint(word, va_arg(*ap, long long));
	return 4;
}

static bool format_words(struct arena *arena, const char *fmt, va_list *ap, struct span *words,
			 size_t *ret_n)
{
	size_t n = 0;
	while (*fmt) {
		if (*fmt == ' ') {
			fmt++;
			continue;
		}
		assert(n < FORMAT_MAX_WORDS);
		struct strbuf word = STRBUF_INIT(arena, WORD_MAX);
		while (*fmt && *fmt != ' ') {
			if (*fmt == '%')
				fmt += add_conversion(&word, fmt, ap);
			else
				strbuf_addch(&word, *fmt++);
		}
		if (word.failed)
			return false;
		words[n++] = strbuf_span(&word);
	}
	*ret_n = n;
	return true;
}

bool redis_commandf(struct redis *r, struct arena *arena, const struct redis_value **ret,
		    struct err *err, const char *fmt, ...)
{
	struct span words[FORMAT_MAX_WORDS];
	size_t n = 0;
	va_list ap;
	va_start(ap, fmt);
	bool ok = format_words(arena, fmt, &ap, words, &n);
	va_end(ap);
	if (!ok)
		return err_set(err, ERR_LIMIT, "arena full");
	return redis_command(r, arena, words, n, ret, err);
}
