/* drive.h: the calls of a system against a running viesti-sandbox, one by one. */
#ifndef FLOWS_DRIVE_H
#define FLOWS_DRIVE_H

int drive_main(void);

#endif
