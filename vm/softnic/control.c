// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/softnic/NUMBER/: what no card has and no tool sets. The number is the one in
 * the bus-info of ethtool -i.
 *
 *	delay_us	how long a frame that arrives at this port was under way
 *	loss_ppm	how many of a million frames get lost on their way to this port
 *	seed		where the random numbers for that start; writing it starts again
 *	placements	see placements.c
 *	queueN/cpu	the CPU on which the queue's interrupt fires; -1: where the frame was sent
 *
 * If debugfs is missing, the port works without.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/module.h>

#include "control.h"
#include "placements.h"
#include "port.h"
#include "wire.h"

static struct dentry *softnic_control_root;

static int softnic_delay_get(void *data, u64 *value)
{
	struct softnic_port *port = data;

	*value = READ_ONCE(port->delay_us);
	return 0;
}

static int softnic_delay_set(void *data, u64 value)
{
	struct softnic_port *port = data;

	if (value > SOFTNIC_MAX_DELAY_US)
		return -ERANGE;
	WRITE_ONCE(port->delay_us, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(softnic_delay_operations, softnic_delay_get, softnic_delay_set, "%llu\n");

static int softnic_loss_get(void *data, u64 *value)
{
	struct softnic_port *port = data;

	*value = READ_ONCE(port->loss_ppm);
	return 0;
}

static int softnic_loss_set(void *data, u64 value)
{
	struct softnic_port *port = data;

	if (value > SOFTNIC_MILLION)
		return -ERANGE;
	WRITE_ONCE(port->loss_ppm, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(softnic_loss_operations, softnic_loss_get, softnic_loss_set, "%llu\n");

static int softnic_seed_get(void *data, u64 *value)
{
	struct softnic_port *port = data;

	*value = READ_ONCE(port->seed);
	return 0;
}

static int softnic_seed_set(void *data, u64 value)
{
	struct softnic_port *port = data;

	WRITE_ONCE(port->seed, value);
	/* Queues that see the new generation see the new seed. */
	smp_store_release(&port->seed_generation, port->seed_generation + 1);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(softnic_seed_operations, softnic_seed_get, softnic_seed_set, "%llu\n");

static int softnic_cpu_get(void *data, u64 *value)
{
	struct softnic_rx *rx = data;

	*value = READ_ONCE(rx->cpu);
	return 0;
}

static int softnic_cpu_set(void *data, u64 value)
{
	struct softnic_rx *rx = data;
	s64 cpu = value;

	if (cpu < -1 || cpu >= (s64)nr_cpu_ids || (cpu >= 0 && !cpu_online(cpu)))
		return -EINVAL;
	WRITE_ONCE(rx->cpu, cpu);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(softnic_cpu_operations, softnic_cpu_get, softnic_cpu_set,
				"%lld\n");

void softnic_control_init(void)
{
	softnic_control_root = debugfs_create_dir(SOFTNIC_NAME, NULL);
}

void softnic_control_exit(void)
{
	debugfs_remove(softnic_control_root);
}

void softnic_control_add(struct softnic_port *port)
{
	struct dentry *queue;
	char name[16];
	unsigned int i;

	snprintf(name, sizeof(name), "%u", port->number);
	port->control = debugfs_create_dir(name, softnic_control_root);
	debugfs_create_file_unsafe("delay_us", 0600, port->control, port,
				   &softnic_delay_operations);
	debugfs_create_file_unsafe("loss_ppm", 0600, port->control, port,
				   &softnic_loss_operations);
	debugfs_create_file_unsafe("seed", 0600, port->control, port, &softnic_seed_operations);
	debugfs_create_file("placements", 0600, port->control, &port->placements,
			    &softnic_placements_operations);
	for (i = 0; i < port->queues; i++) {
		snprintf(name, sizeof(name), "queue%u", i);
		queue = debugfs_create_dir(name, port->control);
		debugfs_create_file_unsafe("cpu", 0600, queue, &port->rx[i],
					   &softnic_cpu_operations);
	}
}

/* Waits until nobody uses the files any more. */
void softnic_control_remove(struct softnic_port *port)
{
	debugfs_remove(port->control);
	port->control = NULL;
}
