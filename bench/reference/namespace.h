/* SPDX-License-Identifier: MIT */
/* Where the program runs. */
#ifndef REFERENCE_NAMESPACE_H
#define REFERENCE_NAMESPACE_H

/*
 * Enters the network namespace of the first path through the user namespace of
 * the second, as far as there are paths.  Returns 0 or a negative errno.
 */
int enter_namespaces(int count, char **paths);

#endif
