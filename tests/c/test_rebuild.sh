#!/bin/sh
# test_rebuild.sh cmake source: in a new clone with a warm cache, front and core
# are built with the headers as they are now.
set -eu
cmake=$1
source=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
	echo "failed: $*"
	exit 1
}
mkdir "$dir/clone"
tar -C "$source" -cf - CMakeLists.txt go.mod go.sum cmake capi core c-examples cmd include docs/man | tar -C "$dir/clone" -xf -
cd "$dir/clone"

build() {
	"$cmake" -S . -B build -DBUILD_TESTING=OFF >"$dir/log" 2>&1 &&
		"$cmake" --build build --target rserpool rserpool-core >>"$dir/log" 2>&1 || { cat "$dir/log"; fail "building $*"; }
}
program() {
	cat >"$dir/main.c"
	"${CC:-cc}" -std=gnu11 -Iinclude "$dir/main.c" -Lbuild/lib -lrserpool -o "$dir/main"
	LD_LIBRARY_PATH=build/lib "$dir/main"
}

sed -i 's/^#define RSP_NODELAY 12 /#define RSP_NODELAY 1012 /' include/rserpool.h
grep -q 'RSP_NODELAY 1012' include/rserpool.h || fail "the header has no option to change"
build "with another number of an option"
program <<'END' || fail "the core does not know the new number of an option"
#include <rserpool.h>
int main(void)
{
	int on = 1, fd = rsp_socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);
	return rsp_setsockopt(fd, 0, RSP_NODELAY, &on, sizeof(on)) == -1 ||
	       rsp_setsockopt(fd, 0, 12, &on, sizeof(on)) == 0;
}
END

sed -i 's/^struct rspgo_loadinfo {/&\n\tuint32_t more[7];/' capi/abi.h
grep -q 'more\[7\]' capi/abi.h || fail "the interface has no structure to change"
build "with another member of a structure"
program <<'END' || fail "the core does not know the new layout of a structure"
#include <errno.h>
#include <rserpool.h>
int main(void)
{
	struct rsp_loadinfo wrong = {.policy = 0x77};
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);
	return rsp_setload(fd, &wrong) != -1 || errno != EINVAL;
}
END
