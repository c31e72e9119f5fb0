/* residue.c: the search of residue.h, by way of /proc/self/mem. Regions past a size are left out:
 * sanitizers keep shadows of many terabytes. */
#include "base/base.h"
#include "residue.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/secret.h"
#include "codec/sign.h"

#define MASK 0x5a
#define N (RESIDUE_SECRET - 1)
#define CHUNK ((size_t)1 << 20)
#define REGION_MAX ((uintptr_t)1 << 30)

static unsigned char masked[N];

void residue_new(char ret[RESIDUE_SECRET])
{
	sign_random(masked, sizeof(masked));
	for (size_t i = 0; i < N; i++)
		masked[i] = (unsigned char)(('a' + masked[i] % 26) ^ MASK);
	residue_write(ret);
}

void residue_write(char ret[RESIDUE_SECRET])
{
	for (size_t i = 0; i < N; i++)
		ret[i] = (char)(masked[i] ^ MASK);
	ret[N] = 0;
}

/* Reads all memory byte by byte: instrumented, that takes minutes. */
__attribute__((no_sanitize("thread", "address"))) static int count_in(const unsigned char *p,
								      size_t n)
{
	int found = 0;
	for (size_t i = 0; i + N <= n; i++) {
		size_t k = 0;
		while (k < N && (p[i + k] ^ MASK) == masked[k])
			k++;
		found += k == N;
	}
	return found;
}

/* In pieces that overlap by a secret's length less one. */
static int count_region(int memory, uintptr_t from, uintptr_t to, unsigned char *buf)
{
	int found = 0;
	for (uintptr_t at = from; at < to; at += CHUNK - N + 1) {
		size_t want = to - at < CHUNK ? to - at : CHUNK;
		ssize_t n = pread(memory, buf, want, (off_t)at);
		if (n <= 0)
			break; /* not to be read: guard pages and the like */
		found += count_in(buf, (size_t)n);
	}
	secret_wipe(buf, CHUNK);
	return found;
}

int residue_count(void)
{
	unsigned char *buf = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	int found = buf != MAP_FAILED && maps && memory >= 0 ? 0 : -1;
	char line[512];
	while (found >= 0 && fgets(line, sizeof(line), maps)) {
		char *end;
		uintptr_t from = strtoul(line, &end, 16), to = strtoul(end + 1, &end, 16);
		bool is_own = (uintptr_t)buf >= from && (uintptr_t)buf < to;
		if (strncmp(end, " rw", 3) != 0 || to - from > REGION_MAX)
			continue;
		if (!is_own) {
			found += count_region(memory, from, to, buf);
			continue;
		}
		/* The buffer may have grown together with its neighbours. */
		found += count_region(memory, from, (uintptr_t)buf, buf);
		found += count_region(memory, (uintptr_t)buf + CHUNK, to, buf);
	}
	if (maps)
		(void)fclose(maps);
	if (memory >= 0)
		close(memory);
	if (buf != MAP_FAILED)
		munmap(buf, CHUNK);
	return found;
}
