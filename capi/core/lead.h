/* SPDX-License-Identifier: Apache-2.0
 *
 * lead.h - the thread that looks after endpoints that are lent.
 */
#ifndef RSPGO_LEAD_H
#define RSPGO_LEAD_H

#include "abi.h"

/* Has recall_lent() called from time to time, until that returns 1. A thread in C does
 * it: a timer of the runtime would wake two threads each time. Returns 0 if there can be
 * no such thread. */
int recall_soon(void);

#endif
