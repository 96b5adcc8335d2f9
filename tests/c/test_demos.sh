#!/bin/bash
# test_demos.sh bindir demo: the demo programs, with elements that are killed.
# Needs a registrar.
set -u
bin=$1
dir=$(mktemp -d)
declare -A process # by PE identifier
trap 'kill -9 "${process[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
fail() {
	echo "failed: $*"
	tail -n 20 "$dir"/*
	exit 1
}
# pause seconds: sleep(1) without a process, of which an emulated machine starts few.
mkfifo "$dir/nothing"
exec {nothing}<>"$dir/nothing"
rm "$dir/nothing"
pause() { read -rt "$1" -u "$nothing"; }
# until seconds command...: waits until the command succeeds.
until_true() {
	for _ in $(seq $(($1 * 20))); do
		"${@:2}" && return
		pause 0.05
	done
	fail "it never happens: ${*:2}"
}
# patience ends what hangs, and nothing that an emulated machine is slow at.
patience=200
started=0
# element program: starts one; $id is its identifier.
element() {
	local out=$dir/$1.$((started++))
	"$bin/$1" >"$out" 2>"$out.err" &
	until_true 10 grep -q element "$out"
	id=$(sed -n 's/^element //p' "$out")
	process[$id]=$!
}
serving() { sed -n 's/^served by \(0x[0-9a-f]*\).*/\1/p' "$dir/user.err" | tail -n 1; }
served_times() { [ "$(grep -c 'served by' "$dir/user.err")" -ge "$1" ]; }
kill_serving() {
	local victim
	victim=$(serving)
	kill -9 "${process[$victim]}"
	wait "${process[$victim]}" 2>/dev/null
	unset "process[$victim]"
}

# feed prefix: says numbered lines until the story is over; $dir/fed is the last number.
feed() {
	local i
	for ((i = 1; ; i++)); do
		echo "$1$i"
		[ -e "$dir/over" ] && break
		pause 0.01
	done
	echo "$i" >"$dir/fed"
}

counter() {
	for _ in 1 2 3; do element counter_pe; done
	feed "" | timeout $patience "$bin/counter_pu" >"$dir/out" 2>"$dir/user.err" &
	user=$!
	until_true 10 served_times 1
	pause 0.3
	kill_serving
	until_true 10 served_times 2
	pause 0.3
	kill_serving
	until_true 10 served_times 3
	touch "$dir/over"
	wait $user || fail "counter_pu"
	seq "$(cat "$dir/fed")" | awk '{ sum += $1; print sum }' | cmp - "$dir/out" || fail "the sums are wrong"
}

records() {
	for _ in 1 2 3; do element collector; done
	timeout $patience "$bin/exporter" 4000 1000 >"$dir/out" 2>"$dir/user.err" &
	user=$!
	until_true 10 served_times 1
	pause 0.4
	kill_serving
	until_true 10 served_times 2
	pause 0.4
	kill_serving
	wait $user || fail "exporter returned $?"
	served_times 3 || fail "the exporter did not move twice"
	grep -qx '4000 records, 0 lost, 0 repeated' "$dir/out" || fail "records"
}

load() {
	for _ in 1 2 3; do element worker; done
	timeout $patience "$bin/jobs" 6 1500 >"$dir/out" 2>"$dir/user.err" || fail "jobs returned $?"
	[ "$(grep -c 'has 2$' "$dir/out")" = 3 ] || fail "the jobs are not shared"
}

tcp() {
	for _ in 1 2 3; do element tcp_server; done
	feed "line " | timeout $patience "$bin/tcp_client" >"$dir/out" 2>"$dir/user.err" &
	user=$!
	until_true 10 served_times 1
	pause 0.3
	kill_serving
	until_true 10 served_times 2
	pause 0.3
	hung=${process[$(serving)]}
	kill -STOP "$hung" # that is noticed as well
	until_true 10 served_times 3
	touch "$dir/over"
	wait $user || fail "tcp_client"
	kill -CONT "$hung"
	seq "$(cat "$dir/fed")" | sed 's/^/LINE /' | cmp - "$dir/out" || fail "the answers"
	for pe in "${process[@]}"; do
		kill -TERM "$pe"
		wait "$pe" || fail "tcp_server after SIGTERM returned $?"
	done
	if echo x | "$bin/tcp_client" 2>"$dir/none.err"; then fail "a pool without servers answers"; fi
	grep -q 'unknown pool' "$dir/none.err" || fail "the empty pool is not explained"
}

# leaving program: an echo element that moves its sessions when it is told to end.
leaving() {
	element "$1"
	first=$id
	seq 500 >"$dir/expected"
	for user in 1 2 3; do
		timeout $patience "$bin/echo_pu" <"$dir/expected" >"$dir/out.$user" 2>"$dir/user.err" &
		users[user]=$!
	done
	for user in 1 2 3; do
		wait "${users[user]}" || fail "echo_pu $user"
		cmp "$dir/expected" "$dir/out.$user" || fail "the echo of $user"
	done
	# It leaves while it is talked to; nothing is lost.
	for i in $(seq 500); do echo "$i"; [ $((i % 10)) = 0 ] && pause 0.03; done |
		timeout $patience "$bin/echo_pu" >"$dir/out" 2>"$dir/user.err" &
	user=$!
	element "$1"
	until_true 10 test -s "$dir/out"
	kill -TERM "${process[$first]}"
	wait "${process[$first]}" || fail "$1 after SIGTERM returned $?"
	wait $user || fail "echo_pu"
	cmp "$dir/expected" "$dir/out" || fail "the echo while it moves"
	kill -TERM "${process[$id]}"
	wait "${process[$id]}" || fail "$1 after SIGTERM returned $?"
}
events() { leaving event_loop; }
accept() { leaving echo_accept; }

"$2"
echo "ok: $2"
