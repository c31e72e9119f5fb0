#!/bin/sh
# Prints a C file that holds the Redis scripts named as arguments, as { name, text } rows (include/net/redis.h).
set -eu
printf '#include "net/redis.h"\n\n'
printf 'const struct lua_script lua_scripts[] = {\n'
for f in "$@"; do
	name=$(basename "$f" .lua)
	printf '\t{ "%s",\n' "$name"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/\t  "&\\n"/' "$f"
	printf '\t},\n'
done
printf '\t{ NULL, NULL },\n};\n'
