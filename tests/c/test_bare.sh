#!/bin/bash
# test_bare.sh source libdir compiler: the lines of the slides with nothing
# around them but the declarations that they need, in all reasonable variants,
# compile without a warning and run. Needs a registrar.
set -u
source=$1
lib=$2
compiler=$3
if ! command -v "$compiler" >/dev/null; then
	echo "SKIPPED: there is no $compiler; install it to have the slides compiled with it"
	exit 77
fi
dir=$(mktemp -d)
pe=
trap 'kill -9 $pe 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
fail() {
	echo "failed: $*"
	exit 1
}

# program name slide declarations
program() {
	{
		cat <<'END'
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <rserpool.h>
END
		# Read is of Stevens' book, and the port may be another.
		printf '%s\n' '#define Read read' "$4" 'int main(void)' '{' "$3"
		cat "$source/tests/c/slides/$2.txt"
		printf '\treturn 0;\n}\n'
	} >"$dir/$1.c"
	"$compiler" -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -I"$source/include" \
		"$dir/$1.c" -L"$lib" -Wl,-rpath,"$lib" -lrserpool -o "$dir/$1" || fail "$1 with $compiler"
}

port='#undef htons
#define htons(port) ((in_port_t)((port) - 7))'
pe_rest='struct sockaddr_in server_addr; struct rsp_loadinfo linfo; int fd;'
program pe1 echo_pe "$pe_rest struct rsp_sndrcvinfo sinfo; char buf[4096]; int len;" "$port"
program pe2 echo_pe "$pe_rest struct rsp_sndrcvinfo sinfo; char buf[65536]; ssize_t len;" "$port"
program pe3 echo_pe "$pe_rest struct rsp_sndrcvinfo sinfo; unsigned char buf[100]; size_t len;" "$port"
# Where port 7 may not be had, the next lines fail, and the loop must not run wild: only compiled.
program pe4 echo_pe "$pe_rest static struct rsp_sndrcvinfo sinfo; static char buf[1 << 20]; long len;" ""
pu_rest='fd_set rset; int fd, done;'
program pu1 echo_pu "$pu_rest char buf[64] = {0}; int n; size_t len = 6;" ""
program pu2 echo_pu "$pu_rest char buf[64] = {0}; ssize_t n; const int len = 6;" ""
program pu3 echo_pu "$pu_rest static char buf[64]; long n; unsigned len = 6;" ""
echo "ok: all variants compile"

for element in pe1 pe2 pe3; do
	"$dir/$element" &
	pe=$!
	for user in pu1 pu2 pu3; do
		answer=
		for _ in $(seq 100); do
			answer=$({ echo hello; sleep 0.3; } | timeout 100 "$dir/$user")
			[ -n "$answer" ] && break
			sleep 0.05
		done
		[ "$answer" = hello ] || fail "$element answers $user with '$answer'"
	done
	kill -9 $pe
	wait $pe 2>/dev/null
done
echo "ok: they run"
