#!/bin/sh
# Runs each unit program given; its output is shown only when it fails. Ends with the counts of cmocka cases.
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for bin in "$@"; do
	# Into a file: a process that a test left behind would hold a pipe open.
	timeout 120 "$bin" >"$log" 2>&1
	status=$?
	out=$(cat "$log")
	ok=$(printf '%s\n' "$out" | grep -c '^\[       OK \]')
	bad=$(printf '%s\n' "$out" | grep -c '^\[  FAILED  \] [a-zA-Z]')
	if [ $status -ne 0 ]; then
		[ "$bad" -gt 0 ] || bad=1
		printf '%s\n' "$out" | tail -n 60
	fi
	printf '%-28s %3d passed, %d failed\n' "$(basename "$bin")" "$ok" "$([ $status -ne 0 ] && echo "$bad" || echo 0)"
	passed=$((passed + ok))
	[ $status -eq 0 ] || failed=$((failed + bad))
done
echo "unit: $passed passed, $failed failed"
[ $failed -eq 0 ]
