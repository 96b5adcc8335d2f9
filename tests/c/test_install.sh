#!/bin/sh
# test_install.sh find_package|pkg-config cmake builddir consumer: what is
# installed is where it belongs, and a project finds it in this way.
set -eu
way=$1
cmake=$2
build=$3
consumer=$4
if [ "$way" = pkg-config ] && ! command -v pkg-config >/dev/null; then
	echo "SKIPPED: there is no pkg-config; install it to have programs built with it"
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
	echo "failed: $*"
	exit 1
}

# With DESTDIR, as packages do.
DESTDIR=$dir/package "$cmake" --install "$build" --prefix /usr >/dev/null
for path in include/rserpool.h include/rserpool.hpp share/rserpool/valgrind.supp bin/rserpool share/man/man3/rsp_socket.3 share/man/man7/librserpool.7; do
	[ -f "$dir/package/usr/$path" ] || fail "DESTDIR: usr/$path is missing"
done
[ -z "$(find "$dir/package" -path "$dir/package/usr" -prune -o -type f -print)" ] || fail "DESTDIR: files outside of usr"

# With a prefix, and then somewhere else.
"$cmake" --install "$build" --prefix "$dir/first" >/dev/null
mv "$dir/first" "$dir/prefix"
lib=$(dirname "$(find "$dir/prefix" -name librserpool.so)")
[ -f "$lib/librserpool-core.so" ] || fail "the core is not beside the library"
[ "$(readlink "$lib/librserpool.so.0")" = librserpool.so.0.1.0 ] || fail "librserpool.so.0 leads elsewhere"
if grep -rl "$build" "$dir/prefix" --include='*.pc' --include='*.cmake'; then fail "these name the build directory"; fi

case $way in
find_package)
	export CMAKE_PREFIX_PATH="$dir/prefix"
	"$cmake" -S "$consumer" -B "$dir/consumer" >"$dir/log" 2>&1 || { cat "$dir/log"; fail "find_package"; }
	"$cmake" --build "$dir/consumer" >"$dir/log" 2>&1 || { cat "$dir/log"; fail "building with RSerPool::rserpool"; }
	"$dir/consumer/consumer" || fail "running what find_package built"
	if "$cmake" -S "$consumer" -B "$dir/newer" -DWANTED=0.2 >"$dir/log" 2>&1; then
		fail "find_package(RSerPool 0.2) takes 0.1"
	fi
	;;
pkg-config)
	PKG_CONFIG_PATH=$lib/pkgconfig
	export PKG_CONFIG_PATH
	[ "$(pkg-config --modversion rserpool)" = 0.1.0 ] || fail "pkg-config does not find rserpool"
	# shellcheck disable=SC2046 # several words
	"${CC:-cc}" -std=c11 "$consumer/consumer.c" $(pkg-config --cflags --libs rserpool) -o "$dir/program" ||
		fail "building with pkg-config"
	LD_LIBRARY_PATH=$lib "$dir/program" || fail "running what pkg-config built"
	;;
*)
	fail "there is no way $way"
	;;
esac
