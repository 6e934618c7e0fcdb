/* SPDX-License-Identifier: MIT */
/*
 * The commands of the program.  Each takes the words of its line, as many as
 * its usage has, and returns what is wrong with them, or NULL once it has
 * answered.
 */
#ifndef REFERENCE_COMMAND_H
#define REFERENCE_COMMAND_H

const char *pin_command(char **words);
const char *nop_command(char **words);
const char *send_command(char **words);
const char *stream_command(char **words);
const char *recv_command(char **words);
const char *zcrx_command(char **words);

/* Answers that a step failed with a negative errno. */
void answer_error(const char *doing, int error);

#endif
