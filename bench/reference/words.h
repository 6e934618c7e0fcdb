/* SPDX-License-Identifier: MIT */
/* What the words of a command say. */
#ifndef REFERENCE_WORDS_H
#define REFERENCE_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

bool parse_number(const char *text, uint64_t min, uint64_t max,
		  uint64_t *number);
bool parse_small(const char *text, unsigned int min, unsigned int max,
		 unsigned int *number);
bool parse_seconds(const char *text, double *seconds);

/*
 * Two words, ADDRESS PORT; port 0, the kernel's choice, where @any_port.
 * Returns what is wrong with them, or NULL.
 */
const char *parse_endpoint(char **words, bool any_port,
			   struct endpoint *endpoint);

#endif
