// SPDX-License-Identifier: Apache-2.0
//
// rserpool.hpp - rserpool.h for C++17: descriptors that close themselves, errors as
// exceptions, strings for messages. There is nothing to link besides -lrserpool.
//
// What functions do, how long they wait and with which errno they fail is said in
// rserpool.h, by the names that the comments here give. Failures are thrown as
// rserpool::error, whose code() is the errno and whose what() is the sentence of
// rsp_errmsg() and the system's words for the errno. EAGAIN is none: functions that would have to wait say so by what
// they return. EINTR is one. Objects are moved and not copied; different threads may use one object at the same time,
// except to move, close or destroy it.
#ifndef RSERPOOL_HPP
#define RSERPOOL_HPP

#include <rserpool.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace rserpool {

// What every function throws that fails.
class error : public std::system_error {
public:
	error(int number, const std::string &what) : std::system_error(number, std::generic_category(), what) {}
};

// fail throws the last failure of this thread, which was about fd, or about none (-1).
[[noreturn]] inline void fail(int fd = -1)
{
	const int number = errno;
	char text[1024];

	if (rsp_errmsg(fd, text, sizeof(text)) <= 0)
		text[0] = '\0';
	throw error(number, text);
}

// checked returns result, or throws what it stands for.
template <typename Result> Result checked(Result result, int fd = -1)
{
	if (result == -1)
		fail(fd);
	return result;
}

// A message, a notification or the state of a cookie, whole however long it is.
struct message {
	std::string data;
	rsp_sndrcvinfo info{}; // sent with another message it answers this one

	bool is_notification() const noexcept { return (info.flags & RSP_MSG_NOTIFICATION) != 0; }
	bool is_cookie() const noexcept { return (info.flags & RSP_MSG_COOKIE_ECHO) != 0; }
	// The session of this descriptor has ended: nothing follows.
	bool is_end() const noexcept { return data.empty() && (info.flags & RSP_MSG_EOR) == 0; }

	// Of a notification.
	rsp_notification notification() const noexcept
	{
		rsp_notification note{};

		std::memcpy(&note, data.data(), data.size() < sizeof(note) ? data.size() : sizeof(note));
		return note;
	}
};

// A socket of rsp_socket(), with all that it can be: pool user, or pool element that
// has all its sessions in one descriptor. Its destructor is rsp_close(), which can
// take some seconds, and what goes wrong with that is lost: call close() to know.
class socket {
public:
	// Of AF_INET6, for both families, or AF_INET. SOCK_NONBLOCK may be added to type.
	explicit socket(int domain = AF_INET6, int type = SOCK_SEQPACKET)
	    : fd_(checked(rsp_socket(domain, type, IPPROTO_SCTP)))
	{
	}
	// Takes over a descriptor of this library.
	static socket adopt(int fd) noexcept { return socket(owned{fd}); }

	socket(socket &&other) noexcept : fd_(other.release()) {}
	socket &operator=(socket &&other) noexcept
	{
		socket(std::move(other)).swap(*this);
		return *this;
	}
	socket(const socket &) = delete;
	socket &operator=(const socket &) = delete;
	~socket()
	{
		if (fd_ != -1)
			rsp_close(fd_);
	}

	void swap(socket &other) noexcept { std::swap(fd_, other.fd_); }
	// For poll(2), epoll(7) and functions of rserpool.h; -1 after close().
	int fd() const noexcept { return fd_; }
	explicit operator bool() const noexcept { return fd_ != -1; }
	// Gives the descriptor away.
	int release() noexcept { return std::exchange(fd_, -1); }
	// rsp_close(). Afterwards there is no descriptor, also when it throws.
	void close()
	{
		if (rsp_close(release()) == -1)
			fail();
	}

	// rsp_bind(), rsp_bindx(), rsp_getlocaladdrs(), rsp_getpeeraddrs(). The addresses
	// of the latter are a sockaddr_in, or of AF_INET6 a sockaddr_in6, each.
	void bind(const sockaddr *addr, socklen_t len) { check(rsp_bind(fd_, addr, len)); }
	template <typename Address> void bind(const Address &addr)
	{
		bind(reinterpret_cast<const sockaddr *>(&addr), sizeof(addr));
	}
	void bind(const std::vector<sockaddr_storage> &addrs)
	{
		std::string packed;

		for (const auto &a : addrs)
			packed.append(reinterpret_cast<const char *>(&a), size_of(a.ss_family));
		check(rsp_bindx(fd_, reinterpret_cast<const sockaddr *>(packed.data()), static_cast<int>(addrs.size()),
		                0));
	}
	std::vector<sockaddr_storage> local_addresses(std::uint32_t session = 0) const
	{
		return addresses(rsp_getlocaladdrs, session);
	}
	std::vector<sockaddr_storage> peer_addresses(std::uint32_t session = 0) const
	{
		return addresses(rsp_getpeeraddrs, session);
	}

