/* live.h: the flow against a running viesti-sandbox. */
#ifndef FLOWS_LIVE_H
#define FLOWS_LIVE_H

int live_main(const char *url, const char *tenant);

#endif
