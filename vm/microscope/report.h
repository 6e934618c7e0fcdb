/* SPDX-License-Identifier: MIT */
/*
 * What is told to the guest: JSON files in a folder that it shares. Each has its whole content as soon
 * as it has its name, answer-N.json.
 */
#ifndef MICROSCOPE_REPORT_H
#define MICROSCOPE_REPORT_H

#include <stdint.h>

/* That it is done, or why it could not be. */
void report_done(const char *folder, uint64_t number, const char *problem);
/* What was seen since paths_open() and payload_open(). */
void report_view(const char *folder, uint64_t number);

#endif
