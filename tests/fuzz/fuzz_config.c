/* Fuzzes the configuration file's reader: whatever stands in it, config_load answers, and says why
 * it refuses. */
#include "base/base.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "config/config.h"
#include "registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char variable[64];
	char *envp[] = { variable, NULL };
	struct config cfg = { 0 };
	struct err err = ERR_INIT;

	if (fd < 0)
		fd = memfd_create("config", MFD_CLOEXEC);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	snprintf(variable, sizeof(variable), "VIESTI_CONFIG=/proc/self/fd/%d", fd);
	if (config_load(&cfg, systems, envp, &err))
		config_release(&cfg);
	else
		assert(err.code != ERR_NONE && err.message[0]);
	return 0;
}
