// SPDX-License-Identifier: Apache-2.0
//
// The header in C++.
#include <rserpool.h>

#include <cstddef>

static rsp_sndrcvinfo made()
{
	rsp_sndrcvinfo info{};
	info.stream = 1;
	return info;
}

ssize_t every_info(int fd, const rsp_sndrcvinfo *pointer, const rsp_sndrcvinfo &reference);

ssize_t every_info(int fd, const rsp_sndrcvinfo *pointer, const rsp_sndrcvinfo &reference)
{
	rsp_sndrcvinfo value = made();
	sockaddr_in address{};

	address.sin_len = sizeof(struct sockaddr_in);
	return rsp_sendmsg(fd, "a", 1, nullptr, 0) + rsp_sendmsg(fd, "a", 1, value, 0) +
	       rsp_sendmsg(fd, "a", 1, &value, 0) + rsp_sendmsg(fd, "a", 1, pointer, 0) +
	       rsp_sendmsg(fd, "a", 1, *pointer, 0) + rsp_sendmsg(fd, "a", 1, reference, 0) +
	       rsp_sendmsg(fd, "a", 1, made(), 0) + address.sin_len;
}

static_assert(sizeof(rsp_loadinfo) == 64 && sizeof(rsp_sndrcvinfo) == 64, "the sizes are ABI");
