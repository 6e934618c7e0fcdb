// SPDX-License-Identifier: GPL-2.0
/*
 * Receive queues: their page pools and posted buffers, starting and stopping, and the operations
 * with which the core exchanges a queue's memory for a memory provider's.
 *
 * Everything that can fail happens before a running queue is touched: new memory is made first, so
 * that a failure leaves the port as it was.
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <net/netdev_lock.h>
#include <net/netdev_rx_queue.h>
#include <net/page_pool/helpers.h>

#include "port.h"
#include "queue.h"
#include "receive.h"
#include "wire.h"

/* Larger buffers than this make no sense for frames of at most 64 KiB. */
#define SOFTNIC_MAX_BUFFER_SIZE	SZ_1M

/* Posts buffers until the ring is full; says whether it is. */
bool softnic_memory_refill(struct softnic_memory *memory, gfp_t gfp)
{
	while (memory->count < memory->entries) {
		netmem_ref netmem = page_pool_alloc_netmems(memory->pool, gfp);
		u32 tail;

		if (!netmem)
			return false;
		tail = memory->head + memory->count;
		if (tail >= memory->entries)
			tail -= memory->entries;
		memory->ring[tail] = netmem;
		memory->count++;
	}
	return true;
}

/* Lets go of the buffer that is being filled. Who got a part of it has a reference of its own. */
void softnic_memory_close(struct softnic_memory *memory, bool in_napi)
{
	if (!memory->open)
		return;
	page_pool_put_full_netmem(memory->pool, memory->open, in_napi);
	memory->open = 0;
}

static void softnic_memory_free(struct softnic_memory *memory)
{
	softnic_memory_close(memory, false);
	while (memory->count) {
		page_pool_put_full_netmem(memory->pool, memory->ring[memory->head], false);
		if (++memory->head == memory->entries)
			memory->head = 0;
		memory->count--;
	}
	/* The pool lives on until the last buffer that somebody reads has come back. */
	page_pool_destroy(memory->pool);
	kvfree(memory->ring);
	memset(memory, 0, sizeof(*memory));
}

/*
 * @running: whether to post buffers at once. A queue of a port that is down gets its memory only
 * for the core to see that it could have it.
 */
static int softnic_memory_alloc(struct softnic_port *port, unsigned int index, u32 entries,
				const struct netdev_queue_config *config, bool running,
				struct softnic_memory *memory)
{
	struct page_pool_params params = {
		/* Unreadable memory comes only if a memory provider is bound to the queue. */
		.flags		= PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV |
				  PP_FLAG_ALLOW_UNREADABLE_NETMEM,
		.order		= get_order(config->rx_page_size),
		.pool_size	= entries,
		.nid		= NUMA_NO_NODE,
		.dev		= softnic_dma_device,
		.dma_dir	= DMA_FROM_DEVICE,
		.max_len	= config->rx_page_size,
		.netdev		= port->device,
		.queue_idx	= index,
	};

	memset(memory, 0, sizeof(*memory));
	memory->ring = kvcalloc(entries, sizeof(*memory->ring), GFP_KERNEL_ACCOUNT);
	if (!memory->ring)
		return -ENOMEM;
	memory->pool = page_pool_create(&params);
	if (IS_ERR(memory->pool)) {
		int error = PTR_ERR(memory->pool);

		kvfree(memory->ring);
		memset(memory, 0, sizeof(*memory));
		return error;
	}
	memory->entries = entries;
	memory->buffer_size = config->rx_page_size;
	memory->provider = page_pool_is_unreadable(memory->pool);
	/* A provider may have fewer buffers than the ring has room for. That is no error. */
	if (running)
		softnic_memory_refill(memory, GFP_KERNEL | __GFP_NOWARN);
	return 0;
}

/* Makes memory as the queue is configured, for a memory provider if one is bound. */
static int softnic_memory_alloc_configured(struct softnic_port *port, unsigned int index,
					   u32 entries, struct softnic_memory *memory)
{
	struct netdev_queue_config config;

	netdev_queue_config(port->device, index, &config);
	return softnic_memory_alloc(port, index, entries, &config, true, memory);
}

