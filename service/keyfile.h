/* keyfile.h: the key that seals credentials and payloads: from the settings, or made once in the
 * data folder (DESIGN §6). */
#ifndef KEYFILE_H
#define KEYFILE_H

#include "base/base.h"
#include "base/err.h"
#include "base/secret.h"
#include "codec/sign.h"

/*
 * From `given` when it is set; else from <data_dir>/key, which is made (0600, fsynced) when it does
 * not exist; *ret_made then says that the operator should be told once. ERR_SYSTEM when the folder
 * cannot be written, ERR_INPUT when the key is malformed.
 */
bool keyfile_load(const struct secret *given, const char *data_dir, struct seal_key *ret,
		  bool *ret_made, struct err *err) MUST_CHECK;

#endif
