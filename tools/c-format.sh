#!/bin/sh
# c-format.sh check|write: holds the C and C++ files against .clang-format, or
# brings them there. Left as they are: the two headers whose columns are made by
# hand, and the programs of the slides.
set -eu
cd "$(dirname "$0")/.."

if ! command -v clang-format >/dev/null; then
	echo "NOT RUN: the form of the C files, for there is no clang-format; apt-get install clang-format"
	exit 0
fi
files=$(find capi c-examples core/bench include tests/bench tests/c -type f \( -name '*.[ch]' -o -name '*.[ch]pp' \) \
	! -path include/rserpool.h ! -path capi/abi.h ! -name 'echo_p[eu].c' | sort)
case ${1-} in
check)
	# shellcheck disable=SC2086 # several names
	clang-format --dry-run -Werror $files || {
		echo "$(clang-format --version) would write them differently: make fmt" >&2
		exit 1
	}
	;;
write)
	# shellcheck disable=SC2086
	clang-format -i $files
	;;
*)
	echo "usage: $0 check|write" >&2
	exit 2
	;;
esac
