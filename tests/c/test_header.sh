#!/bin/sh
# test_header.sh source compiler standard: the header, the examples and the
# front (in C) compile without a warning.
set -eu
source=$1
compiler=$2
std=$3
if ! command -v "$compiler" >/dev/null; then
	echo "SKIPPED: there is no $compiler; install it to have the header checked with it"
	exit 77
fi
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
case $std in
c++*)
	set -- "$source/tests/c/header.cpp"
	warnings="$warnings -Wold-style-cast -Wzero-as-null-pointer-constant"
	;;
*)
	set -- "$source/tests/c/header.c" "$source"/c-examples/*.c "$source"/capi/front/*.c
	warnings="$warnings -Wstrict-prototypes"
	;;
esac
for file; do
	echo "$compiler -std=$std $file"
	# shellcheck disable=SC2086 # several words
	"$compiler" "-std=$std" $warnings -O2 -DRSPGO_HEADERS=0 -I"$source/include" -c "$file" -o /dev/null
done
case $std in c++*) exit 0 ;; esac
# The header alone, first and twice, and without the shim.
printf '#include <rserpool.h>\n#include <rserpool.h>\nint main(void) { return 0; }\n' |
	"$compiler" "-std=$std" -Wall -Wextra -Wpedantic -Werror -I"$source/include" -x c -c - -o /dev/null
shim='#include <rserpool.h>\nint main(void) { struct sockaddr_in a; a.sin_len = sizeof(struct sockaddr_in); return a.sin_len; }\n'
# shellcheck disable=SC2059 # that is the text
printf "$shim" | "$compiler" "-std=$std" -Wall -Wextra -Wpedantic -Wconversion -Werror -I"$source/include" -x c -c - -o /dev/null
# shellcheck disable=SC2059
if printf "$shim" | "$compiler" "-std=$std" -DRSP_NO_SIN_LEN -I"$source/include" -x c -c - -o /dev/null 2>/dev/null; then
	echo "RSP_NO_SIN_LEN does not switch sin_len off"
	exit 1
fi
# Older standards have all but the structure by value.
for old in c99 gnu11; do
	printf '#include <rserpool.h>\nssize_t f(void);\nssize_t f(void) { return rsp_sendmsg(0, "", 1, NULL, 0); }\n' |
		"$compiler" "-std=$old" -Wall -Wextra -Wpedantic -Werror -I"$source/include" -x c -c - -o /dev/null
done
