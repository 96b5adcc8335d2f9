/* SPDX-License-Identifier: Apache-2.0
 *
 * log.c - where the library says what it has to say.
 */
#define _GNU_SOURCE
#include "front.h"

int rsp_set_log(rsp_log_function *function, void *arg, int level)
{
	struct call call;
	int result;

	if (begin_new_call(&call, "rsp_set_log") == -1)
		return -1;
	result = call.go->rspgo_set_log(function, arg, level, error_space());
	return (int)end_call(&call, result < 0 ? core_failed(-1, result) : 0);
}