	// rsp_connect(). false: the descriptor does not wait, and it goes on.
	bool connect(std::string_view pool) { return begun(rsp_connect(fd_, pool.data(), pool.size())); }
	// rsp_register(), likewise; rsp_deregister_flags(), rsp_setload().
	bool register_in(std::string_view pool, const rsp_loadinfo &load = rsp_loadinfo{})
	{
		return begun(rsp_register(fd_, pool.data(), pool.size(), &load));
	}
	bool deregister(int flags = 0) { return begun(rsp_deregister_flags(fd_, flags)); }
	void set_load(const rsp_loadinfo &load) { check(rsp_setload(fd_, &load)); }

	// rsp_sendmsg(). false: there is no room, and it is not to wait.
	bool send(std::string_view data, const rsp_sndrcvinfo &info = rsp_sndrcvinfo{}, int flags = 0)
	{
		return waited((rsp_sendmsg)(fd_, data.data(), data.size(), &info, flags));
	}
	// rsp_send_cookie(), likewise.
	bool send_cookie(std::string_view state, std::uint32_t session = 0, int flags = 0)
	{
		return waited(rsp_send_cookie(fd_, state.data(), state.size(), session, flags));
	}
	// rsp_recvmsg(). None: there is nothing, and it is not to wait (MSG_DONTWAIT, or a
	// descriptor that does not).
	std::optional<message> receive(int flags = 0)
	{
		message out;
		char *const room = whole();

		do {
			const ssize_t n = rsp_recvmsg(fd_, room, whole_size, &out.info, flags & MSG_DONTWAIT);

			if (!waited(n))
				return std::nullopt;
			out.data.append(room, static_cast<std::size_t>(n));
			if (n == 0)
				break;
		} while ((out.info.flags & RSP_MSG_EOR) == 0);
		return out;
	}

	// rsp_setsockopt(), rsp_getsockopt(); RSP_STATUS; rsp_close_session().
	void set_option(int option, int value, std::uint32_t session = 0)
	{
		check(rsp_setsockopt(fd_, session, option, &value, sizeof(value)));
	}
	void set_pool_key(std::string_view key)
	{
		check(rsp_setsockopt(fd_, 0, RSP_POOL_KEY, key.data(), static_cast<socklen_t>(key.size())));
	}
	int option(int option, std::uint32_t session = 0) const { return value_of<int>(option, session); }
	rsp_status status(std::uint32_t session = 0) const { return value_of<rsp_status>(RSP_STATUS, session); }
	void close_session(std::uint32_t session, int flags = 0) { check(rsp_close_session(fd_, session, flags)); }

	// A pool and a PE identifier: rsp_getsockname(), rsp_getpeername().
	struct name {
		std::string pool;
		std::uint32_t pe_id = 0;
	};
	name local_name() const { return name_of(rsp_getsockname); }
	name peer_name() const { return name_of(rsp_getpeername); }

protected:
	struct owned {
		int fd;
	};
	explicit socket(owned o) noexcept : fd_(o.fd) {}
	void check(int result) const { checked(result, fd_); }

private:
	bool begun(int result) const
	{
		if (result == -1 && (errno == EINPROGRESS || errno == EALREADY))
			return false;
		check(result);
		return true;
	}
	bool waited(ssize_t result) const
	{
		if (result == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		checked(result, fd_);
		return true;
	}
	// Room for the longest message behind a notification, of each thread that receives.
	static constexpr std::size_t whole_size = sizeof(rsp_notification) + (1 << 20);
	static char *whole()
	{
		static thread_local const std::unique_ptr<char[]> room(new char[whole_size]);

		return room.get();
	}
	static std::size_t size_of(int family) noexcept
	{
		return family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
	}
	template <typename Function> std::vector<sockaddr_storage> addresses(Function find, std::uint32_t session) const
	{
		std::vector<sockaddr_storage> out;
		std::string packed;
		socklen_t length = 0;

		do { // more could come meanwhile
			packed.resize(length);
			check(find(fd_, session, reinterpret_cast<sockaddr *>(&packed[0]), &length));
		} while (length > packed.size());
		for (std::size_t at = 0; at < length;) {
			sockaddr_storage a{};
			sa_family_t family;

			std::memcpy(&family, &packed[at] + offsetof(sockaddr, sa_family), sizeof(family));
			std::memcpy(&a, &packed[at], size_of(family));
			out.push_back(a);
			at += size_of(family);
		}
		return out;
	}
	template <typename Value> Value value_of(int option, std::uint32_t session) const
	{
		Value value{};
		socklen_t length = sizeof(value);

		check(rsp_getsockopt(fd_, session, option, &value, &length));
		return value;
	}
	template <typename Function> name name_of(Function find) const
	{
		name out;
		std::size_t length = 0;

		do {
			out.pool.resize(length);
			check(find(fd_, &out.pool[0], &length, &out.pe_id));
		} while (length > out.pool.size());
		out.pool.resize(length);
		return out;
	}

	int fd_;
};

// One session with a descriptor of its own: that of a pool user, which moves to another
// element when the one that serves it fails, or one that a listener accepted.
class session : public socket {
public:
	// Connects to a pool.
	explicit session(std::string_view pool, int domain = AF_INET6) : socket(domain, SOCK_STREAM) { connect(pool); }

private:
	friend class listener;
	explicit session(int fd) noexcept : socket(owned{fd}) {}
};

// A pool element whose sessions are accepted one by one. They outlive it.
class listener : public socket {
public:
	explicit listener(int domain = AF_INET6, int type = SOCK_STREAM) : socket(domain, type) {}
	// Listens and registers.
	listener(std::string_view pool, const rsp_loadinfo &load, int backlog = 128, int domain = AF_INET6)
	    : socket(domain, SOCK_STREAM)
	{
		listen(backlog);
		register_in(pool, load);
	}

