/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that may be written with the header, as a compiler sees it.
 */
#include <rserpool.h>

static struct rsp_sndrcvinfo made(void)
{
	struct rsp_sndrcvinfo info = {.stream = 1};

	return info;
}

ssize_t every_info(int fd, const struct rsp_sndrcvinfo *cp, const struct rsp_sndrcvinfo cv);

ssize_t every_info(int fd, const struct rsp_sndrcvinfo *cp, const struct rsp_sndrcvinfo cv)
{
	struct rsp_sndrcvinfo value = made();
	struct rsp_sndrcvinfo *pointer = &value;
	struct rsp_sndrcvinfo array[2] = {made(), made()};
	const struct rsp_sndrcvinfo *const constant = cp;
	ssize_t (*function)(int, const void *, size_t, const struct rsp_sndrcvinfo *, int) = rsp_sendmsg;

	return rsp_sendmsg(fd, "a", 1, NULL, 0) + rsp_sendmsg(fd, "a", 1, 0, 0) +
	       rsp_sendmsg(fd, "a", 1, (void *)0, 0) + rsp_sendmsg(fd, "a", 1, value, 0) +
	       rsp_sendmsg(fd, "a", 1, cv, 0) + rsp_sendmsg(fd, "a", 1, pointer, 0) +
	       rsp_sendmsg(fd, "a", 1, &value, 0) + rsp_sendmsg(fd, "a", 1, cp, 0) + rsp_sendmsg(fd, "a", 1, *cp, 0) +
	       rsp_sendmsg(fd, "a", 1, constant, 0) + rsp_sendmsg(fd, "a", 1, array, 0) +
	       rsp_sendmsg(fd, "a", 1, array[1], 0) + rsp_sendmsg(fd, "a", 1, made(), 0) +
	       (rsp_sendmsg)(fd, (char[]){'a', 'b'}, 2, NULL, 0) + function(fd, "a", 1, NULL, 0);
}

/* The numbers are those of RFC 5354 section 3.8. */
_Static_assert(RSP_ROUND_ROBIN == 1 && RSP_WEIGHTED_ROUND_ROBIN == 2 && RSP_RANDOM == 3, "");
_Static_assert(RSP_WEIGHTED_RANDOM == 4 && RSP_PRIORITY == 5, "");
_Static_assert(RSP_LEAST_USED == 0x40000001 && RSP_LEAST_USED_DEGRADATION == 0x40000002, "");
_Static_assert(RSP_PRIORITY_LEAST_USED == 0x40000003 && RSP_RANDOMIZED_LEAST_USED == 0x40000004, "");
_Static_assert(sizeof(void *) != 8 || sizeof(struct rsp_addrinfo) == 72, "the sizes are ABI");
_Static_assert(sizeof(struct rsp_addrhints) == 64, "the sizes are ABI");
_Static_assert(sizeof(struct rsp_loadinfo) == 64 && sizeof(struct rsp_sndrcvinfo) == 64, "the sizes are ABI");
