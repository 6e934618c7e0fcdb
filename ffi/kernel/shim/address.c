// SPDX-License-Identifier: MIT
/* Addresses. Callers' buffers may lie at any byte, so addresses are copied, not cast. */
#include "shim.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_scope(const char *text, uint32_t *scope)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > UINT32_MAX)
		return false;
	*scope = (uint32_t)value;
	return true;
}

static int parse_ipv6(const char *text, uint16_t port, void *address)
{
	struct sockaddr_in6 parsed = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const char *percent = strchr(text, '%');
	size_t length = percent ? (size_t)(percent - text) : strlen(text);
	char digits[INET6_ADDRSTRLEN];

	if (length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (inet_pton(AF_INET6, digits, &parsed.sin6_addr) != 1)
		return -EINVAL;
	if (percent && !parse_scope(percent + 1, &parsed.sin6_scope_id))
		return -EINVAL;
	memcpy(address, &parsed, sizeof(parsed));
	return sizeof(parsed);
}

int zclab_parse_address(const char *text, uint16_t port, void *address)
{
	struct sockaddr_in parsed = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (!text || !address)
		return -EFAULT;
	if (inet_pton(AF_INET, text, &parsed.sin_addr) != 1)
		return parse_ipv6(text, port, address);
	memcpy(address, &parsed, sizeof(parsed));
	return sizeof(parsed);
}

/* Writes an address as text, with the scope where it has one. */
static int address_text(const void *address, uint32_t length, char *text, size_t capacity)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	sa_family_t family;
	size_t used;

	if (length < sizeof(family))
		return -EINVAL;
	memcpy(&family, address, sizeof(family));
	if (family == AF_INET && length >= sizeof(four)) {
		memcpy(&four, address, sizeof(four));
		return inet_ntop(AF_INET, &four.sin_addr, text, capacity) ? 0 : -errno;
	}
	if (family != AF_INET6)
		return family == AF_INET ? -EINVAL : -EAFNOSUPPORT;
	if (length < sizeof(six))
		return -EINVAL;
	memcpy(&six, address, sizeof(six));
	if (!inet_ntop(AF_INET6, &six.sin6_addr, text, capacity))
		return -errno;
	used = strlen(text);
	if (six.sin6_scope_id)
		snprintf(text + used, capacity - used, "%%%" PRIu32, six.sin6_scope_id);
	return 0;
}

int zclab_format_address(const void *address, uint32_t length, char *text, uint32_t capacity)
{
	char whole[INET6_ADDRSTRLEN + sizeof("%4294967295")];
	size_t used;
	int result;

	if (!address || !text)
		return -EFAULT;
	result = address_text(address, length, whole, sizeof(whole));
	if (result)
		return result;
	used = strlen(whole);
	if (used >= capacity)
		return -ENOSPC;
	memcpy(text, whole, used + 1);
	return (int)used;
}
