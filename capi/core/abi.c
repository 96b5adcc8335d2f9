/* SPDX-License-Identifier: Apache-2.0
 *
 * abi.c - has the compiler compare what the core exports with what abi.h, and so
 * the front, says about it.
 */
#include "_cgo_export.h"

#define PROTOTYPE(result, name, parameters) result name parameters;
RSPGO_FUNCTIONS(PROTOTYPE)
