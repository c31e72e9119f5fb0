#!/bin/sh
# embed-file.sh NAME FILE [NAME FILE]...: C source with each file's bytes as NAME and their number as NAME_size.
set -eu
echo '#include <stddef.h>'
while [ $# -gt 1 ]; do
	printf 'extern const unsigned char %s[];\nextern const size_t %s_size;\nconst unsigned char %s[] = {\n' "$1" "$1" "$1"
	od -An -v -tu1 "$2" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
	printf '};\nconst size_t %s_size = sizeof(%s);\n' "$1" "$1"
	shift 2
done
