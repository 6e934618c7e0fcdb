/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SOFTNIC_CONTROL_H
#define SOFTNIC_CONTROL_H

struct softnic_port;

void softnic_control_init(void);
void softnic_control_exit(void);
void softnic_control_add(struct softnic_port *port);
void softnic_control_remove(struct softnic_port *port);

#endif
