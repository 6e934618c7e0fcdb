/* SPDX-License-Identifier: MIT */
/*
 * The loop that is timed; whoever compares must run the same one.  Everything
 * that is not between "start" and "stop" is not timed.
 *
 *	ring		256 entries, completion queue of 512; SINGLE_ISSUER |
 *			DEFER_TASKRUN | NO_SQARRAY | TASKRUN_FLAG | SUBMIT_ALL;
 *			entered through its registered file descriptor
 *	socket		UDP, connected, registered as fixed file 0
 *	length		bytes of a request: PAYLOAD; with GSO (UDP_SEGMENT set
 *			to PAYLOAD) PAYLOAD * min(64, max(1, 65000 / PAYLOAD))
 *	memory		4 * BATCH chunks (BUFFERS "many"), or one that all
 *			requests send, as liburing's example program does
 *			("one"); each at a multiple of LENGTH rounded up to
 *			4096; written once; as one registered buffer (index 0)
 *			where the mode says fixed
 *	warm-up		4 batches, settle
 *	start
 *	do		batch
 *	while		the clock, read once per batch, is before start +
 *			SECONDS (nop: while operations are left)
 *	settle
 *	stop
 *
 *	batch:
 *	  1. if it is lazy and outstanding > 3 * BATCH:
 *	     wait(outstanding - 3 * BATCH) until that is no longer so.  With
 *	     the coming batch at most 4 * BATCH are out: one for each chunk.
 *	  2. prepare BATCH requests, each from the next chunk, round robin
 *	  3. enter(to_submit = BATCH, min_complete = BATCH, GETEVENTS), reap
 *	  4. while requests of this batch are not completed: wait(their number)
 *	  5. if it flushes: while outstanding > 0: wait(outstanding)
 *
 *	wait(n): enter(to_submit = 0, min_complete = n, GETEVENTS), reap
 *	reap:    consume all completions there are; while SQ flags have TASKRUN
 *	         or CQ_OVERFLOW: enter(0, 0, GETEVENTS), consume again
 *	settle:  while outstanding > 0: wait(outstanding)
 *
 * "outstanding" counts notifications: one more for each completion with
 * F_MORE, one less for each with F_NOTIF.  "Lazy" is every mode with
 * notifications that does not flush.
 *
 * Mode msg-zerocopy has no ring: message.h says what its batch is.
 */
#ifndef REFERENCE_TRIAL_H
#define REFERENCE_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"

#define TRIAL_BATCH_MAX		256	/* entries of the ring */

/* A way of sending. */
struct mode {
	const char *name;
	bool zerocopy;		/* SEND_ZC, not SEND */
	bool fixed;		/* from a registered buffer */
	bool flush;		/* no notification outlives its batch */
	bool gso;		/* a train of datagrams in each request */
	bool msg_zerocopy;	/* sendmmsg(2), no ring */
};

/* One command: what it uses, where it stands, what it has counted. */
struct trial {
	const struct mode *mode;
	struct ring ring;
	int socket;
	const char *doing;	/* names the step that an error belongs to */

	struct io_uring_sqe request;	/* what all requests have in common */
	unsigned int batch;
	unsigned int payload;
	unsigned int segments;
	unsigned int length;

	unsigned char *memory;
	size_t memory_size;
	size_t stride;
	unsigned int chunks;
	unsigned int chunk;		/* the next */

	unsigned int pending;		/* requests not completed */
	unsigned int outstanding;	/* notifications not received */

	uint64_t completed;
	uint64_t notified;
	uint64_t copied;
	uint64_t system_calls;
};

/* All but trial_init() and trial_close() return 0 or a negative errno. */
void trial_init(struct trial *trial, const struct mode *mode,
		unsigned int batch);
int trial_open_ring(struct trial *trial);
int trial_warm_up(struct trial *trial);
int trial_batch(struct trial *trial);
int trial_settle(struct trial *trial);
void trial_close(struct trial *trial);

#endif
