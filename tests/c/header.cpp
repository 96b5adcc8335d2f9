// SPDX-License-Identifier: Apache-2.0
//
// The header in C++.
#include <rserpool.h>
#include <rserpool.hpp>

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

// The basic mode, as a C++ program uses it.
int resolve(const char *pool, size_t len);

int resolve(const char *pool, size_t len)
{
	rsp_addrhints hints{};
	rsp_addrinfo *list = nullptr;
	hints.protocol = IPPROTO_TCP;
	if (rsp_getaddrinfo(pool, len, &hints, &list) == -1)
		return -1;
	for (const rsp_addrinfo *i = list; i != nullptr; i = i->ai_next)
		if (rsp_pe_failure(pool, len, i->ai_pe_id) == -1)
			break;
	rsp_freeaddrinfo(list);
	rsp_addrinfo where{};
	rsp_loadinfo load{};
	return rsp_pe_registration(pool, len, &where, &load, nullptr) + rsp_pe_deregistration(pool, len, 1);
}

static_assert(sizeof(rsp_status) == 320, "the sizes are ABI");
static_assert(sizeof(rsp_addrhints) == 64, "the sizes are ABI");
static_assert(sizeof(rsp_loadinfo) == 64 && sizeof(rsp_sndrcvinfo) == 64, "the sizes are ABI");
