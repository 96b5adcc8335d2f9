#!/bin/sh
# Runs a program with a registrar of its own:
#   with_registrar.sh path/to/rserpool program [arguments...]
# The registrar listens on a free port; the program finds it through
# RSERPOOL_REGISTRARS, and both are gone at the end. What is missing is meant to be:
# nobody waits for it long.
set -u
tool=$1
shift
dir=$(mktemp -d) || exit 1
RSERPOOL_LOG=error "$tool" registrar --asap 127.0.0.1:0 --enrp 127.0.0.1:0 >"$dir/out" 2>"$dir/err" &
registrar=$!
trap 'kill "$registrar" 2>/dev/null; wait "$registrar" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
tries=0
address=
while [ -z "$address" ]; do
	address=$(sed -n 's/.*listening on \([^ ,]*\).*/\1/p' "$dir/out" 2>/dev/null)
	tries=$((tries + 1))
	if [ -z "$address" ] && { [ $tries -gt 100 ] || ! kill -0 "$registrar" 2>/dev/null; }; then
		echo "the registrar does not start:" >&2
		cat "$dir/out" "$dir/err" >&2
		exit 1
	fi
	[ -n "$address" ] || sleep 0.05
done
RSERPOOL_REGISTRARS=$address
RSERPOOL_WAIT=0.1
export RSERPOOL_REGISTRARS RSERPOOL_WAIT
"$@"
result=$?
if ! kill -0 "$registrar" 2>/dev/null; then
	echo "the registrar died:" >&2
	cat "$dir/err" >&2
	exit 1
fi
exit $result
