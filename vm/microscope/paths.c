// SPDX-License-Identifier: MIT
#include "paths.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* THREAD_SIZE: kernel stacks have this length, and threads' have this alignment. */
#define STACK_SHIFT	14
/* Frames are closer to each other, and stacks are not. */
#define NEAR		4096
/* CPU_ENTRY_AREA_PGD: here the processor's first steps into the kernel have a small stack. */
#define ENTRY_AREA_SHIFT	39
#define ENTRY_AREA	((uint64_t)-4 << ENTRY_AREA_SHIFT >> ENTRY_AREA_SHIFT)

/**
 * struct frame - a call that has not returned
 * @slot: where its return address is
 * @caller: whose call it is
 * @number: its number among all calls
 */
struct frame {
	uint64_t slot;
	struct node *caller;
	uint64_t number;
};

/**
 * struct stack - a kernel stack
 * @next: another one
 * @region: its address, without the lower bits; 0 while it is not known
 * @frames: calls, the innermost last
 * @depth: number of calls
 * @room: for so many
 * @thread: the root of what runs on it
 * @number: stands for the number of a call where there is none
 * @borrower: the stack that it is used for, of those for interrupts
 * @lent_by: the node that uses it
 * @interrupt: an interrupt that has begun, and has not called anything yet
 */
struct stack {
	struct stack *next;
	uint64_t region;
	struct frame *frames;
	size_t depth;
	size_t room;
	struct node *thread;
	uint64_t number;
	struct stack *borrower;
	struct node *lent_by;
	struct node *interrupt;
};

static struct {
	struct arena nodes;
	struct stack *stacks;
	struct stack *own;
	struct stack *here;
	struct node *node;
	uint64_t calls;
	bool in_user;
} paths;

static struct node *child_of(struct node *parent, struct function *function)
{
	struct node **link = &parent->children, *node;

	for (; (node = *link); link = &node->sibling) {
		if (node->function != function)
			continue;
		/* What runs once often runs again. */
		*link = node->sibling;
		node->sibling = parent->children;
		parent->children = node;
		return node;
	}
	node = arena_make(&paths.nodes, sizeof(*node));
	node->parent = parent;
	node->function = function;
	node->sibling = parent->children;
	parent->children = node;
	return node;
}

static struct stack *make_stack(uint64_t region)
{
	struct stack *stack = make(1, sizeof(*stack));

	stack->region = region;
	stack->thread = arena_make(&paths.nodes, sizeof(*stack->thread));
	stack->number = ++paths.calls;
	stack->next = paths.stacks;
	paths.stacks = stack;
	return stack;
}

/* What a function is a child of if it runs on this stack now. */
static struct node *base_of(const struct stack *stack)
{
	if (stack->interrupt)
		return stack->interrupt;
	if (stack->depth)
		return stack->frames[stack->depth - 1].caller;
	return stack->borrower ? stack->lent_by : stack->thread;
}

static void push(struct stack *stack, uint64_t slot, struct node *caller)
{
	if (stack->depth == stack->room) {
		stack->room = stack->room ? 2 * stack->room : 64;
		stack->frames = remake(stack->frames, stack->room, sizeof(*stack->frames));
	}
	stack->frames[stack->depth++] = (struct frame){ slot, caller, ++paths.calls };
}

/* Stacks grow down: calls at or below a slot that is written or read are over. */
static void pop(struct stack *stack, uint64_t slot)
{
	while (stack->depth && stack->frames[stack->depth - 1].slot <= slot)
		stack->depth--;
}

static bool is_on(const struct stack *stack, uint64_t slot)
{
	uint64_t last;

	if (slot >> STACK_SHIFT == stack->region)
		return true;
	if (!stack->depth)
		return false;
	/* A stack for interrupts may lie across two regions. */
	last = stack->frames[stack->depth - 1].slot;
	return slot > last ? slot - last < NEAR : last - slot < NEAR;
}

static struct stack *stack_of(uint64_t slot)
{
	struct stack *stack;

	if (is_on(paths.here, slot))
		return paths.here;
	/* The thread that looks enters the kernel for the first time. */
	if (paths.here == paths.own && !paths.own->region) {
		paths.own->region = slot >> STACK_SHIFT;
		return paths.own;
	}
	for (stack = paths.stacks; stack; stack = stack->next) {
		if (slot >> STACK_SHIFT == stack->region)
			return stack;
	}
	return make_stack(slot >> STACK_SHIFT);
}

