/* SPDX-License-Identifier: MIT */
/*
 * The loop without a ring: sendmmsg(2) with MSG_ZEROCOPY.  Its batch is lazy,
 * too (trial.h), but step 2 and 3 are one sendmmsg(2), then reap; and here
 *
 *	wait(n): poll(2) for POLLERR, reap
 *	reap:    recvmsg(2) from the error queue until it is empty
 *
 * A sendmmsg(2) that fails with ENOBUFS while notifications are outstanding
 * waits for one and is tried again.
 */
#ifndef REFERENCE_MESSAGE_H
#define REFERENCE_MESSAGE_H

struct trial;

/* Both return 0 or a negative errno. */
int message_batch(struct trial *trial);
int message_settle(struct trial *trial);

#endif
