// SPDX-License-Identifier: MIT
/* Reads numbers and addresses. */
#include "words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

bool parse_number(const char *text, uint64_t min, uint64_t max,
		  uint64_t *number)
{
	char *end;

	/* strtoull() takes signs and spaces. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number >= min && *number <= max;
}

bool parse_small(const char *text, unsigned int min, unsigned int max,
		 unsigned int *number)
{
	uint64_t value;

	if (!parse_number(text, min, max, &value))
		return false;
	*number = (unsigned int)value;
	return true;
}

bool parse_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	return end != text && *end == '\0' && *seconds > 0 && *seconds <= 3600;
}

static bool parse_address(const char *text, uint16_t port,
			  struct endpoint *endpoint)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&endpoint->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&endpoint->address;

	memset(endpoint, 0, sizeof(*endpoint));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		endpoint->length = sizeof(*four);
		return true;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		endpoint->length = sizeof(*six);
		return true;
	}
	return false;
}

const char *parse_endpoint(char **words, bool any_port,
			   struct endpoint *endpoint)
{
	unsigned int port;

	if (!parse_small(words[1], any_port ? 0 : 1, UINT16_MAX, &port))
		return any_port ? "PORT is a number from 0 to 65535" :
				  "PORT is a number from 1 to 65535";
	if (!parse_address(words[0], (uint16_t)port, endpoint))
		return "ADDRESS is a numeric IPv4 or IPv6 address";
	return NULL;
}
