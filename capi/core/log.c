/* SPDX-License-Identifier: Apache-2.0
 *
 * log.c - Go cannot call a pointer to a function.
 */
#include "abi.h"

void call_log(rspgo_log_fn function, void *argument, int level, const char *text);

void call_log(rspgo_log_fn function, void *argument, int level, const char *text)
{
	function(argument, level, text);
}
