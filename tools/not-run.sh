#!/bin/sh
# Says what make test could not run here, and how to run it.
set -u
hint=
[ ! -x tests/vm/run ] || hint="; make test-kernel runs them in a virtual machine"
if ! grep -qs '^SCTP' /proc/net/protocols && ! modprobe -q sctp 2>/dev/null; then
	echo "Not run: the tests of the kernel transport, for this kernel has no SCTP$hint."
fi
if [ "$(id -u)" != 0 ] || ! { modprobe -q sch_netem || grep -qs /sch_netem "/lib/modules/$(uname -r)/modules.builtin"; } 2>/dev/null; then
	echo "Not run: the tests over networks that netem makes bad, which takes root and a kernel with it$hint."
fi
command -v clang >/dev/null || echo "Not run: what compiles the header and the slides with clang, which is not installed; apt-get install clang."
command -v mandoc >/dev/null || command -v groff >/dev/null ||
	echo "Not run: the form of the manual pages, for neither mandoc nor groff is installed; apt-get install mandoc."
command -v tshark >/dev/null || echo "Not run: tshark's reading of our messages, which is not installed; apt-get install tshark."
[ -e /usr/include/usrsctp.h ] || echo "Not run: the tests against usrsctp, which is not installed; apt-get install libusrsctp-dev."
