#!/bin/sh
# test_load.sh libdir program fork_program with_registrar...: what happens when
# the core is missing, of another build, or found by a relative path.
set -eu
lib=$1
program=$2
fork_program=$3
shift 3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/lib"
cp -P "$lib"/librserpool.so* "$dir/lib"

expect() {
	if LD_LIBRARY_PATH=$dir/lib "$program" >"$dir/out" 2>&1; then
		echo "failed: it works $1"
		exit 1
	fi
	if ! grep -q "$2" "$dir/out"; then
		echo "failed: $1 it says"
		cat "$dir/out"
		exit 1
	fi
}
# Programs find the library by their RPATH unless that is taken from them.
cat >"$dir/main.c" <<'END'
#include <errno.h>
#include <rserpool.h>
#include <stdio.h>
int main(void)
{
	char why[512];
	int fd = rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);
	if (fd >= 0)
		return rsp_close(fd);
	int error = errno;
	rsp_errmsg(-1, why, sizeof(why));
	printf("%s: %s\n", error == ELIBACC ? "ELIBACC" : "?", why);
	return 1;
}
END
"${CC:-cc}" -std=gnu11 -I"$(dirname "$0")/../../include" "$dir/main.c" -L"$lib" -lrserpool -o "$dir/main"
program=$dir/main

expect "without the core" 'ELIBACC: .*librserpool-core.so.*install it'
echo 'int other;' | "${CC:-cc}" -shared -x c - -o "$dir/lib/librserpool-core.so"
expect "with another core" 'ELIBACC: .*does not belong to version'
# One that has every function, and was built with other headers.
cat >"$dir/other.c" <<'END'
#include "abi.h"
uint64_t rspgo_headers(void) { return 1; }
#define rspgo_headers another
#define STUB(result, name, parameters) result name parameters { return (result)0; }
RSPGO_FUNCTIONS(STUB)
END
"${CC:-cc}" -w -shared -fPIC -I"$(dirname "$0")/../../capi" "$dir/other.c" -o "$dir/lib/librserpool-core.so"
expect "with a core of other headers" 'ELIBACC: .*does not belong to .* same build'
rm "$dir/lib/librserpool-core.so"
cp "$lib/librserpool-core.so" "$dir/lib"
LD_LIBRARY_PATH=$dir/lib "$program"

# A relative path, and a program that leaves the directory before its first call.
cp "$fork_program" "$dir/fork_program"
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -I"$(dirname "$0")/../../include" "$(dirname "$0")/test_fork.c" \
	"$(dirname "$0")/support.c" -L"$lib" -lrserpool -o "$dir/relative"
cd "$dir"
LD_LIBRARY_PATH=lib "$@" ./relative daemonized
