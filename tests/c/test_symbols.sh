#!/bin/sh
# test_symbols.sh source libdir: the library shows exactly the public functions,
# the core exactly its interface, and both are linked as they should be.
set -eu
source=$1
lib=$2
fail() {
	echo "failed: $*"
	exit 1
}

declared=$(sed -n 's/^RSP_API .*[ *]\(rsp_[a-z_]*\)(.*/\1/p' "$source/include/rserpool.h" | sort -u)
exported=$(nm -D --defined-only "$lib/librserpool.so" | awk '$2 == "T" { print $3 }' | sort)
[ "$exported" = "$(echo "$declared" | sed 's/$/@@RSERPOOL_0.1/')" ] ||
	fail "the header declares
$declared
and the library exports
$exported"
[ "$(nm -D --defined-only "$lib/librserpool.so" | grep -v ' T rsp_' | awk '{ print $3 }')" = RSERPOOL_0.1 ] ||
	fail "librserpool.so exports more than functions"
if nm -D --defined-only "$lib/librserpool-core.so" | grep -v ' T rspgo_'; then
	fail "librserpool-core.so shows these"
fi

[ "$(readlink "$lib/librserpool.so")" = librserpool.so.0 ] || fail "librserpool.so does not lead to librserpool.so.0"
[ "$(readlink "$lib/librserpool.so.0")" = librserpool.so.0.1.0 ] || fail "librserpool.so.0 does not lead to librserpool.so.0.1.0"
for name in librserpool.so librserpool-core.so; do
	dynamic=$(readelf -dW "$lib/$name")
	echo "$dynamic" | grep -q 'FLAGS_1.*NOW.*NODELETE' || fail "$name is not linked with -z now and -z nodelete"
	if echo "$dynamic" | grep -q TEXTREL; then fail "$name has text relocations"; fi
	if echo "$dynamic" | grep NEEDED | grep -vE '\[(libc|ld-linux.*|libpthread|libdl|libresolv)\.so'; then
		fail "$name needs more than the C library"
	fi
	segments=$(readelf -lW "$lib/$name")
	echo "$segments" | grep -q GNU_RELRO || fail "$name has no RELRO segment"
	if echo "$segments" | grep GNU_STACK | grep -q 'RWE'; then fail "$name has an executable stack"; fi
done
readelf -dW "$lib/librserpool.so" | grep -q 'SONAME.*\[librserpool.so.0\]' || fail "the soname is not librserpool.so.0"
