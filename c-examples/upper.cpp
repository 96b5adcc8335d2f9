// SPDX-License-Identifier: Apache-2.0
//
// upper.cpp - rserpool.hpp: an element that makes letters large, and a user of it.
//
//	upper serve shouting
//	upper shouting 'hello, world'
#include <rserpool.hpp>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <string>

static void serve(const std::string &pool)
{
	rserpool::socket element;

	element.register_in(pool);
	while (auto request = element.receive()) {
		std::string &text = request->data;

		std::transform(text.begin(), text.end(), text.begin(),
		               [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
		try {
			element.send(text, request->info); // to where it came from
		} catch (const rserpool::error &e) {
			std::cerr << e.what() << '\n'; // that user has gone
		}
	}
}

static void ask(const std::string &pool, const std::string &text)
{
	rserpool::session session(pool);

	session.send(text);
	std::cout << session.receive()->data << '\n';
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		std::cerr << "usage: upper serve pool | upper pool text\n";
		return 2;
	}
	try {
		if (std::string(argv[1]) == "serve")
			serve(argv[2]);
		else
			ask(argv[1], argv[2]);
	} catch (const rserpool::error &e) {
		std::cerr << e.what() << '\n';
		return 1;
	}
}
