#!/bin/sh
# test_manual_format.sh source: mandoc and groff, those of them that are there,
# find nothing wrong with a page. A page that is only the alias of another has
# no form: mandoc warns of every .so.
set -eu
cd "$1/docs/man"
pages=$(grep -L '^\.so ' man*/*.[0-9])
[ -n "$pages" ]
checked=
if command -v mandoc >/dev/null; then
	# shellcheck disable=SC2086 # several words
	mandoc -Tlint -Wwarning $pages
	checked="$checked mandoc"
fi
if command -v groff >/dev/null; then
	# shellcheck disable=SC2086
	warnings=$(LC_ALL=C groff -ww -z -man -Tutf8 -K utf8 $pages 2>&1)
	[ -z "$warnings" ] || { echo "$warnings"; exit 1; }
	checked="$checked groff"
fi
if [ -z "$checked" ]; then
	echo "SKIPPED: there is neither mandoc nor groff; install one to have the manual pages checked"
	exit 77
fi
echo "ok:$checked"
