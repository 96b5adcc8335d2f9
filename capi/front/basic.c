/* SPDX-License-Identifier: Apache-2.0
 *
 * basic.c - the basic mode: calls without a descriptor, for programs that bring
 * their own transport. The core does the work, and they wait for it.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <stdlib.h>

static int check_unused(const char *function, const char *name, const uint32_t *reserved, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (reserved[i] != 0)
			return fail(-1, EINVAL,
			            "%s: a reserved member of struct %s is not zero; set the whole structure to "
			            "zero before filling it",
			            function, name);
	return 0;
}

#define CHECK_UNUSED(function, name, value)                                                                            \
	check_unused(function, name, (value)->reserved, sizeof((value)->reserved) / sizeof((value)->reserved[0]))

static int find(struct call *call, const void *pool, size_t pool_len, const struct rsp_addrhints *hints,
                struct rsp_addrinfo **list)
{
	struct rspgo_hints want = {.items = 0};
	struct rspgo_outcome found = {.list = NULL};

	if (list == NULL)
		return fail(-1, EFAULT, "rsp_getaddrinfo: the place for the list is NULL");
	*list = NULL;
	if (check_handle(call, pool, pool_len) == -1)
		return -1;
	if (hints != NULL) {
		if (CHECK_UNUSED("rsp_getaddrinfo", "rsp_addrhints", hints) == -1)
			return -1;
		want = (struct rspgo_hints){
		        .family = hints->family,
		        .socktype = hints->socktype,
		        .protocol = hints->protocol,
		        .items = hints->items,
		        .stale = hints->stale,
		        .timeout = hints->timeout,
		        .wait = hints->wait,
		};
	}
	if (wait_outcome(call, call->go->rspgo_find((void *)(uintptr_t)pool, pool_len, &want, &found, error_space()),
	                 &found) == -1)
		return -1;
	*list = found.list;
	return 0;
}

int rsp_getaddrinfo(const void *pool, size_t pool_len, const struct rsp_addrhints *hints, struct rsp_addrinfo **list)
{
	struct call call;

	if (begin_new_call(&call, "rsp_getaddrinfo") == -1)
		return -1;
	return (int)end_call(&call, find(&call, pool, pool_len, hints, list));
}

/* The core makes a list in one piece. */
void rsp_freeaddrinfo(struct rsp_addrinfo *list)
{
	free(list);
}

static int enter(struct call *call, const void *pool, size_t pool_len, const struct rsp_addrinfo *where,
                 const struct rsp_loadinfo *info, uint32_t *pe_id)
{
	struct rspgo_outcome made = {.pe_id = 0};
	struct rspgo_where at;
	struct rspgo_loadinfo load;

	if (where == NULL)
		return fail(-1, EFAULT, "rsp_pe_registration: the transport is NULL");
	if (where->ai_addr == NULL)
		return fail(-1, EFAULT, "rsp_pe_registration: the address is NULL");
	if (check_handle(call, pool, pool_len) == -1 || check_loadinfo(call, info) == -1 ||
	    CHECK_UNUSED("rsp_pe_registration", "rsp_addrinfo", where) == -1)
		return -1;
	if (where->ai_flags != 0)
		return fail(-1, EINVAL, "rsp_pe_registration: ai_flags is %#x; there are no flags",
		            (unsigned)where->ai_flags);
	at = (struct rspgo_where){
	        .socktype = where->ai_socktype,
	        .protocol = where->ai_protocol,
	        .service = where->ai_service,
	        .addrs = where->ai_addrs,
	        .addrlen = where->ai_addrlen,
	        .addr = where->ai_addr,
	};
	load = load_of(info);
	if (wait_outcome(call, call->go->rspgo_join((void *)(uintptr_t)pool, pool_len, &at, &load, error_space()),
	                 &made) == -1)
		return -1;
	if (pe_id != NULL)
		*pe_id = made.pe_id;
	return 0;
}

int rsp_pe_registration(const void *pool, size_t pool_len, const struct rsp_addrinfo *where,
                        const struct rsp_loadinfo *info, uint32_t *pe_id)
{
	struct call call;

	if (begin_new_call(&call, "rsp_pe_registration") == -1)
		return -1;
	return (int)end_call(&call, enter(&call, pool, pool_len, where, info, pe_id));
}

static int about_element(struct call *call, enum rspgo_about what, const void *pool, size_t pool_len, uint32_t pe_id)
{
	if (check_handle(call, pool, pool_len) == -1)
		return -1;
	return wait_outcome(
	        call, call->go->rspgo_about((int)what, (void *)(uintptr_t)pool, pool_len, pe_id, error_space()), NULL);
}

int rsp_pe_deregistration(const void *pool, size_t pool_len, uint32_t pe_id)
{
	struct call call;

	if (begin_new_call(&call, "rsp_pe_deregistration") == -1)
		return -1;
	return (int)end_call(&call, about_element(&call, RSPGO_LEAVES, pool, pool_len, pe_id));
}

int rsp_pe_failure(const void *pool, size_t pool_len, uint32_t pe_id)
{
	struct call call;

	if (begin_new_call(&call, "rsp_pe_failure") == -1)
		return -1;
	return (int)end_call(&call, about_element(&call, RSPGO_FAILED, pool, pool_len, pe_id));
}
