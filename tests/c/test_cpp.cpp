// SPDX-License-Identifier: Apache-2.0
//
// What rserpool.hpp does. Needs a registrar.
#include <rserpool.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <type_traits>

#define CHECK(condition) ((condition) ? static_cast<void>(0) : failed(__LINE__, #condition))

[[noreturn]] static void failed(int line, const char *what)
{
	std::fprintf(stderr, "test_cpp.cpp:%d: failed: %s\n", line, what);
	std::exit(1);
}

// The errno that f throws, with a sentence; 0 if it throws nothing.
template <typename F> static int thrown(F f)
{
	try {
		f();
	} catch (const std::system_error &e) {
		CHECK(e.code().category() == std::generic_category() && std::strlen(e.what()) > 10);
		return e.code().value();
	}
	return 0;
}

static_assert(!std::is_copy_constructible_v<rserpool::socket> &&
              std::is_nothrow_move_constructible_v<rserpool::socket>);
static_assert(!std::is_copy_assignable_v<rserpool::session> && std::is_nothrow_move_assignable_v<rserpool::session>);
static_assert(!std::is_copy_constructible_v<rserpool::listener> && std::is_move_constructible_v<rserpool::listener>);
static_assert(!std::is_copy_constructible_v<rserpool::registration> &&
              std::is_move_assignable_v<rserpool::registration>);
static_assert(std::is_base_of_v<std::system_error, rserpool::error>);

static sockaddr_in loopback(int host = 1)
{
	sockaddr_in here{};

	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1U + static_cast<unsigned>(host));
	return here;
}

static rserpool::socket bound()
{
	rserpool::socket out(AF_INET);

	out.bind(loopback());
	return out;
}

