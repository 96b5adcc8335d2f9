/* SPDX-License-Identifier: Apache-2.0
 *
 * test_dlopen librserpool.so: a plug-in or a script loads the library while it
 * runs, and lets it go again.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <rserpool.h>

static int use(const char *path)
{
	int (*make)(int, int, int);
	int (*end)(int);
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void *symbol;
	int fd;

	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	symbol = dlsym(library, "rsp_socket");
	memcpy(&make, &symbol, sizeof(make));
	symbol = dlsym(library, "rsp_close");
	memcpy(&end, &symbol, sizeof(end));
	fd = make(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);
	if (fd == -1 || end(fd) == -1) {
		perror("rsp_socket, rsp_close");
		return 1;
	}
	return dlclose(library);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 0; argc == 2 && i < 3; i++)
		if (use(argv[1]) != 0)
			return 1;
	return argc != 2;
}
