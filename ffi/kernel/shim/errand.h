// SPDX-License-Identifier: MIT
/* Work for a child that enters or makes namespaces, so that no thread of ours changes its own. */
#ifndef ZCLAB_ERRAND_H
#define ZCLAB_ERRAND_H

#include "shim.h"

struct errand {
	int (*run)(const struct errand *errand);
	int user_fd;
	int net_fd;
	int domain;
	int type;
	int protocol;
	int result;
};

/* Runs an errand in a child that shares our memory and descriptors, and returns its result. */
INTERNAL int in_child(struct errand *errand);

/* Enters the errand's user namespace, if it has one. */
INTERNAL int enter_user_namespace(const struct errand *errand);

#endif
