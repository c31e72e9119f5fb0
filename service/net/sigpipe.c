/* sigpipe.c: see sigpipe.h. Touches no other signal. */
#include "base/base.h"
#include "sigpipe.h"

#include <signal.h>

void sigpipe_ignore(void)
{
	struct sigaction sa;
	if (sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL) {
		sa.sa_handler = SIG_IGN;
		sigaction(SIGPIPE, &sa, NULL);
	}
}
