#!/bin/sh
# Runs each fuzz program given for some seconds: tests/fuzz/run.sh SECONDS PROGRAM ... Inputs that once broke something stand
# in tests/fuzz/corpus/<name>/ and are run first; what is found on the way is kept in build/fuzz/corpus/, crashers in build/fuzz/.
seconds=$1
shift
passed=0
failed=0
for bin in "$@"; do
	name=$(basename "$bin")
	found=build/fuzz/corpus/$name
	kept=tests/fuzz/corpus/$name
	mkdir -p "$found"
	[ -d "$kept" ] || kept=
	# shellcheck disable=SC2086 # no word when there is no folder
	if "$bin" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/$name-" "$found" $kept >"build/fuzz/$name.log" 2>&1; then
		passed=$((passed + 1))
		printf '%-24s %s runs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")"
	else
		failed=$((failed + 1))
		echo "$name FAILED; log and crasher in build/fuzz/:"
		tail -n 30 "build/fuzz/$name.log"
	fi
done
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ]
