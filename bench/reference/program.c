// SPDX-License-Identifier: MIT
/*
 * reference - the C program that zclab's bench compares itself with.
 *
 *	reference [NETWORK_NAMESPACE [USER_NAMESPACE]]
 *
 * It enters the namespaces that it is given (paths such as /proc/PID/fd/N),
 * reads one command per line from standard input, and answers each with lines
 * of JSON, so that a driver can run its rounds and ours in turns:
 *
 *	pin	Keeps the program on one processor from then on.
 *	nop	Times NOP operations (nop.c).
 *	send	Sends UDP datagrams in one of several ways (send.c).
 *	stream	Connects, sends a stream of BYTES bytes, ends it, waits until
 *		the other side has closed (stream_send.c).
 *	recv	Receives one stream with recv(2) (recv.c).
 *	zcrx	Receives one stream with IORING_OP_RECV_ZC (zcrx.c).
 *
 * The answer is one line.  Both receivers first print {"listening": PORT}, then
 * accept one connection.  A command that fails is answered with
 * {"error": TEXT}; the next one may follow.  The end of the input ends the
 * program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "namespace.h"
#include "words.h"

#define WORDS_MAX	12	/* of a command; one more than any has */

struct command {
	const char *usage;	/* its name, and a word for each that follows */
	const char *(*run)(char **words);
};

static const struct command commands[] = {
	{ "pin CPU", pin_command },
	{ "nop BATCH OPERATIONS", nop_command },
	{ "send MODE PAYLOAD BATCH SECONDS ADDRESS PORT BUFFERS",
	  send_command },
	{ "stream ADDRESS PORT BYTES", stream_command },
	{ "recv ADDRESS PORT BYTES LENGTH", recv_command },
	{ "zcrx ADDRESS PORT BYTES INTERFACE QUEUE AREA REFILL COMPLETIONS",
	  zcrx_command },
};

void answer_error(const char *doing, int error)
{
	printf("{\"error\":\"%s: %s\"}\n", doing, strerror(-error));
}

const char *pin_command(char **words)
{
	unsigned int cpu;
	cpu_set_t set;

	if (!parse_small(words[1], 0, CPU_SETSIZE - 1, &cpu))
		return "CPU is the number of a processor";
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		answer_error("sched_setaffinity", -errno);
	else
		printf("{\"cpu\":%u}\n", cpu);
	return NULL;
}

static const struct command *find_command(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *usage = commands[i].usage;

		if (strncmp(usage, name, length) == 0 && usage[length] == ' ')
			return &commands[i];
	}
	return NULL;
}

static int split(char *line, char **words, int capacity)
{
	char *rest = NULL;
	int count = 0;

	for (char *word = strtok_r(line, " \n", &rest);
	     word && count < capacity; word = strtok_r(NULL, " \n", &rest))
		words[count++] = word;
	return count;
}

static int count_words(const char *usage)
{
	int count = 1;

	for (; *usage; usage++)
		count += *usage == ' ';
	return count;
}

static void run_command(char *line)
{
	const struct command *command;
	const char *problem;
	char *words[WORDS_MAX];
	int count = split(line, words, WORDS_MAX);

	command = count > 0 ? find_command(words[0]) : NULL;
	if (!command) {
		printf("{\"error\":\"the commands are pin, nop, send, stream, "
		       "recv and zcrx\"}\n");
		return;
	}
	if (count != count_words(command->usage)) {
		printf("{\"error\":\"usage: %s\"}\n", command->usage);
		return;
	}
	problem = command->run(words);
	if (problem)
		printf("{\"error\":\"%s\"}\n", problem);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t capacity = 0;
	int result;

	if (argc > 3) {
		fputs("usage: reference [NETWORK_NAMESPACE [USER_NAMESPACE]]\n",
		      stderr);
		return 2;
	}
	result = enter_namespaces(argc - 1, argv + 1);
	if (result < 0) {
		fprintf(stderr, "reference: namespace: %s\n",
			strerror(-result));
		return 1;
	}
	while (getline(&line, &capacity, stdin) >= 0) {
		run_command(line);
		/* Fails as well where a line before could not be printed. */
		if (fflush(stdout) != 0 || ferror(stdout))
			break;
	}
	result = ferror(stdin) || ferror(stdout);
	free(line);
	return result;
}