static void softnic_queue_start(struct softnic_rx *rx, const struct softnic_memory *memory)
{
	rx->memory = *memory;
	page_pool_enable_direct_recycling(rx->memory.pool, &rx->napi);
	napi_enable_locked(&rx->napi);
	/* Frames that came in the meantime have interrupted nobody. */
	local_bh_disable();
	napi_schedule(&rx->napi);
	local_bh_enable();
}

/* Frames stay on the wire; the other end stops sending when its queues are full. */
static void softnic_queue_stop(struct softnic_rx *rx, struct softnic_memory *memory)
{
	napi_disable_locked(&rx->napi);
	page_pool_disable_direct_recycling(rx->memory.pool);
	softnic_memory_close(&rx->memory, false);
	*memory = rx->memory;
	memset(&rx->memory, 0, sizeof(rx->memory));
}

static void softnic_queue_attach(struct softnic_rx *rx)
{
	struct net_device *device = rx->port->device;

	netif_napi_add_config_locked(device, &rx->napi, softnic_poll, rx->index);
	netif_queue_set_napi(device, rx->index, NETDEV_QUEUE_TYPE_RX, &rx->napi);
	netif_queue_set_napi(device, rx->index, NETDEV_QUEUE_TYPE_TX, &rx->napi);
}

static void softnic_queue_detach(struct softnic_rx *rx)
{
	struct net_device *device = rx->port->device;

	netif_queue_set_napi(device, rx->index, NETDEV_QUEUE_TYPE_TX, NULL);
	netif_queue_set_napi(device, rx->index, NETDEV_QUEUE_TYPE_RX, NULL);
	__netif_napi_del_locked(&rx->napi);
}

/* For the queues from @from on. */
static void softnic_queues_raise(struct softnic_port *port, unsigned int from, unsigned int to,
				 const struct softnic_memory *memories)
{
	unsigned int i;

	for (i = from; i < to; i++) {
		softnic_queue_attach(&port->rx[i]);
		softnic_queue_start(&port->rx[i], &memories[i]);
	}
}

/* Nobody puts frames on these queues' wires any more, or will have stopped to when we wait. */
static void softnic_queues_lower(struct softnic_port *port, unsigned int from, unsigned int to)
{
	struct softnic_memory memory;
	unsigned int i;

	for (i = from; i < to; i++) {
		softnic_queue_stop(&port->rx[i], &memory);
		softnic_queue_detach(&port->rx[i]);
		softnic_memory_free(&memory);
	}
	/* For transmitters at the other end, the last polls, and readers of the list of NAPIs. */
	synchronize_net();
	for (i = from; i < to; i++) {
		softnic_wire_silence(&port->rx[i]);
		softnic_wire_empty(&port->rx[i]);
	}
}

static void softnic_memories_free(struct softnic_memory *memories, unsigned int from,
				  unsigned int to)
{
	while (to-- > from)
		softnic_memory_free(&memories[to]);
}

static int softnic_memories_alloc(struct softnic_port *port, unsigned int from, unsigned int to,
				  u32 entries, struct softnic_memory *memories)
{
	unsigned int i;
	int error;

	for (i = from; i < to; i++) {
		error = softnic_memory_alloc_configured(port, i, entries, &memories[i]);
		if (error) {
			softnic_memories_free(memories, from, i);
			return error;
		}
	}
	return 0;
}

/**
 * softnic_queues_open() - makes all active queues receive
 * @port: the port, whose device lock is held; the same for the functions below
 */
int softnic_queues_open(struct softnic_port *port)
{
	struct softnic_memory *memories;
	int error;

	memories = kcalloc(port->active, sizeof(*memories), GFP_KERNEL);
	if (!memories)
		return -ENOMEM;
	error = softnic_memories_alloc(port, 0, port->active, port->rx_entries, memories);
	if (!error)
		softnic_queues_raise(port, 0, port->active, memories);
	kfree(memories);
	return error;
}

/* The port is no longer running, so no transmitter begins to send here. */
void softnic_queues_close(struct softnic_port *port)
{
	softnic_queues_lower(port, 0, port->active);
}

/**
 * softnic_queues_resize() - changes the number of receive descriptors
 * @port: the port
 * @entries: descriptors of each queue
 */
