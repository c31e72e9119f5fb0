/* main.c: `flow-cases FOLDER` replays the recorded cases, `flow-cases record` makes one (for
 * record.py), `flow-cases live URL TENANT` runs all of a sandbox tenant's invoices, `flow-cases
 * registers URL TENANT` reads its registers, `flow-cases drive` makes single calls of a system. */
#include "base/base.h"

#include "cases.h"
#include "codec/xml.h"
#include "drive.h"
#include "live.h"

int main(int argc, char **argv)
{
	xml_global_init();
	if (argc == 4 && strcmp(argv[1], "live") == 0)
		return live_main(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "registers") == 0)
		return registers_main(argv[2], argv[3]);
	if (argc == 2 && strcmp(argv[1], "drive") == 0)
		return drive_main();
	if (argc == 2 && strcmp(argv[1], "record") == 0)
		return cases_record();
	return cases_replay(argc == 2 ? argv[1] : "tests/flows");
}
