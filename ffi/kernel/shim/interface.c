// SPDX-License-Identifier: MIT
/* Network interfaces, by their names. */
#include "shim.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

static int name_interface(struct ifreq *request, const char *name)
{
	size_t length;

	if (!name)
		return -EFAULT;
	length = strnlen(name, IFNAMSIZ);
	if (length == IFNAMSIZ)
		return -ENAMETOOLONG;
	memcpy(request->ifr_name, name, length);
	return 0;
}

int zclab_interface_index(int fd, const char *name)
{
	struct ifreq request = { 0 };
	int result = name_interface(&request, name);

	if (result < 0)
		return result;
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	return request.ifr_ifindex;
}

int zclab_ethtool(int fd, const char *name, void *command)
{
	struct ifreq request = { 0 };
	int result = name_interface(&request, name);

	if (result < 0)
		return result;
	if (!command)
		return -EFAULT;
	request.ifr_data = command;
	return checked(ioctl(fd, SIOCETHTOOL, &request));
}