int softnic_queues_resize(struct softnic_port *port, u32 entries)
{
	struct softnic_memory *memories;
	unsigned int i;
	int error;

	if (!netif_running(port->device)) {
		port->rx_entries = entries;
		return 0;
	}
	memories = kcalloc(port->active, sizeof(*memories), GFP_KERNEL);
	if (!memories)
		return -ENOMEM;
	error = softnic_memories_alloc(port, 0, port->active, entries, memories);
	if (error)
		goto free;
	port->rx_entries = entries;
	for (i = 0; i < port->active; i++) {
		struct softnic_memory old;

		softnic_queue_stop(&port->rx[i], &old);
		softnic_queue_start(&port->rx[i], &memories[i]);
		softnic_memory_free(&old);
	}
free:
	kfree(memories);
	return error;
}

/**
 * softnic_queues_set_active() - changes the number of queues in use
 * @port: the port
 * @active: from 1 to all of them
 *
 * Needs rtnl as well.
 */
int softnic_queues_set_active(struct softnic_port *port, unsigned int active)
{
	unsigned int before = port->active;
	struct softnic_memory *memories = NULL;
	bool running = netif_running(port->device);
	int error;

	if (running && active > before) {
		memories = kcalloc(active, sizeof(*memories), GFP_KERNEL);
		if (!memories)
			return -ENOMEM;
		error = softnic_memories_alloc(port, before, active, port->rx_entries, memories);
		if (error)
			goto free;
	}
	error = netif_set_real_num_queues(port->device, active, active);
	if (error) {
		if (memories)
			softnic_memories_free(memories, before, active);
		goto free;
	}
	if (memories)
		softnic_queues_raise(port, before, active, memories);
	/* The other end steers by this number: queues run before it grows and after it shrinks. */
	smp_store_release(&port->active, active);
	if (running && active < before)
		softnic_queues_lower(port, active, before);
	/* A transmit queue that was stopped when it was taken out of use must not stay so. */
	if (running && active > before)
		netif_tx_wake_all_queues(port->device);
free:
	kfree(memories);
	return error;
}

static int softnic_queue_mem_alloc(struct net_device *device, struct netdev_queue_config *config,
				   void *memory, int index)
{
	struct softnic_port *port = netdev_priv(device);

	return softnic_memory_alloc(port, index, port->rx_entries, config, netif_running(device),
				    memory);
}

static void softnic_queue_mem_free(struct net_device *device, void *memory)
{
	softnic_memory_free(memory);
}

static int softnic_queue_ops_start(struct net_device *device, struct netdev_queue_config *config,
				   void *memory, int index)
{
	struct softnic_port *port = netdev_priv(device);

	softnic_queue_start(&port->rx[index], memory);
	return 0;
}

static int softnic_queue_ops_stop(struct net_device *device, void *memory, int index)
{
	struct softnic_port *port = netdev_priv(device);

	softnic_queue_stop(&port->rx[index], memory);
	return 0;
}

static void softnic_default_config(struct net_device *device, struct netdev_queue_config *config)
{
	config->rx_page_size = PAGE_SIZE;
}

static int softnic_validate_config(struct net_device *device, struct netdev_queue_config *config,
				   struct netlink_ext_ack *extack)
{
	if (!is_power_of_2(config->rx_page_size) || config->rx_page_size < PAGE_SIZE ||
	    config->rx_page_size > SOFTNIC_MAX_BUFFER_SIZE) {
		NL_SET_ERR_MSG(extack, "rx-page-size must be a power of 2 from a page to 1 MiB");
		return -ERANGE;
	}
	return 0;
}

const struct netdev_queue_mgmt_ops softnic_queue_ops = {
	.ndo_queue_mem_size	= sizeof(struct softnic_memory),
	.ndo_queue_mem_alloc	= softnic_queue_mem_alloc,
	.ndo_queue_mem_free	= softnic_queue_mem_free,
	.ndo_queue_start	= softnic_queue_ops_start,
	.ndo_queue_stop		= softnic_queue_ops_stop,
	.ndo_default_qcfg	= softnic_default_config,
	.ndo_validate_qcfg	= softnic_validate_config,
	.supported_params	= QCFG_RX_PAGE_SIZE,
};
