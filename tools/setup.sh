#!/bin/sh
# setup.sh build|check|test|rsplib...: makes sure that what is needed to build, to
# check, to test, or to meet RSPLIB, is there. It installs what is missing with
# apt-get, and does nothing when nothing is missing. What is only of use is done
# without where one is not root or it cannot be had. Go has to be there.
set -eu

packages= useful=
want() { # program package
	command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}
like() { # program package
	command -v "$1" >/dev/null 2>&1 || useful="$useful $2"
}

for purpose; do
	case $purpose in
	build)
		want cmake cmake
		want make make
		want cc gcc
		[ -e /usr/include/stdio.h ] || packages="$packages libc6-dev"
		;;
	check)
		want cc gcc
		[ -e /usr/include/stdio.h ] || packages="$packages libc6-dev"
		like clang-format clang-format
		like mandoc mandoc
		;;
	test)
		want g++ g++
		want pkg-config pkg-config
		want readelf binutils
		;;
	rsplib)
		want rspregistrar rsplib-registrar
		want rspserver rsplib-tools
		want pingpongclient rsplib-services
		want ip iproute2
		;;
	*)
		echo "usage: $0 build|check|test|rsplib..." >&2
		exit 2
		;;
	esac
done

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
can_install() { command -v apt-get >/dev/null && { [ -z "$as_root" ] || command -v sudo >/dev/null; }; }
add() { # packages
	echo "installing $*"
	{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null
}
export DEBIAN_FRONTEND=noninteractive

if [ -n "$packages" ]; then
	can_install || {
		echo "$0: missing:$packages; install them and try again" >&2
		exit 1
	}
	# shellcheck disable=SC2086 # several words
	add $packages || {
		echo "$0: apt-get could not install$packages" >&2
		exit 1
	}
fi
if [ -n "$useful" ]; then
	# shellcheck disable=SC2086
	{ [ "$(id -u)" = 0 ] && can_install && add $useful; } || echo "$0: not installed:$useful; what needs them is not run"
fi

if ! command -v go >/dev/null; then
	echo "$0: there is no go command; install Go $(sed -n "s/^go //p" go.mod) or newer (https://go.dev/dl) in /usr/local/go or in PATH" >&2
	exit 1
fi
