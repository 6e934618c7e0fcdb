// SPDX-License-Identifier: MIT
/* nop BATCH OPERATIONS: the time of one NOP. */
#define _GNU_SOURCE
#include <stdio.h>

#include "clock.h"
#include "command.h"
#include "trial.h"
#include "words.h"

static int nop_measure(struct trial *trial, uint64_t operations)
{
	uint64_t batches = (operations + trial->batch - 1) / trial->batch;
	double start, seconds;
	int result = 0;

	trial->doing = "NOP";
	start = clock_seconds(CLOCK_MONOTONIC);
	for (uint64_t i = 0; result >= 0 && i < batches; i++)
		result = trial_batch(trial);
	seconds = clock_seconds(CLOCK_MONOTONIC) - start;
	if (result < 0)
		return result;
	printf("{\"nanoseconds\":%.3f,\"operations\":%llu,"
	       "\"systemCalls\":%llu,\"flags\":%u}\n",
	       seconds * 1e9 / (double)trial->completed,
	       (unsigned long long)trial->completed,
	       (unsigned long long)trial->system_calls, trial->ring.flags);
	return 0;
}

static void nop_run(unsigned int batch, uint64_t operations)
{
	static const struct mode plain = { .name = "nop" };
	struct trial trial;
	int result;

	trial_init(&trial, &plain, batch);
	trial.request.opcode = IORING_OP_NOP;
	result = trial_open_ring(&trial);
	if (result >= 0)
		result = trial_warm_up(&trial);
	if (result >= 0)
		result = nop_measure(&trial, operations);
	if (result < 0)
		answer_error(trial.doing, result);
	trial_close(&trial);
}

const char *nop_command(char **words)
{
	unsigned int batch;
	uint64_t operations;

	if (!parse_small(words[1], 1, TRIAL_BATCH_MAX, &batch))
		return "BATCH is a number from 1 to 256";
	if (!parse_number(words[2], 1, UINT64_MAX / 2, &operations))
		return "OPERATIONS is a number of at least 1";
	nop_run(batch, operations);
	return NULL;
}
