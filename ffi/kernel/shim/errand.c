// SPDX-License-Identifier: MIT
/* Runs errands in a child. */
#include "errand.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static int run_errand(void *argument)
{
	struct errand *errand = argument;

	errand->result = errand->run(errand);
	return 0;
}

/*
 * A process of its own, because the kernel lets no thread of a multi-threaded process change its
 * user namespace. It shares the memory, because copying the page tables of a JavaScript engine
 * takes milliseconds, and the descriptors, so that what it opens is ours. We stand still while it
 * runs (CLONE_VFORK), thus its stack may lie on ours. It takes no signal, and its end sends none:
 * somebody else's SIGCHLD handler must not hear of it.
 */
int in_child(struct errand *errand)
{
	_Alignas(16) char stack[32 * 1024];
	sigset_t every, before;
	int result, status;
	pid_t child, ended;

	errand->result = -ECHILD;
	sigfillset(&every);
	result = pthread_sigmask(SIG_SETMASK, &every, &before);
	if (result)
		return -result;
	child = clone(run_errand, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES, errand);
	result = checked(child);
	if (child > 0) {
		do {
			ended = waitpid(child, &status, __WALL);
		} while (ended < 0 && errno == EINTR);
		result = errand->result;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

int enter_user_namespace(const struct errand *errand)
{
	if (errand->user_fd < 0)
		return 0;
	return checked(setns(errand->user_fd, CLONE_NEWUSER));
}