static bool is_in_entry_area(uint64_t slot)
{
	return slot >> ENTRY_AREA_SHIFT == ENTRY_AREA;
}

void paths_open(void)
{
	paths.stacks = NULL;
	paths.calls = 0;
	paths.own = make_stack(0);
	paths.own->thread->own = true;
	paths.here = paths.own;
	paths.in_user = true;
	paths.node = child_of(paths.own->thread, &function_user);
}

void paths_close(void)
{
	while (paths.stacks) {
		struct stack *next = paths.stacks->next;

		free(paths.stacks->frames);
		free(paths.stacks);
		paths.stacks = next;
	}
	arena_forget(&paths.nodes);
	memset(&paths, 0, sizeof(paths));
}

/* In user space no call of the kernel is under way. */
static void enter_user(void)
{
	struct stack *stack = paths.here;

	while (stack->borrower) {
		struct stack *borrower = stack->borrower;

		stack->depth = 0;
		stack->borrower = NULL;
		stack = borrower;
	}
	stack->depth = 0;
	stack->interrupt = NULL;
	paths.here = stack;
	paths.in_user = true;
}

static bool begins_interrupt(const struct run *run)
{
	if (paths.here->interrupt)
		return false;
	return run->function->traits & FUNCTION_INTERRUPTS ||
	       (run->function->traits & FUNCTION_INTERRUPT && run->begins);
}

void paths_run(const struct run *run)
{
	struct stack *here;

	if (run->function == &function_user) {
		if (!paths.in_user)
			enter_user();
	} else {
		paths.in_user = false;
	}
	here = paths.here;
	if (run->function->traits && begins_interrupt(run))
		here->interrupt = child_of(base_of(here), &function_interrupt);
	paths.node = child_of(base_of(here), run->function);
	paths.node->instructions += run->count;
}

/* The stack that a call is on; what it is used for is settled if it was not used before. */
static struct stack *enter_stack(struct function *caller, uint64_t slot)
{
	struct stack *stack = stack_of(slot);
	bool is_bridge = caller->traits & FUNCTION_BRIDGE;

	pop(stack, slot);
	if (stack == paths.here)
		return stack;
	if (!stack->depth) {
		stack->borrower = is_bridge ? paths.here : NULL;
		stack->lent_by = is_bridge ? paths.node : NULL;
	}
	paths.here = stack;
	return stack;
}

void paths_call(struct function *caller, uint64_t slot)
{
	struct stack *stack;
	struct node *node;

	if (is_in_entry_area(slot))
		return;
	stack = enter_stack(caller, slot);
	node = stack->borrower && !stack->depth && !stack->interrupt
		? stack->lent_by : child_of(base_of(stack), caller);
	if (stack->interrupt) {
		/* It ends when what the processor has put above that slot is loaded. */
		push(stack, slot + sizeof(slot), stack->interrupt);
		stack->interrupt = NULL;
	}
	push(stack, slot, node);
}

void paths_return(uint64_t slot)
{
	struct stack *stack;

	if (is_in_entry_area(slot))
		return;
	stack = stack_of(slot);
	paths.here = stack;
	pop(stack, slot);
	if (stack->depth || !stack->borrower)
		return;
	paths.here = stack->borrower;
	stack->borrower = NULL;
}

void paths_interrupt_return(uint64_t address)
{
	if (is_on(paths.here, address))
		paths_return(address);
}

struct node *paths_node(void)
{
	return paths.node;
}

uint64_t paths_call_number(void)
{
	const struct stack *here = paths.here;

	if (paths.in_user)
		return 0;
	return here->depth ? here->frames[here->depth - 1].number : here->number;
}

static void visit_tree(struct node *node, void (*visit)(struct node *node, void *data), void *data)
{
	struct node *child;

	visit(node, data);
	for (child = node->children; child; child = child->sibling)
		visit_tree(child, visit, data);
}

void paths_each(void (*visit)(struct node *node, void *data), void *data)
{
	struct stack *stack;

	for (stack = paths.stacks; stack; stack = stack->next)
		visit_tree(stack->thread, visit, data);
}
