#!/bin/bash
# test_examples.sh bindir: the programs of the slides, as a user starts them.
# Needs a registrar.
set -u
bin=$1
dir=$(mktemp -d)
pes=()
trap 'kill -9 "${pes[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
fail() {
	echo "failed: $*"
	cat "$dir"/*.err
	exit 1
}
check() {
	local name=$1
	diff "$dir/expected" "$dir/out" >"$dir/diff" || { head -20 "$dir/diff"; fail "$name"; }
	echo "ok: $name"
}
start_pe() {
	RSERPOOL_LOG=info ECHO_PORT=0 "$bin/echo_pe" 2>"$dir/pe${#pes[@]}.err" &
	pes+=($!)
	for _ in $(seq 200); do
		grep -q msg=registered "$dir/pe$((${#pes[@]} - 1)).err" && return
		sleep 0.05
	done
	fail "echo_pe does not register"
}

# Errors are told, with what to do.
if ECHO_PORT=http "$bin/echo_pe" 2>"$dir/a.err"; then fail "ECHO_PORT=http works"; fi
grep -q 'a port is a number' "$dir/a.err" || fail "ECHO_PORT=http is not explained"
if echo x | "$bin/echo_pu" 2>"$dir/b.err"; then fail "a pool that does not exist answers"; fi
grep -q 'unknown pool' "$dir/b.err" || fail "the unknown pool is not explained"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all true 2>/dev/null &&
		ordinary="setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all"
fi
if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)" -gt 7 ] &&
	{ [ "$(id -u)" != 0 ] || [ -n "${ordinary-}" ]; }; then
	if ${ordinary-} "$bin/echo_pe" 2>"$dir/c.err"; then fail "port 7 works without privileges"; fi
	if grep -q 'cannot open shared object' "$dir/c.err"; then
		echo "not run: port 7 (an ordinary user cannot read $bin)"
	else
		grep -q 'privileges' "$dir/c.err" || fail "port 7 without privileges is not explained"
		echo "ok: errors, port 7"
	fi
fi

# The input ends while answers are on their way: none is lost.
start_pe
start_pe
start_pe
seq 2000 >"$dir/expected"
timeout 100 "$bin/echo_pu" <"$dir/expected" >"$dir/out" 2>"$dir/pu.err" || fail "echo_pu returned $?"
check "lines from a file"
head -c 100000 /dev/zero | tr '\0' x >"$dir/expected"
timeout 100 "$bin/echo_pu" <"$dir/expected" >"$dir/out" 2>"$dir/pu.err" || fail "echo_pu returned $?"
check "a line longer than the buffer"
printf 'no newline' >"$dir/expected"
timeout 100 "$bin/echo_pu" <"$dir/expected" >"$dir/out" 2>"$dir/pu.err" || fail "echo_pu returned $?"
check "a line without its end"
: >"$dir/expected"
timeout 100 "$bin/echo_pu" </dev/null >"$dir/out" 2>"$dir/pu.err" || fail "echo_pu returned $?"
check "no input"
{
	echo "a long line before a short one"
	sleep 0.3
	echo short
} | tee "$dir/expected" | timeout 100 "$bin/echo_pu" >"$dir/out" 2>"$dir/pu.err" || fail "echo_pu returned $?"
check "a short line after a long one"

# Many users at once.
users=()
for i in 1 2 3 4 5 6; do
	seq "${i}000" "${i}300" >"$dir/expected$i"
	timeout 100 "$bin/echo_pu" <"$dir/expected$i" >"$dir/out$i" 2>"$dir/pu$i.err" &
	users+=($!)
done
for user in "${users[@]}"; do wait "$user" || fail "one of many users"; done
for i in 1 2 3 4 5 6; do
	cmp "$dir/expected$i" "$dir/out$i" || fail "user $i of many"
done
echo "ok: many users at once"

# SIGTERM ends an element cleanly; it has left the pool.
for pe in "${pes[@]}"; do
	kill -TERM "$pe"
	wait "$pe" || fail "echo_pe after SIGTERM returned $?"
done
if echo x | "$bin/echo_pu" 2>"$dir/d.err"; then fail "a pool without elements answers"; fi
grep -q 'unknown pool' "$dir/d.err" || fail "the empty pool is not explained"
echo "ok: SIGTERM"
