#!/bin/sh
# Runs each unit program given, as many at a time as there are processors (they wait more than they work); the output of one is
# shown only when it fails. Ends with the counts of cmocka cases.
if [ "${1:-}" = --one ]; then
	# Into a file: a process that a test left behind would hold a pipe open.
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	timeout 300 "$2" >"$log" 2>&1
	status=$?
	ok=$(grep -c '^\[       OK \]' "$log")
	bad=$(grep -x '\[  FAILED  \] [A-Za-z0-9_]*' "$log" | sort -u | wc -l) # named when it fails and again at the end
	[ $status -eq 0 ] && bad=0
	[ $status -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
	# In one write each, so that two programs' lines do not mix.
	[ $status -eq 0 ] || printf '%s\n' "$(tail -n 60 "$log")"
	printf '%-28s %3d passed, %d failed\n' "$(basename "$2")" "$ok" "$bad"
	exit 0
fi

all=$(mktemp)
trap 'rm -f "$all"' EXIT
printf '%s\n' "$@" | xargs -n 1 -P "$(nproc)" sh "$0" --one | tee "$all"
awk '/^test_[a-z0-9_]+ +[0-9]+ passed, [0-9]+ failed$/ { passed += $2; failed += $4; n++ }
	END { if (n != programs) failed += programs - n
		printf "unit: %d passed, %d failed\n", passed, failed; exit failed > 0 }' programs=$# "$all"