static bool open_in_the_system(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void lives_and_moves()
{
	int fd, other;
	{
		rserpool::socket a(AF_INET);
		fd = a.fd();
		CHECK(open_in_the_system(fd));
		rserpool::socket b = std::move(a);
		CHECK(!a && b && b.fd() == fd);
		rserpool::socket c(AF_INET);
		other = c.fd();
		c = std::move(b);
		CHECK(c.fd() == fd && !open_in_the_system(other));
		rserpool::socket d = rserpool::socket::adopt(c.release());
		CHECK(!c && d.fd() == fd);
	}
	CHECK(!open_in_the_system(fd));
	rserpool::socket e(AF_INET);
	e.close();
	CHECK(!e && thrown([&] { e.close(); }) == EBADF);
}

static void errors()
{
	CHECK(thrown([] { rserpool::socket s(AF_UNIX); }) == EAFNOSUPPORT);
	rserpool::socket s(AF_INET);
	CHECK(thrown([&] { s.send("x"); }) == ENOTCONN);
	CHECK(thrown([&] { s.set_option(RSP_DSCP, 99); }) == EINVAL);
	CHECK(thrown([&] { s.status(); }) == ENOTCONN);
	CHECK(thrown([&] { s.close_session(4711, RSP_ABORT); }) == ENOTCONN);
	CHECK(thrown([&] { rserpool::resolve(""); }) == EINVAL);
	try {
		s.connect("");
		CHECK(false);
	} catch (const rserpool::error &e) {
		CHECK(std::strstr(e.what(), "pool handle is empty") != nullptr);
		CHECK(e.code() == std::errc::invalid_argument);
	}
}

// An element with one descriptor, and messages of every length.
static void messages()
{
	rserpool::socket element = bound(), user = bound();

	CHECK(element.register_in("cpp"));
	element.set_option(RSP_NOTIFICATIONS, RSP_NOTIFY_SESSIONS);
	CHECK(user.connect("cpp"));
	CHECK(user.peer_name().pool == "cpp" && user.peer_name().pe_id == element.local_name().pe_id);
	for (std::size_t length : {std::size_t{1}, std::size_t{4096}, std::size_t{4097}, std::size_t{1} << 20}) {
		std::string sent(length, 'a');

		sent.back() = 'z';
		CHECK(user.send(sent));
		auto got = element.receive();
		while (got && got->is_notification()) {
			CHECK(got->notification().type == RSP_SESSION_ADDED);
			got = element.receive();
		}
		CHECK(got && got->data == sent && !got->is_cookie() && !got->is_end());
		CHECK(element.send(got->data, got->info));
		CHECK(user.receive()->data == sent);
	}
	CHECK(!element.receive(MSG_DONTWAIT));
	CHECK(user.status().state == RSP_STATE_ESTABLISHED && user.option(RSP_NODELAY) == 1);
	const auto peer = user.peer_addresses(), local = element.local_addresses();
	CHECK(peer.size() == 1 && local.size() == 1 && std::memcmp(&peer[0], &local[0], sizeof(sockaddr_in)) == 0);
	user.close_session(0);
	CHECK(thrown([&] { user.send("x"); }) == ENOTCONN);
}

static void several_addresses()
{
	std::vector<sockaddr_storage> two(2);
	for (std::size_t i = 0; i < 2; i++) {
		const sockaddr_in a = loopback(static_cast<int>(i) + 1);

		std::memcpy(&two[i], &a, sizeof(a));
	}
	rserpool::socket s(AF_INET6);
	s.bind(two);
	const auto local = s.local_addresses();
	CHECK(local.size() == 2 && local[0].ss_family == AF_INET6 && local[1].ss_family == AF_INET6);
}

// A thread for each session, as servers of streams have them.
static void sessions()
{
	rserpool::listener element(AF_INET);
	element.bind(loopback());
	element.listen();
	CHECK(element.register_in("cpp-accept"));
	std::thread server([&element] {
		for (int i = 0; i < 2; i++) {
			rserpool::session one = std::move(*element.accept());
			for (auto m = one.receive(); !m->is_end(); m = one.receive())
				one.send(m->data + "!");
		}
	});
	for (int i = 0; i < 2; i++) {
		rserpool::session user("cpp-accept", AF_INET);

		CHECK(user.send("hello"));
		CHECK(user.receive()->data == "hello!");
		user.close();
	}
	server.join();
	CHECK(fcntl(element.fd(), F_SETFL, O_NONBLOCK) == 0 && !element.accept());
}

// What has to wait says so, and throws nothing.
static void without_waiting()
{
	rserpool::socket element = bound(), user(AF_INET, SOCK_SEQPACKET | SOCK_NONBLOCK);
	pollfd writable{user.fd(), POLLOUT, 0};

	element.register_in("cpp-nonblock");
	CHECK(!user.connect("cpp-nonblock"));
	CHECK(poll(&writable, 1, 30000) == 1);
	CHECK(thrown([&] { user.connect("cpp-nonblock"); }) == EISCONN);
	CHECK(!user.receive());
	const std::string block(1 << 20, 'x');
	int taken = 0;
	while (taken < 100 && user.send(block))
		taken++;
	CHECK(taken > 0 && taken < 100);
	user.close_session(0, RSP_ABORT);
}

static void basic_mode()
{
	rsp_addrinfo where{};
	sockaddr_in at = loopback();

	at.sin_port = htons(4711);
	where.ai_protocol = IPPROTO_TCP;
	where.ai_addrlen = sizeof(at);
	where.ai_addr = reinterpret_cast<sockaddr *>(&at);
	{
		rserpool::registration first("cpp-basic", where);
		rserpool::registration element = std::move(first);
		CHECK(first.pe_id() == 0 && element.pe_id() != 0);
		rserpool::address_list list = rserpool::resolve("cpp-basic");
		CHECK(list && list->ai_pe_id == element.pe_id() && list->ai_next == nullptr);
	}
	rsp_addrhints fresh{};
	fresh.stale = -1;
	CHECK(thrown([&] { rserpool::resolve("cpp-basic", fresh); }) == ENOENT);
}

static void logging()
{
	std::atomic<int> lines{0};
	{
		rserpool::log log(
		        [&lines](int level, const char *text) {
			        CHECK(level <= RSP_LOG_DEBUG && text[0] != '\0');
			        if (++lines == 1)
				        throw 1;
		        },
		        RSP_LOG_DEBUG);
		bound();
		bound();
	}
	CHECK(lines > 1);
	const int before = lines;
	bound();
	CHECK(lines == before);
	CHECK(thrown([] { rserpool::log wrong([](int, const char *) {}, 99); }) == EINVAL);
}

int main()
{
	lives_and_moves();
	errors();
	messages();
	several_addresses();
	sessions();
	without_waiting();
	basic_mode();
	logging();
	std::puts("ok");
	return 0;
}
