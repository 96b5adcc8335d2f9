#!/bin/sh
# setup.sh build|test|rsplib...: makes sure that what is needed to build, to
# test, or to meet RSPLIB, is there. It installs what is missing with apt-get,
# and does nothing when nothing is missing.
set -eu

packages=
want() { # program package
	command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}

for purpose; do
	case $purpose in
	build)
		want cmake cmake
		want make make
		want cc gcc
		[ -e /usr/include/stdio.h ] || packages="$packages libc6-dev"
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
		echo "usage: $0 build|test|rsplib..." >&2
		exit 2
		;;
	esac
done

if [ -n "$packages" ]; then
	as_root=
	[ "$(id -u)" = 0 ] || as_root=sudo
	if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
		echo "$0: missing:$packages; install them and try again" >&2
		exit 1
	fi
	echo "installing$packages"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # several words
	{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $packages; } >/dev/null || {
		echo "$0: apt-get could not install$packages" >&2
		exit 1
	}
fi

if ! command -v go >/dev/null; then
	echo "$0: there is no go command; install Go $(sed -n "s/^go //p" go.mod) or newer (https://go.dev/dl) in /usr/local/go or in PATH" >&2
	exit 1
fi
