/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages in pieces. Needs a registrar.
 */
#include "support.h"

#include <sys/uio.h>

static void pieces(void)
{
	char head[3] = "---", middle[1], tail[20] = "-------------------";
	struct iovec out[] = {{"he", 2}, {NULL, 0}, {"llo ", 4}, {"world", 5}};
	struct iovec in[] = {{head, 3}, {NULL, 0}, {middle, 1}, {tail, sizeof(tail)}};
	struct rsp_sndrcvinfo info;
	struct echo pe;
	int fd;

	echo_start(&pe, "vector");
	fd = connected("vector");
	memset(&info, 0, sizeof(info));
	info.ppid = 77;
	CHECK(rsp_sendmsgv(fd, out, 4, &info, 0) == 11);
	CHECK(rsp_recvmsgv(fd, in, 4, &info, MSG_PEEK) == 11 && info.flags == RSP_MSG_EOR && info.ppid == 77);
	CHECK(memcmp(head, "hel", 3) == 0 && middle[0] == 'l' && memcmp(tail, "o world----", 11) == 0);
	CHECK(rsp_recvmsgv(fd, in, 1, NULL, MSG_PEEK | MSG_TRUNC) == 11);
	CHECK(rsp_recvmsgv(fd, in, 0, &info, MSG_PEEK) == 0 && info.length == 11);
	/* What does not fit comes next, also into other pieces. */
	CHECK(rsp_recvmsgv(fd, in, 3, &info, 0) == 4 && info.flags == 0 && info.length == 11);
	memset(tail, '-', sizeof(tail));
	CHECK(rsp_recvmsgv(fd, in, 1, &info, 0) == 3 && info.flags == 0 && memcmp(head, "o w", 3) == 0);
	CHECK(rsp_recvmsgv(fd, in + 2, 2, &info, 0) == 4 && info.flags == RSP_MSG_EOR);
	CHECK(middle[0] == 'o' && memcmp(tail, "rld-", 4) == 0);
	/* Or is lost, and said so. */
	CHECK(rsp_sendmsgv(fd, out, 4, NULL, 0) == 11);
	CHECK(rsp_recvmsgv(fd, in, 3, &info, MSG_TRUNC) == 11 && info.flags == (RSP_MSG_TRUNC | RSP_MSG_EOR));
	CHECK(memcmp(head, "hel", 3) == 0 && middle[0] == 'l');
	CHECK_ERROR(rsp_recvmsgv(fd, in, 4, &info, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

static void large(void)
{
	static char half[(1 << 19)], back[2][1 << 19], more;
	struct iovec out[] = {{half, sizeof(half)}, {half, sizeof(half)}, {&more, 1}};
	struct iovec in[] = {{back[0], sizeof(half)}, {back[1], sizeof(half)}};
	struct echo pe;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(half); i++)
		half[i] = (char)(i * 7 + i / 251);
	echo_start(&pe, "vector-large");
	fd = connected("vector-large");
	CHECK_ERROR(rsp_sendmsgv(fd, out, 3, NULL, 0), EMSGSIZE);
	CHECK(rsp_sendmsgv(fd, out, 2, NULL, 0) == 1 << 20);
	CHECK(rsp_recvmsgv(fd, in, 2, NULL, 0) == 1 << 20);
	CHECK(memcmp(back[0], half, sizeof(half)) == 0 && memcmp(back[1], half, sizeof(half)) == 0);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

static void wrong_use(void)
{
	char c = 'x';
	struct iovec one = {&c, 1}, null = {NULL, 1}, endless[2] = {{&c, SIZE_MAX}, {&c, SIZE_MAX}};
	int fd = bound_socket();

	CHECK_ERROR(rsp_sendmsgv(fd, &one, -1, NULL, 0), EINVAL);
	CHECK_ERROR(rsp_sendmsgv(fd, &one, RSP_PIECES_MAX + 1, NULL, 0), EINVAL);
	CHECK_ERROR(rsp_sendmsgv(fd, NULL, 1, NULL, 0), EFAULT);
	CHECK_ERROR(rsp_sendmsgv(fd, &null, 1, NULL, 0), EFAULT);
	CHECK_ERROR(rsp_sendmsgv(fd, endless, 2, NULL, 0), EINVAL);
	CHECK_ERROR(rsp_sendmsgv(fd, NULL, 0, NULL, 0), EINVAL); /* an empty message */
	CHECK_ERROR(rsp_sendmsgv(fd, &one, 1, NULL, 0), ENOTCONN);
	CHECK_EXPLAINED("rsp_sendmsgv: ");
	CHECK_ERROR(rsp_sendmsgv(fd, &one, 1, NULL, MSG_OOB), EOPNOTSUPP);
	CHECK_EXPLAINED("rsp_sendmsgv: ");
	CHECK_ERROR(rsp_recvmsgv(fd, &null, 1, NULL, 0), EFAULT);
	CHECK_ERROR(rsp_recvmsgv(fd, &one, 1, NULL, MSG_OOB), EOPNOTSUPP);
	CHECK_EXPLAINED("rsp_recvmsgv: ");
	CHECK_ERROR(rsp_recvmsgv(fd, &one, 1, NULL, MSG_DONTWAIT), EAGAIN);
	CHECK_ERROR(rsp_recvmsgv(-1, &one, 1, NULL, 0), EBADF);
	CHECK(rsp_close(fd) == 0);
}

static const struct check_test tests[] = {TEST(pieces), TEST(large), TEST(wrong_use)};

CHECK_MAIN(tests)
