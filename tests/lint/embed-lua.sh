#!/bin/sh
# Prints a C file that holds the Redis scripts named as arguments, as { name, text } rows (include/net/redis.h). A line
# "-- include NAME" stands for the text of NAME.lua beside it, which then is no script of its own.
set -eu
parts=" $(sed -n 's/^-- include //p' "$@" | tr '\n' ' ')"

with_parts() {
	while IFS= read -r line; do
		case $line in
		'-- include '*) cat "$(dirname "$1")/${line#-- include }.lua" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$1"
}

printf '#include "net/redis.h"\n\n'
printf 'const struct lua_script lua_scripts[] = {\n'
for f in "$@"; do
	name=$(basename "$f" .lua)
	case $parts in *" $name "*) continue ;; esac
	printf '\t{ "%s",\n' "$name"
	with_parts "$f" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/\t  "&\\n"/'
	printf '\t},\n'
done
printf '\t{ NULL, NULL },\n};\n'
