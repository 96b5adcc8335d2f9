#!/bin/sh
# test_manual.sh source: every public function has a manual page, every constant and
# setting is explained, and aliases lead somewhere. test_manual_format.sh looks at the form.
set -eu
man=$1/docs/man
for function in $(sed -n 's/^RSP_API .*[ *]\(rsp_[a-z_]*\)(.*/\1/p' "$1/include/rserpool.h" | sort -u); do
	[ -f "$man/man3/$function.3" ] || { echo "failed: $function(3) is missing"; exit 1; }
done
for name in $(sed -n 's/^#define \(RSP_[A-Z_]*\) .*/\1/p' "$1/include/rserpool.h"); do
	case $name in RSP_VERSION* | RSP_API) continue ;; esac
	grep -qr "$name" "$man/man3" || { echo "failed: no page explains $name"; exit 1; }
done
settings=$(grep -roh --include='*.go' --exclude='*_test.go' '"RSERPOOL_[A-Z_]*"' "$1/core/socket" | tr -d '"' | sort -u)
[ -n "$settings" ] || { echo "failed: no setting is found in core/socket"; exit 1; }
for name in $settings; do
	grep -q "$name" "$man/man7/librserpool.7" || { echo "failed: librserpool(7) does not explain $name"; exit 1; }
done
for page in "$man"/man*/*.[0-9]; do
	case $(head -n 1 "$page") in
	.so*) [ -f "$man/$(sed -n '1s/^\.so //p' "$page")" ] || { echo "failed: $page leads nowhere"; exit 1; } ;;
	esac
done
