/**
 * Network namespaces that are held by a file descriptor and by nothing else.
 *
 * @module
 */
import { Descriptor } from "../kernel/descriptor.ts";
import { ClosedError, describeErrno, UnsupportedError, unwrap } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import { native } from "../kernel/native.ts";

/** What the kernel says when it does not let this user make a namespace. */
const REFUSALS: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ENOSPC", "ENOSYS", "EUSERS"]);

const NO_USER_NAMESPACE = "Run as root, or allow user namespaces, as root: " +
  "sysctl user.max_user_namespaces=15000; on Debian also kernel.unprivileged_userns_clone=1; " +
  "on Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0; and in a container allow " +
  "unshare in its seccomp profile";

/** The user namespace that network namespaces share: it goes with the last of them. */
class Owner {
  readonly fd: number;
  readonly #descriptor: Descriptor | undefined;
  #users = 0;

  constructor(fd: number) {
    this.fd = fd;
    if (fd >= 0) this.#descriptor = new Descriptor(fd, "NetworkNamespace");
  }

  retain(): void {
    this.#users++;
  }

  release(): void {
    if (--this.#users === 0) this.#descriptor?.close();
  }
}

/**
 * A network namespace without a name. It and every device in it go when it is closed and its last
 * socket too, or when the process ends, however it ends.
 *
 * With CAP_SYS_ADMIN it is a plain one; without, it belongs to a user namespace that is made for it
 * (Linux 3.8). Its loopback interface is up. Nothing in it can be reached from outside.
 *
 * @example A namespace has nothing but a loopback interface
 * ```ts
 * import { NetworkNamespace } from "zclab";
 * import { assert } from "@std/assert";
 *
 * using namespace = NetworkNamespace.create();
 * assert(namespace.fd >= 0);
 * ```
 */
export class NetworkNamespace implements Disposable {
  readonly #descriptor: Descriptor;
  readonly #owner: Owner;

  private constructor(fd: number, owner: Owner) {
    this.#descriptor = new Descriptor(fd, "NetworkNamespace");
    this.#owner = owner;
    owner.retain();
  }

  /**
   * Makes one namespace.
   *
   * @throws {UnsupportedError} If neither privileges nor user namespaces are to be had.
   */
  static create(): NetworkNamespace {
    return NetworkNamespace.createMany(1)[0]!;
  }

  /**
   * Makes namespaces of one owner, between which a link can be laid without root.
   *
   * @param count How many, at least 1.
   * @throws {RangeError} If the count is not a positive integer.
   * @throws {UnsupportedError} If neither privileges nor user namespaces are to be had.
   */
  static createMany(count: number): NetworkNamespace[] {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`The number of namespaces must be a positive integer, got ${count}`);
    }
    const namespaces: NetworkNamespace[] = [];
    try {
      const [fd, owner] = makeFirst();
      namespaces.push(new NetworkNamespace(fd, owner));
      while (namespaces.length < count) {
        const further = native().zclab_net_namespace(owner.fd);
        namespaces.push(new NetworkNamespace(checkNamespace(further), owner));
      }
      return namespaces;
    } catch (error) {
      for (const namespace of namespaces) namespace.close();
      throw error;
    }
  }

  /**
   * The file descriptor that keeps the namespace alive.
   *
   * @throws {ClosedError} After {@linkcode close}.
   */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /**
   * The file descriptor of the user namespace that owns it, or -1 if that is the process's own.
   *
   * @throws {ClosedError} After {@linkcode close}.
   */
  get userFd(): number {
    if (this.closed) throw new ClosedError("NetworkNamespace");
    return this.#owner.fd;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#descriptor.closed;
  }

  /** Lets go of the namespace. Sockets made in it stay usable and keep it alive. */
  close(): void {
    if (this.closed) return;
    this.#descriptor.close();
    this.#owner.release();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    showFacts(NetworkNamespace, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    if (this.closed) return CLOSED;
    const owner = this.#owner.fd < 0 ? "this user namespace" : `user namespace ${this.#owner.fd}`;
    return [["fd", this.fd], ["owner", owner]];
  }
}

/** A plain namespace where the kernel allows it: asking it is surer than reading capabilities. */
function makeFirst(): [fd: number, owner: Owner] {
  const plain = native().zclab_net_namespace(-1);
  if (plain >= 0) return [plain, new Owner(-1)];
  if (describeErrno(-plain)[0] !== "EPERM") checkNamespace(plain);
  const user = checkNamespace(native().zclab_user_namespace());
  const fd = native().zclab_net_namespace(user);
  if (fd < 0) native().zclab_close(user);
  return [checkNamespace(fd), new Owner(user)];
}

function checkNamespace(result: number): number {
  if (result < 0 && REFUSALS.has(describeErrno(-result)[0])) {
    const [code, description] = describeErrno(-result);
    throw new UnsupportedError(`A network namespace (${code}: ${description})`, {
      advice: NO_USER_NAMESPACE,
    });
  }
  return unwrap("unshare", result);
}
