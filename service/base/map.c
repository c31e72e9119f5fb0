/*
 * map.c: a hash trie: each entry has four children, chosen by two bits of the key's hash per level.
 *
 * Guarantees that it never moves an entry, so that it needs no spare room in the arena, and that
 * the order of entries does not depend on the hash. The hash is SipHash-1-3 under a random key, so
 * that nobody outside can choose keys that collide. Does not remove and does not sort.
 */
#include "base/base.h"

#include <sys/random.h>

#include "base/map.h"

struct trie_node {
	struct map_entry entry;
	struct trie_node *children[4];
};

struct map {
	struct arena *arena;
	uint64_t key[2];
	struct trie_node *root;
	struct map_entry *first, *last;
	size_t n;
};

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t rotate_left(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = rotate_left(s->b, 13) ^ s->a;
	s->a = rotate_left(s->a, 32);
	s->c += s->d;
	s->d = rotate_left(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = rotate_left(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = rotate_left(s->b, 17) ^ s->c;
	s->c = rotate_left(s->c, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->d ^= word;
	sip_round(s);
	s->a ^= word;
}

/* Aumasson, Bernstein: SipHash, 2012; one round per word, three at the end. */
static uint64_t hash(const uint64_t key[2], const char *text)
{
	struct sip s = {
		.a = key[0] ^ UINT64_C(0x736f6d6570736575),
		.b = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.c = key[0] ^ UINT64_C(0x6c7967656e657261),
		.d = key[1] ^ UINT64_C(0x7465646279746573),
	};
	size_t n = strlen(text), i = 0;
	uint64_t word;
	for (; i + 8 <= n; i += 8) {
		memcpy(&word, text + i, 8);
		sip_word(&s, word);
	}
	word = 0;
	memcpy(&word, text + i, n - i);
	sip_word(&s, word | (uint64_t)n << 56);
	s.c ^= 0xFF;
	for (int round = 0; round < 3; round++)
		sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

struct map *map_new(struct arena *arena)
{
	struct map *map = arena_alloc(arena, sizeof(*map));
	if (!map)
		return NULL;
	map->arena = arena;
	/* without randomness (a kernel still starting) the map works, only its keys can be guessed
	 */
	(void)!getrandom(map->key, sizeof(map->key), GRND_NONBLOCK);
	return map;
}

/* Where the key's node is, or is to be hung: 64 bits give 32 levels, then a list. */
static struct trie_node **find(struct trie_node **at, uint64_t h, const char *key)
{
	for (; *at && strcmp((*at)->entry.key, key) != 0; h <<= 2)
		at = &(*at)->children[h >> 62];
	return at;
}

bool map_put(struct map *map, const char *key, void *value)
{
	struct trie_node **at = find(&map->root, hash(map->key, key), key);
	if (*at) {
		(*at)->entry.value = value;
		return true;
	}
	struct trie_node *node = arena_alloc(map->arena, sizeof(*node));
	const char *copy = node ? arena_strdup(map->arena, key) : NULL;
	if (!copy)
		return false;
	node->entry.key = copy;
	node->entry.value = value;
	*at = node;
	if (map->last)
		map->last->next = &node->entry;
	else
		map->first = &node->entry;
	map->last = &node->entry;
	map->n++;
	return true;
}

static const struct trie_node *look_up(const struct map *map, const char *key)
{
	if (!map)
		return NULL;
	struct trie_node *root = map->root;
	return *find(&root, hash(map->key, key), key);
}

void *map_get(const struct map *map, const char *key)
{
	const struct trie_node *node = look_up(map, key);
	return node ? node->entry.value : NULL;
}

bool map_has(const struct map *map, const char *key)
{
	return look_up(map, key) != NULL;
}

size_t map_size(const struct map *map)
{
	return map ? map->n : 0;
}

const struct map_entry *map_first(const struct map *map)
{
	return map ? map->first : NULL;
}
