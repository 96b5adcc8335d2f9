#!/bin/sh
# test_valgrind.sh suppressions program: with the suppressions that are installed
# memcheck finds nothing in a program without faults, and those of one that has some.
set -eu
suppressions=$1
program=$2
if ! command -v valgrind >/dev/null; then
	echo "SKIPPED: there is no valgrind; install it to have the suppressions tried"
	exit 77
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# For processors of which valgrind knows less than Go.
export GODEBUG=cpu.rdtscp=off
run() {
	valgrind --suppressions="$suppressions" --leak-check=full --show-leak-kinds=all \
		--errors-for-leak-kinds=all --error-exitcode=9 --error-limit=no --gen-suppressions=all --num-callers=30 \
		--fair-sched=try --log-file="$log" "$program" "$1"
}
run good || { cat "$log"; echo "failed: a program without faults"; exit 1; }
for fault in leak uninitialised; do
	status=0
	run "$fault" || status=$?
	[ $status -eq 9 ] || { cat "$log"; echo "failed: $fault ends with $status"; exit 1; }
done
