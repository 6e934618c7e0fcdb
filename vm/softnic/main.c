// SPDX-License-Identifier: GPL-2.0
/*
 * softnic: a network card made of software, on which the zero-copy receive of io_uring and device
 * memory TCP work for real.
 *
 *	ip link add near0 type softnic
 *	ip link add link near0 name far0 netns OTHER type softnic
 *
 * What a card does with DMA a port does with memcpy(), when NAPI polls it: it reads the frame out
 * of the transmitter's memory and writes headers and payload to where its receive descriptors
 * point. With a memory provider bound to the queue that is the user's memory. What is missing,
 * compared with an ordinary receive, is the copy from the kernel to the user: that is what the
 * experiments are about.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <net/rtnetlink.h>

#include "control.h"
#include "port.h"

#ifdef CONFIG_HIGHMEM
#error "softnic writes to all memory by its kernel address"
#endif

/*
 * Memory providers map their memory for the device that does the DMA, so the ports need one that
 * has a DMA mask. A platform device without a driver is enough, and one is enough for all.
 */
static struct platform_device *softnic_platform;
struct device *softnic_dma_device;

static unsigned int softnic_default_queues(void)
{
	return SOFTNIC_DEFAULT_QUEUES;
}

static int softnic_find_other(struct rtnl_newlink_params *params, struct softnic_port **other,
			      struct netlink_ext_ack *extack)
{
	struct net_device *device;

	*other = NULL;
	if (!params->tb[IFLA_LINK])
		return 0;
	device = __dev_get_by_index(rtnl_newlink_link_net(params),
				    nla_get_u32(params->tb[IFLA_LINK]));
	if (!device) {
		NL_SET_ERR_MSG_ATTR(extack, params->tb[IFLA_LINK], "no such device to wire to");
		return -ENODEV;
	}
	if (!softnic_is_port(device)) {
		NL_SET_ERR_MSG_ATTR(extack, params->tb[IFLA_LINK],
				    "a softnic can be wired to another softnic only");
		return -EINVAL;
	}
	*other = netdev_priv(device);
	if (rtnl_dereference((*other)->peer)) {
		NL_SET_ERR_MSG_ATTR(extack, params->tb[IFLA_LINK],
				    "that softnic is wired to another one already");
		return -EBUSY;
	}
	return 0;
}

static int softnic_newlink(struct net_device *device, struct rtnl_newlink_params *params,
			   struct netlink_ext_ack *extack)
{
	struct softnic_port *other;
	int error;

	if (device->num_rx_queues > SOFTNIC_MAX_QUEUES ||
	    device->num_tx_queues > SOFTNIC_MAX_QUEUES) {
		NL_SET_ERR_MSG(extack, "a softnic has at most 16 queues each way");
		return -EINVAL;
	}
	error = softnic_find_other(params, &other, extack);
	if (error)
		return error;
	if (!params->tb[IFLA_ADDRESS])
		eth_hw_addr_random(device);
	SET_NETDEV_DEV(device, softnic_dma_device);
	return softnic_port_register(device, other, extack);
}

static struct rtnl_link_ops softnic_link_ops __read_mostly = {
	.kind			= SOFTNIC_NAME,
	.priv_size		= sizeof(struct softnic_port),
	.setup			= softnic_port_setup,
	.newlink		= softnic_newlink,
	.get_num_tx_queues	= softnic_default_queues,
	.get_num_rx_queues	= softnic_default_queues,
	.get_link_net		= softnic_port_link_net,
};

/*
 * The address that a driver gives to its card is all that we know of a buffer, and we write to it
 * ourselves. That works if it is a physical address, which no IOMMU and no bounce buffer changed.
 */
static int __init softnic_check_dma(struct device *device)
{
	struct page *page = alloc_page(GFP_KERNEL);
	dma_addr_t address;
	bool direct;

	if (!page)
		return -ENOMEM;
	address = dma_map_page(device, page, 0, PAGE_SIZE, DMA_FROM_DEVICE);
	if (dma_mapping_error(device, address)) {
		__free_page(page);
		return -ENOMEM;
	}
	direct = dma_to_phys(device, address) == page_to_phys(page);
	dma_unmap_page(device, address, PAGE_SIZE, DMA_FROM_DEVICE);
	__free_page(page);
	if (!direct) {
		pr_err("softnic: an IOMMU or swiotlb is in the way of direct DMA\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int __init softnic_init(void)
{
	int error;

	softnic_platform = platform_device_register_simple(SOFTNIC_NAME, PLATFORM_DEVID_NONE,
							   NULL, 0);
	if (IS_ERR(softnic_platform))
		return PTR_ERR(softnic_platform);
	softnic_dma_device = &softnic_platform->dev;
	error = dma_set_mask_and_coherent(softnic_dma_device, DMA_BIT_MASK(64));
	if (error)
		goto unregister_platform;
	error = softnic_check_dma(softnic_dma_device);
	if (error)
		goto unregister_platform;

	softnic_control_init();
	error = rtnl_link_register(&softnic_link_ops);
	if (error)
		goto remove_control;
	return 0;

remove_control:
	softnic_control_exit();
unregister_platform:
	platform_device_unregister(softnic_platform);
	return error;
}

/* Unregistering the link type deletes all ports, in every namespace. */
static void __exit softnic_exit(void)
{
	rtnl_link_unregister(&softnic_link_ops);
	softnic_control_exit();
	platform_device_unregister(softnic_platform);
}

module_init(softnic_init);
module_exit(softnic_exit);

MODULE_DESCRIPTION("Software network card with header/data split and queue memory providers");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK(SOFTNIC_NAME);
