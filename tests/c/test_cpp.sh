#!/bin/sh
# test_cpp.sh source libdir compiler standard: programs with rserpool.hpp compile
# without a warning, and do what they should.
set -eu
source=$1
lib=$2
compiler=$3
std=$4
if ! command -v "$compiler" >/dev/null; then
	echo "SKIPPED: there is no $compiler; install it to have rserpool.hpp tried with it"
	exit 77
fi
dir=$(mktemp -d)
element=
trap 'kill $element 2>/dev/null || true; rm -rf "$dir"' EXIT
build() {
	"$compiler" -std="$std" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wzero-as-null-pointer-constant \
		-Werror -I"$source/include" "$1" -L"$lib" -Wl,-rpath,"$lib" -lrserpool -pthread -o "$2"
}
build "$source/tests/c/test_cpp.cpp" "$dir/test_cpp"
"$dir/test_cpp"

build "$source/c-examples/upper.cpp" "$dir/upper"
"$dir/upper" serve shouting &
element=$!
tries=0
until answer=$("$dir/upper" shouting "hello, world" 2>"$dir/error"); do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || { cat "$dir/error"; exit 1; }
	sleep 0.1
done
[ "$answer" = "HELLO, WORLD" ] || { echo "failed: the answer is $answer"; exit 1; }
