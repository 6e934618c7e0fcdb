/**
 * Where sockets are made: network namespaces, and what has one.
 *
 * @module
 */

/** A network namespace that sockets can be made in. */
export interface NamespaceHandle {
  /** File descriptor of the network namespace. */
  readonly fd: number;
  /** File descriptor of the user namespace that owns it, or -1 when it is the caller's own. */
  readonly userFd: number;
}

/** Where a socket is made: something that has a network namespace, such as an end of a testbed. */
export interface Place {
  /** The namespace; without it the socket is made in the caller's. */
  readonly namespace?: NamespaceHandle;
}
