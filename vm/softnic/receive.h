/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SOFTNIC_RECEIVE_H
#define SOFTNIC_RECEIVE_H

struct napi_struct;

int softnic_poll(struct napi_struct *napi, int budget);

#endif