	void listen(int backlog = 128) { check(rsp_listen(fd(), backlog)); }
	// rsp_accept(). None: no session waits, and it is not to wait for one.
	std::optional<session> accept()
	{
		const int in = rsp_accept(fd(), nullptr, nullptr);

		if (in == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return std::nullopt;
		return session(checked(in, fd()));
	}
};

// The basic mode: rsp_getaddrinfo(). The first element is the one to use.
struct address_deleter {
	void operator()(rsp_addrinfo *list) const noexcept { rsp_freeaddrinfo(list); }
};
using address_list = std::unique_ptr<rsp_addrinfo, address_deleter>;

inline address_list resolve(std::string_view pool, const rsp_addrhints &hints = rsp_addrhints{})
{
	rsp_addrinfo *list = nullptr;

	checked(rsp_getaddrinfo(pool.data(), pool.size(), &hints, &list));
	return address_list(list);
}

// rsp_pe_failure().
inline void report_failure(std::string_view pool, std::uint32_t pe_id)
{
	checked(rsp_pe_failure(pool.data(), pool.size(), pe_id));
}

// An element with a transport of its own, from rsp_pe_registration() to
// rsp_pe_deregistration(), which is the destructor.
class registration {
public:
	registration(std::string_view pool, const rsp_addrinfo &where, const rsp_loadinfo &load = rsp_loadinfo{})
	    : pool_(pool)
	{
		checked(rsp_pe_registration(pool_.data(), pool_.size(), &where, &load, &pe_id_));
	}
	registration(registration &&other) noexcept
	    : pool_(std::move(other.pool_)), pe_id_(std::exchange(other.pe_id_, 0))
	{
	}
	registration &operator=(registration &&other) noexcept
	{
		registration moved(std::move(other));

		std::swap(pool_, moved.pool_);
		std::swap(pe_id_, moved.pe_id_);
		return *this;
	}
	registration(const registration &) = delete;
	registration &operator=(const registration &) = delete;
	~registration()
	{
		if (pe_id_ != 0)
			rsp_pe_deregistration(pool_.data(), pool_.size(), pe_id_);
	}

	std::uint32_t pe_id() const noexcept { return pe_id_; }
	// Deregisters. Afterwards nothing is registered, also when it throws.
	void leave() { checked(rsp_pe_deregistration(pool_.data(), pool_.size(), std::exchange(pe_id_, 0))); }

private:
	std::string pool_;
	std::uint32_t pe_id_ = 0;
};

// rsp_set_log() as long as it lives; there is one at a time. What function throws is
// dropped. It must not destroy the log itself.
class log {
public:
	using function = std::function<void(int level, const char *text)>;

	explicit log(function f, int level = RSP_LOG_WARNING) : function_(std::move(f))
	{
		checked(rsp_set_log(call, this, level));
	}
	log(const log &) = delete;
	log &operator=(const log &) = delete;
	~log() { rsp_set_log(nullptr, nullptr, 0); }

private:
	static void call(void *self, int level, const char *text) noexcept
	{
		try {
			static_cast<log *>(self)->function_(level, text);
		} catch (...) {
		}
	}

	function function_;
};

} // namespace rserpool

#endif
